//! From a plan to running processes.

use crate::running::{Family, Member, Relay};
use crate::supervisor::{self, AbstractSockets, Supervisor, Surroundings};
use crate::sys::{self, Page, Script, Stage, Target, fork_and_follow};
use crate::{Backend, Failure, Plan, Running, identity, plan};
use portcullis_model::AbsPath;
use portcullis_profile::NetworkAccess;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags,
    SocketType,
};
use rustix::process::{Pid, WaitId, WaitIdOptions};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Instant;

impl Plan {
    /// Builds the boundary and starts the command in it.
    pub fn launch(self) -> Result<Running, Failure> {
        let failed = |errno: Errno| Failure::new(format!("cannot start: {errno}"));
        let (control, control_inside) = pair().map_err(failed)?;
        let (writer, reports) = supervisor::report::channel()
            .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
        let page = Page::new().map_err(failed)?;
        page.words().pause_at.store(self.pause_at, Ordering::Release);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let outer_proc = rustix::fs::openat(CWD, "/proc", flags, Mode::empty()).map_err(failed)?;
        let relay = Relay::start(self.signals)?;
        let signals = relay.as_ref().map_or_else(|| sys::block_signals(&[]), |relay| relay.before);
        let deadline = self.wall.map(|wall| Instant::now() + wall);
        let script = Script {
            launcher: plan::own_handle()?,
            control: control_inside,
            reports: writer.as_fd().as_raw_fd(),
            outer_proc,
            page,
            stack: vec![0; STACK],
            visible_memory: self.visible_memory,
            namespaces: self.namespaces,
            landlock: self.landlock,
            target: Target {
                cwd: self.command.cwd,
                candidates: self.command.candidates,
                arguments: self.command.arguments,
                variables: self.command.variables,
                limits: self.command.limits,
                closed: self.command.closed,
                passed: self.command.passed,
                signals,
                filter: self.command.filter,
            },
            supervision: self.supervision,
        };
        let own_network = self.profile.network != NetworkAccess::Host
            && self.enforcement.backend != Backend::LandlockOnly;
        let surroundings = Surroundings {
            abstract_sockets: if own_network {
                AbstractSockets::Isolated
            } else {
                AbstractSockets::Shared
            },
            nested: self.profile.nested.is_some(),
        };
        let (files, sockets) = (self.files, self.profile.sockets);
        let serve = move |script: &Script, listener: OwnedFd| {
            // SECURITY: without a supervisor the supervised calls fail, so there is nothing to do about
            // an error here but to end.
            let Ok(proc) = script.outer_proc.try_clone() else { return };
            let supervisor =
                Supervisor { listener, proc, files, sockets, reports: writer, surroundings };
            drop(supervisor.run());
        };
        let (supervisor, page) = fork_and_follow(script, serve).map_err(failed)?;
        let mut running = Running {
            enforcement: self.enforcement,
            listeners: Vec::new(),
            page,
            family: Family { supervisor: None, init: None, target: None },
            collector: self.collector,
            reports,
            supervised: true,
            relay,
            deadline,
            layers: self.layers,
            written: None,
            _temporary: self.temporary,
        };
        running.family.supervisor = Some(Member::of(supervisor));
        let outcome = await_start(&control, supervisor, &mut running);
        let words = running.page.words();
        if let Some(pid) = Pid::from_raw(words.starter.load(Ordering::Acquire)) {
            // It has ended; this takes its status.
            let _status = rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED);
        }
        for (place, number) in
            [(&mut running.family.init, &words.init), (&mut running.family.target, &words.target)]
        {
            if let Some(pid) = Pid::from_raw(number.load(Ordering::Acquire)) {
                *place = Some(Member::of(pid));
            }
        }
        if let Err(failure) = outcome {
            running.family.end();
            return Err(match running.page.failure() {
                Some((Stage::View, step, errno)) if running.place_at(step).is_some() => {
                    let place = running.place_at(step).map_or("", AbsPath::as_str);
                    let reason = std::io::Error::from(errno);
                    Failure::new(format!("a dry run cannot lay anything over `{place}`: {reason}"))
                        .cured_by(
                            "it takes Linux 5.11 with overlayfs, and no filesystem mounted below the place",
                        )
                }
                Some((stage, detail, errno)) => explain(stage, detail, errno, Some(&self.cwd)),
                None => failure,
            });
        }
        if !running.layers.is_empty() {
            running.written = running.listeners.pop();
        }
        Ok(running)
    }
}

