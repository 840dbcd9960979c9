//! A command in its boundary, to its end.

use crate::changes::{self, Changes, Layer};
use crate::report::Collector;
use crate::supervisor::ReportReader;
use crate::sys::{self, Page, Words};
use crate::temporary::Temporary;
use crate::{Capabilities, prepare};
use crate::{Enforcement, Failure, Report, Request, SignalRelay};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// Runs a command in its boundary and waits for its end.
pub fn run(request: Request, capabilities: &Capabilities) -> Result<Finished, Failure> {
    prepare(request, capabilities)?.launch()?.wait()
}

/// A command in its boundary. Dropping it kills everything inside.
#[must_use = "dropping it kills the command"]
#[derive(Debug)]
pub struct Running {
    pub(crate) enforcement: Enforcement,
    pub(crate) listeners: Vec<OwnedFd>,
    pub(crate) page: Page,
    pub(crate) family: Family,
    pub(crate) collector: Collector,
    /// Denials, as the supervisor tells them.
    pub(crate) reports: ReportReader,
    /// Whether the supervisor may still tell some.
    pub(crate) supervised: bool,
    pub(crate) relay: Option<Relay>,
    pub(crate) deadline: Option<Instant>,
    /// What was laid over the places that may be written, and where it is.
    pub(crate) layers: Vec<Layer>,
    pub(crate) written: Option<OwnedFd>,
    /// Removed when the run is over.
    pub(crate) _temporary: Temporary,
}

/// The processes of ours and the command's own.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) supervisor: Option<Member>,
    pub(crate) init: Option<Member>,
    pub(crate) target: Option<Member>,
}

/// A child.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) pid: Pid,
    pub(crate) handle: Option<OwnedFd>,
}

/// What it takes to pass on signals.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) signals: OwnedFd,
    /// What was blocked before.
    pub(crate) before: libc::sigset_t,
    /// The group of processes that had the terminal.
    pub(crate) foreground: Option<Pid>,
}

/// What is left of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How the command ended.
    pub end: End,
    /// What was enforced.
    pub enforcement: Enforcement,
    /// The denials that are worth telling, oldest first, up to a limit.
    pub reports: Vec<Report>,
    /// How many more there were.
    pub omitted: u64,
    /// What would have been changed, where that was asked for.
    pub changes: Option<Changes>,
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

impl Member {
    /// A child that has not been buried. Until it is, its number is its own.
    pub(crate) fn of(pid: Pid) -> Self {
        // None of a child that has ended already: some kernels give no handle to those.
        Self { pid, handle: rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok() }
    }

    fn send(&self, signal: Signal) {
        // Who is gone already needs no signal.
        let _gone = rustix::process::kill_process(self.pid, signal);
    }

