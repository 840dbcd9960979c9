//! What this kernel and host can enforce, and what a run enforced.

use crate::Failure;
use portcullis_profile::{NetworkAccess, SandboxProfile};

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

impl Guarantee {
    /// What it is about, in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Metadata => "metadata",
            Self::Names => "names",
            Self::Sockets => "sockets",
            Self::Network => "network",
            Self::Processes => "processes",
            Self::Lifetime => "lifetime",
            Self::SystemCalls => "system-calls",
            Self::Ipc => "ipc",
            Self::Devices => "devices",
        }
    }
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
        let found = self.backends.iter().filter(|(backend, _)| *backend <= weakest);
        match found.filter_map(|(_, obstacle)| obstacle.as_ref()).next_back() {
            Some(obstacle) => Failure::new(obstacle.as_str()),
            None => Failure::new("nothing can be enforced here"),
        }
    }

    /// The same as if stronger backends did not work: for tests, and for users who name a weaker one.
    #[must_use]
    pub fn weakened_to(mut self, backend: Backend) -> Self {
        for (stronger, obstacle) in &mut self.backends {
            if *stronger < backend {
                *obstacle = Some(format!("`{}` was asked for", backend.word()));
            }
        }
        self
    }

    /// What a backend enforces of a profile.
    pub fn enforcement(&self, backend: Backend, profile: &SandboxProfile) -> Enforcement {
        let guarantees = GUARANTEES
            .iter()
            .map(|guarantee| (*guarantee, self.holding(*guarantee, backend, profile)))
            .collect();
        Enforcement { backend, guarantees }
    }

    fn holding(&self, guarantee: Guarantee, backend: Backend, profile: &SandboxProfile) -> Holding {
        let own_view = backend != Backend::LandlockOnly;
        let no_files = profile.files.disabled.is_some();
        match guarantee {
            Guarantee::Reads | Guarantee::Writes | Guarantee::Metadata | Guarantee::Names
                if no_files =>
            {
                Holding::Missing("the isolation of files is switched off")
            }
            Guarantee::Reads if own_view => Holding::Held,
            Guarantee::Reads => {
                Holding::Weaker("names in hidden directories are held by supervised calls alone")
            }
            Guarantee::Writes if own_view => Holding::Held,
            Guarantee::Writes if self.landlock < 3 => {
                Holding::Weaker("truncating is held by supervised calls alone before Linux 6.2")
            }
            Guarantee::Writes => Holding::Weaker(
                "what is protected within writable directories is held by supervised calls alone",
            ),
            Guarantee::Metadata if own_view => Holding::Held,
            Guarantee::Metadata => Holding::Weaker("held by supervised calls alone"),
            Guarantee::Names => Holding::Held,
            Guarantee::Sockets if profile.sockets.all.is_some() => {
                Holding::Missing("every unix socket is allowed")
            }
            Guarantee::Sockets => Holding::Held,
            Guarantee::Network if profile.network == NetworkAccess::Host => {
                Holding::Missing("no restriction of the network was asked for")
            }
            Guarantee::Network if own_view => Holding::Held,
            Guarantee::Network => {
                Holding::Weaker("there is no loopback inside either, and no abstract unix socket")
            }
            Guarantee::Processes => match backend {
                Backend::Full => Holding::Held,
                Backend::SharedProc => Holding::Weaker(
                    "the names and arguments of the container's processes can be read",
                ),
                Backend::LandlockOnly if self.landlock >= 6 => Holding::Weaker(
                    "the names and arguments of the user's processes can be read, and their \
                     priority changed",
                ),
                Backend::LandlockOnly => Holding::Missing(
                    "the user's processes can be seen and signalled before Linux 6.12",
                ),
            },
            Guarantee::Lifetime if own_view => Holding::Held,
            Guarantee::Lifetime => Holding::Weaker(
                "what the command left in the background survives if the launcher is killed",
            ),
            Guarantee::SystemCalls => Holding::Held,
            Guarantee::Ipc if own_view => Holding::Held,
            Guarantee::Ipc => Holding::Weaker(
                "System V memory and queues can be seen but not used, and `/dev/shm` is shared",
            ),
            Guarantee::Devices if own_view => Holding::Held,
            Guarantee::Devices => Holding::Weaker("other devices can be seen, but not opened"),
        }
    }
}

/// Every guarantee.
const GUARANTEES: [Guarantee; 11] = [
    Guarantee::Reads,
    Guarantee::Writes,
    Guarantee::Metadata,
    Guarantee::Names,
    Guarantee::Sockets,
    Guarantee::Network,
    Guarantee::Processes,
    Guarantee::Lifetime,
    Guarantee::SystemCalls,
    Guarantee::Ipc,
    Guarantee::Devices,
];
