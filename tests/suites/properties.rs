//! What has to hold for every policy and every call, tried on many of both.
//!
//! `PORTCULLIS_CASES` says on how many; a failure is shrunk to the fewest choices that show it.

use portcullis_tests::choices::Choices;
use portcullis_tests::environment;
use portcullis_tests::parallel;
use portcullis_tests::properties::{self, Property};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

#[test]
fn properties_hold() {
    let broken: Vec<_> =
        parallel::map(properties::ALL, |(name, property)| try_on_many(name, *property))
            .into_iter()
            .flatten()
            .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

fn try_on_many(name: &str, property: Property) -> Option<String> {
    let config =
        Config { cases: environment::cases(), failure_persistence: None, ..Config::default() };
    let seed = environment::seed(4).to_le_bytes().repeat(4);
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let result = TestRunner::new_with_rng(config, random).run(&vec(any::<u8>(), 0..300), |bytes| {
        property(&mut Choices::Bytes(&bytes)).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(reason, bytes)) => Some(format!("{name}: {reason}\nchoices {bytes:?}")),
        Err(TestError::Abort(reason)) => Some(format!("{name}: aborted, {reason}")),
    }
}
