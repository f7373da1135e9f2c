//! Capability sync: what resource types are for becomes documents.

mod concepts;
mod knowledge;
mod model;
mod rules;

use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clusterlore_cluster::{ClusterSource, Discovery, SchemaRead};
use clusterlore_core::{
    Capability, Change, Collection, Document, ObjectKey, ResourceType, SourceIdentity, SyncPlan, TypeFilter, TypeSchema,
};
use clusterlore_models::{Embedder, Metered, ModelError};
use clusterlore_store::{Batch, Reading, RunKind, Spool, Store};

use crate::error::SyncError;
use crate::progress::{ModelUse, Observer, Outcome, Progress, Seconds, SkippedType, Summary};
use crate::run::{Run, RunOptions, patterns};
use crate::{checks, types, waiting, writer};

use model::{Nothing, Told};

pub use knowledge::{Knowledge, KnownGroup, KnownKind, Unknowing};
pub use rules::infer;

/// Who says what a type is for.
#[derive(Clone)]
pub enum Inference {
    /// Rules over the schema, and what is known of groups and kinds.
    Rules(Arc<dyn Knowledge>),
    /// A language model. Its answers are kept: an unchanged type is not asked about again.
    Model {
        /// Who is asked.
        model: Arc<Metered>,
        /// Rules for types that have no answer and no capability yet.
        otherwise: Arc<dyn Knowledge>,
    },
}

impl Inference {
    /// Rules that know what the binary knows.
    pub fn builtin() -> Self {
        Self::Rules(Arc::new(clusterlore_catalogue::Catalogue::builtin().clone()))
    }
}

/// What the user chose.
#[derive(Debug, Clone, Default)]
pub struct CapabilityOptions {
    /// Which types are read.
    pub filter: TypeFilter,
    /// When not empty, only these types, each as `plural.group`, whatever the filter says.
    pub only: Vec<String>,
    /// Name of the cluster; `None` for the unnamed one.
    pub cluster: Option<String>,
    /// Write nothing, embed nothing, ask no model.
    pub dry_run: bool,
    /// Take the place of the source that filled the index.
    pub replace_source: bool,
    /// Embed everything again, with another embedder.
    pub reindex: bool,
    /// How long to wait for another run that writes.
    pub lock_timeout: Duration,
}

/// One run of `sync`.
pub struct CapabilitySync {
    /// Where types and schemas come from.
    pub source: Arc<dyn ClusterSource>,
    /// Where documents go; `None` where there is no store yet and none is to be made (a dry run).
    pub store: Option<Arc<dyn Store>>,
    /// What makes vectors.
    pub embedder: Arc<dyn Embedder>,
    /// Who says what a type is for.
    pub inference: Inference,
    /// What the user chose.
    pub options: CapabilityOptions,
}

/// Schemas of the chosen types.
#[derive(Default)]
struct SchemasRead {
    of: HashMap<String, TypeSchema>,
    /// To be remembered: type, revision, schema.
    new: Vec<(String, String, TypeSchema)>,
    failed: BTreeMap<String, String>,
    read: usize,
    unchanged: usize,
}

/// What was inferred and waits to be written.
struct InferredTypes {
    spool: Spool,
    skipped: Vec<SkippedType>,
}

