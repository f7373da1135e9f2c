//! Which resource types are read.

use std::str::FromStr;

use thiserror::Error;

use crate::glob::glob;
use crate::resource_type::ResourceType;

/// Types that are never instances of anything one looks for: new at every read, derived from others, or questions to the API server.
/// Each is `plural.group` with `*`; a pattern without a dot means the core group.
const EXCLUDED: &[&str] = &[
    "events",
    "events.events.k8s.io",
    "leases.coordination.k8s.io",
    "endpoints",
    "endpointslices.discovery.k8s.io",
    "*.metrics.k8s.io",
    "*.custom.metrics.k8s.io",
    "*.external.metrics.k8s.io",
    "componentstatuses",
    "bindings",
    "customresourcedefinitions.apiextensions.k8s.io",
    "managedresourcedefinitions.*",
    "*accessreviews.authorization.k8s.io",
    "*rulesreviews.authorization.k8s.io",
    "selfsubjectreviews.authentication.k8s.io",
    "tokenreviews.authentication.k8s.io",
];

/// `plural.group` with `*` standing for any characters; without a dot the plural alone, in every group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypePattern {
    plural: String,
    group: Option<String>,
}

/// A pattern that names no type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a type pattern; expected plural.group such as deployments.apps, with * for any characters")]
pub struct TypePatternError(String);

impl FromStr for TypePattern {
    type Err = TypePatternError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let s = s.trim().to_ascii_lowercase();
        let usable = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '*'))
        };
        let (plural, group) = match s.split_once('.') {
            Some((plural, group)) => (plural, Some(group)),
            None => (s.as_str(), None),
        };
        if !usable(plural) || group.is_some_and(|g| !usable(g)) {
            return Err(TypePatternError(s));
        }
        Ok(Self { plural: plural.to_owned(), group: group.map(str::to_owned) })
    }
}

impl std::fmt::Display for TypePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.plural)?;
        self.group.iter().try_for_each(|group| write!(f, ".{group}"))
    }
}

impl TypePattern {
    /// Whether the pattern covers the type.
    pub fn matches(&self, ty: &ResourceType) -> bool {
        glob(&self.plural, &ty.plural) && self.group.as_deref().is_none_or(|g| glob(g, &ty.group))
    }
}

/// Whether the type is left out unless it is asked for by name.
pub fn excluded_by_default(ty: &ResourceType) -> bool {
    EXCLUDED.iter().any(|entry| match entry.split_once('.') {
        Some((plural, group)) => glob(plural, &ty.plural) && glob(group, &ty.group),
        None => ty.group.is_empty() && glob(entry, &ty.plural),
    })
}

/// The user's choice of types on top of the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeFilter {
    /// When not empty, only these are read; a pattern without `*` also overrides the default exclusion.
    pub include: Vec<TypePattern>,
    /// Never read, whatever `include` says.
    pub exclude: Vec<TypePattern>,
}

impl TypeFilter {
    /// Whether the type is to be read. A type without the verb `list` never is.
    pub fn admits(&self, ty: &ResourceType) -> bool {
        ty.allows("list") && self.chooses(ty)
    }

    /// Whether the type is chosen by its name, whatever may be done with it.
    pub fn chooses(&self, ty: &ResourceType) -> bool {
        if self.exclude.iter().any(|p| p.matches(ty)) {
            return false;
        }
        if self.include.is_empty() {
            return !excluded_by_default(ty);
        }
        self.include.iter().any(|p| p.matches(ty) && (p.is_exact() || !excluded_by_default(ty)))
    }
}

impl TypePattern {
    fn is_exact(&self) -> bool {
        !self.plural.contains('*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(name: &str) -> ResourceType {
        let (plural, group) = name.split_once('.').unwrap_or((name, ""));
        ResourceType { plural: plural.into(), group: group.into(), verbs: vec!["list".into()], ..Default::default() }
    }

    fn filter(include: &[&str], exclude: &[&str]) -> TypeFilter {
        let parse = |list: &[&str]| list.iter().map(|p| p.parse().unwrap()).collect();
        TypeFilter { include: parse(include), exclude: parse(exclude) }
    }

    #[test]
    fn noise_is_left_out_by_default() {
        let default = TypeFilter::default();
        for name in [
            "events",
            "events.events.k8s.io",
            "leases.coordination.k8s.io",
            "endpoints",
            "endpointslices.discovery.k8s.io",
            "pods.metrics.k8s.io",
            "services.custom.metrics.k8s.io",
            "componentstatuses",
            "customresourcedefinitions.apiextensions.k8s.io",
            "managedresourcedefinitions.apiextensions.crossplane.io",
            "localsubjectaccessreviews.authorization.k8s.io",
        ] {
            assert!(!default.admits(&ty(name)), "{name}");
        }
        for name in ["pods", "deployments.apps", "events.example.org", "endpoints.example.org", "bindings.example.org"]
        {
            assert!(default.admits(&ty(name)), "{name}");
        }
    }

    #[test]
    fn include_narrows_and_exclude_wins() {
        let chosen = filter(&["*.cert-manager.io", "pods", "events"], &["orders.*"]);
        assert!(chosen.admits(&ty("certificates.cert-manager.io")) && chosen.admits(&ty("pods")));
        assert!(chosen.admits(&ty("events")), "an exact name overrides the default exclusion");
        assert!(!chosen.admits(&ty("deployments.apps")));
        assert!(!filter(&["*"], &["orders.*"]).admits(&ty("orders.example.org")));
        assert!(!filter(&["*"], &[]).admits(&ty("events")), "a wildcard does not");
    }

    #[test]
    fn types_that_cannot_be_listed_are_never_read() {
        let mut reviews = ty("tokenreviews.authentication.k8s.io");
        reviews.verbs.clear();
        assert!(!filter(&["tokenreviews.authentication.k8s.io"], &[]).admits(&reviews));
    }

    #[test]
    fn bad_patterns_say_what_was_expected() {
        for bad in ["", "a b", "pods.", ".apps", "pods,services"] {
            let message = bad.parse::<TypePattern>().unwrap_err().to_string();
            assert!(message.contains("expected plural.group"), "{message}");
        }
    }
}
