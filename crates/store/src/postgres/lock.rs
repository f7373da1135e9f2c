//! Who writes a cluster's documents: whoever holds an advisory lock of the server, on a connection of its own.
//!
//! The server lets the lock go when that connection ends. A killed process ends it at once; of one that vanished or hangs, whatever holds
//! its TCP session open, the server hears no beat any more and ends it itself. The holder notices a loss first.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use super::fault::Fault;
use super::pool::{Postgres, connect};
use crate::error::StoreError;
use crate::holder::{Holder, RunKind};
use crate::lock::RunLock;

/// How long a lock may need to be let go after its connection was closed.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two beats of a connection that holds a lock.
const BEAT: Duration = Duration::from_secs(5);
/// How long the server may take to answer one. Together with [`BEAT`] less than [`SILENCE`]: who lost the lock stops before another has it.
const ANSWER: Duration = Duration::from_secs(10);
/// After so long without a beat the server ends the connection, in seconds.
const SILENCE: u64 = 20;

impl Postgres {
    pub(super) async fn lock_once(&self, cluster: &str, me: &Holder) -> Result<RunLock, Fault> {
        let (client, connection) = connect(self.address(), &self.inner.tls).await?;
        client.batch_execute(&format!("SET idle_session_timeout = '{SILENCE}s'")).await?;
        let name = format!("clusterlore run {}\n{cluster}", self.address().schema);
        let began = Instant::now();
        loop {
            let row = client.query_one("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", &[&name]).await?;
            if row.try_get(0)? {
                let told = "SELECT set_config('application_name', $1, false)";
                client.execute(told, &[&in_application_name(me)]).await?;
                let (held, closed) = watch::channel(());
                // Dropped, it ends, and the connection with it.
                let mut beating = JoinSet::new();
                let lost = Arc::clone(&self.inner.lost);
                lost.lock().unwrap_or_else(PoisonError::into_inner).remove(cluster);
                let cluster = cluster.to_owned();
                beating.spawn(async move {
                    beat(client, connection).await;
                    lost.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster);
                    drop(held);
                });
                return Ok(RunLock::until_closed(beating, self.address().place.clone(), closed));
            }
            if began.elapsed() > PATIENCE {
                let of = if cluster.is_empty() { String::new() } else { format!(", cluster \"{cluster}\"") };
                let place = format!("{}{of}", self.address().place);
                // Where an address stands the holder is on another machine, as the server sees it.
                let held = "SELECT a.application_name, CASE WHEN a.client_addr IS DISTINCT FROM inet_client_addr() THEN host(a.client_addr) END
                     FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                       AND (l.classid::bigint << 32) | l.objid::bigint = hashtextextended($1, 0)";
                let holder = match client.query_opt(held, &[&name]).await? {
                    Some(row) => of_application_name(row.try_get(0)?).map(|h| Holder { machine: row.get(1), ..h }),
                    None => None,
                };
                return Err(StoreError::Locked { place, holder }.into());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Tells the server again and again that the holder lives. Ends when the connection has ended or does not answer.
async fn beat(client: Client, mut connection: JoinHandle<()>) {
    loop {
        tokio::select! {
            _ = &mut connection => break,
            () = sleep(BEAT) => {}
        }
        match timeout(ANSWER, client.batch_execute("SELECT 1")).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    tracing::warn!("the connection that held a lock of Postgres ended; the lock is lost");
}

/// A connection's name is what others can see of it: 63 bytes, which this fills nearly.
fn in_application_name(holder: &Holder) -> String {
    format!("clusterlore {} {} {}", holder.process, holder.since, holder.command.stored())
}

impl Postgres {
    /// Refuses to write to clusters whose lock was held and is lost.
    pub(super) fn check_held(&self, clusters: &[String]) -> Result<(), StoreError> {
        let lost = self.inner.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match clusters.iter().any(|cluster| lost.contains(cluster)) {
            true => Err(StoreError::lost_lock(&self.address().place)),
            false => Ok(()),
        }
    }
}

/// The inverse of [`in_application_name`].
fn of_application_name(name: &str) -> Option<Holder> {
    let mut words = name.strip_prefix("clusterlore ")?.splitn(3, ' ').map(str::to_owned);
    let (process, since, command) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    Some(Holder { command: RunKind::of_stored(&command), process, machine: None, since })
}
