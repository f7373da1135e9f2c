//! A corpus that has been indexed, and how its questions are answered under any weights.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result};
use clusterlore_catalogue::Catalogue;
use clusterlore_core::Collection;
use clusterlore_models::{Builtin, Embedder};
use clusterlore_pipeline::{CapabilityOptions, CapabilitySync, Inference, InstanceSync, Options};
use clusterlore_search::{Answer, Query, SearchError, Searcher, Wanted, Weights};
use clusterlore_store::{Probe, Sqlite, Store, View as _};
use serde::Serialize;

use crate::asks::{Got, Seen};
use crate::corpus::{Corpus, Question};
use crate::memo::RememberingView;
use crate::object::NOW;
use crate::score::{self, Outcome};

/// Hits that are asked for: as many as any measure looks at.
const LIMIT: usize = 20;
/// Documents that are read at once.
const PAGE: usize = 1_000;

/// All values of [`Weights`] in a row.
pub(crate) type Values = [f32; Weights::NAMES.len()];

/// A document as the encoder reads it.
#[derive(Serialize)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) collection: Collection,
    pub(crate) text: String,
}

/// A candidate of a question, as the ranking sees it.
#[derive(Serialize)]
pub(crate) struct Scored {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) score: f32,
    pub(crate) features: BTreeMap<&'static str, f32>,
}

/// An indexed corpus and who answers its questions.
pub(crate) struct Evaluation<'c> {
    pub(crate) corpus: &'c Corpus,
    _folder: tempfile::TempDir,
    view: RememberingView,
    embedder: Builtin,
    searcher: Searcher,
    /// What came of the weights that were tried.
    seen: HashMap<[u32; Weights::NAMES.len()], Rc<[Outcome]>>,
}

impl<'c> Evaluation<'c> {
    /// Indexes the corpus, types first, with what the catalogue knows.
    pub(crate) async fn of(corpus: &'c Corpus, catalogue: &'c Catalogue) -> Result<Self> {
        Self::indexed(corpus, catalogue, true).await
    }

    /// One of each corpus.
    pub(crate) async fn of_all(corpora: &'c [Corpus]) -> Result<Vec<Self>> {
        let mut evaluations = Vec::new();
        for corpus in corpora {
            evaluations.push(Self::of(corpus, Catalogue::builtin()).await?);
        }
        Ok(evaluations)
    }

    /// Indexes objects alone, so that nothing is known of what types are for. Types cannot be asked for then.
    pub(crate) async fn without_capabilities(corpus: &'c Corpus, catalogue: &'c Catalogue) -> Result<Self> {
        Self::indexed(corpus, catalogue, false).await
    }

    async fn indexed(corpus: &'c Corpus, catalogue: &'c Catalogue, with_capabilities: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = Sqlite::open_or_create(&folder.path().join("index.db"))?;
        let builtin = corpus.encoder.clone().map_or_else(Builtin::default, Builtin::of);
        let embedder: Arc<dyn Embedder> = Arc::new(builtin.clone());
        let capabilities = CapabilitySync {
            source: Arc::clone(&corpus.source),
            store: Some(Arc::new(store.clone())),
            embedder: Arc::clone(&embedder),
            inference: Inference::Rules(Arc::new(catalogue.clone())),
            options: CapabilityOptions::default(),
        };
        if with_capabilities {
            capabilities.run(&|_| ()).await.with_context(|| format!("the types of {}", corpus.name))?;
        }
        let instances = InstanceSync {
            source: Arc::clone(&corpus.source),
            store: Some(Arc::new(store.clone())),
            embedder: Arc::clone(&embedder),
            options: Options::default(),
        };
        instances.run(&|_| ()).await.with_context(|| format!("the objects of {}", corpus.name))?;
        Ok(Self {
            corpus,
            _folder: folder,
            view: RememberingView::of(store.view_all("an evaluation asks of everything").await?),
            embedder: builtin.clone(),
            searcher: Searcher::new(catalogue.clone()).with_encoder(builtin),
            seen: HashMap::new(),
        })
    }

    /// The weights that are built in.
    pub(crate) fn weights(&self) -> Values {
        Weights::default().values()
    }

    /// How each question of the corpus is answered under these weights.
    pub(crate) async fn outcomes(&mut self, values: Values) -> Result<Rc<[Outcome]>> {
        let key = values.map(f32::to_bits);
        if let Some(seen) = self.seen.get(&key) {
            return Ok(Rc::clone(seen));
        }
        let texts: Vec<&str> = self.corpus.questions.iter().map(|q| q.text.as_str()).collect();
        let outcomes: Rc<[Outcome]> = self.outcomes_of(values, &texts).await?.into();
        self.seen.insert(key, Rc::clone(&outcomes));
        Ok(outcomes)
    }

    /// The same where each question is asked in these words instead of its own.
    pub(crate) async fn outcomes_of(&mut self, values: Values, texts: &[&str]) -> Result<Vec<Outcome>> {
        self.searcher.set_weights(Weights::of(values));
        let mut outcomes = Vec::new();
        for (question, text) in self.corpus.questions.iter().zip(texts) {
            outcomes.push(self.outcome_of(question, text).await?);
        }
        Ok(outcomes)
    }

