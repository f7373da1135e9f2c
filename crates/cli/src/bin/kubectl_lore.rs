//! `kubectl lore`: the same program as a kubectl plugin.

fn main() -> std::process::ExitCode {
    clusterlore_cli::main()
}
