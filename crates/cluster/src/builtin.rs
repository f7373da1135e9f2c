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

/// Types that a server has only where it is older, or told to: of groups that built-in kinds have left, and of kinds that are gone,
/// or not stable yet. They exist where a manifest names one, in the version that it names.
#[rustfmt::skip]
const ELSEWHERE: &[Row] = &[
    ("admissionregistration.k8s.io", "", "ExternalAdmissionHookConfiguration", "externaladmissionhookconfigurations", "", "", false),
    ("admissionregistration.k8s.io", "", "InitializerConfiguration", "initializerconfigurations", "", "", false),
    ("admissionregistration.k8s.io", "", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", "", "", false),
    ("admissionregistration.k8s.io", "", "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", "", "", false),
    ("apps", "", "PetSet", "petsets", "", "", true),
    ("auditregistration.k8s.io", "", "AuditSink", "auditsinks", "", "", false),
    ("batch", "", "ScheduledJob", "scheduledjobs", "", "", true),
    ("certificates.k8s.io", "", "ClusterTrustBundle", "clustertrustbundles", "", "", false),
    ("certificates.k8s.io", "", "PodCertificateRequest", "podcertificaterequests", "", "", true),
    ("coordination.k8s.io", "", "LeaseCandidate", "leasecandidates", "", "", true),
    ("extensions", "", "DaemonSet", "daemonsets", "ds", "all", true),
    ("extensions", "", "Deployment", "deployments", "deploy", "all", true),
    ("extensions", "", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "all", true),
    ("extensions", "", "Ingress", "ingresses", "ing", "", true),
    ("extensions", "", "Job", "jobs", "", "all", true),
    ("extensions", "", "NetworkPolicy", "networkpolicies", "netpol", "", true),
    ("extensions", "", "PodSecurityPolicy", "podsecuritypolicies", "psp", "", false),
    ("extensions", "", "ReplicaSet", "replicasets", "rs", "all", true),
    ("extensions", "", "ThirdPartyResource", "thirdpartyresources", "", "", false),
    ("internal.apiserver.k8s.io", "", "StorageVersion", "storageversions", "", "", false),
    ("networking.k8s.io", "", "ClusterCIDR", "clustercidrs", "cc", "", false),
    ("policy", "", "PodSecurityPolicy", "podsecuritypolicies", "psp", "", false),
    ("resource.k8s.io", "", "DeviceTaintRule", "devicetaintrules", "", "", false),
    ("resource.k8s.io", "", "PodScheduling", "podschedulings", "", "", true),
    ("resource.k8s.io", "", "PodSchedulingContext", "podschedulingcontexts", "", "", true),
    ("resource.k8s.io", "", "ResourceClaimParameters", "resourceclaimparameters", "", "", true),
    ("resource.k8s.io", "", "ResourceClass", "resourceclasses", "", "", false),
    ("resource.k8s.io", "", "ResourceClassParameters", "resourceclassparameters", "", "", true),
    ("scheduling.k8s.io", "", "Workload", "workloads", "", "", true),
    ("settings.k8s.io", "", "PodPreset", "podpresets", "", "", true),
    ("storagemigration.k8s.io", "", "StorageVersionMigration", "storageversionmigrations", "", "", false),
];

/// What manifests can be asked for.
pub(crate) const VERBS: [&str; 2] = ["get", "list"];

/// All that every server has, sorted by group and plural.
pub(crate) fn types() -> impl Iterator<Item = ResourceType> {
    TYPES.iter().map(|row| of_row(row, row.1))
}

/// One that only some servers have.
pub(crate) fn elsewhere(group: &str, version: &str, kind: &str) -> Option<ResourceType> {
    ELSEWHERE.iter().find(|row| row.0 == group && row.2 == kind).map(|row| of_row(row, version))
}

fn of_row((group, _, kind, plural, short_names, categories, namespaced): &Row, version: &str) -> ResourceType {
    let list = |words: &str| words.split(',').filter(|w| !w.is_empty()).map(str::to_owned).collect();
    ResourceType {
        group: (*group).to_owned(),
        version: version.to_owned(),
        kind: (*kind).to_owned(),
        plural: (*plural).to_owned(),
        singular: kind.to_ascii_lowercase(),
        short_names: list(short_names),
        categories: list(categories),
        namespaced: *namespaced,
        verbs: VERBS.map(str::to_owned).into(),
        description: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_moved_keeps_its_names_and_its_scope() {
        for old in ELSEWHERE {
            assert!(!TYPES.iter().any(|ty| ty.0 == old.0 && (ty.2 == old.2 || ty.3 == old.3)), "{} twice", old.2);
            for new in TYPES.iter().filter(|ty| ty.2 == old.2) {
                assert_eq!((new.3, new.4, new.5, new.6), (old.3, old.4, old.5, old.6), "{}", old.2);
            }
        }
    }
}
