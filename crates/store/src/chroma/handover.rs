//! A collection handed over to another embedder. The server fixes dimensions at the first vector, so the collection is made anew
//! under another name and takes the old one's place when it is whole; until then nobody sees it, and what is cut off is done again.

use clusterlore_core::{ContentHash, EmbedderIdentity};
use serde_json::{Value, json};

use super::Chroma;
use super::api::{Described, Row};
use super::collections::{Filled, embedder};
use super::row;
use crate::StoreError;

/// Documents of one page: rows are held twice.
const PAGE: usize = 1_000;
/// How often a collection that others write to meanwhile is copied again.
const ROUNDS: usize = 3;

fn new_name(name: &str) -> String {
    format!("clusterlore-new-{name}")
}

fn old_name(name: &str) -> String {
    format!("clusterlore-old-{name}")
}

impl Chroma {
    /// See [`crate::VectorStore::change_embedder`].
    pub(super) async fn hand_over(&self, name: &str, to: &EmbedderIdentity) -> Result<(), StoreError> {
        let _gate = self.inner.gate.lock().await;
        let Some(old) = self.find(name).await? else { return Ok(()) };
        if embedder(&old) == *to && old.dimension.is_none_or(|d| d == to.dimensions) {
            return Ok(());
        }
        for round in 1.. {
            let before =
                (self.api().count(&old.id).await.map_err(|r| self.api().error(r))?, self.revisions(name).await?);
            // What an earlier try left may hold documents that are gone by now.
            self.api().remove(&new_name(name)).await?;
            let filled = Filled { unfinished: true, ..Filled::by(to) };
            let new = self.api().create(&new_name(name), &filled.over(None)).await?;
            self.copy(&old, &new, to.dimensions).await?;
            let after =
                (self.api().count(&old.id).await.map_err(|r| self.api().error(r))?, self.revisions(name).await?);
            if before == after {
                let whole = Filled::by(to).over(Some(&Described { metadata: old.metadata.clone(), ..new.clone() }));
                self.api().modify(&new.id, &json!({"new_metadata": whole})).await?;
                break;
            }
            if round == ROUNDS {
                let detail = format!(
                    "others keep writing to collection \"{name}\"; run the command again when they have finished"
                );
                return Err(self.api().client.other(detail));
            }
        }
        self.api().remove(&old_name(name)).await?;
        self.api().modify(&old.id, &json!({"new_name": old_name(name)})).await?;
        self.end_handover(name).await?;
        self.seen().remove(name);
        Ok(())
    }

    /// Puts a collection that is whole in its place, where there is none; gives what is there then.
    pub(super) async fn end_handover(&self, name: &str) -> Result<Option<Described>, StoreError> {
        let Some(new) = self.api().find(&new_name(name)).await? else { return Ok(None) };
        // Without the old one put aside nobody had begun to replace it: what is left over is no collection.
        let begun = self.api().find(&old_name(name)).await?.is_some();
        if !begun || Filled::of(&new).is_none_or(|filled| filled.unfinished) {
            return Ok(None);
        }
        let renamed = self.api().modify(&new.id, &json!({"new_name": name})).await;
        let there = self.api().find(name).await?;
        if there.is_none() {
            renamed?;
        }
        self.api().remove(&old_name(name)).await?;
        Ok(there)
    }

    async fn copy(&self, old: &Described, new: &Described, dimensions: usize) -> Result<(), StoreError> {
        let mut offset = 0;
        let types = self.type_names().await?;
        loop {
            let asked = json!({"limit": PAGE, "offset": offset, "include": ["documents", "metadatas"]});
            let got = self.api().get(&old.id, &asked).await.map_err(|r| self.api().error(r))?;
            let count = got.ids.len();
            let texts = got.documents.unwrap_or_default().into_iter().map(Option::unwrap_or_default);
            let metadatas = got.metadatas.unwrap_or_default().into_iter().map(Option::unwrap_or_default);
            let mut rows = Vec::with_capacity(count);
            for (id, (text, mut metadata)) in got.ids.into_iter().zip(texts.zip(metadatas)) {
                if let Some(mut read) = row::read(&id, &text, &metadata, &types) {
                    // Each counts as changed, and keeps its text and what others put beside it.
                    read.document.hash = ContentHash::from_bytes([0; 16]);
                    let ours = row::metadata(&read.document, read.source)
                        .map_err(|e| self.api().client.other(format!("document {id} cannot be copied: {e}")))?;
                    metadata.extend(ours.into_iter().filter(|(_, value)| *value != Value::Null));
                }
                rows.push(Row { id, text, metadata, vector: Some(vec![0.0; dimensions]) });
            }
            self.api().write(&new.id, rows).await.map_err(|r| self.api().error(r))?;
            offset += count;
            if count < PAGE {
                return Ok(());
            }
        }
    }
}
