//! The proxy's corpus, over real sockets and a fake outside.

use portcullis_tests::case::{self, Case as _};
use portcullis_tests::corpus;
use portcullis_tests::proxy::cases::ProxyCase;

#[test]
fn decides_every_case_as_it_must() {
    let mut cases = corpus::read::<ProxyCase>(&corpus::shipped("proxy_cases.jsonl")).unwrap();
    assert!(cases.len() > 250, "the cases are gone");
    cases.retain(|case| match case.skipped() {
        Some(why) => {
            println!("SKIP {}: {why}", case.id());
            false
        }
        None => true,
    });
    assert!(cases.len() >= 221, "more is skipped than needs what is not built");
    let tally = case::run(&cases, &corpus::deviations().unwrap());
    let failures: String = tally.failures.iter().map(case::Failure::describe).collect();
    assert!(tally.failures.is_empty(), "{failures}{}{}", tally.table(), tally.summary());
}
