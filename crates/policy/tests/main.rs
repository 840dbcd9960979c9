//! Settings in, policy out.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod bad_input;
mod common;
mod merging;
mod native_file;
mod properties;
mod trust;
