//! The one tool that changes something. An object is applied only after the server has tried it, a person has seen what would change, and
//! has said yes.

use futures::future::BoxFuture;
use std::sync::Arc;

use async_trait::async_trait;
use clusterlore_cluster::LiveSource;
use clusterlore_cluster::reads::{MASKED, Object, ReadLimits};
use clusterlore_cluster::writes::{Manner, NotApplied};
use clusterlore_core::{CLUSTER_SCOPE, Collection, ResourceType, Scope};
use clusterlore_index::{Door, Index, Request};
use clusterlore_models::Tool;
use clusterlore_search::{Noun, SearchError};
use serde::Deserialize;
use serde_json::{Value, json};
use similar::TextDiff;
use tokio::sync::OnceCell;

use super::guard::Named;
use super::live::Live;
use super::told::{Outcome, Told, arguments, id};

pub(super) const APPLY: &str = "kubectl_apply";

/// Bytes of a manifest at most.
const LARGEST: usize = 64 << 10;
/// Lines around a change that are shown.
const AROUND: usize = 3;

/// A change that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The object's stored id.
    pub id: String,
    /// Whether there is no such object yet.
    pub creates: bool,
    /// What would change, as a unified diff.
    pub diff: String,
    /// What the server says of others whose fields would be taken over.
    pub takes_over: Option<String>,
}

/// Who is asked before anything is changed.
#[async_trait]
pub trait Approver: Send + Sync {
    /// Whether a person wants it.
    ///
    /// # Errors
    /// Nobody can be asked; why.
    async fn approve(&self, change: &Change) -> Result<bool, String>;
}

/// What applying needs.
pub(super) struct Applying<'a> {
    pub(super) index: &'a Index,
    pub(super) scope: &'a Scope,
    pub(super) named: Named,
    pub(super) approver: &'a dyn Approver,
}

/// The tool, for a model.
pub(super) fn tool() -> Tool {
    let manifest = json!({"type": "string", "description": "One object, whole, in YAML or JSON, with apiVersion, kind and metadata.name."});
    Tool {
        name: APPLY,
        description: "Applies one object (server-side apply). The server tries it first without effect; the user is shown the difference to \
                      what is there, and it is applied only if they say yes. Only kinds that collection capabilities holds."
            .to_owned(),
        parameters: json!({
            "type": "object", "properties": {"manifest": manifest}, "required": ["manifest"], "additionalProperties": false,
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Apply {
    manifest: String,
}

/// One object, and what it says it is.
struct Manifest {
    object: Value,
    api_version: String,
    kind: String,
    namespace: Option<String>,
    name: String,
}

impl Manifest {
    fn read(text: &str) -> Result<Self, String> {
        if text.len() > LARGEST {
            return Err(format!("The manifest has {} bytes; expected {LARGEST} at most.", text.len()));
        }
        let mut documents: Vec<Value> = serde_saphyr::from_multiple(text)
            .map_err(|e| format!("The manifest cannot be read: {e}. Expected one object in YAML or JSON."))?;
        documents.retain(|document| !document.is_null());
        let mut object = match documents.len() {
            1 => documents.remove(0),
            count => return Err(format!("The manifest holds {count} objects; expected one. Send each by itself.")),
        };
        let said =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let (api_version, kind, name) = (said("/apiVersion"), said("/kind"), said("/metadata/name"));
        for (what, pointer, value) in [
            ("apiVersion", "/apiVersion", &api_version),
            ("kind", "/kind", &kind),
            ("metadata.name", "/metadata/name", &name),
        ] {
            // YAML reads `y`, `on` and `1` as something else than text.
            if object.pointer(pointer).is_some_and(|value| !value.is_string() && !value.is_null()) {
                return Err(format!("The manifest's {what} is not text; put it in quotes."));
            }
            if value.is_empty() {
                return Err(format!(
                    "The manifest has no {what}; expected one object with apiVersion, kind and metadata.name."
                ));
            }
        }
        let namespace = Some(said("/metadata/namespace")).filter(|namespace| !namespace.is_empty());
        // What the server keeps for itself; the version of what was shown is put in below.
        if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"].iter().for_each(|field| {
                metadata.remove(*field);
            });
        }
        if let Some(fields) = object.as_object_mut() {
            fields.remove("status");
        }
        Ok(Self { object, api_version, kind, namespace, name })
    }
}

/// What came of trying a manifest without effect.
#[derive(Debug)]
pub enum Tried {
    /// Nothing would change; the object's stored id.
    Same(String),
    /// Something would.
    Differs(Box<Prepared>),
}

/// A change that the server has tried, and that nobody has made yet. It is made as it was shown, or not at all: what somebody else changes
/// in the meantime is a conflict.
pub struct Prepared {
    change: Change,
    source: Arc<LiveSource>,
    ty: ResourceType,
    namespace: String,
    name: String,
    object: Value,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The manifest may hold values of Secrets.
        write!(f, "Prepared({})", self.change.id)
    }
}

