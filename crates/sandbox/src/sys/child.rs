//! What runs between the fork and the program.
//!
//! SECURITY: until the program or the supervisor runs, only system calls and shared memory: no allocation,
//! no lock, no formatting, nothing that could wait for a thread that does not exist on this side of the
//! fork. Everything needed has been prepared in a [`Script`].
//!
//! Three processes come out of it. The *supervisor* enters the namespaces and builds everything, but for
//! the process namespace: it stays invisible from inside. *Init* is the first process in there; it does
//! nothing but be there to inherit orphans. The *target* becomes the command. Init and target are made
//! children of the launcher, so that the launcher sees the command end and stop with its own eyes, and the
//! death of the launcher reaches both.
//!
//! The target has to be in the Landlock domain of the supervisor, which else may not look into it, and in
//! the process namespace of init. A process whose children are to be in another process namespace may have
//! no threads, and the supervisor needs some; so a short-lived *starter* in between enters the namespace.

use super::kernel::{self, Side};
use super::script::{
    Capture, Kept, Landlock, Namespaces, Onto, Place, Script, Step, Supervision, Target,
};
use super::{Page, Stage};
use crate::MOST_LISTENERS;
use rustix::fs::{CWD, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, Result};
use rustix::net::{AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::process::{DumpableBehavior, Pid, Signal};
use rustix::thread::futex;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};

/// Forks, and lets the new process carry out the script. Once the command runs, `supervise` takes over in
/// the new process, with the descriptor of the supervised calls.
pub(crate) fn fork_and_follow(
    script: Script,
    supervise: impl FnOnce(&Script, OwnedFd),
) -> Result<(Pid, Kept)> {
    match kernel::fork()? {
        Side::Parent(pid) => Ok((pid, script.into_kept())),
        Side::Child => follow(script, supervise),
    }
}

/// What went wrong: the stage, the step, and the error.
type Failed = (Stage, u32, Errno);

trait At<T> {
    fn at(self, stage: Stage) -> std::result::Result<T, Failed>;
}

impl<T> At<T> for Result<T> {
    fn at(self, stage: Stage) -> std::result::Result<T, Failed> {
        self.map_err(|errno| (stage, 0, errno))
    }
}

fn follow(mut script: Script, supervise: impl FnOnce(&Script, OwnedFd)) -> ! {
    match set_up(&mut script) {
        Ok(listener) => {
            if let Some(listener) = listener {
                supervise(&script, listener);
            }
            kernel::end(0)
        }
        Err((stage, detail, errno)) => {
            script.page.fail(stage, detail, errno);
            kernel::end(crate::Failure::STATUS)
        }
    }
}

fn set_up(script: &mut Script) -> std::result::Result<Option<OwnedFd>, Failed> {
    kernel::block_signals_but_interrupt();
    die_with(&script.launcher).at(Stage::Forked)?;
    // SECURITY: the copy of the launcher's variables in our memory may hold secrets, and init can be
    // looked at from inside.
    script.visible_memory.iter().copied().for_each(kernel::wipe);
    let umask = rustix::process::umask(Mode::empty());
    pause(&script.page, Stage::Forked);
    if let Some(namespaces) = &mut script.namespaces {
        let outer = &script.outer_proc;
        enter(namespaces, &script.page, &script.launcher, &script.control, outer)?;
        build(namespaces, &script.page)?;
    } else {
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
            .at(Stage::Identity)?;
    }
    pause(&script.page, Stage::Privileges);
    kernel::leave_keyring().at(Stage::Privileges)?;
    rustix::thread::set_no_new_privs(true).at(Stage::Privileges)?;
    if let Some(landlock) = &script.landlock {
        restrict(landlock).at(Stage::Landlock)?;
    }
    pause(&script.page, Stage::Landlock);
    start_target(script, umask)?;
    pause(&script.page, Stage::Target);
    let kept = if script.namespaces.is_some() { kernel::CAP_SYS_PTRACE } else { 0 };
    kernel::keep_capabilities(kept).at(Stage::Target)?;
    // Out of reach of the terminal: Ctrl-C and Ctrl-Z are for the command, which has left us by now.
    rustix::process::setpgid(None, None).at(Stage::Target)?;
    announce(script).at(Stage::Target)?;
    let listener = script.page.words().listener.load(Ordering::Acquire);
    // Whoever waits for the end of a pipe must not wait for us.
    let mut kept =
        [script.control.as_raw_fd(), script.reports, script.outer_proc.as_raw_fd(), listener];
    close_all_but(&mut kept).at(Stage::Target)?;
    Ok((listener > 0).then(|| kernel::own(listener)))
}

