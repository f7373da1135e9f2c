//! What only a cluster knows, read when a question asks for it: the tables that its API server prints, with the caller's rights, within a
//! second. Only the cluster that filled the index is asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_cluster::tables::{NotRead, Objects, TableLimits, Wanted};
use clusterlore_cluster::{ClusterSource, LiveSource};
use clusterlore_core::conditions::{Finding, LiveCondition, Verdict};
use clusterlore_core::{ResourceType, SourceIdentity};
use clusterlore_search::{Judge, Judgement, Reached, Unindexed};
use clusterlore_store::{Filter, KnownSource};
use tokio::time::{Instant, timeout_at};

/// For everything that is read of a cluster for one question.
const TIME: Duration = Duration::from_secs(1);

/// Who can reach a cluster.
#[async_trait]
pub trait Door: Send + Sync {
    /// The cluster that the caller works with, or why it cannot be reached.
    async fn open(&self) -> Result<Arc<LiveSource>, String>;
}

/// Looks at the cluster behind a door, if it is the one that filled the index.
pub(crate) struct Looker<'a> {
    pub(crate) door: &'a dyn Door,
    pub(crate) sources: Vec<KnownSource>,
}

#[async_trait]
impl Judge for Looker<'_> {
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
                    look(&source, cluster, conditions, &objects, all, types, deadline, &mut judgement).await;
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
        let of_cluster = |s: &&KnownSource| s.cluster == cluster && !s.replaced;
        let filled = self.sources.iter().filter(of_cluster).find(|s| s.identity != SourceIdentity::Controller);
        if let Some(SourceIdentity::Folder { .. }) = filled.map(|s| &s.identity) {
            return Err("the index was filled from manifests, not from a cluster".to_owned());
        }
        let open = async {
            let source = self.door.open().await?;
            let identity = source.identity().await.map_err(|e| e.to_string())?;
            match filled.map(|s| s.identity.check_to_read(&identity)) {
                Some(Err(other)) => Err(other.to_string()),
                _ => Ok(source),
            }
        };
        let slow = || Err("the cluster did not answer in time".to_owned());
        timeout_at(deadline, open).await.unwrap_or_else(|_| slow())
    }
}

#[expect(clippy::too_many_arguments, reason = "one call, all of it needed")]
async fn look(
    source: &LiveSource,
    cluster: &str,
    conditions: &[LiveCondition],
    objects: &[&Reached<'_>],
    all: Option<&Filter>,
    types: &[(String, ResourceType)],
    deadline: Instant,
    judgement: &mut Judgement,
) {
    let mut by_type: BTreeMap<&str, BTreeSet<(String, String)>> = BTreeMap::new();
    for reached in objects {
        let place = (reached.object.namespace.clone(), reached.object.name.clone());
        by_type.entry(reached.type_name).or_default().insert(place);
    }
    let served = |name: &str| types.iter().find(|(of, t)| of == cluster && t.name() == name).map(|(_, t)| t.clone());
    let indexed = by_type.clone();
    for name in all.iter().flat_map(|filter| &filter.types) {
        by_type.entry(name).or_default();
    }
    let reach = |objects: BTreeSet<(String, String)>| match all {
        None => Objects::Named(objects),
        Some(filter) if filter.namespaces.is_empty() => Objects::All,
        Some(filter) => Objects::Namespaces(filter.namespaces.clone()),
    };
    let wanted: Vec<Wanted> = by_type
        .into_iter()
        .filter_map(|(name, objects)| Some(Wanted { ty: served(name)?, objects: reach(objects) }))
        .collect();
    let limits = || TableLimits { time: deadline.saturating_duration_since(Instant::now()), ..TableLimits::default() };
    let mut tables = source.tables(&wanted, &limits()).await;
    // Who may not list all of them may look at those that the index knows.
    let refused = |n: &usize| wanted[*n].objects == Objects::All && !tables[*n].missing.is_empty();
    let refused: Vec<usize> = (0..wanted.len()).filter(refused).collect();
    let known = |n: &usize| {
        let objects = indexed.get(wanted[*n].ty.name().as_str()).into_iter().flatten();
        Wanted {
            ty: wanted[*n].ty.clone(),
            objects: Objects::Namespaces(objects.map(|(place, _)| place.clone()).collect()),
        }
    };
    let again: Vec<Wanted> = refused.iter().map(known).collect();
    for (n, table) in refused.into_iter().zip(source.tables(&again, &limits()).await) {
        tables[n] = table;
    }
    let mut found: HashMap<(&str, &str, &str), Vec<Finding>> = HashMap::new();
    for (wanted, read) in wanted.iter().zip(&tables) {
        judgement.partial |= read.missing.iter().any(|missing| missing.why != NotRead::Forbidden);
        for missing in &read.missing {
            let place = missing.namespace.as_ref().map(|n| format!(" in {n}")).unwrap_or_default();
            judgement.unread.push(format!("{}{place}: {}", wanted.ty.name(), missing.why));
        }
        let Some(table) = &read.table else { continue };
        let says = |row| conditions.iter().any(|c| table.find(c, row).verdict != Verdict::NotSaid);
        if !table.rows.is_empty() && !table.rows.iter().any(says) {
            judgement.unread.push(format!("{}: what the server prints of them does not say it", wanted.ty.name()));
            continue;
        }
        judgement.looked = true;
        if read.missing.is_empty() {
            let of_type = objects.iter().filter(|reached| reached.type_name == table.type_name);
            let gone = of_type.filter(|of| table.row(&of.object.namespace, &of.object.name).is_none());
            judgement.gone.extend(gone.map(|reached| reached.id.to_owned()));
        }
        for row in &table.rows {
            let of_row: Vec<Finding> = conditions.iter().map(|condition| table.find(condition, row)).collect();
            let place = (row.namespace.clone(), row.name.clone());
            let is_indexed = indexed.get(table.type_name.as_str()).is_some_and(|objects| objects.contains(&place));
            if !is_indexed && of_row.iter().all(|finding| finding.verdict == Verdict::Yes) {
                let (cluster, type_name) = (cluster.to_owned(), table.type_name.clone());
                judgement.unindexed.push(Unindexed { cluster, type_name, namespace: place.0, name: place.1 });
            }
            found.insert((&table.type_name, &row.namespace, &row.name), of_row);
        }
    }
    for reached in objects {
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
