//! `ask --model` as a user meets it, against a stand-in for both APIs whose model says what a script says.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use clusterlore_testkit::chat::{FakeChat, Says, results};
use clusterlore_testkit::real::ApiServer;
use clusterlore_testkit::service::BREAK_AFTER;
use common::{EXAMPLES, Home, Ran};
use serde_json::{Value, json};

const SECRET: &str = "sk-never-shown";

/// The example company, read from manifests.
fn company() -> Home {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    home
}

/// The two ways to name the stand-in.
fn models(server: &FakeChat) -> [String; 2] {
    ["anthropic:claude-haiku-5-5".to_owned(), format!("openai:qwen3@{}", server.url())]
}

fn ask(home: &Home, server: &FakeChat, model: &str, args: &[&str]) -> Ran {
    let mut command = home.command(&[&["ask", "--model", model], args].concat());
    command.env("ANTHROPIC_API_KEY", SECRET).env("ANTHROPIC_BASE_URL", server.base()).env("OPENAI_API_KEY", SECRET);
    let ran = Ran::of(command.output().unwrap());
    assert!(!format!("{ran:?}").contains(SECRET), "{ran:?}");
    ran
}

fn search(query: &str, collection: &str) -> Says {
    Says::text("I search the index.").and_call("vector_search", json!({"query": query, "collection": collection}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_with_what_was_seen() {
    let home = company();
    let server = FakeChat::start([]).await;
    for (name, model) in ["anthropic", "openai"].iter().zip(models(&server)) {
        server.says([
            search("relational databases", "instances"),
            Says::text(
                "The ticket database runs in datastores [datastores/postgresql.cnpg.io/v1/Cluster/workorders].\n\nA second one is \
                 healthy. It is [datastores/apps/v1/StatefulSet/ghost]. Which one do you mean?",
            ),
        ]);
        let ran = ask(&home, &server, &model, &["what", "relational databases are there?"]).ok();
        insta::assert_snapshot!(format!("model-{name}"), home.stable(&format!("{}---\n{}", ran.out, ran.err)));
        let asked = server.asked();
        assert_eq!(asked.len(), 2);
        assert!(results(&asked[1])[0].contains("Found 4 results"), "{:?}", results(&asked[1]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_answer_steps_citations_and_cost() {
    let home = company();
    let server = FakeChat::start([]).await;
    server.says([
        search("message brokers", "instances")
            .and_call("count", json!({"collection": "instances", "kind": "Deployment"})),
        Says::text("There are many [count]."),
    ]);
    let [anthropic, _] = models(&server);
    let ran = ask(&home, &server, &anthropic, &["how many?", "-o", "json"]).ok();
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&told["answer"], &told["ended"]), (&json!("There are many [count]."), &json!("whole")));
    assert_eq!(told["citations"], json!([{"id": "count", "seen": true}]));
    assert_eq!(told["unsourced"], json!([]));
    let tools: Vec<&Value> = told["steps"].as_array().unwrap().iter().map(|step| &step["tool"]).collect();
    assert_eq!(tools, ["vector_search", "count"]);
    assert_eq!(told["used"]["steps"], 2);
    assert_eq!((&told["used"]["inputTokens"], &told["used"]["outputTokens"]), (&json!(2_000), &json!(100)));
    assert!(told["used"]["cost"].as_f64().unwrap() > 0.0);
}

/// Where the last piece of a text begins.
fn last_piece(body: &str) -> usize {
    body.rfind("text_delta").or(body.rfind("\"content\":\"")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_the_middle_leaves_what_was_said() {
    let home = company();
    let server = FakeChat::start([]).await;
    for model in models(&server) {
        let said = Says::text("The database is tickets-db and it is");
        server.script(move |n, body| {
            let whole = FakeChat::said(&said, n, body);
            Some((BREAK_AFTER, None, whole[..last_piece(&whole)].to_owned()))
        });
        let ran = ask(&home, &server, &model, &["what databases are there?"]);
        let error = ran.error();
        assert!(error.contains("did not answer to the end") && error.contains("later"), "{error}");
        assert!(ran.out.starts_with("The database is tickets-db"), "{}", ran.out);
        assert!(ran.err.contains("The answer is not whole"), "{}", ran.err);
    }
}

/// A question, what the model calls, the object that the answer is about, and what a tool must have said of it.
type Case = (&'static str, &'static str, Value, &'static str, &'static str);

fn found(question: &'static str, query: &str, id: &'static str) -> Case {
    (question, "vector_search", json!({"query": query, "collection": "instances", "nResults": 3}), id, id)
}

fn typed(question: &'static str, query: &str, id: &'static str) -> Case {
    (question, "vector_search", json!({"query": query, "collection": "capabilities"}), id, id)
}

/// On the example company.
fn of_company() -> Vec<Case> {
    let filtered = json!({"collection": "instances", "kind": "CronJob", "namespace": "fares"});
    let keyword = json!({"collection": "instances", "keyword": "turnstile"});
    let by_group = json!({"collection": "instances", "apiGroup": "postgresql.cnpg.io"});
    let counted = json!({"collection": "instances", "kind": "deployments", "group_by": "namespace"});
    vec![
        found(
            "which message brokers are there?",
            "message brokers",
            "datastores/kafka.strimzi.io/v1beta2/Kafka/rope-drive",
        ),
        found(
            "what stops a chairlift in a storm?",
            "what stops a chairlift in a storm",
            "liftops/apps/v1/Deployment/wind-warden",
        ),
        found("who sells tickets?", "who sells tickets", "fares/apps/v1/Deployment/marmot"),
        found("what do we use for backups?", "backups", "platform/apps/v1/Deployment/velero"),
        found("is there a cache?", "cache", "datastores/apps/v1/StatefulSet/icebox"),
        found("what watches the metrics?", "monitoring", "observability/apps/v1/StatefulSet/prometheus-main"),
        typed("what could I use for a certificate?", "certificate", "certificates.cert-manager.io"),
        typed("what could I use for a database?", "database", "clusters.postgresql.cnpg.io"),
        (
            "what runs at night in fares?",
            "vector_search",
            filtered,
            "fares/batch/v1/CronJob/nightly-settlement",
            "nightly-settlement",
        ),
        (
            "which turnstiles are there?",
            "vector_search",
            keyword,
            "fares/apps/v1/Deployment/turnstile-api",
            "turnstile-api",
        ),
        (
            "which Postgres clusters are there?",
            "vector_search",
            by_group,
            "datastores/postgresql.cnpg.io/v1/Cluster/ledger",
            "ledger",
        ),
        ("how many deployments per namespace?", "count", counted, "count", "fares: "),
    ]
}

/// On a real API server whose objects fail.
fn of_ward() -> Vec<Case> {
    let get = |resource: &str| json!({"resource": resource, "namespace": "ward"});
    let describe = |resource: &str, name: &str| json!({"resource": resource, "namespace": "ward", "name": name});
    vec![
        ("which deployments are not ready?", "kubectl_get", get("deploy"), "ward/apps/v1/Deployment/crash", "crash"),
        (
            "is healthy ready?",
            "kubectl_describe",
            describe("deployment", "healthy"),
            "ward/apps/v1/Deployment/healthy",
            "readyReplicas",
        ),
        (
            "what does lonely select?",
            "kubectl_describe",
            describe("svc", "lonely"),
            "ward/v1/Service/lonely",
            "app: lonly",
        ),
        ("which claims are bound?", "kubectl_get", get("pvc"), "ward/v1/PersistentVolumeClaim/bound", "STATUS"),
        ("is there a quota?", "kubectl_get", get("quota"), "kubectl_get", "No resources found"),
        (
            "what is in robot-account?",
            "kubectl_describe",
            describe("secret", "robot-account"),
            "ward/v1/Secret/robot-account",
            "********",
        ),
        (
            "which namespaces are there?",
            "kubectl_get",
            json!({"resource": "namespaces"}),
            "_cluster/v1/Namespace/ward",
            "Active",
        ),
        (
            "why does ghost fail?",
            "kubectl_describe",
            describe("deploy", "ghost"),
            "",
            "NotFound: there is no deployments.apps \"ghost\"",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_cluster_that_filled_the_index_is_read() {
    let (Some(filled), Some(other)) = (ApiServer::start_or_skip(), ApiServer::start_or_skip()) else { return };
    let server = FakeChat::start([]).await;
    let [model, _] = models(&server);
    let home = Home::new();
    let config = filled.kubeconfig("admin");
    let config = ["--kubeconfig", config.to_str().unwrap()];
    home.run(&[&["index", "--cluster-name", "east"][..], &config].concat()).ok();
    let script = || {
        let get = Says::call("kubectl_get", json!({"resource": "ns", "name": "default"}));
        [get, Says::text("There is one [east:_cluster/v1/Namespace/default].")]
    };
    // By the name that it has in the index, so that what is found and what is read are the same object.
    server.says(script());
    let told: Value =
        serde_json::from_str(&ask(&home, &server, &model, &[&config[..], &["-o", "json", "what?"]].concat()).ok().out)
            .unwrap();
    assert_eq!(told["citations"], json!([{"id": "east:_cluster/v1/Namespace/default", "seen": true}]), "{told}");

    let another = other.kubeconfig("admin");
    for (args, why) in [
        (vec!["--kubeconfig", another.to_str().unwrap()], "The cluster cannot be read"),
        (vec!["--kubeconfig", "none"], "The cluster cannot be read"),
    ] {
        server.says(script());
        let ran = ask(&home, &server, &model, &[&args[..], &["what?"]].concat()).ok();
        let told = results(server.asked().last().unwrap());
        assert!(told[0].contains(why), "{told:?}");
        assert!(ran.out.contains("Not seen: [east:_cluster/v1/Namespace/default]"), "{}", ran.out);
    }
    // Without the index there is nothing to mix.
    server.says([
        Says::call("kubectl_get", json!({"resource": "ns", "name": "default"})),
        Says::text("Yes [_cluster/v1/Namespace/default]."),
    ]);
    let args = ["--kubeconfig", another.to_str().unwrap(), "--tools", "kubectl", "what?"];
    let ran = ask(&home, &server, &model, &args).ok();
    assert!(!ran.out.contains("Not seen"), "{}", ran.out);
}

/// Runs them, by turns through either API, and says what is wrong.
fn answered(home: &Home, server: &FakeChat, cases: &[Case], args: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, (question, tool, input, id, shown)) in cases.iter().enumerate() {
        let answer = match *id {
            "" => "I could not find it.".to_owned(),
            id => format!("It is running, as I found [{id}]."),
        };
        server.says([Says::text("I look.").and_call(tool, input.clone()), Says::text(answer.clone())]);
        let ran = ask(home, server, &models(server)[number % 2], &[args, &["-o", "json", question]].concat());
        let told: Value = serde_json::from_str(&ran.out).unwrap_or_default();
        let expected = if id.is_empty() { json!([]) } else { json!([{"id": id, "seen": true}]) };
        let said = results(server.asked().last().unwrap()).concat();
        if told["citations"] != expected || told["answer"] != json!(answer) || !said.contains(shown) || ran.status != 0
        {
            wrong.push(format!("{question}: {} {}\n{said}\n{}", ran.status, told["citations"], ran.err));
        }
        if told["unsourced"] != json!([]) {
            wrong.push(format!("{question}: {}", told["unsourced"]));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_questions_are_answered_with_citations() {
    assert_eq!(of_company().len() + of_ward().len(), 20);
    let server = FakeChat::start([]).await;
    let mut wrong = answered(&company(), &server, &of_company(), &[]);
    if let Some(cluster) = ApiServer::start_or_skip() {
        cluster.create_failures();
        let home = Home::new();
        let config = cluster.kubeconfig("admin");
        let config = ["--kubeconfig", config.to_str().unwrap()];
        home.run(&[&["index"][..], &config].concat()).ok();
        wrong.extend(answered(&home, &server, &of_ward(), &config));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_wrong_is_told_so_and_can_be_mended() {
    let home = company();
    let server = FakeChat::start([]).await;
    let wrong = [
        ("vector_search", json!({"query": "x"}), "missing field `collection`"),
        ("vector_search", json!({"collection": "instances"}), "give at least one of query, keyword and a filter"),
        ("vector_search", json!({"collection": "pods", "query": "x"}), "unknown variant `pods`"),
        ("vector_search", json!({"collection": "instances", "query": "x", "limit": 3}), "unknown field `limit`"),
        ("vector_search", json!({"collection": "instances", "kind": "Deploymint"}), "Deploymint"),
        (
            "vector_search",
            json!({"collection": "capabilities", "query": "x", "complexity": "hard"}),
            "expected low, medium or high",
        ),
        ("vector_search", json!({"collection": "instances", "apiGroup": "no.such"}), "no such type of API group"),
        ("vector_search", json!("{\"query\": "), "not a JSON object"),
        ("count", json!({"collection": "instances", "group_by": "colour"}), "cannot be grouped by"),
        ("kubectl_get", json!({"resource": "pods"}), "The cluster cannot be read: the index was filled from manifests"),
        ("kubectl_get", json!({"resource": "--all"}), "expected a name, not a flag"),
        (
            "kubectl_logs",
            json!({"pod": "x", "namespace": "y", "args": ["--kubeconfig=/x"]}),
            "--kubeconfig is not taken",
        ),
        ("kubectl_apply", json!({"manifest": "x"}), "There is no tool"),
        ("rm", json!({}), "expected one of vector_search, count, kubectl_get, kubectl_describe, kubectl_logs"),
    ];
    for model in models(&server) {
        let calls = wrong.iter().fold(Says::default(), |says, (name, input, _)| says.and_call(name, input.clone()));
        server.says([calls, search("cache", "instances"), Says::text("Yes [datastores/apps/v1/StatefulSet/icebox].")]);
        let ran = ask(&home, &server, &model, &["is there a cache?"]).ok();
        assert!(ran.out.ends_with("[datastores/apps/v1/StatefulSet/icebox].\n"), "{}", ran.out);
        let told = results(&server.asked()[1]);
        for (result, (tool, input, said)) in told.iter().zip(&wrong) {
            assert!(result.contains(said), "{tool} {input}: {result}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_end_an_answer_and_are_never_passed() {
    let home = company();
    let server = FakeChat::start([]).await;
    let [model, local] = models(&server);
    // A model that never comes to an end is asked for one at last, and has no tools then.
    server.says([search("cache", "instances")]);
    let ran = ask(&home, &server, &model, &["--max-steps", "3", "is there a cache?"]);
    assert_eq!(ran.status, 3, "{}", ran.err);
    assert!(ran.err.contains("the limit of 3 steps is reached"), "{}", ran.err);
    let choices: Vec<Value> = server.asked().iter().map(|asked| asked.body["tool_choice"]["type"].clone()).collect();
    assert_eq!(choices, [Value::Null, Value::Null, json!("none")]);

    for (args, limit) in [(["--max-tokens", "1000"], "1000 tokens"), (["--max-cost", "0.0001"], "$0.0001")] {
        let ran = ask(&home, &server, &model, &[&args[..], &["is there a cache?"]].concat());
        assert_eq!(ran.status, 3, "{}", ran.err);
        assert!(ran.err.contains(&format!("There is no answer: the limit of {limit} is reached")), "{}", ran.err);
        assert!(server.asked().is_empty());
    }
    // Without a price nobody can say what a limit of cost allows.
    let ran = ask(&home, &server, &local, &["--max-cost", "1", "is there a cache?"]);
    assert!(ran.status == 2 && ran.err.contains("--max-cost needs a price"), "{}", ran.err);
    server.says([Says::text("No.")]);
    let ran = ask(&home, &server, &local, &["--max-cost", "1", "--price", "10,20", "is there a cache?"]).ok();
    assert!(ran.err.contains("1 turn, 1000 tokens read, 50 said, $0.0110."), "{}", ran.err);
    assert!(!ran.err.contains("In all"), "{}", ran.err);

    // In a conversation limits hold for all questions. What is used of them is told, and that one ended it is seen in the status.
    server.asked();
    server.says([Says::text("No.")]);
    let file = home.write("lines", "is there a cache?\nis there a queue?\n");
    let mut command = home.command(&["ask", "-i", "--model", &local, "--max-cost", "0.05", "--price", "10,20"]);
    let ran = Ran::of(command.stdin(std::fs::File::open(file).unwrap()).output().unwrap());
    assert_eq!((ran.status, server.asked().len()), (3, 1), "{}", ran.err);
    for told in ["In all: 1050 of 500000 tokens, $0.0110 of $0.05.", "the limit of $0.05 is reached: $0.0110 is used"] {
        assert!(ran.err.contains(told), "{}", ran.err);
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_loses_no_turn() {
    let home = company();
    let server = FakeChat::start([]).await;
    let [model, _] = models(&server);
    let lines: String = (0..20_000).map(|n| format!("Line {n} of this.\n")).collect();
    server.says([Says::text(&lines)]);
    let piped = |args: &[&str]| {
        let mut command = home.command(&[&["ask", "--thread", "on-call"], args].concat());
        command.env("ANTHROPIC_API_KEY", SECRET).env("ANTHROPIC_BASE_URL", server.base());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        drop(child.stdout.take());
        assert!(child.wait().unwrap().success());
    };
    piped(&["--model", &model, "what is there?"]);
    piped(&["which caches are there?"]);
    let threads = home.run(&["threads", "-o", "json"]).ok().out;
    let threads: Value = serde_json::from_str(&threads).unwrap();
    assert_eq!(threads[0]["turns"], json!(2), "{threads}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_unless_the_command_line_says_so() {
    let home = company();
    let server = FakeChat::start([Says::text("Yes.")]).await;
    // A model that is set for sync is not asked.
    let mut command = home.command(&["ask", "is there a cache?"]);
    command.env("CLUSTERLORE_MODEL", &models(&server)[1]).env("OPENAI_API_KEY", SECRET);
    let ran = Ran::of(command.output().unwrap()).ok();
    assert!(ran.out.contains("icebox") && server.asked().is_empty(), "{ran:?}");

    let usage = |args: &[&str]| {
        let ran = home.run(&[&["ask"], args, &["is there a cache?"]].concat());
        assert!(ran.status == 2 && server.asked().is_empty(), "{ran:?}");
        ran.err
    };
    let model = models(&server)[1].clone();
    let unknown = usage(&["--model", &model, "--tools", "kubectl,shell"]);
    assert!(unknown.contains("Unknown tool group: \"shell\". Valid groups: kubectl, vector, apply"), "{unknown}");
    assert!(usage(&["--tools", "kubectl"]).contains("--model"));
    assert!(usage(&["--model", "gpt"]).contains("expected anthropic, anthropic:MODEL or openai:MODEL@URL"));
    let live = usage(&["--model", &model, "--tools", "kubectl", "--live", "never"]);
    assert!(live.contains("--live never leaves the cluster alone"), "{live}");
    let ran = home.run(&["ask", "--model", "anthropic", "is there a cache?"]);
    assert!(ran.error().contains("set ANTHROPIC_API_KEY"), "{}", ran.err);
    assert!(home.run(&["ask", "--model", &model, " "]).error().contains("the question is empty"));

    // Who leaves the cluster alone has tools over the index only.
    ask(&home, &server, &model, &["--live", "never", "is there a cache?"]).ok();
    let tools = server.asked()[0].body["tools"].clone();
    let names: Vec<&Value> = tools.as_array().unwrap().iter().map(|tool| &tool["function"]["name"]).collect();
    assert_eq!(names, ["vector_search", "count"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_says_reaches_no_terminal_as_it_came() {
    let home = company();
    let server = FakeChat::start([]).await;
    let said = "It is \u{1b}[31mred\u{1b}[0m\u{202e}x\u{7}\r\nand has postgres://me:s3cret@db/x as well.";
    for model in models(&server) {
        server.says([Says::text(said)]);
        let ran = ask(&home, &server, &model, &["what?"]).ok();
        assert!(
            ran.out
                .starts_with("It is \\u{1b}[31mred\\u{1b}[0m\\u{202e}x\\u{7}\\r\nand has postgres://…@db/x as well.\n"),
            "{}",
            ran.out
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_is_answered_again_without_a_model() {
    let home = company();
    let server = FakeChat::start([]).await;
    for model in models(&server) {
        server.says([search("cache", "instances"), Says::text("Yes [datastores/apps/v1/StatefulSet/icebox].")]);
        let first = ask(&home, &server, &model, &["--record", "talk.jsonl", "is there a cache?"]).ok();
        server.asked();
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&home.path("talk.jsonl").metadata().unwrap().permissions()) & 0o777,
            0o600
        );
        // The recording says which model it is of.
        let again =
            home.run(&["ask", "--replay", "talk.jsonl", "--max-cost", "9", "--price", "1,1", "is there a cache?"]);
        assert_eq!(again.ok().out, first.out);
        let again = home.run(&["ask", "--model", &model, "--replay", "talk.jsonl", "is there a cache?"]).ok();
        assert_eq!(again.out, first.out);
        assert!(server.asked().is_empty() && !again.err.contains(" go to "), "{}", again.err);
        let other = home.run(&["ask", "--model", &model, "--replay", "talk.jsonl", "is there a queue?"]);
        assert!(other.error().contains("answers another question"), "{}", other.err);
    }
    for flags in [["--tools", "vector"], ["--max-cost", "1"], ["--price", "1,1"], ["--allow", "secrets"]] {
        let ran = home.run(&[&["ask", "is there a cache?"], &flags[..]].concat());
        assert_eq!(ran.status, 2, "{}", ran.err);
        assert!(ran.err.contains(&format!("{} is for a language model", flags[0])), "{}", ran.err);
    }
    home.write("broken.jsonl", "x");
    let broken = home.run(&["ask", "--replay", "broken.jsonl", "is there a cache?"]);
    assert!(broken.error().contains("line 1 of the recording"), "{}", broken.err);
    let missing = home.run(&["ask", "--replay", "none.jsonl", "is there a cache?"]);
    assert!(missing.error().contains("none.jsonl cannot be replayed"), "{}", missing.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_goes_on_with_what_was_said_and_keeps_nothing_that_was_seen() {
    let home = company();
    let server = FakeChat::start([]).await;
    let [model, other] = models(&server);
    let args = |question| ["--thread", "on-call", question];
    server.says([search("cache", "instances"), Says::text("Yes [datastores/apps/v1/StatefulSet/icebox].")]);
    ask(&home, &server, &model, &args("is there a cache?")).ok();
    // Another model may go on. What was seen before may still be cited.
    server.says([Says::text("It keeps sessions [datastores/apps/v1/StatefulSet/icebox].")]);
    let second = ask(&home, &server, &other, &args("what for?")).ok();
    assert!(!second.out.contains("Not seen"), "{}", second.out);
    let asked = server.asked().remove(0).body;
    let said: Vec<&str> =
        asked["messages"].as_array().unwrap()[1..].iter().map(|m| m["content"].as_str().unwrap()).collect();
    let [first, _, seen, answer, again] = said[..] else { panic!("{said:?}") };
    assert_eq!((first, again), ("is there a cache?", "what for?"));
    assert!(seen.contains("is not kept") && !seen.contains("icebox"), "{said:?}");
    assert!(
        answer.contains("is not kept. It cited, in this order: [datastores/apps/v1/StatefulSet/icebox]"),
        "{said:?}"
    );
    // Without a model the thread goes on from what the answer cited.
    let third = home.run(&["ask", "--thread", "on-call", "in which namespace is it?"]).ok();
    assert!(third.out.contains("icebox"), "{}", third.out);
    let listed = home.run(&["threads", "-o", "json"]).ok();
    assert_eq!(serde_json::from_str::<Value>(&listed.out).unwrap()[0]["turns"], 3, "{}", listed.out);
    // An answer that is not whole is none to go on from.
    let ran = ask(&home, &server, &model, &["--thread", "on-call", "--max-tokens", "10", "and now?"]);
    assert_eq!(ran.status, 3);
    assert!(home.run(&["threads"]).ok().out.contains('3'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_until_something_new_begins() {
    let home = company();
    let server = FakeChat::start([]).await;
    let [model, _] = models(&server);
    server.says([
        search("cache", "instances"),
        Says::text("One [datastores/apps/v1/StatefulSet/icebox]."),
        Says::text("It keeps sessions [datastores/apps/v1/StatefulSet/icebox]."),
        Says::text("I saw nothing yet."),
    ]);
    let mut command = home.command(&["ask", "-i", "-o", "json", "--max-tokens", "200000", "--model", &model]);
    command.env("ANTHROPIC_API_KEY", SECRET).env("ANTHROPIC_BASE_URL", server.base()).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = "is there a cache?\nwhat for?\n/why\n/nonsense\n/new\nand now?\n/quit\nnever asked\n";
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    // Two lines were commands that there are not.
    assert_eq!(ran.status, 3, "{ran:?}");
    assert!(ran.err.contains("there is no /why") && ran.err.contains("is no command here"), "{}", ran.err);
    let documents: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let questions: Vec<&str> = documents.iter().map(|d| d["question"].as_str().unwrap()).collect();
    assert_eq!(questions, ["is there a cache?", "what for?", "/why", "/nonsense", "and now?"]);
    // What was seen before is a source for what is said later.
    assert_eq!(documents[1]["citations"][0]["seen"], json!(true), "{}", ran.out);
    let asked = server.asked();
    let said = |n: usize| asked[n].body["messages"].as_array().unwrap().len();
    assert_eq!((asked.len(), said(0), said(2), said(3)), (4, 1, 5, 1));
    let ran = ask(&home, &server, &model, &["-i", "--tools", "apply"]);
    assert!(ran.status == 2 && ran.err.contains("-i does not take --tools apply"), "{}", ran.err);
}

#[test]
fn ctrl_c_leaves_what_was_said_and_says_so() {
    let home = company();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1 << 16];
        let _ = stream.read(&mut request);
        let event =
            json!({"choices": [{"delta": {"content": "The broker is rope-drive and it"}, "finish_reason": null}]});
        write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\ndata: {event}\n\n").unwrap();
        stream.flush().unwrap();
        // Until the program goes away.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let model = format!("openai:m@http://{address}/v1");
    let mut child = home.command(&["ask", "--model", &model, "which", "brokers?"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut said = vec![0; "The broker is rope-drive and ".len()];
    out.read_exact(&mut said).unwrap();
    assert_eq!(String::from_utf8(said).unwrap(), "The broker is rope-drive and ");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{err}");
    assert!(err.contains("Stopped by SIGINT: the answer is not whole"), "{err}");
    out.read_line(&mut String::new()).unwrap();
    server.join().unwrap();
}
