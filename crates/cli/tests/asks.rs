//! Counting, grouping, ages, misspelt words, other languages and likeness, as a user meets them.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;

use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_testkit::fake::FakeApiServer;
use common::{EXAMPLES, Home};
use serde_json::Value;

fn home() -> Home {
    let home = Home::new();
    home.sync_from(EXAMPLES.as_ref()).ok();
    home
}

fn json(home: &Home, args: &[&str]) -> Value {
    serde_json::from_str(&home.run(&[args, &["-o", "json"]].concat()).ok().out).unwrap()
}

#[test]
fn a_scope_is_counted_exactly() {
    let home = home();
    let pods = home.run(&["search", "pods in fares", "-o", "name", "--limit", "1000"]).ok().out.lines().count();
    for args in [
        &["count", "--kind", "pod", "-n", "fares"][..],
        &["count", "pods", "in", "fares"],
        &["count", "how many pods are in the fares namespace?"],
        &["search", "--count", "--kind", "pod", "-n", "fares"],
        &["search", "--count", "pods in fares"],
    ] {
        assert_eq!(json(&home, args)["total"], pods, "{args:?}");
    }
    assert_eq!(home.run(&["count", "--kind", "pod", "-n", "fares", "-o", "name"]).ok().out, format!("{pods}\n"));
    let nowhere = home.run(&["count", "-n", "nowhere", "-o", "json"]);
    assert!(nowhere.status == 1 && nowhere.out.contains("\"total\": 0"), "{nowhere:?}");
}

#[test]
fn what_people_type_of_kubectl_is_read_as_kubectl_reads_it() {
    let home = home();
    let names = |args: &[&str]| home.run(&[args, &["-o", "id"]].concat()).ok().out;
    let pods = names(&["search", "everything", "--kind", "pod", "-n", "fares", "--limit", "100"]);
    assert_eq!(pods.lines().count(), 2);
    for question in
        ["get pods -n fares", "pods --namespace=fares", "kubectl -n fares get po -o wide", "pods in namespace fares"]
    {
        let found = names(&["search", question, "--limit", "100"]);
        assert_eq!(found.lines().collect::<BTreeSet<_>>(), pods.lines().collect::<BTreeSet<_>>(), "{question}");
        assert_eq!(json(&home, &["count", question])["total"], 2, "{question}");
    }
    let nowhere = home.run(&["search", "kubectl get pods -n nosuch"]).ok().err;
    assert!(nowhere.contains("there is no namespace \"nosuch\""), "{nowhere}");
    let moons = home.run(&["search", "kubectl get moons"]).ok().err;
    assert!(moons.contains("no resource type is called \"moons\""), "{moons}");
    // kubectl prints the one and takes both.
    let similar = |of: &str| names(&["similar", of, "-n", "fares"]);
    assert_eq!(similar("deployment.apps/turnstile-api"), similar("deploy/turnstile-api"));
    assert_eq!(
        json(&home, &["count", "--kind", "deployments.v1.apps"]),
        json(&home, &["count", "--kind", "deployments"])
    );
}

#[test]
fn words_that_ask_for_nothing_are_no_question() {
    let home = home();
    for args in [
        ["search", "the of and"],
        ["search", "AND AND"],
        ["search", "a"],
        ["count", "the of and"],
        ["search", "???"],
        ["count", "???"],
    ] {
        let ran = home.run(&args);
        assert!(ran.status != 0 && ran.err.contains("the question is empty"), "{args:?}: {}", ran.err);
    }
    assert_eq!(
        home.run(&["search", "ｐｏｓｔｇｒｅｓ", "-o", "id"]).ok().out,
        home.run(&["search", "postgres", "-o", "id"]).ok().out
    );
}

#[test]
fn what_is_not_where_it_was_said_to_be_is_told() {
    let home = home();
    let ran = home.run(&["search", "why is turnstile-api in the liftops namespace slow?"]).ok();
    assert!(ran.err.contains("turnstile-api is not in namespace liftops; it is in fares."), "{}", ran.err);
    assert!(ran.out.lines().nth(1).is_some_and(|first| first.contains("turnstile-api")), "{}", ran.out);
    let reply = json(&home, &["search", "postgres in production-9", "--explain"]);
    assert!(reply["problems"].as_array().is_some_and(Vec::is_empty), "{reply}");
    let reply = json(&home, &["search", "turnstile-api in the liftops namespace"]);
    let types: Vec<&str> = reply["notes"].as_array().unwrap().iter().filter_map(|n| n["type"].as_str()).collect();
    assert!(types.contains(&"elsewhere") && types.contains(&"named"), "{types:?}");
}

