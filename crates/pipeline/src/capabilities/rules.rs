//! Inference without a model: what is known of kind and group, else what schema, names and fields give away. The same input gives
//! the same capability, and `confidence` says on how much it rests.

use std::collections::BTreeSet;

use clusterlore_core::{Capability, Complexity, ResourceType, TypeSchema, words};

use super::concepts::{CONCEPTS, Concept, PROVIDERS};
use super::knowledge::{Knowledge, KnownGroup, KnownKind};

/// Tags of one capability.
const MOST_TAGS: usize = 10;
/// Providers of one capability.
const MOST_PROVIDERS: usize = 12;
/// Concepts that are taken from a type's words.
const MOST_CONCEPTS: usize = 3;
/// Fields up to which a type has low and medium complexity.
const FEW_FIELDS: usize = 15;
const SOME_FIELDS: usize = 80;
/// Characters of a description.
const DESCRIPTION: usize = 300;
/// Characters of what the schema says.
const SPEC_DESCRIPTION: usize = 600;

/// What a capability rests on, from the surest. Values are judgements, kept apart so that a threshold can tell them apart.
mod confidence {
    /// A kind that was looked at by hand.
    pub(super) const KIND: f64 = 0.95;
    /// A known group, and a schema that says something.
    pub(super) const GROUP_AND_SCHEMA: f64 = 0.75;
    pub(super) const GROUP: f64 = 0.6;
    /// A schema that says something, about something that is recognised.
    pub(super) const SCHEMA_AND_CONCEPT: f64 = 0.55;
    pub(super) const SCHEMA: f64 = 0.45;
    pub(super) const CONCEPT: f64 = 0.35;
    /// Names of fields.
    pub(super) const FIELDS: f64 = 0.25;
    /// The type's name, and nothing else.
    pub(super) const NAMES: f64 = 0.15;
}

/// Says what a type is for.
pub fn infer(ty: &ResourceType, schema: &TypeSchema, knowledge: &dyn Knowledge) -> Capability {
    let kind = knowledge.kind(&ty.group, &ty.kind);
    let group = knowledge.group(&ty.group);
    let said = said(ty, schema);
    let concepts = concepts(ty, &said);
    let described = !said.is_empty();
    let confidence = match (&kind, &group) {
        (Some(_), _) => confidence::KIND,
        (None, Some(_)) if described => confidence::GROUP_AND_SCHEMA,
        (None, Some(_)) => confidence::GROUP,
        (None, None) if described && !concepts.is_empty() => confidence::SCHEMA_AND_CONCEPT,
        (None, None) if described => confidence::SCHEMA,
        (None, None) if !concepts.is_empty() => confidence::CONCEPT,
        (None, None) if !schema.fields.is_empty() => confidence::FIELDS,
        (None, None) => confidence::NAMES,
    };
    Capability {
        resource_name: ty.name(),
        api_version: ty.api_version(),
        group: ty.group.clone(),
        kind: ty.kind.clone(),
        capabilities: tags(ty, kind.as_ref(), group.as_ref(), &concepts),
        providers: if kind.as_ref().is_some_and(|k| k.built_in) { Vec::new() } else { providers(ty, schema) },
        complexity: kind.as_ref().map_or_else(|| complexity(schema), |k| k.complexity),
        description: description(ty, schema, kind.as_ref(), group.as_ref(), &said),
        use_case: use_case(ty, kind.as_ref(), group.as_ref(), &concepts),
        confidence,
        example_yaml: String::new(),
        spec_description: spec_description(ty, schema),
    }
}

/// What schema or definition say of the type, one line, shortened.
pub(super) fn spec_description(ty: &ResourceType, schema: &TypeSchema) -> String {
    let text = if schema.description.is_empty() { &ty.description } else { &schema.description };
    shortened(&words::one_line(text), SPEC_DESCRIPTION)
}

