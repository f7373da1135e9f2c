//! What a document is about, and the software that it is.

use clusterlore_catalogue::{Catalogue, Part, Software};
use clusterlore_core::{Capability, ResourceInstance, ResourceType};

/// What a document is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Noun {
    /// An object of a cluster.
    Instance(Box<ResourceInstance>),
    /// A resource type, and what it is for if that is known.
    Type(Box<ResourceType>, Option<Box<Capability>>),
}

/// Software that an object is, or belongs to. It names its place in the catalogue, because a profile outlives a question.
#[derive(Debug)]
pub(crate) struct Recognised {
    /// Its place in [`Catalogue::all_software`].
    pub(crate) software: usize,
    /// Whether the object's kind says so.
    pub(crate) by_kind: bool,
    /// The word that says so, as the catalogue spells it.
    pub(crate) alias: Box<str>,
    /// How sure that is: 0 to 1.
    pub(crate) weight: f32,
    /// Which part of the software the object is, if it is not the software itself.
    pub(crate) part: Option<Part>,
    /// Id of the category of that part, if it has one of its own.
    pub(super) part_category: Option<Box<str>>,
}

impl Recognised {
    pub(crate) fn software<'c>(&self, catalogue: &'c Catalogue) -> &'c Software {
        &catalogue.all_software()[self.software]
    }

    /// Id of the category of the part that the object is.
    pub(crate) fn part_category(&self) -> Option<&str> {
        self.part_category.as_deref().or(self.part.and_then(Part::category))
    }

    /// Ids of the categories of the object: the part's own if it has one, else the software's.
    pub(crate) fn categories<'a>(&'a self, catalogue: &'a Catalogue) -> Vec<&'a str> {
        match self.part_category() {
            Some(category) => vec![category],
            None => self.software(catalogue).categories.iter().map(|c| &**c).collect(),
        }
    }
}
