//! Opening what exists, and creating what does not.

use super::crew::was_written;
use super::judge::Unlisted;
use super::resolve::{Decimal, Entry, Final, Found};
use super::short::Short;
use super::target::{Base, PATH_ONLY, Target};
use super::terminals::is_slave;
use super::{Answer, Terminals};
use crate::disk::kind_of;
use portcullis_model::AbsPath;
use portcullis_profile::{Access, Kind};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, fcntl_setfl, openat, readlinkat, unlinkat,
};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

/// How a file is to be opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    pub(super) flags: OFlags,
    pub(super) mode: u32,
    pub(super) resolve: ResolveFlags,
}

impl Target<'_> {
    /// `open`, `openat`, `creat`: flags the kernel does not know are not looked at.
    pub(super) fn open(
        &self,
        descriptor: i32,
        path: usize,
        flags: i32,
        mode: u64,
    ) -> Result<Answer, Errno> {
        let mut flags = OFlags::from_bits_retain(flags.cast_unsigned());
        if flags.contains(OFlags::PATH) {
            let kept = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            flags = flags.intersection(kept);
        }
        check_flags(flags)?;
        let mode = u32::try_from(mode & 0o7777).unwrap_or_default();
        let path = self.path(path)?;
        self.open_path(descriptor, &path, How { flags, mode, resolve: ResolveFlags::empty() })
    }

    /// `openat2`: what its structure says is copied once, like the path.
    pub(super) fn open_with_how(&self) -> Result<Answer, Errno> {
        let size = usize::try_from(self.argument(3)).map_err(|_error| Errno::TOOBIG)?;
        if size < HOW_SIZE {
            return Err(Errno::INVAL);
        }
        if size > 4096 {
            return Err(Errno::TOOBIG);
        }
        let bytes = self.bytes(self.argument(2), size)?;
        let (how, rest) = bytes.split_at_checked(HOW_SIZE).ok_or(Errno::INVAL)?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(Errno::TOOBIG);
        }
        let word = |at: usize| {
            let bytes = how.get(at..at + 8).and_then(|bytes| bytes.first_chunk::<8>());
            bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
        };
        let (flags, mode, resolve) = (word(0), word(8), word(16));
        let flags = u32::try_from(flags).map_err(|_error| Errno::INVAL)?;
        let flags = OFlags::from_bits_retain(flags);
        let resolve = ResolveFlags::from_bits(resolve).ok_or(Errno::INVAL)?;
        let creates = flags.intersects(OFlags::CREATE | O_TMPFILE_BIT);
        if mode & !0o7777 != 0 || (mode != 0 && !creates) {
            return Err(Errno::INVAL);
        }
        if resolve.contains(ResolveFlags::BENEATH | ResolveFlags::IN_ROOT) {
            return Err(Errno::INVAL);
        }
        // RESOLVE_CACHED asks not to wait for anything; the caller is ready to try again without.
        if resolve.contains(ResolveFlags::CACHED) {
            return Err(Errno::AGAIN);
        }
        check_flags(flags)?;
        let mode = u32::try_from(mode).map_err(|_error| Errno::INVAL)?;
        let path = self.path(1)?;
        self.open_path(self.integer(0), &path, How { flags, mode, resolve })
    }

    fn open_path(&self, descriptor: i32, path: &CString, how: How) -> Result<Answer, Errno> {
        if path.is_empty() {
            return Err(Errno::NOENT);
        }
        let reader = match self.open_shortly(descriptor, path, how) {
            Short::Answered(answer) => return answer,
            Short::Not(reader) => reader,
        };
        let base = if how.resolve.contains(ResolveFlags::IN_ROOT) {
            // An absolute path starts at the directory too.
            self.base(descriptor, &c"in root".to_owned())?
        } else {
            self.base(descriptor, path)?
        };
        if how.flags.contains(OFlags::CREATE) && !how.flags.contains(OFlags::PATH) {
            self.still_waits()?;
            if how.resolve.is_empty() {
                return self.open_or_create(&base, path, how);
            }
            // With restricted resolution only what exists is opened; ENOSYS makes callers that
            // create fall back to openat.
            let last = final_of(how.flags);
            return match self.find(&base, path, last, how.resolve) {
                Ok(found) if !how.flags.contains(OFlags::EXCL) => {
                    self.open_found(&found, how, Some(&self.asked(&base, path)), None)
                }
                Ok(_) => Err(Errno::EXIST),
                Err(Errno::NOENT) => Err(Errno::NOSYS),
                Err(error) => Err(error),
            };
        }
        let found = self.find(&base, path, final_of(how.flags), how.resolve)?;
        let asked = (!found.direct).then(|| self.asked(&base, path));
        self.open_found(&found, how, asked.as_ref(), reader)
    }

    /// Opens the object that was found: that one, whatever the path leads to by now. `reader` is what the
    /// short way has opened, to read and without waiting.
    fn open_found(
        &self,
        found: &Found,
        how: How,
        asked: Option<&AbsPath>,
        reader: Option<OwnedFd>,
    ) -> Result<Answer, Errno> {
        let stat = found.stat()?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let flags = how.flags;
        if flags.contains(OFlags::DIRECTORY) && kind != FileType::Directory {
            return Err(Errno::NOTDIR);
        }
        let closes = flags.contains(OFlags::CLOEXEC);
        if flags.contains(OFlags::PATH) {
            // It shows nothing but metadata, and whatever is opened through it is judged then.
            let object = found.object.try_clone().map_err(|_error| Errno::MFILE)?;
            return Ok(Answer::File(object, closes));
        }
        if kind == FileType::Symlink {
            return Err(Errno::LOOP);
        }
        let is_temporary = flags.contains(O_TMPFILE_BIT);
        // Opening a file to read it changes nothing, and if the caller is another by now, it gets nothing.
        if kind != FileType::RegularFile || flags.intersects(OFlags::TRUNC) || is_temporary {
            self.still_waits()?;
        }
        if kind == FileType::Directory && flags.contains(OFlags::CREATE) {
            return Err(Errno::ISDIR);
        }
        if kind == FileType::CharacterDevice && stat.st_rdev == TERMINAL {
            return self.open_terminal(flags, closes);
        }
        if self.shared.surroundings.terminals == Terminals::Everyones
            && kind == FileType::CharacterDevice
            && is_slave(stat.st_rdev)
            && !self.has_terminal(stat.st_rdev)?
        {
            let name = String::from_utf8_lossy(&found.name).into_owned();
            let asked = asked.map_or(name.as_str(), AbsPath::as_str);
            return Err(self.tell(asked, &name, String::new(), Errno::ACCESS));
        }
        let unlisted = unlisted_for(kind, &found.name, &stat);
        for access in accesses(flags) {
            self.judge(&found.name, asked, access, kind_of(kind), unlisted)?;
        }
        if is_temporary && how.mode & SET_ID != 0 {
            return Err(Errno::PERM);
        }
        let file = if is_temporary {
            self.with_umask(|| self.reopen(found, flags, how.mode))?
        } else if may_wait(kind, flags, &stat) {
            match reader.filter(|_| kind == FileType::Fifo) {
                Some(reader) => self.open_to_read_from_writer(found, flags, &Arc::new(reader))?,
                None => self.while_waiting(|| self.reopen(found, flags, 0))?,
            }
        } else {
            self.reopen(found, flags, 0)?
        };
        let writes = accesses(flags).any(|access| access == Access::Write);
        if writes || kind == FileType::Fifo {
            Ok(Answer::FileToWrite(file, closes))
        } else {
            Ok(Answer::File(file, closes))
        }
    }

    /// Opens a FIFO to read once somebody has opened it to write.
    ///
    /// A writer that waited has seen `reader`, and may have written and gone before it is opened here; then
    /// there is nobody to wait for, and what was written is in the pipe as long as `reader` is open.
    fn open_to_read_from_writer(
        &self,
        found: &Found,
        flags: OFlags,
        reader: &Arc<OwnedFd>,
    ) -> Result<OwnedFd, Errno> {
        let opened = self.shared.crew.while_unwritten(self.call, Arc::clone(reader), || {
            if was_written(reader) { Err(Errno::INTR) } else { self.reopen(found, flags, 0) }
        });
        if opened.as_ref().err() == Some(&Errno::INTR) && was_written(reader) {
            let file = self.reopen(found, flags | OFlags::NONBLOCK, 0)?;
            fcntl_setfl(&file, flags)?;
            return Ok(file);
        }
        self.unless_interrupted(opened)
    }

    /// Opens an object anew through its descriptor.
    pub(super) fn reopen(&self, found: &Found, flags: OFlags, mode: u32) -> Result<OwnedFd, Errno> {
        let dropped = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let dropped = if flags.contains(O_TMPFILE_BIT) { OFlags::NOFOLLOW } else { dropped };
        // Our controlling terminal must not become one that a program chose.
        let flags = flags.difference(dropped) | OFlags::CLOEXEC | OFlags::NOCTTY;
        let mut number = Decimal::default();
        let number = number.write(found.object.as_raw_fd())?;
        openat(&self.shared.descriptors, number, flags, Mode::from_raw_mode(mode))
    }

    /// `O_CREAT`: opens the entry or makes it, following links in between as the kernel does.
    fn open_or_create(&self, base: &Base, path: &CStr, how: How) -> Result<Answer, Errno> {
        let mut entry = self.find_entry(base, path)?;
        let mut asked = (!entry.parent.direct).then(|| self.asked(base, path));
        let mut links = 0;
        // Every turn either ends, follows a link, or lost a race against somebody else's creation.
        for _ in 0..MOST_TURNS {
            if !entry.is_ordinary() && how.flags.contains(OFlags::EXCL) {
                return Err(Errno::EXIST);
            }
            if entry.slashed || !entry.is_ordinary() {
                return Err(Errno::ISDIR);
            }
            let looked = PATH_ONLY | OFlags::NOFOLLOW;
            match openat(&entry.parent.object, &entry.leaf, looked, Mode::empty()) {
                Err(Errno::NOENT) => match self.create(&entry, how, asked.as_ref()) {
                    Err(Errno::EXIST) if !how.flags.contains(OFlags::EXCL) => {}
                    outcome => return outcome,
                },
                Err(error) => return Err(error),
                Ok(_) if how.flags.contains(OFlags::EXCL) => return Err(Errno::EXIST),
                Ok(object) => {
                    let name = self.shared.name_of(object.as_fd())?;
                    let found = Found { object, name, direct: true };
                    let kind = FileType::from_raw_mode(found.stat()?.st_mode);
                    if kind != FileType::Symlink {
                        return self.open_found(&found, how, asked.as_ref(), None);
                    }
                    if how.flags.contains(OFlags::NOFOLLOW) {
                        return Err(Errno::LOOP);
                    }
                    asked.get_or_insert_with(|| self.asked(base, path));
                    links += 1;
                    if links > 40 {
                        return Err(Errno::LOOP);
                    }
                    entry = match self.follow(entry, &found)? {
                        Followed::Entry(entry) => entry,
                        Followed::Object(found) => {
                            return self.open_found(&found, how, asked.as_ref(), None);
                        }
                    };
                }
            }
        }
        Err(Errno::LOOP)
    }

    /// Where a symlink in place of the entry leads: to another entry, or, out of `/proc`, to an object.
    fn follow(&self, entry: Entry, link: &Found) -> Result<Followed, Errno> {
        if link.name.starts_with(b"/proc") {
            let base = Base::Object(entry.parent.object);
            let found = self.find(&base, &entry.leaf, Final::Follow, ResolveFlags::empty())?;
            return Ok(Followed::Object(found));
        }
        let text = readlinkat(&link.object, c"", Vec::new())?;
        let base = if text.as_bytes().first() == Some(&b'/') {
            Base::Root
        } else {
            Base::Object(entry.parent.object)
        };
        self.find_entry(&base, &text).map(Followed::Entry)
    }

    /// Makes a file that is not there; `EEXIST` when somebody was faster.
    fn create(&self, entry: &Entry, how: How, asked: Option<&AbsPath>) -> Result<Answer, Errno> {
        // Held so that no rename of ours changes where the parent is between the look and the act.
        let _names = self.shared.names_in_use();
        let name = entry.name();
        if let Some(answer) = self.make_worktree_link(entry, how)? {
            return Ok(answer);
        }
        self.judge(&name, asked, Access::Write, Kind::File, Unlisted::Ruled)?;
        if accesses(how.flags).any(|access| access == Access::Read) {
            self.judge(&name, asked, Access::Read, Kind::File, Unlisted::Ruled)?;
        }
        if how.mode & SET_ID != 0 {
            return Err(Errno::PERM);
        }
        // O_EXCL follows no link at the end.
        let flags = how.flags | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOCTTY;
        let mode = Mode::from_raw_mode(how.mode);
        let file = self.with_umask(|| openat(&entry.parent.object, &entry.leaf, flags, mode))?;
        // The host may have moved the parent meanwhile.
        let result = self.shared.name_of(file.as_fd())?;
        if result != name {
            let judged = self.judge(&result, asked, Access::Write, Kind::File, Unlisted::Ruled);
            if let Err(error) = judged {
                unlinkat(&entry.parent.object, &entry.leaf, AtFlags::empty()).ok();
                return Err(error);
            }
        }
        Ok(Answer::FileToWrite(file, how.flags.contains(OFlags::CLOEXEC)))
    }

    /// `truncate`.
    pub(super) fn truncate(&self) -> Result<Answer, Errno> {
        let length =
            u64::try_from(self.argument(1).cast_signed()).map_err(|_error| Errno::INVAL)?;
        let path = self.path(0)?;
        let base = self.base(libc::AT_FDCWD, &path)?;
        self.still_waits()?;
        let found = self.find(&base, &path, Final::Follow, ResolveFlags::empty())?;
        let asked = (!found.direct).then(|| self.asked(&base, &path));
        match FileType::from_raw_mode(found.stat()?.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(Errno::ISDIR),
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => return Err(Errno::INVAL),
        }
        self.judge(&found.name, asked.as_ref(), Access::Write, Kind::File, Unlisted::Ruled)?;
        let file = self.reopen(&found, OFlags::WRONLY, 0)?;
        rustix::fs::ftruncate(&file, length)?;
        Ok(Answer::Value(0))
    }

    /// Opens `/dev/tty`: the terminal of the program's session, not of ours.
    fn open_terminal(&self, flags: OFlags, closes: bool) -> Result<Answer, Errno> {
        let stat = self.proc_text("stat")?;
        // The name in parentheses may hold anything; what follows the last one are numbers.
        let fields: Vec<&str> =
            stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<i32>().ok());
        let (session, terminal) = (number(3), number(4));
        let terminal = terminal.filter(|number| *number != 0).ok_or(Errno::NXIO)?;
        let flags =
            flags.difference(OFlags::CREATE | OFlags::EXCL) | OFlags::CLOEXEC | OFlags::NOCTTY;
        let open = |path: &CStr| {
            self.shared
                .crew
                .while_waiting(self.call, || openat(rustix::fs::CWD, path, flags, Mode::empty()))
        };
        let ours = crate::sys::session().map(|id| id.as_raw_nonzero().get());
        let file = if session == ours {
            open(c"/dev/tty")?
        } else {
            // A session of its own has its terminal in the sandbox's own directory of them. Numbers as
            // in new_encode_dev: the minor's low byte, the major, the rest of the minor.
            let encoded = terminal.cast_unsigned();
            let minor = (encoded & 0xff) | ((encoded >> 12) & 0xfff0_0000);
            let path = CString::new(format!("/dev/pts/{minor}")).map_err(|_error| Errno::NXIO)?;
            let file = open(&path)?;
            let device = rustix::fs::fstat(&file)?.st_rdev;
            if device != rustix::fs::makedev((encoded >> 8) & 0xfff, minor) {
                return Err(Errno::NXIO);
            }
            file
        };
        Ok(Answer::File(file, closes))
    }

    /// Runs `create` with the program's umask, which is this thread's alone while it does.
    pub(super) fn with_umask<T>(
        &self,
        create: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        rustix::process::umask(self.umask()?);
        create()
    }
}

