//! Which sentences of a text ask. People and programs put others around a question: who they are, why they ask, how the answer is to look.
//! A sentence that neither asks nor names anything known is dropped if another one asks; one about the talk itself always is.

use std::collections::HashSet;
use std::ops::Range;

use clusterlore_catalogue::Catalogue;
use clusterlore_core::{ResourceType, words};
use clusterlore_store::Vocabulary;

use super::edit_cost::edit_distance;
use super::english::is_word;
use super::fillers;
use super::tokens::Tokens;

/// What the words of a sentence can name.
pub(super) struct Known<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) types: &'a [(String, ResourceType)],
}

/// Who talks and who is talked to.
const PERSONS: &str = "i i'm im i've ive i'd i'll me my mine myself we we're we've we'll us let's our u ur ya you u you're you've you'd you'll your yours \
                       ich mich mir mein meine wir euch ihr je j'ai moi nous vous tu te toi mon yo mi nosotros usted ustedes eu meu minha \
                       vocês você 我 你 您";
/// Who types.
const MYSELF: &str =
    "i i'm im i've ive i'd i'll me my mine myself ich mich mir mein meine je j'ai moi mon yo mi eu meu minha";
/// Words about asking and answering. A sentence with one of them, that does not ask itself, is about the talk.
const ANSWERING: &str = "answer answers answered answering reply replies question questions ask asks asked asking query prompt explain \
                         explanation rephrase briefly concise concisely breath format markdown json bullet bullets layperson frage fragen \
                         fragt gefragt antwort antworte demande demandé demander réponse réponds pregunta preguntar preguntó consulta duda respuesta \
                         responde pergunta perguntar perguntou dúvida resposta";
/// Words that people are polite with.
const POLITE: &str = "hope hopefully thanks thank thx ty appreciate appreciated grateful sorry apologies apologise apologize pardon excuse \
                      hello hi hey regards cheers greetings dear welcome please curious curiosity wondering help helps helped helping clear \
                      clarify unclear assistant danke bitte hallo hilfe helfen bonjour merci aide désolé désolée hola gracias perdona perdón disculpa ayuda olá desculpa valeu obrigado \
                      obrigada ajuda oi";
/// Words of talk in other languages, and such as people abbreviate.
const BESIDE: &str = "guten morgen tag abend zusammen könnt kannst könnten können mal kurz kurze runde schon schonmal gern gerne liebe lieber \
                      viele grüße schönen bon bonne journée jour soir tous petite rapide pouvez pourriez peux avance d'avance buenos buenas \
                      días tardes noches preguntita duda rápida puedes podrías antemano muchas bom dia tarde noite pessoal galera pode \
                      poderia desde já tudo bem seguinte tyvm tysm thnx tx ta cu yo sup lol haha omg smth sth w brb rn np xx cc";
/// Parts of words of talk in a text without spaces.
const UNSPACED_TALK: [&str; 12] =
    ["谢谢", "请教", "你好", "您好", "麻烦", "请问", "辛苦", "感谢", "帮忙", "大家好", "拜托", "回答"];
/// With one of them a sentence asks, wherever it stands.
const ASKING: &str = "what what's whats which who who's whose where where's when why how whether welche welcher welches welchen welchem wer was \
                      wo wie wieviele wann wessen warum quel quels quelle quelles qui où combien quand comment quoi qué cuál cuáles quién \
                      quiénes dónde cuántos cuántas cuándo cómo quais qual quem onde quantos quantas quando como";
/// In the middle of a sentence these join.
const JOINING: &str = "when where how as who wo wann wie quand quando cuando como où donde";
/// With one of them a sentence asks if it begins with it.
const BEGINNING: &str = "is are was were do does did can could would should may has have any list show find give get name tell count display describe kubectl k oc \
                         search fetch check need all every everything anything gibt zeige zeig liste finde hay muestra lista montre \
                         liste y-a-t-il existe existem mostre há";
/// They may stand before a word that asks.
const BEFORE: &str = "and so but or now then also ok okay well please pls plz kindly bitte und et y e";
/// Before a colon they say who speaks or what comes.
const LABELS: &str = "q question questions context background task user human query prompt input request asked subject re fwd title topic \
                      summary description details note answer a output response frage kontext aufgabe pregunta contexto pergunta tarea";
