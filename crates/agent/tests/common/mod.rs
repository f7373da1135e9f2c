//! A conversation with a scripted model, an index of a few objects, and a way to a cluster.
#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_agent::converse::{Approver, Change, Limits, Reach, Talk, ToolGroup, Tools, Used, talk};
use clusterlore_catalogue::Catalogue;
use clusterlore_cluster::{LiveOptions, LiveSource};
use clusterlore_core::{Collection, Document, ResourceInstance, ResourceType, Scope};
use clusterlore_index::{Door, Index, Request};
use clusterlore_models::{
    Builtin, ChatModel, Embedder, Key, Message, Pauses, Purpose, anthropic_chat, openai_chat_stream,
};
use clusterlore_store::{Batch, Runs, Sqlite, Upsert, Writer};
use clusterlore_testkit::chat::FakeChat;

pub const ALL: Scope = Scope::All { because: "a test" };
pub const APIS: [&str; 2] = ["anthropic", "openai"];

/// The cluster of a kubeconfig.
pub struct Kubeconfig(pub std::path::PathBuf);

#[async_trait]
impl Door for Kubeconfig {
    async fn open(&self) -> Result<Arc<LiveSource>, String> {
        let options = LiveOptions { kubeconfig: Some(self.0.clone()), ..LiveOptions::default() };
        LiveSource::connect(options).await.map(Arc::new).map_err(|e| e.to_string())
    }
}

/// Says no, as whoever has no terminal.
pub struct Nobody;

#[async_trait]
impl Approver for Nobody {
    async fn approve(&self, _: &Change) -> Result<bool, String> {
        Err("there is no terminal".to_owned())
    }
}

pub fn model(server: &FakeChat, api: &str) -> Box<dyn ChatModel> {
    let soon = Duration::from_millis(1);
    let (key, pauses) = (Key::new("sk-test").unwrap(), Pauses { busy: soon, lost: soon });
    match api {
        "anthropic" => Box::new(anthropic_chat("claude-haiku-5-5", &server.base(), key, pauses).unwrap()),
        _ => Box::new(openai_chat_stream("m", &server.url(), Some(key), pauses).unwrap()),
    }
}

/// An index of these objects, all of one type.
pub async fn index(folder: &Path, objects: &[ResourceInstance], ty: &ResourceType) -> Index {
    let embedder: Arc<dyn Embedder> = Arc::new(Builtin::default());
    let store = Sqlite::open_or_create(&folder.join("index.db")).unwrap();
    store.open_collection(Collection::Instances, &embedder.identity()).await.unwrap();
    store.remember_types("", std::slice::from_ref(ty)).await.unwrap();
    let documents: Vec<Document> = objects.iter().map(|object| Document::of_instance(object, &ty.name())).collect();
    let texts = documents.iter().map(|document| document.text.clone()).collect();
    let vectors = embedder.embed(Purpose::Document, texts).await.unwrap();
    let upserts =
        documents.into_iter().zip(vectors).map(|(document, v)| Upsert { document, vector: Some(v) }).collect();
    let batch = Batch { upserts, deletes: Vec::new(), cluster: String::new(), source: 1, ..Batch::default() };
    store.apply(Collection::Instances, batch).await.unwrap();
    Index::new(Arc::new(store), embedder, Catalogue::builtin().clone())
}

pub fn pods() -> ResourceType {
    ResourceType {
        version: "v1".into(),
        kind: "Pod".into(),
        plural: "pods".into(),
        singular: "pod".into(),
        short_names: vec!["po".into()],
        namespaced: true,
        ..ResourceType::default()
    }
}

/// One question, with the usual tools.
pub async fn ask(model: &dyn ChatModel, index: Option<&Index>, kubeconfig: &Path, within: Request) -> Talk {
    let groups = match index {
        Some(_) => ToolGroup::usual(),
        None => [ToolGroup::Kubectl].into(),
    };
    let question = within.question.clone();
    let reach = Reach {
        groups,
        index: index.map(|index| (index, &ALL)),
        within,
        may_change: Vec::new(),
        approver: &Nobody,
        cluster: Arc::new(Kubeconfig(kubeconfig.to_owned())),
    };
    talk(
        model,
        &Tools::new(reach),
        vec![Message::user(question)],
        Limits::default(),
        Used::default(),
        None,
        &mut |_| {},
    )
    .await
}
