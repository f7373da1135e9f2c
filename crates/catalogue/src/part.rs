//! Parts that any software may have, told by a word after its name.

/// What an object is beside the software it is named after: a `redis-exporter` is not a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Publishes metrics of it.
    Exporter,
    /// Runs it for others.
    Operator,
    /// A page to look at it or manage it.
    Ui,
    /// Stands in front of it.
    Proxy,
    /// Works for it on nodes or beside other programs.
    Agent,
    /// Saves its data, or brings it back.
    Backup,
    /// Prepares it once.
    Init,
    /// Tries it.
    Test,
    /// Its settings.
    Config,
    /// Its credentials.
    Credentials,
    /// Talks to it.
    Client,
}

/// Sorted by word.
const WORDS: &[(&str, Part)] = &[
    ("admin", Part::Ui),
    ("agent", Part::Agent),
    ("auth", Part::Credentials),
    ("backup", Part::Backup),
    ("bootstrap", Part::Init),
    ("cli", Part::Client),
    ("client", Part::Client),
    ("conf", Part::Config),
    ("config", Part::Config),
    ("configmap", Part::Config),
    ("configuration", Part::Config),
    ("console", Part::Ui),
    ("credential", Part::Credentials),
    ("credentials", Part::Credentials),
    ("dashboard", Part::Ui),
    ("dump", Part::Backup),
    ("env", Part::Config),
    ("exporter", Part::Exporter),
    ("gui", Part::Ui),
    ("init", Part::Init),
    ("initdb", Part::Init),
    ("migrate", Part::Init),
    ("migration", Part::Init),
    ("migrations", Part::Init),
    ("operator", Part::Operator),
    ("password", Part::Credentials),
    ("proxy", Part::Proxy),
    ("restore", Part::Backup),
    ("secret", Part::Credentials),
    ("setup", Part::Init),
    ("smoke", Part::Test),
    ("snapshot", Part::Backup),
    ("test", Part::Test),
    ("tests", Part::Test),
    ("tls", Part::Credentials),
    ("ui", Part::Ui),
    ("web", Part::Ui),
];

impl Part {
    /// The part that a word tells.
    pub fn of_word(word: &str) -> Option<Self> {
        WORDS.binary_search_by_key(&word, |(w, _)| w).ok().map(|at| WORDS[at].1)
    }

    /// The category that such a part belongs to instead of its software's; `None` where it keeps those.
    pub fn category(self) -> Option<&'static str> {
        match self {
            Self::Exporter => Some("metrics-exporter"),
            Self::Operator => Some("operator"),
            Self::Ui => Some("admin-ui"),
            Self::Backup => Some("backup"),
            Self::Test => Some("testing"),
            Self::Proxy | Self::Agent | Self::Init | Self::Config | Self::Credentials | Self::Client => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn words_are_sorted_and_categories_known() {
        assert!(WORDS.is_sorted_by_key(|(w, _)| w));
        for (word, part) in WORDS {
            assert_eq!(Part::of_word(word), Some(*part));
            assert!(part.category().is_none_or(|c| Catalogue::builtin().category(c).is_some()), "{word}");
        }
    }
}