#[test]
fn groups_add_up_and_stand_in_order() {
    let home = home();
    for by in ["kind", "namespace", "owner", "cluster", "label:team", "label:nobody-has-this"] {
        let count = json(&home, &["count", "--group-by", by]);
        let groups = count["groups"].as_array().unwrap();
        let numbers: Vec<u64> = groups.iter().map(|g| g["count"].as_u64().unwrap()).collect();
        assert_eq!(count["total"], numbers.iter().sum::<u64>(), "{by}");
        assert!(numbers.is_sorted_by(|a, b| a >= b), "{by}: {numbers:?}");
    }
    let owners = json(&home, &["count", "--kind", "pod", "--group-by", "owner"]);
    assert_eq!(owners["groups"][0]["name"], "Deployment/marmot", "the topmost: {owners}");
    let names = home.run(&["search", "--kind", "namespace", "--group-by", "label:team", "-o", "name"]).ok().out;
    assert_eq!(names.lines().next(), Some("platform"));
}

#[test]
fn a_question_for_a_number_is_answered_with_one_and_then_with_hits() {
    let home = home();
    let team = home.run(&["count", "relational databases per team", "-o", "name"]).ok().out;
    assert_eq!(team, "fares\nlifts\nplatform\n");
    // Whose hits are the ones that it counts, and their services.
    let reply = json(&home, &["search", "how many relational databases are there?"]);
    assert_eq!((&reply["number"], reply["hits"].as_array().unwrap().len()), (&3.into(), 4), "{reply}");
}

#[test]
fn misspelt_words_are_corrected_and_that_is_said() {
    let home = home();
    let mut told = String::new();
    for (question, first) in [
        ("statfulsets in datastores", "datastores/apps/v1/StatefulSet/"),
        ("databases in the datstores namespace", "datastores/postgresql.cnpg.io/v1/Cluster/"),
        ("postgress", "datastores/postgresql.cnpg.io/v1/Cluster/"),
        ("messgae broker", "datastores/apps/v1/StatefulSet/sherpa"),
        // No object has the label as it was typed, and only one value is near.
        ("tier=dtaa databases", "datastores/postgresql.cnpg.io/v1/Cluster/"),
        ("wind-wraden", "liftops/apps/v1/Deployment/wind-warden"),
    ] {
        let ran = home.run(&["search", question, "-o", "id"]).ok();
        assert!(ran.out.starts_with(first), "{question}: {}", ran.out);
        told.push_str(&format!("{question}\n  {}", ran.err));
    }
    insta::assert_snapshot!("misspelt", told);
    for question in ["relational databases", "rope-drive", "who sends the invoices", "tier=prod-7 caches", "ledgerdb"] {
        let ran = home.run(&["search", question, "-o", "id"]).ok();
        assert_eq!(ran.err, "", "{question}");
    }
}

#[test]
fn other_languages_are_answered_by_names_and_that_is_said() {
    let home = home();
    let mut told = String::new();
    for question in [
        "welche relationalen Datenbanken gibt es im namespace datastores?",
        "quelles bases relationnelles sont dans le namespace datastores ?",
        "¿qué bases de datos relacionales hay en el namespace datastores?",
        "quais bancos de dados relacionais existem no namespace datastores?",
        "datastores 命名空间有哪些关系型数据库",
    ] {
        let ran = home.run(&["search", question, "-o", "id"]).ok();
        told.push_str(&format!("{question}\n  {}", ran.err));
        let ids: Vec<&str> = ran.out.lines().collect();
        assert!(ids.iter().take(3).any(|id| id.ends_with("Cluster/ledger")), "{question}: {ids:?}");
        assert!(ids.iter().all(|id| id.starts_with("datastores/")), "{question}: {ids:?}");
    }
    insta::assert_snapshot!("languages", told);
}

