//! What only a cluster knows: questions on a real API server whose objects have statuses as kubelet and controllers write them.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clusterlore_testkit::real::{ApiServer, Options};
use common::{Home, Ran};
use serde_json::{Value, json};

/// Pods of each of four states in the namespace `yard`.
const YARD: usize = 36;

/// A question, what answers it (`kind ns/name` in short), and the number if it asks for one.
type Case = (&'static str, Vec<String>, Option<usize>);

fn of(kind: &str, namespace: &str, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("{kind} {namespace}/{name}")).collect()
}

fn yard(states: &[&str]) -> Vec<String> {
    let one = |state: &&str| (0..YARD).map(|n| format!("Pod yard/{state}-{n}")).collect::<Vec<_>>();
    states.iter().flat_map(one).collect()
}

/// Every question, with what answers it. The fixture's states are in the test kit (`real/statuses.rs`).
fn cases() -> Vec<Case> {
    let pods = |names: &[&str]| of("Pod", "shop", names);
    let claims = |names: &[&str]| of("PersistentVolumeClaim", "shop", names);
    let (deployments, jobs) =
        (|names: &[&str]| of("Deployment", "shop", names), |names: &[&str]| of("Job", "shop", names));
    let nodes = |names: &[&str]| of("Node", "_cluster", names);
    let shifts = |names: &[&str]| of("TrafficShift", "shop", names);
    let not_running = [
        "code",
        "crashing",
        "creating",
        "done",
        "evicted",
        "init-fails",
        "init-waits",
        "lost-node",
        "no-image",
        "oom",
        "unscheduled",
    ];
    let failed = ["code", "crashing", "evicted", "init-fails", "lost-node", "no-image", "oom"];
    // The phase of what fails before a container was started is Pending.
    let waiting = ["creating", "init-fails", "init-waits", "no-image", "unscheduled"];
    let never = [
        "code",
        "creating",
        "done",
        "evicted",
        "fine",
        "init-waits",
        "lost-node",
        "no-image",
        "starting",
        "unscheduled",
    ];
    let crashing = || [of("Pod", "bank", &["crashing"]), yard(&["crashing"])].concat();
    let images = [
        of("DaemonSet", "shop", &["agent"]),
        deployments(&["api", "dead", "off", "web"]),
        of("StatefulSet", "shop", &["db"]),
    ]
    .concat();
    vec![
        // not running
        ("which pods in shop are not running?", pods(&not_running), None),
        ("how many pods are not running in shop?", pods(&not_running), Some(11)),
        ("welche Pods in shop laufen nicht?", pods(&not_running), None),
        ("which pods are crashing?", [crashing(), pods(&failed)].concat(), None),
        ("show me all crashlooping pods", [crashing(), pods(&["crashing", "init-fails"])].concat(), None),
        ("how many pods in yard are crashing", yard(&["crashing"]), Some(YARD)),
        ("which pods were evicted?", pods(&["evicted"]), None),
        ("which pods were oomkilled in shop?", pods(&["oom"]), None),
        ("pods stuck in ImagePullBackOff", pods(&["no-image"]), None),
        ("did any job fail?", jobs(&["broken"]), None),
        ("which jobs failed?", jobs(&["broken"]), None),
        ("which jobs completed?", jobs(&["migrated"]), None),
        ("which cronjobs are suspended?", of("CronJob", "shop", &["paused"]), None),
        ("what is terminating?", of("Pod", "bank", &["fine"]), None),
        // not ready
        ("which deployments are not ready?", deployments(&["dead", "web"]), None),
        ("are there deployments in shop with no ready replicas", deployments(&["dead", "off"]), None),
        // the opposite
        ("cronjobs that are not suspended", of("CronJob", "shop", &["nightly"]), None),
        ("how many jobs have not failed?", jobs(&["held", "migrated", "working"]), Some(3)),
        ("which jobs did not complete?", jobs(&["broken", "held", "working"]), None),
        ("CronJobs, die nicht ausgesetzt sind", of("CronJob", "shop", &["nightly"]), None),
        ("deployments not scaled to zero", deployments(&["api", "dead", "web"]), None),
        ("how many pods in bank are not in CrashLoopBackOff?", of("Pod", "bank", &["fine"]), Some(1)),
        ("how many pods are running in yard?", yard(&["fine", "restarted"]), Some(2 * YARD)),
        ("how many pods in yard restarted at least twice?", yard(&["crashing", "restarted"]), Some(2 * YARD)),
        ("how many pods in yard have restarted more than once", yard(&["crashing", "restarted"]), Some(2 * YARD)),
        ("pods in yard that have status ContainerCreating", yard(&["waiting"]), None),
        ("which pods in shop have status OOMKilled", pods(&["oom"]), None),
        ("how many deployments are ready?", deployments(&["api"]), Some(1)),
        ("which statefulsets are not ready?", of("StatefulSet", "shop", &["db"]), None),
        ("which nodes are not ready?", nodes(&["n3"]), None),
        ("how many nodes are ready?", nodes(&["n1", "n2"]), Some(2)),
        ("which nodes are cordoned?", nodes(&["n2"]), None),
        ("which databases failed?", of("Database", "shop", &["ill"]), None),
        // several states, all of them, and words that name nothing
        ("pods in shop that are OOMKilled or Evicted", pods(&["evicted", "oom"]), None),
        ("pods in CrashLoopBackOff or ImagePullBackOff in yard", yard(&["crashing"]), None),
        ("are all nodes ready?", nodes(&["n3"]), None),
        ("is every deployment in shop ready?", deployments(&["dead", "web"]), None),
        ("jobs that are neither complete nor failed", jobs(&["held", "working"]), None),
        ("flaky pods in shop that restarted", pods(&["crashing", "init-fails", "oom", "restarted"]), None),
        ("welche Jobs sind fehlgeschlagen?", jobs(&["broken"]), None),
        ("deployments that arent ready", deployments(&["dead", "web"]), None),
        // restarted
        ("which pods in shop have restarted?", pods(&["crashing", "init-fails", "oom", "restarted"]), None),
        (
            "pods that restarted more than 5 times",
            [pods(&["crashing", "restarted"]), yard(&["crashing"])].concat(),
            None,
        ),
        ("how many pods restarted in yard?", yard(&["crashing", "restarted"]), Some(2 * YARD)),
        ("which pods never restarted in shop", pods(&never), None),
        // pending
        ("any pending pods in shop?", pods(&waiting), None),
        ("how many pods are pending?", [pods(&waiting), yard(&["waiting"])].concat(), Some(5 + YARD)),
        ("which claims are pending?", claims(&["unbound"]), None),
        (
            "what is pending?",
            [pods(&waiting), yard(&["waiting"]), claims(&["unbound"]), of("Service", "shop", &["waiting"])].concat(),
            None,
        ),
        ("which claims are bound?", claims(&["data"]), None),
        ("how many persistent volume claims are not bound?", claims(&["orphan", "unbound"]), Some(2)),
        ("which persistent volumes are released?", of("PersistentVolume", "_cluster", &["left"]), None),
        // image
        ("which workloads run the nginx image?", images, None),
        ("which deployments run nginx:1.27.3?", deployments(&["api", "dead", "off", "web"]), None),
        ("which deployments run nginx:1.28?", Vec::new(), None),
        // external address
        ("which services have an external ip?", of("Service", "shop", &["web"]), None),
        (
            "what is exposed to the internet?",
            [of("Service", "shop", &["web"]), of("Ingress", "shop", &["open"])].concat(),
            None,
        ),
        ("which services are of type load balancer?", of("Service", "shop", &["waiting", "web"]), None),
        ("which ingresses are reachable from outside?", of("Ingress", "shop", &["open"]), None),
        // replicas
        ("deployments scaled to zero", deployments(&["off"]), None),
        ("which statefulsets have more than 1 replica?", of("StatefulSet", "shop", &["db"]), None),
        ("which deployments have exactly 3 replicas?", deployments(&["web"]), None),
        // capacity
        ("which volume claims are larger than 5Gi?", claims(&["data"]), None),
        ("which claims are bigger than 20Gi?", Vec::new(), None),
        // what only an operator prints
        ("doubtful traffic shifts", of("TrafficShift", "shop", &["night"]), None),
        ("how many traffic shifts have a doubtful verdict?", of("TrafficShift", "shop", &["night"]), Some(1)),
        ("which trafficshifts are ramping?", of("TrafficShift", "shop", &["autumn"]), None),
        ("traffic shifts that are flapping", of("TrafficShift", "shop", &["winter"]), None),
        ("traffic shifts that are flapping or parked", of("TrafficShift", "shop", &["night", "winter"]), None),
        ("traffic shifts that are not finished", of("TrafficShift", "shop", &["autumn", "night", "winter"]), None),
        // states beside such as no phrase has, in either order
        ("traffic shifts that are parked or finished", shifts(&["night", "spring"]), None),
        ("traffic shifts that are finished or ramping", shifts(&["autumn", "spring"]), None),
        ("ramping or finished traffic shifts in shop", shifts(&["autumn", "spring"]), None),
        ("how many traffic shifts are up or flapping?", shifts(&["winter"]), Some(1)),
        ("traffic shifts that are finished but not announced", shifts(&["spring"]), None),
        ("slow or pending pods in shop", pods(&waiting), None),
        // a column that is called as what is asked for
        ("which traffic shifts are announced?", shifts(&["autumn"]), None),
        ("traffic shifts that are not announced", shifts(&["night", "spring", "winter"]), None),
        // their group before them
        ("example shifts that are parked or flapping", shifts(&["night", "winter"]), None),
        // talk before the question
        ("sorry to ping you again, which deployments in shop are not ready?", deployments(&["dead", "web"]), None),
        ("the pager woke me, deployments that aren't ready in shop?", deployments(&["dead", "web"]), None),
        ("hi! just took over - are all deployments ready?", deployments(&["dead", "web"]), None),
        ("deployments with fewer ready replicas than they should have", deployments(&["dead", "web"]), None),
        ("loadbalancer services in shop still waiting on an external ip", of("Service", "shop", &["waiting"]), None),
        // versions and registries of images
        ("deployments on nginx older than 1.28", deployments(&["api", "dead", "off", "web"]), None),
        ("which deployments run nginx newer than 1.27?", Vec::new(), None),
        ("jobs on migrate below 4", jobs(&["broken", "held", "migrated", "working"]), None),
        ("which deployments run an rc or beta image?", Vec::new(), None),
        ("deployments that pull from quay.io or ghcr.io", Vec::new(), None),
        ("quels déploiements utilisent l'image nginx ?", deployments(&["api", "dead", "off", "web"]), None),
        // other languages
        ("quais jobs falharam?", jobs(&["broken"]), None),
        ("哪些部署未就绪", deployments(&["dead", "web"]), None),
        ("shop 里失败的任务有哪些", jobs(&["broken"]), None),
        // version
        ("which nodes run version 1.29?", nodes(&["n1", "n2", "n3"]), None),
        ("which nodes run version 1.30?", Vec::new(), None),
    ]
}

