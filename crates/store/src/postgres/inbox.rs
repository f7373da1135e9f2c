//! Posts that wait, on the server: whichever process took them, any can write them.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::pool::Postgres;
use super::tries::{Tries, tried};
use crate::error::StoreError;
use crate::inbox::{Inbox, MOST_BYTES, Post, Scan, Waiting};

fn unsigned(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[async_trait]
impl Inbox for Postgres {
    async fn waiting(&self) -> Result<Waiting, StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            let select = "SELECT count(*), coalesce(sum(octet_length(body)), 0)::bigint, (SELECT count(*) FROM scans) FROM posts";
            let row = client.query_one(select, &[]).await?;
            let bytes = row.get::<_, i64>(1).unsigned_abs();
            Ok(Waiting { posts: unsigned(row.get(0)), bytes, scans: unsigned(row.get(2)) })
        })
    }

    async fn clusters(&self) -> Result<Vec<String>, StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            let select = "SELECT cluster FROM posts UNION SELECT cluster FROM scans ORDER BY cluster";
            Ok(client.query(select, &[]).await?.iter().map(|row| row.get(0)).collect())
        })
    }

    async fn put(&self, cluster: &str, body: Vec<u8>) -> Result<(), StoreError> {
        let most = MOST_BYTES.saturating_sub(body.len() as u64);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        // A post that is kept twice, because the word that it was kept was lost, is followed by nothing of its sender's: it waits for the word.
        let kept = tried!(self, async {
            let client = self.client().await?;
            let insert = "INSERT INTO posts (cluster, body) SELECT $1, $2
                 WHERE (SELECT coalesce(sum(octet_length(body)), 0) FROM posts) <= $3";
            Ok(client.execute(insert, &[&cluster, &body, &most]).await?)
        })?;
        match kept {
            0 => Err(StoreError::Crowded { path: self.address().place.clone().into(), bytes: MOST_BYTES }),
            _ => Ok(()),
        }
    }

    async fn oldest(&self, cluster: &str, most: usize, bytes: usize) -> Result<Vec<Post>, StoreError> {
        let (most, bytes) = (signed(most), signed(bytes));
        tried!(self, async {
            let client = self.client().await?;
            let select = "SELECT number, body FROM posts JOIN (
                    SELECT number, sum(octet_length(body)) OVER (ORDER BY number) AS size, row_number() OVER (ORDER BY number) AS place
                    FROM (SELECT number, body FROM posts WHERE cluster = $1 ORDER BY number LIMIT $2) AS oldest
                ) AS measured USING (number) WHERE place = 1 OR size <= $3 ORDER BY number";
            let rows = client.query(select, &[&cluster, &most, &bytes]).await?;
            Ok(rows.iter().map(|row| Post { number: row.get(0), body: row.get(1) }).collect())
        })
    }

    async fn done(&self, numbers: Vec<i64>) -> Result<(), StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            client.execute("DELETE FROM posts WHERE number = ANY($1)", &[&numbers]).await?;
            Ok(())
        })
    }

    async fn scan(&self, cluster: &str, upserts: Vec<String>, deletes: Vec<String>) -> Result<(), StoreError> {
        // Sorted, so that whoever holds one row waits for none that comes before it; each once.
        let mut wanted: BTreeMap<String, bool> = deletes.into_iter().map(|name| (name, true)).collect();
        wanted.extend(upserts.into_iter().map(|name| (name, false)));
        let (names, gone): (Vec<String>, Vec<bool>) = wanted.into_iter().unzip();
        tried!(self, async {
            let client = self.client().await?;
            let insert = "INSERT INTO scans AS s (cluster, name, gone, number)
                 SELECT $1, name, gone, nextval('scan_requests') FROM unnest($2::text[], $3::boolean[]) AS u (name, gone)
                 ON CONFLICT (cluster, name) DO UPDATE SET gone = excluded.gone, number = excluded.number";
            client.execute(insert, &[&cluster, &names, &gone]).await?;
            Ok(())
        })
    }

    async fn scans(&self, cluster: &str) -> Result<Vec<Scan>, StoreError> {
        tried!(self, async {
            let client = self.client().await?;
            let select = "SELECT name, gone, number FROM scans WHERE cluster = $1 ORDER BY name";
            let rows = client.query(select, &[&cluster]).await?;
            Ok(rows.iter().map(|row| Scan { name: row.get(0), gone: row.get(1), number: row.get(2) }).collect())
        })
    }

    async fn scanned(&self, cluster: &str, scans: Vec<Scan>) -> Result<(), StoreError> {
        let numbers: Vec<i64> = scans.iter().map(|scan| scan.number).collect();
        tried!(self, async {
            let client = self.client().await?;
            let delete = "DELETE FROM scans WHERE cluster = $1 AND number = ANY($2)";
            client.execute(delete, &[&cluster, &numbers]).await?;
            Ok(())
        })
    }
}
