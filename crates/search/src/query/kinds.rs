//! The types that a word for a kind names.

use std::collections::BTreeSet;

use clusterlore_core::ResourceType;
use thiserror::Error;

use super::edit_cost::edit_distance;

/// Shorter words are like too many names.
const SHORTEST: usize = 3;
/// Names further apart are other names.
const MOST_EDITS: usize = 2;

/// A word that names no known type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no resource type is called {word:?}; expected a kind, plural, short name or plural.group")]
pub struct UnknownKind {
    /// The word.
    pub word: String,
    /// Types with a similar name, as `plural.group`.
    pub near: Vec<String>,
}

/// The types (`plural.group`) that each of the words names: kind, plural, singular, short name or `plural.group`, any case.
///
/// # Errors
/// [`UnknownKind`] for the first word that names none, with types of a similar name.
pub fn resolve_kinds(words: &[String], types: &[(String, ResourceType)]) -> Result<BTreeSet<String>, UnknownKind> {
    let mut resolved = BTreeSet::new();
    for word in words {
        let named: Vec<String> =
            types.iter().map(|(_, t)| t).filter(|t| t.answers_to(word)).map(ResourceType::name).collect();
        if named.is_empty() {
            return Err(UnknownKind { word: word.clone(), near: near(&word.to_lowercase(), types) });
        }
        resolved.extend(named);
    }
    Ok(resolved)
}

/// The three types whose names are most like the word: few edits away, or one contains the other.
fn near(word: &str, types: &[(String, ResourceType)]) -> Vec<String> {
    if word.len() < SHORTEST {
        return Vec::new();
    }
    let most = (word.chars().count() / 3).min(MOST_EDITS);
    let far = |t: &ResourceType| {
        let kind = t.kind.to_lowercase();
        let edits = [&kind, &t.plural].into_iter().filter_map(|name| edit_distance(word, name, most)).min();
        let contains = t.plural.contains(word) || (!kind.is_empty() && word.contains(&kind));
        edits.or_else(|| contains.then_some(most + 1))
    };
    let found: BTreeSet<(usize, String)> = types.iter().filter_map(|(_, t)| Some((far(t)?, t.name()))).collect();
    let mut names: Vec<String> = found.into_iter().map(|(_, name)| name).collect();
    names.dedup();
    names.truncate(3);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_name_of_a_type_is_known() {
        let types = [(
            String::new(),
            ResourceType {
                kind: "StatefulSet".into(),
                plural: "statefulsets".into(),
                group: "apps".into(),
                short_names: vec!["sts".into()],
                ..ResourceType::default()
            },
        )];
        for word in ["sts", "StatefulSet", "statefulsets", "statefulsets.apps"] {
            assert_eq!(resolve_kinds(&[word.into()], &types).unwrap(), ["statefulsets.apps".to_owned()].into());
        }
        let unknown = resolve_kinds(&["stateful".into()], &types).unwrap_err();
        assert_eq!(unknown.near, ["statefulsets.apps"]);
        assert!(unknown.to_string().starts_with("no resource type is called \"stateful\""), "{unknown}");
        for misspelt in ["statefulest", "statfulsets"] {
            assert_eq!(resolve_kinds(&[misspelt.into()], &types).unwrap_err().near, ["statefulsets.apps"]);
        }
        assert!(resolve_kinds(&["x".into()], &types).unwrap_err().near.is_empty());
    }
}
