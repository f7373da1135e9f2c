//! What a question needs beside the reply to it: images, where it asks what runs something; names, where it asks for a cause of something
//! that is not there; and what the index was never filled with.

use std::collections::BTreeSet;

use clusterlore_catalogue::{Catalogue, Meaning};
use clusterlore_core::conditions::Conditions;
use clusterlore_core::{ResourceType, words};
use clusterlore_index::{Reply, Status};

/// Verbs between what runs and its image.
const RUNS: &str = "run runs running use uses using";
/// What asks for whatever runs it.
const WHO: &str = "which what who whatever anything something";
/// What may follow an image's name.
const PLACES: &str = "in on of within from";
/// How questions for a cause begin.
const CAUSES: [&str; 19] = [
    "why is",
    "why are",
    "why does",
    "why do",
    "why did",
    "why has",
    "why isn't",
    "why aren't",
    "why doesn't",
    "why won't",
    "why can't",
    "what is wrong with",
    "what's wrong with",
    "what happened to",
    "what happened with",
    "debug",
    "investigate",
    "troubleshoot",
    "diagnose",
];
const ARTICLES: &str = "the my our your a an";
/// What is no name.
const NO_NAMES: &str = "it this that these those they there everything anything nothing something cluster namespace app apps application \
                        service workload pod pods thing things all any every some no not so being still";
/// Names that are told.
const SIMILAR: usize = 3;

fn is(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|w| w == word)
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase().replace('’', "'")
}

/// What an image is called, and the question that asks for it as one: "which deployments run nginx" asks for images too.
pub(crate) fn by_image(question: &str) -> Option<(String, String)> {
    let all: Vec<&str> = question.split_whitespace().collect();
    let verb = all.iter().position(|word| is(RUNS, &bare(word)))?;
    let asks = all[..verb].iter().any(|word| is(WHO, &bare(word)));
    let name = bare(all.get(verb + 1)?);
    let is_name = name.len() > 1
        && !words::is_stop_word(&name)
        && name.chars().any(|c| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._/:@-".contains(c));
    let ends = all.get(verb + 2).is_none_or(|next| is(PLACES, &bare(next)));
    // The server prints images of what makes pods, and none of pods.
    let before =
        all[..=verb].iter().map(|word| if is("pod pods containers", &bare(word)) { "workloads" } else { word });
    let said = before.chain(["the", "image"]).chain(all[verb + 1..].iter().copied()).collect::<Vec<_>>().join(" ");
    (asks && is_name && ends).then_some((name, said))
}

/// Whether a name is surely one of an image.
pub(crate) fn is_surely_an_image(catalogue: &Catalogue, name: &str) -> bool {
    let asked = catalogue.asked(name);
    name.contains(['/', ':']) || asked.iter().any(|asked| matches!(asked.meaning, Meaning::Software(_)))
}

/// The word by which a question for a cause names something, where it can hardly be anything else.
pub(crate) fn suspect(question: &str, types: &[(String, ResourceType)], catalogue: &Catalogue) -> Option<String> {
    let all: Vec<String> = question.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
    let of = |begin: &&str| {
        let begin: Vec<&str> = begin.split(' ').collect();
        (0..all.len())
            .find(|at| all[*at..].iter().zip(&begin).filter(|(a, b)| a == b).count() == begin.len())
            .map(|at| at + begin.len())
    };
    let at = CAUSES.iter().find_map(of)?;
    let is_kind = |word: &str| types.iter().any(|(_, ty)| ty.answers_to(word) || ty.answers_to(&words::stem(word)));
    let mut rest = all[at..].iter().skip_while(|word| is(ARTICLES, word)).peekable();
    if rest.peek().is_some_and(|word| is_kind(word)) {
        rest.next();
    }
    let word = rest.next()?;
    let is_state =
        Conditions::get().asked.iter().flat_map(|asked| asked.phrases.values().flatten()).any(|of| of == word);
    let spelt = word.contains(['-', '.']) || word.chars().any(|c| c.is_ascii_digit());
    let is_name = word.len() > 2
        && !words::is_stop_word(word)
        && !is(NO_NAMES, word)
        && !is_kind(word)
        && !is_state
        && (spelt || catalogue.asked(word).is_empty());
    is_name.then(|| word.clone())
}

/// Whether a name has a word in it, or the whole of it.
pub(crate) fn is_called(name: &str, word: &str) -> bool {
    let name = name.to_lowercase();
    name.contains(word)
}

/// Names that somebody may have meant, the likeliest first.
pub(crate) fn similar<'n>(names: impl Iterator<Item = &'n str>, word: &str) -> Vec<String> {
    let distance = |name: &str| {
        let whole = edits(name, word);
        name.split(['-', '.']).map(|part| edits(part, word)).chain([whole]).min().unwrap_or(whole)
    };
    let mut near: Vec<(usize, &str)> =
        names.map(|name| (distance(name), name)).filter(|(edits, _)| *edits <= (word.len() / 3).max(1)).collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(SIMILAR).map(|(_, name)| name.to_owned()).collect()
}

/// Letters to change, add or leave out until two words are the same.
fn edits(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (n, a) in one.iter().enumerate() {
        let mut before = std::mem::replace(&mut row[0], n + 1);
        for (m, b) in other.iter().enumerate() {
            let same = before + usize::from(a != b);
            before = row[m + 1];
            row[m + 1] = same.min(before + 1).min(row[m] + 1);
        }
    }
    row[other.len()]
}

