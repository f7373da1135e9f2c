//! A live API server.

use futures::future::BoxFuture;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use async_trait::async_trait;
use clusterlore_core::{AnnotationChoice, Coverage, Identity, ResourceType, SourceIdentity};
use futures::{StreamExt, stream};
use http::StatusCode;
use serde::Deserialize;
use tokio::sync::{Mutex, mpsc};

use crate::access::Access;
use crate::error::ClusterError;
use crate::list::{self, Stopped};
use crate::options::LiveOptions;
use crate::requests::{Ask, Failure, Requests, SharedRequests, status_line};
use crate::source::{
    ClusterSource, Discovery, EventSink, ListEnd, ListScope, Position, Schemas, SkipReason, Skipped, SourceEvent,
    Warning,
};
use crate::streamed::{self, Streams};
use crate::watch::{Watch, WatchBounds};
use crate::{config, crds, decode, discovery, schema_reading};

/// The namespace by whose uid a cluster is known.
const KUBE_SYSTEM: &str = "kube-system";

/// Namespaces of one type that are read at the same time.
const NAMESPACES_AT_ONCE: usize = 4;

/// A live API server, read through kube's client. Made for one run: what the caller may do is asked once and kept.
pub struct LiveSource {
    pub(crate) requests: SharedRequests,
    pub(crate) access: Access,
    streams: Streams,
    reach: Mutex<Option<Arc<Reach>>>,
}

/// How a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Pages,
    /// As the beginning of a watch; by pages where that does not come to its end.
    Streamed,
}

/// The namespaces that are read one by one where a type may not be listed as a whole.
pub(crate) struct Reach {
    pub(crate) namespaces: Arc<BTreeSet<String>>,
    /// Why there may be more of them.
    partial: Option<Skipped>,
}

