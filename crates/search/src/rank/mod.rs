//! From candidates to a ranking: what a document is, what speaks for it, and whether it matches.

mod abstention;
mod described;
mod matching;
mod noun;
mod profile;
mod ranked;
mod ranking;
mod types;
mod weights;

pub use noun::Noun;
pub use profile::{Place, Places};
pub use ranking::{Reason, Score};
pub use weights::{Features, Weights};

pub(crate) use matching::{is_evidence, matching};
pub(crate) use profile::{Profile, Profiles};
pub(crate) use ranked::{Ranked, rank};
pub(crate) use ranking::Ranking;
pub(crate) use types::bridge;
