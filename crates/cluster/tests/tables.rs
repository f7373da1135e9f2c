//! Tables of the API server: faults of a server that misbehaves as asked, and cells that nobody should write.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use clusterlore_cluster::tables::{
    Column, Missing, NotRead, Objects, Row, Table, TableLimits, TypeTable, Verdict, Wanted,
};
use clusterlore_cluster::{LiveOptions, LiveSource};
use clusterlore_core::conditions::{Conditions, Finding};
use clusterlore_core::{Limit, LiveCondition, Replicas, ResourceInstance, ResourceType};
use clusterlore_testkit::fake::{Encoding, FakeApiServer, Fault, NEVER_READ};
use proptest::prelude::*;

fn ty(name: &str, kind: &str, namespaced: bool) -> ResourceType {
    let (plural, group) = name.split_once('.').unwrap_or((name, ""));
    let (plural, group, kind) = (plural.into(), group.into(), kind.into());
    ResourceType { plural, group, version: "v1".into(), kind, namespaced, ..ResourceType::default() }
}

fn pods() -> ResourceType {
    ty("pods", "Pod", true)
}

fn jobs() -> ResourceType {
    ty("jobs.batch", "Job", true)
}

fn put(server: &FakeApiServer, api_version: &str, kind: &str, namespace: &str, name: &str, status: &str) {
    let mut object = ResourceInstance::new(api_version, kind, Some(namespace), name).unwrap();
    object.labels = [("status".to_owned(), status.to_owned())].into();
    server.put(object);
}

/// Seven pods in two namespaces, and a job.
async fn server() -> FakeApiServer {
    let server = FakeApiServer::start().await;
    server.add_type(pods()).add_type(jobs());
    for n in 0..7 {
        let status = if n % 2 == 0 { "Running" } else { "CrashLoopBackOff" };
        put(&server, "v1", "Pod", if n < 5 { "a" } else { "b" }, &format!("p{n}"), status);
    }
    put(&server, "batch/v1", "Job", "a", "j", "Complete");
    server
}

/// With retries that would take a minute.
async fn source(server: &FakeApiServer) -> LiveSource {
    let options = LiveOptions { kubeconfig: Some(server.kubeconfig().to_owned()), ..LiveOptions::default() };
    LiveSource::connect(options).await.unwrap()
}

fn limits() -> TableLimits {
    TableLimits { page: 2, ..TableLimits::default() }
}

fn all(ty: ResourceType) -> Wanted {
    Wanted { ty, objects: Objects::All }
}

fn in_namespaces(names: &[&str]) -> Wanted {
    Wanted { ty: pods(), objects: Objects::Namespaces(names.iter().map(|n| (*n).to_owned()).collect()) }
}

fn named(objects: &[(&str, &str)]) -> Wanted {
    let objects = objects.iter().map(|(namespace, name)| ((*namespace).to_owned(), (*name).to_owned())).collect();
    Wanted { ty: pods(), objects: Objects::Named(objects) }
}

fn names(read: &TypeTable) -> Vec<String> {
    let rows = read.table.iter().flat_map(|table| &table.rows);
    let mut names: Vec<String> = rows.map(|row| format!("{}/{}", row.namespace, row.name)).collect();
    names.sort();
    names
}

async fn one(server: &FakeApiServer, wanted: Wanted) -> TypeTable {
    let read = source(server).await.tables(&[wanted], &limits()).await;
    <[TypeTable; 1]>::try_from(read).unwrap_or_else(|read| panic!("{read:?}")).into_iter().next().unwrap()
}

fn missing(namespace: Option<&str>, why: NotRead) -> Missing {
    Missing { namespace: namespace.map(str::to_owned), why }
}

#[tokio::test]
async fn a_table_is_read_page_by_page_with_its_columns_and_no_metadata_but_names() {
    let server = server().await;
    let read = one(&server, all(pods())).await;
    assert_eq!(read.missing, []);
    let table = read.table.as_ref().unwrap();
    assert_eq!(names(&read), ["a/p0", "a/p1", "a/p2", "a/p3", "a/p4", "b/p5", "b/p6"]);
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["Name", "Status", "Age"]);
    let row = table.row("a", "p1").unwrap();
    assert_eq!((table.cell(row, "STATUS"), row.uid.is_empty()), (Some("CrashLoopBackOff"), false));
    assert!(!format!("{row:?} {table:?}").contains("CrashLoopBackOff"), "cells stand in no text for developers");
    assert!(table.rows.iter().all(|row| !row.cells.join(" ").contains(NEVER_READ)));

    let seen: Vec<_> = server.requests().into_iter().filter(|seen| seen.path == "/api/v1/pods").collect();
    assert_eq!(seen.len(), 4);
    assert_eq!(seen[0].query, "limit=2&includeObject=Metadata");
    assert_eq!(seen[0].accept, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
}

