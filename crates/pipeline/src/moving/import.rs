//! From lines into a store. What is there already is left alone, so that an import that was cut off goes on where it stopped.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, Read};
use std::sync::Arc;
use std::time::Duration;

use clusterlore_core::{
    Capability, Collection, ContentHash, Document, EmbedderIdentity, ObjectKey, ResourceInstance, ResourceType,
};
use clusterlore_models::{Embedder, Purpose};
use clusterlore_store::{Batch, KnownSource, Readings, RunKind, Scanned, Store, Upsert};

use super::error::MoveError;
use super::line::{End, Header, KnownType, Line, Moved, Section, VERSION};
use crate::error::SyncError;
use crate::progress::{Observer, Progress};
use crate::run::Record;
use crate::{checks, waiting};

/// Documents of one transaction, and bytes of their lines.
const BATCH: usize = 1_000;
const BATCH_BYTES: usize = 32 << 20;
/// Bytes of a line: an object has 1.5 MB at most, and JSON may write a byte as six.
const LONGEST_LINE: usize = 16 << 20;
/// Characters of what is wrong with a line: it may be quoted.
const SHOWN: usize = 200;

/// What an import came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Documents in the file.
    pub documents: usize,
    /// Of these, written.
    pub stored: usize,
    /// Of these, embedded anew: the file held no vector of this embedder.
    pub embedded: usize,
}

/// An import, with its first line read.
pub struct Import<R> {
    input: R,
    line: usize,
    /// Of the last line.
    bytes: usize,
    header: Header,
}

/// A document with the vector that the file holds of it.
type Waiting = (Document, Option<Vec<f32>>);

/// What is known of the file so far.
#[derive(Default)]
struct State {
    /// Number of each source in the store, by its number in the file.
    sources: HashMap<i64, i64>,
    /// Cluster of each source that another one replaced, by its number in the file.
    replaced: HashMap<i64, String>,
    /// Number in the store of the source that fills a cluster now.
    present: HashMap<String, i64>,
    clusters: BTreeSet<String>,
    /// How each source was read, by its number in the store.
    readings: Vec<(i64, Readings)>,
    types: BTreeMap<String, Vec<ResourceType>>,
    collection: Option<(Collection, EmbedderIdentity)>,
    /// What the store holds of the collection.
    held: HashMap<ObjectKey, ContentHash>,
    /// Documents that wait for their batch, by number of their source; and bytes of their lines.
    waiting: BTreeMap<i64, Vec<Waiting>>,
    bytes: usize,
    imported: Imported,
}

