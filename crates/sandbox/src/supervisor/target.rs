//! The thread that made a call: what it wrote, where it stands, how it is set up.

use super::tracing::with_tracing;
use super::{Shared, Status};
use crate::sys::notify::Notification;
use crate::sys::remote;
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

/// One held call and the thread that made it.
#[derive(Debug)]
pub(super) struct Target<'s> {
    pub(super) shared: &'s Shared,
    pub(super) call: Notification,
}

/// Where a relative path starts.
#[derive(Debug)]
pub(super) enum Base {
    /// The path is absolute.
    Root,
    /// An object, in most cases a directory, opened with `O_PATH`.
    Object(OwnedFd),
}

impl Target<'_> {
    /// An argument as the 32-bit integer most of them are.
    pub(super) fn integer(&self, index: usize) -> i32 {
        let bytes = self.argument(index).to_ne_bytes();
        let (low, high) = bytes.split_at(4);
        let half = if cfg!(target_endian = "little") { low } else { high };
        half.first_chunk::<4>().map_or(0, |half| i32::from_ne_bytes(*half))
    }

    /// An argument.
    pub(super) fn argument(&self, index: usize) -> u64 {
        self.call.arguments.get(index).copied().unwrap_or_default()
    }

    /// Copies the path an argument points to, once: every later step works on the copy.
    pub(super) fn path(&self, index: usize) -> Result<CString, Errno> {
        self.text(self.argument(index), LONGEST_PATH, Errno::NAMETOOLONG)
    }

    /// Copies a text that ends within `limit` bytes, its NUL included.
    pub(super) fn text(&self, start: u64, limit: usize, longer: Errno) -> Result<CString, Errno> {
        let mut bytes = [0_u8; LONGEST_PATH];
        let mut length = 0;
        loop {
            // Up to the end of a page, no further: the next one need not be mapped, and a read that
            // crosses into it would fail as a whole.
            let at = start.checked_add(to_u64(length)).ok_or(Errno::FAULT)?;
            let rest = PAGE - usize::try_from(at % to_u64(PAGE)).map_err(|_error| Errno::FAULT)?;
            let end = limit.min(bytes.len()).min(length + rest);
            let chunk = bytes.get_mut(length..end).ok_or(Errno::INVAL)?;
            if chunk.is_empty() {
                return Err(longer);
            }
            let copied = with_tracing(|| remote::read_memory(self.call.thread, at, &mut *chunk))?;
            if copied == 0 {
                return Err(Errno::FAULT);
            }
            let chunk = chunk.get(..copied).ok_or(Errno::INVAL)?;
            if let Some(nul) = chunk.iter().position(|byte| *byte == 0) {
                let text = bytes.get(..length + nul).ok_or(Errno::INVAL)?;
                return CString::new(text).map_err(|_error| Errno::INVAL);
            }
            length += copied;
        }
    }

    /// Copies exactly this much.
    pub(super) fn bytes(&self, start: u64, length: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; length];
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = start.checked_add(to_u64(done)).ok_or(Errno::FAULT)?;
            match with_tracing(|| remote::read_memory(self.call.thread, at, &mut *rest))? {
                0 => return Err(Errno::FAULT),
                copied => done += copied,
            }
        }
        Ok(bytes)
    }

    /// Where a path starts that is relative to the descriptor in an argument.
    pub(super) fn base(&self, descriptor: i32, path: &CString) -> Result<Base, Errno> {
        if path.as_bytes().first() == Some(&b'/') {
            return Ok(Base::Root);
        }
        let thread = self.call.thread;
        if descriptor == libc::AT_FDCWD {
            self.of_proc(&format!("{thread}/cwd")).map(Base::Object)
        } else {
            self.descriptor(descriptor).map(Base::Object)
        }
    }

    /// What a descriptor of the thread is, opened with `O_PATH`.
    pub(super) fn descriptor(&self, descriptor: i32) -> Result<OwnedFd, Errno> {
        let descriptor = u32::try_from(descriptor).map_err(|_error| Errno::BADF)?;
        let thread = self.call.thread;
        self.of_proc(&format!("{thread}/fd/{descriptor}")).map_err(|error| match error {
            Errno::NOENT => Errno::BADF,
            other => other,
        })
    }

    /// Opens a path of our own `/proc` with `O_PATH`.
    pub(super) fn of_proc(&self, path: &str) -> Result<OwnedFd, Errno> {
        with_tracing(|| openat(self.shared.proc.as_fd(), path, PATH_ONLY, Mode::empty()))
    }

    /// Whether the thread we looked at is the one that made the call. Everything read of it before counts
    /// only if this holds afterwards: the number of a dead thread is given to another.
    pub(super) fn still_waits(&self) -> Result<(), Errno> {
        if self.shared.listener.is_waiting(self.call.id) { Ok(()) } else { Err(Errno::SRCH) }
    }

    /// Runs what may wait for long, and ends as the kernel would if a signal comes.
    pub(super) fn while_waiting<T>(
        &self,
        wait: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.unless_interrupted(self.shared.crew.while_waiting(self.call, wait))
    }

    /// What a call that could be interrupted ends with.
    pub(super) fn unless_interrupted<T>(&self, outcome: Result<T, Errno>) -> Result<T, Errno> {
        match outcome {
            Err(Errno::INTR) => Err(self.shared.interruption(self.call.thread)),
            outcome => outcome,
        }
    }

    /// The thread's umask.
    pub(super) fn umask(&self) -> Result<Mode, Errno> {
        let bits = self.shared.umasks.get_or_read(self.call.thread, || {
            let status = self.status()?;
            u32::from_str_radix(status.field("Umask:"), 8).map_err(|_error| Errno::INVAL)
        })?;
        Ok(Mode::from_raw_mode(bits))
    }

    /// `/proc/TID/status`.
    pub(super) fn status(&self) -> Result<Status, Errno> {
        self.shared.status(self.call.thread)
    }

    /// A text file of the thread in our own `/proc`.
    pub(super) fn proc_text(&self, name: &str) -> Result<String, Errno> {
        self.shared.proc_text(&format!("{}/{name}", self.call.thread))
    }

    /// The program the thread runs, for a report.
    pub(super) fn program(&self) -> String {
        let path = format!("{}/exe", self.call.thread);
        let proc = self.shared.proc.as_fd();
        let link = with_tracing(|| rustix::fs::readlinkat(proc, path.as_str(), Vec::new()));
        link.map_or_else(|_| String::new(), |link| link.to_string_lossy().into_owned())
    }
}

/// A number of bytes as the kernel counts them.
pub(super) fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// How objects are looked at without opening them.
pub(super) const PATH_ONLY: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
/// `PATH_MAX`, the NUL included.
const LONGEST_PATH: usize = 4096;
/// The smallest page: a read that stays within it stays within every page.
const PAGE: usize = 4096;