impl CapabilitySync {
    /// Runs from discovery to the last delete and tells `observer` on the way.
    ///
    /// # Errors
    /// See [`SyncError`]; nothing was deleted then.
    #[tracing::instrument(name = "pipeline.capabilities", skip_all)]
    pub fn run<'f>(&'f self, observer: &'f Observer<'f>) -> BoxFuture<'f, Result<Outcome, SyncError>> {
        Box::pin(async move {
            let (store, patience) =
                (self.store.as_deref().filter(|_| !self.options.dry_run), self.options.lock_timeout);
            let run = self.run_locked(observer);
            waiting::under_lock(store, self.cluster(), RunKind::Capabilities, patience, observer, run).await
        })
    }

    /// As [`Self::run`], for a caller that holds the lock.
    pub(crate) async fn run_locked(&self, observer: &Observer<'_>) -> Result<Outcome, SyncError> {
        let options = RunOptions {
            kind: RunKind::Capabilities,
            cluster: self.cluster(),
            dry_run: self.options.dry_run,
            replace_source: self.options.replace_source,
            reindex: self.options.reindex,
            reading: Reading {
                include: match &self.options.only[..] {
                    [] => patterns(&self.options.filter.include),
                    only => only.to_vec(),
                },
                exclude: patterns(&self.options.filter.exclude),
                by_model: matches!(self.inference, Inference::Model { .. }),
                ..Reading::default()
            },
        };
        let mut run = Run::begin(options, &*self.source, self.store.as_ref(), &*self.embedder).await?;
        let (discovery, chosen) = run.discover(&*self.source, observer, |found| self.chosen(found)).await?;
        let mut ids = Vec::new();
        let mut plan = run.known(Collection::Capabilities, |key, id| ids.push((key, id.to_owned()))).await?;
        let discovered_in = run.elapsed();
        let source = run.note().await?;

        let schemas = self.read_schemas(&chosen, run.identity(), observer).await?;
        let read_in = run.elapsed();
        let inferred = self.infer(&chosen, &schemas, &mut plan, observer).await?;
        let inferred_in = run.elapsed();

        let is_gone = |name: &str, discovery: &Discovery| self.is_gone(name, discovery);
        let removals = types::gone(&plan, &discovery, &*self.source, &is_gone).await?;
        let (discovered, stored) = (plan.seen(), inferred.spool.len());
        let mut summary = Summary {
            discovered,
            stored,
            unchanged: discovered.saturating_sub(stored),
            deleted: removals.len(),
            skipped: inferred.skipped,
            model: match &self.inference {
                Inference::Model { model, .. } if !self.options.dry_run => Some(ModelUse::of(model)),
                _ => None,
            },
            seconds: Seconds {
                discover: discovered_in.as_secs_f64(),
                list: (read_in - discovered_in).as_secs_f64(),
                infer: Some((inferred_in - read_in).as_secs_f64()),
                ..Seconds::default()
            },
        };
        observer(Progress::Inferred(summary.discovered));
        match run.writing() {
            None => {
                for document in inferred.spool.into_documents()? {
                    observer(Progress::WouldStore(document?.0.id));
                }
                let gone = ids.into_iter().filter(|(key, _)| removals.contains(key));
                gone.for_each(|(_, id)| observer(Progress::WouldDelete(id)));
            }
            Some(store) => {
                let storing = Instant::now();
                store.open_collection(Collection::Capabilities, &self.embedder.identity()).await?;
                observer(Progress::StoringCapabilities(summary.stored));
                let told = |n| observer(Progress::Stored(n));
                let embedder = Arc::clone(&self.embedder);
                let written =
                    writer::write(inferred.spool, embedder, store, Collection::Capabilities, source, told).await?;
                self.remember(store, &discovery, &schemas).await?;
                // Deletes come last: whatever happens before leaves too much rather than too little.
                if !removals.is_empty() {
                    let deletes = removals.into_iter().collect();
                    store.apply(Collection::Capabilities, Batch::deleting(self.cluster(), deletes)).await?;
                }
                observer(Progress::CapabilitiesStored(summary.stored));
                summary.seconds.embed = written.embedding.as_secs_f64();
                summary.seconds.store = storing.elapsed().as_secs_f64();
            }
        }
        run.finish(summary).await
    }

    fn cluster(&self) -> &str {
        self.options.cluster.as_deref().unwrap_or_default()
    }

    /// The types that are read: those that can be got, and that the user wants.
    fn chosen(&self, discovery: &Discovery) -> Result<Vec<ResourceType>, SyncError> {
        let wanted: BTreeSet<String> = self.options.only.iter().map(|name| name.to_ascii_lowercase()).collect();
        let served: BTreeSet<String> = discovery.types.iter().map(ResourceType::name).collect();
        if let Some(unknown) = wanted.iter().find(|name| !served.contains(*name)) {
            return Err(SyncError::UnknownType(unknown.clone()));
        }
        let by_name = |ty: &ResourceType| wanted.contains(&ty.name());
        let by_filter = |ty: &ResourceType| wanted.is_empty() && ty.allows("get") && self.options.filter.chooses(ty);
        let chosen: Vec<ResourceType> =
            discovery.types.iter().filter(|ty| by_name(ty) || by_filter(ty)).cloned().collect();
        Ok(chosen)
    }

    /// Whether a type is gone, whose group was read whole: it is not served, and this run looked for it. One that is served and
    /// was not chosen keeps whatever document it has.
    fn is_gone(&self, name: &str, discovery: &Discovery) -> bool {
        let plural = name.split('.').next().unwrap_or_default().to_owned();
        let ty = ResourceType { plural, group: ResourceType::group_of(name).to_owned(), ..ResourceType::default() };
        let looked_for = self.options.only.is_empty() && self.options.filter.chooses(&ty);
        looked_for && !discovery.types.iter().any(|t| t.name() == name)
    }

    /// What is known of the chosen types' schemas: read where they changed.
    async fn read_schemas(
        &self,
        chosen: &[ResourceType],
        source: &SourceIdentity,
        observer: &Observer<'_>,
    ) -> Result<SchemasRead, SyncError> {
        observer(Progress::ReadingSchemas(chosen.len()));
        let mut known = match &self.store {
            Some(store) => store.schemas(self.cluster()).await?,
            None => HashMap::new(),
        };
        let revisions = known.iter().map(|(name, (revision, _))| (name.clone(), revision.clone())).collect();
        let answer = self.source.schemas(chosen, &revisions).await?;
        answer.warnings.iter().for_each(|w| observer(Progress::Warning(w.0.clone())));
        let mut schemas = SchemasRead::default();
        let mut read = answer.types;
        for ty in chosen {
            let name = ty.name();
            let held = known.remove(&name);
            match read.remove(&name) {
                Some(SchemaRead::Failed(reason)) => {
                    schemas.failed.insert(name, reason);
                }
                Some(SchemaRead::New { schema, revision }) => {
                    schemas.read += 1;
                    if held.as_ref() != Some(&(revision.clone(), schema.clone())) {
                        schemas.new.push((name.clone(), revision, schema.clone()));
                    }
                    schemas.of.insert(name, schema);
                }
                // What may no longer be read is not forgotten.
                unchanged => {
                    schemas.unchanged += usize::from(unchanged.is_some());
                    schemas.of.extend(held.map(|(_, schema)| (name, schema)));
                }
            }
        }
        if schemas.failed.len() == chosen.len()
            && let Some((name, reason)) = schemas.failed.first_key_value()
        {
            return Err(SyncError::NoSchemas { types: chosen.len(), first: format!("{name}: {reason}") });
        }
        // Manifests bring schemas of custom types only, and may have none.
        let is_cluster = !matches!(source, SourceIdentity::Folder { .. });
        if is_cluster && answer.warnings.is_empty() && !chosen.is_empty() && schemas.of.is_empty() {
            let what = "no schema could be read; types are described by their names alone";
            observer(Progress::Warning(what.to_owned()));
        }
        observer(Progress::SchemasRead { read: schemas.read, unchanged: schemas.unchanged });
        Ok(schemas)
    }

    /// Infers what each type is for and compares it with the plan; what changed waits in the spool.
    async fn infer(
        &self,
        chosen: &[ResourceType],
        schemas: &SchemasRead,
        plan: &mut SyncPlan,
        observer: &Observer<'_>,
    ) -> Result<InferredTypes, SyncError> {
        let mut inferred = InferredTypes { spool: Spool::new()?, skipped: Vec::new() };
        let nothing = TypeSchema::default();
        let schema = |name: &str| schemas.of.get(name).unwrap_or(&nothing);
        let mut told = HashMap::new();
        let mut described = HashSet::new();
        if let Inference::Model { model, .. } = &self.inference {
            let types: Vec<_> = chosen
                .iter()
                .enumerate()
                .filter(|(_, ty)| !schemas.failed.contains_key(&ty.name()))
                .map(|(index, ty)| (index + 1, ty, schema(&ty.name())))
                .collect();
            let store = self.store.as_deref();
            told = model::ask(&**model, &types, chosen.len(), store, self.options.dry_run, observer).await?;
            described = self.described(chosen, &told).await?;
        }
        for (index, ty) in chosen.iter().enumerate() {
            let type_name = ty.name();
            let mut skip = |reason: String, model: Option<ModelError>| {
                let type_name = type_name.clone();
                inferred.skipped.push(SkippedType { type_name, reason, model, ..SkippedType::default() });
            };
            if let Some(reason) = schemas.failed.get(&type_name) {
                skip(format!("its schema could not be read: {reason}"), None);
                continue;
            }
            let schema = schema(&type_name);
            let cluster = self.options.cluster.as_deref();
            let capability = match &self.inference {
                Inference::Rules(knowledge) => {
                    observer(Progress::Inferring { number: index + 1, of: chosen.len(), type_name: type_name.clone() });
                    Some(infer(ty, schema, &**knowledge))
                }
                Inference::Model { otherwise, .. } => match told.remove(&type_name) {
                    Some(Told::Known(capability)) => Some(*capability),
                    Some(Told::Nothing(Nothing { reason, error })) if described.contains(&type_name) => {
                        skip(reason, error);
                        continue;
                    }
                    Some(Told::Nothing(Nothing { reason, error })) => {
                        skip(format!("{reason}; described by rules for now"), error);
                        Some(infer(ty, schema, &**otherwise))
                    }
                    Some(Told::NotAsked) | None => None,
                },
            };
            let document = capability.map_or_else(
                || Document::of_type(ty, cluster),
                |c: Capability| Document::of_capability(&c, ty, cluster),
            );
            match plan.observe(&document) {
                Change::Unchanged => {}
                change => inferred.spool.put(&document, change != Change::Rest)?,
            }
        }
        Ok(inferred)
    }

    /// Those types without an answer whose document says already what they are for.
    async fn described(
        &self,
        chosen: &[ResourceType],
        told: &HashMap<String, Told>,
    ) -> Result<HashSet<String>, SyncError> {
        let without = |ty: &&ResourceType| matches!(told.get(&ty.name()), Some(Told::Nothing(_)));
        let cluster = self.options.cluster.as_deref();
        let keys: Vec<(ObjectKey, String)> =
            chosen.iter().filter(without).map(|ty| (Document::of_type(ty, cluster).key, ty.name())).collect();
        // What another source wrote goes with it.
        let Some(store) = self.store.as_ref().filter(|_| !keys.is_empty() && !self.options.replace_source) else {
            return Ok(HashSet::new());
        };
        let all: Vec<ObjectKey> = keys.iter().map(|(key, _)| *key).collect();
        let records = checks::everything(&**store).await?.records(Collection::Capabilities, &all).await?;
        let describes =
            |key: &ObjectKey| records.get(key).is_some_and(|record| Capability::from_record(record).is_some());
        Ok(keys.into_iter().filter(|(key, _)| describes(key)).map(|(_, name)| name).collect())
    }

    /// Types and schemas, for the next run.
    async fn remember(&self, store: &dyn Store, discovery: &Discovery, schemas: &SchemasRead) -> Result<(), SyncError> {
        let described = discovery.types.iter().map(|ty| {
            let description = schemas.of.get(&ty.name()).map(|s| s.description.clone()).unwrap_or_default();
            ResourceType { description, ..ty.clone() }
        });
        types::remember_described(store, self.cluster(), described.collect(), discovery).await?;
        let served: BTreeSet<String> = discovery.types.iter().map(ResourceType::name).collect();
        let known = store.schemas(self.cluster()).await?;
        let gone = |name: &String| {
            let group = name.split_once('.').map_or("", |(_, group)| group);
            !served.contains(name) && !discovery.is_incomplete(group)
        };
        let forgotten: Vec<String> = known.into_keys().filter(gone).collect();
        if !schemas.new.is_empty() || !forgotten.is_empty() {
            store.remember_schemas(self.cluster(), &schemas.new, &forgotten).await?;
        }
        Ok(())
    }
}
