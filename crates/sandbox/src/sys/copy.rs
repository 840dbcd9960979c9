//! A copy of this process that does one thing.

use super::kernel::{self, Side};
use rustix::process::Pid;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does `work` in a copy of this process, which ends with the status that `work` returns, or 101 when it
/// panics; what it has written and not flushed is lost. It has every descriptor, and its own copy of the
/// memory: what fails in it does not fail here.
///
/// # Errors
///
/// Where this process has other threads, which the copy would lack with what they hold, or cannot tell,
/// or where there can be no other process.
pub fn in_a_copy(work: impl FnOnce() -> u8) -> io::Result<Pid> {
    match kernel::fork_alone()? {
        Side::Parent(pid) => Ok(pid),
        Side::Child => {
            let status = catch_unwind(AssertUnwindSafe(work)).unwrap_or(PANICKED);
            kernel::end(status)
        }
    }
}

/// What a Rust program ends with that panics.
const PANICKED: u8 = 101;
