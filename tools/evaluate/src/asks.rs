//! Questions about an invented platform that have one right answer, and whether an answer is it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::object::{NOW, Object};

/// What an answer must be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub(crate) enum Expected {
    /// This number.
    Count { total: usize },
    /// These numbers, and no others.
    Groups { groups: BTreeMap<String, usize> },
    /// These hits first, in this order.
    First { ids: Vec<String> },
    /// These hits and no others, in any order.
    All { ids: BTreeSet<String> },
    /// This hit first, and none of what it controls beside it.
    Under { top: String, controlled: BTreeSet<String> },
    /// This kind and name first, once, for so many other namespaces too.
    Folded { kind: String, name: String, elsewhere: usize },
    /// Something in each of these namespaces, and in no other.
    Namespaces { names: BTreeSet<String> },
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Ask {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) q: String,
    /// When it is asked.
    pub(crate) now: &'static str,
    pub(crate) expected: Expected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Count,
    Groups,
    Age,
    Owner,
    Fold,
    Where,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [Self::Count, Self::Groups, Self::Age, Self::Owner, Self::Fold, Self::Where];

    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Count => "how many there are",
            Self::Groups => "how many of each there are",
            Self::Age => "oldest, newest, older than",
            Self::Owner => "what a controller made stands under it, unless it was asked for",
            Self::Fold => "the same in many namespaces is one hit, unless one namespace was asked for",
            Self::Where => "in which namespace it is",
        }
    }
}

/// A hit as far as it is graded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) id: String,
    /// Ids of the same thing in other namespaces.
    pub(crate) elsewhere: Vec<String>,
}

/// What came of a question.
#[derive(Debug, Clone, Default)]
pub(crate) struct Got {
    pub(crate) hits: Vec<Seen>,
    /// Where the question was understood to ask for numbers.
    pub(crate) total: Option<usize>,
    pub(crate) groups: Vec<(String, usize)>,
}

impl Expected {
    pub(crate) fn is_met_by(&self, got: &Got) -> bool {
        let ids: Vec<&str> = got.hits.iter().map(|h| h.id.as_str()).collect();
        match self {
            Self::Count { total } => got.total == Some(*total),
            Self::Groups { groups } => *groups == got.groups.iter().cloned().collect(),
            Self::First { ids: expected } => {
                ids.len() >= expected.len() && ids.iter().zip(expected).all(|(a, b)| a == b)
            }
            Self::All { ids: expected } => ids.len() == expected.len() && ids.iter().all(|id| expected.contains(*id)),
            Self::Under { top, controlled } => {
                ids.first() == Some(&top.as_str()) && ids.iter().all(|id| !controlled.contains(*id))
            }
            Self::Folded { kind, name, elsewhere } => {
                let like = |id: &str| id.ends_with(&format!("/{kind}/{name}"));
                let first = got.hits.first();
                first.is_some_and(|h| like(&h.id) && h.elsewhere.len() == *elsewhere)
                    && ids.iter().filter(|id| like(id)).count() == 1
            }
            Self::Namespaces { names } => {
                let namespace = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
                let of_hits = || got.hits.iter().flat_map(|h| std::iter::once(&h.id).chain(&h.elsewhere));
                let found: BTreeSet<String> = match got.groups.as_slice() {
                    [] => of_hits().map(|id| namespace(id)).collect(),
                    groups => groups.iter().map(|(name, _)| name.clone()).collect(),
                };
                found == *names
            }
        }
    }
}

/// The questions that a platform is asked.
pub(crate) fn about(objects: &[Object]) -> Vec<Ask> {
    let mut asks = Asks { objects, all: Vec::new() };
    asks.counts();
    asks.groups();
    asks.ages();
    asks.owners();
    asks.folds();
    asks.places();
    asks.all
}

struct Asks<'p> {
    objects: &'p [Object],
    all: Vec<Ask>,
}

impl<'p> Asks<'p> {
    fn ask(&mut self, kind: Kind, q: impl Into<String>, expected: Expected) {
        let id = format!("g{:02}", self.all.len() + 1);
        self.all.push(Ask { id, kind, q: q.into(), now: NOW, expected });
    }

