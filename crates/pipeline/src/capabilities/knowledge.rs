//! What is known of groups and kinds beside what their schemas say.

use clusterlore_core::Complexity;

/// What is known of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownKind {
    /// One sentence: what an object of it is for.
    pub about: String,
    /// Tags.
    pub capabilities: Vec<String>,
    /// When people make one; may be empty.
    pub use_case: String,
    /// How much there is to know before making one.
    pub complexity: Complexity,
    /// Whether Kubernetes itself serves it.
    pub built_in: bool,
}

/// What is known of an API group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownGroup {
    /// Whose group it is, as its authors write it.
    pub title: String,
    /// One sentence: what the group is for.
    pub about: String,
    /// Words for what its objects are about, the most telling first.
    pub categories: Vec<String>,
    /// What its workloads run, as its authors write it: PostgreSQL for CloudNativePG's.
    pub runs: Option<String>,
}

/// Knows groups and kinds.
pub trait Knowledge: Send + Sync {
    /// What is known of a kind; the group is empty for the core group.
    fn kind(&self, group: &str, kind: &str) -> Option<KnownKind>;

    /// What is known of a group.
    fn group(&self, group: &str) -> Option<KnownGroup>;
}

/// Knows nothing: schemas alone speak.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unknowing;

impl Knowledge for Unknowing {
    fn kind(&self, _: &str, _: &str) -> Option<KnownKind> {
        None
    }

    fn group(&self, _: &str) -> Option<KnownGroup> {
        None
    }
}
