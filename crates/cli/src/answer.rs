//! What a person answers at the terminal to a question of ours.

use std::io::{self, BufRead, Read};

/// Bytes of an answer that are read.
const LONGEST: u64 = 256;

/// Reads a line of standard input. Everything but "yes" is no.
///
/// # Errors
/// Standard input cannot be read.
pub(crate) async fn is_yes() -> io::Result<bool> {
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().take(LONGEST).read_line(&mut line).map(|_| line)
    });
    Ok(line.await??.trim().eq_ignore_ascii_case("yes"))
}