/// They end a letter, before a name.
const CLOSINGS: &str = "regards best cheers thanks thank thx sincerely greetings yours br rgds grüße gruß gruss grüßen cordialement \
                        amicalement merci danke saludos gracias abraço abraços abs obrigado obrigada";
/// After them a sentence goes on.
const GOES_ON: &str = "can could do does did should may must have has had will would shall might am are is was were that which what who where \
                       when how if and or as than to for of with by in on at from about the a an any all our my your not no i we you kann \
                       können";
/// Words with which people begin a clause of talk without a mark before it.
const LOOSE: &str = "gotta will if when just asap let lemme feel no not sry";
/// A sentence with one of them wants something.
const WISH: [&str; 4] = [
    "i|we just|only|also|really? need|want|search|seek|require",
    "i'd|we'd like|love",
    "i|we would like|love",
    "i'm|we're|am|are looking|searching|hunting after|for",
];
/// They say what is not wanted.
const NOT: &str = "not no neither nor without except besides only instead ohne nicht kein keine sans pas sauf sin salvo sem nem exceto";
/// What people call before they ask.
const INTERJECTIONS: &str = "yo hey hi hello ok okay ugh hm hmm um uh oh lol pls plz";
/// They point back to a sentence before.
const POINTING: &str = "such isso isto eso esto ça cela das dafür damit dazu it its it's this that these those they them their there one ones he she here";

/// A text with only its sentences that ask; `None` if that are all.
pub(super) fn asked(text: &str, known: &Known<'_>) -> Option<String> {
    let open = without_marks(text);
    let letter = without_closing(without_signature(&open), known);
    let names = Names::of(known);
    let spans: Vec<Range<usize>> =
        split(letter).into_iter().flat_map(|span| clauses(letter, span, known, &names)).collect();
    let read: Vec<Sentence> = spans.iter().map(|span| Sentence::read(&letter[span.clone()], known, &names)).collect();
    let kept: Vec<bool> = keep(&read);
    let whole = kept.iter().all(|keeps| *keeps);
    if whole && letter.len() == open.len() && open.trim() == text.trim() {
        return None;
    }
    let parts: Vec<&str> =
        spans.iter().zip(&kept).filter(|(_, keeps)| **keeps).map(|(span, _)| letter[span.clone()].trim()).collect();
    let asked = parts.join(" ");
    asked.chars().any(char::is_alphanumeric).then_some(asked)
}

/// Which sentences are part of the question.
fn keep(read: &[Sentence]) -> Vec<bool> {
    let asking = |s: &Sentence| s.asks && !s.is_talk();
    if read.iter().any(asking) {
        // "Our broker is down. Where does it run?"
        let leans = read.iter().filter(|s| asking(s)).all(|s| !s.known && (s.points || s.content < 2));
        return read
            .iter()
            .enumerate()
            .map(|(n, s)| {
                // "Explosives next to acid: what prevents that?"
                let meant = !s.talk && !s.person && s.content > 1 && read.get(n + 1).is_some_and(|next| next.points);
                let introduces = s.announces() && !meant;
                asking(s) || !s.is_talk() && !introduces && (s.known || leans || !s.person)
            })
            .collect();
    }
    let free = |s: &Sentence| !s.is_talk() && !s.announces();
    let rules: [&dyn Fn(&Sentence) -> bool; 3] = [&|s| free(s) && s.known, &|s| free(s) && !s.person, &|_| true];
    let keeps = rules.into_iter().find(|keeps| read.iter().any(keeps)).unwrap_or(&|_| true);
    read.iter().map(keeps).collect()
}

