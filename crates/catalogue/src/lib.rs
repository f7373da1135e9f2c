//! What well-known software, API groups and built-in kinds are: data (`data/`, TOML) and its lookup. "valkey" is an in-memory
//! key-value store, `postgresql.cnpg.io` is CloudNativePG's, and who asks for "a place for our logs" means `logging`.
//!
//! Never in this room: knowledge in code (a product's name belongs into `data/`), the cluster, the index, ranking.

mod asked;
mod catalogue;
mod check;
mod entry;
mod file;
mod glossary;
mod index;
mod inflection;
mod part;
mod recognise;

pub use asked::{Asked, Cover, Meaning};
pub use catalogue::Catalogue;
pub use entry::{Category, Complexity, Component, Group, Kind, Role, Software, Text, Texts};
pub use file::CatalogueError;
pub use glossary::{Glossary, Known};
pub use part::Part;
pub use recognise::{Field, Named, Recognised};
