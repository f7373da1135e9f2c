//! Flags before the command, as kubectl takes them: `-n shop search databases`.

use std::ffi::OsString;

use clap::Command;

/// The same words with the command first, where flags stand before it. Words in which no command is found stay as they are.
pub(crate) fn command_first(program: &Command, words: Vec<OsString>) -> Vec<OsString> {
    let Some(at) = command_at(program, &words) else { return words };
    let mut ordered = words;
    // Behind the name of the program.
    ordered[1..=at].rotate_right(1);
    ordered
}

/// Where the command stands: the first word that is one, and no value of the flag before it.
fn command_at(program: &Command, words: &[OsString]) -> Option<usize> {
    let mut value = false;
    for (at, word) in words.iter().enumerate().skip(1) {
        let word = word.to_str()?;
        if std::mem::take(&mut value) {
            continue;
        }
        match word.strip_prefix('-') {
            Some("" | "-") => return None,
            Some(_) => value = takes_value(program, word),
            None => return program.find_subcommand(word).map(|_| at),
        }
    }
    None
}

/// Whether the next word is the value of this flag, in whichever command has it.
fn takes_value(program: &Command, flag: &str) -> bool {
    let args = || program.get_arguments().chain(program.get_subcommands().flat_map(Command::get_arguments));
    match (flag.strip_prefix("--"), flag.strip_prefix('-')) {
        (Some(long), _) => {
            !long.contains('=') && args().any(|arg| arg.get_long() == Some(long) && arg.get_action().takes_values())
        }
        // Of several short ones in a word the last may take the next word; one that takes a value takes what follows in the word.
        (None, Some(shorts)) => {
            let takes =
                |short: char| args().any(|arg| arg.get_short() == Some(short) && arg.get_action().takes_values());
            let mut chars = shorts.chars();
            let first = chars.find(|short| takes(*short));
            first.is_some() && chars.next().is_none()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Args;

    #[test]
    fn flags_may_stand_before_the_command() {
        let program = Args::command();
        for (words, ordered) in [
            ("-n shop search x", "search -n shop x"),
            ("-n search search x -A", "search -n search x -A"),
            ("-nshop search search", "search -nshop search"),
            ("--namespace=shop -A count", "count --namespace=shop -A"),
            ("-v -o json search x", "search -v -o json x"),
            ("-o=json search x", "search -o=json x"),
            ("search -n shop x", "search -n shop x"),
            ("--help", "--help"),
            ("--help search", "search --help"),
            ("-n shop nothing", "-n shop nothing"),
            ("-- search", "-- search"),
            ("", ""),
        ] {
            let all: Vec<OsString> =
                ["clusterlore"].into_iter().chain(words.split_whitespace()).map(Into::into).collect();
            let said: Vec<String> =
                command_first(&program, all).iter().skip(1).map(|word| word.to_str().unwrap().to_owned()).collect();
            assert_eq!(said.join(" "), ordered);
        }
    }
}
