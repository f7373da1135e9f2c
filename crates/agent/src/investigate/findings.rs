//! What an investigation found, as it serializes.

use std::fmt;

use clusterlore_cluster::reads::Object;
use clusterlore_core::CLUSTER_SCOPE;
use serde::Serialize;

/// What was found of everything that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// In the order in which it was asked for.
    pub subjects: Vec<SubjectFindings>,
    /// Objects that were asked for, and not looked at: there were too many.
    pub left_out: usize,
}

/// What was found of one object, what it made, what it needs and what reaches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectFindings {
    /// What was looked at.
    pub subject: ObjectName,
    /// How it is, in half a sentence: `1 of 3 replicas is ready`.
    pub state: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// Why, the first in the order in which an experienced operator would look; those that make it fail come before the others.
    pub diagnoses: Vec<Diagnosis>,
    /// What was seen, in the same order.
    pub seen: Vec<Section>,
    /// What was not seen, and why.
    pub unread: Vec<Unread>,
}

/// What it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Something is wrong.
    Failing,
    /// It does not run because somebody wants that.
    Stopped,
    /// Nothing is wrong, and everything was seen.
    Fine,
    /// Nothing wrong was seen, and not everything was seen.
    Unclear,
}

/// The name of an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// `Pod`.
    pub kind: String,
    /// Its namespace, or `_cluster`.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectName {
    pub(super) fn new(kind: &str, namespace: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
    }

    pub(super) fn of(object: &Object) -> Self {
        Self::new(object.kind(), object.namespace(), object.name())
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            CLUSTER_SCOPE | "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

/// One reason, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// What it is.
    pub cause: Cause,
    /// What it means for the subject.
    pub bearing: Bearing,
    /// The objects of which it is true, at least one.
    pub of: Vec<ObjectName>,
    /// The line, of the first of them.
    pub line: String,
    /// Where the fields and reasons that it rests on are documented.
    pub source: &'static str,
    /// What is the same among objects of which the same is true.
    #[serde(skip)]
    pub(super) part: String,
}

/// What a diagnosis means for what was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bearing {
    /// It fails because of this, or as this.
    Failing,
    /// Somebody wants it so.
    Intended,
    /// It was so before, follows from something else, or will matter later.
    Notice,
}

/// Well-known causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// There is no such object.
    NotFound,
    /// It is being deleted, and waits for its finalizers.
    DeletionWaits,
    /// No replicas are wanted.
    ScaledToZero,
    /// Its rollout is paused.
    Paused,
    /// It is suspended.
    Suspended,
    /// A ResourceQuota is used up, or asks for what is not set.
    QuotaExceeded,
    /// A LimitRange forbids it.
    LimitRange,
    /// An admission webhook says no.
    WebhookRefused,
    /// An admission webhook does not answer.
    WebhookFailed,
    /// A policy of the API server says no.
    PolicyRefused,
    /// Its ServiceAccount is not there.
    ServiceAccountMissing,
    /// Its pods cannot be made for another reason.
    CreateFailed,
    /// No node takes it.
    Unschedulable,
    /// It waits for scheduling gates.
    SchedulingGated,
    /// A claim that it needs is not there.
    ClaimMissing,
    /// A claim has no volume yet.
    ClaimPending,
    /// A claim's storage class is not there, or there is none.
    StorageClassMissing,
    /// A claim's volume is gone.
    ClaimLost,
    /// A ConfigMap that it needs is not there.
    ConfigMapMissing,
    /// A Secret that it needs is not there.
    SecretMissing,
    /// A key of a ConfigMap or Secret is not there.
    KeyMissing,
    /// Its configuration cannot be made for another reason.
    ConfigError,
    /// A volume cannot be attached or mounted.
    VolumeNotMounted,
    /// There is no such image, or no such tag.
    ImageNotFound,
    /// The registry wants credentials, or others.
    ImageAuth,
    /// The image's name is none.
    ImageNameInvalid,
    /// The image is not on the node, and may not be pulled.
    ImageNeverPulled,
    /// The image is not made for the node's platform.
    ImagePlatform,
    /// The registry was asked too often.
    RegistryLimit,
    /// The registry cannot be reached.
    RegistryUnreachable,
    /// The image cannot be pulled for another reason.
    ImagePull,
    /// The container cannot be started.
    CannotStart,
    /// The container used more memory than it may.
    OutOfMemory,
    /// The container ends with an error again and again.
    CrashLoop,
    /// The container's command comes to its end, again and again.
    KeepsEnding,
    /// The container ended with an error.
    ContainerFailed,
    /// Its liveness probe fails: it is restarted.
    LivenessProbe,
    /// Its startup probe fails: it is restarted.
    StartupProbe,
    /// Its readiness probe fails: it gets no traffic.
    ReadinessProbe,
    /// It was evicted from its node.
    Evicted,
    /// A node is not ready.
    NodeNotReady,
    /// A node runs out of something.
    NodePressure,
    /// A node takes no new pods.
    Cordoned,
    /// A Job failed as often as it may.
    JobFailed,
    /// A Job ran longer than it may.
    JobDeadline,
    /// The selector of a Service matches no pod.
    NoEndpoints,
    /// No pod behind a Service is ready.
    EndpointsNotReady,
    /// A port that is asked for is not there.
    PortMissing,
    /// The Service behind an Ingress is not there.
    BackendMissing,
    /// The Secret with the certificate of an Ingress is not there.
    TlsSecretMissing,
    /// A certificate has expired.
    CertificateExpired,
    /// A certificate is not issued.
    CertificateNotReady,
    /// An autoscaler cannot do its work.
    AutoscalerFailing,
    /// A condition of the object says that it is not well.
    ConditionFalse,
    /// It is not well, and none of the above was seen.
    Unexplained,
}

/// What was seen of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Section {
    /// `Pods`.
    pub title: String,
    /// One line each.
    pub lines: Vec<String>,
}

/// What was not seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// `secrets in shop`.
    pub what: String,
    /// `it may not be read`.
    pub why: String,
}
