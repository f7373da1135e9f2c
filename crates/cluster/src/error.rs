//! What ends a run.

use std::path::PathBuf;

use thiserror::Error;

/// A failure that no retry and no other type can make good. Messages say what is wrong and what was expected.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// The named kubeconfig is not there.
    #[error("there is no kubeconfig at {}; expected a file", path.display())]
    KubeconfigMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// No kubeconfig anywhere, and this is not a pod.
    #[error("no cluster is configured: there is no ~/.kube/config, KUBECONFIG is not set and this is not a pod")]
    NoCluster,
    /// The kubeconfig, or a file it names, cannot be used.
    #[error("{place} cannot be used: {reason}")]
    KubeconfigInvalid {
        /// The file, or where the configuration came from.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The context is not in the kubeconfig.
    #[error("there is no context {context:?} in {place}; {}", known(contexts))]
    UnknownContext {
        /// What was asked for.
        context: String,
        /// The file, or where the configuration came from.
        place: String,
        /// What there is.
        contexts: Vec<String>,
    },
    /// No context was named, and the kubeconfig has no current one.
    #[error("{place} has no current context; {}", known(contexts))]
    NoContext {
        /// The file, or where the configuration came from.
        place: String,
        /// What there is.
        contexts: Vec<String>,
    },
    /// Nobody listens, or no route there.
    #[error("nothing answers at {url} ({reason})")]
    Unreachable {
        /// Server URL.
        url: String,
        /// What the connection said.
        reason: String,
    },
    /// The server's certificate is not trusted, or TLS fails otherwise.
    #[error("no secure connection to {url} ({reason})")]
    Tls {
        /// Server URL.
        url: String,
        /// What TLS said.
        reason: String,
    },
    /// 401, also after the credentials were read again.
    #[error("{url} refused the credentials (401), even after reading them again")]
    Unauthorized {
        /// Server URL.
        url: String,
    },
    /// The kubeconfig's credential plugin cannot be started.
    #[error("the credential plugin {command:?} of the kubeconfig cannot be run: {reason}; {hint}")]
    ExecPlugin {
        /// The command as the kubeconfig has it.
        command: String,
        /// What the system said.
        reason: String,
        /// How to install it.
        hint: String,
    },
    /// Credentials cannot be prepared for another reason.
    #[error("the credentials of the kubeconfig cannot be used: {reason}")]
    Credentials {
        /// What is wrong.
        reason: String,
    },
    /// The server answers, but what was asked for cannot be read.
    #[error("{url} does not give {what}: {reason}")]
    Refused {
        /// Server URL.
        url: String,
        /// What was asked for.
        what: String,
        /// Status and message, or what was broken.
        reason: String,
    },
    /// The folder is not there.
    #[error(
        "there is no folder or file {}; expected a folder with YAML or JSON manifests, one such file, or - for standard input",
        path.display()
    )]
    FolderMissing {
        /// What was named.
        path: PathBuf,
    },
    /// The folder cannot be read.
    #[error("{} cannot be read: {reason}", path.display())]
    FolderUnreadable {
        /// Folder or file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The folder holds nothing to read.
    #[error(
        "no manifest was found in {place}{reason}; expected objects with apiVersion, kind and metadata.name, below a folder in .yaml, .yml or .json files"
    )]
    FolderEmpty {
        /// What was named.
        place: String,
        /// What was there instead.
        reason: String,
    },
    /// The folder holds manifests, and none that can be read.
    #[error("no manifest in {place} can be read, so nothing was changed: {reason}")]
    FolderBroken {
        /// What was named.
        place: String,
        /// File, line and what is wrong, of the first.
        reason: String,
    },
    /// Whoever reads the pages has gone.
    #[error("the run was stopped")]
    Stopped,
}

impl ClusterError {
    /// Whether it comes back however often it is tried: the kubeconfig, or what was asked of it, has to be changed first.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::KubeconfigMissing { .. }
                | Self::NoCluster
                | Self::KubeconfigInvalid { .. }
                | Self::UnknownContext { .. }
                | Self::NoContext { .. }
        )
    }
}

fn known(contexts: &[String]) -> String {
    if contexts.is_empty() { "it has none".to_owned() } else { format!("it has: {}", contexts.join(", ")) }
}
