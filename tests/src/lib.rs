//! The test kit: reads the corpora, asks the evaluator, and compares.
//!
//! In go corpus files and generated calls; out come tallies, each miss with both views. The kit asks
//! only through [`evaluate`], the same JSON Lines that `portcullis check --batch` speaks, so the
//! insides of the product can change without touching a case. Start at [`case::run`].

#![forbid(unsafe_code)]
#![expect(clippy::indexing_slicing, reason = "an index out of bounds fails the test it serves")]

pub mod adversarial;
pub mod bash;
pub mod case;
pub mod choices;
pub mod conformance;
pub mod corpus;
pub mod cover;
pub mod environment;
pub mod escapes;
pub mod evaluate;
pub mod evasion;
pub mod fuzzing;
pub mod observe;
pub mod parallel;
pub mod programs;
pub mod properties;
pub mod proxy;
pub mod reference;
pub mod samples;
pub mod sandboxed;
pub mod shell_cases;
pub mod tables;
pub mod terminal;
pub mod tree;
pub mod wide_policies;
pub mod world;
