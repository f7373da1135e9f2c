//! The two collections that an index consists of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A collection of documents, in every store under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Collection {
    /// What is running: one document an object.
    #[default]
    Instances,
    /// What resource types are for: one document a type.
    #[serde(alias = "types")]
    Capabilities,
}

impl Collection {
    /// Both, each at the place of its number.
    pub const ALL: [Self; 2] = [Self::Instances, Self::Capabilities];

    /// Its name in a store. Other programs rely on it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instances => "instances",
            Self::Capabilities => "capabilities",
        }
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no collection has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no collection {0:?}; expected \"instances\" or \"capabilities\"")]
pub struct UnknownCollection(pub String);

impl FromStr for Collection {
    type Err = UnknownCollection;

    fn from_str(name: &str) -> Result<Self, UnknownCollection> {
        Self::ALL.into_iter().find(|c| c.name() == name).ok_or_else(|| UnknownCollection(name.to_owned()))
    }
}
