//! The command tables: one row a program, reviewed like a table.

pub mod builtins;
pub(crate) mod changed;
pub mod environment;
mod git;
pub mod git_options;
pub mod interpreters;
mod interpreters_sed;
pub(crate) mod names;
mod other;
pub(crate) mod payloads;
pub(crate) mod payloads_git;
pub(crate) mod payloads_search;
mod readers;
pub mod rows;
mod system;
pub mod tools;
pub(crate) mod variables;
pub mod vectors;
pub(crate) mod wrappers;
pub(crate) mod wrappers_grammar;
pub(crate) mod wrappers_shells;
mod writers;

pub use rows::{Effect, Key, Operands, Row, Special, find, lenient_starts, program};
