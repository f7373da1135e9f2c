//! A corpus that has been indexed, and how its questions are answered under any weights.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result};
use clusterlore_catalogue::Catalogue;
use clusterlore_models::{Builtin, Embedder};
use clusterlore_pipeline::{CapabilityOptions, CapabilitySync, Inference, InstanceSync, Options};
use clusterlore_search::{Question, SearchError, Searcher, Weights};
use clusterlore_store::{Filter, Sqlite};

use crate::corpus::Corpus;
use crate::memo::{RememberingEmbedder, RememberingStore};
use crate::score::{self, Outcome};

/// Hits that are asked for: as many as any measure looks at.
const LIMIT: usize = 20;

/// All values of [`Weights`] in a row.
pub(crate) type Values = [f32; Weights::NAMES.len()];

/// An indexed corpus and who answers its questions.
pub(crate) struct Evaluation<'c> {
    pub(crate) corpus: &'c Corpus,
    _folder: tempfile::TempDir,
    store: RememberingStore,
    embedder: RememberingEmbedder,
    searcher: Searcher<'c>,
    /// What came of the weights that were tried.
    seen: HashMap<[u32; Weights::NAMES.len()], Rc<[Outcome]>>,
}

impl<'c> Evaluation<'c> {
    /// Indexes the corpus, types first, with what the catalogue knows.
    pub(crate) async fn of(corpus: &'c Corpus, catalogue: &'c Catalogue) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = Sqlite::open_or_create(&folder.path().join("index.db"))?;
        let embedder: Arc<dyn Embedder> = Arc::new(Builtin::default());
        let capabilities = CapabilitySync {
            source: Arc::clone(&corpus.source),
            store: Some(store.clone()),
            embedder: Arc::clone(&embedder),
            inference: Inference::Rules(Arc::new(catalogue.clone())),
            options: CapabilityOptions::default(),
        };
        capabilities.run(&|_| ()).await.with_context(|| format!("the types of {}", corpus.name))?;
        let instances = InstanceSync {
            source: Arc::clone(&corpus.source),
            store: Some(store.clone()),
            embedder: Arc::clone(&embedder),
            options: Options::default(),
        };
        instances.run(&|_| ()).await.with_context(|| format!("the objects of {}", corpus.name))?;
        Ok(Self {
            corpus,
            _folder: folder,
            store: RememberingStore::of(store),
            embedder: RememberingEmbedder::of(embedder),
            searcher: Searcher::new(catalogue),
            seen: HashMap::new(),
        })
    }

    /// How each question of the corpus is answered under these weights.
    pub(crate) async fn outcomes(&mut self, values: Values) -> Result<Rc<[Outcome]>> {
        let key = values.map(f32::to_bits);
        if let Some(seen) = self.seen.get(&key) {
            return Ok(Rc::clone(seen));
        }
        self.searcher.set_weights(Weights::of(values));
        let mut outcomes = Vec::new();
        for question in &self.corpus.questions {
            let asked = Question {
                text: question.text.clone(),
                target: question.target,
                filter: Filter::default(),
                limit: LIMIT,
                ..Question::default()
            };
            let hits = match self.searcher.search(&self.store, &self.embedder, &asked).await {
                Ok(answer) => answer.hits.into_iter().map(|hit| hit.id).collect(),
                Err(SearchError::NoQuestion) => Vec::new(),
                Err(e) => return Err(e).with_context(|| format!("question {} of {}", question.id, self.corpus.name)),
            };
            outcomes.push(score::outcome(question, &hits));
        }
        let outcomes: Rc<[Outcome]> = outcomes.into();
        self.seen.insert(key, Rc::clone(&outcomes));
        Ok(outcomes)
    }
}
