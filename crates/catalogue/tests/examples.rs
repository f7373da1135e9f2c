//! What the catalogue makes of objects and questions, as input and expected output.

use std::collections::BTreeMap;

use clusterlore_catalogue::{Catalogue, Field, Meaning, Named, Part};

/// `name` or `label=value` pairs, then the name: recognised software as `id weight part`.
fn recognised(object: &str) -> Vec<String> {
    let mut labels = BTreeMap::new();
    let (mut name, mut namespace, mut group, mut kind, mut annotations) = ("", "", "apps", "Deployment", "");
    for word in object.split(", ") {
        match word.split_once('=') {
            None => name = word,
            Some(("ns", v)) => namespace = v,
            Some(("group", v)) => group = v,
            Some(("kind", v)) => kind = v,
            Some(("says", v)) => annotations = v,
            Some((k, v)) => {
                labels.insert(k.to_owned(), v.to_owned());
            }
        }
    }
    let named = Named { name, kind, group, namespace, labels: &labels, annotations };
    let shown = |r: clusterlore_catalogue::Recognised<'_>| {
        let part = r.part.map(|p| format!(" {p:?}")).unwrap_or_default();
        format!("{} {}{part}", r.software.id, r.weight)
    };
    Catalogue::builtin().recognise(&named).into_iter().map(shown).collect()
}

/// What a question names: `category:id`, `software:id`, `kind:name`, each with the words that named it.
fn asked(question: &str) -> Vec<String> {
    let shown = |a: clusterlore_catalogue::Asked<'_>| {
        let what = match a.meaning {
            Meaning::Category(c) => format!("category:{}", c.id),
            Meaning::Software(s) => format!("software:{}", s.id),
            Meaning::Kind(k) => format!("kind:{}", k.name()),
        };
        format!("{what} {:?}", &question[a.span])
    };
    Catalogue::builtin().asked(question).into_iter().map(shown).collect()
}

fn categories(name: &str) -> Vec<String> {
    let labels = BTreeMap::new();
    let named = Named { name, kind: "Deployment", group: "apps", namespace: "", labels: &labels, annotations: "" };
    let all = Catalogue::builtin().recognise(&named);
    all.first().map(|r| r.categories().into_iter().map(str::to_owned).collect()).unwrap_or_default()
}

#[test]
fn a_name_tells_the_software() {
    assert_eq!(recognised("postgres"), ["postgresql 1"]);
    assert_eq!(recognised("postgresql15"), ["postgresql 1"]);
    assert_eq!(recognised("redis-master-0"), ["redis 0.8"]);
    assert_eq!(recognised("orders-db-postgres"), ["postgresql 0.5"]);
    assert_eq!(recognised("checkout-api"), Vec::<String>::new());
}

#[test]
fn the_longest_alias_wins_over_its_parts() {
    assert_eq!(recognised("postgres-exporter"), ["postgres-exporter 1"]);
    assert_eq!(recognised("shop-rabbitmq-exporter"), ["rabbitmq-exporter 0.5"]);
    assert_eq!(recognised("kube-state-metrics"), ["kube-state-metrics 1"]);
}

#[test]
fn a_part_is_not_the_whole() {
    assert_eq!(recognised("valkey-exporter"), ["valkey 0.8 Exporter"]);
    assert_eq!(categories("valkey-exporter"), ["metrics-exporter"]);
    assert_eq!(categories("valkey-primary")[..2], ["key-value-store", "cache"]);
    assert_eq!(
        recognised("app.kubernetes.io/name=valkey, app.kubernetes.io/component=exporter, x"),
        ["valkey 1 Exporter"]
    );
    assert_eq!(Part::of_word("operator"), Some(Part::Operator));
}

#[test]
fn labels_namespace_and_description_tell_too() {
    assert_eq!(recognised("app.kubernetes.io/name=postgresql, orders"), ["postgresql 1"]);
    assert_eq!(recognised("helm.sh/chart=redis-17.3.2, cache"), ["redis 0.9"]);
    assert_eq!(recognised("app.kubernetes.io/part-of=grafana, server"), ["grafana 0.6"]);
    assert_eq!(recognised("server, ns=jaeger"), ["jaeger 0.3"]);
    assert_eq!(recognised("store, says=Keeps orders in MongoDB"), ["mongodb 0.4"]);
    assert_eq!(recognised("app.kubernetes.io/managed-by=prometheus, x"), Vec::<String>::new());
}

