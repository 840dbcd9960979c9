//! A process that outlives the launcher for a moment, to clear up after it.

use super::kernel::{self, Side};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, Result};
use rustix::process::{DumpableBehavior, Pid};
use std::os::fd::{AsRawFd, OwnedFd};

/// Starts a process that waits until `launcher`, a handle of this process, has ended, and then clears up.
/// It hears no signal but `SIGKILL`, is no part of our job and session, and has none of our descriptors.
pub(crate) fn keep_after(
    launcher: &OwnedFd,
    visible_memory: [(usize, usize); 2],
    clear_up: impl FnOnce(),
) -> Result<Pid> {
    match kernel::fork()? {
        Side::Parent(pid) => Ok(pid),
        Side::Child => {
            if wait_for_end(launcher, visible_memory).is_ok() {
                clear_up();
            }
            kernel::end(0)
        }
    }
}

fn wait_for_end(launcher: &OwnedFd, visible_memory: [(usize, usize); 2]) -> Result<()> {
    kernel::block_signals_but_interrupt();
    // SECURITY: our copy of the launcher's variables may hold secrets.
    visible_memory.iter().copied().for_each(kernel::wipe);
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // Whoever signals the launcher's group means the launcher; whoever waits for the end of a pipe must not
    // wait for us.
    rustix::process::setsid()?;
    let number = u32::try_from(launcher.as_raw_fd()).ok().ok_or(Errno::BADF)?;
    if number > 0 {
        kernel::close_range(0, number - 1)?;
    }
    kernel::close_range(number.saturating_add(1), u32::MAX)?;
    let mut ends = [PollFd::new(launcher, PollFlags::IN)];
    loop {
        match poll(&mut ends, None) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}
