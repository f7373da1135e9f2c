//! `clusterlore export`

use std::fs::{File, Metadata};
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clusterlore_pipeline::Exported;
use clusterlore_store::Store;
use tempfile::NamedTempFile;

use crate::args::Export;
use crate::build;
use crate::done::Done;
use crate::print::foreign::Escaping;
use crate::print::{self, progress::Count};
use crate::settings::Settings;

/// Links that lead to a link, at most: as the system has it.
const LINKS: usize = 40;

pub(crate) async fn run(settings: &Settings, flags: &Export) -> anyhow::Result<Done> {
    let store = build::store_for_reading(settings).await?;
    let count = Count::new("documents");
    let exporting = Exporting { store: &*store, vectors: !flags.no_vectors, count: &count };
    let cannot = || format!("{} cannot be written; choose another file", flags.file.display());
    let exported = match place(&flags.file).with_context(cannot)? {
        Place::Output => exporting.to(print::records()).await?.0,
        // A device, a pipe: what is written into it goes on at once, and it stays what it is.
        Place::Through(path) => {
            let open = File::options().append(true).open(&path);
            exporting.to(BufWriter::new(open.with_context(cannot)?)).await.with_context(cannot)?.0
        }
        // Beside its place until it is whole: a file of that name is an export that came to its end. Without another's permission only
        // this user may read it, since names and descriptions of a whole cluster are in it.
        Place::Replaced(path, before) => {
            let itself = path.canonicalize().ok();
            if itself.is_some() && store.files().iter().any(|own| own.canonicalize().ok() == itself) {
                bail!("{} belongs to the index that is to be exported; choose another file", flags.file.display());
            }
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let file = NamedTempFile::new_in(folder).with_context(cannot)?;
            if let Some(before) = before {
                file.as_file().set_permissions(before.permissions()).with_context(cannot)?;
            }
            let (exported, out) = exporting.to(BufWriter::new(file)).await.with_context(cannot)?;
            let file = out.into_inner().map_err(IntoInnerError::into_error).with_context(cannot)?;
            file.persist(&path).with_context(cannot)?;
            exported
        }
    };
    count.finish();
    print::note(&format!("Exported {} documents from {}.", exported.documents, store.place()));
    Ok(Done::Whole)
}

struct Exporting<'a> {
    store: &'a dyn Store,
    vectors: bool,
    count: &'a Count,
}

impl Exporting<'_> {
    async fn to<W: Write + Send>(&self, out: W) -> anyhow::Result<(Exported, W)> {
        let mut out = Escaping::into(out);
        let told = |n| self.count.set(n);
        let exported = clusterlore_pipeline::export(self.store, &mut out, self.vectors, &told).await?;
        Ok((exported, out.into_inner()?))
    }
}

/// Where an export goes.
#[derive(Debug)]
enum Place {
    /// Standard output.
    Output,
    /// Into what is there: no regular file.
    Through(PathBuf),
    /// In the place of the regular file that may be there, links followed.
    Replaced(PathBuf, Option<Metadata>),
}

fn place(file: &Path) -> anyhow::Result<Place> {
    if file == Path::new("-") {
        return Ok(Place::Output);
    }
    match std::fs::metadata(file) {
        Ok(there) if there.is_dir() => bail!("it is a folder"),
        Ok(there) if !there.is_file() => return Ok(Place::Through(file.to_owned())),
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(e.into()),
    }
    let mut path = file.to_owned();
    for _ in 0..LINKS {
        if !std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink()) {
            let before = std::fs::metadata(&path).ok();
            return Ok(Place::Replaced(path, before));
        }
        let beside = path.parent().map(Path::to_owned).unwrap_or_default();
        let target = std::fs::read_link(&path)?;
        // A link to an open file: others hold it too, and would go on with the one that was replaced.
        if std::fs::canonicalize(if beside.as_os_str().is_empty() { Path::new(".") } else { &beside })
            .is_ok_and(|folder| folder.starts_with("/proc"))
        {
            return Ok(Place::Through(file.to_owned()));
        }
        path = beside.join(target);
    }
    bail!("its links lead nowhere")
}
