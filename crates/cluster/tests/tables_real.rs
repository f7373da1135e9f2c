//! Conditions by what the real API server prints of statuses as kubelet and controllers write them.

#![allow(clippy::unwrap_used)]

use clusterlore_cluster::tables::{Missing, NotRead, Objects, Row, TableLimits, TypeTable, Verdict, Wanted};
use clusterlore_cluster::{ClusterSource, LiveOptions, LiveSource};
use clusterlore_core::LiveCondition::{
    Bound, Capacity, Complete, ExternalAddress, Failed, Image, Lost, NotBound, NotReady, NotRunning, Pending, Ready,
    Restarted, Running, Status, Suspended, Unhealthy, Version,
};
use clusterlore_core::{CLUSTER_SCOPE, Limit, LiveCondition, Replicas, ResourceType};
use clusterlore_testkit::real::{ApiServer, Options};

fn plural(kind: &str) -> (&'static str, bool) {
    match kind {
        "Pod" => ("pods", true),
        "Deployment" => ("deployments.apps", true),
        "StatefulSet" => ("statefulsets.apps", true),
        "DaemonSet" => ("daemonsets.apps", true),
        "Service" => ("services", true),
        "Ingress" => ("ingresses.networking.k8s.io", true),
        "PersistentVolumeClaim" => ("persistentvolumeclaims", true),
        "PersistentVolume" => ("persistentvolumes", false),
        "Job" => ("jobs.batch", true),
        "CronJob" => ("cronjobs.batch", true),
        "Node" => ("nodes", false),
        "HorizontalPodAutoscaler" => ("horizontalpodautoscalers.autoscaling", true),
        "Database" => ("databases.example.org", true),
        "Namespace" => ("namespaces", false),
        "ConfigMap" => ("configmaps", true),
        other => panic!("{other}"),
    }
}

async fn source(server: &ApiServer, user: &str) -> LiveSource {
    LiveSource::connect(LiveOptions { kubeconfig: Some(server.kubeconfig(user)), ..LiveOptions::default() })
        .await
        .unwrap()
}

fn names(read: &TypeTable) -> Vec<String> {
    let rows = read.table.iter().flat_map(|table| &table.rows);
    rows.map(|row| format!("{}/{}", row.namespace, row.name)).collect()
}

/// Kind, condition, and names with what holds of them.
type Case = (&'static str, LiveCondition, Vec<(&'static str, Verdict)>);

