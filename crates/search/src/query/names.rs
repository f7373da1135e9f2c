//! Names of objects in a question: bare, quoted, `kind/name`, in a JSON snippet, with the hashes of a pod. They are looked up, and only what
//! the view holds under exactly that name counts.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_core::{CLUSTER_SCOPE, Collection, ObjectKey, ResourceInstance, ResourceType, words};
use clusterlore_store::{Candidate, Filter, Probe, Shown, StoreError, View};
use serde_json::Value;

use super::context::QueryContext;
use super::edit_cost::edit_distance;
use super::kind_words::{Kind, WORKLOAD_TYPES};
use super::language;
use super::parsed::{AskedName, Condition, NamedObject, Note, ParsedQuery, Problem};
use super::tokens::Tokens;
use crate::yardstick::step;

/// The most words that are surely names and are looked up; each costs a probe.
const MOST_SURE: usize = 8;
/// The most words, and runs of words, that may be names. They share a probe.
const MOST_UNSURE: usize = 48;
/// The most terms of that probe.
const MOST_TERMS: usize = 24;
/// The most documents that a probe for a name looks at.
const LOOKED_AT: usize = 400;
/// The most words of a name that is spelt apart.
const LONGEST_RUN: usize = 4;
/// The most objects that are named: more of one name tell nobody which is meant.
const MOST_NAMED: usize = 50;
/// The shortest word that may be a name by itself.
const SHORTEST: usize = 3;
/// The shortest part of a name that may be misspelt.
const SHORTEST_PART: usize = 5;
/// The shortest name of one word that may be misspelt.
const LONG_WORD: usize = 6;
/// The most JSON snippets that are read.
const MOST_SNIPPETS: usize = 4;
/// How surely what controls a named object is meant too, and how much less at each level above it.
const CONTROLS: f32 = 0.9;
const LEVEL: f32 = 0.05;
/// The most levels of controllers.
const LEVELS: u8 = 3;

/// Words between a kind and a name.
const CALLED: [&str; 5] = ["called", "named", "name", "the", "is"];
/// Types of what controllers make.
const MADE: [&str; 3] = ["pods", "replicasets.apps", "jobs.batch"];
/// Words before a name, beside those for kinds.
const THINGS: [&str; 8] = ["app", "application", "workload", "object", "called", "named", "container", "component"];

/// Verbs whose object is often a name.
const DONE_TO: [&str; 14] = [
    "describe",
    "restart",
    "restarts",
    "scale",
    "open",
    "edit",
    "inspect",
    "debug",
    "troubleshoot",
    "stop",
    "start",
    "pause",
    "upgrade",
    "reach",
];
/// What people ask of a thing that has a name: "the logs of …".
const ASPECTS: [&str; 22] = [
    "logs",
    "log",
    "events",
    "version",
    "image",
    "images",
    "metrics",
    "status",
    "owner",
    "yaml",
    "details",
    "pods",
    "replicas",
    "config",
    "configuration",
    "cpu",
    "memory",
    "name",
    "state",
    "replica",
    "endpoint",
    "manifest",
];
/// Words before a name, where a question asks for what bears it.
const NAMED_SO: [&str; 10] =
    ["called", "named", "namens", "genannt", "appelé", "appelés", "llamado", "llamados", "chamado", "chamados"];
/// Words that ask for what an object belongs to.
const OWNERSHIP: [&str; 22] = [
    "own",
    "owns",
    "owner",
    "belong",
    "belongs",
    "controls",
    "control",
    "controller",
    "created",
    "creates",
    "started",
    "starts",
    "triggered",
    "triggers",
    "made",
    "makes",
    "spawned",
    "spawns",
    "launched",
    "comes",
    "come",
    "manages",
];

