//! What may not be changed unless the user's own words, or a flag, name it.

use clusterlore_core::{ResourceType, words};

/// Where Kubernetes keeps its own.
const SYSTEM: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];
const RBAC: &str = "rbac.authorization.k8s.io";

/// The user's own words. No text of a cluster gets in here.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    words: Vec<String>,
}

impl Named {
    /// Of what the user asks, and of what a flag names.
    pub(super) fn of(question: &str, flags: &[String]) -> Self {
        let plain = |c: char| !(c.is_alphanumeric() || "-._".contains(c));
        let mut all: Vec<String> = question
            .split(plain)
            .map(|word| word.trim_matches(['.', '-', '_']).to_lowercase())
            .filter(|word| !word.is_empty())
            .collect();
        // "Role binding", "role-binding".
        let pairs: Vec<String> = all.windows(2).map(|pair| pair.concat()).collect();
        let joined: Vec<String> = all.iter().map(|word| word.replace('-', "")).collect();
        all.extend(pairs);
        all.extend(joined);
        all.extend(flags.iter().map(|flag| flag.trim().to_lowercase()));
        Self { words: all }
    }

    fn has_type(&self, ty: &ResourceType) -> bool {
        self.words.iter().any(|word| ty.answers_to(word))
    }

    fn has(&self, namespace: &str) -> bool {
        self.words.iter().any(|word| word == namespace)
    }

    /// Why an object may not be changed.
    pub(super) fn refuse(&self, ty: &ResourceType, namespace: Option<&str>, name: &str) -> Option<String> {
        let delicate = ty.group == RBAC || ty.group.is_empty() && ty.plural == "secrets";
        if delicate && !self.has_type(ty) {
            let kind = words::cut(&ty.kind, 63);
            return Some(format!("refused: a {kind} is {}", self.only_where_named()));
        }
        let of_system = match namespace {
            Some(namespace) => Some(namespace),
            None if ty.group.is_empty() && ty.plural == "namespaces" => Some(name),
            None => None,
        };
        let system = of_system.filter(|namespace| SYSTEM.contains(namespace) && !self.has(namespace))?;
        Some(format!("refused: namespace {system} is Kubernetes' own, and {}", self.only_where_named()))
    }

    fn only_where_named(&self) -> &'static str {
        match self.words.is_empty() {
            true => "not changed by this tool. Tell the user to do it with kubectl.",
            false => "only changed if the user's own question, or a flag of theirs, names it. Tell the user so.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(group: &str, kind: &str, short: &[&str]) -> ResourceType {
        ResourceType {
            group: group.into(),
            kind: kind.into(),
            plural: format!("{}s", kind.to_lowercase()),
            singular: kind.to_lowercase(),
            short_names: short.iter().map(|s| (*s).to_owned()).collect(),
            ..ResourceType::default()
        }
    }

    #[test]
    fn what_is_delicate_has_to_be_named_by_the_user() {
        let (role, binding) = (ty(RBAC, "Role", &[]), ty(RBAC, "RoleBinding", &[]));
        let (secret, map) = (ty("", "Secret", &[]), ty("", "ConfigMap", &["cm"]));
        let namespaces = ty("", "Namespace", &["ns"]);
        let may = |question: &str, flags: &[&str], ty: &ResourceType, namespace: Option<&str>, name: &str| {
            let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
            Named::of(question, &flags).refuse(ty, namespace, name).is_none()
        };
        let shop = Some("shop");
        assert!(may("fix it", &[], &map, shop, "x"));
        for (question, flags, ty, allowed) in [
            ("let CI read pods", &[][..], &role, false),
            ("make a role for CI", &[], &role, true),
            ("make roles for CI", &[], &role, true),
            ("make a role for CI", &[], &binding, false),
            ("make a role and a role binding", &[], &binding, true),
            ("a RoleBinding, please.", &[], &binding, true),
            ("a role-binding", &[], &binding, true),
            ("let CI read pods", &["roles"], &role, true),
            ("let CI read pods", &["roles"], &binding, false),
            ("the password is wrong", &[], &secret, false),
            ("mend the secret", &[], &secret, true),
        ] {
            assert_eq!(may(question, flags, ty, shop, "x"), allowed, "{question} {flags:?} {}", ty.kind);
        }
        for namespace in SYSTEM {
            assert!(!may("set the limit", &[], &map, Some(namespace), "x"));
            assert!(may(&format!("in {namespace}, set the limit"), &[], &map, Some(namespace), "x"));
            assert!(may("set the limit", &[namespace], &map, Some(namespace), "x"));
            assert!(!may("label the namespace", &[], &namespaces, None, namespace));
        }
        assert!(may("label the namespace", &[], &namespaces, None, "shop"));
        // Both have to be named.
        assert!(!may("mend the secret", &[], &secret, Some("kube-system"), "x"));
    }
}
