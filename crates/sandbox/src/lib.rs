//! A profile to a running process, on Linux.
//!
//! In: a [`Request`]: a [`SandboxProfile`](portcullis_profile::SandboxProfile) and a command. Out: the
//! command's [`End`], what was [enforced](Enforcement), and what was denied on the way as [`Report`]s. This
//! crate never reads a policy and never decides: the profile says what holds. It is the only crate with
//! `unsafe`, all of it in [`sys`].
//!
//! Start with [`run`], or with [`prepare`] and [`Plan::launch`] where something has to happen between the
//! start and the end (serving [`Running::take_listeners`], showing the plan).
#![deny(clippy::wildcard_enum_match_arm)]

mod by_name;
mod capabilities;
mod changes;
mod disk;
mod ending;
mod environment;
mod expansion;
mod failure;
mod filter;
mod identity;
mod landlock;
mod launch;
mod layout;
mod mounts;
mod network;
mod plan;
mod probing;
mod report;
mod request;
mod running;
pub mod supervisor;
pub mod sys;
mod tables;
mod temporary;

pub use capabilities::{Backend, Capabilities, Enforcement, Guarantee, Holding};
pub use changes::{Change, Changes, How};
pub use ending::EndSignals;
pub use failure::Failure;
pub use plan::{Plan, prepare};
pub use probing::{probe, probe_now};
pub use report::Report;
pub use request::{Listener, MOST_LISTENERS, Request, SignalRelay, TEMPORARY, Transport, Writes};
pub use running::{End, Finished, Running, run};
pub use sys::{give_back_program, in_a_copy};
