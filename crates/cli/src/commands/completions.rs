//! `clusterlore completions SHELL`

use clap::ValueEnum;

use crate::args::{Completions, CompletionsFor};
use crate::complete;
use crate::done::Done;
use crate::print;

/// kubectl runs a program of this name with what is typed behind `kubectl lore`.
const FOR_KUBECTL: &str = "#!/bin/sh
# Save this as kubectl_complete-lore in a folder of PATH, and make it executable.
exec kubectl-lore completions kubectl -- \"$@\"
";

pub(crate) fn run(flags: &Completions) -> anyhow::Result<Done> {
    match (flags.shell, &flags.words[..]) {
        (CompletionsFor::Kubectl, []) => print::script(FOR_KUBECTL)?,
        (CompletionsFor::Kubectl, words) => print::script(&complete::for_kubectl(words.to_vec()).join("\n"))?,
        (shell, _) => {
            let shell = shell.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            print::script(&String::from_utf8_lossy(&complete::script(&shell)?))?;
        }
    }
    Ok(Done::Whole)
}
