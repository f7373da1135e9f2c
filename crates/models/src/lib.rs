//! Models: what turns text into vectors ([`Embedder`]), what answers in words ([`LanguageModel`]), and
//! what holds a conversation and uses tools ([`ChatModel`]). A trait each; whoever uses
//! one neither knows nor cares which model stands behind it. And what tells a question from the talk around it ([`said`]).
//!
//! Never in this room: collections, stores, and which model is chosen (that is the cli's).

mod anthropic;
mod anthropic_chat;
mod builtin;
mod chat;
mod chat_model;
mod chat_stream;
mod draft;
mod embedder;
mod encoder;
mod endpoint;
mod kept;
mod language;
mod language_capability;
mod message;
mod metered;
mod openai;
mod price;
mod recording;
mod remote;
mod remote_chat;
mod remote_model;
mod sse;
mod talk;
mod voyage;

pub use anthropic::{ANTHROPIC_MODEL, ANTHROPIC_URL, anthropic};
pub use anthropic_chat::anthropic_chat;
pub use builtin::Builtin;
pub use chat::openai_chat;
pub use chat_model::{Ask, Broken, ChatModel, Stop, Turn};
pub use chat_stream::openai_chat_stream;
pub use clusterlore_http::Pauses;
pub use embedder::{EmbedError, Embedder, Purpose};
pub use encoder::{Encoder, EncoderError};
pub use endpoint::{Key, RemoteError};
pub use kept::Kept;
pub use language::{Completion, LanguageModel, ModelError, NoAnswer, Prompt, Scripted};
pub use language_capability::{CAPABILITY_PROMPT_VERSION, CapabilityAnswer, ask_capability, capability_prompt};
pub use message::{Message, Part, Tool, ToolCall, ToolResult};
pub use metered::{Limits, Metered, Spent};
pub use openai::openai;
pub use price::{Price, Tokens};
pub use recording::{Recorded, Replayed};
pub use remote::Remote;
pub use remote_chat::RemoteChat;
pub use remote_model::RemoteModel;
pub use talk::{Said, said};
pub use voyage::{VOYAGE_MODEL, VOYAGE_URL, voyage};
