//! Every probe that gets out as it is stays in behind the sandbox.
//!
//! `PORTCULLIS_FULL=1` runs both corpora as an ordinary user and as root, on each kind of machine;
//! otherwise one pass as an ordinary user on a whole machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_tests::escapes::world;
use portcullis_tests::{corpus, environment, sandboxed};
use std::process::Command;

#[test]
fn nothing_gets_out_of_the_full_boundary() {
    let who = if environment::everything() { "both" } else { "user" };
    hold("full", "full", who, &["escapes.jsonl", "escapes_own.jsonl"]);
}

#[test]
fn nothing_gets_out_with_the_proc_of_a_container() {
    let who = if environment::everything() { "both" } else { "user" };
    hold("shared-proc", "no-proc", who, &["escapes.jsonl"]);
}

#[test]
fn nothing_gets_out_without_user_namespaces() {
    let who = if environment::everything() { "both" } else { "user" };
    hold("landlock", "landlock", who, &["escapes.jsonl"]);
}

fn hold(machine: &str, level: &str, who: &str, corpora: &[&str]) {
    if let Some(reason) = world::unavailable() {
        return sandboxed::skip(&format!("escapes on a machine of kind {machine}"), &reason);
    }
    let portcullis = sandboxed::portcullis().unwrap();
    let with = format!("{} run --max-processes 300 --require {level} --", portcullis.display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_cases"));
    command.args(["escapes", "--with", &with, "--as", who, "--backend", machine]);
    command.arg("--show").arg(portcullis.parent().unwrap());
    command.args(corpora.iter().map(|name| corpus::shipped(name)));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{complaint}");
    // Most of the probes have to be seen leaking, or the runner is broken.
    let leaking: usize =
        text.lines().find_map(|line| line.strip_suffix(" leak as they are")?.parse().ok()).unwrap();
    assert!(leaking > 70, "{text}");
}

#[test]
fn the_corpora_are_large_enough() {
    let count = |name| {
        let probes = corpus::read::<portcullis_tests::escapes::Probe>(&corpus::shipped(name));
        probes.unwrap().len()
    };
    assert!(count("escapes.jsonl") >= 106);
    assert!(count("escapes_own.jsonl") >= 60);
}
