//! Settings layers to one policy.
//!
//! In: the text of every settings source ([`Layer`]) and the directories paths start at ([`Place`]).
//! Out: one [`Policy`] with every rule, switch and sandbox entry that counts, each with the place it
//! is written at, and a [`Diagnostic`] for everything that does not count. This crate never reads a
//! file, never parses shell and never decides a call; it never fails and never drops a deny or ask:
//! what it cannot read closes what it might have meant ([`Closed`]). Start with [`assemble`].
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::wildcard_enum_match_arm)]

mod assemble;
mod credentials_reading;
mod diagnostic;
mod entries;
mod json;
mod keys;
mod layer;
mod native_file;
mod permissions;
mod policy;
mod reading;
mod sandbox;
mod sandbox_reading;
mod switches;

pub use assemble::assemble;
pub use diagnostic::{Diagnostic, Severity};
pub use layer::{Layer, Place};
pub use policy::{
    Closed, Directory, FileTool, HeldBack, Native, Policy, PolicyRule, PrivateAddresses, Rules,
};
pub use sandbox::{
    AwsPair, CredentialFile, CredentialVariable, Credentials, ExcludedCommand, Filesystem,
    IgnoredViolations, Mask, Network, OnNoMatch, Passage, Protection, Sandbox, SandboxDomain,
    SandboxPath, Setting, Sigv4, TlsTermination,
};
