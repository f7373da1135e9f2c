//! What the ranking reads of a document: its words by place, and the software that it is. A profile is made once for each record and
//! kept, because one document is a candidate for many questions.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use clusterlore_catalogue::{Catalogue, Named, Role};
use clusterlore_core::{Capability, Collection, ObjectKey, ResourceInstance, ResourceType, is_description_key, words};
use clusterlore_models::{Builtin, Encoder};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::described::described;
use super::noun::{Noun, Recognised};

/// The most bytes that they take, estimated: a few documents may be as large as many.
const KEPT_BYTES: u64 = 48 << 20;
/// The most hashes of words by which a document is compared with another.
const SKETCH: usize = 64;
/// The share of words that two documents must have in common to say the same.
const ALIKE: f32 = 0.8;
/// What 1 is in the whole numbers of a vector.
const ONE: f32 = 127.0;

/// Where in a document a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The name; of a type also the kind, the plural and the short names.
    Name,
    /// The kind.
    Kind,
    /// A label; of a type its capabilities.
    Label,
    /// A description; of a type also its use case.
    Description,
    /// The API group; of a type also what its schema says.
    Group,
    /// The namespace.
    Namespace,
}

impl Place {
    /// All places.
    pub const ALL: [Self; 6] = [Self::Name, Self::Kind, Self::Label, Self::Description, Self::Group, Self::Namespace];

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The places of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Places(u8);

impl Places {
    /// Whether the word is there.
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
    /// The name of the place for people.
    pub(crate) called: &'static str,
    pub(crate) value: String,
}

/// The words of a document with their places, in little memory.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// The words one after another, sorted.
    text: Box<str>,
    all: Box<[Term]>,
}

/// Where a word lies in the text, and where in the document.
#[derive(Debug, Clone, Copy)]
struct Term {
    start: u32,
    length: u16,
    places: Places,
}

impl Terms {
    fn of(fields: &[Field]) -> Self {
        let mut places: BTreeMap<String, Places> = BTreeMap::new();
        for field in fields {
            for term in words::terms(&field.value) {
                places.entry(term).or_default().0 |= field.place.bit();
            }
        }
        let mut text = String::with_capacity(places.keys().map(String::len).sum());
        let mut all = Vec::with_capacity(places.len());
        for (term, places) in places {
            // A document is far shorter than 4 GB, and so is no word longer than 64 kB looked for.
            if let (Ok(start), Ok(length)) = (u32::try_from(text.len()), u16::try_from(term.len())) {
                text.push_str(&term);
                all.push(Term { start, length, places });
            }
        }
        Self { text: text.into(), all: all.into() }
    }

    /// Where a word is; nowhere if it is none of the document's.
    pub(crate) fn places(&self, word: &str) -> Places {
        let found = self.all.binary_search_by(|term| self.word(term).cmp(word));
        found.map(|at| self.all[at].places).unwrap_or_default()
    }

    fn iter(&self) -> impl Iterator<Item = (&str, Places)> {
        self.all.iter().map(|term| (self.word(term), term.places))
    }

    fn word(&self, term: &Term) -> &str {
        &self.text[term.start as usize..term.start as usize + usize::from(term.length)]
    }

    fn bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.all)
    }
}

/// A document as the ranking sees it.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) noun: Noun,
    /// An object's own key.
    pub(crate) key: Option<ObjectKey>,
    /// Those that its controller may have.
    pub(crate) owners: Option<[ObjectKey; 2]>,
    pub(crate) terms: Terms,
    /// Hashes of its words, sorted; see [`Profile::says_the_same`].
    sketch: Vec<u32>,
    pub(crate) recognised: Vec<Recognised>,
    /// What the object's kind is worth among documents that say the same.
    pub(crate) role: f32,
    /// Whether it is a claim of Kubernetes' own: for a disk or a device, whosever software its name and labels tell of.
    pub(crate) claims_a_device: bool,
    /// How surely the object is the software that its kind belongs to.
    pub(crate) is_it: f32,
    /// The vector of its description by the encoder, as whole numbers: 127 stands for 1.
    encoded: Box<[i8]>,
    /// The same of its text, where another embedder filled the index.
    text: OnceLock<Box<[i8]>>,
}

