//! From a copied path to the object it names, as the program would find it.
//!
//! The kernel resolves in one step wherever it can. What it would resolve differently for us than for the
//! program (`/proc/self`, and through it `/dev/fd` and `/dev/stdin`) is walked component by component.

use super::target::{Base, PATH_ONLY, Target};
use super::tracing::with_tracing;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, fstatfs, openat, openat2,
    readlinkat, readlinkat_raw,
};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// An object and where it really is.
#[derive(Debug)]
pub(super) struct Found {
    /// The object, opened with `O_PATH`.
    pub(super) object: OwnedFd,
    /// Its path as the kernel tells it; of something without a name not a path, such as `pipe:[7]`.
    pub(super) name: Vec<u8>,
    /// Whether it is also the name that was asked for: no symlink led there, and nobody moved it between
    /// the resolution and the look at its name.
    pub(super) direct: bool,
}

/// A directory, and a name in it.
#[derive(Debug)]
pub(super) struct Entry {
    /// The directory.
    pub(super) parent: Found,
    /// The last component; for odd paths `.`, `..` or nothing.
    pub(super) leaf: CString,
    /// Whether slashes followed.
    pub(super) slashed: bool,
}

/// What becomes of a symlink at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Final {
    /// It is followed.
    Follow,
    /// It is the object.
    Keep,
}

impl Found {
    /// What kind of object it is, and the rest of `stat`.
    pub(super) fn stat(&self) -> Result<Stat, Errno> {
        fstat(&self.object)
    }
}

impl Entry {
    /// Where the entry is, as the kernel tells it.
    pub(super) fn name(&self) -> Vec<u8> {
        let mut name = self.parent.name.clone();
        if name.last() != Some(&b'/') {
            name.push(b'/');
        }
        name.extend(self.leaf.as_bytes());
        name
    }

    /// The leaf with its slashes, for the kernel to have its own opinion of them.
    pub(super) fn leaf_as_asked(&self) -> Result<CString, Errno> {
        if !self.slashed {
            return Ok(self.leaf.clone());
        }
        let mut text = self.leaf.as_bytes().to_vec();
        text.push(b'/');
        CString::new(text).map_err(|_error| Errno::INVAL)
    }

    /// Whether the leaf is the name of an entry rather than `.`, `..` or the root.
    pub(super) fn is_ordinary(&self) -> bool {
        !matches!(self.leaf.as_bytes(), b"" | b"." | b"..")
    }
}

