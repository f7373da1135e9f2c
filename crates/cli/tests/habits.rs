//! What people type who live in kubectl, and what they are told.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use clusterlore_testkit::real::ApiServer;
use common::{EXAMPLES, Home, Ran};

fn home() -> Home {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    home
}

#[test]
fn flags_stand_where_kubectl_takes_them() {
    let home = home();
    let expected = home.run(&["search", "pods", "-n", "fares", "-o", "name"]).ok().out;
    assert!(expected.starts_with("pod/"), "{expected}");
    for args in [
        &["-n", "fares", "search", "pods", "-o", "name"][..],
        &["-n=fares", "-o=name", "search", "pods"],
        &["--namespace", "fares", "-oname", "search", "pods"],
        &["search", "-n", "fares", "--output=name", "pods"],
    ] {
        assert_eq!(home.run(args).ok().out, expected, "{args:?}");
    }
    let all = home.run(&["count", "--kind", "deploy", "-A"]).ok().out;
    assert_eq!(all, home.run(&["count", "--kind", "deploy"]).ok().out);
    assert_eq!(home.run(&["count", "-A", "-n", "fares"]).status, 2);
    let kinds = home.run(&["search", "--kind", "deployments.v1.apps,sts", "-o", "name", "--limit", "100"]).ok().out;
    let kind = |line: &str| ["deployment.apps/", "statefulset.apps/"].iter().any(|kind| line.starts_with(kind));
    assert!(kinds.lines().all(kind) && kinds.contains("statefulset"), "{kinds}");
    assert_eq!(
        home.run(&["search", "deployment.apps/turnstile-api", "-o", "name", "--limit", "1"]).ok().out,
        "deployment.apps/turnstile-api\n"
    );
}

#[test]
fn what_is_known_by_no_such_name_is_told_with_the_nearest() {
    let home = home();
    for (args, said) in [
        (&["search", "pods", "-n", "fare"][..], "-n: Did you mean \"fares\"?"),
        (&["count", "-n", "fare"], "-n: Did you mean \"fares\"?"),
        (&["search", "pods", "-n", "zzz"], "No results: there is no namespace \"zzz\" (0 of 73 documents in scope)."),
        (
            &["search", "databases", "-l", "tier=dat"],
            "-l: the index has no label tier with the value \"dat\". Did you mean \"data\"?",
        ),
        (&["search", "databases", "-l", "tires"], "-l: the index has no label \"tires\"."),
        (&["changes", "-n", "fare"], "-n: the index has no namespace \"fare\". Did you mean \"fares\"?"),
        (
            &["search", "databases", "--cluster-name", "west"],
            "No results: the index has no cluster \"west\" (0 of 73 documents in scope).",
        ),
        (&["search", "databases", "--cluster-name", "exmples"], "--cluster: Did you mean \"examples\"?"),
    ] {
        let ran = home.run(args);
        assert!(ran.status == 1 && ran.err.lines().any(|line| line == said), "{args:?}: {ran:?}");
    }
    // Nothing of the kind where all is known and nothing fits.
    let ran = home.run(&["search", "databases", "-n", "fares", "-l", "tier=data"]).ok();
    assert!(ran.err.contains("No results") && !ran.err.contains("the index has no"), "{}", ran.err);
    let far = home.run(&["search", "databases", "--cluster-name", "west"]);
    assert!(!far.err.contains("Did you mean"), "{}", far.err);
    let kind = home.run(&["search", "x", "--kind", "deploymnet"]);
    assert!(kind.error().contains("Did you mean deployments.apps?"), "{}", kind.err);
}

