//! The one way in which a cluster is written to: an object is applied by the server, under the field manager `clusterlore`, with the caller's
//! rights, once. [`LiveSource::apply`] is the door. Whether somebody wants it is the caller's to know.

use futures::future::BoxFuture;
use std::time::Duration;

use clusterlore_core::{CLUSTER_SCOPE, ResourceType};
use clusterlore_http::escaped;
use http::StatusCode;
use serde_json::Value;
use thiserror::Error;

use crate::decode::from_whole_json;
use crate::list::{PLAIN_JSON, path};
use crate::live::LiveSource;
use crate::reads::{Object, Taker};
use crate::requests::{Ask, Failure, status_line};

/// Who the server is told that the fields belong to.
pub const FIELD_MANAGER: &str = "clusterlore";

/// For one request: webhooks have their say.
const TIME: Duration = Duration::from_secs(35);
/// Bytes of the answer, which is the object.
const BYTES: u64 = 8 << 20;
/// Maps in it.
const MAPS: usize = 100_000;

/// How an object is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Nothing is kept: the server says what would be.
    pub dry_run: bool,
    /// Fields of other managers are taken over.
    pub force: bool,
}

/// Why an object was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotApplied {
    /// Fields belong to other managers; with what the server says of them. Nothing was changed.
    #[error("{0}")]
    Conflict(String),
    /// The server refuses; with what it says. Nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// Nobody knows: no answer came.
    #[error("no answer came, so it may have been applied or not: {0}")]
    Unknown(String),
}

impl LiveSource {
    /// Applies an object of a type, whole, and gives what the server makes of it. `namespace` is `_cluster` for objects that have none.
    ///
    /// # Errors
    /// The server refuses, or does not answer.
    pub fn apply<'f>(
        &'f self,
        ty: &'f ResourceType,
        namespace: &'f str,
        name: &'f str,
        object: &'f Value,
        manner: Manner,
    ) -> BoxFuture<'f, Result<Object, NotApplied>> {
        Box::pin(async move {
            let scope = Some(namespace).filter(|namespace| ![CLUSTER_SCOPE, ""].contains(namespace));
            let dry_run = if manner.dry_run { "&dryRun=All" } else { "" };
            let force = manner.force;
            let path = format!(
                "{}/{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict&force={force}{dry_run}",
                path(ty, scope),
                escaped(name)
            );
            let mut ask = Ask::get(path, PLAIN_JSON);
            ask.apply = Some(object.to_string().into_bytes());
            let mut taker = Taker::new(BYTES);
            self.requests.receive_once(&ask, BYTES * 2, TIME, &mut taker).await.map_err(|failure| match failure {
                Failure::Status(StatusCode::CONFLICT, message) => NotApplied::Conflict(message),
                Failure::Status(code, message) if code.is_client_error() => {
                    NotApplied::Refused(status_line(code, &message))
                }
                Failure::Status(code, message) => NotApplied::Unknown(status_line(code, &message)),
                Failure::Unavailable(reason) => NotApplied::Unknown(reason),
                Failure::Ends(error) => NotApplied::Refused(error.to_string()),
            })?;
            let json: Value = from_whole_json(&taker.body, MAPS).map_err(NotApplied::Unknown)?;
            Ok(Object::new(json))
        })
    }
}
