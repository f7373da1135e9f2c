//! Settings from flags, environment and file, as a user meets them.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{EXAMPLES, Home, Ran};

const FILE: &str = ".config/clusterlore/clusterlore.toml";

#[test]
fn the_file_is_read_and_the_environment_and_flags_come_before_it() {
    let home = Home::new();
    home.write(FILE, "store = \"sqlite:of-the-file.db\"\n");
    home.run(&["sync-instances", "--from", EXAMPLES]).ok();
    assert!(home.path("of-the-file.db").exists() && !home.store().exists());

    let sync = ["sync-instances", "--from", EXAMPLES];
    let ran = home.command(&sync).env("CLUSTERLORE_STORE", "sqlite:of-the-environment.db").output().unwrap();
    Ran::of(ran).ok();
    assert!(home.path("of-the-environment.db").exists());

    let flags = [&sync[..], &["--store", "sqlite:of-a-flag.db"]].concat();
    let ran = home.command(&flags).env("CLUSTERLORE_CHROMA_URL", "http://127.0.0.1:9").output().unwrap();
    Ran::of(ran).ok();
    assert!(home.path("of-a-flag.db").exists());

    let other = home.write("other.toml", "store = \"sqlite:of-another-file.db\"\n");
    home.run(&[&sync[..], &["--config", other.to_str().unwrap()]].concat()).ok();
    assert!(home.path("of-another-file.db").exists());
}
