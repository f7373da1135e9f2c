//! What a question asks that metadata cannot say: "not ready", "which image", "the logs of". How people put it is data
//! (`core/data/conditions.toml`); what stands around the words decides whether they ask: "failing pods" does, "what watches for failing
//! pods" does not.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use clusterlore_catalogue::{Asked, Cover, Meaning};
use clusterlore_core::conditions::{
    Beyond, Comparison, Conditions, Extreme, Limit, LiveCondition, OF_OPERATORS, Replicas, SERVICE_TYPES,
    is_of_an_operator,
};

use super::around::{
    ABOUT, ADVERBS, AGENTS, ALL, AND, BEARS, BETWEEN, BUT, COMPARED, COPULAS, COPULAS_FOREIGN, DETERMINERS, FOREIGN,
    JOINS, NOT, NOT_CHINESE, NOUNS, OR, REPLICAS, RUNS, SIZES, STATES, THINGS, TOOLS, VERSIONS, WHO, among, is,
};
use super::bounds::{self, bounded};
use super::context::QueryContext;
use super::kind_words;
use super::parsed::{First, Need, PARTICLES, is_of_group};
use super::patterns::{Pattern, is_version};
use super::tokens::{Tokens, number};

/// The most words before a phrase that are read.
const BEFORE: usize = 6;

/// Reads what metadata cannot say, and takes the words of conditions: what is left is what can be found.
pub(super) fn read(tokens: &mut Tokens, context: &QueryContext<'_>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    // "Scale checkout to 3 replicas" is an order, and asks for nothing.
    let orders = |word: &String| among("scale resize bump increase decrease set patch", word);
    let goes_on = tokens.ends.iter().rev().skip(1).any(|ends| *ends);
    if !goes_on && tokens.free().next().is_some_and(|at| orders(&tokens.low[at])) {
        return needs;
    }
    let before = tokens.taken.clone();
    let states = statuses(tokens, context);
    let unknown = conditions(tokens, &before, states, context, &mut needs);
    if needs.iter().any(|need| need.what == Beyond::Image) {
        let about = tokens.free().filter(|at| among("image images tag tags container containers", &tokens.low[*at]));
        about.collect::<Vec<_>>().into_iter().for_each(|at| tokens.take(Some(at)));
    }
    // What was read is not read once more.
    let read: Vec<bool> = tokens.taken.iter().zip(&before).map(|(now, before)| *now && !before).collect();
    patterns(tokens, &read, context, &mut needs);
    fields(tokens, &mut needs, context);
    let mut seen = BTreeSet::new();
    needs.retain(|need| seen.insert((need.what, need.condition.as_ref().map(|c| format!("{c:?}")))));
    // What a condition says of a thing is not said once more.
    let by_condition: BTreeSet<Beyond> = needs.iter().filter(|n| n.condition.is_some()).map(|n| n.what).collect();
    needs.retain(|need| need.condition.is_some() || !by_condition.contains(&need.what));
    needs.extend(unknown);
    needs
}

/// Whether the question is whether something holds of all: "are all nodes ready?", "is the shop namespace healthy?". Then those of which
/// it does not hold are the answer.
pub(super) fn asks_of_all(tokens: &Tokens) -> bool {
    // "Hi! Just took over - are all pods ready?"
    let inverted =
        |at: &usize| tokens.begins(*at) && (is(&COPULAS, &tokens.low[*at]) || is(&COPULAS_FOREIGN, &tokens.low[*at]));
    let whole = |word: &String| is(&ALL, word) || among("namespace namespaces cluster namensraum", word);
    let asked = (0..tokens.low.len()).find(inverted);
    asked.is_some_and(|at| tokens.low[at..].iter().any(whole)) || tokens.low.iter().any(|word| word.contains("都"))
}

/// The word that says of what is counted that it runs, and whether it is denied.
pub(super) fn hollow(tokens: &Tokens, context: &QueryContext<'_>) -> Option<(usize, bool)> {
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
    let end = (at..tokens.low.len()).find(|n| tokens.ends[*n] || n + 1 == tokens.low.len());
    // "Wie viele Pods laufen in shop nicht?"
    let at_the_end = context.language == Some("German") && tokens.is(end, &["nicht"]);
    Some((at, is_negated(tokens, at).is_some() || at_the_end))
}

/// Names of fields of a spec: `terminationGracePeriodSeconds`.
fn fields(tokens: &Tokens, needs: &mut Vec<Need>, context: &QueryContext<'_>) {
    let is_field = |word: &String| {
        let mut letters = word.chars();
        letters.next().is_some_and(|c| c.is_ascii_lowercase())
            && word.len() > 6
            && word.chars().all(|c| c.is_ascii_alphabetic())
            && letters.filter(char::is_ascii_uppercase).count() > 0
            && !word.ends_with("QL")
            && !word.ends_with("DB")
    };
    // "What can I put as storageClassName?" asks for the classes that there are.
    let offers = tokens.low.iter().any(|word| among("can could may available exist", word));
    let offered = |word: &str| {
        offers
            && word.strip_suffix("Name").is_some_and(|kind| !kind_words::one(&kind.to_lowercase(), context).is_empty())
    };
    if needs.is_empty()
        && let Some(word) = tokens.raw.iter().find(|word| is_field(word) && !offered(word))
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
    let between = near.iter().take_while(|n| is(&BETWEEN, &tokens.low[**n])).count();
    near.get(between).copied().filter(|n| is(&NOT, &tokens.low[*n]) && !tokens.quoted[*n])
}

/// Whether a word says so little that nobody misses it beside a condition.
pub(super) fn says_little(word: &str) -> bool {
    [&NOT, &ADVERBS, &STATES, &BETWEEN, &COPULAS, &JOINS].iter().any(|list| is(list, word)) || word.chars().count() < 2
}

/// Whether a word turns what follows into its opposite.
pub(super) fn denies(word: &str) -> bool {
    is(&NOT, word)
}

/// Whether the words of a phrase stand in a text, in a row.
fn stands(tokens: &Tokens, phrase: &str) -> bool {
    // Chinese has no spaces.
    let is = |w: &String, word: &str| w == word || super::language::is_unspaced(word) && w.contains(word);
    (0..tokens.low.len())
        .any(|at| phrase.split(' ').enumerate().all(|(n, word)| tokens.low.get(at + n).is_some_and(|w| is(w, word))))
}

/// The language of the words that ask for a condition, if they are not English; else what else speaks for.
pub(super) fn language(
    text: &str,
    guess: Option<&'static str>,
    is_english: impl Fn(&str) -> bool,
) -> Option<&'static str> {
    let tokens = Tokens::new(text);
    let foreign = |phrase: &&String| {
        let fits = |word: &String, expected: &str| word == expected || is_form(word, expected) && !is_english(word);
        let stands = |at: usize| {
            phrase.split(' ').enumerate().all(|(n, expected)| tokens.low.get(at + n).is_some_and(|w| fits(w, expected)))
        };
        (0..tokens.low.len()).any(stands) && phrase.split(' ').any(|word| word.len() > 3 && !is_english(word))
    };
    let of = |(code, name)| {
        let phrases = Conditions::get().asked.iter().filter_map(move |asked| asked.phrases.get(code)).flatten();
        phrases.filter(foreign).map(String::len).max().map(|length| (length, name))
    };
    let all: Vec<(usize, &str)> = LANGUAGES.into_iter().filter_map(of).collect();
    let is_one_of = |guess: &str| all.iter().any(|(_, name)| *name == guess);
    // Languages share words: what else speaks for one decides. Others have no phrases of this sort.
    match guess {
        Some(guess) if is_one_of(guess) || !LANGUAGES.iter().any(|(_, name)| *name == guess) => Some(guess),
        guess => all.iter().max_by_key(|(length, _)| *length).map(|(_, name)| *name).or(guess),
    }
}

