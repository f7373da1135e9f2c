//! What only a cluster knows, read when a question asks for it: the tables that its API server prints, with the caller's rights, within a
//! second. Only the cluster that filled the index is asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_cluster::tables::{NotRead, Objects, Row, TableLimits, TypeTable, Wanted};
use clusterlore_cluster::{ClusterSource, LiveSource};
use clusterlore_core::conditions::{Finding, LiveCondition, Verdict};
use clusterlore_core::{ResourceType, Scope, SourceIdentity};
use clusterlore_search::{Judge, Judgement, Reached, Unindexed};
use clusterlore_store::{Filter, KnownSource};
use tokio::time::{Instant, timeout_at};

/// For everything that is read of a cluster for one question.
const TIME: Duration = Duration::from_secs(1);
/// How long a cluster that was silent is not asked again.
const SILENCE: Duration = Duration::from_secs(10);
/// Types that are named of those that do not say what is asked.
const TYPES_NAMED: usize = 3;
const SLOW: &str = "the cluster did not answer in time";

/// Who can reach a cluster.
#[async_trait]
pub trait Door: Send + Sync {
    /// The cluster that the caller works with, or why it cannot be reached.
    async fn open(&self) -> Result<Arc<LiveSource>, String>;
}

/// A door that stays shut for a while after the cluster behind it was silent: of many questions one waits, not each.
pub(crate) struct Gate {
    door: Arc<dyn Door>,
    silent: Mutex<Option<Instant>>,
}

impl Gate {
    pub(crate) fn new(door: Arc<dyn Door>) -> Self {
        Self { door, silent: Mutex::new(None) }
    }

    fn is_silent(&self) -> bool {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.is_some_and(|since| since.elapsed() < SILENCE)
    }

    /// What the cluster says, by the deadline.
    async fn by<T>(&self, deadline: Instant, answer: impl Future<Output = T>) -> Result<T, String> {
        timeout_at(deadline, answer).await.map_err(|_| {
            self.shut();
            SLOW.to_owned()
        })
    }

    fn shut(&self) {
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Looks at the cluster behind a door, if it is the one that filled the index.
pub(crate) struct Looker<'a> {
    pub(crate) gate: &'a Gate,
    pub(crate) sources: Vec<KnownSource>,
    /// What the caller may see: the cluster is asked with the program's own rights.
    pub(crate) scope: &'a Scope,
}

#[async_trait]
impl Judge for Looker<'_> {
    #[tracing::instrument(name = "index.live", skip_all)]
    async fn judge(
        &self,
        conditions: &[LiveCondition],
        objects: &[Reached<'_>],
        all: Option<&Filter>,
        types: &[(String, ResourceType)],
    ) -> Judgement {
        let deadline = Instant::now() + TIME;
        let mut by_cluster: BTreeMap<&str, Vec<&Reached<'_>>> = BTreeMap::new();
        for reached in objects {
            by_cluster.entry(reached.object.cluster.as_deref().unwrap_or_default()).or_default().push(reached);
        }
        let mut judgement = Judgement::default();
        for (cluster, objects) in by_cluster {
            match self.source(cluster, deadline).await {
                Ok(source) => {
                    let all = all.filter(|filter| filter.clusters.is_empty() || filter.clusters.contains(cluster));
                    let look = Look::new(&source, cluster, conditions, objects, deadline);
                    let tables = look.tables(all, types).await;
                    let slow = |(_, read): &(String, TypeTable)| read.missing.iter().any(|m| m.why == NotRead::Slow);
                    if !tables.is_empty() && tables.iter().all(slow) {
                        self.gate.shut();
                    }
                    look.judge(&tables, &mut judgement);
                }
                Err(why) => judgement.unread.push(why),
            }
        }
        judgement
    }
}

impl Looker<'_> {
    /// The source, if it is what filled the index under this name.
    pub(crate) async fn source(&self, cluster: &str, deadline: Instant) -> Result<Arc<LiveSource>, String> {
        if !self.scope.admits_whole_cluster(cluster) {
            return Err("the cluster is not asked for those who may see a part of it".to_owned());
        }
        let of_cluster = |s: &&KnownSource| s.cluster == cluster && !s.replaced;
        let filled = self.sources.iter().filter(of_cluster).find(|s| s.identity != SourceIdentity::Controller);
        if let Some(SourceIdentity::Folder { .. }) = filled.map(|s| &s.identity) {
            return Err("the index was filled from manifests, not from a cluster".to_owned());
        }
        if self.gate.is_silent() {
            return Err(SLOW.to_owned());
        }
        let open = async {
            let source = self.gate.door.open().await?;
            let identity = source.identity().await.map_err(|e| e.to_string())?;
            match filled.map(|s| s.identity.check_to_read(&identity)) {
                Some(Err(other)) => Err(other.to_string()),
                _ => Ok(source),
            }
        };
        self.gate.by(deadline, open).await?
    }
}

/// One look at one cluster.
struct Look<'a> {
    source: &'a LiveSource,
    cluster: &'a str,
    conditions: &'a [LiveCondition],
    objects: Vec<&'a Reached<'a>>,
    /// The places of the objects, by type.
    indexed: BTreeMap<&'a str, BTreeSet<(String, String)>>,
    deadline: Instant,
}

impl<'a> Look<'a> {
    fn new(
        source: &'a LiveSource,
        cluster: &'a str,
        conditions: &'a [LiveCondition],
        objects: Vec<&'a Reached<'a>>,
        deadline: Instant,
    ) -> Self {
        let mut indexed: BTreeMap<&str, BTreeSet<(String, String)>> = BTreeMap::new();
        for reached in &objects {
            let place = (reached.object.namespace.clone(), reached.object.name.clone());
            indexed.entry(reached.type_name).or_default().insert(place);
        }
        Self { source, cluster, conditions, objects, indexed, deadline }
    }

