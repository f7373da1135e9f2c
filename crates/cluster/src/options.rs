//! How a live API server is asked.

use std::path::PathBuf;
use std::time::Duration;

use clusterlore_core::AnnotationChoice;

use crate::environment::Environment;
use crate::retry::RetryPolicy;

/// How to reach the API server and how to read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveOptions {
    /// Kubeconfig file; `None`: what kubectl would take, else the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; `None`: the current one.
    pub context: Option<String>,
    /// As whom requests are made, and as which groups; `None`: as the kubeconfig says.
    pub impersonate: Option<(String, Vec<String>)>,
    /// What the environment says of clusters and the way to them.
    pub environment: Environment,
    /// Annotations that are kept beside descriptions.
    pub annotations: AnnotationChoice,
    /// Objects a page.
    pub page_size: u32,
    /// Longest wait for an answer to begin, and then for each further piece of it.
    pub request_timeout: Duration,
    /// For time-outs, 5xx, 429 and broken connections.
    pub retry: RetryPolicy,
    /// Longest time for one answer, from the request to its last byte.
    pub answer_timeout: Duration,
    /// Most bytes of one page of a list. Memory does not grow with it: lists are decoded while they arrive. A list that expired
    /// twice, and is read without pages, may have 16 times as many.
    pub answer_bytes: u64,
    /// Most pages of one list.
    pub pages: u32,
    /// Longest time in which a run, from one discovery to the next, may read. What is not read then is skipped. (A server that does not
    /// answer does not take so long: what was waited in vain, ten times `request_timeout` in all, shortens every further wait to a tenth.)
    pub run_timeout: Duration,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            context: None,
            impersonate: None,
            environment: Environment::default(),
            annotations: AnnotationChoice::default(),
            page_size: 500,
            request_timeout: Duration::from_secs(60),
            retry: RetryPolicy::default(),
            answer_timeout: Duration::from_secs(300),
            answer_bytes: 256 << 20,
            pages: 5_000,
            run_timeout: Duration::from_secs(3600),
        }
    }
}