fn close_all_but(kept: &mut [RawFd]) -> Result<()> {
    kept.sort_unstable();
    let mut first = 0;
    for number in kept.iter().filter_map(|number| u32::try_from(*number).ok()) {
        if number > first {
            kernel::close_range(first, number - 1)?;
        }
        first = number.saturating_add(1);
    }
    kernel::close_range(first, u32::MAX)
}

/// Tells the launcher that the command runs, and hands it the sockets.
fn announce(script: &Script) -> Result<()> {
    let opened = script.namespaces.as_ref().and_then(|namespaces| namespaces.network.as_ref());
    let opened = opened.map_or(&[][..], |network| &network.opened);
    let mut borrowed: [BorrowedFd<'_>; MOST_LISTENERS] = [script.control.as_fd(); MOST_LISTENERS];
    for (place, number) in borrowed.iter_mut().zip(opened) {
        *place = kernel::borrow(*number);
    }
    let handed = script.namespaces.as_ref().and_then(|namespaces| {
        namespaces.handed.and_then(|slot| namespaces.slots.get(slot)).copied()
    });
    let mut count = opened.len();
    if let Some(handed) = handed {
        *borrowed.get_mut(count).ok_or(Errno::TOOBIG)? = kernel::borrow(handed);
        count += 1;
    }
    let borrowed = borrowed.get(..count).ok_or(Errno::TOOBIG)?;
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_LISTENERS))];
    let mut control = SendAncillaryBuffer::new(&mut room);
    if !borrowed.is_empty() && !control.push(SendAncillaryMessage::ScmRights(borrowed)) {
        return Err(Errno::TOOBIG);
    }
    let text = [std::io::IoSlice::new(b"!")];
    rustix::net::sendmsg(&script.control, &text, &mut control, SendFlags::NOSIGNAL).map(drop)
}

/// In tests: waits to be killed, where the test asked for it.
fn pause(page: &Page, stage: Stage) {
    if page.words().pause_at.load(Ordering::Acquire) == stage as u32 {
        page.words().paused.store(1, Ordering::Release);
        kernel::wait_for_ever();
    }
}

