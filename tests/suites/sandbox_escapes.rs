//! Every probe that gets out as it is stays in behind the sandbox.
//!
//! `PORTCULLIS_FULL=1` runs both corpora as an ordinary user and as root, on each kind of machine, and
//! shows anew on each that the probes leak; otherwise as an ordinary user, and they are shown to leak once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_tests::escapes::{Identity, fixture, world};
use portcullis_tests::{corpus, environment, sandboxed};
use std::process::Command;

#[test]
fn nothing_gets_out_of_the_full_boundary() {
    // Nothing is named, which asks for all of it. Named, a file with a second name refuses to run.
    hold("full", &[]);
}

#[test]
fn nothing_gets_out_with_the_proc_of_a_container() {
    hold("shared-proc", &["--require", "no-proc"]);
}

#[test]
fn nothing_gets_out_without_user_namespaces() {
    hold("landlock", &["--require", "landlock"]);
}

#[test]
fn a_second_name_refuses_where_everything_is_required() {
    sandboxed::test("a_second_name_refuses_where_everything_is_required", || {
        fixture::plant(Identity::User).unwrap();
        let run = |options: &[&str]| {
            let command = sandboxed::behind(Identity::User, options, &["/bin/true"]);
            let output = command.unwrap().output().unwrap();
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let required = ["--require", "full"];
        assert_eq!(run(&required).0, Some(0));
        fixture::plant_second_name().unwrap();
        let (status, complaint) = run(&required);
        assert!(complaint.contains("prelinked-src` has 2 names"), "{complaint}");
        assert_eq!((status, complaint.lines().count()), (Some(125), 1), "{complaint}");
        assert_eq!(run(&[]).0, Some(0));
    })
    .unwrap();
}

fn hold(machine: &str, level: &[&str]) {
    if let Some(reason) = world::unavailable() {
        return sandboxed::skip(&format!("escapes on a machine of kind {machine}"), &reason);
    }
    let portcullis = sandboxed::portcullis().unwrap();
    let level = level.join(" ");
    let with = format!("{} run {level} --", portcullis.display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_cases"));
    let who = if environment::everything() { "both" } else { "user" };
    let shown = machine != "full" && !environment::everything();
    command.args(["escapes", "--with", &with, "--as", who, "--backend", machine]);
    if shown {
        command.arg("--shown");
    }
    command.arg("--show").arg(portcullis.parent().unwrap());
    command.args(["escapes.jsonl", "escapes_own.jsonl"].map(corpus::shipped));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    // A runner that is killed says nothing, and its status tells why.
    assert!(output.status.success(), "{}: {text}{complaint}", output.status);
    // Most of the probes have to be seen leaking, or the runner is broken.
    let count = |words| text.lines().find_map(|line| line.strip_suffix(words)?.parse().ok());
    let (leaking, passed) = (count(" leak as they are"), count(" passed, 0 failed"));
    assert!(shown || leaking.is_some_and(|leaking: usize| leaking > 200), "{text}");
    assert!(passed.is_some_and(|passed: usize| passed > 250), "{text}");
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
