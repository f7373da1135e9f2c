//! The way out of an error, in the words of the command line. Rooms below say what is wrong and what was expected; which flag or
//! command helps is known here only.

use std::collections::BTreeSet;

use clusterlore_cluster::ClusterError;
use clusterlore_core::{Collection, EmbedderIdentity, SourceMismatch};
use clusterlore_index::{TooOld, shell_line};
use clusterlore_models::{EmbedError, ModelError, RemoteError};
use clusterlore_pipeline::{MoveError, SkippedType, SyncError};
use clusterlore_search::{SearchError, UnknownKind};
use clusterlore_store::{RunKind, StoreError};

/// An answer that is older than it may be, and the command that renews what it rests on.
#[derive(Debug)]
pub(crate) struct Outdated {
    pub(crate) why: TooOld,
    pub(crate) renewal: String,
}

impl std::fmt::Display for Outdated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.why.fmt(f)
    }
}

impl std::error::Error for Outdated {}

/// What to do about an error, as a sentence without its full stop; `None` where its message is enough.
pub(crate) fn of(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(of_one)
}

fn of_one(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(Outdated { renewal, .. }) = error.downcast_ref() {
        return Some(format!("Renew it with \"{renewal}\", or allow a greater age with --max-age"));
    }
    if let Some(error) = error.downcast_ref::<SyncError>() {
        return sync(error);
    }
    if let Some(error) = error.downcast_ref::<MoveError>() {
        return moving(error);
    }
    if let Some(error) = error.downcast_ref::<SearchError>() {
        return search(error);
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return store(error);
    }
    if let Some(error) = error.downcast_ref::<ClusterError>() {
        return cluster(error);
    }
    if let Some(error) = error.downcast_ref::<ModelError>() {
        return model(error);
    }
    if let Some(error) = error.downcast_ref::<EmbedError>() {
        return embedder(error);
    }
    None
}

fn sync(error: &SyncError) -> Option<String> {
    match error {
        SyncError::Cluster(error) => cluster(error),
        SyncError::Store(error) => store(error),
        SyncError::Source(error) => Some(source(error)),
        SyncError::Model(error) => model(error),
        SyncError::NothingListed { manifests: true, .. } => {
            Some("Fix the files named in the warnings and run it again".to_owned())
        }
        SyncError::NothingListed { unnamed: true, .. } => Some(
            "Name other namespaces with -n, or check what this user may list with \"clusterlore doctor\"".to_owned(),
        ),
        SyncError::NothingListed { .. } => Some("Check what this user may list with \"clusterlore doctor\"".to_owned()),
        SyncError::NoTypes { .. } => Some("Check --include and --exclude against \"kubectl api-resources\"".to_owned()),
        SyncError::UnknownType(_) => Some("See \"kubectl api-resources\"".to_owned()),
        SyncError::NoSchemas { .. } | SyncError::Task(_) => Some("Run it again".to_owned()),
        SyncError::Spool(_) => Some("Free some space, or point TMPDIR to another folder".to_owned()),
        SyncError::Embed(error) => embedder(error),
    }
}

fn moving(error: &MoveError) -> Option<String> {
    match error {
        MoveError::Store(error) => store(error),
        MoveError::Source(error) => Some(source(error)),
        MoveError::File(_) => Some("Check the disk and the file's permissions, and run the command again".to_owned()),
        MoveError::Line { .. } => Some("Expected a file that \"clusterlore export\" wrote".to_owned()),
        MoveError::CutOff { .. } => Some("Export again and import that".to_owned()),
        MoveError::Embed(error) => embedder(error),
    }
}

fn source(error: &SourceMismatch) -> String {
    let choice = "name of its own with --cluster-name NAME, or replace what is indexed with --replace-source";
    match error {
        SourceMismatch::Other { .. } => format!("Give this source a {choice}"),
        SourceMismatch::Unrecognised { .. } => {
            format!("Run it again as a user who may get that namespace; if it is another cluster, give it a {choice}")
        }
    }
}

