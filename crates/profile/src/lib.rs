//! Policy and place to the boundary a command runs in, as data.
//!
//! In: a [`Policy`](portcullis_policy::Policy) and a [`Place`]. Out: a [`SandboxProfile`] in which every
//! path, host, socket and variable names where it is written. This crate never touches a disk, never
//! looks at a command and knows no kernel: what a profile says, `sandbox` makes hold.
//! Start with [`SandboxProfile`].
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::wildcard_enum_match_arm)]

mod compiled;
mod derive;
mod environment;
mod files;
mod judge;
mod origin;
mod place;
mod sandbox_profile;
mod tables;

pub use compiled::{CompiledFiles, Exact, StateSet};
pub use environment::{Variables, sentinel};
pub use files::{
    Access, Component, Effect, FileRule, Files, Judgement, Kind, PathGlob, Reach, Standing,
};
pub use origin::Origin;
pub use place::Place;
pub use sandbox_profile::{
    Environment, Hidden, Limits, NetworkAccess, SandboxProfile, Sockets, VariableRule,
};
