//! What the ranking looks at of a document: its words by the place where they stand, and the software it is. Made once for a
//! record and kept, because one document is a candidate for many questions.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use clusterlore_catalogue::{Catalogue, Named, Part, Role, Software};
use clusterlore_core::{Capability, Collection, ResourceInstance, ResourceType, words};

use crate::Noun;

/// Profiles that are kept, some 2 kB each; with one more all are made anew.
const KEPT: usize = 16_384;
/// The same in bytes of their records: a few documents may be as large as many.
const KEPT_BYTES: usize = 32 << 20;
/// Words of a document that stand for all of them when it is compared with another.
const SKETCH: usize = 64;
/// Share of their words that two documents have in common from which they say the same.
const ALIKE: f32 = 0.8;

/// Where in a document a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Its name; of a type also the kind, the plural and the short names.
    Name,
    /// Its kind.
    Kind,
    /// A label; of a type what it can do, as tags.
    Label,
    /// A description; of a type also its use case.
    Description,
    /// Its API group; of a type also what its schema says.
    Group,
    /// Its namespace.
    Namespace,
}

impl Place {
    /// All places.
    pub const ALL: [Self; 6] = [Self::Name, Self::Kind, Self::Label, Self::Description, Self::Group, Self::Namespace];

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Places in which a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Places(u8);

impl Places {
    /// Whether it stands there.
    pub fn contains(self, place: Place) -> bool {
        self.0 & place.bit() != 0
    }

    pub(crate) fn besides_namespace(self) -> bool {
        self.0 & !Place::Namespace.bit() != 0
    }
}

/// One text of a document.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) place: Place,
    /// What the user is told of the place.
    pub(crate) called: &'static str,
    pub(crate) value: String,
}

/// A software that an object is, or belongs to, apart from the catalogue that knows more of it: profiles outlive a question.
#[derive(Debug)]
pub(crate) struct Recognised {
    /// Its place in [`Catalogue::all_software`].
    pub(crate) software: usize,
    /// Whether the object's kind tells it.
    pub(crate) by_kind: bool,
    /// What told it, as the catalogue spells it.
    pub(crate) alias: Box<str>,
    /// How sure that is: 0 to 1.
    pub(crate) weight: f32,
    /// What the object is beside the software.
    pub(crate) part: Option<Part>,
    /// Id of the category of such a part, where it is not that of the software.
    part_category: Option<Box<str>>,
}

impl Recognised {
    pub(crate) fn software<'c>(&self, catalogue: &'c Catalogue) -> &'c Software {
        &catalogue.all_software()[self.software]
    }

    /// Id of the category that the object has as a part of the software.
    pub(crate) fn part_category(&self) -> Option<&str> {
        self.part_category.as_deref().or(self.part.and_then(Part::category))
    }

    /// Ids of the categories that the object belongs to: those of the part where it has its own, else the software's.
    pub(crate) fn categories<'a>(&'a self, catalogue: &'a Catalogue) -> Vec<&'a str> {
        match self.part_category() {
            Some(category) => vec![category],
            None => self.software(catalogue).categories.iter().map(|c| &**c).collect(),
        }
    }
}

/// A document as the ranking sees it.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) noun: Noun,
    pub(crate) fields: Vec<Field>,
    pub(crate) terms: HashMap<String, Places>,
    /// Hashes of its words, in order; see [`Profile::says_the_same`].
    sketch: Vec<u32>,
    pub(crate) recognised: Vec<Recognised>,
    /// What the object's kind is worth beside others that say the same.
    pub(crate) role: f32,
    /// How surely the object is the software that its kind belongs to.
    pub(crate) is_it: f32,
}

impl Profile {
    /// `None` where the record is none of the collection's, which only another program can have written.
    fn read(catalogue: &Catalogue, collection: Collection, record: &str) -> Option<Self> {
        let (noun, fields) = match collection {
            Collection::Instances => {
                let instance: ResourceInstance = serde_json::from_str(record).ok()?;
                let fields = of_instance(&instance);
                (Noun::Instance(Box::new(instance)), fields)
            }
            Collection::Capabilities => {
                let ty: ResourceType = serde_json::from_str(record).ok()?;
                let capability = Capability::from_record(record);
                let fields = of_type(&ty, capability.as_ref());
                (Noun::Type(Box::new(ty), capability.map(Box::new)), fields)
            }
        };
        let mut terms: HashMap<String, Places> = HashMap::new();
        for field in &fields {
            for term in words::terms(&field.value) {
                terms.entry(term).or_default().0 |= field.place.bit();
            }
        }
        let sketch = sketch(&terms);
        let recognised = recognise(catalogue, &noun);
        let is_it = match &noun {
            Noun::Instance(instance) => of_kind(catalogue, instance),
            Noun::Type(..) => 1.0,
        };
        let role = role_of(catalogue, &noun);
        Some(Self { noun, fields, terms, sketch, recognised, role, is_it })
    }

    /// Whether the two say the same of different objects: replicas, copies in other namespaces, one of a thousand settings.
    ///
    /// The share of words in both among those in either (Jaccard), taken over the smallest hashes of either (Broder, "On the resemblance
    /// and containment of documents", 1997), so that long documents take no longer. Numbers, and what numbers are part of, only tell
    /// copies apart; so does the namespace.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let (mut a, mut b) = (self.sketch.iter().peekable(), other.sketch.iter().peekable());
        let (mut either, mut both) = (0, 0);
        while either < SKETCH {
            let next = match (a.peek(), b.peek()) {
                (None, None) => break,
                (Some(a), Some(b)) => **a.min(b),
                (Some(one), None) | (None, Some(one)) => **one,
            };
            let (in_a, in_b) = (a.next_if(|h| **h == next).is_some(), b.next_if(|h| **h == next).is_some());
            either += 1;
            both += usize::from(in_a && in_b);
        }
        both > 0 && both as f32 >= ALIKE * either as f32
    }
}

