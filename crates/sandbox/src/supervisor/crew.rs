//! The threads that answer, and what keeps one that waits from keeping the others.
//!
//! Whoever is about to wait makes sure that somebody else listens. A thread that has become one too many
//! ends when it is done. What waits for a program that no longer waits is interrupted.

use super::{Shared, tracing};
use crate::sys::notify::Notification;
use crate::sys::remote;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The threads that answer.
#[derive(Debug, Default)]
pub(super) struct Crew {
    /// Threads that wait for a request.
    idle: AtomicUsize,
    /// Threads there are.
    all: AtomicUsize,
    /// Requests that were answered.
    answered: AtomicUsize,
    /// What is being answered.
    busy: Mutex<Vec<Busy>>,
    shared: Mutex<Weak<Shared>>,
}

#[derive(Clone, Debug)]
struct Busy {
    id: u64,
    target: u32,
    thread: i32,
    since: Instant,
    waits: Wait,
}

/// What an answer waits for.
#[derive(Clone, Debug)]
enum Wait {
    /// Nothing.
    No,
    /// Somebody, of whom the kernel tells.
    Somebody,
    /// Whoever writes to this pipe, who may have been there and gone.
    Writer(Arc<OwnedFd>),
}

impl Crew {
    /// Starts the first thread.
    pub(super) fn start(shared: &Arc<Shared>) -> Result<(), Errno> {
        let crew = &shared.crew;
        *crew.shared.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(shared);
        crew.add()
    }

    fn add(&self) -> Result<(), Errno> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        let shared = shared.ok_or(Errno::AGAIN)?;
        if self.all.fetch_add(1, Ordering::SeqCst) >= MOST {
            self.all.fetch_sub(1, Ordering::SeqCst);
            return Err(Errno::AGAIN);
        }
        let builder = std::thread::Builder::new().stack_size(STACK).name("supervisor".to_owned());
        let started = builder.spawn(move || {
            // Creations use the umask of whom they are for.
            if remote::own_umask().is_ok() && tracing::lower().is_ok() {
                shared.serve();
            }
            shared.crew.all.fetch_sub(1, Ordering::SeqCst);
        });
        if started.is_err() {
            self.all.fetch_sub(1, Ordering::SeqCst);
            return Err(Errno::AGAIN);
        }
        Ok(())
    }

    /// Receives while counted as idle; `None` when the thread is one too many.
    pub(super) fn receive<T>(&self, receive: impl FnOnce() -> T) -> Option<T> {
        if self.idle.fetch_add(1, Ordering::SeqCst) >= MOST_IDLE {
            self.idle.fetch_sub(1, Ordering::SeqCst);
            return None;
        }
        let received = receive();
        self.idle.fetch_sub(1, Ordering::SeqCst);
        Some(received)
    }

    /// Answers a request where the watch can see it.
    pub(super) fn answer<T>(&self, call: Notification, answer: impl FnOnce() -> T) -> T {
        thread_local! {
            static NUMBER: i32 = rustix::thread::gettid().as_raw_nonzero().get();
        }
        let thread = NUMBER.with(|number| *number);
        let busy = Busy {
            id: call.id,
            target: call.thread,
            thread,
            since: Instant::now(),
            waits: Wait::No,
        };
        self.busy().push(busy);
        let answered = answer();
        self.busy().retain(|busy| busy.id != call.id);
        if self.answered.fetch_add(1, Ordering::Relaxed) == ALONE {
            // If there cannot be more, this one goes on.
            self.add().ok();
        }
        answered
    }

    /// Runs what may wait for long.
    pub(super) fn while_waiting<T>(
        &self,
        call: Notification,
        wait: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.wait(call, Wait::Somebody, wait)
    }

    /// Runs what waits for a writer of a pipe, and interrupts it too when one [was there](was_written).
    pub(super) fn while_unwritten<T>(
        &self,
        call: Notification,
        pipe: Arc<OwnedFd>,
        wait: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.wait(call, Wait::Writer(pipe), wait)
    }

    fn wait<T>(
        &self,
        call: Notification,
        waits: Wait,
        wait: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.mark(call.id, waits);
        // SECURITY: one program that waits for a FIFO must not keep the others from being answered.
        // Pinned by `a_fifo_stalls_nobody_else`.
        if self.idle.load(Ordering::SeqCst) == 0 {
            self.add()?;
        }
        let outcome = wait();
        self.mark(call.id, Wait::No);
        outcome
    }

    /// Looks after what takes long. Called again and again.
    pub(super) fn watch(&self, shared: &Shared) {
        let busy: Vec<Busy> = self.busy().clone();
        let process = rustix::process::getpid().as_raw_nonzero().get();
        for Busy { id, target, thread, since, waits } in busy {
            let left = !shared.listener.is_waiting(id);
            let (waits, written) = match &waits {
                Wait::No => (false, false),
                Wait::Somebody => (true, false),
                Wait::Writer(pipe) => (true, was_written(pipe)),
            };
            if waits && (left || written || shared.is_interrupted(target)) {
                // Lost if the thread is not in its call yet; then the next round gets it.
                remote::signal_thread(process, thread, remote::INTERRUPT).ok();
            }
            if !waits && !left && since.elapsed() > DEADLINE {
                // Its memory or its directory does not answer: nobody needs to wait for that.
                shared.kill(id, target);
            }
        }
        if self.idle.load(Ordering::SeqCst) == 0 {
            self.add().ok();
        }
    }

    /// Whether anything is being answered.
    pub(super) fn is_busy(&self) -> bool {
        !self.busy().is_empty()
    }

    fn mark(&self, id: u64, waits: Wait) {
        if let Some(busy) = self.busy().iter_mut().find(|busy| busy.id == id) {
            busy.waits = waits;
            busy.since = Instant::now();
        }
    }

    fn busy(&self) -> std::sync::MutexGuard<'_, Vec<Busy>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody has written to a pipe, or opened it to write and closed it again, since this end of it
/// was opened without waiting; pipe(7).
pub(super) fn was_written(pipe: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(pipe, PollFlags::IN)];
    poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}

/// How often the watch looks while something is being answered.
pub(super) const WATCH: Duration = Duration::from_millis(20);
/// How long an answer may take that waits for nobody.
const DEADLINE: Duration = Duration::from_secs(10);
/// How many requests the first thread answers alone: most commands make few, and a thread takes longer to
/// start than a request.
const ALONE: usize = 64;
/// Threads that wait for requests; more end.
const MOST_IDLE: usize = 4;
/// Threads at all, each of which waits for one program.
const MOST: usize = 128;
/// The deepest stack holds a path, a name and a text: three times 4 KiB.
const STACK: usize = 128 * 1024;
