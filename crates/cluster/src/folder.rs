//! A folder of manifests.

use std::path::Path;

use async_trait::async_trait;
use clusterlore_core::{ResourceType, SourceIdentity};

use crate::{ClusterError, ClusterSource, Discovery, ListScope, Listing, PageSink, Warning};

/// A folder of manifests, read whole when it is opened.
#[derive(Debug)]
pub struct FolderSource {}

impl FolderSource {
    /// Reads the folder.
    ///
    /// # Errors
    /// It is not there, cannot be read, or holds no manifest.
    pub fn open(dir: &Path) -> Result<Self, ClusterError> {
        let _ = dir;
        unimplemented!()
    }
}

#[async_trait]
impl ClusterSource for FolderSource {
    async fn identity(&self) -> Result<SourceIdentity, ClusterError> {
        unimplemented!()
    }
    async fn discover(&self) -> Result<Discovery, ClusterError> {
        unimplemented!()
    }
    async fn list(&self, _: &ResourceType, _: &ListScope, _: &PageSink) -> Result<Listing, ClusterError> {
        unimplemented!()
    }
    async fn describe(&self, _: &mut [ResourceType]) -> Vec<Warning> {
        unimplemented!()
    }
    async fn namespaces(&self) -> Result<Vec<String>, ClusterError> {
        unimplemented!()
    }
}