/// A sentence, parted from talk that no mark parts from it: "dear all, …", "… thanks in advance", "… I need it for a slide".
fn clauses(text: &str, span: Range<usize>, known: &Known<'_>, names: &Names) -> Vec<Range<usize>> {
    let read = |part: Range<usize>| Sentence::read(&text[part], known, names);
    let mut start = span.start;
    for _ in 0..HEADS {
        let Some(comma) = text[start..span.end].find([',', '，']).map(|at| start + at) else { break };
        let next = comma + text[comma..].chars().next().map_or(1, char::len_utf8);
        let (first, rest) = (read(start..comma), read(next..span.end));
        // "Moving on, …", "for the love of god just tell me, …".
        let beside = !first.known && !first.asks && !first.negates && (rest.asks || rest.known) && !rest.points;
        let short = first.says_i || first.content < 2 && first.english;
        if !(first.is_talk() || beside && short) || rest.empty {
            break;
        }
        start = next;
    }
    let mut parts = vec![span.start..start, start..span.end];
    parts.retain(|part| !part.is_empty());
    let words: Vec<(usize, &str)> = places(&text[start..span.end]).map(|(at, word)| (start + at, word)).collect();
    let begins = |n: usize| {
        let (before, (_, word), after) = (clean(words[n - 1].1), words[n], words.get(n + 1).map(|w| clean(w.1)));
        let low = clean(word);
        let upper = word.starts_with(char::is_uppercase);
        let person = has(PERSONS, &low);
        let talk =
            [ANSWERING, POLITE].iter().any(|list| has(list, &low)) || is_polite_typo(&low) || unspaced_talk(&low);
        let order = !words::is_stop_word(&low)
            && !word.ends_with([',', '?', '!'])
            && after.as_deref().is_some_and(|after| ["me", "my", "your"].contains(&after));
        let goes_on = has(GOES_ON, &before) && !words[n - 1].1.ends_with([',', '.', '?', '!']);
        let wants =
            Tokens::new(&text[words[n].0..span.end]).match_at(0, "i|we need|want the|a|an|all|only|every|to").is_some();
        !goes_on
            && !wants
            && (talk
                || person && upper
                || order
                || has(LOOSE, &low)
                || upper && low.len() > 3 && is_word(&low) && !words[n - 1].1.starts_with(char::is_uppercase))
    };
    let talks = |n: &usize| {
        let rest = read(words[*n].0..span.end);
        let first = read(start..words[*n].0);
        let personal = rest.person && !rest.asks && !rest.negates && words[*n].1.starts_with(char::is_uppercase);
        let says = first.known || first.asks || first.content > 0;
        begins(*n)
            && says
            && (!rest.known || rest.is_talk())
            && (!rest.asks || rest.talk)
            && (rest.is_talk() || personal)
            && !first.is_talk()
    };
    let colon = words.last().is_some_and(|(_, word)| word.ends_with([':', '：']));
    if let Some(n) = (words.len().saturating_sub(TAIL).max(1)..words.len()).find(talks).filter(|_| !colon) {
        parts.pop();
        parts.extend([start..words[n].0, words[n].0..span.end]);
    }
    parts
}

/// The last words of a sentence among which talk may begin, and the clauses at its beginning that may be talk: what takes longer is no
/// talk, and the work for a long text stays in proportion to its length.
const TAIL: usize = 40;
const HEADS: usize = 4;

/// What stands in a sentence.
#[derive(Debug)]
struct Sentence {
    /// It is a question or an order to list something.
    asks: bool,
    /// It begins with a word that asks.
    begins: bool,
    /// How many of its words are about neither talk nor people.
    content: usize,
    /// It says what is not wanted.
    negates: bool,
    /// It names something that can be searched for.
    known: bool,
    /// It is about somebody who talks.
    person: bool,
    /// It is about who types it.
    says_i: bool,
    /// Its words are English.
    english: bool,
    /// Its first word is polite.
    polite: bool,
    /// It has a question mark.
    marked: bool,
    /// It names something that cannot be a word of talk.
    sure: bool,
    /// It is about asking and answering.
    answering: bool,
    /// It is polite, or about asking and answering.
    talk: bool,
    /// It points back.
    points: bool,
    /// It says what a colon introduces.
    colon: bool,
    /// Nothing stands in it.
    empty: bool,
}

