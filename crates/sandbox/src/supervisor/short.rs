//! The short way to open a file for reading: for names without symlinks, dots and surprises, which almost
//! all are.
//!
//! The long way opens an object without reading it, asks the kernel for its name, judges that, and opens the
//! object anew. A path that is resolved without following any link *is* the name of what is found, so here
//! the path is judged first and opened once. Whatever is not plain goes the long way.

use super::Answer;
use super::open::{How, O_TMPFILE_BIT};
use super::target::Target;
use super::tracing::with_tracing;
use portcullis_model::AbsPath;
use portcullis_profile::Effect;
use rustix::fs::{
    CWD, FileType, Mode, OFlags, ResolveFlags, fcntl_setfl, fstat, openat2, readlinkat_raw,
};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// What came of the short way.
#[derive(Debug)]
pub(super) enum Short {
    /// The answer.
    Answered(Result<Answer, Errno>),
    /// The long way is to be taken. What was opened already has to stay open until its end: whoever
    /// waits at the other end of a FIFO has seen a reader, and must not see it go.
    Not(Option<OwnedFd>),
}

impl Target<'_> {
    /// Opens a plain path for reading.
    pub(super) fn open_shortly(&self, descriptor: i32, path: &CStr, how: How) -> Short {
        let long = Short::Not(None);
        let reads = how.flags.bits() & OFlags::ACCMODE.bits() == OFlags::RDONLY.bits();
        if !reads || how.flags.intersects(NOT_PLAIN) || !how.resolve.is_empty() {
            return long;
        }
        // Another root makes another name of the same path.
        if self.shared.surroundings.nested {
            return long;
        }
        let Some((name, absolute)) = self.plain_name(descriptor, path) else { return long };
        // SECURITY: what is judged is what the kernel is given, byte for byte, so both mean the same name.
        // A refusal is told by the long way, and nothing that is refused is opened.
        if self.shared.files.effect_of_any_kind(&name) != Effect::Allow {
            return long;
        }
        // Nobody is waited for, and no terminal becomes ours.
        let flags = how.flags | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let Ok(text) = CString::new(name.as_str()) else { return long };
        let file = match openat2(CWD, &text, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(file) => file,
            // Of a relative path this may be the directory that was moved just now.
            Err(Errno::NOENT) if absolute => return Short::Answered(Err(Errno::NOENT)),
            Err(_) => return long,
        };
        let kind = fstat(&file).map(|stat| FileType::from_raw_mode(stat.st_mode));
        if !matches!(kind, Ok(FileType::RegularFile | FileType::Directory)) {
            return Short::Not(Some(file));
        }
        if !how.flags.contains(OFlags::NONBLOCK)
            && fcntl_setfl(&file, flags.difference(OFlags::NONBLOCK)).is_err()
        {
            return long;
        }
        Short::Answered(Ok(Answer::File(file, how.flags.contains(OFlags::CLOEXEC))))
    }

    /// The absolute name of a plain path, and whether it was written so.
    fn plain_name(&self, descriptor: i32, path: &CStr) -> Option<(AbsPath, bool)> {
        let path = path.to_str().ok()?;
        let plain = |text: &str| text.split('/').all(|name| !matches!(name, "" | "." | ".."));
        if let Some(below) = path.strip_prefix('/') {
            let ordinary = plain(below) && !is_made_up(path);
            return ordinary.then(|| AbsPath::parse(path).ok()).flatten().map(|name| (name, true));
        }
        let path = path.strip_prefix("./").unwrap_or(path);
        if !plain(path) {
            return None;
        }
        let start = self.place_of(descriptor)?;
        // A directory that was removed, or that lies outside of our root, has no name to go by.
        if !start.starts_with('/') || start.ends_with(" (deleted)") || is_made_up(&start) {
            return None;
        }
        let mut text = String::with_capacity(start.len() + 1 + path.len());
        text.push_str(start.trim_end_matches('/'));
        text.push('/');
        text.push_str(path);
        AbsPath::parse(&text).ok().map(|name| (name, false))
    }

    /// Where a relative path starts, as the kernel tells it.
    fn place_of(&self, descriptor: i32) -> Option<String> {
        let thread = self.call.thread;
        let link = match (descriptor, u32::try_from(descriptor)) {
            (libc::AT_FDCWD, _) => format!("{thread}/cwd"),
            (_, Ok(number)) => format!("{thread}/fd/{number}"),
            (_, Err(_)) => return None,
        };
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4097];
        let text = with_tracing(|| {
            let proc = self.shared.proc.as_fd();
            let (text, rest) = readlinkat_raw(proc, link.as_str(), &mut buffer)?;
            if rest.is_empty() { Err(Errno::NAMETOOLONG) } else { Ok(text.to_vec()) }
        });
        String::from_utf8(text.ok()?).ok()
    }
}

/// Whether a path leads to what is not the same for everyone: `/proc` has links of its own, and a device
/// may do something when it is opened.
fn is_made_up(path: &str) -> bool {
    let below =
        |top: &str| path.strip_prefix(top).is_some_and(|r| r.is_empty() || r.starts_with('/'));
    below("/proc") || (below("/dev") && !below("/dev/shm"))
}

/// Opens that do more than reading, or less.
const NOT_PLAIN: OFlags = OFlags::CREATE
    .union(OFlags::EXCL)
    .union(OFlags::TRUNC)
    .union(OFlags::PATH)
    .union(O_TMPFILE_BIT);
