//! What only a cluster knows of an object ("is it running?", "which image?"): the conditions that can be asked for, and the one table of
//! them (`data/conditions.toml`): how people ask, and which cells of the API server's tables decide. Whoever reads questions and whoever reads
//! tables share nothing but this room, so that the words of a condition and its columns stand in one file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A condition that is asked of an object, and that only its cluster can tell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LiveCondition {
    /// It does not run: it waits, failed, ended or is done.
    NotRunning,
    /// It runs.
    Running,
    /// Failed, or not ready.
    Unhealthy,
    /// It failed, or fails again and again.
    Failed,
    /// It is not ready, or not all of its replicas are.
    NotReady,
    /// It and all of its replicas are ready.
    Ready,
    /// It waits for something: a node, a volume, an address.
    Pending,
    /// It came to its end as it should.
    Complete,
    /// It was told to pause.
    Suspended,
    /// A claim has its volume, or a volume its claim.
    Bound,
    /// It has not.
    NotBound,
    /// A claim's volume is gone.
    Lost,
    /// It can be reached at an address outside the cluster.
    ExternalAddress,
    /// One of these words is its status, reason or type.
    Status(Vec<String>),
    /// So many restarts of its containers.
    Restarted(Limit),
    /// An image of this name, as far as it is given: registry, path, tag (`nginx`, `ghcr.io/org/app:1.2`, `:latest`). Empty: any.
    Image(String),
    /// This version, as far as it is given (`1.29`). Empty: any.
    Version(String),
    /// So many replicas.
    Replicas {
        /// Which of them count.
        of: Replicas,
        /// How many.
        number: Limit,
    },
    /// So many bytes of storage.
    Capacity(Limit),
    /// One of these words is printed of it, where its type prints it of any object; where it does not, the condition decides.
    Said {
        /// The words.
        words: Vec<String>,
        /// The condition.
        or: Box<LiveCondition>,
    },
    /// It is told that this one does not hold.
    Not(Box<LiveCondition>),
    /// One of these holds.
    Any(Vec<LiveCondition>),
}

/// What metadata does not say, and who does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beyond {
    /// How it is: its status, its health, whether it came to its end.
    Status,
    /// Which image it runs, of which version.
    Image,
    /// How it is set up: replicas, ports, limits, what it refers to.
    Spec,
    /// What it uses, how fast it is.
    Metrics,
    /// What it printed.
    Logs,
    /// What happened to it.
    Events,
    /// Who may do what.
    Rbac,
    /// When it last changed or ran; when it was created, where the index does not know.
    Time,
}

impl Beyond {
    /// Its name: `status`, `rbac`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Image => "image",
            Self::Spec => "spec",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
            Self::Events => "events",
            Self::Rbac => "rbac",
            Self::Time => "time",
        }
    }
}

/// Whether a type (`plural.group`) is none of Kubernetes' own: what an operator prints of its objects is in its own words.
pub fn is_of_an_operator(type_name: &str) -> bool {
    type_name.split_once('.').is_some_and(|(_, group)| group.contains('.') && !group.ends_with(".k8s.io"))
}

/// Stands for the types of operators in [`Asked::only`].
pub const OF_OPERATORS: &str = "*";

/// What a Service may be.
pub const SERVICE_TYPES: [&str; 4] = ["LoadBalancer", "NodePort", "ClusterIP", "ExternalName"];

/// Which replicas are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replicas {
    /// Those that there should be.
    Desired,
    /// Those that are ready.
    Ready,
}

/// A bound on a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// This number.
    Exactly(u64),
    /// This number or more.
    AtLeast(u64),
    /// This number or less.
    AtMost(u64),
}

impl Limit {
    /// Whether a number is within the bound.
    pub fn holds(self, number: u64) -> bool {
        match self {
            Self::Exactly(limit) => number == limit,
            Self::AtLeast(limit) => number >= limit,
            Self::AtMost(limit) => number <= limit,
        }
    }
}

impl LiveCondition {
    /// What it is about.
    pub fn beyond(&self) -> Beyond {
        match self {
            Self::Image(_) | Self::Version(_) => Beyond::Image,
            // The type of a Service is set up, and printed where others print how they are.
            Self::Status(words) if words.iter().any(|word| SERVICE_TYPES.contains(&word.as_str())) => Beyond::Spec,
            Self::Not(other) | Self::Said { or: other, .. } => other.beyond(),
            Self::Any(all) => all.first().map_or(Beyond::Status, Self::beyond),
            Self::ExternalAddress | Self::Capacity(_) | Self::Replicas { of: Replicas::Desired, .. } => Beyond::Spec,
            _ => Beyond::Status,
        }
    }

