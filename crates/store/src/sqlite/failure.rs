//! What SQLite's errors mean.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::StoreError;

/// What SQLite says, as what the user can do about it.
pub(super) fn failure(path: &Path, error: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    let detail = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { path, detail },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            StoreError::ReadOnly { path, detail }
        }
        Some(ErrorCode::DiskFull) => StoreError::Full(path),
        _ if is_busy(&error) => StoreError::Busy(path),
        _ => StoreError::Other { place: path.display().to_string(), detail },
    }
}

/// True where another connection has what this one needs.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
