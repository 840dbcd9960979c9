//! Data: what kinds of findings there are, what programs can be made to do, how denies are got around.

pub mod catalogue;
pub mod equivalents;
pub mod everyday;
pub mod mutators;
pub mod programs;
pub mod vectors;
