//! The demo's index: beside the user's, made by itself, and of no cluster.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::process::{Child, Stdio};

use clusterlore_testkit::chat::{FakeChat, Says, results};
use common::serving::Serving;
use common::{Home, Ran};

const QUESTION: [&str; 5] = ["search", "what databases are running?", "--demo", "-o", "name"];

#[test]
fn it_is_asked_by_every_command_that_asks() {
    let home = Home::new();
    let made = home.run(&QUESTION).ok();
    assert!(made.out.contains("statefulset.apps/granite\n"), "{}", made.out);
    assert_eq!(made.err, "Indexed Corrie Ropeways, an invented company: 73 objects, 58 types.\n");
    assert_eq!(home.run(&QUESTION).ok().err, "", "it is there");
    for (args, said) in [
        (&["count", "--kind", "deploy"][..], "18"),
        (&["similar", "sts/granite", "-n", "datastores"], "StatefulSet"),
        (&["ask", "what caches are there?"], "icebox"),
        (&["status"], "the folder examples, part of clusterlore"),
    ] {
        let ran = home.run(&[args, &["--demo"]].concat()).ok();
        assert!(ran.out.contains(said), "{args:?}: {}", ran.out);
    }
    for (question, said, not) in [
        ("", "marmot-6c9f8d7b5d-q7xkz", "nothing"),
        ("what was deleted lately", "kiosk-web-5c7d9f4b6c-x8k2p", "created"),
        ("what changed in fares", "spec or annotations changed", "granite"),
        ("when did kiosk-web disappear", "kiosk-web-5c7d9f4b6c-x8k2p", "marmot"),
        ("databases that changed in the last 12 hours", "granite", "marmot"),
    ] {
        let told = home.run(&["changes", question, "--demo"]).ok();
        assert!(told.out.contains(said) && !told.out.contains(not), "{question}: {told:?}");
        assert!(!told.err.contains("journal is empty"), "{question}: {told:?}");
    }
    let asked = home.run(&["ask", "what was deleted in liftops?", "--demo"]).ok();
    assert!(asked.err.contains("Ask \"clusterlore changes --demo\"."), "{asked:?}");
    // Its source is named once.
    let status = home.run(&["status", "--demo"]).ok().out;
    assert!(status.lines().any(|line| line == "Source: the folder examples, part of clusterlore"), "{status}");
    assert!(!home.store().exists());
}

#[test]
fn the_users_own_index_and_settings_stay_as_they_are() {
    let home = Home::new();
    home.write("m/a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: pier, namespace: harbour}\n");
    home.run(&["sync-instances", "--from", "m"]).ok();
    let before = std::fs::read(home.store()).unwrap();
    for (variable, value) in [
        ("CLUSTERLORE_STORE", "sqlite:/nowhere/at/all.db"),
        ("CLUSTERLORE_POSTGRES_URL", "postgres://127.0.0.1:1/lore"),
        ("CLUSTERLORE_EMBEDDER", "voyage"),
        ("KUBECONFIG", "/nowhere/kubeconfig"),
        ("CLUSTERLORE_MAX_AGE", "1s"),
    ] {
        for args in [&["demo"][..], &QUESTION, &["ask", "which pods are not ready?", "--demo"]] {
            let ran = Ran::of(home.command(args).env(variable, value).output().unwrap()).ok();
            assert!(!ran.out.contains("pier") && !ran.out.is_empty(), "{variable} {args:?}: {ran:?}");
            assert!(!ran.err.contains("nowhere") && !ran.out.contains("nowhere"), "{variable} {args:?}: {ran:?}");
        }
    }
    assert_eq!(std::fs::read(home.store()).unwrap(), before);
    assert!(home.run(&["search", "pier", "-o", "name"]).ok().out.starts_with("service/pier"));
    for (flag, value) in [
        ("--store", "sqlite:own.db"),
        ("--chroma-url", "http://127.0.0.1:1"),
        ("--postgres-url", "postgres://127.0.0.1:1/lore"),
        ("--embedder", "voyage"),
        ("--context", "east"),
        ("--kubeconfig", "k.yaml"),
        ("--as", "ann"),
        ("--from", "m"),
    ] {
        for command in ["search", "serve"] {
            let ran = home.run(&[command, "--demo", flag, value]);
            assert_eq!(ran.status, 2, "{command} {flag}: {ran:?}");
            assert!(ran.err.contains(&format!("'{flag}")), "{command} {flag}: {}", ran.err);
        }
    }
    assert_eq!(home.run(&["index", "--demo"]).status, 2);
}

