//! What a question does not want: "not for logging", "besides the operator", "außer MariaDB". What is excluded reaches to the end of its
//! phrase, not of the sentence.

use clusterlore_core::words;

use super::context::QueryContext;
use super::kind_words;
use super::parsed::{Condition, Note, ParsedQuery};
use super::tokens::Tokens;

/// The most words of a clause that are looked back upon.
const LONGEST_CLAUSE: usize = 16;

/// What begins an exclusion wherever it stands.
const ALWAYS: &[&str] = &[
    "except for?",
    "excluding|besides|minus|unlike|excl",
    "apart|aside from",
    "other|rather than",
    "outside of?",
    "instead of",
    "in place of",
    "leave|leaving|left out",
    "skip|skipping|ignore|ignoring|omit|omitting|drop|dropping",
    "not counting|including",
    "anything|everything|anywhere|nothing|all but",
    "but|so|and not",
    "but|and nothing|none from|of|in",
    "neither|nor",
    "i|we don't|dont|do not? mean|want|need|care",
    "don't|dont mean|want|need|show|list|count|include",
    "don't|dont show|give|tell me|us",
    "do not mean|want|show|list|count|include",
    "isn't|isnt|aren't|arent for|in|from|part",
    // German
    "außer|ausser|ausgenommen|statt|anstatt|anstelle|weder",
    "abgesehen von",
    "bis auf",
    "aber|und nicht|kein|keine|keinen",
    // French
    "sauf|hormis|excepté|excepte",
    "à part",
    "autre|autres que",
    "au lieu de|des|du",
    "à l exception de|des|du",
    "mais|et pas|non",
    // Spanish and Portuguese
    "excepto|salvo|exceto|excetuando",
    "aparte|además|fuera de|del",
    "en|em lugar|vez de|del|da|do",
    "além|fora de|do|da|dos|das",
    "que no|não sea|sean|es|son|seja|sejam|é|são",
    "pero|y|mas|e|sino no|não",
];

/// Words that begin an exclusion, unless what stands around them says that they do not.
const NOT: [&str; 12] = ["not", "without", "no", "none", "w/o", "nicht", "ohne", "pas", "sans", "sin", "sem", "menos"];

/// What ends an exclusion that stands behind what it excludes: "the operator itself not included".
const BEHIND: &[&str] = &[
    "is|are not counted|included|meant|wanted|needed|relevant",
    "isn't|aren't|isnt|arent|wasn't|weren't counted|included|meant|wanted|needed|relevant",
    "itself|themselves? not counted|included|meant|wanted|needed",
    "doesn't|don't|doesnt|dont count|matter",
    "does|do not count|matter",
    "itself|themselves? excluded|aside",
    "is|are not what|something i|we want|need|mean",
    "is|are another|a different? matter|story|thing|topic",
    "meine|meinen|will|brauche|suche ich|wir nicht",
    "zählt|zählen nicht",
    "no cuentan|cuenta",
    "não contam|conta",
    "ne comptent|compte pas",
];

/// "Not" before one of these denies nothing that could be left out.
const DENIES_NOTHING: [&str; 22] = [
    "only",
    "just",
    "sure",
    "yet",
    "necessarily",
    "even",
    "enough",
    "least",
    "know",
    "all",
    "every",
    "one",
    "so",
    "too",
    "really",
    "very",
    "quite",
    "long",
    "more",
    "less",
    "older",
    "younger",
];

/// Verbs that "not" stands after or before without excluding anything: "do we not have", "can not", "does not come up".
const AUXILIARIES: [&str; 28] = [
    "do", "does", "did", "can", "could", "should", "would", "will", "has", "have", "had", "may", "might", "must",
    "why", "or", "if", "whether", "am", "shall", "we", "you", "i", "they", "he", "she", "it", "there",
];

/// After these "not" excludes what follows, if that is something that can be excluded; else it only says how something is ("not ready").
const BE: [&str; 12] = ["is", "are", "was", "were", "be", "being", "that's", "it's", "they're", "sind", "ist", "est"];

/// Verbs that a question begins with.
const INVERTED: [&str; 14] =
    ["is", "are", "was", "were", "does", "do", "did", "can", "could", "has", "have", "will", "would", "should"];

