//! What the fake server holds.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
};

use clusterlore_core::{CLUSTER_SCOPE, ResourceInstance, ResourceType};

use super::fault::{Fault, Target};
use super::history::{History, Kind};

/// Servers that were started.
static SERVERS: AtomicU64 = AtomicU64::new(0);

/// Forms in which discovery is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiscoveryForm {
    /// `apidiscovery.k8s.io/v2`, and what is older.
    #[default]
    V2,
    /// `apidiscovery.k8s.io/v2beta1`, and what is older.
    V2Beta1,
    /// Group by group.
    Old,
}

/// Forms in which a type's lists are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Whatever the request likes best.
    #[default]
    Any,
    /// Metadata lists, in JSON only.
    MetadataJson,
    /// Whole objects in JSON, whatever is asked for.
    WholeJson,
    /// Whole objects in JSON; a request that puts anything before it is answered with 406.
    OnlyPlainJson,
}

/// One request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Without the question mark; empty when there is none.
    pub query: String,
    /// The Accept header.
    pub accept: String,
    /// The Authorization header.
    pub authorization: String,
    /// The Accept-Encoding header.
    pub accept_encoding: String,
}

#[derive(Clone)]
pub(super) struct Generated {
    pub(super) count: usize,
    pub(super) make: Arc<dyn Fn(usize) -> ResourceInstance + Send + Sync>,
}

pub(super) struct State {
    pub(super) types: Vec<ResourceType>,
    /// By type name, namespace (empty for cluster-scoped) and name: the order of etcd.
    pub(super) objects: BTreeMap<(String, String, String), ResourceInstance>,
    pub(super) generated: HashMap<String, Generated>,
    pub(super) encodings: HashMap<String, Encoding>,
    pub(super) form: DiscoveryForm,
    pub(super) stale: HashMap<(String, String), bool>,
    pub(super) grants: Vec<(String, String)>,
    pub(super) denied: bool,
    pub(super) rules_incomplete: bool,
    pub(super) faults: Vec<(String, Fault)>,
    pub(super) seen: Vec<Seen>,
    pub(super) resource_version: u64,
    pub(super) history: History,
}

impl State {
    pub(super) fn new() -> Self {
        let namespaces = ResourceType {
            version: "v1".into(),
            kind: "Namespace".into(),
            plural: "namespaces".into(),
            singular: "namespace".into(),
            short_names: vec!["ns".into()],
            verbs: ["create", "delete", "get", "list", "patch", "update", "watch"].map(Into::into).into(),
            ..ResourceType::default()
        };
        let mut state = Self {
            types: vec![namespaces],
            objects: BTreeMap::new(),
            generated: HashMap::new(),
            encodings: HashMap::new(),
            form: DiscoveryForm::default(),
            stale: HashMap::new(),
            grants: Vec::new(),
            denied: false,
            rules_incomplete: false,
            faults: Vec::new(),
            seen: Vec::new(),
            resource_version: 1,
            history: History::new(),
        };
        state.need_namespace("default");
        // By this uid a cluster is known: each server is another one.
        let mut system = ResourceInstance::new("v1", "Namespace", None, "kube-system").expect("a valid name");
        system.uid = format!("00000000-0000-4000-8000-1{:011}", SERVERS.fetch_add(1, Ordering::Relaxed));
        state.put(system);
        state
    }

    pub(super) fn put(&mut self, mut instance: ResourceInstance) {
        let known = self.types.iter().find(|t| t.group == instance.api_group && t.kind == instance.kind);
        let type_name = known.unwrap_or_else(|| panic!("add_type the type of {} first", instance.id)).name();
        let namespace = if instance.is_cluster_scoped() { String::new() } else { instance.namespace.clone() };
        if !namespace.is_empty() {
            self.need_namespace(&namespace);
        }
        let key = (type_name, namespace, instance.name.clone());
        self.resource_version += 1;
        if instance.resource_version.is_empty() {
            instance.resource_version = self.resource_version.to_string();
        }
        if instance.uid.is_empty() {
            let known = self.objects.get(&key).map(|o| o.uid.clone());
            instance.uid = known.unwrap_or_else(|| format!("00000000-0000-4000-8000-{:012}", self.resource_version));
        }
        if instance.created_at.is_empty() {
            instance.created_at = "2026-01-02T03:04:05Z".into();
        }
        let kind = if self.objects.contains_key(&key) { Kind::Modified } else { Kind::Added };
        self.history.add(self.resource_version, kind, &key.0, &instance);
        self.objects.insert(key, instance);
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.remove_where(|_, object| object.id == id);
    }

