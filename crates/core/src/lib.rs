//! The nouns of clusterlore and the rules that need nothing but them: what an instance is called, which text stands for it,
//! when it has changed, what a sync may delete.
//!
//! Never in this room: I/O, async, clocks, environment variables, and anything that knows about kube, SQL, HTTP or a model.

mod annotations;
mod capability;
mod collection;
pub mod conditions;
mod document;
mod embedder;
mod glob;
mod instance;
mod journal;
mod name_pattern;
mod plan;
mod resource_type;
mod scope;
mod selector;
mod source;
mod times;
mod type_filter;
pub mod words;

pub use annotations::{ANNOTATION_BYTES, ANNOTATIONS_KEPT, AnnotationChoice, AnnotationChoiceError, is_managed};
pub use capability::{Capability, Complexity, SchemaField, TypeSchema};
pub use collection::{Collection, UnknownCollection};
pub use conditions::{Limit, LiveCondition, Replicas};
pub use document::{ContentHash, Document, Facets, Fingerprint, ObjectKey, TEXT_VERSION};
pub use embedder::EmbedderIdentity;
pub use instance::{
    CLUSTER_SCOPE, InvalidInstance, Metadata, OwnerReference, ResourceInstance, api_group, description_annotations,
    is_description_key, may_be_named, stored_id,
};
pub use journal::{Happening, JournalBounds, JournalEntry, JournalQuery};
pub use name_pattern::{NamePattern, NamePatternError};
pub use plan::{Change, Coverage, Known, Origin, SyncPlan};
pub use resource_type::ResourceType;
pub use scope::{Rule, Scope, TOLD_APART};
pub use selector::{Requirement, Selector, SelectorError};
pub use source::{Identity, SourceIdentity, SourceMismatch, cluster_name, is_of_cluster_name};
pub use times::{NoTime, age, duration, moment};
pub use type_filter::{TypeFilter, TypePattern, TypePatternError, excluded_by_default};
