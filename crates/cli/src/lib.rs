//! The program: flags in, the other rooms put together, answers out. Only here are environment variables read and lines printed.

mod addresses;
mod advice;
mod answer;
mod args;
mod build;
mod commands;
mod complete;
mod config_file;
mod done;
mod editor;
mod folder;
mod following;
mod inbox;
mod jsonpath;
mod narrow;
mod picker;
mod print;
mod program;
mod renewal;
mod settings;
mod stop;
mod talk;
mod telemetry;
mod unknown;
mod wide;

use mimalloc::MiMalloc;

pub use program::{command, main};

/// A sync makes and drops millions of small strings, on several threads: a fifth of its time was the system's allocator. That of musl, with
/// which releases are linked, is slower still.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
