//! Holds an answer against what tools returned: by rules alone, so that the same answer is always marked alike.

use std::collections::{BTreeSet, HashSet};

use clusterlore_models::{Message, ToolResult};
use serde::Serialize;

/// An id that an answer cites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Citation {
    /// As it stands there.
    pub id: String,
    /// Whether a tool returned it in this conversation.
    pub seen: bool,
}

/// What is to be said of an answer's sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sources {
    /// What it cites, each once, in its order.
    pub citations: Vec<Citation>,
    /// Sentences that state something of the cluster and cite nothing.
    pub unsourced: Vec<String>,
}

/// Words that say how something is.
const STATES: &str = "running runs ready healthy unhealthy failing failed fails pending crashing crashed restarting restarted missing unavailable \
                      available degraded stopped down broken crashloopbackoff oomkilled imagepullbackoff evicted terminating completed";
/// How sentences begin that advise or speak of the talk itself.
const ADVICE: &str = "check run try use look ask consider you if to let please would should could can i i'll next see make set add apply first then";
/// Shorter names are words of any text.
const SHORTEST: usize = 3;

/// All that an answer may cite.
pub(super) fn seen(messages: &[Message]) -> BTreeSet<String> {
    let results = messages.iter().flat_map(|message| match message {
        Message::Tool { results } => results.as_slice(),
        _ => &[],
    });
    let of_result = |result: &ToolResult| {
        let name = (!result.failed).then(|| result.name.clone());
        name.into_iter().chain(result.ids.iter().cloned()).collect::<Vec<_>>()
    };
    results.flat_map(of_result).collect()
}

/// Checks an answer. `seen` holds the ids that tools returned, and the names of the tools that were called.
pub(super) fn check(answer: &str, seen: &BTreeSet<String>) -> Sources {
    let words = words_of(seen);
    let mut sources = Sources::default();
    let mut known = HashSet::new();
    for sentence in sentences(answer) {
        let cited = cited(&sentence, seen);
        if cited.is_empty() && is_claim(&sentence, &words) {
            sources.unsourced.push(sentence);
        }
        for id in cited {
            if known.insert(id.clone()) {
                sources.citations.push(Citation { seen: seen.contains(&id), id });
            }
        }
    }
    sources
}

/// What stands in square brackets and is, or looks like, an id. Several may share a pair of brackets.
fn cited(text: &str, seen: &BTreeSet<String>) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('[') {
        let Some((inside, after)) = after.split_once(']') else { break };
        rest = after;
        // A link of Markdown.
        if after.starts_with('(') {
            continue;
        }
        let pieces: Vec<&str> = inside
            .split([',', ';'])
            .flat_map(str::split_whitespace)
            .map(|piece| piece.trim_matches('`'))
            .filter(|piece| !piece.is_empty())
            .collect();
        if !pieces.is_empty() && pieces.iter().all(|piece| seen.contains(*piece) || looks_like_an_id(piece)) {
            all.extend(pieces.into_iter().map(str::to_owned));
        }
    }
    all
}

/// `shop/apps/v1/Deployment/web`, `certificates.cert-manager.io`.
fn looks_like_an_id(text: &str) -> bool {
    let object = text.matches('/').count() >= 3;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let ty = text.contains('.') && text.chars().all(is_plain) && text.starts_with(|c: char| c.is_ascii_lowercase());
    object || ty && !text.ends_with('.')
}

/// Sentences, those of code left out. Citations behind a full stop belong to the sentence before it.
fn sentences(answer: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut in_code = false;
    for line in answer.lines() {
        let line = line.trim();
        if line.starts_with("```") {
            in_code = !in_code;
            continue;
        }
        if in_code || line.starts_with('#') {
            continue;
        }
        let line = line.trim_start_matches(['-', '*', '>', '|', ' ']);
        let of_line = split(line, line.char_indices());
        let mut number = 0;
        for mut piece in of_line.into_iter().map(str::trim) {
            // What was cited after the full stop.
            while number > 0 && piece.starts_with('[') {
                let Some(end) = piece.find(']') else { break };
                if let Some(last) = all.last_mut() {
                    last.push(' ');
                    last.push_str(&piece[..=end]);
                }
                piece = piece[end + 1..].trim_start_matches(['.', ',', ' ']);
            }
            if !piece.is_empty() {
                all.push(piece.to_owned());
                number += 1;
            }
        }
    }
    all
}

