//! What a question is wrapped in: greetings, politeness, "could you tell me", "I need it for the audit". It says nothing about what is
//! searched for, but an embedder takes it for part of the question.

use clusterlore_core::words;

use super::tokens::Tokens;

/// Dropped wherever they stand. The words of each are about the talk, not about a cluster.
const ANYWHERE: &[&str] = &[
    "thank you very|so? much?",
    "thanks a? lot|bunch|million?",
    "please|pls|plz|kindly|thx|cheers|sorry",
    "good morning|afternoon|evening|day everyone|all|team?",
    "by the way",
    "btw|afaik|imo|imho|tbh|fyi|asap|iirc|hmm|um|uh|oh",
    "if i|i'm am? not mistaken|wrong",
    "if you don't|do not? mind",
    "if possible|any",
    "and so on|forth",
    "etc",
    "or so|whatever|something|similar|anything",
    "or whatever it|that is|is|was called?",
    "these days",
    "right now",
    "at the? moment|present",
    "as of now|today",
    "actually|basically|really|currently|nowadays|eigentlich|denn|mal|doch|bitte",
    "quick|another question",
    "one more question|thing",
    "s'il vous|te plaît|plait",
    "s il vous|te plaît|plait",
    "svp|merci|bonjour|gracias|hola|obrigado|obrigada|olá|danke|hallo",
    "por favor|gentileza",
    "all in all",
    "i|we think|guess|believe|suppose|reckon|mean|heard|hear|assume|bet",
    "as far as i|we know|remember|can tell|see?",
    "no idea",
    "any idea|ideas|clue|hints",
    "got one",
    "going on",
    "i really? don't care which?",
];

/// Dropped where a clause begins.
const LEADING: &[&str] = &[
    "hi|hey there|all|team|folks|everyone|everybody|guys?",
    "hello|hallo there|all|team|folks|everyone|everybody|guys|zusammen",
    "so|and|well|also|now|right|then|ok|okay",
    "could|can|would|will|might you|u|someone|somebody|anyone|anybody please|kindly|also|quickly? help|tell|show|give|find|list|name|explain|point|describe|check|look|dig|get|fetch|pull|see|say me|us? to|up|out|for|whether|if?",
    "do|does|did you|u|anybody|anyone|somebody|someone|we happen|still? to? know|remember|recall|see about|if|whether|of?",
    "tell|show|give|find|list|name|get|fetch me|us about|just|again|only?",
    "let me|us see|know|have about|just?",
    "i|we would|'d also|really? like|love to know|see|find|have|get|understand|learn about?",
    "i'd|we'd also|really? like|love to know|see|find|have|get|understand|learn about?",
    "i|we am|are? just|currently? looking|searching|asking|hunting|interested|curious|wondering|after for|in|about|if|whether?",
    "i'm|we're|im just|currently? looking|searching|asking|hunting|interested|curious|wondering|after for|in|about|if|whether?",
    "i|we was|were wondering|asking|curious|looking if|whether|about|for?",
    "i|we just|only|also? need|want|have|must|wish|try|tried to know|see|find|understand|learn|list|check about|out|if|whether?",
    "i|we just|only|also? need|want",
    "i'll|i|we'll need|want to know|see|find?",
    "i|we wonder if|whether?",
    "just|only wondering|curious if|whether?",
    "what|how about",
    "same for|with|thing",
    "wondering|curious if|whether",
    "is it true|possible that|to",
    "the user|customer|boss|client|business would|wants|asks|asked|needs like? to? know|see|have|find",
    "security|finance|audit|management|support|someone|somebody wants|asks|asked|needs me|us? to know|see|find",
    "for the|my|our|an|a next|upcoming|licence|license|security|quarterly|yearly|annual|monthly? audit|report|presentation|meeting|review|slides|documentation|docs|ticket|handover|onboarding|postmortem|wiki|inventory",
    "it would|'d be nice|great|good|helpful to know|see|have if|whether?",
    "need|want to know|see|find|list",
    "my|our question|boss|manager|colleague|auditors|auditor is|wants|want|asks|ask|asked|needs to|me? know|see?",
    "ich möchte|will|würde|suche|brauche|such gern|gerne|gerade|nur|noch? wissen|sehen? ob?",
    "kannst|könntest|können|könnten du|sie mir|uns? sagen|zeigen? ob?",
    "weißt|weiß du|jemand ob?",
    "je|nous voudrais|cherche|voudrions|aimerais|cherchons savoir|voir? si?",
    "pouvez|pourriez|peux-tu|peux vous|tu? me|nous? dire|montrer?",
    "quiero|quisiera|necesito|busco|me saber|ver|gustaría? si?",
    "puedes|podrías|podría decirme|mostrarme",
    "quero|gostaria|preciso|procuro de|saber|ver? saber|ver|se?",
    "você pode|poderia me? dizer|mostrar?",
];

