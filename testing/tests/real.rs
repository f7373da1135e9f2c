//! The real API server does what its users rely on.

use std::{path::Path, process::Command, thread, time::Duration};

use clusterlore_testkit::{
    real::{ApiServer, Options},
    shared,
};

fn alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn users_have_the_rights_that_they_are_given() {
    let options = Options { users: vec!["shopkeeper".to_owned()], ..Options::default() };
    let Some(server) = ApiServer::start_or_skip_with(&options) else { return };
    for name in ["shop", "bank"] {
        server.kubectl(&["create", "namespace", name]);
    }
    server.create_role_for("shopkeeper", &["shop"]);
    let list = |user, namespace| server.kubectl_as(user, &["get", "configmaps", "-n", namespace]);
    let forbidden = |user, namespace| String::from_utf8_lossy(&list(user, namespace).stderr).contains("(Forbidden)");
    assert!(forbidden("viewer", "shop"));
    assert!(forbidden("shopkeeper", "bank"));
    assert!(list("shopkeeper", "shop").status.success());
}

#[test]
fn nothing_is_left_when_the_server_is_dropped_or_the_test_panics() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    let (pids, dir) = (server.process_ids(), server.dir().to_owned());
    assert!(pids.len() == 2 && pids.iter().all(|pid| alive(*pid)) && dir.exists());
    let panicked = thread::spawn(move || {
        let _server = server;
        std::panic::resume_unwind(Box::new("as a failing test does"));
    });
    assert!(panicked.join().is_err());
    assert!(!pids.iter().any(|pid| alive(*pid)) && !dir.exists());
}

/// The other half of [`nothing_is_left_when_the_test_process_is_killed`]: runs in a process of its own.
#[test]
#[ignore = "helper: waits to be killed"]
fn waits_to_be_killed() {
    let server = ApiServer::start();
    let pids: Vec<String> = server.process_ids().iter().map(u32::to_string).collect();
    let file = std::env::var_os("PIDS_FILE").expect("the file in which the other test looks");
    std::fs::write(file, format!("{}\n{}\n", server.dir().display(), pids.join("\n"))).unwrap();
    thread::sleep(Duration::from_secs(60));
}

#[test]
fn nothing_is_left_when_the_test_process_is_killed() {
    if ApiServer::start_or_skip().is_none() {
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "waits_to_be_killed"]).env("PIDS_FILE", file.path());
    let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    let text = until("the server of the other process starts", || {
        let text = std::fs::read_to_string(file.path()).unwrap();
        (text.lines().count() == 3 && text.ends_with('\n')).then_some(text)
    });
    let lines: Vec<&str> = text.lines().collect();
    let pids: Vec<u32> = lines[1..].iter().map(|line| line.parse().unwrap()).collect();
    assert!(pids.iter().all(|pid| alive(*pid)));
    child.kill().unwrap();
    child.wait().unwrap();
    until("everything is gone", || {
        (!pids.iter().any(|pid| alive(*pid)) && !Path::new(lines[0]).exists()).then_some(())
    });
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("waited a minute in vain until {what}");
}

#[test]
fn the_corpus_applies_whole() {
    let (Some(manifests), Some(server)) = (shared("corpus/manifests"), ApiServer::start_or_skip()) else { return };
    server.apply_folder(&manifests);
    let definitions = server.kubectl(&["get", "crd", "-o", "name"]);
    assert_eq!(definitions.lines().count(), 119);
    assert!(server.kubectl(&["get", "deployments", "-A", "-o", "name"]).lines().count() > 20);
    assert!(server.count_objects() > 300, "{}", server.count_objects());
}

#[tokio::test]
async fn many_objects_and_types_are_made_fast_and_as_asked() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.create_pods(200, 6_000);
    let pods = server.kubectl(&["get", "pods", "-A", "-o", "json", "--show-managed-fields"]);
    let pods: serde_json::Value = serde_json::from_str(&pods).unwrap();
    let pods = pods["items"].as_array().unwrap();
    assert_eq!(pods.len(), 200);
    for pod in pods {
        let bytes = pod["metadata"].to_string().len();
        assert!((5_900..6_100).contains(&bytes), "{bytes} bytes of metadata");
    }
    let types = server.listed_types().len() + 20;
    let objects = server.count_objects() + 100;
    server.create_types(types, objects);
    assert_eq!((server.listed_types().len(), server.count_objects()), (types, objects));
}
