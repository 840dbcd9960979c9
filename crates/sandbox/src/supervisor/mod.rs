//! Opens, creates, renames and connects on behalf of the sandboxed processes, by name.
//!
//! In: a listener of the [`filter`], the rules, a view of `/proc`. Out: answers, and a [`Denial`] for every
//! access that was not to be. The kernel holds a program's call while the supervisor looks at the name *it*
//! copied, opens the file *it* found, and hands over that very file: nothing the program changes meanwhile
//! can make a difference. If the supervisor dies, the held calls fail with `ENOSYS`.
//! Start with [`Supervisor::run`].

mod crew;
mod entries;
pub mod filter;
mod judge;
mod metadata;
mod open;
mod rename;
pub mod report;
mod resolve;
mod send;
mod serve;
mod short;
mod socket;
pub mod tables;
mod target;
mod terminals;
mod tracing;
mod umasks;
mod worktree;

pub use filter::Guards;
pub use report::{Denial, ReportReader, ReportWriter};

use crate::sys::notify::Listener;
use crate::sys::remote;
use crew::Crew;
use portcullis_profile::{CompiledFiles, Sockets};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Resource, Signal, pidfd_open, pidfd_send_signal};
use socket::Reachable;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use umasks::Umasks;

/// Everything a supervisor needs.
///
/// It runs in a process of its own: inside the sandbox's mount namespace and Landlock domain, so that it
/// can open no more than the floor allows; outside its process namespace, so that it cannot be seen or
/// killed from inside; in the session of the command, so that `/dev/tty` is the same.
#[derive(Debug)]
pub struct Supervisor {
    /// The listener the filter's installation returned.
    pub listener: OwnedFd,
    /// `/proc` of the supervisor's own process namespace, opened with `O_PATH`. The Landlock domain must
    /// allow reading files below it.
    pub proc: OwnedFd,
    /// What may be done to which names.
    pub files: CompiledFiles,
    /// Which sockets may be connected to.
    pub sockets: Sockets,
    /// Where denials are told.
    pub reports: ReportWriter,
    /// What the sandbox is like.
    pub surroundings: Surroundings,
}

/// What the supervisor has to know of the sandbox around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Who else hears an abstract unix address.
    pub abstract_sockets: AbstractSockets,
    /// Whether processes may make namespaces of their own, and so have another root than the sandbox's.
    pub nested: bool,
    /// Whose terminals are in `/dev/pts`.
    pub terminals: Terminals,
}

/// Whose terminals can be named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Terminals {
    /// Those of the host too: only the own ones are opened.
    #[default]
    Everyones,
    /// Only those made inside.
    Own,
}

/// Who hears an abstract unix address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AbstractSockets {
    /// The host: such addresses are denied.
    #[default]
    Shared,
    /// Only the sandbox: its network namespace is its own.
    Isolated,
}

impl Supervisor {
    /// Answers requests until every process under the filter has ended. The caller then ends the process:
    /// threads may still wait for something that no longer matters.
    pub fn run(self) -> io::Result<()> {
        let listener = Listener::new(self.listener)?;
        // Only a matter of speed: kernels before 6.6 do not have it.
        let _wakes_here = listener.wake_on_same_processor();
        remote::make_interruptible()?;
        raise_file_limit();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptors = openat(&self.proc, c"self/fd", flags, Mode::empty())?;
        let shared = Arc::new(Shared {
            listener,
            proc: self.proc,
            descriptors,
            files: self.files,
            sockets: Reachable::new(self.sockets),
            reports: self.reports,
            surroundings: self.surroundings,
            crew: Crew::default(),
            umasks: Umasks::default(),
            names: RwLock::new(()),
        });
        Crew::start(&shared)?;
        shared.watch()
    }
}

/// What all threads share.
#[derive(Debug)]
struct Shared {
    listener: Listener,
    proc: OwnedFd,
    /// Our own `/proc/self/fd`.
    descriptors: OwnedFd,
    files: CompiledFiles,
    sockets: Reachable,
    reports: ReportWriter,
    surroundings: Surroundings,
    crew: Crew,
    umasks: Umasks,
    /// Held shared while names are made, alone while they are moved.
    names: RwLock<()>,
}

/// What a program is told.
#[derive(Debug)]
enum Answer {
    /// A return value.
    Value(i64),
    /// A descriptor for this file, to read; whether it closes on exec.
    File(OwnedFd, bool),
    /// The same for a file whose last close is felt.
    FileToWrite(OwnedFd, bool),
    /// Whatever the kernel makes of the call.
    Proceed,
}

