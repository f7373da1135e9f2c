//! Words of a question that name kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use clusterlore_catalogue::{Asked, Glossary, Known, Meaning};
use clusterlore_core::{ResourceType, words};

use super::clauses::Clauses;
use super::context::QueryContext;
use super::language;
use super::parsed::is_of_group;
use super::tokens::Tokens;
use crate::yardstick::step;

/// Words for everything that runs pods.
const WORKLOAD_WORDS: [&str; 2] = ["workload", "workloads"];
/// The types that they stand for.
pub(super) const WORKLOAD_TYPES: [&str; 7] = [
    "pods",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "replicasets.apps",
    "jobs.batch",
    "cronjobs.batch",
];
/// Kinds of Kubernetes itself that are English words, and mean nothing else in a question about a cluster that names only kinds.
const KUBERNETES: [&str; 4] = ["", "apps", "batch", "policy"];

/// The most words of another language that name a kind.
const MOST_WORDS: usize = 3;

/// A word, or two, that names types.
pub(super) struct Kind {
    pub(super) words: Vec<usize>,
    pub(super) types: BTreeSet<String>,
}

/// The kinds that the free words name.
pub(super) fn kinds(tokens: &Tokens, clauses: &Clauses, context: &QueryContext<'_>) -> Vec<Kind> {
    let free: Vec<usize> = tokens.free().collect();
    let mut named = among(tokens, &free, context);
    if context.language.is_some() || *clauses != Clauses::default() {
        other_names(tokens, context, &mut named);
    }
    named
}

/// The kinds of operators that two words name: what their group is called, and what they are: "argo apps", "postgres clusters".
pub(super) fn of_groups(tokens: &Tokens, context: &QueryContext<'_>, named: &mut Vec<Kind>) {
    let free = |at: usize| !tokens.taken[at] && !words::is_stop_word(&tokens.low[at]);
    for at in (1..tokens.low.len()).filter(|at| free(*at) && free(at - 1) && !tokens.ends[at - 1]) {
        let (word, group) = (&tokens.low[at], &tokens.low[at - 1]);
        let stem = words::stem(word);
        let is_one = |t: &&ResourceType| {
            is_of_group(group, &t.group)
                && (t.answers_to(word)
                    || t.answers_to(&stem)
                    || words::split(&t.kind).last().is_some_and(|last| words::stem(last) == stem))
        };
        let types: BTreeSet<String> =
            context.types.iter().map(|(_, t)| t).filter(is_one).map(ResourceType::name).collect();
        if !types.is_empty() {
            named.retain(|kind| !kind.words.contains(&at) && !kind.words.contains(&(at - 1)));
            named.push(Kind { words: vec![at - 1, at], types });
        }
    }
}

/// The same with a word between: "clústeres de postgres".
pub(super) fn of_groups_behind(tokens: &Tokens, named: &mut [Kind]) {
    const OF: [&str; 10] = ["de", "del", "do", "da", "des", "du", "von", "vom", "of", "from"];
    for kind in named {
        let Some(last) = kind.words.last().copied().filter(|last| last + 2 < tokens.low.len() && !tokens.ends[*last])
        else {
            continue;
        };
        let group = &tokens.low[last + 2];
        let of_group: BTreeSet<String> = kind
            .types
            .iter()
            .filter(|name| name.split_once('.').is_some_and(|(_, of)| is_of_group(group, of)))
            .cloned()
            .collect();
        if tokens.is(Some(last + 1), &OF) && !tokens.taken[last + 2] && !of_group.is_empty() {
            kind.types = of_group;
            kind.words.extend([last + 1, last + 2]);
        }
    }
}

/// The kinds that words of another language name in English: "copias de seguridad" are `backups`.
pub(super) fn in_english(tokens: &Tokens, context: &QueryContext<'_>, named: &mut Vec<Kind>) {
    let free: Vec<usize> = tokens.free().collect();
    for words in (1..=MOST_WORDS).rev() {
        for places in free.windows(words) {
            let known =
                places.iter().any(|at| named.iter().any(|kind| kind.words.contains(at) && kind.words.len() >= words));
            let types = if known { BTreeSet::new() } else { glossed(tokens, places, context) };
            if !types.is_empty() {
                named.retain(|kind| !places.iter().any(|at| kind.words.contains(at)));
                named.push(Kind { words: places.to_vec(), types });
            }
        }
    }
}

