//! The execution oracle: what bash really runs and creates is what was predicted, or was refused.
//!
//! Programs are the shell corpus, generated ones, and broken variants of both. The suite prints how
//! many of them were read in full; `PORTCULLIS_PROGRAMS` and `PORTCULLIS_SEED` choose others.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_model::{Decision, Reason};
use portcullis_tests::bash::Ending;
use portcullis_tests::case::percent;
use portcullis_tests::choices::Choices;
use portcullis_tests::evaluate::{self, Answer};
use portcullis_tests::observe::{self, Observation, observe};
use portcullis_tests::programs::{self, NAMES};
use portcullis_tests::shell_cases::{ShellCase, bash_call};
use portcullis_tests::{corpus, cover, environment, parallel};
use serde_json::json;

#[test]
fn the_corpus_is_covered() {
    let programs: Vec<_> = corpus_inputs().into_iter().filter(|each| is_harmless(each)).collect();
    let report = check(&programs);
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n---\n"));
}

#[test]
fn generated_programs_are_covered() {
    let mut choices = Choices::Seeded(environment::seed(2));
    let many = environment::programs() / 2;
    let programs: Vec<_> = (0..many).map(|_| programs::generate(&mut choices)).collect();
    let report = check(&programs);
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n---\n"));
    // The oracle proves nothing about what is refused, or about programs that run nothing.
    assert!(percent(report.read, programs.len()) >= 30.0, "only {} are read in full", report.read);
    assert!(percent(report.active, programs.len()) >= 60.0, "only {} run anything", report.active);
}

#[test]
fn broken_programs_are_covered() {
    let mut choices = Choices::Seeded(environment::seed(3));
    let inputs = corpus_inputs();
    let mut programs = Vec::new();
    while programs.len() < environment::programs() / 2 {
        let whole = if choices.one_in(2) {
            choices.pick(&inputs).clone()
        } else {
            programs::generate(&mut choices)
        };
        let broken = programs::mutate(&mut choices, &whole);
        if is_harmless(&broken) {
            programs.push(broken);
        }
    }
    let report = check(&programs);
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n---\n"));
}

/// Of the programs bash takes for correct, at most this share may be called broken, in percent.
/// What stands between backquotes bash reads only when it runs it, so some of these are broken.
const CALLED_BROKEN: f64 = 0.5;

#[test]
fn what_bash_accepts_is_not_called_broken() {
    let mut choices = Choices::Seeded(environment::seed(6));
    let many = environment::programs() / 5;
    let programs: Vec<_> = (0..many).map(|_| programs::generate(&mut choices)).collect();
    let readings = parallel::map(&programs, |program| {
        let accepted = observe::accepts(program).unwrap();
        (accepted, accepted && is_called_broken(program))
    });
    let accepted = readings.iter().filter(|(accepted, _)| *accepted).count();
    let broken = programs.iter().zip(readings).filter(|(_, (_, broken))| *broken);
    let mut examples: Vec<_> = broken.map(|(program, _)| program.as_str()).collect();
    let count = examples.len();
    examples.sort_by_key(|program| program.len());
    examples.truncate(10);
    assert!(
        percent(count, accepted) <= CALLED_BROKEN,
        "{count} of {accepted}, such as\n{}",
        examples.join("\n---\n")
    );
}

/// Not what it carries as text, which bash reads when it runs it.
fn is_called_broken(program: &str) -> bool {
    let obstacles =
        portcullis_shell::parse(program, &portcullis_shell::Options::default()).obstacles;
    let broken = [Reason::SyntaxError, Reason::Unterminated];
    obstacles.iter().any(|obstacle| broken.contains(&obstacle.reason))
}

#[derive(Default)]
struct Report {
    wrong: Vec<String>,
    read: usize,
    active: usize,
}

/// How many failures are worth the time to shrink them.
const SHRUNK: usize = 5;

fn check(programs: &[String]) -> Report {
    let mut report = Report::default();
    let outcomes = parallel::map(programs, |program| check_one(program));
    for (program, outcome) in programs.iter().zip(outcomes) {
        if !outcome.wrong.is_empty() && report.wrong.len() < SHRUNK {
            let small = programs::shrink(program, |text| {
                is_harmless(text) && !check_one(text).wrong.is_empty()
            });
            report.wrong.extend(check_one(&small).wrong);
        } else {
            report.wrong.extend(outcome.wrong);
        }
        report.read += outcome.read;
        report.active += outcome.active;
    }
    report
}

fn check_one(program: &str) -> Report {
    let seen = observe(program).unwrap();
    let answer = evaluate::ask_with_facts(&bash_call(program)).unwrap();
    let read = answer.unanalyzable.is_empty();
    let mut wrong = Vec::new();
    if read {
        wrong.extend(uncovered(program, &seen, &answer));
    }
    wrong.extend(undenied(program, &seen));
    // What does not end may still have run what it ran; only its log may be torn.
    let active = !seen.commands.is_empty() && seen.ending == Ending::Done;
    Report { wrong, read: read.into(), active: active.into() }
}

/// What bash did and a program that was read in full did not predict.
fn uncovered(program: &str, seen: &Observation, answer: &Answer) -> Option<String> {
    let predicted = cover::with_carried(&answer.commands);
    let command = seen.commands.iter().find(|argv| !cover::any(&predicted, argv));
    if let Some(argv) = command {
        return Some(format!("bash ran {argv:?}, predicted {:?}\n{program}", answer.commands));
    }
    let file =
        seen.files.iter().find(|file| !answer.redirects.iter().any(|each| opens(each, file)))?;
    Some(format!("bash made {file:?}, predicted {:?}\n{program}", answer.redirects))
}

/// Whatever could be read or not: a command that bash ran is not allowed once it is denied.
fn undenied(program: &str, seen: &Observation) -> Option<String> {
    let name = seen.commands.iter().filter_map(|argv| argv.first());
    let name = name.max_by_key(|name| NAMES.iter().position(|known| known == name))?;
    if !NAMES.contains(&name.as_str()) {
        return None;
    }
    let mut call = bash_call(program);
    let rules = json!({ "allow": ["Bash"], "deny": [format!("Bash({name} *)")] });
    call.as_object_mut()?.insert("settings".to_owned(), json!({ "permissions": rules }));
    let decision = evaluate::ask(&call).unwrap().decision;
    (decision == Decision::Allow)
        .then(|| format!("bash ran {name}, which is denied, and the call is allowed\n{program}"))
}

/// Whether a redirect may create this file. `cd` may have changed what its target is relative to.
fn opens(redirect: &evaluate::Redirect, file: &str) -> bool {
    let Some(target) = &redirect.target else { return true };
    let target = target.trim_start_matches("./");
    file == target || file.ends_with(&format!("/{target}"))
}

fn corpus_inputs() -> Vec<String> {
    let mut cases = corpus::read::<ShellCase>(&corpus::shipped("shell_cases.jsonl")).unwrap();
    cases.extend(corpus::read::<ShellCase>(&corpus::shipped("shell_own.jsonl")).unwrap());
    cases.iter().map(|case| case.input().to_owned()).collect()
}

/// Bash opens network connections for these, and cannot be given a NUL.
fn is_harmless(program: &str) -> bool {
    !program.contains("/dev/tcp") && !program.contains("/dev/udp") && !program.contains('\0')
}
