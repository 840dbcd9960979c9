//! Data.

pub(crate) mod codes;
pub(crate) mod policies;
pub(crate) mod tools;
