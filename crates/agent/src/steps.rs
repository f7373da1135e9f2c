//! What to look at next, as data: each face writes it as its users type it.

use clusterlore_catalogue::Catalogue;
use serde::Serialize;

use crate::answer::Item;

/// What kubectl does about something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Shows an object with its status and events.
    Describe,
    /// Lists objects with their status.
    Get,
    /// Shows what it printed.
    Logs,
    /// Shows what happened to it.
    Events,
    /// Shows what it uses.
    Top,
    /// Says whether somebody may do something.
    CanI,
    /// Shows the fields of a type.
    Explain,
}

/// A command of kubectl.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What is done.
    pub verb: Verb,
    /// The type as kubectl takes it: `deployment`, `certificates.cert-manager.io`.
    #[serde(rename = "type")]
    pub ty: String,
    /// The object; none: all of the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its namespace; none: it has none, or all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Whether objects of the type live in namespaces.
    #[serde(skip)]
    pub namespaced: bool,
    /// The context of the kubeconfig by which its cluster was read, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

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

#[cfg(test)]
mod tests {
    use super::*;

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