/// Takes JSON snippets out of a text and puts the names in their place.
pub(super) fn snippets(text: &str, parsed: &mut ParsedQuery, context: &QueryContext<'_>) -> String {
    let (mut rest, mut from) = (String::new(), 0);
    for _ in 0..MOST_SNIPPETS {
        let Some(start) = text[from..].find('{').map(|at| from + at) else { break };
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        let Some(Ok(value)) = values.next() else { break };
        rest.push_str(&text[from..start]);
        from = start + values.byte_offset();
        let metadata = value.get("metadata").unwrap_or(&value);
        let field = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
        let Some(name) = field(metadata, "name") else { continue };
        let kind = field(&value, "kind").or_else(|| field(&value, "type")).unwrap_or_default();
        let types = context.types.iter().map(|(_, t)| t).filter(|t| t.answers_to(&kind));
        rest.push_str(&format!(" {name} "));
        parsed.asked.push(AskedName {
            name,
            kinds: types.map(ResourceType::name).collect(),
            namespaces: field(metadata, "namespace").into_iter().collect(),
            sure: true,
            ..AskedName::default()
        });
    }
    rest.push_str(&text[from..]);
    rest
}

/// Collects the free words that may be names.
pub(super) fn collect(
    tokens: &Tokens,
    parsed: &mut ParsedQuery,
    context: &QueryContext<'_>,
    kinds: &[Kind],
    places: &BTreeSet<String>,
) {
    for asked in &mut parsed.asked {
        if asked.namespaces.is_empty() {
            asked.namespaces.clone_from(places);
        }
    }
    let known: BTreeSet<String> = parsed.asked.iter().map(|asked| asked.name.to_lowercase()).collect();
    let kind_at: BTreeMap<usize, &Kind> = kinds.iter().flat_map(|k| k.words.iter().map(move |at| (*at, k))).collect();
    let beside = |from: usize, to: usize| {
        let before = (1..=2).find_map(|n| {
            let at = from.checked_sub(n)?;
            let between = (at + 1..from).all(|at| CALLED.contains(&tokens.low[at].as_str()));
            kind_at.get(&at).filter(|_| between && !tokens.ends[at])
        });
        before.or_else(|| kind_at.get(&to).filter(|_| !tokens.ends[to - 1])).copied()
    };
    let free: Vec<usize> = tokens.free().collect();
    // "We got paged about keycloak - is it ready?"
    let referred = (1..tokens.low.len()).rfind(|at| tokens.begins(*at)).filter(|at| {
        let copulas = ["is", "are", "was", "were", "has", "have", "did", "does", "do"];
        tokens.is(Some(*at), &copulas) && tokens.is(Some(at + 1), &["it", "they", "that", "this", "these", "those"])
    });
    let telling = free.iter().filter(|at| !words::is_stop_word(&tokens.low[**at])).count();
    let mut unsure = 0;
    for at in free {
        step();
        let low = tokens.low[at].as_str();
        let is_written = low.is_ascii() && low.len() >= 2 && low.bytes().any(|b| b.is_ascii_alphabetic());
        if !is_written || known.contains(low) {
            continue;
        }
        let like_a_name = low.contains(['-', '_', ':', '.'])
            || low.bytes().any(|b| b.is_ascii_digit()) && !low.starts_with(|c: char| c.is_ascii_digit());
        let kind = beside(at, at + 1);
        let called = tokens.is(at.checked_sub(1), &THINGS) && !kind_at.contains_key(&at);
        let itself = tokens.is(Some(at + 1), &["itself"]);
        let alone = telling == 1 && places.is_empty() && !kind_at.contains_key(&at) && !context.catalogue.knows(low);
        let sure = tokens.quoted[at] || like_a_name || (called || itself || alone) && !words::is_stop_word(low);
        let of_kind = kind.map(|kind| kind.types.clone()).unwrap_or_default();
        let of_aspect = tokens.is(at.checked_sub(1), &["of", "for", "from"]) && tokens.is(at.checked_sub(2), &ASPECTS);
        let cued = referred.is_some_and(|clause| at < clause)
            || kind.is_some()
            || !places.is_empty()
            || of_aspect
            || tokens.is(at.checked_sub(1), &DONE_TO);
        let ask = |name: String, sure: bool, kinds: BTreeSet<String>| AskedName {
            name,
            kinds,
            namespaces: places.clone(),
            sure,
            kinds_inside: BTreeSet::new(),
        };
        if sure && parsed.asked.len() >= MOST_SURE + MOST_UNSURE {
            continue;
        }
        if sure {
            parsed.asked.push(ask(tokens.raw[at].clone(), true, of_kind));
            continue;
        }
        let says_nothing = words::is_stop_word(low) || language::is_stop_word(context.language, low);
        if says_nothing || low.len() < SHORTEST || unsure >= MOST_UNSURE {
            continue;
        }
        let is_kind = kind_at.contains_key(&at);
        let rare = || !(context.is_english)(low) && !context.catalogue.knows(low);
        if !is_kind && (cued || telling == 1 || rare()) || is_kind && !places.is_empty() && (context.is_english)(low) {
            parsed.asked.push(ask(tokens.raw[at].clone(), false, of_kind));
            unsure += 1;
        }
        // "goods ledger db" is `goods-ledger-db`.
        let mut run = tokens.raw[at].clone();
        let mut own_kind = is_kind;
        let mut inside: BTreeSet<String> = kind_at.get(&at).map(|kind| kind.types.clone()).unwrap_or_default();
        // "the checkout service" may be `checkout-service`.
        let mut last_is_kind;
        for to in at + 1..(at + LONGEST_RUN).min(tokens.low.len()) {
            if tokens.taken[to] || tokens.ends[to - 1] || unsure >= MOST_UNSURE {
                break;
            }
            run = format!("{run}-{}", tokens.raw[to]);
            last_is_kind = kind_at.contains_key(&to);
            own_kind |= last_is_kind;
            inside.extend(kind_at.get(&to).into_iter().flat_map(|kind| kind.types.iter().cloned()));
            if words::is_stop_word(&tokens.low[to]) {
                continue;
            }
            let words = to + 1 - at;
            let kind = beside(at, to + 1);
            let whole = words >= telling;
            if words > 2
                || kind.is_some()
                || last_is_kind
                || whole
                || tokens.is(at.checked_sub(1), &THINGS)
                || !places.is_empty() && !own_kind
            {
                let of_kind = kind.map(|kind| kind.types.clone()).unwrap_or_default();
                parsed.asked.push(AskedName { kinds_inside: inside.clone(), ..ask(run.clone(), false, of_kind) });
                unsure += 1;
            }
        }
    }
    let after = |at: usize| tokens.is(at.checked_sub(1), &NAMED_SO) && !tokens.taken[at];
    parsed.by_name = (0..tokens.low.len()).any(after);
    parsed.asks_for_owners = tokens.low.iter().any(|w| OWNERSHIP.contains(&w.as_str()));
}

