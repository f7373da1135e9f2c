//! Reading a cluster: which types it serves and what exists of each, from a live API server or from a folder of manifests.
//! [`ClusterSource`] is the one door; [`LiveSource`] and [`FolderSource`] stand behind it. Either tells about a type in
//! [`SourceEvent`]s; [`LiveSource::watch`] goes on with them where a list ended. [`tables`] looks at what metadata cannot say, and
//! [`reads`] at single objects.
//!
//! Never in this room: writing to a cluster but by the one call of [`writes`], environment variables of our own, printing, and anything of an object beyond its
//! metadata, but for two rooms that keep nothing: `tables` (what the API server prints of it) and `reads` (single objects, without values of
//! Secrets). Annotations that do not describe are dropped where a list is decoded and appear in no value, log or error.

mod access;
mod address;
mod bounds;
mod builtin;
mod config;
mod crds;
mod decode;
mod discovery;
mod documents;
mod environment;
mod error;
mod files;
mod folder;
mod json_list;
mod kinds;
mod kubeconfig;
mod line;
mod list;
mod live;
mod options;
mod permissions;
mod plugin;
mod protobuf;
pub mod reads;
mod requests;
mod retry;
pub mod reviews;
mod schema;
mod schema_reading;
mod source;
mod streamed;
pub mod tables;
mod watch;
pub mod writes;

pub use environment::Environment;
pub use error::ClusterError;
pub use folder::FolderSource;
pub use kinds::{compare_versions, probable_type};
pub use live::LiveSource;
pub use options::LiveOptions;
pub use retry::RetryPolicy;
pub use source::{
    ClusterSource, Discovery, EventSink, ListEnd, ListScope, ObjectName, Position, SchemaRead, Schemas, SkipReason,
    Skipped, SourceEvent, Warning,
};
pub use watch::{Watch, WatchBounds, Watched};
