//! A resource type as discovery, or a custom resource definition, describes it.

use serde::{Deserialize, Serialize};

use crate::instance::ResourceInstance;
use crate::words;

/// One resource type at the version of its group that serves it with the highest priority.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceType {
    /// API group, empty for the core group.
    pub group: String,
    /// Version without its group: `v1`.
    pub version: String,
    /// `Deployment`.
    pub kind: String,
    /// Lower-case plural, as in URLs: `deployments`.
    pub plural: String,
    /// Lower-case singular, may be empty in old discovery.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub singular: String,
    /// `deploy`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub short_names: Vec<String>,
    /// `all`, or what the authors of a custom resource chose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// What the API server allows: `list`, `get`, `watch` …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verbs: Vec<String>,
    /// What the schema says of the type; empty where nothing is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl ResourceType {
    /// `plural.group`, or the plural alone in the core group: how kubectl and CRDs name a type.
    pub fn name(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `group/version`, or the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The type called `name` (`plural.group`) as one of its objects shows it, with which it can be listed. Scope, short names and
    /// everything else that no object says is missing.
    pub fn of_instance(name: &str, instance: &ResourceInstance) -> Self {
        let version = instance.api_version.rsplit('/').next().unwrap_or_default();
        Self {
            group: Self::group_of(name).to_owned(),
            version: version.to_owned(),
            kind: instance.kind.clone(),
            plural: name.split('.').next().unwrap_or_default().to_owned(),
            namespaced: !instance.is_cluster_scoped(),
            verbs: vec!["list".to_owned()],
            ..Self::default()
        }
    }

    /// The group in a type's name (`plural.group`): a plural holds no dot.
    pub fn group_of(name: &str) -> &str {
        name.split_once('.').map_or("", |(_, group)| group)
    }

    /// Whether the API server allows `verb` on this type.
    pub fn allows(&self, verb: &str) -> bool {
        self.verbs.iter().any(|v| v == verb)
    }

    /// The plural that a kind most likely has, for where only the kind is known.
    pub fn plural_of(kind: &str) -> String {
        let word = kind.to_ascii_lowercase();
        let consonant = |c: char| !"aeiou".contains(c);
        match word.strip_suffix('y') {
            Some(stem) if stem.ends_with(consonant) => format!("{stem}ies"),
            _ if ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end)) => format!("{word}es"),
            _ => format!("{word}s"),
        }
    }

    /// Whether `word` (any case) names this type as kubectl reads it: kind, plural, singular or short name, alone or before the group
    /// (`deployments.apps`) or the version and the group (`deployments.v1.apps`).
    pub fn answers_to(&self, word: &str) -> bool {
        let is_called = |word: &str| {
            let same = |name: &str| !name.is_empty() && name.eq_ignore_ascii_case(word);
            same(&self.kind) || same(&self.plural) || same(&self.singular) || self.short_names.iter().any(|s| same(s))
        };
        match word.split_once('.') {
            None => is_called(word),
            Some((name, place)) if is_called(name) => {
                let after_version = place.split_once('.').map_or("", |(version, group)| match is_version(version) {
                    true => group,
                    false => "",
                });
                let core = self.group.is_empty() && is_version(place.trim_end_matches('.'));
                core || !self.group.is_empty()
                    && [place, after_version].iter().any(|g| g.eq_ignore_ascii_case(&self.group))
            }
            Some(_) => false,
        }
    }

    /// The text that stands for the type until a capability is known, in the shape of a capability's text.
    pub fn text(&self) -> String {
        let mut text = self.kind.clone();
        if !self.group.is_empty() {
            text.push_str(&format!(" ({})", self.group));
        }
        let mut names = vec![self.plural.as_str()];
        names.extend(self.short_names.iter().map(String::as_str));
        names.extend(self.categories.iter().map(String::as_str));
        text.push_str(&format!("\nNames: {}.", names.join(", ")));
        let description = words::one_line(&self.description);
        if !description.is_empty() {
            text.push_str("\nResource description: ");
            text.push_str(&description);
        }
        text
    }
}

/// `v1`, `v1beta1`
fn is_version(word: &str) -> bool {
    let rest = word.strip_prefix(['v', 'V']).unwrap_or_default();
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_shows_how_its_type_is_listed() {
        let object = ResourceInstance::new("cert-manager.io/v1", "Certificate", Some("web"), "tls").unwrap();
        let shown = ResourceType::of_instance("certificates.cert-manager.io", &object);
        assert_eq!((shown.name(), shown.api_version()), (certificates().name(), certificates().api_version()));
        assert!(shown.allows("list") && shown.namespaced);
        let core = ResourceInstance::new("v1", "Node", None, "n1").unwrap();
        let shown = ResourceType::of_instance("nodes", &core);
        assert_eq!((shown.name(), shown.api_version(), shown.namespaced), ("nodes".into(), "v1".into(), false));
    }

    fn certificates() -> ResourceType {
        ResourceType {
            group: "cert-manager.io".into(),
            version: "v1".into(),
            kind: "Certificate".into(),
            plural: "certificates".into(),
            singular: "certificate".into(),
            short_names: vec!["cert".into(), "certs".into()],
            description: "A certificate that is kept\n  up to date.".into(),
            namespaced: true,
            ..Default::default()
        }
    }

    #[test]
    fn names() {
        let t = certificates();
        assert_eq!(t.name(), "certificates.cert-manager.io");
        assert_eq!(t.api_version(), "cert-manager.io/v1");
        for word in [
            "Certificate",
            "certificates",
            "CERT",
            "certs",
            "certificates.cert-manager.io",
            "certificate.cert-manager.io",
            "certificates.v1.cert-manager.io",
            "certificate.v1beta1.cert-manager.io",
        ] {
            assert!(t.answers_to(word), "{word}");
        }
        for word in
            ["", "issuer", "certificates.v1", "certificates.acme", "certificates.", "certificates.1.cert-manager.io"]
        {
            assert!(!t.answers_to(word), "{word}");
        }
        let pods = ResourceType { kind: "Pod".into(), plural: "pods".into(), version: "v1".into(), ..t };
        let pods = ResourceType { group: String::new(), ..pods };
        assert!(pods.answers_to("pods.v1") && pods.answers_to("pod.v1.") && !pods.answers_to("pods.apps"));
    }

    #[test]
    fn text_has_one_line_a_fact() {
        assert_eq!(
            certificates().text(),
            "Certificate (cert-manager.io)\nNames: certificates, cert, certs.\nResource description: A certificate that is kept up to date."
        );
    }
}