/// The sentences of the schema's description that say something.
fn said(ty: &ResourceType, schema: &TypeSchema) -> String {
    let text = words::one_line(if schema.description.is_empty() { &ty.description } else { &schema.description });
    let kind = ty.kind.to_lowercase();
    let says_something = |sentence: &&str| {
        let lower = sentence.to_lowercase();
        let rest = lower.trim_end_matches('.');
        let empty_phrase = [
            "is the schema for",
            "is a schema for",
            "schema for the",
            "defines a schema",
            "is the top level",
            "more info:",
            "+kubebuilder",
            "+optional",
        ]
        .iter()
        .any(|phrase| lower.contains(phrase));
        // "Foo is a foo", "Foo resource", "Foo".
        let own = words::split(&kind);
        let telling = words::split(rest)
            .into_iter()
            .filter(|w| !words::is_stop_word(w) && !own.contains(w) && **w != *kind)
            .filter(|w| {
                ![
                    "resource",
                    "object",
                    "api",
                    "type",
                    "represents",
                    "describes",
                    "defines",
                    "spec",
                    "custom",
                    "definition",
                ]
                .contains(&w.as_str())
            })
            .count();
        !empty_phrase && telling > 0
    };
    sentences(&text).filter(says_something).take(2).collect::<Vec<_>>().join(" ")
}

/// Sentences, each with its full stop.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let sentence = match rest.find(". ") {
            Some(end) => &rest[..=end],
            None => rest,
        };
        rest = rest[sentence.len()..].trim_start();
        Some(sentence).filter(|s| !s.is_empty())
    })
}

fn shortened(line: &str, most: usize) -> String {
    let Some((end, _)) = line.char_indices().nth(most) else { return line.to_owned() };
    let cut = line[..end].rfind(' ').unwrap_or(end);
    format!("{}…", &line[..cut])
}

/// `KafkaTopic` as people say it: `kafka topic`.
fn spoken(kind: &str) -> String {
    words::split(kind).join(" ")
}

/// Words of a group that are its own: not `io`, `com`, `k8s`.
fn group_words(group: &str) -> Vec<String> {
    const OF_EVERYONE: [&str; 16] = [
        "io",
        "com",
        "org",
        "net",
        "dev",
        "k8s",
        "kubernetes",
        "sigs",
        "x",
        "api",
        "apis",
        "operator",
        "cloud",
        "sh",
        "example",
        "crd",
    ];
    words::split(group).into_iter().filter(|w| w.len() > 1 && !OF_EVERYONE.contains(&w.as_str())).collect()
}

/// What the type is about: told by its kind before its group, and by both before the schema's sentences.
fn concepts(ty: &ResourceType, said: &str) -> Vec<&'static Concept> {
    let mut found: Vec<&'static Concept> = Vec::new();
    for text in [ty.kind.clone(), group_words(&ty.group).join(" "), said.to_owned()] {
        let terms: BTreeSet<String> = words::terms(&text).into_iter().collect();
        let told = |told_by: &&str| told_by.split(' ').all(|word| terms.contains(word));
        for concept in CONCEPTS.iter().filter(|c| c.told_by.iter().any(&told)) {
            if found.len() < MOST_CONCEPTS && !found.contains(&concept) {
                found.push(concept);
            }
        }
    }
    found
}

fn tags(ty: &ResourceType, kind: Option<&KnownKind>, group: Option<&KnownGroup>, concepts: &[&Concept]) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let mut add = |tag: &str| {
        let tag = words::one_line(&tag.replace([',', '-'], " ")).to_lowercase();
        if !tag.is_empty() && tags.len() < MOST_TAGS && !tags.contains(&tag) {
            tags.push(tag);
        }
    };
    if let Some(kind) = kind {
        kind.capabilities.iter().for_each(|tag| add(tag));
    }
    if let Some(group) = group.filter(|_| !kind.is_some_and(|k| k.built_in)) {
        group.runs.iter().for_each(|title| add(title));
        group.categories.iter().take(3).for_each(|category| add(category));
        add(&group.title);
    }
    if kind.is_none() {
        concepts.iter().flat_map(|c| c.tags).for_each(|tag| add(tag));
        add(&spoken(&ty.kind));
        ty.categories.iter().filter(|c| *c != "all").for_each(|category| add(category));
    }
    tags
}

/// Who can stand behind the type: told by group and kind, and by fields that choose one of several.
fn providers(ty: &ResourceType, schema: &TypeSchema) -> Vec<String> {
    let provider = |word: &str| PROVIDERS.iter().find(|(told_by, _)| *told_by == word).map(|(_, name)| *name);
    let mut found: Vec<&str> = Vec::new();
    let mut add = |name: &'static str| {
        if !found.contains(&name) && found.len() < MOST_PROVIDERS {
            found.push(name);
        }
    };
    let names = group_words(&ty.group).into_iter().chain(words::split(&ty.kind));
    names.filter_map(|word| provider(&word)).for_each(&mut add);
    let of_fields: Vec<&str> = schema
        .fields
        .iter()
        .filter_map(|field| provider(&field.path.rsplit('.').next().unwrap_or_default().to_lowercase()))
        .collect();
    of_fields.into_iter().for_each(&mut add);
    // A cluster is behind everything here.
    found.retain(|name| *name != "kubernetes");
    found.into_iter().map(str::to_owned).collect()
}

