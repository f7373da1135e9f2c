//! `ask --model … --tools apply` on a real API server: nothing is changed without a dry run, a diff and a person's yes.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use clusterlore_testkit::chat::{FakeChat, Says, results};
use clusterlore_testkit::real::ApiServer;
use common::{Home, Ran};
use serde_json::{Value, json};

const QUESTION: &str = "anything else to leave it:";
const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: ci-reader, namespace: shop}
rules:
- {apiGroups: [''], resources: [pods, pods/log], verbs: [get, list]}
";
const BINDING: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ci-reader, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ci-reader}
subjects:
- {kind: ServiceAccount, name: ci, namespace: shop}
";
const POLICY: &str = "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: from-shop, namespace: bank}
spec:
  podSelector: {matchLabels: {app: ledger}}
  policyTypes: [Ingress]
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}
    ports:
    - {protocol: TCP, port: 5432}
";
const MAP: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: note, namespace: shop}, data: {a: b}}";
const CI: &str = "system:serviceaccount:shop:ci";

struct Setup {
    server: ApiServer,
    home: Home,
    chat: FakeChat,
}

/// An API server, indexed but for ConfigMaps.
async fn setup() -> Option<Setup> {
    let server = ApiServer::start_or_skip()?;
    server.apply(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: bank}\n---\n\
         apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ci, namespace: shop}",
    );
    let home = Home::new();
    let config = server.kubeconfig("admin");
    home.run(&["sync", "--exclude", "configmaps", "--kubeconfig", config.to_str().unwrap()]).ok();
    let chat = FakeChat::start([]).await;
    Some(Setup { server, home, chat })
}

