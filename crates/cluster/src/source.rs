//! What a source of resources promises, and the values that pass through that door.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use clusterlore_core::{AnnotationChoice, Coverage, Identity, ResourceInstance, ResourceType, TypeSchema};
use tokio::sync::mpsc;

use crate::error::ClusterError;

/// Where types and instances come from.
#[async_trait]
pub trait ClusterSource: Send + Sync {
    /// What the source is known by.
    ///
    /// # Errors
    /// Whatever ends a run: no connection, refused credentials.
    async fn identity(&self) -> Result<Identity, ClusterError>;

    /// Every resource type, and what could not be found out.
    ///
    /// # Errors
    /// The core API cannot be read, or credentials are refused.
    async fn discover(&self) -> Result<Discovery, ClusterError>;

    /// Lists one type: from [`SourceEvent::Begin`] to [`SourceEvent::Done`] or [`SourceEvent::Failed`], with pages handed on as they
    /// arrive.
    ///
    /// # Errors
    /// Only what ends the whole run; what concerns this type alone is told to `events`.
    async fn list(&self, ty: &ResourceType, scope: &ListScope, events: &EventSink) -> Result<(), ClusterError>;

    /// Whether a type is served that discovery does not name and that may not be listed; `None` where that cannot be told.
    ///
    /// # Errors
    /// Only what ends the whole run.
    async fn serves(&self, _ty: &ResourceType) -> Result<Option<bool>, ClusterError> {
        Ok(None)
    }

    /// The kubeconfig's context that the source was chosen by; empty where it was none.
    fn context(&self) -> String {
        String::new()
    }

    /// The annotations that are kept.
    fn annotations(&self) -> AnnotationChoice {
        AnnotationChoice::default()
    }

    /// Forgets what was asked once and kept, such as which namespaces there are and what may be listed there: lists that follow see what is there then.
    async fn renew(&self) {}

    /// Fills `description` of custom resource types from the schema of their definitions. Types that nothing describes stay as
    /// they are.
    async fn describe(&self, types: &mut [ResourceType]) -> Vec<Warning>;

    /// What the schemas of these types say. `known` gives the revision (see [`SchemaRead::New`]) of what the caller holds of a type,
    /// by `plural.group`: what did not change since is not read again. Types that nothing describes are missing in the answer.
    ///
    /// # Errors
    /// Only what ends the whole run; what concerns some types alone is [`SchemaRead::Failed`].
    async fn schemas(&self, types: &[ResourceType], known: &HashMap<String, String>) -> Result<Schemas, ClusterError>;

    /// The namespaces, sorted.
    ///
    /// # Errors
    /// They cannot be listed.
    async fn namespaces(&self) -> Result<Vec<String>, ClusterError>;
}

/// What discovery found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Sorted by name, each resource once, at the highest-priority version that serves it; no subresources.
    pub types: Vec<ResourceType>,
    /// What could not be read, a line each.
    pub warnings: Vec<Warning>,
    /// Groups of which any version is stale or failed: a type that is missing there may still exist.
    pub incomplete_groups: BTreeSet<String>,
}

impl Discovery {
    /// Stands in `incomplete_groups` when no group could be read at all.
    pub const EVERY_GROUP: &str = "*";

    /// Whether types of this group may exist that were not found.
    pub fn is_incomplete(&self, group: &str) -> bool {
        let every = !group.is_empty() && self.incomplete_groups.contains(Self::EVERY_GROUP);
        every || self.incomplete_groups.contains(group)
    }
}

/// What the schemas of some types say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schemas {
    /// By `plural.group`.
    pub types: BTreeMap<String, SchemaRead>,
    /// What could not be read for good, a line each.
    pub warnings: Vec<Warning>,
}

/// What came of reading one type's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaRead {
    /// It was read.
    New {
        /// What is kept of it.
        schema: TypeSchema,
        /// Stands for the state of what it was read from; empty where nothing tells whether that changed.
        revision: String,
    },
    /// It is what the caller holds.
    Unchanged,
    /// Time-outs, 5xx and broken connections after all retries: one line for the user, without the type's name.
    Failed(String),
}

