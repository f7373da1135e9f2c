//! Which annotations are kept beside what describes an object: those that were asked for by key, never those of a Secret, and never what
//! controllers and tools write for themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::glob::glob;

/// Bytes of a value that are kept.
pub const ANNOTATION_BYTES: usize = 1 << 10;
/// Annotations of one object that are kept, the first by their keys.
pub const ANNOTATIONS_KEPT: usize = 32;
/// Patterns of a choice, and bytes of one of them: Kubernetes allows 317 of a key.
const MOST_PATTERNS: usize = 100;
const LONGEST_PATTERN: usize = 317;

/// Keys that are never kept, whatever is asked for. Three sorts: copies of a whole object, which of some types hold its secrets; state
/// that a controller writes for itself, new at every turn; and what only names another object by its number. What people and their
/// tools write to say something (`kubernetes.io/change-cause`, `meta.helm.sh/release-name`, `prometheus.io/scrape`) is not among them.
const MANAGED: &[&str] = &[
    "kubectl.kubernetes.io/*",
    // Whole objects, under whichever domain.
    "*last-applied*",
    "*lastapplied*",
    "*last_applied*",
    "*lastAppliedConfig*",
    "objectset.rio.cattle.io/*",
    "kapp.k14s.io/*",
    "*last-handled*",
    "*last-configuration*",
    "*podSpec*",
    "*private-key*",
    "*/revision",
    "*original-configuration*",
    "*previous-configuration*",
    // The controllers of Kubernetes.
    "deployment.kubernetes.io/*",
    "deprecated.daemonset.template.generation",
    "control-plane.alpha.kubernetes.io/*",
    "endpoints.kubernetes.io/*",
    "endpointslice.kubernetes.io/*",
    "autoscaling.alpha.kubernetes.io/*",
    "batch.kubernetes.io/*",
    "cronjob.kubernetes.io/*",
    "controller.kubernetes.io/*",
    "statefulset.kubernetes.io/*",
    "rbac.authorization.kubernetes.io/*",
    "apiserver.kubernetes.io/*",
    "apf.kubernetes.io/*",
    "kube-aggregator.kubernetes.io/*",
    "apiextensions.k8s.io/*",
    "kubernetes.io/config.*",
    "kubernetes.io/limit-ranger",
    "kubernetes.io/created-by",
    "kubernetes.io/psp",
    "kubernetes.io/service-account.*",
    "kubernetes.io/enforce-mountable-secrets",
    "pv.kubernetes.io/*",
    "volume.kubernetes.io/*",
    "volumes.kubernetes.io/*",
    "volume.beta.kubernetes.io/*",
    "*.volume.kubernetes.io/*",
    "node.alpha.kubernetes.io/*",
    "nfd.node.kubernetes.io/*",
    "kubeadm.alpha.kubernetes.io/*",
    "kubeadm.kubernetes.io/*",
    "kubelet.kubernetes.io/*",
    "scheduler.alpha.kubernetes.io/*",
    "leader.*/*",
    "*/leader",
    "*leader-election*",
    // Their counterparts of others.
    "config.kubernetes.io/*",
    "internal.config.kubernetes.io/*",
    "config.k8s.io/*",
    "k8s.v1.cni.cncf.io/network-status",
    "k8s.v1.cni.cncf.io/networks-status",
    "k8s.ovn.org/*",
    "cni.projectcalico.org/*",
    "projectcalico.org/*",
    "*.cilium.io/*",
    "machineconfiguration.openshift.io/*",
    "machine.openshift.io/*",
    "cluster.x-k8s.io/*",
    "sidecar.istio.io/status",
    "field.cattle.io/publicEndpoints",
    "lifecycle.cattle.io/*",
    "management.cattle.io/*",
    "cattle.io/*",
    "argocd.argoproj.io/refresh",
    "reconcile.fluxcd.io/*",
    "*vpaUpdates",
    "*vpaObservedContainers",
    "csi.volume.kubernetes.io/*",
];

/// Keys of annotations that are to be kept, each with `*` for any characters. Nothing is kept by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnnotationChoice(Vec<String>);

/// Text that chooses no annotations.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{shown:?} {problem}; expected keys of annotations such as example.org/owner or example.org/*, joined by commas"
)]
pub struct AnnotationChoiceError {
    shown: String,
    problem: &'static str,
}

impl FromStr for AnnotationChoice {
    type Err = AnnotationChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut patterns = Vec::new();
        for pattern in text.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()) {
            let wrong = |problem| AnnotationChoiceError { shown: pattern.chars().take(100).collect(), problem };
            if pattern.len() > LONGEST_PATTERN {
                return Err(wrong("is longer than a key can be"));
            }
            let usable = |c: char| c.is_ascii_alphanumeric() || "-_./*".contains(c);
            if !pattern.chars().all(usable) || pattern.matches('/').count() > 1 {
                return Err(wrong("is no key of an annotation"));
            }
            // Two stars in a row say what one says, and take longer.
            let mut pattern = pattern.to_owned();
            while pattern.contains("**") {
                pattern = pattern.replace("**", "*");
            }
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
        if patterns.len() > MOST_PATTERNS {
            let shown = text.chars().take(100).collect();
            return Err(AnnotationChoiceError { shown, problem: "has more than 100 keys" });
        }
        Ok(Self(patterns))
    }
}