impl Sentence {
    fn read(text: &str, known: &Known<'_>, names: &Names) -> Self {
        let low = text.to_lowercase();
        let all: Vec<String> = low.split_whitespace().map(clean).filter(|word| !word.is_empty()).collect();
        let any = |list: &str| all.iter().any(|word| has(list, word));
        let first = all.iter().find(|word| !has(BEFORE, word));
        let begins = first.is_some_and(|word| has(ASKING, word) || has(BEGINNING, word));
        let end = low.trim_end().chars().last();
        let marked = matches!(end, Some('?' | '？' | '吗'))
            || low.contains(['哪', '吗'])
            || low.contains("多少")
            || low.contains("什么");
        let answering = any(ANSWERING);
        let of_talk = |word: &String| {
            [ANSWERING, POLITE, BESIDE, LABELS, PERSONS].iter().any(|list| has(list, word)) || fillers::is_of_talk(word)
        };
        let left: Vec<&str> = all.iter().filter(|word| !of_talk(word)).map(String::as_str).collect();
        let content = left.iter().filter(|word| !has(ASKING, word) && !has(BEGINNING, word)).count();
        let tokens = Tokens::new(text);
        let wishes =
            content > 1 && (0..tokens.low.len()).any(|at| WISH.iter().any(|w| tokens.match_at(at, w).is_some()));
        let colon = matches!(end, Some(':' | '：'));
        let names_any = names.any(text, &left) || !known.catalogue.asked(&left.join(" ")).is_empty();
        Self {
            asks: (names_any || !colon)
                && (marked || begins || wishes || all.iter().any(|word| has(ASKING, word) && !has(JOINING, word))),
            begins: first.is_some_and(|word| has(ASKING, word))
                || all.get(1).is_some_and(|word| has(ASKING, word)) && words::is_stop_word(&all[0]),
            content,
            english: left.iter().all(|word| is_word(word)),
            polite: first.is_some_and(|word| has(POLITE, word) || has(ANSWERING, word)),
            marked,
            negates: any(NOT),
            known: names_any,
            sure: names.surely(text, &left),
            says_i: any(MYSELF),
            person: any(PERSONS) || ["我", "你", "您"].iter().any(|p| low.contains(p)),
            answering,
            talk: answering || unspaced_talk(&low) || any(POLITE) || all.iter().any(|word| is_polite_typo(word)),
            points: any(POINTING),
            colon,
            empty: all.is_empty(),
        }
    }

    /// Whether it is about the talk itself.
    fn is_talk(&self) -> bool {
        if self.empty || self.negates && !self.says_i && self.content > 0 {
            return self.empty;
        }
        match self.asks {
            // "Any idea?" "Hope that makes sense?" "… what my boss asks." But "who can I ask about payments?" asks all the same.
            true => {
                let little = self.content < if self.polite { 4 } else { 2 };
                let said = self.answering && self.person && !self.marked && !self.sure;
                let plain = !self.known && little && (self.talk || self.person || self.content == 0);
                !self.begins && (plain || said)
            }
            // "I would put the answer into our wiki."
            false => {
                self.answering && !self.sure && (self.person || !self.known)
                    || !self.known
                        && (self.talk && (self.person || self.content < 3)
                            || self.content == 0 && (self.person || !self.points))
            }
        }
    }

    /// Whether it only says that a question comes.
    fn announces(&self) -> bool {
        self.colon && (self.says_i || self.answering || !self.known)
    }
}

/// Names that an index knows.
struct Names {
    kinds: HashSet<String>,
    /// Of namespaces, and values of labels.
    sure: HashSet<String>,
}

impl Names {
    fn of(known: &Known<'_>) -> Self {
        let Vocabulary { namespaces, labels, .. } = known.vocabulary;
        let kinds = known.types.iter().flat_map(|(_, t)| {
            let last = words::split(&t.kind).pop().unwrap_or_default();
            [t.kind.to_lowercase(), t.plural.to_lowercase(), last].into_iter().chain(t.short_names.iter().cloned())
        });
        let said = namespaces.iter().chain(labels.values().flatten()).map(|name| name.to_lowercase());
        Self { kinds: kinds.map(|kind| words::stem(&kind)).collect(), sure: said.collect() }
    }

    fn any(&self, text: &str, all: &[&str]) -> bool {
        self.surely(text, all) || all.iter().any(|word| self.kinds.contains(&words::stem(word)))
    }

    /// Whether a text has a name of a namespace or a label, or something written as names of objects are.
    fn surely(&self, text: &str, all: &[&str]) -> bool {
        text.contains(['`', '{', '=']) || all.iter().any(|word| is_name(word) || self.sure.contains(*word))
    }
}

