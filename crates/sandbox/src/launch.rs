//! From a plan to running processes.

use crate::running::{Family, Member, Relay, sleep_for};
use crate::supervisor::{self, AbstractSockets, Supervisor, Surroundings, Terminals};
use crate::sys::{Kept, Page, Script, Stage, Step, fork_and_follow};
use crate::{Backend, Failure, MOST_LISTENERS, Plan, Running, Writes, identity, plan};
use portcullis_model::AbsPath;
use portcullis_profile::NetworkAccess;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags,
    SocketType,
};
use std::ffi::CStr;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Instant;

impl Plan {
    /// Builds the boundary and starts the command in it.
    ///
    /// Where the host moves or replaces what the boundary is made around while it is made, everything is
    /// taken down and made anew from another look; a boundary that was only half made runs nothing.
    pub fn launch(mut self) -> Result<Running, Failure> {
        self.temporary.make()?;
        let mut relay = Relay::start(self.signals)?;
        if let Some(relay) = &relay {
            self.target.signals = relay.before;
        }
        for _ in 1..LOOKS {
            match self.attempt(relay)? {
                Attempt::Started(running) => return Ok(*running),
                Attempt::Overtaken(again) => {
                    (self, relay) = (*again.plan, again.relay);
                    self.layout = self.basis.lay_out(&self.files, &self.profile)?;
                }
            }
        }
        match self.attempt(relay)? {
            Attempt::Started(running) => Ok(*running),
            Attempt::Overtaken(again) => Err(again.reason),
        }
    }

    fn attempt(mut self, relay: Option<Relay>) -> Result<Attempt, Failure> {
        let failed = |errno: Errno| Failure::new(format!("cannot start: {errno}"));
        let (control, control_inside) = pair().map_err(failed)?;
        let (writer, reports) = supervisor::report::channel()
            .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
        let page = Page::new().map_err(failed)?;
        page.words().pause_at.store(self.pause_at, Ordering::Release);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let outer_proc = rustix::fs::openat(CWD, "/proc", flags, Mode::empty()).map_err(failed)?;
        let deadline = self.wall.map(|wall| Instant::now() + wall);
        let script = Script {
            launcher: plan::own_handle()?,
            control: control_inside,
            reports: writer.as_fd().as_raw_fd(),
            outer_proc,
            page,
            stack: vec![0; STACK],
            visible_memory: self.visible_memory,
            namespaces: self.layout.namespaces.take(),
            landlock: self.layout.landlock.take(),
            target: self.target,
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
            terminals: if self.enforcement.backend == Backend::LandlockOnly {
                Terminals::Everyones
            } else {
                Terminals::Own
            },
        };
        let dry = self.basis.writes == Writes::Listed;
        let mut judging = Some((self.files, writer));
        let sockets = &self.profile.sockets;
        let serve = |script: &Script, listener: OwnedFd| {
            // SECURITY: without a supervisor the supervised calls fail, so there is nothing to do about
            // an error here but to end.
            let Ok(proc) = script.outer_proc.try_clone() else { return };
            let Some((files, reports)) = judging.take() else { return };
            let sockets = sockets.clone();
            let supervisor = Supervisor { listener, proc, files, sockets, reports, surroundings };
            drop(supervisor.run());
        };
        let (supervisor, kept) = fork_and_follow(script, serve).map_err(failed)?;
        let Kept { page, view, target, supervision } = kept;
        let Some((files, _)) = judging else { return Err(Failure::new("cannot start")) };
        (self.files, self.target, self.supervision) = (files, target, supervision);
        let mut family =
            Family { supervisor: Some(Member::of(supervisor)), init: None, target: None };
        let outcome = await_start(&control, &family, relay.as_ref());
        family.meet(page.words());
        match outcome {
            Ok(mut listeners) => Ok(Attempt::Started(Box::new(Running {
                // It is handed over last.
                written: dry.then(|| listeners.pop()).flatten(),
                layers: self.layout.layers,
                enforcement: self.enforcement,
                listeners,
                page,
                family,
                collector: self.collector,
                reports,
                supervised: true,
                relay,
                deadline,
                _temporary: self.temporary,
            }))),
            Err(failure) => {
                drop(family);
                let Some((stage, detail, errno)) = page.failure() else { return Err(failure) };
                if is_overtaken(stage, errno) {
                    let place = usize::try_from(detail).ok().and_then(|number| view.get(number));
                    let place = place.filter(|_| stage == Stage::View).and_then(Step::place);
                    let reason = overtaken(place, errno);
                    let plan = Box::new(self);
                    return Ok(Attempt::Overtaken(Again { plan, relay, reason }));
                }
                let step = usize::try_from(detail).ok().and_then(|number| view.get(number));
                if let (Stage::View, Some(Step::Overlay { path, .. })) = (stage, step) {
                    return Err(not_laid(path, errno));
                }
                Err(explain(stage, detail, errno, Some(&self.cwd)))
            }
        }
    }
}