    fn of(&self, kind: &str, namespace: &str) -> Vec<&'p Object> {
        let here = |o: &&Object| o.kind == kind && (namespace.is_empty() || o.namespace == namespace);
        self.objects.iter().filter(here).collect()
    }

    fn labelled(&self, kind: &str, key: &str, value: &str) -> Vec<&'p Object> {
        let has = |o: &&Object| o.kind == kind && o.labels.get(key).is_some_and(|v| v == value);
        self.objects.iter().filter(has).collect()
    }

    fn named(&self, kind: &str, name: &str) -> Vec<&'p Object> {
        self.objects.iter().filter(|o| o.kind == kind && o.name == name).collect()
    }

    /// Ids of what an object controls, and of what that controls.
    fn controlled(&self, top: &Object) -> Vec<&'p Object> {
        let above = |o: &Object| {
            std::iter::successors(o.owner, |at| self.objects[*at].owner).any(|at| self.objects[at] == *top)
        };
        self.objects.iter().filter(|o| above(o)).collect()
    }

    fn counts(&mut self) {
        for (q, counted) in [
            ("how many pods are there", self.of("Pod", "")),
            ("how many pods in team-07", self.of("Pod", "team-07")),
            ("how many deployments are in the team-12 namespace?", self.of("Deployment", "team-12")),
            ("how many statefulsets are there", self.of("StatefulSet", "")),
            ("how many cron jobs in team-03", self.of("CronJob", "team-03")),
            ("how many replicasets does team amber have", self.labelled("ReplicaSet", "team", "amber")),
            ("how many deployments with tier=frontend", self.labelled("Deployment", "tier", "frontend")),
            ("count the services in platform", self.of("Service", "platform")),
            ("how many postgres databases are there", self.named("StatefulSet", "postgres")),
            ("how many redis statefulsets are there", self.named("StatefulSet", "redis")),
            ("number of rabbitmq message brokers", self.named("StatefulSet", "rabbitmq")),
            ("how many database claims are there", self.of("DatabaseClaim", "")),
        ] {
            self.ask(Kind::Count, q, Expected::Count { total: counted.len() });
        }
    }

    fn groups(&mut self) {
        let namespace = |o: &Object| o.namespace.clone();
        let label = |key: &'static str| move |o: &Object| o.labels.get(key).cloned().unwrap_or_default();
        let kind = |o: &Object| o.kind.to_owned();
        let owner = |o: &Object| {
            let top = std::iter::successors(o.owner, |at| self.objects[*at].owner).last();
            top.map_or_else(String::new, |at| format!("{}/{}", self.objects[at].kind, self.objects[at].name))
        };
        let everything: Vec<&Object> = self.objects.iter().filter(|o| o.namespace == "team-02").collect();
        let grouped = [
            ("deployments per namespace", by(&self.of("Deployment", ""), namespace)),
            ("how many cron jobs per namespace", by(&self.of("CronJob", ""), namespace)),
            ("statefulsets per team", by(&self.of("StatefulSet", ""), label("team"))),
            ("how many deployments of each tier", by(&self.of("Deployment", ""), label("tier"))),
            ("how many objects in team-02 by kind", by(&everything, kind)),
            ("pods in team-05 by owner", by(&self.of("Pod", "team-05"), owner)),
        ];
        for (q, groups) in grouped {
            self.ask(Kind::Groups, q, Expected::Groups { groups });
        }
    }

    fn ages(&mut self) {
        for (q, of, oldest, many) in [
            ("oldest statefulset", self.of("StatefulSet", ""), true, 1),
            ("the 3 oldest deployments", self.of("Deployment", ""), true, 3),
            ("newest deployments in team-03", self.of("Deployment", "team-03"), false, 5),
            ("newest pod in team-15", self.of("Pod", "team-15"), false, 1),
            ("the five newest statefulsets", self.of("StatefulSet", ""), false, 5),
            ("oldest redis", self.named("StatefulSet", "redis"), true, 1),
        ] {
            let mut of = of;
            of.sort_by_key(|o| if oldest { o.created } else { -o.created });
            let ids = of.into_iter().take(many).map(Object::id).collect();
            self.ask(Kind::Age, q, Expected::First { ids });
        }
        for (q, of, older, days) in [
            ("pods older than 300 days", self.of("Pod", ""), true, 300),
            ("pods in team-04 older than 200 days", self.of("Pod", "team-04"), true, 200),
            ("pods in team-09 younger than 30 days", self.of("Pod", "team-09"), false, 30),
            ("cron jobs created in the last 60 days", self.of("CronJob", ""), false, 60),
            ("deployments older than 390 days", self.of("Deployment", ""), true, 390),
        ] {
            let ids = of.into_iter().filter(|o| o.older(days) == older).map(Object::id).collect();
            self.ask(Kind::Age, q, Expected::All { ids });
        }
    }

    fn owners(&mut self) {
        for (namespace, second) in [("team-05", "pods"), ("team-10", "replicasets")] {
            // Names of software have one word here, those of the teams' own two.
            let own = self.of("Deployment", namespace).into_iter().find(|o| o.name.contains('-'));
            let Some(top) = own else { continue };
            let made = self.controlled(top);
            let kind = if second == "pods" { "Pod" } else { "ReplicaSet" };
            let asked = made.iter().filter(|o| o.kind == kind).map(|o| o.id()).collect();
            let controlled = made.iter().map(|o| o.id()).collect();
            let name = top.name.replace('-', " ");
            self.ask(Kind::Owner, format!("{name} in {namespace}"), Expected::Under { top: top.id(), controlled });
            let q = format!("{second} in {namespace} with app.kubernetes.io/name={}", top.name);
            self.ask(Kind::Owner, q, Expected::All { ids: asked });
        }
        let tops = [
            ("Deployment", "keycloak", "keycloak"),
            ("StatefulSet", "vault", "where are the secrets of the platform kept"),
        ];
        for (kind, name, q) in tops {
            if let Some(top) = self.named(kind, name).first() {
                let controlled = self.controlled(top).iter().map(|o| o.id()).collect();
                self.ask(Kind::Owner, q, Expected::Under { top: top.id(), controlled });
            }
        }
        if let Some(top) = self.of("CronJob", "team-08").into_iter().find(|o| o.name == "nightly-report") {
            let controlled = self.controlled(top).iter().map(|o| o.id()).collect();
            self.ask(Kind::Owner, "nightly report in team-08", Expected::Under { top: top.id(), controlled });
        }
    }

    fn folds(&mut self) {
        for (q, kind, name) in [
            ("redis", "StatefulSet", "redis"),
            ("nginx", "Deployment", "nginx"),
            ("where is our data in postgres", "StatefulSet", "postgres"),
            ("message brokers", "StatefulSet", "rabbitmq"),
        ] {
            let elsewhere = self.named(kind, name).len().saturating_sub(1);
            self.ask(Kind::Fold, q, Expected::Folded { kind: kind.to_owned(), name: name.to_owned(), elsewhere });
        }
        for (q, namespace, name) in
            [("redis in team-02", "team-02", "redis"), ("redis of team cedar", "team-03", "redis")]
        {
            let one = self.named("StatefulSet", name).into_iter().find(|o| o.namespace == namespace);
            let ids = one.into_iter().map(Object::id).collect();
            self.ask(Kind::Fold, q, Expected::First { ids });
        }
    }

    fn places(&mut self) {
        for (q, kind, name) in [
            ("in which namespace is keycloak", "Deployment", "keycloak"),
            ("in which namespace is jenkins", "StatefulSet", "jenkins"),
            ("where does mlflow run", "Deployment", "mlflow"),
            ("which namespace has minio", "StatefulSet", "minio"),
            ("in which namespaces is rabbitmq", "StatefulSet", "rabbitmq"),
            ("in which namespaces is memcached running", "Deployment", "memcached"),
        ] {
            let names = self.named(kind, name).into_iter().map(|o| o.namespace.clone()).collect();
            self.ask(Kind::Where, q, Expected::Namespaces { names });
        }
    }
}