#[test]
fn a_namespace_is_not_the_software_it_is_called_after() {
    for label in ["", "name=jaeger, ", "app.kubernetes.io/name=jaeger, "] {
        assert_eq!(recognised(&format!("{label}kind=Namespace, group=, jaeger")), ["jaeger 0.3"], "{label}");
    }
}

#[test]
fn ambiguous_words_count_only_in_front() {
    assert_eq!(recognised("tempo"), ["tempo 1"]);
    assert_eq!(recognised("tempo-ingester"), ["tempo 0.5"]);
    assert_eq!(recognised("up-tempo"), Vec::<String>::new());
    assert_eq!(recognised("app.kubernetes.io/name=loki, logs"), ["loki 1"]);
    assert_eq!(recognised("player, says=picks up the tempo"), Vec::<String>::new());
}

#[test]
fn questions_name_software_categories_and_kinds() {
    assert_eq!(asked("are there prometheus servers?"), ["software:prometheus \"prometheus servers\""]);
    assert_eq!(
        asked("which relational databases do we run"),
        ["category:relational-database \"relational databases\""]
    );
    assert_eq!(asked("where do the logs end up"), ["category:logging \"logs end\""]);
    assert_eq!(asked("postgres exporters"), ["software:postgres-exporter \"postgres exporters\""]);
    assert_eq!(asked("nightly jobs"), ["kind:CronJob.batch \"nightly jobs\""]);
    assert_eq!(asked("what changed in the finance department"), Vec::<String>::new());
    assert_eq!(asked("ClickHouse"), ["software:clickhouse \"ClickHouse\""]);
}

#[test]
fn the_longest_phrase_wins_but_software_stays() {
    assert_eq!(asked("vector database"), ["category:vector-database \"vector database\""]);
    assert_eq!(
        asked("kafka topics"),
        [
            "kind:KafkaTopic.kafka.strimzi.io \"kafka topics\"",
            "kind:KafkaTopic.platform.confluent.io \"kafka topics\"",
            "software:kafka \"kafka\""
        ]
    );
    assert_eq!(asked("an mqtt broker"), ["category:iot-messaging \"mqtt broker\""]);
    assert_eq!(asked("GitLab"), ["software:gitlab \"GitLab\""]);
}

#[test]
fn stop_words_count_where_a_phrase_needs_them() {
    assert_eq!(asked("how do people log in"), ["category:identity-provider \"log in\""]);
    assert_eq!(asked("dashboards"), ["category:dashboards \"dashboards\""]);
    assert_eq!(asked("how are things managed"), Vec::<String>::new());
}

#[test]
fn a_phrase_may_be_interrupted_once() {
    assert_eq!(asked("store customer data"), ["category:database \"store customer data\""]);
    assert_eq!(asked("store the data"), ["category:database \"store the data\""]);
    assert_eq!(asked("store old customer data"), Vec::<String>::new());
}

#[test]
fn groups_kinds_and_label_domains_tell_software() {
    assert_eq!(recognised("group=postgresql.cnpg.io, kind=Cluster, orders"), ["postgresql 1", "cloudnative-pg 0.9"]);
    assert_eq!(recognised("group=argoproj.io, kind=Rollout, shop"), ["argo-rollouts 1"]);
    assert_eq!(recognised("group=ec2.services.k8s.aws, kind=VPC, main"), ["ack 1"]);
    assert_eq!(recognised("strimzi.io/cluster=orders, events-0"), ["kafka 0.7", "strimzi 0.7"]);
    assert_eq!(categories("argocd-redis"), ["cache"]);
}

#[test]
fn questions_in_other_languages() {
    assert_eq!(asked("welche Datenbanken laufen hier"), ["category:database \"Datenbanken\""]);
    assert_eq!(asked("quelles bases de données"), ["category:database \"bases de données\""]);
    assert_eq!(asked("colas de mensajes"), ["category:message-broker \"colas de mensajes\""]);
    assert_eq!(asked("有哪些消息队列"), ["category:message-broker \"消息队列\""]);
}

#[test]
fn what_told_it_is_there() {
    let labels = BTreeMap::from([("app".to_owned(), "redis".to_owned())]);
    let named = Named { name: "x", kind: "Pod", group: "", namespace: "", labels: &labels, annotations: "" };
    let all = Catalogue::builtin().recognise(&named);
    assert_eq!((all[0].alias, &all[0].field), ("redis", &Field::Label("app".to_owned())));
}
