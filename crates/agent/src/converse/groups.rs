//! Groups of tools, as users choose them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Tools that are given together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToolGroup {
    /// Reading the cluster.
    Kubectl,
    /// Asking the index.
    Vector,
    /// Changing the cluster, each time after a yes.
    Apply,
}

/// A name that is no group's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownGroup(String);

impl fmt::Display for UnknownGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unknown tool group: \"{}\". Valid groups: kubectl, vector, apply", self.0)
    }
}

impl std::error::Error for UnknownGroup {}

impl FromStr for ToolGroup {
    type Err = UnknownGroup;

    fn from_str(text: &str) -> Result<Self, UnknownGroup> {
        match text.trim() {
            "kubectl" => Ok(Self::Kubectl),
            "vector" => Ok(Self::Vector),
            "apply" => Ok(Self::Apply),
            other => Err(UnknownGroup(other.to_owned())),
        }
    }
}

impl ToolGroup {
    /// What is given where nobody chooses.
    pub fn usual() -> BTreeSet<Self> {
        BTreeSet::from([Self::Kubectl, Self::Vector])
    }
}