/// Where the sentences of a line end, read once from its beginning to its end; brackets are not cut.
fn split(line: &str, characters: impl Iterator<Item = (usize, char)>) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut begin = 0;
    // Brackets that were opened in the sentence, less those that were closed.
    let mut open = 0_i64;
    for (at, c) in characters {
        let end = at + c.len_utf8();
        let ends = ".!?".contains(c) && line[end..].chars().next().is_none_or(char::is_whitespace);
        if ends && open <= 0 {
            pieces.push(&line[begin..end]);
            (begin, open) = (end, 0);
        }
        match c {
            '[' => open += 1,
            ']' => open -= 1,
            _ => {}
        }
    }
    pieces.push(&line[begin..]);
    pieces
}

/// Words by which a sentence speaks of what was seen: names, namespaces and kinds.
fn words_of(seen: &BTreeSet<String>) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for id in seen {
        let plain = id.split_once(':').filter(|(cluster, _)| !cluster.contains('/')).map_or(id.as_str(), |(_, id)| id);
        let parts: Vec<&str> = plain.split('/').collect();
        if parts.len() < 4 {
            continue;
        }
        let kind = parts[parts.len() - 2].to_lowercase();
        words.extend([parts[0].to_lowercase(), parts[parts.len() - 1].to_lowercase()]);
        words.extend([format!("{kind}s"), format!("{kind}es"), kind]);
    }
    words.retain(|word| word.chars().count() >= SHORTEST && word != "_cluster" && word != "default");
    words
}