    fn has_ended(&self) -> bool {
        let Some(handle) = &self.handle else { return true };
        let mut fds = [PollFd::new(handle, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
    }

    /// Takes its status, so that nothing is left of it.
    fn bury(&self) {
        loop {
            match rustix::process::waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED) {
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }
}

impl Family {
    /// Takes in those that were started by the supervisor, and the status of the one that has ended.
    pub(crate) fn meet(&mut self, words: &Words) {
        if let Some(pid) = Pid::from_raw(words.starter.load(Ordering::Acquire)) {
            Member { pid, handle: None }.bury();
        }
        let number = |word: &AtomicI32| Pid::from_raw(word.load(Ordering::Acquire));
        self.init = number(&words.init).map(Member::of);
        self.target = number(&words.target).map(Member::of);
    }

    pub(crate) fn supervisor_has_ended(&self) -> bool {
        self.supervisor.as_ref().is_none_or(Member::has_ended)
    }

    /// Kills everything inside and everything of ours.
    pub(crate) fn end(&mut self) {
        // With init, the kernel kills everything in its process namespace. Init then waits until all of
        // that is buried, and the target is ours to bury.
        let members = [self.target.take(), self.init.take(), self.supervisor.take()];
        members.iter().flatten().for_each(|member| member.send(Signal::KILL));
        members.iter().flatten().for_each(Member::bury);
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.end();
    }
}

/// Sleeps until there is something to read or the supervisor has ended, and tells whether a signal asks to
/// give up before.
pub(crate) fn sleep_for(
    source: &OwnedFd,
    family: &Family,
    relay: Option<&Relay>,
) -> rustix::io::Result<bool> {
    let mut fds = vec![PollFd::new(source, PollFlags::IN)];
    let handle = family.supervisor.as_ref().and_then(|member| member.handle.as_ref());
    let Some(handle) = handle else { return Ok(false) };
    fds.push(PollFd::new(handle, PollFlags::IN));
    fds.extend(relay.map(|relay| PollFd::new(&relay.signals, PollFlags::IN)));
    match poll(&mut fds, None) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(errno),
    }
    let Some(relay) = relay else { return Ok(false) };
    let mut over = false;
    while let Some((signal, _)) = sys::take_signal(relay.signals.as_fd()) {
        over |= [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT].contains(&signal);
    }
    Ok(over)
}

/// What woke the launcher.
#[expect(clippy::struct_excessive_bools, reason = "several things can happen at once")]
struct Woken {
    reports: bool,
    supervisor_gone: bool,
    signals: bool,
    target: bool,
}

impl Woken {
    fn is_nothing(&self) -> bool {
        !(self.reports || self.supervisor_gone || self.signals || self.target)
    }
}

/// What runs longer than this is worth waiting for with little memory.
const SETTLED: Duration = Duration::from_millis(250);

impl Running {
    /// What is enforced.
    pub fn enforcement(&self) -> &Enforcement {
        &self.enforcement
    }

    /// The sockets asked for, in the order asked.
    pub fn take_listeners(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.listeners)
    }

    /// The number of the command's process, as seen by the caller.
    pub fn id(&self) -> Option<u32> {
        let pid = self.family.target.as_ref()?.pid.as_raw_nonzero().get();
        u32::try_from(pid).ok()
    }

    /// Waits for the end, passing on signals and reports.
    pub fn wait(mut self) -> Result<Finished, Failure> {
        let mut settles = true;
        let end = loop {
            let woken = self.sleep(settles)?;
            if settles && woken.is_nothing() {
                settles = false;
                sys::Program::look().give_back();
            }
            if woken.reports {
                self.collect();
                self.supervised &= !woken.supervisor_gone;
            }
            if woken.signals {
                self.relay_signals();
            }
            if (woken.signals || woken.target)
                && let Some(end) = self.ended()
            {
                break end;
            }
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break End::TimedOut;
            }
        };
        self.family.end();
        self.collect();
        self.give_back_terminal();
        if end == End::Exited(Failure::STATUS)
            && let Some((stage, detail, errno)) = self.page.failure()
        {
            return Err(crate::launch::explain(stage, detail, errno, None));
        }
        let end = match (end, self.page.words().exec_errno.load(Ordering::Acquire)) {
            (End::Exited(127), errno) if errno != 0 => End::NotFound,
            (End::Exited(126), errno) if errno != 0 => End::NotExecutable,
            (end, _) => end,
        };
        let (reports, omitted) = self.collector.finish();
        let changes =
            self.written.as_ref().map(|written| changes::compare(&self.layers, written.as_fd()));
        Ok(Finished { end, enforcement: self.enforcement.clone(), reports, omitted, changes })
    }

    fn collect(&mut self) {
        while let Some(denial) = self.reports.next_report() {
            self.collector.take(Report::from(denial));
        }
    }

