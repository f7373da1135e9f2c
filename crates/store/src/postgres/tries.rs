//! Trying again what another transaction, or a lost connection, got in the way of.

use std::time::Duration;

use super::fault::Fault;
use super::pool::Postgres;
use crate::error::StoreError;

/// Tries of a transaction that another one got in the way of.
const TRIES: u32 = 6;

/// Counts the tries of one operation. Everything that is tried again is the same when it was done twice.
#[derive(Debug, Default)]
pub(super) struct Tries {
    done: u32,
    lost: bool,
}

impl Tries {
    /// Waits before the next try, or gives the fault back as the error that it ends in.
    pub(super) async fn after(&mut self, fault: Fault, store: &Postgres) -> Result<(), StoreError> {
        self.done += 1;
        if fault.is_contention() && self.done < TRIES {
            let pause = Duration::from_millis(fastrand::u64(5..20) << self.done);
            tracing::debug!(?pause, "another transaction was in the way; trying again");
            tokio::time::sleep(pause).await;
            return Ok(());
        }
        if fault.is_lost() && !self.lost {
            self.lost = true;
            tracing::debug!("the connection was lost; trying once more on another");
            store.forget_connections();
            return Ok(());
        }
        Err(fault.into_error(store.address()))
    }
}

/// Does `once` until it succeeds or fails for good.
macro_rules! tried {
    ($store:expr, $once:expr) => {{
        let mut tries = Tries::default();
        loop {
            match $once.await {
                Ok(done) => break Ok(done),
                Err(fault) => tries.after(fault, $store).await?,
            }
        }
    }};
}
pub(super) use tried;
