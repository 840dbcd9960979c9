//! Sockets with addresses and control data as bytes: they come from another process and go to the kernel,
//! which judges them; nothing in between needs to know every family.

use rustix::io::Errno;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `connect(2)` to an address of any family.
pub fn connect(socket: BorrowedFd<'_>, address: &[u8]) -> Result<(), Errno> {
    let length = length(address)?;
    // SAFETY: the kernel reads `length` bytes from the address, which has as many, at any alignment.
    let status = unsafe { libc::connect(socket.as_raw_fd(), address.as_ptr().cast(), length) };
    if status == 0 { Ok(()) } else { Err(last_error()) }
}

/// `bind(2)` to an address of any family.
pub fn bind(socket: BorrowedFd<'_>, address: &[u8]) -> Result<(), Errno> {
    let length = length(address)?;
    // SAFETY: the kernel reads `length` bytes from the address, which has as many, at any alignment.
    let status = unsafe { libc::bind(socket.as_raw_fd(), address.as_ptr().cast(), length) };
    if status == 0 { Ok(()) } else { Err(last_error()) }
}

/// What `sendmsg(2)` sends.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m> {
    /// The address; empty for the peer.
    pub address: &'m [u8],
    /// The content.
    pub content: &'m [u8],
    /// The control messages.
    pub control: &'m [u8],
}

/// `sendmsg(2)`.
pub fn send(socket: BorrowedFd<'_>, message: Message<'_>, flags: i32) -> Result<usize, Errno> {
    let mut content = libc::iovec {
        iov_base: message.content.as_ptr().cast_mut().cast(),
        iov_len: message.content.len(),
    };
    // SAFETY: all zeroes is a valid `msghdr`: no address, no content, no control.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    if !message.address.is_empty() {
        header.msg_name = message.address.as_ptr().cast_mut().cast();
        header.msg_namelen = length(message.address)?;
    }
    header.msg_iov = &raw mut content;
    header.msg_iovlen = 1;
    if !message.control.is_empty() {
        header.msg_control = message.control.as_ptr().cast_mut().cast();
        header.msg_controllen = message.control.len();
    }
    // SAFETY: every pointer of the header leads to as many bytes as it says; the kernel only reads them,
    // at any alignment.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, flags) };
    usize::try_from(sent).map_err(|_error| last_error())
}

fn length(address: &[u8]) -> Result<libc::socklen_t, Errno> {
    libc::socklen_t::try_from(address.len()).map_err(|_error| Errno::INVAL)
}

fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}
