//! `clusterlore serve` under load: searches with access control, what is created beside them, and what a controller posts.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use clusterlore_cluster::writes::Manner;
use clusterlore_cluster::{LiveOptions, LiveSource};
use clusterlore_testkit::real::{ApiServer, small_object};
use futures::future::try_join_all;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::process::{Sample, high_water, resident};
use crate::rows::{Bench, Unit, questions};

/// Searches a second, whatever the answers take.
const RATE: u32 = 300;
/// Connections that they come over.
const CONNECTIONS: u32 = 16;
/// One round of searches; callers' rights are read anew within it.
const ROUND: Duration = Duration::from_secs(25);
/// Namespaces of the cluster, and those that the restricted caller may read.
pub(crate) const NAMESPACES: usize = 1_100;
const ALLOWED: usize = 1_000;
/// Bytes of a pod's metadata, as JSON.
pub(crate) const POD_METADATA: usize = 3_000;
/// Objects that are created and waited for.
const CREATED: usize = 200;
/// A post of the controller: so many objects, as the one that exists sends them.
const POSTED: usize = 50;
const POSTS: usize = 200;

/// A `clusterlore serve`, ended when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Serving {
    pub(crate) fn start(mut command: Command, flags: &[&str]) -> Result<Self> {
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(flags);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("standard error")?);
        let mut line = String::new();
        let address = loop {
            line.clear();
            ensure!(lines.read_line(&mut line)? > 0, "serve ended before it served");
            if let Some((_, rest)) = line.split_once("Serving on http://") {
                break rest.split(' ').next().unwrap_or_default().parse()?;
            }
        };
        // Read on, so that nothing it says ever waits.
        std::thread::spawn(move || lines.read_to_string(&mut String::new()));
        Ok(Self { child, address })
    }

    /// Megabytes that it holds now.
    fn resident(&self) -> f64 {
        resident(Path::new(&format!("/proc/{}/status", self.child.id()))).unwrap_or(0) as f64 / 1e6
    }

    fn peak(&self) -> f64 {
        high_water(Path::new(&format!("/proc/{}/status", self.child.id()))).unwrap_or(0) as f64 / 1e6
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection, used again and again.
struct Caller {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    token: String,
}

impl Caller {
    async fn connect(address: SocketAddr, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, address, token: token.to_owned() })
    }

    async fn send(&mut self, method: Method, path: &str, body: Bytes) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, self.address.to_string());
        request = request.header(header::CONTENT_TYPE, "application/json");
        if !self.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        self.sender.ready().await?;
        let answer = self.sender.send_request(request.body(Full::new(body))?).await?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    async fn get(&mut self, path: &str) -> Result<(StatusCode, Bytes)> {
        self.send(Method::GET, path, Bytes::new()).await
    }
}

