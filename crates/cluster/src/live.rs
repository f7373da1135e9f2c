//! A live API server.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use clusterlore_core::{Coverage, ResourceType, SourceIdentity};
use futures::{StreamExt, stream};
use http::StatusCode;
use serde::Deserialize;
use tokio::sync::{OnceCell, mpsc};

use crate::{
    ClusterError, ClusterSource, Discovery, ListEvent, ListScope, Listing, PageSink, RetryPolicy, Schemas, SkipReason,
    Skipped, Warning,
    access::Access,
    crds, decode, discovery,
    list::{self, Stopped},
    requests::{Ask, Failure, Requests, SharedRequests},
    schema_reading,
};

/// How to reach the API server and how to read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveOptions {
    /// Kubeconfig file; `None`: what kubectl would take, else the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; `None`: the current one.
    pub context: Option<String>,
    /// Hosts that are reached without the proxy of HTTPS_PROXY: the value of NO_PROXY. A proxy-url in the kubeconfig always
    /// counts.
    pub no_proxy: Option<String>,
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
            no_proxy: None,
            page_size: 500,
            request_timeout: Duration::from_secs(60),
            retry: RetryPolicy::default(),
            answer_timeout: Duration::from_secs(300),
            answer_bytes: 256 << 20,
            pages: 20_000,
            run_timeout: Duration::from_secs(3600),
        }
    }
}

/// Namespaces of one type that are read at the same time.
const NAMESPACES_AT_ONCE: usize = 4;

/// A live API server, read through kube's client. Made for one run: what the caller may do is asked once and kept.
pub struct LiveSource {
    pub(crate) requests: SharedRequests,
    access: Access,
    reach: OnceCell<Reach>,
}

/// The namespaces that are read one by one where a type may not be listed as a whole.
struct Reach {
    namespaces: Vec<String>,
    /// Why there may be more of them.
    partial: Option<String>,
}

impl LiveSource {
    /// Reads the kubeconfig and prepares the client; the server is first asked when something is read.
    ///
    /// # Errors
    /// The kubeconfig or its credentials cannot be used.
    pub async fn connect(options: LiveOptions) -> Result<Self, ClusterError> {
        let requests = Arc::new(Requests::new(options).await?);
        Ok(Self { requests, access: Access::default(), reach: OnceCell::new() })
    }

    /// Server URL, as the kubeconfig gives it.
    pub fn server(&self) -> &str {
        &self.requests.server.url
    }

    /// The context's namespace.
    pub fn default_namespace(&self) -> &str {
        &self.requests.server.namespace
    }

    async fn list_namespaces(&self) -> Result<Result<Vec<String>, Skipped>, ClusterError> {
        let ty = Arc::new(namespace_type());
        let (sender, mut events) = mpsc::channel(4);
        let sink = PageSink { type_index: 0, sender };
        let read = async move { list::read(&self.requests, &ty, None, &sink).await };
        let collect = async {
            let mut names = BTreeSet::new();
            while let Some((_, event)) = events.recv().await {
                match event {
                    ListEvent::Page(page) => names.extend(page.into_iter().map(|n| n.name)),
                    ListEvent::Restarted { .. } => names.clear(),
                }
            }
            names.into_iter().collect()
        };
        match futures::join!(read, collect) {
            (Ok(()), names) => Ok(Ok(names)),
            (Err(Stopped::Run(error)), _) => Err(error),
            (Err(Stopped::Type(skipped)), _) => Ok(Err(skipped)),
        }
    }

    async fn reach(&self) -> Result<&Reach, ClusterError> {
        self.reach
            .get_or_try_init(|| async {
                Ok(match self.list_namespaces().await? {
                    Ok(namespaces) => Reach { namespaces, partial: None },
                    Err(skipped) => {
                        let why = match skipped.reason {
                            SkipReason::Forbidden => "namespaces may not be listed".to_owned(),
                            _ => format!("namespaces cannot be listed ({})", skipped.message),
                        };
                        let own = self.requests.server.namespace.clone();
                        let partial =
                            format!("{why}: only the context's namespace {own} was read; name others with -n");
                        Reach { namespaces: vec![own], partial: Some(partial) }
                    }
                })
            })
            .await
    }

    /// Reads the namespaces in which the caller may; `partial` says why there may be others.
    async fn list_by_namespace(
        &self,
        ty: &Arc<ResourceType>,
        namespaces: BTreeSet<String>,
        partial: Option<&str>,
        pages: &PageSink,
    ) -> Result<Listing, ClusterError> {
        let mut ends = stream::iter(namespaces)
            .map(|namespace| async move {
                let end = match self.access.may_list(&self.requests, &namespace, &ty.group, &ty.plural).await {
                    Ok(true) => list::read(&self.requests, ty, Some(&namespace), pages).await,
                    Ok(false) => {
                        Err(Stopped::Type(Skipped { reason: SkipReason::Forbidden, message: "forbidden".to_owned() }))
                    }
                    Err(error) => Err(Stopped::Run(error)),
                };
                (namespace, end)
            })
            .buffer_unordered(NAMESPACES_AT_ONCE);
        let mut read = BTreeSet::new();
        let mut skipped: Vec<(String, Skipped)> = Vec::new();
        while let Some((namespace, end)) = ends.next().await {
            match end {
                Ok(()) => {
                    read.insert(namespace);
                }
                Err(Stopped::Run(error)) => return Err(error),
                Err(Stopped::Type(why)) => skipped.push((namespace, why)),
            }
        }
        let coverage = if read.is_empty() { Coverage::Nothing } else { Coverage::Namespaces(read) };
        Ok(Listing { coverage, skipped: summed_up(skipped, partial) })
    }
}

