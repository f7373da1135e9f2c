//! What the environment says about clusters and the way to them. It is handed in: nothing below the program reads variables.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

/// The variables that kubectl reads, too, and whether somebody is there to be asked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// KUBECONFIG, a list of files; `None` where it is not set or empty.
    pub kubeconfig: Option<OsString>,
    /// The home folder, for `~/.kube/config`.
    pub home: Option<PathBuf>,
    /// HTTPS_PROXY: the way to servers at `https`, except this machine.
    pub https_proxy: Option<String>,
    /// HTTP_PROXY: the way to servers at `http`, except this machine.
    pub http_proxy: Option<String>,
    /// NO_PROXY: servers that are reached without either. A `proxy-url` in the kubeconfig always counts.
    pub no_proxy: Option<String>,
    /// KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, which are set in a pod.
    pub service: Option<(String, String)>,
    /// POD_NAMESPACE, where the pod sets it.
    pub pod_namespace: Option<String>,
    /// Where a pod's service account lies, if not in its usual place.
    pub service_account: Option<PathBuf>,
    /// Whether standard input and standard error are a terminal, so that a credential plugin may ask there.
    pub terminal: bool,
}

impl Environment {
    /// What the variables say; `variable` gives one by its name.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).and_then(|value| value.into_string().ok());
        let either = |upper: &str, lower: &str| text(upper).or_else(|| text(lower));
        Self {
            kubeconfig: set("KUBECONFIG"),
            home: set("HOME").map(PathBuf::from),
            https_proxy: either("HTTPS_PROXY", "https_proxy"),
            http_proxy: either("HTTP_PROXY", "http_proxy"),
            no_proxy: either("NO_PROXY", "no_proxy"),
            service: text("KUBERNETES_SERVICE_HOST").zip(text("KUBERNETES_SERVICE_PORT")),
            pod_namespace: text("POD_NAMESPACE"),
            service_account: None,
            terminal: false,
        }
    }

    pub(crate) fn service_account(&self) -> &Path {
        self.service_account.as_deref().unwrap_or(Path::new("/var/run/secrets/kubernetes.io/serviceaccount"))
    }
}

/// Without the values: a proxy's address may hold a password.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("kubeconfig", &self.kubeconfig).finish_non_exhaustive()
    }
}