/// What following a link led to.
#[derive(Debug)]
enum Followed {
    Entry(Entry),
    Object(Found),
}

/// Refuses flags that contradict each other, as the kernel does before it looks at the path.
fn check_flags(flags: OFlags) -> Result<(), Errno> {
    if flags.contains(OFlags::CREATE | OFlags::DIRECTORY) {
        return Err(Errno::INVAL);
    }
    let reads_only = flags.bits() & OFlags::ACCMODE.bits() == OFlags::RDONLY.bits();
    let is_temporary = flags.contains(O_TMPFILE_BIT);
    if is_temporary && (reads_only || !flags.contains(OFlags::DIRECTORY)) {
        return Err(Errno::INVAL);
    }
    Ok(())
}

fn final_of(flags: OFlags) -> Final {
    if flags.contains(OFlags::NOFOLLOW) { Final::Keep } else { Final::Follow }
}

/// What opening with these flags does to a file that exists.
fn accesses(flags: OFlags) -> impl Iterator<Item = Access> {
    let mode = flags.bits() & OFlags::ACCMODE.bits();
    let reads = mode != OFlags::WRONLY.bits();
    let writes = mode != OFlags::RDONLY.bits() || flags.intersects(OFlags::TRUNC | O_TMPFILE_BIT);
    let reads = reads.then_some(Access::Read);
    reads.into_iter().chain(writes.then_some(Access::Write))
}

