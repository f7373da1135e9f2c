//! Which cluster of the index is meant. To a question `--context` means only the cluster that the context names, if it is indexed.

use std::time::Duration;

use anyhow::anyhow;
use clusterlore_cluster::ClusterSource;
use clusterlore_core::{AnnotationChoice, SourceIdentity, cluster_name};
use clusterlore_index::{Index, Request};
use clusterlore_pipeline::SyncError;
use clusterlore_store::{ClusterNames, KnownSource, Store, StoreError};

use crate::renewal::{CLUSTER, INDEX, line};
use crate::settings::Settings;
use crate::{build, unknown};

/// Until the cluster has said who it is, where its address is not known.
const PATIENCE: Duration = Duration::from_secs(5);

/// Narrows a request to the cluster of the context that a flag names, unless it names clusters itself.
///
/// # Errors
/// There is no such context, or its cluster is not indexed.
pub(crate) async fn to_context(settings: &Settings, index: &Index, request: &mut Request) -> anyhow::Result<()> {
    let context = settings.text("context").filter(|_| settings.is_flag("context") && request.clusters.is_empty());
    let Some(context) = context else { return Ok(()) };
    let mut sources = index.sources(&build::OWN_STORE).await?;
    sources.retain(|source| !source.replaced);
    let of = |is_it: &dyn Fn(&KnownSource) -> bool| -> Vec<String> {
        sources.iter().filter(|source| is_it(source)).map(|source| source.cluster.clone()).collect()
    };
    request.clusters = match build::context_in_use(settings) {
        Some((_, used)) => match of(&|source| source.identity.is_at(&used)) {
            // It may have moved: by its uid it is known elsewhere.
            none if none.is_empty() => match identity(settings).await {
                Some(now) => of(&|source| source.identity.is_same_cluster(&now)),
                None => none,
            },
            found => found,
        },
        None => {
            let contexts = build::contexts(settings);
            let near = unknown::nearest(context, &contexts).map(|near| format!(" Did you mean \"{near}\"?"));
            return Err(anyhow!(
                "--context: the kubeconfig has no context \"{context}\" that names a cluster.{}",
                near.unwrap_or_default()
            ));
        }
    };
    if !request.clusters.is_empty() {
        return Ok(());
    }
    let mut flags = settings.given(&[&INDEX[..], &CLUSTER].concat());
    if !sources.is_empty() {
        flags.extend(["--cluster-name".to_owned(), cluster_name(context)]);
    }
    let command = line(&["clusterlore", "index"], flags);
    Err(anyhow!("the cluster of context \"{context}\" is not indexed. Index it with \"{command}\""))
}

/// The name under which a cluster is stored (empty: the unnamed one), if it is.
pub(crate) async fn stored_name(store: &dyn Store, identity: &SourceIdentity) -> anyhow::Result<Option<String>> {
    let sources = store.view(&build::OWN_STORE).await?.sources().await?;
    let known = sources.into_iter().find(|source| !source.replaced && source.identity.is_same_cluster(identity));
    Ok(known.map(|source| source.cluster))
}

/// A cluster that is in the index under another name than the one it was to have.
pub(crate) struct Elsewhere {
    cluster: String,
    known: String,
    /// What it is called there.
    pub(crate) shown: String,
}

/// Whether a run was refused because its cluster is in the index under another name.
pub(crate) fn under_another_name(error: &anyhow::Error) -> Option<Elsewhere> {
    error.chain().find_map(|cause| {
        let error = match cause.downcast_ref::<SyncError>() {
            Some(SyncError::Store(error)) => Some(error),
            _ => cause.downcast_ref::<StoreError>(),
        };
        match error? {
            StoreError::UnderAnotherName { cluster, known, shown, .. } => {
                Some(Elsewhere { cluster: cluster.clone(), known: known.clone(), shown: shown.clone() })
            }
            _ => None,
        }
    })
}

/// Under which name (`None`: without one) a cluster is stored that a run was to read without a name, or under one by which it is called
/// already; and a line that says so.
pub(crate) fn stored_under(error: &anyhow::Error) -> Option<(Option<String>, String)> {
    let Elsewhere { cluster, known, shown } = under_another_name(error)?;
    let is_it = cluster.is_empty() || is_called(&cluster, &known, &shown);
    (is_it && cluster != known).then(|| (Some(known).filter(|name| !name.is_empty()), goes_on(&shown)))
}

fn is_called(name: &str, known: &str, shown: &str) -> bool {
    [known, shown].contains(&name) || name == cluster_name(shown)
}

fn goes_on(shown: &str) -> String {
    format!("The cluster is in the index already, as \"{shown}\", and goes on under the name by which it is stored.")
}

/// A name that somebody gave a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given<'a> {
    /// By a flag.
    Flag(&'a str),
    /// By its context, or the file of its kubeconfig.
    Source(&'a str),
    /// Nobody did.
    None,
}

impl Given<'_> {
    /// Empty where nobody gave one.
    fn name(&self) -> &str {
        match self {
            Self::Flag(name) | Self::Source(name) => name,
            Self::None => "",
        }
    }
}

