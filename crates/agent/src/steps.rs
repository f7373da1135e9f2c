//! What to look at next, and the line of kubectl that does it.

use clusterlore_catalogue::Catalogue;
use clusterlore_index::shell_line;

use crate::answer::{Item, Step, Verb};

/// The type as kubectl takes it: its plain name where Kubernetes itself serves it, for no other type takes that from it.
pub(crate) fn as_kubectl_has_it(catalogue: &Catalogue, group: &str, kind: &str, type_name: &str) -> String {
    let built_in = catalogue.kind(group, kind).is_some_and(|kind| kind.built_in);
    if built_in || group.is_empty() { kind.to_lowercase() } else { type_name.to_owned() }
}

/// A step about an object.
pub(crate) fn about(verb: Verb, item: &Item, catalogue: &Catalogue, context: Option<String>) -> Step {
    let group = item.api_version.split_once('/').map_or("", |(group, _)| group);
    Step {
        verb,
        ty: as_kubectl_has_it(catalogue, group, &item.kind, &item.type_name),
        name: Some(item.name.clone()),
        namespace: item.namespace.clone(),
        namespaced: item.namespace.is_some(),
        context,
    }
}

impl Step {
    /// As people type it, for a shell.
    pub fn command(&self) -> String {
        let Step { verb, ty, name, namespace, namespaced, context } = self;
        let mut words: Vec<String> = Vec::new();
        let mut add = |some: &[&str]| words.extend(some.iter().map(|word| (*word).to_owned()));
        if let Some(context) = context {
            add(&["--context", context]);
        }
        if let Some(namespace) = namespace {
            add(&["-n", namespace]);
        }
        let object = name.as_ref().map(|name| format!("{ty}/{name}"));
        let everywhere: &[&str] = if *namespaced && namespace.is_none() { &["-A"] } else { &[] };
        match (verb, &object) {
            (Verb::Describe, Some(object)) => add(&["describe", object]),
            (Verb::Describe | Verb::Get, None) => add(&[&["get", ty], everywhere].concat()),
            (Verb::Get, Some(object)) => add(&["get", object]),
            (Verb::Logs, _) => add(&["logs", object.as_deref().unwrap_or(ty)]),
            (Verb::Events, Some(object)) => add(&["events", "--for", object]),
            (Verb::Events, None) => add(&[&["events"], everywhere].concat()),
            (Verb::Top, _) => match name {
                Some(name) => add(&["top", ty, name]),
                None => add(&[&["top", ty], everywhere].concat()),
            },
            (Verb::CanI, _) => add(&["auth", "can-i", "VERB", "RESOURCE", "--as", "USER"]),
            (Verb::Explain, _) => add(&["explain", ty]),
        }
        shell_line(["kubectl"].into_iter().chain(words.iter().map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(verb: Verb, ty: &str, name: &str, namespace: &str, context: &str) -> Step {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Step {
            verb,
            ty: ty.to_owned(),
            name: some(name),
            namespace: some(namespace),
            namespaced: namespace != "-",
            context: some(context),
        }
    }

    #[test]
    fn steps_are_lines_of_kubectl() {
        for (step, line) in [
            (step(Verb::Describe, "deployment", "web", "shop", ""), "kubectl -n shop describe deployment/web"),
            (step(Verb::Describe, "node", "n1", "", "east"), "kubectl --context east describe node/n1"),
            (
                step(Verb::Describe, "certificates.cert-manager.io", "tls", "shop", "a b"),
                "kubectl --context 'a b' -n shop describe certificates.cert-manager.io/tls",
            ),
            (step(Verb::Get, "deployments", "", "", ""), "kubectl get deployments -A"),
            (step(Verb::Get, "deployments", "", "shop", ""), "kubectl -n shop get deployments"),
            (step(Verb::Logs, "pod", "web-1", "shop", ""), "kubectl -n shop logs pod/web-1"),
            (step(Verb::Events, "pod", "web-1", "shop", ""), "kubectl -n shop events --for pod/web-1"),
            (step(Verb::Events, "", "", "", ""), "kubectl events -A"),
            (step(Verb::Top, "pod", "web-1", "shop", ""), "kubectl -n shop top pod web-1"),
            (step(Verb::Top, "pods", "", "", ""), "kubectl top pods -A"),
            (step(Verb::CanI, "", "", "", ""), "kubectl auth can-i VERB RESOURCE --as USER"),
            (step(Verb::Explain, "pods", "", "", ""), "kubectl explain pods"),
        ] {
            assert_eq!(step.command(), line);
        }
    }

    #[test]
    fn only_what_kubernetes_serves_goes_by_its_plain_name() {
        let catalogue = Catalogue::builtin();
        for (group, kind, type_name, expected) in [
            ("", "Pod", "pods", "pod"),
            ("apps", "Deployment", "deployments.apps", "deployment"),
            ("networking.k8s.io", "Ingress", "ingresses.networking.k8s.io", "ingress"),
            (
                "gateway.networking.k8s.io",
                "Gateway",
                "gateways.gateway.networking.k8s.io",
                "gateways.gateway.networking.k8s.io",
            ),
            ("serving.knative.dev", "Service", "services.serving.knative.dev", "services.serving.knative.dev"),
            ("example.org", "Database", "databases.example.org", "databases.example.org"),
        ] {
            assert_eq!(as_kubectl_has_it(catalogue, group, kind, type_name), expected);
        }
    }
}
