//! What was denied.

use std::ffi::OsString;

/// One denied access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// When, in milliseconds since the epoch.
    pub time: u64,
    /// What denied it.
    pub layer: Layer,
    /// What was tried.
    pub operation: Operation,
    /// The path, address or call as the program gave it.
    pub asked: OsString,
    /// Where that leads, where it is known to be elsewhere.
    pub resolved: Option<OsString>,
    /// What denies it and where that is written, as text.
    pub origin: String,
    /// The process, by its number outside.
    pub pid: u32,
    /// The name of its program.
    pub program: OsString,
}

/// What denied an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The rules about files.
    Files,
    /// The rules about unix sockets.
    Sockets,
    /// The rules about hosts.
    Network,
    /// The table of system calls.
    SystemCalls,
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reading.
    Read,
    /// Writing, creating, renaming, removing, or changing metadata.
    Write,
    /// Connecting to a socket or sending to one.
    Connect,
    /// Any other call.
    Call,
}
