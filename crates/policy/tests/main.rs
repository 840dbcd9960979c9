//! Settings in, policy out.

mod bad_input;
mod common;
mod merging;
mod properties;
mod trust;
