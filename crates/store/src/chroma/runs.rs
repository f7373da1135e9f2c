//! What runs remember: sources and types on the server, since other machines must know them; the rest in the mirror's file.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use clusterlore_core::{ResourceType, SourceIdentity, TypeSchema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::mirror::TYPES;
use super::notes::Note;
use super::server::Chroma;
use crate::error::StoreError;
use crate::holder::Holder;
use crate::lock::RunLock;
use crate::names::under_another_name;
use crate::runs::{KnownSource, Readings, RunRecord, Runs};

#[derive(Serialize, Deserialize)]
struct SourceNote {
    number: i64,
    cluster: String,
    identity: SourceIdentity,
    replaced: bool,
    #[serde(default, skip_serializing_if = "Readings::is_empty")]
    readings: Readings,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
}

fn source_note(s: &KnownSource) -> Note {
    let text = json!(SourceNote {
        number: s.number,
        cluster: s.cluster.clone(),
        identity: s.identity.clone(),
        replaced: s.replaced,
        readings: s.readings.clone(),
        name: s.name.clone(),
    });
    let facets = [("what", "source"), ("cluster", s.cluster.as_str())];
    Note::new(format!("source:{}", s.number), text.to_string(), &facets)
}

/// A number that no other machine gives at the same moment; later ones are larger.
fn new_number() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = i64::try_from(now).unwrap_or(i64::MAX >> 10);
    (now << 10) | fastrand::i64(0..1 << 10)
}

impl Chroma {
    /// All sources, the replaced ones too.
    pub(super) async fn known_sources(&self) -> Result<Vec<KnownSource>, StoreError> {
        let notes = self.notes(&[("what", "source")]).await?;
        let mut sources = Vec::with_capacity(notes.len());
        for note in notes {
            let s: SourceNote = serde_json::from_str(&note.text).map_err(|e| {
                let detail = format!("note {} of collection \"clusterlore\" is damaged ({e}); remove it", note.id);
                self.api().client.other(detail)
            })?;
            let SourceNote { number, cluster, identity, replaced, readings, name } = s;
            sources.push(KnownSource { number, cluster, identity, replaced, name, readings });
        }
        sources.sort_by_key(|s| s.number);
        Ok(sources)
    }
}

#[async_trait]
impl Runs for Chroma {
    /// Keeps other runs of this machine out. A run of another machine over the same cluster writes the same documents.
    async fn lock(&self, cluster: &str, me: &Holder) -> Result<RunLock, StoreError> {
        self.mirror().await?.lock(cluster, me).await
    }

    async fn remember_source(
        &self,
        cluster: &str,
        identity: &SourceIdentity,
        replace: bool,
    ) -> Result<i64, StoreError> {
        let mut sources = self.known_sources().await?;
        under_another_name(&sources, cluster, identity)?;
        sources.retain(|s| s.cluster == cluster && !s.replaced);
        let known = sources.iter().find(|s| s.identity.recognises(identity)).cloned();
        let (number, identity) = match &known {
            Some(known) => (known.number, known.identity.clone().merged(identity.clone())),
            None => (new_number(), identity.clone()),
        };
        let mut notes = Vec::new();
        if known.as_ref().is_none_or(|known| known.identity != identity) {
            let (readings, name) = known.map(|known| (known.readings, known.name)).unwrap_or_default();
            let cluster = cluster.to_owned();
            notes.push(source_note(&KnownSource { number, cluster, identity, replaced: false, name, readings }));
        }
        if replace {
            let others = sources.into_iter().filter(|s| s.number != number);
            notes.extend(others.map(|s| source_note(&KnownSource { replaced: true, ..s })));
        }
        if !notes.is_empty() {
            self.note(notes, &[]).await?;
        }
        Ok(number)
    }

    async fn name_source(&self, source: i64, name: &str) -> Result<(), StoreError> {
        let known = self.known_sources().await?.into_iter().find(|s| s.number == source && s.name != name);
        let Some(known) = known else { return Ok(()) };
        self.note(vec![source_note(&KnownSource { name: name.to_owned(), ..known })], &[]).await
    }

    async fn forget(&self, cluster: &str) -> Result<(), StoreError> {
        self.mirror().await?.forget(cluster).await?;
        // Sources last: as long as one is there, what is left can be named.
        for what in ["type", "source"] {
            let notes = self.notes(&[("what", what), ("cluster", cluster)]).await?;
            let gone: Vec<String> = notes.into_iter().map(|note| note.id).collect();
            if !gone.is_empty() {
                self.note(Vec::new(), &gone).await?;
            }
        }
        self.announce(TYPES).await?;
        *self.inner.types_fresh_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    async fn remember_readings(&self, source: i64, readings: &Readings) -> Result<(), StoreError> {
        let known = self.known_sources().await?.into_iter().find(|s| s.number == source);
        let Some(known) = known else { return Ok(()) };
        let readings = known.readings.clone().merged(readings);
        if readings != known.readings {
            self.note(vec![source_note(&KnownSource { readings, ..known })], &[]).await?;
        }
        Ok(())
    }

    async fn remember_types(&self, cluster: &str, types: &[ResourceType]) -> Result<(), StoreError> {
        let known = self.notes(&[("what", "type"), ("cluster", cluster)]).await?;
        let known: HashMap<String, Note> = known.into_iter().map(|n| (n.id.clone(), n)).collect();
        let notes: Vec<Note> = types
            .iter()
            .map(|ty| {
                let facets = [("what", "type"), ("cluster", cluster)];
                Note::new(format!("type:{cluster}:{}", ty.name()), json!(ty).to_string(), &facets)
            })
            .collect();
        let wanted: HashSet<&str> = notes.iter().map(|n| n.id.as_str()).collect();
        let gone: Vec<String> = known.keys().filter(|id| !wanted.contains(id.as_str())).cloned().collect();
        let changed: Vec<Note> = notes.iter().filter(|n| known.get(&n.id) != Some(n)).cloned().collect();
        if !(changed.is_empty() && gone.is_empty()) {
            self.note(changed, &gone).await?;
            self.announce(TYPES).await?;
        }
        *self.inner.types_fresh_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    async fn schemas(&self, cluster: &str) -> Result<HashMap<String, (String, TypeSchema)>, StoreError> {
        self.mirror().await?.schemas(cluster).await
    }

    async fn remember_schemas(
        &self,
        cluster: &str,
        read: &[(String, String, TypeSchema)],
        forgotten: &[String],
    ) -> Result<(), StoreError> {
        self.mirror().await?.remember_schemas(cluster, read, forgotten).await
    }

    async fn answer(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.mirror().await?.answer(key).await
    }

    async fn answers(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.mirror().await?.answers().await
    }

    async fn remember_answer(&self, key: &str, answer: &str) -> Result<(), StoreError> {
        self.mirror().await?.remember_answer(key, answer).await
    }

    async fn begin_run(&self, run: &RunRecord) -> Result<i64, StoreError> {
        self.mirror().await?.begin_run(run).await
    }

    async fn finish_run(&self, number: i64, run: &RunRecord) -> Result<(), StoreError> {
        self.mirror().await?.finish_run(number, run).await
    }
}
