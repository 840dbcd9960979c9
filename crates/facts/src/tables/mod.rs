//! The command tables: one row a program, reviewed like a table.

pub mod builtins;
pub mod environment;
pub mod git_options;
pub mod interpreters;
mod interpreters_sed;
pub(crate) mod payloads;
pub(crate) mod payloads_git;
pub(crate) mod payloads_search;
pub mod tools;
pub(crate) mod wrappers;
pub(crate) mod wrappers_grammar;
pub(crate) mod wrappers_shells;
