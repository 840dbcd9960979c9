//! Command text to the commands bash would run: syntax only.
//!
//! In: the command string of a Bash call. Out: a [`Program`], the tree of everything bash could run
//! from it, with every reason why it could not be read in full. This crate never runs anything,
//! knows no program names but the shell's reserved words, and knows no rules.
//! Start with [`parse`].
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::wildcard_enum_match_arm)]

mod ir;

pub use ir::{
    AndOr, Arith, Arm, Assign, AssignValue, Command, Compound, Connector, Descriptor, Expansion,
    HereDoc, Obstacle, Part, Pipeline, Program, Redirect, RedirectOp, Script, Simple, Statement,
    SubstForm, Target, Word,
};

/// Stand-in until the reader lands.
#[derive(Debug, Default, Clone)]
pub struct Options {}
/// Stand-in until the reader lands.
pub fn parse(_text: &str, _options: &Options) -> Program {
    Program { script: Script::default(), obstacles: vec![], lossy: vec![], second_opinion: vec![], display_flags: vec![] }
}