#[test]
fn commands_of_kubectl_are_met_with_what_to_type() {
    let home = Home::new();
    for verb in ["get", "describe", "logs"] {
        for (typed, search) in [
            (&["pods"][..], "pods"),
            (&["deploy", "checkout", "-n", "shop"], "deploy/checkout"),
            (&["deploy/checkout"], "deploy/checkout"),
            (&["pods", "my app"], "'pods/my app'"),
            (&["a", "b", "c"], "'a b c'"),
            (&["-n", "shop"], "'databases in shop'"),
            (&["pods", "postgres://me:s3cret@db"], "'databases in shop'"),
            (&[], "'databases in shop'"),
        ] {
            let ran = home.run(&[&[verb], typed].concat());
            let said = format!("  clusterlore search {search} --print-commands");
            assert!(ran.status == 2 && ran.err.lines().any(|line| line == said), "{typed:?}: {}", ran.err);
            assert!(ran.err.contains(&format!("\"{verb}\" is a command of kubectl")), "{}", ran.err);
            assert!(!ran.err.contains("s3cret"), "{}", ran.err);
        }
    }
    assert!(!home.run(&["serch", "pods"]).err.contains("is a command of kubectl"));
    let version = home.run(&["version"]).ok().out;
    assert_eq!(version, home.run(&["--version"]).ok().out);
    assert_eq!(home.run(&["version", "-o", "name"]).ok().out.trim(), env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_plugin_calls_itself_as_its_user_does() {
    let home = home();
    let plugin = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-lore"));
        command.args(args).env_clear().env("HOME", home.folder.path()).env("XDG_DATA_HOME", home.path("data"));
        Ran::of(command.stdin(Stdio::null()).output().unwrap())
    };
    for args in [&["--help"][..], &["search", "--help"], &["help", "config", "set"], &[]] {
        let ran = plugin(args);
        let help = ran.out + &ran.err;
        assert!(help.contains("Usage: kubectl lore"), "{args:?}: {help}");
        assert!(help.contains("\n  kubectl lore "), "{args:?}: {help}");
        let own = help.lines().find(|line| line.contains("  clusterlore ") || line.contains("\"clusterlore "));
        assert_eq!(own, None, "{args:?}");
    }
    let wrong = plugin(&["get", "pods"]);
    assert!(wrong.err.contains("Usage: kubectl lore") && wrong.err.contains("kubectl lore search"), "{}", wrong.err);
    let missing = plugin(&["search", "x", "--store", "sqlite:none.db"]);
    assert!(
        missing.err.contains("\"kubectl lore index\"") && !missing.err.contains("\"clusterlore "),
        "{}",
        missing.err
    );
    // What is not a command of ours stays what it is.
    assert!(plugin(&["version"]).ok().out.starts_with("clusterlore "));
}

#[test]
fn a_setting_is_written_and_what_stands_beside_it_stays() {
    let home = Home::new();
    let file = home.write("team.toml", "# Ours.\nembedder = \"builtin\" # the small one\n");
    let config = |args: &[&str]| home.run(&[&["config"], args, &["--config", "team.toml"]].concat());
    config(&["set", "max-age", "24h"]).ok();
    config(&["set", "store", "sqlite:team.db"]).ok();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        "# Ours.\nembedder = \"builtin\" # the small one\nmax-age = \"24h\"\nstore = \"sqlite:team.db\"\n"
    );
    let shown = config(&["view", "-o", "json"]).ok().out;
    assert!(shown.contains("team.db") && shown == config(&["show", "-o", "json"]).ok().out, "{shown}");
    config(&["unset", "store"]).ok();
    config(&["unset", "store"]).ok();
    for (args, said) in [
        (&["set", "max-age", "soon"][..], "expected a duration"),
        (&["set", "store", "nowhere"], "store"),
        (&["set", "chroma-url", ""], "chroma-url"),
        (&["set", "colour", "red"], "there is no setting \"colour\"; expected one of kubeconfig"),
        (&["unset", "colour"], "there is no setting"),
        (&["set", "voyage-api-key", "pa-s3cret"], "VOYAGE_API_KEY"),
    ] {
        let ran = config(args);
        assert_eq!(ran.status, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(said) && !ran.err.contains("s3cret"), "{args:?}: {}", ran.err);
    }
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, "# Ours.\nembedder = \"builtin\" # the small one\nmax-age = \"24h\"\n");
    // Without a file there is one afterwards, where it is looked for.
    home.run(&["config", "set", "context", "east"]).ok();
    assert_eq!(
        std::fs::read_to_string(home.path(".config/clusterlore/clusterlore.toml")).unwrap(),
        "context = \"east\"\n"
    );
}

