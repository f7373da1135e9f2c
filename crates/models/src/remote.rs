//! Embedders behind HTTP: what they are sent, and what an answer must be. Voyage and OpenAI-compatible servers differ in address,
//! body and limits only.

use std::time::Duration;

use async_trait::async_trait;
use clusterlore_core::EmbedderIdentity;
use clusterlore_http::{Bounds, Pauses};
use futures::stream::{self, StreamExt, TryStreamExt};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::{Deserialize, Serialize};

use crate::builtin;
use crate::embedder::{EmbedError, Embedder, Purpose};
use crate::endpoint::{Address, Endpoint, Key, RemoteError};

/// A model on a small machine needs a while for a whole batch.
const WHOLE_BATCH: Duration = Duration::from_secs(120);
/// Somebody waits for the answer to a question.
const WHOLE_QUESTION: Duration = Duration::from_secs(30);
/// Between two pieces of an answer.
const IDLE: Duration = Duration::from_secs(30);
/// Bytes of a number, written out and on a line of its own; of what else stands beside a vector; and around all of them.
const NUMBER: usize = 48;
const BESIDE: usize = 4 << 10;
const AROUND: usize = 64 << 10;
/// Dimensions that a model may have whose dimensions are being learnt.
const MOST_DIMENSIONS: usize = 16_384;
/// Requests at once.
const IN_FLIGHT: usize = 4;
/// Texts of a request. 128 vectors of 4,096 numbers are some 10 MB of JSON; OpenAI takes 2,048 texts and Voyage 1,000.
const BATCH: usize = 128;
/// Characters of a token, at the least: English has four and a half, names and labels are cut finer.
const TOKEN: usize = 3;

/// In what one service differs from another.
#[derive(Debug)]
pub(crate) struct Service {
    /// What a collection remembers.
    pub(crate) name: String,
    pub(crate) model: String,
    /// Address up to and including the version.
    pub(crate) base: String,
    pub(crate) key: Option<Key>,
    pub(crate) variable: &'static str,
    /// Whether it is told what a text is embedded for.
    pub(crate) purposes: bool,
    /// Tokens of a request, as estimated here.
    pub(crate) tokens: usize,
}

/// An embedder behind HTTP.
#[derive(Debug)]
pub struct Remote {
    service: Service,
    endpoint: Endpoint,
    dimensions: usize,
}

#[derive(Serialize)]
struct Asked<'a> {
    input: &'a [String],
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_type: Option<&'static str>,
}

#[derive(Deserialize)]
struct Answered {
    data: Vec<Embedded>,
}

#[derive(Deserialize)]
struct Embedded {
    index: usize,
    /// A number that is none comes as null.
    embedding: Vec<Option<f32>>,
}

impl Remote {
    /// Ready to be asked; without `dimensions` a word is embedded to learn them.
    pub(crate) async fn connect(
        service: Service,
        dimensions: Option<usize>,
        pauses: Pauses,
    ) -> Result<Self, EmbedError> {
        let name = service.name.clone();
        let failed = |problem| EmbedError::Remote { name, problem };
        let mut headers = HeaderMap::new();
        headers.extend(service.key.as_ref().map(|key| (AUTHORIZATION, key.bearer())));
        let address = Address {
            base: service.base.clone(),
            path: "/embeddings",
            key: service.key.clone(),
            variable: service.variable,
            headers,
            pauses,
        };
        let endpoint = match Endpoint::new(address) {
            Ok(endpoint) => endpoint,
            Err(problem) => return Err(failed(problem)),
        };
        let mut remote = Self { service, endpoint, dimensions: 0 };
        remote.dimensions = match dimensions {
            Some(dimensions) => dimensions,
            None => {
                let vectors = remote.ask(Purpose::Query, vec!["cluster".to_owned()]).await.map_err(failed)?;
                vectors.first().map_or(0, Vec::len)
            }
        };
        Ok(remote)
    }

    /// The vectors of one batch, as they came, in the order of the texts.
    async fn ask(&self, purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, RemoteError> {
        let dimensions = if self.dimensions == 0 { MOST_DIMENSIONS } else { self.dimensions };
        let bounds = Bounds {
            whole: if purpose == Purpose::Query { WHOLE_QUESTION } else { WHOLE_BATCH },
            idle: IDLE,
            bytes: AROUND + texts.len() * (dimensions * NUMBER + BESIDE),
        };
        let purpose = match purpose {
            Purpose::Document => "document",
            Purpose::Query => "query",
        };
        let input_type = self.service.purposes.then_some(purpose);
        let asked = Asked { input: &texts, model: &self.service.model, input_type };
        let answer = self.endpoint.post(&asked, bounds).await?;
        self.read(&answer, texts.len())
    }

    /// Checks an answer: each index once, every vector of the right length, every number finite.
    fn read(&self, body: &[u8], texts: usize) -> Result<Vec<Vec<f32>>, RemoteError> {
        let answer: Answered = serde_json::from_slice(body)
            .map_err(|e| self.endpoint.wrong("JSON with \"data\", a list of \"index\" and \"embedding\"", e))?;
        if answer.data.len() != texts {
            return Err(self.endpoint.wrong(format!("{texts} vectors"), answer.data.len()));
        }
        let mut vectors: Vec<Option<Vec<f32>>> = vec![None; texts];
        for Embedded { index, embedding } in answer.data {
            // While the dimensions are being learnt, any length will do but none.
            let right = if self.dimensions == 0 { embedding.len().max(1) } else { self.dimensions };
            if embedding.len() != right {
                let expected = format!("vectors of {right} dimensions");
                return Err(self.endpoint.wrong(expected, format!("one of {}", embedding.len())));
            }
            let finite = |n: Option<f32>| n.filter(|n| n.is_finite());
            let Some(vector) = embedding.into_iter().map(finite).collect::<Option<Vec<f32>>>() else {
                return Err(self.endpoint.wrong("finite numbers", format!("null or infinity in vector {index}")));
            };
            match vectors.get_mut(index) {
                Some(place @ None) => *place = Some(vector),
                _ => {
                    let expected = format!("each index from 0 to {} once", texts.saturating_sub(1));
                    return Err(self.endpoint.wrong(expected, format!("another {index}")));
                }
            }
        }
        Ok(vectors.into_iter().flatten().map(unit).collect())
    }
}

#[async_trait]
impl Embedder for Remote {
    fn identity(&self) -> EmbedderIdentity {
        EmbedderIdentity { name: self.service.name.clone(), dimensions: self.dimensions }
    }

