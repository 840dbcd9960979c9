//! One safe function for each system call that rustix has none for.
//!
//! None of them allocates or takes a lock, so all of them may be used between fork and exec.

use super::script::{ExecArguments, Landlock};
use rustix::io::{Errno, Result};
use rustix::process::Pid;
use std::ffi::{CStr, c_int, c_long, c_uint, c_void};
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicI32;

/// Which process comes back from a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The new one.
    Child,
    /// The one that called, with the new one's number.
    Parent(Pid),
}

fn check(returned: c_long) -> Result<c_long> {
    if returned == -1 {
        let code = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        return Err(Errno::from_raw_os_error(code));
    }
    Ok(returned)
}

fn descriptor(returned: c_long) -> Result<RawFd> {
    RawFd::try_from(check(returned)?).ok().ok_or(Errno::RANGE)
}

fn side(returned: c_long) -> Result<Side> {
    let pid = i32::try_from(check(returned)?).ok().ok_or(Errno::RANGE)?;
    Ok(Pid::from_raw(pid).map_or(Side::Child, Side::Parent))
}

/// Forks as the C library does: its locks are free in the child, so that the child may allocate even if
/// the caller has other threads.
pub(super) fn fork() -> Result<Side> {
    // SAFETY: the child continues with `child::follow` only, which uses no lock of ours or of std, and
    // ends by `_exit` or `execve`.
    let returned = unsafe { libc::fork() };
    side(c_long::from(returned))
}

/// Forks a process that has no other thread; whatever the child does then is what this process could do.
pub(super) fn fork_alone() -> std::io::Result<Side> {
    // One name in there for each thread; proc(5).
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(Errno::BUSY.into());
    }
    // SAFETY: nobody else is there who could hold a lock, or be in the middle of anything else.
    let returned = unsafe { libc::fork() };
    Ok(side(c_long::from(returned))?)
}

/// Forks with the given flags. The kernel writes the child's number to `number` before it returns.
pub(super) fn clone(flags: c_int, number: &AtomicI32) -> Result<Side> {
    let flags = c_long::from(flags | libc::CLONE_PARENT_SETTID | libc::SIGCHLD);
    // SAFETY: without CLONE_VM and with a null stack the child gets a copy of everything, as by fork;
    // `number` lives in the shared page, which outlives both. Both sides use no locks afterwards.
    let returned = unsafe { libc::syscall(libc::SYS_clone, flags, 0, number.as_ptr(), 0, 0) };
    side(returned)
}

/// Does `work` in a process that borrows our memory, while we wait for its end; its status is 0 if `work`
/// says so. Like the children of [`clone`] with `CLONE_PARENT`, it is a sibling.
pub(super) fn borrowed<W: FnMut() -> u8>(
    stack: &mut [u8],
    number: &AtomicI32,
    work: &mut W,
) -> Result<()> {
    extern "C" fn enter<W: FnMut() -> u8>(work: *mut c_void) -> c_int {
        // SAFETY: the caller of `clone` below passed a live, exclusive `W` and waits.
        let work = unsafe { &mut *work.cast::<W>() };
        c_int::from(work())
    }
    let flags = libc::CLONE_VM
        | libc::CLONE_VFORK
        | libc::CLONE_FILES
        | libc::CLONE_PARENT
        | libc::CLONE_PARENT_SETTID
        | libc::SIGCHLD;
    let end = stack.as_mut_ptr_range().end;
    let top = end.wrapping_sub(end.addr() % ALIGNED);
    // SAFETY: the stack is ours, aligned and large enough for what runs on it, which is all in `child`;
    // by CLONE_VFORK nothing of this process runs until the other has ended, so what `work` borrows is
    // touched by one process at a time.
    let returned = unsafe {
        libc::clone(enter::<W>, top.cast(), flags, std::ptr::from_mut(work).cast(), number.as_ptr())
    };
    check(c_long::from(returned)).map(drop)
}

/// Makes the children to come members of a process namespace.
pub(super) fn enter_process_namespace(namespace: RawFd) -> Result<()> {
    // SAFETY: plain numbers only.
    let returned = unsafe { libc::setns(namespace, libc::CLONE_NEWPID) };
    check(c_long::from(returned)).map(drop)
}

/// Enters new namespaces.
pub(super) fn unshare(namespaces: rustix::thread::UnshareFlags) -> Result<()> {
    // SAFETY: only namespaces are asked for, never an own table of descriptors, which is what could
    // invalidate descriptors that are borrowed elsewhere.
    unsafe { rustix::thread::unshare_unsafe(namespaces) }
}

