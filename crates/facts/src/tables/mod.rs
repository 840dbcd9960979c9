//! The command tables: one row a program, reviewed like a table.

pub mod builtins;
pub mod environment;
pub mod git_options;
pub mod interpreters;
pub mod payloads;
pub mod tools;
pub mod wrappers;
