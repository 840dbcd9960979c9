//! Being told to end, for a process that has something to clear up first.

use crate::{Failure, sys};
use rustix::event::{PollFd, PollFlags, poll};
use std::os::fd::{AsFd as _, OwnedFd};

/// The signals that ask a process to end, received instead of ending it: interrupt, terminate, hang-up.
#[derive(Debug)]
pub struct EndSignals(OwnedFd);

impl EndSignals {
    /// Receives them from now on. Threads that are started later leave them alone, so this comes first.
    ///
    /// What was ignored when the process started stays so, as `nohup` wants it.
    pub fn receive() -> Result<Self, Failure> {
        let ignored = ignored();
        let heard: Vec<libc::c_int> =
            ENDING.into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0).collect();
        let _before = sys::block_signals(&heard);
        let received = sys::signal_descriptor(&heard);
        received.map(Self).map_err(|errno| Failure::new(format!("cannot receive signals: {errno}")))
    }

    /// Waits for one.
    pub fn wait(&self) -> Result<(), Failure> {
        loop {
            let mut ready = [PollFd::new(&self.0, PollFlags::IN)];
            match poll(&mut ready, None) {
                Ok(_) if sys::take_signal(self.0.as_fd()).is_some() => return Ok(()),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => {
                    return Err(Failure::new(format!("cannot wait for signals: {errno}")));
                }
            }
        }
    }
}

/// The signals this process ignores, the first in the lowest bit; none where that cannot be told.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

const ENDING: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];