/// Ends the process at once.
pub(super) fn end(status: u8) -> ! {
    // SAFETY: `_exit` runs nothing of ours and has no precondition.
    unsafe { libc::_exit(c_int::from(status)) }
}

const MOUNT_ATTR_RDONLY: u64 = 0x1;
const MOUNT_ATTR_NOSUID: u64 = 0x2;
const AT_RECURSIVE: c_uint = 0x8000;
const MOUNT_ATTR_NODEV: u64 = 0x4;
const FSCONFIG_SET_FLAG: c_uint = 0;
const FSCONFIG_SET_STRING: c_uint = 1;
const FSCONFIG_CMD_CREATE: c_uint = 6;
const MOUNT_ATTR_NODEV_NOEXEC_NOSUID: c_uint = 0x4 | 0x8 | 0x2;
/// How stacks are aligned on every architecture there is.
const ALIGNED: usize = 16;

/// `mount_setattr(2)`, `struct mount_attr`.
#[repr(C)]
#[derive(Default)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    userns: u64,
}

fn set_mount(dir: RawFd, path: &CStr, attributes: &MountAttributes) -> Result<()> {
    let flags = AT_RECURSIVE | libc::AT_EMPTY_PATH.cast_unsigned();
    // SAFETY: `path` is a C string and `attributes` a live structure of the size given.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            dir,
            path.as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<MountAttributes>(),
        )
    };
    check(returned).map(drop)
}

/// Makes no mount here and below share its changes with another namespace.
pub(super) fn make_private(path: &CStr) -> Result<()> {
    let propagation = libc::MS_PRIVATE;
    set_mount(libc::AT_FDCWD, path, &MountAttributes { propagation, ..Default::default() })
}

/// Makes every mount here and below read-only, and its set-user-id bits without effect.
pub(super) fn make_read_only_below(path: &CStr) -> Result<()> {
    let set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
    set_mount(libc::AT_FDCWD, path, &MountAttributes { set, ..Default::default() })
}

/// Makes a mount on its way, and every mount below, read-only.
pub(super) fn make_read_only(mount: RawFd) -> Result<()> {
    set_mount(mount, c"", &MountAttributes { set: MOUNT_ATTR_RDONLY, ..Default::default() })
}

/// Makes a mount on its way writable.
pub(super) fn make_writable(mount: RawFd) -> Result<()> {
    set_mount(mount, c"", &MountAttributes { clear: MOUNT_ATTR_RDONLY, ..Default::default() })
}

const OPEN_TREE_CLONE: c_uint = 1;
const OPEN_TREE_CLOEXEC: c_uint = libc::O_CLOEXEC.cast_unsigned();

/// A copy of what stands at `path`, with every mount below; an empty path is `dir` itself.
pub(super) fn copy_tree(dir: RawFd, path: &CStr) -> Result<RawFd> {
    let flags = OPEN_TREE_CLONE
        | OPEN_TREE_CLOEXEC
        | AT_RECURSIVE
        | (libc::AT_EMPTY_PATH | libc::AT_SYMLINK_NOFOLLOW).cast_unsigned();
    // SAFETY: `path` is a C string; the call makes a new descriptor and touches no memory.
    let returned = unsafe { libc::syscall(libc::SYS_open_tree, dir, path.as_ptr(), flags) };
    descriptor(returned)
}

const MOVE_MOUNT_F_EMPTY_PATH: c_uint = 4;
const MOVE_MOUNT_T_EMPTY_PATH: c_uint = 0x40;

/// Puts a mount on its way onto what `place` is, wherever that is called by now.
pub(super) fn put_tree(mount: RawFd, place: RawFd) -> Result<()> {
    // SAFETY: both paths are C strings; the call touches no memory.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            mount,
            c"".as_ptr(),
            place,
            c"".as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
        )
    };
    check(returned).map(drop)
}

/// openat2(2), `struct open_how`.
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

const RESOLVE_NO_SYMLINKS: u64 = 4;

