//! What a question asks that metadata cannot say: "not ready", "which image", "the logs of". How people put it is data
//! (`core/data/conditions.toml`); what stands around the words decides whether they ask: "failing pods" does, "what watches for failing
//! pods" does not.

use std::collections::BTreeSet;

use clusterlore_core::conditions::{Beyond, Conditions, Extreme, Limit, LiveCondition, Replicas};

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
                       ok often frequently repeatedly randomly suddenly yet only since";
/// Those that belong to what follows.
const STATES: &str = "stuck in still constantly repeatedly keep keeps being been getting currently permanently temporarily already state";
/// Words before an adjective that stands before what it is about: "any failed jobs".
const DETERMINERS: &str = "any all the which what some many every each our my your their those these no only other several few show list \
                           give get find see me us count number of have has got there are is display print and or with currently how \
                           check most fetch see namespaces";
/// Nouns for what a condition is about. They do not ask for it by themselves.
const NOUNS: &str = "image images container tag version versions replicas replica count number of capacity storage size volume kubelet which what \
                     abbild abbilder imagen imágenes imagem versionen versión versiones versão versões réplicas répliques kapazität \
                     capacité capacidad capacidade taille tamaño tamanho replikate replikas";
/// Verbs between a thing and its image.
const RUNS: &str = "run runs running use uses using does do";
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

/// Words that turn a condition into its opposite.
const NOT: &str = "not never no without lacking isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't cannot won't \
                   nicht kein keine keinen ohne pas sans aucun aucune sin ningún ninguna não sem nenhum nenhuma nunca jamais nie";
/// What may stand between it and the condition.
const BETWEEN: &str = "yet currently really actually being in be been to of a an the any already have has had use uses using run running under \
                       with on by status state phase ein eine einen en de la le un una um uma";
/// Parts of words that do the same in Chinese.
const NOT_CHINESE: [&str; 6] = ["没有", "尚未", "未", "没", "不是", "不"];

/// The same in other languages: what asks for a place or a tool.
const FOREIGN: &str = "wo wohin dónde donde adónde où onde aonde outil outils logiciel werkzeug tool programm software herramienta \
                       herramientas ferramenta ferramentas";

/// The same in Chinese.
const TOOLS: [&str; 13] =
    ["服务", "应用", "组件", "程序", "工具", "系统", "软件", "收集", "采集", "平台", "哪里", "监控", "存储"];

fn is(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|w| w == word)
}

/// Reads what metadata cannot say, and takes the words of conditions: what is left is what can be found.
pub(super) fn read(tokens: &mut Tokens, context: &QueryContext<'_>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    let before = tokens.taken.clone();
    statuses(tokens, &mut needs);
    conditions(tokens, &before, context, &mut needs);
    // What was read is not read once more.
    let read: Vec<bool> = tokens.taken.iter().zip(&before).map(|(now, before)| *now && !before).collect();
    patterns(tokens, &read, context, &mut needs);
    fields(tokens, &mut needs);
    let mut seen = BTreeSet::new();
    needs.retain(|need| seen.insert((need.what, need.condition.as_ref().map(|c| format!("{c:?}")))));
    // What a condition says of a thing is not said once more.
    let by_condition: BTreeSet<Beyond> = needs.iter().filter(|n| n.condition.is_some()).map(|n| n.what).collect();
    needs.retain(|need| need.condition.is_some() || !by_condition.contains(&need.what));
    needs
}

/// The word that says of what is counted that it runs.
pub(super) fn hollow(tokens: &Tokens, context: &QueryContext<'_>) -> Option<String> {
    let words: Vec<&String> =
        languages(context).into_iter().filter_map(|l| Conditions::get().hollow.get(l)).flatten().collect();
    let is_one = |at: &usize| {
        let low = &tokens.low[*at];
        !tokens.quoted[*at]
            && (words.contains(&low)
                || words
                    .iter()
                    .any(|word| !word.is_ascii() && !word.starts_with(char::is_lowercase) && low.contains(*word)))
    };
    let at = (0..tokens.low.len()).find(is_one)?;
    Some(tokens.raw[at].clone())
}

