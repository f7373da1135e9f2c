//! A question with its limits, as every face hands it in.

use clusterlore_core::{Collection, NamePattern, Selector};
use clusterlore_search::{GroupBy, Order, Wanted};
use jiff::Timestamp;

/// What is asked. The default asks for ten hits among instances.
#[derive(Debug, Clone)]
pub struct Request {
    /// In the caller's own words.
    pub question: String,
    /// Where to search.
    pub collection: Collection,
    /// Names of clusters, as they are stored (empty string: the unnamed one) or as they are shown; none: all.
    pub clusters: Vec<String>,
    /// Namespaces; none: all.
    pub namespaces: Vec<String>,
    /// Kinds, plurals, short names or `plural.group`; none: all.
    pub kinds: Vec<String>,
    /// Stored ids of the objects that may be found; none: all.
    pub objects: Vec<String>,
    /// What objects are called; `None`: anything.
    pub name: Option<NamePattern>,
    /// Conditions on labels.
    pub selector: Selector,
    /// Conditions on annotations, of those that are kept.
    pub annotations: Selector,
    /// The most hits.
    pub limit: usize,
    /// When the question is asked, RFC 3339. Empty if that is not known; then no question can ask for an age.
    pub now: String,
    /// Whether hits are wanted.
    pub hits: bool,
    /// Whether the number of matches is wanted.
    pub number: Wanted,
    /// Groups to count by, in place of those that the question names.
    pub group_by: Option<GroupBy>,
    /// Only what was created then or later; a question narrows it.
    pub since: Option<Timestamp>,
    /// Only what was created before then; a question narrows it.
    pub until: Option<Timestamp>,
    /// What comes first, in place of what the question says.
    pub order: Option<Order>,
    /// Whether the cluster may be asked for what it alone knows, where there is one to ask.
    pub live: bool,
    /// Whether the reply tells how each score came about.
    pub explain: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            question: String::new(),
            collection: Collection::default(),
            clusters: Vec::new(),
            namespaces: Vec::new(),
            kinds: Vec::new(),
            objects: Vec::new(),
            name: None,
            selector: Selector::default(),
            annotations: Selector::default(),
            limit: 10,
            now: String::new(),
            hits: true,
            number: Wanted::IfAsked,
            group_by: None,
            since: None,
            until: None,
            order: None,
            live: true,
            explain: false,
        }
    }
}