/// Whether a word is another, or its plural or its other gender in a Romance language: "échouées" for "échoué".
fn is_form(word: &str, expected: &str) -> bool {
    if word.as_bytes().first() != expected.as_bytes().first() {
        return false;
    }
    let ends = |word: &str| {
        let word = word.strip_suffix('s').unwrap_or(word);
        word.strip_suffix(['e', 'o', 'a']).unwrap_or(word).len()
    };
    let (ends_here, ends_there) = (ends(word), ends(expected));
    word == expected
        || ends_here > 5 && !expected.is_ascii() | (ends_there > 4) && word[..ends_here] == expected[..ends_there]
}

/// Languages that are written with spaces, by their code in the table of conditions.
const LANGUAGES: [(&str, &str); 4] = [("de", "German"), ("fr", "French"), ("es", "Spanish"), ("pt", "Portuguese")];

/// Whether a short question has lost words of a condition on the way to what is left of it: "is everything ok in auth?" is no greeting.
pub(super) fn lost_condition(question: &str, left: &str) -> bool {
    let (all, left) = (Tokens::new(question), Tokens::new(left));
    let mut phrases = Conditions::get().asked.iter().flat_map(|asked| asked.phrases.values().flatten());
    let number = |word: &&String| word.bytes().any(|b| b.is_ascii_digit()) && !left.low.contains(word);
    all.low.len() <= SHORT
        && (all.low.iter().any(|word| number(&word))
            || phrases.any(|phrase| stands(&all, phrase) && !stands(&left, phrase)))
}

/// Words of a short question.
const SHORT: usize = 10;

/// Words that a cluster prints for a state: `CreateContainerConfigError`, "status Error".
fn statuses(tokens: &mut Tokens, context: &QueryContext<'_>) -> Vec<Found> {
    let mut read: Vec<Found> = Vec::new();
    let services = (0..tokens.low.len()).any(|at| kind_words::at(tokens, at, context).contains("services"));
    let mut of_services: Vec<String> = SERVICE_TYPES.map(str::to_owned).into();
    of_services.retain(|name| services || tokens.raw.contains(name));
    let known = || Conditions::get().states.iter().flat_map(|state| &state.words).chain(&of_services);
    let humps = |word: &str| word.chars().filter(char::is_ascii_uppercase).count() > 1 || word.contains(':');
    for at in 0..tokens.low.len() {
        let skipped = tokens.taken[at] || tokens.quoted[at] && !humps(&tokens.raw[at]);
        if skipped || of_services.contains(&tokens.raw[at]) && done_by_others(tokens, at, context) {
            continue;
        }
        let typed = tokens.raw[at].trim_start_matches("Init:");
        let coded = ["Signal:", "ExitCode:"].iter().any(|begin| typed.starts_with(begin));
        // "CrashLoopBackOff, Error or OOMKilled".
        let beside = is_beside(tokens, at..at + 1, &read) || {
            let next = (at + 1..tokens.low.len()).find(|n| !is(&JOINS, &tokens.low[*n]));
            next.is_some_and(|n| n - at <= 2 && known().any(|w| w.eq_ignore_ascii_case(&tokens.raw[n]) && humps(w)))
                && tokens.raw[at].starts_with(|c: char| c.is_uppercase())
        };
        // "Applications that are Progressing".
        let capital = at > 0
            && known().any(|word| *word == tokens.raw[at])
            && !Conditions::get().asked.iter().flat_map(|a| a.phrases.values().flatten()).any(|p| *p == tokens.low[at]);
        let is_said =
            beside || capital || tokens.is(at.checked_sub(1), &["status", "state", "phase", "reason", "health"]);
        let found = known().find(|word| word.eq_ignore_ascii_case(typed) && (humps(word) || is_said));
        let init = tokens.raw[at].starts_with("Init:") && typed.contains('/');
        // An address stands in a column of its own.
        let init = init || typed.parse::<std::net::IpAddr>().is_ok();
        // Operators have words of their own: "phase Failing over".
        let own = is_said && typed.starts_with(|c: char| c.is_uppercase());
        let Some(word) = found.cloned().or_else(|| (coded || init || own).then(|| typed.to_owned())) else { continue };
        let more = (at + 1..tokens.low.len())
            .take_while(|n| {
                own && !beside && !capital && !tokens.ends[n - 1] && !tokens.taken[*n] && !is(&ABOUT, &tokens.low[*n])
            })
            .take_while(|n| !among("in and or of from with namespace", &tokens.low[*n]))
            .take(2)
            .count();
        let phrase = (more > 0).then(|| format!("{word} {}", tokens.raw[at + 1..at + 1 + more].join(" ")));
        let said = tokens.raw[at].clone();
        let word = if tokens.raw[at].starts_with("Init:") { said.clone() } else { word };
        let begin = (0..at)
            .rev()
            .take_while(|n| among("status state phase reason with in stuck", &tokens.low[*n]) && !tokens.ends[*n]);
        let begin = begin.last().unwrap_or(at);
        let not = is_negated(tokens, begin);
        let condition = LiveCondition::Status([word].into_iter().chain(phrase).collect());
        let condition = if not.is_some() { condition.negated() } else { condition };
        let from = not.unwrap_or(begin);
        tokens.take_range(from, at + 1 + more - from);
        read.push(Found { span: from..at + 1 + more, needs: vec![Need::of(condition, said)] });
    }
    read
}

/// Words of a condition.
struct Phrase {
    words: &'static str,
    language: &'static str,
    what: Beyond,
    condition: Option<&'static LiveCondition>,
    first: Option<Extreme>,
    /// Whether it asks only where another condition does.
    beside: bool,
}

/// The phrases that may stand in a question, the longest first. In a question that is in no language for sure those of any language may,
/// if they are not English.
fn phrases(tokens: &Tokens, context: &QueryContext<'_>) -> Vec<Phrase> {
    let own = languages(context);
    let admits = |language: &str, phrase: &str| {
        own.contains(&language)
            || context.language.is_none() && !phrase.split(' ').all(|word| (context.is_english)(word))
    };
    // Most conditions ask nothing of the kinds.
    let kinds: OnceLock<Vec<BTreeSet<String>>> = OnceLock::new();
    let kinds = || kinds.get_or_init(|| (0..tokens.low.len()).map(|at| kind_words::at(tokens, at, context)).collect());
    // "Tenants" are those of the kind `AcmeTenant`, where nothing else is called so.
    let last_words: OnceLock<Vec<usize>> = OnceLock::new();
    let last_words = || {
        last_words.get_or_init(|| {
            let mut found = Vec::new();
            kind_words::by_last_word(tokens, is_of_an_operator, context, &mut found);
            found.into_iter().flat_map(|kind| kind.words).collect()
        })
    };
    let named = |types: &[String]| {
        let of_operators = types.iter().any(|name| name == OF_OPERATORS);
        let is_one = |at: usize| {
            let named = &kinds()[at];
            let operated = || named.iter().any(|name| is_of_an_operator(name));
            // "Databases" are those of any kind; "kafka topics" are two words for one.
            let surely = || {
                let asked = context.catalogue.asked(&tokens.raw[at]);
                kind_words::one(&tokens.low[at], context).is_empty()
                    || asked.iter().all(|asked| matches!(asked.meaning, Meaning::Kind(_)))
            };
            let by_last = || last_words().contains(&at);
            // "Longhorn backups".
            let of_group = || {
                let group = at.checked_sub(1).map(|n| &tokens.low[n]);
                let is_one = |name: &String| {
                    group.zip(name.split_once('.')).is_some_and(|(word, (_, of))| is_of_group(word, of))
                };
                named.iter().any(is_one)
            };
            named.iter().any(|name| types.contains(name))
                || of_operators && (surely() || of_group()) && (operated() || named.is_empty() && by_last())
        };
        types.is_empty() || (0..tokens.low.len()).any(is_one)
    };
    let table = Conditions::get();
    let asked = table.asked.iter().filter(|asked| named(&asked.only)).flat_map(|asked| {
        let of = (asked.is.beyond(), Some(&asked.is), asked.first, asked.beside);
        asked.phrases.iter().map(move |(language, phrases)| (of, language, phrases))
    });
    let stated = table.stated.iter().flat_map(|stated| {
        stated.patterns.iter().map(move |(language, phrases)| ((stated.what, None, None, false), language, phrases))
    });
    let mut all: Vec<Phrase> = asked
        .chain(stated)
        .flat_map(|(of, language, phrases)| phrases.iter().map(move |words| (of, language, words)))
        .filter(|(_, language, words)| stands_somewhere(tokens, words) && admits(language, words))
        .map(|((what, condition, first, beside), language, words)| Phrase {
            words,
            language,
            what,
            condition,
            first,
            beside,
        })
        .collect();
    all.sort_by_key(|phrase| std::cmp::Reverse(phrase.words.len()));
    all
}

