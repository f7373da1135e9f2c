//! Conversations that are written down, turn by turn, and said again without a model: to look at, to show, and to test against. A line of
//! JSON each: first who spoke, then what was new to it and what it said.

use std::collections::VecDeque;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::chat_model::{Ask, Broken, ChatModel, Stop, Turn};
use crate::language::ModelError;
use crate::message::{Message, Part};
use crate::price::{Price, Tokens};

/// Bytes of a recording at most.
const LARGEST: u64 = 64 << 20;

#[derive(Serialize, Deserialize)]
struct Head {
    model: String,
}

#[derive(Serialize, Deserialize)]
struct Exchange {
    /// What was said since the turn before.
    asked: Vec<Message>,
    said: Vec<Part>,
    stop: Stop,
    #[serde(default)]
    tokens: Option<Tokens>,
}

/// A model of which every turn is written down.
pub struct Recorded<W> {
    model: Arc<dyn ChatModel>,
    state: Mutex<(W, usize)>,
}

impl<W: Write + Send> Recorded<W> {
    /// Writes who speaks.
    ///
    /// # Errors
    /// Nothing can be written.
    pub fn new(model: Arc<dyn ChatModel>, mut file: W) -> std::io::Result<Self> {
        writeln!(file, "{}", json!(Head { model: model.name().to_owned() }))?;
        Ok(Self { model, state: Mutex::new((file, 0)) })
    }

    fn write(&self, ask: &Ask<'_>, turn: &Turn) -> std::io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, known) = &mut *state;
        let asked = ask.messages.get(*known..).unwrap_or_default().to_vec();
        // The turn is the next message.
        *known = ask.messages.len() + 1;
        let exchange = Exchange { asked, said: turn.parts.clone(), stop: turn.stop, tokens: turn.tokens };
        writeln!(file, "{}", serde_json::to_string(&exchange)?)?;
        file.flush()
    }
}

#[async_trait]
impl<W: Write + Send> ChatModel for Recorded<W> {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn next(&self, ask: &Ask<'_>, hear: &mut (dyn for<'s> FnMut(&'s str) + Send)) -> Result<Turn, Broken> {
        let turn = self.model.next(ask, hear).await?;
        match self.write(ask, &turn) {
            Ok(()) => Ok(turn),
            Err(e) => {
                let error = ModelError::Recording(format!("the recording cannot be written ({e})"));
                Err(Broken { parts: turn.parts, tokens: turn.tokens, error })
            }
        }
    }

    fn price(&self) -> Option<Price> {
        self.model.price()
    }

    fn sends_to(&self) -> Option<&str> {
        self.model.sends_to()
    }
}

/// Says what was written down, in order, to whoever asks the same questions. What tools return may differ: a cluster goes on.
#[derive(Debug)]
pub struct Replayed {
    name: String,
    turns: Mutex<VecDeque<Exchange>>,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exchange({} messages)", self.asked.len())
    }
}

impl Replayed {
    /// Reads a recording.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn read(file: impl BufRead) -> Result<Self, ModelError> {
        let wrong = |line: usize, problem: String| {
            ModelError::Recording(format!("line {line} of the recording is not what it should be: {problem}"))
        };
        let mut lines = file.take(LARGEST).lines().enumerate().map(|(n, line)| (n + 1, line));
        let (_, first) = lines.next().ok_or_else(|| wrong(1, "there is none".to_owned()))?;
        let first = first.map_err(|e| wrong(1, e.to_string()))?;
        let Head { model: name } = serde_json::from_str(&first).map_err(|e| wrong(1, e.to_string()))?;
        let mut turns = VecDeque::new();
        for (number, line) in lines {
            let line = line.map_err(|e| wrong(number, e.to_string()))?;
            turns.push_back(serde_json::from_str(&line).map_err(|e| wrong(number, e.to_string()))?);
        }
        Ok(Self { name, turns: Mutex::new(turns) })
    }
}