/// Room for what sets up the command's process; it calls nothing deep.
const STACK: usize = 128 * 1024;

fn pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// Waits until the command runs, and maps users for the supervisor where it asks for that.
fn await_start(control: &OwnedFd, supervisor: Pid, running: &mut Running) -> Result<(), Failure> {
    let failed = |errno: Errno| Failure::new(format!("cannot start: {errno}"));
    loop {
        if running.sleep_for(control).map_err(failed)? {
            return Err(Failure::new("interrupted before the command was started"));
        }
        let mut byte = [0_u8];
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut room);
        let received = rustix::net::recvmsg(
            control,
            &mut [IoSliceMut::new(&mut byte)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
        );
        match received {
            Ok(message) if message.bytes == 0 => {
                return Err(Failure::new("the set-up was killed"));
            }
            Ok(_) if byte == *b"?" => {
                let answer: &[u8] = match identity::map_everyone(supervisor) {
                    Ok(()) => b"+",
                    Err(_) => b"-",
                };
                // If it is gone, the next message is the end.
                let _gone = rustix::net::send(control, answer, SendFlags::NOSIGNAL);
            }
            Ok(_) => {
                for message in ancillary.drain() {
                    if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                        running.listeners.extend(descriptors);
                    }
                }
                return Ok(());
            }
            // Its end of the pair may be open in another process that was forked meanwhile.
            Err(Errno::AGAIN) if running.supervisor_has_ended() => {
                return Err(Failure::new("the set-up was killed"));
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
}

/// What a failed stage means for people.
pub(crate) fn explain(stage: Stage, detail: u32, errno: Errno, cwd: Option<&AbsPath>) -> Failure {
    let reason = std::io::Error::from(errno);
    let cwd = cwd.map_or("the working directory", |cwd| cwd.as_str());
    match stage {
        Stage::Forked => Failure::new(format!("cannot start: {reason}")),
        Stage::Namespaces => namespace_obstacle(errno),
        Stage::Identity => Failure::new(format!("cannot map the user inside: {reason}"))
            .cured_by("see `portcullis doctor`"),
        Stage::Init => Failure::new(format!("cannot make a process namespace: {reason}")),
        Stage::Network => Failure::new(format!("cannot build the network inside: {reason}")),
        Stage::View => {
            Failure::new(format!("cannot build the view of the files: {reason} (step {detail})"))
        }
        Stage::Proc => Failure::new(format!("cannot mount a fresh /proc: {reason}"))
            .cured_by("see `portcullis doctor`"),
        Stage::Privileges => Failure::new(format!("cannot give up privileges: {reason}")),
        Stage::Landlock => Failure::new(format!("cannot restrict files by Landlock: {reason}")),
        Stage::Target => Failure::new(format!("cannot start the command: {reason}")),
        Stage::TargetSetUp if detail == 1 => {
            Failure::new(format!("cannot enter `{cwd}`: {reason}"))
        }
        Stage::TargetSetUp => Failure::new(format!("cannot set up the command: {reason}")),
        Stage::Filters if detail == 1 && errno == Errno::BUSY => {
            Failure::new("calls are supervised from outside already, so we cannot supervise them")
                .cured_by("run outside of the other sandbox")
        }
        Stage::Filters => Failure::new(format!("cannot filter system calls: {reason}")),
        Stage::Running => Failure::new(format!("cannot run: {reason}")),
    }
}

/// Why there are no namespaces, and what to do about it; `user_namespaces(7)`.
pub(crate) fn namespace_obstacle(errno: Errno) -> Failure {
    match errno {
        Errno::NOSPC => Failure::new("user namespaces are used up or switched off")
            .cured_by("raise `sysctl user.max_user_namespaces`"),
        Errno::PERM | Errno::ACCESS => Failure::new("user namespaces are blocked").cured_by(
            "allow them: `sysctl kernel.unprivileged_userns_clone=1`, the AppArmor profile of \
                 portcullis, or the seccomp profile of the container",
        ),
        Errno::INVAL | Errno::NOSYS => Failure::new("this kernel has no user namespaces")
            .cured_by("use a kernel with CONFIG_USER_NS"),
        errno => Failure::new(format!("cannot make namespaces: {}", std::io::Error::from(errno))),
    }
}
