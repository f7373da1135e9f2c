//! What the user reads when no cluster can be reached.

#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, time::Duration};

use clusterlore_cluster::{ClusterError, ClusterSource, LiveOptions, LiveSource, RetryPolicy};
use clusterlore_testkit::fake::FakeApiServer;

async fn connect(kubeconfig: &str, context: Option<&str>) -> Result<(LiveSource, tempfile::TempDir), ClusterError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, kubeconfig).unwrap();
    let options = LiveOptions {
        kubeconfig: Some(file),
        context: context.map(str::to_owned),
        request_timeout: Duration::from_millis(500),
        retry: RetryPolicy { base: Duration::from_millis(1), ..RetryPolicy::default() },
        ..LiveOptions::default()
    };
    LiveSource::connect(options).await.map(|source| (source, folder))
}

async fn refusal(kubeconfig: &str, context: Option<&str>) -> String {
    match connect(kubeconfig, context).await {
        Err(error) => error.to_string(),
        Ok((source, _folder)) => source.discover().await.unwrap_err().to_string(),
    }
}

fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: one\nclusters:\n- name: c\n  cluster: {{server: \"{server}\"}}\n\
         users:\n- name: u\n  user: {user}\ncontexts:\n- name: one\n  context: {{cluster: c, user: u}}\n\
         - name: two\n  context: {{cluster: nowhere, user: u}}\n"
    )
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let options = LiveOptions { kubeconfig: Some(PathBuf::from("/no/such/config")), ..LiveOptions::default() };
    let Err(error) = LiveSource::connect(options).await else { panic!("connected") };
    assert_eq!(
        error.to_string(),
        "there is no kubeconfig at /no/such/config; expected a file; check --kubeconfig or KUBECONFIG"
    );
}

#[tokio::test]
async fn what_is_no_kubeconfig_is_not_quoted() {
    let message = refusal("users:\n- name: u\n  user: {token: [s3cret}\n", None).await;
    assert!(message.contains("it is not a kubeconfig (line 3"), "{message}");
    let message2 = refusal("users:\n- name: u\n  user: {token: {s3cret: 1}}\n", None).await;
    assert!(message2.contains("it is not a kubeconfig"), "{message2}");
    assert!(!message.contains("s3cret") && !message2.contains("s3cret"), "{message} {message2}");
}

#[tokio::test]
async fn contexts_that_exist_are_named() {
    let config = kubeconfig("http://127.0.0.1:1", "{}");
    let message = refusal(&config, Some("three")).await;
    assert!(message.contains("no context \"three\"") && message.ends_with("it has: one, two"), "{message}");
    let message = refusal(&config.replace("current-context: one", "preferences: {}"), None).await;
    assert!(message.contains("no current context") && message.ends_with("it has: one, two"), "{message}");
    let message = refusal(&config, Some("two")).await;
    assert!(message.contains("failed to load the cluster of context: nowhere"), "{message}");
    let message = refusal("", None).await;
    assert!(message.ends_with("it has none"), "{message}");
}

#[tokio::test]
async fn an_address_where_nothing_answers_is_named() {
    let message = refusal(&kubeconfig("http://127.0.0.1:1", "{}"), None).await;
    assert!(message.starts_with("nothing answers at http://127.0.0.1:1 ("), "{message}");
    let message = refusal(&kubeconfig("https://no-such-host.invalid", "{}"), None).await;
    assert!(message.starts_with("nothing answers at https://no-such-host.invalid ("), "{message}");
}

#[tokio::test]
async fn a_server_without_tls_is_no_secure_connection() {
    let server = FakeApiServer::start().await;
    let message = refusal(&kubeconfig(&server.url().replace("http:", "https:"), "{}"), None).await;
    assert!(message.starts_with("no secure connection to https://127.0.0.1:"), "{message}");
}

#[tokio::test]
async fn a_missing_credential_plugin_is_named_with_its_hint() {
    let exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, interactiveMode: Never, installHint: get it from example.org}}";
    let message = refusal(&kubeconfig("http://127.0.0.1:1", exec), None).await;
    assert!(message.contains("\"no-such-plugin\"") && message.ends_with("get it from example.org"), "{message}");
}

#[tokio::test]
async fn what_a_credential_plugin_prints_on_standard_output_is_not_shown() {
    let exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, \"echo s3cret; echo please log in >&2; exit 3\"], interactiveMode: Never}}";
    let message = refusal(&kubeconfig("http://127.0.0.1:1", exec), None).await;
    assert!(message.contains("please log in") && !message.contains("s3cret"), "{message}");
    let message = refusal(&kubeconfig("http://127.0.0.1:1", &exec.replace("exit 3", "exit 0")), None).await;
    assert!(message.contains("printed no ExecCredential") && !message.contains("s3cret"), "{message}");
}