/// Waits until a path is answered with 200.
async fn until_ok(address: SocketAddr, token: &str, path: &str, most: Duration) -> Result<()> {
    let began = Instant::now();
    let mut caller = Caller::connect(address, token).await?;
    loop {
        let (status, body) = caller.get(path).await?;
        if status == StatusCode::OK {
            return Ok(());
        }
        ensure!(began.elapsed() < most, "{path}: {status} {}", String::from_utf8_lossy(&body));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Milliseconds of each answer, counted from when its request was due: one that waits for another one counts in full.
async fn load(address: SocketAddr, token: &str, paths: &[String], round: Duration) -> Result<Vec<f64>> {
    let began = Instant::now() + Duration::from_millis(100);
    let step = Duration::from_secs(1) * CONNECTIONS / RATE;
    let one = async |connection: u32| -> Result<Vec<f64>> {
        let mut caller = Caller::connect(address, token).await?;
        let mut due = began + step * connection / CONNECTIONS;
        let mut took = Vec::new();
        let mut at = connection as usize;
        while due < began + round {
            tokio::time::sleep_until(due.into()).await;
            let path = &paths[at % paths.len()];
            let (status, body) = caller.get(path).await?;
            ensure!(status == StatusCode::OK, "{path}: {status} {}", String::from_utf8_lossy(&body));
            took.push(due.elapsed().as_secs_f64() * 1e3);
            due += step;
            at += CONNECTIONS as usize;
        }
        Ok(took)
    };
    let all = try_join_all((0..CONNECTIONS).map(one)).await?;
    Ok(all.into_iter().flatten().collect())
}

/// The value that so many hundredths of all do not exceed.
pub(crate) fn percentile(mut values: Vec<f64>, hundredths: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * hundredths).div_ceil(100).max(1) - 1;
    values.get(at).copied().unwrap_or(f64::NAN)
}

fn searches() -> Vec<String> {
    let path = |line: &str| {
        let asked: Value = serde_json::from_str(line).unwrap_or_default();
        let question = asked["q"].as_str().unwrap_or_default().replace(' ', "+");
        format!("/api/v1/search?limit=10&live=false&q={question}")
    };
    questions(200).lines().map(path).collect()
}

/// Posts as the controller sends them.
fn post(n: usize) -> Bytes {
    let object = |n: usize| {
        json!({"id": format!("shop/v1/ConfigMap/thing-{n}"), "namespace": "shop", "name": format!("thing-{n}"), "kind": "ConfigMap",
               "apiVersion": "v1", "apiGroup": "", "labels": {"app": format!("app-{}", n % 50)}, "annotations": null,
               "createdAt": "2026-02-20T10:00:00Z"})
    };
    let objects: Vec<Value> = (n * POSTED..(n + 1) * POSTED).map(object).collect();
    Bytes::from(json!({"upserts": objects, "deletes": null}).to_string())
}

impl Bench<'_> {
    /// Every row about `serve`.
    pub(crate) fn serving(&mut self, server: &ApiServer) -> Result<()> {
        let allowed: Vec<String> = (0..ALLOWED).map(|n| format!("load-{n:02}")).collect();
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        server.create_role_for("viewer", &allowed);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let store = self.folder().join("serve.db");
        let kubeconfig = server.kubeconfig("admin");
        let began = Instant::now();
        let serving = Serving::start(self.served(&store, &kubeconfig), &["--auth", "kubernetes"])?;
        let address = serving.address;
        runtime.block_on(until_ok(address, "", "/readyz", Duration::from_secs(300)))?;
        eprintln!("ready after {:.1} s, {:.0} MB", began.elapsed().as_secs_f64(), serving.peak());
        let ready = serving.peak();

        let (admin, viewer) = (server.token("admin"), server.token("viewer"));
        let probe = ["/healthz".to_owned()];
        let paths = searches();
        let mut everything = Sample::default();
        let mut restricted = Sample::default();
        let mut probes = Sample::default();
        for _ in 0..self.rounds() {
            probes.0.push(percentile(runtime.block_on(load(address, "", &probe, ROUND / 5))?, 99));
            for (token, sample) in [(&admin, &mut everything), (&viewer, &mut restricted)] {
                // Who asks for the first time waits for the reviews; that is no search.
                let began = Instant::now();
                runtime.block_on(until_ok(address, token, &paths[0], Duration::from_secs(60)))?;
                eprintln!("rights read in {:.2} s", began.elapsed().as_secs_f64());
                let took = runtime.block_on(load(address, token, &paths, ROUND))?;
                eprintln!(
                    "{} searches: p50 {:.1}, p99 {:.1}, most {:.1} ms; {:.0} MB",
                    took.len(),
                    percentile(took.clone(), 50),
                    percentile(took.clone(), 99),
                    percentile(took.clone(), 100),
                    serving.resident()
                );
                sample.0.push(percentile(took, 99));
            }
        }
        let probe = format!("`GET /healthz` of the same server at {RATE} a second");
        for (who, sample) in [("who may see everything", everything), ("with 1,000 allowed namespaces", restricted)] {
            let what = format!(
                "p99 of {RATE} searches a second over HTTP, `--auth kubernetes`, {who}, {} documents",
                self.args().pods
            );
            self.push_under(&what, (50.0, Unit::Milliseconds), sample, Some((probe.clone(), probes.clone())));
        }

        let found = runtime.block_on(created_then_found(server, address, &admin))?;
        eprintln!("created, then found: p50 {:.0} ms", percentile(found.clone(), 50));
        let what = format!("created, then found over HTTP: p95 of {CREATED} objects, {} documents", self.args().pods);
        self.push_under(&what, (300.0, Unit::Milliseconds), Sample(vec![percentile(found, 95)]), None);
        eprintln!("memory: {ready:.0} MB when ready, {:.0} MB at the end", serving.peak());
        self.push_peak(
            "peak memory of that `serve`, over its first sync and all of this",
            200.0,
            Sample(vec![serving.peak()]),
        );
        drop(serving);

        let posts = self.folder().join("posts.db");
        let serving = Serving::start(self.served(&posts, &kubeconfig), &["--no-watch"])?;
        let mut took = Sample::default();
        for round in 0..self.rounds() {
            took.0.push(percentile(runtime.block_on(acknowledged(serving.address, round as usize))?, 99));
        }
        let what = format!(
            "p99 until a post of {POSTED} objects is acknowledged, {POSTS} of them one after another beside the writer"
        );
        self.push_under(&what, (5.0, Unit::Milliseconds), took, None);
        Ok(())
    }

    fn served(&self, store: &Path, kubeconfig: &Path) -> Command {
        let mut command = self.clusterlore(store);
        command.env("XDG_DATA_HOME", self.folder()).env("KUBECONFIG", kubeconfig);
        command
    }
}

/// Milliseconds until each of these objects is found by its name after it was created.
async fn created_then_found(server: &ApiServer, address: SocketAddr, token: &str) -> Result<Vec<f64>> {
    let options = LiveOptions { kubeconfig: Some(server.kubeconfig("admin")), ..LiveOptions::default() };
    let cluster = LiveSource::connect(options).await?;
    let mut caller = Caller::connect(address, token).await?;
    let mut took = Vec::new();
    for n in 0..CREATED {
        let (ty, object) = small_object(n, "load-00");
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        cluster.apply(&ty, "load-00", &name, &object, Manner { dry_run: false, force: false }).await?;
        let began = Instant::now();
        let path = format!("/api/v1/search?limit=1&live=false&q={name}");
        loop {
            let (status, body) = caller.get(&path).await?;
            ensure!(status == StatusCode::OK, "{path}: {status}");
            let told: Value = serde_json::from_slice(&body)?;
            if told["hits"][0]["name"] == name && told["hits"][0]["kind"] == object["kind"] {
                break;
            }
            ensure!(began.elapsed() < Duration::from_secs(20), "{name} is not found");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(took)
}

/// Milliseconds until each post is answered.
async fn acknowledged(address: SocketAddr, round: usize) -> Result<Vec<f64>> {
    let mut caller = Caller::connect(address, "").await?;
    let mut took = Vec::new();
    for n in 0..POSTS {
        let body = post(round * POSTS + n);
        let began = Instant::now();
        let (status, answer) = caller.send(Method::POST, "/api/v1/instances/sync", body).await?;
        ensure!(status == StatusCode::OK, "{status} {}", String::from_utf8_lossy(&answer));
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(took)
}
