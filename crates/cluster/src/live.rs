//! A live API server.

use std::{path::PathBuf, time::Duration};

use async_trait::async_trait;
use clusterlore_core::{ResourceType, SourceIdentity};

use crate::{ClusterError, ClusterSource, Discovery, ListScope, Listing, PageSink, Warning};

/// How often and how patiently a request is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Requests in all, the first one included.
    pub tries: u32,
    /// Pause before the first repetition; doubles with each, and varies by half.
    pub base: Duration,
    /// Longest pause, and the most that a Retry-After is honoured.
    pub max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { tries: 4, base: Duration::from_millis(200), max: Duration::from_secs(30) }
    }
}

/// How to reach the API server and how to read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveOptions {
    /// Kubeconfig file; `None`: what kubectl would take, else the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; `None`: the current one.
    pub context: Option<String>,
    /// Objects a page.
    pub page_size: u32,
    /// For one answer, from the request to the last byte of its body.
    pub request_timeout: Duration,
    /// For time-outs, 5xx, 429 and broken connections.
    pub retry: RetryPolicy,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            context: None,
            page_size: 500,
            request_timeout: Duration::from_secs(60),
            retry: RetryPolicy::default(),
        }
    }
}

/// A live API server, read through kube's client.
pub struct LiveSource {}

impl LiveSource {
    /// Reads the kubeconfig and prepares the client; the server is first asked when something is read.
    ///
    /// # Errors
    /// The kubeconfig or its credentials cannot be used.
    pub async fn connect(options: LiveOptions) -> Result<Self, ClusterError> {
        let _ = options;
        unimplemented!()
    }
}

#[async_trait]
impl ClusterSource for LiveSource {
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
