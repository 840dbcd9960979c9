//! Being told to end, for a process that has something to clear up first.

use crate::{Failure, sys};
use rustix::event::{PollFd, PollFlags, poll};
use std::os::fd::{AsFd as _, OwnedFd};

/// The signals that ask a process to end, received instead of ending it: interrupt, terminate, hang-up.
#[derive(Debug)]
pub struct EndSignals(OwnedFd);

impl EndSignals {
    /// Receives them from now on. Threads that are started later leave them alone, so this comes first.
    pub fn receive() -> Result<Self, Failure> {
        let _before = sys::block_signals(&ENDING);
        let received = sys::signal_descriptor(&ENDING);
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

const ENDING: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];
