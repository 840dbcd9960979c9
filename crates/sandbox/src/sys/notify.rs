//! The seccomp user notification: installing the filter, receiving requests, answering them.
//!
//! `seccomp_unotify(2)` is the reference. [`install`] runs between fork and exec: it allocates nothing.

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// One instruction of a filter, as the kernel reads it.
pub type Instruction = libc::sock_filter;

/// Installs `program` for this task and everything it becomes, and returns the listener.
///
/// Sets "no new privileges", without which an ordinary user may not install a filter. Fails with `EBUSY`
/// when a filter above already has a listener.
pub fn install(program: &[Instruction]) -> io::Result<OwnedFd> {
    let length = u16::try_from(program.len()).map_err(|_error| io::ErrorKind::InvalidInput)?;
    let filter = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: PR_SET_NO_NEW_PRIVS reads no memory; the unused arguments must be zero and are.
    let status = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    // WAIT_KILLABLE_RECV (5.19): once a request is received only a fatal signal ends the wait. Without it a
    // caught signal restarts the call after the supervisor acted, and a second mkdir says EEXIST.
    let killable =
        libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    match set_filter(&filter, killable) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            set_filter(&filter, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER)
        }
        outcome => outcome,
    }
}

fn set_filter(filter: &libc::sock_fprog, flags: libc::c_ulong) -> io::Result<OwnedFd> {
    let filter: *const libc::sock_fprog = filter;
    // SAFETY: `filter` points to a program whose length and instructions outlive the call, which copies them.
    let status =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, filter) };
    let listener = RawFd::try_from(status).map_err(|_error| io::ErrorKind::InvalidData)?;
    if listener < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call returned a descriptor nothing else knows of.
    Ok(unsafe { OwnedFd::from_raw_fd(listener) })
}

/// Makes `command` install `program` right before it executes, and hand the listener over `channel`: it
/// writes its process and descriptor number, and waits for one byte before it goes on.
///
/// [`take`] is the other end, and must run in another thread than the spawn, which waits for the exec.
pub fn install_on_exec(command: &mut Command, program: Vec<Instruction>, channel: OwnedFd) {
    let install_and_announce = move || {
        let listener = install(&program)?;
        let mut words = [0; 8];
        let (process, descriptor) = words.split_at_mut(4);
        process.copy_from_slice(&std::process::id().to_ne_bytes());
        descriptor.copy_from_slice(&listener.as_raw_fd().to_ne_bytes());
        rustix::io::write(&channel, &words)?;
        rustix::io::read(&channel, &mut words)?;
        Ok(())
    };
    // SAFETY: between fork and exec the closure only makes system calls; it neither allocates nor locks.
    // What it owns is dropped in the parent; in the child the exec or the exit takes it.
    unsafe { command.pre_exec(install_and_announce) };
}

/// Takes the listener that a command with [`install_on_exec`] hands over.
pub fn take(channel: &OwnedFd) -> io::Result<OwnedFd> {
    let mut words = [0; 8];
    if rustix::io::read(channel, &mut words)? != words.len() {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    let (process, descriptor) = words.split_at(4);
    let number =
        |bytes: &[u8]| bytes.first_chunk::<4>().map_or(-1, |four| i32::from_ne_bytes(*four));
    let process = Pid::from_raw(number(process)).ok_or(io::ErrorKind::InvalidData)?;
    let process = pidfd_open(process, PidfdFlags::empty())?;
    let listener = pidfd_getfd(&process, number(descriptor), PidfdGetfdFlags::empty())?;
    rustix::io::write(channel, b"!")?;
    Ok(listener)
}

/// A trapped system call that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub struct Notification {
    /// What names the request in every answer.
    pub id: u64,
    /// The thread that made the call, as the receiver's process namespace numbers it.
    pub thread: u32,
    /// The call.
    pub call: i64,
    /// Its arguments.
    pub arguments: [u64; 6],
}

/// The receiving end of a filter.
#[derive(Debug)]
pub struct Listener(OwnedFd);

