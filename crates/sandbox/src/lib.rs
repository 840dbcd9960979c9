//! A profile to a running process, on Linux.
//!
//! In: a [`SandboxProfile`](portcullis_profile::SandboxProfile) and a command. Out: the command's end,
//! what was enforced, and what was denied on the way. This crate never reads a policy and never decides:
//! the profile says what holds. It is the only crate with `unsafe`, all of it in [`sys`].
#![deny(clippy::wildcard_enum_match_arm)]

pub mod supervisor;
pub mod sys;
