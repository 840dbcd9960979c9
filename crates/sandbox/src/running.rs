//! From a request to the end of its command.

use crate::{Capabilities, Enforcement, Failure, Report, Request};
use std::os::fd::OwnedFd;

/// Runs a command in its boundary and waits for its end.
pub fn run(request: Request, capabilities: &Capabilities) -> Result<Finished, Failure> {
    prepare(request, capabilities)?.launch()?.wait()
}

/// Works out how the boundary of a request is built here. Nothing is started or changed.
pub fn prepare(request: Request, capabilities: &Capabilities) -> Result<Plan, Failure> {
    let _ = (request, capabilities);
    Err(Failure::new("not built yet"))
}

/// How a boundary is built; what `--explain` prints.
#[must_use = "a plan runs nothing until it is launched"]
#[derive(Debug)]
pub struct Plan {
    enforcement: Enforcement,
}

impl Plan {
    /// What will be enforced.
    pub fn enforcement(&self) -> &Enforcement {
        &self.enforcement
    }

    /// The steps, one line each, for people.
    pub fn explain(&self) -> Vec<String> {
        Vec::new()
    }

    /// Builds the boundary and starts the command in it.
    pub fn launch(self) -> Result<Running, Failure> {
        Err(Failure::new("not built yet"))
    }
}

/// A command in its boundary. Dropping it kills everything inside.
#[must_use = "dropping it kills the command"]
#[derive(Debug)]
pub struct Running {
    listeners: Vec<OwnedFd>,
}

impl Running {
    /// The sockets asked for, in the order asked.
    pub fn take_listeners(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.listeners)
    }

    /// Waits for the end, passing on signals and reports.
    pub fn wait(self) -> Result<Finished, Failure> {
        Err(Failure::new("not built yet"))
    }
}

/// What is left of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How the command ended.
    pub end: End,
    /// The denials that are worth telling, oldest first, up to a limit.
    pub reports: Vec<Report>,
    /// How many more there were.
    pub omitted: u64,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a status.
    Exited(u8),
    /// By a signal.
    Signalled(i32),
    /// It could not be started, because there is no such program; the status is 127.
    NotFound,
    /// It could not be started, because it cannot be executed; the status is 126.
    NotExecutable,
    /// It was killed because its time was over; the status is 124.
    TimedOut,
}

impl End {
    /// The status a shell would show.
    pub fn status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Signalled(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            Self::NotFound => 127,
            Self::NotExecutable => 126,
            Self::TimedOut => 124,
        }
    }

    /// Ends the calling process the same way: with the same status, or by the same signal without
    /// leaving a core.
    pub fn relay(self) -> ! {
        std::process::exit(i32::from(self.status()))
    }
}