fn sketch(terms: &HashMap<String, Places>) -> Vec<u32> {
    let tells =
        |(term, places): &(&String, &Places)| places.besides_namespace() && !term.bytes().any(|b| b.is_ascii_digit());
    let hash = |term: &String| {
        let mut hasher = DefaultHasher::new();
        term.hash(&mut hasher);
        hasher.finish() as u32
    };
    let mut hashes: Vec<u32> = terms.iter().filter(tells).map(|(term, _)| hash(term)).collect();
    hashes.sort_unstable();
    hashes.truncate(SKETCH);
    hashes.shrink_to_fit();
    hashes
}

fn recognise(catalogue: &Catalogue, noun: &Noun) -> Vec<Recognised> {
    let known = match noun {
        Noun::Instance(i) => catalogue.recognise(&Named {
            name: &i.name,
            kind: &i.kind,
            group: &i.api_group,
            namespace: if i.is_cluster_scoped() { "" } else { &i.namespace },
            labels: &i.labels,
            annotations: &i.description(),
        }),
        Noun::Type(t, _) => catalogue.recognise(&Named {
            name: "",
            kind: &t.kind,
            group: &t.group,
            namespace: "",
            labels: &std::collections::BTreeMap::new(),
            annotations: "",
        }),
    };
    let all = catalogue.all_software();
    let own = |r: clusterlore_catalogue::Recognised<'_>| {
        Some(Recognised {
            software: all.binary_search_by(|s| s.id.cmp(&r.software.id)).ok()?,
            by_kind: r.field == clusterlore_catalogue::Field::Kind,
            alias: r.alias.into(),
            weight: r.weight,
            part: r.part,
            part_category: r.part_category.map(Into::into),
        })
    };
    known.into_iter().filter_map(own).collect()
}

/// How surely an object is the software that its kind belongs to: a `MariaDB` is one, a `Connection` of MariaDB's operator is not.
fn of_kind(catalogue: &Catalogue, instance: &ResourceInstance) -> f32 {
    match catalogue.kind(&instance.api_group, &instance.kind).map(|k| k.role) {
        Some(Role::Workload) => 1.0,
        Some(Role::Claim | Role::Storage) | None => 0.8,
        Some(_) => 0.5,
    }
}

fn role_of(catalogue: &Catalogue, noun: &Noun) -> f32 {
    let Noun::Instance(instance) = noun else { return 1.0 };
    // What a controller made stands for its owner, which is there too.
    let owned = if instance.owner.is_some() { 0.9 } else { 1.0 };
    let role = match catalogue.kind(&instance.api_group, &instance.kind).map(|k| k.role) {
        Some(Role::Workload) | None => 1.0,
        Some(Role::Claim | Role::Request) => 0.9,
        Some(Role::Other | Role::Storage) => 0.8,
        Some(Role::Networking | Role::Scheduling | Role::Policy) => 0.7,
        Some(Role::Config | Role::Status) => 0.6,
        Some(Role::Access | Role::Binding) => 0.5,
    };
    owned * role
}

fn of_instance(instance: &ResourceInstance) -> Vec<Field> {
    let namespace = if instance.is_cluster_scoped() { "" } else { &instance.namespace };
    let mut fields = vec![
        field(Place::Name, "name", &instance.name),
        field(Place::Kind, "kind", &instance.kind),
        field(Place::Description, "description", &instance.description()),
        field(Place::Namespace, "namespace", namespace),
        field(Place::Group, "group", &instance.api_group),
    ];
    fields.extend(instance.labels.iter().map(|(k, v)| field(Place::Label, "label", &format!("{k}={v}"))));
    fields
}

fn of_type(ty: &ResourceType, capability: Option<&Capability>) -> Vec<Field> {
    let mut fields = vec![
        field(Place::Name, "kind", &ty.kind),
        field(Place::Name, "name", &ty.plural),
        field(Place::Name, "short name", &ty.short_names.join(" ")),
        field(Place::Group, "group", &ty.group),
        field(Place::Description, "description", &ty.description),
    ];
    if let Some(c) = capability {
        fields.push(field(Place::Label, "capabilities", &c.capabilities.join(", ")));
        fields.push(field(Place::Label, "providers", &c.providers.join(", ")));
        fields.push(field(Place::Description, "use case", &c.use_case));
        fields.push(field(Place::Group, "schema", &c.spec_description));
    }
    fields
}

fn field(place: Place, called: &'static str, value: &str) -> Field {
    Field { place, called, value: words::one_line(value) }
}

/// The profiles that were made, by stored id.
#[derive(Debug, Default)]
pub(crate) struct Profiles(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    by_id: HashMap<(Collection, String), Kept>,
    /// Of the records.
    bytes: usize,
}

/// A profile with the hash of the record that it was made of.
type Kept = (u64, Arc<Profile>);

impl Profiles {
    pub(crate) fn of(
        &self,
        catalogue: &Catalogue,
        collection: Collection,
        id: &str,
        record: &str,
    ) -> Option<Arc<Profile>> {
        let mut hasher = DefaultHasher::new();
        record.hash(&mut hasher);
        let hash = hasher.finish();
        let key = (collection, id.to_owned());
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(&key).cloned();
        if let Some((seen, profile)) = kept
            && seen == hash
        {
            return Some(profile);
        }
        let profile = Arc::new(Profile::read(catalogue, collection, record)?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.by_id.len() >= KEPT || all.bytes + record.len() > KEPT_BYTES {
            *all = All::default();
        }
        all.bytes += record.len();
        all.by_id.insert(key, (hash, Arc::clone(&profile)));
        Some(profile)
    }
}
