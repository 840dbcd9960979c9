//! The reference client's decisions, call by call.

use portcullis_tests::case;
use portcullis_tests::conformance::Conformance;
use portcullis_tests::corpus;

/// What every suite has to reach, in percent.
const EVERY_SUITE: f64 = 97.0;
/// What all suites together have to reach, in percent.
const ALL_TOGETHER: f64 = 99.0;

#[test]
fn decides_as_the_reference_client() {
    let cases = corpus::read::<Conformance>(&corpus::shipped("conformance/claude-code")).unwrap();
    let tally = case::run(&cases, &corpus::deviations().unwrap());
    let weak = tally.suites.values().any(|count| count.percent() < EVERY_SUITE);
    assert!(
        !weak && tally.total().percent() >= ALL_TOGETHER,
        "every suite needs {EVERY_SUITE} %, all together {ALL_TOGETHER} %\n{}{}",
        tally.table(),
        tally.summary(),
    );
    assert!(tally.stale.is_empty(), "listed, but no longer deviating: {:?}", tally.stale);
}
