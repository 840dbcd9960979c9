//! The files by which git ties a linked worktree to its repository: `.git` in the worktree, and `commondir`
//! in `.git/worktrees/NAME`.
//!
//! Both are protected, for each can lead git to another configuration. But `git worktree add` has to make
//! them, and what it writes is known beforehand. So the supervisor writes that itself, and the program gets
//! a descriptor that leads nowhere: whatever it writes, the files say what git would have said.

use super::Answer;
use super::open::How;
use super::resolve::Entry;
use super::target::Target;
use portcullis_model::AbsPath;
use portcullis_profile::{Access, Effect, Kind, Reach};
use rustix::fs::{CWD, Dir, Mode, OFlags, ResolveFlags, fstat, openat, openat2};
use rustix::io::Errno;
use std::os::fd::OwnedFd;

impl Target<'_> {
    /// Makes such a file, where the entry is one that `git worktree add` makes.
    pub(super) fn make_worktree_link(
        &self,
        entry: &Entry,
        how: How,
    ) -> Result<Option<Answer>, Errno> {
        // git opens both to write only.
        if how.flags.contains(OFlags::RDWR) || !how.flags.contains(OFlags::WRONLY) {
            return Ok(None);
        }
        let content = match entry.leaf.as_bytes() {
            b"commondir" if self.is_worktree_pointer(entry) => Some("../..\n".to_owned()),
            b".git" => self.link_to_worktree(entry),
            _ => None,
        };
        let Some(content) = content else { return Ok(None) };
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o644);
        let file = self.with_umask(|| openat(&entry.parent.object, &entry.leaf, flags, mode))?;
        rustix::io::write(&file, content.as_bytes())?;
        let nowhere = openat(CWD, c"/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Some(Answer::FileToWrite(nowhere, how.flags.contains(OFlags::CLOEXEC))))
    }

    /// Whether an entry is the `commondir` of a linked worktree, in a repository that may be written to.
    /// It may also be removed: without it nothing but the protected names of the same directory counts.
    pub(super) fn is_worktree_pointer(&self, entry: &Entry) -> bool {
        let Some(directory) = self.writable_directory(entry) else { return false };
        let mut names = directory.components().rev().skip(1);
        entry.leaf.as_bytes() == b"commondir"
            && names.next() == Some("worktrees")
            && names.next() == Some(".git")
    }

    /// What a `.git` file in this directory says, where a repository has a worktree there.
    ///
    /// SECURITY: only a directory below `worktrees` of a repository at the top of a writable place, reached
    /// without a link, is ever named: its own configuration and hooks are protected.
    fn link_to_worktree(&self, entry: &Entry) -> Option<String> {
        let wanted = format!("{}/.git", self.writable_directory(entry)?);
        let rules = self.shared.files.files().rules.iter();
        let writable =
            rules.filter(|rule| rule.access == Access::Write && rule.effect == Effect::Allow);
        for rule in writable {
            let Reach::Path(root) = &rule.reach else { continue };
            let git =
                if root.name() == Some(".git") { root.clone() } else { root.join(".git").ok()? };
            let Some(worktrees) = directory(&format!("{git}/worktrees")) else { continue };
            for name in Dir::read_from(&worktrees).ok()?.take(MOST_WORKTREES).flatten() {
                let name = name.file_name().to_str().ok()?;
                let path = format!("{git}/worktrees/{name}");
                if directory(&path).and_then(|found| said(&found)).as_deref() == Some(&*wanted) {
                    return Some(format!("gitdir: {path}\n"));
                }
            }
        }
        None
    }

    /// The directory of an entry, where ordinary files may be made in it.
    fn writable_directory(&self, entry: &Entry) -> Option<AbsPath> {
        let directory = AbsPath::parse(std::str::from_utf8(&entry.parent.name).ok()?).ok()?;
        let neighbour = directory.join("gitdir").ok()?;
        let files = &self.shared.files;
        (files.effect(&neighbour, Access::Write, Kind::File) == Effect::Allow).then_some(directory)
    }
}

/// Opens a directory without following a link on the way.
fn directory(path: &str) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).ok()
}

/// Where the worktree of such a directory is, as git has written it.
fn said(directory: &OwnedFd) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(directory, c"gitdir", flags, Mode::empty()).ok()?;
    let regular = rustix::fs::FileType::from_raw_mode(fstat(&file).ok()?.st_mode).is_file();
    let mut buffer = vec![0; LONGEST];
    let length = if regular { rustix::io::read(&file, &mut buffer[..]).ok()? } else { 0 };
    let text = std::str::from_utf8(buffer.get(..length)?).ok()?;
    text.strip_suffix('\n').filter(|line| !line.contains('\n')).map(str::to_owned)
}

/// How many worktrees of a repository are looked at.
const MOST_WORKTREES: usize = 256;

/// The longest path and a newline.
const LONGEST: usize = 4097;