impl<R: BufRead + Send> Import<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// It is none of an export, or of a newer one.
    pub fn begin(input: R) -> Result<Self, MoveError> {
        let mut import = Self { input, line: 0, bytes: 0, header: Header { version: 0, vectors: None } };
        match import.next()? {
            Some(Line::Header(header)) if header.version <= VERSION => import.header = header,
            Some(Line::Header(header)) => {
                let problem =
                    format!("it was written by a newer clusterlore (version {} of its lines)", header.version);
                return Err(import.wrong(problem));
            }
            _ => return Err(import.wrong("the file is empty or not an export".to_owned())),
        }
        Ok(import)
    }

    /// What the first line says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Writes all that the file holds. `replace` lets its sources take the place of others of the same name. Another run that writes is
    /// waited for, `lock_timeout` at most. `observer` hears how many documents were read.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn run(
        self,
        store: &dyn Store,
        embedder: Arc<dyn Embedder>,
        replace: bool,
        lock_timeout: Duration,
        observer: &Observer<'_>,
    ) -> Result<Imported, MoveError> {
        let run = self.run_locked(store, embedder, replace, observer);
        waiting::under_lock(Some(store), "", RunKind::Import, lock_timeout, observer, run).await
    }

    async fn run_locked(
        mut self,
        store: &dyn Store,
        embedder: Arc<dyn Embedder>,
        replace: bool,
        observer: &Observer<'_>,
    ) -> Result<Imported, MoveError> {
        // A store may have work to do when a run ends.
        let record = Record::begin(store, RunKind::Import, "").await?;
        let mut state = State { clusters: [String::new()].into(), ..State::default() };
        let end = loop {
            let Some(line) = self.next()? else {
                self.write(store, &embedder, &mut state).await?;
                return Err(MoveError::CutOff { line: self.line, documents: state.imported.documents });
            };
            match line {
                Line::Header(_) => return Err(self.wrong("a second header".to_owned())),
                Line::Source(source) => remember_source(store, source, replace, &mut state).await?,
                Line::Type(KnownType { cluster, ty }) => state.types.entry(cluster).or_default().push(ty),
                Line::Answer(answer) => store.remember_answer(&answer.key, &answer.answer).await?,
                Line::Collection(section) => {
                    self.write(store, &embedder, &mut state).await?;
                    self.open(store, &embedder, section, &mut state).await?;
                }
                Line::Document(moved) => {
                    self.take(moved, &embedder, &mut state)?;
                    let waiting: usize = state.waiting.values().map(Vec::len).sum();
                    state.bytes = if waiting == 0 { 0 } else { state.bytes + self.bytes };
                    if waiting >= BATCH || state.bytes >= BATCH_BYTES {
                        self.write(store, &embedder, &mut state).await?;
                    }
                    observer(Progress::Stored(state.imported.documents));
                }
                Line::End(end) => break end,
            }
        };
        self.write(store, &embedder, &mut state).await?;
        let State { imported, types, readings, .. } = state;
        if let End { documents } = end
            && documents != imported.documents
        {
            return Err(self.wrong(format!(
                "the last line promises {documents} documents, but the file holds {}",
                imported.documents
            )));
        }
        for (cluster, types) in types {
            remember_types(store, &cluster, types).await?;
        }
        for (source, readings) in readings {
            store.remember_readings(source, &readings).await?;
        }
        let Imported { documents, stored, .. } = imported;
        let summary = serde_json::json!({"discovered": documents, "stored": stored, "unchanged": documents - stored});
        record.finish(summary).await?;
        Ok(imported)
    }

    async fn open(
        &self,
        store: &dyn Store,
        embedder: &Arc<dyn Embedder>,
        section: Section,
        state: &mut State,
    ) -> Result<(), MoveError> {
        let collection: Collection =
            section.name.parse().map_err(|_| self.wrong(format!("there is no collection {:?}", section.name)))?;
        store.open_collection(collection, &embedder.identity()).await?;
        state.held.clear();
        let view = checks::everything_now(store).await?;
        for cluster in &state.clusters {
            let mut hold = |s: Scanned<'_>| {
                state.held.insert(s.key, s.hash);
            };
            view.scan(collection, cluster, &mut hold).await?;
        }
        state.collection = Some((collection, section.embedder));
        Ok(())
    }

    /// A document is made again of its record: ids, texts and words are those of this program, whoever wrote the file.
    fn take(&self, moved: Moved, embedder: &Arc<dyn Embedder>, state: &mut State) -> Result<(), MoveError> {
        let Some((collection, filled_by)) = &state.collection else {
            return Err(self.wrong("a document comes before its collection".to_owned()));
        };
        let Moved { id, type_name, source, record, vector } = moved;
        let document = match collection {
            Collection::Instances => {
                serde_json::from_value::<ResourceInstance>(record).map(|i| Document::of_instance(&i, &type_name))
            }
            Collection::Capabilities => {
                let capability = Capability::from_record(&record.to_string());
                let name = id.strip_suffix(&type_name).and_then(|rest| rest.strip_suffix(':')).map(str::to_owned);
                serde_json::from_value::<ResourceType>(record).map(|ty| match &capability {
                    Some(capability) => Document::of_capability(capability, &ty, name.as_deref()),
                    None => Document::of_type(&ty, name.as_deref()),
                })
            }
        };
        let mut document = document.map_err(|e| self.wrong(format!("the record of {id:?} cannot be read: {e}")))?;
        state.imported.documents += 1;
        if state.held.get(&document.key) == Some(&document.hash) {
            return Ok(());
        }
        let ours = embedder.identity();
        let usable = |v: &Vec<f32>| v.len() == ours.dimensions && v.iter().all(|x| x.is_finite());
        let mut vector = vector.filter(|v| *filled_by == ours && usable(v));
        if vector.is_none() && self.header.vectors.as_ref() == Some(&ours) {
            // It waited for its vector where it came from and waits here too: the next sync embeds it.
            document.hash = ContentHash::from_bytes([0; 16]);
            vector = Some(vec![0.0; ours.dimensions]);
        }
        // What a replaced source wrote is the present one's to remove. What a source wrote that the file does not name is nobody's.
        let heir = || state.present.get(state.replaced.get(&source)?);
        let source = state.sources.get(&source).or_else(heir).copied().unwrap_or(0);
        state.waiting.entry(source).or_default().push((document, vector));
        Ok(())
    }

    async fn write(&self, store: &dyn Store, embedder: &Arc<dyn Embedder>, state: &mut State) -> Result<(), MoveError> {
        let Some((collection, _)) = &state.collection else { return Ok(()) };
        state.bytes = 0;
        for (source, documents) in std::mem::take(&mut state.waiting) {
            let missing: Vec<String> =
                documents.iter().filter(|(_, v)| v.is_none()).map(|(d, _)| d.text.clone()).collect();
            let embedded = missing.len();
            let mut made = match missing.is_empty() {
                true => Vec::new(),
                false => embedder.embed(Purpose::Document, missing).await?,
            }
            .into_iter();
            let upserts: Vec<Upsert> = documents
                .into_iter()
                .map(|(document, vector)| Upsert { document, vector: vector.or_else(|| made.next()) })
                .collect();
            let stored = upserts.len();
            store.apply(*collection, Batch::writing(source, upserts)).await?;
            state.imported.stored += stored;
            state.imported.embedded += embedded;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Line>, MoveError> {
        let mut text = String::new();
        while text.trim().is_empty() {
            text.clear();
            match (&mut self.input).take(LONGEST_LINE as u64 + 1).read_line(&mut text) {
                Ok(0) => return Ok(None),
                Ok(bytes) => {
                    self.line += 1;
                    self.bytes = bytes;
                    if bytes > LONGEST_LINE {
                        return Err(self.wrong(format!("it has more than {LONGEST_LINE} bytes")));
                    }
                }
                Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
                    self.line += 1;
                    return Err(self.wrong("it is not UTF-8 text".to_owned()));
                }
                Err(e) => return Err(e.into()),
            }
        }
        // A line without its end was cut off, unless it is the last one.
        match serde_json::from_str(&text) {
            Ok(line) => Ok(Some(line)),
            Err(e) if e.is_eof() && !text.ends_with('\n') && self.line > 1 => Ok(None),
            Err(e) if e.is_syntax() || e.is_eof() => Err(self.wrong(format!("not valid JSON (column {})", e.column()))),
            Err(e) => Err(self.wrong(e.to_string())),
        }
    }

    fn wrong(&self, problem: String) -> MoveError {
        let problem = clusterlore_core::words::one_line(&problem).chars().take(SHOWN).collect();
        MoveError::Line { line: self.line, problem }
    }
}

