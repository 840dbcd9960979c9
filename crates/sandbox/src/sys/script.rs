//! Everything the forked processes do, as data prepared before the fork.

use super::Page;
use super::kernel::Program;
use rustix::process::{Resource, Rlimit};
use rustix::thread::UnshareFlags;
use std::ffi::{CStr, CString, c_char};
use std::os::fd::{OwnedFd, RawFd};

/// Everything the forked processes do.
#[derive(Debug)]
pub(crate) struct Script {
    /// The launcher, to notice that it has died before anyone asked to be told.
    pub(crate) launcher: OwnedFd,
    /// Where the supervisor answers the launcher.
    pub(crate) control: OwnedFd,
    /// Where it reports denials; owned by what takes over.
    pub(crate) reports: RawFd,
    /// The `/proc` of the launcher, in which the supervisor finds the processes it serves.
    pub(crate) outer_proc: OwnedFd,
    /// Progress.
    pub(crate) page: Page,
    /// The memory that shows the launcher's arguments and variables to readers of `/proc`.
    pub(crate) visible_memory: [(usize, usize); 2],
    /// Memory for the stack of the process that starts the command's.
    pub(crate) stack: Vec<u8>,
    /// Namespaces; `None` where they are blocked.
    pub(crate) namespaces: Option<Namespaces>,
    /// Landlock; `None` where the isolation of files is off and nothing else is left to restrict.
    pub(crate) landlock: Option<Landlock>,
    /// The command.
    pub(crate) target: Target,
    /// The supervised calls.
    pub(crate) supervision: Option<Supervision>,
}

impl Script {
    /// Keeps what another attempt needs: the descriptors are for the other side of the fork, and the end
    /// of a pipe is not seen while anyone holds on to it.
    pub(super) fn into_kept(self) -> Kept {
        let Self { page, namespaces, target, supervision, .. } = self;
        Kept { page, view: namespaces.map_or_else(Vec::new, |made| made.view), target, supervision }
    }
}

/// What is left of a script on this side of the fork.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Progress.
    pub(crate) page: Page,
    /// The steps of the view, to name one that failed.
    pub(crate) view: Vec<Step>,
    /// The command.
    pub(crate) target: Target,
    /// The supervised calls.
    pub(crate) supervision: Option<Supervision>,
}

/// The namespaces and what fills them.
#[derive(Debug)]
pub(crate) struct Namespaces {
    /// Which.
    pub(crate) flags: UnshareFlags,
    /// Users and groups.
    pub(crate) identity: Identity,
    /// The network, where it is an own one.
    pub(crate) network: Option<Capture>,
    /// The view of the files, step by step.
    pub(crate) view: Vec<Step>,
    /// Descriptors of mounts on their way, by number.
    pub(crate) slots: Vec<RawFd>,
    /// What is done to a fresh `/proc` once it stands; `None` to keep the one there is.
    pub(crate) proc: Option<Vec<Step>>,
    /// Whether user namespaces may be made inside.
    pub(crate) nested: bool,
    /// The slot of a directory that the launcher is handed, where it wants one.
    pub(crate) handed: Option<usize>,
    /// Where the program lies that the first process does not need.
    pub(crate) program: Program,
}

/// How users and groups are mapped.
#[derive(Debug)]
pub(crate) struct Identity {
    /// Whether the launcher, being privileged, is asked to map everyone.
    pub(crate) assisted: bool,
    /// The map of users otherwise.
    pub(crate) users: Vec<u8>,
    /// The map of groups otherwise.
    pub(crate) groups: Vec<u8>,
}

/// An own network.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    /// Messages for the routing table, each answered by the kernel.
    pub(crate) messages: Vec<Vec<u8>>,
    /// Sockets to open.
    pub(crate) listeners: Vec<crate::Listener>,
    /// Room for their descriptors.
    pub(crate) opened: Vec<RawFd>,
}

/// One step towards the view of the files. A mount on its way is a descriptor in a slot.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Cuts every mount off from the host's.
    Private,
    /// Takes a copy of what stands at a path, with every mount below.
    Take { path: CString, slot: usize },
    /// Takes a copy of a part of the directory in slot `base`.
    TakeBelow { base: usize, path: CString, slot: usize },
    /// Makes every mount there is read-only.
    ReadOnlyEverything,
    /// Makes a mount on its way read-only.
    ReadOnly { slot: usize },
    /// Makes a mount on its way writable.
    Writable { slot: usize },
    /// Keeps what stands at a path open in a slot.
    Keep { path: CString, slot: usize },
    /// Makes what stands at a path read-only there, with everything below. It is copied from the directory
    /// kept in a slot, where there is one: a mount that has many others below is slow to copy parts of.
    Seal { path: CString, from: Option<(usize, CString)> },
    /// Mounts a memory filesystem over a path and keeps its root in a slot.
    Memory { path: CString, slot: usize },
    /// Lays a layer for what is written over what stands at a path. The layer's directories are named from
    /// the root.
    Overlay { path: CString, upper: CString, work: CString, slot: usize },
    /// Makes a directory.
    Directory { base: usize, path: CString, mode: u32 },
    /// Makes a file.
    File { base: usize, path: CString, mode: u32, content: Vec<u8> },
    /// Makes a symlink.
    Link { base: usize, path: CString, target: CString },
    /// Puts a mount in its place.
    Put { slot: usize, path: CString, onto: Onto },
    /// Mounts an own set of terminals.
    Terminals { path: CString },
}

