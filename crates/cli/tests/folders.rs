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

fn last(ran: &Ran) -> &str {
    ran.err.lines().last().unwrap()
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
    assert_eq!(last(&ran), "Sync complete: 1 discovered, 0 stored, 1 deleted, 1 unchanged.");
    let warnings: Vec<&str> = ran.err.lines().filter(|l| l.starts_with("Warning")).collect();
    assert_eq!(
        warnings,
        [
            "Warning: passed over as no manifests (no apiVersion and kind): chart/Chart.yaml",
            "Warning: passed over as no manifests (templates, still to be filled in): chart/templates/a.yaml",
            "Warning: passed over as no manifests (read by kustomize itself): kustomization.yaml",
        ]
    );
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
    assert!(ran.err.contains("Warning: old.yaml:5 is not read: it is not valid YAML\n"), "{}", ran.err);
    assert!(ran.err.contains(" and 41 more (not every manifest could be read)."), "{}", ran.err);
    assert!(last(&ran).contains(" 0 deleted"), "{}", ran.err);
    assert!(home.run(&["search", "still here"]).ok().out.contains("still-here"));
    // And once it is mended, what is gone goes.
    std::fs::remove_file(old).unwrap();
    assert!(last(&home.sync_from(Path::new("g")).ok()).contains(" 1 deleted"));
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
    assert!(ran.err.contains("Warning: b is not read: the link leads nowhere: there is no ../teamb"), "{}", ran.err);
    assert!(last(&ran).contains(" 0 deleted"), "{}", ran.err);
    std::fs::rename(home.path("elsewhere"), home.path("teamb")).unwrap();
    let ran = home.sync_from(Path::new("m")).ok();
    assert_eq!(last(&ran), "Sync complete: 2 discovered, 0 stored, 0 deleted, 2 unchanged.");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_passed_over() {
    let home = Home::new();
    std::fs::create_dir(home.path("d")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(home.path("d/pipe.yaml")).status().unwrap().success());
    let ran = home.piped(&["sync-instances", "--from", "d"], "");
    let error = ran.error();
    assert!(error.contains("no manifest was found in d; pipe.yaml is passed over: it is a pipe; expected"), "{error}");
    home.write("d/a.yaml", &deployment("a"));
    let ran = home.piped(&["sync-instances", "--from", "d"], "").ok();
    assert!(ran.err.contains("Warning: pipe.yaml is passed over: it is a pipe\n"), "{}", ran.err);
}

#[test]
fn messages_speak_of_files() {
    let home = Home::new();
    home.write("array/a.yaml", "- apiVersion: v1\n  kind: Service\n  metadata: {name: one}\n");
    let deep = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: d}}\ndata: {}\n", "[".repeat(100_000));
    home.write("deep/deep.yaml", &deep);
    home.write("part/deep.yaml", &deep);
    home.write("part/a.yaml", &deployment("a"));
    for (args, expected) in [
        (
            &["--from", "array"][..],
            "no manifest was found in array; passed over as no manifests (no apiVersion and kind): a.yaml; expected objects with apiVersion, kind and metadata.name",
        ),
        (
            &["--from", "deep"],
            "no manifest in deep can be read, so nothing was changed: deep.yaml:4 is not read: it is nested deeper than 200 levels; mend it",
        ),
        (
            &["--from", "deep/deep.yaml"],
            "no manifest in deep/deep.yaml can be read, so nothing was changed: deep/deep.yaml:4 is not read: ",
        ),
        (
            &["--from", "part", "--include", "services"],
            "none of 1 resource types could be listed (services: not every manifest could be read); nothing was changed. Mend the files that the warnings name, and run it again",
        ),
        (
            &["--from", "nowhere"],
            "there is no folder or file nowhere; expected a folder with YAML or JSON manifests, one such file, or - for standard input",
        ),
    ] {
        let ran = home.run(&[&["sync-instances"], args].concat());
        let error = ran.error();
        assert!(error.contains(expected), "{error}");
        assert!(!["permission", "namespace", "may list", "doctor"].iter().any(|word| error.contains(word)), "{error}");
    }
}

#[test]
fn standard_input_is_one_source() {
    let home = Home::new();
    let two = format!("{}---\n{}", deployment("one"), deployment("two"));
    let ran = home.piped(&["sync-instances", "--from", "-"], &two).ok();
    assert_eq!(last(&ran), "Sync complete: 2 discovered, 2 stored, 0 deleted.");
    // Under whatever name.
    #[cfg(unix)]
    for name in ["/dev/stdin", "/dev/fd/0"] {
        let ran = home.piped(&["sync-instances", "--from", name], &two).ok();
        assert_eq!(last(&ran), "Sync complete: 2 discovered, 0 stored, 0 deleted, 2 unchanged.");
    }
    // A program that fails writes nothing: that is not a source from which everything was removed.
    let ran = home.piped(&["sync-instances", "--from", "-"], "");
    assert!(ran.error().contains("no manifest was found in standard input"), "{}", ran.err);
    assert_eq!(home.ids().len(), 2);
    // What a later pipe no longer says is gone; another set needs another name.
    home.piped(&["sync-instances", "--from", "-", "--cluster-name", "other"], &deployment("three")).ok();
    let ran = home.piped(&["index", "--from", "-"], &deployment("two")).ok();
    assert_eq!(last(&ran), "Sync complete: 1 discovered, 0 stored, 1 deleted, 1 unchanged.");
    // And a folder does not take its place.
    home.write("g/a.yaml", &deployment("two"));
    let ran = home.sync_from(Path::new("g"));
    let error = ran.error();
    assert!(error.contains("the index holds what standard input gave, but this run reads the folder "), "{error}");
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
    assert!(last(&home.piped(&["sync-instances", "--from", "-"], &deployment("one")).ok()).contains("1 unchanged"));
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
    assert!(!ran.err.contains("Warning"), "{}", ran.err);
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
