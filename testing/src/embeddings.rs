//! A stand-in on loopback for a service that embeds: answers with vectors that tell texts apart, last one first.

use std::ops::Deref;

use serde_json::{Value, json};

use crate::service::FakeService;
pub use crate::service::{Asked, Instead};

/// See the module.
pub struct FakeEmbeddings(FakeService);

/// Length of its vectors, but for `voyage-4`.
pub const DIMENSIONS: usize = 64;
/// Length of the vectors of `voyage-4`.
pub const VOYAGE_4: usize = 1024;

impl FakeEmbeddings {
    /// Starts on a free port.
    ///
    /// # Panics
    /// No port can be had.
    pub async fn start() -> Self {
        Self(FakeService::start(|asked| (200, vectors(&asked.body))).await)
    }
}

impl Deref for FakeEmbeddings {
    type Target = FakeService;

    fn deref(&self) -> &FakeService {
        &self.0
    }
}

/// A right answer, last text first.
pub fn vectors(body: &Value) -> Value {
    let texts = body["input"].as_array().cloned().unwrap_or_default();
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .rev()
        .map(|(index, text)| {
            let mut vector = vector(text.as_str().unwrap_or_default());
            vector.resize(if body["model"] == "voyage-4" { VOYAGE_4 } else { DIMENSIONS }, 0.0);
            json!({"index": index, "embedding": vector})
        })
        .collect();
    json!({"data": data, "model": body["model"]})
}

/// Which words a text has, not yet of unit length.
pub fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSIONS];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let hash = word.bytes().fold(5381_usize, |h, b| h.wrapping_mul(33) ^ usize::from(b.to_ascii_lowercase()));
        vector[hash % DIMENSIONS] += 1.0;
    }
    vector
}