impl LiveSource {
    /// Reads the kubeconfig and prepares the client; the server is first asked when something is read.
    ///
    /// # Errors
    /// The kubeconfig or its credentials cannot be used.
    pub fn connect(options: LiveOptions) -> BoxFuture<'static, Result<Self, ClusterError>> {
        Box::pin(async move {
            let requests = Arc::new(Requests::new(options).await?);
            Ok(Self { requests, access: Access::default(), streams: Streams::default(), reach: Mutex::default() })
        })
    }

    /// The context that these options choose, and the cluster that it names; nobody is asked. `None`: no context, or none that can be
    /// read.
    pub fn chosen(options: &LiveOptions) -> Option<(String, SourceIdentity)> {
        config::chosen(options)
    }

    /// The namespace of the context that these options choose; nobody is asked. `None`: as with [`Self::chosen`].
    pub fn chosen_namespace(options: &LiveOptions) -> Option<String> {
        config::chosen_namespace(options)
    }

    /// The contexts that these options can choose from; nobody is asked.
    pub fn contexts(options: &LiveOptions) -> Vec<String> {
        config::contexts(options)
    }

    /// Server URL, as the kubeconfig gives it.
    pub fn server(&self) -> &str {
        &self.requests.server.url
    }

    /// The context's namespace.
    pub fn default_namespace(&self) -> &str {
        &self.requests.server.namespace
    }

    /// The uid of the namespace kube-system, or why it cannot be read. Who may not get it may often list it.
    async fn uid(&self) -> Result<Result<String, String>, ClusterError> {
        #[derive(Default, Deserialize)]
        struct Answer {
            #[serde(default)]
            metadata: Meta,
            #[serde(default)]
            items: Vec<Answer>,
        }
        #[derive(Default, Deserialize)]
        struct Meta {
            #[serde(default)]
            name: String,
            #[serde(default)]
            uid: String,
        }
        /// A UUID has 36 characters.
        const LONGEST_UID: usize = 128;
        let one = (
            format!("/api/v1/namespaces/{KUBE_SYSTEM}"),
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
        );
        let listed = (
            format!("/api/v1/namespaces?fieldSelector=metadata.name%3D{KUBE_SYSTEM}"),
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
        );
        let mut refused = None;
        for (path, accept) in [one, listed] {
            let reason = match self.requests.send(&Ask::get(path, accept)).await {
                Ok(answer) => match decode::from_json::<Answer>(&answer.body) {
                    Ok(Answer { metadata, items }) => {
                        let mut found = items.into_iter().map(|item| item.metadata).chain([metadata]);
                        match found.find(|meta| {
                            meta.name == KUBE_SYSTEM && !meta.uid.is_empty() && meta.uid.len() <= LONGEST_UID
                        }) {
                            Some(meta) => return Ok(Ok(meta.uid)),
                            None => "the answer names no uid".to_owned(),
                        }
                    }
                    Err(broken) => broken,
                },
                Err(Failure::Status(StatusCode::FORBIDDEN, message)) if refused.is_none() => {
                    refused = Some(status_line(StatusCode::FORBIDDEN, &message));
                    continue;
                }
                Err(failure) => failure.into_reason()?,
            };
            return Ok(Err(refused.unwrap_or(reason)));
        }
        Ok(Err(refused.unwrap_or_default()))
    }

    /// The namespaces, and why there may be others.
    async fn list_namespaces(&self) -> Result<(BTreeSet<String>, Option<Skipped>), ClusterError> {
        let ty = Arc::new(namespace_type());
        let (sender, mut events) = mpsc::channel(4);
        let sink = EventSink { type_index: 0, sender };
        let read = async move { list::read(&self.requests, &ty, None, &sink).await };
        let collect = async {
            let mut names = BTreeSet::new();
            while let Some((_, event)) = events.recv().await {
                match event {
                    SourceEvent::Begin { .. } => names.clear(),
                    SourceEvent::Page(page) => names.extend(page.into_iter().map(|n| n.name)),
                    // Reading one list tells no more.
                    _ => {}
                }
            }
            names
        };
        let (read, names) = futures::join!(read, collect);
        let skipped = match read {
            Ok(whole) => whole.skipped,
            Err(Stopped::Run(error)) => return Err(error),
            Err(Stopped::Type(skipped)) => Some(skipped),
        };
        // Every cluster has it: a list without it is none of all namespaces.
        let odd = || Skipped {
            reason: SkipReason::Unavailable,
            message: format!("the list of namespaces does not hold {KUBE_SYSTEM}"),
        };
        let skipped = skipped.or_else(|| (!names.contains(KUBE_SYSTEM)).then(odd));
        Ok((names, skipped))
    }

    pub(crate) async fn reach(&self) -> Result<Arc<Reach>, ClusterError> {
        // Held while they are read: types that need them at the same time wait for one answer.
        let mut known = self.reach.lock().await;
        if let Some(reach) = &*known {
            return Ok(Arc::clone(reach));
        }
        let (mut namespaces, skipped) = self.list_namespaces().await?;
        let partial = skipped.map(|Skipped { reason, message }| {
            let why = match reason {
                SkipReason::Forbidden => "namespaces may not be listed".to_owned(),
                _ => format!("namespaces cannot be listed ({message})"),
            };
            let read = match namespaces.len() {
                0 => format!("the context's namespace {} was read", self.requests.server.namespace),
                1 => "one of them was read".to_owned(),
                some => format!("{some} of them were read"),
            };
            Skipped { reason, message: format!("{why}: only {read}") }
        });
        if partial.is_some() && namespaces.is_empty() {
            namespaces.insert(self.requests.server.namespace.clone());
        }
        Ok(Arc::clone(known.insert(Arc::new(Reach { namespaces: Arc::new(namespaces), partial }))))
    }

    /// Reads the namespaces of `reach` in which the caller may. `whole` says that these are all that there are.
    async fn list_by_namespace(
        &self,
        ty: &Arc<ResourceType>,
        reach: &Reach,
        whole: bool,
        events: &EventSink,
        way: Way,
    ) -> Result<(), ClusterError> {
        let mut ends = stream::iter(reach.namespaces.iter().cloned())
            .map(|namespace| async move {
                let end = match self.access.may_list(&self.requests, &namespace, &ty.group, &ty.plural).await {
                    Ok(true) => self.read(ty, Some(&namespace), events, way).await,
                    Ok(false) => {
                        Err(Stopped::Type(Skipped { reason: SkipReason::Forbidden, message: "forbidden".to_owned() }))
                    }
                    Err(error) => Err(Stopped::Run(error)),
                };
                (namespace, end)
            })
            .buffer_unordered(NAMESPACES_AT_ONCE);
        let (mut read, mut positions) = (BTreeSet::new(), Vec::new());
        let mut skipped: Vec<(String, Skipped)> = Vec::new();
        while let Some((namespace, end)) = ends.next().await {
            match end {
                Ok(list::Whole { position, skipped: why }) => {
                    positions.push(position);
                    match why {
                        None => drop(read.insert(namespace)),
                        Some(why) => skipped.push((namespace, why)),
                    }
                }
                Err(Stopped::Run(error)) => return Err(error),
                Err(Stopped::Type(why)) => skipped.push((namespace, why)),
            }
        }
        let coverage = match whole {
            true => Coverage::Namespaces { listed: read, existing: Some(Arc::clone(&reach.namespaces)) },
            false if read.is_empty() => Coverage::Nothing,
            false => Coverage::of_namespaces(read),
        };
        let skipped = summed_up(skipped, reach.partial.as_ref());
        events.send(SourceEvent::Done(ListEnd { coverage, skipped, unnamed: reach.partial.is_some(), positions })).await
    }

    /// Reads one list to its end: of a whole type, or of one namespace of it.
    async fn read(
        &self,
        ty: &Arc<ResourceType>,
        namespace: Option<&str>,
        events: &EventSink,
        way: Way,
    ) -> Result<list::Whole, Stopped> {
        if way == Way::Streamed
            && let Some(whole) = streamed::read(&self.requests, &self.streams, ty, namespace, events).await?
        {
            return Ok(whole);
        }
        list::read(&self.requests, ty, namespace, events).await
    }

    async fn list_in(
        &self,
        ty: &ResourceType,
        scope: &ListScope,
        events: &EventSink,
        way: Way,
    ) -> Result<(), ClusterError> {
        let ty = Arc::new(ty.clone());
        events.begin(None).await?;
        if let ListScope::Namespaces(namespaces) = scope {
            if !ty.namespaced {
                return events.send(SourceEvent::Done(ListEnd::default())).await;
            }
            let named = Reach { namespaces: Arc::new(namespaces.iter().cloned().collect()), partial: None };
            return self.list_by_namespace(&ty, &named, false, events, way).await;
        }
        let end = match self.read(&ty, None, events, way).await {
            Ok(list::Whole { position, skipped }) => {
                let coverage = if skipped.is_none() { Coverage::All } else { Coverage::Nothing };
                SourceEvent::Done(ListEnd { coverage, skipped, unnamed: false, positions: vec![position] })
            }
            Err(Stopped::Run(error)) => return Err(error),
            Err(Stopped::Type(Skipped { reason: SkipReason::Forbidden, .. })) if ty.namespaced => {
                // The permission may have gone between two pages.
                events.begin(None).await?;
                let reach = self.reach().await?;
                return self.list_by_namespace(&ty, &reach, reach.partial.is_none(), events, way).await;
            }
            Err(Stopped::Type(skipped)) => SourceEvent::Failed(skipped),
        };
        events.send(end).await
    }

    /// As [`ClusterSource::list`], of a type that is watched afterwards: streamed, as the beginning of a watch, where the server has
    /// streaming lists, which it gives from memory; by pages where it has none. What is deleted while a list is streamed is told as
    /// [`SourceEvent::Gone`].
    ///
    /// # Errors
    /// As [`ClusterSource::list`].
    pub fn list_to_watch<'f>(
        &'f self,
        ty: &'f ResourceType,
        scope: &'f ListScope,
        events: &'f EventSink,
    ) -> BoxFuture<'f, Result<(), ClusterError>> {
        Box::pin(self.list_in(ty, scope, events, Way::Streamed))
    }

    /// Watches a type, or one namespace of it, from a position on that a list gave. One request: it ends when the server ends it, or
    /// breaks off, and is not made again here.
    ///
    /// # Errors
    /// What ends a whole run: refused credentials, no secure connection. Everything else is told by the watch itself.
    pub fn watch<'f>(
        &'f self,
        ty: &'f ResourceType,
        from: &'f Position,
        bounds: &'f WatchBounds,
    ) -> BoxFuture<'f, Result<Watch, ClusterError>> {
        Box::pin(async move { Watch::open(&self.requests, ty, from, bounds).await })
    }
}