impl Target<'_> {
    /// Finds the object a path names.
    pub(super) fn find(
        &self,
        base: &Base,
        path: &CStr,
        last: Final,
        resolve: ResolveFlags,
    ) -> Result<Found, Errno> {
        if path.is_empty() {
            return Err(Errno::NOENT);
        }
        if !self.has_other_root()? {
            // Most paths hold no symlink, and then the found name is the asked one.
            let mut outcome = resolve_path(base, path, last, resolve | ResolveFlags::NO_SYMLINKS);
            let mut direct = true;
            if outcome.as_ref().err() == Some(&Errno::LOOP) {
                direct = false;
                outcome = resolve_path(base, path, last, resolve | ResolveFlags::NO_MAGICLINKS);
            }
            match outcome {
                Ok(object) => {
                    let name = self.shared.name_of(object.as_fd())?;
                    // SECURITY: what ends in /proc may be ours where the program meant its own.
                    if !name.starts_with(b"/proc") {
                        // SECURITY: a denied file that the host moves away right now has a name that is not
                        // denied by the time it is looked at; it was asked for by the one that is.
                        let direct = direct && is_named(&name, path.to_bytes());
                        return Ok(Found { object, name, direct });
                    }
                }
                // Without a symlink, also without one of /proc that is missing for us.
                Err(Errno::NOENT) if direct => return Err(Errno::NOENT),
                // Each may mean that the way leads through a link of /proc that differs for us.
                Err(Errno::LOOP | Errno::NOENT | Errno::ACCESS) => {}
                Err(error) => return Err(error),
            }
        }
        let within = ResolveFlags::BENEATH | ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
        if resolve.intersects(within | ResolveFlags::NO_MAGICLINKS) {
            // A caller that restricts resolution is ready for a refusal, and finds another way.
            let object = resolve_path(base, path, last, resolve | ResolveFlags::NO_MAGICLINKS)?;
            let name = self.shared.name_of(object.as_fd())?;
            if name.starts_with(b"/proc") || self.has_other_root()? {
                return Err(Errno::XDEV);
            }
            return Ok(Found { object, name, direct: false });
        }
        self.walk(base, path, last)
    }

    /// Finds the directory a path leads to, and the name at its end.
    pub(super) fn find_entry(&self, base: &Base, path: &CStr) -> Result<Entry, Errno> {
        let bytes = path.to_bytes();
        if bytes.is_empty() {
            return Err(Errno::NOENT);
        }
        let trimmed = bytes.trim_ascii_end_slashes();
        let slashed = trimmed.len() < bytes.len();
        let cut = trimmed.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let (parent, leaf) = trimmed.split_at_checked(cut).unwrap_or((b"", trimmed));
        let leaf = CString::new(leaf).map_err(|_error| Errno::INVAL)?;
        let parent = match (parent, base) {
            ([], Base::Object(object)) => {
                let name = self.shared.name_of(object.as_fd())?;
                let object = object.try_clone().map_err(|_error| Errno::MFILE)?;
                Found { object, name, direct: true }
            }
            ([], Base::Root) => {
                self.find(&Base::Root, c"/", Final::Follow, ResolveFlags::empty())?
            }
            (parent, base) => {
                let parent = CString::new(parent).map_err(|_error| Errno::INVAL)?;
                self.find(base, &parent, Final::Follow, ResolveFlags::empty())?
            }
        };
        Ok(Entry { parent, leaf, slashed })
    }

    /// Whether the program's root is not the sandbox's, which only nested namespaces make possible.
    fn has_other_root(&self) -> Result<bool, Errno> {
        if !self.shared.surroundings.nested {
            return Ok(false);
        }
        let theirs = fstat(self.of_proc(&format!("{}/root", self.call.thread))?)?;
        let ours = rustix::fs::statat(CWD, c"/", AtFlags::empty())?;
        Ok((theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino))
    }

    fn root(&self) -> Result<OwnedFd, Errno> {
        if self.shared.surroundings.nested {
            self.of_proc(&format!("{}/root", self.call.thread))
        } else {
            openat(CWD, c"/", PATH_ONLY, Mode::empty())
        }
    }

    /// Walks a path component by component, taking the links of `/proc` as the program would.
    fn walk(&self, base: &Base, path: &CStr, last: Final) -> Result<Found, Errno> {
        let mut here = match base {
            Base::Root => self.root()?,
            Base::Object(object) => object.try_clone().map_err(|_error| Errno::MFILE)?,
        };
        let mut ahead: VecDeque<Vec<u8>> = components(path.to_bytes());
        let mut slashed = ends_in_directory(path.to_bytes());
        let mut links = 0;
        // Whether the way is below the program's own directory in `/proc`, where it may look at anything.
        let mut own = self.is_own(here.as_fd());
        while let Some(component) = ahead.pop_front() {
            own &= component != b"..";
            if component == b".." && self.is_root(here.as_fd())? {
                continue;
            }
            let name = CString::new(component).map_err(|_error| Errno::INVAL)?;
            let is_last = ahead.is_empty();
            let next = openat(&here, &name, PATH_ONLY | OFlags::NOFOLLOW, Mode::empty())?;
            let is_link = FileType::from_raw_mode(fstat(&next)?.st_mode) == FileType::Symlink;
            if !is_link || (is_last && !slashed && last == Final::Keep) {
                here = next;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(Errno::LOOP);
            }
            let text = match self.link_in_proc(here.as_fd(), &name, next.as_fd(), &mut own)? {
                Link::Object(object) => {
                    here = object;
                    continue;
                }
                Link::Text(text) => text,
            };
            if is_last && ends_in_directory(&text) {
                slashed = true;
            }
            if text.first() == Some(&b'/') {
                here = self.root()?;
            }
            for component in components(&text).into_iter().rev() {
                ahead.push_front(component);
            }
        }
        if slashed && FileType::from_raw_mode(fstat(&here)?.st_mode) != FileType::Directory {
            return Err(Errno::NOTDIR);
        }
        let name = self.shared.name_of(here.as_fd())?;
        Ok(Found { object: here, name, direct: false })
    }

    fn is_root(&self, directory: BorrowedFd<'_>) -> Result<bool, Errno> {
        let (here, root) = (fstat(directory)?, fstat(self.root()?)?);
        Ok((here.st_dev, here.st_ino) == (root.st_dev, root.st_ino))
    }

    /// What a symlink leads to: a text to walk, or, for the links of `/proc` that are none, an object.
    fn link_in_proc(
        &self,
        directory: BorrowedFd<'_>,
        name: &CStr,
        link: BorrowedFd<'_>,
        own: &mut bool,
    ) -> Result<Link, Errno> {
        let text = || readlinkat(link, c"", Vec::new()).map(CString::into_bytes);
        if fstatfs(link)?.f_type != PROC_MAGIC {
            return text().map(Link::Text);
        }
        let at_top = fstat(directory)?.st_ino == PROC_ROOT;
        match name.to_bytes() {
            b"self" if at_top => {
                *own = true;
                self.numbers(directory).map(|(process, _)| Link::Text(process.into_bytes()))
            }
            b"thread-self" if at_top => {
                *own = true;
                let (process, thread) = self.numbers(directory)?;
                Ok(Link::Text(format!("{process}/task/{thread}").into_bytes()))
            }
            _ => {
                let resolve = ResolveFlags::NO_MAGICLINKS;
                let plain = || openat2(directory, name, PATH_ONLY, Mode::empty(), resolve);
                match if *own { with_tracing(plain) } else { plain() } {
                    Err(Errno::LOOP) => {
                        let open = || openat(directory, name, PATH_ONLY, Mode::empty());
                        let object = if *own { with_tracing(open)? } else { open()? };
                        *own = false;
                        Ok(Link::Object(object))
                    }
                    Ok(_) | Err(_) => text().map(Link::Text),
                }
            }
        }
    }

    /// Whether a directory is in `/proc`, below the program's own.
    fn is_own(&self, directory: BorrowedFd<'_>) -> bool {
        let name = self.shared.name_of(directory).unwrap_or_default();
        let Some(below) = name.strip_prefix(b"/proc/") else { return false };
        let process = below.split(|byte| *byte == b'/').next().unwrap_or_default();
        let numbers = openat(CWD, c"/proc", PATH_ONLY, Mode::empty())
            .and_then(|proc| self.numbers(proc.as_fd()));
        numbers.is_ok_and(|(own, _)| own.as_bytes() == process)
    }

    /// The process and thread as a mounted `/proc` numbers them.
    fn numbers(&self, proc: BorrowedFd<'_>) -> Result<(String, String), Errno> {
        let status = self.status()?;
        let list = |key: &str| -> Vec<String> {
            status.field(key).split_whitespace().map(str::to_owned).collect()
        };
        let (processes, threads) = (list("NStgid:"), list("NSpid:"));
        // The namespace of the thread, and its number in there, name it wherever it is looked at from.
        let space = namespace(self.shared.proc.as_fd(), &self.call.thread.to_string())?;
        let innermost = processes.last().ok_or(Errno::NOENT)?;
        for (process, thread) in processes.iter().zip(&threads) {
            if namespace(proc, process) != Ok(space) {
                continue;
            }
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let path = format!("{process}/status");
            let Ok(file) = openat(proc, path.as_str(), flags, Mode::empty()) else { continue };
            let mut buffer = [0; 4096];
            let length = rustix::io::read(&file, &mut buffer)?;
            let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            let line = text.lines().find_map(|line| line.strip_prefix("NStgid:"));
            if line.and_then(|line| line.split_whitespace().last()) == Some(innermost) {
                return Ok((process.clone(), thread.clone()));
            }
        }
        Err(Errno::NOENT)
    }
}