    pub(super) fn remove_type(&mut self, name: &str) {
        self.types.retain(|t| t.name() != name);
        self.remove_where(|ty, _| ty == name);
        self.generated.remove(name);
        self.history.tell();
    }

    fn remove_where(&mut self, gone: impl Fn(&str, &ResourceInstance) -> bool) {
        for ((type_name, ..), mut object) in self.objects.extract_if(.., |(ty, ..), object| gone(ty, object)) {
            self.resource_version += 1;
            object.resource_version = self.resource_version.to_string();
            self.history.add(self.resource_version, Kind::Deleted, &type_name, &object);
        }
    }

    fn need_namespace(&mut self, name: &str) {
        if !self.objects.contains_key(&("namespaces".to_owned(), String::new(), name.to_owned())) {
            self.put(ResourceInstance::new("v1", "Namespace", None, name).expect("a namespace's name is valid"));
        }
    }

    /// The objects after `token`, at most `limit`, and the token to go on with.
    pub(super) fn page(
        &self,
        type_name: &str,
        namespace: Option<&str>,
        limit: Option<usize>,
        token: Option<&str>,
    ) -> (Vec<ResourceInstance>, Option<String>) {
        let limit = limit.filter(|l| *l > 0).unwrap_or(usize::MAX);
        let mut page = Vec::new();
        let inside = |o: &ResourceInstance| {
            namespace.is_none_or(|n| o.namespace == n) && (namespace.is_none() || o.namespace != CLUSTER_SCOPE)
        };
        let held_after = match token {
            None => Some((String::new(), String::new())),
            Some(token) => token.strip_prefix("held:").map(|key| {
                let (namespace, name) = key.split_once('/').unwrap_or((key, ""));
                (namespace.to_owned(), name.to_owned())
            }),
        };
        if let Some((after_namespace, after_name)) = held_after {
            let start = (type_name.to_owned(), after_namespace, after_name);
            let later = (std::ops::Bound::Excluded(start), std::ops::Bound::Unbounded);
            let of_type = self.objects.range(later).take_while(|((ty, ..), _)| ty == type_name);
            for ((_, namespace, name), object) in of_type.filter(|(_, o)| inside(o)) {
                page.push((format!("held:{namespace}/{name}"), object.clone()));
                if page.len() > limit {
                    break;
                }
            }
        }
        if let Some(generated) = self.generated.get(type_name) {
            let first = token.and_then(|t| t.strip_prefix("made:")?.parse().ok()).unwrap_or(0);
            let rest = (first..generated.count).map(|n| (format!("made:{}", n + 1), (generated.make)(n)));
            page.extend(rest.filter(|(_, o)| inside(o)).take((limit.saturating_add(1)).saturating_sub(page.len())));
        }
        let more = page.len() > limit;
        page.truncate(limit);
        let token = page.last().filter(|_| more).map(|(token, _)| token.clone());
        (page.into_iter().map(|(_, o)| o).collect(), token)
    }

    pub(super) fn may_list(&self, type_name: &str, namespace: Option<&str>) -> bool {
        let granted = |(n, ty): &(String, String)| {
            (n == "*" || namespace.is_some_and(|wanted| wanted == n)) && (ty == "*" || ty == type_name)
        };
        (!self.denied && self.grants.is_empty()) || self.grants.iter().any(granted)
    }

    /// The fault that this request meets, the newest first.
    pub(super) fn meets(&mut self, target: &Target<'_>) -> Option<Fault> {
        self.faults
            .iter_mut()
            .rev()
            .filter(|(name, _)| {
                name == "*" || Some(name.as_str()) == target.type_name || {
                    name.starts_with('/') && target.path.starts_with(name.as_str())
                }
            })
            .find_map(|(_, fault)| fault.meets(target).then(|| fault.clone()))
    }
}
