//! The shared case file and our own, as far as syntax goes.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may panic, read files and run bash"
)]

mod support;

use portcullis_shell::Program;
use serde_json::Value;
use std::collections::BTreeSet;
use support::{Slot, both, case_file, predict};

/// Reasons that need to know what programs do.
const FACTS: &[&str] = &[
    "shell-option",
    "env-hijack",
    "eval-family",
    "source",
    "name-operand",
    "declare-attribute",
    "cwd-unknown",
    "wrapper-option",
    "exec-wrapper",
    "interpreter-code",
    "interpreter-stdin",
    "interpreter-dynamic",
    "config-exec",
    "remote",
    "privilege",
    "exec-redirect",
    "shadowed",
    // Not a reason of ours: a list of many commands is slow to answer, not unreadable.
    "too-many-commands",
];

/// Cases whose reason is syntactic elsewhere and here takes knowledge of a program.
const NEEDS_PROGRAMS: &[&str] = &["arith-007", "arith-008"];

/// The shared case file and our own, line by line.
fn cases() -> Vec<Value> {
    let mut cases = case_file("shell_cases.jsonl");
    cases.extend(case_file("shell_own.jsonl"));
    cases
}

fn fits(slot: &Slot, want: &Value) -> bool {
    match (slot, want) {
        (Slot::Known(word), Value::String(text)) => word == text,
        (Slot::One(..), Value::Null) | (Slot::Many, Value::Object(_) | Value::Null) => true,
        _ => false,
    }
}

fn same_command(slots: &[Slot], want: &Value) -> bool {
    let want = want.as_array().expect("a command is a list");
    // Neighbours that may be any number of words are one.
    let mut slots = slots.to_vec();
    slots.dedup_by(|one, two| *one == Slot::Many && *two == Slot::Many);
    slots.len() == want.len() && slots.iter().zip(want).all(|(slot, want)| fits(slot, want))
}

/// A command the case wants and nothing covers.
fn missing<'a>(commands: &[Vec<Slot>], want: &'a [Value]) -> Option<&'a Value> {
    let mut left: Vec<&Vec<Slot>> = commands.iter().collect();
    for one in want {
        match left.iter().position(|slots| same_command(slots, one)) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => return Some(one),
        }
    }
    None
}

fn reasons(program: &Program) -> BTreeSet<&'static str> {
    program.obstacles.iter().map(|obstacle| obstacle.reason.name()).collect()
}

#[test]
fn every_case_reads_as_it_should() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for case in cases() {
        let id = case["id"].as_str().expect("an id");
        let input = case["input"].as_str().expect("an input");
        let program = both(input);
        let prediction = predict(&program);
        let reasons = reasons(&program);
        let want = case["commands"].as_array().expect("commands");
        let inner = case["inner"].as_array().map_or(&[][..], Vec::as_slice);
        // Commands that only unwrapping shows are listed in both places.
        let syntactic: Vec<Value> =
            want.iter().filter(|one| !inner.contains(one)).cloned().collect();
        checked += 1;
        if case["verdict"] == "ok" {
            if !reasons.is_empty() {
                wrong.push(format!("{id} {input:?}: {:?}", program.obstacles));
            }
            if prediction.commands.len() != syntactic.len()
                || missing(&prediction.commands, &syntactic).is_some()
            {
                wrong.push(format!("{id} {input:?}: commands {:?}", prediction.commands));
            }
            let want: Vec<(Option<String>, String, Option<String>)> = case["redirects"]
                .as_array()
                .expect("redirects")
                .iter()
                .map(|one| {
                    let text = |key: &str| one[key].as_str().map(str::to_owned);
                    (text("fd"), text("op").unwrap_or_default(), text("target"))
                })
                .collect();
            let mut got = prediction.redirects.clone();
            let mut sorted = want.clone();
            got.sort();
            sorted.sort();
            if got != sorted {
                wrong.push(format!("{id} {input:?}: redirects {:?}", prediction.redirects));
            }
            if let Some(assigns) = case["assigns"].as_array() {
                let assigns: Vec<_> = assigns.iter().filter_map(Value::as_str).collect();
                let loops = input.starts_with("for ");
                if prediction.assigns != assigns && !loops {
                    wrong.push(format!("{id} {input:?}: assigns {:?}", prediction.assigns));
                }
            }
        } else {
            let reason = case["reason"].as_str().expect("a reason");
            if FACTS.contains(&reason) || NEEDS_PROGRAMS.contains(&id) {
                continue;
            }
            if !reasons.contains(reason) {
                wrong.push(format!("{id} {input:?}: {reason} is not in {reasons:?}"));
            }
            let seen: BTreeSet<String> = prediction
                .commands
                .iter()
                .flatten()
                .filter_map(|slot| match slot {
                    Slot::Known(word) => Some(word.clone()),
                    Slot::One(..) | Slot::Many => None,
                })
                .chain(program.second_opinion.iter().flatten().cloned())
                .collect();
            for word in syntactic.iter().filter_map(Value::as_array).flatten() {
                if let Some(word) = word.as_str()
                    && !seen.contains(word)
                    && !program.lossy.iter().flatten().any(|lossy| lossy == word)
                {
                    wrong.push(format!("{id} {input:?}: {word} is not among {seen:?}"));
                }
            }
        }
    }
    assert!(checked > 200, "the case file is nearly empty");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