impl Prepared {
    /// What would change.
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// Makes the change, and tells of it.
    ///
    /// # Errors
    /// It was not made, or nobody knows whether it was; why.
    pub async fn apply(self) -> Result<String, String> {
        let Self { change, source, ty, namespace, name, object } = self;
        let manner = Manner { dry_run: false, force: change.takes_over.is_some() };
        match source.apply(&ty, &namespace, &name, &object, manner).await {
            Ok(_) => {
                let done = if change.creates { "Created" } else { "Changed" };
                Ok(format!("id: {}\n{done}:\n{}", change.id, change.diff))
            }
            Err(NotApplied::Conflict(said)) => Err(format!(
                "It was changed by somebody else in the meantime ({said}). Nothing was changed; look again."
            )),
            Err(why @ NotApplied::Unknown(_)) => Err(format!("{why}. Look at what is there now.")),
            Err(NotApplied::Refused(why)) => Err(format!("The server refuses it: {why}. Nothing was changed.")),
        }
    }
}

impl Applying<'_> {
    pub(super) async fn apply(&self, live: &Live<'_>, input: &Value) -> Outcome {
        let prepared = match self.prepare(live, input).await? {
            Tried::Same(id) => return Ok(Told { text: unchanged(&id), ids: vec![id] }),
            Tried::Differs(prepared) => prepared,
        };
        match self.approver.approve(prepared.change()).await {
            Err(why) => return Err(format!("refused: nobody can be asked ({why}). Nothing was changed.")),
            Ok(false) => return Err("refused: the user said no. Nothing was changed.".to_owned()),
            Ok(true) => {}
        }
        let id = prepared.change.id.clone();
        prepared.apply().await.map(|text| Told { text, ids: vec![id] })
    }

    /// Has the server try a manifest, without effect.
    pub(super) async fn prepare(&self, live: &Live<'_>, input: &Value) -> Result<Tried, String> {
        let Apply { manifest } = arguments(input)?;
        let mut manifest = Manifest::read(&manifest)?;
        let opened = live.open().await?;
        let Some(ty) = opened.of_kind(&manifest.api_version, &manifest.kind) else {
            let (kind, version) = (&manifest.kind, &manifest.api_version);
            return Err(format!(
                "The server has no kind {kind:?} of apiVersion {version:?}; look at what it has with vector_search."
            ));
        };
        let place = match ty.namespaced {
            true => live.place(manifest.namespace.as_deref(), opened)?,
            false => None,
        };
        if ty.namespaced && place.as_deref().is_none_or(|place| place == "all") {
            return Err("The manifest has no metadata.namespace; name one.".to_owned());
        }
        if let Some(refused) = self.named.refuse(ty, place.as_deref(), &manifest.name) {
            return Err(refused);
        }
        self.is_known(ty).await?;
        if let (Some(place), Some(metadata)) =
            (&place, manifest.object.pointer_mut("/metadata").and_then(Value::as_object_mut))
        {
            metadata.insert("namespace".to_owned(), json!(place));
        }
        let namespace = place.as_deref().unwrap_or(CLUSTER_SCOPE);
        let name = manifest.name.clone();
        let before = opened.source.reads(ReadLimits::default()).object(ty, namespace, &name).await;
        let before =
            before.map_err(|why| format!("What is there cannot be read, so no difference can be shown: {why}."))?;
        if let (Some(before), Some(metadata)) =
            (&before, manifest.object.pointer_mut("/metadata").and_then(Value::as_object_mut))
        {
            // Only what was shown is changed.
            metadata.insert("resourceVersion".to_owned(), before.at("/metadata/resourceVersion").clone());
        }
        let object = &manifest.object;
        let attempt =
            async |force| opened.source.apply(ty, namespace, &name, object, Manner { dry_run: true, force }).await;
        let (after, takes_over) = match attempt(false).await {
            Ok(after) => (after, None),
            Err(NotApplied::Conflict(said)) => match attempt(true).await {
                Ok(after) => (after, Some(said)),
                Err(why) => return Err(format!("The server refuses it: {why}.")),
            },
            Err(why) => return Err(format!("The server refuses it: {why}.")),
        };
        let id = id(&opened.name, ty, namespace, &name).ok_or("The object's name makes no id.")?;
        let mut diff = diff(before.as_ref(), &after);
        // What is masked looks the same before and after.
        if diff.is_empty() && holds(after.json(), MASKED) {
            diff = "Values of Secrets are not shown, and may change.\n".to_owned();
        }
        if diff.is_empty() {
            return Ok(Tried::Same(id));
        }
        Ok(Tried::Differs(Box::new(Prepared {
            change: Change { id, creates: before.is_none(), diff, takes_over },
            source: Arc::clone(&opened.source),
            ty: ty.clone(),
            namespace: namespace.to_owned(),
            name,
            object: manifest.object,
        })))
    }

    /// Whether the index says what the type is for.
    async fn is_known(&self, ty: &ResourceType) -> Result<(), String> {
        let request = Request {
            question: ty.kind.clone(),
            collection: Collection::Capabilities,
            kinds: vec![ty.name()],
            limit: 5,
            ..Request::default()
        };
        let unknown = || {
            Err(format!(
                "refused: {} is not in collection capabilities; only kinds that are indexed are applied.",
                ty.name()
            ))
        };
        match self.index.ask(self.scope, &request).await {
            Ok(reply) => {
                let is_it =
                    reply.hits.iter().any(|hit| matches!(&hit.noun, Noun::Type(of, _) if of.name() == ty.name()));
                if is_it { Ok(()) } else { unknown() }
            }
            Err(SearchError::Kind(_) | SearchError::NoCollection(_)) => unknown(),
            Err(error) => Err(format!("The index cannot be asked: {error}.")),
        }
    }
}