/// Opens a path for naming it only, and refuses if any part of it is a symlink.
pub(super) fn open_plain(path: &CStr) -> Result<RawFd> {
    let flags = u64::from((libc::O_PATH | libc::O_CLOEXEC).cast_unsigned());
    let how = OpenHow { flags, mode: 0, resolve: RESOLVE_NO_SYMLINKS };
    // SAFETY: `path` is a C string and `how` a live structure of the size given.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            libc::AT_FDCWD,
            path.as_ptr(),
            std::ptr::from_ref(&how),
            size_of::<OpenHow>(),
        )
    };
    descriptor(returned)
}

/// A mount point in the making: a detached, fresh `/proc` of the process namespace of the caller.
pub(super) fn fresh_proc() -> Result<RawFd> {
    // SAFETY: the name is a C string; the call touches no memory.
    let context =
        descriptor(unsafe { libc::syscall(libc::SYS_fsopen, c"proc".as_ptr(), 1 as c_uint) })?;
    // SAFETY: for this command key and value have to be null and the last argument zero.
    check(unsafe {
        libc::syscall(
            libc::SYS_fsconfig,
            context,
            FSCONFIG_CMD_CREATE,
            std::ptr::null::<c_void>(),
            std::ptr::null::<c_void>(),
            0,
        )
    })?;
    // SAFETY: plain numbers only.
    let returned = unsafe {
        libc::syscall(libc::SYS_fsmount, context, 1 as c_uint, MOUNT_ATTR_NODEV_NOEXEC_NOSUID)
    };
    descriptor(returned)
}

/// A mount on its way that shows the working directory, and takes what is written to it into `upper`.
///
/// The attributes are those a user may set: kernel documentation, overlayfs, `userxattr`.
pub(super) fn overlay(upper: &CStr, work: &CStr) -> Result<RawFd> {
    // SAFETY: the name is a C string; the call touches no memory.
    let context =
        descriptor(unsafe { libc::syscall(libc::SYS_fsopen, c"overlay".as_ptr(), 1 as c_uint) })?;
    let context = own(context);
    let set = |command: c_uint, key: Option<&CStr>, value: Option<&CStr>| {
        let key = key.map_or(std::ptr::null(), CStr::as_ptr);
        let value = value.map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: key and value are C strings, or null where the command wants none; the last is zero.
        let returned = unsafe {
            libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), command, key, value, 0)
        };
        check(returned).map(drop)
    };
    set(FSCONFIG_SET_FLAG, Some(c"userxattr"), None)?;
    set(FSCONFIG_SET_STRING, Some(c"lowerdir"), Some(c"."))?;
    set(FSCONFIG_SET_STRING, Some(c"upperdir"), Some(upper))?;
    set(FSCONFIG_SET_STRING, Some(c"workdir"), Some(work))?;
    set(FSCONFIG_CMD_CREATE, None, None)?;
    // SAFETY: plain numbers only.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_fsmount,
            context.as_raw_fd(),
            1 as c_uint,
            MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID,
        )
    };
    descriptor(returned)
}

/// landlock(7), `struct landlock_ruleset_attr`.
#[repr(C)]
struct RulesetAttributes {
    files: u64,
    network: u64,
    scopes: u64,
}

/// landlock(7), `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    rights: u64,
    parent: RawFd,
}

const LANDLOCK_CREATE_RULESET_VERSION: c_uint = 1;
const LANDLOCK_RULE_PATH_BENEATH: c_uint = 1;

/// The version of Landlock's interface; 0 where there is none.
pub(crate) fn landlock_version() -> u32 {
    // SAFETY: with this flag the attributes have to be null and their size zero.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<c_void>(),
            0_usize,
            LANDLOCK_CREATE_RULESET_VERSION,
        )
    };
    check(returned).ok().and_then(|version| u32::try_from(version).ok()).unwrap_or(0)
}

/// An empty set of rules.
pub(super) fn landlock_ruleset(landlock: &Landlock) -> Result<RawFd> {
    let attributes = RulesetAttributes {
        files: landlock.files,
        network: landlock.network,
        scopes: landlock.scopes,
    };
    let size = landlock.attribute_size.min(size_of::<RulesetAttributes>());
    // SAFETY: `attributes` is live and at least `size` long.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::from_ref(&attributes),
            size,
            0 as c_uint,
        )
    };
    descriptor(returned)
}

/// Adds rights on what a descriptor names and on everything below.
pub(super) fn landlock_allow(ruleset: RawFd, parent: RawFd, rights: u64) -> Result<()> {
    let rule = PathBeneath { rights, parent };
    // SAFETY: `rule` is live and has the layout this kind of rule has.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset,
            LANDLOCK_RULE_PATH_BENEATH,
            std::ptr::from_ref(&rule),
            0 as c_uint,
        )
    };
    check(returned).map(drop)
}

