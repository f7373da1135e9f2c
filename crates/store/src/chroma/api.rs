//! What Chroma's REST API (version 2) is asked for, as calls.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use clusterlore_core::{Metadata, words::short_line};
use clusterlore_http::escaped;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Answer, Client, Refusal};
use crate::error::StoreError;

/// Bytes of one request's rows; servers refuse bodies of 40 MB.
const LARGEST_REQUEST: usize = 8 << 20;

/// Rows of one request, whatever the server says that it takes.
const MOST_ROWS: usize = 50_000;

/// Vectors of one answer.
pub(super) const VECTORS: usize = 500;

/// Dimensions that a collection may have: no model has as many.
const MOST_DIMENSIONS: usize = 1 << 16;
/// Bytes of a collection's id: Chroma's have 36.
const LONGEST_ID: usize = 200;
/// Pages of one collection: some twenty million documents.
const MOST_PAGES: usize = 10_000;

/// The pages of a collection that were read. A server that does not know where it was would give them for ever.
#[derive(Debug, Default)]
pub(super) struct Pages {
    turned: usize,
    /// First and last id of the last page.
    last: Option<(String, String)>,
}

impl Pages {
    /// Takes a page; an error where it is the one before again, or one too many.
    pub(super) fn turn(&mut self, api: &Api, ids: &[String]) -> Result<(), StoreError> {
        let ends = ids.first().cloned().zip(ids.last().cloned());
        self.turned += 1;
        if ends.is_some() && ends == self.last {
            return Err(api.client.other("it gives the same page of documents again and again".to_owned()));
        }
        if self.turned > MOST_PAGES {
            return Err(api.client.other(format!("its documents do not end after {MOST_PAGES} pages")));
        }
        self.last = ends;
        Ok(())
    }
}

/// A collection as the server describes it.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) id: String,
    pub(super) metadata: Metadata,
    /// `None` until there was a vector.
    pub(super) dimension: Option<usize>,
    /// `cosine`, `l2` or `ip`.
    pub(super) space: String,
}

/// Documents as the server gives them; what was not asked for is empty.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Got {
    pub(super) ids: Vec<String>,
    #[serde(default)]
    pub(super) documents: Option<Vec<Option<String>>>,
    #[serde(default)]
    pub(super) metadatas: Option<Vec<Option<Metadata>>>,
    #[serde(default)]
    pub(super) embeddings: Option<Vec<Option<Vec<f32>>>>,
}

#[derive(Deserialize)]
struct Queried {
    ids: Vec<Vec<String>>,
    distances: Option<Vec<Vec<Option<f32>>>>,
}

/// One document to be written. Its metadata is laid over what is there; null takes a key away.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) metadata: Metadata,
    /// `None` keeps what is there.
    pub(super) vector: Option<Vec<f32>>,
}

/// The server's calls.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) client: Client,
    /// Documents of one request.
    most: usize,
    base64: bool,
}

