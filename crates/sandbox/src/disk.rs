//! What stands on the disk where a profile names something.

use crate::Failure;
use portcullis_model::AbsPath;
use portcullis_profile::Kind;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// What stands at a path.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    Here(Kind),
    Elsewhere(AbsPath, Kind),
}

/// The disk, with the directories that were looked into: most paths of a profile lie in a few.
#[derive(Default)]
pub(crate) struct Disk {
    directories: BTreeMap<AbsPath, Directory>,
}

/// A directory by its path.
enum Directory {
    /// It is there, and no symlink leads to it.
    Plain(OwnedFd),
    /// There is none that could be reached.
    Missing,
    /// A look at every single path has to tell.
    Unclear,
}

impl Disk {
    /// What stands at a path: the same as [`look`] says.
    pub(crate) fn look(&mut self, path: &AbsPath) -> Result<Found, Failure> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return look(path) };
        if !self.directories.contains_key(&parent) && self.directories.len() >= MOST_DIRECTORIES {
            self.directories.clear();
        }
        let directory = self.directories.entry(parent).or_insert_with_key(Directory::open);
        let stat = match directory {
            Directory::Missing => return Ok(Found::Nothing),
            Directory::Unclear => return look(path),
            Directory::Plain(directory) => {
                rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
            }
        };
        match stat.map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::Symlink) => look(path),
            Ok(kind) => Ok(Found::Here(kind_of(kind))),
            Err(Errno::NOENT) => Ok(Found::Nothing),
            Err(_) => look(path),
        }
    }
}

impl Directory {
    fn open(path: &AbsPath) -> Self {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(CWD, path.as_str(), flags, Mode::empty(), resolve) {
            Ok(directory) => Self::Plain(directory),
            Err(Errno::NOENT) => Self::Missing,
            Err(_) => Self::Unclear,
        }
    }
}

/// Each holds a descriptor.
const MOST_DIRECTORIES: usize = 64;

pub(crate) fn look(path: &AbsPath) -> Result<Found, Failure> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let plain =
        rustix::fs::openat2(CWD, path.as_str(), flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let wrong = |errno: Errno| {
        Failure::new(format!("cannot look at `{path}`: {}", std::io::Error::from(errno)))
    };
    match plain {
        Ok(file) => Ok(Found::Here(kind_at(&file).map_err(wrong)?)),
        Err(Errno::LOOP) => match rustix::fs::openat(CWD, path.as_str(), flags, Mode::empty()) {
            Ok(file) => {
                let real = where_is(&file).map_err(wrong)?;
                Ok(real.map_or(Found::Nothing, |real| {
                    Found::Elsewhere(real, kind_at(&file).unwrap_or(Kind::Other))
                }))
            }
            Err(Errno::LOOP | Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => Ok(Found::Nothing),
            Err(errno) => Err(wrong(errno)),
        },
        // What the caller cannot reach, the command cannot reach either.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::NAMETOOLONG) => {
            Ok(Found::Nothing)
        }
        Err(errno) => Err(wrong(errno)),
    }
}

fn kind_at(file: &impl std::os::fd::AsFd) -> rustix::io::Result<Kind> {
    Ok(kind_of(FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode)))
}

/// What the rules call a kind of object.
pub(crate) fn kind_of(kind: FileType) -> Kind {
    match kind {
        FileType::Directory => Kind::Directory,
        FileType::RegularFile => Kind::File,
        FileType::Symlink
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => Kind::Other,
    }
}

fn where_is(file: &impl std::os::fd::AsRawFd) -> rustix::io::Result<Option<AbsPath>> {
    let link = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let target = rustix::fs::readlinkat(CWD, &link, Vec::new())?;
    Ok(target.to_str().ok().and_then(|text| AbsPath::parse(text).ok()))
}