/// What the index was not filled with, of what a question is about: other namespaces, and types that could not be read. Sentences.
pub(crate) fn unfilled(reply: &Reply, status: Option<&Status>) -> Vec<String> {
    let mut told = Vec::new();
    let read: BTreeSet<&String> =
        reply.bases.iter().filter_map(|basis| basis.reading.as_ref()).flat_map(|reading| &reading.namespaces).collect();
    let asked = &reply.parsed.filter.namespaces;
    if !read.is_empty() && (asked.is_empty() || !asked.iter().all(|name| read.contains(name))) {
        let names: Vec<&String> = read.into_iter().collect();
        let (noun, names) =
            (if names.len() == 1 { "namespace" } else { "namespaces" }, crate::english::few(&names, SIMILAR));
        told.push(format!("The index was filled from the {noun} {names} alone; it holds nothing else of the cluster."));
    }
    let types: BTreeSet<&String> = reply.parsed.filter.types.iter().chain(&reply.parsed.kinds).collect();
    let skipped = status.into_iter().flat_map(|status| &status.last_runs).flat_map(|run| run.skipped());
    let skipped: BTreeSet<&str> = skipped.filter(|name| types.iter().any(|ty| ty == name)).collect();
    if !skipped.is_empty() && !reply.is_incomplete() {
        let names: Vec<&str> = skipped.into_iter().collect();
        told.push(format!("{} could not be read when the index was filled.", crate::english::list(&names)));
    }
    told
}

#[cfg(test)]
mod tests {
    use clusterlore_core::{Collection, SourceIdentity};
    use clusterlore_index::Basis;
    use clusterlore_store::{Reading, RunKind, RunRecord};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_runs_something_is_asked_by_image_too() {
        let asked = |question: &str| by_image(question);
        let image = |name: &str, said: &str| Some((name.to_owned(), said.to_owned()));
        assert_eq!(asked("which deployments run nginx?"), image("nginx", "which deployments run the image nginx?"));
        assert_eq!(
            asked("what uses ghcr.io/org/app in shop"),
            image("ghcr.io/org/app", "what uses the image ghcr.io/org/app in shop")
        );
        for question in [
            "which pods are running",
            "which pods are running in shop",
            "which team runs the most deployments",
            "how do I run nginx",
            "which deployments run on arm64",
            "what runs nightly backups",
            "which pods use 3",
        ] {
            assert_eq!(asked(question), None, "{question}");
        }
    }

    #[test]
    fn what_a_question_for_a_cause_names() {
        let pods =
            ResourceType { kind: "Pod".into(), plural: "pods".into(), version: "v1".into(), ..ResourceType::default() };
        let types = [(String::new(), pods)];
        let of = |question: &str| suspect(question, &types, Catalogue::builtin());
        for (question, name) in [
            ("why is foobar failing?", "foobar"),
            ("Why does the foobar crash", "foobar"),
            ("what is wrong with pod foobar-9", "foobar-9"),
            ("debug foobar", "foobar"),
            ("why is postgres-7 down", "postgres-7"),
            ("why is pod foobar failing", "foobar"),
        ] {
            assert_eq!(of(question).as_deref(), Some(name), "{question}");
        }
        for question in [
            "why is it failing",
            "why are pods failing",
            "why is this app slow",
            "why is the database down",
            "what runs foobar",
        ] {
            assert_eq!(of(question), None, "{question}");
        }
    }

    #[test]
    fn names_that_may_be_meant() {
        let names = ["checkout", "checkout-db", "catalog", "chekout-api", "x"];
        assert_eq!(similar(names.into_iter(), "chekcout"), ["chekout-api", "checkout", "checkout-db"]);
        assert_eq!(similar(names.into_iter(), "foobar"), [] as [&str; 0]);
        assert_eq!((edits("", "abc"), edits("abc", "abc"), edits("kitten", "sitting")), (3, 0, 3));
    }

    #[test]
    fn what_the_index_was_not_filled_with() {
        let mut reply = Reply::default();
        assert_eq!(unfilled(&reply, None), [] as [&str; 0]);
        let reading = Reading { namespaces: vec!["shop".into()], ..Reading::default() };
        reply.bases.push(Basis {
            name: String::new(),
            cluster: String::new(),
            source: SourceIdentity::Folder { path: "/x".into() },
            collection: Collection::Instances,
            reading: Some(reading),
            age: None,
        });
        let told = unfilled(&reply, None);
        assert!(told.len() == 1 && told[0].contains("from the namespace shop alone"), "{told:?}");
        reply.parsed.filter.namespaces.insert("shop".to_owned());
        assert_eq!(unfilled(&reply, None), [] as [&str; 0], "it was asked of what was read");
        // Types that the last run could not read, of those that are asked for.
        let run = |skipped: serde_json::Value| RunRecord {
            command: RunKind::Instances,
            cluster: String::new(),
            started: String::new(),
            finished: String::new(),
            summary: json!({"skipped": skipped}),
        };
        let mut status = Status {
            store: String::new(),
            size_bytes: None,
            collections: Vec::new(),
            sources: Vec::new(),
            last_runs: vec![run(
                json!([{"type": "nodes", "reason": "forbidden"}, {"type": "leases.coordination.k8s.io"}]),
            )],
            documents: Vec::new(),
        };
        assert_eq!(unfilled(&reply, Some(&status)), [] as [&str; 0], "nobody asks for them");
        reply.parsed.filter.types.insert("nodes".to_owned());
        assert_eq!(unfilled(&reply, Some(&status)), ["nodes could not be read when the index was filled."]);
        status.last_runs = vec![run(json!("what is no list"))];
        assert_eq!(unfilled(&reply, Some(&status)), [] as [&str; 0]);
    }
}
