//! A store as JSON lines, and back: how an index moves to another store. One line a thing, each an object of one key that says what
//! it is; sources and types come before documents, and the last line says how many documents there were.

mod error;
mod export;
mod import;
mod line;
#[cfg(test)]
mod tests;

pub use error::MoveError;
pub use export::{Exported, export};
pub use import::{Import, Imported};
pub use line::Header;