/// A clause that begins so says why somebody asks. It is dropped up to where it ends.
const WHY: &[&str] = &[
    "because",
    "i|we need|want|require it|them|this|that|these|those|one for|to|by|because",
    "it's|its|it is? for the|a|an|my|our",
    "this|that is|would be? for the|a|an|my|our",
    "asking for",
    "that would|'d help|be",
    "either|both would help|do",
    "weil",
    "parce que|qu'",
    "porque",
];

/// Words of talk. A clause that has no others ("sorry for the stupid question", "i am new here", "for my notes") is no part of the
/// question.
const PEOPLE: &str = "i i'm im i've ive i'd i'll me my you you're your u we we're we've us they anyone anybody someone somebody everyone \
                      everybody nobody";
/// Words that make a clause talk by themselves.
const TALK: &str = "hi hello hey morning evening thanks thank thx cheers please pls sorry excuse pardon question questions urgent hurry rush \
                    asap honestly frankly honest curious curiosity wondering btw ok okay regards hmm um uh basically actually alright \
                    anyway greetings dear appreciated wishes simply short possible listen look asking etc sure sentence";
/// What people do while they talk.
const DO: &str = "know knows tell telling told see ask asks asked wonder wondered help helps remember recall remind refresh forget forgot \
                  forgetting find show need needs want wants like love guess learn check understand explain mind say speak appreciate \
                  hope wait let lets may might";
/// What they talk about beside their question.
const BESIDE: &str = "notes note report documentation presentation talk meeting slides record boss manager colleague colleagues team folks \
                      friend idea ideas hint hints clue minute minutes moment second day week time today now later soon tomorrow trouble \
                      bother noise stupid silly dumb simple easy word words way great helpful nice good lot lots bunch much many very \
                      advance new here just maybe perhaps still started joined company job work office writing preparing memory first \
                      next last once more again before after home lunch purposes quick quickly one another something take taking have \
                      having keep always never already put go going leave leaving be being am was been would could can can't cannot \
                      don't didn't it's that's that this it if when whom who so or and not no as to by out all best too but";
/// Words with which a clause of talk may begin that names nobody.
const BEGINS: [&str; 17] = [
    "for", "to", "as", "if", "when", "before", "no", "out", "by", "once", "first", "next", "again", "take", "have",
    "quick", "or",
];
/// Words before which a question begins, however it is wrapped.
const ASKS: [&str; 22] = [
    "what", "which", "who", "whose", "where", "when", "why", "how", "is", "are", "there", "any", "in", "of", "without",
    "no", "not", "kubectl", "k", "oc", "get", "all",
];
/// Words with which talk begins behind a question.
const GOES_ON: [&str; 17] = [
    "i", "if", "for", "when", "can", "could", "would", "thanks", "thank", "please", "do", "does", "as", "it's", "it",
    "or", "and",
];
/// Words that end talk, beside those for what people do.
const ENDS: [&str; 9] = ["me", "us", "about", "if", "whether", "minute", "moment", "time", "possible"];