/// How an attempt to build the boundary went.
enum Attempt {
    Started(Box<Running>),
    /// What the boundary was made around was moved or replaced meanwhile. Nothing is left of the attempt.
    Overtaken(Again),
}

/// What another attempt needs, and what to say if there is none.
struct Again {
    plan: Box<Plan>,
    relay: Option<Relay>,
    reason: Failure,
}

/// How often a boundary is made before giving up because of what others do to the files meanwhile. One
/// attempt takes a few milliseconds, and is overtaken only by a rename that falls into it.
const LOOKS: u32 = 16;

/// Whether a failure means that what was found is not there any more.
fn is_overtaken(stage: Stage, errno: Errno) -> bool {
    matches!(stage, Stage::View | Stage::Landlock)
        && matches!(errno, Errno::STALE | Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

fn overtaken(place: Option<&CStr>, errno: Errno) -> Failure {
    let place = place.map_or_else(
        || "a writable directory".to_owned(),
        |place| format!("`{}`", place.to_string_lossy().escape_debug()),
    );
    let reason = std::io::Error::from(errno);
    Failure::new(format!(
        "{place} was moved or replaced while the sandbox was set up, {LOOKS} times in a row: {reason}"
    ))
    .cured_by("run it again when nothing renames it any more")
}

fn not_laid(place: &CStr, errno: Errno) -> Failure {
    let place = place.to_string_lossy();
    let reason = std::io::Error::from(errno);
    Failure::new(format!("a dry run cannot lay anything over `{}`: {reason}", place.escape_debug()))
        .cured_by("it takes Linux 5.11 with overlayfs, and no filesystem mounted below the place")
}

/// Room for what sets up the command's process; it calls nothing deep.
const STACK: usize = 128 * 1024;

fn pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// Waits until the command runs, and maps users for the supervisor where it asks for that. Gives the
/// sockets that were opened inside.
fn await_start(
    control: &OwnedFd,
    family: &Family,
    relay: Option<&Relay>,
) -> Result<Vec<OwnedFd>, Failure> {
    let failed = |errno: Errno| Failure::new(format!("cannot start: {errno}"));
    loop {
        if sleep_for(control, family, relay).map_err(failed)? {
            return Err(Failure::new("interrupted before the command was started"));
        }
        let mut byte = [0_u8];
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_LISTENERS))];
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
                let supervisor = family.supervisor.as_ref();
                let mapped = supervisor
                    .is_some_and(|supervisor| identity::map_everyone(supervisor.pid).is_ok());
                let answer = if mapped { b"+" } else { b"-" };
                // If it is gone, the next message is the end.
                let _gone = rustix::net::send(control, answer, SendFlags::NOSIGNAL);
            }
            Ok(_) => {
                let mut listeners = Vec::new();
                for message in ancillary.drain() {
                    if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                        listeners.extend(descriptors);
                    }
                }
                return Ok(listeners);
            }
            // Its end of the pair may be open in another process that was forked meanwhile.
            Err(Errno::AGAIN) if family.supervisor_has_ended() => {
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
        Stage::Proc => Failure::new(format!("cannot mount a fresh /proc: {reason}")).cured_by(
            "uncover what a container mounts over parts of it \
             (`--security-opt systempaths=unconfined`), or name the level `--require no-proc`",
        ),
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