impl Shared {
    /// Looks after the crew until the listener is the last to know of the filter.
    fn watch(&self) -> io::Result<()> {
        let pause = i64::try_from(crew::WATCH.as_nanos()).unwrap_or(20_000_000);
        let pause = Timespec { tv_sec: 0, tv_nsec: pause };
        let rest = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };
        let mut settled = false;
        loop {
            let timeout = if self.crew.is_busy() { &pause } else { &rest };
            if self.hangs_up_within(timeout)? {
                return Ok(());
            }
            self.crew.watch(self);
            if !settled && !self.crew.is_busy() {
                settled = true;
                crate::sys::give_back_program();
            }
        }
    }

    /// Whether every process under the filter has ended.
    fn is_over(&self) -> bool {
        self.hangs_up_within(&Timespec { tv_sec: 0, tv_nsec: 0 }).unwrap_or(true)
    }

    fn hangs_up_within(&self, timeout: &Timespec) -> io::Result<bool> {
        let mut polled = [PollFd::new(&self.listener, PollFlags::empty())];
        match poll(&mut polled, Some(timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [listener] = &polled;
        Ok(listener.revents().contains(PollFlags::HUP))
    }

    /// Keeps names from being moved while one is made or removed.
    fn names_in_use(&self) -> RwLockReadGuard<'_, ()> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a signal waits that the thread would handle: then its call would have been interrupted.
    fn is_interrupted(&self, thread: u32) -> bool {
        let status = self.status(thread).unwrap_or_default();
        let caught = !status.mask("SigBlk:") & status.mask("SigCgt:");
        (status.mask("SigPnd:") | status.mask("ShdPnd:")) & caught != 0
    }

    /// What an interrupted call of the thread ends with.
    fn interruption(&self, thread: u32) -> Errno {
        let status = self.status(thread).unwrap_or_default();
        let caught = !status.mask("SigBlk:") & status.mask("SigCgt:");
        let alone = status.field("Threads:") == "1";
        let pending = status.mask("SigPnd:") | if alone { status.mask("ShdPnd:") } else { 0 };
        // The kernel turns ERESTARTSYS into EINTR or a new start, as the handler wants, but only while it
        // delivers a signal to this thread. Where another thread may take the signal first, it is EINTR.
        if pending & caught != 0 { Errno::from_raw_os_error(ERESTARTSYS) } else { Errno::INTR }
    }

    /// `/proc/TID/status` in our own `/proc`.
    fn status(&self, thread: u32) -> Result<Status, Errno> {
        self.proc_text(&format!("{thread}/status")).map(Status)
    }

    fn proc_text(&self, path: &str) -> Result<String, Errno> {
        let file = openat(&self.proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut buffer = [0; 4096];
        let length = rustix::io::read(&file, &mut buffer)?;
        Ok(String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned())
    }

    /// Ends a process whose call cannot be answered.
    fn kill(&self, id: u64, thread: u32) {
        let pid = i32::try_from(thread).ok().and_then(Pid::from_raw);
        let Some(pid) = pid else { return };
        // A descriptor for the process, then the look whether it is still the one: never the other way.
        let Ok(process) = pidfd_open(pid, PidfdFlags::from_bits_retain(PIDFD_THREAD)) else {
            return;
        };
        if self.listener.is_waiting(id) {
            pidfd_send_signal(&process, Signal::KILL).ok();
        }
    }
}

/// The text of a `/proc/TID/status`.
#[derive(Debug, Default)]
struct Status(String);

impl Status {
    /// What stands after a key, without the space around it.
    fn field(&self, key: &str) -> &str {
        let line = self.0.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_default().trim()
    }

    fn mask(&self, key: &str) -> u64 {
        u64::from_str_radix(self.field(key), 16).unwrap_or_default()
    }
}

/// Every call held at once needs a few descriptors; the limit is that of the program's caller.
fn raise_file_limit() {
    let mut limit = rustix::process::getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    rustix::process::setrlimit(Resource::Nofile, limit).ok();
}

/// Inside the kernel: interrupted, start again unless the handler does not want that.
const ERESTARTSYS: i32 = 512;
/// `PIDFD_THREAD` (6.9): the number may be that of a thread that does not lead its process.
const PIDFD_THREAD: u32 = 0o200;