    /// Sleeps until something happens; until the deadline, or at first for a moment only.
    fn sleep(&self, settles: bool) -> Result<Woken, Failure> {
        let Some(target) = &self.family.target else {
            return Err(Failure::new("the command has no process"));
        };
        let Some(handle) = &target.handle else {
            let (reports, supervisor_gone) = (self.supervised, false);
            return Ok(Woken { target: true, reports, supervisor_gone, signals: false });
        };
        let mut fds =
            vec![PollFd::new(handle, PollFlags::IN), PollFd::new(&self.reports, PollFlags::IN)];
        if !self.supervised {
            fds.pop();
        }
        let first_signal = fds.len();
        if let Some(relay) = &self.relay {
            fds.push(PollFd::new(&relay.signals, PollFlags::IN));
        }
        let left = self.deadline.map(|deadline| {
            deadline.saturating_duration_since(Instant::now()) + Duration::from_millis(1)
        });
        let left =
            if settles { Some(left.map_or(SETTLED, |left| left.min(SETTLED))) } else { left };
        let left =
            left.map(|left| Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 }));
        match poll(&mut fds, left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Failure::new(format!("cannot wait: {errno}"))),
        }
        let ready = |index: usize| fds.get(index).is_some_and(|fd| !fd.revents().is_empty());
        let over = |index: usize| {
            fds.get(index)
                .is_some_and(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR))
        };
        Ok(Woken {
            target: ready(0),
            reports: self.supervised && ready(1),
            supervisor_gone: self.supervised && over(1),
            signals: ready(first_signal),
        })
    }

    fn relay_signals(&mut self) {
        let (Some(relay), Some(target)) = (&self.relay, &self.family.target) else { return };
        while let Some((signal, from_kernel)) = sys::take_signal(relay.signals.as_fd()) {
            // What the terminal sends, it sends to every process of the group, the command included.
            if signal == libc::SIGCHLD || from_kernel {
                continue;
            }
            if let Some(signal) = Signal::from_named_raw(signal) {
                target.send(signal);
            }
        }
    }

    /// How the command ended, if it has. If it has stopped, so does the caller.
    fn ended(&mut self) -> Option<End> {
        let target = self.family.target.as_ref()?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        let status = rustix::process::waitid(WaitId::Pid(target.pid), options).ok()??;
        if status.stopped() {
            if self.relay.is_some() {
                let own = rustix::process::getpid();
                // SIGSTOP cannot be blocked: whoever waits for us sees the job stop here, and whoever
                // continues us continues the command.
                let _impossible = rustix::process::kill_process(own, Signal::STOP);
                target.send(Signal::CONT);
            }
            return None;
        }
        let end = end_of(&status)?;
        self.family.target = None;
        Some(end)
    }

    /// An interactive shell takes the terminal for itself and cannot give it back: our group has no number
    /// inside.
    fn give_back_terminal(&mut self) {
        let Some(relay) = self.relay.take() else { return };
        if let Some(group) = relay.foreground {
            let _no_terminal = rustix::termios::tcsetpgrp(std::io::stdin(), group);
        }
        sys::restore_signals(&relay.before);
    }
}

fn end_of(status: &WaitIdStatus) -> Option<End> {
    if let Some(code) = status.exit_status() {
        return Some(End::Exited(u8::try_from(code & 0xff).unwrap_or(u8::MAX)));
    }
    status.terminating_signal().map(End::Signalled)
}

/// Signals that are passed on to the command.
pub(crate) const RELAYED: [i32; 12] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGWINCH,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGCONT,
    libc::SIGCHLD,
];

impl Relay {
    /// Starts receiving signals, where they are to be passed on.
    pub(crate) fn start(choice: SignalRelay) -> Result<Option<Self>, Failure> {
        if choice == SignalRelay::Leave {
            return Ok(None);
        }
        let before = sys::block_signals(&RELAYED);
        let signals = sys::signal_descriptor(&RELAYED)
            .map_err(|errno| Failure::new(format!("cannot receive signals: {errno}")))?;
        let stdin = std::io::stdin();
        let group = sys::process_group();
        let front = rustix::termios::tcgetpgrp(&stdin).ok();
        let foreground = front.filter(|front| Some(*front) == group);
        Ok(Some(Self { signals, before, foreground }))
    }
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
        if let Self::Signalled(signal) = self {
            sys::end_by_signal(signal);
        }
        std::process::exit(i32::from(self.status()))
    }
}
