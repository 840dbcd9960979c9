//! Data: what kinds of findings there are, how denies are got around.

pub mod catalogue;
pub mod equivalents;
pub mod everyday;
pub mod mutators;
pub mod programs;
