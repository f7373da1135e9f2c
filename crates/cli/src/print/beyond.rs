//! What metadata cannot say: what was read of the cluster instead, what was not, and the command that knows it.

use std::collections::BTreeSet;

use clusterlore_core::conditions::{Beyond, LiveCondition};
use clusterlore_index::Reply;
use clusterlore_search::{Hit, Need, Noun};

/// So many kinds are named in a command.
const KINDS: usize = 4;

/// What the question asks that is not known, or what was read to know it.
pub(super) fn lines(reply: &Reply) -> Vec<String> {
    let mut lines = Vec::new();
    let looked = reply.judgement.as_ref().is_some_and(|judgement| !judgement.findings.is_empty());
    let is_read = |need: &&Need| looked && (need.condition.is_some() || need.what == Beyond::Status);
    let (read, open): (Vec<&Need>, Vec<&Need>) = reply.parsed.needs.iter().partition(is_read);
    if !read.is_empty() {
        let judged = reply.judgement.as_ref().map_or(0, |judgement| judgement.findings.len());
        let objects = if judged == 1 { "1 object".to_owned() } else { format!("{judged} objects") };
        lines.push(format!("Read from the cluster now, for {objects}: {}.", said(&read)));
    }
    for unread in reply.judgement.iter().flat_map(|judgement| &judgement.unread) {
        lines.push(format!("Not read from the cluster: {unread}."));
    }
    if !open.is_empty() {
        let asked = if reply.hits.is_empty() { "" } else { " What is shown is what it is asked of, unchecked." };
        lines.push(format!("The index holds metadata, which does not say this: {}.{asked}", said(&open)));
        let commands: BTreeSet<String> = open.iter().map(|need| command(need, reply)).collect();
        lines.extend(commands.into_iter().map(|command| format!("Ask the cluster: {command}")));
    }
    lines
}

/// `status ("not ready"), logs ("the logs of")`
fn said(needs: &[&Need]) -> String {
    needs.iter().map(|need| format!("{} (\"{}\")", need.what.name(), need.said)).collect::<Vec<_>>().join(", ")
}

/// The command of kubectl that knows it.
fn command(need: &Need, reply: &Reply) -> String {
    let first = reply.hits.first().filter(|_| !reply.parsed.named.is_empty() || reply.hits.len() == 1);
    let object = first.and_then(place);
    let namespace = match reply.parsed.filter.namespaces.iter().next() {
        Some(namespace) if reply.parsed.filter.namespaces.len() == 1 => format!("-n {namespace}"),
        _ => "-A".to_owned(),
    };
    let kinds = kinds(reply);
    match (need.what, object) {
        (Beyond::Status | Beyond::Spec, Some((place, object))) if need.condition.is_none() => {
            format!("kubectl describe {object}{place}")
        }
        (Beyond::Logs, Some((place, object))) => format!("kubectl logs {object}{place}"),
        (Beyond::Logs, None) => format!("kubectl logs {namespace} POD").replace("-A", "-n NAMESPACE"),
        (Beyond::Events, Some((place, object))) => format!("kubectl events --for {object}{place}"),
        (Beyond::Events, None) => format!("kubectl events {namespace}"),
        (Beyond::Metrics, _) if kinds == "nodes" => "kubectl top nodes".to_owned(),
        (Beyond::Metrics, _) => format!("kubectl top pods {namespace}"),
        (Beyond::Rbac, _) => "kubectl auth can-i VERB RESOURCE --as USER".to_owned(),
        // The data of a Secret is put on nobody's screen: `describe` leaves it out.
        (Beyond::Time, Some((place, object))) if !object.starts_with("secret/") => {
            format!("kubectl get {object}{place} -o yaml --show-managed-fields")
        }
        (Beyond::Spec | Beyond::Time, _) if need.condition.is_none() => {
            format!("kubectl describe {kinds} {namespace}")
        }
        (_, Some((place, object))) => format!("kubectl get {object}{place} -o wide"),
        _ if matches!(need.condition, Some(LiveCondition::Image(_) | LiveCondition::Capacity(_))) => {
            format!("kubectl get {kinds} {namespace} -o wide")
        }
        _ => format!("kubectl get {kinds} {namespace}"),
    }
}

/// ` -n shop`, and `deployment.apps/checkout`.
fn place(hit: &Hit) -> Option<(String, String)> {
    let Noun::Instance(instance) = &hit.noun else { return None };
    let namespace = if instance.is_cluster_scoped() { String::new() } else { format!(" -n {}", instance.namespace) };
    let group = if instance.api_group.is_empty() { String::new() } else { format!(".{}", instance.api_group) };
    Some((namespace, format!("{}{group}/{}", instance.kind.to_lowercase(), instance.name)))
}

/// The types that are asked for, as kubectl takes them.
fn kinds(reply: &Reply) -> String {
    let asked = &reply.parsed.filter.types;
    let of_hit = |hit: &Hit| match &hit.noun {
        Noun::Instance(i) if i.api_group.is_empty() => Some(i.kind.to_lowercase()),
        Noun::Instance(i) => Some(format!("{}.{}", i.kind.to_lowercase(), i.api_group)),
        Noun::Type(..) => None,
    };
    let kinds: BTreeSet<String> =
        if asked.is_empty() { reply.hits.iter().filter_map(of_hit).collect() } else { asked.clone() };
    match kinds.is_empty() {
        true => "pods".to_owned(),
        false => kinds.into_iter().take(KINDS).collect::<Vec<_>>().join(","),
    }
}