async fn remember_source(
    store: &dyn Store,
    source: KnownSource,
    replace: bool,
    state: &mut State,
) -> Result<(), MoveError> {
    state.clusters.insert(source.cluster.clone());
    if source.replaced {
        state.replaced.insert(source.number, source.cluster);
        return Ok(());
    }
    let known = match checks::source(Some(store), &source.cluster, &source.identity.clone().into(), replace).await {
        Ok(known) => known,
        Err(SyncError::Source(mismatch)) => return Err(mismatch.into()),
        Err(SyncError::Store(e)) => return Err(e.into()),
        Err(other) => return Err(std::io::Error::other(other.to_string()).into()),
    };
    let number = store.remember_source(&source.cluster, &source.identity, replace).await?;
    if !source.name.is_empty() && known.iter().all(|known| known.number != number || known.name.is_empty()) {
        store.name_source(number, &source.name).await?;
    }
    // An index is as old as what it was made of, wherever it is moved to.
    state.readings.push((number, source.readings));
    state.sources.insert(source.number, number);
    state.present.insert(source.cluster, number);
    Ok(())
}

/// Types that the store knew and the file does not stay.
async fn remember_types(store: &dyn Store, cluster: &str, types: Vec<ResourceType>) -> Result<(), MoveError> {
    let named: BTreeSet<String> = types.iter().map(ResourceType::name).collect();
    let known = checks::everything(store).await?.types().await?;
    let others = known.iter().filter(|(c, ty)| c == cluster && !named.contains(&ty.name())).map(|(_, ty)| ty.clone());
    let all: Vec<ResourceType> = others.chain(types).collect();
    Ok(store.remember_types(cluster, &all).await?)
}
