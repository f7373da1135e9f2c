//! A real kube-apiserver on a real etcd: fresh folders, free loopback ports, gone when the value is dropped or the process ends.
//! Everything blocks and works in plain tests and in `#[tokio::test]`; whatever goes wrong panics with what to look at.
//!
//! ```no_run
//! # use clusterlore_testkit::real::ApiServer;
//! let Some(server) = ApiServer::start_or_skip() else { return };
//! server.apply("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}");
//! let kubeconfig = server.kubeconfig("viewer");
//! ```
//!
//! Without controllers and nodes: pods stay Pending, nothing collects garbage, namespaces never finish being deleted.

mod chroma;
mod failures;
mod load;
mod objects;
pub(crate) mod parts;
pub(crate) mod processes;
mod statuses;

use std::{
    fs,
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

pub use chroma::ChromaServer;
pub use objects::small_object;
pub use parts::{
    actionlint_or_skip, browsers_or_skip, helm_or_skip, krew_or_skip, mcp_sdks_or_skip, packers_or_skip,
    schemathesis_or_skip, shared, shells_or_skip,
};
use processes::{Processes, free_ports};

/// How long etcd and kube-apiserver may take together; usually two seconds, far more while a machine compiles.
const START_TIMEOUT: Duration = Duration::from_secs(120);

const API_SERVER: &str = "kube-apiserver";

/// What a test may want to be different.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Further arguments of kube-apiserver, such as `--etcd-compaction-interval=5s` or `--feature-gates=WatchList=false`.
    pub api_server_args: Vec<String>,
    /// Users beside `admin` and `viewer`; they have no rights until [`ApiServer::create_role_for`].
    pub users: Vec<String>,
}

/// A running API server. `admin` may do everything, `viewer` nothing but what every authenticated user may.
#[derive(Debug)]
pub struct ApiServer {
    // Before `dir`, since fields are dropped in order: nothing writes there any more when it is removed.
    processes: Processes,
    dir: TempDir,
    bin: PathBuf,
    url: String,
    users: Vec<String>,
    /// What kube-apiserver was started with.
    api_server: Vec<String>,
}

impl ApiServer {
    /// Starts one with the default options.
    ///
    /// # Panics
    /// The programs are missing, or do not start; the message ends with their last words.
    pub fn start() -> Self {
        Self::start_with(&Options::default())
    }

