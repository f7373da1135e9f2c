//! What is known of groups and kinds beside what their schemas say.

use clusterlore_catalogue::Catalogue;
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

impl Knowledge for Catalogue {
    fn kind(&self, group: &str, kind: &str) -> Option<KnownKind> {
        let kind = self.kind(group, kind)?;
        Some(KnownKind {
            about: kind.about.to_string(),
            capabilities: kind.capabilities.iter().map(ToString::to_string).collect(),
            use_case: kind.use_case.to_string(),
            complexity: match kind.complexity {
                clusterlore_catalogue::Complexity::Low => Complexity::Low,
                clusterlore_catalogue::Complexity::Medium => Complexity::Medium,
                clusterlore_catalogue::Complexity::High => Complexity::High,
            },
            built_in: kind.built_in,
        })
    }

    fn group(&self, group: &str) -> Option<KnownGroup> {
        let group = self.group(group)?;
        Some(KnownGroup {
            title: group.title.to_string(),
            about: group.about.to_string(),
            categories: group.categories.iter().map(|id| id.replace('-', " ")).collect(),
            runs: group.runs.as_deref().and_then(|id| self.software(id)).map(|s| s.title.to_string()),
        })
    }
}
