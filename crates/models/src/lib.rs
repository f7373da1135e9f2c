//! Models: what turns text into vectors ([`Embedder`]), and what answers in words ([`LanguageModel`]). A trait each; whoever uses
//! one neither knows nor cares which model stands behind it. And what tells a question from the talk around it ([`said`]).
//!
//! Never in this room: collections, stores, and which model is chosen (that is the cli's).

mod anthropic;
mod builtin;
mod chat;
mod embedder;
mod encoder;
mod endpoint;
mod kept;
mod language;
mod language_capability;
mod metered;
mod openai;
mod price;
mod remote;
mod remote_model;
mod talk;
mod voyage;

pub use anthropic::{ANTHROPIC_MODEL, ANTHROPIC_URL, anthropic};
pub use builtin::Builtin;
pub use chat::openai_chat;
pub use clusterlore_http::Pauses;
pub use embedder::{EmbedError, Embedder, Purpose};
pub use encoder::{Encoder, EncoderError};
pub use endpoint::{Key, RemoteError};
pub use kept::Kept;
pub use language::{Completion, LanguageModel, ModelError, NoAnswer, Prompt, Scripted};
pub use language_capability::{CAPABILITY_PROMPT_VERSION, CapabilityAnswer, ask_capability, capability_prompt};
pub use metered::{Limits, Metered, Spent};
pub use openai::openai;
pub use price::{Price, Tokens};
pub use remote::Remote;
pub use remote_model::RemoteModel;
pub use talk::{Said, said};
pub use voyage::{VOYAGE_MODEL, VOYAGE_URL, voyage};