/// Looks the names up. `own`: the caller's own conditions, which hold for names too.
pub(super) async fn resolve(
    view: &dyn View,
    own: &Filter,
    parsed: &mut ParsedQuery,
    context: &QueryContext<'_>,
) -> Result<(), StoreError> {
    // A cluster that the question names holds for names as the caller's own does.
    let own = &Filter { clusters: parsed.filter.clusters.clone(), ..own.clone() };
    let asked = std::mem::take(&mut parsed.asked);
    let (sure, unsure): (Vec<&AskedName>, Vec<&AskedName>) = asked.iter().partition(|asked| asked.sure);
    let lookup = Lookup { view, own, context };
    let mut found: Vec<(&AskedName, Vec<Found>)> = Vec::new();
    for asked in sure.into_iter().take(MOST_SURE) {
        found.push((asked, lookup.sure(asked, parsed).await?));
    }
    found.extend(longest(lookup.unsure(&unsure).await?));
    for (asked, objects) in found {
        name(asked, objects, parsed);
    }
    // Of objects that the caller names none but those are meant, not what controls them either.
    let may_be = |id: &str| ObjectKey::of_stored_id(id).is_some_and(|key| own.keys.contains(&key));
    parsed.named.retain(|named| own.keys.is_empty() || may_be(&named.document.id));
    parsed.named.sort_by(|a, b| a.document.id.cmp(&b.document.id).then(b.sureness.total_cmp(&a.sureness)));
    parsed.named.dedup_by(|a, b| a.document.id == b.document.id);
    parsed.named.truncate(MOST_NAMED);
    if !parsed.named.is_empty() {
        parsed.notes.push(Note::Named(parsed.named.iter().map(|n| n.document.id.clone()).collect()));
        let of_place =
            |p: &Problem| matches!(p, Problem::NoSuchNamespace(_) | Problem::NoSuchKind(_) | Problem::NoSuchScope(_));
        parsed.problem = parsed.problem.take().filter(|problem| !of_place(problem));
    }
    Ok(())
}

