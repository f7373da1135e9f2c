//! Collections: how they are found and made, and whose vectors they hold.

use clusterlore_core::{Collection, EmbedderIdentity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::Described;
use super::row::OURS;
use super::server::Chroma;
use crate::error::StoreError;

/// Bytes of an embedder's name, which may hold an address.
const LONGEST_NAME: usize = 1_000;

/// What clusterlore keeps in the metadata of a collection.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Filled {
    pub(super) embedder: String,
    pub(super) dimensions: usize,
    /// Whether documents wait beside it for vectors of this embedder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) waiting: bool,
}

impl Filled {
    pub(super) fn by(embedder: &EmbedderIdentity) -> Self {
        Self { embedder: embedder.name.clone(), dimensions: embedder.dimensions, waiting: false }
    }

    pub(super) fn of(found: &Described) -> Option<Self> {
        let filled: Self = serde_json::from_str(found.metadata.get(OURS)?.as_str()?).ok()?;
        // Another program may have put anything there.
        (filled.embedder.len() <= LONGEST_NAME && !filled.embedder.contains(char::is_control)).then_some(filled)
    }

    /// What a collection's metadata is to be, keeping what another program put there.
    pub(super) fn over(&self, found: Option<&Described>) -> Value {
        let mut metadata = found.map(|f| f.metadata.clone()).unwrap_or_default();
        metadata.insert("hnsw:space".to_owned(), json!("cosine"));
        metadata.insert(OURS.to_owned(), json!(json!(self).to_string()));
        Value::Object(metadata)
    }
}

/// Who filled a collection.
pub(super) fn embedder(found: &Described) -> EmbedderIdentity {
    match Filled::of(found) {
        Some(filled) => EmbedderIdentity { name: filled.embedder, dimensions: filled.dimensions },
        None => EmbedderIdentity::unknown(found.dimension.unwrap_or(0)),
    }
}

impl Chroma {
    /// The collection, if there is one; ends a handover that was cut off between its last two steps.
    pub(super) async fn find(&self, name: Collection) -> Result<Option<Described>, StoreError> {
        match self.api().find(name.name()).await? {
            Some(found) => Ok(Some(found)),
            None => self.end_handover(name).await,
        }
    }

    /// Refuses what cannot be compared by cosine.
    pub(super) fn must_be_cosine(&self, name: Collection, found: &Described) -> Result<(), StoreError> {
        if found.space == "cosine" {
            return Ok(());
        }
        let problem = format!("collection \"{name}\" compares vectors by \"{}\"; expected \"cosine\"", found.space);
        let fix = "Another program made it so: remove it, or use another database";
        Err(self.api().client.unusable(problem, fix))
    }

    /// See [`crate::writer::Writer::open_collection`].
    pub(super) async fn open(&self, name: Collection, offered: &EmbedderIdentity) -> Result<(), StoreError> {
        let filled = Filled::by(offered);
        let Some(found) = self.find(name).await? else {
            let made = self.api().create(name.name(), &filled.over(None)).await?;
            // Somebody else may have been faster.
            return self.must_admit(name, &made, offered);
        };
        self.must_be_cosine(name, &found)?;
        self.must_admit(name, &found, offered)?;
        if embedder(&found).is_unknown() {
            self.api().modify(&found.id, &json!({"new_metadata": filled.over(Some(&found))})).await?;
            self.seen().remove(&name);
        }
        Ok(())
    }

    fn must_admit(&self, name: Collection, found: &Described, offered: &EmbedderIdentity) -> Result<(), StoreError> {
        let (stored, collection) = (embedder(found), name);
        if !stored.admits(offered) {
            return Err(StoreError::OtherEmbedder { collection, stored, offered: offered.clone() });
        }
        match found.dimension {
            Some(expected) if expected != offered.dimensions => {
                Err(StoreError::Dimension { collection, found: offered.dimensions, expected })
            }
            _ => Ok(()),
        }
    }
}