/// Names of fields of a spec: `terminationGracePeriodSeconds`.
fn fields(tokens: &Tokens, needs: &mut Vec<Need>) {
    let is_field = |word: &String| {
        let mut letters = word.chars();
        letters.next().is_some_and(|c| c.is_ascii_lowercase())
            && word.len() > 6
            && word.chars().all(|c| c.is_ascii_alphabetic())
            && letters.filter(char::is_ascii_uppercase).count() > 0
            && !word.ends_with("QL")
            && !word.ends_with("DB")
    };
    if needs.is_empty()
        && let Some(word) = tokens.raw.iter().find(|word| is_field(word))
    {
        needs.push(Need::untold(Beyond::Spec, word.clone()));
    }
}

/// What a line of kubectl, or of its likes, asks for beside objects.
pub(super) fn of_command(text: &str) -> Option<Need> {
    let mut words = text.split_whitespace();
    let program = words.next()?;
    if !["kubectl", "k", "oc", "flux", "argocd", "$"].contains(&program) {
        return None;
    }
    let has = |part: &str| text.contains(part);
    let verb = words.find(|word| !word.starts_with('-') && !["kubectl", "k"].contains(word))?;
    let what = match verb {
        "logs" | "log" => Beyond::Logs,
        "top" => Beyond::Metrics,
        "auth" => Beyond::Rbac,
        "events" => Beyond::Events,
        "rollout" | "wait" | "app" => Beyond::Status,
        "get" if program == "flux" => Beyond::Status,
        "get" if has(" events") || has(" ev ") => Beyond::Events,
        "get" if has("image") => Beyond::Image,
        "get" if has("status") => Beyond::Status,
        "get" if has(".spec") => Beyond::Spec,
        _ => return None,
    };
    Some(Need::untold(what, text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")))
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

/// The word before a place that turns what stands there into its opposite: "have not failed", "not in CrashLoopBackOff".
fn is_negated(tokens: &Tokens, at: usize) -> Option<usize> {
    let before = (0..at).rev().take(BEFORE).take_while(|n| !tokens.ends[*n]);
    let near: Vec<usize> = before.collect();
    let between = near.iter().take_while(|n| is(BETWEEN, &tokens.low[**n])).count();
    near.get(between).copied().filter(|n| is(NOT, &tokens.low[*n]) && !tokens.quoted[*n])
}

/// Words that a cluster prints for a state: `CreateContainerConfigError`, "status Error".
fn statuses(tokens: &mut Tokens, needs: &mut Vec<Need>) {
    let known = || Conditions::get().states.iter().flat_map(|state| &state.words);
    let humps = |word: &str| word.chars().filter(char::is_ascii_uppercase).count() > 1 || word.contains(':');
    for at in 0..tokens.low.len() {
        if tokens.taken[at] || tokens.quoted[at] && !humps(&tokens.raw[at]) {
            continue;
        }
        let typed = tokens.raw[at].trim_start_matches("Init:");
        let coded = ["Signal:", "ExitCode:"].iter().any(|begin| typed.starts_with(begin));
        let is_said = tokens.is(at.checked_sub(1), &["status", "state", "phase", "reason"]);
        let found = known().find(|word| word.eq_ignore_ascii_case(typed) && (humps(word) || is_said));
        let Some(word) = found.cloned().or_else(|| coded.then(|| typed.to_owned())) else { continue };
        let said = tokens.raw[at].clone();
        let word = if tokens.raw[at].starts_with("Init:") { said.clone() } else { word };
        let begin = (0..at)
            .rev()
            .take_while(|n| is("status state phase reason with in stuck", &tokens.low[*n]) && !tokens.ends[*n]);
        let begin = begin.last().unwrap_or(at);
        let not = is_negated(tokens, begin);
        let condition = LiveCondition::Status(vec![word]);
        let condition = if not.is_some() { condition.negated() } else { condition };
        let from = not.unwrap_or(begin);
        tokens.take_range(from, at + 1 - from);
        needs.push(Need::of(condition, said));
    }
}

fn conditions(tokens: &mut Tokens, fillers: &[bool], context: &QueryContext<'_>, needs: &mut Vec<Need>) {
    if let Some(at) = tagged(tokens).filter(|_| tokens.low.iter().any(|w| is(RUNS, w) || is("image images with on", w)))
    {
        needs.push(Need::of(LiveCondition::Image(tokens.raw[at].clone()), tokens.raw[at].clone()));
        for near in at.saturating_sub(2)..=at {
            if near == at || is(RUNS, &tokens.low[near]) || is("image images", &tokens.low[near]) {
                tokens.take(Some(near));
            }
        }
    }
    type Meant<'c> = (Beyond, Option<&'c LiveCondition>, Option<Extreme>);
    let mut phrases: Vec<(&str, Meant<'_>, &str)> = Vec::new();
    for language in languages(context) {
        let table = Conditions::get();
        for asked in &table.asked {
            let of_language = asked.phrases.get(language).into_iter().flatten();
            let meant = (asked.is.beyond(), Some(&asked.is), asked.first);
            phrases.extend(of_language.map(|phrase| (phrase.as_str(), meant, language)));
        }
        for stated in &table.stated {
            let of_language = stated.patterns.get(language).into_iter().flatten();
            phrases.extend(of_language.map(|phrase| (phrase.as_str(), (stated.what, None, None), language)));
        }
    }
    phrases.sort_by_key(|(phrase, ..)| std::cmp::Reverse(phrase.len()));
    for (phrase, (what, condition, first), language) in phrases {
        if language == "zh" {
            if let Some(at) = tokens.low.iter().position(|w| w.contains(phrase)) {
                let place = tokens.raw[at].to_lowercase().find(phrase).unwrap_or(0);
                let before = tokens.raw[at].get(..place).unwrap_or_default();
                let not = NOT_CHINESE.iter().find(|not| before.ends_with(*not));
                let condition = condition.cloned().map(|c| if not.is_some() { c.negated() } else { c });
                needs.push(Need { what, said: tokens.raw[at].clone(), condition, first });
                let rest = tokens.raw[at].replacen(&format!("{}{phrase}", not.copied().unwrap_or_default()), " ", 1);
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
                    // "Actually" is a filler, and part of "actually running".
                    && (!tokens.taken[here] || fillers[here] && words.len() > 1)
                    && !tokens.quoted[here]
                    && (n == 0 || !tokens.ends[here - 1])
            });
            if !stands || !asks(tokens, at, words.len(), condition, context) {
                continue;
            }
            let said = tokens.raw[at..at + words.len()].join(" ");
            tokens.take_range(at, words.len());
            // "Stuck in", "still" say nothing else.
            let before = (0..at).rev().take_while(|n| is(STATES, &tokens.low[*n]) && !tokens.ends[*n]).last();
            tokens.take_range(before.unwrap_or(at), at - before.unwrap_or(at));
            let condition = condition.map(|condition| limited(condition.clone(), tokens, at, at + words.len()));
            let not = is_negated(tokens, at).filter(|_| condition.is_some() && !is(NOT, words[0]));
            let said = not.map_or(said.clone(), |not| format!("{} {said}", tokens.raw[not]));
            let condition = condition.map(|condition| if not.is_some() { condition.negated() } else { condition });
            tokens.take_range(not.unwrap_or(at), at - not.unwrap_or(at));
            needs.push(Need { what, said, condition, first });
            break;
        }
    }
}

/// Whether a phrase that stands there asks for its condition.
fn asks(
    tokens: &Tokens,
    at: usize,
    words: usize,
    condition: Option<&LiveCondition>,
    context: &QueryContext<'_>,
) -> bool {
    let end = at + words;
    // "The operator that restarts pods" asks for the operator.
    let is_agent = words == 1 && tokens.low[at].ends_with('s') && at > 0 && is(WHO, &tokens.low[at - 1]);
    if is_agent || done_by_others(tokens, at, context) {
        return false;
    }
    let phrase = &tokens.low[at..end];
    // How nouns are asked for is said by patterns.
    if phrase.iter().all(|word| is(NOUNS, word)) {
        return false;
    }
    if is("external public", &phrase[0]) && words > 1 {
        return at > 0 && is(BEARS, &tokens.low[at - 1]);
    }
    if words > 1 || context.language.is_some() {
        return true;
    }
    // "With 2 restarts", "no restarts".
    if tokens.is(Some(at), &["restarts"]) && at > 0 {
        return number(&tokens.low[at - 1]).is_some() || is("with without no many any most zero", &tokens.low[at - 1]);
    }
    // Nobody types "CrashLoopBackOff" and means anything else.
    if matches!(condition, Some(LiveCondition::Status(_))) && !(context.is_english)(&tokens.low[at]) {
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
    // "How many pods in data restarted twice", "pods restarted more than once".
    let how_many = tokens.is(Some(first), &["how", "count"]);
    let of_kinds = at > first && (first..at).all(|n| is_kind(n) || is(DETERMINERS, &tokens.low[n]));
    if condition.is_some()
        && !noun_follows
        && !is_kind(end)
        && (how_many || of_kinds && (clause_ends || follows(&tokens.low[end])))
    {
        return true;
    }
    if (after_copula || inverted) && !noun_follows {
        return true;
    }
    // "failing pods", "any pending claims".
    let alone = (first..at).all(|n| is(DETERMINERS, &tokens.low[n]) || is(ADVERBS, &tokens.low[n]));
    if alone && (is_kind(end) || clause_ends && at > first || end == tokens.low.len() && at == 0) {
        return true;
    }
    // "grafana down?", "pods pending", "claim bound or not".
    let answers = |n: usize| is("yes no or true right not again", &tokens.low[n]);
    let asks_short =
        clause_ends && (end..tokens.low.len()).all(answers) && (1..=4).contains(&(at - first)) && first == 0
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
        .any(|n| tokens.is(Some(n), &["which", "what", "that", "anything", "something", "who", "any", "all", "many"]));
    subject && asked && !noun_follows && !is_kind(end)
}

/// What may follow a condition and still be of it.
fn follows(word: &str) -> bool {
    number(word).is_some()
        || is(
            "in at on right now today yesterday last this since and or because within during lately recently anymore again out across over \
         with of from at namespace there here more less than then somewhere anywhere overnight once twice thrice times several so though than but yet too as so",
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

fn patterns(tokens: &mut Tokens, read: &[bool], context: &QueryContext<'_>, needs: &mut Vec<Need>) {
    // "Health checks of pages: which deployment does that?" asks for what does it.
    let last = tokens.low.len().saturating_sub(2);
    let does_it = last > 1
        && (tokens.low[last].ends_with('s') || tokens.is(Some(last), &["do", "handle", "show"]))
        && tokens.is(Some(last + 1), &["that", "this", "it", "those", "them"]);
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
                    let is_new = !(read[at..end].contains(&true) || does_it && end <= last);
                    let is_new = is_new && !done_by_others(tokens, at, context);
                    is_new.then_some((at, end))
                })
            });
            if let Some((at, end)) = { found }.next() {
                let said = tokens.raw[at..end].join(" ");
                let condition = by_noun(asked.what, tokens, at, end, context).map(|condition| {
                    let not = (0..end).any(|n| is(NOT, &tokens.low[n])) && !condition.asks_for_a_value();
                    if not { condition.negated() } else { condition }
                });
                needs.push(Need { what: asked.what, said, condition, first: None });
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

/// The condition that the nouns of a pattern name: "which image", "the redis image", "with more than 3 replicas".
fn by_noun(
    what: Beyond,
    tokens: &mut Tokens,
    at: usize,
    end: usize,
    context: &QueryContext<'_>,
) -> Option<LiveCondition> {
    let has = |words: &[&str]| (at..end + 2).any(|n| tokens.is(Some(n), words));
    let nouns: Vec<usize> = (at..end).filter(|n| is(NOUNS, &tokens.low[*n]) || is(RUNS, &tokens.low[*n])).collect();
    let (replicas, sizes) =
        (has(&["replicas", "replica", "copies"]), has(&["size", "sizes", "capacity", "big", "large"]));
    let image = if what == Beyond::Image { image(tokens, context) } else { None };
    if what == Beyond::Image || what == Beyond::Spec && (replicas || sizes) {
        nouns.into_iter().for_each(|n| tokens.take(Some(n)));
    }
    match what {
        Beyond::Image => {
            let of_nodes = tokens.free().any(|n| tokens.is(Some(n), &["node", "nodes", "kubelet", "kubelets"]));
            let is_version = |w: &String| w.starts_with("version") || w.starts_with('v') && is_word("#.#", w);
            if of_nodes && tokens.low.iter().any(is_version) {
                let dotted = tokens.free().find(|n| is_word("#.#", &tokens.low[*n]));
                tokens.take(dotted);
                let compared = tokens.low.iter().any(|w| {
                    is("older newer below above before under less greater than since earlier later not behind", w)
                });
                if compared {
                    return None;
                }
                let version = dotted.map(|n| tokens.raw[n].clone());
                return Some(LiveCondition::Version(version.unwrap_or_default()));
            }
            tokens.take(image);
            Some(LiveCondition::Image(image.map(|n| tokens.raw[n].clone()).unwrap_or_default()))
        }
        Beyond::Spec if replicas => {
            let any = LiveCondition::Replicas { of: Replicas::Desired, number: Limit::AtLeast(1) };
            Some(limited(any, tokens, at, end))
        }
        Beyond::Spec if sizes => Some(limited(LiveCondition::Capacity(Limit::AtLeast(0)), tokens, at, end)),
        _ => None,
    }
}

/// The word that is an image with its tag: `nginx:1.25`.
fn tagged(tokens: &Tokens) -> Option<usize> {
    let is_tag = |tag: &str| !tag.is_empty() && !tag.starts_with("//") && !tag.contains(':');
    tokens.free().find(|n| tokens.raw[*n].split_once(':').is_some_and(|(name, tag)| name.len() > 1 && is_tag(tag)))
}

/// The word beside "image" that names one.
fn image(tokens: &Tokens, context: &QueryContext<'_>) -> Option<usize> {
    const NO_NAMES: &str = "docker container base exact old outdated same current which what the an a our their its whose any image images \
                            is are do does did for of from by on in use uses used using run runs running we it they latest new tag tags \
                            version versions with that private public pull this these those registry my your";
    let named = |n: &usize| {
        let word = &tokens.low[*n];
        !tokens.taken[*n] && !is(NO_NAMES, word) && !is(THINGS, word) && kind_words::one(word, context).is_empty()
    };
    let beside = || {
        let at = tokens.free().find(|n| tokens.is(Some(*n), &["image", "images"]))?;
        let after = Some(at + 1).filter(|n| *n < tokens.low.len() && !tokens.ends[at]);
        // "Which images do we run" asks for all.
        // "Images from ghcr.io".
        let source = (at + 1..tokens.low.len().min(at + 4)).find(|n| {
            tokens.is(Some(*n), &["from", "of", "by", "in"])
                && tokens.low.get(n + 1).is_some_and(|w| w.contains(['.', '/']))
        });
        let source = source.map(|n| n + 1).filter(|n| !tokens.taken[*n]);
        source.or_else(|| at.checked_sub(1).filter(|n| !tokens.ends[*n] && named(n))).or_else(|| after.filter(named))
    };
    beside()
}

/// A condition with the bound that stands beside its words.
fn limited(condition: LiveCondition, tokens: &mut Tokens, at: usize, end: usize) -> LiveCondition {
    let of_bytes = matches!(condition, LiveCondition::Capacity(_));
    let fresh = match &condition {
        LiveCondition::Restarted(Limit::AtLeast(1)) | LiveCondition::Capacity(_) => true,
        LiveCondition::Replicas { number, .. } => *number == Limit::AtLeast(1),
        _ => false,
    };
    let Some(limit) = fresh.then(|| limit(tokens, at, end, of_bytes)).flatten() else { return condition };
    match condition {
        LiveCondition::Restarted(_) => LiveCondition::Restarted(match limit {
            // "Restarted 5 times" is no less true after the sixth.
            Limit::Exactly(n) => Limit::AtLeast(n),
            other => other,
        }),
        LiveCondition::Replicas { of, .. } => LiveCondition::Replicas { of, number: limit },
        LiveCondition::Capacity(_) => LiveCondition::Capacity(match limit {
            Limit::Exactly(n) => Limit::AtLeast(n),
            other => other,
        }),
        other => other,
    }
}

/// The bound in the words beside: "more than 5 times", "at least 10Gi". Takes them.
fn limit(tokens: &mut Tokens, at: usize, end: usize, of_bytes: bool) -> Option<Limit> {
    let value = |word: &str| match word {
        _ if of_bytes => bytes(word),
        "once" => Some(1),
        "twice" => Some(2),
        "thrice" => Some(3),
        _ => number(word),
    };
    let near = at.saturating_sub(BEFORE)..(end + BEFORE).min(tokens.low.len());
    let place = near.clone().find(|n| value(&tokens.low[*n]).is_some())?;
    let number = value(&tokens.low[place])?;
    let before = |n: usize| place.checked_sub(n).map(|n| tokens.low[n].as_str()).unwrap_or_default();
    let (one, two) = (before(1), before(2));
    let is_more = tokens.is(Some(place + 1), &["or"]) && tokens.is(Some(place + 2), &["more", "higher", "above"]);
    let (limit, words) = match (two, one) {
        ("at", "least") => (Limit::AtLeast(number), 2),
        ("at", "most") => (Limit::AtMost(number), 2),
        ("up", "to") => (Limit::AtMost(number), 2),
        ("more" | "larger" | "bigger" | "greater" | "higher", "than") => (Limit::AtLeast(number.saturating_add(1)), 2),
        ("less" | "fewer" | "smaller" | "lower", "than") => (Limit::AtMost(number.saturating_sub(1)), 2),
        (_, "over" | "above" | ">" | "than") => (Limit::AtLeast(number.saturating_add(1)), 1),
        (_, "under" | "below" | "<") => (Limit::AtMost(number.saturating_sub(1)), 1),
        (_, "exactly" | "only" | "just") => (Limit::Exactly(number), 1),
        _ if is_more => (Limit::AtLeast(number), 0),
        _ => (Limit::Exactly(number), 0),
    };
    let after = if is_more {
        3
    } else {
        usize::from(tokens.is(Some(place + 1), &["times", "time", "restarts", "replicas", "replica"])) + 1
    };
    tokens.take_range(place - words, words + after);
    Some(limit)
}

/// A size in bytes: `10Gi`, `500M`.
fn bytes(word: &str) -> Option<u64> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let unit: u64 = match word[digits.len()..].trim_end_matches('b') {
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        "ti" => 1 << 40,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "t" => 1_000_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Whether the question asks when something was created.
pub(super) fn asks_age(tokens: &Tokens, context: &QueryContext<'_>) -> bool {
    let patterns = languages(context).into_iter().filter_map(|language| Conditions::get().age.get(language)).flatten();
    let stands = |pattern: &String| {
        let inside = !pattern.is_ascii() && tokens.low.iter().any(|w| w.contains(pattern.as_str()));
        inside || (0..tokens.low.len()).any(|at| fits(tokens, at, pattern).is_some())
    };
    { patterns }.any(stands)
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