impl Api {
    /// Makes sure that there is a server that serves this database.
    pub(super) async fn connect(client: Client) -> Result<Self, StoreError> {
        let no_chroma = |c: &Client| {
            c.unusable(
                "what answers there is not a Chroma server".to_owned(),
                "Check host, port and path of the address; Chroma listens on port 8000 by default",
            )
        };
        let beats = |answer: &Value| answer["nanosecond heartbeat"].is_number();
        let (status, answer, _) = client.look(&client.at_server("v2/heartbeat")).await?;
        if [401, 403].contains(&status.as_u16()) {
            return Err(client.refused(status));
        }
        let old = |version: &str| {
            let problem = format!("it is Chroma {version}; expected 1.0 or newer");
            client.unusable(problem, "Update the server; clusterlore speaks version 2 of its API")
        };
        if !status.is_success() || !beats(&answer) {
            let (status, answer, _) = client.look(&client.at_server("v1/heartbeat")).await?;
            return Err(if status.is_success() && beats(&answer) { old("0.x") } else { no_chroma(&client) });
        }
        let (_, version, _) = client.look(&client.at_server("v2/version")).await?;
        if let Some(version) = version.as_str().filter(|v| v.starts_with("0.")) {
            return Err(old(version));
        }
        let (_, limits, _) = client.look(&client.at_server("v2/pre-flight-checks")).await?;
        let (status, _, message) = client.look(&client.at("")).await?;
        match status.as_u16() {
            401 | 403 => return Err(client.refused(status)),
            404 => {
                let (tenant, _, _) =
                    client.look(&client.at_server(&format!("v2/tenants/{}", escaped(client.tenant())))).await?;
                let (what, name) = match tenant.as_u16() {
                    404 => ("tenant", client.tenant()),
                    _ => ("database", client.database()),
                };
                let problem = format!("there is no {what} \"{name}\"");
                return Err(client.unusable(problem, "Check its name, or create it with a client of Chroma first"));
            }
            _ if !status.is_success() => {
                return Err(client.other(format!("its database gives status {}: {message}", status.as_u16())));
            }
            _ => {}
        }
        let most =
            limits["max_batch_size"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(100).clamp(1, MOST_ROWS);
        let base64 = limits["supports_base64_encoding"].as_bool().unwrap_or(false);
        Ok(Self { client, most, base64 })
    }

    async fn post<T: serde::de::DeserializeOwned>(&self, path: &str, body: &Value) -> Answer<T> {
        self.client.ask(Method::POST, &self.client.at(path), body.to_string().into()).await
    }

    /// The collection of that name, if there is one.
    pub(super) async fn find(&self, name: &str) -> Result<Option<Described>, StoreError> {
        let url = self.client.at(&format!("/collections/{}", escaped(name)));
        match self.client.ask::<Value>(Method::GET, &url, Bytes::new()).await {
            Ok(answer) => self.described(&answer).map(Some),
            Err(Refusal::NotThere(_)) => Ok(None),
            Err(refusal) => Err(self.error(refusal)),
        }
    }

    /// Makes a collection; one that is there already is given as it is.
    pub(super) async fn create(&self, name: &str, metadata: &Value) -> Result<Described, StoreError> {
        let body = json!({"name": name, "metadata": metadata, "get_or_create": true});
        let answer: Value = self.post("/collections", &body).await.map_err(|r| self.error(r))?;
        self.described(&answer)
    }

    fn described(&self, answer: &Value) -> Result<Described, StoreError> {
        // It is part of every address that follows.
        let plain = |id: &&str| !id.is_empty() && id.len() <= LONGEST_ID && !id.contains(char::is_whitespace);
        let id = answer["id"].as_str().filter(plain);
        let id = id.ok_or_else(|| self.client.other("a collection came without an id".to_owned()))?;
        let configuration = &answer["configuration_json"];
        let space = ["hnsw", "spann"].iter().find_map(|index| configuration[index]["space"].as_str());
        Ok(Described {
            id: id.to_owned(),
            metadata: answer["metadata"].as_object().cloned().unwrap_or_default(),
            dimension: match answer["dimension"].as_u64().map(usize::try_from) {
                None => None,
                Some(Ok(dimension)) if dimension <= MOST_DIMENSIONS => Some(dimension),
                Some(_) => return Err(self.client.other("a collection has dimensions beyond any model's".to_owned())),
            },
            space: short_line(space.or(answer["metadata"]["hnsw:space"].as_str()).unwrap_or("l2")),
        })
    }

    /// Renames a collection, or replaces its metadata.
    pub(super) async fn modify(&self, id: &str, change: &Value) -> Result<(), StoreError> {
        let url = self.client.at(&format!("/collections/{id}"));
        let done = self.client.ask::<Value>(Method::PUT, &url, change.to_string().into()).await;
        done.map(|_| ()).map_err(|r| self.error(r))
    }

    /// Removes a collection, if it is there.
    pub(super) async fn remove(&self, name: &str) -> Result<(), StoreError> {
        let url = self.client.at(&format!("/collections/{}", escaped(name)));
        match self.client.ask::<Value>(Method::DELETE, &url, Bytes::new()).await {
            Ok(_) | Err(Refusal::NotThere(_)) => Ok(()),
            Err(refusal) => Err(self.error(refusal)),
        }
    }

    pub(super) async fn count(&self, id: &str) -> Answer<usize> {
        let url = self.client.at(&format!("/collections/{id}/count"));
        let count: u32 = self.client.ask(Method::GET, &url, Bytes::new()).await?;
        Ok(count as usize)
    }

    /// Documents by `ids`, `where`, `limit`, `offset`; `include` says what of them.
    pub(super) async fn get(&self, id: &str, asked: &Value) -> Answer<Got> {
        let url = self.client.at(&format!("/collections/{id}/get"));
        self.client.ask_documents(&url, asked.to_string().into()).await
    }

    /// The `count` documents nearest to the vector with their cosine, of these ids or of all.
    pub(super) async fn nearest(
        &self,
        id: &str,
        vector: &[f32],
        count: usize,
        ids: Option<&[String]>,
    ) -> Answer<Vec<(String, f32)>> {
        let mut asked = json!({"query_embeddings": [vector], "n_results": count, "include": ["distances"]});
        if let Some(ids) = ids {
            asked["ids"] = json!(ids);
        }
        let url = self.client.at(&format!("/collections/{id}/query"));
        let mut answer: Queried = self.client.ask_documents(&url, asked.to_string().into()).await?;
        let distances = answer.distances.and_then(|mut d| d.pop()).unwrap_or_default();
        let near = answer.ids.pop().unwrap_or_default().into_iter().zip(distances);
        Ok(near.map(|(id, distance)| (id, 1.0 - distance.unwrap_or(1.0))).collect())
    }

    /// As [`Self::nearest`], of these ids; fewer, or none, where documents are gone.
    pub(super) async fn nearest_of(
        &self,
        id: &str,
        vector: &[f32],
        count: usize,
        ids: &[String],
    ) -> Answer<Vec<(String, f32)>> {
        let mut answer = self.nearest(id, vector, count.min(ids.len()), Some(ids)).await;
        if let Err(Refusal::UnknownId) = answer {
            // Where one is gone, nothing is said of the others.
            let there = self.get(id, &json!({"ids": ids, "include": []})).await?.ids;
            if !there.is_empty() {
                answer = self.nearest(id, vector, count.min(there.len()), Some(&there)).await;
            }
        }
        match answer {
            Err(Refusal::UnknownId) => Ok(Vec::new()),
            answer => answer,
        }
    }

    /// The vectors of those documents that are there.
    pub(super) async fn vectors(&self, id: &str, ids: &[String]) -> Answer<HashMap<String, Vec<f32>>> {
        let mut vectors = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(VECTORS) {
            let got = self.get(id, &json!({"ids": ids, "include": ["embeddings"]})).await?;
            let read = got.ids.into_iter().zip(got.embeddings.unwrap_or_default());
            vectors.extend(read.filter_map(|(id, vector)| Some((id, vector?))));
        }
        Ok(vectors)
    }

    /// Writes rows, new ones and those that are there, in as many requests as it takes.
    pub(super) async fn write(&self, id: &str, rows: Vec<Row>) -> Answer<()> {
        let (fresh, kept): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.vector.is_some());
        for (call, rows) in [("upsert", fresh), ("update", kept)] {
            let path = format!("/collections/{id}/{call}");
            let mut waiting = Vec::new();
            let mut bytes = 0;
            for row in rows {
                let metadata: usize = row.metadata.values().filter_map(Value::as_str).map(str::len).sum();
                let size = row.text.len() + row.id.len() + metadata + row.vector.as_ref().map_or(0, |v| v.len() * 6);
                if waiting.len() == self.most || (bytes + size > LARGEST_REQUEST && !waiting.is_empty()) {
                    self.post::<Value>(&path, &self.rows(std::mem::take(&mut waiting))).await?;
                    bytes = 0;
                }
                bytes += size;
                waiting.push(row);
            }
            if !waiting.is_empty() {
                self.post::<Value>(&path, &self.rows(waiting)).await?;
            }
        }
        Ok(())
    }