/// Words that end a phrase.
const BOUNDARIES: &[&str] = &[
    "which",
    "who",
    "whose",
    "where",
    "what",
    "when",
    "how",
    "why",
    "whether",
    "because",
    "since",
    "but",
    "if",
    "while",
    "though",
    "although",
    "then",
    "please",
    "pls",
    "thanks",
    "afaik",
    "show",
    "give",
    "list",
    "tell",
    "find",
    "is",
    "are",
    "was",
    "were",
    "does",
    "do",
    "did",
    "can",
    "could",
    "should",
    "would",
    "will",
    "has",
    "have",
    "had",
    "wo",
    "was",
    "welche",
    "welcher",
    "welches",
    "wer",
    "wie",
    "bitte",
    "laufen",
    "läuft",
    "gibt",
    "haben",
    "sind",
    "où",
    "quels",
    "quelles",
    "quel",
    "quelle",
    "combien",
    "avons",
    "sont",
    "tourne",
    "tournent",
    "dónde",
    "qué",
    "cuáles",
    "hay",
    "están",
    "tenemos",
    "onde",
    "quais",
    "há",
    "temos",
    "existem",
    "still",
    "noch",
    "instead",
    "anyway",
    "we",
    "i",
    "you",
    "they",
    "altogether",
    "together",
    "per",
    "out",
];

/// Words at the beginning of a phrase that say nothing about what is excluded.
const LEADS: [&str; 30] = [
    "the", "a", "an", "any", "of", "its", "it", "their", "those", "these", "that", "ones", "one", "being", "counting",
    "things", "stuff", "der", "die", "das", "den", "dem", "denen", "von", "les", "le", "la", "el", "los", "las",
];

/// Reads all exclusions and takes their words.
pub(super) fn read(tokens: &mut Tokens, parsed: &mut ParsedQuery, context: &QueryContext<'_>, left_out: Vec<String>) {
    let mut phrases = Vec::new();
    for text in left_out {
        let cut = Tokens::new(&text);
        let all: Vec<usize> = cut.free().collect();
        exclude(&cut, parsed, context, &all, &mut phrases);
    }
    behind(tokens, parsed, context, &mut phrases);
    let mut at = 0;
    while at < tokens.low.len() {
        let found = if tokens.taken[at] { None } else { opener(tokens, at, context) };
        let Some(Opener { words, sure_only }) = found else {
            at += 1;
            continue;
        };
        let (from, to) = reach(tokens, at + words);
        let phrase: Vec<usize> = (from..to).filter(|at| !tokens.taken[*at]).collect();
        // "no downtime" is how something is; only what is known for sure is left out there.
        let telling = phrase.iter().any(|at| !words::is_stop_word(&tokens.low[*at]));
        if !telling || sure_only && !is_known(tokens, &phrase, context) {
            at += words;
            continue;
        }
        exclude(tokens, parsed, context, &phrase, &mut phrases);
        tokens.take_range(at, to - at);
        at = to;
    }
    if !phrases.is_empty() {
        parsed.unwanted = phrases.join(", ");
        parsed.notes.push(Note::Unwanted(parsed.unwanted.clone()));
    }
}

/// Where an exclusion begins.
struct Opener {
    /// How many words it has.
    words: usize,
    /// Whether it excludes only what is known for sure.
    sure_only: bool,
}

