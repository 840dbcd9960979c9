//! One permission rule: its text, its matchers and the automata behind them.
//!
//! In: the text of one rule and the list it stands in. Out: a [`Rule`] with a matcher that answers
//! exactly, for known texts and for sets of possible texts. This crate never reads settings files,
//! never parses shell and never decides a call. Start with [`Rule::parse`].
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::wildcard_enum_match_arm)]

pub mod automaton;
mod command;
mod destination;
mod domain;
mod error;
mod glob;
mod host;
mod name;
mod path;
mod rule;
pub mod tables;
mod tool;

pub use command::{CommandPattern, CommandSet};
pub use destination::{
    Breadth, DestinationPattern, DomainEntry, DomainList, EntryDoubt, EntryNote, strict_port,
};
pub use domain::DomainPattern;
pub use error::{RuleError, RuleWarning};
pub use glob::{Glob, Match};
pub use host::{Host, HostName, HostProblem};
pub use name::NamePattern;
pub use path::{
    Anchors, NameGlob, PathMatcher, PathPart, PathPattern, PathProblem, PathSet, escape_path,
    fold_name, path_parts,
};
pub use rule::{Rule, Specifier};
pub use tool::{ToolPattern, canonical as canonical_tool, did_you_mean, known_tools};