/// One line for all namespaces that were not read, under the weightiest of the reasons.
fn summed_up(mut skipped: Vec<(String, Skipped)>, partial: Option<&Skipped>) -> Option<Skipped> {
    skipped.sort_by(|(a, x), (b, y)| y.reason.cmp(&x.reason).then(a.cmp(b)));
    let Some((first, worst)) = skipped.first() else { return partial.cloned() };
    let alike: Vec<&str> = skipped.iter().filter(|(_, s)| s.reason == worst.reason).map(|(n, _)| n.as_str()).collect();
    let message = match worst.reason {
        SkipReason::Forbidden => format!("forbidden in {}", named(&alike)),
        _ if alike.len() == 1 => format!("namespace {first}: {}", worst.message),
        _ => format!("{} (and likewise in {})", worst.message, named(&alike[1..])),
    };
    Some(match partial {
        None => Skipped { reason: worst.reason, message },
        Some(partial) => {
            Skipped { reason: worst.reason.max(partial.reason), message: format!("{message}; {}", partial.message) }
        }
    })
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
    async fn identity(&self) -> Result<Identity, ClusterError> {
        let (uid, unread) = match self.uid().await? {
            Ok(uid) => (Some(uid), None),
            Err(reason) => (None, Some(reason)),
        };
        let server = &self.requests.server;
        let source = SourceIdentity::Cluster { uid, server: server.url.clone(), ca_hash: server.ca_hash.clone() };
        Ok(Identity { source, unread })
    }

    async fn serves(&self, ty: &ResourceType) -> Result<Option<bool>, ClusterError> {
        discovery::serves(&self.requests, ty).await
    }

    fn context(&self) -> String {
        self.requests.server.context().to_owned()
    }

    fn annotations(&self) -> AnnotationChoice {
        self.requests.options.annotations.clone()
    }

    async fn renew(&self) {
        *self.reach.lock().await = None;
        self.access.forget();
    }

    async fn discover(&self) -> Result<Discovery, ClusterError> {
        discovery::discover(&self.requests).await
    }

    async fn list(&self, ty: &ResourceType, scope: &ListScope, events: &EventSink) -> Result<(), ClusterError> {
        self.list_in(ty, scope, events, Way::Pages).await
    }

    async fn describe(&self, types: &mut [ResourceType]) -> Vec<Warning> {
        crds::describe(&self.requests, types).await
    }

    async fn schemas(&self, types: &[ResourceType], known: &HashMap<String, String>) -> Result<Schemas, ClusterError> {
        schema_reading::read(&self.requests, types, known).await
    }

    async fn namespaces(&self) -> Result<Vec<String>, ClusterError> {
        match self.list_namespaces().await? {
            (namespaces, None) => Ok(namespaces.into_iter().collect()),
            (_, Some(skipped)) => Err(ClusterError::Refused {
                url: self.requests.server.url.clone(),
                what: "its namespaces".to_owned(),
                reason: skipped.message,
            }),
        }
    }
}
