//! Kubeconfigs are read as kubectl reads them: both are given the same files and variables, and what they send is compared, byte
//! for byte where it says who asks.

#![allow(clippy::unwrap_used)]

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use clusterlore_cluster::{ClusterSource, Environment, LiveOptions, LiveSource, RetryPolicy};
use clusterlore_testkit::recorder::{Asked, Recorder, kubectl};
use tempfile::TempDir;

/// One try. In all texts `$HTTP`, `$HTTPS`, `$PROXY`, `$SPROXY` and `$SOCKS` are ports, `$DIR` the folder of the files, `$CA` the
/// certificate authority in base64, `$CERT` and `$KEY` the client's.
#[derive(Default)]
struct Try {
    name: &'static str,
    /// Names and contents; `config` is the one that is used where the environment names none.
    files: Vec<(&'static str, Vec<u8>)>,
    environment: Vec<(&'static str, &'static str)>,
    context: Option<&'static str>,
    /// What is sent: the way, the scheme and the path before `/api`, who asks, `in` the namespace. Or `refused`.
    sent: &'static str,
}

impl Try {
    /// A kubeconfig of one cluster, one user and one context.
    fn of(name: &'static str, cluster: &str, user: &str, sent: &'static str) -> Self {
        Self { name, files: vec![("config", whole(cluster, user, "").into())], sent, ..Self::default() }
    }

    fn text(name: &'static str, config: &str, sent: &'static str) -> Self {
        Self { name, files: vec![("config", config.into())], sent, ..Self::default() }
    }

    fn with(mut self, name: &'static str, file: &str) -> Self {
        self.files.push((name, file.into()));
        self
    }

    fn set(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    fn context(mut self, name: &'static str) -> Self {
        self.context = Some(name);
        self
    }
}

fn whole(cluster: &str, user: &str, context: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: lab\n  cluster: {{{cluster}}}\nusers:\n- name: u\n  user: {{{user}}}\n\
         contexts:\n- name: lab\n  context: {{cluster: lab, user: u{context}}}\ncurrent-context: lab\n"
    )
}

/// A server that is reached without a look at its certificate.
const SERVER: &str = "server: 'https://127.0.0.1:$HTTPS', insecure-skip-tls-verify: true";
const AWAY: &str = "server: 'https://lab.internal:6443', insecure-skip-tls-verify: true";
const ABC: &str = "direct https Bearer abc in default";
const REFUSED: &str = "refused";

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
}

fn plugin(user: &str, version: &str, more: &str) -> String {
    format!("{user}exec: {{apiVersion: client.authentication.k8s.io/{version}, command: ./plugin.sh{more}}}")
}

fn answer(version: &str, status: &str) -> String {
    format!(
        "#!/bin/sh\ncat <<'X'\n{{\"apiVersion\": \"client.authentication.k8s.io/{version}\", \"kind\": \"ExecCredential\", \"status\": {status}}}\nX\n"
    )
}

