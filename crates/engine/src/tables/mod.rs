//! What is built in, as data.

pub mod interpreters;
pub mod preapproved;
pub mod quiet;
