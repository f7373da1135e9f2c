//! Which server, and how it is asked.

use std::path::PathBuf;
use std::time::Duration;

/// What a server asks for.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// A token in the header `x-chroma-token`.
    Token(String),
    /// A token in the header `Authorization`.
    Bearer(String),
    /// User and password.
    Basic {
        /// Who.
        user: String,
        /// Never printed.
        password: String,
    },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token(…)",
            Self::Bearer(_) => "Bearer(…)",
            Self::Basic { .. } => "Basic(…)",
        })
    }
}

/// Which server, and what is kept beside it.
#[derive(Clone)]
pub struct ChromaOptions {
    /// `http://host:8000`, with a path where a proxy wants one.
    pub url: String,
    /// Tenant of the database.
    pub tenant: String,
    /// Database, which must be there.
    pub database: String,
    /// What the server asks for. User and password in the address serve where there are none here.
    pub credentials: Credentials,
    /// The file of the mirror: one for each server, tenant and database. Made when it is first needed.
    pub local: PathBuf,
    /// How long a running process may take for true what it saw of the server. Longer where reading it again takes long.
    pub fresh_for: Duration,
}

impl std::fmt::Debug for ChromaOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.url.rsplit('@').next().unwrap_or_default();
        write!(f, "ChromaOptions({host}, {}, {}, {:?})", self.tenant, self.database, self.credentials)
    }
}

impl Default for ChromaOptions {
    /// A server on this machine; the file is to be named.
    fn default() -> Self {
        Self {
            url: "http://localhost:8000".to_owned(),
            tenant: "default_tenant".to_owned(),
            database: "default_database".to_owned(),
            credentials: Credentials::None,
            local: PathBuf::new(),
            fresh_for: Duration::from_millis(500),
        }
    }
}