/// What is said where nothing would change.
pub fn unchanged(id: &str) -> String {
    format!("id: {id}\nNothing would change: it is so already.")
}

/// Has the server of the cluster that filled the index try a manifest without effect, for a caller who may see all of it. RBAC, Secrets and
/// Kubernetes' own namespaces are refused: nobody has named them.
///
/// # Errors
/// What is wrong with the call or the manifest, or why it is refused.
pub fn try_apply<'f>(index: &'f Index, scope: &'f Scope, input: &'f Value) -> BoxFuture<'f, Result<Tried, String>> {
    Box::pin(async move {
        let live = Live {
            door: Arc::new(NoDoor),
            index: Some((index, scope)),
            named: None,
            namespaces: Vec::new(),
            opened: OnceCell::new(),
        };
        let applying = Applying { index, scope, named: Named::default(), approver: &Nobody };
        applying.prepare(&live, input).await
    })
}

/// Nobody is asked, and so nothing is changed.
pub(super) struct Nobody;

#[async_trait]
impl Approver for Nobody {
    async fn approve(&self, _change: &Change) -> Result<bool, String> {
        Err("nobody is there".to_owned())
    }
}

/// The cluster that filled the index is reached through the index, and no other.
pub(super) struct NoDoor;

#[async_trait]
impl Door for NoDoor {
    async fn open(&self) -> Result<Arc<LiveSource>, String> {
        Err("the cluster is reached through the index".to_owned())
    }
}

