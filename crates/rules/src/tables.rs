//! What is known about tools, as data.

pub(crate) mod tools;