/// Without the names that begin a longer one: "checkout service" is `checkout-service` if there is one.
fn longest(mut found: Vec<(&AskedName, Vec<Found>)>) -> Vec<(&AskedName, Vec<Found>)> {
    let names: Vec<String> = found.iter().map(|(asked, _)| asked.name.clone()).collect();
    found.retain(|(asked, _)| {
        let begins = |name: &String| name.strip_prefix(asked.name.as_str()).is_some_and(|rest| rest.starts_with('-'));
        !names.iter().any(begins)
    });
    found
}

/// Of the objects of a name those that the question means.
fn name(asked: &AskedName, mut objects: Vec<Found>, parsed: &mut ParsedQuery) {
    // Many a word is the name of a namespace.
    objects.retain(|f| asked.sure || f.object.kind != "Namespace" || asked.kinds.contains("namespaces"));
    // "The web service" is any workload of that name.
    let told = asked.kinds.iter().any(|kind| kind != "services");
    let same_name = |f: &Found| folded(&f.object.name) == folded(&asked.name);
    let of_kind = |f: &Found| asked.kinds.contains(&f.document.type_name);
    if told && objects.iter().any(|f| same_name(f) && of_kind(f)) {
        objects.retain(|f| !same_name(f) || of_kind(f));
    } else if told && !asked.sure && !asked.kinds.iter().any(|kind| runs(kind)) {
        // "Traefik middlewares" do not ask for an object that is called traefik.
        return;
    }
    // "Pods of checkout that are not ready" asks for pods.
    let narrows = parsed.needs.iter().any(|need| need.condition.is_some() && need.narrows());
    let pods = |kinds: &BTreeSet<String>| kinds.contains("pods");
    if narrows
        && !asked.sure
        && pods(&parsed.kinds)
        && !pods(&asked.kinds)
        && !objects.iter().any(|f| f.object.kind == "Pod")
    {
        return;
    }
    // The "service" in `checkout-service` names no kind.
    if !objects.is_empty() {
        parsed.kinds.retain(|kind| !asked.kinds_inside.contains(kind));
    }
    retain_if_any(&mut objects, |f| !parsed.not.iter().any(|c| c.admits(&f.object, &f.document.type_name)));
    let is_there = |f: &Found| asked.namespaces.contains(&f.object.namespace);
    let mut said: BTreeSet<String> = asked.namespaces.clone();
    if let Some(Problem::NoSuchNamespace(name)) = &parsed.problem {
        said.insert(name.clone());
    }
    if objects.iter().any(is_there) {
        objects.retain(is_there);
    } else if !asked.sure && !said.is_empty() && !parsed.hedged {
        // A word that is the name of something elsewhere is only a word here; it is told where nothing answers.
        let is_in: BTreeSet<String> = objects.iter().map(|f| f.object.namespace.clone()).collect();
        if let Some(first) = objects.first().filter(|f| f.object.namespace != CLUSTER_SCOPE) {
            let (name, is_in) = (first.object.name.clone(), is_in.into_iter().collect());
            parsed.elsewhere.push(Note::Elsewhere { name, said: said.into_iter().collect(), is_in });
        }
        return;
    } else if !said.is_empty() && objects.iter().any(|f| f.object.namespace != CLUSTER_SCOPE) {
        let is_in: BTreeSet<String> = objects.iter().map(|f| f.object.namespace.clone()).collect();
        parsed.notes.push(Note::Elsewhere {
            name: objects[0].object.name.clone(),
            said: said.into_iter().collect(),
            is_in: is_in.into_iter().collect(),
        });
    }
    let mentioned = |c: &Condition| matches!(c, Condition::Namespace(_));
    let soft = parsed.soft.iter().filter(|soft| soft.any.iter().any(mentioned));
    for soft in soft {
        retain_if_any(&mut objects, |f| soft.admits(&f.object, &f.document.type_name));
    }
    parsed.named.extend(objects.into_iter().map(|f| NamedObject { document: f.document, sureness: f.sureness }));
}