    /// Whether it asks what something is, and not whether something is so: "which image", "how many replicas".
    pub fn asks_for_a_value(&self) -> bool {
        match self {
            Self::Image(name) | Self::Version(name) => name.is_empty(),
            Self::Replicas { number: Limit::AtLeast(least), .. } | Self::Capacity(Limit::AtLeast(least)) => *least <= 1,
            Self::Any(all) => all.iter().all(Self::asks_for_a_value),
            _ => false,
        }
    }

    /// Whether it is about how something is, and about no number, image or version.
    pub fn is_state(&self) -> bool {
        match self {
            Self::Restarted(_) | Self::Image(_) | Self::Version(_) | Self::Replicas { .. } | Self::Capacity(_) => false,
            Self::Not(other) | Self::Said { or: other, .. } => other.is_state(),
            Self::Any(all) => all.iter().all(Self::is_state),
            _ => true,
        }
    }

    /// The types that are meant where a question names none.
    pub fn types(&self) -> Vec<&'static String> {
        match self {
            Self::Any(all) => all.iter().flat_map(Self::types).collect(),
            other => Conditions::get().of.get(other.name()).into_iter().flatten().collect(),
        }
    }

    /// One that holds where this one or the other does.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Status(mut words), Self::Status(more)) => {
                words.extend(more);
                Self::Status(words)
            }
            (Self::Any(mut all), other) => {
                all.push(other);
                Self::Any(all)
            }
            (one, other) => Self::Any(vec![one, other]),
        }
    }

    /// What programs call it: `not-ready`, `not image`, `pending or failed`.
    pub fn told(&self) -> String {
        match self {
            Self::Not(other) => format!("not {}", other.told()),
            Self::Said { or, .. } => or.told(),
            Self::Any(all) => all.iter().map(Self::told).collect::<Vec<_>>().join(" or "),
            other => other.name().to_owned(),
        }
    }

    /// Its name in the table of conditions; of several, that of the first.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotRunning => "not-running",
            Self::Running => "running",
            Self::Unhealthy => "unhealthy",
            Self::Failed => "failed",
            Self::NotReady => "not-ready",
            Self::Ready => "ready",
            Self::Pending => "pending",
            Self::Complete => "complete",
            Self::Suspended => "suspended",
            Self::Bound => "bound",
            Self::NotBound => "not-bound",
            Self::Lost => "lost",
            Self::ExternalAddress => "external-address",
            Self::Status(_) => "status",
            Self::Restarted(_) => "restarted",
            Self::Image(_) => "image",
            Self::Version(_) => "version",
            Self::Replicas { .. } => "replicas",
            Self::Capacity(_) => "capacity",
            Self::Not(other) | Self::Said { or: other, .. } => other.name(),
            Self::Any(all) => all.first().map_or("status", Self::name),
        }
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Ready => Self::NotReady,
            Self::NotReady => Self::Ready,
            Self::Running => Self::NotRunning,
            Self::NotRunning => Self::Running,
            Self::Bound => Self::NotBound,
            Self::NotBound => Self::Bound,
            Self::Not(other) => *other,
            Self::Restarted(Limit::AtLeast(n)) if n > 0 => Self::Restarted(Limit::AtMost(n - 1)),
            Self::Restarted(Limit::AtMost(n)) => Self::Restarted(Limit::AtLeast(n.saturating_add(1))),
            other => Self::Not(Box::new(other)),
        }
    }
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// No column of this type says it, its cell cannot be read, or it was not read.
    NotSaid,
}

/// What a cluster says of an object and a condition.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it holds.
    pub verdict: Verdict,
    /// The number that decides: restarts, replicas, bytes.
    pub number: Option<u64>,
    /// What decides, and what else is said of the object's state: `0/1 CrashLoopBackOff, restarted 14 times`. Text from outside.
    pub text: String,
}

impl std::fmt::Debug for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Finding({:?}, {:?})", self.verdict, self.number)
    }
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// A word for what runs.
    Running,
    /// For what is ready.
    Ready,
    /// For what is not.
    Unready,
    /// For what waits.
    Waiting,
    /// For what fails, or has failed.
    Failing,
    /// For what fails before it was started.
    Unstarted,
    /// For what ended well.
    Done,
    /// For what is being ended.
    Ending,
    /// For what is paused.
    Off,
    /// For what has what it claims.
    Bound,
    /// For what nobody claims.
    Free,
    /// For what has lost it.
    Lost,
    /// For a node that takes no more pods.
    Cordoned,
    /// For a name of something elsewhere.
    Alias,
    /// For what nobody knows.
    Unknown,
    /// A word that is not in the table.
    Other,
    /// `True`
    True,
    /// `False`
    False,
    /// All of some: `3/3`.
    Full,
    /// Some of more: `1/3`.
    Part,
    /// None of some: `0/3`.
    None,
    /// None of none: `0/0`.
    Empty,
    /// Nothing, `<none>` or `<unset>`.
    Missing,
    /// `<pending>`, where an address should be.
    Awaited,
    /// An address.
    Given,
}

