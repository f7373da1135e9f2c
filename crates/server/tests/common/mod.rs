//! A server in this process, and a client that sends exactly what it is told.
#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clusterlore_catalogue::Catalogue;
use clusterlore_cluster::ClusterSource;
use clusterlore_core::Collection;
use clusterlore_index::Index;
use clusterlore_models::{Builtin, Embedder};
use clusterlore_pipeline::{Clusters, Inference, Ingest};
use clusterlore_server::{Auth, Limits, Server, Tokens, hashed, serve};
use clusterlore_store::{InboxFile, Sqlite, Store};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

struct NoCluster;

#[async_trait]
impl Clusters for NoCluster {
    async fn cluster(&self, _name: &str) -> Result<Arc<dyn ClusterSource>, String> {
        Err("there is none".to_owned())
    }
}

pub struct Running {
    pub address: SocketAddr,
    pub ingest: Arc<Ingest>,
    pub stop: watch::Sender<bool>,
    pub ready: watch::Sender<Result<(), String>>,
    work: Mutex<()>,
    served: Mutex<Option<JoinHandle<()>>>,
    store: Arc<dyn Store>,
    pub folder: TempDir,
}

pub struct Told {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Told {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

pub fn body_of(answer: &[u8]) -> &[u8] {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    &answer[end + 4..]
}

impl Running {
    pub async fn open() -> Self {
        Self::start(|_, _| Auth::Open { writes: String::new() }, Limits::default()).await
    }

    pub async fn with_rate(rate: f64) -> Self {
        Self::start(|_, _| Auth::Open { writes: String::new() }, Limits { rate, ..Limits::default() }).await
    }

    /// Name, token, and the rest of the entry.
    pub async fn with_tokens(tokens: &[(&str, &str, &str)]) -> Self {
        let entry = |(name, token, rest): &(&str, &str, &str)| {
            format!("[[token]]\nname = \"{name}\"\nsha256 = \"{}\"\n{rest}\n", hashed(token))
        };
        let text: String = tokens.iter().map(entry).collect();
        let auth = |folder: &Path, _: &Arc<dyn Store>| {
            let file = folder.join("tokens.toml");
            std::fs::write(&file, text).unwrap();
            Auth::Tokens(Arc::new(Tokens::open(&file).unwrap()))
        };
        Self::start(auth, Limits::default()).await
    }

    /// A server that watches the cluster of this name.
    pub async fn watching(cluster: &str) -> Self {
        let auth = |_: &Path, _: &Arc<dyn Store>| Auth::Open { writes: String::new() };
        Self::of(tempfile::tempdir().unwrap(), auth, Limits::default(), Some(cluster)).await
    }

    pub async fn start(auth: impl FnOnce(&Path, &Arc<dyn Store>) -> Auth, limits: Limits) -> Self {
        Self::of(tempfile::tempdir().unwrap(), auth, limits, None).await
    }

    /// Another process over the same files.
    pub async fn again(self) -> Self {
        let Self { folder, stop, served, ingest, .. } = self;
        stop.send_replace(true);
        served.into_inner().unwrap().await.unwrap();
        drop(ingest);
        Self::of(folder, |_, _| Auth::Open { writes: String::new() }, Limits::default(), None).await
    }