#[test]
fn who_asks_for_it_sees_in_the_status_that_nothing_was_found() {
    let home = home();
    for (args, status) in [
        (&["search", "SAP HANA"][..], 0),
        (&["search", "SAP HANA", "--exit-status"], 1),
        (&["search", "databases", "--exit-status"], 0),
        (&["search", "--count", "-n", "zzz", "--exit-status"], 1),
        (&["changes", "--exit-status"], 1),
        // What is not there is wrong whoever asks, as an unknown kind is.
        (&["search", "databases", "-n", "zzz"], 1),
        (&["search", "databases", "-n", "zzz", "-o", "json"], 1),
        (&["search", "databases", "-l", "tires"], 1),
        (&["search", "databases", "--cluster-name", "west"], 1),
        (&["search", "--count", "-n", "zzz"], 1),
        (&["similar", "sts/granite", "-n", "datastores", "-l", "tires"], 1),
        (&["count", "pods", "-n", "zzz"], 1),
        (&["changes", "-n", "zzz"], 1),
        (&["ask", "databases", "-n", "zzz"], 1),
        // That nothing fits is not.
        (&["search", "databases", "-n", "fares", "-l", "tier=data"], 0),
        (&["count", "pods", "-n", "datastores"], 0),
        (&["ask", "databases", "-n", "fares", "-l", "tier=data"], 0),
    ] {
        let ran = home.run(args);
        assert_eq!(ran.status, status, "{args:?}: {}", ran.err);
        assert!(!ran.err.contains("error:"), "{}", ran.err);
    }
}

#[test]
fn paths_of_kubernetes_are_met_with_ours() {
    let home = home();
    let of = |output: &str| home.run(&["search", "--kind", "deploy", "-n", "fares", "-o", output]).ok();
    let found = of("jsonpath={.hits[*].name}");
    assert!(found.out.contains("marmot") && found.err.is_empty(), "{found:?}");
    for (output, said) in [
        ("jsonpath={.items[*].metadata.name}", "-o jsonpath: \".items[*].metadata.name\" is \".hits[*].name\" here."),
        (
            "jsonpath={range .hits[*]}{.metadata.labels.team}{\"\\n\"}{end}",
            "-o jsonpath: \".metadata.labels.team\" is \".labels.team\" here.",
        ),
        (
            "custom-columns=A:.metadata.name,B:.metadata.namespace,C:.kind",
            "-o custom-columns: \".metadata.name\" is \".name\" here; \".metadata.namespace\" is \".namespace\" here.",
        ),
    ] {
        assert_eq!(of(output).err.trim(), said, "{output}");
    }
    let unknown = of("custom-columns=NAME:.name,PHASE:.status.phase");
    let said =
        "-o custom-columns: nothing here has \".status.phase\". There is .apiVersion, .command, .id, .kind, .labels, ";
    assert!(unknown.err.starts_with(said) && unknown.out.contains("<none>"), "{unknown:?}");
    // Manifests do not say when an object was created.
    let age = of("jsonpath={.items[*].metadata.creationTimestamp}");
    assert!(
        age.err.contains("nothing here has \".items[*].metadata.creationTimestamp\". There is .hits[*].api"),
        "{age:?}"
    );
    let nothing = home.run(&["search", "SAP HANA", "-o", "jsonpath={.metadata.name}"]).ok();
    assert!(!nothing.err.contains("-o jsonpath"), "{nothing:?}");
}

#[test]
fn names_in_several_namespaces_come_with_a_word_of_warning() {
    let home = home();
    let config = home.kubeconfig(&[("east", "http://127.0.0.1:1")]);
    let search =
        |more: &[&str]| home.run(&[&["search", "--kind", "deploy", "--limit", "50"][..], more].concat()).ok().err;
    let several = search(&["-o", "name"]);
    let said = "These are in 6 namespaces, and kubectl looks in one: --print-commands prints a whole command for each.";
    assert!(several.lines().any(|line| line == said), "{several}");
    let at = ["--kubeconfig", config.as_str()];
    let one = search(&[&["deployments in fares", "-o", "name"][..], &at].concat());
    assert!(one.contains("in namespace fares, and kubectl looks in default unless it is told -n fares."), "{one}");
    for quiet in [
        &["-o", "name", "-q"][..],
        &["-o", "name", "-n", "fares", "--kubeconfig", &config],
        &["deployments in fares", "-o", "name", "--kubeconfig", "none.yaml"],
        &["-o", "id"],
        &["--print-commands"],
    ] {
        assert!(!search(quiet).contains("kubectl looks in"), "{quiet:?}");
    }
}