/// The types that words of another language name in English.
fn glossed(tokens: &Tokens, places: &[usize], context: &QueryContext<'_>) -> BTreeSet<String> {
    let (first, last) = (places[0], places[places.len() - 1]);
    let in_a_row = places.windows(2).all(|pair| pair[0] + 1 == pair[1] && !tokens.ends[pair[0]]);
    let stop = |at: usize| language::is_stop_word(context.language, &tokens.low[at]);
    let Some(glossary) = context.language.and_then(Glossary::of).filter(|_| in_a_row && !stop(first) && !stop(last))
    else {
        return BTreeSet::new();
    };
    let text = places.iter().map(|at| tokens.raw[*at].as_str()).collect::<Vec<_>>().join(" ");
    let english = glossary.gloss(&text, |_| Known::No);
    english.map(|english| one(&english.to_lowercase().replace(' ', ""), context)).unwrap_or_default()
}

/// The kinds among `of` that the free words name by their last word: "claims" where claims can be meant.
pub(super) fn by_last_word(
    tokens: &Tokens,
    of: impl Fn(&str) -> bool,
    context: &QueryContext<'_>,
    named: &mut Vec<Kind>,
) {
    let named_so = context.types.iter().map(|(_, ty)| (ty.name(), words::split(&ty.kind))).filter(|(name, _)| of(name));
    let types: Vec<(String, Vec<String>)> = named_so.collect();
    if types.is_empty() {
        return;
    }
    let is_last = |kind: &[String], word: &str| kind.last().is_some_and(|last| last == word);
    for at in tokens.free() {
        let stem = words::stem(&tokens.low[at]);
        let of_several = types.iter().filter(|(_, kind)| kind.len() > 1 && is_last(kind, &stem));
        let meant: BTreeSet<String> = of_several.map(|(name, _)| name.clone()).collect();
        if meant.is_empty() || named.iter().any(|kind| kind.words.contains(&at)) {
            continue;
        }
        // "Volume claims" are no volumes.
        let goes_on = !tokens.ends[at]
            && tokens.low.get(at + 1).is_some_and(|next| {
                let next = words::stem(next);
                types.iter().any(|(_, kind)| is_last(kind, &next))
            });
        if !goes_on {
            let before = at.checked_sub(1).filter(|n| {
                let word = words::stem(&tokens.low[*n]);
                !tokens.ends[*n] && !tokens.taken[*n] && types.iter().any(|(_, kind)| kind.contains(&word))
            });
            named.push(Kind { words: before.into_iter().chain([at]).collect(), types: meant });
        }
    }
}

/// The types that words at these places name.
pub(super) fn types_in(tokens: &Tokens, places: &[usize], context: &QueryContext<'_>) -> BTreeSet<String> {
    among(tokens, places, context).into_iter().flat_map(|kind| kind.types).collect()
}

fn among(tokens: &Tokens, places: &[usize], context: &QueryContext<'_>) -> Vec<Kind> {
    let mut named = Vec::new();
    let mut next = 0;
    while next < places.len() {
        let at = places[next];
        let in_a_row = |n: usize| places.get(next + n) == Some(&(at + n)) && !tokens.ends[at + n - 1];
        if in_a_row(1) && in_a_row(2) {
            let types = three(tokens, at, context);
            if !types.is_empty() {
                named.push(Kind { words: vec![at, at + 1, at + 2], types });
                next += 3;
                continue;
            }
        }
        let second = places.get(next + 1).copied().filter(|second| *second == at + 1 && !tokens.ends[at]);
        let of_pair = second.map(|second| (second, pair(&tokens.low[at], &tokens.low[second], context)));
        if let Some((second, types)) = of_pair.filter(|(_, types)| !types.is_empty()) {
            named.push(Kind { words: vec![at, second], types });
            next += 2;
            continue;
        }
        let types = if WORKLOAD_WORDS.contains(&tokens.low[at].as_str()) {
            WORKLOAD_TYPES.map(str::to_owned).into()
        } else if words::is_stop_word(&tokens.low[at]) {
            BTreeSet::new()
        } else {
            one(&tokens.low[at], context)
        };
        if !types.is_empty() {
            named.push(Kind { words: vec![at], types });
        }
        next += 1;
    }
    named
}

