//! What a profile means.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_collect,
    reason = "a test fails by panicking, and its lists are short"
)]

mod agreement;
mod deriving;
mod environment;
mod paths;