fn files_and_contexts() -> Vec<Try> {
    let good = whole(SERVER, "token: abc", "");
    let other = whole("server: 'https://127.0.0.1:1'", "token: other", ", namespace: other");
    let list = |name, sent| Try { name, sent, ..Try::default() };
    let t = |name, replace: &str, with: &str, sent| Try::text(name, &good.replace(replace, with), sent);
    vec![
        Try::text("as usual", &good, ABC),
        Try::text("of home", &good, ABC).set("HOME", "$DIR/home").with("home/.kube/config", &good),
        list("a missing file in the list", ABC).with("a", &good).set("KUBECONFIG", "$DIR/a:/nowhere/b"),
        list("a missing file first", ABC).with("a", &good).set("KUBECONFIG", "/nowhere/b:$DIR/a"),
        list("nothing but missing files", REFUSED).set("KUBECONFIG", "/nowhere/a:/nowhere/b"),
        list("empty names in the list", ABC).with("a", &good).set("KUBECONFIG", ":$DIR/a:"),
        list("the same file twice", ABC).with("a", &good).set("KUBECONFIG", "$DIR/a:$DIR/a"),
        list("an empty file in the list", ABC).with("a", &good).with("b", "").set("KUBECONFIG", "$DIR/b:$DIR/a"),
        list("a folder in the list", REFUSED).with("a", &good).set("KUBECONFIG", "$DIR:$DIR/a"),
        list("a file below a file in the list", REFUSED).with("a", &good).set("KUBECONFIG", "$DIR/a:$DIR/a/b"),
        list("a broken file in the list", REFUSED).with("a", &good).with("b", "{").set("KUBECONFIG", "$DIR/a:$DIR/b"),
        list("an empty current-context first", ABC)
            .with("a", "current-context: ''\nclusters: null\ncontexts: null\nusers: null\n")
            .with("b", &good)
            .set("KUBECONFIG", "$DIR/a:$DIR/b"),
        list("the first of each name counts", ABC)
            .with("a", &good)
            .with("b", &other)
            .set("KUBECONFIG", "$DIR/a:$DIR/b"),
        list("contexts, clusters and users of three files", "direct https Bearer abc in three")
            .with(
                "a",
                "current-context: lab\ncontexts: [{name: lab, context: {cluster: c, user: u, namespace: three}}]\n",
            )
            .with("b", &format!("clusters: [{{name: c, cluster: {{{SERVER}}}}}]\ncurrent-context: nowhere\n"))
            .with("c", "users: [{name: u, user: {token: abc}}]\n")
            .set("KUBECONFIG", "$DIR/a:$DIR/b:$DIR/c"),
        list("paths are meant from their file", ABC)
            .with(
                "a/config",
                &whole("server: 'https://127.0.0.1:$HTTPS', certificate-authority: ../pki/ca", "tokenFile: ../t", ""),
            )
            .with("pki/ca", "$CAPEM")
            .with("t", "abc")
            .set("KUBECONFIG", "$DIR/a/config"),
        Try::text("an empty file", "", REFUSED),
        Try::text("white space", "\n\n", REFUSED),
        Try::text("a comment", "# nothing\n", REFUSED),
        Try::text("a list", "- a\n", REFUSED),
        Try::text("a word", "kubeconfig\n", REFUSED),
        t("a second document", "current-context: lab\n", "current-context: lab\n---\ncurrent-context: other\n", ABC),
        t("a second document that is broken", "current-context: lab\n", "current-context: lab\n---\n{\n", ABC),
        t("no apiVersion and no kind", "apiVersion: v1\nkind: Config\n", "", ABC),
        t("another kind", "kind: Config", "kind: Pod", REFUSED),
        t("another apiVersion", "apiVersion: v1\n", "apiVersion: v2\n", REFUSED),
        t("a repeated key", "kind: Config\n", "kind: Config\ncurrent-context: x\nkind: Config\npreferences: {}\n", ABC),
        t("a repeated key in an entry: the last counts", "token: abc", "token: x, token: abc", ABC),
        t("two entries of a name", "users:\n", "users:\n- name: u\n  user: {token: x}\n", REFUSED),
        t("no current context", "current-context: lab", "preferences: {}", REFUSED),
        t("a current context that is not there", "current-context: lab", "current-context: none", REFUSED),
        t("another context by name", "current-context: lab", "current-context: none", ABC).context("lab"),
        t("an empty context flag", "", "", ABC).context(""),
        t("a context flag that leads nowhere", "", "", REFUSED).context("no"),
        t("a context with a namespace", "user: u}", "user: u, namespace: shop}", "direct https Bearer abc in shop"),
        t("a context with an empty namespace", "user: u}", "user: u, namespace: ''}", ABC),
        t("a context whose namespace is null", "user: u}", "user: u, namespace: ~}", ABC),
        t("a context without a cluster", "cluster: lab, user: u", "user: u", REFUSED),
        t("a context with a cluster that is not there", "cluster: lab,", "cluster: none,", REFUSED),
        t("a context with a user that is not there", "user: u}", "user: none}", REFUSED),
        t(
            "fields that nobody knows",
            "clusters:\n",
            "x: [1, {y: z}]\nclusters:\n- name: odd\n  cluster: {colour: [1]}\n  z: 1\n",
            ABC,
        ),
        t("an unused cluster without anything", "clusters:\n", "clusters:\n- name: odd\n", ABC),
        t("an unused cluster that is null", "clusters:\n", "clusters:\n- name: odd\n  cluster: ~\n- ~\n", ABC),
        t(
            "an unused cluster at no address",
            "clusters:\n",
            "clusters:\n- name: odd\n  cluster: {server: ':::', proxy-url: x}\n",
            ABC,
        ),
        t(
            "an unused user with too much",
            "users:\n",
            "users:\n- name: odd\n  user: {token: a, username: b, exec: {command: c}, auth-provider: {name: d}}\n",
            ABC,
        ),
        t(
            "an unused user with files that are not there",
            "users:\n",
            "users:\n- name: odd\n  user: {tokenFile: none, client-certificate: none}\n",
            ABC,
        ),
        t(
            "an unused context without anything",
            "contexts:\n",
            "contexts:\n- name: odd\n- name: odder\n  context: {user: 'x'}\n",
            ABC,
        ),
        t(
            "extensions of minikube",
            "users:\n",
            "extensions: [{name: e, extension: {last-update: x, n: 1}}]\nusers:\n",
            ABC,
        ),
        t("an unused token that is a number", "users:\n", "users:\n- name: odd\n  user: {token: 123}\n", REFUSED),
        t(
            "unused base64 that is broken",
            "clusters:\n",
            "clusters:\n- name: odd\n  cluster: {certificate-authority-data: '%'}\n",
            REFUSED,
        ),
        t("clusters that are no list", "clusters:\n", "clusters: {}\nx:\n", REFUSED),
        t("preferences that are a list", "kind: Config\n", "kind: Config\npreferences: []\n", REFUSED),
        t("a name that is a number", "name: u\n", "name: 1\n", REFUSED),
    ]
}

