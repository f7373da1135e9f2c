//! `ask` on a real API server, with the questions of an incident: what is counted, what is not there, what may not be read.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_testkit::real::{ApiServer, Options};
use common::Home;

const TYPES: &str = include_str!("manifests/incident-types.yaml");
const OBJECTS: &str = include_str!("manifests/incident-objects.yaml");

/// A question, what its answer says, and what it does not say.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    // All are counted, whatever says that the most are wanted.
    ("which team runs the most deployments?", &["12 Deployments", "payments 5", "(none) 4", "search 3"], &[]),
    ("which team has the fewest deployments", &["12 Deployments", "search 3"], &[]),
    // A type of which nobody knows the words.
    ("topics not ready", &["1 KafkaTopic in shop is not ready: orders"], &["payments"]),
    ("which tenants are not healthy?", &["AcmeTenant", "south"], &["north"]),
    ("which acme tenants are running?", &["north"], &["south"]),
    // The disk of a database is none.
    (
        "what databases are running?",
        &["1 database in shop: the StatefulSet postgres"],
        &["redis-data", "data-postgres-0"],
    ),
    ("how many caches are there?", &["Nothing is surely what you ask for"], &["1 cache", "1 Persistent"]),
    ("which persistent volume claims are there?", &["5 PersistentVolumeClaims"], &["PersistentVolume vol"]),
    // An image is one without the word.
    ("which deployments run nginx?", &["4 Deployments in shop run the image nginx: api, dead, off and web"], &[]),
    ("which pods run nginx?", &["6 objects in shop run the image nginx"], &[]),
    ("what runs ghcr.io/org/svc:1.3?", &["1 Deployment in shop runs the image ghcr.io/org/svc:1.3: svc-3"], &[]),
    // Tags, registries and versions in words of their own.
    ("deployments that are not on nginx tag 1.27.3", &["8 Deployments in shop do not run the image nginx:1.27.3"], &[]),
    ("which deployments are on tag 1.5?", &["1 Deployment", "svc-5"], &["svc-4"]),
    ("images from ghcr.io", &["8 Deployments in shop run the image ghcr.io"], &["postgres"]),
    ("which statefulsets run postgres 15?", &["None: of 2 StatefulSets"], &["1 match"]),
    ("kubelets older than 1.30", &["3 Nodes are older than version 1.30: n1, n2 and n3"], &[]),
    ("which nodes run 1.30 or newer?", &["None: of 3 Nodes"], &["n1"]),
    ("pods that cannot be scheduled in shop", &["1 Pod in shop is Pending", "unscheduled"], &["creating"]),
    ("pvcs that have no volume", &["3 PersistentVolumeClaims"], &["orphan"]),
    ("claims that lost their volume", &["1 PersistentVolumeClaim in shop is lost: orphan"], &[]),
    ("which nodes cannot take new pods?", &["1 Node", "n2"], &["Database"]),
    // What is not judged is said.
    ("pvcs of storage class fast", &["Not judged: \"fast\"."], &[]),
    ("pods in shop that restarted in the last hour", &["since when they are so was not read"], &[]),
    ("pods older than 3 days that are not ready", &["None: the server says of nothing of that age"], &["of 160"]),
    // What is not there is not replaced by something else.
    ("why is foobar failing?", &["Nothing is called \"foobar\"."], &["Pod bank/crashing", "Similar", "events"]),
    (
        "why is svc-9 failing?",
        &["Nothing is called \"svc-9\".", "Similar names: the Deployment svc-1 in shop"],
        &["Why "],
    ),
    // What was found out is not said to be unknown.
    ("why is the pod no-image failing?", &["container main", "ImagePullBackOff"], &["Not in the index"]),
];

#[test]
fn questions_of_an_incident() {
    let options = Options { users: vec!["shopper".into()], ..Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    server.create_statuses();
    server.apply(TYPES);
    let crds =
        ["crd/kafkatopics.kafka.strimzi.io", "crd/sqlclaims.platform.acme.io", "crd/acmetenants.platform.acme.io"];
    server.kubectl(&[&["wait", "--for=condition=Established", "--timeout=60s"], &crds[..]].concat());
    server.apply(OBJECTS);
    server.create_role_for("shopper", &["shop"]);
    let home = Home::new();
    let admin = server.kubeconfig("admin");
    let admin = admin.to_str().unwrap();
    home.run(&["index", "--kubeconfig", admin]).ok();
    let mut wrong = Vec::new();
    for (question, says, never) in CASES {
        let told = home.run(&["ask", question, "--kubeconfig", admin]).ok();
        let text = told.out.split_whitespace().collect::<Vec<_>>().join(" ");
        let missing: Vec<_> = says.iter().filter(|part| !text.contains(**part)).collect();
        let there: Vec<_> = never.iter().filter(|part| text.contains(**part)).collect();
        if !missing.is_empty() || !there.is_empty() {
            wrong.push(format!("{question}: not said {missing:?}, said {there:?}\n{}", told.out));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));

    // Commands are those of the context by which the index was filled.
    let lines = home.write("lines", "which deployments are not ready?\n/show 1\n");
    let mut command = home.command(&["ask", "-i", "--kubeconfig", admin]);
    let shown = common::Ran::of(command.stdin(std::fs::File::open(lines).unwrap()).output().unwrap()).ok();
    let commands: Vec<&str> = shown.out.lines().map(str::trim).filter(|line| line.starts_with("kubectl ")).collect();
    assert!(commands.len() > 3 && commands.iter().all(|line| line.contains("--context admin")), "{}", shown.out);

    // Whoever may read one namespace is told that there is more.
    let own = Home::new();
    let shopper = server.kubeconfig("shopper");
    let shopper = shopper.to_str().unwrap();
    own.run(&["index", "-n", "shop", "--kubeconfig", shopper]).ok();
    for question in ["how many nodes are there?", "which nodes are not ready?", "how many pods are there?"] {
        let told = own.run(&["ask", question, "--kubeconfig", shopper]).ok().out;
        let text = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("The index was filled from the namespace shop alone"), "{question}: {told}");
    }
    let told = own.run(&["ask", "how many pods are in shop?", "--kubeconfig", shopper]).ok().out;
    assert!(told.contains("14 Pods") && !told.contains("filled from"), "{told}");
}
