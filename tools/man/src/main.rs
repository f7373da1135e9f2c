//! Writes the man pages of clusterlore, one a command, into a folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use clap::Command;

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
    clap_mangen::generate_to(with_short_headings(clusterlore_cli::command()), folder)?;
    fs::write(folder.join(PLUGIN.0), PLUGIN.1)
}

/// A man page has its headings in capitals, and cannot have quotation marks in them: what stands in parentheses is left to the help.
fn with_short_headings(command: Command) -> Command {
    let command = command.mut_args(|arg| match arg.get_help_heading().and_then(|heading| heading.split_once(" (")) {
        Some((short, _)) => {
            // clap takes only what lives as long as the program, which ends soon.
            let short: &'static str = short.to_owned().leak();
            arg.help_heading(short)
        }
        None => arg,
    });
    command.mut_subcommands(with_short_headings)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;
    use std::process;

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
                let headings = page.lines().filter(|line| line.starts_with(".SH "));
                headings.for_each(|line| assert!(line.matches('"').count() <= 2, "{name}: {line}"));
                well_formed(&entry.path());
            }
            found.insert(name);
        }
        assert_eq!(found, expected);
        assert!(found.contains("clusterlore-search.1") && found.len() > 15, "{found:?}");
    }

    /// What prints man pages has nothing to complain of.
    #[allow(clippy::print_stdout, reason = "tests")]
    fn well_formed(page: &Path) {
        match process::Command::new("groff").args(["-k", "-ww", "-z", "-mandoc", "-Tutf8"]).arg(page).output() {
            Ok(checked) => {
                assert!(checked.status.success() && checked.stderr.is_empty(), "{}: {checked:?}", page.display());
            }
            Err(e) => println!("groff does not run ({e}): {} is not checked", page.display()),
        }
    }

    #[test]
    fn where_no_folder_can_be_nothing_is_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(write(&file.path().join("man")).is_err());
    }
}