fn store(error: &StoreError) -> Option<String> {
    const ANOTHER: &str = "choose another file with --store sqlite:PATH";
    match error {
        StoreError::Missing(_) => Some("Fill it with \"clusterlore index\", or try \"clusterlore demo\"".to_owned()),
        StoreError::Newer { .. } => Some(format!("Update clusterlore, or {ANOTHER}")),
        StoreError::Damaged { .. } => {
            Some("Move it away and run \"clusterlore sync-instances\" to index again".to_owned())
        }
        StoreError::Folder(_) => Some("Name a file with --store sqlite:PATH".to_owned()),
        StoreError::ReadOnly { .. } => Some(format!("Check its permissions, or {ANOTHER}")),
        StoreError::Full(_) => Some("Free some space and run the command again".to_owned()),
        StoreError::Disturbed { .. } => Some("Run the command again when others have finished".to_owned()),
        StoreError::Crowded { .. } => {
            Some("Find out why the store cannot be written; what waits is written then".to_owned())
        }
        StoreError::Busy(_) => Some("Try again when it has finished".to_owned()),
        StoreError::Locked { .. } => Some("Wait until it has finished, or raise --lock-timeout".to_owned()),
        StoreError::OtherEmbedder { stored, .. } => {
            Some(format!("Use {}, or embed everything again with --reindex", the_embedder(stored)))
        }
        StoreError::Unreachable { .. } => Some("Start it, or check its address, and run the command again".to_owned()),
        StoreError::Outdated { .. } => {
            Some("Bring them up to date with any \"clusterlore sync\" by the role that syncs".to_owned())
        }
        StoreError::UnderAnotherName { cluster, known, shown, .. } => {
            let keep = match known.as_str() {
                "" => "Sync it without --cluster-name".to_owned(),
                known => format!("Sync it with --cluster-name {known}"),
            };
            let quoted = shell_line([shown.as_str()]);
            let rename = match cluster.as_str() {
                "" => "NAME",
                cluster => cluster,
            };
            Some(format!(
                "{keep}; to call it otherwise run \"clusterlore clusters rename {quoted} {rename}\", to begin anew \"clusterlore clusters forget {quoted}\""
            ))
        }
        StoreError::Unusable { .. } | StoreError::Dimension { .. } | StoreError::Other { .. } => None,
    }
}

fn search(error: &SearchError) -> Option<String> {
    match error {
        SearchError::Store(error) => store(error),
        SearchError::NoCollection(collection) => Some(format!(
            "Fill it with \"clusterlore {}\", or both collections with \"clusterlore index\"",
            filler(*collection)
        )),
        SearchError::OtherEmbedder { collection, stored, .. } => {
            let embedder = match stored.is_unknown() {
                true => format!(
                    "its embedder, whose vectors have {} dimensions (--embedder voyage or openai:MODEL@URL)",
                    stored.dimensions
                ),
                false => format!("--embedder {}", stored.name),
            };
            let again = format!("clusterlore {} --reindex", filler(*collection));
            Some(format!("Search with {embedder}, or embed everything again with \"{again}\""))
        }
        SearchError::NoSuchObject { near, .. } => did_you_mean(near),
        SearchError::ManyNames { .. } => None,
        SearchError::ManyObjects { .. } => Some("Name one of them, or its namespace with -n".to_owned()),
        SearchError::Kind(UnknownKind { near, .. }) => {
            did_you_mean(near).or_else(|| Some("See \"clusterlore status\" for what is indexed".to_owned()))
        }
        SearchError::NoQuestion => Some("Ask for something, such as \"what databases are running?\"".to_owned()),
        SearchError::LongQuestion { .. } => Some("Ask for one thing in a few words".to_owned()),
        SearchError::Embed(error) => embedder(error),
    }
}

fn did_you_mean(near: &[String]) -> Option<String> {
    (!near.is_empty()).then(|| format!("Did you mean {}?", near.join(" or ")))
}

fn the_embedder(stored: &EmbedderIdentity) -> String {
    match stored.is_unknown() {
        true => "--embedder with the one that filled it".to_owned(),
        false => format!("--embedder {}", stored.name),
    }
}

