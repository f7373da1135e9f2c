//! What goes wrong, as RFC 9457 has it: `application/problem+json` with `title`, `status` and `detail`.

use axum::response::{IntoResponse, Response};
use clusterlore_search::SearchError;
use clusterlore_store::StoreError;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use crate::audit::Refusal;

/// A request that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// What the status means.
    title: &'static str,
    /// What is wrong, what was expected, and what to do.
    pub(crate) detail: String,
    /// Ids that may have been meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    near: Vec<String>,
    #[serde(skip)]
    headers: Vec<(header::HeaderName, String)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { status: status.as_u16(), title, detail: detail.into(), near: Vec::new(), headers: Vec::new() }
    }

    /// 400.
    pub(crate) fn wrong(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// What is wrong, and what may have been meant.
    pub(crate) fn told(&self) -> String {
        let near = if self.near.is_empty() { String::new() } else { format!("; there is {}", self.near.join(", ")) };
        format!("{}{near}.", self.detail)
    }

    pub(crate) fn with_header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// 503, to be tried again after so many seconds.
    pub(crate) fn busy(detail: impl Into<String>, seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_header(header::RETRY_AFTER, seconds.to_string())
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Store(error) => error.into(),
            SearchError::Embed(_) | SearchError::OtherEmbedder { .. } => {
                error!(%error, "a question cannot be answered");
                Self::busy("the question cannot be compared with what is indexed at the moment; try again", 5)
            }
            SearchError::NoCollection(_) => {
                Self::busy("nothing is indexed yet; try again when the first sync is in", 5)
            }
            SearchError::NoSuchObject { id, near } => Self {
                near,
                ..Self::new(
                    StatusCode::NOT_FOUND,
                    format!(
                        "there is no object {id:?} in the index; expected an id such as shop/apps/v1/Deployment/web"
                    ),
                )
            },
            SearchError::ManyObjects { id, ids } => {
                let detail = format!("{id:?} is the name of {} objects; ask for one of their ids", ids.len());
                Self { near: ids, ..Self::new(StatusCode::CONFLICT, detail) }
            }
            SearchError::Kind(_)
            | SearchError::NoQuestion
            | SearchError::LongQuestion { .. }
            | SearchError::ManyNames { .. } => Self::wrong(error.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    /// What the store says may hold addresses and paths: it is for the log.
    fn from(error: StoreError) -> Self {
        error!(%error, "the store cannot be used");
        match error {
            StoreError::Missing(_) => Self::busy("nothing is indexed yet; try again when the first sync is in", 5),
            _ => Self::busy("the index cannot be used at the moment; try again", 5),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status) {
            response.extensions_mut().insert(Refusal(self.detail));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