fn opener(tokens: &Tokens, at: usize, context: &QueryContext<'_>) -> Option<Opener> {
    let word = tokens.low[at].as_str();
    if let Some(words) = ALWAYS.iter().filter_map(|pattern| tokens.match_at(at, pattern)).max() {
        // "there is no other than": what begins a question does not follow anything that it could narrow, but may stand in front of it.
        let denies = tokens.is(Some(at + words), &DENIES_NOTHING) || tokens.ends[at + words - 1];
        // "From the outside" is a place.
        let noun = word == "outside" && tokens.is(at.checked_sub(1), &["from", "the"]);
        return (!denies && !noun)
            .then_some(Opener { words, sure_only: ["in", "outside", "drop", "fora"].contains(&word) });
    }
    // "leave the operator out of it"
    if ["leave", "leaving", "keep"].contains(&word) {
        let clause = (at + 1..tokens.low.len()).take(8).take_while(|at| !tokens.begins(*at));
        let out = clause.into_iter().any(|at| tokens.low[at] == "out");
        return out.then_some(Opener { words: 1, sure_only: false });
    }
    if !NOT.contains(&word) || tokens.ends[at] {
        return None;
    }
    let (before, after) = (at.checked_sub(1), at + 1);
    // In Portuguese "no" is "in the", and in Spanish it denies a verb.
    let latin = matches!(context.language, Some("Spanish" | "Portuguese" | "French"));
    match word {
        "no" if context.language == Some("Portuguese") => return None,
        "menos" | "sin" | "sem" | "sans" | "pas" if !latin => return None,
        "nicht" | "ohne" if context.language != Some("German") => return None,
        _ => {}
    }
    let begins = tokens.begins(at);
    match word {
        // "get no mail", "with no downtime", "no alerts on weekends": said of the thing itself.
        "no" | "none" => (at > 0 && (begins || tokens.is(before, &["and", "but"])))
            .then_some(Opener { words: 1, sure_only: !begins }),
        "without" | "w/o" | "ohne" | "sans" | "sin" | "sem" => Some(Opener {
            words: 1,
            sure_only: !(begins || tokens.is(before, &["but", "and", "itself", "aber", "mais"])),
        }),
        // In these languages it mostly denies a verb: "gibt es nicht …".
        "nicht" | "pas" if !begins && !tokens.is(before, &["aber", "und", "die", "der", "das", "mais", "et"]) => None,
        _ if tokens.is(Some(after), &DENIES_NOTHING) || tokens.is(before, &AUXILIARIES) => None,
        // "why is the database not running"
        _ if is_inverted(tokens, at) => None,
        // "don't", "can't"
        _ if before.is_some_and(|b| tokens.low[b].ends_with("n't")) => None,
        _ if tokens.is(before, &BE) => {
            let for_what = tokens.is(Some(after), &["for", "in", "from", "part", "of", "für", "pour"]);
            Some(Opener { words: 1, sure_only: !for_what })
        }
        // A question does not begin with what it does not want.
        _ => (at > 0).then_some(Opener { words: 1, sure_only: false }),
    }
}

/// Whether "not" belongs to the verb that its clause begins with.
fn is_inverted(tokens: &Tokens, at: usize) -> bool {
    let Some(begin) = (at.saturating_sub(LONGEST_CLAUSE)..=at).rev().find(|begin| tokens.begins(*begin)) else {
        return false;
    };
    let verb = (begin..at).take(2).find(|at| tokens.is(Some(*at), &INVERTED));
    verb.is_some_and(|verb| verb + 1 < at)
}

/// From where to where a phrase reaches that begins here.
fn reach(tokens: &Tokens, from: usize) -> (usize, usize) {
    let all = tokens.low.len();
    let mut from = from;
    while from < all && LEADS.contains(&tokens.low[from].as_str()) && !tokens.ends[from] {
        from += 1;
    }
    let mut to = from;
    while to < all {
        let word = tokens.low[to].as_str();
        let boundary = to > from && (BOUNDARIES.contains(&word) || NOT.contains(&word));
        // "not A or B" is neither; "…, and show me C" goes on.
        let joins = ["and", "or", "nor", "und", "oder", "et", "ou", "y", "o", "e", "noch", "ni", "nem"].contains(&word);
        let goes_on = || {
            let next = tokens.low.get(to + 1).map(String::as_str);
            next.is_some_and(|next| {
                !BOUNDARIES.contains(&next) && !NOT.contains(&next) && !["in", "on", "with", "at", "to"].contains(&next)
            })
        };
        if boundary || to > from && joins && !goes_on() || tokens.taken[to] && to > from {
            break;
        }
        to += 1;
        if tokens.ends[to - 1] {
            break;
        }
    }
    (from, to)
}