/// Whether the words stand there at all, which is cheap to tell.
fn stands_somewhere(tokens: &Tokens, words: &str) -> bool {
    let first = words.split(' ').next().unwrap_or_default();
    let han = first.trim_end_matches(|c: char| c.is_ascii());
    tokens.low.iter().any(|word| is_form(word, first) || !han.is_empty() && word.contains(han))
}

fn conditions(
    tokens: &mut Tokens,
    fillers: &[bool],
    mut found: Vec<Found>,
    context: &QueryContext<'_>,
    needs: &mut Vec<Need>,
) -> Vec<Need> {
    tags(tokens, context, needs);
    if let Some(at) = tagged(tokens)
        .filter(|_| tokens.low.iter().any(|w| is(&RUNS, w) || among("image images with on used deployed where", w)))
    {
        needs.push(Need::of(LiveCondition::Image(tokens.raw[at].clone()), tokens.raw[at].clone()));
        for near in at.saturating_sub(2)..(at + 2).min(tokens.low.len()) {
            if near == at || is(&RUNS, &tokens.low[near]) || among("image images used deployed", &tokens.low[near]) {
                tokens.take(Some(near));
            }
        }
    }
    sizes(tokens, context, needs);
    versions(tokens, context, needs);
    replicas(tokens, needs);
    let phrases = phrases(tokens, context);
    let inside = [false, true].map(|of_categories| inside_names(tokens, of_categories, context));
    // What stands beside a condition is one too: "not ready and not completed". It may be found after it.
    for _ in 0..2 {
        for phrase in &phrases {
            if phrase.language == "zh" {
                found.extend(chinese(tokens, phrase));
            } else {
                found.extend(read_phrase(tokens, phrase, fillers, &found, &inside, context));
            }
        }
    }
    let unknown = guesses(tokens, &mut found, context);
    found.sort_by_key(|found| found.span.start);
    needs.extend(joined(tokens, found));
    unknown
}

/// The words inside a name of several words that the catalogue knows: "active" in "Active Directory". The name of a category says what is
/// meant less surely than that of software: it is only a name to words that no condition stands for.
fn inside_names(tokens: &Tokens, of_categories: bool, context: &QueryContext<'_>) -> BTreeSet<usize> {
    let (text, spans) = tokens.free_spans();
    let asked = context.catalogue.asked(&text);
    let is_name = |a: &&Asked<'_>| match a.meaning {
        Meaning::Software(_) => a.words > 1,
        Meaning::Category(_) => a.words > 1 && of_categories,
        _ => false,
    };
    let several: Cover = asked.iter().filter(is_name).map(|a| &a.span).collect();
    spans.into_iter().filter(|(_, span)| several.covers(span)).map(|(at, _)| at).collect()
}

/// Words that stand beside a state with "or" between them: "parked or finished". What an operator prints may be any word; of others it is
/// told that nothing says it.
fn guesses(tokens: &mut Tokens, found: &mut Vec<Found>, context: &QueryContext<'_>) -> Vec<Need> {
    let mut unknown = Vec::new();
    // "Synced but not ready": what no condition stands for may be printed too.
    if of_operators(tokens, context) && found.iter().any(is_one_state) {
        for need in found.iter_mut().flat_map(|found| &mut found.needs).filter(|need| need.is_untold_state()) {
            let word = need.said.strip_prefix("not ").unwrap_or(&need.said);
            if !word.contains(' ') {
                let status = LiveCondition::Status(vec![word.to_owned()]);
                need.condition = Some(if word == need.said { status } else { status.negated() });
            }
        }
    }
    let joins = |at: &usize| is(&OR, &tokens.low[*at]) || bounds::adds(tokens, *at);
    let ors: Vec<usize> = tokens.free().filter(joins).collect();
    for or in ors {
        let (before, after) = (or.checked_sub(1), or + 1);
        let known = |at: usize| found.iter().any(|found| found.span.contains(&at) && is_one_state(found));
        let (Some(before), true) = (before, after < tokens.low.len()) else { continue };
        let guessed: Vec<usize> = match (known(before), known(after)) {
            (true, false) => vec![after],
            (false, true) => vec![before],
            (false, false) if is(&OR, &tokens.low[or]) && !found.iter().any(is_one_state) => vec![before, after],
            _ => continue,
        };
        let either = is(&OR, &tokens.low[or]);
        let begin = found.iter().find(|f| f.span.contains(&before)).map_or(before, |f| f.span.start);
        let end = found.iter().find(|f| f.span.contains(&after)).map_or(after + 1, |f| f.span.end);
        if !guessed.iter().all(|at| may_be_state(tokens, *at, context)) || !is_listed(tokens, begin..end, context) {
            continue;
        }
        let of_operators = of_operators(tokens, context);
        // "Tunnels that are up or flapping": nothing else says that both are states.
        let is_are = begin.checked_sub(1).is_some_and(|n| among("is are was were", &tokens.low[n]) && !tokens.ends[n]);
        if guessed.len() > 1 && !(of_operators && is_are) {
            continue;
        }
        for at in guessed {
            if !either && !of_operators {
                continue;
            }
            let said = tokens.raw[at].clone();
            tokens.take(Some(at));
            if of_operators {
                let need = Need::of(LiveCondition::Status(vec![said.clone()]), said);
                found.push(Found { span: at..at + 1, needs: vec![need] });
            } else {
                unknown.push(Need::untold(Beyond::Status, said));
            }
        }
        if either || of_operators {
            tokens.take(Some(or));
        }
    }
    unknown
}

fn is_one_state(found: &Found) -> bool {
    let is_state = |need: &Need| need.first.is_none() && need.condition.as_ref().is_some_and(LiveCondition::is_state);
    matches!(&found.needs[..], [one] if is_state(one))
}