fn is_claim(sentence: &str, seen: &BTreeSet<String>) -> bool {
    if sentence.ends_with('?') || sentence.ends_with(':') {
        return false;
    }
    let low = sentence.to_lowercase();
    let words: Vec<&str> = low
        .split(|c: char| !(c.is_alphanumeric() || "-._'".contains(c)))
        .map(|word| word.trim_matches(['.', '_', '-', '\'']))
        .filter(|word| !word.is_empty())
        .collect();
    let advises = words.first().is_some_and(|first| ADVICE.split_ascii_whitespace().any(|word| word == *first));
    let is_state = |word: &&str| STATES.split_ascii_whitespace().any(|state| state == *word);
    let counts = |word: &&str| word.chars().all(|c| c.is_ascii_digit());
    // A number alone is one of a list.
    let says = words.len() > 2;
    !advises && says && words.iter().any(|word| seen.contains(*word) || is_state(word) || counts(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTGRES: &str = "production/apps/v1/StatefulSet/postgres";

    fn known() -> BTreeSet<String> {
        [POSTGRES, "east:shop/v1/Pod/web-1", "_cluster/v1/Node/n1", "certificates.cert-manager.io", "vector_search"]
            .map(str::to_owned)
            .into()
    }

    fn checked(answer: &str) -> (Vec<(String, bool)>, Vec<String>) {
        let sources = check(answer, &known());
        (sources.citations.into_iter().map(|c| (c.id, c.seen)).collect(), sources.unsourced)
    }

    fn cites(answer: &str) -> Vec<(String, bool)> {
        checked(answer).0
    }

    #[test]
    fn what_no_tool_returned_is_told() {
        let id = |id: &str, seen| (id.to_owned(), seen);
        for (answer, expected) in [
            (format!("Postgres runs [{POSTGRES}]."), vec![id(POSTGRES, true)]),
            (format!("It runs [`{POSTGRES}`]. It is big [{POSTGRES}]."), vec![id(POSTGRES, true)]),
            ("A ghost [shop/apps/v1/Deployment/ghost].".into(), vec![id("shop/apps/v1/Deployment/ghost", false)]),
            // The name of another cluster, another version, another case: another object.
            ("x [shop/v1/Pod/web-1]".into(), vec![id("shop/v1/Pod/web-1", false)]),
            (
                "x [production/apps/v1beta1/StatefulSet/postgres]".into(),
                vec![id("production/apps/v1beta1/StatefulSet/postgres", false)],
            ),
            (
                "x [production/apps/v1/StatefulSet/Postgres]".into(),
                vec![id("production/apps/v1/StatefulSet/Postgres", false)],
            ),
            (
                format!("both [{POSTGRES}, east:shop/v1/Pod/web-1; _cluster/v1/Node/n1]"),
                vec![id(POSTGRES, true), id("east:shop/v1/Pod/web-1", true), id("_cluster/v1/Node/n1", true)],
            ),
            ("by type [certificates.cert-manager.io]".into(), vec![id("certificates.cert-manager.io", true)]),
            ("by type [issuers.cert-manager.io]".into(), vec![id("issuers.cert-manager.io", false)]),
            ("none were found [vector_search], nor [kubectl_get]".into(), vec![id("vector_search", true)]),
            ("see [the docs](https://a/b/c/d) and [1] and [ ] and [x".into(), vec![]),
        ] {
            assert_eq!(cites(&answer), expected, "{answer}");
        }
    }

    #[test]
    fn a_call_that_failed_is_no_source() {
        let result = |name: &str, failed, ids: &[&str]| ToolResult {
            name: name.to_owned(),
            failed,
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            ..ToolResult::default()
        };
        let results = vec![
            result("kubectl_get", false, &[POSTGRES]),
            result("kubectl_logs", true, &[]),
            result("vector_search", true, &[]),
            result("vector_search", false, &[]),
        ];
        let seen = seen(&[Message::user("?"), Message::Tool { results }]);
        assert_eq!(seen, ["kubectl_get", POSTGRES, "vector_search"].map(str::to_owned).into());
        let answer = "Nothing is failing, says its log [kubectl_logs].";
        assert_eq!((check(answer, &seen).citations, check(answer, &seen).unsourced.len()), (vec![], 1));
    }

    #[test]
    fn each_character_of_a_line_is_read_once() {
        // Brackets that stay open, full stops in them, and ids that are never repeated: a megabyte in one line.
        let line: String = (0..40_000).map(|n| format!("a. [shop/v1/Pod/x{n} b. c! ")).collect();
        assert!(line.len() > 1_000_000);
        let mut read = 0;
        let counted = line.char_indices().inspect(|_| read += 1);
        let pieces = split(&line, counted);
        assert_eq!(pieces.concat(), line, "nothing is said twice");
        assert_eq!(read, line.chars().count());
        // What comes of it is no more than what was said.
        let closed: String = (0..40_000).map(|n| format!("x{n} is down [shop/v1/Pod/x{n}]. ")).collect();
        let sources = check(&closed, &known());
        assert_eq!((sources.citations.len(), sources.unsourced.len()), (40_000, 0));
    }

    #[test]
    fn claims_without_a_source_are_told() {
        for (answer, unsourced) in [
            (format!("Postgres has 3 replicas [{POSTGRES}]."), vec![]),
            (format!("Postgres has 3 replicas. [{POSTGRES}] It is in good health."), vec![]),
            (format!("It is ready. [{POSTGRES}], and web-1 is not ready."), vec!["and web-1 is not ready."]),
            ("The StatefulSet has two replicas.".into(), vec!["The StatefulSet has two replicas."]),
            ("- web-1 was restarted\n- all is well".into(), vec!["web-1 was restarted"]),
            ("Nothing is failing in there.".into(), vec!["Nothing is failing in there."]),
            ("There are 3 of them.".into(), vec!["There are 3 of them."]),
            // Questions, advice, headings, code, introductions, and what says nothing of a cluster.
            ("Which postgres do you mean?\n# postgres in production\n```\npostgres is running\n```".into(), vec![]),
            (
                "Check the pods of postgres. You can scale postgres to 3. Here is what runs in production:".into(),
                vec![],
            ),
            ("A database keeps data. 1. ok".into(), vec![]),
        ] {
            let told = checked(&answer).1;
            let expected: Vec<String> = unsourced.into_iter().map(str::to_owned).collect();
            assert_eq!(told, expected, "{answer}");
        }
    }
}
