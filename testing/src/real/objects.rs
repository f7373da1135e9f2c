//! Objects of many types, to be created one by one.

use clusterlore_core::ResourceType;
use serde_json::{Value, json};

/// Object number `n` of ten types, with no more than it needs: `heron-number-0`, ….
pub fn small_object(n: usize, namespace: &str) -> (ResourceType, Value) {
    let pod = || json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let selecting = || json!({"selector": {"matchLabels": {"a": "b"}}, "template": pod()});
    let (group, kind, plural, field, value) = match n % 10 {
        0 => ("", "ConfigMap", "configmaps", "data", json!({})),
        1 => ("", "Secret", "secrets", "data", json!({})),
        2 => ("", "ServiceAccount", "serviceaccounts", "secrets", json!([])),
        3 => ("", "Service", "services", "spec", json!({"ports": [{"port": 80}]})),
        4 => {
            let claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
            ("", "PersistentVolumeClaim", "persistentvolumeclaims", "spec", claim)
        }
        5 => ("apps", "Deployment", "deployments", "spec", selecting()),
        6 => ("apps", "DaemonSet", "daemonsets", "spec", selecting()),
        7 => ("rbac.authorization.k8s.io", "Role", "roles", "rules", json!([])),
        8 => ("networking.k8s.io", "NetworkPolicy", "networkpolicies", "spec", json!({"podSelector": {}})),
        _ => {
            let budget = json!({"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}});
            ("policy", "PodDisruptionBudget", "poddisruptionbudgets", "spec", budget)
        }
    };
    let ty = ResourceType {
        group: group.into(),
        version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
        namespaced: true,
        ..ResourceType::default()
    };
    let name = format!("{}-number-{n}", ["heron", "otter", "badger", "falcon"][n % 4]);
    let metadata = json!({"name": name, "namespace": namespace});
    let object = json!({"apiVersion": ty.api_version(), "kind": kind, "metadata": metadata, field: value});
    (ty, object)
}
