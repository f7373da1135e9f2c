//! What a question asks that metadata cannot say: "not ready", "which image", "the logs of". How people put it is data
//! (`core/data/conditions.toml`); what stands around the words decides whether they ask: "failing pods" does, "what watches for failing
//! pods" does not.

use std::collections::BTreeSet;

use clusterlore_core::conditions::{Beyond, Conditions, LiveCondition};

use super::context::QueryContext;
use super::kind_words;
use super::parsed::Need;
use super::tokens::{Tokens, number};

/// The most words that `…` stands for.
const GAP: usize = 6;
/// The most words before a phrase that are read.
const BEFORE: usize = 6;

/// What a thing is, before how it is.
const COPULAS: &str = "is are was were be been being isn't aren't wasn't weren't 's 're got gets getting become became looks look seems seem \
                       went goes go gone stays stay remains remain has have had hasn't haven't keeps keep kept did does do didn't doesn't \
                       could can't cannot won't";
/// What may stand between the two.
const ADVERBS: &str = "not still currently now right fully all really actually always never constantly even already stuck just once ever \
                       any no longer in a an the again currently temporarily permanently completely partially partly also both recently \
                       ok often frequently repeatedly randomly suddenly yet only being been have has since";
/// Words before an adjective that stands before what it is about: "any failed jobs".
const DETERMINERS: &str = "any all the which what some many every each our my your their those these no only other several few show list \
                           give get find see me us count number of have has got there are is display print and or with currently how \
                           check most fetch see namespaces";
/// Nouns for what a condition is about. They do not ask for it by themselves.
const NOUNS: &str = "image images container tag version versions replicas replica count number of capacity storage size volume kubelet \
                     abbild abbilder imagen imágenes imagem versionen versión versiones versão versões réplicas répliques kapazität \
                     capacité capacidad capacidade taille tamaño tamanho replikate replikas";
/// Words before what something has: "with an external IP".
const BEARS: &str = "have has with without an any which what no get got gets having the their its via through a";
/// What stands for the things asked for.
const THINGS: &str = "pod pods thing things one ones workload workloads container containers resource resources object objects app apps \
                      service services job jobs stuff replica replicas instance instances node nodes item items component components \
                      deployment deployments statefulset statefulsets daemonset daemonsets cronjob cronjobs pvc pvcs claim claims volume \
                      volumes release releases run runs task tasks anything something cluster clusters database databases backup backups \
                      everything machine machines status state";
/// Words that say that something else is asked for, by what it does about it: "alerts on failing pods".
const ABOUT: &str =
    "for on about against when if whenever once upon after before whether to by unless until toward towards";
/// Verbs of what does something about others.
const AGENTS: &str = "watch monitor notify alert page tell warn collect gather ship forward store keep restart clean delete remove handle \
                      scan check scrape export record aggregate show display render visualise visualize track measure autoscale scale \
                      rotate renew issue limit restrict enforce control manage grant give react listen pick retry recover heal drain \
                      balance resize pull build push sign cache mirror host provide produce send create make schedule guard detect \
                      report inspect analyse analyze view browse query inform wake trigger fix repair replace recycle describe define \
                      own deal take protect secure validate verify tests test prevent ensure sweep prune reap roll update upgrade sync \
                      deploy hand write pick open ingest index parse route move copy back catch log audit archive receive process emit publish draw plot \
                      visualise tidy look call compress encrypt distribute serve kick bump reload expose help let allow offer";
/// What asks for such a thing.
const WHO: &str = "what who which whatever something anything someone anyone tool software solution app component thing things operator \
                   controller service that there we place way how where";

/// The same in other languages: what asks for a place or a tool.
const FOREIGN: &str = "wo wohin dónde donde adónde où onde aonde outil outils logiciel werkzeug tool programm software herramienta \
                       herramientas ferramenta ferramentas";

/// The same in Chinese.
const TOOLS: [&str; 8] = ["工具", "系统", "软件", "收集", "采集", "平台", "哪里", "监控"];

fn is(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|w| w == word)
}