#[test]
fn a_watch_prints_what_is_found_anew() {
    let home = Home::new();
    let deploy = |name: &str| {
        let text = format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\n");
        home.write(&format!("m/{name}.yaml"), &text);
        home.sync_from(&home.path("m")).ok();
    };
    deploy("first");
    let mut command = home.command(&["search", "--kind", "deploy", "-w", "-o", "name"]);
    let mut watch = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "deployment.apps/first");
    deploy("second");
    assert_eq!(lines.next().unwrap().unwrap(), "deployment.apps/second");
    watch.kill().unwrap();
    watch.wait().unwrap();
    for args in [&["search", "x", "-w", "-o", "json"][..], &["changes", "-w", "-o", "yaml"]] {
        assert!(home.run(args).error().contains("--watch: expected -o table"), "{args:?}");
    }
}

/// Every kind of the shared corpus that a server can hold: what `-o name` prints, kubectl takes.
#[test]
fn kubectl_takes_the_names_of_every_kind() {
    let Some(corpus) = clusterlore_testkit::shared("corpus/manifests") else { return };
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.apply_folder(&corpus);
    let home = Home::new();
    let config = server.kubeconfig("admin");
    home.run(&["sync-instances", "--kubeconfig", config.to_str().unwrap()]).ok();
    let types = home.run(&["status", "-o", "name"]).ok().out;
    let kinds: Vec<&str> = types.lines().collect();
    assert!(kinds.len() > 40, "{kinds:?}");
    let mut taken = 0;
    for kind in kinds {
        let found = home.run(&["search", "--kind", kind, "--limit", "1", "-o", "id"]).ok().out;
        let namespace = found.split('/').next().unwrap();
        let (there, place) = match namespace {
            "_cluster" => (vec![], String::new()),
            namespace => (vec!["-n", namespace], format!("-n {namespace}")),
        };
        let search = [&["search", "--kind", kind, "--limit", "1000", "-o", "name"], &there[..]].concat();
        let names = home.run(&search).ok().out;
        let names: Vec<&str> = names.lines().collect();
        assert!(!names.is_empty(), "{kind}");
        let printed = server.kubectl(&[&["get"], &names[..], &there, &["--no-headers"]].concat());
        assert!(printed.lines().count() >= names.len(), "{kind}: {names:?}\n{printed}");
        // The commands are whole: a shell runs them as they are.
        let commands = home.run(&["search", "--kind", kind, "--limit", "1", "--print-commands"]).ok().out;
        assert!(commands.starts_with("kubectl ") && commands.contains(&place), "{commands}");
        taken += names.len();
    }
    assert!(taken > 300, "{taken}");
}

#[test]
fn who_asks_as_another_sees_what_that_one_may() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    let home = Home::new();
    server.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n");
    let config = server.kubeconfig("admin");
    let sync = |more: &[&str]| {
        home.run(&[&["sync-instances", "--dry-run", "--kubeconfig", config.to_str().unwrap()], more].concat())
    };
    assert!(sync(&[]).ok().out.contains("ConfigMap/a"));
    let nobody = sync(&["--as", "nobody"]);
    assert_eq!(nobody.status, 1, "{}", nobody.err);
    // What would fail is told before.
    let doctor = |more: &[&str]| home.run(&[&["doctor", "--kubeconfig", config.to_str().unwrap()], more].concat());
    let told = doctor(&["--as", "nobody"]);
    assert!(told.status == 1 && told.out.contains("\"clusterlore index\" would fail"), "{told:?}");
    doctor(&[]).ok();
    // Who may list something in a namespace can index that.
    server.apply(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader, namespace: default}\nrules: [{apiGroups: [''], \
         resources: [configmaps], verbs: [get, list]}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: \
         reader, namespace: default}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}\nsubjects: [{apiGroup: \
         rbac.authorization.k8s.io, kind: User, name: reader}]\n",
    );
    let told = doctor(&["--as", "reader"]).ok();
    assert!(told.out.contains("types may not be listed in all namespaces"), "{told:?}");
    assert!(sync(&["--as", "reader"]).ok().out.contains("ConfigMap/a"));
    assert!(sync(&["--as", "nobody", "--as-group", "system:masters"]).ok().out.contains("ConfigMap/a"));
    assert_eq!(sync(&["--as-group", "system:masters"]).status, 2);
}

