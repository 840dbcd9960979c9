//! Addresses: connecting and binding on behalf, so that the socket that was checked is the one reached.
//!
//! The supervisor takes a copy of the program's socket and works on it with an address of its own: what
//! the program's memory says by now does not matter.

use super::judge::Unlisted;
use super::resolve::{Decimal, Final};
use super::target::Target;
use super::tracing::with_tracing;
use super::{AbstractSockets, Answer};
use crate::sys::socket;
use portcullis_model::AbsPath;
use portcullis_profile::{Access, CompiledFiles, Effect, Files, Kind, Sockets};
use rustix::fs::{AtFlags, FileType, OFlags, ResolveFlags, StatxFlags, statx};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, fchdir, pidfd_getfd, pidfd_open};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

/// The sockets that may be connected to.
#[derive(Debug)]
pub(super) struct Reachable {
    everything: bool,
    /// Sockets outside, as rules about writing.
    outside: CompiledFiles,
    /// Sockets made inside.
    inside: Mutex<BTreeSet<Identity>>,
}

/// What tells a socket file from every other, also from one that gets its inode number later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    device: (u32, u32),
    inode: u64,
    born: (i64, u32),
}

impl Reachable {
    pub(super) fn new(sockets: Sockets) -> Self {
        let mut rules = sockets.allowed;
        for rule in &mut rules {
            rule.access = Access::Write;
        }
        let outside = CompiledFiles::new(Files { disabled: None, rules });
        Self { everything: sockets.all.is_some(), outside, inside: Mutex::default() }
    }

    fn holds(&self, name: &AbsPath, identity: Option<Identity>) -> bool {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        self.everything
            || identity.is_some_and(|identity| inside.contains(&identity))
            || self.outside.effect(name, Access::Write, Kind::Other) == Effect::Allow
    }

    fn add(&self, identity: Identity) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.len() < MOST_SOCKETS {
            inside.insert(identity);
        }
    }
}

impl Target<'_> {
    /// `connect`.
    pub(super) fn connect(&self) -> Result<Answer, Errno> {
        let address = self.address(self.argument(1), self.integer(2))?;
        let socket = self.take_descriptor(self.integer(0))?;
        self.still_waits()?;
        // Kept open until the kernel has gone through it.
        let reached = self.reach(&address)?;
        let address = reached.as_ref().map_or(Ok(address), Reached::address)?;
        fchdir(&self.shared.descriptors)?;
        if rustix::fs::fcntl_getfl(&socket)?.contains(OFlags::NONBLOCK) {
            socket::connect(socket.as_fd(), &address)?;
        } else {
            let connect = || socket::connect(socket.as_fd(), &address);
            self.while_waiting(connect)?;
        }
        Ok(Answer::Value(0))
    }

    /// `bind`: of a unix socket with a path, a creation like any other.
    pub(super) fn bind(&self) -> Result<Answer, Errno> {
        let address = self.address(self.argument(1), self.integer(2))?;
        let socket = self.take_descriptor(self.integer(0))?;
        self.still_waits()?;
        let path = match unix_name(&address)? {
            UnixName::Path(path) => path,
            UnixName::Abstract(name) => {
                self.judge_abstract(&name)?;
                socket::bind(socket.as_fd(), &address)?;
                return Ok(Answer::Value(0));
            }
            UnixName::Other => {
                socket::bind(socket.as_fd(), &address)?;
                return Ok(Answer::Value(0));
            }
        };
        let base = self.base(libc::AT_FDCWD, &path)?;
        self.still_waits()?;
        let entry = self.find_entry(&base, &path)?;
        let asked = (!entry.parent.direct).then(|| self.asked(&base, &path));
        if entry.slashed || !entry.is_ordinary() {
            return Err(Errno::ADDRINUSE);
        }
        let _names = self.shared.names_in_use();
        let name = entry.name();
        self.judge(&name, asked.as_ref(), Access::Write, Kind::Other, Unlisted::Ruled)?;
        // Relative to the directory that was found: an absolute path would be resolved again.
        let own = unix_address(entry.leaf.as_bytes())?;
        fchdir(&entry.parent.object)?;
        self.with_umask(|| socket::bind(socket.as_fd(), &own))?;
        if let Some(identity) = identity_of(entry.parent.object.as_fd(), &entry.leaf) {
            self.shared.sockets.add(identity);
        }
        Ok(Answer::Value(0))
    }

    /// Copies an address.
    pub(super) fn address(&self, start: u64, length: i32) -> Result<Vec<u8>, Errno> {
        let length = usize::try_from(length).map_err(|_error| Errno::INVAL)?;
        if length > LONGEST_ADDRESS {
            return Err(Errno::INVAL);
        }
        self.bytes(start, length)
    }

    /// Finds and judges the socket file an address names; `None` for addresses without a path.
    pub(super) fn reach(&self, address: &[u8]) -> Result<Option<Reached>, Errno> {
        let path = match unix_name(address)? {
            UnixName::Path(path) => path,
            UnixName::Abstract(name) => {
                self.judge_abstract(&name)?;
                return Ok(None);
            }
            UnixName::Other => return Ok(None),
        };
        let base = self.base(libc::AT_FDCWD, &path)?;
        self.still_waits()?;
        let asked = self.asked(&base, &path);
        let found = self.find(&base, &path, Final::Follow, ResolveFlags::empty())?;
        if FileType::from_raw_mode(found.stat()?.st_mode) != FileType::Socket {
            return Err(Errno::CONNREFUSED);
        }
        let text = String::from_utf8_lossy(&found.name);
        let name = AbsPath::parse(&text).map_err(|_error| Errno::ACCESS)?;
        let identity = identity_of(found.object.as_fd(), c"");
        if !self.shared.sockets.holds(&name, identity) {
            return Err(self.tell(asked.as_str(), name.as_str(), String::new(), Errno::ACCESS));
        }
        Ok(Some(Reached(found.object)))
    }

    fn judge_abstract(&self, name: &[u8]) -> Result<(), Errno> {
        match self.shared.surroundings.abstract_sockets {
            AbstractSockets::Isolated => Ok(()),
            AbstractSockets::Shared if self.shared.sockets.everything => Ok(()),
            AbstractSockets::Shared => {
                let name = format!("@{}", String::from_utf8_lossy(name));
                Err(self.tell(&name, &name, String::new(), Errno::ACCESS))
            }
        }
    }

    /// Takes a copy of a descriptor of the program.
    pub(super) fn take_descriptor(&self, number: i32) -> Result<OwnedFd, Errno> {
        if number < 0 {
            return Err(Errno::BADF);
        }
        let process = self.process()?;
        with_tracing(|| pidfd_getfd(&process, number, PidfdGetfdFlags::empty()))
    }

    /// A descriptor for the thread that made the call, or for its process.
    fn process(&self) -> Result<OwnedFd, Errno> {
        let pid = |number: i32| Pid::from_raw(number).ok_or(Errno::SRCH);
        let thread = i32::try_from(self.call.thread).map_err(|_error| Errno::SRCH)?;
        match pidfd_open(pid(thread)?, PidfdFlags::from_bits_retain(super::PIDFD_THREAD)) {
            // Before 6.9 only the leading thread has one; the others share its descriptors.
            Err(Errno::INVAL) => pidfd_open(pid(self.process_number()?)?, PidfdFlags::empty()),
            outcome => outcome,
        }
    }

    /// The process of the thread that made the call.
    pub(super) fn process_number(&self) -> Result<i32, Errno> {
        let status = self.status()?;
        status.field("Tgid:").parse().map_err(|_error| Errno::SRCH)
    }
}