/// What has to stand where a mount is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Onto {
    /// A directory for a directory, something else for something else.
    SameKind,
    /// The very object that the mount was taken from.
    Itself,
}

impl Step {
    /// The path of the machine that the step is about, where it is about one.
    pub(crate) fn place(&self) -> Option<&CStr> {
        match self {
            Self::Take { path, .. }
            | Self::Put { path, .. }
            | Self::Overlay { path, .. }
            | Self::Keep { path, .. }
            | Self::Seal { path, .. }
            | Self::Memory { path, .. }
            | Self::Terminals { path } => Some(path),
            Self::Private
            | Self::TakeBelow { .. }
            | Self::ReadOnlyEverything
            | Self::ReadOnly { .. }
            | Self::Writable { .. }
            | Self::Directory { .. }
            | Self::File { .. }
            | Self::Link { .. } => None,
        }
    }
}

/// What Landlock is to enforce.
#[derive(Debug, Default)]
pub(crate) struct Landlock {
    /// Rights on files that need a rule.
    pub(crate) files: u64,
    /// Rights on ports that need a rule.
    pub(crate) network: u64,
    /// What is confined to the sandbox.
    pub(crate) scopes: u64,
    /// The size of the attributes this kernel knows.
    pub(crate) attribute_size: usize,
    /// The rules.
    pub(crate) rules: Vec<FileRight>,
    /// Rights on the terminals that stand at 0, 1 and 2.
    pub(crate) standard: Vec<(RawFd, u64)>,
}

/// One rule of Landlock.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileRight {
    /// Where; everything below is meant.
    pub(crate) path: CString,
    /// The rights.
    pub(crate) rights: u64,
    /// What is known of the place.
    pub(crate) place: Place,
}

/// What is known of a place that gets rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is there, and the path is its real one.
    There,
    /// The path is its real one. It may be gone.
    Perhaps,
    /// It is whatever the path leads to, if that is anything.
    Reached,
}

/// The command.
pub(crate) struct Target {
    /// Where it starts.
    pub(crate) cwd: CString,
    /// The paths to try for the program.
    pub(crate) candidates: Vec<CString>,
    /// Its arguments.
    pub(crate) arguments: ExecArguments,
    /// Its variables.
    pub(crate) variables: ExecArguments,
    /// Resources.
    pub(crate) limits: Vec<(Resource, Rlimit)>,
    /// The ranges of descriptors to close.
    pub(crate) closed: Vec<(u32, u32)>,
    /// The descriptors to hand over.
    pub(crate) passed: Vec<RawFd>,
    /// The blocked signals of the caller, before the launcher blocked any.
    pub(crate) signals: libc::sigset_t,
    /// The filter of system calls.
    pub(crate) filter: Vec<libc::sock_filter>,
}

impl std::fmt::Debug for Target {
    /// SECURITY: arguments and variables may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("cwd", &self.cwd).finish_non_exhaustive()
    }
}

/// The supervised calls.
#[derive(Debug)]
pub(crate) struct Supervision {
    /// The filter that picks them.
    pub(crate) filter: Vec<libc::sock_filter>,
}

/// Strings as `execve` takes them.
pub(crate) struct ExecArguments {
    strings: Vec<CString>,
    /// Points into `strings`; null at the end.
    pointers: Vec<*const c_char>,
    /// The same behind a shell and the path of a script; empty until asked for.
    script: Vec<*const c_char>,
}

// SAFETY: the pointers lead into heap memory owned by `strings`, which is never changed.
unsafe impl Send for ExecArguments {}

impl std::fmt::Debug for ExecArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} strings", self.strings.len())
    }
}

const SHELL: &CStr = c"/bin/sh";

impl ExecArguments {
    pub(crate) fn new(strings: Vec<CString>) -> Self {
        let pointers = |skip: usize| strings.iter().skip(skip).map(|string| string.as_ptr());
        let end = std::iter::once(std::ptr::null());
        let script =
            [SHELL.as_ptr(), std::ptr::null()].into_iter().chain(pointers(1)).chain(end.clone());
        let script = script.collect();
        let pointers = pointers(0).chain(end).collect();
        Self { strings, pointers, script }
    }

    /// The array for `execve`.
    pub(super) fn pointers(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }

    /// The array for running `path` by a shell.
    pub(super) fn as_script(&mut self, path: &CStr) -> (&'static CStr, *const *const c_char) {
        if let Some(slot) = self.script.get_mut(1) {
            *slot = path.as_ptr();
        }
        (SHELL, self.script.as_ptr())
    }
}
