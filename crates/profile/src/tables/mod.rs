//! What is built in, as data.

pub(crate) mod credentials;
pub(crate) mod devices;
pub(crate) mod git;
pub(crate) mod names;
pub(crate) mod variables;