#[tokio::test]
async fn only_what_is_wanted_is_asked_for_and_kept() {
    let server = server().await;
    assert_eq!(names(&one(&server, in_namespaces(&["b"])).await), ["b/p5", "b/p6"]);
    assert_eq!(server.count("/api/v1/pods"), 0);
    let few = one(&server, named(&[("a", "p1"), ("b", "p6"), ("b", "gone")])).await;
    assert_eq!((names(&few), few.missing), (vec!["a/p1".to_owned(), "b/p6".to_owned()], vec![]));
    assert_eq!((server.count("/api/v1/pods"), server.count("/api/v1/namespaces/a/pods/p1")), (0, 1));
    let gone = one(&server, named(&[("b", "gone")])).await;
    assert_eq!((names(&gone), gone.missing), (vec![], vec![]));
    let many =
        one(&server, named(&[("a", "p0"), ("a", "p1"), ("a", "p2"), ("a", "p3"), ("b", "p6"), ("c", "p")])).await;
    assert_eq!(names(&many), ["a/p0", "a/p1", "a/p2", "a/p3", "b/p6"]);
    let five = in_namespaces(&["a", "c", "d", "e", "f"]);
    assert_eq!(names(&one(&server, five).await), ["a/p0", "a/p1", "a/p2", "a/p3", "a/p4"]);
    assert_eq!(server.count("/api/v1/namespaces/f/pods"), 0, "one list instead of many");
    assert_eq!(one(&server, in_namespaces(&[])).await, TypeTable::default());
}

