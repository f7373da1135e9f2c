//! From a ranking to what the caller gets: hits, a number with groups, objects similar to another.

mod age;
mod collapse;
mod hits;
mod number;
mod similar;

pub use hits::Hit;

pub(crate) use age::created;
pub(crate) use collapse::Collapser;
pub(crate) use hits::{hit_matches, hits, others};
pub(crate) use number::{Number, count, number_matches};
pub(crate) use similar::{Example, example};
