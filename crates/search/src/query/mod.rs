//! From a question as it was typed to a [`ParsedQuery`]: spelling, clauses (count, group, order, age), conditions, free text.

mod ages;
mod clauses;
mod concepts;
mod context;
mod edit_cost;
mod english;
mod gloss;
mod kind_words;
mod kinds;
mod language;
mod parse;
mod parsed;
mod request;
mod scopes;
mod tokens;
mod typos;
mod wording;

pub use clauses::{Clauses, GroupBy, Order, UnknownGroup};
pub use kinds::{UnknownKind, resolve_kinds};
pub use parsed::{Note, ParsedQuery, Problem};
pub use request::{LONGEST_QUESTION, Query, Wanted};

pub(crate) use concepts::Concepts;
pub(crate) use edit_cost::edit_distance;
pub(crate) use parse::parse;
