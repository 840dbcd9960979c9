//! Where the daemon can be reached: a socket that only its user can open.

use crate::environment;
use crate::failure::Failure;
use crate::session::plain;
use portcullis_host::batch::Unread;
use portcullis_model::AbsPath;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// The socket that is meant. The directory of the ordinary one is made where it is missing.
pub(super) fn path(flag: Option<&str>, cwd: &AbsPath) -> Result<PathBuf, Failure> {
    if let Some(flag) = flag {
        return match cwd.join(flag) {
            Ok(path) if !flag.is_empty() => Ok(PathBuf::from(path.as_str())),
            Ok(_) | Err(_) => Err(Failure::usage(format!("`--socket` names no file: `{flag}`"))),
        };
    }
    let Some(runtime) = environment::value(environment::XDG_RUNTIME_DIR) else {
        let name = environment::XDG_RUNTIME_DIR;
        return Err(Failure::input(format!(
            "`{name}` is not set, so there is no place for a socket"
        ))
        .hint("name one by `--socket`"));
    };
    let directory = Path::new(&runtime).join("portcullis");
    match DirBuilder::new().mode(0o700).create(&directory) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => {
            let shown = directory.display();
            return Err(Failure::input(format!("cannot make `{shown}`: {}", plain(&error)))
                .hint("name a socket by `--socket`"));
        }
    }
    Ok(directory.join("serve.sock"))
}

/// Why a connection is not answered; `None` where it is this user's.
pub(super) fn refusal(stream: &UnixStream) -> Option<Unread> {
    let user = rustix::process::geteuid();
    match rustix::net::sockopt::socket_peercred(stream) {
        Ok(peer) if peer.uid == user => None,
        Ok(_) | Err(_) => Some(Unread::new("not-yours", "this is another user's portcullis")),
    }
}

/// A socket file that is ours for as long as it is the one that was made.
#[derive(Debug)]
pub(super) struct Door {
    path: PathBuf,
    made: Option<(u64, u64)>,
}

impl Door {
    /// Makes the socket. One that nobody listens at any more makes room.
    pub(super) fn open(path: PathBuf) -> Result<(Self, UnixListener), Failure> {
        let shown = path.display();
        let cannot = |error: &io::Error| {
            Failure::input(format!("cannot make the socket `{shown}`: {}", plain(error)))
        };
        let directory = path.parent().unwrap_or(Path::new("/"));
        let directory = fs::canonicalize(directory).map_err(|error| cannot(&error))?;
        if let Some(open) = open_to_others(&directory) {
            let open = open.display();
            return Err(Failure::input(format!("others can replace files in `{open}`"))
                .hint("name a socket in a directory that only you can write to"));
        }
        // Of two that start at once, one clears away and makes its own before the other looks.
        let lock = lock(&directory).map_err(|error| cannot(&error))?;
        clear(&path)?;
        // SECURITY: nobody else may open the socket, not even before its mode could be changed.
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let bound = UnixListener::bind(&path);
        rustix::process::umask(before);
        let listener = bound.map_err(|error| cannot(&error))?;
        let made = fs::symlink_metadata(&path).ok().map(|made| (made.dev(), made.ino()));
        drop(lock);
        Ok((Self { path, made }, listener))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the socket away, if it still is the one that was made.
    pub(super) fn close(self) {
        let found = fs::symlink_metadata(&self.path).ok().map(|found| (found.dev(), found.ino()));
        if found.is_some() && found == self.made {
            let _already_gone = fs::remove_file(&self.path);
        }
    }
}

/// The directory on the way to a socket that somebody else could put another file into: above the last one
/// a sticky directory keeps others from replacing what is there.
fn open_to_others(directory: &Path) -> Option<&Path> {
    let user = rustix::process::geteuid().as_raw();
    directory.ancestors().enumerate().find_map(|(above, at)| {
        let is_private = fs::symlink_metadata(at).is_ok_and(|found| {
            let is_sticky = above > 0 && found.mode() & 0o1000 != 0;
            found.is_dir()
                && (found.uid() == user || found.uid() == 0)
                && (found.mode() & 0o022 == 0 || is_sticky)
        });
        (!is_private).then_some(at)
    })
}

/// Waits for whoever has the directory locked, but not for ever: anybody who can read it can lock it.
fn lock(directory: &Path) -> io::Result<File> {
    let file = File::open(directory)?;
    for _ in 0..ATTEMPTS {
        match file.try_lock() {
            Ok(()) => break,
            Err(fs::TryLockError::WouldBlock) => thread::sleep(BETWEEN),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(file)
}

/// Removes the socket of a daemon that is gone.
fn clear(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    let another = |what: &str| {
        Failure::input(format!("`{shown}` {what}")).hint("name another socket by `--socket`")
    };
    if !found.file_type().is_socket() {
        return Err(another("is there already and is no socket"));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(another("is another user's"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
        Ok(_) | Err(_) => return Err(another("is served already")),
    }
    fs::remove_file(path).map_err(|error| {
        Failure::input(format!("cannot remove the stale socket `{shown}`: {}", plain(&error)))
    })
}

/// How often another that starts is waited for, and how long each time.
const ATTEMPTS: u32 = 40;
const BETWEEN: Duration = Duration::from_millis(25);