/// How a cell is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    /// Words, `True` and `False`, `a/b`: as [`Sign`]s.
    #[default]
    State,
    /// An address, as a [`Sign`].
    Address,
    /// A number: `3`, `3 (5m ago)`, `2/3`.
    Number,
    /// A quantity of bytes: `10Gi`.
    Size,
    /// Names of images with commas between them.
    Images,
    /// `v1.29.3`
    Version,
    /// Words that are compared as they are.
    Words,
}

/// How words before a number compare with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// It, and no other.
    Exactly,
    /// Above it.
    More,
    /// It or above.
    AtLeast,
    /// Below it.
    Fewer,
    /// It or below.
    AtMost,
    /// From it to the next number.
    Between,
    /// It or above, in words that stand behind it.
    OrMore,
    /// It or below, in words that stand behind it.
    OrLess,
}

impl Comparison {
    /// Those that stand before a number.
    pub const BEFORE: [Self; 6] = [Self::Exactly, Self::More, Self::AtLeast, Self::Fewer, Self::AtMost, Self::Between];
}

/// An end of an order of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extreme {
    /// The highest number.
    Most,
    /// The lowest.
    Fewest,
}

/// Words and phrases of a condition.
#[derive(Debug, Clone, Deserialize)]
pub struct Asked {
    /// The condition.
    pub is: LiveCondition,
    /// They ask for it only where one of these types is named (`plural.group`, or [`OF_OPERATORS`]).
    #[serde(default)]
    pub only: Vec<String>,
    /// They ask for it only beside another condition.
    #[serde(default)]
    pub beside: bool,
    /// What they ask for first, of the numbers that decide it.
    pub first: Option<Extreme>,
    /// Its words and phrases in small letters, by language (`en`).
    #[serde(flatten)]
    pub phrases: BTreeMap<String, Vec<String>>,
}

/// Patterns by which people ask for what no condition stands for.
#[derive(Debug, Clone, Deserialize)]
pub struct AskedBeyond {
    /// What they ask for.
    pub what: Beyond,
    /// The patterns, by language.
    #[serde(flatten)]
    pub patterns: BTreeMap<String, Vec<String>>,
}

/// A condition that follows from others.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Derived {
    /// It holds where this one does not.
    Not(String),
    /// It holds where one of these does.
    Any(Vec<String>),
}

/// A column that decides a condition.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deciding {
    /// Name of the condition.
    pub condition: String,
    /// Of these types (`plural.group`); of any where there are none.
    #[serde(default)]
    pub types: Vec<String>,
    /// Of any but these.
    #[serde(default)]
    pub except: Vec<String>,
    /// Names for the same column; the first that the type has.
    pub columns: Vec<String>,
    /// Names for the column that says how many there should be.
    #[serde(default)]
    pub of: Vec<String>,
    /// How the cell is read.
    #[serde(default)]
    pub read: Read,
    /// The condition holds.
    #[serde(default)]
    pub yes: Vec<Sign>,
    /// It does not.
    #[serde(default)]
    pub no: Vec<Sign>,
    /// It does not, and its opposite does not either.
    #[serde(default)]
    pub neither: Vec<Sign>,
}

impl Deciding {
    /// Whether it is about a type.
    pub fn is_of(&self, type_name: &str) -> bool {
        let names = |list: &[String]| list.iter().any(|name| name == type_name);
        (self.types.is_empty() || names(&self.types)) && !names(&self.except)
    }
}

/// Words that say the same.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct States {
    /// In cells of these types; of any where there are none.
    #[serde(default)]
    pub types: Vec<String>,
    /// What they say.
    pub says: Sign,
    /// The words as they are printed.
    pub words: Vec<String>,
    /// How others begin that say it too.
    #[serde(default)]
    pub begins: Vec<String>,
}

/// The one table of conditions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// How they are asked for.
    pub asked: Vec<Asked>,
    /// How words compare with a number, by language.
    pub bounds: BTreeMap<Comparison, BTreeMap<String, Vec<String>>>,
    /// Adjectives that no condition stands for.
    pub stated: Vec<AskedBeyond>,
    /// Words that mean little more than "there is", unless things are counted: "how many databases are running". By language.
    pub hollow: BTreeMap<String, Vec<String>>,
    /// How what no condition stands for is asked for. The first that fits counts.
    pub beyond: Vec<AskedBeyond>,
    /// How the time of creation is asked for, by language.
    pub age: BTreeMap<String, Vec<String>>,
    /// Those that follow from others, by name.
    pub derived: BTreeMap<String, Derived>,
    /// The types that are meant where a question names none, by condition.
    pub of: BTreeMap<String, Vec<String>>,
    /// The columns that decide the others.
    pub decides: Vec<Deciding>,
    /// What words say; those of a type before those of any.
    #[serde(rename = "state")]
    pub states: Vec<States>,
}