    async fn of(
        folder: TempDir,
        auth: impl FnOnce(&Path, &Arc<dyn Store>) -> Auth,
        limits: Limits,
        watched: Option<&str>,
    ) -> Self {
        let store: Arc<dyn Store> = Arc::new(Sqlite::open_or_create(&folder.path().join("index.db")).unwrap());
        let embedder: Arc<dyn Embedder> = Arc::new(Builtin::default());
        let catalogue = Arc::new(Catalogue::builtin().clone());
        let inbox = InboxFile::open(&folder.path().join("inbox.db")).unwrap();
        let (to, by) = (Arc::clone(&store), Arc::clone(&embedder));
        let ingest = Ingest::new(Arc::new(inbox), to, by, Arc::new(NoCluster), Inference::builtin());
        let live = Arc::clone(&ingest.watched);
        watched.into_iter().for_each(|cluster| assert!(live.enter(cluster, &Arc::default())));
        let ingest = Arc::new(ingest);
        let (ready, readiness) = watch::channel(Ok(()));
        let auth = auth(folder.path(), &store);
        let server = Server {
            index: Arc::new(Index::new(Arc::clone(&store), embedder, Arc::clone(&catalogue))),
            catalogue,
            store: Arc::clone(&store),
            ingest: Some(Arc::clone(&ingest)),
            live,
            auth,
            allowed_hosts: Vec::new(),
            offer: clusterlore_server::Offer::default(),
            ready: readiness,
            limits,
            continued: |_, _| (),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let served = Mutex::new(Some(tokio::spawn(serve(listener, server, None, stopped))));
        Self { address, ingest, stop, ready, work: Mutex::new(()), served, store, folder }
    }

    /// Waits until the worker has written everything.
    pub async fn drained(&self, most: Duration) {
        let drained = async {
            while self.ingest.waiting().await.unwrap().posts > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(most, drained).await.expect("the worker writes what waits");
    }

    /// All records of instances.
    pub async fn export(&self) -> Vec<Value> {
        let view = self.store.view_all("a test").await.unwrap();
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = view.page(Collection::Instances, after.as_deref(), 1_000, false).await.unwrap();
            all.extend(page.documents.iter().map(|d| serde_json::from_str::<Value>(&d.record).unwrap()));
            match page.next {
                Some(next) => after = Some(next),
                None => return all,
            }
        }
    }

    /// Writes all that waits.
    pub async fn written(&self) {
        let _one_at_a_time = self.work.lock().await;
        while self.ingest.work().await.unwrap() {}
    }

    /// Waits until the server has ended.
    pub async fn ended(&self) {
        let served = self.served.lock().await.take().unwrap();
        tokio::time::timeout(Duration::from_secs(20), served).await.unwrap().unwrap();
    }

    pub async fn get(&self, path: &str) -> Told {
        self.send("GET", path, &[], b"").await
    }

    pub async fn post(&self, path: &str, body: &[u8]) -> Told {
        self.send("POST", path, &[("content-type", "application/json")], body).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Told {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        self.exchange(format!("{head}\r\n").as_bytes(), body).await
    }

    /// GET with a Host of one's own.
    pub async fn of_host(&self, host: &str, path: &str) -> Told {
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes(), b"").await
    }

    /// As [`Self::post`], without a length.
    pub async fn chunked(&self, path: &str, body: &[u8]) -> Told {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
            self.address
        );
        let mut chunks = Vec::new();
        for chunk in body.chunks(1 << 16) {
            chunks.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            chunks.extend(chunk);
            chunks.extend(b"\r\n");
        }
        chunks.extend(b"0\r\n\r\n");
        self.exchange(head.as_bytes(), &chunks).await
    }

    async fn exchange(&self, head: &[u8], body: &[u8]) -> Told {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head).await.unwrap();
        // Who refuses a body need not read it.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await.unwrap();
        if answer.is_empty() {
            read.unwrap();
        }
        told(&answer)
    }
}

fn told(answer: &[u8]) -> Told {
    let text = String::from_utf8_lossy(answer).into_owned();
    let head = text.split("\r\n\r\n").next().unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap_or_else(|| panic!("{text}")).parse().unwrap();
    let pair = |line: &str| line.split_once(": ").map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned()));
    Told { status, headers: lines.filter_map(pair).collect(), body: body_of(answer).to_vec() }
}

/// Sends as the k8s-vectordb-sync controller does: one connection that stays open, one post at a time, its headers and no other.
pub struct Controller {
    pub stream: TcpStream,
    pub address: SocketAddr,
    /// How long each answer took.
    pub took: Vec<Duration>,
}

impl Controller {
    pub async fn of(running: &Running) -> Self {
        let stream = TcpStream::connect(running.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, address: running.address, took: Vec::new() }
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> Told {
        let body = body.to_string();
        let text = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {}\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.exchange(&text).await
    }

    /// Sends a request as it stands.
    pub async fn exchange(&mut self, text: &str) -> Told {
        let began = std::time::Instant::now();
        self.stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        loop {
            let read = tokio::time::timeout(Duration::from_secs(30), self.stream.read_buf(&mut answer)).await;
            assert!(read.unwrap().unwrap() > 0, "the connection was closed");
            let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let told = told(&answer);
            let length: usize = told.header("content-length").unwrap().parse().unwrap();
            if answer.len() >= end + 4 + length {
                self.took.push(began.elapsed());
                return told;
            }
        }
    }
}
