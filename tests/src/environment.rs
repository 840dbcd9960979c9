//! The environment variables that steer a test run, all of them.

use std::env;
use std::path::PathBuf;

/// A number that decides everything random; each suite has its own default.
pub fn seed(default: u64) -> u64 {
    number("PORTCULLIS_SEED").unwrap_or(default)
}

/// How many cases each property is tried on (`PORTCULLIS_CASES`).
pub fn cases() -> u32 {
    number("PORTCULLIS_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(500)
}

/// How many generated programs the execution oracle runs (`PORTCULLIS_PROGRAMS`).
pub fn programs() -> usize {
    number("PORTCULLIS_PROGRAMS").and_then(|many| usize::try_from(many).ok()).unwrap_or(5_000)
}

/// Whether to run everything rather than a sample (`PORTCULLIS_FULL=1`).
pub fn everything() -> bool {
    number("PORTCULLIS_FULL").is_some_and(|value| value != 0)
}

/// The `portcullis` to test (`PORTCULLIS_BINARY`); without it, one is built.
pub fn binary() -> Option<PathBuf> {
    env::var_os("PORTCULLIS_BINARY").map(PathBuf::from)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}