/// Whatever is asked, and whoever answers: nobody connects to the cluster of the context in use.
#[tokio::test(flavor = "multi_thread")]
async fn no_cluster_is_asked() {
    let cluster = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new();
    home.write(
        ".kube/config",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: east\nclusters: [{{name: east, cluster: {{server: 'http://{}'}}}}]\n\
             users: [{{name: u, user: {{}}}}]\ncontexts: [{{name: east, context: {{cluster: east, user: u}}}}]\n",
            cluster.local_addr().unwrap()
        ),
    );
    let pods = serde_json::json!({"resource": "pods", "namespace": "fares"});
    let chat = FakeChat::start([Says::call("kubectl_get", pods), Says::text("There is none.")]).await;
    for args in [
        &["search", "which pods are not ready?", "-o", "wide"][..],
        &["count", "pods that are pending"],
        &["ask", "why is kiosk-web failing?"],
        &["ask", "which pods are not ready?", "--model", "anthropic"],
        &["changes", "who last changed marmot"],
        &["status"],
    ] {
        let mut command = home.command(&[args, &["--demo"]].concat());
        command.env("ANTHROPIC_API_KEY", "sk-test").env("ANTHROPIC_BASE_URL", chat.base());
        let ran = Ran::of(command.output().unwrap());
        assert!(ran.status == 0, "{args:?}: {ran:?}");
    }
    let told: Vec<String> = chat.asked().iter().flat_map(results).collect();
    assert!(told.iter().all(|said| said.contains("The cluster cannot be read")) && !told.is_empty(), "{told:?}");
    let mut serving = Serving::start(&home, &["--demo"]);
    let (status, body) = serving.get("/api/v1/search?q=which+pods+are+not+ready");
    assert!(status == 200 && body.contains("marmot"), "{body}");
    assert_eq!(serving.end("-TERM"), Some(0));
    cluster.set_nonblocking(true).unwrap();
    assert_eq!(cluster.accept().map(|_| ()).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn it_is_made_anew_where_another_version_made_it_or_it_is_broken() {
    let home = Home::new();
    let expected = home.run(&QUESTION).ok().out;
    let mark = home.path("data/clusterlore/demo/made-by");
    let index = home.path("data/clusterlore/demo/index.db");
    std::fs::write(&mark, "clusterlore 0.0.1, builtin-v0\n").unwrap();
    std::fs::write(&index, "of another version").unwrap();
    let ran = home.run(&QUESTION).ok();
    assert_eq!((ran.out, ran.err.lines().count()), (expected.clone(), 1), "{}", ran.err);
    std::fs::remove_file(&index).unwrap();
    assert_eq!(home.run(&QUESTION).ok().out, expected);
    // Whoever names it has it made anew, whatever it is.
    std::fs::write(&index, "broken").unwrap();
    assert_eq!(home.run(&QUESTION).status, 1);
    home.run(&["demo"]).ok();
    assert_eq!(home.run(&QUESTION).ok().out, expected);
    let left: Vec<String> = std::fs::read_dir(home.path("data/clusterlore"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, ["demo"], "nothing else is left behind");
}

#[test]
fn it_is_made_by_several_at_once() {
    let home = Home::new();
    let start = |_| home.command(&QUESTION).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let all: Vec<Child> = (0..6).map(start).collect();
    let all: Vec<Ran> = all.into_iter().map(|one| Ran::of(one.wait_with_output().unwrap()).ok()).collect();
    assert!(all[0].out.contains("granite"));
    assert!(all.iter().all(|ran| ran.out == all[0].out), "{all:#?}");
}

#[test]
fn without_a_folder_to_keep_it_in_that_is_told() {
    let home = Home::new();
    let file = home.write("file", "");
    let ran = Ran::of(home.command(&QUESTION).env("XDG_DATA_HOME", file).output().unwrap());
    assert!(ran.error().contains("the demo's index cannot be kept in"), "{}", ran.err);
    assert!(ran.err.contains("XDG_DATA_HOME"), "{}", ran.err);
}
