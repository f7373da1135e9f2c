//! Voyage AI.

use crate::embedder::EmbedError;
use crate::endpoint::Key;
use crate::remote::{Remote, Service};
use clusterlore_http::Pauses;
use futures::future::BoxFuture;

/// Where Voyage is.
pub const VOYAGE_URL: &str = "https://api.voyageai.com/v1";
/// Its model where none is named.
pub const VOYAGE_MODEL: &str = "voyage-4";
/// Estimated tokens of a request: Voyage's documentation allows its largest models 120,000, the others more.
const TOKENS: usize = 100_000;
/// What the models of the fourth generation give where no other length is asked for.
const DIMENSIONS: usize = 1024;

/// A model of Voyage at `base`. `dimensions`, where they are known; they are learnt with a request where neither the caller nor the
/// name of the model tells.
///
/// # Errors
/// The address is none, or the request failed.
pub fn voyage<'f>(
    model: &'f str,
    base: &'f str,
    key: Key,
    dimensions: Option<usize>,
    pauses: Pauses,
) -> BoxFuture<'f, Result<Remote, EmbedError>> {
    Box::pin(async move {
        let service = Service {
            name: format!("voyage:{model}"),
            model: model.to_owned(),
            base: base.trim_end_matches('/').to_owned(),
            key: Some(key),
            variable: "VOYAGE_API_KEY",
            purposes: true,
            tokens: TOKENS,
        };
        let known = model.starts_with("voyage-4").then_some(DIMENSIONS);
        Remote::connect(service, dimensions.or(known), pauses).await
    })
}
