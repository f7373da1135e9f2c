//! What to look at next, as data: each face writes it as its users type it.

use clusterlore_catalogue::Catalogue;

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
