//! What was found, as things that can be named, counted and told apart.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_catalogue::{Catalogue, Category, Meaning, Named, Role};
use clusterlore_core::{CLUSTER_SCOPE, ResourceInstance, ResourceType, words};
use clusterlore_index::{Reply, matched};
use clusterlore_search::{Hit, Noun, Unindexed};

use crate::answer::{Item, State};

/// How sure the catalogue must be to call an object by a software's name.
const SURE: f32 = 0.5;
/// Characters of what an object says of itself.
const LONGEST_ABOUT: usize = 160;
/// Reasons of a hit.
const MOST_REASONS: usize = 3;

/// What a question asks for, where the catalogue knows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted<'c> {
    /// What is of a category: id, and the noun in the singular; an empty noun is none that can be counted.
    Category(&'c str, String),
    /// A software: id and title.
    Software(&'c str, &'c str),
    /// Something else.
    Other,
}

/// Words beside what is asked for that ask for nothing else.
const BESIDE: &str = "running run runs installed deployed instance instances server servers service services used available cluster clusters \
                      type types kind kinds product products software thing things existing current use exist exists system systems \
                      have solution solutions";

/// What the free text of a question asks for, if all of it is one thing. The whole question tells whether that is counted.
pub(crate) fn wanted<'c>(catalogue: &'c Catalogue, text: &str, question: &str) -> Wanted<'c> {
    let asked = catalogue.asked(text);
    let mut found = Wanted::Other;
    let mut spans = Vec::new();
    // Which of some kind: "which deployments are databases".
    let kinds = asked.iter().filter(|kind| matches!(kind.meaning, Meaning::Kind(_))).map(|kind| &kind.span);
    let kinds: Vec<String> = kinds.flat_map(|span| words::split(&text[span.clone()])).collect();
    // The broadest that all the words name; a product before what it is.
    for one in &asked {
        let free = |range: std::ops::Range<usize>| {
            words::split(&text[range]).iter().all(|word| {
                words::is_stop_word(word) || kinds.contains(word) || BESIDE.split(' ').any(|b| b.trim() == word)
            })
        };
        if !free(0..one.span.start) || !free(one.span.end..text.len()) {
            continue;
        }
        match one.meaning {
            Meaning::Software(software) if !one.ambiguous => found = Wanted::Software(&software.id, &software.title),
            Meaning::Category(category) if !matches!(found, Wanted::Software(..)) => {
                if spans.is_empty() {
                    found = Wanted::Category(&category.id, noun(&text[one.span.clone()], question, category));
                }
                spans.push(one.span.clone());
            }
            _ => {}
        }
    }
    found
}

/// What says that a noun is counted.
const ONE: &str = "a an any which what one another";

/// The noun of a phrase in the singular, if the question has it as something that can be counted ("caches", "a cache", not "caching"), and
/// a thing of the category is one: what is for logs is no log.
fn noun(phrase: &str, question: &str, category: &Category) -> String {
    let (phrase, question) = (phrase.to_lowercase(), question.to_lowercase());
    let last = phrase.split(' ').next_back().unwrap_or_default();
    let before =
        question.find(&phrase).map_or("", |at| question[..at].split_whitespace().next_back().unwrap_or_default());
    let own = [category.id.rsplit('-').next(), category.phrases.first().and_then(|first| first.rsplit(' ').next())];
    let is_own = |singular: &str| own.iter().flatten().any(|word| *word == singular);
    let singular = match last {
        _ if last.ends_with("ss") || !last.ends_with('s') => {
            let counted = ONE.split(' ').any(|word| word == before) && is_own(last);
            return if counted && !last.ends_with("ing") { phrase } else { String::new() };
        }
        _ if last.ends_with("ies") => format!("{}y", &last[..last.len() - 3]),
        _ if ["xes", "sses", "tches", "shes"].iter().any(|end| last.ends_with(end)) => {
            last[..last.len() - 2].to_owned()
        }
        _ => last[..last.len() - 1].to_owned(),
    };
    if is_own(&singular) { format!("{}{singular}", &phrase[..phrase.len() - last.len()]) } else { String::new() }
}