/// Restricts the caller and all it will start.
pub(super) fn landlock_restrict(ruleset: RawFd) -> Result<()> {
    // SAFETY: plain numbers only.
    let returned = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0 as c_uint) };
    check(returned).map(drop)
}

fn install(filter: &[libc::sock_filter], flags: libc::c_ulong) -> Result<c_long> {
    let len = u16::try_from(filter.len()).ok().ok_or(Errno::INVAL)?;
    // The kernel only reads the program, though its interface does not say so.
    let program = libc::sock_fprog { len, filter: filter.as_ptr().cast_mut() };
    // SAFETY: `program` leads to `len` live instructions.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            std::ptr::from_ref(&program),
        )
    };
    check(returned)
}

/// Filters the calls of this process and all it will start.
pub(super) fn filter_calls(filter: &[libc::sock_filter]) -> Result<()> {
    // The filter hides nothing from speculation, and without this flag kernels before 5.16 slow down
    // every process that has one.
    install(filter, libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW).map(drop)
}

/// The same with a descriptor on which the picked calls can be received.
pub(super) fn supervise_calls(filter: &[libc::sock_filter]) -> Result<RawFd> {
    const WAIT_KILLABLE: libc::c_ulong = 1 << 5;
    let flags = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW | libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // Since 5.19: a call that is being served is not begun again because of a signal.
    match install(filter, flags | WAIT_KILLABLE) {
        Err(Errno::INVAL) => descriptor(install(filter, flags)?),
        other => descriptor(other?),
    }
}

/// capget(2), `struct __user_cap_header_struct`.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: c_int,
}

/// capget(2), `struct __user_cap_data_struct`.
#[repr(C)]
#[derive(Clone, Copy)]
struct CapabilityData {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The capability to look into processes of the same user that are not dumpable.
pub(super) const CAP_SYS_PTRACE: u64 = 1 << 19;

/// Keeps only the given capabilities; they are not inherited.
pub(super) fn keep_capabilities(kept: u64) -> Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    let header = CapabilityHeader { version: VERSION_3, pid: 0 };
    let half = |bits: u64| {
        let bits = u32::try_from(bits & 0xffff_ffff).unwrap_or(0);
        CapabilityData { effective: bits, permitted: bits, inheritable: 0 }
    };
    let data = [half(kept), half(kept >> 32)];
    // SAFETY: header and data are live and have the layout of version 3, which takes two halves.
    let returned = unsafe {
        libc::syscall(libc::SYS_capset, std::ptr::from_ref(&header), std::ptr::from_ref(&data))
    };
    check(returned).map(drop)
}

/// Makes sure that no program started from here ever gets a capability.
pub(super) fn empty_bounding_set() -> Result<()> {
    for capability in 0..64_u8 {
        // SAFETY: plain numbers only.
        let returned =
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability), 0, 0, 0) };
        match check(c_long::from(returned)) {
            Ok(_) => {}
            // The first number that is no capability here.
            Err(Errno::INVAL) => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Leaves the session keyring of the caller for an empty one.
pub(super) fn leave_keyring() -> Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: c_int = 1;
    // SAFETY: a null name asks for an anonymous keyring.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            KEYCTL_JOIN_SESSION_KEYRING,
            std::ptr::null::<c_void>(),
            0,
            0,
            0,
        )
    };
    match check(returned) {
        // A kernel without keyrings, or a filter around us that forbids them: nothing to leave.
        Err(Errno::NOSYS | Errno::PERM) => Ok(()),
        other => other.map(drop),
    }
}

/// Closes a range of descriptors, in a table of our own if it was shared.
pub(super) fn close_range(first: u32, last: u32) -> Result<()> {
    const UNSHARE: c_uint = 2;
    // SAFETY: no `OwnedFd` in this process is used or dropped afterwards: what follows is `execve`,
    // `_exit` or an endless wait.
    let returned = unsafe { libc::syscall(libc::SYS_close_range, first, last, UNSHARE) };
    check(returned).map(drop)
}

/// Lets a descriptor live through `execve`.
pub(super) fn pass_on(descriptor: RawFd) -> Result<()> {
    // SAFETY: plain numbers only; a number that is not open gives EBADF.
    let returned = unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) };
    check(c_long::from(returned)).map(drop)
}