fn by(objects: &[&Object], of: impl Fn(&Object) -> String) -> BTreeMap<String, usize> {
    let mut groups = BTreeMap::new();
    for object in objects {
        *groups.entry(of(object)).or_default() += 1;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate;

    #[test]
    fn answers_are_about_objects_that_are_there() {
        let platform = generate::platform(5_000, 1).unwrap();
        let ids: BTreeSet<String> = platform.objects.iter().map(Object::id).collect();
        assert_eq!(ids.len(), platform.objects.len(), "no id stands twice");
        assert!(platform.asks.len() >= 40, "{}", platform.asks.len());
        for ask in &platform.asks {
            let named: Vec<String> = match &ask.expected {
                Expected::Count { total } => {
                    assert!(*total > 0, "{}", ask.q);
                    Vec::new()
                }
                Expected::Groups { groups } => {
                    assert!(groups.len() > 1 && groups.keys().all(|g| !g.is_empty()), "{}: {groups:?}", ask.q);
                    Vec::new()
                }
                Expected::First { ids } => ids.clone(),
                Expected::All { ids } => ids.iter().cloned().collect(),
                Expected::Under { top, controlled } => controlled.iter().chain([top]).cloned().collect(),
                Expected::Folded { kind, name, .. } => {
                    ids.iter().find(|id| id.ends_with(&format!("/{kind}/{name}"))).cloned().into_iter().collect()
                }
                Expected::Namespaces { names } => names.iter().map(|n| format!("_cluster/v1/Namespace/{n}")).collect(),
            };
            let numbers = matches!(ask.expected, Expected::Count { .. } | Expected::Groups { .. });
            assert!(numbers || !named.is_empty(), "{}: nothing is expected", ask.q);
            assert!(named.iter().all(|id| ids.contains(id)), "{}: {named:?}", ask.q);
        }
        let total = |q: &str| match &platform.asks.iter().find(|a| a.q == q).unwrap().expected {
            Expected::Count { total } => *total,
            Expected::Groups { groups } => groups.values().sum(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            (total("how many redis statefulsets are there"), total("how many postgres databases are there")),
            (20, 14)
        );
        let deployments = platform.objects.iter().filter(|o| o.kind == "Deployment").count();
        assert_eq!(total("deployments per namespace"), deployments);
        assert_eq!(total("how many deployments of each tier"), deployments);
    }

    #[test]
    fn an_answer_is_right_or_not() {
        let seen = |id: &str, elsewhere: &[&str]| Seen {
            id: id.to_owned(),
            elsewhere: elsewhere.iter().map(|e| (*e).to_owned()).collect(),
        };
        let hits = Got {
            hits: vec![
                seen("a/apps/v1/StatefulSet/redis", &["b/apps/v1/StatefulSet/redis"]),
                seen("a/v1/Service/x", &[]),
            ],
            ..Got::default()
        };
        let counted = Got { total: Some(3), groups: vec![("a".into(), 2), ("b".into(), 1)], ..Got::default() };
        let text = |s: &str| s.to_owned();
        let first = |ids: &[&str]| Expected::First { ids: ids.iter().map(|i| text(i)).collect() };
        let folded = |elsewhere| Expected::Folded { kind: text("StatefulSet"), name: text("redis"), elsewhere };
        let under = |hidden: &str| Expected::Under {
            top: text("a/apps/v1/StatefulSet/redis"),
            controlled: [text(hidden)].into(),
        };
        let all = |ids: &[&str]| Expected::All { ids: ids.iter().map(|i| text(i)).collect() };
        let names = |n: &[&str]| Expected::Namespaces { names: n.iter().map(|i| text(i)).collect() };
        for (expected, got, right) in [
            (Expected::Count { total: 3 }, &counted, true),
            (Expected::Count { total: 2 }, &counted, false),
            (Expected::Count { total: 2 }, &hits, false),
            (Expected::Groups { groups: [(text("b"), 1), (text("a"), 2)].into() }, &counted, true),
            (Expected::Groups { groups: [(text("a"), 2)].into() }, &counted, false),
            (first(&["a/apps/v1/StatefulSet/redis"]), &hits, true),
            (first(&["a/v1/Service/x"]), &hits, false),
            (all(&["a/v1/Service/x", "a/apps/v1/StatefulSet/redis"]), &hits, true),
            (all(&["a/v1/Service/x"]), &hits, false),
            (under("a/v1/Pod/redis-0"), &hits, true),
            (under("a/v1/Service/x"), &hits, false),
            (folded(1), &hits, true),
            (folded(2), &hits, false),
            (names(&["a", "b"]), &hits, true),
            (names(&["a"]), &hits, false),
            (names(&["a", "b"]), &counted, true),
        ] {
            assert_eq!(expected.is_met_by(got), right, "{expected:?}");
        }
    }
}
