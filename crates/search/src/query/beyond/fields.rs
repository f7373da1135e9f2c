//! Numbers and fields of a spec: sizes, replicas, versions.

use clusterlore_core::conditions::{Beyond, Limit, LiveCondition, Replicas};

use crate::query::around::{COMPARED, NOT, REPLICAS, SIZES, VERSIONS, among, is};
use crate::query::bounds::bounded;
use crate::query::context::QueryContext;
use crate::query::parsed::Need;
use crate::query::patterns::is_version;
use crate::query::tokens::Tokens;
use crate::query::{bounds, kind_words};

use super::images::compares;
use super::words::BEFORE;

/// Names of fields of a spec: `terminationGracePeriodSeconds`.
pub(super) fn fields(tokens: &Tokens, needs: &mut Vec<Need>, context: &QueryContext<'_>) {
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

/// Sizes of what is stored: "claims of at least 200Gi".
pub(super) fn sizes(tokens: &mut Tokens, context: &QueryContext<'_>, needs: &mut Vec<Need>) {
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
pub(super) fn replicas(tokens: &mut Tokens, needs: &mut Vec<Need>) {
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
pub(super) fn versions(tokens: &mut Tokens, context: &QueryContext<'_>, needs: &mut Vec<Need>) {
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
