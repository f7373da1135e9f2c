//! What the clusters print of hits now: the columns of their own tables, with the caller's rights and within a second.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use clusterlore_cluster::tables::{Objects, TableLimits, Wanted};
use clusterlore_cluster::{ClusterSource, LiveOptions, LiveSource};
use clusterlore_core::{AnnotationChoice, ResourceInstance, ResourceType, SourceIdentity};
use clusterlore_index::{Index, Reply};
use clusterlore_search::Noun;
use futures::future::join_all;

use crate::args::Live;
use crate::settings::Settings;
use crate::{build, print};

/// Columns that the table of hits has by itself.
const OWN: [&str; 2] = ["Name", "Age"];
/// Until a cluster that is not the one in use has said who it is.
const OPENING: Duration = Duration::from_secs(5);

/// The way to the clusters that hits are of.
#[derive(Clone, Copy)]
pub(crate) struct Clusters<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) index: &'a Index,
    /// Whether they may be asked.
    pub(crate) live: Live,
}

/// What is to be read of a cluster: stored ids, with their objects and types.
type Asked<'r> = Vec<(&'r str, &'r ResourceInstance, &'r ResourceType)>;

/// What was read of a cluster, by stored id, and why the rest was not.
type Read = (HashMap<String, String>, BTreeSet<String>);

impl Clusters<'_> {
    /// `READY 1/1, STATUS Running` of each hit, by its stored id; of all clusters at once. What could not be read is told.
    pub(crate) async fn columns(self, reply: &Reply) -> anyhow::Result<HashMap<String, String>> {
        let types = self.index.types(&build::OWN_STORE).await?;
        let mut clusters: BTreeMap<&str, Asked<'_>> = BTreeMap::new();
        for hit in &reply.hits {
            let Noun::Instance(instance) = &hit.noun else { continue };
            let cluster = instance.cluster.as_deref().unwrap_or_default();
            let is_it = |(of, ty): &&(String, ResourceType)| {
                of == cluster && ty.kind == instance.kind && ty.group == instance.api_group
            };
            if let Some((_, ty)) = types.iter().find(is_it) {
                clusters.entry(cluster).or_default().push((&hit.id, instance, ty));
            }
        }
        // Of manifests no cluster prints anything.
        let folder = |cluster: &str| {
            reply.bases.iter().any(|b| b.cluster == cluster && matches!(b.source, SourceIdentity::Folder { .. }))
        };
        clusters.retain(|cluster, _| !folder(cluster));
        let several = clusters.len() > 1;
        let read =
            clusters.iter().map(async |(cluster, asked)| Ok((*cluster, self.read(reply, cluster, asked).await?)));
        let mut now = HashMap::new();
        for read in join_all(read).await {
            let (cluster, (columns, unread)) = read.map_err(|error: anyhow::Error| error)?;
            let of = match reply.names.shown(cluster) {
                shown if several && !shown.is_empty() => format!("cluster {shown}"),
                _ => "the cluster".to_owned(),
            };
            unread.iter().for_each(|why| print::note(&format!("Not read from {of}: {why}.")));
            now.extend(columns);
        }
        Ok(now)
    }

    async fn read(self, reply: &Reply, cluster: &str, asked: &Asked<'_>) -> anyhow::Result<Read> {
        let source = match self.source(reply, cluster).await? {
            Ok(source) => source,
            Err(why) => return Ok((HashMap::new(), BTreeSet::from([why]))),
        };
        let mut wanted: BTreeMap<String, (ResourceType, BTreeSet<(String, String)>)> = BTreeMap::new();
        for (_, instance, ty) in asked {
            let (_, named) = wanted.entry(ty.name()).or_insert_with(|| ((*ty).clone(), BTreeSet::new()));
            named.insert((instance.namespace.clone(), instance.name.clone()));
        }
        let wanted: Vec<Wanted> =
            wanted.into_values().map(|(ty, named)| Wanted { ty, objects: Objects::Named(named) }).collect();
        let read = source.tables(&wanted, &TableLimits::default()).await;
        let unread = read.iter().flat_map(|table| &table.missing).map(|missing| missing.why.to_string()).collect();
        let mut now = HashMap::new();
        for (wanted, read) in wanted.iter().zip(&read) {
            let Some(table) = &read.table else { continue };
            for (id, instance, _) in asked.iter().filter(|(_, _, ty)| ty.name() == wanted.ty.name()) {
                let Some(row) = table.row(&instance.namespace, &instance.name) else {
                    now.insert((*id).to_owned(), "no longer there".to_owned());
                    continue;
                };
                let cells = table.columns.iter().zip(&row.cells);
                let told = cells.filter(|(column, cell)| {
                    !OWN.contains(&column.name.as_str()) && !["", "<none>"].contains(&cell.as_str())
                });
                let told: Vec<String> =
                    told.map(|(column, cell)| format!("{} {cell}", column.name.to_uppercase())).collect();
                now.insert((*id).to_owned(), told.join(", "));
            }
        }
        Ok((now, unread))
    }

    /// The cluster behind the context by which this one was read, else the one in use, if that is it; or why neither is.
    async fn source(self, reply: &Reply, cluster: &str) -> anyhow::Result<Result<Arc<LiveSource>, String>> {
        let used = build::context_in_use(self.settings).map(|(context, _)| context);
        let own = reply.context(Some(cluster)).filter(|own| self.live == Live::Auto && used.as_deref() != Some(own));
        let known = reply.bases.iter().find(|basis| basis.cluster == cluster).map(|basis| &basis.source);
        let (Some(own), Some(known)) = (own, known) else {
            return Ok(self.index.cluster(&build::OWN_STORE, cluster).await?);
        };
        let settings = self.settings.clone().with("context", own.to_owned());
        let open = async {
            let source = build::live(&settings, LiveOptions::default().page_size, AnnotationChoice::default()).await;
            let source = source.map_err(|e| format!("{e:#}"))?;
            let identity = source.identity().await.map_err(|e| e.to_string())?;
            known.check_to_read(&identity).map_err(|e| e.to_string())?;
            Ok(Arc::new(source))
        };
        let opened = tokio::time::timeout(OPENING, open).await;
        match opened.unwrap_or_else(|_| Err(format!("context \"{own}\" did not answer in time"))) {
            Ok(source) => Ok(Ok(source)),
            Err(why) => Ok(self.index.cluster(&build::OWN_STORE, cluster).await?.map_err(|_| why)),
        }
    }
}
