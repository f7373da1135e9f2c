//! What is indexed, from where, and when.

use clusterlore_core::{Collection, Scope};
use clusterlore_store::{Counts, KnownSource, RunRecord, Store, StoreError, View};
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
    pub async fn of(store: &dyn Store, scope: &Scope) -> Result<Self, StoreError> {
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
