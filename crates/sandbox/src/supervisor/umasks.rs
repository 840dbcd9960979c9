//! The umasks of threads, read from `/proc` and remembered for a moment.
//!
//! Reading one costs more than the creation it is for. A call of `umask` anywhere forgets all of them, and
//! for a while nothing is remembered, because the call takes effect only after it was seen.

use rustix::io::Errno;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Umasks(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    known: BTreeMap<u32, (u32, Instant)>,
    forgot: Option<Instant>,
}

impl Umasks {
    /// The umask of a thread; `read` reads it where it is not remembered.
    pub(super) fn get_or_read(
        &self,
        thread: u32,
        read: impl FnOnce() -> Result<u32, Errno>,
    ) -> Result<u32, Errno> {
        let started = Instant::now();
        if let Some((umask, at)) = self.lock().known.get(&thread)
            && started.duration_since(*at) < REMEMBERED
        {
            return Ok(*umask);
        }
        let umask = read()?;
        let mut remembered = self.lock();
        let unsettled = remembered.forgot.is_some_and(|at| at + UNSETTLED > started);
        if !unsettled {
            if remembered.known.len() >= MOST {
                remembered.known.clear();
            }
            remembered.known.insert(thread, (umask, started));
        }
        Ok(umask)
    }

    /// Forgets everything: some umask is about to change.
    pub(super) fn forget(&self) {
        let mut remembered = self.lock();
        remembered.known.clear();
        remembered.forgot = Some(Instant::now());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a umask is remembered: shorter than it takes to use up the numbers of threads.
const REMEMBERED: Duration = Duration::from_secs(1);
/// How long after a call of `umask` nothing is remembered.
const UNSETTLED: Duration = Duration::from_millis(100);
/// Threads that are remembered.
const MOST: usize = 1024;