/// "…, operator not included": back to where the clause begins.
fn behind(tokens: &mut Tokens, parsed: &mut ParsedQuery, context: &QueryContext<'_>, phrases: &mut Vec<String>) {
    let tells = |tokens: &Tokens, at: usize| !tokens.taken[at] && !words::is_stop_word(&tokens.low[at]);
    let mut telling = (0..tokens.low.len()).filter(|at| tells(tokens, *at)).count();
    let mut begin = 0;
    for at in 0..tokens.low.len() {
        if tokens.begins(at) {
            begin = at;
        }
        begin = begin.max(at.saturating_sub(LONGEST_CLAUSE));
        if tokens.taken[at] || at == begin {
            continue;
        }
        let Some(words) = BEHIND.iter().filter_map(|pattern| tokens.match_at(at, pattern)).max() else { continue };
        let joined = |w: &String| ["and", "but", "if", "und", "aber", "et", "y", "e"].contains(&w.as_str());
        let from = (begin..at).rev().find(|back| joined(&tokens.low[*back])).map_or(begin, |back| back + 1);
        let phrase: Vec<usize> = (from..at).filter(|at| !tokens.taken[*at]).collect();
        let inside = (from..at + words).filter(|at| tells(tokens, *at)).count();
        // What it is all about is not left out.
        if phrase.is_empty() || inside == telling {
            continue;
        }
        telling -= inside;
        exclude(tokens, parsed, context, &phrase, phrases);
        tokens.take_range(from, at + words - from);
    }
}

/// Whether the phrase names something that is known: a namespace, a kind, software or a category.
fn is_known(tokens: &Tokens, phrase: &[usize], context: &QueryContext<'_>) -> bool {
    let text = spelt(tokens, phrase);
    let is_namespace = |at: &usize| context.vocabulary.namespaces.contains(&tokens.low[*at]);
    phrase.iter().any(is_namespace)
        || !kind_words::types_in(tokens, phrase, context).is_empty()
        || !context.catalogue.asked(&text).is_empty()
}

/// Adds what the phrase excludes: namespaces and kinds as conditions, the rest as words.
fn exclude(
    tokens: &Tokens,
    parsed: &mut ParsedQuery,
    context: &QueryContext<'_>,
    phrase: &[usize],
    phrases: &mut Vec<String>,
) {
    for at in phrase {
        if context.vocabulary.namespaces.contains(&tokens.low[*at]) {
            parsed.not.push(Condition::Namespace(tokens.low[*at].clone()));
        }
    }
    parsed.not.extend(kind_words::types_in(tokens, phrase, context).into_iter().map(Condition::Type));
    let text = spelt(tokens, phrase);
    if !text.is_empty() {
        phrases.push(text);
    }
}

fn spelt(tokens: &Tokens, places: &[usize]) -> String {
    places.iter().map(|at| tokens.raw[*at].as_str()).collect::<Vec<_>>().join(" ")
}

/// Chinese writes no spaces: "除了 A 以外" and "不包括 A" are cut out of the text, and what they exclude is given back.
pub(super) fn chinese(text: &str) -> (String, Vec<String>) {
    const AROUND: [(&str, [&str; 3]); 2] = [("除了", ["以外", "之外", "外"]), ("除", ["以外", "之外", "外"])];
    const BEFORE: [&str; 6] = ["不包括", "不包含", "不含", "不算", "而不是", "不要"];
    const STOPS: [char; 9] = ['，', '。', '？', '！', '；', ',', '.', '?', '、'];
    let (mut rest, mut unwanted) = (text.to_owned(), Vec::new());
    for (open, closes) in AROUND {
        let Some(start) = rest.find(open) else { continue };
        let from = start + open.len();
        let end = closes.iter().filter_map(|c| Some((rest[from..].find(c)?, c.len()))).min();
        // Without an end it reaches to the next mark.
        let (length, close) = end.or_else(|| Some((rest[from..].find(STOPS)?, 0))).unwrap_or((0, 0));
        if length > 0 {
            unwanted.push(rest[from..from + length].trim().to_owned());
            rest.replace_range(start..from + length + close, " ");
        }
    }
    for open in BEFORE {
        let Some(start) = rest.find(open) else { continue };
        let from = start + open.len();
        let length = rest[from..].find(STOPS).unwrap_or(rest.len() - from);
        if length > 0 && start > 0 {
            unwanted.push(rest[from..from + length].trim().to_owned());
            rest.replace_range(start..from + length, " ");
        }
    }
    (rest, unwanted)
}
