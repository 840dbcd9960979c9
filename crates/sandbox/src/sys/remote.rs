//! Another process seen from ours: its memory, and signals to one thread.

use rustix::io::Errno;
use std::io;

/// Copies memory of the process of `thread` from `address` on, once. Returns how much could be read.
pub fn read_memory(thread: u32, address: u64, buffer: &mut [u8]) -> Result<usize, Errno> {
    let (Ok(thread), Ok(address)) = (i32::try_from(thread), usize::try_from(address)) else {
        return Err(Errno::FAULT);
    };
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let remote =
        libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: buffer.len() };
    // SAFETY: the local vector is exactly `buffer`, borrowed mutably; the remote one is never dereferenced
    // here, the kernel checks it against the other process.
    let copied =
        unsafe { libc::process_vm_readv(thread, &raw const local, 1, &raw const remote, 1, 0) };
    usize::try_from(copied).map_err(|_error| last_error())
}

/// Writes into the memory of the process of `thread`. Returns how much could be written.
pub fn write_memory(thread: u32, address: u64, bytes: &[u8]) -> Result<usize, Errno> {
    let (Ok(thread), Ok(address)) = (i32::try_from(thread), usize::try_from(address)) else {
        return Err(Errno::FAULT);
    };
    let local = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let remote =
        libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: bytes.len() };
    // SAFETY: the kernel only reads the local vector, which is exactly `bytes`.
    let copied =
        unsafe { libc::process_vm_writev(thread, &raw const local, 1, &raw const remote, 1, 0) };
    usize::try_from(copied).map_err(|_error| last_error())
}

/// Sends `signal` to one thread of `process`.
pub fn signal_thread(process: i32, thread: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: three integers.
    let status = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal) };
    if status == 0 { Ok(()) } else { Err(last_error()) }
}

/// The signal that ends a blocking call of ours with `EINTR`.
pub const INTERRUPT: i32 = libc::SIGURG;

/// Makes [`INTERRUPT`] do nothing but interrupt, and `SIGPIPE` nothing at all.
pub fn make_interruptible() -> io::Result<()> {
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: all zeroes is a valid `sigaction`: default handler, empty mask, no flags.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(libc::c_int) = nothing;
    action.sa_sigaction = handler as libc::sighandler_t;
    // SAFETY: `action` is initialised; its handler does nothing, so it is safe at any point. Without
    // SA_RESTART the interrupted call ends.
    let status = unsafe { libc::sigaction(INTERRUPT, &raw const action, std::ptr::null_mut()) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: ignoring a signal installs no code.
    let previous = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    if previous == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Gives this thread a umask and a current directory of its own.
pub fn own_umask() -> io::Result<()> {
    // SAFETY: CLONE_FS only copies what this thread shared; no memory or descriptor changes hands.
    let status = unsafe { libc::unshare(libc::CLONE_FS) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}
