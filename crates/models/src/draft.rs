//! A turn while it arrives, put together from its pieces.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::chat_model::{Stop, Turn};
use crate::message::{Part, ToolCall};
use crate::price::Tokens;

/// What gets a text while it is said.
pub(crate) type Hear<'a> = &'a mut (dyn for<'s> FnMut(&'s str) + Send);

/// What is wrong with an event.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The server says that it cannot go on.
    Said(String),
    /// It is not what was expected: what, and what came.
    Unreadable(&'static str, String),
}

/// What has come of a turn.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pieces: BTreeMap<u64, Piece>,
    /// Why it stopped, as soon as that is told.
    pub(crate) stop: Option<Stop>,
    /// What it took so far.
    pub(crate) tokens: Option<Tokens>,
    /// Whether the server said that this was all.
    pub(crate) is_whole: bool,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Thought(Value),
    Call { id: String, name: String, json: String },
}

impl Draft {
    /// More text of a piece.
    pub(crate) fn text(&mut self, piece: u64, text: &str, hear: Hear<'_>) {
        if text.is_empty() {
            return;
        }
        hear(text);
        if let Piece::Text(said) = self.pieces.entry(piece).or_insert_with(|| Piece::Text(String::new())) {
            said.push_str(text);
        }
    }

    /// A thought begins: a block of the provider's form.
    pub(crate) fn thought(&mut self, piece: u64, block: Value) {
        self.pieces.insert(piece, Piece::Thought(block));
    }

    /// More of a field of a thought.
    pub(crate) fn think(&mut self, piece: u64, field: &str, more: &str) {
        if let Some(Piece::Thought(block)) = self.pieces.get_mut(&piece) {
            let before = block[field].as_str().unwrap_or_default();
            block[field] = json!(format!("{before}{more}"));
        }
    }

    /// A call begins, or more of it is told.
    pub(crate) fn call(&mut self, piece: u64, id: &str, name: &str, json: &str) {
        let begin = || Piece::Call { id: String::new(), name: String::new(), json: String::new() };
        if let Piece::Call { id: known, name: called, json: arguments } = self.pieces.entry(piece).or_insert_with(begin)
        {
            if known.is_empty() {
                known.push_str(id);
            }
            if called.is_empty() {
                called.push_str(name);
            }
            arguments.push_str(json);
        }
    }

    /// Whether anything was said or asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// All of it.
    pub(crate) fn turn(self) -> Turn {
        let (stop, tokens) = (self.stop, self.tokens);
        let parts = self.parts(stop != Some(Stop::CutOff));
        let calls = parts.iter().any(|part| matches!(part, Part::Call(_)));
        let stop = match stop {
            _ if calls => Stop::Calls,
            // It says that it waits, and asked for nothing.
            None | Some(Stop::Calls) => Stop::End,
            Some(stop) => stop,
        };
        Turn { stop, parts, tokens }
    }

    /// What there is; a call counts if its arguments are whole, or `all` do.
    pub(crate) fn parts(self, all: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        for (index, piece) in self.pieces {
            match piece {
                Piece::Text(text) if text.trim().is_empty() => {}
                Piece::Text(text) => parts.push(Part::Text { text }),
                Piece::Thought(block) => parts.push(Part::Thought { block }),
                Piece::Call { id, name, json } => {
                    let json = if json.trim().is_empty() { "{}".to_owned() } else { json };
                    let input = match serde_json::from_str::<Value>(&json) {
                        Ok(input) => input,
                        Err(_) if all => Value::String(json),
                        Err(_) => continue,
                    };
                    let id = if id.is_empty() { format!("call_{index}") } else { id };
                    parts.push(Part::Call(ToolCall { id, name, input }));
                }
            }
        }
        parts
    }
}