    /// The tables of the objects' types, each with its name; where the objects are all that a filter admits, those of all that it admits.
    async fn tables(&self, all: Option<&Filter>, types: &[(String, ResourceType)]) -> Vec<(String, TypeTable)> {
        let mut by_type = self.indexed.clone();
        for name in all.iter().flat_map(|filter| &filter.types) {
            by_type.entry(name).or_default();
        }
        let served = |name: &str| types.iter().find(|(of, t)| of == self.cluster && t.name() == name);
        let reach = |objects: BTreeSet<(String, String)>| match all {
            None => Objects::Named(objects),
            Some(filter) if filter.namespaces.is_empty() => Objects::All,
            Some(filter) => Objects::Namespaces(filter.namespaces.clone()),
        };
        let wanted = |(name, objects)| Some(Wanted { ty: served(name)?.1.clone(), objects: reach(objects) });
        let wanted: Vec<Wanted> = by_type.into_iter().filter_map(wanted).collect();
        let mut tables = self.source.tables(&wanted, &self.limits()).await;
        // Who may not list all of them may look at those that the index knows.
        let refused = |n: &usize| wanted[*n].objects == Objects::All && !tables[*n].missing.is_empty();
        let refused: Vec<usize> = (0..wanted.len()).filter(refused).collect();
        let known = |n: &usize| {
            let ty = wanted[*n].ty.clone();
            let objects = self.indexed.get(ty.name().as_str()).into_iter().flatten();
            Wanted { ty, objects: Objects::Namespaces(objects.map(|(place, _)| place.clone()).collect()) }
        };
        let again: Vec<Wanted> = refused.iter().map(known).collect();
        for (n, table) in refused.into_iter().zip(self.source.tables(&again, &self.limits()).await) {
            tables[n] = table;
        }
        wanted.iter().map(|wanted| wanted.ty.name()).zip(tables).collect()
    }

    fn limits(&self) -> TableLimits {
        TableLimits { time: self.deadline.saturating_duration_since(Instant::now()), ..TableLimits::default() }
    }

    /// What the tables say of the objects, and of others that the conditions hold of.
    fn judge(&self, tables: &[(String, TypeTable)], judgement: &mut Judgement) {
        let mut found: HashMap<(&str, &str, &str), Vec<Finding>> = HashMap::new();
        let mut say_nothing: Vec<&str> = Vec::new();
        for (name, read) in tables {
            judgement.partial |= read.missing.iter().any(|missing| missing.why != NotRead::Forbidden);
            for missing in &read.missing {
                let place = missing.namespace.as_ref().map(|n| format!(" in {n}")).unwrap_or_default();
                judgement.unread.push(format!("{name}{place}: {}", missing.why));
            }
            let Some(table) = &read.table else { continue };
            let mut rows: Vec<(&Row, Vec<Finding>)> = table.rows.iter().map(|row| (row, Vec::new())).collect();
            for condition in self.conditions {
                rows.iter_mut().zip(table.findings(condition)).for_each(|((_, of_row), finding)| of_row.push(finding));
            }
            // An object says nothing if what it would have to say is missing, and nothing else rules it out.
            let undecided = |(_, of_row): &&(&Row, Vec<Finding>)| {
                of_row.iter().any(|finding| finding.verdict == Verdict::NotSaid)
                    && of_row.iter().all(|finding| finding.verdict != Verdict::No)
            };
            let silent = rows.iter().filter(undecided).count();
            if silent > 0 && silent == rows.len() {
                say_nothing.push(name);
                continue;
            }
            if silent > 0 {
                let of = format!("{silent} of {}", rows.len());
                judgement.unread.push(format!("{name}: what the server prints of {of} does not say it"));
            }
            judgement.looked = true;
            if read.missing.is_empty() {
                let of_type = self.objects.iter().filter(|reached| reached.type_name == table.type_name);
                let gone = of_type.filter(|of| table.row(&of.object.namespace, &of.object.name).is_none());
                judgement.gone.extend(gone.map(|reached| reached.id.to_owned()));
            }
            let indexed = self.indexed.get(table.type_name.as_str());
            for (row, of_row) in rows {
                let place = (row.namespace.clone(), row.name.clone());
                let is_indexed = indexed.is_some_and(|objects| objects.contains(&place));
                if !is_indexed && of_row.iter().all(|finding| finding.verdict == Verdict::Yes) {
                    let (cluster, type_name) = (self.cluster.to_owned(), table.type_name.clone());
                    judgement.unindexed.push(Unindexed { cluster, type_name, namespace: place.0, name: place.1 });
                }
                found.insert((&table.type_name, &row.namespace, &row.name), of_row);
            }
        }
        // A question may reach objects of many types: those that say nothing are told in one sentence.
        let (named, more) = say_nothing.split_at(say_nothing.len().min(TYPES_NAMED));
        if !named.is_empty() {
            let names = named.join(", ");
            let more = if more.is_empty() { String::new() } else { format!(" and {} other types", more.len()) };
            judgement.unread.push(format!("{names}{more}: what the server prints of them does not say it"));
        }
        for reached in &self.objects {
            let (namespace, name) = (reached.object.namespace.as_str(), reached.object.name.as_str());
            if let Some(findings) = found.remove(&(reached.type_name, namespace, name)) {
                // Of what its type does not print nothing is known.
                let said = findings.iter().any(|finding| finding.verdict != Verdict::NotSaid);
                if said {
                    judgement.findings.insert(reached.id.to_owned(), findings);
                }
            }
        }
    }
}
