//! Writes the man pages of clusterlore, one a command, into a folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

/// The page of the program under its other name is the same.
const PLUGIN: (&str, &str) = ("kubectl-lore.1", ".so man1/clusterlore.1\n");

fn main() -> ExitCode {
    let mut words = env::args_os().skip(1);
    let (Some(folder), None) = (words.next().map(PathBuf::from), words.next()) else {
        return failed(2, "usage: clusterlore-man FOLDER");
    };
    match write(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => failed(1, &format!("cannot write man pages into {}: {e}; name a folder", folder.display())),
    }
}

#[expect(clippy::print_stderr, reason = "a program")]
fn failed(status: u8, why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(status)
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(clusterlore_cli::command(), folder)?;
    fs::write(folder.join(PLUGIN.0), PLUGIN.1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_has_a_page_with_a_name_a_synopsis_and_its_options() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("new/man")).unwrap();
        let mut expected = BTreeSet::from(["clusterlore.1".to_owned(), "kubectl-lore.1".to_owned()]);
        let mut commands = vec![("clusterlore".to_owned(), clusterlore_cli::command())];
        while let Some((name, command)) = commands.pop() {
            expected.insert(format!("{name}.1"));
            let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
            commands.extend(shown.map(|sub| (format!("{name}-{}", sub.get_name()), sub.clone())));
        }
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(folder.path().join("new/man")).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let page = fs::read_to_string(entry.path()).unwrap();
            if name == PLUGIN.0 {
                assert_eq!(page, PLUGIN.1);
            } else {
                for part in [".SH NAME", ".SH SYNOPSIS", r"\fB\-\-help\fR"] {
                    assert!(page.contains(part), "{name} has no {part}:\n{page}");
                }
            }
            found.insert(name);
        }
        assert_eq!(found, expected);
        assert!(found.contains("clusterlore-search.1") && found.len() > 15, "{found:?}");
    }

    #[test]
    fn where_no_folder_can_be_nothing_is_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(write(&file.path().join("man")).is_err());
    }
}