impl super::Shared {
    /// Where an object is, as the kernel tells it.
    pub(super) fn name_of(&self, object: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
        let mut number = Decimal::default();
        let number = number.write(object.as_raw_fd())?;
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4097];
        let (name, rest) = readlinkat_raw(&self.descriptors, number, &mut buffer)?;
        if rest.is_empty() { Err(Errno::NAMETOOLONG) } else { Ok(name.to_vec()) }
    }
}

/// Resolves in one step, by the kernel.
fn resolve_path(
    base: &Base,
    path: &CStr,
    last: Final,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let flags = match last {
        Final::Follow => PATH_ONLY,
        Final::Keep => PATH_ONLY | OFlags::NOFOLLOW,
    };
    let start = match base {
        Base::Root => CWD,
        Base::Object(object) => object.as_fd(),
    };
    openat2(start, path, flags, Mode::empty(), resolve)
}

/// The process namespace of a process.
fn namespace(proc: BorrowedFd<'_>, process: &str) -> Result<u64, Errno> {
    let path = format!("{process}/ns/pid");
    let look = || rustix::fs::statat(proc, path.as_str(), AtFlags::empty());
    with_tracing(look).map(|stat| stat.st_ino)
}

/// What a symlink leads to.
#[derive(Debug)]
enum Link {
    Text(Vec<u8>),
    Object(OwnedFd),
}

