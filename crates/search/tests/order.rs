//! The folders import in the order of a question. That no two files import each other: `testing/tests/structure.rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

use clusterlore_testkit::structure;

#[test]
fn folders_import_in_the_order_of_a_question() {
    let order = ["yardstick.rs", "query", "retrieve", "rank", "error.rs", "judge.rs", "answer", "lib.rs"];
    let place = |file: &Path| {
        let first = file.iter().next().unwrap();
        order.iter().position(|name| *name == first).unwrap_or_else(|| panic!("{file:?} has no place in the order"))
    };
    let imports = structure::imports(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    for (file, imported) in &imports {
        for other in imported {
            assert!(place(other) <= place(file), "{file:?} imports {other:?}");
        }
    }
    let count: usize = imports.values().map(BTreeSet::len).sum();
    assert!(count > 50, "only {count} imports: are they read?");
}
