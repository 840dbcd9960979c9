//! The supervisor alone: real programs under the real filter, no namespaces.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and a program under test talks through what it prints"
)]

mod differential;
mod files;
mod races;
mod sockets;
mod support;