/// Whether a word is written as names of objects are, and words of a language are not.
fn is_name(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let digit = word.contains(|c: char| c.is_ascii_digit()) && word.contains(|c: char| c.is_ascii_alphabetic());
    digit
        || word.contains('_')
        || word.split('/').filter(|part| !part.is_empty()).count() > 1
        || parts.len() > 2
        || parts.len() == 2 && parts.iter().all(|part| part.len() > 3)
}

fn has(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|w| w == word)
}

fn clean(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase().replace('’', "'")
}

fn unspaced_talk(low: &str) -> bool {
    UNSPACED_TALK.iter().any(|part| low.contains(part))
}

/// "thnaks".
fn is_polite_typo(word: &str) -> bool {
    /// A shorter word is near too many.
    const SHORTEST: usize = 4;
    const OFTEN: [&str; 6] = ["please", "thanks", "sorry", "hello", "question", "asking"];
    word.len() >= SHORTEST
        && word.is_ascii()
        && !is_word(word)
        && OFTEN.iter().any(|w| edit_distance(word, w, 1).is_some())
}

/// The words of a text and where they begin.
fn places(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_whitespace().map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// Without pictures, tags that enclose the question, and whom it is addressed to.
fn without_marks(text: &str) -> String {
    let mut open = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(tag) = tag(rest) {
            open.push('\n');
            rest = &rest[tag..];
            continue;
        }
        open.push(if is_picture(c) || c == '#' { '\n' } else { c });
        rest = &rest[c.len_utf8()..];
    }
    let begun = open.trim_start();
    let first = begun.split_whitespace().next().unwrap_or_default();
    let addressed = first.len() > 1
        && (first.starts_with('@') || first.starts_with('/') && first.matches('/').count() == 1)
        && first[1..].chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | ','));
    let calls = has(INTERJECTIONS, &first.to_lowercase());
    match (addressed || calls) && begun.len() > first.len() {
        true => begun[first.len()..].to_owned(),
        false => open,
    }
}