/// A descriptor's number as a name in `/proc/self/fd`.
#[derive(Debug, Default)]
pub(super) struct Decimal([u8; 12]);

impl Decimal {
    /// Writes the number.
    pub(super) fn write(&mut self, number: i32) -> Result<&CStr, Errno> {
        use std::io::Write;
        // Room for ten digits, and a NUL that is there from the beginning.
        let mut room = self.0.get_mut(..11).ok_or(Errno::INVAL)?;
        write!(room, "{number}").map_err(|_error| Errno::INVAL)?;
        CStr::from_bytes_until_nul(&self.0).map_err(|_error| Errno::INVAL)
    }
}

trait TrimSlashes {
    fn trim_ascii_end_slashes(&self) -> &[u8];
}

impl TrimSlashes for [u8] {
    fn trim_ascii_end_slashes(&self) -> &[u8] {
        let end = self.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
        self.get(..end).unwrap_or(self)
    }
}

/// Whether a name is what a path without symlinks says: as a whole, or from the directory it starts in. A
/// path that is written in another way than names are may be told from its name without being another.
fn is_named(name: &[u8], path: &[u8]) -> bool {
    if path.first() == Some(&b'/') {
        return name == path;
    }
    name.strip_suffix(path).is_some_and(|before| before.last() == Some(&b'/'))
}

/// Whether a path ends so that its last name has to be a directory.
fn ends_in_directory(path: &[u8]) -> bool {
    path == b"." || path.ends_with(b"/") || path.ends_with(b"/.")
}

fn components(path: &[u8]) -> VecDeque<Vec<u8>> {
    path.split(|byte| *byte == b'/')
        .filter(|component| !matches!(*component, b"" | b"."))
        .map(<[u8]>::to_vec)
        .collect()
}

/// The kernel's limit, `MAXSYMLINKS`.
const MOST_LINKS: usize = 40;
/// The inode number of the top of every `/proc`.
const PROC_ROOT: u64 = 1;
/// `PROC_SUPER_MAGIC`.
const PROC_MAGIC: rustix::fs::FsWord = 0x9fa0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_what_was_asked_is_told() {
        for (name, path, same) in [
            ("/a/b", "/a/b", true),
            ("/a/b", "b", true),
            ("/a/b", "a/b", true),
            ("/other/b", "a/b", false),
            ("/other/b", "/a/b", false),
            ("/a/xb", "b", false),
            ("/a/b", "./b", false),
            ("/a/b (deleted)", "b", false),
            ("/a", "..", false),
        ] {
            assert_eq!(is_named(name.as_bytes(), path.as_bytes()), same, "{name} for {path}");
        }
    }
}
