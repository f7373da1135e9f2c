//! The chart of `packaging/helm`. What it renders is applied to a real API server, and `serve` runs as its service account, with the
//! arguments, variables and files of its Deployment: it indexes exactly what the chart lets it list. Without controllers no pod starts.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use clusterlore_catalogue::Catalogue;
use clusterlore_testkit::postgres::PostgresServer;
use clusterlore_testkit::real::{ApiServer, helm_or_skip, shared};
use common::serving::Serving;
use common::{Home, Ran};
use serde_json::{Value, json};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/helm/clusterlore");
const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/deploy.md");
const EVERY_TYPE: &str = include_str!("manifests/every-type.yaml");
const CUSTOM_TYPES: &str = include_str!("manifests/custom-types.yaml");
const CUSTOM_OBJECTS: &str = "---\n{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: web, namespace: shop}}\n\
     ---\n{apiVersion: shop.example.org/v1, kind: Order, metadata: {name: first, namespace: shop}}\n";

/// What an API server lists, and clusterlore never indexes.
const NEVER_INDEXED: [&str; 7] = [
    "componentstatuses",
    "customresourcedefinitions.apiextensions.k8s.io",
    "endpoints",
    "endpointslices.discovery.k8s.io",
    "events",
    "events.events.k8s.io",
    "leases.coordination.k8s.io",
];
/// For everything that is no matter of a moment.
const PATIENCE: Duration = Duration::from_secs(60);

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(Path::new(CHART).join(path)).unwrap()).unwrap()
}

/// The program helm, with folders of its own.
struct Helm {
    program: PathBuf,
    home: Home,
}

impl Helm {
    fn new() -> Option<Self> {
        Some(Self { program: helm_or_skip()?, home: Home::new() })
    }

    /// Runs it over the chart, with values in YAML.
    fn run(&self, args: &[&str], values: &str) -> Ran {
        let mut command = Command::new(&self.program);
        command.args(args).args([CHART, "--values", "-"]).current_dir(self.home.folder.path());
        command.env_clear().env("HOME", self.home.folder.path()).env("KUBECONFIG", "/dev/null");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(values.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    fn render(&self, namespace: &str, values: &str) -> String {
        self.run(&["template", "lore", "--namespace", namespace], values).ok().out
    }
}

/// What is installed in a namespace.
struct Release<'a> {
    server: &'a ApiServer,
    namespace: &'a str,
}

impl<'a> Release<'a> {
    /// Applies what the chart renders in a namespace that admits restricted pods only: tried first, and then truly.
    fn install(server: &'a ApiServer, helm: &Helm, namespace: &'a str, values: &str) -> Self {
        let rendered = helm.render(namespace, values);
        server.apply(&format!(
            "---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}, labels: {{pod-security.kubernetes.io/enforce: restricted}}}}}}\n"
        ));
        let file = helm.home.write("rendered.yaml", &rendered);
        server.kubectl(&["apply", "--server-side", "--dry-run=server", "-f", file.to_str().unwrap()]);
        server.apply(&rendered);
        let release = Self { server, namespace };
        release.pods_are_restricted(&helm.home);
        release
    }

    fn get(&self, args: &[&str]) -> String {
        self.server.kubectl(&[&["get", "-n", self.namespace], args].concat())
    }

    fn template(&self) -> Value {
        json(&self.get(&["deployment", "lore-clusterlore", "-o", "json"]))["spec"]["template"].take()
    }

