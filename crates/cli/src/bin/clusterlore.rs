//! `clusterlore`: ask a Kubernetes cluster what is running, by meaning.

fn main() -> std::process::ExitCode {
    clusterlore_cli::main()
}
