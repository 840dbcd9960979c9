//! What a dry run would have changed: the upper layers of its overlays against what lies below them.
//!
//! SECURITY: everything in an upper layer was made by the command. Nothing there is followed: entries are
//! opened one by one, by name, in the directory they were found in.

use portcullis_model::AbsPath;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fgetxattr, openat, readlinkat, statat,
};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::fmt;
use std::os::fd::{BorrowedFd, OwnedFd};

/// A path that would have changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Where; a directory ends in a slash. Bytes that are no text are replaced.
    pub path: String,
    /// How.
    pub how: How,
}

/// How a path would have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It would be new.
    Added,
    /// Its content, mode or kind would be another.
    Changed,
    /// It would be gone.
    Removed,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        })
    }
}

/// What would have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Each path once, sorted.
    pub list: Vec<Change>,
    /// Whether there was more than is listed, or something that could not be looked at.
    pub incomplete: bool,
}

/// A place that the command could write, and where its upper layer is below the layers' directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) place: AbsPath,
    pub(crate) upper: CString,
}

/// Compares every layer with what it lay over.
pub(crate) fn compare(layers: &[Layer], base: BorrowedFd<'_>) -> Changes {
    let mut changes = Changes::default();
    for layer in layers {
        // A file that is a place of its own was copied.
        let below = layer.place.parent().unwrap_or_else(AbsPath::root);
        match directory(base, &layer.upper) {
            Ok(upper) => changes.directory(&upper, layer.place.as_str(), true, 0),
            Err(Errno::NOTDIR) => {
                let name = CString::new(layer.place.name().unwrap_or_default()).unwrap_or_default();
                changes.other(base, &layer.upper, below.as_str(), &name);
            }
            Err(_) => changes.incomplete = true,
        }
    }
    changes.list.sort();
    changes.list.dedup();
    changes
}

impl Changes {
    /// A directory of an upper layer; `merged` says whether what lies below at its path shows through.
    fn directory(&mut self, upper: &OwnedFd, path: &str, merged: bool, depth: usize) {
        let names = match names(upper) {
            Ok(names) if depth < DEEPEST => names,
            Ok(_) | Err(_) => {
                self.incomplete = true;
                return;
            }
        };
        for name in &names {
            if self.list.len() >= MOST {
                self.incomplete = true;
                return;
            }
            self.entry(upper, path, name, merged, depth);
        }
        let opaque = fgetxattr(upper, OPAQUE, &mut [0_u8; 1][..]).is_ok_and(|length| length == 1);
        if merged && opaque {
            self.all_below(path, &names);
        }
    }

    fn entry(&mut self, upper: &OwnedFd, path: &str, name: &CStr, merged: bool, depth: usize) {
        use std::os::fd::AsFd as _;
        let Ok(status) = statat(upper, name, AtFlags::SYMLINK_NOFOLLOW) else {
            self.incomplete = true;
            return;
        };
        let full = join(path, name);
        let below = if merged { look(&full) } else { None };
        match FileType::from_raw_mode(status.st_mode) {
            // A name that is gone is kept as such a device.
            FileType::CharacterDevice if status.st_rdev == 0 => {
                if let Some(below) = below {
                    self.push(&full, is_directory(&below), How::Removed);
                }
            }
            FileType::Directory => {
                let shows = below.as_ref().is_some_and(is_directory);
                match &below {
                    None => self.push(&full, true, How::Added),
                    Some(below) if !shows || mode(below) != mode(&status) => {
                        self.push(&full, true, How::Changed);
                    }
                    Some(_) => {}
                }
                match directory(upper.as_fd(), name) {
                    Ok(inner) => self.directory(&inner, &full, shows, depth + 1),
                    Err(_) => self.incomplete = true,
                }
            }
            FileType::RegularFile
            | FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => {
                if merged {
                    self.other(upper.as_fd(), name, path, name);
                } else {
                    self.push(&full, false, How::Added);
                }
            }
        }
    }