impl Setup {
    fn command(&self, user: &str, args: &[&str]) -> (Vec<String>, Vec<(&'static str, String)>) {
        let config = self.server.kubeconfig(user);
        let begin = ["ask", "--model", "anthropic", "--kubeconfig", config.to_str().unwrap()];
        let all = begin.iter().chain(args).map(|arg| (*arg).to_owned()).collect();
        (all, vec![("ANTHROPIC_API_KEY", "sk".to_owned()), ("ANTHROPIC_BASE_URL", self.chat.base())])
    }

    /// Applies these, one after the other, without a terminal.
    fn piped(&self, user: &str, manifests: &[&str], args: &[&str]) -> (Ran, Vec<String>) {
        self.says(manifests);
        let (args, variables) = self.command(user, args);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = Ran::of(self.home.command(&args).envs(variables).output().unwrap());
        (ran, results(self.chat.asked().last().unwrap()))
    }

    /// The same under a terminal on which somebody types a line at each question.
    fn typed(&self, manifests: &[&str], args: &[&str], typed: &str) -> (String, Vec<String>) {
        self.typed_after("", manifests, args, typed)
    }

    /// The same after something was typed that nobody had asked for.
    fn typed_after(&self, before: &str, manifests: &[&str], args: &[&str], typed: &str) -> (String, Vec<String>) {
        self.says(manifests);
        let (args, variables) = self.command("admin", args);
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let words: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
        let line =
            format!("stty cols 200 -echo; exec {} {}", quoted(env!("CARGO_BIN_EXE_clusterlore")), words.join(" "));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env_clear().current_dir(self.home.folder.path());
        for (name, value) in self.home.command(&[]).get_envs() {
            script.env(name, value.unwrap_or_default());
        }
        script.env("TERM", "xterm").env("SHELL", "/bin/sh").envs(variables);
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        keyboard.write_all(before.as_bytes()).unwrap();
        let mut lines = typed.split_inclusive('\n');
        let (mut shown, mut asked, mut some) = (Vec::new(), 0, [0; 4096]);
        let mut screen = child.stdout.take().unwrap();
        // The end of a pseudo-terminal is an error on some systems.
        while let Ok(read @ 1..) = screen.read(&mut some) {
            shown.extend_from_slice(&some[..read]);
            while String::from_utf8_lossy(&shown).matches(QUESTION).count() > asked {
                asked += 1;
                keyboard.write_all(lines.next().unwrap_or("\u{4}").as_bytes()).unwrap();
            }
        }
        drop(keyboard);
        child.wait().unwrap();
        (String::from_utf8_lossy(&shown).into_owned(), results(self.chat.asked().last().unwrap()))
    }

    fn says(&self, manifests: &[&str]) {
        let turns = manifests.iter().map(|manifest| Says::call("kubectl_apply", json!({"manifest": manifest})));
        self.chat.says(turns.chain([Says::text("That is what I did.")]).collect::<Vec<_>>());
    }

    fn can(&self, verb: &str, resource: &str) -> bool {
        let args = ["auth", "can-i", verb, resource, "-n", "shop", "--as", CI];
        self.server.kubectl_as("admin", &args).status.success()
    }

    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let args = ["get", resource, name, "-n", namespace, "-o", "json", "--show-managed-fields"];
        let output = self.server.kubectl_as("admin", &args);
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_tasks_are_done_after_a_yes() {
    let Some(setup) = setup().await else { return };
    // A role and a binding for an account.
    assert!(!setup.can("list", "pods"));
    let question = "make a role and a role binding so that the account ci in shop can read pods and their logs";
    let (shown, told) = setup.typed(&[ROLE, BINDING], &["--tools", "apply,vector", question], "yes\nyes\n");
    assert!(told.iter().all(|result| result.contains("Created:")), "{told:?}\n{shown}");
    for part in [
        "Create shop/rbac.authorization.k8s.io/v1/Role/ci-reader:",
        "+kind: Role",
        "+  - pods/log",
        "Type yes to apply",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(setup.can("list", "pods") && setup.can("get", "pods/log"));
    assert!(!setup.can("delete", "pods") && !setup.can("list", "secrets"));
    let role = setup.get("role", "shop", "ci-reader").unwrap();
    assert_eq!(role["metadata"]["managedFields"][0]["manager"], "clusterlore");
    assert_eq!(role["metadata"]["managedFields"][0]["operation"], "Apply");

    // The same again changes nothing, and asks nobody.
    let (shown, told) = setup.typed(&[ROLE], &["--tools", "apply", question], "");
    assert!(told[0].contains("Nothing would change") && !shown.contains("Type yes"), "{told:?}\n{shown}");

    // A role that names the wrong resource, made by somebody else.
    setup.server.apply(&ROLE.replace("pods, pods/log", "pod, log").replace("ci-reader", "wrong"));
    setup.server.apply(&BINDING.replace("ci-reader", "wrong").replace("name: ci,", "name: cd,"));
    let can_cd = || {
        let args = ["auth", "can-i", "list", "pods", "-n", "shop", "--as", "system:serviceaccount:shop:cd"];
        setup.server.kubectl_as("admin", &args).status.success()
    };
    assert!(!can_cd());
    let mended = ROLE.replace("ci-reader", "wrong");
    let (shown, told) =
        setup.typed(&[&mended], &["--tools", "apply,kubectl", "the role wrong does not work, mend it"], "yes\n");
    assert!(told[0].contains("Changed:"), "{told:?}\n{shown}");
    for part in ["-  - pod\r\n", "+  - pods\r\n", "taken over", "kubectl"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(can_cd());

    // One namespace may reach one port.
    let question = "let what runs in shop reach the ledger in bank on port 5432";
    let (shown, told) = setup.typed(&[POLICY], &["--tools", "apply", question], "yes\n");
    assert!(told[0].contains("Created:"), "{told:?}\n{shown}");
    let spec = setup.get("networkpolicy", "bank", "from-shop").unwrap()["spec"].clone();
    assert_eq!(
        spec,
        json!({
            "podSelector": {"matchLabels": {"app": "ledger"}}, "policyTypes": ["Ingress"],
            "ingress": [{
                "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}],
                "ports": [{"protocol": "TCP", "port": 5432}],
            }],
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_without_each_of_the_guards() {
    let Some(setup) = setup().await else { return };
    let named = "make a role for the account ci";
    let there = || setup.get("role", "shop", "ci-reader").is_some();
    let refused = |told: &[String], why: &str| {
        assert!(told[0].contains(why), "{why}: {told:?}");
        assert!(!there(), "{why}");
    };

    // Nobody to ask, and no flag that says yes.
    let (_, told) = setup.piped("admin", &[ROLE], &["--tools", "apply", named]);
    refused(&told, "nobody can be asked (there is no terminal)");
    for answer in ["no\n", "\n", "yess\n", "\u{4}"] {
        let (shown, told) = setup.typed(&[ROLE], &["--tools", "apply", named], answer);
        assert!(shown.contains("+kind: Role"), "{shown}");
        refused(&told, "the user said no");
    }
    // What was typed before anything was asked is no answer.
    let question = ["--tools", "apply", "make the role ci-reader"];
    let (shown, told) = setup.typed_after("yes\nyes\n", &[ROLE], &question, "y\n");
    assert!(shown.contains(QUESTION), "{shown}");
    refused(&told, "the user said no");
    assert!(shown.lines().any(|line| line.trim() == "> kubectl_apply"), "a manifest stands in no step line: {shown}");
    // The tool is not there unless it is asked for.
    let (_, told) = setup.typed(&[ROLE], &[named], "yes\n");
    refused(&told, "There is no tool");
    // Nobody named a role but the model.
    let (shown, told) = setup.typed(&[ROLE], &["--tools", "apply", "let the account ci read pods"], "yes\n");
    assert!(!shown.contains("Type yes"), "{shown}");
    refused(&told, "names it");
    // The server's own no, before anybody is asked: a field that is none, an object that is not valid, a caller without rights.
    for (manifest, why) in [
        (ROLE.replace("rules:", "rulez:"), "rulez"),
        (ROLE.replace("verbs: [get, list]", "verbs: []"), "verbs"),
        (ROLE.replace("v1\n", "v9\n"), "The server has no kind"),
        (format!("{ROLE}---\n{BINDING}"), "holds 2 objects"),
    ] {
        let (shown, told) = setup.typed(&[&manifest], &["--tools", "apply", named], "yes\n");
        assert!(!shown.contains("Type yes"), "{shown}");
        refused(&told, why);
    }
    let (_, told) = setup.piped("viewer", &[ROLE], &["--tools", "apply", named]);
    refused(&told, "may not be read");
    // Outside of the user's own conditions.
    let (_, told) = setup.piped("admin", &[ROLE], &["--tools", "apply", "-n", "bank", named]);
    refused(&told, "bank only");

    // What is not in collection capabilities.
    let (_, told) = setup.typed(&[MAP], &["--tools", "apply", "note it"], "yes\n");
    assert!(told[0].contains("not in collection capabilities"), "{told:?}");
    assert!(setup.get("configmap", "shop", "note").is_none());

    // Kubernetes' own namespaces, and Secrets, unless the question or a flag names them.
    let policy = POLICY.replace("namespace: bank", "namespace: kube-system");
    let secret =
        "{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: shop}, stringData: {password: s3cret-value}}";
    for (manifest, question, allow, resource, namespace, name) in [
        (policy.as_str(), "close port 5432", "kube-system", "networkpolicy", "kube-system", "from-shop"),
        (secret, "keep the password s3cr", "secrets", "secret", "shop", "key"),
    ] {
        let (_, told) = setup.typed(&[manifest], &["--tools", "apply", question], "yes\n");
        assert!(told[0].contains("names it"), "{told:?}");
        assert!(setup.get(resource, namespace, name).is_none());
        let (shown, told) = setup.typed(&[manifest], &["--tools", "apply", "--allow", allow, question], "yes\n");
        assert!(told[0].contains("Created:"), "{told:?}");
        assert!(!shown.contains("czNjcmV0LXZhbHVl") && !told[0].contains("czNjcmV0LXZhbHVl"), "{shown}");
        assert!(setup.get(resource, namespace, name).is_some());
    }
    // A new value cannot be seen, and is asked for all the same.
    let changed = secret.replace("s3cret-value", "another-value");
    let (shown, told) = setup.typed(&[&changed], &["--tools", "apply", "change the secret key"], "yes\n");
    assert!(
        shown.contains("Values of Secrets are not shown, and may change.") && told[0].contains("Changed:"),
        "{told:?}"
    );
    assert_eq!(setup.get("secret", "shop", "key").unwrap()["data"]["password"], "YW5vdGhlci12YWx1ZQ==");
    let question = "in kube-system, close port 5433";
    let (_, told) = setup.typed(&[&policy.replace("5432", "5433")], &["--tools", "apply", question], "yes\n");
    assert!(told[0].contains("Changed:"), "{told:?}");
}
