//! Settings in, policy out.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod bad_input;
mod common;
mod merging;
mod properties;
mod trust;
