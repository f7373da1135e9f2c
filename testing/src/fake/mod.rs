//! An API server of plain HTTP on a loopback port, with the lists, watches, discovery forms and permissions of a real one and every
//! fault that a test asks for. It runs on a thread of its own, so that the compiled program can be run against it, and ends when it
//! is dropped.

mod exchange;
mod fault;
mod history;
pub mod hostile;
mod routes;
mod state;
mod watch;
mod wire;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clusterlore_core::{ResourceInstance, ResourceType};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

pub use fault::Fault;
pub use state::{DiscoveryForm, Encoding, Seen};
use state::{Generated, State};
/// What every object served carries where nobody may read: in annotations that do not describe, managed fields, spec and data.
pub use wire::NEVER_READ;

/// A type whose objects are in namespaces, in version v1: `deployments.apps`, `Deployment`.
pub fn namespaced(name: &str, kind: &str) -> ResourceType {
    let (plural, group) = name.split_once('.').unwrap_or((name, ""));
    ResourceType {
        plural: plural.into(),
        group: group.into(),
        version: "v1".into(),
        kind: kind.into(),
        namespaced: true,
        ..ResourceType::default()
    }
}

/// See the module. Begins with the type `namespaces` and the namespaces `default` and `kube-system`.
pub struct FakeApiServer {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    kubeconfig: PathBuf,
    _folder: TempDir,
    _stop: oneshot::Sender<()>,
}