    fn rows(&self, rows: Vec<Row>) -> Value {
        let (mut ids, mut documents, mut metadatas, mut embeddings) = (vec![], vec![], vec![], vec![]);
        for row in rows {
            ids.push(Value::String(row.id));
            documents.push(Value::String(row.text));
            metadatas.push(Value::Object(row.metadata));
            embeddings.extend(row.vector.map(|v| self.vector(&v)));
        }
        let mut body = json!({"ids": ids, "documents": documents, "metadatas": metadatas});
        if !embeddings.is_empty() {
            body["embeddings"] = Value::Array(embeddings);
        }
        body
    }

    fn vector(&self, vector: &[f32]) -> Value {
        if self.base64 {
            let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            return Value::String(BASE64.encode(bytes));
        }
        json!(vector)
    }

    /// Removes documents; ids that are not there are passed over.
    pub(super) async fn delete(&self, id: &str, ids: &[String]) -> Answer<()> {
        for ids in ids.chunks(self.most) {
            self.post::<Value>(&format!("/collections/{id}/delete"), &json!({"ids": ids})).await?;
        }
        Ok(())
    }

    /// A refusal that nothing can be made of here.
    pub(super) fn error(&self, refusal: Refusal) -> StoreError {
        match refusal {
            Refusal::Failed(error) => error,
            Refusal::NotThere(message) => {
                self.client.disturbed(format!("{message}; another program removed or replaced it"))
            }
            Refusal::UnknownId => self.client.disturbed("another program removed documents meanwhile".to_owned()),
        }
    }
}
