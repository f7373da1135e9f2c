//! Counting, grouping, ages, misspelt words, other languages and likeness, as a user meets them.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::path::{Path, PathBuf};

use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_testkit::fake::FakeApiServer;
use common::Home;
use serde_json::Value;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn home() -> Home {
    let home = Home::new();
    home.sync_from(&examples()).ok();
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
        assert_eq!(home.run(args).ok().out, format!("{pods} matches.\n"), "{args:?}");
    }
    assert_eq!(home.run(&["count", "--kind", "pod", "-n", "fares", "-o", "name"]).ok().out, format!("{pods}\n"));
    assert_eq!(home.run(&["count", "-n", "nowhere"]).ok().out, "0 matches.\n");
    let nowhere = home.run(&["count", "pods in the moon namespace"]).ok();
    assert_eq!(
        (nowhere.out.as_str(), nowhere.err.as_str()),
        ("0 matches.\n", "No results: there is no namespace \"moon\".\n")
    );
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
    let yaml = home.run(&["count", "--kind", "namespace", "--group-by", "kind", "-o", "yaml"]).ok().out;
    assert_eq!(yaml, "total: 7\ngroups:\n- name: Namespace\n  count: 7\n");
    let names = home.run(&["search", "--kind", "namespace", "--group-by", "label:team", "-o", "name"]).ok().out;
    assert_eq!(names.lines().next(), Some("platform"));
    let wrong = home.run(&["count", "--group-by", "colour"]);
    assert!(wrong.status == 2 && wrong.err.contains("label:KEY"), "{}", wrong.err);
    let both = home.run(&["search", "--count", "--batch", "x.jsonl"]);
    assert_eq!(both.status, 2, "{}", both.err);
}

#[test]
fn a_question_for_a_number_is_answered_with_one_and_then_with_hits() {
    let home = home();
    let ran = home.run(&["search", "how many relational databases are there?"]).ok();
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "3 matches.", "{}", ran.out);
    assert!(lines[2].starts_with("SCORE") && ran.out.contains("ledger"), "{}", ran.out);
    let by = home.run(&["search", "in which namespaces are relational databases?"]).ok().out;
    assert!(by.starts_with("NAMESPACE    COUNT\ndatastores   3\n3 matches.\n"), "{by}");
    let team = home.run(&["count", "relational databases per team", "-o", "name"]).ok().out;
    assert_eq!(team, "fares\nlifts\nplatform\n");
    // Programs get what they always got.
    assert!(json(&home, &["search", "how many relational databases are there?"])[0]["id"].is_string());
}

#[test]
fn misspelt_words_are_corrected_and_that_is_said() {
    let home = home();
    for (question, meant, first) in [
        ("statfulsets in datastores", "statefulsets", "datastores/apps/v1/StatefulSet/"),
        ("databases in the datstores namespace", "datastores", "datastores/postgresql.cnpg.io/v1/Cluster/"),
        ("postgress", "postgres", "datastores/postgresql.cnpg.io/v1/Cluster/"),
        ("messgae broker", "message", "datastores/apps/v1/StatefulSet/sherpa"),
        // No object has the label as it was typed, and only one value is near.
        ("tier=dtaa databases", "data", "datastores/postgresql.cnpg.io/v1/Cluster/"),
        ("wind-wraden", "warden", "liftops/apps/v1/Deployment/wind-warden"),
    ] {
        let ran = home.run(&["search", question, "-o", "name"]).ok();
        assert!(ran.err.starts_with(&format!("Searched for \"{meant}\" instead of ")), "{question}: {}", ran.err);
        assert!(ran.out.starts_with(first), "{question}: {}", ran.out);
    }
    for question in ["relational databases", "rope-drive", "who sends the invoices", "tier=prod-7 caches", "ledgerdb"] {
        let ran = home.run(&["search", question, "-o", "name"]).ok();
        assert!(!ran.err.contains("instead of"), "{question}: {}", ran.err);
    }
}

#[test]
fn other_languages_are_answered_by_names_and_that_is_said() {
    let home = home();
    for (question, language) in [
        ("welche relationalen Datenbanken gibt es im namespace datastores?", "German"),
        ("quelles bases relationnelles sont dans le namespace datastores ?", "French"),
        ("¿qué bases de datos relacionales hay en el namespace datastores?", "Spanish"),
        ("quais bancos de dados relacionais existem no namespace datastores?", "Portuguese"),
        ("datastores 命名空间有哪些关系型数据库", "Chinese"),
    ] {
        let ran = home.run(&["search", question, "-o", "name"]).ok();
        assert!(
            ran.err.contains(&format!("seems to be in {language}; it is answered by names")),
            "{question}: {}",
            ran.err
        );
        let ids: Vec<&str> = ran.out.lines().collect();
        assert!(ids.iter().take(3).any(|id| id.ends_with("Cluster/ledger")), "{question}: {ids:?}");
        assert!(ids.iter().all(|id| id.starts_with("datastores/")), "{question}: {ids:?}");
    }
}

