//! From a question as it was typed to a [`ParsedQuery`]: spelling, what it is wrapped in, clauses (count, group, order, age), what is not
//! wanted, conditions, named objects, free text.

mod ages;
mod around;
mod beyond;
mod bounds;
mod clauses;
mod clusters;
mod concepts;
mod context;
mod edit_cost;
mod english;
mod fillers;
mod gloss;
mod kind_words;
mod kinds;
mod kubectl;
mod language;
mod names;
mod parse;
mod parsed;
mod patterns;
mod request;
mod scopes;
mod sentences;
mod tokens;
mod typos;
mod unwanted;
mod wording;

pub use clauses::{Clauses, GroupBy, Order, UnknownGroup};
pub use kinds::{UnknownKind, resolve_kinds};
pub use parsed::{Condition, First, NamedObject, Need, Note, ParsedQuery, Problem, SoftCondition};
pub use request::{LONGEST_QUESTION, Query, Wanted};

pub(crate) use concepts::Concepts;
pub(crate) use edit_cost::edit_distance;
pub(crate) use parse::{as_state, parse, without_words};

#[cfg(test)]
mod tests;
