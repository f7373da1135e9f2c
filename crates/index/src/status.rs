//! What is indexed, from where, and when.

use futures::future::BoxFuture;
use std::collections::BTreeSet;

use clusterlore_core::{Collection, Scope, SourceIdentity};
use clusterlore_store::{ClusterNames, Counts, KnownSource, RunRecord, Store, StoreError, View};
use serde::Serialize;

/// An index as a whole, as far as a scope admits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// File or server, without user, password and key; empty for whoever may not see everything.
    pub store: String,
    /// Bytes on this machine's disk, where that can be told and the caller may see everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// The collections that there are.
    pub collections: Vec<CollectionStatus>,
    /// The sources that fill the clusters of which the caller may see everything.
    pub sources: Vec<KnownSource>,
    /// The last run of each kind and cluster, newest first.
    pub last_runs: Vec<RunRecord>,
    /// Instances per cluster and type, most first.
    pub documents: Vec<TypeStatus>,
}

/// A collection as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectionStatus {
    /// Which.
    pub name: Collection,
    /// How many documents it has.
    pub documents: usize,
    /// Who filled it.
    pub embedder: String,
    /// Of that embedder's vectors.
    pub dimensions: usize,
}

/// A cluster, or a folder, of which the caller may see everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// What it is called; empty where it has no name.
    pub name: String,
    /// Its stored name, which its ids begin with; empty for the unnamed one.
    pub cluster: String,
    /// What it is known by; `None` where another program filled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceIdentity>,
    /// How many instances.
    pub objects: usize,
    /// Of how many types.
    pub types: usize,
    /// When its instances were last read to their end, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read: Option<String>,
}

/// Instances of one type in one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeStatus {
    /// Name of the cluster, empty for the unnamed one.
    pub cluster: String,
    /// `plural.group`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// How many.
    pub documents: usize,
}

impl Status {
    /// Reads it. No embedder is needed for that.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn of<'f>(store: &'f dyn Store, scope: &'f Scope) -> BoxFuture<'f, Result<Self, StoreError>> {
        Box::pin(async move {
            let view = store.view(scope).await?;
            let of_type = |Counts { cluster, type_name, documents }| TypeStatus { cluster, type_name, documents };
            let mut documents: Vec<TypeStatus> =
                view.counts(Collection::Instances).await?.into_iter().map(of_type).collect();
            documents.sort_by(|a, b| b.documents.cmp(&a.documents).then_with(|| a.type_name.cmp(&b.type_name)));
            let mut sources = view.sources().await?;
            sources.retain(|source| !source.replaced && scope.admits_whole_cluster(&source.cluster));
            if !scope.is_all() {
                // Their numbers count what the caller may not see.
                sources.iter_mut().zip(1..).for_each(|(source, number)| source.number = number);
            }
            Ok(Self {
                store: if scope.is_all() { store.place() } else { String::new() },
                size_bytes: store.size().filter(|_| scope.is_all()),
                collections: collections(&*view).await?,
                sources,
                last_runs: view.last_runs().await?,
                documents,
            })
        })
    }
}

impl Status {
    /// The clusters, sorted by name.
    pub fn clusters(&self) -> Vec<ClusterStatus> {
        let names = ClusterNames::of(&self.sources);
        let all = self.sources.iter().map(|source| &source.cluster);
        let all: BTreeSet<&String> = all.chain(self.documents.iter().map(|of| &of.cluster)).collect();
        let status = |cluster: &String| {
            let sources = || self.sources.iter().filter(|source| source.cluster == *cluster);
            let own = sources().find(|source| source.identity != SourceIdentity::Controller);
            let documents = || self.documents.iter().filter(|of| of.cluster == *cluster);
            let reading = own.and_then(|own| own.readings.of(Collection::Instances));
            ClusterStatus {
                name: names.shown(cluster).to_owned(),
                cluster: cluster.clone(),
                source: own.or_else(|| sources().next()).map(|source| source.identity.clone()),
                objects: documents().map(|of| of.documents).sum(),
                types: documents().count(),
                last_read: reading.map(|reading| reading.at.clone()),
            }
        };
        let mut clusters: Vec<ClusterStatus> = all.into_iter().map(status).collect();
        clusters.sort_by(|a, b| a.name.cmp(&b.name));
        clusters
    }
}

/// Both collections with their documents, as far as the scope admits.
async fn collections(view: &dyn View) -> Result<Vec<CollectionStatus>, StoreError> {
    let mut all = Vec::new();
    for name in Collection::ALL {
        all.extend(view.collection(name).await?.map(|info| CollectionStatus {
            name,
            documents: info.documents,
            embedder: info.embedder.name,
            dimensions: info.embedder.dimensions,
        }));
    }
    Ok(all)
}
