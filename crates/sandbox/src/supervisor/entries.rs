//! Making and removing names.

use super::Answer;
use super::judge::Unlisted;
use super::open::SET_ID;
use super::resolve::{Entry, Final};
use super::target::Target;
use crate::disk::kind_of;
use portcullis_model::AbsPath;
use portcullis_profile::{Access, Kind};
use rustix::fs::{
    AtFlags, FileType, Mode, ResolveFlags, linkat, mkdirat, mknodat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;
use std::os::fd::AsRawFd;

impl Target<'_> {
    /// Finds the entry that arguments name.
    fn entry(&self, descriptor: i32, path: usize) -> Result<(Entry, Option<AbsPath>), Errno> {
        let path = self.path(path)?;
        let base = self.base(descriptor, &path)?;
        self.still_waits()?;
        let entry = self.find_entry(&base, &path)?;
        let asked = (!entry.parent.direct).then(|| self.asked(&base, &path));
        Ok((entry, asked))
    }

    /// Judges writing an entry. What the kernel says first comes first: an entry that exists cannot be
    /// made, and one that does not cannot be removed, whoever asks.
    fn judge_entry(
        &self,
        entry: &Entry,
        asked: Option<&AbsPath>,
        kind: Kind,
        first: First,
    ) -> Result<(), Errno> {
        let exists =
            || statat(&entry.parent.object, &entry.leaf, AtFlags::SYMLINK_NOFOLLOW).is_ok();
        if !entry.is_ordinary() {
            // The kernel refuses `.`, `..` and the root in every call that makes or removes.
            return Ok(());
        }
        // Told only where the refusal is the answer.
        let name = entry.name();
        if self.would_deny(&name, asked, Access::Write, kind) {
            match first {
                First::Exists if exists() => return Err(Errno::EXIST),
                First::Missing if !exists() => return Err(Errno::NOENT),
                First::Exists | First::Missing => {}
            }
        }
        self.judge(&name, asked, Access::Write, kind, Unlisted::Ruled)
    }

    /// `mkdir`, `mkdirat`.
    pub(super) fn make_directory(
        &self,
        descriptor: i32,
        path: usize,
        mode: i32,
    ) -> Result<Answer, Errno> {
        let (entry, asked) = self.entry(descriptor, path)?;
        let _names = self.shared.names_in_use();
        self.judge_entry(&entry, asked.as_ref(), Kind::Directory, First::Exists)?;
        let mode = Mode::from_raw_mode(mode.cast_unsigned() & 0o1777);
        let leaf = entry.leaf_as_asked()?;
        let parent = &entry.parent.object;
        self.with_umask(|| mkdirat(parent, leaf.as_c_str(), mode))?;
        self.check_again(&entry, asked.as_ref(), Kind::Directory, AtFlags::REMOVEDIR)
    }

    /// `mknod`, `mknodat`: files, FIFOs and sockets. Devices need a capability nobody inside has.
    pub(super) fn make_node(
        &self,
        descriptor: i32,
        path: usize,
        mode: i32,
    ) -> Result<Answer, Errno> {
        let (entry, asked) = self.entry(descriptor, path)?;
        let mode = mode.cast_unsigned();
        let file_type = match mode & libc::S_IFMT {
            0 => FileType::RegularFile,
            _ => FileType::from_raw_mode(mode),
        };
        match file_type {
            FileType::RegularFile | FileType::Fifo | FileType::Socket => {}
            FileType::CharacterDevice | FileType::BlockDevice => return Err(Errno::PERM),
            FileType::Directory => return Err(Errno::PERM),
            FileType::Symlink | FileType::Unknown => return Err(Errno::INVAL),
        }
        if mode & SET_ID != 0 {
            return Err(Errno::PERM);
        }
        let _names = self.shared.names_in_use();
        self.judge_entry(&entry, asked.as_ref(), kind_of(file_type), First::Exists)?;
        let mode = Mode::from_raw_mode(mode & 0o1777);
        let leaf = entry.leaf_as_asked()?;
        let parent = &entry.parent.object;
        self.with_umask(|| mknodat(parent, leaf.as_c_str(), file_type, mode, 0))?;
        self.check_again(&entry, asked.as_ref(), kind_of(file_type), AtFlags::empty())
    }

    /// `symlink`, `symlinkat`: where it leads is judged when somebody goes there.
    pub(super) fn make_link(
        &self,
        text: usize,
        descriptor: i32,
        path: usize,
    ) -> Result<Answer, Errno> {
        let text = self.path(text)?;
        if text.is_empty() {
            return Err(Errno::NOENT);
        }
        let (entry, asked) = self.entry(descriptor, path)?;
        let _names = self.shared.names_in_use();
        self.judge_entry(&entry, asked.as_ref(), Kind::Other, First::Exists)?;
        let leaf = entry.leaf_as_asked()?;
        symlinkat(text.as_c_str(), &entry.parent.object, leaf.as_c_str())?;
        self.check_again(&entry, asked.as_ref(), Kind::Other, AtFlags::empty())
    }

    /// `link`, `linkat`.
    pub(super) fn link(
        &self,
        from: (i32, usize),
        to: (i32, usize),
        flags: i32,
    ) -> Result<Answer, Errno> {
        let known = libc::AT_SYMLINK_FOLLOW | libc::AT_EMPTY_PATH;
        if flags & !known != 0 {
            return Err(Errno::INVAL);
        }
        let old_path = self.path(from.1)?;
        let source = if old_path.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
            let object = self.descriptor(from.0)?;
            let name = self.shared.name_of(std::os::fd::AsFd::as_fd(&object))?;
            super::resolve::Found { object, name, direct: true }
        } else {
            let last =
                if flags & libc::AT_SYMLINK_FOLLOW != 0 { Final::Follow } else { Final::Keep };
            let base = self.base(from.0, &old_path)?;
            self.find(&base, &old_path, last, ResolveFlags::empty())?
        };
        let (entry, asked) = self.entry(to.0, to.1)?;
        let stat = source.stat()?;
        let kind = kind_of(FileType::from_raw_mode(stat.st_mode));
        let _names = self.shared.names_in_use();
        if kind == Kind::Directory {
            // The kernel never links one, but it looks at the new name first.
            let exists = statat(&entry.parent.object, &entry.leaf, AtFlags::SYMLINK_NOFOLLOW);
            return Err(match exists {
                Ok(_) => Errno::EXIST,
                Err(Errno::NOENT) if !entry.slashed => Errno::PERM,
                Err(error) => error,
            });
        }
        self.judge_entry(&entry, asked.as_ref(), kind, First::Exists)?;
        // A file made by O_TMPFILE has no name that could be denied.
        if stat.st_nlink != 0 {
            let text = String::from_utf8_lossy(&source.name);
            let old = AbsPath::parse(&text).map_err(|_error| Errno::XDEV)?;
            let new = String::from_utf8_lossy(&entry.name()).into_owned();
            let new = AbsPath::parse(&new).map_err(|_error| Errno::ACCESS)?;
            self.judge(&source.name, None, Access::Write, kind, Unlisted::Ruled)?;
            if let Err(judgement) = self.shared.files.may_link(&old, &new) {
                return Err(self.deny(old.as_str(), new.as_str(), &judgement));
            }
        }
        let mut number = super::resolve::Decimal::default();
        let number = number.write(source.object.as_raw_fd())?;
        let leaf = entry.leaf_as_asked()?;
        let (descriptors, parent) = (&self.shared.descriptors, &entry.parent.object);
        linkat(descriptors, number, parent, leaf.as_c_str(), AtFlags::SYMLINK_FOLLOW)?;
        self.check_again(&entry, asked.as_ref(), kind, AtFlags::empty())
    }

    /// `unlink`, `rmdir`, `unlinkat`.
    pub(super) fn remove(&self, descriptor: i32, path: usize, flags: i32) -> Result<Answer, Errno> {
        if flags & !libc::AT_REMOVEDIR != 0 {
            return Err(Errno::INVAL);
        }
        let (entry, asked) = self.entry(descriptor, path)?;
        let (kind, flags) = if flags == 0 {
            (Kind::File, AtFlags::empty())
        } else {
            (Kind::Directory, AtFlags::REMOVEDIR)
        };
        let _names = self.shared.names_in_use();
        if !self.is_worktree_pointer(&entry) {
            self.judge_entry(&entry, asked.as_ref(), kind, First::Missing)?;
        }
        if !entry.is_ordinary() {
            return Err(match (kind, entry.leaf.as_bytes()) {
                (Kind::Directory, b".") => Errno::INVAL,
                (Kind::Directory, b"..") => Errno::NOTEMPTY,
                (Kind::Directory, _) => Errno::BUSY,
                (Kind::File | Kind::Other, _) => Errno::ISDIR,
            });
        }
        let leaf = entry.leaf_as_asked()?;
        unlinkat(&entry.parent.object, leaf.as_c_str(), flags)?;
        Ok(Answer::Value(0))
    }

    /// After something was made: the host may have moved the parent meanwhile.
    fn check_again(
        &self,
        entry: &Entry,
        asked: Option<&AbsPath>,
        kind: Kind,
        removal: AtFlags,
    ) -> Result<Answer, Errno> {
        let parent = self.shared.name_of(std::os::fd::AsFd::as_fd(&entry.parent.object))?;
        if parent != entry.parent.name {
            let mut name = parent;
            name.push(b'/');
            name.extend(entry.leaf.as_bytes());
            let judged = self.judge(&name, asked, Access::Write, kind, Unlisted::Ruled);
            if let Err(error) = judged {
                unlinkat(&entry.parent.object, &entry.leaf, removal).ok();
                return Err(error);
            }
        }
        Ok(Answer::Value(0))
    }
}

/// What the kernel says before it asks who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// That the entry is there already.
    Exists,
    /// That it is not there.
    Missing,
}