impl Profile {
    /// `None` if the record is not one of the collection. Only another program can have written it.
    fn read(catalogue: &Catalogue, encoder: &Encoder<'_>, collection: Collection, record: &str) -> Option<Self> {
        let noun = match collection {
            Collection::Instances => Noun::Instance(serde_json::from_str(record).ok()?),
            Collection::Capabilities => {
                Noun::Type(serde_json::from_str(record).ok()?, Capability::from_record(record).map(Box::new))
            }
        };
        let terms = Terms::of(&fields(&noun));
        let sketch = sketch(&terms);
        let recognised = recognise(catalogue, &noun);
        let is_it = match &noun {
            Noun::Instance(instance) => of_kind(catalogue, instance),
            Noun::Type(..) => 1.0,
        };
        let role = role_of(catalogue, &noun);
        let claims_a_device = match &noun {
            Noun::Instance(i) => {
                catalogue.kind(&i.api_group, &i.kind).is_some_and(|kind| kind.built_in && kind.role == Role::Claim)
            }
            Noun::Type(..) => false,
        };
        let encoded = whole(encoder.document(&described(catalogue, &noun, &recognised)));
        let (key, owners) = match &noun {
            Noun::Instance(i) => {
                let cluster = i.cluster.as_deref().unwrap_or_default();
                (Some(ObjectKey::new(cluster, &i.api_group, &i.kind, &i.namespace, &i.name)), ObjectKey::of_owner(i))
            }
            Noun::Type(..) => (None, None),
        };
        Some(Self {
            noun,
            key,
            owners,
            terms,
            sketch,
            recognised,
            role,
            claims_a_device,
            is_it,
            encoded,
            text: OnceLock::new(),
        })
    }

    /// The cosine of the document and a question, by their vectors of the encoder.
    pub(crate) fn cosine(&self, question: &[f32]) -> f32 {
        cosine(&self.encoded, question)
    }

    /// Its texts.
    pub(crate) fn fields(&self) -> Vec<Field> {
        fields(&self.noun)
    }

    /// About how many bytes it takes, `record` being the bytes of its record: as noun they take some twice as many.
    fn weight(&self, record: usize) -> u64 {
        let own = size_of::<Self>() + 2 * record + self.terms.bytes() + self.encoded.len() + 4 * self.sketch.len();
        own as u64
    }

    /// The text by which the encoder knows the document.
    pub(crate) fn described(&self, catalogue: &Catalogue) -> String {
        described(catalogue, &self.noun, &self.recognised)
    }

