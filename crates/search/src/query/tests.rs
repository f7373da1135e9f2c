//! How questions are read, by kinds of wording: input and what is made of it. Every rule has what it reads and what it leaves alone.

use std::collections::BTreeSet;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::conditions::{Beyond, Extreme, Limit, LiveCondition};
use clusterlore_core::{ResourceType, SourceIdentity, words};
use clusterlore_models::Builtin;
use clusterlore_store::{ClusterNames, Filter, KnownSource, Readings, Vocabulary};
use proptest::prelude::*;

use super::context::{KnownTypes, QueryContext};
use super::english::is_english;
use super::language;
use super::parse::parse_instances;
use super::parsed::{AskedName, Condition, Need, ParsedQuery, Problem};

fn ty(kind: &str, plural: &str, group: &str, short: &[&str]) -> (String, ResourceType) {
    let ty = ResourceType {
        kind: kind.into(),
        plural: plural.into(),
        singular: kind.to_lowercase(),
        group: group.into(),
        version: "v1".into(),
        short_names: short.iter().map(|s| (*s).into()).collect(),
        ..ResourceType::default()
    };
    (String::new(), ty)
}

fn read(text: &str) -> ParsedQuery {
    read_with(text, &Filter::default())
}

fn read_with(text: &str, filter: &Filter) -> ParsedQuery {
    let namespaces = [
        "search",
        "platform",
        "pet-store",
        "squad-heron",
        "squad-otter",
        "prod-a",
        "staging",
        "grafana",
        "ns-blue",
        "lab",
        "_cluster",
    ];
    let vocabulary = Vocabulary {
        namespaces: namespaces.map(Into::into).into(),
        labels: [
            ("team".to_owned(), ["shop", "finance", "yard"].map(Into::into).into()),
            ("tier".to_owned(), ["backend", "web"].map(Into::into).into()),
        ]
        .into(),
        ..Vocabulary::default()
    };
    let types = [
        ty("Pod", "pods", "", &["po"]),
        ty("Service", "services", "", &["svc"]),
        ty("ServiceAccount", "serviceaccounts", "", &["sa"]),
        ty("ConfigMap", "configmaps", "", &["cm"]),
        ty("Namespace", "namespaces", "", &["ns"]),
        ty("Deployment", "deployments", "apps", &["deploy"]),
        ty("StatefulSet", "statefulsets", "apps", &["sts"]),
        ty("DaemonSet", "daemonsets", "apps", &["ds"]),
        ty("CronJob", "cronjobs", "batch", &["cj"]),
        ty("Function", "functions", "openfaas.example", &[]),
        ty("User", "users", "sql.example", &[]),
        ty("Grafana", "grafanas", "grafana.example", &[]),
        ty("GrafanaDashboard", "grafanadashboards", "grafana.example", &[]),
    ];
    let source = |(cluster, name): (&str, &str)| KnownSource {
        number: 1,
        cluster: cluster.to_owned(),
        identity: SourceIdentity::Folder { path: format!("/{name}") },
        replaced: false,
        name: name.to_owned(),
        readings: Readings::default(),
    };
    let clusters =
        [("", "kind-dev"), ("w2", "west"), ("search", ""), ("aws", "arn:aws:eks:eu-1:12:cluster/shop"), ("prod", "")];
    let is_english = |word: &str| is_english(&Builtin::default(), word) == Some(true);
    let context = QueryContext {
        vocabulary: &vocabulary,
        clusters: &ClusterNames::of(&clusters.map(source)),
        types: &KnownTypes::of(&types),
        catalogue: Catalogue::builtin(),
        now: "2026-06-17T12:00:00+02:00",
        language: language::of(text, is_english),
        is_english: &is_english,
    };
    parse_instances(text, filter, &context)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn soft(parsed: &ParsedQuery) -> Vec<Condition> {
    parsed.soft.iter().flat_map(|soft| soft.any.clone()).collect()
}

/// The words of the free text that say something.
fn telling(parsed: &ParsedQuery) -> Vec<String> {
    words::split(&parsed.text).into_iter().filter(|w| !words::is_stop_word(w)).collect()
}

fn namespace(name: &str) -> Condition {
    Condition::Namespace(name.to_owned())
}

#[test]
fn clusters_that_are_named_narrow() {
    for (text, clusters) in [
        ("cache in cluster west", &["w2"][..]),
        ("caches in the cluster west", &["w2"]),
        ("what runs on the west cluster?", &["w2"]),
        ("databases of cluster W2", &["w2"]),
        ("databases on west", &["w2"]),
        ("what is in west", &["w2"]),
        ("caches in kind-dev that nobody owns", &[""]),
        ("caches in cluster kind-dev or west", &["", "w2"]),
        ("cluster west pods", &["w2"]),
        ("caches in the search cluster", &["search"]),
        ("databases in cluster arn:aws:eks:eu-1:12:cluster/shop", &["aws"]),
        ("databases in cluster prod", &["prod"]),
        // A stage, of which there are namespaces; a namespace first of all, a word, or somebody who is not sure.
        ("caches in search", &[]),
        ("databases in prod", &[]),
        ("machines on west coast lines", &[]),
        ("the cache is probably on west", &[]),
        ("redis cluster", &[]),
        ("who goes west", &[]),
        ("in the cluster", &[]),
    ] {
        let parsed = read(text);
        assert_eq!((parsed.filter.clusters, parsed.problem), (set(clusters), None), "{text}");
        assert!(clusters.is_empty() || !parsed.text.contains("cluster"), "{text}: {}", parsed.text);
    }
    let own = Filter { clusters: set(&["w2"]), ..Filter::default() };
    for text in ["caches in cluster kind-dev", "caches in cluster west", "caches in cluster kind-dev or west"] {
        assert_eq!(read_with(text, &own).filter.clusters, set(&["w2"]), "{text}");
    }
}

#[test]
fn only_what_can_mean_nothing_else_narrows() {
    for (text, namespaces) in [
        ("caches in namespace search", &["search"][..]),
        ("caches in the search namespace", &["search"]),
        ("search namespace caches", &["search"]),
        ("caches in squad-otter", &["squad-otter"]),
        ("the caches in the squad-otter", &["squad-otter"]),
        ("is there a cache in lab?", &["lab"]),
        ("list the caches in search or platform please", &["search", "platform"]),
        ("caches in search, platform and lab", &["search", "platform", "lab"]),
        ("caches in ns-blue or in lab", &["ns-blue", "lab"]),
        ("pods of squad-heron", &["squad-heron"]),
        ("which statefulsets does lab have", &["lab"]),
    ] {
        let parsed = read(text);
        assert_eq!((parsed.filter.namespaces, parsed.problem), (set(namespaces), None), "{text}");
    }
    for (text, mentioned) in [
        ("caches in search engines", &["search"][..]),
        ("how many dashboards did we define in grafana", &["grafana"]),
        ("who takes an order in the pet store", &["pet-store"]),
        ("search caches of the platform", &["search", "platform"]),
        ("a cache, probably in squad-otter", &["squad-otter"]),
        ("the cache should be somewhere in ns-blue", &["ns-blue"]),
        ("the live cache in production", &["prod-a"]),
    ] {
        let parsed = read(text);
        assert!(parsed.filter.namespaces.is_empty() && parsed.problem.is_none(), "{text}: {parsed:?}");
        let all: BTreeSet<Condition> = mentioned.iter().map(|n| namespace(n)).collect();
        assert_eq!(soft(&parsed).into_iter().collect::<BTreeSet<_>>(), all, "{text}");
    }
    for text in ["caches in use", "caches in memory", "web page of the shop", "caches in any namespace"] {
        let parsed = read(text);
        assert!(parsed.filter.namespaces.is_empty() && parsed.soft.is_empty() && parsed.unknown.is_empty(), "{text}");
    }
}

#[test]
fn what_names_nothing_known_is_told() {
    assert_eq!(read("caches in namespace moon").problem, Some(Problem::NoSuchNamespace("moon".to_owned())));
    assert_eq!(read("caches in the moon namespace").problem, Some(Problem::NoSuchNamespace("moon".to_owned())));
    for (text, unknown) in [
        ("caches in qa", "qa"),
        ("caches in squad-moon", "squad-moon"),
        ("caches of team payroll", "team payroll"),
        ("caches on the moon-1 cluster", "moon-1 cluster"),
        ("maybe it is in the moon namespace, the cache", "moon"),
    ] {
        let parsed = read(text);
        assert_eq!((parsed.unknown, parsed.problem), (vec![unknown.to_owned()], None), "{text}");
    }
}

#[test]
fn teams_are_labels_or_namespaces() {
    let label = |key: &str, value: &str| Condition::Label(key.to_owned(), value.to_owned());
    for (text, any) in [
        ("caches of team shop", vec![label("team", "shop")]),
        ("the shop team's caches", vec![label("team", "shop")]),
        ("caches of the shop people", vec![label("team", "shop")]),
        ("caches owned by finance", vec![label("team", "finance")]),
        ("caches of the yard or the finance folks", vec![label("team", "finance"), label("team", "yard")]),
        ("caches of squad heron", vec![namespace("squad-heron")]),
        ("the backend tier of the caches", vec![label("tier", "backend")]),
    ] {
        let parsed = read(text);
        assert_eq!((soft(&parsed), parsed.unknown.len()), (any, 0), "{text}");
        assert!(parsed.filter.selector.is_empty(), "{text}");
    }
    // A question that has nothing else can mean nothing else.
    let parsed = read("cronjobs owned by team shop");
    assert_eq!(parsed.filter.selector, "team=shop".parse().unwrap());
    assert!(parsed.scope_only && parsed.filter.types == set(&["cronjobs.batch"]));
    // The services of a team are whatever it runs.
    let parsed = read("Which services belong to the finance team?");
    assert!(parsed.scope_only && parsed.filter.types.is_empty() && parsed.kinds.contains("services"));
    let parsed = read("team chat, like Slack");
    assert!(parsed.soft.is_empty() && parsed.unknown.is_empty() && parsed.problem.is_none());
}

#[test]
fn the_kinds_of_a_product_are_named_word_by_word() {
    for text in ["how many dashboards did we define in grafana", "the dashboards that people made for Grafana"] {
        let kinds = read(text).kinds;
        assert_eq!(kinds, set(&["grafanadashboards.grafana.example"]), "{text}");
    }
    for text in ["our dashboards", "is there a grafana in lab?", "the functions of a user"] {
        assert!(!read(text).kinds.contains("grafanadashboards.grafana.example"), "{text}");
    }
}

#[test]
fn kinds_that_are_english_words_do_not_narrow() {
    for text in ["functions", "which users are there", "users in lab"] {
        let parsed = read(text);
        assert!(parsed.filter.types.is_empty() && !parsed.kinds.is_empty(), "{text}: {parsed:?}");
    }
    for (text, kind) in [
        ("the Function objects", "functions.openfaas.example"),
        ("services in the lab namespace", "services"),
        ("stateful sets in lab", "statefulsets.apps"),
        ("svc accts of lab", "serviceaccounts"),
        ("cj", "cronjobs.batch"),
        ("deployments.apps in lab", "deployments.apps"),
        ("deployment.v1.apps", "deployments.apps"),
    ] {
        assert_eq!(read(text).filter.types, set(&[kind]), "{text}");
    }
}

#[test]
fn lines_of_kubectl_are_read_as_kubectl_reads_them() {
    for (text, types, namespaces, selector, names) in [
        ("kubectl get pods -n lab", &["pods"][..], &["lab"][..], "", &[][..]),
        ("get pods -n lab", &["pods"], &["lab"], "", &[]),
        ("pods --namespace=lab", &["pods"], &["lab"], "", &[]),
        ("get deploy,svc -n lab", &["deployments.apps", "services"], &["lab"], "", &[]),
        ("kubectl -n lab get po -l app=web,tier!=x -o wide", &["pods"], &["lab"], "app=web,tier!=x", &[]),
        ("get deploy -A -l team=shop", &["deployments.apps"], &[], "team=shop", &[]),
        ("k describe pod foo -n lab", &["pods"], &["lab"], "", &["foo"]),
        ("kubectl get deployments.v1.apps web api -o yaml", &["deployments.apps"], &[], "", &["web", "api"]),
        ("kubectl rollout restart deploy/web -n lab", &["deployments.apps"], &["lab"], "", &["web"]),
        ("logs foo -n lab", &[], &["lab"], "", &["foo"]),
        ("kubectl logs -n lab foo-5d9 -c main --tail 50 -f", &[], &["lab"], "", &["foo-5d9"]),
        ("kubectl exec -it foo -n lab -- sh -c 'get pods -n search'", &[], &["lab"], "", &["foo"]),
        ("oc get sts --selector=team=shop", &["statefulsets.apps"], &[], "team=shop", &[]),
        ("port-forward svc/web 8080:80 -n lab", &["services"], &["lab"], "", &["web"]),
    ] {
        let parsed = read(text);
        assert_eq!(parsed.problem, None, "{text}");
        assert_eq!(parsed.filter.types, set(types), "{text}");
        assert_eq!(parsed.filter.namespaces, set(namespaces), "{text}");
        assert_eq!(parsed.filter.selector, selector.parse().unwrap(), "{text}");
        let asked: Vec<&str> = parsed.asked.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(asked, names, "{text}");
        assert_eq!(parsed.scope_only, names.is_empty(), "{text}");
    }
    let parsed = read("k get cm -n lab | wc -l");
    assert!(parsed.clauses.count && parsed.scope_only && parsed.filter.types == set(&["configmaps"]));
    let parsed = read("kubectl get svc -n lab, how many would that be?");
    assert!(parsed.clauses.count && parsed.scope_only && parsed.filter.namespaces == set(&["lab"]), "{parsed:?}");
    assert_eq!(read("kubectl get pods -n moon").problem, Some(Problem::NoSuchNamespace("moon".to_owned())));
    assert_eq!(read("kubectl get moons").problem, Some(Problem::NoSuchKind("moons".to_owned())));
    // Sentences are no commands.
    for text in [
        "get me the pods that print logs",
        "describe what the web deployment does",
        "logs of the web shop",
        "scale the web shop up",
    ] {
        let parsed = read(text);
        assert!(
            parsed.filter.types.is_empty() && parsed.problem.is_none() && parsed.asked.iter().all(|a| !a.sure),
            "{text}: {parsed:?}"
        );
    }
}

#[test]
fn what_is_not_wanted_reaches_to_the_end_of_its_phrase() {
    for (text, unwanted, left) in [
        ("the scanner of harbor, not the standalone operator", "standalone operator", "scanner harbor"),
        ("caches that are not for tests", "for tests", "caches"),
        ("caches besides redis, which ones", "redis", "caches ones"),
        ("caches other than redis in memory", "redis in memory", "caches"),
        ("caches, but not redis or memcached please", "redis or memcached", "caches"),
        ("the falco agent, not the exporter, eats too much cpu", "exporter", "falco agent eats too much cpu"),
        ("which caches except for redis do we run", "redis", "caches"),
        ("caches rather than queues", "queues", "caches"),
        ("queues instead of caches", "caches", "queues"),
        ("skip the operator, which caches", "operator", "caches"),
        ("caches, leaving out the operator", "operator", "caches"),
        ("caches that are neither redis nor memcached", "redis nor memcached", "caches"),
        ("DNS writers? I don't mean the ad blocker", "ad blocker", "dns writers"),
        ("postgres clusters, operator not included", "operator", "postgres clusters"),
        ("caches, the rehearsal copy doesn't count", "the rehearsal copy", "caches"),
        ("caches, leave the operator out of it", "operator", "caches"),
        ("what routes alerts? no rules please", "rules", "routes alerts"),
        ("caches minus redis", "redis", "caches"),
        ("welche Caches außer Redis laufen bei uns", "Redis", "caches"),
        ("den Sammler meine ich nicht, sondern welche Suche gibt es", "den Sammler", "sondern suche"),
        ("quels caches sauf redis", "redis", "caches"),
        ("¿qué cachés hay aparte de redis?", "redis", "cachés"),
        ("quais caches temos além de redis", "redis", "caches"),
        ("除了 redis 以外有哪些缓存", "redis", "有哪些缓存"),
        ("有哪些缓存，不包括 redis", "redis", "有哪些缓存"),
    ] {
        let parsed = read(text);
        assert!(!parsed.unwanted.is_empty(), "{text}: {parsed:?}");
        assert_eq!((parsed.unwanted.as_str(), telling(&parsed).join(" ").as_str()), (unwanted, left), "{text}");
    }
}

#[test]
fn what_denies_nothing_excludes_nothing() {
    for text in [
        "upgrades with no downtime",
        "no alerts on weekends please, which grafana object is for that",
        "caches, not only redis",
        "why not redis",
        "do we not have redis",
        "don't we have redis",
        "can't remember what the cache is called",
        "the cache does not come up",
        "why is the cache not running in squad-otter",
        "customers get no confirmation mail after ordering",
        "whether or not redis runs",
        "not sure which cache it is",
        "caches not older than two weeks",
        "put a password into git without anyone seeing it",
        "gibt es nicht noch einen Cache",
        "我们有没有缓存",
    ] {
        let parsed = read(text);
        assert!(parsed.unwanted.is_empty() && parsed.not.is_empty(), "{text}: {parsed:?}");
    }
}

#[test]
fn kinds_and_namespaces_are_left_out_for_sure() {
    let of = |kind: &str| Condition::Type(kind.to_owned());
    for (text, not) in [
        (
            "workloads in lab that are neither daemonsets nor statefulsets",
            vec![of("daemonsets.apps"), of("statefulsets.apps")],
        ),
        (
            "what else is in lab apart from the deployments and their services",
            vec![of("deployments.apps"), of("services")],
        ),
        ("caches, but not in staging", vec![namespace("staging")]),
        ("pods anywhere but in lab", vec![namespace("lab")]),
        ("alle Pods außer denen in lab", vec![namespace("lab")]),
        ("how many pods are there if staging doesn't count?", vec![namespace("staging")]),
    ] {
        let parsed = read(text);
        let (found, all): (BTreeSet<_>, BTreeSet<_>) = (parsed.not.into_iter().collect(), not.into_iter().collect());
        assert_eq!(found, all, "{text}");
        assert!(!parsed.filter.namespaces.contains("staging"), "{text}");
    }
}

#[test]
fn names_are_seen_where_a_name_is_meant() {
    for (text, name, kinds) in [
        ("what is `nack`", "nack", &[][..]),
        ("what is orders-db good for", "orders-db", &[]),
        ("sts/orders", "orders", &["statefulsets.apps"]),
        ("lab/almanac", "almanac", &[]),
        ("the web deployment is slow", "web", &["deployments.apps"]),
        ("open the deployment web for me", "web", &["deployments.apps"]),
        ("the configmap called flags", "flags", &["configmaps"]),
        ("logs of an app named gong", "gong", &[]),
        (r#"what image has { "type": "pod", "name": "sea-turtle" } now"#, "sea-turtle", &["pods"]),
        (r#"{"kind":"ConfigMap","metadata":{"name":"flags","namespace":"lab"}} find it"#, "flags", &["configmaps"]),
        ("why was web-5d9c6f8b5d-m8z7w killed", "web-5d9c6f8b5d-m8z7w", &[]),
        ("is tollgate in lab", "tollgate", &[]),
        ("goods ledger db", "goods-ledger-db", &[]),
        ("the checkout service fails", "checkout-service", &[]),
    ] {
        let parsed = read(text);
        let asked: Vec<&AskedName> = parsed.asked.iter().filter(|a| a.name == name).collect();
        assert!(asked.iter().any(|a| a.kinds == set(kinds)), "{text}: {:?}", parsed.asked);
    }
    for text in
        ["which databases are there", "how many caches run", "pods in lab", "everything in the search namespace"]
    {
        assert!(read(text).asked.iter().all(|a| !a.sure), "{text}: {:?}", read(text).asked);
    }
}

#[test]
fn the_callers_own_conditions_are_not_widened() {
    let own = Filter { namespaces: set(&["lab"]), ..Filter::default() };
    for text in ["caches in namespace search", "kubectl get pods -n search", "caches in squad-otter"] {
        assert_eq!(read_with(text, &own).filter.namespaces, set(&["lab"]), "{text}");
    }
}

#[test]
fn other_languages_are_read_by_the_forms_of_a_question() {
    for (text, kinds, namespaces) in [
        ("Combien de pods avons-nous au total, et dans quels namespaces ?", &["pods"][..], &[][..]),
        ("combien de cronjobs y a-t-il, tous namespaces confondus ?", &["cronjobs.batch"], &[]),
        ("¿Cuántos CronJobs hay en todo el clúster?", &["cronjobs.batch"], &[]),
        ("Wie viele CronJobs gibt es insgesamt, aufgeschlüsselt nach Namespace?", &["cronjobs.batch"], &[]),
        ("Wie viele Pods haben wir, und wie verteilen die sich auf die Namespaces?", &["pods"], &[]),
        ("quantos pods existem no namespace lab", &["pods"], &["lab"]),
        ("lab 命名空间有多少 pods", &["pods"], &["lab"]),
        ("how many pods do we have in total, and in which namespaces?", &["pods"], &[]),
    ] {
        let parsed = read(text);
        assert!(parsed.clauses.count && parsed.scope_only, "{text}: {parsed:?}");
        assert_eq!((parsed.filter.types, parsed.filter.namespaces), (set(kinds), set(namespaces)), "{text}");
        let grouped = parsed.clauses.group_by.is_some();
        assert_eq!(
            grouped,
            text.contains("quels") || text.contains("nach") || text.contains("auf die") || text.contains("in which"),
            "{text}"
        );
    }
    for text in [
        "Wer druckt die Armbänder",
        "¿Quién calcula la ruta?",
        "Quem manda os avisos",
        "Où sont les mots de passe",
        "谁负责收款",
    ] {
        assert!(read(text).language.is_some(), "{text}");
    }
}

/// What people say before and after a question.
const BEFORE: [&str; 32] = [
    "hi, ",
    "Hello! ",
    "hey team, ",
    "good morning, ",
    "please ",
    "could you tell me ",
    "can you show me ",
    "do you know ",
    "does anybody know ",
    "I'd like to know ",
    "I would like to see ",
    "I'm looking for ",
    "I was wondering ",
    "we need to know ",
    "quick question: ",
    "ok so ",
    "so ",
    "also ",
    "just curious, ",
    "for the audit I need to know ",
    "tell me ",
    "let me know ",
    "I need to find ",
    "btw ",
    "sorry, ",
    "one more question: ",
    "somebody asked me to find ",
    "the user would like to know ",
    "what about ",
    "could someone please point me to ",
    "I want to see ",
    "by the way, ",
];
const AFTER: [&str; 30] = [
    " please",
    ", please",
    " thanks",
    ", thanks a lot",
    " thank you",
    ", thank you very much!",
    " pls",
    "?",
    " ???",
    ".",
    " right now",
    " these days",
    " currently",
    " at the moment",
    " by the way",
    ", I need it for the audit",
    ", I need them for a report",
    " because the auditors ask",
    ", because my boss wants to know",
    " btw",
    ", cheers",
    ", any idea?",
    " if possible",
    " if you don't mind",
    ", sorry",
    ", asking for a friend",
    ", that would help",
    " as far as I know",
    ", by the way",
    " or so",
];
const CORES: [&str; 8] = [
    "which caches hold the sessions",
    "statefulsets in lab",
    "everything of team shop",
    "deployments that send mail, not the operator",
    "kafka brokers in squad-otter",
    "where the orders-db runs",
    "how many pods are in namespace search",
    "users of the pet store",
];

proptest! {
    #[test]
    fn neutral_phrases_do_not_change_what_is_read(
        core in proptest::sample::select(&CORES[..]),
        before in proptest::sample::select(&BEFORE[..]),
        after in proptest::sample::select(&AFTER[..]),
        both in any::<bool>(),
    ) {
        let bare = read(core);
        let wrapped = read(&format!("{before}{core}{}", if both { after } else { "" }));
        let told = |p: &ParsedQuery| (p.filter.clone(), p.soft.clone(), p.kinds.clone(), p.unwanted.clone(), p.clauses.clone(), p.scope_only);
        prop_assert_eq!(told(&bare), told(&wrapped));
        prop_assert_eq!(telling(&bare), telling(&wrapped), "{}", wrapped.text);
        let names = |p: &ParsedQuery| -> Vec<String> { p.asked.iter().filter(|a| a.sure).map(|a| a.name.clone()).collect() };
        prop_assert_eq!(names(&bare), names(&wrapped));
    }
}

#[test]
fn what_metadata_cannot_say_is_recognised() {
    for (text, what, condition) in [
        ("which deployments in lab are not ready?", Beyond::Status, Some(LiveCondition::NotReady)),
        ("any failed jobs?", Beyond::Status, Some(LiveCondition::Failed)),
        ("gong down?", Beyond::Status, Some(LiveCondition::Unhealthy)),
        ("which pods restarted more than 5 times", Beyond::Status, Some(LiveCondition::Restarted(Limit::AtLeast(6)))),
        ("pods with at least 2 restarts", Beyond::Status, None),
        ("which image does gong run?", Beyond::Image, Some(LiveCondition::Image(String::new()))),
        ("which pods run redis:7.2", Beyond::Image, Some(LiveCondition::Image("redis:7.2".to_owned()))),
        ("deployments scaled to zero", Beyond::Spec, None),
        ("which port does gong listen on", Beyond::Spec, None),
        ("the terminationGracePeriodSeconds of gong", Beyond::Spec, None),
        ("how much memory does gong use?", Beyond::Metrics, None),
        ("show me the logs of gong", Beyond::Logs, None),
        ("kubectl logs gong", Beyond::Logs, None),
        ("why is gong failing", Beyond::Events, None),
        ("who can delete pods in lab?", Beyond::Rbac, None),
        ("when did gong last restart", Beyond::Time, None),
        ("welche Pods laufen nicht?", Beyond::Status, Some(LiveCondition::NotRunning)),
        ("quem pode apagar segredos em lab?", Beyond::Rbac, None),
    ] {
        let needs = read(text).needs;
        let need = needs.iter().find(|need| need.what == what);
        assert!(need.is_some(), "{text}: {needs:?}");
        if condition.is_some() {
            assert_eq!(need.unwrap().condition, condition, "{text}");
        }
    }
    for (text, first) in [
        ("the pod with the most restarts", Extreme::Most),
        ("which pod in lab restarted most often?", Extreme::Most),
        ("which deployment has the fewest replicas", Extreme::Fewest),
        ("the biggest pvc in lab", Extreme::Most),
        ("what are the smallest volumes?", Extreme::Fewest),
        ("welcher Pod hat die meisten Neustarts?", Extreme::Most),
    ] {
        let parsed = read(text);
        let need = parsed.needs.first();
        assert_eq!(
            need.and_then(|need| need.first).map(|first| first.extreme),
            Some(first),
            "{text}: {:?}",
            parsed.needs
        );
        assert!(need.is_some_and(Need::narrows), "{text}: {parsed:?}");
    }
    // What does something about it is asked for, or what is only called so.
    for text in [
        "the biggest cache",
        "what hands out the external IPs for services of type LoadBalancer?",
        "what notifies us when pods fail?",
        "which log shipper do we use",
        "where do the logs of the pods go?",
        "image registry",
        "what restarts pods when a secret changes",
        "the operator that restarts pods",
        "status page",
        "health checks of our pages: which deployment does that",
        "ready-made dashboards",
        "caches in lab",
        "how many deployments are there?",
        "what is running in lab?",
        "cron jobs of team shop",
        "deployments older than 30 days",
        "welches Tool sammelt die Logs?",
    ] {
        assert_eq!(read(text).needs, [], "{text}");
    }
}

#[test]
fn conditions_leave_what_can_be_found() {
    let parsed = read("which deployments in lab are not ready?");
    assert!(parsed.scope_only && parsed.filter.types == set(&["deployments.apps"]), "{parsed:?}");
    assert_eq!(parsed.filter.namespaces, set(&["lab"]));
    let parsed = read("what is pending?");
    assert!(parsed.scope_only && parsed.filter.types == set(&["pods", "services"]), "{parsed:?}");
    assert!(telling(&read("are the red caches ready?")).contains(&"red".to_owned()));
}

#[test]
fn states_are_joined_bounded_and_of_all() {
    use LiveCondition::{Any, Failed, NotReady, NotRunning, Pending, Restarted, Status};
    let status = |words: &[&str]| Status(words.iter().map(|word| (*word).to_owned()).collect());
    for (text, expected) in [
        ("pods with ImagePullBackOff or ErrImagePull", vec![status(&["ImagePullBackOff", "ErrImagePull"])]),
        ("pods in CrashLoopBackOff, Error or OOMKilled", vec![status(&["CrashLoopBackOff", "Error", "OOMKilled"])]),
        ("pending and failed pods", vec![Any(vec![Pending, Failed])]),
        ("pods that are not ready or restarted", vec![Any(vec![NotReady, Restarted(Limit::AtLeast(1))])]),
        ("pods not ready and not completed in lab", vec![NotReady, LiveCondition::Complete.negated()]),
        ("pods that are neither running nor completed", vec![NotRunning, LiveCondition::Complete.negated()]),
        ("pods that restarted exactly 3 times", vec![Restarted(Limit::Exactly(3))]),
        ("pods with 5 to 15 restarts", vec![Restarted(Limit::AtLeast(5)), Restarted(Limit::AtMost(15))]),
        ("pods with 3+ restarts", vec![Restarted(Limit::AtLeast(3))]),
        ("pods which dont have restarts", vec![Restarted(Limit::AtMost(0))]),
        ("deployments that arent ready", vec![NotReady]),
        ("statefulsets not completely ready", vec![NotReady]),
        ("wie viele Pods laufen in lab nicht?", vec![NotRunning]),
        ("pods with restarts > 5", vec![Restarted(Limit::AtLeast(6))]),
        ("pods restarted between 3 and 10 times", vec![Restarted(Limit::AtLeast(3)), Restarted(Limit::AtMost(10))]),
        (
            "pods that restarted fewer than 3 times but at least once",
            vec![Restarted(Limit::AtMost(2)), Restarted(Limit::AtLeast(1))],
        ),
        ("pods mit mehr als 10 Neustarts", vec![Restarted(Limit::AtLeast(11))]),
        ("are all deployments ready?", vec![NotReady]),
        ("is everything ok in lab?", vec![LiveCondition::Unhealthy]),
        ("which deployments are ready?", vec![LiveCondition::Ready]),
        ("clusters in phase Failing over", vec![status(&["Failing", "Failing over"])]),
    ] {
        let parsed = read(&super::bounds::in_words(text));
        let read: Vec<LiveCondition> = parsed.needs.iter().filter_map(|need| need.condition.clone()).collect();
        assert_eq!(read, expected, "{text}");
    }
}