    /// Starts one.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_with(options: &Options) -> Self {
        let bin = parts::find().unwrap_or_else(|missing| panic!("{missing}"));
        let mut reason = String::new();
        // Ports are free when they are chosen and may be taken a moment later.
        for _ in 0..3 {
            match Self::try_start(&bin, options) {
                Ok(server) => return server,
                Err(e) => reason = e,
            }
            if !reason.contains("address already in use") {
                break;
            }
        }
        panic!("the API server for tests did not start: {reason}");
    }

    /// Starts one, or says on standard error why there is none and gives `None`, so that the test can return.
    ///
    /// # Panics
    /// In CI (`CI=true`), where a missing part is a failure, and as [`Self::start`].
    pub fn start_or_skip() -> Option<Self> {
        Self::start_or_skip_with(&Options::default())
    }

    /// [`Self::start_or_skip`] with options.
    ///
    /// # Panics
    /// As [`Self::start_or_skip`].
    pub fn start_or_skip_with(options: &Options) -> Option<Self> {
        match parts::find() {
            Ok(_) => Some(Self::start_with(options)),
            Err(missing) => parts::skip(&missing),
        }
    }

    fn try_start(bin: &Path, options: &Options) -> Result<Self, String> {
        let dir = tempfile::Builder::new().prefix("clusterlore-api-").tempdir().expect("a temporary folder");
        let at = |name: &str| dir.path().join(name).display().to_string();
        let [client, peer, secure] = free_ports();
        let mut processes = Processes::new(dir.path());
        let deadline = Instant::now() + START_TIMEOUT;

        let etcd = format!("http://127.0.0.1:{client}");
        let peers = format!("http://127.0.0.1:{peer}");
        let mut args = vec!["--data-dir".to_owned(), at("etcd"), "--unsafe-no-fsync".to_owned()];
        args.extend([format!("--listen-client-urls={etcd}"), format!("--advertise-client-urls={etcd}")]);
        args.extend([format!("--listen-peer-urls={peers}"), format!("--initial-advertise-peer-urls={peers}")]);
        args.push(format!("--initial-cluster=default={peers}"));
        // 100,000 pods of 10 KB are more than etcd's usual 2 GB.
        args.push(format!("--quota-backend-bytes={}", 8_u64 << 30));
        processes.start(&bin.join("etcd"), &args);
        processes.wait_for(deadline, || TcpStream::connect(("127.0.0.1", client)).is_ok())?;

        let mut users = vec!["admin".to_owned(), "viewer".to_owned()];
        users.extend(options.users.iter().cloned());
        let tokens = users.iter().map(|user| {
            let groups = if user == "admin" { "system:masters" } else { "" };
            format!("{user}-token,{user},{user},{groups}\n")
        });
        write(&dir.path().join("tokens.csv"), &tokens.collect::<String>());
        let key = at("service-account.key");
        let ecparam = ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &key];
        let made = Command::new("openssl").args(ecparam).output().expect("openssl, on the PATH");
        assert!(made.status.success(), "openssl {ecparam:?}: {}", String::from_utf8_lossy(&made.stderr));

        let mut args: Vec<String> = [
            "--bind-address=127.0.0.1",
            "--service-account-issuer=https://localhost",
            "--service-cluster-ip-range=10.0.0.0/16",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--allow-privileged=true",
        ]
        .map(str::to_owned)
        .to_vec();
        args.extend([format!("--etcd-servers={etcd}"), format!("--secure-port={secure}")]);
        args.extend([format!("--cert-dir={}", at("certs")), format!("--token-auth-file={}", at("tokens.csv"))]);
        // A private key serves for checking, too.
        args.extend(["key-file", "signing-key-file"].map(|flag| format!("--service-account-{flag}={key}")));
        args.extend(options.api_server_args.iter().cloned());
        processes.start(&bin.join(API_SERVER), &args);
        processes.wait_for(deadline, || TcpStream::connect(("127.0.0.1", secure)).is_ok())?;

        let url = format!("https://127.0.0.1:{secure}");
        let mut server = Self { processes, dir, bin: bin.to_owned(), url, users, api_server: args };
        for user in &server.users {
            write(&server.kubeconfig(user), &server.kubeconfig_text(user));
        }
        server.wait_until_ready(deadline)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, deadline: Instant) -> Result<(), String> {
        let ready = Kubectl { bin: self.bin.clone(), dir: self.dir.path().to_owned() };
        self.processes.wait_for(deadline, || ready.run("admin", &["get", "--raw", "/readyz"], None).status.success())
    }

    /// Kills the API server, which forgets what it told to watches and keeps its objects; [`Self::start_again`] brings it back.
    pub fn kill(&mut self) {
        self.processes.kill(API_SERVER);
    }

    /// Starts the API server again at its old address, and waits until it is ready.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) {
        self.processes.start(&self.bin.join(API_SERVER), &self.api_server);
        self.wait_until_ready(Instant::now() + START_TIMEOUT).expect("the API server starts again");
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bearer token of a user.
    ///
    /// # Panics
    /// The server was started without that user.
    pub fn token(&self, user: &str) -> String {
        assert!(self.users.iter().any(|u| u == user), "no user {user:?}; this server knows {:?}", self.users);
        format!("{user}-token")
    }

    /// The certificate authority of the server, in PEM.
    pub fn ca_file(&self) -> PathBuf {
        // What kube-apiserver makes itself holds the server's certificate and the authority that signed it.
        self.dir.path().join("certs/apiserver.crt")
    }

    /// A kubeconfig file for a user; its context is named after the user.
    ///
    /// # Panics
    /// As [`Self::token`].
    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        self.token(user);
        kubeconfig_path(self.dir.path(), user)
    }

    fn kubeconfig_text(&self, user: &str) -> String {
        let (url, ca, token) = (&self.url, self.ca_file(), self.token(user));
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {user}\n\
             clusters: [{{name: test, cluster: {{server: '{url}', certificate-authority: '{}'}}}}]\n\
             users: [{{name: {user}, user: {{token: {token}}}}}]\n\
             contexts: [{{name: {user}, context: {{cluster: test, user: {user}}}}}]\n",
            ca.display()
        )
    }

    /// Runs kubectl as admin and gives its standard output.
    ///
    /// # Panics
    /// kubectl fails; the message holds what it said.
    pub fn kubectl(&self, args: &[&str]) -> String {
        succeeded(args, &self.kubectl_as("admin", args))
    }

    /// Runs kubectl as a user; failing is up to the caller.
    ///
    /// # Panics
    /// As [`Self::token`].
    pub fn kubectl_as(&self, user: &str, args: &[&str]) -> Output {
        self.token(user);
        self.program().run(user, args, None)
    }

    /// Applies manifests (YAML or JSON text, many documents) as admin.
    ///
    /// # Panics
    /// kubectl fails; the message holds what it said.
    pub fn apply(&self, manifests: &str) {
        let args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        succeeded(&args, &self.program().run("admin", &args, Some(manifests)));
    }

    /// Applies the `.yaml`, `.yml` and `.json` files of a folder in the order that makes it work: first the files with custom resource
    /// definitions, until those are served, then those with namespaces, then the others; each sort by name.
    ///
    /// # Panics
    /// kubectl fails; the message holds what it said.
    pub fn apply_folder(&self, dir: &Path) {
        let mut files: Vec<PathBuf> = fs::read_dir(dir)
            .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
            .map(|entry| entry.expect("an entry of a folder").path())
            .filter(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json"))
            .collect();
        files.sort();
        let holding = |files: &mut Vec<PathBuf>, kind: &str| -> Vec<PathBuf> {
            let line = format!("kind: {kind}");
            let holds = |path: &PathBuf| {
                let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                text.lines().any(|l| l.trim_end() == line)
            };
            files.extract_if(.., |path| holds(path)).collect()
        };
        let definitions = holding(&mut files, "CustomResourceDefinition");
        let namespaces = holding(&mut files, "Namespace");
        self.apply_files(&definitions);
        if !definitions.is_empty() {
            self.kubectl(&["wait", "--for=condition=Established", "--timeout=120s", "crd", "--all"]);
        }
        self.apply_files(&namespaces);
        self.apply_files(&files);
    }

    fn apply_files(&self, files: &[PathBuf]) {
        if files.is_empty() {
            return;
        }
        let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
        let mut args = vec!["apply", "--server-side", "--force-conflicts"];
        args.extend(names.iter().flat_map(|name| ["-f", name.as_str()]));
        self.kubectl(&args);
    }

    /// Lets a user read everything in these namespaces (get, list and watch on all types), and nothing elsewhere.
    ///
    /// # Panics
    /// As [`Self::token`], or kubectl fails.
    pub fn create_role_for(&self, user: &str, namespaces: &[&str]) {
        self.token(user);
        let mut manifests = String::from(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: testkit-reader}\n\
             rules: [{apiGroups: ['*'], resources: ['*'], verbs: [get, list, watch]}]\n",
        );
        for namespace in namespaces {
            manifests.push_str(&format!(
                "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
                 metadata: {{name: testkit-{user}, namespace: {namespace}}}\n\
                 roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: testkit-reader}}\n\
                 subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {user}}}]\n"
            ));
        }
        self.apply(&manifests);
    }

    /// Process ids of etcd and kube-apiserver, in this order.
    pub fn process_ids(&self) -> Vec<u32> {
        self.processes.ids()
    }

    /// The folder of this server: data, keys, logs, kubeconfigs.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The kubectl that the methods here call.
    pub fn kubectl_path(&self) -> PathBuf {
        self.bin.join("kubectl")
    }

    fn program(&self) -> Kubectl {
        Kubectl { bin: self.bin.clone(), dir: self.dir.path().to_owned() }
    }
}

/// What is needed to call kubectl.
struct Kubectl {
    bin: PathBuf,
    dir: PathBuf,
}

impl Kubectl {
    fn run(&self, user: &str, args: &[&str], input: Option<&str>) -> Output {
        let mut command = Command::new(self.bin.join("kubectl"));
        // Its usual cache lies in the home folder under HOST_PORT, and ports are used again by other servers.
        command.arg("--kubeconfig").arg(kubeconfig_path(&self.dir, user));
        command.arg("--cache-dir").arg(self.dir.join("kubectl-cache")).args(args);
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl can be started");
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), input) {
            // kubectl that gave up early says why itself; a broken pipe here adds nothing.
            let _ = pipe.write_all(text.as_bytes());
        }
        child.wait_with_output().expect("kubectl's output can be read")
    }
}

fn succeeded(args: &[&str], output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "kubectl {} ended with {}:\n{err}{out}", args.join(" "), output.status);
    out.into_owned()
}

fn kubeconfig_path(dir: &Path, user: &str) -> PathBuf {
    dir.join(format!("{user}.kubeconfig"))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}
