//! The dashboard of `packaging/grafana`: what it draws is what a served process exports, all of it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clusterlore_core::{ResourceInstance, ResourceType};
use clusterlore_testkit::fake::FakeApiServer;
use common::Home;
use common::serving::Serving;
use fancy_regex::Regex;
use serde_json::Value;

const DASHBOARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/grafana/clusterlore.json");

/// Families that the dashboard leaves out, each with a reason beside it.
const LEFT_OUT: [&str; 0] = [];

/// Labels that Prometheus adds.
const ADDED: [&str; 2] = ["job", "instance"];

/// Every PromQL text below a value: of panels and of variables.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let texts = ["expr", "query"].into_iter().filter_map(|key| map.get(key)?.as_str());
            found.extend(texts.map(str::to_owned));
            map.values().for_each(|value| queries(value, found));
        }
        Value::Array(all) => all.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

fn groups(pattern: &str, text: &str) -> Vec<Vec<String>> {
    let all = Regex::new(pattern).unwrap();
    let all = all.captures_iter(text).map(Result::unwrap);
    all.map(|found| found.iter().map(|group| group.map_or("", |group| group.as_str()).to_owned()).collect()).collect()
}

/// What is exported: families, and the labels of each name.
fn exported(text: &str) -> (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>) {
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).map(str::to_owned);
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let labels = groups(r#"[{,](\w+)=""#, line).into_iter().map(|found| found[1].clone());
        names.entry(name.to_owned()).or_default().extend(labels);
    }
    (families.collect(), names)
}

/// What is wrong with a dashboard, held against what is exported.
fn wrong(dashboard: &Value, text: &str) -> Vec<String> {
    let (families, names) = exported(text);
    let (mut all, mut used, mut wrong) = (Vec::new(), BTreeSet::new(), Vec::new());
    queries(dashboard, &mut all);
    for query in &all {
        let mut labels: BTreeSet<&str> = ADDED.into();
        for found in groups(r"\bclusterlore_\w+", query) {
            match names.get(&found[0]) {
                Some(known) => labels.extend(known.iter().map(String::as_str)),
                None => wrong.push(format!("{} is not exported: {query}", found[0])),
            }
            used.insert(found[0].clone());
        }
        let said = groups(r#"[{,]\s*(\w+)(?:=~?|!=|!~)""#, query).into_iter().map(|found| found[1].clone());
        let by = groups(r"\bby \(([^)]*)\)", query);
        let by = by.iter().flat_map(|found| found[1].split(", ")).map(str::to_owned);
        for label in said.chain(by).filter(|label| !labels.contains(label.as_str())) {
            wrong.push(format!("no label {label}: {query}"));
        }
    }
    for family in families {
        let is_used = used.iter().any(|name| {
            name.strip_prefix(&family).is_some_and(|rest| ["", "_total", "_bucket", "_sum", "_count"].contains(&rest))
        });
        if is_used == LEFT_OUT.contains(&family.as_str()) {
            wrong.push(format!("{family} is used: {is_used}"));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn it_draws_all_that_is_exported_and_nothing_else() {
    let cluster = FakeApiServer::start().await;
    cluster.add_type(ResourceType {
        version: "v1".into(),
        kind: "Pod".into(),
        plural: "pods".into(),
        namespaced: true,
        ..ResourceType::default()
    });
    cluster.put(ResourceInstance::new("v1", "Pod", Some("shop"), "first").unwrap());
    let home = Home::new();
    let kubeconfig = cluster.kubeconfig();
    let serving = Serving::start(&home, &["--kubeconfig", kubeconfig.to_str().unwrap(), "--cluster-name", "east"]);
    serving.until(Duration::from_secs(60), || serving.get("/readyz").0 == 200);
    let (status, text) = serving.get("/metrics");
    assert_eq!(status, 200);
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(DASHBOARD).unwrap()).unwrap();
    assert_eq!(wrong(&dashboard, &text), Vec::<String>::new(), "{text}");
    let mut all = Vec::new();
    queries(&dashboard, &mut all);
    assert!(all.len() > 20, "only {} queries: are they read?", all.len());

    // What Grafana needs to show it: panels that do not lie on each other, each with its own number.
    let panels = dashboard["panels"].as_array().unwrap();
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
        assert!(x + w <= 24, "{panel}");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(places.insert(place), "{} lies on another panel", panel["title"]);
        }
    }
}

#[test]
fn what_is_wrong_with_a_dashboard_is_found() {
    let text = "# TYPE clusterlore_a counter\nclusterlore_a_total{x=\"1\"} 1\n# TYPE clusterlore_b gauge\nclusterlore_b 1\n# EOF\n";
    let of = |expr: &str| wrong(&serde_json::json!({"panels": [{"targets": [{"expr": expr}]}]}), text);
    assert_eq!(of("sum by (x) (clusterlore_a_total{job=\"j\"}) + clusterlore_b"), Vec::<String>::new());
    assert_eq!(of("clusterlore_a_total"), ["clusterlore_b is used: false"]);
    assert_eq!(of("clusterlore_a_total{y=\"1\"} + clusterlore_b").len(), 1);
    assert_eq!(of("sum by (y) (clusterlore_a_total) + clusterlore_b").len(), 1);
    assert_eq!(of("clusterlore_a_total + clusterlore_b + clusterlore_c").len(), 1);
}
