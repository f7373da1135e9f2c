//! Who may ask, and what they may see; who may post, and about which cluster.

mod caller;
mod kubernetes;
mod resource;
mod tokens;

use std::sync::Arc;

use clusterlore_core::Scope;

use crate::credentials::Credentials;

pub use caller::{Caller, Denied};
pub use kubernetes::Kubernetes;
pub use resource::{NotSecure, Resource, SecureUrl};
pub(crate) use resource::{WELL_KNOWN, is_loopback};
pub use tokens::{TokenFileError, Tokens, hashed};

/// How callers are told apart.
#[derive(Clone)]
pub enum Auth {
    /// Whoever reaches the server may see everything and post about one cluster, by its name. For loopback addresses only.
    Open {
        /// The cluster that posts are about, empty for the unnamed one.
        writes: String,
    },
    /// By tokens in a file.
    Tokens(Arc<Tokens>),
    /// By Kubernetes tokens, and those who post by tokens in a file, if there is one.
    Kubernetes {
        /// Who is asked.
        api: Arc<Kubernetes>,
        /// Tokens that count before Kubernetes is asked.
        tokens: Option<Arc<Tokens>>,
        /// What clients without a token are told of where to get one.
        resource: Option<Resource>,
    },
}

impl Auth {
    /// Who sends a request with these credentials.
    pub(crate) async fn caller(&self, credentials: Option<&Credentials>) -> Result<Caller, Denied> {
        let needed = Denied::Unknown("a token is needed: send it as Authorization: Bearer TOKEN");
        match self {
            Self::Open { writes } => Ok(Caller {
                name: "anybody".to_owned(),
                scope: Scope::All { because: "the server was told to ask nobody who they are" },
                writes: Some(writes.clone()),
            }),
            Self::Tokens(tokens) => tokens.caller(&credentials.ok_or(needed)?.0),
            Self::Kubernetes { api, tokens, .. } => {
                let Credentials(secret) = credentials.ok_or(needed)?;
                match tokens.as_ref().map(|tokens| tokens.caller(secret)) {
                    Some(Ok(caller)) => Ok(caller),
                    _ => api.caller(secret).await,
                }
            }
        }
    }

    /// What a client that was refused is told to send (RFC 6750, section 3); `was_given`: it sent something, which is not valid.
    pub(crate) fn challenge(&self, was_given: bool) -> String {
        let error = if was_given { ", error=\"invalid_token\"" } else { "" };
        let metadata = self.resource().map(|resource| format!(", resource_metadata=\"{}\"", resource.metadata_url()));
        format!("Bearer realm=\"clusterlore\"{error}{}", metadata.unwrap_or_default())
    }

    /// What is told of where tokens come from.
    pub(crate) fn resource(&self) -> Option<&Resource> {
        match self {
            Self::Kubernetes { resource, .. } => resource.as_ref(),
            Self::Open { .. } | Self::Tokens(_) => None,
        }
    }
}