#[test]
fn more_like_this_one() {
    let home = home();
    let ids = |args: &[&str]| {
        let ran = home.run(&[&["similar", "-o", "id"], args].concat()).ok();
        ran.out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let like = ids(&["datastores/apps/v1/StatefulSet/granite", "--limit", "4"]);
    assert_eq!(like.len(), 4);
    assert!(like.iter().any(|id| id.ends_with("Cluster/ledger")), "another relational database: {like:?}");
    assert!(!like.contains(&"datastores/apps/v1/StatefulSet/granite".to_owned()));
    assert_eq!(ids(&["sts/granite", "-n", "datastores", "--limit", "4"]), like);
    let sets = ids(&["sts/granite", "--kind", "sts"]);
    assert!(!sets.is_empty() && sets.iter().all(|id| id.contains("/StatefulSet/")), "{sets:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ages_and_their_order() {
    let (home, server) = (Home::new(), FakeApiServer::start().await);
    let deployments = ResourceType {
        group: "apps".into(),
        version: "v1".into(),
        kind: "Deployment".into(),
        plural: "deployments".into(),
        namespaced: true,
        ..ResourceType::default()
    };
    server.add_type(deployments);
    let hours_ago = |hours: i64| {
        let then = jiff::Timestamp::now().as_second() - hours * 3600;
        jiff::Timestamp::from_second(then).unwrap().to_string()
    };
    for (name, hours) in [("ancient", 24 * 400), ("old", 24 * 40), ("young", 24 * 3), ("fresh", 1)] {
        let mut object = ResourceInstance::new("apps/v1", "Deployment", Some("default"), name).unwrap();
        object.created_at = hours_ago(hours);
        server.put(object);
    }
    home.run(&["sync-instances", "--kubeconfig", server.kubeconfig().to_str().unwrap()]).ok();
    let since = hours_ago(24 * 41);
    let dated = format!("deployments since {since}");
    for (question, names) in [
        ("newest deployments", "fresh young old ancient"),
        ("the 2 oldest deployments", "ancient old"),
        ("oldest deployments older than 30 days", "ancient old"),
        ("newest deployments younger than a week", "fresh young"),
        ("newest deployments created in the last 3 hours", "fresh"),
        ("oldest deployments older than 2 days and newer than 12 weeks", "old young"),
        (&format!("newest {dated}"), "fresh young old"),
        ("deployments older than 99999999999 years", ""),
        ("newest deployments younger than 99999999999 years", "fresh young old ancient"),
        ("deployments older than -3 days", ""),
        ("deployments since 2026-02-31", ""),
    ] {
        let ran = home.run(&["search", question, "-o", "id"]).ok();
        let found: Vec<&str> = ran.out.lines().filter_map(|id| id.rsplit('/').next()).collect();
        assert_eq!(found.join(" "), names, "{question}");
    }
    assert_eq!(json(&home, &["count", "deployments older than 30 days"])["total"], 2);
}

#[test]
fn types_are_counted() {
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    let count = json(&home, &["count", "how many types are there?", "--collection", "capabilities"]);
    assert_eq!(count["total"], json(&home, &["count", "--collection", "capabilities"])["total"]);
}

const OWN: &str = "[categories.weather-guard]\nabout = \"Stops machines in a storm.\"\nphrases = [\"weather guard\"]\n\n\
    [software.wind-warden]\ntitle = \"Wind warden\"\ncategories = [\"weather-guard\"]\nabout = \"Stops lifts in a storm.\"\n";

#[test]
fn an_own_catalogue_is_known_to_every_command() {
    let home = home();
    let file = home.write("own.toml", OWN).to_str().unwrap().to_owned();
    insta::assert_snapshot!(
        "own-catalogue",
        home.shows(&["search", "weather guard", "--explain", "--catalogue", "own.toml"])
    );
    let count = ["count", "weather guards"];
    let by_environment = home.command(&count).env("CLUSTERLORE_CATALOGUE", &file).output().unwrap();
    insta::assert_snapshot!("own-catalogue-count", home.transcript(&count, &common::Ran::of(by_environment).ok()));
    home.run(&["sync", "--from", EXAMPLES, "--catalogue", &file]).ok();
    home.run(&["similar", "deploy/wind-warden", "--catalogue", &file]).ok();
}