/// Reads what metadata cannot say, and takes the words of conditions: what is left is what can be found.
pub(super) fn read(tokens: &mut Tokens, context: &QueryContext<'_>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    conditions(tokens, context, &mut needs);
    patterns(tokens, context, &mut needs);
    let mut seen = BTreeSet::new();
    needs.retain(|need| seen.insert((need.what, need.condition.as_ref().map(|c| format!("{c:?}")))));
    // What a condition says of a thing is not said once more.
    let by_condition: BTreeSet<Beyond> = needs.iter().filter(|n| n.condition.is_some()).map(|n| n.what).collect();
    needs.retain(|need| need.condition.is_some() || !by_condition.contains(&need.what));
    needs
}

/// The words and phrases of a language, or of English: its jargon is everywhere.
fn languages(context: &QueryContext<'_>) -> Vec<&'static str> {
    let own = match context.language {
        None => None,
        Some("German") => Some("de"),
        Some("French") => Some("fr"),
        Some("Spanish") => Some("es"),
        Some("Portuguese") => Some("pt"),
        Some("Chinese") => Some("zh"),
        Some(_) => None,
    };
    own.into_iter().chain(["en"]).collect()
}

fn conditions(tokens: &mut Tokens, context: &QueryContext<'_>, needs: &mut Vec<Need>) {
    let mut phrases: Vec<(&str, &LiveCondition, &str)> = Vec::new();
    for language in languages(context) {
        for asked in &Conditions::get().asked {
            let of_language = asked.phrases.get(language).into_iter().flatten();
            phrases.extend(of_language.map(|phrase| (phrase.as_str(), &asked.is, language)));
        }
    }
    phrases.sort_by_key(|(phrase, ..)| std::cmp::Reverse(phrase.len()));
    for (phrase, condition, language) in phrases {
        if language == "zh" {
            if let Some(at) = tokens.low.iter().position(|w| w.contains(phrase)) {
                needs.push(Need::of(condition.clone(), tokens.raw[at].clone()));
                let rest = tokens.raw[at].replacen(phrase, " ", 1);
                tokens.raw[at] = rest.trim().to_owned();
                tokens.low[at] = tokens.raw[at].to_lowercase();
                if tokens.raw[at].is_empty() {
                    tokens.take(Some(at));
                }
            }
            continue;
        }
        let words: Vec<&str> = phrase.split(' ').collect();
        for at in 0..tokens.low.len() {
            let stands = words.iter().enumerate().all(|(n, word)| {
                let here = at + n;
                tokens.low.get(here).is_some_and(|w| w == word)
                    && !tokens.taken[here]
                    && !tokens.quoted[here]
                    && (n == 0 || !tokens.ends[here - 1])
            });
            if !stands || !asks(tokens, at, words.len(), condition, context) {
                continue;
            }
            let said = tokens.raw[at..at + words.len()].join(" ");
            needs.push(Need::of(condition.clone(), said));
            tokens.take_range(at, words.len());
            break;
        }
    }
}

/// Whether a phrase that stands there asks for its condition.
fn asks(tokens: &Tokens, at: usize, words: usize, condition: &LiveCondition, context: &QueryContext<'_>) -> bool {
    let end = at + words;
    if done_by_others(tokens, at, context) {
        return false;
    }
    let phrase = &tokens.low[at..end];
    // How nouns are asked for is said by patterns.
    if phrase.iter().all(|word| is(NOUNS, word)) {
        return false;
    }
    if matches!(condition, LiveCondition::ExternalAddress) && !tokens.low[at].ends_with("ble") && words > 1 {
        return at > 0 && is(BEARS, &tokens.low[at - 1]);
    }
    if words > 1 || context.language.is_some() {
        return true;
    }
    // Nobody types "CrashLoopBackOff" and means anything else.
    if matches!(condition, LiveCondition::Status(_)) && !(context.is_english)(&tokens.low[at]) {
        return true;
    }
    let is_kind =
        |at: usize| tokens.low.get(at).is_some_and(|w| is(THINGS, w) || !kind_words::one(w, context).is_empty());
    let clause_ends = end == tokens.low.len() || tokens.ends[end - 1];
    let first = (0..at).rev().take_while(|n| !tokens.ends[*n]).last().unwrap_or(at);
    // "is it ready", "which are still pending".
    let copula = (first..at).rev().take(BEFORE).find(|n| !is(ADVERBS, &tokens.low[*n]));
    let after_copula =
        copula.is_some_and(|n| is(COPULAS, &tokens.low[n]) || tokens.raw[n].to_lowercase().ends_with("'s") && n == 0);
    // "is anything broken", "are all pods ready", "did the job fail".
    let inverted = is(COPULAS, &tokens.low[first]) && !tokens.is(Some(first + 1), &["there", "we", "you"]);
    let noun_follows = !clause_ends
        && tokens.low.get(end).is_some_and(|w| !is(ABOUT, w) && !is(ADVERBS, w) && !is_kind(end) && !follows(w));
    if (after_copula || inverted) && !noun_follows {
        return true;
    }
    // "failing pods", "any pending claims".
    let alone = (first..at).all(|n| is(DETERMINERS, &tokens.low[n]) || is(ADVERBS, &tokens.low[n]));
    if alone && (is_kind(end) || clause_ends && at > first || end == tokens.low.len() && at == 0) {
        return true;
    }
    // "grafana down?", "pods pending", "claim bound or not".
    let asks_short = end == tokens.low.len() && (1..=4).contains(&(at - first)) && first == 0
        || tokens.is(Some(end), &["or"]) && tokens.is(Some(end + 1), &["not"]);
    if asks_short && !(first..at).any(|n| is(ABOUT, &tokens.low[n]) || is(WHO, &tokens.low[n])) {
        return true;
    }
    // "pods that failed", "which jobs crashed", "what failed".
    let before = at.checked_sub(1).filter(|n| *n >= first);
    let subject = before.is_some_and(|n| {
        tokens.is(Some(n), &["that", "which", "who", "what", "anything", "something", "nothing", "everything"])
            || is_kind(n)
    });
    let asked = (first..at)
        .any(|n| tokens.is(Some(n), &["which", "what", "that", "anything", "something", "who", "any", "all"]));
    subject && asked && !noun_follows && !is_kind(end)
}

/// What may follow a condition and still be of it.
fn follows(word: &str) -> bool {
    is(
        "in at on right now today yesterday last this since and or because within during lately recently anymore again out across over \
         with of from at namespace there here more less than then somewhere anywhere overnight so though than but yet too as so",
        word,
    )
}

/// Whether the clause asks for what does something about it: "what notifies us when pods fail".
fn done_by_others(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> bool {
    if context.language.is_some() {
        return tokens.low.iter().any(|word| is(FOREIGN, word));
    }
    let first = (0..at).rev().take_while(|n| !tokens.ends[*n]).last().unwrap_or(at);
    // "Tells us which medicines are about to expire", "where do the logs go".
    let begins = &tokens.low[first];
    if begins.ends_with('s') && is_agent(begins) && first < at || begins == "where" {
        return true;
    }
    if (first..at).rev().take(3).any(|n| {
        is(ABOUT, &tokens.low[n]) && n > first && !tokens.is(Some(n), &["to", "by", "on", "for"])
            || tokens.is(Some(n), &["for", "about", "on", "against"]) && n > first && n + 2 >= at && !says(tokens, n)
    }) {
        return true;
    }
    // "What does checkout write to" asks for what it does.
    let asks = |n: &usize| is(WHO, &tokens.low[*n]) && !tokens.is(Some(n + 1), &["do", "does", "did"]);
    let who = (first..at).find(asks);
    // "Who mails", "what picks up": the verb comes next, whatever it is.
    let plain = |n: usize| {
        let word = &tokens.low[n];
        is(COPULAS, word)
            || is(ADVERBS, word)
            || is("can could may might will would should of kind sort about does do did if and or", word)
    };
    if who.is_some_and(|who| {
        tokens.is(Some(who), &["who", "what"]) && who + 1 < at && !plain(who + 1) && is_verb(&tokens.low[who + 1])
    }) {
        return true;
    }
    who.is_some_and(|who| {
        (who + 1..at)
            .any(|n| is_agent(&tokens.low[n]) && !tokens.is(Some(n - 1), &["the", "a", "an", "to", "of", "our"]))
    })
}

/// Whether the word before is one that "for" and "on" belong to: "logs for".
fn says(tokens: &Tokens, at: usize) -> bool {
    tokens.is(at.checked_sub(1), &["status", "state", "health", "logs", "events", "look", "check"])
}

/// Whether a word behind "who" and "what" is a verb: "what sends", and not "what image".
fn is_verb(word: &str) -> bool {
    word.ends_with('s')
        && !word.ends_with("ss")
        && !is("images versions pods status ports ips permissions rights events logs limits hosts", word)
}

fn is_agent(word: &str) -> bool {
    let bases = |base: &str| {
        word == base
            || word.strip_prefix(base).is_some_and(|rest| ["s", "es", "ing"].contains(&rest))
            || base.strip_suffix('e').is_some_and(|cut| word.strip_prefix(cut) == Some("ing"))
            || base.strip_suffix('y').is_some_and(|cut| word.strip_prefix(cut) == Some("ies"))
    };
    AGENTS.split_ascii_whitespace().any(bases)
}

fn patterns(tokens: &Tokens, context: &QueryContext<'_>, needs: &mut Vec<Need>) {
    // "Health checks of pages: which deployment does that?"
    let does_that = |at: usize| {
        tokens.is(Some(at), &["does", "do", "handles"]) && tokens.is(Some(at + 1), &["that", "this", "it", "those"])
    };
    let ends = tokens.low.len().saturating_sub(2);
    if ends > 0 && does_that(ends) {
        return;
    }
    for asked in &Conditions::get().beyond {
        for language in languages(context) {
            let patterns = asked.patterns.get(language).into_iter().flatten();
            let found = patterns.filter_map(|pattern| {
                if language == "zh" {
                    let at = tokens.low.iter().position(|w| w.contains(pattern.as_str()))?;
                    if TOOLS.iter().any(|tool| tokens.low.iter().any(|w| w.contains(tool))) {
                        return None;
                    }
                    return Some((at, at + 1));
                }
                (0..tokens.low.len()).find_map(|at| {
                    let end = fits(tokens, at, pattern)?;
                    (!done_by_others(tokens, at, context)).then_some((at, end))
                })
            });
            if let Some((at, end)) = { found }.next() {
                needs.push(Need { what: asked.what, said: tokens.raw[at..end].join(" "), condition: None });
                break;
            }
        }
    }
}

/// Whether a word of a pattern is that word.
fn is_word(expected: &str, word: &str) -> bool {
    match expected {
        "#" => number(word).is_some(),
        "#.#" => word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'),
        _ => match (expected.strip_prefix('*'), expected.strip_suffix('*')) {
            (Some(end), _) => word.len() > end.len() + 2 && word.ends_with(end),
            (_, Some(start)) => word.starts_with(start),
            _ => expected == word,
        },
    }
}

/// Where a pattern that begins at a word ends.
fn fits(tokens: &Tokens, at: usize, pattern: &str) -> Option<usize> {
    let (pattern, begins) = pattern.strip_prefix('^').map_or((pattern, false), |rest| (rest, true));
    if begins && !tokens.begins(at) {
        return None;
    }
    let pattern: Vec<&str> = pattern.split(' ').collect();
    rest_fits(tokens, at, at, &pattern)
}

fn rest_fits(tokens: &Tokens, start: usize, here: usize, pattern: &[&str]) -> Option<usize> {
    let Some((expected, rest)) = pattern.split_first() else { return Some(here) };
    let near = here == start || !tokens.ends[here - 1];
    if *expected == "…" {
        return (0..=GAP)
            .take_while(|n| {
                here + n <= tokens.low.len() && (here..here + n).all(|at| at == start || !tokens.ends[at - 1])
            })
            .find_map(|n| rest_fits(tokens, start, here + n, rest));
    }
    if let Some(none) = expected.strip_prefix('!') {
        // Before a match it is about the word before, within one about the next.
        let word = if here == start { here.checked_sub(1).filter(|n| !tokens.ends[*n]) } else { Some(here) };
        let stands = word.and_then(|n| tokens.low.get(n)).is_some_and(|w| none.split('|').any(|e| is_word(e, w)));
        return if stands { None } else { rest_fits(tokens, start, here, rest) };
    }
    let (any, optional) = expected.strip_suffix('?').map_or((*expected, false), |e| (e, true));
    let ends = any.split('|').any(|e| e == "$") && (here == tokens.low.len() || here > start && tokens.ends[here - 1]);
    if ends {
        return Some(here);
    }
    let stands = near && tokens.low.get(here).is_some_and(|w| any.split('|').any(|e| is_word(e, w)));
    if stands && let Some(end) = rest_fits(tokens, start, here + 1, rest) {
        return Some(end);
    }
    if optional { rest_fits(tokens, start, here, rest) } else { None }
}
