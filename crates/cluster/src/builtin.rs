//! The types that every Kubernetes 1.34 serves, for manifests, which come without discovery.

use clusterlore_core::ResourceType;

/// Group, version, kind, plural, short names, categories, namespaced.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, bool);

#[rustfmt::skip]
const TYPES: &[Row] = &[
    ("", "v1", "ComponentStatus", "componentstatuses", "cs", "", false),
    ("", "v1", "ConfigMap", "configmaps", "cm", "", true),
    ("", "v1", "Endpoints", "endpoints", "ep", "", true),
    ("", "v1", "Event", "events", "ev", "", true),
    ("", "v1", "LimitRange", "limitranges", "limits", "", true),
    ("", "v1", "Namespace", "namespaces", "ns", "", false),
    ("", "v1", "Node", "nodes", "no", "", false),
    ("", "v1", "PersistentVolume", "persistentvolumes", "pv", "", false),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", "", true),
    ("", "v1", "Pod", "pods", "po", "all", true),
    ("", "v1", "PodTemplate", "podtemplates", "", "", true),
    ("", "v1", "ReplicationController", "replicationcontrollers", "rc", "all", true),
    ("", "v1", "ResourceQuota", "resourcequotas", "quota", "", true),
    ("", "v1", "Secret", "secrets", "", "", true),
    ("", "v1", "Service", "services", "svc", "all", true),
    ("", "v1", "ServiceAccount", "serviceaccounts", "sa", "", true),
    ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "", "", false),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", "", "", false),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", "", "", false),
    ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "", "", false),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", "crd,crds", "", false),
    ("apiregistration.k8s.io", "v1", "APIService", "apiservices", "", "", false),
    ("apps", "v1", "ControllerRevision", "controllerrevisions", "", "", true),
    ("apps", "v1", "DaemonSet", "daemonsets", "ds", "all", true),
    ("apps", "v1", "Deployment", "deployments", "deploy", "all", true),
    ("apps", "v1", "ReplicaSet", "replicasets", "rs", "all", true),
    ("apps", "v1", "StatefulSet", "statefulsets", "sts", "all", true),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "all", true),
    ("batch", "v1", "CronJob", "cronjobs", "cj", "all", true),
    ("batch", "v1", "Job", "jobs", "", "all", true),
    ("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", "csr", "", false),
    ("coordination.k8s.io", "v1", "Lease", "leases", "", "", true),
    ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "", "", true),
    ("events.k8s.io", "v1", "Event", "events", "ev", "", true),
    ("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas", "", "", false),
    ("flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration", "prioritylevelconfigurations", "", "", false),
    ("networking.k8s.io", "v1", "IPAddress", "ipaddresses", "ip", "", false),
    ("networking.k8s.io", "v1", "Ingress", "ingresses", "ing", "", true),
    ("networking.k8s.io", "v1", "IngressClass", "ingressclasses", "", "", false),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", "netpol", "", true),
    ("networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs", "", "", false),
    ("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", "", "", false),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", "", true),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "", "", false),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", "", "", false),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", "", "", true),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", "", "", true),
    ("resource.k8s.io", "v1", "DeviceClass", "deviceclasses", "", "", false),
    ("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims", "", "", true),
    ("resource.k8s.io", "v1", "ResourceClaimTemplate", "resourceclaimtemplates", "", "", true),
    ("resource.k8s.io", "v1", "ResourceSlice", "resourceslices", "", "", false),
    ("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "pc", "", false),
    ("storage.k8s.io", "v1", "CSIDriver", "csidrivers", "", "", false),
    ("storage.k8s.io", "v1", "CSINode", "csinodes", "", "", false),
    ("storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities", "", "", true),
    ("storage.k8s.io", "v1", "StorageClass", "storageclasses", "sc", "", false),
    ("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", "", "", false),
    ("storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses", "vac", "", false),
];

/// What manifests can be asked for.
pub(crate) const VERBS: [&str; 2] = ["get", "list"];

/// All of them, sorted by group and plural.
pub(crate) fn types() -> impl Iterator<Item = ResourceType> {
    let list = |words: &str| words.split(',').filter(|w| !w.is_empty()).map(str::to_owned).collect();
    TYPES.iter().map(move |(group, version, kind, plural, short_names, categories, namespaced)| ResourceType {
        group: (*group).to_owned(),
        version: (*version).to_owned(),
        kind: (*kind).to_owned(),
        plural: (*plural).to_owned(),
        singular: kind.to_ascii_lowercase(),
        short_names: list(short_names),
        categories: list(categories),
        namespaced: *namespaced,
        verbs: VERBS.map(str::to_owned).into(),
        description: String::new(),
    })
}
