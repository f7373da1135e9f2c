//! Encoders that were trained without some corpora. The encoder of the binary was trained on all of them, so it knows their questions by
//! heart; what a corpus is worth is said by an encoder that has not seen it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clusterlore_models::Encoder;

use crate::corpus::Corpus;

/// What is left out of the training of each fold, by the names of corpora. `tools/train-encoder/README.md` says how to make the files.
const FOLDS: [(&str, &[&str]); 3] =
    [("A", &["shared"]), ("B", &["harbour", "hospital"]), ("C", &["orchard", "observatory", "examples"])];

/// Who reads the questions of a corpus.
pub(crate) enum Encoders {
    /// The encoder of the binary.
    BuiltIn,
    /// The same for every corpus.
    One(Arc<Encoder<'static>>),
    /// For each corpus one that has not seen it.
    Folds(HashMap<&'static str, Arc<Encoder<'static>>>),
}

impl Encoders {
    /// The encoder in a file.
    pub(crate) fn one(file: &Path) -> Result<Self> {
        read(file).map(Self::One)
    }

    /// The encoders of all folds in a folder.
    pub(crate) fn folds(folder: &Path) -> Result<Self> {
        let fold = |(name, _): (&'static str, _)| Ok((name, read(&file(folder, name))?));
        FOLDS.into_iter().map(fold).collect::<Result<_>>().map(Self::Folds)
    }

    /// Opens a corpus, to be read by its encoder.
    pub(crate) async fn open(&self, folder: &Path) -> Result<Corpus> {
        let corpus = Corpus::open(folder).await?;
        Ok(match self {
            Self::BuiltIn => corpus,
            Self::One(encoder) => corpus.encoded_by(Arc::clone(encoder)),
            Self::Folds(folds) => {
                let encoder = fold_without(&corpus.name).and_then(|fold| folds.get(fold)).ok_or_else(|| {
                    let known = FOLDS.map(|(_, without)| without.join(", ")).join(", ");
                    anyhow!(
                        "no fold was trained without {}; expected one of {known}. Leave out --folds",
                        folder.display()
                    )
                })?;
                let encoder = Arc::clone(encoder);
                corpus.encoded_by(encoder)
            }
        })
    }
}

/// The fold that was trained without a corpus.
fn fold_without(corpus: &str) -> Option<&'static str> {
    FOLDS.iter().find(|(_, without)| without.contains(&corpus)).map(|(name, _)| *name)
}

fn file(folder: &Path, fold: &str) -> PathBuf {
    folder.join(format!("fold-{fold}.safetensors"))
}

/// The encoder in a file. It is read once and kept as long as the program runs.
fn read(file: &Path) -> Result<Arc<Encoder<'static>>> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    Ok(Arc::new(Encoder::from_bytes(bytes.leak()).with_context(|| file.display().to_string())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_corpus_is_left_out_of_one_fold() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut corpora = vec!["examples".to_owned(), "shared".to_owned()];
        for entry in std::fs::read_dir(here.join("corpora")).unwrap().map(Result::unwrap) {
            if entry.path().join("manifests").is_dir() {
                corpora.push(entry.file_name().into_string().unwrap());
            }
        }
        corpora.sort();
        let mut left_out: Vec<&str> = FOLDS.iter().flat_map(|(_, without)| *without).copied().collect();
        left_out.sort_unstable();
        assert_eq!(left_out, corpora);
        assert_eq!((fold_without("hospital"), fold_without("moon")), (Some("B"), None));
    }

    #[tokio::test]
    async fn what_no_fold_left_out_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Encoders::folds(folder.path()).err().unwrap();
        assert!(format!("{error:#}").contains("fold-A.safetensors"), "{error:#}");
        std::fs::create_dir(folder.path().join("manifests")).unwrap();
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n";
        std::fs::write(folder.path().join("manifests/shop.yaml"), namespace).unwrap();
        std::fs::write(folder.path().join("questions.jsonl"), "").unwrap();
        let error = Encoders::Folds(HashMap::new()).open(folder.path()).await.err().unwrap().to_string();
        assert!(error.starts_with("no fold was trained without"), "{error}");
    }
}