fn forms() -> Vec<Try> {
    let good = whole(SERVER, "token: abc", "");
    let bytes = |name, bytes: Vec<u8>, sent| Try { name, files: vec![("config", bytes)], sent, ..Try::default() };
    let mut odd = utf16("apiVersion: v1\n", u16::to_le_bytes);
    odd.push(b'x');
    let t = |name, replace: &str, with: &str, sent| Try::text(name, &good.replace(replace, with), sent);
    let token = |name, token: &str, sent| t(name, "token: abc", &format!("token: {token}"), sent);
    vec![
        bytes("UTF-8 with a mark", ["\u{feff}", &good].concat().into(), ABC),
        bytes("UTF-16, the small end first", utf16(&good, u16::to_le_bytes), ABC),
        bytes("UTF-16, the big end first", utf16(&good, u16::to_be_bytes), ABC),
        bytes("UTF-16 with a byte too many", odd, REFUSED),
        bytes("UTF-16 cut in two", vec![0xff, 0xfe, 0x3d, 0xd8], REFUSED),
        bytes("bytes that are no text", vec![b'a', b':', 0xff, 0x80], REFUSED),
        bytes("zeros", vec![0; 16], REFUSED),
        t("lines that end as on Windows", "\n", "\r\n", ABC),
        Try::text(
            "JSON",
            "{\"clusters\":[{\"name\":\"lab\",\"cluster\":{\"server\":\"https://127.0.0.1:$HTTPS\",\"insecure-skip-tls-verify\":true}}],\n\
             \t\"users\":[{\"name\":\"u\",\"user\":{\"token\":\"abc\"}}],\"contexts\":[{\"name\":\"lab\",\"context\":{\"cluster\":\"lab\",\"user\":\"u\"}}],\"current-context\":\"lab\"}",
            ABC,
        ),
        t("anchors and aliases", "token: abc", "token: &t abc, x: *t", ABC),
        t("a merge key", "user: {token: abc}", "user: {<<: {token: abc}}", ABC),
        t("a block scalar", "user: {token: abc}", "user:\n    token: |-\n      abc", ABC),
        t("a document mark with a comment", "apiVersion: v1\n", "--- # mine\napiVersion: v1\n", ABC),
        t("a tag", "token: abc", "token: !!str abc", ABC),
        t("a tab in front", "kind: Config\n", "\tkind: Config\n", REFUSED),
        t("an end mark and more", "current-context: lab\n", "current-context: lab\n...\nmore\n", ABC),
        token("a token that is a number", "123", REFUSED),
        token("a token that is a number with lines", "1_000", REFUSED),
        token("a token that is an octal number", "0o17", REFUSED),
        token("a token that is yes", "yes", REFUSED),
        token("a token that is n", "n", REFUSED),
        token("a token that is a date", "2001-01-01", "direct https Bearer 2001-01-01 in default"),
        token("a token that is a time", "22:33", "direct https Bearer 22:33 in default"),
        token("a token that is a quoted number", "'123'", "direct https Bearer 123 in default"),
        token("a token that is a list", "[abc]", REFUSED),
        t("insecure that is a text", "verify: true", "verify: 'true'", REFUSED),
        t("insecure that is yes", "verify: true", "verify: yes", ABC),
    ]
}

