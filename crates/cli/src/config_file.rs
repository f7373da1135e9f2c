//! The configuration file, written: one setting at a time, with what else stands in it left as it is.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clusterlore_core::duration;
use toml_edit::DocumentMut;

use crate::args::{EmbedderChoice, ModelChoice};
use crate::settings::{SETTINGS, Settings, wrong};

/// Sets a setting in the file, or removes it, and gives the file. What the file would then hold is read first: a file that no command
/// can read is not written.
pub(crate) fn write(settings: &Settings, key: &str, value: Option<&str>) -> anyhow::Result<PathBuf> {
    let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
        let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
        return Err(wrong(format!("there is no setting \"{key}\"; expected one of {}", known.join(", "))));
    };
    if setting.secret && value.is_some() {
        // Command lines are read by others, and kept by shells.
        let variable = setting.variable.map(|name| format!(" or set {name}")).unwrap_or_default();
        return Err(wrong(format!("{key} is a secret; write it into the file yourself{variable}")));
    }
    let path = settings.place().ok_or_else(|| {
        anyhow!("there is no home folder for the configuration file; set XDG_CONFIG_HOME, or name a file with --config")
    })?;
    let cannot = || format!("the configuration file {} cannot be written; check its permissions", path.display());
    let before = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(e).with_context(cannot),
    };
    let mut file: DocumentMut = before.parse().map_err(|e| anyhow!("{}: {e}", path.display()))?;
    match value {
        Some(value) => file[key] = toml_edit::value(value),
        None => drop(file.remove(key)),
    }
    let text = file.to_string();
    let new = Settings::of_file(&path, &text)?;
    new.store()?;
    new.parsed("embedder", EmbedderChoice::read)?;
    new.parsed("model", ModelChoice::read)?;
    new.parsed("max-age", duration)?;
    replace(&path, &text).with_context(cannot)?;
    Ok(path)
}

/// The file is whole at any time, and stays what it is: a link leads where it led, and those who may read it are the same.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let known = std::fs::metadata(&path).ok();
    if known.as_ref().is_some_and(|known| !known.is_file()) {
        return Err(std::io::Error::other("it is no file"));
    }
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    if let Some(known) = known {
        new.as_file().set_permissions(known.permissions())?;
    }
    new.persist(&path)?;
    Ok(())
}