    /// How one question is answered in these words, under the weights that were tried last.
    pub(crate) async fn outcome_of(&self, question: &Question, text: &str) -> Result<Outcome> {
        let number = if question.count.is_some() { Wanted::IfAsked } else { Wanted::Never };
        let asked = Query { number, ..asked(question, text) };
        let (hits, number, told) = match self.searcher.answer(&self.view, &self.embedder, &asked).await {
            Ok(Answer { hits, number, parsed, .. }) => (hits, number, parsed.needs),
            Err(SearchError::NoQuestion) => (Vec::new(), None, Vec::new()),
            Err(e) => return Err(e).with_context(|| format!("question {} of {}", question.id, self.corpus.name)),
        };
        let hits: Vec<String> = hits.into_iter().map(|hit| hit.id).collect();
        let number = question.count.map(|right| (number, right));
        let is_needed = |what: &str| question.needs.iter().any(|need| need == what);
        let needs = (!question.needs.is_empty()).then(|| told.iter().any(|need| is_needed(need.what.name())));
        Ok(Outcome { number, needs, told: !told.is_empty(), ..score::outcome(question, &hits) })
    }

    /// Ids of the documents that meet the conditions that are read from a question.
    pub(crate) async fn admitted(&self, question: &Question) -> Result<HashSet<String>> {
        let asked = asked(question, &question.text);
        let parsed = match self.searcher.scored(&self.view, &self.embedder, &asked).await {
            Err(SearchError::NoQuestion) => return Ok(HashSet::new()),
            found => found?.0,
        };
        if parsed.problem.is_some() {
            return Ok(HashSet::new());
        }
        let whole = Probe { filter: parsed.filter, nearest: usize::MAX, ..Probe::default() };
        let found = self.view.probe(question.collection, whole).await?;
        Ok(found.documents.into_iter().map(|c| c.id.clone()).collect())
    }

    /// All documents, with the texts that the encoder reads. A type goes by its name, as in answers.
    pub(crate) async fn documents(&self) -> Result<Vec<Document>> {
        let mut documents = Vec::new();
        for collection in Collection::ALL {
            let mut after = None;
            loop {
                let page = self.view.page(collection, after.as_deref(), PAGE, false).await?;
                documents.extend(page.documents.into_iter().filter_map(|stored| {
                    let text = self.searcher.encoded_text(collection, &stored.record)?;
                    Some(Document { id: stored.id, collection, text })
                }));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(documents)
    }

    /// The free text of a question, if anything can match, and its candidates.
    pub(crate) async fn scored(&mut self, question: &Question) -> Result<(Option<String>, Vec<Scored>)> {
        let asked = asked(question, &question.text);
        let (parsed, scored) = match self.searcher.scored(&self.view, &self.embedder, &asked).await {
            Err(SearchError::NoQuestion) => return Ok((None, Vec::new())),
            found => found?,
        };
        let text = parsed.problem.is_none().then_some(parsed.text);
        let scored = scored.into_iter().map(|s| {
            let features = s.features.by_name();
            Scored { id: s.id, type_name: s.type_name, score: s.score, features }
        });
        Ok((text, scored.collect()))
    }

    /// What a question asks that metadata cannot say, by name, with the words that ask it.
    /// And the number, if one is given.
    pub(crate) async fn needs(&mut self, question: &Question) -> Result<(Vec<(&'static str, String)>, Option<usize>)> {
        let asked = Query { number: Wanted::IfAsked, ..asked(question, &question.text) };
        match self.searcher.answer(&self.view, &self.embedder, &asked).await {
            Err(SearchError::NoQuestion) => Ok((Vec::new(), None)),
            found => {
                let Answer { parsed, number, .. } = found?;
                Ok((parsed.needs.into_iter().map(|need| (need.what.name(), need.said)).collect(), number))
            }
        }
    }

    /// What was taken for misspelt in these words of a question, as something to put behind them.
    pub(crate) async fn corrected(&mut self, question: &Question, text: &str) -> Result<String> {
        let asked = Query { text: text.to_owned(), collection: question.collection, limit: 1, ..Query::default() };
        let answer = self.searcher.answer(&self.view, &self.embedder, &asked).await?;
        let corrections = answer.parsed.corrections().map(|(typed, meant)| format!(" [{typed}: {meant}]"));
        Ok(corrections.collect())
    }

    /// What comes of a question of which more than the hits counts, with the weights that are built in.
    pub(crate) async fn got(&mut self, text: &str, limit: usize) -> Result<Got> {
        self.searcher.set_weights(Weights::default());
        let (now, number) = (NOW.to_owned(), Wanted::IfAsked);
        let asked = Query { text: text.to_owned(), limit, now, number, ..Query::default() };
        let answer = self.searcher.answer(&self.view, &self.embedder, &asked).await?;
        let hits = answer.hits.into_iter().map(|hit| Seen { id: hit.id, elsewhere: hit.elsewhere });
        Ok(Got { hits: hits.collect(), total: answer.number, groups: answer.groups })
    }
}

fn asked(question: &Question, text: &str) -> Query {
    Query { text: text.to_owned(), collection: question.collection, limit: LIMIT, ..Query::default() }
}

/// Runs on this thread alone, so that several evaluations can stand side by side.
pub(crate) fn wait<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("the system gives no threads; close other programs and try again")?.block_on(future)
}