#[tokio::test]
async fn conditions_hold_of_what_kubelet_and_controllers_wrote() {
    let options = Options { users: vec!["shopper".into()], ..Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    server.create_statuses();
    server.create_role_for("shopper", &["shop"]);
    let admin = source(&server, "admin").await;
    let types = admin.discover().await.unwrap().types;
    let of = |kind: &str| -> ResourceType {
        let found = types.iter().find(|ty| ty.name() == plural(kind).0);
        found.unwrap_or_else(|| panic!("{kind} is not served")).clone()
    };
    let kinds = [
        "Pod",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Service",
        "Ingress",
        "PersistentVolumeClaim",
        "PersistentVolume",
        "Job",
        "CronJob",
        "Node",
        "HorizontalPodAutoscaler",
        "Database",
        "Namespace",
        "ConfigMap",
    ];
    let wanted: Vec<Wanted> = kinds.iter().map(|kind| Wanted { ty: of(kind), objects: Objects::All }).collect();
    // A machine that compiles at the same time may need more than the second.
    let limits = TableLimits { time: std::time::Duration::from_secs(20), page: 3, ..TableLimits::default() };
    let read = admin.tables(&wanted, &limits).await;
    for read in &read {
        assert_eq!(read.missing, []);
    }
    let find = |kind: &str, name: &str, condition: &LiveCondition| {
        let table = read[kinds.iter().position(|k| *k == kind).unwrap()].table.as_ref().unwrap();
        let namespace = if plural(kind).1 { "shop" } else { CLUSTER_SCOPE };
        let (namespace, name) = name.split_once('/').unwrap_or((namespace, name));
        let of_it = |row: &Row| row.namespace == namespace && row.name == name;
        let at = table.rows.iter().position(of_it).unwrap_or_else(|| panic!("{kind} {name}"));
        table.findings(condition).remove(at)
    };

    let status = |word: &str| Status(vec![word.to_owned()]);
    let image = |name: &str| Image(name.to_owned());
    let at_least = Limit::AtLeast;
    let desired = |number: u64| LiveCondition::Replicas { of: Replicas::Desired, number: Limit::Exactly(number) };
    let ready = |number: u64| LiveCondition::Replicas { of: Replicas::Ready, number: Limit::Exactly(number) };
    let (yes, no, not_said) = (Verdict::Yes, Verdict::No, Verdict::NotSaid);
    let cases: Vec<Case> = vec![
        (
            "Pod",
            NotRunning,
            vec![
                ("fine", no),
                ("restarted", no),
                ("starting", no),
                ("crashing", yes),
                ("no-image", yes),
                ("creating", yes),
                ("oom", yes),
                ("code", yes),
                ("done", yes),
                ("evicted", yes),
                ("lost-node", yes),
                ("init-fails", yes),
                ("init-waits", yes),
                ("unscheduled", yes),
                ("bank/crashing", yes),
                ("bank/fine", yes),
            ],
        ),
        ("Pod", Running, vec![("fine", yes), ("starting", yes), ("crashing", no), ("done", no)]),
        (
            "Pod",
            Failed,
            vec![
                ("fine", no),
                ("crashing", yes),
                ("no-image", yes),
                ("creating", no),
                ("oom", yes),
                ("code", yes),
                ("done", no),
                ("evicted", yes),
                ("init-fails", yes),
                ("init-waits", no),
                ("unscheduled", no),
            ],
        ),
        ("Pod", Unhealthy, vec![("fine", no), ("starting", yes), ("crashing", yes), ("done", no), ("evicted", yes)]),
        ("Pod", NotReady, vec![("fine", no), ("starting", yes), ("crashing", yes), ("done", no), ("unscheduled", yes)]),
        ("Pod", Ready, vec![("fine", yes), ("starting", no), ("done", no)]),
        (
            "Pod",
            Pending,
            vec![
                ("fine", no),
                ("no-image", yes),
                ("init-fails", yes),
                ("creating", yes),
                ("init-waits", yes),
                ("unscheduled", yes),
                ("evicted", no),
            ],
        ),
        ("Pod", Complete, vec![("fine", no), ("done", yes), ("code", no)]),
        ("Pod", Restarted(at_least(1)), vec![("fine", no), ("restarted", yes), ("crashing", yes)]),
        ("Pod", Restarted(at_least(10)), vec![("restarted", yes), ("crashing", no)]),
        ("Pod", Restarted(Limit::AtMost(0)), vec![("fine", yes), ("restarted", no)]),
        ("Pod", status("CrashLoopBackOff"), vec![("crashing", yes), ("init-fails", yes), ("oom", no), ("fine", no)]),
        ("Pod", status("oomkilled"), vec![("oom", yes), ("crashing", no)]),
        ("Pod", status("Terminating"), vec![("bank/fine", yes), ("fine", no)]),
        ("Pod", status("Evicted"), vec![("evicted", yes), ("code", no)]),
        // The columns of pods do not hold their images.
        ("Pod", image("app"), vec![("fine", not_said)]),
        ("Pod", ExternalAddress, vec![("fine", not_said)]),
        ("Deployment", NotReady, vec![("web", yes), ("api", no), ("dead", yes), ("off", no)]),
        ("Deployment", Ready, vec![("web", no), ("api", yes), ("off", no)]),
        ("Deployment", NotRunning, vec![("web", no), ("dead", yes), ("off", yes)]),
        ("Deployment", Unhealthy, vec![("web", yes), ("api", no), ("off", no)]),
        ("Deployment", desired(3), vec![("web", yes), ("api", no)]),
        ("Deployment", desired(0), vec![("off", yes), ("dead", no)]),
        ("Deployment", ready(2), vec![("web", yes), ("api", yes), ("dead", no)]),
        ("Deployment", image("nginx:1.27"), vec![("web", yes)]),
        ("Deployment", image("redis"), vec![("web", no)]),
        ("Deployment", Restarted(at_least(1)), vec![("web", not_said)]),
        ("StatefulSet", NotReady, vec![("db", yes)]),
        ("StatefulSet", desired(2), vec![("db", yes)]),
        ("DaemonSet", NotReady, vec![("agent", yes)]),
        ("DaemonSet", desired(2), vec![("agent", yes)]),
        ("DaemonSet", image("nginx"), vec![("agent", yes)]),
        ("Service", ExternalAddress, vec![("web", yes), ("waiting", no), ("inside", no)]),
        ("Service", Pending, vec![("web", no), ("waiting", yes), ("inside", no)]),
        ("Service", status("LoadBalancer"), vec![("web", yes), ("waiting", yes), ("inside", no)]),
        ("Service", NotReady, vec![("web", not_said)]),
        ("Ingress", ExternalAddress, vec![("open", yes), ("closed", no)]),
        ("PersistentVolumeClaim", Bound, vec![("data", yes), ("unbound", no), ("orphan", no)]),
        ("PersistentVolumeClaim", NotBound, vec![("data", no), ("unbound", yes), ("orphan", yes)]),
        ("PersistentVolumeClaim", Pending, vec![("data", no), ("unbound", yes)]),
        ("PersistentVolumeClaim", Lost, vec![("data", no), ("orphan", yes)]),
        ("PersistentVolumeClaim", Failed, vec![("data", no), ("orphan", yes)]),
        ("PersistentVolumeClaim", Capacity(at_least(5 << 30)), vec![("data", yes), ("unbound", no)]),
        ("PersistentVolumeClaim", Capacity(at_least(20 << 30)), vec![("data", no)]),
        ("PersistentVolume", Bound, vec![("vol", yes), ("free", no), ("left", no)]),
        ("PersistentVolume", status("Released"), vec![("left", yes), ("free", no)]),
        ("PersistentVolume", Capacity(Limit::Exactly(10 << 30)), vec![("vol", yes)]),
        ("Job", Complete, vec![("migrated", yes), ("broken", no), ("working", no), ("held", no)]),
        ("Job", Failed, vec![("migrated", no), ("broken", yes), ("working", no), ("held", no)]),
        ("Job", Running, vec![("migrated", no), ("working", yes), ("held", no)]),
        ("Job", Suspended, vec![("migrated", no), ("held", yes)]),
        ("Job", NotReady, vec![("working", not_said)]),
        ("Job", image("migrate"), vec![("migrated", yes)]),
        ("CronJob", Suspended, vec![("nightly", no), ("paused", yes)]),
        ("Node", Ready, vec![("n1", yes), ("n2", yes), ("n3", no)]),
        ("Node", NotReady, vec![("n1", no), ("n3", yes)]),
        ("Node", Unhealthy, vec![("n1", no), ("n3", yes)]),
        ("Node", status("SchedulingDisabled"), vec![("n1", no), ("n2", yes)]),
        ("Node", Version("1.29".to_owned()), vec![("n1", yes)]),
        ("Node", Version("1.30".to_owned()), vec![("n1", no)]),
        ("HorizontalPodAutoscaler", desired(4), vec![("web", yes)]),
        ("Database", Ready, vec![("well", yes), ("ill", no), ("new", not_said)]),
        ("Database", Failed, vec![("well", no), ("ill", yes), ("new", not_said)]),
        ("Database", Unhealthy, vec![("well", no), ("ill", yes), ("new", not_said)]),
        ("Database", desired(3), vec![("well", yes), ("ill", no)]),
        ("Database", Version("16".to_owned()), vec![("well", yes)]),
        ("Namespace", status("Active"), vec![("shop", yes)]),
        ("ConfigMap", NotReady, vec![]),
    ];
    let mut wrong = Vec::new();
    let mut pairs = 0;
    for (kind, condition, objects) in &cases {
        for (name, expected) in objects {
            pairs += 1;
            let found = find(kind, name, condition);
            if found.verdict != *expected {
                wrong.push(format!("{kind} {name} {condition:?}: {:?} ({})", found.verdict, found.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {pairs} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(pairs > 150, "{pairs}");
    let text = |kind, name, condition: LiveCondition| find(kind, name, &condition).text;
    assert_eq!(text("Pod", "crashing", NotRunning), "0/1 CrashLoopBackOff, restarted 7 times");
    assert_eq!(text("Pod", "init-fails", NotRunning), "0/1 Init:CrashLoopBackOff, restarted 3 times");
    assert_eq!(text("Pod", "code", Failed), "0/1 ExitCode:3");
    assert_eq!(text("Deployment", "web", image("nginx")), "2/3 ready, Images nginx:1.27.3");
    assert_eq!(text("Service", "web", ExternalAddress), "External-IP 203.0.113.7");
    assert_eq!(find("Pod", "restarted", &Restarted(at_least(1))).number, Some(14));
    assert_eq!(find("Deployment", "web", &ready(1)).number, Some(2));

    // Whoever may read one namespace.
    let shopper = source(&server, "shopper").await;
    let places = |names: &[&str]| Objects::Namespaces(names.iter().map(|n| (*n).to_owned()).collect());
    let wanted = [
        Wanted { ty: of("Pod"), objects: places(&["bank", "shop"]) },
        Wanted { ty: of("Node"), objects: Objects::All },
        Wanted { ty: of("Pod"), objects: Objects::All },
        Wanted {
            ty: of("Pod"),
            objects: Objects::Named([("bank".into(), "crashing".into()), ("shop".into(), "fine".into())].into()),
        },
        Wanted {
            ty: ResourceType { plural: "nothings".into(), kind: "Nothing".into(), ..of("Pod") },
            objects: places(&["shop"]),
        },
    ];
    let read = shopper.tables(&wanted, &limits).await;
    let forbidden =
        |namespace: Option<&str>| vec![Missing { namespace: namespace.map(str::to_owned), why: NotRead::Forbidden }];
    let in_shop = names(&read[0]);
    assert!(in_shop.len() == 14 && in_shop.iter().all(|name| name.starts_with("shop/")), "{in_shop:?}");
    assert_eq!(read[0].missing, forbidden(Some("bank")));
    assert_eq!((&read[1].table, &read[1].missing), (&None, &forbidden(None)));
    assert_eq!((names(&read[2]), &read[2].missing), (vec![], &forbidden(None)));
    assert_eq!((names(&read[3]), &read[3].missing), (vec!["shop/fine".to_owned()], &forbidden(Some("bank"))));
    assert_eq!(read[4].missing, [Missing { namespace: Some("shop".to_owned()), why: NotRead::NotServed }]);
}
