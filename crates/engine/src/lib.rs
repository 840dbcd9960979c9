//! The one place where a decision is made.
//!
//! In: a [`Policy`](portcullis_policy::Policy), the [`Facts`](portcullis_facts::Facts) of a call and
//! what the disk answered. Out: a [`Verdict`](portcullis_model::Verdict) with a finding for every
//! subject. This crate never reads shell text, settings or disks, and holds no state.
//! Start with [`decide`].
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::wildcard_enum_match_arm)]

mod commands;
mod critical;
mod decide;
mod paths;
mod suggest;
pub mod tables;

pub use commands::suspended;
pub use decide::{Options, decide};