fn ask(home: &Home, kubeconfig: &Path, questions: &[&str]) -> BTreeMap<String, Value> {
    let lines: Vec<String> = questions.iter().map(|q| json!({"id": q, "q": q}).to_string()).collect();
    let file = home.write("questions.jsonl", &lines.join("\n"));
    let kubeconfig = kubeconfig.to_str().unwrap();
    let args = ["search", "--batch", file.to_str().unwrap(), "--limit", "1000", "--kubeconfig", kubeconfig];
    let out = home.run(&args).ok().out;
    let answers = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    answers.map(|answer| (answer["id"].as_str().unwrap().to_owned(), answer)).collect()
}

fn shown(answer: &Value) -> BTreeSet<String> {
    let short = |id: &Value| {
        let parts: Vec<&str> = id.as_str().unwrap().split('/').collect();
        format!("{} {}/{}", parts[parts.len() - 2], parts[0], parts[parts.len() - 1])
    };
    answer["hits"].as_array().unwrap().iter().map(short).collect()
}

fn check(cases: &[Case], answers: &BTreeMap<String, Value>, may_see: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for (question, expected, number) in cases {
        let (answer, expected) = (&answers[*question], expected.iter().filter(|one| may_see(one)).cloned());
        let (found, expected): (BTreeSet<String>, BTreeSet<String>) = (shown(answer), expected.collect());
        let number = number.map(|_| expected.len());
        if found != expected || answer["number"] != json!(number) || answer["needs"] == json!([]) {
            let more: Vec<_> = found.difference(&expected).collect();
            let less: Vec<_> = expected.difference(&found).collect();
            wrong.push(format!("{question}: too many {more:?}, missing {less:?}, number {}", answer["number"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Every file below a folder that holds one of these texts.
fn holding(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, texts));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let holds = |text: &&&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            found.extend(texts.iter().filter(holds).map(|text| format!("{}: {text}", path.display())));
        }
    }
    found
}

/// Cells of the fixture that no metadata holds.
const CELLS: [&str; 4] = ["203.0.113.7", "OOMKilled", "nginx:1.27.3", "v1.29.3"];

/// Objects of an operator whose columns are called as no others are.
fn create_traffic_shifts(server: &ApiServer) {
    server.apply(include_str!("manifests/traffic-shifts.yaml"));
    server.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd/trafficshifts.example.com"]);
    for (name, stage, verdict, announced) in [
        ("autumn", "Ramping", "good", "True"),
        ("night", "Parked", "doubtful", "False"),
        ("winter", "Flapping", "bad", "Unknown"),
        ("spring", "Finished", "good", "False"),
    ] {
        let object = json!({
            "apiVersion": "example.com/v1", "kind": "TrafficShift", "metadata": {"name": name, "namespace": "shop"},
            "status": {"stage": stage, "verdict": verdict, "announced": announced},
        });
        server.apply(&object.to_string());
    }
}

#[test]
fn questions_that_only_a_cluster_can_answer() {
    let options = Options { users: vec!["shopper".into()], ..Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    server.create_statuses();
    server.create_pods_with_status("yard", YARD);
    create_traffic_shifts(&server);
    server.create_role_for("shopper", &["shop"]);
    let home = Home::new();
    let admin = server.kubeconfig("admin");
    home.run(&["index", "--kubeconfig", admin.to_str().unwrap()]).ok();
    let cases = cases();
    assert!(cases.len() >= 40);
    let questions: Vec<&str> = cases.iter().map(|(question, ..)| *question).collect();
    check(&cases, &ask(&home, &admin, &questions), |_| true);

    // Whoever may read one namespace gets what is there, and is told of the rest.
    let shopper = server.kubeconfig("shopper");
    let namespaced: Vec<Case> =
        cases.into_iter().filter(|(_, objects, _)| objects.iter().any(|one| one.contains(" shop/"))).collect();
    let questions: Vec<&str> = namespaced.iter().map(|(question, ..)| *question).collect();
    check(&namespaced, &ask(&home, &shopper, &questions), |one| one.contains(" shop/"));
    let told = home.run(&["search", "which pods are pending?", "--kubeconfig", shopper.to_str().unwrap()]).ok().err;
    assert!(told.contains("Not read from the cluster: pods in yard: it may not be read."), "{told}");

    // What a named object is like is told, whatever that is; nothing is left out.
    let kubeconfig = admin.to_str().unwrap();
    let one = |args: &[&str]| home.run(&[args, &["--kubeconfig", kubeconfig]].concat()).ok();
    let web = one(&["search", "which image does the deployment web run?", "--limit", "1"]).out;
    assert!(web.contains("2/3 ready, Images nginx:1.27.3"), "{web}");
    let count = one(&["count", "pods that are pending", "--group-by", "namespace", "-o", "json"]).out;
    let count: Value = serde_json::from_str(&count).unwrap();
    assert_eq!(count["total"], json!(5 + YARD));
    assert_eq!(count["groups"], json!([{"name": "yard", "count": YARD}, {"name": "shop", "count": 5}]));

    // Nothing of a cell stays: not in the index, not in a log, not in an export.
    let logged = one(&["search", "which services have an external ip?", "-vvv", "-o", "id"]);
    assert!(!CELLS.iter().any(|cell| logged.err.contains(cell)), "{}", logged.err);
    home.run(&["export", home.path("data/export").to_str().unwrap()]).ok();
    assert_eq!(holding(&home.path("data"), &CELLS), Vec::<String>::new());
    assert!(!holding(&home.path("data"), &["unscheduled"]).is_empty(), "names are there");
}

#[test]
fn without_the_cluster_the_index_answers_and_says_what_it_does_not_know() {
    let home = Home::new();
    home.sync_from(Path::new(common::EXAMPLES)).ok();
    let ran = home.run(&["search", "which deployments are not ready?"]).ok();
    assert!(ran.out.contains("Deployment"), "{}", ran.out);
    for told in [
        "Not read from the cluster: the index was filled from manifests, not from a cluster.",
        "The index holds metadata only. It does not know: status (\"not ready\").",
        "The objects below were not checked for it.",
        "To find out: kubectl get deployments.apps -A",
    ] {
        assert!(ran.err.contains(told), "{told}\n{}", ran.err);
    }
    let never = home.run(&["count", "deployments that are not ready", "--live", "never", "-o", "json"]).ok().out;
    let never: Value = serde_json::from_str(&never).unwrap();
    let need = json!([{"what": "status", "said": "not ready", "condition": "not-ready", "read": false,
                       "commands": ["kubectl get deployments.apps -A"]}]);
    assert_eq!((&never["total"], &never["needs"]), (&Value::Null, &need));
    // Ids and numbers alone would look as if it held.
    for command in ["count", "search"] {
        let ran = home.run(&[command, "deployments that are not ready", "-o", "name"]);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{}", ran.err);
        assert!(ran.err.contains("what matches is not known"), "{}", ran.err);
    }
    // The data of a Secret is put on nobody's screen.
    home.write("secrets/s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: checkout-key, namespace: shop}\n");
    let folder = home.path("secrets");
    home.run(&["sync-instances", "--from", folder.to_str().unwrap(), "--replace-source"]).ok();
    for asked in ["when was the secret checkout-key last rotated?", "what is in the secret checkout-key?"] {
        let told = home.run(&["search", asked]).ok().err;
        assert!(told.contains("kubectl ") && !told.contains("yaml") && !told.contains("json"), "{asked}: {told}");
    }
}

/// The pods of a case of the public evaluation, in its order.
fn pods_of(case: &str, questions: &str) -> (String, Vec<String>) {
    let all = questions.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let case = all.into_iter().find(|one| one["id"].as_str().unwrap().starts_with(case)).unwrap();
    let name = |id: &Value| id.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    (case["q"].as_str().unwrap().to_owned(), case["gold"].as_array().unwrap().iter().map(name).collect())
}

#[test]
fn the_counts_of_the_public_evaluation() {
    let Some(holmes) = clusterlore_testkit::real::shared("holmes") else { return };
    let questions = std::fs::read_to_string(holmes.join("questions.jsonl")).unwrap();
    let home = Home::new();
    let asked = |question: &str, kubeconfig: &str| {
        let out = home.run(&["search", question, "-o", "json", "--kubeconfig", kubeconfig]).ok().out;
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let cases =
        [("58_", None), ("59_", Some(7)), ("60_", None)].map(|(case, number)| (pods_of(case, &questions), number));
    // Manifests say labels, and neither what runs nor what restarted.
    home.sync_from(&holmes.join("manifests")).ok();
    for ((question, _), number) in &cases {
        let answer = asked(question, "/dev/null");
        assert_eq!(answer["number"], json!(number), "{question}");
        assert_eq!(answer["needs"] == json!([]), number.is_some(), "{question}");
    }

    let Some(server) = ApiServer::start_or_skip() else { return };
    let states = ["fine", "restarted", "crashing", "fine", "waiting"];
    for (n, ((_, pods), _)) in cases.iter().enumerate() {
        let labels = |at: usize| json!({"env": if at.is_multiple_of(2) { "prod" } else { "dev" }});
        let pods: Vec<_> =
            pods.iter().enumerate().map(|(at, name)| (name.clone(), labels(at), states[at % 5])).collect();
        server.create_pods_in_states(&format!("test-{}", 58 + n), &pods);
    }
    let kubeconfig = server.kubeconfig("admin");
    let kubeconfig = kubeconfig.to_str().unwrap();
    home.run(&["index", "--kubeconfig", kubeconfig, "--replace-source"]).ok();
    // Of ten, three of five states run; of fourteen, every second is of production; of ten, three of five states never restarted.
    for (((question, _), _), number) in cases.iter().zip([6, 7, 6]) {
        assert_eq!(asked(question, kubeconfig)["number"], json!(number), "{question}");
    }

    // What came since the last sync counts, and is named.
    server.create_pods_in_states("test-58", &[("newest".to_owned(), json!({}), "fine")]);
    server.create_pods_in_states("test-58", &[("newer-crash".to_owned(), json!({}), "crashing")]);
    let answer = asked(&cases[0].0.0, kubeconfig);
    assert_eq!(answer["number"], json!(7));
    assert_eq!(answer["unindexed"], json!([{"type": "pods", "namespace": "test-58", "name": "newest"}]));
    // What went since then does not.
    server.kubectl(&["delete", "pod", "-n", "test-58", "--all", "--force", "--grace-period=0"]);
    assert_eq!(asked(&cases[0].0.0, kubeconfig)["number"], json!(0));
}

#[test]
fn another_cluster_is_not_asked() {
    let Some(filled) = ApiServer::start_or_skip() else { return };
    let Some(other) = ApiServer::start_or_skip() else { return };
    for (server, state) in [(&filled, "fine"), (&other, "crashing")] {
        server.create_pods_in_states("shop", &[("checkout".to_owned(), json!({}), state)]);
    }
    let home = Home::new();
    home.run(&["index", "--kubeconfig", filled.kubeconfig("admin").to_str().unwrap()]).ok();
    let kubeconfig = other.kubeconfig("admin");
    let kubeconfig = kubeconfig.to_str().unwrap();
    let ran = home.run(&["search", "which pods are crashing?", "-o", "json", "--kubeconfig", kubeconfig]).ok();
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(answer["unread"][0].as_str().unwrap().contains("cluster"), "{}", ran.out);
    assert_eq!((&answer["needs"][0]["read"], &answer["number"]), (&json!(false), &Value::Null));
    assert_eq!(answer["needs"][0]["commands"], json!(["kubectl --context admin get pods -A"]));
    assert_eq!(answer["hits"][0].get("live"), None);
    let count = home.run(&["count", "pods that are crashing", "-o", "json", "--kubeconfig", kubeconfig]).ok();
    assert_eq!(serde_json::from_str::<Value>(&count.out).unwrap()["total"], Value::Null);
}

#[test]
fn a_cluster_that_does_not_answer_costs_a_second_at_most() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}).to_string());
    let home = Home::new();
    let kubeconfig = server.kubeconfig("admin");
    home.run(&["index", "--kubeconfig", kubeconfig.to_str().unwrap()]).ok();
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = std::fs::read_to_string(&kubeconfig).unwrap();
    let place = format!("https://{}", silent.local_addr().unwrap());
    let silent_config = home.write("silent.yaml", &config.replace(server.url(), &place));
    let timed = |live: &str| {
        let began = std::time::Instant::now();
        let args = [
            "search",
            "which namespaces are terminating?",
            "--live",
            live,
            "--kubeconfig",
            silent_config.to_str().unwrap(),
        ];
        (home.run(&args).ok(), began.elapsed())
    };
    let (never, without) = timed("never");
    let (auto, with) = timed("auto");
    let names =
        |ran: &Ran| ran.out.lines().filter_map(|line| line.split_whitespace().nth(1)).collect::<Vec<_>>().join(" ");
    assert!(auto.out.contains("shop") && names(&never) == names(&auto), "{}", auto.out);
    assert!(auto.err.contains("Not read from the cluster: the cluster did not answer in time."), "{}", auto.err);
    assert!(with < without + std::time::Duration::from_millis(2500), "{with:?} against {without:?}");
}