impl Conditions {
    /// The table.
    pub fn get() -> &'static Self {
        static TABLE: LazyLock<Conditions> = LazyLock::new(|| {
            toml::from_str(include_str!("../data/conditions.toml")).expect("a test reads the table that is built in")
        });
        &TABLE
    }

    /// The phrases of a comparison, of every language.
    pub fn compares(&self, comparison: Comparison) -> impl Iterator<Item = &str> {
        self.bounds.get(&comparison).into_iter().flat_map(BTreeMap::values).flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;

    const LANGUAGES: [&str; 6] = ["de", "en", "es", "fr", "pt", "zh"];

    /// One of each.
    fn all() -> Vec<LiveCondition> {
        let mut all: Vec<LiveCondition> = Conditions::get().asked.iter().map(|asked| asked.is.clone()).collect();
        all.retain(|condition| !matches!(condition, LiveCondition::Not(_)));
        all.sort_by_key(LiveCondition::name);
        all.dedup_by_key(|condition| condition.name());
        all
    }

    #[test]
    fn every_condition_can_be_asked_for_and_decided() {
        let table = Conditions::get();
        let all: BTreeSet<&str> = all().iter().map(LiveCondition::name).collect();
        assert_eq!(all.len(), 19, "{all:?}");
        let decided: BTreeSet<&str> = table.decides.iter().map(|d| d.condition.as_str()).collect();
        let derived: BTreeSet<&str> = table.derived.keys().map(String::as_str).collect();
        assert_eq!(decided.union(&derived).copied().collect::<BTreeSet<_>>(), all);
        assert!(decided.is_disjoint(&derived));
        assert_eq!(table.of.keys().map(String::as_str).collect::<BTreeSet<_>>(), all);
        for from in table.derived.values().flat_map(|derived| match derived {
            Derived::Not(one) => std::slice::from_ref(one),
            Derived::Any(some) => some.as_slice(),
        }) {
            assert!(decided.contains(from.as_str()), "{from}");
        }
    }

    #[test]
    fn a_condition_is_written_by_its_name() {
        for condition in all() {
            let json = serde_json::to_value(&condition).unwrap();
            let name = json.as_str().or_else(|| json.as_object()?.keys().next().map(String::as_str)).unwrap();
            assert_eq!(name, condition.name());
            assert_eq!(serde_json::from_value::<LiveCondition>(json.clone()).unwrap(), condition);
        }
    }

    #[test]
    fn a_phrase_means_one_condition_and_is_in_small_letters() {
        // Of types that are named, words may mean more: they stand first.
        let mut known: HashMap<(&str, &str, &[String]), &LiveCondition> = HashMap::new();
        for asked in &Conditions::get().asked {
            assert!(asked.phrases.contains_key("en"), "{:?}", asked.is);
            for (language, phrases) in &asked.phrases {
                assert!(LANGUAGES.contains(&language.as_str()), "{language}");
                for phrase in phrases {
                    assert_eq!(*phrase, phrase.trim().to_lowercase());
                    let other = known.insert((language, phrase, &asked.only), &asked.is);
                    assert!(other.is_none(), "{phrase:?} means {other:?} and {:?}", asked.is);
                }
            }
        }
    }

    #[test]
    fn no_rule_contradicts_itself() {
        for rule in &Conditions::get().decides {
            let mut signs: Vec<Sign> = [&rule.yes, &rule.no, &rule.neither].into_iter().flatten().copied().collect();
            assert!(!rule.columns.is_empty(), "{rule:?}");
            let compares = !matches!(rule.read, Read::State | Read::Address);
            assert_eq!(signs.is_empty(), compares, "{rule:?}");
            let count = signs.len();
            signs.sort();
            signs.dedup();
            assert_eq!(signs.len(), count, "{rule:?}");
        }
    }

    #[test]
    fn a_word_says_one_thing_and_those_of_a_type_come_first() {
        let mut said: HashMap<(&[String], String), Sign> = HashMap::new();
        let mut general = false;
        for state in &Conditions::get().states {
            general |= state.types.is_empty();
            assert_eq!(state.types.is_empty(), general, "{:?} after words of any type", state.types);
            for word in state.words.iter().chain(&state.begins) {
                let other = said.insert((&state.types, word.to_lowercase()), state.says);
                assert!(other.is_none(), "{word} says {other:?} and {:?}", state.says);
            }
        }
    }

    #[test]
    fn limits() {
        let holds = |limit: Limit| [0, 1, 2].map(|number| limit.holds(number));
        assert_eq!(holds(Limit::Exactly(1)), [false, true, false]);
        assert_eq!(holds(Limit::AtLeast(1)), [false, true, true]);
        assert_eq!(holds(Limit::AtMost(1)), [true, true, false]);
    }
}
