//! The journal in its table.

use std::collections::BTreeSet;

use clusterlore_core::{JournalBounds, JournalEntry, JournalQuery, Scope};
use tokio_postgres::{Client, Transaction};

use super::fault::Fault;
use super::pool::Postgres;
use super::text::clean;
use crate::reader::journal_admits;
use crate::writer::is_to_be_counted;

/// Entries of one answer of the server.
const PAGE: i64 = 2_000;

impl Postgres {
    /// Appends entries, and lets go what is beyond the bounds.
    pub(super) async fn append_journal(
        &self,
        transaction: &Transaction<'_>,
        entries: &[JournalEntry],
        bounds: &JournalBounds,
    ) -> Result<(), Fault> {
        let (mut of, mut at, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            of.push(clean(&entry.cluster).into_owned());
            at.push(entry.at.clone());
            lines.push(self.write_json(entry)?);
        }
        let insert = "INSERT INTO journal (cluster, at, entry)
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT (cluster, at) DO NOTHING";
        transaction.execute(insert, &[&of, &at, &lines]).await?;
        let clusters: BTreeSet<String> = of.into_iter().collect();
        for cluster in &clusters {
            let old = "DELETE FROM journal WHERE cluster = $1 AND at < $2";
            transaction.execute(old, &[cluster, &bounds.oldest]).await?;
            if is_to_be_counted(entries.len()) {
                let many = "DELETE FROM journal WHERE cluster = $1 AND at <=
                     (SELECT at FROM journal WHERE cluster = $1 ORDER BY at DESC LIMIT 1 OFFSET $2)";
                let most = i64::try_from(bounds.most).unwrap_or(i64::MAX);
                transaction.execute(many, &[cluster, &most]).await?;
            }
        }
        Ok(())
    }

    /// What is asked for and admitted, the newest first.
    pub(super) async fn read_journal(
        &self,
        client: &Client,
        scope: &Scope,
        query: &JournalQuery,
    ) -> Result<Vec<JournalEntry>, Fault> {
        let select = "SELECT entry FROM journal
             WHERE ($1::text IS NULL OR cluster = $1) AND at >= $2 AND ($3::text IS NULL OR at < $3)
             ORDER BY at DESC, cluster LIMIT $4 OFFSET $5";
        let (since, mut read) = (query.since.as_deref().unwrap_or_default(), 0_i64);
        let mut entries = Vec::new();
        while entries.len() < query.limit {
            let rows = client.query(select, &[&query.cluster, &since, &query.until, &PAGE, &read]).await?;
            for row in &rows {
                let entry: JournalEntry = self.read_json(row.try_get(0)?)?;
                if entries.len() < query.limit && journal_admits(scope, query, &entry) {
                    entries.push(entry);
                }
            }
            read += PAGE;
            if i64::try_from(rows.len()).unwrap_or(i64::MAX) < PAGE {
                break;
            }
        }
        Ok(entries)
    }
}