#[test]
fn wide_shows_what_the_cluster_prints_now() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    let home = Home::new();
    server.apply(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: default, labels: {team: edge}}\nspec:\n  replicas: 2\n  \
         selector: {matchLabels: {app: web}}\n  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: \
         registry.example/web:1}]}}\n",
    );
    let config = server.kubeconfig("admin");
    let kubeconfig = ["--kubeconfig", config.to_str().unwrap()];
    home.run(&[&["sync-instances"][..], &kubeconfig].concat()).ok();
    let wide = ["search", "--kind", "deploy", "-o", "wide"];
    let live = [&wide[..], &kubeconfig].concat();
    let out = home.run(&live).ok().out;
    let header: Vec<&str> = out.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["KIND", "NAMESPACE", "NAME", "AGE", "SCORE", "NOW"]);
    assert!(out.contains("READY 0/2") && out.contains("IMAGES registry.example/web:1"), "{out}");
    let narrow = home.command(&live).env("COLUMNS", "80").output().unwrap();
    let narrow = Ran::of(narrow).ok().out;
    assert!(narrow.lines().all(|line| line.chars().count() <= 80) && narrow.contains('…'), "{narrow}");
    // What was asked for stays where others go.
    for (columns, header) in [("60", &["KIND", "NAMESPACE", "NAME", "NOW"][..]), ("40", &["NAMESPACE", "NAME", "NOW"])]
    {
        let narrow = Ran::of(home.command(&live).env("COLUMNS", columns).output().unwrap()).ok().out;
        assert_eq!(narrow.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(), header, "{narrow}");
    }
    server.kubectl(&["delete", "deployment", "web"]);
    assert!(home.run(&live).ok().out.contains("no longer there"));
    // Where the cluster cannot be reached, what the index has, and why.
    for more in [&["--kubeconfig", "none.yaml"][..], &["--live", "never"]] {
        let ran = home.run(&[&wide[..], more].concat()).ok();
        assert!(ran.err.contains("Not read from the cluster: "), "{more:?}: {}", ran.err);
        assert!(ran.out.contains("API VERSION") && ran.out.contains("team=edge"), "{}", ran.out);
    }
}

/// Each cluster is read by the context that read it, whichever is in use.
#[test]
fn wide_reads_each_cluster_by_its_own_context() {
    let Some(east) = ApiServer::start_or_skip() else { return };
    let Some(west) = ApiServer::start_or_skip() else { return };
    let home = Home::new();
    for (server, name) in [(&east, "tea"), (&west, "coffee")] {
        server.apply(&format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: default, labels: {{menu: drinks}}}}\nspec: {{ports: \
             [{{port: 80}}]}}\n"
        ));
    }
    // Of each file its context and what that names, under another name.
    let renamed = |server: &ApiServer, name: &str| {
        let text = std::fs::read_to_string(server.kubeconfig("admin")).unwrap();
        let own = [
            ("name: admin,", "name"),
            ("user: admin}", "user"),
            ("name: test,", "name"),
            ("cluster: test,", "cluster"),
        ];
        let text = own
            .iter()
            .fold(text, |text, (said, key)| text.replace(said, &format!("{key}: {name}{}", &said[said.len() - 1..])));
        home.write(name, &text.replace("current-context: admin", &format!("current-context: {name}")))
    };
    let both = format!("{}:{}", renamed(&east, "east").display(), renamed(&west, "west").display());
    let run = |args: &[&str]| Ran::of(home.command(args).env("KUBECONFIG", &both).output().unwrap());
    run(&["index", "--all-contexts", "-q"]).ok();
    let wide = ["search", "-l", "menu=drinks", "-o", "wide"];
    let told = run(&wide).ok();
    let row = |told: &Ran, name: &str| told.out.lines().find(|line| line.contains(name)).unwrap().to_owned();
    for name in ["tea", "coffee"] {
        assert!(row(&told, name).contains("TYPE ClusterIP"), "{told:?}");
    }
    assert!(!told.err.contains("Not read"), "{}", told.err);
    drop(west);
    let told = run(&wide).ok();
    assert!(row(&told, "tea").contains("TYPE ClusterIP") && !row(&told, "coffee").contains("TYPE"), "{told:?}");
    assert!(told.err.contains("Not read from cluster west: "), "{}", told.err);
    let never = run(&[&wide[..], &["--live", "never"]].concat()).ok();
    assert!(!never.out.contains("ClusterIP"), "{never:?}");
}