/// How long a tag is that begins here: "<question>", "[/INST]".
fn tag(text: &str) -> Option<usize> {
    const LONGEST: usize = 24;
    let close = if text.starts_with('<') { '>' } else { ']' };
    let end = text.strip_prefix(['<', '['])?.find(close)? + 1;
    let name = text[1..end].trim_start_matches('/');
    (end <= LONGEST && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_')).then_some(end + 1)
}

/// Pictures and what joins them. No name has one.
fn is_picture(c: char) -> bool {
    matches!(u32::from(c), 0x2190..=0x21FF | 0x2300..=0x27BF | 0x2B00..=0x2BFF | 0x1F000..=0x1FAFF | 0xFE0F | 0x200D)
}

/// Without what stands below the mark of a signature (RFC 3676). In a command, the same mark ends its flags.
fn without_signature(text: &str) -> &str {
    let command = text.split_whitespace().any(|word| ["kubectl", "k", "oc"].contains(&word));
    let mark = [" -- ", "\n-- ", "\n--\n"].iter().filter_map(|mark| text.find(mark)).min();
    mark.filter(|at| !command && text[..*at].contains(char::is_alphanumeric)).map_or(text, |at| &text[..at])
}

/// Without the end of a letter: "Kind regards, Martin".
fn without_closing<'t>(text: &'t str, known: &Known<'_>) -> &'t str {
    /// Words of a closing, with two of a name.
    const MOST: usize = 5;
    let all: Vec<(usize, &str)> = places(text).collect();
    let is_closing = |word: &str| has(CLOSINGS, &clean(word));
    let from = all.len().saturating_sub(MOST);
    let Some(at) = (from.max(1)..all.len()).find(|at| is_closing(all[*at].1)) else { return text };
    let warm = [
        "kind",
        "best",
        "warm",
        "many",
        "with",
        "warmest",
        "viele",
        "liebe",
        "beste",
        "mit",
        "freundlichen",
        "bien",
        "un",
    ];
    let begin = (0..at).rev().take_while(|n| warm.contains(&&*clean(all[*n].1))).last().unwrap_or(at);
    let last = (at..all.len()).rev().find(|n| is_closing(all[*n].1)).unwrap_or(at);
    let signed = &all[last + 1..];
    let is_signature =
        |word: &str| word.chars().next().is_some_and(char::is_uppercase) && known.catalogue.asked(word).is_empty();
    let ends = |word: &str| word.ends_with([',', '!', '.']);
    // "which of them is best" has no name after it.
    let closes = !signed.is_empty() && signed.len() <= 2 && signed.iter().all(|(_, word)| is_signature(word))
        || signed.is_empty()
            && begin > 0
            && (begin < at || last > at || ends(all[begin - 1].1) && clean(all[at].1) != "best");
    match closes && begin > 0 {
        true => text[..all[begin].0].trim_end(),
        false => text,
    }
}

/// The sentences of a text, each with the mark that ends it.
fn split(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut start = 0;
    let chars = text.char_indices();
    for (at, c) in chars {
        let end = at + c.len_utf8();
        let next = text[end..].chars().next();
        let gap = next.is_none_or(|n| n.is_whitespace() || matches!(n, ')' | '"' | '\''));
        let before = text[start..at].split_whitespace().last().unwrap_or_default();
        let ends = match c {
            '\n' | '。' | '！' | '？' | '；' => true,
            '!' | '?' | ';' => gap,
            '.' | '…' => gap && before.len() > 1 && !before.contains('.'),
            ':' | '：' => {
                (gap || before.ends_with(|c: char| !c.is_ascii()))
                    && !text.contains('{')
                    && introduces(&text[start..at])
            }
            '—' | '–' => true,
            '-' => gap && (before.is_empty() || before == "-") && text[..at].ends_with([' ', '-']),
            '(' => at > start && text[..at].ends_with(char::is_whitespace),
            ')' => gap,
            _ => false,
        };
        if ends {
            // A bracket that opens belongs to what follows.
            let cut = if c == '(' { at } else { end };
            spans.push(start..cut);
            start = cut;
        }
    }
    spans.push(start..text.len());
    spans.retain(|span| !text[span.clone()].trim().is_empty());
    spans
}

/// Whether a colon after this ends a sentence. It does not after a key: "kind: Deployment".
fn introduces(before: &str) -> bool {
    let mut all = before.split_whitespace();
    match (all.next(), all.next()) {
        (Some(one), None) => !one.is_ascii() || has(LABELS, &one.to_lowercase()),
        (Some(_), Some(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> String {
        let vocabulary = Vocabulary {
            namespaces: ["shop".to_owned()].into(),
            labels: [("app".to_owned(), ["checkout".to_owned()].into())].into(),
            ..Vocabulary::default()
        };
        let known = Known { catalogue: Catalogue::builtin(), vocabulary: &vocabulary, types: &[] };
        asked(text, &known).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn sentences_that_do_not_ask_are_dropped() {
        let question = "which databases run in shop?";
        for text in [
            "I'm preparing a handover document. …",
            "You are an experienced SRE assistant. Answer what you are asked. …",
            "Question from the chat: …",
            "Context: I'm preparing a handover document. Question: …",
            "Hi all, hope everyone had a nice weekend. …",
            "@bot …",
            "<question> … </question>",
            "[INST] … [/INST]",
            "… Best, Aylin",
            "… Kind regards, Martin",
            "… -- sent from my phone",
            "… Please answer in English.",
            "… I hope that makes sense.",
            "… 🙂",
            "Guten Morgen zusammen, könnt ihr mir helfen? …",
            "Hola, una preguntita: …",
            "… 谢谢啦！",
        ] {
            assert_eq!(left(&text.replace('…', question)), question, "{text}");
        }
    }

    #[test]
    fn what_the_question_leans_on_stays() {
        for text in [
            "Our message broker is down. Where does it run?",
            "I'd like a release that only lets a tenth of the visitors in first. which kind do I write?",
            "Where do employees sign in? The identity provider, not the proxy in front of the apps.",
            "what receives the readings? Neither the engine nor the exceptions.",
            "our ceph storage: pools and filesystems, but not the operator",
            "explosives next to acid: what prevents that",
            "archive for CT and MRI pictures please, without the browser viewer",
            "the bot that answers customers in the chat window, rather than the chat for ourselves",
            "a question and answer service",
            "kind: Deployment",
            "what is the image of {\"kind\": \"Pod\", \"name\": \"sea-turtle\"}",
        ] {
            assert_eq!(left(text), text);
        }
    }
}