/// A thing, and what the catalogue knows of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Thing {
    pub(crate) item: Item,
    /// Ids of the categories that it belongs to, narrow ones.
    pub(crate) categories: Vec<String>,
    /// Id of its software.
    pub(crate) software: Option<String>,
    /// Of a type: what its schema, or the catalogue, says that it is.
    pub(crate) described: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// Its score.
    pub(crate) score: f32,
    /// Whether something runs because of it.
    pub(crate) runs: bool,
    /// Whether it asks for something that others provide.
    pub(crate) claims: bool,
    /// Whether the index does not hold it yet: the cluster says that it is one of what is asked for.
    pub(crate) newer: bool,
}

/// The things of a reply, best first, those in other namespaces beside their like.
pub(crate) fn things(reply: &Reply, types: &[(String, ResourceType)], catalogue: &Catalogue) -> Vec<Thing> {
    let mut things = Vec::new();
    for hit in &reply.hits {
        match &hit.noun {
            Noun::Instance(instance) => {
                let type_name = type_of(types, instance);
                things.push(of_instance(hit, instance, &type_name, catalogue));
                let mut elsewheres: Vec<&String> = hit.elsewhere.iter().collect();
                elsewheres.sort();
                for id in elsewheres {
                    let Some(other) = elsewhere(id, instance) else { continue };
                    let mut thing = of_instance(hit, &other, &type_name, catalogue);
                    thing.item.id.clone_from(id);
                    thing.item.state.clear();
                    things.push(thing);
                }
            }
            Noun::Type(ty, capability) => {
                let about = match capability {
                    Some(capability) if !capability.use_case.is_empty() => &capability.use_case,
                    _ => &ty.description,
                };
                let software = catalogue.software_of_kind(&ty.group, &ty.kind);
                things.push(Thing {
                    item: Item {
                        id: hit.id.clone(),
                        type_name: ty.name(),
                        kind: ty.kind.clone(),
                        api_version: ty.api_version(),
                        namespace: None,
                        name: ty.name(),
                        cluster: None,
                        cluster_name: String::new(),
                        is: software.map(|software| software.title.to_string()),
                        about: words::cut(&words::one_line(about), LONGEST_ABOUT).into_owned(),
                        answers: false,
                        state: Vec::new(),
                        why: whys(hit),
                    },
                    described: words::cut(&words::one_line(&ty.description), LONGEST_ABOUT).into_owned(),
                    software: software.map(|software| software.id.to_string()),
                    ..Thing::default()
                });
            }
        }
    }
    for newer in reply.judgement.iter().flat_map(|judgement| &judgement.unindexed) {
        things.extend(unindexed(newer, types));
    }
    let mut seen = BTreeSet::new();
    things.retain(|thing| seen.insert(thing.item.id.clone()));
    for Thing { item, .. } in &mut things {
        item.cluster_name = reply.names.shown(item.cluster.as_deref().unwrap_or_default()).to_owned();
    }
    things
}

/// An object that the cluster has and the index not yet.
fn unindexed(newer: &Unindexed, types: &[(String, ResourceType)]) -> Option<Thing> {
    let (_, ty) = types.iter().find(|(cluster, ty)| *cluster == newer.cluster && ty.name() == newer.type_name)?;
    let mut instance =
        ResourceInstance::new(&ty.api_version(), &ty.kind, Some(newer.namespace.as_str()), &newer.name).ok()?;
    instance.cluster = Some(newer.cluster.clone()).filter(|cluster| !cluster.is_empty());
    Some(Thing {
        item: Item {
            id: instance.stored_id(),
            type_name: newer.type_name.clone(),
            namespace: (!instance.is_cluster_scoped()).then_some(instance.namespace),
            kind: instance.kind,
            api_version: instance.api_version,
            name: instance.name,
            cluster: instance.cluster,
            cluster_name: String::new(),
            is: None,
            about: String::new(),
            answers: false,
            state: Vec::new(),
            why: vec!["newer than the index".to_owned()],
        },
        newer: true,
        ..Thing::default()
    })
}

/// The reasons without their numbers; that all of a scope is in it is no reason.
fn whys(hit: &Hit) -> Vec<String> {
    let mut whys: Vec<String> = Vec::new();
    for why in matched(hit) {
        let why = match why.rsplit_once(" (") {
            Some((said, number)) if number.trim_end_matches(')').parse::<f32>().is_ok() => said.to_owned(),
            _ => why,
        };
        let why = if why.starts_with("meaning ") || why.starts_with("likely ") { "meaning".to_owned() } else { why };
        if why != "in scope" && !whys.contains(&why) {
            whys.push(why);
        }
    }
    // What else speaks for it says more.
    whys.sort_by_key(|why| why == "meaning");
    whys.truncate(MOST_REASONS);
    whys
}