fn among(words: &str, word: &str) -> bool {
    words.split(' ').any(|w| w == word)
}

/// The question without the talk before and after it, every other letter as it was.
pub(super) fn trim(text: &str) -> &str {
    let mut tokens = Tokens::new(text);
    cut(&mut tokens);
    let free: Vec<usize> = tokens.free().collect();
    // "…, but which pods run?" goes on from the talk.
    let but = free.first().filter(|at| **at > 0 && tokens.is(Some(**at), &["but"]));
    match (free.iter().find(|at| Some(*at) != but), free.last()) {
        (Some(first), Some(last)) => &text[tokens.spans[*first].start..tokens.spans[*last].end],
        _ => text,
    }
}

/// Drops clauses that are talk, and talk that begins or ends a clause.
fn take_talk(tokens: &mut Tokens) {
    let mut start = 0;
    while start < tokens.low.len() {
        let end = (start + 1..tokens.low.len()).find(|at| tokens.begins(*at)).unwrap_or(tokens.low.len());
        let free: Vec<usize> = (start..end).filter(|at| !tokens.taken[*at]).collect();
        let begins = tokens.is(Some(start), &BEGINS) || (start..end).any(|at| is_said_to_somebody(tokens, at));
        let talk = if begins && free.iter().all(|at| is_talk(tokens, *at)) {
            free
        } else {
            [talk_before(tokens, &free), talk_after(tokens, &free)].concat()
        };
        talk.into_iter().for_each(|at| tokens.take(Some(at)));
        start = end;
    }
}

/// "does anyone here know …".
fn talk_before(tokens: &Tokens, words: &[usize]) -> Vec<usize> {
    let asks = |n: usize, at: usize| n > 0 && tokens.is(Some(at), &ASKS);
    let talk = words.iter().enumerate().take_while(|(n, at)| is_talk(tokens, **at) && !asks(*n, **at));
    let talk: Vec<usize> = talk.map(|(_, at)| *at).collect();
    if is_done(tokens, &talk) { talk } else { Vec::new() }
}

/// "… if you know".
fn talk_after(tokens: &Tokens, words: &[usize]) -> Vec<usize> {
    let start = words.iter().rposition(|at| !is_talk(tokens, *at)).map_or(0, |last| last + 1);
    let words = &words[start..];
    let Some(from) = words.iter().position(|at| tokens.is(Some(*at), &GOES_ON)) else { return Vec::new() };
    let (before, talk) = words.split_at(from);
    // "… is not what i want" says something.
    let says = before.iter().any(|at| tokens.is(Some(*at), &["what", "not", "that"]));
    if !says && is_done(tokens, talk) { talk.to_vec() } else { Vec::new() }
}

fn is_talk(tokens: &Tokens, at: usize) -> bool {
    let word = &tokens.low[at];
    let listed = [PEOPLE, TALK, DO, BESIDE].iter().any(|words| among(words, word));
    !tokens.quoted[at] && (listed || words::is_stop_word(word))
}

fn is_said_to_somebody(tokens: &Tokens, at: usize) -> bool {
    among(PEOPLE, &tokens.low[at]) || among(TALK, &tokens.low[at])
}

/// Whether such words say what people do while they talk: "does anyone here know", "if you know".
fn is_done(tokens: &Tokens, words: &[usize]) -> bool {
    let ends = |at: usize| {
        let word = &tokens.low[at];
        among(DO, word) || among(TALK, word) || tokens.is(Some(at), &ENDS)
    };
    words.iter().any(|at| is_said_to_somebody(tokens, *at)) && words.last().is_some_and(|at| ends(*at))
}

