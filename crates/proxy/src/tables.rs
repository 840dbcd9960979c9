//! Data.

pub(crate) mod environment;
