//! Placeholder.
#![forbid(unsafe_code)]

pub mod claude_code;
pub mod install;
pub mod log;
