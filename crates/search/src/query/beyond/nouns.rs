//! What is asked by patterns: "which image", "the logs of", "how old".

use std::collections::BTreeMap;
use std::sync::LazyLock;

use clusterlore_core::conditions::{Beyond, Conditions, Limit, LiveCondition, Replicas};

use crate::query::around::{COMPARED, NOT, NOUNS, RUNS, TOOLS, VERSIONS, among, is};
use crate::query::bounds::bounded;
use crate::query::context::QueryContext;
use crate::query::parsed::Need;
use crate::query::patterns::{Pattern, is_version};
use crate::query::tokens::Tokens;

use super::found::done_by_others;
use super::images::image;
use super::words::{BEFORE, languages};

/// Patterns by their language.
type Patterns = BTreeMap<&'static str, Vec<Pattern>>;

fn read_once(patterns: &'static BTreeMap<String, Vec<String>>) -> Patterns {
    let of = |patterns: &'static Vec<String>| patterns.iter().map(|pattern| Pattern::of(pattern)).collect();
    patterns.iter().map(|(language, patterns)| (language.as_str(), of(patterns))).collect()
}

static BEYOND: LazyLock<Vec<(Beyond, Patterns)>> =
    LazyLock::new(|| Conditions::get().beyond.iter().map(|asked| (asked.what, read_once(&asked.patterns))).collect());

static AGE: LazyLock<Patterns> = LazyLock::new(|| read_once(&Conditions::get().age));

pub(super) fn patterns(tokens: &mut Tokens, read: &[bool], context: &QueryContext<'_>, needs: &mut Vec<Need>) {
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

/// Whether the question asks when something was created.
pub(crate) fn asks_age(tokens: &Tokens, context: &QueryContext<'_>) -> bool {
    let patterns = languages(context).into_iter().filter_map(|language| AGE.get(language)).flatten();
    let stands = |pattern: &Pattern| {
        let inside = !pattern.text.is_ascii() && tokens.low.iter().any(|w| w.contains(pattern.text));
        inside || (0..tokens.low.len()).any(|at| pattern.fits(tokens, at).is_some())
    };
    { patterns }.any(stands)
}