    /// The pod would be admitted, and one that asks for more would not.
    fn pods_are_restricted(&self, home: &Home) {
        let mut pod =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "try"}, "spec": self.template()["spec"]});
        for more in [false, true] {
            if more {
                pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = true.into();
            }
            let file = home.write("pod.json", &pod.to_string());
            let args = ["create", "--dry-run=server", "-n", self.namespace, "-f", file.to_str().unwrap()];
            let ran = Ran::of(self.server.kubectl_as("admin", &args));
            assert_eq!(ran.status != 0 && ran.err.contains("violates PodSecurity \"restricted"), more, "{}", ran.err);
        }
        let container = &pod["spec"]["containers"][0]["securityContext"];
        assert_eq!(container["readOnlyRootFilesystem"], true);
    }

    /// A kubeconfig of the service account, with a token as a pod gets one.
    fn kubeconfig(&self, home: &Home) -> PathBuf {
        let account = self.template()["spec"]["serviceAccountName"].as_str().unwrap().to_owned();
        let token = self.server.kubectl(&["create", "token", &account, "-n", self.namespace]);
        let admin = fs::read_to_string(self.server.kubeconfig("admin")).unwrap();
        home.write("account.kubeconfig", &admin.replace("token: admin-token", &format!("token: {}", token.trim())))
    }

    fn secret(&self, name: &str, key: &str) -> String {
        let template = format!("{{{{index .data {key:?} | base64decode}}}}");
        self.get(&["secret", name, "-o", &format!("go-template={template}")])
    }

    /// Does what a kubelet does with the pod: files of Secrets, variables, arguments; all under a folder instead of `/`. Nothing is set but
    /// what the pod sets. The address is another one, and the way to the API server a kubeconfig.
    fn start(&self, home: &Home) -> Serving {
        let spec = &self.template()["spec"];
        let container = &spec["containers"][0];
        let all = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut mounted = Vec::new();
        for mount in all(&container["volumeMounts"]) {
            let at = text(&mount["mountPath"]);
            let folder = home.path(&format!("pod{at}"));
            fs::create_dir_all(&folder).unwrap();
            let volume = all(&spec["volumes"]).into_iter().find(|volume| volume["name"] == mount["name"]).unwrap();
            if let Some(name) = volume["secret"]["secretName"].as_str() {
                let items = all(&volume["secret"]["items"]);
                let mut files: Vec<_> = items.iter().map(|item| (text(&item["key"]), text(&item["path"]))).collect();
                if files.is_empty() {
                    let secret = json(&self.get(&["secret", name, "-o", "json"]));
                    files = secret["data"].as_object().unwrap().keys().map(|key| (key.clone(), key.clone())).collect();
                }
                for (key, path) in files {
                    fs::write(folder.join(path), self.secret(name, &key)).unwrap();
                }
            }
            mounted.push((at, folder));
        }
        let placed = |value: &str| {
            let place = |(at, folder): &(String, PathBuf)| {
                let rest = value.strip_prefix(at.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
                Some(format!("{}{rest}", folder.display()))
            };
            let found = mounted.iter().find_map(place);
            assert!(found.is_some() || !value.starts_with('/'), "{value} is nowhere in the pod");
            found.unwrap_or_else(|| value.to_owned())
        };
        let variables: Vec<(String, String)> = all(&container["env"])
            .iter()
            .map(|variable| {
                let from = &variable["valueFrom"]["secretKeyRef"];
                let value = match variable["value"].as_str() {
                    Some(value) => placed(value),
                    None => self.secret(from["name"].as_str().unwrap(), from["key"].as_str().unwrap()),
                };
                (text(&variable["name"]), value)
            })
            .collect();
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let given: Vec<String> = all(&container["args"]).iter().map(text).collect();
        assert_eq!(given[..2], ["serve", "--listen=0.0.0.0:8080"]);
        let mut args: Vec<String> = given[2..]
            .iter()
            .map(|arg| match arg.split_once('=') {
                Some((flag, value)) => format!("{flag}={}", placed(value)),
                None => arg.clone(),
            })
            .collect();
        args.push(format!("--kubeconfig={}", self.kubeconfig(home).display()));
        Serving::start_with(home, "127.0.0.1:0", &args.iter().map(String::as_str).collect::<Vec<_>>(), &variables)
    }

    /// What the service account may list, by its own word, of what is served.
    fn may_list(&self, home: &Home) -> BTreeSet<String> {
        let mut kubectl = Command::new(self.server.kubectl_path());
        kubectl.arg("--kubeconfig").arg(self.kubeconfig(home)).args(["auth", "can-i", "--list", "--no-headers"]);
        let told = Ran::of(kubectl.env("HOME", home.folder.path()).output().unwrap()).ok().out;
        let rows = told.lines().filter(|line| !line.starts_with(' '));
        let lists = rows.filter(|row| {
            let verbs = row.rsplit('[').next().unwrap().trim_end_matches([']', ' ']);
            verbs.split(' ').any(|verb| ["list", "*"].contains(&verb))
        });
        let granted: Vec<&str> = lists.filter_map(|row| row.split_whitespace().next()).collect();
        let may = |name: &String| {
            granted.iter().any(|granted| match granted.strip_prefix("*.") {
                Some(group) => group == "*" || name.split_once('.').is_some_and(|(_, of)| of == group),
                None => granted == name,
            })
        };
        served(self.server).into_iter().filter(may).collect()
    }
}

/// Types that are listed by the API server.
fn served(server: &ApiServer) -> BTreeSet<String> {
    server.kubectl(&["api-resources", "--verbs=list", "-o", "name"]).lines().map(str::to_owned).collect()
}

/// Types of the index, once it is filled.
fn indexed(serving: &Serving, token: &str) -> BTreeSet<String> {
    serving.until(PATIENCE, || serving.get("/readyz").0 == 200);
    let (status, text) = serving.send("GET", "/api/v1/status", token, "");
    assert_eq!(status, 200, "{text}");
    json(&text)["documents"].as_array().unwrap().iter().map(|of| of["type"].as_str().unwrap().to_owned()).collect()
}