/// The types that a word names, or that it names with the one behind it: "persistent volumes".
pub(super) fn at(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> BTreeSet<String> {
    let Some(word) = tokens.low.get(at) else { return BTreeSet::new() };
    let next = tokens.low.get(at + 1).filter(|_| !tokens.ends[at]);
    let of_three = if at + 2 < tokens.low.len() { three(tokens, at, context) } else { BTreeSet::new() };
    let of_pair = || next.map(|next| pair(word, next, context)).unwrap_or_default();
    let mut of_several = if of_three.is_empty() { of_pair() } else { of_three };
    // "Máquinas virtuais" are no "máquinas".
    let last = tokens.low.len().min(at + MOST_WORDS);
    if of_several.is_empty() && context.language.is_some() {
        let places: Vec<usize> = (at..last).collect();
        let types = (2..=places.len()).rev().map(|words| glossed(tokens, &places[..words], context));
        of_several = { types }.find(|types| !types.is_empty()).unwrap_or_default();
    }
    let mut types = if of_several.is_empty() { one(word, context) } else { of_several };
    if types.is_empty() && context.language.is_some() {
        for asked in context.catalogue.asked(word) {
            let Meaning::Kind(kind) = asked.meaning else { continue };
            let is_it = |t: &&ResourceType| t.group == *kind.group && t.kind == *kind.kind;
            types.extend(context.types.iter().map(|(_, t)| t).filter(is_it).map(ResourceType::name));
        }
    }
    if types.is_empty() { glossed(tokens, &[at], context) } else { types }
}

/// The types that a word names, in the singular or the plural.
pub(super) fn one(word: &str, context: &QueryContext<'_>) -> BTreeSet<String> {
    context.types.named(word, || find(word, context))
}

fn find(word: &str, context: &QueryContext<'_>) -> BTreeSet<String> {
    let stem = words::stem(word);
    // "Cms" are several of `cm`: too short to have a stem.
    let short = word.strip_suffix('s').filter(|cut| word.len() < 4 && cut.len() > 1);
    let answers = |t: &&ResourceType| {
        step();
        t.answers_to(word) || t.answers_to(&stem) || short.is_some_and(|cut| t.short_names.iter().any(|s| s == cut))
    };
    context.types.iter().map(|(_, t)| t).filter(answers).map(ResourceType::name).collect()
}

/// The types that two words name together: "stateful sets", "svc accts".
fn pair(first: &str, second: &str, context: &QueryContext<'_>) -> BTreeSet<String> {
    let joined = one(&format!("{first}{second}"), context);
    let (first_long, second_long) = (spelt_out(first), spelt_out(second));
    if !joined.is_empty() || (first_long == first && second_long == second) {
        return joined;
    }
    one(&format!("{first_long}{second_long}"), context)
}

/// The types that three words name together: "persistent volume claims".
fn three(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> BTreeSet<String> {
    if tokens.ends[at] || tokens.ends[at + 1] {
        return BTreeSet::new();
    }
    one(&tokens.low[at..at + 3].concat(), context)
}

/// What people shorten in the names of kinds, spelt out; other words as they are.
pub(super) fn spelt_out(word: &str) -> &str {
    match word {
        "svc" => "service",
        "acct" | "accts" | "acc" => "accounts",
        "net" => "network",
        "pol" | "pols" => "policies",
        "vol" | "vols" => "volumes",
        "cfg" | "conf" => "config",
        _ => word,
    }
}

/// Whether the words of a kind may well mean something else: a single English word that Kubernetes itself does not serve ("functions",
/// "users"), or what the catalogue knows as something else ("databases").
pub(super) fn may_mean_more(tokens: &Tokens, kind: &Kind, context: &QueryContext<'_>) -> bool {
    // "Database claims" are only the kind `DatabaseClaim`.
    let [at] = kind.words[..] else { return false };
    let text = &tokens.raw[at];
    // Nobody types "cm" or "sts" and means anything else.
    if tokens.low[at].strip_suffix('s').unwrap_or(&tokens.low[at]).len() < 3 {
        return false;
    }
    let whole = |a: &Asked<'_>| a.span == (0..text.len()) && !matches!(a.meaning, Meaning::Kind(_));
    if context.catalogue.asked(text).iter().any(whole) {
        return true;
    }
    // "Restore objects" and "Wards" in the middle of a sentence are written as kinds are.
    let as_kind = tokens
        .is(Some(at + 1), &["object", "objects", "resource", "resources", "kind", "kinds", "crs", "cr"])
        || tokens.is(at.checked_sub(1), &["kind", "type"]);
    let of_kubernetes =
        |name: &String| name.split_once('.').is_none_or(|(_, g)| KUBERNETES.contains(&g) || g.ends_with(".k8s.io"));
    let short = || !context.types.iter().any(|(_, t)| kind.types.contains(&t.name()) && spells_out(&tokens.low[at], t));
    !as_kind && !kind.types.iter().any(of_kubernetes) && (context.is_english)(&tokens.low[at]) && !short()
}

/// The types that are called as a category of software is, and are not named as kinds: "databases", where there is a kind `Database`.
pub(super) fn of_categories(tokens: &Tokens, kinds: &[Kind], context: &QueryContext<'_>) -> BTreeSet<String> {
    let types = |kind: &Kind| context.types.iter().map(|(_, t)| t).filter(|t| kind.types.contains(&t.name())).collect();
    let (mut vague, mut sure) = (BTreeSet::new(), BTreeSet::new());
    for kind in kinds {
        let types: Vec<&ResourceType> = types(kind);
        let [at] = kind.words[..] else {
            sure.extend(types.into_iter().map(ResourceType::name));
            continue;
        };
        let text = &tokens.raw[at];
        let is_category = |a: &Asked<'_>| a.span == (0..text.len()) && matches!(a.meaning, Meaning::Category(_));
        let vaguely = context.catalogue.asked(text).iter().any(is_category);
        for ty in types {
            let is_called = words::stem(&ty.kind.to_lowercase()) == words::stem(&tokens.low[at]);
            let of = if vaguely && is_called && ty.kind != *text { &mut vague } else { &mut sure };
            of.insert(ty.name());
        }
    }
    &vague - &sure
}

/// The types that rank higher because the question names them among other words. Short names look too much like words ("lift", "cert") to
/// count there.
pub(super) fn beside_others(tokens: &Tokens, named: &[Kind], context: &QueryContext<'_>) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for kind in named {
        let text = kind.words.iter().map(|at| tokens.low[*at].as_str()).collect::<String>();
        // A word that is no English one can only be a short name: "hpa", "pvcs".
        let jargon = !(context.is_english)(&text);
        let types = context.types.iter().map(|(_, t)| t).filter(|t| kind.types.contains(&t.name()));
        kinds.extend(types.filter(|t| jargon || spells_out(&words::split(&text).concat(), t)).map(ResourceType::name));
    }
    let of_products = of_products(tokens, named, context);
    let product_of = |t: &ResourceType| words::split(&t.kind).swap_remove(0);
    let types = || context.types.iter().map(|(_, t)| t);
    // "Dashboards in Grafana" are no `Grafana`.
    let products: BTreeSet<String> = types().filter(|t| of_products.contains(&t.name())).map(product_of).collect();
    let is_product = |t: &&ResourceType| products.contains(&t.kind.to_lowercase());
    types().filter(is_product).for_each(|t| {
        kinds.remove(&t.name());
    });
    kinds.extend(of_products);
    kinds
}

/// The types whose kind is a product and a noun, where the question has both, but apart: `GrafanaDashboard` for "dashboards in Grafana",
/// `CiliumNetworkPolicy` for "netpols, those of Cilium too".
fn of_products(tokens: &Tokens, named: &[Kind], context: &QueryContext<'_>) -> BTreeSet<String> {
    let terms = |text: &str| words::split(text).iter().map(|w| words::stem(w)).collect::<Vec<_>>();
    let mut asked: BTreeSet<String> = tokens.free().flat_map(|at| terms(&tokens.raw[at])).collect();
    let types = || context.types.iter().map(|(_, t)| t);
    asked.extend(types().filter(|t| named.iter().any(|k| k.types.contains(&t.name()))).flat_map(|t| terms(&t.kind)));
    let is_product = |word: &str| {
        let whole = |a: &Asked<'_>| a.span == (0..word.len()) && matches!(a.meaning, Meaning::Software(_));
        context.catalogue.asked(word).iter().any(whole)
    };
    let stands_there = |t: &&ResourceType| {
        let kind = terms(&t.kind);
        kind.len() > 1 && kind.iter().all(|word| asked.contains(word)) && is_product(&kind[0])
    };
    types().filter(stands_there).map(ResourceType::name).collect()
}

/// Kinds by the names that the catalogue knows: "scheduled jobs", "zertifikate". Only for questions with clauses and questions in
/// other languages; in others the ranking considers these names.
fn other_names(tokens: &Tokens, context: &QueryContext<'_>, named: &mut Vec<Kind>) {
    let (text, spans) = tokens.free_spans();
    let mut more: Vec<Kind> = Vec::new();
    for asked in context.catalogue.asked(&text) {
        let Meaning::Kind(kind) = asked.meaning else { continue };
        let from = spans.partition_point(|(_, span)| span.end <= asked.span.start);
        let inside = spans[from..].iter().take_while(|(_, span)| span.start < asked.span.end);
        let words: Vec<usize> = inside.clone().map(|(at, _)| *at).collect();
        // Chinese writes no spaces: the name may be only a part of a word, which then says more.
        let around = |(_, span): &(usize, Range<usize>)| {
            let before = text.get(span.start..asked.span.start.max(span.start)).unwrap_or_default();
            let after = text.get(asked.span.end.min(span.end)..span.end).unwrap_or_default();
            format!("{before}{after}")
        };
        let says_more =
            inside.map(around).any(|rest| !rest.is_empty() && !language::is_stop_word(context.language, &rest));
        let words = if says_more && language::is_unspaced(&text) { Vec::new() } else { words };
        let is_it = |t: &&ResourceType| t.group == *kind.group && t.kind == *kind.kind;
        let types: BTreeSet<String> =
            context.types.iter().map(|(_, t)| t).filter(is_it).map(ResourceType::name).collect();
        if !types.is_empty() {
            more.push(Kind { words, types });
        }
    }
    // The longer name is meant: "scheduled jobs" are not jobs.
    let mut longest: BTreeMap<usize, usize> = BTreeMap::new();
    for Kind { words, .. } in &more {
        for at in words {
            let longest = longest.entry(*at).or_default();
            *longest = words.len().max(*longest);
        }
    }
    let fits = |kind: &Kind| {
        kind.words.iter().any(|place| longest.get(place).is_none_or(|longest| *longest <= kind.words.len()))
    };
    named.retain(fits);
    // "Svc accts" are no services.
    let within = |few: &Kind, many: &Kind| {
        few.words.len() < many.words.len() && few.words.iter().all(|at| many.words.contains(at))
    };
    more.retain(|kind| !named.iter().any(|longer| within(kind, longer)));
    named.extend(more);
}

/// Whether the joined words contain the type's kind or plural, not only a short name.
fn spells_out(joined: &str, ty: &ResourceType) -> bool {
    [&ty.kind, &ty.plural].iter().any(|name| joined.contains(&name.to_lowercase()))
}
