//! The boundary as a whole.

use crate::{Files, Origin};
use portcullis_policy::{IgnoredViolations, SandboxDomain};

/// The boundary a command runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxProfile {
    /// Files.
    pub files: Files,
    /// The network.
    pub network: NetworkAccess,
    /// Unix sockets.
    pub sockets: Sockets,
    /// Variables.
    pub environment: Environment,
    /// Resources.
    pub limits: Limits,
    /// What allows user namespaces inside, where something does.
    pub nested: Option<Origin>,
    /// What lets the sandbox share the container's `/proc`, where something does.
    pub shared_proc: Option<Origin>,
    /// Violations that are not reported.
    pub ignored: Vec<IgnoredViolations>,
}

/// The network a command sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NetworkAccess {
    /// None but an own loopback.
    #[default]
    None,
    /// The hosts of a list, through the proxy.
    Domains {
        /// Hosts that may be contacted.
        allowed: Vec<SandboxDomain>,
        /// Hosts that may not.
        denied: Vec<SandboxDomain>,
        /// What says that other hosts are blocked and not asked about, where something does.
        strict: Option<Origin>,
    },
    /// The host's own: nothing asked for a restriction.
    Host,
}

/// Unix sockets by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sockets {
    /// What allows every socket, where something does.
    pub all: Option<Origin>,
    /// Sockets outside that may be connected to, as file rules of kind allow.
    pub allowed: Vec<crate::FileRule>,
}

/// The variables of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Variables that are not passed on as they are; the first rule that means a name counts.
    pub rules: Vec<VariableRule>,
    /// Variables that are set.
    pub set: Vec<(String, String)>,
}

/// A variable that is not passed on as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableRule {
    /// The name; a `*` at its end stands for any rest.
    pub name: String,
    /// What the command sees.
    pub hidden: Hidden,
    /// Where it is written.
    pub origin: Origin,
}

/// What a command sees of a hidden variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// Nothing.
    Unset,
    /// A stand-in of the same length.
    Sentinel,
}

/// Limits of resources; `None` is the caller's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Address space of one process, in bytes.
    pub memory: Option<u64>,
    /// Processes of the sandbox.
    pub processes: Option<u64>,
    /// Processor time of one process, in seconds.
    pub cpu_seconds: Option<u64>,
    /// Size of one written file, in bytes.
    pub file_size: Option<u64>,
    /// Time the whole run may take, in seconds.
    pub wall_seconds: Option<u64>,
}
