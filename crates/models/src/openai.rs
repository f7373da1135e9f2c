//! What speaks OpenAI's embeddings API: OpenAI, Ollama, vLLM, LM Studio.

use clusterlore_http::{Pauses, without_user};
use futures::future::BoxFuture;

use crate::embedder::EmbedError;
use crate::endpoint::Key;
use crate::remote::{Remote, Service};

/// Estimated tokens of a request, and of a text: OpenAI's models read 8,192 of a text. OpenAI takes more in a request; what others
/// take is theirs to say, and many hold a request in one context.
const TOKENS: usize = 8_000;

/// A model at `base`, the address up to and including the version (`http://127.0.0.1:11434/v1`). `dimensions`, where they are
/// known; else they are learnt with a request.
///
/// # Errors
/// The address is none, or the request failed.
pub fn openai<'f>(
    model: &'f str,
    base: &'f str,
    key: Option<Key>,
    dimensions: Option<usize>,
    pauses: Pauses,
) -> BoxFuture<'f, Result<Remote, EmbedError>> {
    Box::pin(async move {
        let base = base.trim_end_matches('/').to_owned();
        let service = Service {
            name: format!("openai:{model}@{}", without_user(&base)),
            model: model.to_owned(),
            base,
            key,
            variable: "OPENAI_API_KEY",
            purposes: false,
            tokens: TOKENS,
        };
        Remote::connect(service, dimensions, pauses).await
    })
}
