//! What the caller may list in one namespace, asked once a namespace instead of once a type.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::decode;
use crate::error::ClusterError;
use crate::list::PLAIN_JSON;
use crate::requests::{Ask, Failure, Requests};

/// JSON objects of one answer: one for each rule.
const OBJECTS: usize = 100_000;

/// Answers of one run; the cluster is asked once for each namespace.
#[derive(Default)]
pub(crate) struct Access {
    namespaces: Mutex<HashMap<String, Arc<OnceCell<Rules>>>>,
}

impl Access {
    /// Forgets the answers: rights may have changed.
    pub(crate) fn forget(&self) {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether listing is worth a try: allowed, or nobody knows.
    pub(crate) async fn may_list(
        &self,
        requests: &Requests,
        namespace: &str,
        group: &str,
        plural: &str,
    ) -> Result<bool, ClusterError> {
        let cell = {
            let mut namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(namespaces.entry(namespace.to_owned()).or_default())
        };
        let rules = cell.get_or_try_init(|| review(requests, namespace)).await?;
        Ok(rules.incomplete || rules.allow_list(group, plural))
    }
}

/// A review that cannot be had leaves everything worth a try.
async fn review(requests: &Requests, namespace: &str) -> Result<Rules, ClusterError> {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    });
    let mut ask = Ask::get("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", PLAIN_JSON);
    ask.post = Some(body.to_string().into_bytes());
    let unknown = Rules { incomplete: true, ..Rules::default() };
    match requests.send(&ask).await {
        Ok(answer) => {
            Ok(decode::from_whole_json::<Review>(&answer.body, OBJECTS).map_or(unknown, |review| review.status))
        }
        Err(Failure::Ends(error)) => Err(error),
        Err(Failure::Status(..) | Failure::Unavailable(_)) => Ok(unknown),
    }
}

#[derive(Debug, Deserialize)]
struct Review {
    status: Rules,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rules {
    resource_rules: Option<Vec<Rule>>,
    incomplete: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    verbs: Option<Vec<String>>,
    api_groups: Option<Vec<String>>,
    resources: Option<Vec<String>>,
    resource_names: Option<Vec<String>>,
}

impl Rules {
    fn allow_list(&self, group: &str, plural: &str) -> bool {
        let names = |list: &Option<Vec<String>>, word: &str| list.iter().flatten().any(|w| w == "*" || w == word);
        self.resource_rules.iter().flatten().any(|rule| {
            names(&rule.verbs, "list")
                && names(&rule.api_groups, group)
                && names(&rule.resources, plural)
                // A rule for named objects allows no list of all of them.
                && rule.resource_names.as_ref().is_none_or(Vec::is_empty)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(json: &str) -> Rules {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn wildcards_count_and_named_objects_do_not() {
        let some = rules(
            r#"{"resourceRules":[
                {"verbs":["get","list"],"apiGroups":[""],"resources":["pods","pods/log"]},
                {"verbs":["*"],"apiGroups":["apps"],"resources":["*"]},
                {"verbs":["list"],"apiGroups":["*"],"resources":["jobs"]},
                {"verbs":["list"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["one"]},
                {"verbs":["get"],"apiGroups":[""],"resources":["configmaps"]}],
              "nonResourceRules":[],"incomplete":false}"#,
        );
        for (group, plural, allowed) in [
            ("", "pods", true),
            ("apps", "deployments", true),
            ("batch", "jobs", true),
            ("", "secrets", false),
            ("", "configmaps", false),
            ("batch", "cronjobs", false),
        ] {
            assert_eq!(some.allow_list(group, plural), allowed, "{plural}");
        }
        assert!(!rules(r#"{"resourceRules":null}"#).allow_list("", "pods"));
    }
}
