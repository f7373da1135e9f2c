//! `clusterlore export`

use std::io::Write;
use std::path::Path;

use anyhow::Context;

use crate::args::Export;
use crate::print::{self, progress::Count};
use crate::settings::Settings;
use crate::{Done, build};

pub(crate) async fn run(settings: &Settings, flags: &Export) -> anyhow::Result<Done> {
    let store = build::store_for_reading(settings).await?;
    let count = Count::new("documents");
    let told = |n| count.set(n);
    let vectors = !flags.no_vectors;
    let exported = if flags.file == Path::new("-") {
        let mut out = std::io::BufWriter::new(std::io::stdout());
        clusterlore_pipeline::export(&*store, &mut out, vectors, &told).await?
    } else {
        // Beside its place until it is whole: a file of that name is an export that came to its end.
        let cannot = || format!("{} cannot be written; choose another file", flags.file.display());
        let folder = flags.file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut out = std::io::BufWriter::new(tempfile::NamedTempFile::new_in(folder).with_context(cannot)?);
        let exported = clusterlore_pipeline::export(&*store, &mut out, vectors, &told).await?;
        out.flush().with_context(cannot)?;
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.persist(&flags.file).with_context(cannot)?;
        exported
    };
    count.finish();
    print::note(&format!("Exported {} documents from {}.", exported.documents, store.place()));
    Ok(Done::Whole)
}
