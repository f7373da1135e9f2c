//! A collection handed over to another embedder. Its vectors cannot stay, and vectors of zeros would spoil the server's index for
//! good: all are equally far from each other. So the collection is put aside as it is, an empty one takes its place, and its documents
//! wait beside it, found by their words, until a sync has embedded them again. Nothing is copied and nothing can get lost on the way.

use clusterlore_core::{Collection, EmbedderIdentity};
use serde_json::json;

use super::api::{Described, Pages, Row};
use super::collections::{Filled, embedder};
use super::seen::Waiting;
use super::server::Chroma;
use crate::error::StoreError;

/// Documents of one page: rows are held twice.
const PAGE: usize = 1_000;
/// How often a collection that others write to meanwhile is copied again.
const ROUNDS: usize = 3;

fn new_name(name: Collection) -> String {
    format!("clusterlore-new-{name}")
}

fn old_name(name: Collection) -> String {
    format!("clusterlore-old-{name}")
}

fn waiting_name(name: Collection) -> String {
    format!("clusterlore-waiting-{name}")
}

impl Chroma {
    /// See [`crate::writer::Writer::change_embedder`].
    pub(super) async fn hand_over(&self, name: Collection, to: &EmbedderIdentity) -> Result<(), StoreError> {
        let _gate = self.inner.gate.lock().await;
        let Some(old) = self.find(name).await? else { return Ok(()) };
        if embedder(&old) == *to && old.dimension.is_none_or(|d| d == to.dimensions) {
            return Ok(());
        }
        // Where some are waiting already, these join them.
        let waiting = self.api().find(&waiting_name(name)).await?;
        let aside = match &waiting {
            None => waiting_name(name),
            Some(waiting) => {
                self.let_wait(name, &old, waiting).await?;
                self.api().remove(&old_name(name)).await?;
                old_name(name)
            }
        };
        self.api().remove(&new_name(name)).await?;
        let filled = Filled { waiting: true, ..Filled::by(to) };
        self.api().create(&new_name(name), &filled.over(Some(&old))).await?;
        self.api().modify(&old.id, &json!({"new_name": aside})).await?;
        self.end_handover(name).await?;
        self.seen().remove(&name);
        Ok(())
    }

    /// Puts the new collection in its place, where there is none; gives what is there then.
    pub(super) async fn end_handover(&self, name: Collection) -> Result<Option<Described>, StoreError> {
        let Some(new) = self.api().find(&new_name(name)).await? else { return Ok(None) };
        // Unless the old one was put aside nobody had begun to replace it.
        let aside = [old_name(name), waiting_name(name)];
        if self.api().find(&aside[0]).await?.is_none() && self.api().find(&aside[1]).await?.is_none() {
            return Ok(None);
        }
        let renamed = self.api().modify(&new.id, &json!({"new_name": name.name()})).await;
        let there = self.api().find(name.name()).await?;
        if there.is_none() {
            renamed?;
        }
        self.api().remove(&old_name(name)).await?;
        Ok(there)
    }

    /// The documents that wait beside a collection.
    pub(super) async fn waiting(&self, name: Collection, found: &Described) -> Result<Option<Waiting>, StoreError> {
        if !Filled::of(found).is_some_and(|filled| filled.waiting) {
            return Ok(None);
        }
        let Some(aside) = self.api().find(&waiting_name(name)).await? else { return Ok(None) };
        let got = self.api().get(&aside.id, &json!({"include": []})).await.map_err(|r| self.api().error(r))?;
        Ok(Some(Waiting { collection: aside.id, ids: got.ids.into_iter().collect() }))
    }

    /// Nobody waits any more.
    pub(super) async fn end_waiting(&self, name: Collection) -> Result<(), StoreError> {
        if let Some(found) = self.api().find(name.name()).await?
            && let Some(filled) = Filled::of(&found)
        {
            let settled = Filled { waiting: false, ..filled };
            self.api().modify(&found.id, &json!({"new_metadata": settled.over(Some(&found))})).await?;
        }
        self.api().remove(&waiting_name(name)).await
    }

    /// Copies a collection to what waits; what is in both counts once.
    async fn let_wait(&self, name: Collection, old: &Described, waiting: &Described) -> Result<(), StoreError> {
        // Nobody asks what such a document is near to.
        let mut vector = vec![0.0; waiting.dimension.unwrap_or(1)];
        vector.iter_mut().take(1).for_each(|x| *x = 1.0);
        for _ in 0..ROUNDS {
            let before = (self.api().count(&old.id).await, self.revisions(name.name()).await?);
            let (mut offset, mut pages) = (0, Pages::default());
            loop {
                let asked = json!({"limit": PAGE, "offset": offset, "include": ["documents", "metadatas"]});
                let got = self.api().get(&old.id, &asked).await.map_err(|r| self.api().error(r))?;
                pages.turn(self.api(), &got.ids)?;
                let count = got.ids.len();
                let texts = got.documents.unwrap_or_default().into_iter().map(Option::unwrap_or_default);
                let metadatas = got.metadatas.unwrap_or_default().into_iter().map(Option::unwrap_or_default);
                let rows = got.ids.into_iter().zip(texts.zip(metadatas));
                let rows = rows.map(|(id, (text, metadata))| Row { id, text, metadata, vector: Some(vector.clone()) });
                self.api().write(&waiting.id, rows.collect()).await.map_err(|r| self.api().error(r))?;
                offset += count;
                if count < PAGE {
                    break;
                }
            }
            let after = (self.api().count(&old.id).await, self.revisions(name.name()).await?);
            if before.0.ok() == after.0.ok() && before.1 == after.1 {
                return Ok(());
            }
        }
        Err(self.api().client.disturbed(format!("others keep writing to collection \"{name}\"")))
    }
}