/// A socket file that was found and may be connected to.
#[derive(Debug)]
pub(super) struct Reached(OwnedFd);

impl Reached {
    /// Its address for a thread that stands in our `/proc/self/fd`: that very inode.
    pub(super) fn address(&self) -> Result<Vec<u8>, Errno> {
        let mut number = Decimal::default();
        unix_address(number.write(self.0.as_raw_fd())?.to_bytes())
    }
}

enum UnixName {
    Path(CString),
    Abstract(Vec<u8>),
    /// Another family, or a unix address without a name.
    Other,
}

fn unix_name(address: &[u8]) -> Result<UnixName, Errno> {
    let Some((family, name)) = address.split_first_chunk::<2>() else { return Ok(UnixName::Other) };
    if i32::from(u16::from_ne_bytes(*family)) != libc::AF_UNIX {
        return Ok(UnixName::Other);
    }
    if name.len() > LONGEST_UNIX {
        return Err(Errno::INVAL);
    }
    match name {
        [] => Ok(UnixName::Other),
        [0, rest @ ..] => Ok(UnixName::Abstract(rest.to_vec())),
        path => {
            let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
            let path = path.get(..end).unwrap_or(path);
            CString::new(path).map(UnixName::Path).map_err(|_error| Errno::INVAL)
        }
    }
}

fn unix_address(path: &[u8]) -> Result<Vec<u8>, Errno> {
    if path.len() >= LONGEST_UNIX {
        return Err(Errno::INVAL);
    }
    let family = u16::try_from(libc::AF_UNIX).map_err(|_error| Errno::INVAL)?;
    let mut address = family.to_ne_bytes().to_vec();
    address.extend(path);
    address.push(0);
    Ok(address)
}

fn identity_of(directory: BorrowedFd<'_>, leaf: &std::ffi::CStr) -> Option<Identity> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
    let stat = statx(directory, leaf, flags, StatxFlags::INO | StatxFlags::BTIME).ok()?;
    Some(Identity {
        device: (stat.stx_dev_major, stat.stx_dev_minor),
        inode: stat.stx_ino,
        born: (stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec),
    })
}

/// `sizeof(struct sockaddr_storage)`.
const LONGEST_ADDRESS: usize = 128;
/// `sizeof(sun_path)`.
const LONGEST_UNIX: usize = 108;
/// Sockets made in one run; those beyond cannot be connected to.
const MOST_SOCKETS: usize = 65_536;
