//! Messages with an address, sent on behalf.
//!
//! A datagram may go to another socket than the one it was connected to, so an address is judged like that
//! of a connection. Whether a message has one is written in memory: every `sendmsg` is carried out here.

use super::Answer;
use super::socket::Reached;
use super::target::Target;
use super::tracing::with_tracing;
use crate::sys::remote;
use crate::sys::socket::{self, Message};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::fchdir;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

impl Target<'_> {
    /// `sendto` with an address.
    pub(super) fn send_to(&self) -> Result<Answer, Errno> {
        let length = usize::try_from(self.argument(2)).map_err(|_error| Errno::MSGSIZE)?;
        let address = self.address(self.argument(4), self.integer(5))?;
        let content = self.bytes(self.argument(1), length.min(MOST_BYTES))?;
        let socket = self.take_descriptor(self.integer(0))?;
        self.still_waits()?;
        let sent = self.send(&socket, &address, &content, length, &[], self.integer(3))?;
        Ok(Answer::Value(i64::try_from(sent).unwrap_or(i64::MAX)))
    }

    /// `sendmsg`.
    pub(super) fn send_message(&self) -> Result<Answer, Errno> {
        let sent = self.send_one(self.argument(1), self.integer(2))?;
        Ok(Answer::Value(i64::try_from(sent).unwrap_or(i64::MAX)))
    }

    /// `sendmmsg`: the number of messages that were sent; an error only if it was the first that failed.
    pub(super) fn send_messages(&self) -> Result<Answer, Errno> {
        let count = self.integer(2).cast_unsigned().min(MOST_MESSAGES);
        let mut done = 0;
        for number in 0..count {
            let header = self.argument(1).checked_add(u64::from(number) * (HEADER_SIZE + 8));
            let header = header.ok_or(Errno::FAULT)?;
            match self.send_one(header, self.integer(3)) {
                Ok(sent) => {
                    let sent = u32::try_from(sent).unwrap_or(u32::MAX).to_ne_bytes();
                    let thread = self.call.thread;
                    with_tracing(|| remote::write_memory(thread, header + HEADER_SIZE, &sent))?;
                    done += 1;
                }
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(Answer::Value(done))
    }

    fn send_one(&self, header: u64, flags: i32) -> Result<usize, Errno> {
        let header =
            self.bytes(header, usize::try_from(HEADER_SIZE).map_err(|_error| Errno::FAULT)?)?;
        let [name, name_length, vectors, vector_count, control, control_length] =
            [0, 8, 16, 24, 32, 40].map(|at| word(&header, at));
        let name_length =
            i32::try_from(name_length & 0xffff_ffff).map_err(|_error| Errno::INVAL)?;
        let address =
            if name == 0 { Vec::new() } else { self.address(name, name_length.min(128))? };
        let (content, whole) = self.gather(vectors, vector_count)?;
        let socket = self.take_descriptor(self.integer(0))?;
        let (control, carried) = if control == 0 || control_length == 0 {
            (Vec::new(), Vec::new())
        } else {
            let length = usize::try_from(control_length).map_err(|_error| Errno::NOBUFS)?;
            if length > MOST_CONTROL {
                return Err(Errno::NOBUFS);
            }
            self.control(&self.bytes(control, length)?)?
        };
        self.still_waits()?;
        let sent = self.send(&socket, &address, &content, whole, &control, flags);
        // Open until the kernel has taken its own reference to each.
        drop(carried);
        sent
    }

    /// Copies what the vectors of a message name, and says how long it is as a whole.
    fn gather(&self, vectors: u64, count: u64) -> Result<(Vec<u8>, usize), Errno> {
        let count = usize::try_from(count).map_err(|_error| Errno::MSGSIZE)?;
        if count > MOST_VECTORS {
            return Err(Errno::MSGSIZE);
        }
        let mut content = Vec::new();
        let mut whole = 0_usize;
        let vectors = self.bytes(vectors, count * 16)?;
        for vector in vectors.chunks_exact(16) {
            let length = usize::try_from(word(vector, 8)).map_err(|_error| Errno::INVAL)?;
            whole = whole.checked_add(length).ok_or(Errno::INVAL)?;
            let room = MOST_BYTES - content.len();
            content.extend(self.bytes(word(vector, 0), length.min(room))?);
        }
        Ok((content, whole))
    }

    /// Rewrites control messages for us as the sender: descriptors become copies of the program's.
    fn control(&self, bytes: &[u8]) -> Result<(Vec<u8>, Vec<OwnedFd>), Errno> {
        let mut rewritten = Vec::with_capacity(bytes.len());
        let mut carried = Vec::new();
        let mut rest = bytes;
        while rest.len() >= CONTROL_HEADER {
            let length = usize::try_from(word(rest, 0)).map_err(|_error| Errno::INVAL)?;
            let message = rest.get(..length).filter(|message| message.len() >= CONTROL_HEADER);
            let message = message.ok_or(Errno::INVAL)?;
            let (head, data) = message.split_at_checked(CONTROL_HEADER).ok_or(Errno::INVAL)?;
            let kind =
                head.get(8..).and_then(|kind| kind.first_chunk::<8>()).ok_or(Errno::INVAL)?;
            let kind = u64::from_ne_bytes(*kind);
            if kind == control_kind(libc::SCM_RIGHTS) {
                if data.len() / 4 + carried.len() > MOST_DESCRIPTORS {
                    return Err(Errno::INVAL);
                }
                rewritten.extend(head);
                for number in data.chunks_exact(4) {
                    let number = number.first_chunk::<4>().ok_or(Errno::INVAL)?;
                    let file = self.take_descriptor(i32::from_ne_bytes(*number))?;
                    rewritten.extend(file.as_raw_fd().to_ne_bytes());
                    carried.push(file);
                }
            } else if kind != control_kind(SCM_CREDENTIALS) {
                rewritten.extend(message);
            }
            // SCM_CREDENTIALS is left out: nobody may vouch for another, and the kernel adds who sent.
            rewritten.resize(rewritten.len().next_multiple_of(8), 0);
            rest = rest.get(length.next_multiple_of(8)..).unwrap_or_default();
        }
        Ok((rewritten, carried))
    }

    /// Sends to a judged address. `whole` is the length the program asked for: only streams may be cut.
    fn send(
        &self,
        socket: &OwnedFd,
        address: &[u8],
        content: &[u8],
        whole: usize,
        control: &[u8],
        flags: i32,
    ) -> Result<usize, Errno> {
        let is_stream =
            || rustix::net::sockopt::socket_type(socket) == Ok(rustix::net::SocketType::STREAM);
        if content.len() < whole && !is_stream() {
            return Err(Errno::MSGSIZE);
        }
        let reached = self.reach(address)?;
        let own = reached.as_ref().map(Reached::address).transpose()?;
        let address = own.as_deref().unwrap_or(address);
        fchdir(&self.shared.descriptors)?;
        let message = Message { address, content, control };
        let quiet = flags | libc::MSG_NOSIGNAL;
        let outcome = match socket::send(socket.as_fd(), message, quiet | libc::MSG_DONTWAIT) {
            Err(Errno::AGAIN)
                if flags & libc::MSG_DONTWAIT == 0
                    && !rustix::fs::fcntl_getfl(socket)?.contains(OFlags::NONBLOCK) =>
            {
                self.while_waiting(|| socket::send(socket.as_fd(), message, quiet))
            }
            outcome => outcome,
        };
        if outcome == Err(Errno::PIPE) && flags & libc::MSG_NOSIGNAL == 0 && is_stream() {
            let thread = i32::try_from(self.call.thread).map_err(|_error| Errno::SRCH)?;
            remote::signal_thread(self.process_number()?, thread, libc::SIGPIPE).ok();
        }
        outcome
    }
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<8>());
    word.map_or(0, |word| u64::from_ne_bytes(*word))
}

/// Level and type of a control message of `SOL_SOCKET`, side by side as in its header.
fn control_kind(kind: i32) -> u64 {
    let mut bytes = [0; 8];
    let (level, own) = bytes.split_at_mut(4);
    level.copy_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
    own.copy_from_slice(&kind.to_ne_bytes());
    u64::from_ne_bytes(bytes)
}

/// `sizeof(struct msghdr)` on 64-bit machines, the only ones there are filters for.
const HEADER_SIZE: u64 = 56;
/// `sizeof(struct cmsghdr)`.
const CONTROL_HEADER: usize = 16;
/// `SCM_CREDENTIALS`.
const SCM_CREDENTIALS: i32 = 2;
/// `UIO_MAXIOV`.
const MOST_VECTORS: usize = 1024;
/// As above, for `sendmmsg`.
const MOST_MESSAGES: u32 = 1024;
/// What is copied of one message: more than any datagram. A stream takes the rest with the next call.
const MOST_BYTES: usize = 1 << 20;
/// Room for the most descriptors a message can carry, several times over.
const MOST_CONTROL: usize = 1 << 16;
/// `SCM_MAX_FD`.
const MOST_DESCRIPTORS: usize = 253;
