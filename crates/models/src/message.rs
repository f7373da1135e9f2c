//! What is said in a conversation with a language model that may use tools. A conversation is a list of [`Message`]s and nothing else: it can
//! be kept, and gone on with, by whoever holds the list.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum Message {
    /// What the user asks.
    User {
        /// In their words.
        text: String,
    },
    /// What the model says and wants to be done.
    Assistant {
        /// In the order in which it came.
        parts: Vec<Part>,
    },
    /// What came of its calls. Follows the turn that made them, with a result for each.
    Tool {
        /// In the order of the calls.
        results: Vec<ToolResult>,
    },
}

impl Message {
    /// A question.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { text: text.into() }
    }
}

/// A part of what a model says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Part {
    /// For the reader.
    Text {
        /// Markdown, as models write it.
        text: String,
    },
    /// What it thought, as its provider gave it and wants it back. Nobody else can read it.
    Thought {
        /// A block of the provider's own form.
        block: Value,
    },
    /// A tool that is to be called.
    Call(ToolCall),
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// By which its result is told from others.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// Its arguments, whatever the model made of them. What is no JSON is a string.
    pub input: Value,
}

/// What came of a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call's id.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// What the model reads.
    pub text: String,
    /// Whether the call failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Ids of what the result is about: what an answer may cite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
}

/// A tool that a model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it does, and when it is the right one.
    pub description: String,
    /// JSON schema of its arguments, an object.
    pub parameters: Value,
}
