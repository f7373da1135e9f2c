//! What the caller may not list, asked without listing anything.

use clusterlore_core::ResourceType;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::json;

use crate::decode;
use crate::error::ClusterError;
use crate::list::PLAIN_JSON;
use crate::live::LiveSource;
use crate::requests::{Ask, Failure};

/// Reviews asked for at the same time.
const AT_ONCE: usize = 8;

#[derive(Debug, Deserialize)]
struct Review {
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    allowed: bool,
}

impl LiveSource {
    /// Of these types those (`plural.group`) that the caller may not list in all namespaces. One SelfSubjectAccessReview a type.
    ///
    /// # Errors
    /// The reviews themselves are refused.
    pub async fn forbidden(&self, types: &[ResourceType]) -> Result<Vec<String>, ClusterError> {
        let mut forbidden: Vec<String> = stream::iter(types)
            .map(|ty| async move { Ok::<_, ClusterError>((!self.may_list_everywhere(ty).await?).then(|| ty.name())) })
            .buffer_unordered(AT_ONCE)
            .try_filter_map(|name| async move { Ok(name) })
            .try_collect()
            .await?;
        forbidden.sort();
        Ok(forbidden)
    }

    /// Whether any of these types may be listed in one of the namespaces that are read one by one, or nobody knows. One SelfSubjectRulesReview
    /// a namespace.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses the credentials.
    pub async fn may_list_somewhere(&self, types: &[ResourceType]) -> Result<bool, ClusterError> {
        let reach = self.reach().await?;
        for namespace in reach.namespaces.iter() {
            for ty in types.iter().filter(|ty| ty.namespaced) {
                if self.access.may_list(&self.requests, namespace, &ty.group, &ty.plural).await? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn may_list_everywhere(&self, ty: &ResourceType) -> Result<bool, ClusterError> {
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"verb": "list", "group": ty.group, "resource": ty.plural}},
        });
        let mut ask = Ask::get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", PLAIN_JSON);
        ask.post = Some(body.to_string().into_bytes());
        match self.requests.send(&ask).await {
            Ok(answer) => Ok(decode::from_json::<Review>(&answer.body).is_ok_and(|review| review.status.allowed)),
            Err(Failure::Ends(error)) => Err(error),
            // Whoever may not even ask may not list either.
            Err(Failure::Status(..) | Failure::Unavailable(_)) => Ok(false),
        }
    }
}
