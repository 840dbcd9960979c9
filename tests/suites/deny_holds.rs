//! A deny holds: what is denied does not run, however it is written and wherever it stands.
//!
//! Every way to write a command stands in every place; real bash says whether it runs there. Of
//! those that run, none may be allowed. `PORTCULLIS_FULL=1` runs the whole product, otherwise a
//! seeded sample (`PORTCULLIS_SEED`) in which every way and every place occurs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_model::Decision;
use portcullis_tests::case::percent;
use portcullis_tests::choices::Choices;
use portcullis_tests::evasion::{Programs, write};
use portcullis_tests::tables::data_only::DATA_ONLY;
use portcullis_tests::tables::surroundings::{Embedding, NOT_TAKEN, SURROUNDINGS};
use portcullis_tests::tables::ways::WAYS;
use portcullis_tests::{environment, evaluate, parallel, world};
use serde_json::json;
use std::collections::BTreeMap;

/// Of the programs that run the command, this share has to be denied rather than asked about.
const DENIED: f64 = 90.0;
/// The copy of the program in the working directory, which globs and paths find.
const CURL: &str = "/r/project/curl";
/// How many places a sample puts every way in, beside standing alone.
const SAMPLE: usize = 9;

#[test]
fn whatever_runs_it_is_not_allowed() {
    let programs = Programs::new().unwrap();
    let attempts = attempts();
    let outcomes = parallel::map(&attempts, |attempt| {
        (programs.run_curl(&attempt.program).unwrap(), judge(&attempt.program))
    });

    let mut denied = 0;
    let mut ran = 0;
    let mut allowed = BTreeMap::<&str, Vec<&str>>::new();
    let mut asked = BTreeMap::<&str, u32>::new();
    let mut idle = Vec::new();
    for (attempt, (runs, decision)) in attempts.iter().zip(&outcomes) {
        if !runs {
            if attempt.alone {
                idle.push(attempt.program.as_str());
            }
            continue;
        }
        ran += 1;
        match decision {
            Decision::Deny => denied += 1,
            Decision::Ask => *asked.entry(attempt.kind).or_default() += 1,
            Decision::Allow => allowed.entry(attempt.way).or_default().push(&attempt.program),
        }
    }
    let share = percent(denied, ran);
    let list: Vec<_> = allowed
        .iter()
        .map(|(way, programs)| {
            format!("{way}\n  in {} places, such as {:?}", programs.len(), programs[0])
        })
        .collect();
    assert!(list.is_empty(), "of {ran} programs that run it, allowed:\n{}", list.join("\n"));
    assert!(share >= DENIED, "only {share:.1} % of {ran} are denied; asked by kind: {asked:?}");
    // The harness itself: alone, every way runs, but for the few whose interpreter is not installed.
    assert!(
        idle.len() <= 6,
        "{} ways prove nothing, bash does not run them: {idle:#?}",
        idle.len()
    );
    assert!(percent(ran, attempts.len()) >= 85.0, "only {ran} of {} run", attempts.len());
}

#[test]
fn the_tables_are_large_enough() {
    assert!(WAYS.iter().map(|(_, ways)| ways.len()).sum::<usize>() >= 120);
    assert!(SURROUNDINGS.len() >= 30);
}

#[test]
fn a_branch_that_is_not_taken_counts() {
    let mut wrong = Vec::new();
    for place in NOT_TAKEN {
        for way in ["curl -V", "c''url -V", "\\curl -V", "timeout 5 curl -V", "env A=1 curl -V"] {
            let program = write(way, Embedding::Verbatim, place).unwrap();
            let decision = judge(&program);
            if decision != Decision::Deny {
                wrong.push((program, decision));
            }
        }
    }
    assert!(wrong.is_empty(), "not denied: {wrong:#?}");
}

#[test]
fn data_is_neither_denied_nor_asked_about() {
    let wrong: Vec<_> = DATA_ONLY
        .iter()
        .map(|program| (program, judge(program)))
        .filter(|(_, decision)| *decision != Decision::Allow)
        .collect();
    assert!(wrong.is_empty(), "nothing in these runs it: {wrong:#?}");
}

#[test]
fn data_does_not_run_it() {
    let programs = Programs::new().unwrap();
    for program in DATA_ONLY {
        assert!(!programs.run_curl(program).unwrap(), "this is not data: {program}");
    }
}

struct Attempt {
    kind: &'static str,
    way: &'static str,
    program: String,
    alone: bool,
}

fn attempts() -> Vec<Attempt> {
    let everything = environment::everything();
    let mut choices = Choices::Seeded(environment::seed(1));
    let mut attempts = Vec::new();
    // Places take turns, so that a sample holds each of them about equally often.
    let mut turn = choices.below(SURROUNDINGS.len());
    for (kind, ways) in WAYS {
        for way in *ways {
            for (index, (embedding, place)) in SURROUNDINGS.iter().enumerate() {
                let ahead = (index + SURROUNDINGS.len() - turn) % SURROUNDINGS.len();
                if index == 0 || everything || ahead < SAMPLE {
                    let program = write(way, *embedding, place).unwrap();
                    attempts.push(Attempt { kind, way, program, alone: index == 0 });
                }
            }
            turn = (turn + SAMPLE) % SURROUNDINGS.len();
        }
    }
    attempts
}

fn judge(program: &str) -> Decision {
    let call = json!({
        "tool_name": "Bash",
        "tool_input": { "command": program },
        "cwd": world::PROJECT,
        "project_root": world::PROJECT,
        "home": world::HOME,
        "settings": { "permissions": { "allow": ["Bash"], "deny": ["Bash(curl *)"] } },
        "fs": { "dirs": [world::PROJECT, world::HOME], "files": [CURL], "symlinks": {} },
    });
    evaluate::ask(&call).unwrap().decision
}