fn users() -> Vec<Try> {
    let user = |name, user: &str, sent| Try::of(name, SERVER, user, sent);
    let exec = |name, user: &str, status: &str, sent| {
        Try::of(name, SERVER, user, sent).with("plugin.sh", &answer("v1", status))
    };
    let never = |before: &str| plugin(before, "v1", ", interactiveMode: Never");
    let abc = r#"{"token": "abc"}"#;
    let certified = "direct https with a certificate in default";
    vec![
        user("a token in a file", "tokenFile: t", ABC).with("t", "abc"),
        user("a token file with a line end", "tokenFile: t", ABC).with("t", "abc\n"),
        user("a token file with white space around", "tokenFile: t", ABC).with("t", "\n  abc\r\n\n"),
        user("a token file with two lines", "tokenFile: t", REFUSED).with("t", "abc\ndef\n"),
        user("an empty token file", "tokenFile: t", REFUSED).with("t", ""),
        user("a token file of white space", "tokenFile: t", REFUSED).with("t", "\n"),
        user("a token file that is not there", "tokenFile: none", REFUSED),
        user("a token beside a file: the file counts", "token: old, tokenFile: t", ABC).with("t", "abc"),
        user("a token beside a file that is not there", "token: abc, tokenFile: none", ABC),
        user("a token beside an empty file", "token: abc, tokenFile: t", ABC).with("t", ""),
        user("a token with a line end", "token: \"abc\\n\"", REFUSED),
        user("a token with a space in front", "token: ' abc'", "direct https Bearer  abc in default"),
        user("a token in other letters", "token: ünï", "direct https Bearer ünï in default"),
        user("an empty token", "token: ''", REFUSED),
        user("no user", "", REFUSED),
        user("name and password", "username: a, password: b", "direct https Basic YTpi in default"),
        user("a name without a password", "username: a", "direct https Basic YTo= in default"),
        user("a password without a name", "password: b", REFUSED),
        user("a token and a name", "token: abc, username: a", REFUSED),
        user("a token and an empty name", "token: abc, username: '', password: ''", ABC),
        user("a token file and a name", "tokenFile: t, username: a", REFUSED).with("t", "abc"),
        user("a certificate", "client-certificate-data: $CERT, client-key-data: $KEY", certified),
        user("a certificate in files", "client-certificate: c, client-key: k", certified).with("c", "$CERTPEM").with("k", "$KEYPEM"),
        user("a certificate without a key", "client-certificate-data: $CERT", REFUSED),
        user("a key without a certificate", "client-key-data: $KEY, token: abc", ABC),
        user("a certificate both ways", "client-certificate-data: $CERT, client-certificate: c, client-key-data: $KEY", REFUSED).with("c", "$CERTPEM"),
        user("a certificate file that is not there", "client-certificate: c, client-key-data: $KEY, token: abc", REFUSED),
        user("empty certificates beside a token", "client-certificate-data: '', client-key-data: '', client-certificate: '', token: abc", ABC),
        user("a certificate that is none", "client-certificate-data: YWJj, client-key-data: YWJj", REFUSED),
        user("a certificate and a token", "client-certificate-data: $CERT, client-key-data: $KEY, token: abc", "direct https Bearer abc with a certificate in default"),
        user("as another", "token: abc, as: joe", "direct https Bearer abc as joe in default"),
        user("as another in groups", "token: abc, as: joe, as-uid: '7', as-groups: [g1, g2], as-user-extra: {a/B: [x, z]}", "direct https Bearer abc as joe 7 g1 g2 a%2fb=x a%2fb=z in default"),
        user("as nobody in groups", "token: abc, as-groups: [g1]", REFUSED),
        user("as one with a line break", "token: abc, as: \"a\\nb\"", REFUSED),
        user("as one in other letters", "token: abc, as: jörg", "direct https Bearer abc as jörg in default"),
        Try::of("as another over plain HTTP", "server: 'http://127.0.0.1:$HTTP'", "as: joe", "direct http as joe in default"),
        user("a provider that is gone", "auth-provider: {name: gcp}", REFUSED),
        user("a provider that nobody knows", "auth-provider: {name: x, config: {a: b}}, token: abc", REFUSED),
        user("a provider without what it needs", "auth-provider: {name: oidc, config: {id-token: a.b.c}}", REFUSED),
        exec("a plugin", &never(""), abc, ABC),
        exec("a plugin in the folder of the file, not on the PATH", "exec: {apiVersion: client.authentication.k8s.io/v1, command: plugin.sh, interactiveMode: Never}", abc, REFUSED),
        exec("an empty token beside a plugin", &never("token: '', "), abc, ABC),
        exec("all sorts of empty things beside a plugin", &never("token: '', tokenFile: '', username: '', password: '', client-certificate-data: '', "), abc, ABC),
        exec("a token beside a plugin", &never("token: abc, "), r#"{"token": "def"}"#, ABC),
        exec("a name beside a plugin", &never("username: a, "), abc, "direct https Basic YTo= in default"),
        exec("a certificate beside a plugin", &never("client-certificate-data: $CERT, client-key-data: $KEY, "), abc, certified),
        exec("a plugin with a line break", &never(""), r#"{"token": "abc\n"}"#, REFUSED),
        exec("a plugin without a token", &never(""), "{}", REFUSED),
        exec("a plugin without a status", &never(""), "null", REFUSED),
        exec("a plugin whose token is a number", &never(""), r#"{"token": 123}"#, REFUSED),
        exec("a plugin with a certificate", &never(""), r#"{"clientCertificateData": "$CERTLINE", "clientKeyData": "$KEYLINE"}"#, certified),
        exec("a plugin with half a certificate", &never(""), r#"{"token": "abc", "clientCertificateData": "$CERTLINE"}"#, REFUSED),
        exec("a plugin whose token ends some day", &never(""), r#"{"token": "abc", "expirationTimestamp": "2999-01-01T00:00:00Z"}"#, ABC),
        exec("a plugin whose token ends at no time", &never(""), r#"{"token": "abc", "expirationTimestamp": "soon"}"#, REFUSED),
        exec("a plugin of another version", &plugin("", "v1beta1", ""), abc, REFUSED),
        exec("a plugin of no version", &plugin("", "v1alpha1", ", interactiveMode: Never"), abc, REFUSED),
        exec("a plugin that does not say how", &plugin("", "v1", ""), abc, REFUSED),
        exec("a plugin that says it wrongly", &plugin("", "v1", ", interactiveMode: never"), abc, REFUSED),
        exec("a plugin that would ask", &plugin("", "v1", ", interactiveMode: IfAvailable"), abc, ABC),
        exec("a plugin that must ask", &plugin("", "v1", ", interactiveMode: Always"), abc, REFUSED),
        exec("a plugin and a provider", &never("auth-provider: {name: oidc}, "), abc, REFUSED),
        user("a plugin of the version before", &plugin("", "v1beta1", ""), ABC).with("plugin.sh", &answer("v1beta1", abc)),
        exec("a plugin whose answer only looks like JSON", &never(""), "{token: abc}", REFUSED),
        user("a plugin that answers in YAML", &never(""), ABC)
            .with("plugin.sh", "#!/bin/sh\nprintf 'apiVersion: client.authentication.k8s.io/v1\\nkind: ExecCredential\\nstatus:\\n  token: abc\\n'\n"),
        user("a plugin that answers with something else", &never(""), REFUSED).with("plugin.sh", "#!/bin/sh\necho '{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"Token\", \"status\": {\"token\": \"abc\"}}'\n"),
        user("a plugin that does not say what it answers with", &never(""), REFUSED).with("plugin.sh", "#!/bin/sh\necho '{\"status\": {\"token\": \"abc\"}}'\n"),
        user("a plugin that is not there", &never(""), REFUSED),
        user("a plugin without a command", "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}", REFUSED),
        user("a plugin that fails", &never(""), REFUSED).with("plugin.sh", "#!/bin/sh\nexit 3\n"),
        user("a plugin that says nothing", &never(""), REFUSED).with("plugin.sh", "#!/bin/sh\n"),
        user("a plugin that uses what it is told", &plugin("", "v1", ", interactiveMode: Never, args: [a, b], env: [{name: X, value: c}], provideClusterInfo: true"), "direct https Bearer a.b.c.https://127.0.0.1:$HTTPS in default")
            .with("plugin.sh", "#!/bin/sh\nserver=$(echo \"$KUBERNETES_EXEC_INFO\" | sed 's/.*\"server\":\"\\([^\"]*\\)\".*/\\1/')\necho '{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \"status\": {\"token\": \"'$1.$2.$X.$server'\"}}'\n"),
        Try::of("a plugin is not asked over plain HTTP", "server: 'http://127.0.0.1:$HTTP'", &never(""), "direct http in default"),
    ]
}

fn servers() -> Vec<Try> {
    let server = |name, server: &str, sent| Try::of(name, &format!("server: '{server}'"), "token: abc", sent);
    let ca = |name, more: &str, sent| {
        Try::of(name, &format!("server: 'https://127.0.0.1:$HTTPS', {more}"), "token: abc", sent)
    };
    let plain = "direct http in default";
    vec![
        server("plain HTTP: nobody is told the token", "http://127.0.0.1:$HTTP", plain),
        server("no scheme", "127.0.0.1:$HTTP", plain),
        server("no scheme but a name", "localhost:$HTTP", plain),
        server("no scheme and a slash", "127.0.0.1:$HTTP/", plain),
        server("no scheme and a path", "127.0.0.1:$HTTP/a", REFUSED),
        server("no scheme and a user", "bob:PASSWD99@127.0.0.1:$HTTP", "direct http Basic Ym9iOlBBU1NXRDk5 in default"),
        Try::of(
            "no scheme, insecure",
            "server: '127.0.0.1:$HTTP', insecure-skip-tls-verify: true",
            "token: abc",
            plain,
        ),
        server("a scheme in large letters", "HTTP://127.0.0.1:$HTTP", plain),
        server("another scheme", "ftp://127.0.0.1:$HTTP", REFUSED),
        server("a path", "http://127.0.0.1:$HTTP/a/b", "direct http /a/b in default"),
        server("a path with a slash behind", "http://127.0.0.1:$HTTP/a/b/", "direct http /a/b in default"),
        server("a question and a fragment", "http://127.0.0.1:$HTTP/a?b=c#d", "direct http /a in default"),
        server("a user", "http://bob:PASS%20WD99@127.0.0.1:$HTTP", "direct http Basic Ym9iOlBBU1MgV0Q5OQ== in default"),
        server("a user without a password", "http://bob@127.0.0.1:$HTTP", "direct http Basic Ym9iOg== in default"),
        Try::of(
            "a user before a token",
            "server: 'https://bob:pw@127.0.0.1:$HTTPS', insecure-skip-tls-verify: true",
            "token: abc",
            "direct https Basic Ym9iOnB3 in default",
        ),
        server("a user with a sign that none has", "http://bob:p^w@127.0.0.1:$HTTP", REFUSED),
        server("no server", "", REFUSED),
        server("a space", "http://127.0.0.1 :$HTTP", REFUSED),
        server("a port that is none", "http://127.0.0.1:x", REFUSED),
        server("a port too large", "http://127.0.0.1:99999", REFUSED),
        server("brackets that do not close", "http://[::1:$HTTP", REFUSED),
        server("colons", ":::", REFUSED),
        server("a line break", "http://127.0.0.1:$HTTP\n\n  ", REFUSED),
        ca("a certificate authority", "certificate-authority-data: $CA", ABC),
        ca("one in a file", "certificate-authority: ca", ABC).with("ca", "$CAPEM"),
        Try::text(
            "one in wrapped base64",
            &whole("x: y", "token: abc", "").replace(
                "{x: y}",
                "\n    server: 'https://127.0.0.1:$HTTPS'\n    certificate-authority-data: |\n$CAWRAPPED",
            ),
            ABC,
        ),
        Try::text(
            "one in folded base64",
            &whole("x: y", "token: abc", "").replace(
                "{x: y}",
                "\n    server: 'https://127.0.0.1:$HTTPS'\n    certificate-authority-data: >\n$CAWRAPPED",
            ),
            REFUSED,
        ),
        ca("one in base64 without its end", "certificate-authority-data: abc", REFUSED),
        ca("one that is none", "certificate-authority-data: YWJj", REFUSED),
        ca("one of another", "certificate-authority-data: $OTHERCA", REFUSED),
        ca("one beside others that are none", "certificate-authority: ca", ABC)
            .with("ca", "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n$CAPEM"),
        ca("none", "tls-server-name: ''", REFUSED),
        ca("one both ways", "certificate-authority-data: $CA, certificate-authority: ca", REFUSED).with("ca", "$CAPEM"),
        ca("one that is not there", "certificate-authority: none", REFUSED),
        ca("one that is insecure", "certificate-authority-data: $CA, insecure-skip-tls-verify: true", REFUSED),
        ca("an empty one that is insecure", "certificate-authority-data: '', insecure-skip-tls-verify: true", ABC),
        ca("another name", "certificate-authority-data: $CA, tls-server-name: lab.internal", ABC),
        ca("the name of another", "certificate-authority-data: $CA, tls-server-name: other.internal", REFUSED),
    ]
}

fn proxies() -> Vec<Try> {
    let named = |name, proxy: &str, sent| Try::of(name, &format!("{SERVER}, proxy-url: '{proxy}'"), "token: abc", sent);
    let away = |name, sent| Try::of(name, AWAY, "token: abc", sent);
    let here = |name, sent| Try::of(name, SERVER, "token: abc", sent);
    let http = |name, sent| Try::of(name, "server: 'http://lab.internal:8080'", "token: abc", sent);
    let over = "http proxy to lab.internal:6443 https Bearer abc in default";
    let plain = "http proxy to lab.internal:8080 http in default";
    vec![
        Try::of(
            "the example of the Kubernetes documentation",
            "server: 'https://localhost:6443', insecure-skip-tls-verify: true, proxy-url: 'socks5://localhost:$SOCKS'",
            "token: abc",
            "socks5 proxy to localhost:6443 https Bearer abc in default",
        ),
        named(
            "an http proxy on the way to this machine",
            "http://127.0.0.1:$PROXY",
            "http proxy to 127.0.0.1:$HTTPS https Bearer abc in default",
        ),
        named(
            "an https proxy",
            "https://127.0.0.1:$SPROXY",
            "https proxy to 127.0.0.1:$HTTPS https Bearer abc in default",
        ),
        named(
            "a proxy with a user",
            "http://bob:p%40ss@127.0.0.1:$PROXY",
            "http proxy as Basic Ym9iOnBAc3M= to 127.0.0.1:$HTTPS https Bearer abc in default",
        ),
        named(
            "a proxy with a user without a password",
            "http://bob@127.0.0.1:$PROXY",
            "http proxy as Basic Ym9iOg== to 127.0.0.1:$HTTPS https Bearer abc in default",
        ),
        named(
            "a proxy with a path",
            "http://127.0.0.1:$PROXY/x?y#z",
            "http proxy to 127.0.0.1:$HTTPS https Bearer abc in default",
        ),
        named("a proxy without a scheme", "127.0.0.1:$PROXY", REFUSED),
        named("a proxy without a scheme, by name", "localhost:$PROXY", REFUSED),
        named("a proxy of another scheme", "ftp://127.0.0.1:$PROXY", REFUSED),
        named("an empty proxy", "", ABC),
        named("a proxy where nothing is", "http://127.0.0.1:1", REFUSED),
        named(
            "a proxy before that of the environment",
            "http://127.0.0.1:$PROXY",
            "http proxy to 127.0.0.1:$HTTPS https Bearer abc in default",
        )
        .set("HTTPS_PROXY", "http://127.0.0.1:1"),
        named(
            "a proxy in spite of NO_PROXY",
            "http://127.0.0.1:$PROXY",
            "http proxy to 127.0.0.1:$HTTPS https Bearer abc in default",
        )
        .set("NO_PROXY", "*"),
        away("HTTPS_PROXY", over).set("HTTPS_PROXY", "http://127.0.0.1:$PROXY"),
        away("https_proxy", over).set("https_proxy", "http://127.0.0.1:$PROXY"),
        away("HTTPS_PROXY before https_proxy", over)
            .set("HTTPS_PROXY", "http://127.0.0.1:$PROXY")
            .set("https_proxy", "http://127.0.0.1:1"),
        away("an empty HTTPS_PROXY before https_proxy", over)
            .set("HTTPS_PROXY", "")
            .set("https_proxy", "http://127.0.0.1:$PROXY"),
        away("HTTPS_PROXY without a scheme", over).set("HTTPS_PROXY", "127.0.0.1:$PROXY"),
        away("HTTPS_PROXY without a scheme, by name", over).set("HTTPS_PROXY", "localhost:$PROXY"),
        away(
            "HTTPS_PROXY without a scheme, with a user",
            "http proxy as Basic Ym9iOnB3 to lab.internal:6443 https Bearer abc in default",
        )
        .set("HTTPS_PROXY", "bob:pw@127.0.0.1:$PROXY"),
        away("HTTPS_PROXY at socks5", "socks5 proxy to lab.internal:6443 https Bearer abc in default")
            .set("HTTPS_PROXY", "socks5://127.0.0.1:$SOCKS"),
        away("HTTPS_PROXY at https", "https proxy to lab.internal:6443 https Bearer abc in default")
            .set("HTTPS_PROXY", "https://127.0.0.1:$SPROXY"),
        away("HTTP_PROXY is not for https", REFUSED).set("HTTP_PROXY", "http://127.0.0.1:$PROXY"),
        away("ALL_PROXY is for nothing", REFUSED)
            .set("ALL_PROXY", "http://127.0.0.1:$PROXY")
            .set("all_proxy", "http://127.0.0.1:$PROXY"),
        away("NO_PROXY names the server", REFUSED)
            .set("HTTPS_PROXY", "http://127.0.0.1:$PROXY")
            .set("NO_PROXY", "a,lab.internal"),
        away("NO_PROXY names its domain", REFUSED)
            .set("HTTPS_PROXY", "http://127.0.0.1:$PROXY")
            .set("NO_PROXY", ".internal"),
        away("no_proxy names the server", REFUSED)
            .set("HTTPS_PROXY", "http://127.0.0.1:$PROXY")
            .set("no_proxy", "lab.internal:6443"),
        away("NO_PROXY names another port", over)
            .set("HTTPS_PROXY", "http://127.0.0.1:$PROXY")
            .set("NO_PROXY", "lab.internal:443"),
        away("NO_PROXY names the proxy", over)
            .set("HTTPS_PROXY", "http://127.0.0.1:$PROXY")
            .set("NO_PROXY", "127.0.0.1,localhost"),
        away("NO_PROXY names others", over)
            .set("HTTPS_PROXY", "http://127.0.0.1:$PROXY")
            .set("NO_PROXY", "10.0.0.0/8,ternal,alab.internal"),
        here("the environment's proxy is not for this machine", ABC).set("HTTPS_PROXY", "http://127.0.0.1:1"),
        http("HTTP_PROXY", plain).set("HTTP_PROXY", "http://127.0.0.1:$PROXY"),
        http("http_proxy", plain).set("http_proxy", "127.0.0.1:$PROXY"),
        http("HTTPS_PROXY is not for http", REFUSED).set("HTTPS_PROXY", "http://127.0.0.1:$PROXY"),
        Try::of(
            "HTTP_PROXY on the way to the usual port",
            "server: 'http://lab.internal'",
            "",
            "http proxy to lab.internal http in default",
        )
        .set("HTTP_PROXY", "http://127.0.0.1:$PROXY"),
        Try::of(
            "HTTPS_PROXY on the way to the usual port",
            "server: 'https://lab.internal', insecure-skip-tls-verify: true",
            "token: abc",
            "http proxy to lab.internal:443 https Bearer abc in default",
        )
        .set("HTTPS_PROXY", "http://127.0.0.1:$PROXY"),
    ]
}

/// Everything that the tries of one thread need.
struct Bench {
    recorder: Recorder,
    kubectl: Option<PathBuf>,
    texts: Vec<(&'static str, String)>,
}

impl Bench {
    fn new(kubectl: Option<PathBuf>) -> Self {
        let recorder = Recorder::start();
        let pem = |name: &str| std::fs::read_to_string(recorder.file(name)).unwrap();
        let (ca, cert, key) = (pem("ca.crt"), pem("client.crt"), pem("client.key"));
        let wrapped =
            base64(&ca).as_bytes().chunks(64).map(|l| format!("      {}\n", String::from_utf8_lossy(l))).collect();
        // Longer names first: one may begin like another.
        let texts = vec![
            ("$HTTPS", recorder.https.to_string()),
            ("$HTTP", recorder.http.to_string()),
            ("$PROXY", recorder.proxy.to_string()),
            ("$SPROXY", recorder.secure_proxy.to_string()),
            ("$SOCKS", recorder.socks.to_string()),
            ("$CAWRAPPED", wrapped),
            ("$CAPEM", ca.clone()),
            ("$CA", base64(&ca)),
            ("$OTHERCA", base64(&pem("other-ca.crt"))),
            ("$CERTLINE", cert.replace('\n', "\\n")),
            ("$CERTPEM", cert.clone()),
            ("$CERT", base64(&cert)),
            ("$KEYLINE", key.replace('\n', "\\n")),
            ("$KEYPEM", key.clone()),
            ("$KEY\"", format!("{}\"", base64(&key))),
            ("$KEY,", format!("{},", base64(&key))),
            ("$KEY}", format!("{}}}", base64(&key))),
        ];
        Self { recorder, kubectl, texts }
    }

    fn filled(&self, text: &str, folder: &Path) -> String {
        let text = text.replace("$DIR", &folder.display().to_string());
        self.texts.iter().fold(text, |text, (name, value)| text.replace(name, value))
    }

    /// What is wrong with this try, if something is.
    async fn run(&self, case: &Try) -> Vec<String> {
        let folder = TempDir::new().unwrap();
        for (name, bytes) in &case.files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let bytes = match std::str::from_utf8(bytes) {
                Ok(text) => self.filled(text, folder.path()).into_bytes(),
                // UTF-16 has its ports filled in as UTF-16.
                Err(_) => self.filled_wide(bytes),
            };
            std::fs::write(&path, bytes).unwrap();
            if name.ends_with(".sh") {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        let mut variables: Vec<(&str, String)> = vec![("HOME", folder.path().join("nobody").display().to_string())];
        for (name, value) in &case.environment {
            variables.retain(|(n, _)| n != name);
            variables.push((name, self.filled(value, folder.path())));
        }
        let config = folder.path().join("config");
        let config = config.exists().then_some(config);
        let expected = self.filled(case.sent, folder.path());
        let mut wrong = Vec::new();
        if let Some(kubectl) = &self.kubectl {
            let sent = self.kubectl(kubectl, &variables, config.as_deref(), case.context, folder.path());
            if sent != expected {
                wrong.push(format!("{}: kubectl gives {sent:?}, expected {expected:?}", case.name));
            }
        }
        let (sent, said) = self.clusterlore(&variables, config, case.context).await;
        if sent != expected {
            wrong.push(format!("{}: clusterlore gives {sent:?} ({said}), expected {expected:?}", case.name));
        }
        if said.contains('\n')
            || said.contains("PASSWD99")
            || said.contains("panicked")
            || (sent == REFUSED) == said.is_empty()
        {
            wrong.push(format!("{}: clusterlore says {said:?}", case.name));
        }
        wrong
    }

    fn filled_wide(&self, bytes: &[u8]) -> Vec<u8> {
        for (unit, from) in [
            (u16::to_le_bytes as fn(u16) -> [u8; 2], u16::from_le_bytes as fn([u8; 2]) -> u16),
            (u16::to_be_bytes, u16::from_be_bytes),
        ] {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| from([pair[0], pair[1]])).collect();
            if units.first() == Some(&0xfeff)
                && bytes.len().is_multiple_of(2)
                && let Ok(text) = String::from_utf16(&units[1..])
            {
                return utf16(&self.filled(&text, Path::new("/")), unit);
            }
        }
        bytes.to_vec()
    }

    fn kubectl(
        &self,
        program: &Path,
        variables: &[(&str, String)],
        config: Option<&Path>,
        context: Option<&str>,
        folder: &Path,
    ) -> String {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
        command.envs(variables.iter().map(|(name, value)| (name, value))).current_dir(folder);
        command.args(["auth", "can-i", "--list", "--request-timeout=5s"]);
        if let Some(config) = config {
            command.arg("--kubeconfig").arg(config);
        }
        if let Some(context) = context {
            command.args(["--context", context]);
        }
        command.output().unwrap();
        let asked = self.recorder.take();
        // Google's kubectl asks for the version first, to start the kubectl of that version.
        let asked = asked.iter().find(|asked| asked.path.contains("selfsubjectrulesreviews"));
        let Some(asked) = asked else { return REFUSED.to_owned() };
        let words = asked.body.split(|b| !b.is_ascii_alphanumeric() && *b != b'-');
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        let namespace = String::from_utf8_lossy(words.last().copied().unwrap_or_default()).into_owned();
        summary(asked, "/apis/authorization.k8s.io/", &namespace)
    }

    async fn clusterlore(
        &self,
        variables: &[(&str, String)],
        kubeconfig: Option<PathBuf>,
        context: Option<&str>,
    ) -> (String, String) {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
        let options = LiveOptions {
            kubeconfig,
            context: context.map(str::to_owned),
            environment: Environment::read(variable),
            request_timeout: Duration::from_secs(5),
            retry: RetryPolicy { base: Duration::from_millis(1), ..RetryPolicy::default() },
            ..LiveOptions::default()
        };
        let source = match LiveSource::connect(options).await {
            Ok(source) => source,
            Err(error) => return (REFUSED.to_owned(), error.to_string()),
        };
        let said = source.identity().await.err().map(|error| error.to_string()).unwrap_or_default();
        let namespace = source.default_namespace().to_owned();
        let sent = self.recorder.take().first().map(|asked| summary(asked, "/api/v1/", &namespace));
        (sent.unwrap_or_else(|| REFUSED.to_owned()), said)
    }
}

fn base64(text: &str) -> String {
    use std::io::Write;
    let mut openssl =
        Command::new("openssl").args(["base64", "-A"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    openssl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap()
}

fn summary(asked: &Asked, api: &str, namespace: &str) -> String {
    let mut words = vec![asked.way.clone(), if asked.tls { "https" } else { "http" }.to_owned()];
    let before = asked.path.split(api).next().unwrap_or_default();
    words.extend((!before.is_empty()).then(|| before.to_owned()));
    words.extend(asked.header("authorization").into_iter().map(str::to_owned));
    let mut who: Vec<String> = Vec::new();
    for name in ["impersonate-user", "impersonate-uid", "impersonate-group"] {
        who.extend(asked.header(name).into_iter().map(str::to_owned));
    }
    for (name, value) in &asked.headers {
        who.extend(name.strip_prefix("impersonate-extra-").map(|key| format!("{key}={value}")));
    }
    words.extend((!who.is_empty()).then(|| format!("as {}", who.join(" "))));
    words.extend(asked.certificate.then(|| "with a certificate".to_owned()));
    words.push(format!("in {namespace}"));
    words.join(" ")
}

/// A few threads of tries; each has listeners of its own.
fn compare(tries: Vec<Try>) {
    const THREADS: usize = 4;
    let kubectl = kubectl();
    let (tries, wrong) = (Mutex::new(tries), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let bench = Bench::new(kubectl.clone());
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                loop {
                    let next = tries.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(case) = next else { break };
                    let found = runtime.block_on(bench.run(&case));
                    wrong.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_and_contexts_are_found_and_merged_as_by_kubectl() {
    compare(files_and_contexts());
}

#[test]
fn all_forms_of_text_are_read_as_by_kubectl() {
    compare(forms());
}

#[test]
fn credentials_are_used_as_by_kubectl() {
    compare(users());
}

#[test]
fn servers_are_reached_as_by_kubectl() {
    compare(servers());
}

#[test]
fn proxies_are_taken_as_by_kubectl() {
    compare(proxies());
}
