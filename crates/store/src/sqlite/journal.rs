//! The journal in the file.

use std::collections::BTreeSet;

use clusterlore_core::{JournalBounds, JournalEntry, JournalQuery, Scope};
use rusqlite::{Connection, Transaction, params};

use super::runs::{from_json, to_json};
use crate::reader::journal_admits;
use crate::writer::is_to_be_counted;

/// Appends entries, and lets go what is beyond the bounds.
pub(super) fn append(
    transaction: &Transaction<'_>,
    entries: &[JournalEntry],
    bounds: &JournalBounds,
) -> rusqlite::Result<()> {
    let mut insert =
        transaction.prepare_cached("INSERT OR IGNORE INTO journal (cluster, at, entry) VALUES (?1, ?2, ?3)")?;
    for entry in entries {
        insert.execute(params![entry.cluster, entry.at, to_json(entry)?])?;
    }
    let clusters: BTreeSet<&str> = entries.iter().map(|entry| entry.cluster.as_str()).collect();
    for cluster in clusters {
        transaction
            .prepare_cached("DELETE FROM journal WHERE cluster = ?1 AND at < ?2")?
            .execute(params![cluster, bounds.oldest])?;
        if is_to_be_counted(entries.len()) {
            transaction
                .prepare_cached(
                    "DELETE FROM journal WHERE cluster = ?1 AND at <=
                     (SELECT at FROM journal WHERE cluster = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
                )?
                .execute(params![cluster, bounds.most])?;
        }
    }
    Ok(())
}

/// What is asked for and admitted, the newest first.
pub(super) fn read(
    connection: &Connection,
    scope: &Scope,
    query: &JournalQuery,
) -> rusqlite::Result<Vec<JournalEntry>> {
    let mut select = connection.prepare_cached(
        "SELECT entry FROM journal WHERE (?1 IS NULL OR cluster = ?1) AND at >= ?2 AND (?3 IS NULL OR at < ?3)
         ORDER BY at DESC, cluster",
    )?;
    let mut rows = select.query(params![query.cluster, query.since.as_deref().unwrap_or_default(), query.until])?;
    // Few entries are of an object that is asked for by its name, and to read one takes far longer than to see that it is none of them.
    let named: Vec<String> =
        query.names.iter().map(|name| Ok(format!("\"name\":{}", to_json(name)?))).collect::<rusqlite::Result<_>>()?;
    let mut entries = Vec::new();
    while entries.len() < query.limit
        && let Some(row) = rows.next()?
    {
        let text = row.get_ref(0)?.as_str()?;
        if !named.is_empty() && !named.iter().any(|name| text.contains(name)) {
            continue;
        }
        let entry: JournalEntry = from_json(row, 0)?;
        if journal_admits(scope, query, &entry) {
            entries.push(entry);
        }
    }
    Ok(entries)
}
