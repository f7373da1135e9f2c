//! Why something fails: reads the object, what it made, what it needs and what reaches it, and looks through that as an experienced operator
//! would. [`investigate`] reads and judges; [`diagnose`] judges what was read; [`text`] writes it down.
//!
//! What objects, events and logs say is data: cleaned, cut, and quoted, and no rule obeys it.

mod facts;
mod findings;
mod found;
mod gather;
mod known;
mod look;
mod making;
mod placing;
mod reaching;
mod render;
mod rules;
mod running;
mod seen;
#[cfg(test)]
mod tests;

pub use findings::{Bearing, Cause, Diagnosis, Findings, ObjectName, Section, SubjectFindings, Unread, Verdict};
pub use gather::Limits;
pub use look::{Target, investigate};
pub use render::text;
pub use rules::{RULES, Rule, diagnose};
pub use seen::{LogTail, Reference, Seen};
