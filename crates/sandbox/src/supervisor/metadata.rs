//! Mode, owner, times and extended attributes, where no mount keeps them: Landlock does not know them.

use super::Answer;
use super::judge::Unlisted;
use super::open::SET_ID;
use super::resolve::{Decimal, Final, Found};
use super::target::Target;
use crate::disk::kind_of;
use portcullis_profile::Access;
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, ResolveFlags, Timespec, Timestamps, UTIME_NOW, Uid, XattrFlags,
    chmodat, chownat, removexattr, setxattr, utimensat,
};
use rustix::io::Errno;
use rustix::process::fchdir;
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd};

/// What a call changes the metadata of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Object {
    /// What the path in this argument names, relative to a descriptor; a final symlink is followed or not.
    Named(i32, usize, Final),
    /// What a descriptor is.
    Open(i32),
}

impl Target<'_> {
    /// Finds the object and judges changing it.
    fn changeable(&self, object: Object) -> Result<Found, Errno> {
        let (found, asked) = match object {
            Object::Open(descriptor) => {
                let object = self.descriptor(descriptor)?;
                let name = self.shared.name_of(object.as_fd())?;
                (Found { object, name, direct: true }, None)
            }
            Object::Named(descriptor, path, last) => {
                let path = self.path(path)?;
                let base = self.base(descriptor, &path)?;
                let found = self.find(&base, &path, last, ResolveFlags::empty())?;
                let asked = (!found.direct).then(|| self.asked(&base, &path));
                (found, asked)
            }
        };
        self.still_waits()?;
        let stat = found.stat()?;
        let kind = kind_of(FileType::from_raw_mode(stat.st_mode));
        let nameless = stat.st_nlink == 0;
        let unlisted = if nameless { Unlisted::Possible } else { Unlisted::Ruled };
        self.judge(&found.name, asked.as_ref(), Access::Write, kind, unlisted)?;
        Ok(found)
    }

    /// The `chmod` family.
    pub(super) fn change_mode(&self, object: Object, mode: i32) -> Result<Answer, Errno> {
        let mode = mode.cast_unsigned() & 0o7777;
        let found = self.changeable(object)?;
        // A directory may hand its group down: that runs nothing.
        let is_directory = FileType::from_raw_mode(found.stat()?.st_mode) == FileType::Directory;
        if mode & SET_ID != 0 && !is_directory {
            return Err(Errno::PERM);
        }
        let mode = Mode::from_raw_mode(mode);
        through(&found, |own| chmodat(&self.shared.descriptors, own, mode, AtFlags::empty()))
    }

    /// The `chown` family.
    pub(super) fn change_owner(
        &self,
        object: Object,
        owner: i32,
        group: i32,
    ) -> Result<Answer, Errno> {
        let found = self.changeable(object)?;
        let owner = (owner != -1).then(|| Uid::from_raw(owner.cast_unsigned()));
        let group = (group != -1).then(|| Gid::from_raw(group.cast_unsigned()));
        through(&found, |own| {
            chownat(&self.shared.descriptors, own, owner, group, AtFlags::empty())
        })
    }

    /// The `utime` family; the times are in memory, in units of `per_second`.
    pub(super) fn change_times(
        &self,
        object: Object,
        times: usize,
        format: Times,
    ) -> Result<Answer, Errno> {
        let start = self.argument(times);
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let pair = if start == 0 {
            (now, now)
        } else {
            let length = if format == Times::Seconds { 16 } else { 32 };
            let bytes = self.bytes(start, length)?;
            let word = |at: usize| {
                let word = bytes.get(at * 8..).and_then(|bytes| bytes.first_chunk::<8>());
                word.map_or(0, |word| i64::from_ne_bytes(*word))
            };
            let time = |seconds, part| Timespec { tv_sec: seconds, tv_nsec: part };
            match format {
                Times::Seconds => (time(word(0), 0), time(word(1), 0)),
                Times::Nanoseconds => (time(word(0), word(1)), time(word(2), word(3))),
                Times::Microseconds => {
                    let valid = |part: i64| (0..1_000_000).contains(&part);
                    if !valid(word(1)) || !valid(word(3)) {
                        return Err(Errno::INVAL);
                    }
                    (time(word(0), word(1) * 1000), time(word(2), word(3) * 1000))
                }
            }
        };
        let times = Timestamps { last_access: pair.0, last_modification: pair.1 };
        let found = self.changeable(object)?;
        through(&found, |own| utimensat(&self.shared.descriptors, own, &times, AtFlags::empty()))
    }

    /// The `setxattr` family.
    pub(super) fn set_attribute(&self, object: Object) -> Result<Answer, Errno> {
        let name = self.text(self.argument(1), LONGEST_ATTRIBUTE, Errno::RANGE)?;
        let size = usize::try_from(self.argument(3)).map_err(|_error| Errno::TOOBIG)?;
        if size > MOST_VALUE {
            return Err(Errno::TOOBIG);
        }
        let value = self.bytes(self.argument(2), size)?;
        let flags = XattrFlags::from_bits(self.integer(4).cast_unsigned()).ok_or(Errno::INVAL)?;
        let found = self.changeable(object)?;
        fchdir(&self.shared.descriptors)?;
        through(&found, |own| setxattr(own, name.as_c_str(), &value, flags))
    }

    /// The `removexattr` family.
    pub(super) fn remove_attribute(&self, object: Object) -> Result<Answer, Errno> {
        let name = self.text(self.argument(1), LONGEST_ATTRIBUTE, Errno::RANGE)?;
        let found = self.changeable(object)?;
        fchdir(&self.shared.descriptors)?;
        through(&found, |own| removexattr(own, name.as_c_str()))
    }

    /// What `*at` calls with flags mean; an empty path with `AT_EMPTY_PATH` is the descriptor itself.
    pub(super) fn object_at(&self, path: usize, flags: i32) -> Result<Object, Errno> {
        let known = libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH;
        if flags & !known != 0 {
            return Err(Errno::INVAL);
        }
        let descriptor = self.integer(0);
        let is_empty = || self.path(path).is_ok_and(|path| path.is_empty());
        if self.argument(path) == 0 || (flags & libc::AT_EMPTY_PATH != 0 && is_empty()) {
            return Ok(Object::Open(descriptor));
        }
        let keeps = flags & libc::AT_SYMLINK_NOFOLLOW != 0;
        let last = if keeps { Final::Keep } else { Final::Follow };
        Ok(Object::Named(descriptor, path, last))
    }
}

/// Acts on the object by its name in our `/proc/self/fd`.
fn through(found: &Found, act: impl FnOnce(&CStr) -> Result<(), Errno>) -> Result<Answer, Errno> {
    let mut number = Decimal::default();
    act(number.write(found.object.as_raw_fd())?)?;
    Ok(Answer::Value(0))
}

/// How a call writes times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// `struct utimbuf`.
    Seconds,
    /// `struct timeval[2]`.
    Microseconds,
    /// `struct timespec[2]`.
    Nanoseconds,
}

/// `XATTR_NAME_MAX` and a NUL.
const LONGEST_ATTRIBUTE: usize = 256;
/// `XATTR_SIZE_MAX`.
const MOST_VALUE: usize = 65_536;
