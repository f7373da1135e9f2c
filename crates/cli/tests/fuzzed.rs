//! `serve` under requests that schemathesis makes of the OpenAPI document that it serves, most of them malformed: none is answered with a
//! fault of the server.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::process::Command;

use clusterlore_testkit::real;
use common::serving::Serving;
use common::{EXAMPLES, Home};

/// Seconds that requests are made for.
const SECONDS: &str = "60";

#[test]
fn no_request_is_a_fault_of_the_server() {
    let Some(schemathesis) = real::schemathesis_or_skip() else { return };
    let home = Home::new();
    home.run(&["index", "--from", EXAMPLES]).ok();
    let mut serving = Serving::start(&home, &["--no-watch", "--live", "never", "--rate", "100000"]);
    let document = format!("http://{}/api/v1/openapi.json", serving.address);
    let ran = Command::new(schemathesis)
        .args(["run", &document, "--checks", "not_a_server_error", "--phases", "coverage,fuzzing", "--seed", "1"])
        .args(["--max-time", SECONDS, "--max-examples", "100", "--request-timeout", "30", "--no-color"])
        .current_dir(home.path(""))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    let cases = told.lines().find(|line| line.contains(" generated, ")).unwrap();
    println!("{}", cases.trim());
    let made: usize = cases.split_whitespace().next().unwrap().parse().unwrap();
    assert!(made > 500, "{cases}");
    // It is still there, and ends as it should.
    assert_eq!(serving.get("/healthz").0, 200);
    assert_eq!(serving.end("-TERM"), Some(0));
}
