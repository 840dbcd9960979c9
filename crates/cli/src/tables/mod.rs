//! Data.

pub mod codes;
pub mod tools;
