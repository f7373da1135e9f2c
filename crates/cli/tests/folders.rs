//! Manifests instead of a cluster: what is indexed, what is deleted, and what is said about files.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Home, Ran};

fn deployment(name: &str) -> String {
    format!("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: shop\n")
}

impl Home {
    /// What is indexed, as ids.
    fn ids(&self) -> Vec<String> {
        let lines = self.run(&["export", "-"]).ok().out;
        let records = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut ids: Vec<String> =
            records.filter_map(|r| Some(find_id(&r)?.to_owned())).filter(|id| id.contains('/')).collect();
        ids.sort();
        ids
    }

    /// Runs with standard input, and gives up on a program that hangs.
    fn piped(&self, args: &[&str], input: &str) -> Ran {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if began.elapsed() > Duration::from_secs(60) {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ran::of(child.wait_with_output().unwrap())
    }
}

fn find_id(record: &serde_json::Value) -> Option<&str> {
    match record {
        serde_json::Value::Object(fields) => {
            fields.get("id").and_then(|id| id.as_str()).or_else(|| fields.values().find_map(find_id))
        }
        _ => None,
    }
}

/// What a run says of files.
fn warnings(ran: &Ran) -> String {
    ran.err.lines().filter(|line| line.starts_with("Warning: ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_is_no_manifest_does_not_keep_what_was_removed() {
    let home = Home::new();
    home.write("g/deploy.yaml", &deployment("fine"));
    home.write(
        "g/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [deploy.yaml]\n",
    );
    home.write("g/chart/Chart.yaml", "apiVersion: v2\nname: x\n");
    home.write("g/chart/templates/a.yaml", "{{ if .x }}\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n{{ end }}\n");
    let old = home.write("g/old.yaml", &deployment("going-away"));
    home.sync_from(Path::new("g")).ok();
    std::fs::remove_file(old).unwrap();
    let ran = home.sync_from(Path::new("g")).ok();
    assert_eq!(ran.counts(), [1, 0, 1, 1]);
    insta::assert_snapshot!("no-manifests", warnings(&ran));
    assert!(!home.run(&["search", "going away"]).out.contains("going-away"));
}

#[test]
fn a_broken_manifest_keeps_everything_and_the_status_says_so() {
    let home = Home::new();
    home.write("g/deploy.yaml", &deployment("fine"));
    let old = home.write("g/old.yaml", &deployment("still-here"));
    home.sync_from(Path::new("g")).ok();
    std::fs::write(&old, deployment("still-here").replace("name: ", "name: [")).unwrap();
    let ran = home.sync_from(Path::new("g"));
    assert_eq!(ran.status, 3, "{}", ran.err);
    insta::assert_snapshot!("broken-manifest", warnings(&ran));
    assert_eq!(ran.counts()[2], 0, "{}", ran.err);
    assert!(home.run(&["search", "still here"]).ok().out.contains("still-here"));
    // And once it is mended, what is gone goes.
    std::fs::remove_file(old).unwrap();
    assert_eq!(home.sync_from(Path::new("g")).ok().counts()[2], 1);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_keeps_what_lay_beneath() {
    let home = Home::new();
    home.write("m/a.yaml", &deployment("a"));
    home.write("teamb/b.yaml", &deployment("b"));
    std::os::unix::fs::symlink("../teamb", home.path("m/b")).unwrap();
    home.sync_from(Path::new("m")).ok();
    std::fs::rename(home.path("teamb"), home.path("elsewhere")).unwrap();
    let ran = home.sync_from(Path::new("m"));
    assert_eq!(ran.status, 3, "{}", ran.err);
    insta::assert_snapshot!("link-that-leads-nowhere", warnings(&ran));
    assert_eq!(ran.counts()[2], 0, "{}", ran.err);
    std::fs::rename(home.path("elsewhere"), home.path("teamb")).unwrap();
    let ran = home.sync_from(Path::new("m")).ok();
    assert_eq!(ran.counts(), [2, 0, 0, 2]);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_passed_over() {
    let home = Home::new();
    std::fs::create_dir(home.path("d")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(home.path("d/pipe.yaml")).status().unwrap().success());
    let ran = home.piped(&["sync-instances", "--from", "d"], "");
    insta::assert_snapshot!("pipe-alone", ran.error());
    home.write("d/a.yaml", &deployment("a"));
    let ran = home.piped(&["sync-instances", "--from", "d"], "").ok();
    insta::assert_snapshot!("pipe-among-manifests", warnings(&ran));
}

#[test]
fn standard_input_is_one_source() {
    let home = Home::new();
    let two = format!("{}---\n{}", deployment("one"), deployment("two"));
    let ran = home.piped(&["sync-instances", "--from", "-"], &two).ok();
    assert_eq!(ran.counts(), [2, 2, 0]);
    // Under whatever name.
    #[cfg(unix)]
    for name in ["/dev/stdin", "/dev/fd/0"] {
        let ran = home.piped(&["sync-instances", "--from", name], &two).ok();
        assert_eq!(ran.counts(), [2, 0, 0, 2]);
    }
    // A program that fails writes nothing: that is not a source from which everything was removed.
    home.piped(&["sync-instances", "--from", "-"], "").error();
    assert_eq!(home.ids().len(), 2);
    // What a later pipe no longer says is gone; another set needs another name.
    home.piped(&["sync-instances", "--from", "-", "--cluster-name", "other"], &deployment("three")).ok();
    let ran = home.piped(&["index", "--from", "-"], &deployment("two")).ok();
    assert_eq!(ran.counts(), [1, 0, 1, 1]);
    // And a folder does not take its place.
    home.write("g/a.yaml", &deployment("two"));
    insta::assert_snapshot!("standard-input-then-folder", home.stable(home.sync_from(Path::new("g")).error()));
}

#[cfg(unix)]
#[test]
fn a_pipe_that_a_shell_names_is_read() {
    let home = Home::new();
    home.write("a.yaml", &deployment("one"));
    let program = env!("CARGO_BIN_EXE_clusterlore");
    let line = format!("cat a.yaml | {{ exec 3<&0 </dev/null; {program} sync-instances --from /dev/fd/3; }}");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &line]).current_dir(home.folder.path());
    command.env("HOME", home.folder.path()).env("XDG_DATA_HOME", home.path("data"));
    Ran::of(command.output().unwrap()).ok();
    assert_eq!(home.ids(), ["shop/apps/v1/Deployment/one"]);
    // Without a name that lasts it is what standard input is.
    assert_eq!(home.piped(&["sync-instances", "--from", "-"], &deployment("one")).ok().counts(), [1, 0, 0, 1]);
}

#[test]
fn manifests_in_odd_forms_are_indexed() {
    let home = Home::new();
    home.write("d/aliases.yaml", &format!("{}x: &r {{cpu: 1}}\ny:\n{}", deployment("aliased"), "  - *r\n".repeat(100)));
    home.write(
        "d/twice.json",
        r#"{"apiVersion":"v1","kind":"Service","kind":"Service","metadata":{"name":"one"},"metadata":{"name":"two"}}"#,
    );
    let utf16: Vec<u8> =
        [0xfeff].into_iter().chain(deployment("wide").encode_utf16()).flat_map(u16::to_le_bytes).collect();
    std::fs::write(home.path("d/utf16.yaml"), utf16).unwrap();
    home.write("d/old.yaml", "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: oldie}\n---# next\napiVersion: apps/v1beta2\nkind: Deployment\nmetadata: {name: old-dep}\n---\napiVersion: v1beta1\nkind: Pod\nmetadata: {name: ancient}\n");
    let ran = home.sync_from(Path::new("d")).ok();
    assert_eq!(warnings(&ran), "");
    assert_eq!(
        home.ids(),
        [
            "default/apps/v1beta2/Deployment/old-dep",
            "default/extensions/v1beta1/Ingress/oldie",
            "default/v1/Service/two",
            "default/v1beta1/Pod/ancient",
            "shop/apps/v1/Deployment/aliased",
            "shop/apps/v1/Deployment/wide",
        ]
    );
}

#[test]
fn a_definition_that_is_gone_takes_its_objects_along() {
    let home = Home::new();
    home.write("w/dep.yaml", &deployment("web"));
    let definition = home.write(
        "w/crd.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\nspec:\n  group: example.org\n  scope: Namespaced\n  names: {plural: widgets, kind: Widget}\n  versions: [{name: v1, served: true}]\n---\napiVersion: example.org/v1\nkind: Widget\nmetadata: {name: ghost, namespace: shop}\n",
    );
    home.run(&["index", "--from", "w"]).ok();
    assert!(home.ids().contains(&"shop/example.org/v1/Widget/ghost".to_owned()));
    std::fs::remove_file(definition).unwrap();
    home.run(&["index", "--from", "w"]).ok();
    home.sync_from(Path::new("w")).ok();
    assert_eq!(home.ids(), ["shop/apps/v1/Deployment/web"]);
}