impl FakeApiServer {
    /// Starts on a free port.
    ///
    /// # Panics
    /// No port, thread or temporary folder can be had.
    pub async fn start() -> Self {
        let (ready, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let state = Arc::new(Mutex::new(State::new()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
                let _ = ready.send(listener.local_addr().expect("an address"));
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, shared) => {}
                }
            });
        });
        let address = address.await.expect("the server's thread starts");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, kubeconfig_text(address)).expect("the kubeconfig can be written");
        Self { state, address, kubeconfig, _folder: folder, _stop: stop }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A kubeconfig with the one context `fake`, namespace `default`.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Serves a type; the first version added of a group has priority. Without verbs it gets those of an ordinary type. Types
    /// of groups outside `k8s.io` that have a dot in their name get a custom resource definition with the type's description.
    pub fn add_type(&self, mut ty: ResourceType) -> &Self {
        if ty.verbs.is_empty() {
            ty.verbs = ["create", "delete", "get", "list", "patch", "update", "watch"].map(Into::into).into();
        }
        self.state().types.push(ty);
        self
    }

    /// Serves the type no longer, nor its objects.
    pub fn remove_type(&self, name: &str) -> &Self {
        self.state().remove_type(name);
        self
    }

    /// Creates or replaces an object. uid, resourceVersion and creation time are filled in where they are empty, and its
    /// namespace is created. Its type, found by group and kind, must have been added.
    ///
    /// # Panics
    /// The type is not known.
    pub fn put(&self, instance: ResourceInstance) -> &Self {
        self.state().put(instance);
        self
    }

    /// As [`Self::put`], all at once: a storm for whoever watches.
    ///
    /// # Panics
    /// A type is not known.
    pub fn put_all(&self, instances: impl IntoIterator<Item = ResourceInstance>) -> &Self {
        let mut state = self.state();
        instances.into_iter().for_each(|instance| state.put(instance));
        drop(state);
        self
    }

    /// Deletes an object by its id.
    pub fn remove(&self, id: &str) -> &Self {
        self.state().remove(id);
        self
    }

    /// The `resourceVersion` of now.
    pub fn resource_version(&self) -> String {
        self.state().resource_version.to_string()
    }

    /// Keeps so many changes for watches; who asks for what happened before is too late.
    pub fn keep_history(&self, changes: usize) -> &Self {
        self.state().history.keep(changes);
        self
    }

    /// Forgets all changes so far, as etcd does when it is compacted.
    pub fn forget_history(&self) -> &Self {
        self.state().history.forget();
        self
    }

    /// Whether a watch that comes too late is refused with a 410. As with a real server it otherwise opens, and the 410 is its only event.
    pub fn refuse_expired(&self, refuse: bool) -> &Self {
        self.state().history.refuses = refuse;
        self
    }

    /// Time between the bookmarks of watches that are opened from here on; a minute at first.
    pub fn bookmarks_every(&self, time: Duration) -> &Self {
        self.state().history.bookmarks = time;
        self
    }

    /// Whether watches may ask for initial events; at first they may not, as with a server of 1.33.
    pub fn allow_initial_events(&self, allow: bool) -> &Self {
        self.state().history.initial_events = allow;
        self
    }

    /// Whether watches that ask for initial events are answered as by a server before 1.27, which does not know of them.
    pub fn ignore_initial_events(&self, ignore: bool) -> &Self {
        self.state().history.ignores_initial_events = ignore;
        self
    }

    /// Serves `count` further objects of a type, each made when it is asked for and held nowhere. `make` must give names that
    /// are stable and distinct.
    pub fn generate(
        &self,
        type_name: &str,
        count: usize,
        make: impl Fn(usize) -> ResourceInstance + Send + Sync + 'static,
    ) -> &Self {
        self.state().generated.insert(type_name.to_owned(), Generated { count, make: Arc::new(make) });
        self
    }

    /// In which forms lists of the type are served.
    pub fn encoding(&self, type_name: &str, encoding: Encoding) -> &Self {
        self.state().encodings.insert(type_name.to_owned(), encoding);
        self
    }

    /// In which form types are served.
    pub fn discovery(&self, form: DiscoveryForm) -> &Self {
        self.state().form = form;
        self
    }

    /// Makes a group version stale in aggregated discovery, with or without its resources, and a 503 in the old form.
    pub fn stale(&self, group: &str, version: &str, with_resources: bool) -> &Self {
        self.state().stale.insert((group.to_owned(), version.to_owned()), with_resources);
        self
    }

    /// The group version can be read again.
    pub fn fresh(&self, group: &str, version: &str) -> &Self {
        self.state().stale.remove(&(group.to_owned(), version.to_owned()));
        self
    }

    /// Takes back every grant for a namespace.
    pub fn revoke(&self, namespace: &str) -> &Self {
        self.state().grants.retain(|(n, _)| n != namespace);
        self
    }

    /// Allows listing a type in a namespace, or everywhere when the namespace is `*`. From the first grant on, what is not
    /// granted is forbidden.
    pub fn grant(&self, namespace: &str, type_name: &str) -> &Self {
        self.state().grants.push((namespace.to_owned(), type_name.to_owned()));
        self
    }

    /// Forbids everything that is not granted, also before the first grant.
    pub fn deny_by_default(&self) -> &Self {
        self.state().denied = true;
        self
    }

    /// Whether rules reviews come without rules and say that they are incomplete.
    pub fn rules_incomplete(&self, incomplete: bool) -> &Self {
        self.state().rules_incomplete = incomplete;
        self
    }

    /// Adds a fault to the requests of a type's lists; `*` means every request, `/path` those below a path. The fault set last
    /// comes first.
    pub fn fault(&self, target: &str, fault: Fault) -> &Self {
        self.state().faults.push((target.to_owned(), fault));
        self
    }

    /// From here on everything goes well again.
    pub fn clear_faults(&self) -> &Self {
        self.state().faults.clear();
        self
    }

    /// All requests so far, in order.
    pub fn requests(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// How many requests went to this exact path.
    pub fn count(&self, path: &str) -> usize {
        self.state().seen.iter().filter(|s| s.path == path).count()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) -> &Self {
        self.state().seen.clear();
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kubeconfig_text(address: SocketAddr) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: fake\n\
         clusters:\n- name: fake\n  cluster: {{server: \"http://{address}\"}}\n\
         users:\n- name: fake\n  user: {{token: fake-token}}\n\
         contexts:\n- name: fake\n  context: {{cluster: fake, user: fake, namespace: default}}\n"
    )
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(move |request| routes::answer(Arc::clone(&state), request));
            // A connection that a fault cut, or a client left, is no error of the server.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}
