//! What only a cluster knows, read when a question asks for it: the tables that its API server prints, with the caller's rights, within a
//! second. Only the cluster that filled the index is asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_cluster::tables::{Objects, TableLimits, Wanted};
use clusterlore_cluster::{ClusterSource, LiveSource};
use clusterlore_core::conditions::{Finding, LiveCondition, Verdict};
use clusterlore_core::{ResourceType, SourceIdentity};
use clusterlore_search::{Judge, Judgement, Reached};
use clusterlore_store::KnownSource;
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
                Ok(source) => look(&source, cluster, conditions, &objects, types, deadline, &mut judgement).await,
                Err(why) => judgement.unread.push(why),
            }
        }
        judgement
    }
}

impl Looker<'_> {
    /// The source, if it is what filled the index under this name.
    async fn source(&self, cluster: &str, deadline: Instant) -> Result<Arc<LiveSource>, String> {
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

async fn look(
    source: &LiveSource,
    cluster: &str,
    conditions: &[LiveCondition],
    objects: &[&Reached<'_>],
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
    let wanted: Vec<Wanted> = by_type
        .into_iter()
        .filter_map(|(name, objects)| Some(Wanted { ty: served(name)?, objects: Objects::Named(objects) }))
        .collect();
    let limits = TableLimits { time: deadline.saturating_duration_since(Instant::now()), ..TableLimits::default() };
    let tables = source.tables(&wanted, &limits).await;
    let mut found: HashMap<(&str, &str, &str), Vec<Finding>> = HashMap::new();
    for (wanted, read) in wanted.iter().zip(&tables) {
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
        for row in &table.rows {
            let of_row = conditions.iter().map(|condition| table.find(condition, row)).collect();
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
