//! Moving and exchanging names.

use super::Answer;
use super::judge::Unlisted;
use super::resolve::Entry;
use super::target::Target;
use crate::disk::kind_of;
use portcullis_model::AbsPath;
use portcullis_profile::{Access, Effect, Kind};
use rustix::fs::{AtFlags, FileType, RenameFlags, renameat_with, statat};
use rustix::io::Errno;
use std::os::fd::AsFd;
use std::sync::PoisonError;

impl Target<'_> {
    /// `rename`, `renameat`, `renameat2`.
    pub(super) fn rename(
        &self,
        from: (i32, usize),
        to: (i32, usize),
        flags: u32,
    ) -> Result<Answer, Errno> {
        let flags = RenameFlags::from_bits(flags).ok_or(Errno::INVAL)?;
        let exchange = flags.contains(RenameFlags::EXCHANGE);
        if exchange && flags.intersects(RenameFlags::NOREPLACE | RenameFlags::WHITEOUT) {
            return Err(Errno::INVAL);
        }
        // A whiteout is a device node; making one needs a capability nobody inside has.
        if flags.contains(RenameFlags::WHITEOUT) {
            return Err(Errno::PERM);
        }
        // One after the other, as the kernel does: which error is told depends on it.
        let old_path = self.path(from.1)?;
        let old_base = self.base(from.0, &old_path)?;
        let old = self.find_entry(&old_base, &old_path)?;
        let new_path = self.path(to.1)?;
        let new_base = self.base(to.0, &new_path)?;
        let new = self.find_entry(&new_base, &new_path)?;
        self.still_waits()?;
        let new_asked = (!new.parent.direct).then(|| self.asked(&new_base, &new_path));
        let old_asked = (!old.parent.direct).then(|| self.asked(&old_base, &old_path));
        let (old_asked, new_asked) = (old_asked.as_ref(), new_asked.as_ref());
        if !old.is_ordinary() {
            return Err(Errno::BUSY);
        }
        if !new.is_ordinary() {
            let keeps = flags.contains(RenameFlags::NOREPLACE);
            return Err(if keeps { Errno::EXIST } else { Errno::BUSY });
        }
        // SECURITY: alone. What a name is decides what it may become, and between the look and the act no
        // creation and no other rename may make it something else. Removing alone changes no kind, and
        // making again goes through the supervisor.
        let _names = self.shared.names.write().unwrap_or_else(PoisonError::into_inner);
        // Where the directories are may have changed while others held the names.
        let old = self.named_again(old)?;
        let new = self.named_again(new)?;
        let old_kind = kind_at(&old)?;
        let new_kind = kind_at(&new);
        if exchange && new_kind == Err(Errno::NOENT) {
            return Err(Errno::NOENT);
        }
        if flags.contains(RenameFlags::NOREPLACE) && new_kind.is_ok() {
            return Err(Errno::EXIST);
        }
        self.judge_move(&old, old_asked, &new, new_asked, old_kind)?;
        if exchange {
            self.judge_move(&new, new_asked, &old, old_asked, new_kind?)?;
        } else if let Ok(replaced) = new_kind {
            // What is replaced is removed.
            self.judge(&new.name(), new_asked, Access::Write, replaced, Unlisted::Ruled)?;
        }
        let (old_leaf, new_leaf) = (old.leaf_as_asked()?, new.leaf_as_asked()?);
        let (old_parent, new_parent) = (&old.parent.object, &new.parent.object);
        renameat_with(old_parent, old_leaf.as_c_str(), new_parent, new_leaf.as_c_str(), flags)?;
        Ok(Answer::Value(0))
    }

    fn judge_move(
        &self,
        old: &Entry,
        old_asked: Option<&AbsPath>,
        new: &Entry,
        new_asked: Option<&AbsPath>,
        kind: Kind,
    ) -> Result<(), Errno> {
        let (old_name, new_name) = (old.name(), new.name());
        self.judge(&old_name, old_asked, Access::Write, kind, Unlisted::Ruled)?;
        self.judge(&new_name, new_asked, Access::Write, kind, Unlisted::Ruled)?;
        let parse = |name: &[u8]| {
            AbsPath::parse(&String::from_utf8_lossy(name)).map_err(|_error| Errno::ACCESS)
        };
        let (from, to) = (parse(&old_name)?, parse(&new_name)?);
        let files = &self.shared.files;
        match files.may_rename(&from, &to, kind) {
            Ok(()) => Ok(()),
            Err(judgement) => {
                let writable =
                    |path: &AbsPath| files.effect(path, Access::Write, kind) == Effect::Allow;
                if kind == Kind::Directory && writable(&from) && writable(&to) {
                    // Not refused but done in another way: programs then copy, and each file is judged.
                    return Err(Errno::XDEV);
                }
                Err(self.deny(from.as_str(), to.as_str(), &judgement))
            }
        }
    }

    fn named_again(&self, mut entry: Entry) -> Result<Entry, Errno> {
        entry.parent.name = self.shared.name_of(entry.parent.object.as_fd())?;
        Ok(entry)
    }
}

fn kind_at(entry: &Entry) -> Result<Kind, Errno> {
    let stat = statat(&entry.parent.object, &entry.leaf, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(kind_of(FileType::from_raw_mode(stat.st_mode)))
}