#[tokio::test]
async fn what_may_not_be_read_is_said_and_the_rest_is_read() {
    let server = server().await;
    server.grant("b", "pods").grant("*", "jobs.batch");
    let read = source(&server).await;
    let wanted = [
        in_namespaces(&["a", "b"]),
        all(jobs()),
        in_namespaces(&["a", "b", "c", "d", "e"]),
        named(&[("a", "p1"), ("b", "p5")]),
    ];
    let read = read.tables(&wanted, &limits()).await;
    let forbidden = |names: &[&str]| names.iter().map(|n| missing(Some(n), NotRead::Forbidden)).collect::<Vec<_>>();
    assert_eq!((names(&read[0]), &read[0].missing), (vec!["b/p5".to_owned(), "b/p6".to_owned()], &forbidden(&["a"])));
    assert_eq!((names(&read[1]), &read[1].missing), (vec!["a/j".to_owned()], &vec![]));
    assert_eq!((names(&read[2]).len(), &read[2].missing), (2, &forbidden(&["a", "c", "d", "e"])));
    assert_eq!((names(&read[3]), &read[3].missing), (vec!["b/p5".to_owned()], &forbidden(&["a"])));
    // Everything was wanted: the context's namespace, which is `default`, and nothing of the others.
    server.grant("default", "pods");
    put(&server, "v1", "Pod", "default", "mine", "Running");
    let everything = one(&server, all(pods())).await;
    assert_eq!(
        (names(&everything), everything.missing),
        (vec!["default/mine".to_owned()], vec![missing(None, NotRead::Forbidden)])
    );
    server.revoke("default");
    let nothing = one(&server, all(pods())).await;
    assert_eq!(nothing, TypeTable { table: None, missing: vec![missing(None, NotRead::Forbidden)] });
}

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
const BEGIN: &str = r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"1"},"columnDefinitions":[{"name":"Name","type":"string","priority":0}],"rows":["#;

fn row(name: &str) -> String {
    format!(
        r#"{{"cells":["{name}"],"object":{{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{{"name":"{name}","namespace":"a"}}}}}}"#
    )
}

/// Of pods; jobs are always well.
#[tokio::test]
async fn each_fault_is_told_of_its_type_and_no_other_suffers() {
    let table = |text: String| Fault::answer(TABLE, text);
    let whole = |rows: &str| format!("{BEGIN}{rows}]}}");
    type Expected<'a> = &'a dyn Fn(&NotRead) -> bool;
    let is_cut: Expected<'_> = &|why| matches!(why, NotRead::Cut(_));
    // Whether it ever began is for the connection to say.
    let is_lost: Expected<'_> = &|why| matches!(why, NotRead::Cut(_) | NotRead::Failed(_));
    let is_failed: Expected<'_> = &|why| matches!(why, NotRead::Failed(_));
    let no_table: Expected<'_> = &|why| *why == NotRead::NoTable;
    let too_much: Expected<'_> = &|why| *why == NotRead::TooMuch;
    let slow: Expected<'_> = &|why| *why == NotRead::Slow;
    let endless = |every: u64| {
        Fault::endless(
            TABLE,
            format!("{BEGIN}{}", row("p")),
            format!(",{}", row("p")).repeat(50),
            Duration::from_millis(every),
        )
    };
    let cases: Vec<(&str, Fault, Expected<'_>)> = vec![
        ("403", Fault::forbidden(), &|why| *why == NotRead::Forbidden),
        ("404", Fault::not_found(), &|why| *why == NotRead::NotServed),
        ("405", Fault::not_allowed(), &|why| *why == NotRead::NotServed),
        ("406", Fault::status(406), no_table),
        ("401", Fault::unauthorized(), is_failed),
        ("429", Fault::throttled(60), is_failed),
        ("500", Fault::status(500), is_failed),
        ("410 in the middle", Fault::expired(), is_cut),
        ("slow", Fault::slow(Duration::from_secs(5)), slow),
        ("slow in the middle", Fault::slow(Duration::from_secs(5)).mid_list(), slow),
        ("cut", Fault::cut(), is_cut),
        ("cut in the middle of the list", Fault::cut().mid_list(), is_cut),
        ("short", Fault::short(), is_lost),
        ("HTTP/1.0, cut", Fault::http10_cut(-1), is_cut),
        ("nonsense", Fault::malformed(), is_cut),
        ("a page to log in", Fault::answer("text/html", "<html>"), is_cut),
        ("a redirect", Fault::redirect("http://127.0.0.1:1/"), is_failed),
        ("a token twice", Fault::token("again"), is_cut),
        ("tokens without end", Fault::tokens(), &|why| {
            matches!(why, NotRead::Slow | NotRead::TooMuch | NotRead::Cut(_))
        }),
        ("rows without end", endless(0), &|why| matches!(why, NotRead::TooMuch | NotRead::Slow)),
        ("rows that trickle", endless(100), slow),
        (
            "a plain list",
            Fault::answer("application/json", r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}"#),
            no_table,
        ),
        (
            "one object",
            Fault::answer("application/json", r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"}}"#),
            no_table,
        ),
        ("a status", Fault::answer("application/json", r#"{"kind":"Status","apiVersion":"v1","metadata":{}}"#), is_cut),
        ("no columns", table(whole("").replace("columnDefinitions", "x")), is_cut),
        (
            "columns that are none",
            table(whole("").replace(r#"[{"name":"Name","type":"string","priority":0}]"#, "{}")),
            is_cut,
        ),
        (
            "an empty set of columns",
            table(whole("").replace(r#"[{"name":"Name","type":"string","priority":0}]"#, "[]")),
            no_table,
        ),
        ("a row without cells", table(whole(r#"{"object":{"metadata":{"name":"p","namespace":"a"}}}"#)), is_cut),
        ("a row without an object", table(whole(r#"{"cells":["p"],"object":null}"#)), is_cut),
        ("a row of another type", table(whole(&row("p").replace("PartialObjectMetadata", "Stranger"))), is_cut),
        ("a large answer", table(whole(&vec![row(&"p".repeat(200)); 200_000].join(","))), too_much),
    ];
    for (name, fault, expected) in cases {
        let server = server().await;
        server.fault("pods", fault);
        let source = source(&server).await;
        let began = Instant::now();
        let read = source.tables(&[all(pods()), all(jobs())], &limits()).await;
        let took = began.elapsed();
        assert!(took < Duration::from_millis(1_200), "{name}: {took:?}");
        let [of_pods, of_jobs] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((names(of_jobs), &of_jobs.missing), (vec!["a/j".to_owned()], &vec![]), "{name}");
        assert_eq!(of_pods.table, None, "{name}: half a table is none");
        let [Missing { namespace: None, why }] = of_pods.missing.as_slice() else { panic!("{name}: {of_pods:?}") };
        assert!(expected(why), "{name}: {why:?}");
    }
}

#[tokio::test]
async fn a_server_that_knows_no_tables_is_told_from_one_that_has_no_rows() {
    let server = server().await;
    for encoding in [Encoding::MetadataJson, Encoding::WholeJson, Encoding::OnlyPlainJson] {
        server.encoding("pods", encoding);
        for wanted in [all(pods()), named(&[("a", "p1")])] {
            let read = one(&server, wanted).await;
            assert_eq!(read.table, None, "{encoding:?}");
            assert!(
                matches!(read.missing.as_slice(), [Missing { why: NotRead::NoTable, .. }]),
                "{encoding:?} {read:?}"
            );
        }
    }
    server.encoding("pods", Encoding::Any);
    let read = one(&server, in_namespaces(&["kube-system"])).await;
    assert_eq!((read.table.unwrap().rows.len(), read.missing), (0, vec![]));
}

#[tokio::test]
async fn a_slow_server_takes_no_more_than_the_time_however_much_is_wanted() {
    let server = server().await;
    server.fault("pods", Fault::slow(Duration::from_millis(400)));
    let source = source(&server).await;
    let began = Instant::now();
    let wanted: Vec<Wanted> = (0..60).map(|_| in_namespaces(&["a", "b"])).collect();
    let read = source.tables(&wanted, &TableLimits { page: 500, ..limits() }).await;
    assert!(began.elapsed() < Duration::from_millis(1_200), "{:?}", began.elapsed());
    let whole = read.iter().filter(|read| read.missing.is_empty()).count();
    assert!(whole > 0 && whole < 60, "{whole}");
    assert!(read.iter().flat_map(|read| &read.missing).all(|missing| missing.why == NotRead::Slow));
    let most = server.count("/api/v1/namespaces/a/pods") + server.count("/api/v1/namespaces/b/pods");
    assert!(most <= 8 * 3, "{most} requests: eight at a time, 400 ms each");
}

#[tokio::test]
async fn nothing_listens() {
    let server = server().await;
    let source = source(&server).await;
    drop(server);
    let read = source.tables(&[all(pods()), all(jobs())], &limits()).await;
    for read in read {
        assert!(matches!(read.missing.as_slice(), [Missing { why: NotRead::Failed(_), .. }]), "{read:?}");
    }
}

/// Of each condition one, with what may be asked of it.
fn every_condition() -> Vec<LiveCondition> {
    let mut all: Vec<LiveCondition> = Conditions::get().asked.iter().map(|asked| asked.is.clone()).collect();
    all.push(LiveCondition::Replicas { of: Replicas::Ready, number: Limit::AtMost(0) });
    all
}

/// A table of one row, and the conditions of it.
fn table_of(type_name: &str, cells: &[(&str, &str)]) -> Table {
    let row = Row {
        namespace: "a".to_owned(),
        name: "p".to_owned(),
        uid: String::new(),
        cells: cells.iter().map(|(_, cell)| (*cell).to_owned()).collect(),
    };
    let columns = cells.iter().map(|(name, _)| Column::new(name, "string", false)).collect();
    Table { type_name: type_name.to_owned(), columns, rows: vec![row] }
}

/// Whether a condition holds of the one row of a table.
fn finding(table: &Table, condition: &LiveCondition) -> Finding {
    table.findings(condition).remove(0)
}

#[test]
fn what_a_type_does_not_print_is_not_said() {
    let table = table_of("configmaps", &[("Name", "c"), ("Data", "3"), ("Age", "5m")]);
    for condition in every_condition() {
        assert_eq!(finding(&table, &condition).verdict, Verdict::NotSaid, "{condition:?}");
    }
    let broken =
        table_of("pods", &[("Name", "c"), ("Ready", "x/y"), ("Status", ""), ("Restarts", "many"), ("Age", "")]);
    for condition in every_condition().into_iter().filter(|condition| condition.name() != "status") {
        assert_eq!(finding(&broken, &condition).verdict, Verdict::NotSaid, "{condition:?}");
    }
    // Fewer cells than columns.
    let mut short = table_of("pods", &[("Name", "c"), ("Ready", "1/1"), ("Status", "Running"), ("Restarts", "0")]);
    short.rows[0].cells.truncate(2);
    assert_eq!(finding(&short, &LiveCondition::Running).verdict, Verdict::NotSaid);
    assert_eq!(finding(&short, &LiveCondition::Ready).verdict, Verdict::Yes);
}

#[test]
fn the_text_says_what_decides() {
    let text = |condition: &LiveCondition, ty: &str, cells: &[(&str, &str)]| {
        let table = table_of(ty, cells);
        finding(&table, condition).text
    };
    let pod = |ready, status, restarts| [("Name", "p"), ("Ready", ready), ("Status", status), ("Restarts", restarts)];
    let restarted = LiveCondition::Restarted(Limit::AtLeast(1));
    for (expected, said) in [
        (
            "0/1 CrashLoopBackOff, restarted 14 times",
            text(&LiveCondition::NotRunning, "pods", &pod("0/1", "CrashLoopBackOff", "14 (5m ago)")),
        ),
        ("1/1 Running", text(&LiveCondition::Running, "pods", &pod("1/1", "Running", "0"))),
        ("1/1 Running, never restarted", text(&restarted, "pods", &pod("1/1", "Running", "0"))),
        ("1/1 Running, restarted once", text(&restarted, "pods", &pod("1/1", "Running", "1 (3d ago)"))),
        ("2/3 ready", text(&LiveCondition::NotReady, "deployments.apps", &[("Ready", "2/3")])),
        (
            "1/2 ready",
            text(&LiveCondition::NotReady, "daemonsets.apps", &[("Desired", "2"), ("Current", "2"), ("Ready", "1")]),
        ),
        (
            "External-IP <pending>",
            text(
                &LiveCondition::ExternalAddress,
                "services",
                &[("Type", "LoadBalancer"), ("External-IP", "<pending>")],
            ),
        ),
        (
            "Bound, Capacity 10Gi",
            text(
                &LiveCondition::Capacity(Limit::AtLeast(1)),
                "persistentvolumeclaims",
                &[("Status", "Bound"), ("Capacity", "10Gi")],
            ),
        ),
        ("Ready False", text(&LiveCondition::NotReady, "things.example.org", &[("Ready", "False")])),
        ("", text(&LiveCondition::Ready, "configmaps", &[("Data", "3")])),
    ] {
        assert_eq!(said, expected);
    }
}

fn cell() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        "<none>",
        "<pending>",
        "<unset>",
        "<unknown>",
        "x/y",
        "1/",
        "/",
        "0/0",
        "1/2",
        "3 (5m ago)",
        "(",
        " (",
        ")",
        " ()",
        "Init:",
        "init:é",
        "Init:0/1",
        "Running",
        "Ready,SchedulingDisabled",
        ",",
        ",,",
        "True",
        "10Gi",
        "1e999",
        "NaN",
        "inf",
        "-1",
        "18446744073709551616",
        "@",
        ":",
        "nginx:1",
        "a@",
        "v",
        "1/1 of 3",
        " of ",
    ]);
    prop_oneof![known.prop_map(str::to_owned), ".{0,12}", "[0-9/() ,:@.a-zA-Z<>]{0,16}"]
}

proptest! {
    /// Whatever stands in the cells: an answer, no panic, and no condition that holds together with its opposite.
    #[test]
    fn fuzz_tables_cells(
        ty in prop::sample::select(vec!["pods", "nodes", "jobs.batch", "daemonsets.apps", "services", "persistentvolumes", "things.example.org"]),
        cells in prop::collection::vec((prop::sample::select(columns()), cell()), 0..10),
        asked in cell(),
    ) {
        let cells: Vec<(&str, &str)> = cells.iter().map(|(name, cell)| (name.as_str(), cell.as_str())).collect();
        let table = table_of(ty, &cells);
        let mut conditions = every_condition();
        conditions.extend([LiveCondition::Image(asked.clone()), LiveCondition::Version(asked.clone()), LiveCondition::Status(vec![asked])]);
        for condition in conditions {
            let found = finding(&table, &condition);
            prop_assert!(found.text.len() < 2_000);
        }
        let verdict = |condition| finding(&table, &condition).verdict;
        for (one, other) in [
            (LiveCondition::Running, LiveCondition::NotRunning),
            (LiveCondition::Ready, LiveCondition::NotReady),
            (LiveCondition::Bound, LiveCondition::NotBound),
        ] {
            let (one, other) = (verdict(one), verdict(other));
            prop_assert!(one != Verdict::Yes || other == Verdict::No);
            prop_assert_eq!(one == Verdict::NotSaid, other == Verdict::NotSaid);
        }
    }
}

/// Every column that decides anything.
fn columns() -> Vec<String> {
    let mut columns: Vec<String> =
        Conditions::get().decides.iter().flat_map(|rule| rule.columns.iter().chain(&rule.of).cloned()).collect();
    columns.sort();
    columns.dedup();
    columns
}