/// Whether a text stands anywhere in it.
fn holds(json: &Value, text: &str) -> bool {
    match json {
        Value::String(said) => said == text,
        Value::Array(elements) => elements.iter().any(|element| holds(element, text)),
        Value::Object(fields) => fields.values().any(|value| holds(value, text)),
        _ => false,
    }
}

/// What an object becomes, without what the server counts and controllers report.
fn diff(before: Option<&Object>, after: &Object) -> String {
    let text = |object: &Object| {
        let mut json = object.json().clone();
        if let Some(fields) = json.as_object_mut() {
            fields.remove("status");
        }
        if let Some(metadata) = json.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            ["resourceVersion", "uid", "creationTimestamp", "generation"].iter().for_each(|field| {
                metadata.remove(*field);
            });
        }
        serde_saphyr::to_string(&json).unwrap_or_else(|_| format!("{json:#}\n"))
    };
    let (before, after) = (before.map(text).unwrap_or_default(), text(after));
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(AROUND).header("live", "applied").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_one_object() {
        let read = |text: &str| Manifest::read(text).map(|manifest| (manifest.kind, manifest.namespace, manifest.name));
        let ok = |kind: &str, namespace: Option<&str>, name: &str| {
            Ok((kind.to_owned(), namespace.map(str::to_owned), name.to_owned()))
        };
        assert_eq!(
            read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}"),
            ok("ConfigMap", Some("b"), "a")
        );
        assert_eq!(
            read(r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}"#),
            ok("Namespace", None, "a")
        );
        for (text, said) in [
            ("", "The manifest"),
            ("kind: ConfigMap", "no apiVersion"),
            ("apiVersion: v1\nkind: ConfigMap\nmetadata: {}", "no metadata.name"),
            ("apiVersion: v1\nkind: [x]\nmetadata: {name: a}", "kind is not text"),
            ("apiVersion: v1\nkind: A\nmetadata: {name: y}", "metadata.name is not text"),
            ("just words", "no apiVersion"),
            ("a: [", "cannot be read"),
            (
                "apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\napiVersion: v1\nkind: B\nmetadata: {name: b}",
                "holds 2 objects",
            ),
            (&"x".repeat(LARGEST + 1), "at most"),
            ("a: &a [x]\nb: [*a, *a", "cannot be read"),
        ] {
            assert!(read(text).unwrap_err().contains(said), "{text}: {:?}", read(text));
        }
        let said = "{apiVersion: v1, kind: A, metadata: {name: a, resourceVersion: '1', managedFields: []}, status: {x: 1}, spec: {}}";
        let object = Manifest::read(said).unwrap().object;
        assert_eq!(object, json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {}}));
    }

    #[test]
    fn a_diff_shows_what_changes_and_nothing_else() {
        let object = |value: &str, version: &str| {
            Object::new(json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "resourceVersion": version, "generation": 1},
                "data": {"a": "1", "key": value}, "status": {"seen": version},
            }))
        };
        assert_eq!(diff(Some(&object("one", "1")), &object("one", "2")), "");
        let changed = diff(Some(&object("one", "1")), &object("two", "2"));
        assert!(changed.contains("-  key: one\n+  key: two") && !changed.contains("resourceVersion"), "{changed}");
        assert!(diff(None, &object("one", "1")).contains("+kind: ConfigMap"));
        let secret = |value: &str| Object::new(json!({"kind": "Secret", "data": {"password": value}}));
        let shown = diff(None, &secret("aGVsbG8="));
        assert!(!shown.contains("aGVsbG8="), "{shown}");
    }
}
