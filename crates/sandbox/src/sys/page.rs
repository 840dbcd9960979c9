//! One page shared by the launcher and what it forks: where each of them has come to.
//!
//! A pipe would do as well, but costs a wake-up for every word; a page costs nothing and stays readable
//! after everyone who wrote to it is dead.

use rustix::io::{Errno, Result};
use rustix::mm::{MapFlags, ProtFlags};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// Where the set-up has come to. The order is the order of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(crate) enum Stage {
    /// Forked.
    Forked = 1,
    /// Entering namespaces.
    Namespaces,
    /// Mapping the user.
    Identity,
    /// Starting the first process of the process namespace.
    Init,
    /// Building the network.
    Network,
    /// Building the view of the files; the detail is the number of the step.
    View,
    /// Showing the processes.
    Proc,
    /// Giving up the right to gain rights.
    Privileges,
    /// Restricting files by Landlock.
    Landlock,
    /// Starting the process of the command.
    Target,
    /// In the process of the command: limits, directory, capabilities.
    TargetSetUp,
    /// In the process of the command: filters of system calls.
    Filters,
    /// The program runs.
    Running,
}

impl Stage {
    /// Every stage, in order.
    pub(crate) const ALL: [Self; 13] = [
        Self::Forked,
        Self::Namespaces,
        Self::Identity,
        Self::Init,
        Self::Network,
        Self::View,
        Self::Proc,
        Self::Privileges,
        Self::Landlock,
        Self::Target,
        Self::TargetSetUp,
        Self::Filters,
        Self::Running,
    ];
}

/// The words on the page.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Words {
    /// The stage that failed; 0 while none has.
    pub(crate) failed: AtomicU32,
    /// More about what failed: the number of a step.
    pub(crate) detail: AtomicU32,
    /// Why it failed.
    pub(crate) errno: AtomicI32,
    /// The first process of the process namespace, by its number outside.
    pub(crate) init: AtomicI32,
    /// The process that started the command's, and has ended by now, by its number outside.
    pub(crate) starter: AtomicI32,
    /// The process of the command, by its number outside.
    pub(crate) target: AtomicI32,
    /// 1 once the first process is ready, so that the view can be finished.
    pub(crate) init_ready: AtomicU32,
    /// 1 once the process of the command is ready to be served, or has failed.
    pub(crate) target_ready: AtomicU32,
    /// The descriptor of the process namespace, in the table shared at that time.
    pub(crate) namespace: AtomicI32,
    /// The descriptor of the fresh `/proc`, in the table shared at that time.
    pub(crate) proc: AtomicI32,
    /// The descriptor of the supervised calls, in the table shared at that time; 0 for none.
    pub(crate) listener: AtomicI32,
    /// Why the program could not be started; 0 if it could.
    pub(crate) exec_errno: AtomicI32,
    /// The stage at which to wait to be killed, in tests; 0 for none.
    pub(crate) pause_at: AtomicU32,
    /// 1 once someone waits there.
    pub(crate) paused: AtomicU32,
}

/// The shared page.
#[derive(Debug)]
pub(crate) struct Page {
    words: NonNull<Words>,
}

const SIZE: usize = 4096;

// SAFETY: the page holds nothing but atomics, and the mapping does not belong to a thread.
unsafe impl Send for Page {}

impl Page {
    pub(crate) fn new() -> Result<Self> {
        let flags = MapFlags::SHARED;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice aliases nothing.
        let address = unsafe {
            rustix::mm::mmap_anonymous(
                std::ptr::null_mut(),
                SIZE,
                ProtFlags::READ | ProtFlags::WRITE,
                flags,
            )
        }?;
        let words = NonNull::new(address.cast::<Words>()).ok_or(Errno::NOMEM)?;
        Ok(Self { words })
    }

    pub(crate) fn words(&self) -> &Words {
        // SAFETY: the mapping is page-aligned, larger than `Words`, zeroed by the kernel (a valid value of
        // every atomic) and lives until `drop`.
        unsafe { self.words.as_ref() }
    }

    /// Notes a failure; the first one counts.
    pub(crate) fn fail(&self, stage: Stage, detail: u32, errno: Errno) {
        let words = self.words();
        if words.failed.load(Ordering::Acquire) == 0 {
            words.detail.store(detail, Ordering::Release);
            words.errno.store(errno.raw_os_error(), Ordering::Release);
            words.failed.store(stage as u32, Ordering::Release);
        }
    }

    /// What failed, where anything did.
    pub(crate) fn failure(&self) -> Option<(Stage, u32, Errno)> {
        let words = self.words();
        let failed = words.failed.load(Ordering::Acquire);
        let stage = Stage::ALL.into_iter().find(|stage| *stage as u32 == failed)?;
        let errno = Errno::from_raw_os_error(words.errno.load(Ordering::Acquire));
        Some((stage, words.detail.load(Ordering::Acquire), errno))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, of this size, and nothing borrowed from it outlives `self`.
        // A page that cannot be unmapped stays until the process ends.
        let _unmapped = unsafe { rustix::mm::munmap(self.words.as_ptr().cast(), SIZE) };
    }
}