/// What users say in these messages.
fn questions(messages: &[Message]) -> Vec<&str> {
    let said = messages.iter().filter_map(|message| match message {
        Message::User { text } => Some(text.as_str()),
        Message::Assistant { .. } | Message::Tool { .. } => None,
    });
    said.collect()
}

#[async_trait]
impl ChatModel for Replayed {
    fn name(&self) -> &str {
        &self.name
    }

    async fn next(&self, ask: &Ask<'_>, hear: &mut (dyn for<'s> FnMut(&'s str) + Send)) -> Result<Turn, Broken> {
        let broken = |problem: &str| {
            let error = ModelError::Recording(problem.to_owned());
            Broken { parts: Vec::new(), tokens: None, error }
        };
        let next = self.turns.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Exchange { asked, said, stop, tokens } = next.ok_or_else(|| broken("the recording has no further turn"))?;
        let recorded = questions(&asked);
        if !recorded.is_empty() && questions(ask.messages).last() != recorded.last() {
            return Err(broken("the recording answers another question"));
        }
        for part in &said {
            if let Part::Text { text } = part {
                hear(text);
            }
        }
        Ok(Turn { parts: said, stop, tokens })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::ToolCall;

    fn recording() -> String {
        let call = Part::Call(ToolCall { id: "a".into(), name: "count".into(), input: json!({"x": 1}) });
        let lines = [
            json!({"model": "m"}),
            json!({"asked": [Message::user("how many?")], "said": [call], "stop": "calls", "tokens": {"input": 1, "output": 2}}),
            json!({"asked": [], "said": [Part::Text { text: "Three.".into() }], "stop": "end"}),
        ];
        lines.map(|line| format!("{line}\n")).concat()
    }

    async fn next(model: &dyn ChatModel, messages: &[Message]) -> (String, Result<Turn, Broken>) {
        let ask = Ask { system: "", messages, tools: &[], may_call: true, longest_answer: 1 };
        let mut heard = String::new();
        let turn = model.next(&ask, &mut |text: &str| heard.push_str(text)).await;
        (heard, turn)
    }

    #[tokio::test]
    async fn what_is_recorded_is_said_again() {
        let replayed = Arc::new(Replayed::read(recording().as_bytes()).unwrap());
        let file = Arc::new(Mutex::new(Vec::new()));
        struct Shared(Arc<Mutex<Vec<u8>>>);
        impl Write for Shared {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let model = Recorded::new(replayed, Shared(Arc::clone(&file))).unwrap();
        let mut messages = vec![Message::user("how many?")];
        let first = next(&model, &messages).await.1.unwrap();
        assert_eq!((first.stop, first.tokens), (Stop::Calls, Some(Tokens { input: 1, output: 2 })));
        messages.push(Message::Assistant { parts: first.parts });
        let (heard, second) = next(&model, &messages).await;
        assert_eq!((heard.as_str(), second.unwrap().stop), ("Three.", Stop::End));
        let again = String::from_utf8(file.lock().unwrap().clone()).unwrap();
        let of = |text: &str| Replayed::read(text.as_bytes()).unwrap().turns.into_inner().unwrap().len();
        assert_eq!((of(&again), of(&recording())), (2, 2), "{again}");
        let error = next(&model, &messages).await.1.unwrap_err().error.to_string();
        assert_eq!(error, "the recording has no further turn");
    }

    #[tokio::test]
    async fn a_recording_that_is_none_or_of_something_else_is_told() {
        for (text, said) in [
            ("", "line 1 of the recording"),
            ("{}", "line 1 of the recording"),
            ("{\"model\": \"m\"}\nx\n", "line 2 of the recording"),
            ("{\"model\": \"m\"}\n{\"asked\": [], \"said\": [{\"type\": \"shout\"}], \"stop\": \"end\"}\n", "line 2"),
        ] {
            let error = Replayed::read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said) && error.lines().count() == 1, "{error}");
        }
        let model = Replayed::read(recording().as_bytes()).unwrap();
        let error = next(&model, &[Message::user("why?")]).await.1.unwrap_err().error.to_string();
        assert_eq!(error, "the recording answers another question");
    }
}