/// Asks to be killed when the launcher dies, and sees to it that it has not died before.
fn die_with(launcher: &OwnedFd) -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut fds = [rustix::event::PollFd::new(launcher, rustix::event::PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    if rustix::event::poll(&mut fds, Some(&now))? > 0 {
        return Err(Errno::SRCH);
    }
    Ok(())
}

fn enter(
    namespaces: &Namespaces,
    page: &Page,
    launcher: &OwnedFd,
    control: &OwnedFd,
    outer_proc: &OwnedFd,
) -> std::result::Result<(), Failed> {
    kernel::unshare(namespaces.flags).at(Stage::Namespaces)?;
    pause(page, Stage::Namespaces);
    map_identity(namespaces, control).at(Stage::Identity)?;
    // New credentials may have undone it.
    die_with(launcher).at(Stage::Identity)?;
    // Not before: the maps of a process that is not dumpable belong to root.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).at(Stage::Identity)?;
    pause(page, Stage::Identity);
    if !namespaces.nested {
        // On top of the filter of system calls. Where it cannot be written the filter stands alone.
        let _refused = write_file(c"/proc/sys/user/max_user_namespaces", b"0");
    }
    let flags = libc::CLONE_NEWPID | libc::CLONE_PARENT | libc::CLONE_FILES;
    match kernel::clone(flags, &page.words().init).at(Stage::Init)? {
        Side::Parent(_) => {}
        Side::Child => {
            init(page, launcher, outer_proc, namespaces.proc.is_some(), namespaces.program)
        }
    }
    pause(page, Stage::Init);
    Ok(())
}

fn map_identity(namespaces: &Namespaces, control: &OwnedFd) -> Result<()> {
    let identity = &namespaces.identity;
    if identity.assisted {
        let mut answer = [0];
        rustix::io::write(control, b"?")?;
        if rustix::io::read(control, &mut answer)? == 1 && answer == *b"+" {
            return Ok(());
        }
    }
    // Whoever may not set groups outside has to give it up inside first; user_namespaces(7).
    write_file(c"/proc/self/setgroups", b"deny")?;
    write_file(c"/proc/self/uid_map", &identity.users)?;
    write_file(c"/proc/self/gid_map", &identity.groups)
}

fn write_file(path: &std::ffi::CStr, content: &[u8]) -> Result<()> {
    let file = rustix::fs::openat(CWD, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    if rustix::io::write(&file, content)? == content.len() { Ok(()) } else { Err(Errno::IO) }
}

/// The first process of the process namespace.
fn init(
    page: &Page,
    launcher: &OwnedFd,
    outer_proc: &OwnedFd,
    proc: bool,
    program: kernel::Program,
) -> ! {
    let words = page.words();
    let ready = || -> Result<()> {
        die_with(launcher)?;
        // Orphans that end are gone at once: nobody asks for their status.
        kernel::ignore_signal(libc::SIGCHLD);
        rustix::thread::set_name(c"portcullis-init")?;
        // Landlock keeps others from taking it themselves.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let own = rustix::fs::openat(outer_proc, c"self/ns/pid", flags, Mode::empty())?;
        words.namespace.store(own.into_raw_fd(), Ordering::Release);
        Ok(())
    };
    let mut outcome = ready().at(Stage::Init);
    if outcome.is_ok() && proc {
        // Only a process inside can make a `/proc` that shows the inside.
        outcome = kernel::fresh_proc()
            .map(|fresh| words.proc.store(fresh, Ordering::Release))
            .at(Stage::Proc);
    }
    if let Err((stage, detail, errno)) = outcome {
        page.fail(stage, detail, errno);
    }
    tell(&words.init_ready);
    if outcome.is_err() || kernel::close_range(0, u32::MAX).is_err() {
        kernel::end(crate::Failure::STATUS);
    }
    program.give_back();
    kernel::wait_for_ever()
}

fn build(namespaces: &mut Namespaces, page: &Page) -> std::result::Result<(), Failed> {
    if let Some(network) = &mut namespaces.network {
        build_network(network).at(Stage::Network)?;
        pause(page, Stage::Network);
    }
    // SECURITY: a fresh `/proc` may only be made while the one of the host can be seen whole, so init
    // makes it before the view changes.
    await_init(page)?;
    for (number, step) in (0_u32..).zip(&namespaces.view) {
        perform(step, &mut namespaces.slots).map_err(|errno| (Stage::View, number, errno))?;
    }
    pause(page, Stage::View);
    if let Some(masks) = &namespaces.proc {
        let proc = page.words().proc.load(Ordering::Acquire);
        put(proc, c"/proc", Onto::SameKind).at(Stage::Proc)?;
        for (number, step) in (0_u32..).zip(masks) {
            match perform(step, &mut namespaces.slots) {
                // Not every kernel has every part of `/proc`.
                Ok(()) | Err(Errno::NOENT | Errno::BADF) => {}
                Err(errno) => return Err((Stage::Proc, number, errno)),
            }
        }
    }
    pause(page, Stage::Proc);
    Ok(())
}

fn await_init(page: &Page) -> std::result::Result<(), Failed> {
    wait_for(&page.words().init_ready).at(Stage::Init)?;
    page.failure().map_or(Ok(()), Err)
}

fn build_network(network: &mut Capture) -> Result<()> {
    use rustix::net::{self, SocketFlags, SocketType};
    let flags = SocketFlags::CLOEXEC;
    let kernel_side = net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        flags,
        // NETLINK_ROUTE.
        None,
    )?;
    for message in &network.messages {
        net::send(&kernel_side, message, SendFlags::empty())?;
        let mut answer = [0_u8; 256];
        let (length, _) = net::recv(&kernel_side, &mut answer[..], net::RecvFlags::empty())?;
        // netlink(7): a header of 16 bytes, then the error, negative, 0 for success.
        let error = answer
            .get(16..20)
            .filter(|_| length >= 20)
            .map_or(-libc::EIO, |bytes| bytes.try_into().map_or(-libc::EIO, i32::from_ne_bytes));
        if error != 0 {
            return Err(Errno::from_raw_os_error(-error));
        }
    }
    for (listener, opened) in network.listeners.iter().zip(&mut network.opened) {
        let family = match listener.address {
            std::net::SocketAddr::V4(_) => AddressFamily::INET,
            std::net::SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let kind = match listener.transport {
            crate::Transport::Tcp => SocketType::STREAM,
            crate::Transport::Udp => SocketType::DGRAM,
        };
        let socket = net::socket_with(family, kind, flags, None)?;
        net::sockopt::set_socket_reuseaddr(&socket, true)?;
        net::bind(&socket, &listener.address)?;
        if listener.transport == crate::Transport::Tcp {
            const BACKLOG: i32 = 1024;
            net::listen(&socket, BACKLOG)?;
        }
        *opened = socket.into_raw_fd();
    }
    Ok(())
}

fn perform(step: &Step, slots: &mut [RawFd]) -> Result<()> {
    let at = |slots: &[RawFd], slot: usize| {
        slots.get(slot).copied().filter(|number| *number >= 0).ok_or(Errno::BADF)
    };
    let keep = |slots: &mut [RawFd], slot: usize, descriptor: RawFd| {
        if let Some(place) = slots.get_mut(slot) {
            *place = descriptor;
        }
    };
    match step {
        Step::Private => kernel::make_private(c"/"),
        Step::Take { path, slot } => {
            // SECURITY: a path that was plain when the plan was made and has a symlink in it now was
            // changed by someone, who may be a command in another sandbox.
            let found = kernel::own(kernel::open_plain(path)?);
            let tree = kernel::copy_tree(found.as_raw_fd(), c"")?;
            keep(slots, *slot, tree);
            Ok(())
        }
        Step::TakeBelow { base, path, slot } => {
            let tree = kernel::copy_tree(at(slots, *base)?, path)?;
            keep(slots, *slot, tree);
            Ok(())
        }
        Step::ReadOnlyEverything => kernel::make_read_only_below(c"/"),
        Step::ReadOnly { slot } => kernel::make_read_only(at(slots, *slot)?),
        Step::Writable { slot } => kernel::make_writable(at(slots, *slot)?),
        Step::Keep { path, slot } => {
            keep(slots, *slot, kernel::open_plain(path)?);
            Ok(())
        }
        Step::Seal { path, from } => {
            let place = kernel::own(kernel::open_plain(path)?);
            let tree = match from {
                None => kernel::copy_tree(place.as_raw_fd(), c"")?,
                Some((base, below)) => kernel::copy_tree(at(slots, *base)?, below)?,
            };
            let tree = kernel::own(tree);
            // SECURITY: as for `put`. What lies there under that name may be two things by now.
            fits(&tree, &place, Onto::Itself)?;
            kernel::make_read_only(tree.as_raw_fd())?;
            kernel::put_tree(tree.as_raw_fd(), place.as_raw_fd())
        }
        Step::Memory { path, slot } => {
            use rustix::mount::{MountFlags, mount};
            mount(c"tmpfs", path, c"tmpfs", MountFlags::NOSUID, Some(c"mode=0755"))?;
            keep(slots, *slot, kernel::open_plain(path)?);
            Ok(())
        }
        Step::Overlay { path, upper, work, slot } => {
            // By the directory that was found: its path may lead elsewhere by now.
            let below = kernel::own(kernel::open_plain(path)?);
            rustix::process::fchdir(&below)?;
            let laid = kernel::overlay(upper, work);
            rustix::process::chdir(c"/")?;
            keep(slots, *slot, laid?);
            Ok(())
        }
        Step::Directory { base, path, mode } => {
            rustix::fs::mkdirat(kernel::borrow(at(slots, *base)?), path, Mode::from_raw_mode(*mode))
        }
        Step::File { base, path, mode, content } => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            let base = kernel::borrow(at(slots, *base)?);
            let file = rustix::fs::openat(base, path, flags, Mode::from_raw_mode(*mode))?;
            if content.is_empty() || rustix::io::write(&file, content)? == content.len() {
                Ok(())
            } else {
                Err(Errno::IO)
            }
        }
        Step::Link { base, path, target } => {
            rustix::fs::symlinkat(target, kernel::borrow(at(slots, *base)?), path)
        }
        Step::Put { slot, path, onto } => {
            let tree = at(slots, *slot)?;
            put(tree, path, *onto)?;
            drop(kernel::own(tree));
            keep(slots, *slot, -1);
            Ok(())
        }
        Step::Terminals { path } => {
            use rustix::mount::{MountFlags, mount};
            let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
            mount(c"devpts", path, c"devpts", flags, Some(c"newinstance,ptmxmode=0666,mode=0620"))
        }
    }
}

/// Puts a mount in its place.
///
/// SECURITY: the host goes on while the view is built. What stands at the path by now may be another thing
/// than the plan was made for, or be reached by a link that was put in between; a mount there would show
/// one thing under the name of another, and leave uncovered what it was meant for. `ESTALE` asks for a new
/// plan. What moves only after this look takes the mount along, and its name is the supervisor's.
fn put(tree: RawFd, path: &std::ffi::CStr, onto: Onto) -> Result<()> {
    let place = kernel::own(kernel::open_plain(path)?);
    fits(&kernel::borrow(tree), &place, onto)?;
    kernel::put_tree(tree, place.as_raw_fd())
}

/// Whether a mount belongs where it is to be put.
fn fits(tree: &impl AsFd, place: &OwnedFd, onto: Onto) -> Result<()> {
    let (ours, there) = (rustix::fs::fstat(tree)?, rustix::fs::fstat(place)?);
    let is_directory = |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let fits = match onto {
        Onto::SameKind => is_directory(&ours) == is_directory(&there),
        Onto::Itself => (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino),
    };
    if fits { Ok(()) } else { Err(Errno::STALE) }
}

fn restrict(landlock: &Landlock) -> Result<()> {
    let ruleset = kernel::own(kernel::landlock_ruleset(landlock)?);
    for rule in &landlock.rules {
        let opened = match rule.place {
            // SECURITY: as for mounts, a link that is new on the way was put there by someone.
            Place::There | Place::Perhaps => kernel::open_plain(&rule.path).map(kernel::own),
            Place::Reached => {
                let flags = OFlags::PATH | OFlags::CLOEXEC;
                rustix::fs::openat(CWD, &rule.path, flags, Mode::empty())
            }
        };
        match opened {
            Ok(place) => {
                kernel::landlock_allow(ruleset.as_raw_fd(), place.as_raw_fd(), rule.rights)?;
            }
            Err(_) if rule.place != Place::There => {}
            Err(errno) => return Err(errno),
        }
    }
    for (descriptor, rights) in &landlock.standard {
        kernel::landlock_allow(ruleset.as_raw_fd(), *descriptor, *rights)?;
    }
    kernel::landlock_restrict(ruleset.as_raw_fd())
}

/// Starts the process of the command, and comes back once its calls can be served.
fn start_target(script: &mut Script, umask: Mode) -> std::result::Result<(), Failed> {
    let Script { page, launcher, target, supervision, stack, namespaces, .. } = script;
    let words = page.words();
    // The table of descriptors is shared until the target takes its own, so the descriptor of the
    // supervised calls needs no sending.
    let flags = libc::CLONE_PARENT | libc::CLONE_FILES;
    let mut start = || match kernel::clone(flags, &words.target)? {
        Side::Parent(_) => Ok(()),
        Side::Child => be_target(target, supervision.as_ref(), page, launcher, umask),
    };
    if namespaces.is_some() {
        let namespace = words.namespace.load(Ordering::Acquire);
        let mut outcome = Ok(());
        let mut work = || {
            outcome = kernel::enter_process_namespace(namespace).and_then(|()| start());
            0
        };
        kernel::borrowed(stack, &words.starter, &mut work).at(Stage::Target)?;
        outcome.at(Stage::Target)?;
    } else {
        start().at(Stage::Target)?;
    }
    if supervision.is_some() {
        wait_for(&words.target_ready).at(Stage::Target)?;
    }
    page.failure().map_or(Ok(()), Err)
}

fn be_target(
    target: &mut Target,
    supervision: Option<&Supervision>,
    page: &Page,
    launcher: &OwnedFd,
    umask: Mode,
) -> ! {
    match become_command(target, supervision, page, launcher, umask) {
        Ok(errno) => {
            page.words().exec_errno.store(errno.raw_os_error(), Ordering::Release);
            let missing = matches!(errno, Errno::NOENT | Errno::NOTDIR);
            kernel::end(if missing { 127 } else { 126 })
        }
        Err((stage, detail, errno)) => {
            page.fail(stage, detail, errno);
            tell(&page.words().target_ready);
            kernel::end(crate::Failure::STATUS)
        }
    }
}

/// Waits until someone tells.
fn wait_for(word: &AtomicU32) -> Result<()> {
    while word.load(Ordering::Acquire) == 0 {
        match futex::wait(word, futex::Flags::empty(), 0, None) {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn tell(word: &AtomicU32) {
    word.store(1, Ordering::Release);
    // Nobody waiting is not an error.
    let _woken = futex::wake(word, futex::Flags::empty(), 1);
}

/// Gives up everything and runs the program. `Ok` says why the program could not be run.
fn become_command(
    target: &mut Target,
    supervision: Option<&Supervision>,
    page: &Page,
    launcher: &OwnedFd,
    umask: Mode,
) -> std::result::Result<Errno, Failed> {
    die_with(launcher).at(Stage::TargetSetUp)?;
    rustix::process::umask(umask);
    for (resource, limit) in &target.limits {
        rustix::process::setrlimit(*resource, *limit).at(Stage::TargetSetUp)?;
    }
    for descriptor in &target.passed {
        kernel::pass_on(*descriptor).at(Stage::TargetSetUp)?;
    }
    match kernel::empty_bounding_set() {
        // Without an own user namespace it takes a capability to give up capabilities; who has none has
        // none to lose.
        Ok(()) | Err(Errno::PERM) => {}
        Err(errno) => return Err((Stage::TargetSetUp, 0, errno)),
    }
    kernel::keep_capabilities(0).at(Stage::TargetSetUp)?;
    rustix::process::chdir(&target.cwd).map_err(|errno| (Stage::TargetSetUp, 1, errno))?;
    pause(page, Stage::TargetSetUp);
    // The supervisor may have to read the path of the program from our memory. Nobody else is there yet.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable).at(Stage::TargetSetUp)?;
    kernel::filter_calls(&target.filter).at(Stage::Filters)?;
    if let Some(supervision) = supervision {
        let listener = kernel::supervise_calls(&supervision.filter)
            .map_err(|errno| (Stage::Filters, 1, errno))?;
        page.words().listener.store(listener, Ordering::Release);
        tell(&page.words().target_ready);
    }
    for (first, last) in &target.closed {
        kernel::close_range(*first, *last).map_err(|errno| (Stage::Filters, 2, errno))?;
    }
    // std ignores it in every Rust program; a command that is cut off by `| head` has to die of it.
    kernel::default_signal(libc::SIGPIPE);
    kernel::restore_signals(&target.signals);
    let mut reason = Errno::NOENT;
    for candidate in &target.candidates {
        match kernel::execute(candidate, &mut target.arguments, &target.variables) {
            Errno::NOENT | Errno::NOTDIR => {}
            // execvp(3): go on looking, and remember.
            Errno::ACCESS => reason = Errno::ACCESS,
            errno => return Ok(errno),
        }
    }
    Ok(reason)
}
