//! What the user reads when no cluster can be reached.

#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, time::Duration};

use clusterlore_cluster::{ClusterError, ClusterSource, Environment, LiveOptions, LiveSource, RetryPolicy};
use clusterlore_testkit::{fake::FakeApiServer, recorder::Recorder};

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
    assert_eq!(error.to_string(), "there is no kubeconfig at /no/such/config; expected a file");
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
    assert!(message.contains("there is no cluster \"nowhere\", which context \"two\" names"), "{message}");
    let message = refusal("", None).await;
    assert!(message.ends_with("it has none"), "{message}");
}

#[tokio::test]
async fn an_address_where_nothing_answers_is_named() {
    let message = refusal(&kubeconfig("http://127.0.0.1:1", "{}"), None).await;
    assert!(message.starts_with("nothing answers at http://127.0.0.1:1 ("), "{message}");
    let message = refusal(&kubeconfig("https://no-such-host.invalid", "{token: t}"), None).await;
    assert!(message.starts_with("nothing answers at https://no-such-host.invalid ("), "{message}");
}

#[tokio::test]
async fn a_server_without_tls_is_no_secure_connection() {
    let server = FakeApiServer::start().await;
    let message = refusal(&kubeconfig(&server.url().replace("http:", "https:"), "{token: t}"), None).await;
    assert!(message.starts_with("no secure connection to https://127.0.0.1:"), "{message}");
}

#[tokio::test]
async fn a_missing_credential_plugin_is_named_with_its_hint() {
    let exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, interactiveMode: Never, installHint: get it from example.org}}";
    let message = refusal(&kubeconfig("https://127.0.0.1:1", exec), None).await;
    assert!(message.contains("\"no-such-plugin\"") && message.ends_with("get it from example.org"), "{message}");
}

/// Neither what it prints, nor its arguments, nor its environment.
#[tokio::test]
async fn nothing_of_a_credential_plugin_is_shown() {
    let exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, \"echo s3cret; echo s3cret >&2; exit 3\"], env: [{name: A, value: s3cret}], interactiveMode: Never}}";
    let message = refusal(&kubeconfig("https://127.0.0.1:1", exec), None).await;
    assert!(message.contains("\"sh\" failed (exit status: 3); run it yourself"), "{message}");
    assert!(!message.contains("s3cret"), "{message}");
    let message = refusal(&kubeconfig("https://127.0.0.1:1", &exec.replace("exit 3", "exit 0")), None).await;
    assert!(message.contains("printed no ExecCredential") && !message.contains("s3cret"), "{message}");
    let message = refusal(&kubeconfig("https://127.0.0.1:1", &exec.replace("echo s3cret;", "yes s3cret;")), None).await;
    assert!(message.contains("printed more than a credential") && !message.contains("s3cret"), "{message}");
}

/// A pod has no kubeconfig, but an account in a folder.
#[tokio::test]
async fn a_pod_has_its_own_account() {
    let (recorder, account) = (Recorder::start(), tempfile::tempdir().unwrap());
    let write = |name: &str, text: &[u8]| std::fs::write(account.path().join(name), text).unwrap();
    let environment = Environment {
        service: Some(("127.0.0.1".to_owned(), recorder.https.to_string())),
        service_account: Some(account.path().to_owned()),
        ..Environment::default()
    };
    let options =
        |environment: &Environment| LiveOptions { environment: environment.clone(), ..LiveOptions::default() };
    let Err(error) = LiveSource::connect(options(&environment)).await else { panic!("connected") };
    assert!(error.to_string().starts_with("no cluster is configured"), "{error}");

    write("token", b"pod-token\n");
    write("ca.crt", &std::fs::read(recorder.file("ca.crt")).unwrap());
    write("namespace", b"team\n");
    let source = LiveSource::connect(options(&environment)).await.unwrap();
    assert_eq!(source.default_namespace(), "team");
    source.identity().await.unwrap();
    assert_eq!(recorder.take()[0].header("authorization"), ["Bearer pod-token"]);

    let named = Environment { pod_namespace: Some("named".to_owned()), ..environment.clone() };
    assert_eq!(LiveSource::connect(options(&named)).await.unwrap().default_namespace(), "named");

    // A kubeconfig with a context comes first, one without does not.
    let config = account.path().join("config");
    for (text, namespace) in [(kubeconfig("http://127.0.0.1:1", "{}"), "default"), (String::new(), "team")] {
        std::fs::write(&config, text).unwrap();
        let environment = Environment { kubeconfig: Some(config.clone().into()), ..environment.clone() };
        assert_eq!(LiveSource::connect(options(&environment)).await.unwrap().default_namespace(), namespace);
    }
}

/// Where a plugin says until when its credential is good, it is asked again then, and only then.
#[tokio::test]
async fn a_plugin_is_asked_again_when_its_credential_has_ended() {
    let (recorder, folder) = (Recorder::start(), tempfile::tempdir().unwrap());
    let asked = folder.path().join("asked");
    for (until, times) in [("2999-01-01T00:00:00Z", 1), ("2001-01-01T00:00:00Z", 3)] {
        let answer = format!(
            r#"{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"t","expirationTimestamp":"{until}"}}}}"#
        );
        std::fs::write(folder.path().join("answer"), answer).unwrap();
        let user = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: Never, \
             args: [-c, \"echo x >> {}; cat {}/answer\"]}}}}",
            asked.display(),
            folder.path().display()
        );
        let server =
            format!("https://127.0.0.1:{}\", insecure-skip-tls-verify: true, tls-server-name: \"", recorder.https);
        std::fs::write(&asked, "").unwrap();
        let (source, _folder) = connect(&kubeconfig(&server, &user), None).await.unwrap();
        source.identity().await.unwrap();
        source.identity().await.unwrap();
        assert_eq!(std::fs::read_to_string(&asked).unwrap().lines().count(), times, "{until}");
    }
}

/// A kubeconfig that comes through a pipe, as with `<(sops -d FILE)`.
#[tokio::test]
async fn a_kubeconfig_may_be_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::write(pipe, kubeconfig("http://127.0.0.1:1", "{}")))
    };
    let options = LiveOptions { kubeconfig: Some(pipe), ..LiveOptions::default() };
    assert_eq!(LiveSource::connect(options).await.unwrap().server(), "http://127.0.0.1:1");
    writer.join().unwrap().unwrap();
}

#[tokio::test]
async fn the_proxy_where_nothing_answers_is_named_without_its_password() {
    let config =
        kubeconfig("https://api.example.org:6443\", proxy-url: \"http://bob:PASSWD99@127.0.0.1:1", "{token: t}");
    let message = refusal(&config, None).await;
    assert!(message.starts_with("nothing answers at https://api.example.org:6443 ("), "{message}");
    assert!(message.contains("by way of the proxy http://127.0.0.1:1)") && !message.contains("PASSWD99"), "{message}");
}
