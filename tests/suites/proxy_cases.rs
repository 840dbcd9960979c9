//! The proxy's corpus, over real sockets and a fake outside.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_tests::case::{self, Case as _};
use portcullis_tests::corpus;
use portcullis_tests::proxy::cases::ProxyCase;

#[test]
fn decides_every_case_as_it_must() {
    let mut cases = read("proxy_cases.jsonl");
    assert!(cases.len() > 250, "the cases are gone");
    cases.retain(|case| match case.skipped() {
        Some(why) => {
            println!("SKIP {}: {why}", case.id());
            false
        }
        None => true,
    });
    assert!(cases.len() >= 221, "more is skipped than needs what is not built");
    passes(&cases);
}

#[test]
fn decides_our_own_cases_as_it_must() {
    let cases = read("proxy_own.jsonl");
    assert!(cases.len() >= 40, "the cases are gone");
    let skipped: Vec<_> = cases.iter().filter(|case| case.skipped().is_some()).collect();
    assert!(skipped.is_empty(), "{skipped:?}");
    passes(&cases);
}

fn read(name: &str) -> Vec<ProxyCase> {
    corpus::read(&corpus::shipped(name)).unwrap()
}

fn passes(cases: &[ProxyCase]) {
    let tally = case::run(cases, &corpus::deviations().unwrap());
    let failures: String = tally.failures.iter().map(case::Failure::describe).collect();
    assert!(tally.failures.is_empty(), "{failures}{}{}", tally.table(), tally.summary());
}
