//! The nouns of the catalogue. Texts are borrowed where they are in the binary and owned where they come from a user's file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// A text of the catalogue.
pub type Text = Cow<'static, str>;
/// Texts of the catalogue.
pub type Texts = Cow<'static, [Text]>;

/// What software can be: "relational-database". Categories have broader ones ([`Category::parents`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Category {
    /// Kebab-case, unique.
    #[serde(skip)]
    pub id: Text,
    /// One sentence: what such software is for.
    pub about: Text,
    /// Ids of broader categories.
    pub parents: Texts,
    /// How people ask for it in English, singular.
    pub phrases: Texts,
    /// German phrases.
    pub de: Texts,
    /// French phrases.
    pub fr: Texts,
    /// Spanish phrases.
    pub es: Texts,
    /// Portuguese phrases.
    pub pt: Texts,
    /// Chinese phrases.
    pub zh: Texts,
}

/// A product or project that people run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Software {
    /// Kebab-case, unique; itself an alias unless it stands in [`Software::ambiguous`].
    #[serde(skip)]
    pub id: Text,
    /// The name as its authors write it.
    pub title: Text,
    /// How it appears in names and labels.
    pub aliases: Texts,
    /// Aliases that are also ordinary words or other products' names: they count only where they begin an object's name, or
    /// are the whole value of a label or namespace.
    pub ambiguous: Texts,
    /// Ids of categories, the first one says best what it is.
    pub categories: Texts,
    /// One sentence: what it is and what people use it for.
    pub about: Text,
    /// Parts of it that are something else than the whole.
    #[serde(deserialize_with = "components")]
    pub components: Cow<'static, [Component]>,
}

/// A part of a software, told by what follows the software's name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Component {
    /// What follows the software's name: `agent-injector`.
    pub suffix: Text,
    /// Id of the category that the part belongs to.
    pub category: Text,
}

/// `{ agent-injector = "secrets-management" }` as a list.
fn components<'de, D: Deserializer<'de>>(from: D) -> Result<Cow<'static, [Component]>, D::Error> {
    let map = BTreeMap::<Text, Text>::deserialize(from)?;
    Ok(map.into_iter().map(|(suffix, category)| Component { suffix, category }).collect::<Vec<_>>().into())
}

/// An API group, or a pattern for several (`*.services.k8s.aws`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    /// The group; a leading `*` stands for anything.
    #[serde(skip)]
    pub group: Text,
    /// Whose group it is, as its authors write it.
    pub title: Text,
    /// Id of the software that serves the group.
    pub software: Option<Text>,
    /// Id of the software that its workloads run: PostgreSQL for CloudNativePG's.
    pub runs: Option<Text>,
    /// Ids of categories, the first one says best what its objects are about.
    pub categories: Texts,
    /// One sentence: what the group is for.
    pub about: Text,
    /// Domains of label keys that the operator sets on what it makes: `cnpg.io`.
    pub labels: Texts,
}

/// A kind: built into Kubernetes, or of a known group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kind {
    /// API group, empty for the core group.
    #[serde(skip)]
    pub group: Text,
    /// `Deployment`.
    #[serde(skip)]
    pub kind: Text,
    /// Whether Kubernetes itself serves it.
    #[serde(skip)]
    pub built_in: bool,
    /// Lower-case plural; empty where only the operator's discovery knows it.
    pub plural: Text,
    /// One sentence: what an object of the kind is for.
    pub about: Text,
    /// What such an object does in a cluster.
    pub role: Role,
    /// What it can do, as tags.
    pub capabilities: Texts,
    /// When people make one; may be empty.
    pub use_case: Text,
    /// How much there is to know before making one.
    pub complexity: Complexity,
    /// Id of the software, where it is not the group's.
    pub software: Option<Text>,
    /// What people call it in English, singular; the words of the kind itself need not be repeated.
    pub synonyms: Texts,
    /// German words for it.
    pub de: Texts,
    /// French words for it.
    pub fr: Texts,
    /// Spanish words for it.
    pub es: Texts,
    /// Portuguese words for it.
    pub pt: Texts,
    /// Chinese words for it.
    pub zh: Texts,
}

/// What an object of a kind does in a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Something runs because of it.
    Workload,
    /// Lets things reach each other.
    Networking,
    /// Keeps data.
    Storage,
    /// Settings that others read.
    Config,
    /// Who may do what.
    Access,
    /// What is allowed, limited or required.
    Policy,
    /// Where and when things run.
    Scheduling,
    /// Joins two other objects.
    Binding,
    /// Asks once for something to be done.
    Request,
    /// Tells what is, written by a controller.
    Status,
    /// Asks for something that is then provided.
    Claim,
    /// None of these.
    #[default]
    Other,
}

/// How much there is to know before making an object of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Complexity {
    /// A few fields.
    Low,
    /// Some reading.
    #[default]
    Medium,
    /// A subject of its own.
    High,
}

impl Category {
    /// Phrases of the other languages that put spaces between words.
    pub(crate) fn foreign(&self) -> impl Iterator<Item = &Text> {
        [&self.de, &self.fr, &self.es, &self.pt].into_iter().flat_map(|l| l.iter())
    }
}

impl Kind {
    /// Words of the other languages that put spaces between words.
    pub(crate) fn foreign(&self) -> impl Iterator<Item = &Text> {
        [&self.de, &self.fr, &self.es, &self.pt].into_iter().flat_map(|l| l.iter())
    }

    /// `Kind.group`, as kubectl has it; the kind alone in the core group.
    pub fn name(&self) -> String {
        if self.group.is_empty() { self.kind.to_string() } else { format!("{}.{}", self.kind, self.group) }
    }
}
