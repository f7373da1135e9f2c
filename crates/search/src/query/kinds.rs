//! The types that a word for a kind names.

use std::collections::BTreeSet;

use clusterlore_core::ResourceType;
use thiserror::Error;

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
            let lower = word.to_lowercase();
            let mut near: Vec<String> = types
                .iter()
                .map(|(_, t)| t)
                .filter(|t| lower.len() >= 3 && (t.plural.contains(&lower) || lower.contains(&t.kind.to_lowercase())))
                .map(ResourceType::name)
                .take(3)
                .collect();
            near.dedup();
            return Err(UnknownKind { word: word.clone(), near });
        }
        resolved.extend(named);
    }
    Ok(resolved)
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
        assert!(resolve_kinds(&["x".into()], &types).unwrap_err().near.is_empty());
    }
}