/// Drops it. A question that is nothing else keeps its words: they are all there is to go by.
pub(super) fn cut(tokens: &mut Tokens) {
    for take in [take_fillers, take_talk] {
        let before = tokens.taken.clone();
        take(tokens);
        if !tokens.say_something() {
            tokens.taken = before;
        }
    }
}

fn take_fillers(tokens: &mut Tokens) {
    let mut at = 0;
    while at < tokens.low.len() {
        if tokens.taken[at] || tokens.quoted[at] {
            at += 1;
            continue;
        }
        let begins = tokens.begins(at) || tokens.taken[at - 1];
        if let Some(taken) = begins.then(|| first(tokens, at, WHY)).flatten().or_else(|| reason(tokens, at)) {
            let end = (at + taken..tokens.low.len()).find(|end| tokens.begins(*end)).unwrap_or(tokens.low.len());
            tokens.take_range(at, end - at);
            at = end;
        } else if let Some(taken) =
            first(tokens, at, ANYWHERE).or_else(|| begins.then(|| leading(tokens, at)).flatten())
        {
            tokens.take_range(at, taken);
            at += taken;
        } else {
            at += 1;
        }
    }
}

fn first(tokens: &Tokens, at: usize, patterns: &[&str]) -> Option<usize> {
    patterns.iter().filter_map(|pattern| tokens.match_at(at, pattern)).max()
}

fn leading(tokens: &Tokens, at: usize) -> Option<usize> {
    // "Hello, …" greets, "hello world" does not.
    let greets = tokens.is(Some(at), &["hello", "hallo"]) && tokens.ends[at];
    first(tokens, at, LEADING).or(greets.then_some(1))
}

/// "… because we have an audit": a reason needs no comma.
fn reason(tokens: &Tokens, at: usize) -> Option<usize> {
    (at > 0).then(|| tokens.match_at(at, "because|weil|porque")).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> String {
        let mut tokens = Tokens::new(text);
        cut(&mut tokens);
        tokens.text()
    }

    #[test]
    fn what_a_question_is_wrapped_in_is_dropped() {
        for text in [
            "hey, could you tell me which caches we run?",
            "Hi all! I'm looking for which caches we run, thanks a lot",
            "I was wondering if which caches we run",
            "which caches we run? I need it for the licence audit",
            "for the security audit I need to know which caches we run please",
            "do you know which caches we run because the auditors ask",
            "btw, just curious: which caches we run these days",
            "ok so which caches we run",
        ] {
            assert_eq!(left(text), "which caches we run", "{text}");
        }
    }

    #[test]
    fn talk_before_and_after_a_question_is_trimmed() {
        let question = "kubectl get deploy -l team=shop";
        for talk in [
            "… sorry for the stupid question",
            "…, i just started here",
            "…, my boss wants to know",
            "… it's urgent!",
            "… as soon as possible",
            "… if you know",
            "… can somebody help?",
            "…, have a nice day",
            "…, not sure whom to ask",
            "hey folks, quick one: …",
            "for my notes: …",
            "does anyone here know …",
            "i keep forgetting: …",
            "before i go home: …",
            "Dear colleagues, i am preparing a talk: …",
            "can you tell me …, thanks a lot",
        ] {
            assert_eq!(trim(&talk.replace('…', question)).trim_end_matches(','), question, "{talk}");
        }
        for text in [
            "where do people see notes",
            "in report, which pods run",
            "who knows my question",
            "kibana is not what i want",
            "pods in vega, but nothing from nats",
            "audit, report, talk",
        ] {
            assert_eq!(trim(text), text);
        }
    }

    #[test]
    fn what_belongs_to_a_question_stays() {
        for text in [
            "what keeps people from applying manifests that break our rules",
            "the show case web page",
            "a question and answer service",
            "which service writes reports for the meeting rooms",
            "what needs them for the audit log",
            "name server",
            "the list of the mail server",
            "need for speed",
            "after-sales tool",
            "who can delete pods",
        ] {
            assert_eq!(left(text), text);
        }
    }
}
