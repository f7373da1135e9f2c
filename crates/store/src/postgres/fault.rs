//! What Postgres and the connection say, as what the user can do about it, and which faults are worth another try.

use std::error::Error as _;
use std::path::PathBuf;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

use super::address::Address;
use super::text::quoted;
use crate::error::StoreError;

/// A fault on the way through this room.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(tokio_postgres::Error),
    Pool(PoolError),
    Store(StoreError),
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::Sql(error),
            other => Self::Pool(other),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Sql(error) => error.code(),
            _ => None,
        }
    }

    /// Two transactions wanted the same; the one that lost is done again.
    pub(super) fn is_contention(&self) -> bool {
        matches!(self.code(), Some(code) if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code))
    }

    /// The connection is gone, which may have happened long ago while it lay in the pool.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::Sql(error) => match error.code() {
                Some(code) => is_going(code),
                None => error.is_closed() || io_error(error).is_some(),
            },
            _ => false,
        }
    }

    pub(super) fn into_error(self, address: &Address) -> StoreError {
        let place = address.place.clone();
        let unusable = |problem: String, fix: &str| StoreError::Unusable {
            place: address.place.clone(),
            problem,
            fix: fix.to_owned(),
        };
        let error = match self {
            Self::Store(error) => return error,
            Self::Pool(PoolError::Timeout(_)) => {
                let detail = "no connection was free or could be made in time".to_owned();
                return StoreError::Unreachable { place, detail };
            }
            Self::Pool(error) => return StoreError::Other { place, detail: error.to_string() },
            Self::Sql(error) => error,
        };
        let Some(db) = error.as_db_error() else {
            let detail = cause(&error);
            // Without a code it was the connection, or its beginning: TLS, authentication that is not spoken.
            return match error.is_closed()
                || io_error(&error).is_some_and(|e| e.kind() != std::io::ErrorKind::InvalidData)
            {
                true => StoreError::Unreachable { place, detail },
                false
                    if detail.contains("timed out")
                        || detail.contains("timeout")
                        || detail.contains("error connecting") =>
                {
                    StoreError::Unreachable { place, detail }
                }
                false if detail.contains("certificate") || detail.contains("TLS") || detail.contains("tls") => {
                    unusable(
                        format!("no trusted TLS connection comes about ({detail})"),
                        "Check sslmode and sslrootcert in its URL",
                    )
                }
                false => StoreError::Other { place, detail },
            };
        };
        let said = db.message().to_owned();
        let user = address.config.get_user().unwrap_or_default();
        let code = db.code();
        if is_going(code) || *code == SqlState::CANNOT_CONNECT_NOW {
            StoreError::Unreachable { place, detail: said }
        } else if *code == SqlState::INVALID_PASSWORD {
            unusable(format!("it refused the password of user {user:?}"), "Check user and password of its URL")
        } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
            unusable(
                format!("it does not let user {user:?} in ({said})"),
                "Check the user of its URL, and the server's pg_hba.conf",
            )
        } else if *code == SqlState::INVALID_CATALOG_NAME {
            let database = address.config.get_dbname().unwrap_or(user);
            unusable(
                format!("it has no database {database:?}"),
                &format!("Create it with \"CREATE DATABASE {}\", or check its URL", quoted(database)),
            )
        } else if *code == SqlState::TOO_MANY_CONNECTIONS {
            unusable(
                format!("it has no connection left ({said})"),
                "Raise its max_connections, or stop what holds them",
            )
        } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
            unusable(
                "it may only be read (a standby, or a role that reads)".to_owned(),
                "It serves for searching; a sync needs the URL of the primary",
            )
        } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
            unusable(
                format!("role {user:?} may not do this ({said}); nothing was changed"),
                "Give it the rights of docs/scale.md, or use the role that syncs",
            )
        } else if *code == SqlState::DISK_FULL {
            StoreError::Full(PathBuf::from(place))
        } else if *code == SqlState::LOCK_NOT_AVAILABLE {
            StoreError::Busy(PathBuf::from(place))
        } else if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
            unusable(
                format!("its data is damaged ({said})"),
                "Restore it from a backup, or drop the schema and index again",
            )
        } else {
            StoreError::Other { place, detail: format!("{said} ({})", code.code()) }
        }
    }
}

/// The server is shutting down, was killed, or broke off.
fn is_going(code: &SqlState) -> bool {
    [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CONNECTION_EXCEPTION,
        SqlState::CONNECTION_DOES_NOT_EXIST,
        SqlState::CONNECTION_FAILURE,
    ]
    .contains(code)
}

fn io_error(error: &tokio_postgres::Error) -> Option<&std::io::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref() {
            return Some(io);
        }
        source = cause.source();
    }
    None
}

/// The error with what caused it, in one line.
fn cause(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}
