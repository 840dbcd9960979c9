//! Command strings, with the commands and files bash was seen to run and open.

use portcullis_tests::case;
use portcullis_tests::corpus;
use portcullis_tests::shell_cases::ShellCase;

#[test]
fn reads_every_command_as_bash_runs_it() {
    let mut cases = corpus::read::<ShellCase>(&corpus::shipped("shell_cases.jsonl")).unwrap();
    cases.extend(corpus::read::<ShellCase>(&corpus::shipped("shell_own.jsonl")).unwrap());
    let tally = case::run(&cases, &corpus::deviations().unwrap());
    let failures: String = tally.failures.iter().map(case::Failure::describe).collect();
    assert!(tally.failures.is_empty(), "{failures}{}{}", tally.table(), tally.summary());
    assert!(tally.stale.is_empty(), "listed, but no longer deviating: {:?}", tally.stale);
}