fn ids(serving: &Serving, token: &str, question: &str) -> Vec<String> {
    let (status, text) = serving.send("GET", &format!("/api/v1/search?{question}"), token, "");
    assert_eq!(status, 200, "{text}");
    json(&text)["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

/// Whether the cluster itself is asked what only it knows.
fn is_live(serving: &Serving, token: &str) -> bool {
    let (_, text) = serving.send("GET", "/api/v1/search?q=which+pods+are+not+ready", token, "");
    let needs = &json(&text)["needs"];
    needs[0]["read"].as_bool().unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn it_indexes_exactly_what_the_chart_lets_it_list() {
    let (Some(helm), Some(server)) = (Helm::new(), ApiServer::start_or_skip()) else { return };
    // Before there is any custom resource: the chart by default needs none.
    let by_default = Release::install(&server, &helm, "by-default", "");
    let monitored = helm.render("monitored", "serviceMonitor: {enabled: true}");
    let file = helm.home.write("monitored.yaml", &monitored);
    let refused = Ran::of(server.kubectl_as("admin", &["apply", "--dry-run=server", "-f", file.to_str().unwrap()]));
    assert!(refused.status != 0 && refused.err.contains("no matches for kind \"ServiceMonitor\""), "{}", refused.err);

    server.apply(EVERY_TYPE);
    server.apply(CUSTOM_TYPES);
    server.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
    server.apply(CUSTOM_OBJECTS);
    let never = set(NEVER_INDEXED);
    let everything: BTreeSet<String> = served(&server).difference(&never).cloned().collect();
    let check = |name: &str, release: &Release<'_>, token: &str, absent: &BTreeSet<String>| {
        let home = Home::new();
        let serving = release.start(&home);
        let (index, may_list) = (indexed(&serving, token), release.may_list(&home));
        assert_eq!(index, may_list.difference(&never).cloned().collect(), "{name}: what kubectl says it may list");
        assert_eq!(index, everything.difference(absent).cloned().collect(), "{name}: what its values say");
        println!("{name}: {} of {} types, {} not listed", index.len(), everything.len(), absent.len());
        // It says so, and goes on.
        let said = serving.said();
        assert_eq!(said.contains("their documents stay: "), !absent.is_empty(), "{said}");
        (home, serving)
    };

    // By default: everything but Secrets and what nobody knows.
    let unless_asked = set(["orders.shop.example.org", "secrets"]);
    {
        let (_home, serving) = check("by default", &by_default, "admin-token", &unless_asked);
        let skipped = "Skipped 2 resource types, their documents stay: ";
        let said = serving.said();
        assert!(said.contains(skipped) && said.contains("secrets (forbidden"), "{said}");
        assert_eq!(serving.send("GET", "/api/v1/instances/shop/v1/Secret/password", "admin-token", "").0, 404);
        assert!(is_live(&serving, "admin-token"));
        // It watches, too.
        server.apply("---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: later, namespace: shop}}\n");
        let later = || serving.send("GET", "/api/v1/instances/shop/v1/ConfigMap/later", "admin-token", "").0 == 200;
        serving.until(PATIENCE, later);
        // Its rights tell who asks, and what they may see.
        server.create_role_for("viewer", &["shop"]);
        let maps = "kind=configmap&limit=100";
        assert_eq!(ids(&serving, "viewer-token", maps), ["shop/v1/ConfigMap/later", "shop/v1/ConfigMap/settings"]);
        assert!(ids(&serving, "admin-token", maps).len() > 2);
        assert_eq!(["", "nobody-token"].map(|token| serving.send("GET", "/api/v1/status", token, "").0), [401, 401]);
    }

    let config = set(["configmaps", "limitranges", "resourcequotas"]);
    let rbac = ["clusterrolebindings", "clusterroles", "rolebindings", "roles"];
    let rbac = rbac
        .map(|plural| format!("{plural}.rbac.authorization.k8s.io"))
        .into_iter()
        .chain(["serviceaccounts".to_owned()]);
    let two = unless_asked.iter().cloned().chain(config).chain(rbac).collect();
    let release = Release::install(&server, &helm, "two-off", "rbac: {read: {config: false, rbac: false}}");
    check("two groups off", &release, "admin-token", &two);

    let values = "rbac: {read: {secrets: true}, customApiGroups: [shop.example.org], events: true, logs: true}";
    let release = Release::install(&server, &helm, "all-on", values);
    let (_home, serving) = check("all on", &release, "admin-token", &BTreeSet::new());
    assert_eq!(serving.send("GET", "/api/v1/instances/shop/v1/Secret/password", "admin-token", "").0, 200);
    drop(serving);

    let off = "networking: false, storage: false, config: false, cluster: false, admission: false, rbac: false, customResources: false";
    let release = Release::install(&server, &helm, "workloads", &format!("rbac: {{read: {{{off}}}, live: false}}"));
    let workloads = [
        ("", &["pods", "podtemplates", "replicationcontrollers"][..]),
        (".apps", &["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"]),
        (".autoscaling", &["horizontalpodautoscalers"]),
        (".batch", &["cronjobs", "jobs"]),
        (".policy", &["poddisruptionbudgets"]),
    ];
    let workloads =
        workloads.iter().flat_map(|(group, plurals)| plurals.iter().map(move |plural| format!("{plural}{group}")));
    let others = everything.difference(&workloads.collect()).cloned().collect();
    let (_home, serving) = check("workloads alone, not live", &release, "admin-token", &others);
    assert!(!is_live(&serving, "admin-token"));
    drop(serving);

    // Callers with Kubernetes tokens for this server alone, and controllers that post with tokens of a file.
    let home = Home::new();
    let token =
        |args: &[&str]| home.run(&[&["token"], args, &["--tokens", "made.toml"]].concat()).ok().out.trim().to_owned();
    let (ann, controller) = (token(&["ann", "--see-all"]), token(&["controller", "--write", "east"]));
    let file = format!("--from-file=tokens.toml={}", home.path("made.toml").display());
    for namespace in ["audience", "tokens"] {
        server.apply(&format!("---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}\n"));
        server.kubectl(&["create", "secret", "generic", "callers", "-n", namespace, &file]);
    }
    let values = "{clusterName: east, auth: {audiences: [lore.example.org], oidcIssuers: [https://login.example.org], \
                  publicUrl: https://lore.example.org, tokens: {existingSecret: callers}}}";
    let release = Release::install(&server, &helm, "audience", values);
    server.apply("---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: caller, namespace: shop}}\n");
    server.kubectl(&[
        "create",
        "clusterrolebinding",
        "caller",
        "--clusterrole=cluster-admin",
        "--serviceaccount=shop:caller",
    ]);
    let of_caller = |audience: &str| {
        server.kubectl(&["create", "token", "caller", "-n", "shop", "--audience", audience]).trim().to_owned()
    };
    let (_home, serving) = check("for an audience", &release, &of_caller("lore.example.org"), &unless_asked);
    assert_eq!(serving.send("GET", "/api/v1/status", &of_caller("https://localhost"), "").0, 401);
    let post = r#"{"upserts":[],"deletes":[]}"#;
    assert_eq!(serving.send("POST", "/api/v1/instances/sync", &controller, post).0, 200);
    let metadata = serving.get("/.well-known/oauth-protected-resource").1;
    assert!(
        metadata.contains("https://lore.example.org") && metadata.contains("https://login.example.org"),
        "{metadata}"
    );
    drop(serving);

    let values = "{auth: {mode: token, tokens: {existingSecret: callers}}, serviceMonitor: {enabled: true}}";
    let release = Release::install(&server, &helm, "tokens", values);
    assert!(release.get(&["servicemonitor", "-o", "name"]).contains("/lore-clusterlore"));
    let (home, serving) = check("tokens of a file", &release, &ann, &unless_asked);
    assert_eq!(serving.send("GET", "/api/v1/status", "admin-token", "").0, 401);
    // Reviews are for those who ask Kubernetes who somebody is.
    let mut kubectl = Command::new(server.kubectl_path());
    let kubeconfig = release.kubeconfig(&home);
    kubectl.arg("--kubeconfig").arg(kubeconfig).args(["auth", "can-i", "create", "tokenreviews.authentication.k8s.io"]);
    assert_eq!(Ran::of(kubectl.env("HOME", home.folder.path()).output().unwrap()).out, "no\n");
    drop(serving);

    // A certificate from a Secret.
    server.apply("---\n{apiVersion: v1, kind: Namespace, metadata: {name: tls}}\n");
    let args =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lore", "-keyout", "tls.key", "-out", "tls.crt"];
    let made = Command::new("openssl").args(args).current_dir(home.folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let [cert, key] = ["crt", "key"].map(|end| home.path(&format!("tls.{end}")).display().to_string());
    server.kubectl(&["create", "secret", "tls", "pair", "-n", "tls", "--cert", &cert, "--key", &key]);
    let release = Release::install(&server, &helm, "tls", "tls: {existingSecret: pair}");
    let home = Home::new();
    let mut serving = release.start(&home);
    assert!(serving.said().contains("Serving on https://"), "{}", serving.said());
    assert_eq!(serving.end("-TERM"), Some(0));
    assert_eq!(release.template()["spec"]["containers"][0]["readinessProbe"]["httpGet"]["scheme"], "HTTPS");

    // What to type next, and which custom resources are not indexed.
    let kubeconfig = server.kubeconfig("admin");
    let args =
        ["install", "lore", "--dry-run=server", "--namespace", "fresh", "--kubeconfig", kubeconfig.to_str().unwrap()];
    let notes = helm.run(&args, "").ok().out;
    let notes = notes.split("NOTES:").nth(1).unwrap();
    for part in [
        "port-forward service/lore-clusterlore 8080:80",
        "leaves it out: secrets.",
        "rbac.customApiGroups={shop.example.org}",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
}

#[test]
fn two_replicas_share_an_index_in_postgres() {
    let (Some(helm), Some(server), Some(postgres)) =
        (Helm::new(), ApiServer::start_or_skip(), PostgresServer::start_or_skip())
    else {
        return;
    };
    server.apply("---\n{apiVersion: v1, kind: Namespace, metadata: {name: lore}}\n");
    let url = format!("--from-literal=url={}", postgres.create_database("lore"));
    server.kubectl(&["create", "secret", "generic", "database", "-n", "lore", &url]);
    let release = Release::install(&server, &helm, "lore", "{replicas: 2, postgres: {existingSecret: database}}");
    assert_eq!(release.get(&["deployment", "-o", "jsonpath={.items[*].spec.replicas}"]), "2");
    assert!(release.get(&["pdb", "-o", "name"]).contains("/lore-clusterlore"));
    assert_eq!(release.get(&["pvc", "-o", "name"]), "");

    let homes = [Home::new(), Home::new()];
    let [mut one, mut other] = homes.each_ref().map(|home| release.start(home));
    let types = indexed(&one, "admin-token");
    assert_eq!(types, indexed(&other, "admin-token"));
    // Nobody made an object of each type here.
    let may_list = release.may_list(&homes[0]);
    assert!(types.is_subset(&may_list) && types.contains("namespaces") && !types.contains("secrets"), "{types:?}");
    let stands_by = |serving: &Serving| json(&serving.get("/readyz").1)["standby"].is_array();
    if stands_by(&one) {
        std::mem::swap(&mut one, &mut other);
    }
    assert!(!stands_by(&one) && stands_by(&other));
    assert_eq!(one.end("-TERM"), Some(0));
    let took = other.until(Duration::from_secs(30), || !stands_by(&other));
    println!("the other writes {took:?} later");
    server.apply("---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: later, namespace: lore}}\n");
    other
        .until(PATIENCE, || other.send("GET", "/api/v1/instances/lore/v1/ConfigMap/later", "admin-token", "").0 == 200);
}

#[test]
fn helm_finds_no_fault() {
    let Some(helm) = Helm::new() else { return };
    for values in [
        "",
        "{replicas: 3, postgres: {existingSecret: a}}",
        "{auth: {mode: token, tokens: {existingSecret: a}}, tls: {existingSecret: b}, persistence: {enabled: false}}",
        "{ingress: {enabled: true, className: edge, hosts: [lore.example.org], tlsSecret: a}, serviceMonitor: {enabled: true}}",
        "{rbac: {create: false}, serviceAccount: {create: false, name: mine}, networkPolicy: {enabled: false}}",
        "{image: {repository: registry.example.org:5000/a/lore, digest: 'sha256:0000000000000000000000000000000000000000000000000000000000000000'}}",
        "{runAsUser: null, podLabels: {team: a}, nodeSelector: {disk: fast}, tolerations: [{key: a}], priorityClassName: high}",
        "{extraArgs: ['--annotations=a/b'], extraEnv: [{name: A, value: b}], extraVolumes: [{name: a}], extraVolumeMounts: [{name: a, mountPath: /a}]}",
        "{resources: null, podLabels: null, serviceMonitor: {labels: null}, extraVolumes: null, tolerations: null}",
        "{resources: {limits: null}, nodeSelector: null}",
        "{networkPolicy: {from: [{podSelector: {}}], extraEgress: [{ports: [{port: 4318}]}]}, global: {a: b}}",
    ] {
        let ran = helm.run(&["lint", "--strict"], values);
        assert!(ran.status == 0 && ran.out.contains("0 chart(s) failed"), "{values}: {}{}", ran.out, ran.err);
        helm.render("lore", values);
    }
}

#[test]
fn wrong_values_are_refused_and_the_message_says_what_was_expected() {
    let Some(helm) = Helm::new() else { return };
    for (values, told) in [
        ("{replicaCount: 2}", "at '': additional properties 'replicaCount' not allowed"),
        ("{replicas: two}", "at '/replicas': got string, want integer"),
        ("{replicas: 0}", "at '/replicas': minimum: got 0, want 1"),
        ("{replicas: 1.5}", "at '/replicas': got number, want integer"),
        ("{image: clusterlore}", "at '/image': got string, want object"),
        ("{image: {repository: ''}}", "at '/image/repository'"),
        ("{image: {repository: Lore}}", "at '/image/repository': 'Lore' does not match pattern"),
        ("{image: {tag: 1.0}}", "at '/image/tag': got number, want string"),
        ("{image: {digest: abc}}", "at '/image/digest': 'abc' does not match pattern"),
        (
            "{image: {pullPolicy: always}}",
            "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
        ),
        ("{imagePullSecrets: [{name: a}]}", "at '/imagePullSecrets/0': got object, want string"),
        ("{fullnameOverride: A_B}", "at '/fullnameOverride': 'A_B' does not match pattern"),
        ("{clusterName: a b}", "at '/clusterName': 'a b' does not match pattern"),
        ("{embedder: ada}", "at '/embedder': 'ada' does not match pattern"),
        ("{limits: {rate: 0}}", "at '/limits/rate': minimum: got 0, want 1"),
        ("{logFormat: xml}", "at '/logFormat': value must be one of 'json', 'text'"),
        ("{listenAddress: 127.0.0.1}", "at '/listenAddress': value must be one of '0.0.0.0', '[::]'"),
        ("{auth: {mode: none}}", "at '/auth/mode': value must be one of 'kubernetes', 'token'"),
        ("{auth: {audiences: lore}}", "at '/auth/audiences': got string, want array"),
        ("{auth: {oidcIssuers: ['http://login.example.org']}}", "at '/auth/oidcIssuers/0'"),
        ("{auth: {publicUrl: lore.example.org}}", "at '/auth/publicUrl'"),
        ("{auth: {tokens: secret}}", "at '/auth/tokens': got string, want object"),
        ("{postgres: {url: 'postgres://a@b/c'}}", "at '/postgres': additional properties 'url' not allowed"),
        ("{postgres: {port: 70000}}", "at '/postgres/port': maximum: got 70,000, want 65,535"),
        (
            "{postgres: {existingSecret: My Secret}}",
            "at '/postgres/existingSecret': 'My Secret' does not match pattern",
        ),
        ("{persistence: {size: big}}", "at '/persistence/size': 'big' does not match pattern"),
        ("{persistence: {accessMode: ReadWriteMany}}", "at '/persistence/accessMode': value must be one of"),
        ("{persistence: {enabled: 'yes'}}", "at '/persistence/enabled': got string, want boolean"),
        ("{tls: {certificate: x}}", "at '/tls': additional properties 'certificate' not allowed"),
        ("{serviceAccount: {annotations: {a: 1}}}", "at '/serviceAccount/annotations/a': got number, want string"),
        ("{rbac: {read: {pods: true}}}", "at '/rbac/read': additional properties 'pods' not allowed"),
        ("{rbac: {read: {secrets: 'false'}}}", "at '/rbac/read/secrets': got string, want boolean"),
        ("{rbac: {read: [workloads]}}", "at '/rbac/read': got array, want object"),
        ("{rbac: {customApiGroups: ['*.example.org']}}", "at '/rbac/customApiGroups/0'"),
        ("{rbac: {customApiGroups: [a.b, a.b]}}", "at '/rbac/customApiGroups': items at 0 and 1 are equal"),
        ("{service: {type: ExternalName}}", "at '/service/type': value must be one of"),
        ("{ingress: {hosts: ['https://lore.example.org']}}", "at '/ingress/hosts/0'"),
        ("{networkPolicy: {apiServerPorts: []}}", "at '/networkPolicy/apiServerPorts': minItems: got 0, want 1"),
        ("{networkPolicy: {from: [{}]}}", "at '/networkPolicy/from/0': minProperties: got 0, want 1"),
        ("{serviceMonitor: {interval: 30}}", "at '/serviceMonitor/interval': got number, want string"),
        ("{podDisruptionBudget: {maxUnavailable: all}}", "at '/podDisruptionBudget/maxUnavailable'"),
        ("{resources: {memory: 1Gi}}", "at '/resources': additional properties 'memory' not allowed"),
        ("{runAsUser: 0}", "at '/runAsUser': minimum: got 0, want 1"),
        ("{extraArgs: [no-watch]}", "at '/extraArgs/0': 'no-watch' does not match pattern"),
        ("{extraEnv: [{value: a}]}", "at '/extraEnv/0': missing property 'name'"),
        ("{extraVolumeMounts: [{name: a}]}", "at '/extraVolumeMounts/0': missing property 'mountPath'"),
        // What the API server would refuse, or what would never work.
        ("{fullnameOverride: 1abc}", "at '/fullnameOverride': '1abc' does not match pattern"),
        ("{resources: {limits: {memory: lots}}}", "at '/resources/limits/memory': 'lots' does not match pattern"),
        ("{resources: {requests: {cpu: -1}}}", "at '/resources/requests/cpu': minimum: got -1, want 0"),
        ("{resources: {requests: {cores: 1}}}", "at '/resources/requests': additional properties 'cores' not allowed"),
        ("{persistence: {size: 0Gi}}", "at '/persistence/size'"),
        ("{podLabels: {team: 'a b'}}", "at '/podLabels/team': 'a b' does not match pattern"),
        ("{podLabels: {'a b': team}}", "at '/podLabels': additional properties 'a b' not allowed"),
        ("{nodeSelector: {'/disk': fast}}", "at '/nodeSelector': additional properties '/disk' not allowed"),
        ("{podAnnotations: {'a/b/c': x}}", "at '/podAnnotations': additional properties 'a/b/c' not allowed"),
        ("{ingress: {hosts: [10.0.0.1]}}", "at '/ingress/hosts/0'"),
        ("{podDisruptionBudget: {maxUnavailable: 0%}}", "at '/podDisruptionBudget/maxUnavailable'"),
        ("{podDisruptionBudget: {maxUnavailable: 0}}", "at '/podDisruptionBudget/maxUnavailable'"),
        ("{tolerations: [{operator: Is}]}", "at '/tolerations/0/operator': value must be one of 'Exists', 'Equal'"),
        ("{extraEnv: [{name: A, value: b, valueFrom: {}}]}", "at '/extraEnv/0'"),
        ("{extraVolumes: [{name: A_B}]}", "at '/extraVolumes/0/name': 'A_B' does not match pattern"),
        ("{extraVolumeMounts: [{name: a, mountPath: 'a:b'}]}", "at '/extraVolumeMounts/0/mountPath'"),
        (
            "{resources: {requests: {memory: 1.5Gi}}}",
            "resources: 1.5Gi of memory are requested, and the limit is 1Gi; raise resources.limits.memory",
        ),
        ("{resources: {requests: {cpu: 1}, limits: {cpu: 900m}}}", "1 of cpu are requested, and the limit is 900m"),
        (
            "{resources: {requests: {memory: 1e9}, limits: {memory: 900M}}}",
            "of memory are requested, and the limit is 900M",
        ),
        (
            "{podLabels: {app.kubernetes.io/name: evil}}",
            "podLabels: by app.kubernetes.io/name the Service finds its pods",
        ),
        ("{serviceMonitor: {labels: {helm.sh/chart: a}}}", "serviceMonitor.labels: helm.sh/chart is set by the chart"),
        ("{extraEnv: [{name: TMPDIR, value: /a}]}", "extraEnv: TMPDIR is there already"),
        ("{extraEnv: [{name: A, value: a}, {name: A, value: b}]}", "extraEnv: A is there already"),
        ("{extraVolumes: [{name: tmp}]}", "there is a volume \"tmp\" already"),
        ("{extraVolumes: [{name: a}, {name: a}]}", "there is a volume \"a\" already"),
        ("{extraVolumeMounts: [{name: a, mountPath: /a}]}", "extraVolumes has no volume \"a\""),
        (
            "{extraVolumes: [{name: a}], extraVolumeMounts: [{name: a, mountPath: /tmp/}]}",
            "something is mounted at /tmp/ already",
        ),
        // Two values that do not go together.
        (
            "{replicas: 2}",
            "replicas: 2 needs Postgres, since a SQLite file has one writer; set postgres.existingSecret",
        ),
        ("{auth: {mode: token}}", "set auth.tokens.existingSecret"),
        ("{auth: {mode: token, audiences: [a], tokens: {existingSecret: a}}}", "set auth.mode: kubernetes"),
        ("{auth: {oidcIssuers: ['https://login.example.org']}}", "set both or neither"),
        ("{auth: {publicUrl: 'https://lore.example.org'}}", "set both or neither"),
        ("{serviceAccount: {create: false}}", "needs serviceAccount.name"),
        ("{rbac: {customApiGroups: ['*']}}", "would include Secrets; name the groups"),
        (
            "{rbac: {read: {customResources: false}, customApiGroups: [a.b]}}",
            "has no effect while rbac.read.customResources is false",
        ),
        ("{ingress: {enabled: true}}", "ingress.enabled needs ingress.hosts"),
        ("{extraArgs: ['--listen=0.0.0.0:80']}", "--listen is set by the chart"),
    ] {
        let ran = helm.run(&["template", "lore"], values);
        assert!(ran.status != 0 && ran.out.is_empty(), "{values} is taken");
        assert!(ran.err.contains(told), "{values}: {}", ran.err);
        assert!(ran.err.lines().count() <= 6, "{values}: {}", ran.err);
    }
}

#[test]
fn a_name_that_no_service_can_have_is_refused() {
    let Some(helm) = Helm::new() else { return };
    for (release, name) in [("1lore", "1lore-clusterlore"), ("my.rel", "my.rel-clusterlore")] {
        let ran = helm.run(&["template", release], "");
        assert!(ran.status != 0 && ran.out.is_empty(), "{release} is taken");
        let told = format!("the Service would be called \"{name}\"; expected a name that begins with a letter");
        assert!(ran.err.contains(&told) && ran.err.contains("set fullnameOverride"), "{}", ran.err);
        assert!(helm.run(&["template", release], "{fullnameOverride: lore}").ok().out.contains("name: lore\n"));
    }
}

#[test]
fn what_the_chart_takes_the_api_server_takes() {
    let (Some(helm), Some(server)) = (Helm::new(), ApiServer::start_or_skip()) else { return };
    server.apply("---\n{apiVersion: v1, kind: Namespace, metadata: {name: edges}}\n");
    let taken = |what: &str, values: &str| {
        let file = helm.home.write("edges.yaml", &helm.render("edges", values));
        let args = ["apply", "--server-side", "--dry-run=server", "-f", file.to_str().unwrap()];
        let ran = Ran::of(server.kubectl_as("admin", &args));
        assert!(ran.status == 0, "{what}: {}", ran.err);
    };
    for values in [
        "{resources: {requests: {cpu: 0.5, memory: 1e9, ephemeral-storage: 1.5Gi}, limits: {cpu: 1500m, memory: 2000000000, example.org/card: 1}}}",
        "{resources: {requests: {cpu: 0, example.org/card: 1}, limits: {memory: 262144Ki, example.org/card: '1'}}, persistence: {size: 0.5Gi}}",
        "{podLabels: {team: '', example.org/a_b.c: X-1}, nodeSelector: {disk: fast}, podAnnotations: {example.org/A: 'a b'}}",
        "{replicas: 2, postgres: {existingSecret: a.b}, podDisruptionBudget: {maxUnavailable: 1%}}",
        "{replicas: 2, postgres: {existingSecret: a}, podDisruptionBudget: {maxUnavailable: 100%}}",
        "{tolerations: [{operator: Exists}, {key: example.org/a, value: b, effect: NoExecute, tolerationSeconds: 5}]}",
        "{extraEnv: [{name: A, value: b}, {name: B, valueFrom: {secretKeyRef: {name: a, key: b}}}]}",
        "{extraVolumes: [{name: '0'}, {name: a, secret: {secretName: b}}], extraVolumeMounts: [{name: a, mountPath: /a, readOnly: true}, {name: '0', mountPath: /data/more}]}",
        "{nameOverride: 1abc, ingress: {enabled: true, hosts: ['*.a', 1.example.org], annotations: {a.b/c: ''}}, service: {annotations: {x: z}}}",
        "{auth: {tokens: {existingSecret: a}}, tls: {existingSecret: b}, clusterName: '-', priorityClassName: system-cluster-critical}",
    ] {
        taken(values, values);
    }
}

/// The values that a schema names, with their defaults; parts of an object are values of their own where the schema names them.
fn leaves(path: &str, schema: &Value, value: &Value, found: &mut BTreeMap<String, Value>) {
    match schema["properties"].as_object() {
        Some(properties) => {
            let properties: BTreeSet<&String> = properties.keys().filter(|key| *key != "global").collect();
            let keys: BTreeSet<&String> =
                value.as_object().unwrap_or_else(|| panic!("{path}: {value}")).keys().collect();
            assert_eq!(properties, keys, "values.schema.json and values.yaml, at {path:?}");
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(&path, &schema["properties"][key], &value[key], found);
            }
        }
        None => drop(found.insert(path.to_owned(), value.clone())),
    }
}

#[test]
fn values_schema_and_documentation_name_the_same() {
    let schema = json(&fs::read_to_string(Path::new(CHART).join("values.schema.json")).unwrap());
    let mut values = BTreeMap::new();
    leaves("", &schema, &yaml("values.yaml"), &mut values);
    let shown = |value: &Value| match value {
        Value::String(text) if text.is_empty() => String::new(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    };
    let values: BTreeMap<String, String> = values.iter().map(|(path, value)| (path.clone(), shown(value))).collect();
    let page = fs::read_to_string(DEPLOY).unwrap();
    let table = page.split("<!-- values -->").nth(1).expect("a table between two marks");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let rows = rows.map(|(path, rest)| {
        (path.to_owned(), rest.split(" |").next().unwrap().trim_start_matches("| ").trim().to_owned())
    });
    assert_eq!(rows.collect::<BTreeMap<_, _>>(), values);
    assert!(values.len() > 50, "{}", values.len());
}

#[test]
fn api_groups_are_those_of_the_catalogue() {
    // Objects of the last two hold tokens and passwords, those of the first are measurements.
    let left_out = ["metrics.k8s.io", "dex.coreos.com", "management.cattle.io"];
    let known = Catalogue::builtin().groups().iter().map(|group| group.group.to_string());
    let mut known: Vec<String> =
        known.filter(|group| !group.starts_with('*') && !left_out.contains(&group.as_str())).collect();
    known.sort_unstable();
    let listed = yaml("files/api-groups.yaml");
    let listed: Vec<&str> = listed.as_array().unwrap().iter().map(|group| group.as_str().unwrap()).collect();
    assert_eq!(listed, known);
    assert!(known.len() > 200);

    // Of the company that tests have before them, the chart lists everything but what it made up itself.
    let Some(corpus) = shared("corpus/manifests") else { return };
    let texts = fs::read_dir(corpus).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let documents: Vec<Value> = texts.flat_map(|text| serde_saphyr::from_multiple::<Value>(&text).unwrap()).collect();
    let definitions = documents.iter().filter(|document| document["kind"] == "CustomResourceDefinition");
    let served: BTreeSet<&str> = definitions.map(|definition| definition["spec"]["group"].as_str().unwrap()).collect();
    let missing: Vec<_> = served.iter().filter(|group| !listed.contains(group)).collect();
    assert!(missing.is_empty() && served.len() > 10, "{missing:?} of {served:?}");
}