/// Devices, `/proc` and files without a name are written as the kernel lets them, unless a rule denies it.
fn unlisted_for(kind: FileType, name: &[u8], stat: &Stat) -> Unlisted {
    let is_device = matches!(kind, FileType::CharacterDevice | FileType::BlockDevice);
    if is_device || name.starts_with(b"/proc/") || stat.st_nlink == 0 {
        Unlisted::Possible
    } else {
        Unlisted::Ruled
    }
}

/// Whether opening may wait for somebody: the other end of a FIFO, a line of a terminal, a device.
fn may_wait(kind: FileType, flags: OFlags, stat: &Stat) -> bool {
    match kind {
        FileType::Fifo => {
            let both = flags.bits() & OFlags::ACCMODE.bits() == OFlags::RDWR.bits();
            !both && !flags.contains(OFlags::NONBLOCK)
        }
        // Major 1 is memory: null, zero, full, random.
        FileType::CharacterDevice => rustix::fs::major(stat.st_rdev) != 1,
        FileType::BlockDevice => true,
        FileType::RegularFile
        | FileType::Directory
        | FileType::Symlink
        | FileType::Socket
        | FileType::Unknown => false,
    }
}

/// `O_TMPFILE` without the `O_DIRECTORY` it includes.
pub(super) const O_TMPFILE_BIT: OFlags = OFlags::TMPFILE.difference(OFlags::DIRECTORY);
/// Bits that make a program run as its owner: nothing inside needs them, and they would outlive the run.
pub(super) const SET_ID: u32 = 0o6000;
/// `OPEN_HOW_SIZE_VER0`.
const HOW_SIZE: usize = 24;
/// Turns around a name that others keep creating and removing.
const MOST_TURNS: usize = 256;
/// `/dev/tty`, major 5, minor 0.
const TERMINAL: u64 = 5 << 8;
