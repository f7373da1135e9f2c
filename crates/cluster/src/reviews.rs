//! Asking the API server about others: whose token this is, and what they may. Whatever is no clear yes is an error or a no.

use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;

use crate::decode::from_json;
use crate::list::PLAIN_JSON;
use crate::live::LiveSource;
use crate::reads::Taker;
use crate::requests::{Ask, Failure, status_line};

/// For one review: somebody waits for it.
const TIME: Duration = Duration::from_secs(5);
/// Bytes of an answer: a user may be in many groups.
const BYTES: u64 = 1 << 20;

/// Somebody, as the API server knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// `system:serviceaccount:shop:web`.
    pub username: String,
    /// Of service accounts.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The groups they are in.
    pub groups: Vec<String>,
    /// What else the authenticator says; rights may rest on it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Vec<String>>,
}

/// What is to be listed. `*` stands for every group, or every resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Listing<'a> {
    /// API group, empty for the core group.
    pub group: &'a str,
    /// Plural.
    pub resource: &'a str,
    /// `None`: all namespaces, and what lives in none.
    pub namespace: Option<&'a str>,
}

/// Why nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoReview {
    /// The server does not answer, or not in time.
    #[error("the API server does not answer: {0}")]
    Away(String),
    /// We may not ask.
    #[error("the API server refuses to say: {0}")]
    Refused(String),
    /// It answers something else.
    #[error("the API server's answer is no review: {0}")]
    Odd(String),
}

/// A verb, and what it is to be done to.
#[derive(Serialize)]
struct Attributes<'a> {
    verb: &'a str,
    group: &'a str,
    resource: &'a str,
    namespace: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
}

impl LiveSource {
    /// Whose token it is; `None`: nobody's, or it is not meant for any of these audiences. Without audiences it has to be meant for the API
    /// server itself.
    ///
    /// # Errors
    /// It cannot be found out.
    pub fn review_token<'f>(
        &'f self,
        token: &'f str,
        audiences: &'f [String],
    ) -> BoxFuture<'f, Result<Option<User>, NoReview>> {
        Box::pin(async move {
            #[derive(Default, Deserialize)]
            #[serde(default)]
            struct Status {
                authenticated: bool,
                user: User,
                audiences: Vec<String>,
            }
            let spec = if audiences.is_empty() {
                json!({"token": token})
            } else {
                json!({"token": token, "audiences": audiences})
            };
            let status: Status = self.review("authentication.k8s.io", "TokenReview", "tokenreviews", spec).await?;
            let Status { authenticated, user, audiences: fits } = status;
            // A server that knows nothing of audiences names none.
            let meant = audiences.is_empty() || audiences.iter().any(|audience| fits.contains(audience));
            Ok(Some(user).filter(|user| authenticated && meant && !user.username.is_empty()))
        })
    }

    /// Whether somebody may list something.
    ///
    /// # Errors
    /// It cannot be found out.
    pub fn may_list<'f>(&'f self, user: &'f User, what: Listing<'f>) -> BoxFuture<'f, Result<bool, NoReview>> {
        let Listing { group, resource, namespace } = what;
        let namespace = namespace.unwrap_or_default();
        Box::pin(self.may(user, Attributes { verb: "list", group, resource, namespace, name: "" }))
    }

    /// Whether somebody may get a Namespace object; `None`: each of them. To the API server such an object is in the namespace of its name, so
    /// that a role there may let it be read.
    ///
    /// # Errors
    /// It cannot be found out.
    pub fn may_get_namespace<'f>(
        &'f self,
        user: &'f User,
        name: Option<&'f str>,
    ) -> BoxFuture<'f, Result<bool, NoReview>> {
        let name = name.unwrap_or_default();
        Box::pin(self.may(user, Attributes { verb: "get", group: "", resource: "namespaces", namespace: name, name }))
    }

    async fn may(&self, user: &User, attributes: Attributes<'_>) -> Result<bool, NoReview> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Status {
            allowed: bool,
            denied: bool,
        }
        let spec = json!({
            "user": user.username, "uid": user.uid, "groups": user.groups, "extra": user.extra,
            "resourceAttributes": attributes,
        });
        let status: Status =
            self.review("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", spec).await?;
        Ok(status.allowed && !status.denied)
    }

    /// The status of a review.
    async fn review<S: DeserializeOwned + Default>(
        &self,
        group: &str,
        kind: &str,
        plural: &str,
        spec: serde_json::Value,
    ) -> Result<S, NoReview> {
        #[derive(Deserialize)]
        struct Review<S> {
            #[serde(default)]
            status: S,
        }
        let body = json!({"apiVersion": format!("{group}/v1"), "kind": kind, "spec": spec});
        let mut ask = Ask::get(format!("/apis/{group}/v1/{plural}"), PLAIN_JSON);
        ask.post = Some(body.to_string().into_bytes());
        let mut taker = Taker::new(BYTES);
        let received = self.requests.receive_once(&ask, BYTES, TIME, &mut taker);
        let received = tokio::time::timeout(TIME, received).await;
        received.map_err(|_| NoReview::Away(format!("nothing came for {TIME:?}")))?.map_err(
            |failure| match failure {
                Failure::Status(code, message) if code.is_client_error() => {
                    NoReview::Refused(status_line(code, &message))
                }
                Failure::Status(code, message) => NoReview::Away(status_line(code, &message)),
                Failure::Unavailable(reason) => NoReview::Away(reason),
                Failure::Ends(error) => NoReview::Away(error.to_string()),
            },
        )?;
        let review: Review<S> = from_json(&taker.body).map_err(NoReview::Odd)?;
        Ok(review.status)
    }
}
