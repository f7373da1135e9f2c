//! Which of what was found is to be looked into: where a question asks why something fails, or how something is that it names.

use std::collections::BTreeSet;

use clusterlore_core::conditions::Beyond;
use clusterlore_core::{CLUSTER_SCOPE, Collection, ResourceType, words};

use crate::answer::{Answer, Item};
use crate::gather::Found;
use crate::investigate::Target;

/// So many objects are looked into.
const MOST: usize = 3;
/// Words that ask for a cause, or for what is wrong.
const CAUSE: &str = "why reason reasons cause causes causing wrong investigate diagnose debug troubleshoot issue issues problem problems \
                     happening happened broken fails failing warum weshalb wieso pourquoi porqué porque";
/// The same, in more than one word or in none.
const PHRASES: [&str; 5] = ["por qué", "por que", "为什么", "为何", "root cause"];
/// What reaches pods, and is not looked into beside what runs them.
const BESIDE: [&str; 4] = ["Service", "Ingress", "ConfigMap", "Namespace"];

/// Objects of one cluster that are to be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subjects {
    /// Name of the cluster, empty for the unnamed one.
    pub cluster: String,
    /// The objects.
    pub targets: Vec<Target>,
}

/// What of an answer is to be looked into; none where the question asks nothing of the kind, or must be asked back.
pub fn subjects(answer: &Answer, found: &Found) -> Option<Subjects> {
    if answer.asks.is_some() || found.nobody.is_some() || found.collection != Collection::Instances {
        return None;
    }
    let low = found.question.to_lowercase();
    let asked: BTreeSet<String> = words::split(&low).into_iter().collect();
    let for_cause = CAUSE.split_ascii_whitespace().any(|word| asked.contains(word))
        || PHRASES.iter().any(|phrase| low.contains(phrase));
    let parsed = &found.reply.parsed;
    let of_state = |what: Beyond| matches!(what, Beyond::Status | Beyond::Events);
    let how_it_is = !parsed.named.is_empty()
        && parsed.needs.iter().any(|need| {
            of_state(need.what) && need.condition.as_ref().is_none_or(|condition| !condition.asks_for_a_value())
        });
    if !for_cause && !how_it_is {
        return None;
    }
    let shares_a_word =
        |item: &Item| words::split(&item.name).iter().any(|word| !words::is_stop_word(word) && asked.contains(word));
    let sure: Vec<&Item> = answer.hits.iter().filter(|item| item.answers).collect();
    let items = if sure.is_empty() { answer.hits.iter().filter(|item| shares_a_word(item)).collect() } else { sure };
    of_items(&items, found)
}

/// What of an answer would be looked into, whatever was asked: what answers.
pub fn subjects_of(answer: &Answer, found: &Found) -> Option<Subjects> {
    let of_objects = answer.asks.is_none() && found.collection == Collection::Instances;
    let items: Vec<&Item> = answer.hits.iter().filter(|item| of_objects && item.answers).collect();
    of_items(&items, found)
}

fn of_items(items: &[&Item], found: &Found) -> Option<Subjects> {
    let runs = items.iter().any(|item| !BESIDE.contains(&item.kind.as_str()));
    let cluster = items.first()?.cluster.clone().unwrap_or_default();
    let target = |item: &&Item| {
        let is_served = |(of, ty): &&(String, ResourceType)| *of == cluster && ty.name() == item.type_name;
        let (_, ty) = found.types.iter().find(is_served)?;
        let namespace = item.namespace.clone().unwrap_or_else(|| CLUSTER_SCOPE.to_owned());
        Some(Target { ty: ty.clone(), namespace, name: item.name.clone() })
    };
    let of_cluster = |item: &&&Item| item.cluster.clone().unwrap_or_default() == cluster;
    let is_beside = |item: &&&Item| runs && BESIDE.contains(&item.kind.as_str());
    let targets: Vec<Target> =
        items.iter().filter(of_cluster).filter(|item| !is_beside(item)).filter_map(target).take(MOST).collect();
    (!targets.is_empty()).then_some(Subjects { cluster, targets })
}
