//! From a store into lines.

use futures::future::BoxFuture;
use std::io::Write;

use clusterlore_core::Collection;
use clusterlore_store::Store;

use super::error::MoveError;
use super::line::{Answer, End, Header, KnownType, Line, Moved, Section, VERSION};

/// Documents that are read at a time.
const PAGE: usize = 1_000;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Documents of both collections.
    pub documents: usize,
}

/// Writes everything that another store needs to take the place of this one; `told` hears the count of documents now and then.
///
/// # Errors
/// The store cannot be read, or `out` not written.
pub fn export<'f>(
    store: &'f dyn Store,
    out: &'f mut (dyn Write + Send),
    vectors: bool,
    told: &'f (dyn Fn(usize) + Sync),
) -> BoxFuture<'f, Result<Exported, MoveError>> {
    Box::pin(async move {
        let view = store.view_now("an export takes everything along").await?;
        let mut sections = Vec::new();
        for collection in [Collection::Capabilities, Collection::Instances] {
            if let Some(info) = view.collection(collection).await? {
                sections.push((collection, info.embedder));
            }
        }
        let embedder = sections.first().map(|(_, embedder)| embedder.clone()).filter(|_| vectors);
        write(out, &Line::Header(Header { version: VERSION, vectors: embedder }))?;
        for source in view.sources().await? {
            write(out, &Line::Source(source))?;
        }
        for (cluster, ty) in view.types().await?.iter().cloned() {
            write(out, &Line::Type(KnownType { cluster, ty }))?;
        }
        // Answers of models were paid for.
        for (key, answer) in store.answers().await? {
            write(out, &Line::Answer(Answer { key, answer }))?;
        }
        let mut documents = 0;
        for (collection, embedder) in sections {
            write(out, &Line::Collection(Section { name: collection.to_string(), embedder }))?;
            let mut after = None;
            loop {
                let page = view.page(collection, after.as_deref(), PAGE, vectors).await?;
                for stored in page.documents {
                    let record = serde_json::from_str(&stored.record).map_err(std::io::Error::other)?;
                    let (id, type_name, source, vector) = (stored.id, stored.type_name, stored.source, stored.vector);
                    write(out, &Line::Document(Moved { id, type_name, source, record, vector }))?;
                    documents += 1;
                }
                told(documents);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        write(out, &Line::End(End { documents }))?;
        out.flush()?;
        Ok(Exported { documents })
    })
}

fn write(out: &mut (dyn Write + Send), line: &Line) -> Result<(), MoveError> {
    // Keeps the kind of the error: a reader that went away is none.
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}