fn cluster(error: &ClusterError) -> Option<String> {
    match error {
        ClusterError::KubeconfigMissing { .. } => Some("Check --kubeconfig or KUBECONFIG".to_owned()),
        ClusterError::NoCluster => {
            Some("Name a file with --kubeconfig FILE, or read manifests with --from DIR".to_owned())
        }
        ClusterError::KubeconfigInvalid { .. } => Some("Compare with \"kubectl config view\"".to_owned()),
        ClusterError::NoContext { .. } => Some("Choose one with --context".to_owned()),
        ClusterError::Unreachable { .. } => {
            Some("Check that the cluster runs and that this context is the right one".to_owned())
        }
        ClusterError::Tls { .. } => Some(
            "Check certificate-authority(-data), the client certificate and tls-server-name in the kubeconfig"
                .to_owned(),
        ),
        ClusterError::Unauthorized { .. } | ClusterError::Credentials { .. } => Some("Log in again".to_owned()),
        ClusterError::FolderBroken { .. } => Some("Fix it and run the command again".to_owned()),
        _ => None,
    }
}

fn model(error: &ModelError) -> Option<String> {
    match error {
        ModelError::NoAnswer { .. } | ModelError::Malformed { .. } => {
            Some("Use another model, or --inference rules".to_owned())
        }
        ModelError::Remote { problem, .. } => remote(problem),
        ModelError::Recording(_) => Some("Record it again with --record FILE".to_owned()),
        ModelError::Limit(_) => None,
    }
}

fn embedder(error: &EmbedError) -> Option<String> {
    match error {
        EmbedError::Load { .. } => Some("Reinstall clusterlore".to_owned()),
        EmbedError::Failed { .. } => Some("Run the command again".to_owned()),
        EmbedError::Remote { problem, .. } => remote(problem),
    }
}

fn remote(error: &RemoteError) -> Option<String> {
    match error {
        RemoteError::Address { .. } => None,
        RemoteError::Tls(_) => Some("Install the system's certificates or set SSL_CERT_FILE".to_owned()),
        RemoteError::Key { variable, .. } => Some(format!("Check the environment variable {variable}")),
        RemoteError::Refused { .. } | RemoteError::Answer { .. } => {
            Some("Check the name of the model and the address".to_owned())
        }
        RemoteError::Unavailable { .. } | RemoteError::Unfinished { .. } => {
            Some("Run the command again later".to_owned())
        }
    }
}

/// What to do about types that a run skipped, each once.
pub(crate) fn skipped(types: &[SkippedType]) -> BTreeSet<String> {
    let namespaces = types.iter().any(|ty| ty.unnamed).then(|| "Name other namespaces with -n".to_owned());
    types.iter().filter_map(|ty| model(ty.model.as_ref()?)).chain(namespaces).collect()
}

/// The command that does a run.
pub(crate) fn command(run: RunKind) -> &'static str {
    match run {
        RunKind::Instances => "sync-instances",
        RunKind::Capabilities => "sync",
        RunKind::Watch => "watch",
        RunKind::Import => "import",
        RunKind::Other => "another program",
    }
}

/// The command that fills a collection.
pub(crate) fn filler(collection: Collection) -> &'static str {
    match collection {
        Collection::Instances => "sync-instances",
        Collection::Capabilities => "sync",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_embeds_and_who_answers_fail_alike() {
        let key = || RemoteError::Key { host: "far".into(), status: 401, variable: "OPENAI_API_KEY" };
        let name = || "x".to_owned();
        let refused = EmbedError::Remote { name: name(), problem: key() };
        let said = Some("Check the environment variable OPENAI_API_KEY");
        assert_eq!(of(&refused.into()).as_deref(), said);
        assert_eq!(of(&ModelError::Remote { name: name(), problem: key() }.into()).as_deref(), said);
        let failed = EmbedError::Failed { name: name(), problem: "no memory".into() };
        let failed = anyhow::Error::from(SearchError::Embed(failed)).context("asked");
        assert_eq!(of(&failed).as_deref(), Some("Run the command again"));
    }

    #[test]
    fn what_was_skipped_is_advised_about_once() {
        let away = RemoteError::Unavailable { host: "far".into(), tries: 5, problem: "refused".into() };
        let model = Some(ModelError::Remote { name: "x".into(), problem: away });
        let ty = |unnamed, model| SkippedType { unnamed, model, ..SkippedType::default() };
        let types = [ty(false, model.clone()), ty(true, None), ty(true, model), ty(false, None)];
        let advice: Vec<String> = skipped(&types).into_iter().collect();
        assert_eq!(advice, ["Name other namespaces with -n", "Run the command again later"]);
        assert!(skipped(&types[3..]).is_empty());
    }
}
