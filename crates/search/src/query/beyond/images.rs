//! Images: by name and tag, by registry, by comparison.

use std::ops::Range;

use clusterlore_catalogue::{Asked, Meaning};
use clusterlore_core::conditions::LiveCondition;

use crate::query::around::{AND, COMPARED, NOT, OR, RUNS, THINGS, among, is};
use crate::query::context::QueryContext;
use crate::query::parsed::Need;
use crate::query::patterns::is_version;
use crate::query::tokens::Tokens;
use crate::query::{kind_words, language};

use super::words::is_negated;

/// The word that is an image with its tag: `nginx:1.25`.
pub(super) fn tagged(tokens: &Tokens) -> Option<usize> {
    let is_tag = |tag: &str| !tag.is_empty() && !tag.starts_with("//") && !tag.contains(':');
    tokens.free().find(|n| tokens.raw[*n].split_once(':').is_some_and(|(name, tag)| name.len() > 1 && is_tag(tag)))
}

/// Images by their tag in words of its own, or by where they are from: "nginx tag 1.27.3", "run postgres 15", "on tag 1.5", "images from
/// ghcr.io".
pub(super) fn tags(tokens: &mut Tokens, context: &QueryContext<'_>, needs: &mut Vec<Need>) {
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
pub(super) fn compares(word: &str) -> Option<&'static str> {
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
pub(super) fn image(tokens: &Tokens, context: &QueryContext<'_>) -> Option<usize> {
    const NO_NAMES: &str = "docker container base exact old outdated same current which what the an a our their its whose any image images \
                            is are do does did for of from by on in use uses used using run runs running we it they latest new tag tags \
                            version versions with that private public pull this these those registry my your";
    let named = |n: &usize| {
        let word = &tokens.low[*n];
        !tokens.taken[*n]
            && !among(NO_NAMES, word)
            && !is(&THINGS, word)
            && !language::is_stop_word(context.language, word)
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