impl fmt::Display for AnnotationChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl AnnotationChoice {
    /// Whether no annotation is to be kept.
    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// The choice for objects of a kind; `None`: nothing of them is to be kept. Whatever is called a Secret keeps its annotations to
    /// itself: tools write there what they made the secret of.
    pub fn of_kind(&self, kind: &str) -> Option<&Self> {
        (!self.is_nothing() && !kind.eq_ignore_ascii_case("secret")).then_some(self)
    }

    /// Whether an annotation of this key is kept.
    pub fn keeps(&self, key: &str) -> bool {
        self.0.iter().any(|pattern| glob(pattern, key)) && !is_managed(key)
    }

    /// What is kept of these annotations, within the bounds.
    pub fn kept(&self, of: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
        let is_kept = |(key, value): &(String, String)| self.keeps(key) && !is_object(value);
        let mut kept: BTreeMap<String, String> = of.into_iter().filter(is_kept).collect();
        while kept.len() > ANNOTATIONS_KEPT {
            kept.pop_last();
        }
        for value in kept.values_mut() {
            value.truncate(value.floor_char_boundary(ANNOTATION_BYTES));
        }
        kept
    }

    /// Keys (with `*`) that are never kept and that the choice asks for: by name, with a pattern of its own, or all of them with one.
    pub fn refused(&self) -> Vec<&'static str> {
        // A star in the one is a character like others for the other: what covers that covers all that it stands for.
        let asks = |managed: &&str| self.0.iter().any(|asked| glob(asked, managed) || glob(managed, asked));
        MANAGED.iter().copied().filter(asks).collect()
    }
}

/// Whether a value is a copy of an object, or of a part of one, whatever its key.
fn is_object(value: &str) -> bool {
    let begins = value.trim_start().starts_with(['{', '[']);
    begins
        && ["\"spec\"", "\"kind\"", "\"apiVersion\"", "\"containers\"", "\"data\""]
            .iter()
            .any(|key| value.contains(key))
}

/// Whether a controller or a tool writes the annotation for itself.
pub fn is_managed(key: &str) -> bool {
    MANAGED.iter().any(|managed| glob(managed, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(text: &str) -> AnnotationChoice {
        text.parse().unwrap()
    }

    #[test]
    fn patterns_are_read_or_refused() {
        for (text, written) in [
            ("", ""),
            (" , ", ""),
            ("example.org/owner", "example.org/owner"),
            ("a, b ,a,*/oncall,***", "a,b,*/oncall,*"),
        ] {
            assert_eq!(choice(text).to_string(), written);
        }
        assert!(choice("").is_nothing() && !choice("a").is_nothing());
        for wrong in [
            "a b",
            "a/b/c",
            "key=value",
            "ä",
            &"x".repeat(318),
            &(0..101).map(|i| format!("k{i},")).collect::<String>(),
        ] {
            let said = wrong.parse::<AnnotationChoice>().unwrap_err().to_string();
            assert!(said.contains("expected keys of annotations") && said.len() < 300, "{said}");
        }
    }

    #[test]
    fn what_controllers_write_is_never_kept() {
        let all = choice("*");
        for key in [
            "kubectl.kubernetes.io/last-applied-configuration",
            "kubectl.kubernetes.io/restartedAt",
            "banzaicloud.com/last-applied",
            "objectset.rio.cattle.io/applied",
            "deployment.kubernetes.io/revision",
            "control-plane.alpha.kubernetes.io/leader",
            "kubernetes.io/config.hash",
            "pv.kubernetes.io/bound-by-controller",
            "volume.beta.kubernetes.io/storage-provisioner",
            "kapp.k14s.io/original",
        ] {
            assert!(!all.keeps(key) && !choice(key).keeps(key), "{key}");
        }
        for key in [
            "kubernetes.io/change-cause",
            "meta.helm.sh/release-name",
            "prometheus.io/scrape",
            "oncall",
            "example.org/a",
        ] {
            assert!(all.keeps(key) && choice(key).keeps(key), "{key}");
        }
        assert!(choice("example.org/*,*/oncall").keeps("x.io/oncall"));
        assert!(!choice("example.org/*").keeps("example.com/owner"));
    }

    #[test]
    fn nothing_of_a_secret_is_kept() {
        assert!(choice("*").of_kind("Secret").is_none() && choice("*").of_kind("secret").is_none());
        assert!(choice("*").of_kind("ConfigMap").is_some());
        assert!(choice("").of_kind("ConfigMap").is_none());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let pair = |key: String, value: &str| (key, value.to_owned());
        let kept = choice("*").kept((0..100).map(|i| pair(format!("k{i:03}"), "v")));
        assert_eq!((kept.len(), kept.keys().next_back().map(String::as_str)), (ANNOTATIONS_KEPT, Some("k031")));
        let long = "ä".repeat(ANNOTATION_BYTES);
        let kept = choice("a").kept([pair("a".to_owned(), &format!("x{long}"))]);
        assert_eq!(kept["a"].len(), ANNOTATION_BYTES - 1, "whole characters");
    }

    #[test]
    fn what_is_asked_for_in_vain_is_known() {
        let refused = |text: &str| choice(text).refused();
        assert_eq!(refused("example.org/*,prometheus.io/port"), [""; 0]);
        assert_eq!(refused("deployment.kubernetes.io/revision"), ["*/revision", "deployment.kubernetes.io/*"]);
        assert_eq!(refused("x.org/last-applied"), ["*last-applied*"]);
        assert!(refused("*").contains(&"kubectl.kubernetes.io/*"));
        assert_eq!(refused("kubectl.*"), ["kubectl.kubernetes.io/*"]);
        assert_eq!(refused("*/oncall"), [""; 0], "most of what it asks for can be had");
    }
}
