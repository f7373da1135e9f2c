//! The types that an investigation reads beside its subject, at the versions that every supported server has.

use clusterlore_core::ResourceType;

/// Group, version, kind, plural, namespaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known(&'static str, &'static str, &'static str, &'static str, bool);

pub(super) const PODS: Known = Known("", "v1", "Pod", "pods", true);
pub(super) const SERVICES: Known = Known("", "v1", "Service", "services", true);
pub(super) const CONFIG_MAPS: Known = Known("", "v1", "ConfigMap", "configmaps", true);
pub(super) const SECRETS: Known = Known("", "v1", "Secret", "secrets", true);
pub(super) const CLAIMS: Known = Known("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true);
pub(super) const NODES: Known = Known("", "v1", "Node", "nodes", false);
pub(super) const REPLICA_SETS: Known = Known("apps", "v1", "ReplicaSet", "replicasets", true);
pub(super) const DEPLOYMENTS: Known = Known("apps", "v1", "Deployment", "deployments", true);
pub(super) const STATEFUL_SETS: Known = Known("apps", "v1", "StatefulSet", "statefulsets", true);
pub(super) const DAEMON_SETS: Known = Known("apps", "v1", "DaemonSet", "daemonsets", true);
pub(super) const JOBS: Known = Known("batch", "v1", "Job", "jobs", true);
pub(super) const CRON_JOBS: Known = Known("batch", "v1", "CronJob", "cronjobs", true);
pub(super) const SLICES: Known = Known("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", true);
pub(super) const INGRESSES: Known = Known("networking.k8s.io", "v1", "Ingress", "ingresses", true);
pub(super) const AUTOSCALERS: Known =
    Known("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true);
pub(super) const STORAGE_CLASSES: Known = Known("storage.k8s.io", "v1", "StorageClass", "storageclasses", false);
pub(super) const CERTIFICATES: Known = Known("cert-manager.io", "v1", "Certificate", "certificates", true);

const CONTROLLERS: Known = Known("", "v1", "ReplicationController", "replicationcontrollers", true);

/// All of them.
const ALL: [Known; 18] = [
    PODS,
    SERVICES,
    CONFIG_MAPS,
    SECRETS,
    CLAIMS,
    NODES,
    REPLICA_SETS,
    DEPLOYMENTS,
    STATEFUL_SETS,
    DAEMON_SETS,
    JOBS,
    CRON_JOBS,
    SLICES,
    INGRESSES,
    AUTOSCALERS,
    STORAGE_CLASSES,
    CERTIFICATES,
    CONTROLLERS,
];

/// Those that own others of these.
const OWNERS: [Known; 6] = [REPLICA_SETS, DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, JOBS, CRON_JOBS];

impl Known {
    pub(super) fn ty(self) -> ResourceType {
        let Self(group, version, kind, plural, namespaced) = self;
        ResourceType {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced,
            ..ResourceType::default()
        }
    }

    pub(super) fn kind(self) -> &'static str {
        self.2
    }

    /// `secrets`, `deployments.apps`.
    pub(super) fn name(self) -> String {
        if self.0.is_empty() { self.3.to_owned() } else { format!("{}.{}", self.3, self.0) }
    }
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether a kind of a group, at any version, is one of these.
pub(super) fn is_known(api_version: &str, kind: &str) -> bool {
    ALL.into_iter().any(|known| known.0 == group(api_version) && known.2 == kind)
}

/// The type of an owner; `None`: one that nobody here knows.
pub(super) fn owner(api_version: &str, kind: &str) -> Option<Known> {
    OWNERS.into_iter().find(|known| known.0 == group(api_version) && known.2 == kind)
}