/// `plural.group` of an object.
fn type_of(types: &[(String, ResourceType)], instance: &ResourceInstance) -> String {
    let same = |(_, ty): &&(String, ResourceType)| ty.kind == instance.kind && ty.group == instance.api_group;
    let guessed = || {
        let plural = ResourceType::plural_of(&instance.kind);
        if instance.api_group.is_empty() { plural } else { format!("{plural}.{}", instance.api_group) }
    };
    types.iter().find(same).map_or_else(guessed, |(_, ty)| ty.name())
}

/// The same thing in another namespace, which its id (`cluster:namespace/version/kind/name`) tells.
fn elsewhere(id: &str, like: &ResourceInstance) -> Option<ResourceInstance> {
    let own = id.strip_suffix(&format!("/{}/{}/{}", like.api_version, like.kind, like.name))?;
    let (cluster, namespace) =
        own.split_once(':').map_or((None, own), |(cluster, rest)| (Some(cluster.to_owned()), rest));
    Some(ResourceInstance { namespace: namespace.to_owned(), cluster, ..like.clone() })
}

fn of_instance(hit: &Hit, instance: &ResourceInstance, type_name: &str, catalogue: &Catalogue) -> Thing {
    let description = instance.description();
    let recognised = catalogue.recognise(&Named {
        name: &instance.name,
        kind: &instance.kind,
        group: &instance.api_group,
        namespace: if instance.namespace == CLUSTER_SCOPE { "" } else { &instance.namespace },
        labels: &instance.labels,
        annotations: &description,
    });
    let best = recognised.iter().find(|known| known.weight >= SURE);
    let categories = best.map(|known| known.categories()).unwrap_or_default();
    let itself = best.filter(|known| known.part.is_none() && known.part_category.is_none());
    let kind = catalogue.kind(&instance.api_group, &instance.kind);
    let state = |finding: &clusterlore_core::conditions::Finding| State {
        verdict: finding.verdict,
        number: finding.number,
        text: finding.text.clone(),
    };
    Thing {
        item: Item {
            id: hit.id.clone(),
            type_name: type_name.to_owned(),
            kind: instance.kind.clone(),
            api_version: instance.api_version.clone(),
            namespace: (!instance.is_cluster_scoped()).then(|| instance.namespace.clone()),
            name: instance.name.clone(),
            cluster: instance.cluster.clone(),
            cluster_name: String::new(),
            is: itself.map(|known| known.software.title.to_string()),
            about: words::cut(&words::one_line(&description), LONGEST_ABOUT).into_owned(),
            answers: false,
            state: hit.found.iter().map(state).collect(),
            why: whys(hit),
        },
        labels: instance.labels.clone(),
        categories: categories.into_iter().map(str::to_owned).collect(),
        software: itself.map(|known| known.software.id.to_string()),
        score: hit.score.total(),
        // Kubernetes' own claims are for disks and devices, whosever they are.
        runs: kind.is_some_and(|kind| kind.role == Role::Workload || kind.role == Role::Claim && !kind.built_in),
        claims: kind.is_some_and(|kind| kind.role == Role::Claim && !kind.built_in),
        ..Thing::default()
    }
}

/// Whether so many words at most are left in a free text by which something could be found.
pub(crate) fn says_at_most(catalogue: &Catalogue, text: &str, most: usize) -> bool {
    let names = catalogue.asked(text).iter().any(|asked| !matches!(asked.meaning, Meaning::Kind(_)));
    let says = |word: &&String| {
        let idle = || IDLE.split_ascii_whitespace().any(|idle| idle == word.as_str());
        !words::is_stop_word(word) && !word.chars().all(|c| c.is_ascii_digit()) && !idle()
    };
    !names && words::split(text).iter().filter(says).count() <= most
}

/// Words of a question that name nothing: what is done, when, and things in general.
const IDLE: &str = "app apps application applications thing things object resource service workload container program component pod \
                    deployment hour hours minute minutes day days week weeks today yesterday morning night last past recent now lately please \
                    run runs running fetch show get tell check look find give fix debug wrong issue issues problem problems happening happen happened going \
                    keep keeps slow work working logs log this that these those it its them they set stateful daemon job work fine okay ok \
                    here there about up well";
