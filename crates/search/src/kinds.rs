//! What a user calls a kind, as the types that the index knows.

use std::collections::BTreeSet;

use clusterlore_core::ResourceType;
use thiserror::Error;

/// A word that names no known type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no resource type is called {word:?}; expected a kind, plural, short name or plural.group{}", hint(near))]
pub struct UnknownKind {
    word: String,
    near: Vec<String>,
}

fn hint(near: &[String]) -> String {
    if near.is_empty() {
        ", see \"clusterlore status\" for what is indexed".to_owned()
    } else {
        format!(". Did you mean {}?", near.join(" or "))
    }
}

/// The types (`plural.group`) that each of the words names: kind, plural, singular, short name or `plural.group`, any case.
///
/// # Errors
/// [`UnknownKind`] for the first word that names none, with those that look like it.
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
    fn every_usual_name_is_understood_and_others_are_named() {
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
        let message = resolve_kinds(&["stateful".into()], &types).unwrap_err().to_string();
        assert!(message.contains("Did you mean statefulsets.apps?"), "{message}");
        assert!(resolve_kinds(&["x".into()], &types).is_err());
    }
}