impl Listener {
    /// Takes the descriptor [`install`] returned.
    ///
    /// Fails on a kernel whose notifications are larger than the ones this was built for, because it would
    /// write past the buffer.
    pub fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let mut sizes = MaybeUninit::<libc::seccomp_notif_sizes>::zeroed();
        // SAFETY: the kernel writes one `seccomp_notif_sizes`, for which the buffer has room.
        let status = unsafe {
            libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_NOTIF_SIZES, 0, sizes.as_mut_ptr())
        };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: three integers, zeroed above and overwritten by the call: every pattern is valid.
        let sizes = unsafe { sizes.assume_init() };
        if usize::from(sizes.seccomp_notif) > size_of::<libc::seccomp_notif>()
            || usize::from(sizes.seccomp_notif_resp) > size_of::<libc::seccomp_notif_resp>()
        {
            return Err(io::Error::from(io::ErrorKind::Unsupported));
        }
        Ok(Self(descriptor))
    }

    /// Asks the kernel to wake the receiver on the caller's processor (6.6); whether it can.
    pub fn wake_on_same_processor(&self) -> bool {
        // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP is the value of this request, not a pointer.
        let flags: u64 = 1;
        // SAFETY: the request takes its flags by value and touches no memory.
        let status =
            unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags) };
        status == 0
    }

    /// Waits for the next request. `ENOENT` means that the caller died before it was read; try again.
    pub fn receive(&self) -> io::Result<Notification> {
        let mut notification = MaybeUninit::<libc::seccomp_notif>::zeroed();
        // SAFETY: the kernel wants a zeroed `seccomp_notif` and writes no more than one, as `new` checked.
        let status = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_RECV,
                notification.as_mut_ptr(),
            )
        };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: integers only, zeroed above: every pattern is valid.
        let notification = unsafe { notification.assume_init() };
        Ok(Notification {
            id: notification.id,
            thread: notification.pid,
            call: i64::from(notification.data.nr),
            arguments: notification.data.args,
        })
    }

    /// Whether the request still waits: its thread is the one that made it, and lives.
    pub fn is_waiting(&self, id: u64) -> bool {
        let id: *const u64 = &raw const id;
        // SAFETY: the kernel reads one u64 through the pointer.
        let status =
            unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, id) };
        status == 0
    }

    /// Answers with a value.
    pub fn answer(&self, id: u64, value: i64) -> io::Result<()> {
        self.send(&libc::seccomp_notif_resp { id, val: value, error: 0, flags: 0 })
    }

    /// Answers with an error; `errno` is positive.
    pub fn refuse(&self, id: u64, errno: i32) -> io::Result<()> {
        self.send(&libc::seccomp_notif_resp { id, val: 0, error: errno.saturating_neg(), flags: 0 })
    }

    /// Lets the kernel carry the call out. Sound only where the decision rests on registers.
    pub fn proceed(&self, id: u64) -> io::Result<()> {
        // SECCOMP_USER_NOTIF_FLAG_CONTINUE
        self.send(&libc::seccomp_notif_resp { id, val: 0, error: 0, flags: 1 })
    }

    /// Answers with a descriptor for `file`, placed in the caller's table in the same step.
    ///
    /// The caller's own limit on open files holds: the kernel allocates in its context.
    pub fn answer_with_file(
        &self,
        id: u64,
        file: BorrowedFd<'_>,
        close_on_exec: bool,
    ) -> io::Result<()> {
        // SECCOMP_ADDFD_FLAG_SEND (5.14): both happen or neither, so no descriptor is left behind in a
        // caller that was interrupted in between.
        self.add(id, file, close_on_exec, 2).map(drop)
    }

    /// Places a descriptor for `file` in the caller's table, closes ours, and only then answers.
    ///
    /// For files whose last close is felt: a program that was just written cannot run while anybody has it
    /// open to write, and a FIFO has a reader as long as we are one.
    pub fn close_and_answer(&self, id: u64, file: OwnedFd, close_on_exec: bool) -> io::Result<()> {
        let number = self.add(id, file.as_fd(), close_on_exec, 0)?;
        drop(file);
        self.answer(id, number)
    }

    fn add(
        &self,
        id: u64,
        file: BorrowedFd<'_>,
        close_on_exec: bool,
        flags: u32,
    ) -> io::Result<i64> {
        let source =
            u32::try_from(file.as_raw_fd()).map_err(|_error| io::ErrorKind::InvalidInput)?;
        let descriptor_flags = if close_on_exec { libc::O_CLOEXEC.cast_unsigned() } else { 0 };
        let addition = libc::seccomp_notif_addfd {
            id,
            flags,
            srcfd: source,
            newfd: 0,
            newfd_flags: descriptor_flags,
        };
        let addition: *const libc::seccomp_notif_addfd = &raw const addition;
        // SAFETY: the kernel reads one `seccomp_notif_addfd` through the pointer.
        let number =
            unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD, addition) };
        if number < 0 { Err(io::Error::last_os_error()) } else { Ok(i64::from(number)) }
    }

    fn send(&self, response: &libc::seccomp_notif_resp) -> io::Result<()> {
        let response: *const libc::seccomp_notif_resp = response;
        // SAFETY: the kernel reads one `seccomp_notif_resp` through the pointer and writes nothing.
        let status =
            unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, response) };
        if status != 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