#[test]
fn more_like_this_one() {
    let home = home();
    let ids = |args: &[&str]| {
        let ran = home.run(&[&["similar", "-o", "name"], args].concat()).ok();
        ran.out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let like = ids(&["datastores/apps/v1/StatefulSet/granite", "--limit", "4"]);
    assert_eq!(like.len(), 4);
    assert!(like.iter().any(|id| id.ends_with("Cluster/ledger")), "another relational database: {like:?}");
    assert!(!like.contains(&"datastores/apps/v1/StatefulSet/granite".to_owned()));
    assert_eq!(ids(&["sts/granite", "-n", "datastores", "--limit", "4"]), like);
    let sets = ids(&["sts/granite", "--kind", "sts"]);
    assert!(!sets.is_empty() && sets.iter().all(|id| id.contains("/StatefulSet/")), "{sets:?}");
    for (args, told) in [
        (&["datastores/apps/v1/StatefulSet/granit"][..], "Did you mean datastores/apps/v1/StatefulSet/granite"),
        (&["sts/granite", "-n", "fares"], "there is no object \"sts/granite\""),
        (&["granite"], "expected a stored id"),
        (&["boulder/granite"], "no resource type is called \"boulder\""),
        (&["sts/granite", "--kind", "boulder"], "no resource type is called \"boulder\""),
    ] {
        let ran = home.run(&[&["similar"], args].concat());
        assert!(ran.error().contains(told), "{}", ran.err);
    }
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
        let ran = home.run(&["search", question, "-o", "name"]).ok();
        let found: Vec<&str> = ran.out.lines().filter_map(|id| id.rsplit('/').next()).collect();
        assert_eq!(found.join(" "), names, "{question}");
    }
    assert_eq!(home.run(&["count", "deployments older than 30 days"]).ok().out, "2 matches.\n");
    let negative = home.run(&["search", "deployments older than -3 days"]).ok();
    assert!(negative.err.contains("\"-3 days\" is not an age; expected a number above zero"), "{}", negative.err);
    let date = home.run(&["count", "deployments since 2026-02-31"]).ok();
    assert!(date.err.contains("\"2026-02-31\" is not a date; expected one such as 2026-01-31"), "{}", date.err);
}

#[test]
fn types_tell_how_to_read_more() {
    let home = Home::new();
    home.run(&["index", "--from", examples().to_str().unwrap()]).ok();
    let ask = ["search", "how do I get a certificate", "--collection", "capabilities", "--limit", "2"];
    let table = home.run(&ask).ok().out;
    assert_eq!(table.lines().last(), Some("Read more: kubectl explain certificates.cert-manager.io"), "{table}");
    let first = &json(&home, &ask)[0];
    assert_eq!(first["explainCommand"], "kubectl explain certificates.cert-manager.io");
    assert_eq!(first["complexity"], "low");
    for key in ["description", "useCase"] {
        assert!(first[key].as_str().is_some_and(|text| !text.is_empty()), "{key} in {first}");
    }
    assert!(first["capabilities"].is_array() && first["providers"].is_array(), "{first}");
    let count = json(&home, &["count", "how many types are there?", "--collection", "capabilities"]);
    assert_eq!(count["total"], json(&home, &["count", "--collection", "capabilities"])["total"]);
}

#[test]
fn an_index_without_capabilities_says_what_makes_them() {
    let home = Home::new();
    home.write("m/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n");
    home.run(&["sync", "--from", home.path("m").to_str().unwrap()]).ok();
    let ran = home.run(&["search", "x", "--collection", "instances"]);
    assert!(ran.error().contains("\"clusterlore sync-instances\"") && ran.error().contains("clusterlore index"));
}

const OWN: &str = "[categories.weather-guard]\nabout = \"Stops machines in a storm.\"\nphrases = [\"weather guard\"]\n\n\
    [software.wind-warden]\ntitle = \"Wind warden\"\ncategories = [\"weather-guard\"]\nabout = \"Stops lifts in a storm.\"\n";

#[test]
fn an_own_catalogue_is_known_to_every_command() {
    let home = home();
    let file = home.write("own.toml", OWN).to_str().unwrap().to_owned();
    let explained = home.run(&["search", "weather guard", "--explain", "--catalogue", &file]).ok();
    assert!(explained.out.contains("Wind warden is weather guard"), "{}", explained.out);
    let by_environment =
        home.command(&["count", "weather guards"]).env("CLUSTERLORE_CATALOGUE", &file).output().unwrap();
    assert_eq!(common::Ran::of(by_environment).ok().out, "1 match.\n");
    let folder = examples().to_str().unwrap().to_owned();
    home.run(&["sync", "--from", &folder, "--catalogue", &file]).ok();
    home.run(&["similar", "deploy/wind-warden", "--catalogue", &file]).ok();

    let bad = home.write("bad.toml", "[software.x]\ntitle = 3\n").to_str().unwrap().to_owned();
    let missing = home.path("missing.toml").to_str().unwrap().to_owned();
    for file in [&bad, &missing] {
        for args in [
            &["search", "x"][..],
            &["count"],
            &["similar", "deploy/marmot"],
            &["sync", "--from", &folder],
            &["index", "--from", &folder],
        ] {
            let ran = home.run(&[args, &["--catalogue", file]].concat());
            assert!(ran.error().contains(file.as_str()) && ran.error().contains("--catalogue"), "{}", ran.err);
        }
    }
}