/// One line for all namespaces that were not read, under the weightiest of the reasons.
fn summed_up(mut skipped: Vec<(String, Skipped)>, partial: Option<&str>) -> Option<Skipped> {
    skipped.sort_by(|(a, x), (b, y)| y.reason.cmp(&x.reason).then(a.cmp(b)));
    let Some((first, worst)) = skipped.first() else {
        return partial.map(|p| Skipped { reason: SkipReason::Forbidden, message: p.to_owned() });
    };
    let alike: Vec<&str> = skipped.iter().filter(|(_, s)| s.reason == worst.reason).map(|(n, _)| n.as_str()).collect();
    let mut message = match worst.reason {
        SkipReason::Forbidden => format!("forbidden in {}", named(&alike)),
        _ if alike.len() == 1 => format!("namespace {first}: {}", worst.message),
        _ => format!("{} (and likewise in {})", worst.message, named(&alike[1..])),
    };
    if let Some(partial) = partial {
        message = format!("{message}; {partial}");
    }
    Some(Skipped { reason: worst.reason, message })
}

fn named(namespaces: &[&str]) -> String {
    const SHOWN: usize = 5;
    match namespaces {
        [one] => format!("namespace {one}"),
        some if some.len() <= SHOWN => format!("namespaces {}", some.join(", ")),
        many => format!("{} namespaces ({}, …)", many.len(), many[..SHOWN].join(", ")),
    }
}

fn namespace_type() -> ResourceType {
    ResourceType {
        version: "v1".to_owned(),
        kind: "Namespace".to_owned(),
        plural: "namespaces".to_owned(),
        ..ResourceType::default()
    }
}

#[async_trait]
impl ClusterSource for LiveSource {
    async fn identity(&self) -> Result<SourceIdentity, ClusterError> {
        #[derive(Deserialize)]
        struct Namespace {
            metadata: Meta,
        }
        #[derive(Deserialize)]
        struct Meta {
            uid: String,
        }
        let metadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
        let ask = Ask::get("/api/v1/namespaces/kube-system", metadata);
        let uid = match self.requests.send(&ask).await {
            Ok(answer) => decode::from_json::<Namespace>(&answer.body).ok().map(|n| n.metadata.uid),
            Err(Failure::Ends(error)) => return Err(error),
            Err(Failure::Status(StatusCode::FORBIDDEN | StatusCode::NOT_FOUND, _)) => None,
            Err(failure) => {
                tracing::debug!(?failure, "the uid of kube-system cannot be read");
                None
            }
        };
        let server = &self.requests.server;
        Ok(SourceIdentity::Cluster {
            uid: uid.filter(|uid| !uid.is_empty()),
            server: server.url.clone(),
            ca_hash: server.ca_hash.clone(),
        })
    }

    async fn discover(&self) -> Result<Discovery, ClusterError> {
        discovery::discover(&self.requests).await
    }

    async fn list(&self, ty: &ResourceType, scope: &ListScope, pages: &PageSink) -> Result<Listing, ClusterError> {
        let ty = Arc::new(ty.clone());
        if let ListScope::Namespaces(namespaces) = scope {
            if !ty.namespaced {
                return Ok(Listing::default());
            }
            let namespaces = namespaces.iter().cloned().collect();
            return self.list_by_namespace(&ty, namespaces, None, pages).await;
        }
        match list::read(&self.requests, &ty, None, pages).await {
            Ok(()) => Ok(Listing { coverage: Coverage::All, skipped: None }),
            Err(Stopped::Run(error)) => Err(error),
            Err(Stopped::Type(Skipped { reason: SkipReason::Forbidden, .. })) if ty.namespaced => {
                // The permission may have gone between two pages.
                pages.restarted(None).await?;
                let reach = self.reach().await?;
                let namespaces = reach.namespaces.iter().cloned().collect();
                self.list_by_namespace(&ty, namespaces, reach.partial.as_deref(), pages).await
            }
            Err(Stopped::Type(skipped)) => Ok(Listing { coverage: Coverage::Nothing, skipped: Some(skipped) }),
        }
    }

    async fn describe(&self, types: &mut [ResourceType]) -> Vec<Warning> {
        crds::describe(&self.requests, types).await
    }

    async fn schemas(&self, types: &[ResourceType], known: &HashMap<String, String>) -> Result<Schemas, ClusterError> {
        schema_reading::read(&self.requests, types, known).await
    }

    async fn namespaces(&self) -> Result<Vec<String>, ClusterError> {
        self.list_namespaces().await?.map_err(|skipped| ClusterError::Refused {
            url: self.requests.server.url.clone(),
            what: "its namespaces".to_owned(),
            reason: skipped.message,
        })
    }
}