/// By how much there is to fill in.
fn complexity(schema: &TypeSchema) -> Complexity {
    match schema.size {
        0 => Complexity::Medium,
        n if n <= FEW_FIELDS => Complexity::Low,
        n if n <= SOME_FIELDS => Complexity::Medium,
        _ => Complexity::High,
    }
}

fn description(
    ty: &ResourceType,
    schema: &TypeSchema,
    kind: Option<&KnownKind>,
    group: Option<&KnownGroup>,
    said: &str,
) -> String {
    if let Some(kind) = kind {
        return kind.about.clone();
    }
    let spoken = spoken(&ty.kind);
    let mut text = match group {
        Some(_) if !said.is_empty() => full_stop(said),
        Some(group) => format!("{} of {}.", capitalized(&with_article(&spoken)), group.title),
        None if !said.is_empty() => full_stop(said),
        None => {
            let fields: Vec<&str> =
                schema.fields.iter().map(|f| f.path.as_str()).filter(|p| !p.contains('.')).take(5).collect();
            let of = if ty.group.is_empty() { String::new() } else { format!(" of {}", ty.group) };
            match &fields[..] {
                [] => format!("{}{of}.", capitalized(&with_article(&spoken))),
                fields => format!("{}{of}, with {}.", capitalized(&with_article(&spoken)), fields.join(", ")),
            }
        }
    };
    text = shortened(&text, DESCRIPTION);
    if let Some(group) = group
        && !group.about.is_empty()
    {
        text.push_str(&format!(" {}: {}", group.title, group.about));
    }
    text
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn full_stop(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

/// How a kind's last word tells what one does with it: the word, what to say before the rest of the kind, and after it.
const ENDINGS: &[(&str, &str, &str)] = &[
    ("backup", "Save ", " and get it back after a loss"),
    ("binding", "Join ", " with those who use it"),
    ("claim", "Ask for ", " and get it provided"),
    ("class", "Offer a sort of ", " that others choose by name"),
    ("config", "Set up ", ""),
    ("configuration", "Set up ", ""),
    ("policy", "Decide what holds for ", ""),
    ("pool", "Keep a pool of ", ""),
    ("profile", "Set up ", " once for many"),
    ("restore", "Get ", " back"),
    ("schedule", "Do ", " again and again at set times"),
    ("set", "Run several of ", ""),
    ("settings", "Set up ", ""),
    ("template", "Describe ", " once for many"),
];

fn use_case(ty: &ResourceType, kind: Option<&KnownKind>, group: Option<&KnownGroup>, concepts: &[&Concept]) -> String {
    if let Some(kind) = kind.filter(|k| !k.use_case.is_empty()) {
        return kind.use_case.clone();
    }
    let kind_words = words::split(&ty.kind);
    let ending = kind_words.split_last().filter(|(_, rest)| !rest.is_empty()).and_then(|(last, rest)| {
        let (_, before, after) = ENDINGS.iter().find(|(word, ..)| word == last)?;
        Some(format!("{before}{}{after}.", rest.join(" ")))
    });
    let of_kind = concepts.first().filter(|c| {
        let terms = words::terms(&ty.kind);
        c.told_by.iter().any(|t| t.split(' ').all(|word| terms.iter().any(|term| term == word)))
    });
    match (of_kind.or(concepts.first().filter(|_| ending.is_none())), ending) {
        (Some(concept), _) => concept.use_case.to_owned(),
        (None, Some(ending)) => ending,
        (None, None) => {
            let by = group.map_or_else(|| ty.group.clone(), |g| g.title.clone());
            let spoken = with_article(&kind_words.join(" "));
            if by.is_empty() { format!("Work with {spoken}.") } else { format!("Have {by} manage {spoken}.") }
        }
    }
}

#[cfg(test)]
mod tests {
    use clusterlore_core::SchemaField;

    use super::*;
    use crate::capabilities::Unknowing;

    fn ty(group: &str, kind: &str, plural: &str) -> ResourceType {
        ResourceType {
            group: group.into(),
            version: "v1".into(),
            kind: kind.into(),
            plural: plural.into(),
            ..ResourceType::default()
        }
    }

    fn schema(description: &str, fields: &[&str]) -> TypeSchema {
        TypeSchema {
            description: description.into(),
            fields: fields.iter().map(|p| SchemaField { path: (*p).into(), description: String::new() }).collect(),
            size: fields.len(),
        }
    }

    struct Some1;

    impl Knowledge for Some1 {
        fn kind(&self, group: &str, kind: &str) -> Option<KnownKind> {
            ((group, kind) == ("apps", "Deployment")).then(|| KnownKind {
                about: "Keeps pods running.".into(),
                capabilities: vec!["stateless workload".into()],
                use_case: "Run a web server.".into(),
                complexity: Complexity::Medium,
                built_in: true,
            })
        }

        fn group(&self, group: &str) -> Option<KnownGroup> {
            (group == "postgresql.example").then(|| KnownGroup {
                title: "ExamplePG".into(),
                about: "Runs PostgreSQL clusters.".into(),
                categories: vec!["relational database".into()],
                runs: Some("PostgreSQL".into()),
            })
        }
    }

    #[test]
    fn a_known_kind_is_told_as_known() {
        let c = infer(
            &ty("apps", "Deployment", "deployments"),
            &schema("Deployment enables updates.", &["replicas"]),
            &Some1,
        );
        assert_eq!((c.confidence, c.description.as_str()), (0.95, "Keeps pods running."));
        assert_eq!((c.capabilities, c.providers), (vec!["stateless workload".to_owned()], Vec::new()));
        assert_eq!(c.spec_description, "Deployment enables updates.");
    }

    #[test]
    fn a_known_group_lends_its_words_to_its_kinds() {
        let c = infer(
            &ty("postgresql.example", "Cluster", "clusters"),
            &schema("Cluster is the Schema for the clusters API", &["instances"]),
            &Some1,
        );
        assert_eq!(c.confidence, 0.6);
        assert_eq!(c.capabilities[..3], ["postgresql", "relational database", "examplepg"]);
        assert_eq!(c.description, "A cluster of ExamplePG. ExamplePG: Runs PostgreSQL clusters.");
        assert_eq!(c.use_case, "Have ExamplePG manage a cluster.");
    }

    #[test]
    fn without_knowledge_schema_words_and_fields_speak() {
        let c = infer(
            &ty("backups.acme.example", "VolumeBackup", "volumebackups"),
            &schema(
                "VolumeBackup is the Schema for the volumebackups API. It copies a volume to a bucket every night. More.",
                &["schedule", "target.s3", "target.gcs"],
            ),
            &Unknowing,
        );
        assert_eq!(c.confidence, 0.55);
        assert_eq!(c.description, "It copies a volume to a bucket every night. More.");
        assert!(
            c.capabilities.contains(&"backup".to_owned()) && c.capabilities.contains(&"volume".to_owned()),
            "{:?}",
            c.capabilities
        );
        assert_eq!(c.providers, ["acme", "s3", "gcp"]);
        assert_eq!(c.complexity, Complexity::Low);
        assert!(c.use_case.ends_with('.'));
    }

    #[test]
    fn a_name_alone_gives_little_confidence_and_no_invention() {
        let c = infer(&ty("zyx.example", "Frobnicator", "frobnicators"), &TypeSchema::default(), &Unknowing);
        assert_eq!(
            c.text(),
            "Frobnicator (zyx.example)\nCapabilities: frobnicator.\nComplexity: medium.\nA frobnicator of zyx.example.\n\
             Use case: Have zyx.example manage a frobnicator."
        );
        assert_eq!(c.confidence, 0.15);
        let c = infer(&ty("zyx.example", "FrobClaim", "frobclaims"), &schema("", &["size", "size.x"]), &Unknowing);
        assert_eq!((c.confidence, c.use_case.as_str()), (0.25, "Ask for frob and get it provided."));
        assert_eq!(c.description, "A frob claim of zyx.example, with size.");
    }

    #[test]
    fn the_same_input_gives_the_same_capability() {
        let (ty, schema) = (ty("a.example", "KafkaTopic", "kafkatopics"), schema("A topic.", &["partitions"]));
        assert_eq!(infer(&ty, &schema, &Unknowing), infer(&ty, &schema, &Unknowing));
    }
}