    /// Something that is no directory, against what lies at `name` in `path`.
    fn other(&mut self, upper: BorrowedFd<'_>, own: &CStr, path: &str, name: &CStr) {
        let full = join(path, name);
        let Ok(status) = statat(upper, own, AtFlags::SYMLINK_NOFOLLOW) else {
            self.incomplete = true;
            return;
        };
        match look(&full) {
            None => self.push(&full, false, How::Added),
            Some(below)
                if mode(&below) != mode(&status) || !same(upper, own, &full, &status, &below) =>
            {
                self.push(&full, false, How::Changed);
            }
            Some(_) => {}
        }
    }

    /// What lies below and is not in the upper layer does not show through any more.
    fn all_below(&mut self, path: &str, kept: &BTreeSet<CString>) {
        let Ok(below) = directory(CWD, &CString::new(path).unwrap_or_default()) else { return };
        for name in names(&below).unwrap_or_default().difference(kept) {
            let full = join(path, name);
            let is_directory = look(&full).as_ref().is_some_and(is_directory);
            self.push(&full, is_directory, How::Removed);
        }
    }

    fn push(&mut self, path: &str, is_directory: bool, how: How) {
        let end = if is_directory { "/" } else { "" };
        self.list.push(Change { path: format!("{path}{end}"), how });
    }
}

/// Whether two things of one kind and mode are the same.
fn same(upper: BorrowedFd<'_>, own: &CStr, path: &str, here: &Stat, there: &Stat) -> bool {
    match FileType::from_raw_mode(here.st_mode) {
        FileType::RegularFile => here.st_size == there.st_size && same_content(upper, own, path),
        FileType::Symlink => {
            let (one, other) =
                (readlinkat(upper, own, Vec::new()), readlinkat(CWD, path, Vec::new()));
            one.is_ok() && one == other
        }
        FileType::CharacterDevice | FileType::BlockDevice => here.st_rdev == there.st_rdev,
        FileType::Directory | FileType::Fifo | FileType::Socket | FileType::Unknown => true,
    }
}

fn same_content(upper: BorrowedFd<'_>, own: &CStr, path: &str) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let one = openat(upper, own, flags, Mode::empty());
    let other = openat(CWD, path, flags, Mode::empty());
    let (Ok(one), Ok(other)) = (one, other) else { return false };
    let (mut one, mut other) = (std::fs::File::from(one), std::fs::File::from(other));
    let (mut here, mut there) = (vec![0; CHUNK], vec![0; CHUNK]);
    loop {
        match (fill(&mut one, &mut here), fill(&mut other, &mut there)) {
            (Ok(read), Ok(other)) if here.get(..read) == there.get(..other) => {
                if read == 0 {
                    return true;
                }
            }
            _ => return false,
        }
    }
}

fn fill(file: &mut std::fs::File, buffer: &mut [u8]) -> std::io::Result<usize> {
    use std::io::Read as _;
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

fn look(path: &str) -> Option<Stat> {
    statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).ok()
}

fn is_directory(status: &Stat) -> bool {
    FileType::from_raw_mode(status.st_mode) == FileType::Directory
}

/// The kind and the permissions.
fn mode(status: &Stat) -> u32 {
    status.st_mode & 0o177_777
}

fn directory(base: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(base, name, flags, Mode::empty())
}

fn names(directory: &OwnedFd) -> Result<BTreeSet<CString>, Errno> {
    let names =
        Dir::read_from(directory)?.map(|entry| entry.map(|entry| entry.file_name().to_owned()));
    names.filter(|name| !matches!(name.as_deref().map(CStr::to_bytes), Ok(b"." | b".."))).collect()
}

fn join(path: &str, name: &CStr) -> String {
    format!("{}/{}", path.trim_end_matches('/'), name.to_string_lossy())
}

/// The mark of a directory through which nothing shows; kernel documentation, overlayfs, `userxattr`.
const OPAQUE: &CStr = c"user.overlay.opaque";
/// Entries that are listed.
const MOST: usize = 100_000;
/// Directories in directories: a path is no longer than 4,096 bytes, but directories can be nested deeper.
const DEEPEST: usize = 2_048;
const CHUNK: usize = 64 * 1024;
