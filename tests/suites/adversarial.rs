//! Hostile and benign calls.

use portcullis_model::Decision;
use portcullis_tests::adversarial::Adversarial;
use portcullis_tests::case::{self, Case};
use portcullis_tests::{corpus, evaluate};

/// What all groups together have to reach, in percent.
const ALL_TOGETHER: f64 = 99.0;

#[test]
fn gives_the_verdict_each_call_must_get() {
    let cases = corpus::read::<Adversarial>(&corpus::shipped("adversarial.jsonl")).unwrap();
    let tally = case::run(&cases, &corpus::deviations().unwrap());
    let failures: String = tally.failures.iter().map(case::Failure::describe).collect();
    assert!(
        tally.total().percent() >= ALL_TOGETHER,
        "{failures}{}{}",
        tally.table(),
        tally.summary()
    );
    assert!(tally.stale.is_empty(), "listed, but no longer deviating: {:?}", tally.stale);
}

#[test]
fn allows_nothing_it_must_not() {
    let cases = corpus::read::<Adversarial>(&corpus::shipped("adversarial.jsonl")).unwrap();
    let forbidden = cases.iter().filter(|case| case.forbids_allow());
    let mut wrong = Vec::new();
    for case in forbidden {
        if evaluate::ask(&case.call()).unwrap().decision == Decision::Allow {
            wrong.push(case.id());
        }
    }
    assert!(wrong.is_empty(), "wrongly allowed, whatever a deviation says: {wrong:?}");
}

/// Ways around a rule that were found by attacking it, each mended.
#[test]
fn what_once_got_through_is_stopped() {
    let cases = corpus::read::<Adversarial>(&corpus::shipped("attacks.jsonl")).unwrap();
    assert!(cases.len() > 50, "the cases are gone");
    let mut wrong = Vec::new();
    for case in &cases {
        if case.forbids_allow() && evaluate::ask(&case.call()).unwrap().decision == Decision::Allow
        {
            wrong.push(case.id());
        }
    }
    assert!(wrong.is_empty(), "allowed again: {wrong:?}");
}

/// Ordinary work that was once asked about for nothing.
#[test]
fn what_is_ordinary_stays_allowed() {
    let cases = corpus::read::<Adversarial>(&corpus::shipped("attacks.jsonl")).unwrap();
    let ordinary: Vec<_> = cases.iter().filter(|case| case.demands_allow()).collect();
    assert!(ordinary.len() > 5, "the cases are gone");
    let mut wrong = Vec::new();
    for case in ordinary {
        if evaluate::ask(&case.call()).unwrap().decision != Decision::Allow {
            wrong.push(case.id());
        }
    }
    assert!(wrong.is_empty(), "asked again: {wrong:?}");
}
