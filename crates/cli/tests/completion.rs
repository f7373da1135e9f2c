//! What shells offer, asked of the shells themselves.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use clusterlore_testkit::real::shells_or_skip;
use common::{EXAMPLES, Home};

/// What is typed, one thing that is offered, and one that is not.
const TYPED: [(&str, &str, &str); 9] = [
    ("clusterlore se", "search", "demo"),
    ("clusterlore search -n lif", "liftops", "platform"),
    ("clusterlore search --kind deplo", "deployments", "services"),
    ("clusterlore search --kind pods,deplo", "pods,deployments", "services"),
    ("clusterlore search -l tea", "team=", "app="),
    (
        "clusterlore search -l app.kubernetes.io/part-of=tick",
        "app.kubernetes.io/part-of=ticketing",
        "app.kubernetes.io/part-of=maintenance",
    ),
    ("clusterlore similar deploy/guest", "deploy/guest-web", "deploy/depot"),
    ("clusterlore count --group-by label:tea", "label:team", "label:app"),
    ("clusterlore search --context ea", "east", "west"),
];

const KUBECONFIG: &str = "apiVersion: v1
kind: Config
contexts:
- {name: east, context: {cluster: c, user: u}}
- {name: west, context: {cluster: c, user: u}}
clusters: [{name: c, cluster: {server: https://127.0.0.1:1}}]
users: [{name: u, user: {}}]
";

/// A home with an index, a kubeconfig, and the programs on its PATH.
fn home() -> (Home, String) {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    home.write(".kube/config", KUBECONFIG);
    let bin = home.path("bin");
    std::fs::create_dir_all(&bin).unwrap();
    for name in ["clusterlore", "kubectl-lore"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_clusterlore"), bin.join(name)).unwrap();
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    (home, path)
}

/// Runs a script in a shell, and gives what it says.
fn said(home: &Home, path: &str, shell: &[&str], script: &str) -> String {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg(script).env_clear().env("PATH", path).env("HOME", home.folder.path());
    command.env("XDG_DATA_HOME", home.path("data")).env("TERM", "dumb").stdin(Stdio::null());
    let output = command.current_dir(home.folder.path()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!err.contains("error"), "{shell:?}: {err}");
    out.into_owned()
}

fn check(shell: &str, typed: &str, offered: &str, wanted: &str, unwanted: &str) {
    let all: Vec<&str> = offered.lines().map(|line| line.split('\t').next().unwrap_or_default()).collect();
    assert!(all.contains(&wanted), "{shell}: {typed:?} does not offer {wanted:?}: {offered}");
    assert!(!all.contains(&unwanted), "{shell}: {typed:?} offers {unwanted:?}: {offered}");
}

#[test]
fn bash_offers_what_is_indexed() {
    let Some(()) = shells_or_skip() else { return };
    let (home, path) = home();
    for (typed, wanted, unwanted) in TYPED {
        // bash cuts words at `:` and `=`, and completes what stands behind the last.
        let script = format!(
            "source <(clusterlore completions bash)
             COMP_LINE='{typed}'; COMP_POINT=${{#COMP_LINE}}; COMP_TYPE=9; read -ra COMP_WORDS <<< \"$COMP_LINE\"
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); of=$(complete -p clusterlore); of=${{of##*-F }}
             ${{of%% *}} clusterlore \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        check("bash", typed, &said(&home, &path, &["bash", "-c"], &script), wanted, unwanted);
    }
}

#[test]
fn fish_offers_what_is_indexed_and_says_what_it_is() {
    let Some(()) = shells_or_skip() else { return };
    let (home, path) = home();
    for (typed, wanted, unwanted) in TYPED {
        let script = format!("clusterlore completions fish | source; complete -C '{typed}'");
        let offered = said(&home, &path, &["fish", "--no-config", "-c"], &script);
        check("fish", typed, &offered, wanted, unwanted);
    }
    let kinds = "clusterlore completions fish | source; complete -C 'clusterlore search --kind deplo'";
    let kinds = said(&home, &path, &["fish", "--no-config", "-c"], kinds);
    assert!(kinds.contains("Deployment · apps/v1"), "{kinds}");
}

/// zsh completes only for somebody who types: a terminal of its own is typed into.
#[test]
fn zsh_completes_what_is_typed() {
    let Some(()) = shells_or_skip() else { return };
    let (home, path) = home();
    for (typed, wanted, _) in TYPED {
        let last = wanted.rsplit(',').next().unwrap();
        let script = format!(
            "zmodload zsh/zpty; zpty -b z zsh -f -i
             zpty -w z 'PS1=; unset zle_bracketed_paste; stty -echo; autoload -U compinit; compinit -u; source <(clusterlore completions zsh); echo rea''dy'
             until [[ $seen == *ready* ]]; do zpty -r z more && seen+=$more; sleep 0.1; done
             zpty -n -w z $'{typed}\\t'
             for _ in {{1..100}}; do zpty -r z more && seen+=$more; [[ $seen == *'{last}'* ]] && break; sleep 0.1; done
             print -r -- $seen; zpty -d z"
        );
        let shown = said(&home, &path, &["zsh", "-f", "-c"], &script);
        assert!(shown.contains(last), "{typed:?} does not become {wanted:?}: {shown:?}");
    }
}

#[test]
fn kubectl_completes_its_plugin() {
    let Some(()) = shells_or_skip() else { return };
    let (home, path) = home();
    let script = home.run(&["completions", "kubectl"]).out;
    let program = home.write("bin/kubectl_complete-lore", &script);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let asked = |words: &str| said(&home, &path, &["bash", "-c"], &format!("kubectl __complete lore {words}"));
    let namespaces = asked("search -n lif");
    assert!(namespaces.lines().any(|line| line == "liftops") && namespaces.contains(":4"), "{namespaces}");
    let labels = asked("search -l tea");
    assert!(labels.lines().any(|line| line == "team=") && labels.contains(":6"), "{labels}");
    assert!(asked("''").lines().any(|line| line.starts_with("search\t")));
}

#[test]
fn nothing_is_offered_and_nothing_said_where_there_is_no_index() {
    let Some(()) = shells_or_skip() else { return };
    let (home, path) = home();
    std::fs::remove_dir_all(home.path("data")).unwrap();
    let script = "clusterlore completions fish | source; complete -C 'clusterlore search -n '";
    let offered = said(&home, &path, &["fish", "--no-config", "-c"], script);
    assert!(!offered.contains("liftops") && !Path::new(&home.store()).exists(), "{offered}");
    // With --demo what the demo holds, once there is one.
    let script = script.replace("search -n", "search --demo -n");
    let offer = || said(&home, &path, &["fish", "--no-config", "-c"], &script);
    let before = offer();
    home.run(&["demo", "-q"]).ok();
    assert!(!before.contains("liftops") && offer().contains("liftops"), "{before}");
}