/// Borrows a descriptor by its number.
pub(super) fn borrow(descriptor: RawFd) -> BorrowedFd<'static> {
    // SAFETY: only called with numbers the kernel handed out and the script keeps, never -1; nothing
    // closes them between fork and exec while they are borrowed.
    unsafe { BorrowedFd::borrow_raw(descriptor) }
}

/// Takes over a descriptor by its number.
pub(super) fn own(descriptor: RawFd) -> OwnedFd {
    // SAFETY: called once for each number that the kernel just handed out.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Replaces the program. Comes back only with the reason why not.
pub(super) fn execute(
    path: &CStr,
    arguments: &mut ExecArguments,
    variables: &ExecArguments,
) -> Errno {
    // SAFETY: both arrays end with null and lead to C strings owned by what is borrowed here.
    let returned =
        unsafe { libc::execve(path.as_ptr(), arguments.pointers(), variables.pointers()) };
    let errno = check(c_long::from(returned)).err().unwrap_or(Errno::IO);
    if errno != Errno::NOEXEC {
        return errno;
    }
    // A text without `#!` is run by a shell, as execvp(3) and every shell do.
    let (shell, script) = arguments.as_script(path);
    // SAFETY: as above; `path` is alive during the call.
    let returned = unsafe { libc::execve(shell.as_ptr(), script, variables.pointers()) };
    check(c_long::from(returned)).err().unwrap_or(Errno::IO)
}

/// Overwrites a part of our memory with zeroes.
pub(super) fn wipe(range: (usize, usize)) {
    let (start, end) = range;
    let Some(length) = end.checked_sub(start) else { return };
    if start == 0 || length == 0 {
        return;
    }
    // SAFETY: the kernel says that this range holds the arguments or variables of this process, which are
    // writable bytes; zeroes make every string in it empty and leave every pointer to it valid.
    unsafe { std::ptr::write_bytes(std::ptr::with_exposed_provenance_mut::<u8>(start), 0, length) };
}

/// Where the arguments and the variables that `/proc` shows of this process lie in memory.
pub(crate) fn arguments_and_variables() -> [(usize, usize); 2] {
    const ARG_START_AFTER_NAME: usize = 45;
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program is in parentheses and may hold anything.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut numbers = rest
        .split_whitespace()
        .skip(ARG_START_AFTER_NAME)
        .map(|number| number.parse::<usize>().unwrap_or(0));
    let mut pair = || (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    [pair(), pair()]
}

/// Where the parts of the program lie in memory that are never written, code above all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Program([(usize, usize); 4]);

impl Program {
    /// Looks where they are.
    pub(crate) fn look() -> Self {
        extern "C" fn first(info: *mut libc::dl_phdr_info, _: usize, found: *mut c_void) -> c_int {
            // SAFETY: the C library passes a live structure.
            let info = unsafe { &*info };
            // SAFETY: it says where the headers are and how many there are, and they stay as they are.
            let headers =
                unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
            // SAFETY: the caller below passed a live, exclusive `Program` and waits.
            let found = unsafe { &mut *found.cast::<Program>() };
            let constant = headers
                .iter()
                .filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & WRITABLE == 0);
            for (place, header) in found.0.iter_mut().zip(constant) {
                let start = usize::try_from(info.dlpi_addr.saturating_add(header.p_vaddr));
                if let (Ok(start), Ok(size)) = (start, usize::try_from(header.p_memsz)) {
                    *place = (start - start % PAGE, size + start % PAGE);
                }
            }
            // The first is the program; its libraries are left alone.
            1
        }
        /// elf(5), `PF_W`.
        const WRITABLE: u32 = 2;
        let mut found = Self::default();
        // SAFETY: the callback fills in what it is given and keeps nothing.
        let _stopped = unsafe {
            libc::dl_iterate_phdr(Some(first), std::ptr::from_mut(&mut found).cast::<c_void>())
        };
        found
    }

    /// Gives back their pages: what it took to come here is not needed to wait. What is needed again is
    /// found in the file.
    pub(crate) fn give_back(self) {
        for (start, size) in self.0.into_iter().filter(|(start, _)| *start != 0) {
            let address = std::ptr::with_exposed_provenance_mut::<c_void>(start);
            // SAFETY: a part of the program that is never written, so the file says what was there. The
            // advice may fail, and then changes nothing.
            let _advice = unsafe { libc::madvise(address, size, libc::MADV_DONTNEED) };
        }
    }
}

/// The smallest page there is.
const PAGE: usize = 4096;

fn empty_set() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset fills in the whole set and cannot fail for a valid pointer.
    let _zero = unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: filled in by the call above.
    unsafe { set.assume_init() }
}

