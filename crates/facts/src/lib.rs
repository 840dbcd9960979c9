//! A tool call to what it would do.
//!
//! In: a `ToolCall` and, for Bash, the `Program` read from its command. Out: [`Facts`]: commands with
//! wrappers peeled, files read and written, hosts, and a list of questions about paths that only a
//! disk can answer. This crate never does I/O, and knows no rules and no settings.
//! Start with [`gather`]; the command tables are in [`tables`].
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::wildcard_enum_match_arm)]

mod arg;
mod arith;
mod changes;
mod command;
mod descriptors;
mod doubt;
mod expand;
mod facts;
mod forms;
mod gather;
mod globs;
mod guess;
mod handed;
mod inspect;
mod option_files;
mod outputs;
mod payload;
mod peel;
mod place;
mod redirect;
mod runs;
mod search;
mod set;
mod spelling;
mod state;
mod stranger;
pub mod tables;
mod walk;
mod web;

pub use arg::Arg;
pub use facts::{
    AccessFact, Accessor, Action, Answers, AssignmentFact, CdFact, CommandFact, Facts, Form, Found,
    HostFact, ObstacleFact, Origin, Place, Probe, Real, RedirectFact, RemovalFact, RemovalTarget,
    Weight,
};
pub use gather::gather;
pub use globs::{glob_directory, glob_may_match};
pub use inspect::{Access, Inspection, NotReadOnly, PathUse, Removal, RemovalKind, inspect};
pub use option_files::option_file;
pub use peel::{Inner, Peeled, Strength, peel};
