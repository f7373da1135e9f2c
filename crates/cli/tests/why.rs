//! Why something fails: asked in a sentence, on a real API server whose objects fail as kubelets and controllers write it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use clusterlore_testkit::real::ApiServer;
use common::Home;
use serde_json::Value;

/// A question, and what the answer must say of the cause.
const CASES: [(&str, &str); 12] = [
    ("why is the deployment private in ward failing?", "the registry refuses the credentials"),
    ("why does deployment/tag not start?", "the registry has no such name or tag"),
    ("what is wrong with the crash deployment in ward", "exit code 3, restarted 7 times"),
    ("why was deployment memory killed?", "it used more memory than its limit of 128Mi"),
    ("why is deployment/large pending", "2 Insufficient memory"),
    ("is the deployment readiness in ward ok?", "its readiness probe fails"),
    ("why is deployment/mount stuck?", "ConfigMap settings is not there"),
    ("what's the problem with deployment quota in ward?", "ResourceQuota team of namespace ward is used up"),
    ("why can nobody reach the lonely deployment in ward", "its selector (app=lonly) matches no pod"),
    ("why does deployment webhook get no pods?", "admission webhook inject.example.org cannot be called"),
    ("why does deployment denied have no pods", "admission webhook policy.example.org refuses its pods"),
    ("warum läuft deployment/variables nicht?", "Secret password is not there"),
];

#[test]
fn well_known_failures_are_told_in_a_line() {
    let Some(server) = ApiServer::start_or_skip() else { return };
    server.create_failures();
    let home = Home::new();
    let admin = server.kubeconfig("admin");
    let kubeconfig = admin.to_str().unwrap();
    home.run(&["index", "--kubeconfig", kubeconfig]).ok();
    let mut wrong = Vec::new();
    for (question, cause) in CASES {
        let told = home.run(&["ask", question, "--kubeconfig", kubeconfig]).ok().out;
        let one_line = told.split_whitespace().collect::<Vec<_>>().join(" ");
        if !one_line.contains(cause) || told.lines().any(|line| line.chars().count() > 80) {
            wrong.push(format!("{question}: expected {cause}\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));

    // What is well is not accused, what nobody asks about is not looked into, and nobody looks who is told not to.
    let json = |args: &[&str]| {
        let out = home.run(&[&["ask", "-o", "json", "--kubeconfig", kubeconfig], args].concat()).ok().out;
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let well = json(&["is anything wrong with deployment/healthy?"]);
    assert_eq!(well["findings"]["subjects"][0]["verdict"], "fine", "{well}");
    assert_eq!(json(&["which deployments are there in ward?"]).get("findings"), None);
    assert_eq!(json(&["why is deployment/crash failing?", "--live", "never"]).get("findings"), None);
    // "This deployment" is asked back for.
    let back = json(&["why does this deployment fail?"]);
    assert!(back["asks"]["text"].as_str().unwrap().starts_with("Which deployment do you mean?"), "{back}");
    assert_eq!(back.get("findings"), None);
    let secret = home.run(&["ask", "what is wrong with secret robot-account?", "--kubeconfig", kubeconfig]).ok();
    assert!(!secret.out.contains(ApiServer::SECRET_MARK) && !secret.err.contains(ApiServer::SECRET_MARK));
}