fn set_of(signals: &[c_int]) -> libc::sigset_t {
    let mut set = empty_set();
    for signal in signals {
        // SAFETY: `set` is a live set; a number that is no signal gives EINVAL and changes nothing.
        let _zero = unsafe { libc::sigaddset(&raw mut set, *signal) };
    }
    set
}

/// Blocks signals in this thread and tells which were blocked before.
pub(crate) fn block_signals(signals: &[c_int]) -> libc::sigset_t {
    let set = set_of(signals);
    let mut before = empty_set();
    // SAFETY: both sets are live.
    let _zero = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before) };
    before
}

/// Blocks every signal in this thread but the one the supervisor sends to its own threads.
pub(super) fn block_signals_but_interrupt() {
    let mut set = empty_set();
    // SAFETY: `set` is live.
    let _zero = unsafe { libc::sigfillset(&raw mut set) };
    // SAFETY: `set` is live, and this is a signal.
    let _zero = unsafe { libc::sigdelset(&raw mut set, super::remote::INTERRUPT) };
    restore_signals(&set);
}

/// Makes exactly these signals the blocked ones of this thread.
pub(crate) fn restore_signals(set: &libc::sigset_t) {
    // SAFETY: the set is live, and a null pointer asks for nothing.
    let _zero = unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::from_ref(set), std::ptr::null_mut())
    };
}

/// Gives a signal its default effect.
pub(super) fn default_signal(signal: c_int) {
    // SAFETY: the default disposition runs no code of ours.
    let _before = unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// Ignores a signal.
pub(super) fn ignore_signal(signal: c_int) {
    // SAFETY: ignoring runs no code of ours.
    let _before = unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// Waits for ever. Signals are expected to be blocked or ignored.
pub(super) fn wait_for_ever() -> ! {
    loop {
        // SAFETY: no precondition.
        let _interrupted = unsafe { libc::pause() };
    }
}

/// A descriptor on which blocked signals can be received.
pub(crate) fn signal_descriptor(signals: &[c_int]) -> Result<OwnedFd> {
    let set = set_of(signals);
    // SAFETY: the set is live; -1 asks for a new descriptor.
    let returned =
        unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    Ok(own(descriptor(c_long::from(returned))?))
}

/// Takes one signal from such a descriptor: its number, and whether it came from the terminal or another
/// part of the kernel.
pub(crate) fn take_signal(from: BorrowedFd<'_>) -> Option<(c_int, bool)> {
    let mut info = MaybeUninit::<libc::signalfd_siginfo>::zeroed();
    let size = size_of::<libc::signalfd_siginfo>();
    // SAFETY: `info` has room for the `size` bytes asked for.
    let read = unsafe { libc::read(from.as_raw_fd(), info.as_mut_ptr().cast(), size) };
    if usize::try_from(read).ok()? != size {
        return None;
    }
    // SAFETY: the kernel filled it in entirely.
    let info = unsafe { info.assume_init() };
    Some((c_int::try_from(info.ssi_signo).ok()?, info.ssi_code == libc::SI_KERNEL))
}

/// Our process group; `None` where its leader is in a process namespace we cannot see, as for what is
/// started in a container from outside. rustix takes the number for impossible.
pub(crate) fn process_group() -> Option<Pid> {
    // SAFETY: takes nothing and cannot fail.
    let group = unsafe { libc::getpgrp() };
    Pid::from_raw(group)
}

/// Our session, as [`process_group`].
pub(crate) fn session() -> Option<Pid> {
    // SAFETY: the number 0 is the calling process; nothing is pointed to.
    let session = unsafe { libc::getsid(0) };
    Pid::from_raw(session.max(0))
}

/// Ends this process by a signal, without leaving a core. Comes back if the signal does not end processes.
pub(crate) fn end_by_signal(signal: c_int) {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    // A core of ours would hold the policy and the variables; without the limit there is still the signal.
    let _limited = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    default_signal(signal);
    let set = set_of(&[signal]);
    // SAFETY: the set is live, and a null pointer asks for nothing.
    let _zero =
        unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut()) };
    // SAFETY: no precondition; the process itself is always there.
    let _zero = unsafe { libc::raise(signal) };
}