fn retain_if_any(objects: &mut Vec<Found>, keep: impl Fn(&Found) -> bool) {
    if objects.iter().any(&keep) {
        objects.retain(keep);
    }
}

/// An object of the name.
struct Found {
    document: Candidate,
    object: ResourceInstance,
    sureness: f32,
}

struct Lookup<'a> {
    view: &'a dyn View,
    own: &'a Filter,
    context: &'a QueryContext<'a>,
}

impl Lookup<'_> {
    /// The objects of a name; else the controller whose pod or job bears it; else the one whose name is misspelt in it.
    async fn sure(&self, asked: &AskedName, parsed: &ParsedQuery) -> Result<Vec<Found>, StoreError> {
        let mut found = self.called(&asked.name, asked).await?;
        if !found.is_empty() {
            self.add_owners(&mut found, parsed).await?;
            self.add_owned(&mut found, asked, parsed).await?;
            return Ok(found);
        }
        for shorter in without_hashes(&asked.name) {
            found = self.called(shorter, asked).await?;
            // A name without its hash says no more of what kind it is.
            if !found.is_empty() {
                return Ok(found);
            }
        }
        match self.misspelt(&asked.name).await? {
            Some(meant) => self.called(&meant, asked).await,
            None => Ok(Vec::new()),
        }
    }

    /// The objects of exactly this name, in the namespaces that the question says if they are there.
    async fn called(&self, name: &str, asked: &AskedName) -> Result<Vec<Found>, StoreError> {
        let terms = words::terms(name);
        if terms.is_empty() || terms.len() > MOST_TERMS {
            return Ok(Vec::new());
        }
        let frequencies = self.view.frequencies(Collection::Instances, &terms).await?;
        if frequencies.contains(&0) {
            return Ok(Vec::new());
        }
        let same = |own: &str| own.eq_ignore_ascii_case(name);
        // Where many objects hold the name's words, the filter leads to those that are meant.
        let narrower = Filter { namespaces: asked.namespaces.clone(), ..self.own.clone() };
        let of_kind = Filter { types: asked.kinds.clone(), ..self.own.clone() };
        let filters = [
            (self.own.namespaces.is_empty() && !asked.namespaces.is_empty()).then_some(narrower),
            (self.own.types.is_empty() && !asked.kinds.is_empty()).then_some(of_kind),
            Some(self.own.clone()),
        ];
        for filter in filters.into_iter().flatten() {
            let found = self.probe(terms.clone(), filter, same).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    /// The documents that hold the terms and whose name is right.
    async fn probe(
        &self,
        terms: Vec<String>,
        filter: Filter,
        is_it: impl Fn(&str) -> bool,
    ) -> Result<Vec<Found>, StoreError> {
        let probe = Probe { terms, filter, containing: LOOKED_AT, ..Probe::default() };
        let candidates = self.view.probe(Collection::Instances, probe).await?.documents;
        let bears = |c: &Candidate| is_it(c.id.rsplit('/').next().unwrap_or_default());
        Ok(candidates.into_iter().filter(bears).filter_map(|c| found(c, 1.0)).collect())
    }

    /// Adds what controls the objects. It comes after them, but before them if the question asks for it: by its kind ("which deployment is
    /// pod web-5d9-x of"), or by a word ("who owns …").
    async fn add_owners(&self, found: &mut Vec<Found>, parsed: &ParsedQuery) -> Result<(), StoreError> {
        let mut owned: Vec<ResourceInstance> = found.iter().map(|f| f.object.clone()).collect();
        let named = found.len();
        let mut asked_for = false;
        for level in 0..LEVELS {
            let keys: Vec<ObjectKey> = owned.iter().filter_map(ObjectKey::of_owner).flatten().collect();
            if keys.is_empty() {
                break;
            }
            owned.clear();
            for record in self.view.records(Collection::Instances, &keys).await?.into_values() {
                let Ok(object) = serde_json::from_str::<ResourceInstance>(&record) else { continue };
                owned.push(object.clone());
                let is_type = |t: &&ResourceType| t.group == object.api_group && t.kind == object.kind;
                let type_name = self.context.types.iter().map(|(_, t)| t).find(is_type).map(ResourceType::name);
                let type_name = type_name.unwrap_or_default();
                let is_asked_for = parsed.asks_for_owners || parsed.kinds.contains(&type_name);
                asked_for |= is_asked_for;
                let sureness = if is_asked_for { 1.0 } else { CONTROLS - LEVEL * f32::from(level) };
                let id = object.stored_id();
                found.push(Found { document: Candidate::new(Shown { id, record, type_name }, 0.0), object, sureness });
            }
        }
        if asked_for {
            found[..named].iter_mut().for_each(|f| f.sureness = CONTROLS);
        }
        Ok(())
    }

    /// Adds the pods of a controller if the question asks for pods, and likewise what else controllers make. "Which pods has web" asks for them
    /// in the first place; "the web pod" is mostly said of the controller.
    async fn add_owned(
        &self,
        found: &mut Vec<Found>,
        asked: &AskedName,
        parsed: &ParsedQuery,
    ) -> Result<(), StoreError> {
        let made = |kind: &&String| MADE.contains(&kind.as_str());
        let kinds: BTreeSet<String> =
            parsed.kinds.union(&asked.kinds).chain(&parsed.filter.types).filter(made).cloned().collect();
        if kinds.is_empty() || found.iter().any(|f| kinds.contains(&f.document.type_name)) {
            return Ok(());
        }
        let named = found.first().map(|f| f.object.name.to_lowercase()).unwrap_or_default();
        let namespaces: BTreeSet<String> = found.iter().map(|f| f.object.namespace.clone()).collect();
        let filter = Filter { types: kinds, namespaces, ..self.own.clone() };
        let begins = |name: &str| name.to_lowercase().strip_prefix(&named).is_some_and(|rest| rest.starts_with('-'));
        let mut owned = self.probe(words::terms(&named), filter, begins).await?;
        owned.retain(|f| f.object.owner.is_some());
        owned.truncate(MOST_NAMED);
        if !owned.is_empty() {
            let first = asked.kinds.iter().all(|kind| !MADE.contains(&kind.as_str()));
            found.iter_mut().for_each(|f| f.sureness = if first { CONTROLS } else { f.sureness });
            owned.iter_mut().for_each(|f| f.sureness = if first { 1.0 } else { CONTROLS });
            found.extend(owned);
        }
        Ok(())
    }

    /// The name with each part that no object has replaced by the one part that is an edit away from it.
    async fn misspelt(&self, name: &str) -> Result<Option<String>, StoreError> {
        let parts: Vec<String> = words::split(name);
        let frequencies = self
            .view
            .frequencies(Collection::Instances, &parts.iter().map(|p| words::stem(p)).collect::<Vec<_>>())
            .await?;
        let unknown = frequencies.iter().filter(|n| **n == 0).count();
        if unknown != 1 || parts.len() < 2 && name.len() < LONG_WORD {
            return Ok(None);
        }
        let terms = self.view.terms(Collection::Instances).await?;
        let meant = parts.iter().zip(&frequencies).find(|(_, n)| **n == 0).and_then(|(part, _)| {
            let may_be = part.len() >= SHORTEST_PART && part.bytes().all(|b| b.is_ascii_alphabetic());
            let mut near = terms.iter().map(|(term, _)| term).filter(|term| {
                step();
                may_be && edit_distance(part, term, 1).is_some()
            });
            let only = near.next().filter(|_| near.next().is_none())?;
            Some(name.replacen(part.as_str(), only, 1))
        });
        Ok(meant)
    }

    /// The objects of names that are not sure, by one probe for all.
    async fn unsure<'n>(&self, asked: &[&'n AskedName]) -> Result<Vec<(&'n AskedName, Vec<Found>)>, StoreError> {
        let mut by_name: BTreeMap<String, &'n AskedName> = BTreeMap::new();
        let mut terms: Vec<String> = Vec::new();
        for asked in asked {
            // The first is the surest: it has a kind, or is shorter.
            by_name.entry(folded(&asked.name)).or_insert(asked);
            terms.extend(words::terms(&asked.name));
        }
        terms.sort();
        terms.dedup();
        let frequencies = self.view.frequencies(Collection::Instances, &terms).await?;
        let mut rarest: Vec<(usize, String)> = frequencies.into_iter().zip(terms).filter(|(n, _)| *n > 0).collect();
        rarest.sort();
        let terms: Vec<String> = rarest.into_iter().take(MOST_TERMS).map(|(_, term)| term).collect();
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let is_asked_for = |name: &str| by_name.keys().any(|asked| letters(name).eq(asked.chars()));
        let found = self.probe(terms, self.own.clone(), is_asked_for).await?;
        let mut named: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        for found in found {
            named.entry(folded(&found.object.name)).or_default().push(found);
        }
        Ok(named.into_iter().filter_map(|(name, found)| Some((*by_name.get(&name)?, found))).collect())
    }
}