/// Under which name a cluster goes on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// `None`: the unnamed one.
    pub(crate) name: Option<String>,
    /// Whether the cluster was reached, or need not be. Else it may turn out to be stored under another name.
    pub(crate) certain: bool,
    /// What is shown of it.
    pub(crate) shown: String,
    /// What people should know of it.
    pub(crate) line: Option<String>,
}

/// The name under which the cluster of the context in use goes on: the one by which it is stored, if it is. A name that is shown means that
/// cluster. A flag that calls a stored cluster otherwise stays as it is: the run is refused, and says what to do.
pub(crate) async fn settled(settings: &Settings, store: &dyn Store, given: Given<'_>) -> anyhow::Result<Settled> {
    let all = store.view(&build::OWN_STORE).await?.sources().await?;
    let is_cluster =
        |source: &&KnownSource| !source.replaced && matches!(source.identity, SourceIdentity::Cluster { .. });
    let known: Vec<&KnownSource> = all.iter().filter(is_cluster).collect();
    let wanted = given.name();
    let used = build::context_in_use(settings).map(|(_, identity)| identity);
    let is_at = |source: &KnownSource| used.as_ref().is_some_and(|used| source.identity.is_at(used));
    // Where nothing else can come of it nobody is asked.
    let is_plain = known.is_empty() || known.iter().any(|source| source.cluster == wanted && is_at(source));
    let reached = if is_plain { None } else { identity(settings).await };
    let is_it = |source: &KnownSource| match &reached {
        Some(now) => source.identity.is_same_cluster(now),
        None => is_at(source),
    };
    let mut fits: Vec<&KnownSource> = known.into_iter().filter(|source| is_it(source)).collect();
    fits.sort_by_key(|source| source.cluster != wanted);
    let certain = is_plain || reached.is_some();
    Ok(choice(&all, fits.first().copied(), given, certain))
}

/// The name of a cluster that is `found` among what is stored, or is not.
fn choice(all: &[KnownSource], found: Option<&KnownSource>, given: Given<'_>, certain: bool) -> Settled {
    let names = ClusterNames::of(all);
    let (wanted, is_flag) = (given.name(), matches!(given, Given::Flag(_)));
    let stored = match found.map(|known| known.cluster.as_str()) {
        Some(known) if is_flag && !is_called(wanted, known, names.shown(known)) => wanted,
        Some(known) => known,
        None if is_flag || !certain && !wanted.is_empty() => names.meant(wanted).unwrap_or(wanted),
        None => wanted,
    };
    let shown = names.shown(stored).to_owned();
    let line = (stored != wanted).then(|| goes_on(&shown));
    Settled { name: Some(stored.to_owned()).filter(|name| !name.is_empty()), certain, shown, line }
}

/// The stored name of the cluster that a flag means: what is shown of a cluster is as good.
pub(crate) async fn meant(settings: &Settings, name: &str) -> anyhow::Result<Option<String>> {
    let Some(store) = build::store_if_any(settings).await? else { return Ok(Some(name.to_owned())) };
    let sources = store.view(&build::OWN_STORE).await?.sources().await?;
    let stored = ClusterNames::of(&sources).meant(name).unwrap_or(name).to_owned();
    Ok(Some(stored).filter(|name| !name.is_empty()))
}

/// What the cluster says that it is, if it can be reached.
async fn identity(settings: &Settings) -> Option<SourceIdentity> {
    let ask = async {
        let source = build::live(settings, 1, AnnotationChoice::default()).await.ok()?;
        source.identity().await.ok().map(|identity| identity.source)
    };
    tokio::time::timeout(PATIENCE, ask).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_goes_on_under_the_name_by_which_it_is_stored() {
        let source = |cluster: &str, name: &str| KnownSource {
            number: 1,
            cluster: cluster.to_owned(),
            identity: SourceIdentity::Cluster { uid: None, server: cluster.to_owned(), ca_hash: String::new() },
            replaced: false,
            name: name.to_owned(),
            readings: clusterlore_store::Readings::default(),
        };
        let all = [source("", "kind-dev"), source("w2", "shop floor")];
        let [unnamed, other] = [Some(&all[0]), Some(&all[1])];
        for (found, given, certain, stored) in [
            (unnamed, Given::None, true, ""),
            (unnamed, Given::Source("east"), true, ""),
            (unnamed, Given::Flag("kind-dev"), true, ""),
            (other, Given::None, true, "w2"),
            (other, Given::Source("west"), false, "w2"),
            (other, Given::Flag("shop-floor"), true, "w2"),
            // A flag that calls it otherwise is refused by the run.
            (other, Given::Flag("west"), true, "west"),
            (other, Given::Flag("kind-dev"), true, "kind-dev"),
            // It is not stored, or nobody knows.
            (None, Given::None, false, ""),
            (None, Given::Source("kind-dev"), true, "kind-dev"),
            (None, Given::Source("kind-dev"), false, ""),
            (None, Given::Source("west"), false, "west"),
            (None, Given::Flag("shop floor"), true, "w2"),
            (None, Given::Flag("west"), true, "west"),
        ] {
            let settled = choice(&all, found, given, certain);
            assert_eq!(settled.name.as_deref().unwrap_or_default(), stored, "{found:?} {given:?} {certain}");
            assert_eq!(settled.line.is_some(), given.name() != stored, "{given:?}");
        }
    }
}
