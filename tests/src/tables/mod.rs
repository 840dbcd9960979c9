//! Data the suites are made of.

pub mod data_only;
pub mod escapes;
pub mod shell;
pub mod stubs;
pub mod surroundings;
pub mod ways;
pub mod wire;