/// Something the user should know that does not stop the run: one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Warning(pub String);

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which namespaces are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ListScope {
    /// All of them, and cluster-scoped objects.
    #[default]
    All,
    /// These only; cluster-scoped types are not listed.
    Namespaces(Vec<String>),
}

/// What a source tells about one type. A list goes from `Begin` to `Done` or `Failed`, and that is a whole sync; a watch goes on from
/// there with `Changed` and `Gone`, until `Failed` or the next `Begin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceEvent {
    /// The type, or one namespace of it, is listed from its beginning, for the first time or again: the list expired, or may only be
    /// read namespace by namespace. Whatever was seen of it counts as not seen. Pages follow, then `Done` or `Failed`.
    Begin {
        /// `None`: everything that is read of the type.
        namespace: Option<String>,
    },
    /// Objects that the list holds, in the order in which the server gave them. More pages follow, or `Done` or `Failed`. What came
    /// in a page exists, also where the list then fails.
    Page(Vec<ResourceInstance>),
    /// The list came to its end, as far as `coverage` says: what is covered and was in no page since `Begin` does not exist. A sync ends
    /// here. A watch from each of `positions` tells what happens next.
    Done(ListEnd),
    /// The object was created or changed after the list. More changes follow, or `Failed`.
    Changed {
        /// The object as it is now.
        object: Box<ResourceInstance>,
        /// Who changed it last, as its managed fields say: the manager of the newest entry that is not of the status. At most 128
        /// bytes without control characters; empty where it is not known, also where one of several entries has no time.
        manager: String,
    },
    /// The object was deleted after the list, or while it was streamed. More of either follows, or `Failed`.
    Gone(ObjectName),
    /// The list did not come to its end, or the watch broke off: what was not seen may exist all the same, and nothing more follows
    /// before the next `Begin`, or the next watch from the last known position.
    Failed(Skipped),
}

/// How a list ended that came to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListEnd {
    /// What was read whole.
    pub coverage: Coverage,
    /// Why the rest was not.
    pub skipped: Option<Skipped>,
    /// Whether there may be namespaces that were not read because they cannot be listed and nobody named them.
    pub unnamed: bool,
    /// Where a watch goes on, one for each list that came to its end: that of all namespaces, or one a namespace. Empty where the source
    /// cannot be watched.
    pub positions: Vec<Position>,
}

/// A point in the history of a type, from which a watch tells what happens next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// `None`: all of the type.
    pub namespace: Option<String>,
    /// The list's `resourceVersion`: to be given back as it is, never to be compared.
    pub resource_version: String,
}

/// Names an object among those of its type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectName {
    /// The namespace, or [`CLUSTER_SCOPE`](clusterlore_core::CLUSTER_SCOPE).
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

/// Where the events of one type go. The channel is bounded: a slow reader slows the list, memory stays flat.
#[derive(Debug, Clone)]
pub struct EventSink {
    /// Sent with every event, so that several types can share a channel.
    pub type_index: usize,
    /// To whoever stores the objects.
    pub sender: mpsc::Sender<(usize, SourceEvent)>,
}

impl EventSink {
    /// Hands an event on; waits while the reader is behind.
    ///
    /// # Errors
    /// [`ClusterError::Stopped`] when nobody reads any more.
    pub async fn send(&self, event: SourceEvent) -> Result<(), ClusterError> {
        self.sender.send((self.type_index, event)).await.map_err(|_| ClusterError::Stopped)
    }

    /// Says that the list begins, of one namespace or of all.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn begin(&self, namespace: Option<&str>) -> Result<(), ClusterError> {
        self.send(SourceEvent::Begin { namespace: namespace.map(str::to_owned) }).await
    }
}

/// Why a type, or part of it, was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Of which sort.
    pub reason: SkipReason,
    /// One line for the user, without the type's name.
    pub message: String,
}

/// The sorts of [`Skipped`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// 403, everywhere or in some namespaces.
    Forbidden,
    /// 404 or 405: the type is gone, or cannot be listed.
    NotFound,
    /// Time-outs, 5xx and broken connections after all retries, or an answer that nobody can decode.
    Unavailable,
    /// 410: the server no longer knows the state that was asked for, or what happened since. The type has to be listed again.
    Expired,
}