fn found(document: Candidate, sureness: f32) -> Option<Found> {
    let object = serde_json::from_str::<ResourceInstance>(&document.record).ok()?;
    Some(Found { document, object, sureness })
}

/// The name without what tells its words apart: `makeline-service` is "makelineservice".
fn folded(name: &str) -> String {
    letters(name).collect()
}

fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// The name without the hashes and numbers that a controller puts behind its own: `web` of `web-5d9f7c6b8d-x2k9q`, `db` of `db-0`.
fn without_hashes(name: &str) -> Vec<&str> {
    let mut shorter = Vec::new();
    let mut rest = name;
    while let Some((before, last)) = rest.rsplit_once('-') {
        let random = |b: u8| b"bcdfghjklmnpqrstvwxz2456789".contains(&b);
        let is_hash = last.bytes().all(|b| b.is_ascii_digit())
            || (4..=10).contains(&last.len()) && (last.bytes().all(random) || last.bytes().any(|b| b.is_ascii_digit()));
        if !is_hash || last.is_empty() || shorter.len() == 2 {
            break;
        }
        shorter.push(before);
        rest = before;
    }
    shorter
}

/// Whether objects of the type run, or stand for what runs. People do not tell these types apart when they name an object.
fn runs(type_name: &str) -> bool {
    type_name == "services" || WORKLOAD_TYPES.contains(&type_name)
}
