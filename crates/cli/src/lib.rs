//! The command line `portcullis`.
#![forbid(unsafe_code)]

pub mod codes;
pub mod console;
pub mod environment;
pub mod failure;
pub mod render;
mod tables;
