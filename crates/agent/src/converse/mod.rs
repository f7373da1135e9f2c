//! Answers by a language model that uses tools. [`talk`] is the one door: it hands a conversation to a model, answers its calls through
//! [`Tools`], and holds what the model says against what the tools returned.
//!
//! What objects, events and logs say is data: every result comes in a fence that it cannot close, and no rule here obeys it. A conversation
//! is a plain list of [`Message`](clusterlore_models::Message)s.

mod apply;
mod budget;
mod citations;
mod ended;
mod fence;
mod groups;
mod guard;
mod investigator;
mod kept;
mod kubectl;
mod live;
mod prompt;
mod spans;
mod talk;
mod told;
mod tools;
mod vector;

pub use apply::{Approver, Change, Prepared, Tried, try_apply, unchanged};
pub use budget::{Limits, Used};
pub use citations::{Citation, Sources};
pub use ended::Ended;
pub use fence::{fence_rule, fenced, fenced_value, fit};
pub use groups::{ToolGroup, UnknownGroup};
pub use investigator::Investigator;
pub use kept::kept;
pub use spans::{PAYLOADS, SPANS};
pub use talk::{Heard, Listener, Step, Talk, talk};
pub use tools::{Reach, Tools, reading_tools};
pub use vector::vector_search;
