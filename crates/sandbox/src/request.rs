//! What is to run, and inside what.

use crate::Backend;
use portcullis_model::AbsPath;
use portcullis_profile::SandboxProfile;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::os::fd::{OwnedFd, RawFd};

/// Where the private temporary directory of a run is, on the backends that have an own view of the files.
///
/// It lies in the memory filesystem mounted over `/dev`, so nothing is made on the host and nothing has to
/// be removed from it, whoever is killed when.
pub const TEMPORARY: &str = "/dev/shm/tmp";

/// What is to run, and inside what.
pub struct Request {
    /// The boundary.
    pub profile: SandboxProfile,
    /// The program: a path, or a name to look for in the `PATH` the command sees.
    pub program: OsString,
    /// Its arguments, without the program's own name.
    pub arguments: Vec<OsString>,
    /// Where it starts.
    pub cwd: AbsPath,
    /// The variables of the caller; the profile says which of them the command sees.
    pub environment: Vec<(OsString, OsString)>,
    /// Open descriptors that are passed on beside 0, 1 and 2, under the same numbers.
    pub descriptors: Vec<RawFd>,
    /// Sockets to open in the network of the sandbox, for the caller to serve.
    pub listeners: Vec<Listener>,
    /// Where denials are written as JSON lines.
    pub reports: Option<OwnedFd>,
    /// The weakest backend that will do. A weaker one than [`Backend::Full`] has to be named by the user.
    pub weakest: Backend,
    /// What becomes of signals that reach the caller.
    pub signals: SignalRelay,
    /// What becomes of what is written.
    pub writes: Writes,
}

impl Request {
    /// A request to run `program` in `profile`, starting in `cwd` with the given variables, with the
    /// strictest choice for everything else.
    pub fn new(
        profile: SandboxProfile,
        program: impl Into<OsString>,
        cwd: AbsPath,
        environment: Vec<(OsString, OsString)>,
    ) -> Self {
        Self {
            profile,
            program: program.into(),
            arguments: Vec::new(),
            cwd,
            environment,
            descriptors: Vec::new(),
            listeners: Vec::new(),
            reports: None,
            weakest: Backend::Full,
            signals: SignalRelay::Leave,
            writes: Writes::Kept,
        }
    }
}

/// SECURITY: neither variables nor arguments, which may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("program", &self.program)
            .field("cwd", &self.cwd)
            .finish_non_exhaustive()
    }
}

/// What becomes of signals that reach the caller while the command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalRelay {
    /// They are passed on to the command, and the caller stops and goes on with it: the caller is there
    /// only for the command.
    Relay,
    /// They are the caller's own.
    Leave,
}

/// What becomes of what a command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// It is written.
    Kept,
    /// It goes into memory, is listed when the command has ended, and is thrown away.
    Listed,
}

/// How many sockets can be opened inside for one run: they are handed over in one message.
pub const MOST_LISTENERS: usize = 64;

/// A socket opened in the network of the sandbox and accepted from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its address, as seen from inside.
    pub address: SocketAddr,
    /// Its kind.
    pub transport: Transport,
}

/// The kind of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A stream: the caller accepts connections.
    Tcp,
    /// Datagrams: the caller receives and answers.
    Udp,
}