/// Whether a word may be what an operator prints of an object.
fn may_be_state(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> bool {
    let word = &tokens.low[at];
    let listed =
        || Conditions::get().states.iter().flat_map(|state| &state.words).any(|w| w.eq_ignore_ascii_case(word));
    let says_nothing =
        clusterlore_core::words::is_stop_word(word) || super::language::is_stop_word(context.language, word);
    !tokens.taken[at]
        && !tokens.quoted[at]
        && word.chars().count() > 1
        && word.chars().all(char::is_alphabetic)
        && (!says_nothing || listed())
        && !is(&NOT, word)
        && !is(&ABOUT, word)
        && !is(&THINGS, word)
        && !context.vocabulary.namespaces.contains(word)
        && kind_words::at(tokens, at, context).is_empty()
}

/// Whether states that are listed are said of kinds: "pods that are slow or pending", "slow or pending pods".
fn is_listed(tokens: &Tokens, states: Range<usize>, context: &QueryContext<'_>) -> bool {
    let is_kind = |at: usize| !kind_words::at(tokens, at, context).is_empty();
    let ends = states.end == tokens.low.len() || tokens.ends[states.end - 1];
    let closes = ends || follows(&tokens.low[states.end]);
    let before = (0..states.start).rev().take_while(|n| !tokens.ends[*n]).find(|n| !is(&ADVERBS, &tokens.low[*n]));
    let said =
        before.is_some_and(|n| is(&COPULAS, &tokens.low[n]) || is(&COPULAS_FOREIGN, &tokens.low[n]) || is_kind(n));
    // "Degraded or detached longhorn volumes".
    closes && said || !ends && (is_kind(states.end) || is_kind(states.end + 1))
}

/// Whether all kinds that are named are those of operators.
fn of_operators(tokens: &Tokens, context: &QueryContext<'_>) -> bool {
    // "In ingress" may be a place.
    let places = |at: &usize| !context.vocabulary.namespaces.contains(&tokens.low[*at]);
    let mut named: BTreeSet<String> =
        (0..tokens.low.len()).filter(places).flat_map(|at| kind_words::at(tokens, at, context)).collect();
    if named.is_empty() {
        let mut kinds = Vec::new();
        kind_words::by_last_word(tokens, is_of_an_operator, context, &mut kinds);
        named = kinds.into_iter().flat_map(|kind| kind.types).collect();
    }
    !named.is_empty() && named.iter().all(|name| is_of_an_operator(name))
}

/// Whether a state stands in a list with a word that no phrase has: "[finished] or aborted", "parked or [finished]".
fn is_in_list(tokens: &Tokens, span: Range<usize>, context: &QueryContext<'_>) -> bool {
    let of_operators = of_operators(tokens, context);
    let or =
        |at: usize| tokens.low.get(at).is_some_and(|word| is(&OR, word)) || of_operators && bounds::adds(tokens, at);
    let before = span.start.checked_sub(2).filter(|n| or(n + 1) && !tokens.ends[*n] && !tokens.ends[n + 1]);
    let after = Some(span.end + 1).filter(|n| *n < tokens.low.len() && or(span.end) && !tokens.ends[span.end - 1]);
    let fits = |at: &usize| may_be_state(tokens, *at, context);
    match (before.filter(fits), after.filter(fits)) {
        (Some(begin), _) => is_listed(tokens, begin..span.end, context),
        (None, Some(last)) => is_listed(tokens, span.start..last + 1, context),
        _ => false,
    }
}

/// What a phrase of a question asks, and where it stands.
struct Found {
    span: Range<usize>,
    needs: Vec<Need>,
}

fn read_phrase(
    tokens: &mut Tokens,
    phrase: &Phrase,
    fillers: &[bool],
    found: &[Found],
    inside: &[BTreeSet<usize>; 2],
    context: &QueryContext<'_>,
) -> Option<Found> {
    let words: Vec<&str> = phrase.words.split(' ').collect();
    let Phrase { what, condition, first, language, .. } = *phrase;
    let foreign = language != "en";
    for at in 0..tokens.low.len() {
        let stands = words.iter().enumerate().all(|(n, word)| {
            let here = at + n;
            let same = |w: &String| w == word || foreign && is_form(w, word) && !(context.is_english)(w);
            !inside[usize::from(condition.is_none())].contains(&here)
                && tokens.low.get(here).is_some_and(same)
                // "Actually" is a filler, and part of "actually running".
                && (!tokens.taken[here] || fillers[here] && words.len() > 1)
                && !tokens.quoted[here]
                && (n == 0 || !tokens.ends[here - 1])
        });
        let end = at + words.len();
        let admitted = || {
            asks(tokens, at, words.len(), condition, foreign, context)
                || condition.is_some()
                    && !words.iter().all(|word| is(&NOUNS, word))
                    && (is_beside(tokens, at..end, found)
                        || words.len() > 1 && !found.is_empty()
                        || condition.is_some_and(LiveCondition::is_state)
                            && !done_by_others(tokens, at, context)
                            && is_in_list(tokens, at..end, context))
        };
        if !stands || phrase.beside && found.is_empty() || !admitted() {
            continue;
        }
        let said = tokens.raw[at..end].join(" ");
        tokens.take_range(at, words.len());
        // "Stuck in", "still" say nothing else.
        let before = (0..at).rev().take_while(|n| is(&STATES, &tokens.low[*n]) && !tokens.ends[*n]).last();
        let begin = before.unwrap_or(at);
        tokens.take_range(begin, at - begin);
        let not = is_negated(tokens, at).filter(|_| !is(&NOT, words[0]));
        // "Failing over" is one word for what an operator prints.
        let particle = (words.len() == 1 && condition.is_some_and(LiveCondition::is_state) && !tokens.ends[at])
            .then(|| tokens.low.get(end).filter(|next| PARTICLES.contains(&next.as_str())).cloned())
            .flatten();
        let said = match particle {
            Some(particle) => {
                tokens.take(Some(end));
                format!("{said} {particle}")
            }
            None => said,
        };
        let denies = |not: usize| if condition.is_some() { tokens.raw[not].as_str() } else { "not" };
        let said = not.map_or(said.clone(), |not| format!("{} {said}", denies(not)));
        let first = first.map(|extreme| First { extreme, at_most: at_most(tokens, begin, context) });
        let conditions = match condition {
            Some(condition) if first.is_none() => bounded(condition.clone(), tokens, at, end),
            other => other.cloned().into_iter().collect(),
        };
        let negated = |condition: LiveCondition| if not.is_some() { condition.negated() } else { condition };
        let begin = not.unwrap_or(begin).min(begin);
        tokens.take_range(begin, at - begin);
        let of = |condition| Need { what, said: said.clone(), condition, first, printed: None };
        let needs = match conditions.is_empty() {
            true => vec![of(None)],
            false => conditions.into_iter().map(|condition| of(Some(negated(condition)))).collect(),
        };
        return Some(Found { span: begin..end, needs });
    }
    None
}

/// Of Chinese, which has no spaces.
fn chinese(tokens: &mut Tokens, phrase: &Phrase) -> Option<Found> {
    let Phrase { words, what, condition, first, .. } = *phrase;
    // "外部 IP" is two words.
    let han = words.trim_end_matches(|c: char| c.is_ascii());
    let ascii = words[han.len()..].trim();
    let at = (0..tokens.low.len()).find(|at| {
        tokens.low[*at].contains(words)
            || !ascii.is_empty() && tokens.low[*at].ends_with(han) && tokens.is(Some(at + 1), &[ascii])
    })?;
    if !tokens.low[at].contains(words) {
        tokens.take(Some(at + 1));
    }
    let words = if tokens.low[at].contains(words) { words } else { han };
    let place = tokens.raw[at].to_lowercase().find(words).unwrap_or(0);
    let before = tokens.raw[at].get(..place).unwrap_or_default();
    let not = NOT_CHINESE.iter().find(|not| before.ends_with(*not));
    let condition = condition.cloned().map(|c| if not.is_some() { c.negated() } else { c });
    let said = tokens.raw[at].clone();
    let rest = said.replacen(&format!("{}{words}", not.copied().unwrap_or_default()), " ", 1);
    // "重启超过10次".
    let digits = tokens.low.get(at + 1).filter(|next| number(next).is_some() && next.is_ascii()).cloned();
    let digits = digits.unwrap_or_default();
    let (condition, rest) = match (condition, digits.parse()) {
        (Some(LiveCondition::Restarted(Limit::AtLeast(1))), Ok(number)) => {
            let compares = |comparison| Conditions::get().compares(comparison).any(|phrase| rest.contains(phrase));
            let all = [Comparison::More, Comparison::AtLeast, Comparison::Fewer, Comparison::AtMost];
            let limit = bounds::one(all.into_iter().find(|c| compares(*c)).unwrap_or(Comparison::Exactly), number);
            let mut left = rest.clone();
            tokens.take(Some(at + 1));
            tokens.take(Some(at + 2).filter(|n| tokens.low.get(*n).is_some_and(|word| word.starts_with('次'))));
            for comparison in Comparison::BEFORE {
                Conditions::get()
                    .compares(comparison)
                    .filter(|p| !p.is_ascii())
                    .for_each(|p| left = left.replace(p, " "));
            }
            (Some(LiveCondition::Restarted(limit)), left)
        }
        (condition, _) => (condition, rest),
    };
    tokens.raw[at] = rest.trim().to_owned();
    tokens.low[at] = tokens.raw[at].to_lowercase();
    if tokens.raw[at].is_empty() {
        tokens.take(Some(at));
    }
    let first = first.map(|extreme| First { extreme, at_most: None });
    Some(Found { span: at..at + 1, needs: vec![Need { what, said, condition, first, printed: None }] })
}

/// Sizes of what is stored: "claims of at least 200Gi".
fn sizes(tokens: &mut Tokens, context: &QueryContext<'_>, needs: &mut Vec<Need>) {
    let any = LiveCondition::Capacity(Limit::AtLeast(0));
    let stores = any.types();
    let named = (0..tokens.low.len()).any(|at| {
        among("claim claims volume volumes disk disks storage", &tokens.low[at])
            || kind_words::at(tokens, at, context).iter().any(|name| stores.contains(&name))
    });
    let at = tokens.free().find(|at| bounds::bytes(&tokens.low[*at]).is_some());
    if let Some(at) = at.filter(|_| named) {
        let said = tokens.raw[at].clone();
        needs.extend(bounded(any, tokens, at, at).into_iter().map(|condition| Need::of(condition, said.clone())));
        let about = tokens.free().filter(|n| is(&SIZES, &tokens.low[*n])).collect::<Vec<_>>();
        about.into_iter().for_each(|n| tokens.take(Some(n)));
    }
}

/// Numbers of replicas: "with 3 or more replicas".
fn replicas(tokens: &mut Tokens, needs: &mut Vec<Need>) {
    let Some(at) = tokens.free().find(|at| is(&REPLICAS, &tokens.low[*at])) else { return };
    let near = (at.saturating_sub(4)..at).any(|n| tokens.low[n].bytes().all(|b| b.is_ascii_digit()));
    // Of those that are ready others tell.
    let ready = (at.saturating_sub(2)..at + 3).any(|n| tokens.is(Some(n), &["ready", "available", "bereit"]));
    if near && !ready && !tokens.ends[at.saturating_sub(1)] {
        let any = LiveCondition::Replicas { of: Replicas::Desired, number: Limit::AtLeast(1) };
        let said = tokens.raw[at].clone();
        let conditions = bounded(any.clone(), tokens, at, at + 1);
        if conditions != [any] {
            tokens.take(Some(at));
            needs.extend(conditions.into_iter().map(|condition| Need::of(condition, said.clone())));
        }
    }
}

/// Versions of nodes: "nodes not on v1.34.4".
fn versions(tokens: &mut Tokens, context: &QueryContext<'_>, needs: &mut Vec<Need>) {
    let nodes = (0..tokens.low.len())
        .any(|at| among("kubelet kubelets", &tokens.low[at]) || kind_words::at(tokens, at, context).contains("nodes"));
    let at = tokens.free().find(|at| is_version(&tokens.low[*at]) && !tokens.low[*at].contains('/'));
    let Some(at) = at.filter(|_| nodes) else { return };
    let before: Vec<usize> = (0..at).rev().take(BEFORE).take_while(|n| !tokens.ends[*n]).collect();
    let about = before.iter().take_while(|n| is(&VERSIONS, &tokens.low[**n])).count();
    let compared = before.get(about).filter(|n| is(&COMPARED, &tokens.low[**n])).map(|n| tokens.low[*n].clone());
    // "1.29 or newer".
    let behind = Some(at + 2).filter(|_| tokens.is(Some(at + 1), &["or"]) && !tokens.ends[at]);
    let behind = behind.and_then(|n| Some((n, compares(tokens.low.get(n)?)?)));
    let not = before.get(about).copied().filter(|n| is(&NOT, &tokens.low[*n]));
    let said = tokens.raw[at].clone();
    let version = LiveCondition::Version(said.clone());
    let sign = match (behind, compared.as_deref()) {
        (Some((end, sign)), _) => {
            tokens.take_range(at + 1, end - at);
            Some(Some(format!("{sign}=")))
        }
        (None, Some(word)) => Some(compares(word).map(str::to_owned)),
        (None, None) => None,
    };
    let kubelets = |n: &usize| among("kubelet kubelets version versions", &tokens.low[*n]);
    tokens.free().filter(kubelets).collect::<Vec<_>>().into_iter().for_each(|n| tokens.take(Some(n)));
    let words = about + usize::from(sign.is_some() && behind.is_none());
    let said = if words > about { tokens.raw[at - words..=at].join(" ") } else { said };
    tokens.take_range(at - words, words + 1);
    needs.push(match (sign, not) {
        (Some(Some(sign)), _) => Need::of(LiveCondition::Version(format!("{sign}{}", tokens.raw[at])), said),
        // "Since" is about when it became so.
        (Some(None), _) => Need::untold(Beyond::Image, said),
        (_, Some(not)) => {
            tokens.take(Some(not));
            Need::of(version.negated(), format!("{} {said}", tokens.raw[not]))
        }
        _ => Need::of(version, said),
    });
}

/// How many are wanted of what comes first: "top 3", "the 5 pods with the most restarts".
fn at_most(tokens: &mut Tokens, begin: usize, context: &QueryContext<'_>) -> Option<usize> {
    let counts = |at: &usize| {
        number(&tokens.low[*at]).is_some()
            && (tokens.is(at.checked_sub(1), &["top", "first"]) || !kind_words::at(tokens, at + 1, context).is_empty())
    };
    let at = (0..begin).rev().find(counts)?;
    let most = number(&tokens.low[at])?;
    tokens.take(Some(at));
    if tokens.is(at.checked_sub(1), &["top", "first"]) {
        tokens.take(at.checked_sub(1));
    }
    Some(usize::try_from(most).unwrap_or(usize::MAX))
}

/// Whether only words that join stand between a phrase and one that was read.
fn is_beside(tokens: &Tokens, span: Range<usize>, found: &[Found]) -> bool {
    let joins = |at: &usize| is(&JOINS, &tokens.low[*at]) || is(&NOT, &tokens.low[*at]);
    let only = |between: Range<usize>| between.len() <= 3 && { between }.all(|at| joins(&at));
    found.iter().any(|other| {
        if other.span.end <= span.start {
            only(other.span.end..span.start)
        } else {
            span.end <= other.span.start && only(span.end..other.span.start)
        }
    })
}

/// The needs of what was found, in order. Where "or" stands between two conditions, one need has both; so where nothing can be in both
/// states at once: "pending and failed pods".
fn joined(tokens: &mut Tokens, found: Vec<Found>) -> Vec<Need> {
    let mut all: Vec<(Range<usize>, Vec<Need>)> = Vec::new();
    for Found { span, needs } in found.into_iter().rev() {
        let Some((next, others)) = all.last_mut() else {
            all.push((span, needs));
            continue;
        };
        let between = span.end..next.start.max(span.end);
        let only = between.len() <= 3
            && between.clone().all(|at| is(&JOINS, &tokens.low[at]) || is(&NOT, &tokens.low[at]) || tokens.taken[at]);
        let or = between.clone().any(|at| is(&OR, &tokens.low[at]));
        let but = between.clone().any(|at| tokens.is(Some(at), &BUT));
        match (&needs[..], &mut others[..]) {
            ([one], [other])
                if only
                    && one.first.is_none()
                    && other.first.is_none()
                    && one.condition.is_some()
                    && other.condition.is_some()
                    && (or || !but && are_apart(one, other)) =>
            {
                between.for_each(|at| tokens.take(Some(at)));
                let (this, that) = (one.condition.clone(), other.condition.take());
                other.condition = this.zip(that).map(|(this, that)| this.or(that));
                other.said = format!("{} or {}", one.said, other.said);
                next.start = span.start;
            }
            _ => all.push((span, needs)),
        }
    }
    all.into_iter().rev().flat_map(|(_, needs)| needs).collect()
}

/// Whether an object is in one of two states at most.
fn are_apart(one: &Need, other: &Need) -> bool {
    use LiveCondition::{Any, Complete, Failed, Lost, Pending, Status, Suspended};
    let is_state = |condition: &LiveCondition| {
        matches!(condition, Complete | Failed | Lost | Pending | Suspended | Status(_) | Any(_))
    };
    one.condition.as_ref().is_some_and(is_state) && other.condition.as_ref().is_some_and(is_state)
}

/// Whether a phrase that stands there asks for its condition.
fn asks(
    tokens: &Tokens,
    at: usize,
    words: usize,
    condition: Option<&LiveCondition>,
    foreign: bool,
    context: &QueryContext<'_>,
) -> bool {
    let end = at + words;
    // "The operator that restarts pods" asks for the operator.
    let is_agent = words == 1 && tokens.low[at].ends_with('s') && at > 0 && is(&WHO, &tokens.low[at - 1]);
    if is_agent || done_by_others(tokens, at, context) {
        return false;
    }
    let phrase = &tokens.low[at..end];
    // How nouns are asked for is said by patterns.
    if phrase.iter().all(|word| is(&NOUNS, word)) {
        return false;
    }
    let only = asks_only(tokens, at..end, context);
    if among("external public", &phrase[0]) && words > 1 {
        return only || at > 0 && is(&BEARS, &tokens.low[at - 1]);
    }
    // "Restarts more than 3 times".
    let bounded = at == 0 && bounds::begins(tokens, end);
    if words > 1 || context.language.is_some() || foreign || only || bounded {
        return true;
    }
    // "With 2 restarts", "no restarts".
    if tokens.is(Some(at), &["restarts"]) && at > 0 {
        return number(&tokens.low[at - 1]).is_some()
            || among("with without no many any most zero have has had", &tokens.low[at - 1]);
    }
    // Nobody types "CrashLoopBackOff" and means anything else.
    if matches!(condition, Some(LiveCondition::Status(_))) && !(context.is_english)(&tokens.low[at]) {
        return true;
    }
    let is_kind = |at: usize| {
        tokens.low.get(at).is_some_and(|w| is(&THINGS, w)) || !kind_words::at(tokens, at, context).is_empty()
    };
    // "Failing to sync".
    let fails_to = among("failing failed fails fail", &tokens.low[at]) && tokens.is(Some(end), &["to"]);
    let clause_ends = end == tokens.low.len() || tokens.ends[end - 1] || fails_to;
    let first = (0..at).rev().take_while(|n| !tokens.ends[*n]).last().unwrap_or(at);
    // "is it ready", "which are still pending".
    let copula = (first..at).rev().take(BEFORE).find(|n| !is(&ADVERBS, &tokens.low[*n]));
    let after_copula =
        copula.is_some_and(|n| is(&COPULAS, &tokens.low[n]) || tokens.raw[n].to_lowercase().ends_with("'s") && n == 0);
    // "is anything broken", "are all pods ready", "did the job fail".
    let inverted = is(&COPULAS, &tokens.low[first]) && !tokens.is(Some(first + 1), &["there", "we", "you"]);
    let noun_follows = !clause_ends
        && tokens.low.get(end).is_some_and(|w| !is(&ABOUT, w) && !is(&ADVERBS, w) && !is_kind(end) && !follows(w));
    // "How many pods in data restarted twice", "pods restarted more than once".
    let how_many = tokens.is(Some(first), &["how", "count"]);
    let of_kinds = at > first && (first..at).all(|n| is_kind(n) || is(&DETERMINERS, &tokens.low[n]));
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
    let alone = (first..at).all(|n| is(&DETERMINERS, &tokens.low[n]) || is(&ADVERBS, &tokens.low[n]));
    if alone && (is_kind(end) || clause_ends && at > first || end == tokens.low.len() && at == 0) {
        return true;
    }
    // "grafana down?", "pods pending", "claim bound or not".
    let answers = |n: usize| among("yes no or true right not again", &tokens.low[n]);
    let asks_short =
        clause_ends && (end..tokens.low.len()).all(answers) && (1..=4).contains(&(at - first)) && first == 0
            || tokens.is(Some(end), &["or"]) && tokens.is(Some(end + 1), &["not"]);
    if asks_short && !(first..at).any(|n| is(&ABOUT, &tokens.low[n]) || is(&WHO, &tokens.low[n])) {
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

/// Whether the question names a kind and a condition, and where; and nothing else.
fn asks_only(tokens: &Tokens, phrase: Range<usize>, context: &QueryContext<'_>) -> bool {
    // Why it is so, others know.
    if tokens.is(Some(0), &["why"]) {
        return false;
    }
    // "Restart deployment x" is no question, and the "crash deployment" is called so.
    if phrase.len() == 1 && among("restart fail crash complete finish succeed fails crashes", &tokens.low[phrase.start])
    {
        let begins = phrase.start == 0;
        if begins || tokens.low[phrase.start] != "complete" && !kind_words::at(tokens, phrase.end, context).is_empty() {
            return false;
        }
    }
    let mut kinds = 0;
    let mut at = 0;
    while at < tokens.low.len() {
        let word = &tokens.low[at];
        let of_kind = kind_words::at(tokens, at, context);
        let of_next = |name: &String| name.split_once('.').is_some_and(|(_, group)| is_of_group(word, group));
        if phrase.contains(&at) || tokens.taken[at] || kind_words::at(tokens, at + 1, context).iter().any(of_next) {
        } else if !of_kind.is_empty() {
            kinds += 1;
            at += usize::from(kind_words::one(word, context).is_empty());
        } else {
            let says_where = context.vocabulary.namespaces.contains(word) || among("namespace namespaces ns", word);
            let asked =
                || Conditions::get().asked.iter().filter_map(|a| a.phrases.get("en")).flatten().any(|p| p == word);
            let says_little = [&DETERMINERS, &ADVERBS, &COPULAS, &JOINS].iter().any(|list| is(list, word)) || asked();
            let asks = among("which what that many who", word) || number(word).is_some() || bounds::is_word(word);
            if !(says_where || says_little || asks || tokens.is_connective(at)) {
                return false;
            }
        }
        at += 1;
    }
    kinds > 0 || phrase.start == 0
}

/// What may follow a condition and still be of it.
fn follows(word: &str) -> bool {
    number(word).is_some()
        || among(
            "in at on right now today yesterday last this since and or because within during lately recently anymore again out across over \
         with of from at namespace there here more less than then somewhere anywhere overnight once twice thrice times several so though than but yet too as so",
            word,
        )
}

/// Whether the clause asks for what does something about it: "what notifies us when pods fail".
fn done_by_others(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> bool {
    if context.language.is_some() {
        return tokens.low.iter().any(|word| is(&FOREIGN, word));
    }
    let first = (0..at).rev().take_while(|n| !tokens.ends[*n]).last().unwrap_or(at);
    // "Tells us which medicines are about to expire", "where do the logs go".
    let begins = &tokens.low[first];
    if begins.ends_with('s') && is_agent(begins) && first < at || begins == "where" {
        return true;
    }
    if (first..at).rev().take(3).any(|n| {
        is(&ABOUT, &tokens.low[n]) && n > first && !tokens.is(Some(n), &["to", "by", "on", "for"])
            || tokens.is(Some(n), &["for", "about", "on", "against"]) && n > first && n + 2 >= at && !says(tokens, n)
    }) {
        return true;
    }
    // "What does checkout write to" asks for what it does.
    let asks = |n: &usize| is(&WHO, &tokens.low[*n]) && !tokens.is(Some(n + 1), &["do", "does", "did"]);
    let who = (first..at).find(asks);
    // "Who mails", "what picks up": the verb comes next, whatever it is.
    let plain = |n: usize| {
        let word = &tokens.low[n];
        is(&COPULAS, word)
            || is(&ADVERBS, word)
            || among("can could may might will would should of kind sort about does do did if and or", word)
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
        && !among("images versions pods status ports ips permissions rights events logs limits hosts", word)
}

fn is_agent(word: &str) -> bool {
    let cut = |ending: &str, put: &str| {
        word.strip_suffix(ending)
            .is_some_and(|cut| AGENTS.contains(cut) || !put.is_empty() && is(&AGENTS, &format!("{cut}{put}")))
    };
    is(&AGENTS, word) || cut("s", "") || cut("es", "") || cut("ing", "e") || cut("ies", "y")
}

/// Patterns by their language.
type Patterns = BTreeMap<&'static str, Vec<Pattern>>;

fn read_once(patterns: &'static BTreeMap<String, Vec<String>>) -> Patterns {
    let of = |patterns: &'static Vec<String>| patterns.iter().map(|pattern| Pattern::of(pattern)).collect();
    patterns.iter().map(|(language, patterns)| (language.as_str(), of(patterns))).collect()
}

static BEYOND: LazyLock<Vec<(Beyond, Patterns)>> =
    LazyLock::new(|| Conditions::get().beyond.iter().map(|asked| (asked.what, read_once(&asked.patterns))).collect());
static AGE: LazyLock<Patterns> = LazyLock::new(|| read_once(&Conditions::get().age));

fn patterns(tokens: &mut Tokens, read: &[bool], context: &QueryContext<'_>, needs: &mut Vec<Need>) {
    // "Stack traces of crashed programs - what is that called here?" asks for the name of what does it.
    let called = (0..tokens.low.len()).any(|at| {
        tokens.is(Some(at), &["called"])
            && (at.saturating_sub(BEFORE)..at).any(|n| tokens.is(Some(n), &["what", "whats", "what's", "how"]))
    });
    if called {
        return;
    }
    // "In the events namespace".
    let namespaces = |at: usize| {
        context.vocabulary.namespaces.contains(&tokens.low[at])
            && [at.checked_sub(1), Some(at + 1)].iter().any(|n| tokens.is(*n, &["namespace", "ns", "namensraum"]))
    };
    let tools = |at: usize| among("tool tools software solution", &tokens.low[at]);
    let others: Vec<bool> = (0..tokens.low.len()).map(|at| namespaces(at) || tools(at)).collect();
    // "Health checks of pages: which deployment does that?" asks for what does it.
    let last = tokens.low.len().saturating_sub(2);
    let does_it = last > 1
        && (tokens.low[last].ends_with('s') || tokens.is(Some(last), &["do", "handle", "show"]))
        && tokens.is(Some(last + 1), &["that", "this", "it", "those", "them"]);
    for (what, of_languages) in &*BEYOND {
        for language in languages(context) {
            let patterns = of_languages.get(language).into_iter().flatten();
            let found = patterns.filter_map(|pattern| {
                if language == "zh" {
                    let at = tokens.low.iter().position(|w| w.contains(pattern.text))?;
                    if TOOLS.iter().any(|tool| tokens.low.iter().any(|w| w.contains(tool))) {
                        return None;
                    }
                    return Some((at, at + 1));
                }
                (0..tokens.low.len()).find_map(|at| {
                    let end = pattern.fits(tokens, at)?;
                    let is_new =
                        !(read[at..end].contains(&true) || others[at..end].contains(&true) || does_it && end <= last);
                    let is_new = is_new && !done_by_others(tokens, at, context);
                    is_new.then_some((at, end))
                })
            });
            if let Some((at, end)) = { found }.next() {
                let said = tokens.raw[at..end].join(" ");
                let negated = |condition: LiveCondition, tokens: &Tokens| {
                    let not = (0..end).any(|n| is(&NOT, &tokens.low[n])) && !condition.asks_for_a_value();
                    if not { condition.negated() } else { condition }
                };
                let of = |condition| Need { what: *what, said: said.clone(), condition, first: None, printed: None };
                let conditions = by_noun(*what, tokens, at, end, context);
                if conditions.is_empty() {
                    needs.push(of(None));
                }
                needs.extend(conditions.into_iter().map(|condition| of(Some(negated(condition, tokens)))));
                break;
            }
        }
    }
}

/// The conditions that the nouns of a pattern name: "which image", "the redis image", "with more than 3 replicas".
fn by_noun(what: Beyond, tokens: &mut Tokens, at: usize, end: usize, context: &QueryContext<'_>) -> Vec<LiveCondition> {
    let has = |words: &[&str]| (at..end + 2).any(|n| tokens.is(Some(n), words));
    let nouns: Vec<usize> = (at..end).filter(|n| is(&NOUNS, &tokens.low[*n]) || is(&RUNS, &tokens.low[*n])).collect();
    let (replicas, sizes) =
        (has(&["replicas", "replica", "copies"]), has(&["size", "sizes", "capacity", "big", "large"]));
    let image = if what == Beyond::Image { image(tokens, context) } else { None };
    if what == Beyond::Image || what == Beyond::Spec && (replicas || sizes) {
        nouns.into_iter().for_each(|n| tokens.take(Some(n)));
    }
    match what {
        Beyond::Image => {
            let of_nodes = tokens.free().any(|n| tokens.is(Some(n), &["node", "nodes", "kubelet", "kubelets"]));
            let is_version = |w: &String| w.starts_with("version") || w.starts_with('v') && is_version(w);
            if of_nodes && tokens.low.iter().any(is_version) {
                let dotted = tokens.free().find(|n| is_version(&tokens.low[*n]));
                tokens.take(dotted);
                let about = tokens.free().filter(|n| is(&VERSIONS, &tokens.low[*n])).collect::<Vec<_>>();
                about.into_iter().for_each(|n| tokens.take(Some(n)));
                if tokens.low.iter().any(|w| is(&COMPARED, w)) {
                    return Vec::new();
                }
                let version = dotted.map(|n| tokens.raw[n].clone());
                return vec![LiveCondition::Version(version.unwrap_or_default())];
            }
            tokens.take(image);
            vec![LiveCondition::Image(image.map(|n| tokens.raw[n].clone()).unwrap_or_default())]
        }
        Beyond::Spec if replicas => {
            let any = LiveCondition::Replicas { of: Replicas::Desired, number: Limit::AtLeast(1) };
            bounded(any, tokens, at, end)
        }
        Beyond::Spec if sizes => bounded(LiveCondition::Capacity(Limit::AtLeast(0)), tokens, at, end),
        _ => Vec::new(),
    }
}

/// The word that is an image with its tag: `nginx:1.25`.
fn tagged(tokens: &Tokens) -> Option<usize> {
    let is_tag = |tag: &str| !tag.is_empty() && !tag.starts_with("//") && !tag.contains(':');
    tokens.free().find(|n| tokens.raw[*n].split_once(':').is_some_and(|(name, tag)| name.len() > 1 && is_tag(tag)))
}

/// Images by their tag in words of its own, or by where they are from: "nginx tag 1.27.3", "run postgres 15", "on tag 1.5", "images from
/// ghcr.io".
fn tags(tokens: &mut Tokens, context: &QueryContext<'_>, needs: &mut Vec<Need>) {
    let of_nodes = (0..tokens.low.len()).any(|at| {
        among("kubelet kubelets kubernetes k8s", &tokens.low[at])
            || kind_words::at(tokens, at, context).contains("nodes")
    });
    if of_nodes {
        return;
    }
    let is_host = |at: usize| tokens.low.get(at).is_some_and(|host| host.contains(['.', '/']) && !is_version(host));
    let source = |at: &usize| {
        (among("image images", &tokens.low[*at]) || tokens.low[*at].starts_with("pull"))
            && tokens.is(Some(at + 1), &["from", "aus", "von", "de", "depuis"])
            && is_host(at + 2)
    };
    let from = tokens.free().find(source);
    if let Some(at) = from {
        // "From quay.io or ghcr.io".
        let mut hosts = vec![at + 2];
        let mut next = at + 3;
        while let Some(host) = (next..next + 2).find(|host| is_host(*host))
            && (next..host).all(|n| is(&OR, &tokens.low[n]) || tokens.is(Some(n), &AND))
        {
            hosts.push(host);
            next = host + 1;
        }
        let images: Vec<LiveCondition> =
            hosts.iter().map(|host| LiveCondition::Image(tokens.raw[*host].clone())).collect();
        let all = images.into_iter().reduce(LiveCondition::or);
        take_image(tokens, at..next, all.unwrap_or(LiveCondition::Image(String::new())), needs);
        return;
    }
    let is_tag = |at: usize| {
        let word = tokens.low[at].trim_start_matches('v');
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
    };
    let is_name = |at: usize| {
        let word = &tokens.low[at];
        !tokens.taken[at]
            && !tokens.ends[at]
            && word.len() > 1
            && !is(&RUNS, word)
            && !clusterlore_core::words::is_stop_word(word)
            && !is(&NOT, word)
            && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
            && word.starts_with(|c: char| c.is_ascii_alphabetic())
            && !among(
                "version versions tag tags image images release replicas replica port ports than least most",
                word,
            )
            && kind_words::one(word, context).is_empty()
    };
    let read = |at: usize| {
        if tokens.taken[at] || tokens.quoted[at] || !is_tag(at) || tokens.ends[at - 1] {
            return None;
        }
        let marked = among("tag version tagged", &tokens.low[at - 1]);
        let last = if marked { at.checked_sub(2) } else { at.checked_sub(1) };
        let name = last.filter(|n| is_name(*n));
        let begin = name.or(if marked { Some(at - 1) } else { None })?;
        let led =
            begin.checked_sub(1).filter(|n| is(&RUNS, &tokens.low[*n]) || among("on at with still", &tokens.low[*n]));
        // "Version 2" alone is one of anything; a tag is one of an image.
        if led.is_none() || name.is_none() && !among("tag tagged", &tokens.low[at - 1]) {
            return None;
        }
        let image = format!("{}:{}", name.map_or("", |n| tokens.raw[n].as_str()), tokens.raw[at]);
        Some((led.unwrap_or(begin)..at + 1, image))
    };
    // "Postgres older than 15", "on nginx below 1.25".
    let is_software = |at: usize| {
        let text = tokens.raw[at].as_str();
        let whole = |a: &Asked<'_>| a.span == (0..text.len()) && matches!(a.meaning, Meaning::Software(_));
        context.catalogue.asked(text).iter().any(whole)
    };
    let compared = |at: usize| {
        if tokens.taken[at] || tokens.quoted[at] || !is_tag(at) || is_unit(tokens.low.get(at + 1)) {
            return None;
        }
        let between = (0..at).rev().take_while(|n| {
            !tokens.ends[*n] && (is(&COMPARED, &tokens.low[*n]) || among("than version versions tag", &tokens.low[*n]))
        });
        let begin = between.last()?;
        let sign = (begin..at).find_map(|n| compares(&tokens.low[n]))?;
        let name = begin.checked_sub(1).filter(|n| is_name(*n))?;
        let led = name.checked_sub(1).filter(|n| is(&RUNS, &tokens.low[*n]) || tokens.is(Some(*n), &["on", "still"]));
        (led.is_some() || is_software(name)).then(|| {
            let image = format!("{}:{sign}{}", tokens.raw[name], tokens.low[at].trim_start_matches('v'));
            (led.unwrap_or(name)..at + 1, image)
        })
    };
    let found = (1..tokens.low.len()).find_map(|at| read(at).or_else(|| compared(at)));
    if let Some((span, image)) = found {
        take_image(tokens, span, LiveCondition::Image(image), needs);
    }
}

/// How a word compares versions.
fn compares(word: &str) -> Option<&'static str> {
    match word {
        word if among("older below before under less earlier behind", word) => Some("<"),
        word if among("newer above greater later", word) => Some(">"),
        "least" => Some(">="),
        "most" => Some("<="),
        _ => None,
    }
}

/// Whether a number is one of days or of bytes.
fn is_unit(word: Option<&String>) -> bool {
    word.is_some_and(|word| {
        among(
            "second minute hour day week month year gi mi gb mb percent restart replica time",
            word.trim_end_matches('s'),
        )
    })
}

fn take_image(tokens: &mut Tokens, span: Range<usize>, condition: LiveCondition, needs: &mut Vec<Need>) {
    let not = is_negated(tokens, span.start);
    let from = not.unwrap_or(span.start);
    let said = tokens.raw[from..span.end].join(" ");
    tokens.take_range(from, span.end - from);
    needs.push(Need::of(if not.is_some() { condition.negated() } else { condition }, said));
}

/// The word beside "image" that names one.
fn image(tokens: &Tokens, context: &QueryContext<'_>) -> Option<usize> {
    const NO_NAMES: &str = "docker container base exact old outdated same current which what the an a our their its whose any image images \
                            is are do does did for of from by on in use uses used using run runs running we it they latest new tag tags \
                            version versions with that private public pull this these those registry my your";
    let named = |n: &usize| {
        let word = &tokens.low[*n];
        !tokens.taken[*n]
            && !among(NO_NAMES, word)
            && !is(&THINGS, word)
            && !super::language::is_stop_word(context.language, word)
            && kind_words::one(word, context).is_empty()
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
    // "Which deployments pull from registry.example.org".
    let registry = || {
        tokens.free().find(|n| {
            tokens.is(n.checked_sub(1), &["from", "aus", "de", "von", "depuis"]) && tokens.low[*n].contains(['.', '/'])
        })
    };
    beside().or_else(registry)
}

/// Whether the question asks when something was created.
pub(super) fn asks_age(tokens: &Tokens, context: &QueryContext<'_>) -> bool {
    let patterns = languages(context).into_iter().filter_map(|language| AGE.get(language)).flatten();
    let stands = |pattern: &Pattern| {
        let inside = !pattern.text.is_ascii() && tokens.low.iter().any(|w| w.contains(pattern.text));
        inside || (0..tokens.low.len()).any(|at| pattern.fits(tokens, at).is_some())
    };
    { patterns }.any(stands)
}
