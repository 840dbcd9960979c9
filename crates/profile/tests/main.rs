//! What a profile means.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod agreement;
mod deriving;
mod environment;
mod paths;
