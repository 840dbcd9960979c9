//! Tests beside a policy: what its author expects of it, checked by the evaluator itself.
//!
//! In: a file `policy.test.toml` and the settings it is about. Out: for each check whether it holds,
//! and for each rule whether any check would notice that it is gone.

pub mod format;
pub mod run;
