//! Data.

pub(crate) mod codes;
pub(crate) mod tools;