    /// Whether the two say the same about different objects: replicas, copies in other namespaces, one of a thousand settings.
    ///
    /// That is the Jaccard similarity of their words, estimated from the smallest hashes of either (Broder, "On the resemblance and
    /// containment of documents", 1997), so that long documents take no longer. Words with digits do not count, and neither does the
    /// namespace: they only tell copies apart.
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

fn whole(vector: Vec<f32>) -> Box<[i8]> {
    vector.into_iter().map(|x| (x * ONE).round() as i8).collect()
}

fn cosine(document: &[i8], question: &[f32]) -> f32 {
    document.iter().zip(question).map(|(a, b)| f32::from(*a) * b).sum::<f32>() / ONE
}

fn sketch(terms: &Terms) -> Vec<u32> {
    let tells =
        |(term, places): &(&str, Places)| places.besides_namespace() && !term.bytes().any(|b| b.is_ascii_digit());
    let hash = |term: &str| {
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

/// How surely an object is the software that its kind belongs to: a `MariaDB` is, a `Connection` of MariaDB's operator is not.
fn of_kind(catalogue: &Catalogue, instance: &ResourceInstance) -> f32 {
    match catalogue.kind(&instance.api_group, &instance.kind).map(|k| k.role) {
        Some(Role::Workload) => 1.0,
        Some(Role::Claim | Role::Storage) | None => 0.8,
        Some(_) => 0.5,
    }
}

fn role_of(catalogue: &Catalogue, noun: &Noun) -> f32 {
    let Noun::Instance(instance) = noun else { return 1.0 };
    // The owner of an object is in the index too, and ranks before it.
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

fn fields(noun: &Noun) -> Vec<Field> {
    match noun {
        Noun::Instance(instance) => of_instance(instance),
        Noun::Type(ty, capability) => of_type(ty, capability.as_deref()),
    }
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
    let kept = instance.kept_annotations.iter().filter(|(key, _)| !is_description_key(key));
    fields.extend(kept.map(|(k, v)| field(Place::Description, "annotation", &annotation(k, v))));
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

/// As the index of words has it: the domain in front of a key tells nothing apart.
fn annotation(key: &str, value: &str) -> String {
    format!("{}={value}", key.rsplit('/').next().unwrap_or(key))
}

fn field(place: Place, called: &'static str, value: &str) -> Field {
    Field { place, called, value: words::one_line(value) }
}

/// A cache of profiles, by stored id.
#[derive(Debug)]
pub(crate) struct Profiles {
    builtin: Builtin,
    /// Of records, which are long; the standard library's hasher is made for short keys.
    hasher: foldhash::quality::RandomState,
    kept: Cache<(Collection, String), Kept, Weighs>,
}

/// A profile with what tells whether it is still the document's.
#[derive(Debug, Clone)]
struct Kept {
    /// Of the record that it was made from.
    hash: u64,
    profile: Arc<Profile>,
    weight: u64,
}

#[derive(Debug, Clone)]
struct Weighs;

impl Weighter<(Collection, String), Kept> for Weighs {
    fn weight(&self, (_, id): &(Collection, String), kept: &Kept) -> u64 {
        kept.weight + id.len() as u64
    }
}

impl Default for Profiles {
    fn default() -> Self {
        Self::of_encoder(Builtin::default())
    }
}

impl Profiles {
    /// About how many are kept.
    pub(crate) const KEPT: usize = 16_384;

    /// Profiles with vectors of this encoder.
    pub(crate) fn of_encoder(builtin: Builtin) -> Self {
        let kept = Cache::with_weighter(Self::KEPT, KEPT_BYTES, Weighs);
        Self { builtin, hasher: foldhash::quality::RandomState::default(), kept }
    }

    /// The cosine of a question and the text of the document that has this profile, by the encoder. 0 without an encoder.
    pub(crate) fn similarity(&self, profile: &Profile, question: &[f32]) -> f32 {
        let text = || match &profile.noun {
            Noun::Instance(instance) => instance.text(),
            Noun::Type(ty, None) => ty.text(),
            Noun::Type(_, Some(capability)) => capability.text(),
        };
        let read = || self.builtin.encoder().map(|encoder| whole(encoder.document(&text()))).unwrap_or_default();
        cosine(profile.text.get_or_init(read), question)
    }

    /// The profile of a document. `None` if its record is not one of the collection.
    pub(crate) fn of(
        &self,
        catalogue: &Catalogue,
        collection: Collection,
        id: &str,
        record: &str,
    ) -> Option<Arc<Profile>> {
        let hash = self.hasher.hash_one(record);
        let key = (collection, id.to_owned());
        if let Some(kept) = self.kept.get(&key)
            && kept.hash == hash
        {
            return Some(kept.profile);
        }
        let encoder = self.builtin.encoder().ok()?;
        let profile = Arc::new(Profile::read(catalogue, &encoder, collection, record)?);
        let weight = profile.weight(record.len());
        self.kept.insert(key, Kept { hash, profile: Arc::clone(&profile), weight });
        Some(profile)
    }
}
