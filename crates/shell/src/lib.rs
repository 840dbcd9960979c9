//! Command text to the commands bash would run: syntax only.
//!
//! In: the command string of a Bash call. Out: a [`Program`], the tree of everything bash could run
//! from it, with every reason why it could not be read in full. This crate never runs anything,
//! knows no program names but the words that bash's grammar itself treats specially, and knows no
//! rules. Start with [`parse`].
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::wildcard_enum_match_arm)]

mod ansi;
mod arithmetic;
mod assign;
mod backquote;
mod brace;
mod builder;
mod command;
mod compound;
mod expansion;
mod gate;
mod heredoc;
mod integers;
mod ir;
mod lossy;
mod operand;
mod parse;
mod plain;
mod print;
mod reader;
mod redirect;
mod second_reader;
mod test_command;
mod trace;
mod visit;
mod word;

pub use ir::{
    AndOr, Arith, Arm, Assign, AssignValue, Command, Compound, Connector, Descriptor, Expansion,
    HereDoc, Obstacle, Part, Pipeline, Program, Redirect, RedirectOp, Script, Simple, Statement,
    SubstForm, Target, Word,
};
pub use parse::{MAX_CHARACTERS, MAX_DEPTH, Options, SecondReader, hidden_commands, parse};
pub use print::print;
pub use second_reader::node_kinds;
pub use visit::{Visit, walk};
