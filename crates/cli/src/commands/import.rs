//! `clusterlore import`

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use clusterlore_core::EmbedderIdentity;
use clusterlore_models::{EmbedError, Embedder, Purpose};
use clusterlore_pipeline::Header;

use crate::args::{EmbedderChoice, Import};
use crate::build;
use crate::done::Done;
use crate::print::{self, progress::Count};
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, flags: &Import) -> anyhow::Result<Done> {
    let input: Box<dyn BufRead + Send> = if flags.file == Path::new("-") {
        Box::new(std::io::BufReader::new(std::io::stdin()))
    } else {
        let file = std::fs::File::open(&flags.file).with_context(|| {
            format!("{} cannot be read; expected a file of \"clusterlore export\"", flags.file.display())
        })?;
        Box::new(std::io::BufReader::new(file))
    };
    let named = || flags.file.display().to_string();
    let import = clusterlore_pipeline::Import::begin(input).with_context(named)?;
    // Chosen before the store is made: without a key nothing is written.
    let embedder = embedder(settings, import.header()).await?;
    let store = build::store_for_writing(settings).await?;
    let count = Count::new("documents");
    let hear = |progress| count.hear(&progress);
    let imported = import.run(&*store, embedder.clone(), flags.replace_source, flags.lock_timeout, &hear).await;
    count.finish();
    let imported = imported.with_context(named)?;
    embedder.settled();
    print::note(&format!(
        "Imported {} documents into {}: {} stored ({} of them embedded again), {} unchanged.",
        imported.documents,
        store.place(),
        imported.stored,
        imported.embedded,
        imported.documents - imported.stored
    ));
    Ok(Done::Whole)
}

/// The embedder that was asked for, else that of the store, else that of the file. Where the file holds its vectors it need not be
/// at hand.
async fn embedder(settings: &Settings, header: &Header) -> anyhow::Result<Arc<dyn Embedder>> {
    let store = build::store_if_any(settings).await?;
    let recorded = match &store {
        Some(store) => build::recorded(&**store).await?,
        None => None,
    };
    let asked = settings.parsed("embedder", EmbedderChoice::read)?.map(|choice| choice.name());
    let wanted = asked.or_else(|| recorded.map(|known| known.name));
    match &header.vectors {
        Some(held) if wanted.is_none_or(|name| name == held.name) => Ok(Arc::new(Held(held.clone()))),
        _ => build::embedder_for_writing(settings, false, false).await,
    }
}

/// The embedder of vectors that lie in the file.
struct Held(EmbedderIdentity);

#[async_trait::async_trait]
impl Embedder for Held {
    fn identity(&self) -> EmbedderIdentity {
        self.0.clone()
    }

    async fn embed(&self, _: Purpose, _: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let problem = "the file holds vectors of other embedders too; name one with --embedder".to_owned();
        Err(EmbedError::Failed { name: self.0.name.clone(), problem })
    }
}
