//! What is known about tools, as data.

pub mod protected;
pub(crate) mod tools;
