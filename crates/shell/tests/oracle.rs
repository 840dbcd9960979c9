//! Execution oracle: whatever real bash runs or writes was predicted, or refused.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may panic, read files and run bash"
)]

mod support;

use portcullis_shell::{Program, hidden_commands};
use serde_json::Value;
use support::bash::{Answer, Observed, run};
use support::generator::{Dice, mutated, program, soup, substituted};
use support::{Slot, case_file, covers, predict, strict};

/// Builtins that run text or names given to them: crate facts knows them, this one does not.
const BUILTINS: &[&str] = &[
    "eval", "source", ".", "trap", "alias", "command", "builtin", "exec", "mapfile", "let", "read",
    "printf", "unset", "test", "[", "declare", "typeset", "local", "export", "readonly", "shopt",
    "set", "enable", "hash", "complete", "compgen", "bind", "wait", "getopts", "time", "cd",
    "pushd",
];

fn uses_builtin(program: &Program) -> bool {
    predict(program).commands.iter().any(|slots| {
        matches!(slots.first(), Some(Slot::Known(name)) if BUILTINS.contains(&name.as_str()))
    })
}

/// What bash did that nothing predicts.
fn surprises(program: &Program, observed: &Observed, extra: &[Vec<Slot>]) -> Vec<String> {
    let mut prediction = predict(program);
    prediction.commands.extend(extra.iter().cloned());
    let mut out = Vec::new();
    for argv in &observed.commands {
        if !prediction.commands.iter().any(|slots| covers(slots, argv)) {
            out.push(format!("ran {argv:?}"));
        }
    }
    for file in &observed.files {
        let written = prediction.redirects.iter().any(|(_, op, target)| {
            matches!(op.as_str(), ">" | ">>" | ">|" | "<>" | "&>" | "&>>" | ">&")
                && target.as_deref() == Some(file)
        });
        if !written {
            out.push(format!("wrote {file:?}"));
        }
    }
    out
}

/// Reads, runs, compares; the complaint where bash did something unforeseen.
fn check(text: &str) -> Option<String> {
    let program = strict(text);
    if !program.obstacles.is_empty() || uses_builtin(&program) {
        return None;
    }
    for answer in [Answer::Success, Answer::Failure] {
        let observed = run(text, answer)?;
        let surprises = surprises(&program, &observed, &[]);
        if !surprises.is_empty() {
            return Some(format!("{text:?} ({answer:?}): {}", surprises.join(", ")));
        }
    }
    None
}

fn check_many(seeds: std::ops::Range<u64>, make: impl Fn(&mut Dice) -> String) {
    let (mut wrong, mut read) = (Vec::new(), 0);
    for seed in seeds.clone() {
        let text = make(&mut Dice::new(seed));
        read += usize::from(strict(&text).obstacles.is_empty());
        wrong.extend(check(&text));
    }
    let many = usize::try_from(seeds.end - seeds.start).expect("a count");
    assert!(read * 50 > many, "only {read} of {many} programs could be read: nothing is tested");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_case_files_hold_no_surprise() {
    let mut wrong = Vec::new();
    for case in case_file("shell_cases.jsonl").into_iter().chain(case_file("shell_own.jsonl")) {
        let input = case["input"].as_str().expect("an input");
        let program = strict(input);
        let inner: Vec<Vec<Slot>> = case["inner"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .map(|words| {
                let slot = |word: &Value| match word {
                    Value::String(text) => Slot::Known(text.clone()),
                    _ => Slot::Many,
                };
                words.iter().map(slot).collect()
            })
            .collect();
        if !program.obstacles.is_empty() || case["verdict"] == "refuse" {
            continue;
        }
        for answer in [Answer::Success, Answer::Failure] {
            let Some(observed) = run(input, answer) else { continue };
            let surprises = surprises(&program, &observed, &inner);
            if !surprises.is_empty() {
                wrong.push(format!("{input:?} ({answer:?}): {}", surprises.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Texts made to hide a command, or to look as if they did.
fn attacks() -> Vec<&'static str> {
    include_str!("attacks.txt").split("\n%%%\n").collect()
}

#[test]
fn no_attack_holds_a_surprise() {
    let wrong: Vec<String> = attacks().into_iter().filter_map(check).collect();
    assert!(attacks().len() > 300, "attacks are missing");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_oracle_sees_what_is_hidden() {
    // The test of the tests: bash does run these, and the oracle does notice.
    for (text, name) in [("x='a[$(rm z)]'; ((x))", "rm"), ("eval two", "two")] {
        let observed = run(text, Answer::Success).expect("bash is there");
        let names: Vec<&str> = observed.commands.iter().map(|argv| argv[0].as_str()).collect();
        assert!(names.contains(&name), "{text}: {names:?}");
    }
    assert_eq!(run("one > f", Answer::Success).expect("bash is there").files, ["f"]);
    assert!(
        !surprises(&strict("two"), &run("one", Answer::Success).expect("bash"), &[]).is_empty()
    );
    assert_eq!(predict_script("a[$(rm z)]"), [["rm", "z"]]);
}

fn predict_script(text: &str) -> Vec<Vec<String>> {
    let mut prediction = support::Prediction::default();
    portcullis_shell::walk(&hidden_commands(text), &mut prediction);
    let known = |slot: &Slot| match slot {
        Slot::Known(word) => word.clone(),
        other => format!("{other:?}"),
    };
    prediction.commands.iter().map(|slots| slots.iter().map(known).collect()).collect()
}

#[test]
fn programs_by_grammar_hold_no_surprise() {
    check_many(0..300, program);
}

#[test]
fn token_soup_holds_no_surprise() {
    check_many(0..600, soup);
}

#[test]
fn here_documents_in_substitutions_hold_no_surprise() {
    check_many(0..300, substituted);
}

#[test]
fn mutated_attacks_hold_no_surprise() {
    let texts: Vec<String> = attacks().into_iter().map(str::to_owned).collect();
    check_many(0..400, |dice| mutated(dice, &texts));
}

/// `PORTCULLIS_LONG=1` takes minutes and looks much further.
#[test]
fn long_run() {
    if std::env::var_os("PORTCULLIS_LONG").is_none() {
        println!("SKIP long_run: set PORTCULLIS_LONG to look further for minutes");
        return;
    }
    check_many(1_000_000..1_010_000, soup);
    check_many(1_000_000..1_010_000, program);
    check_many(1_000_000..1_005_000, substituted);
    let texts: Vec<String> = attacks().into_iter().map(str::to_owned).collect();
    check_many(1_000_000..1_020_000, |dice| mutated(dice, &texts));
}