    async fn embed(&self, purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut vectors = vec![vec![0.0; self.dimensions]; texts.len()];
        // Servers refuse texts that say nothing.
        let (places, texts): (Vec<usize>, Vec<String>) =
            texts.into_iter().enumerate().filter(|(_, text)| !text.trim().is_empty()).unzip();
        let asked: Vec<_> =
            batches(texts, self.service.tokens).into_iter().map(|batch| self.ask(purpose, batch)).collect();
        let answers: Vec<Vec<Vec<f32>>> = stream::iter(asked)
            .buffered(IN_FLIGHT)
            .try_collect()
            .await
            .map_err(|problem| EmbedError::Remote { name: self.service.name.clone(), problem })?;
        for (place, vector) in places.into_iter().zip(answers.into_iter().flatten()) {
            vectors[place] = vector;
        }
        Ok(vectors)
    }

    /// A model that knows all of a language knows at least the table's words; of others it cannot be told.
    fn knows(&self, word: &str) -> Option<bool> {
        builtin::is_word(word).then_some(true)
    }

    fn sends_to(&self) -> Option<&str> {
        Some(self.endpoint.host())
    }
}

/// Texts of one request each. A text that alone is too long is cut: its beginning says what it is.
fn batches(texts: Vec<String>, most_tokens: usize) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    let mut tokens = 0;
    for mut text in texts {
        if let Some((end, _)) = text.char_indices().nth(most_tokens * TOKEN) {
            text.truncate(end);
        }
        let its = text.chars().count().div_ceil(TOKEN);
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && tokens + its <= most_tokens => {
                batch.push(text);
                tokens += its;
            }
            _ => {
                batches.push(vec![text]);
                tokens = its;
            }
        }
    }
    batches
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
    vector
}

#[cfg(test)]
mod tests {
    use clusterlore_testkit::edits::edited;
    use proptest::prelude::*;

    use super::*;

    fn remote(dimensions: usize) -> Remote {
        let service = Service {
            name: "test".to_owned(),
            model: "test".to_owned(),
            base: "http://127.0.0.1:9/v1".to_owned(),
            key: None,
            variable: "NONE",
            purposes: false,
            tokens: 8_000,
        };
        let address = Address {
            base: service.base.clone(),
            path: "/embeddings",
            key: None,
            variable: "NONE",
            headers: HeaderMap::new(),
            pauses: Pauses::default(),
        };
        Remote { service, endpoint: Endpoint::new(address).unwrap(), dimensions }
    }

    proptest! {
        /// Any answer is as many unit vectors as there were texts, or an error in one short line.
        #[test]
        fn fuzz_embedder_answers(edits in 0_usize..6, random in any::<u64>(), dimensions in prop::sample::select(vec![0, 3])) {
            let seed = r#"{"object":"list","data":[{"index":1,"embedding":[0.1,-2e-3,3]},{"index":0,"embedding":[1,0,0]}],"usage":{}}"#;
            match remote(dimensions).read(&edited(seed, edits, random), 2) {
                Ok(vectors) => {
                    prop_assert_eq!(vectors.len(), 2);
                    for vector in vectors {
                        prop_assert!(dimensions == 0 || vector.len() == dimensions);
                        let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
                        prop_assert!(length == 0.0 || (length - 1.0).abs() < 1e-3, "{}", length);
                    }
                }
                Err(error) => {
                    let said = error.to_string();
                    prop_assert!(edits > 0 && said.len() < 1_000 && !said.contains('\n'), "{}", said);
                }
            }
        }
    }

    #[test]
    fn batches_are_limited_by_count_and_by_tokens() {
        let sizes = |texts: Vec<String>, tokens| batches(texts, tokens).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec!["a".to_owned(); 300], 8_000), [128, 128, 44]);
        assert_eq!(sizes(vec!["ä".repeat(30); 5], 25), [2, 2, 1], "ten tokens each");
        assert_eq!(batches(vec!["ä".repeat(100)], 10), [["ä".repeat(30)]]);
        assert!(batches(Vec::new(), 10).is_empty());
    }
}
