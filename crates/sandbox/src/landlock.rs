//! What Landlock is asked to enforce, by the version of its interface.

use crate::Failure;
use crate::sys::{FileRight, Landlock, Place};
use portcullis_model::AbsPath;
use std::ffi::CString;
use std::os::fd::RawFd;

/// What a set of rules is for.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "three things that do not depend on each other")]
pub(crate) struct Wanted<'w> {
    /// Whether files are restricted.
    pub(crate) files: bool,
    /// Where files may be read and run: a path, and whether it is a directory.
    pub(crate) readable: &'w [(AbsPath, bool)],
    /// Where files may be written too: a path, and whether it is a directory.
    pub(crate) writable: &'w [(AbsPath, bool)],
    /// Sockets that may be connected to.
    pub(crate) sockets: &'w [AbsPath],
    /// Whether connecting and listening over TCP fail.
    pub(crate) no_tcp: bool,
    /// Whether `/dev` and `/proc` are our own.
    pub(crate) own_devices: bool,
    /// Terminals among the descriptors that are passed on.
    pub(crate) terminals: &'w [RawFd],
}

/// The rules for a version of the interface; `None` where nothing is left to restrict.
pub(crate) fn rules(version: u32, wanted: &Wanted<'_>) -> Result<Option<Landlock>, Failure> {
    let known = |rights: u64| {
        RIGHTS
            .iter()
            .filter(|right| right.since <= version && right.bit & rights != 0)
            .fold(0, |all, right| all | right.bit)
    };
    let mut landlock = Landlock {
        files: if wanted.files { known(u64::MAX) } else { 0 },
        network: if wanted.no_tcp && version >= 4 { BIND_TCP | CONNECT_TCP } else { 0 },
        scopes: if version >= 6 { SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL } else { 0 },
        attribute_size: match version {
            0..=3 => 8,
            4..=5 => 16,
            6.. => 24,
        },
        ..Landlock::default()
    };
    if landlock.files | landlock.network | landlock.scopes == 0 {
        return Ok(None);
    }
    if !wanted.files {
        return Ok(Some(landlock));
    }
    let mut add = |path: &str, rights: u64, place: Place| -> Result<(), Failure> {
        let path = CString::new(path)
            .ok()
            .ok_or_else(|| Failure::new(format!("`{}` is not a path", path.escape_debug())))?;
        // The kernel refuses a rule that gives nothing: what this version does not know is not restricted.
        if known(rights) != 0 {
            landlock.rules.push(FileRight { path, rights: known(rights), place });
        }
        Ok(())
    };
    for (path, directory) in wanted.readable {
        add(path.as_str(), if *directory { READ } else { READ & OF_FILES }, Place::Perhaps)?;
    }
    if !wanted.own_devices {
        // Names in directories are not secret here: rights hold for everything below, so a directory with
        // anything hidden in it could else not be listed at all. Opening a hidden one is supervised.
        add("/", READ_DIR, Place::There)?;
    }
    for (path, directory) in wanted.writable {
        add(path.as_str(), if *directory { CHANGE } else { CHANGE & OF_FILES }, Place::There)?;
    }
    for path in wanted.sockets {
        add(path.as_str(), RESOLVE_UNIX, Place::Reached)?;
    }
    if wanted.own_devices {
        add("/dev", READ | WRITE_FILE | TRUNCATE | IOCTL_DEV, Place::There)?;
        add("/dev/shm", CHANGE, Place::There)?;
        add("/proc", READ | WRITE_FILE | TRUNCATE, Place::Perhaps)?;
    } else {
        for name in ["null", "zero", "full", "random", "urandom", "tty", "ptmx"] {
            let rights = READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV;
            add(&format!("/dev/{name}"), rights, Place::Reached)?;
        }
        add("/dev/pts", READ | WRITE_FILE | TRUNCATE | IOCTL_DEV, Place::Perhaps)?;
    }
    let of_terminals = known((READ_FILE | WRITE_FILE | IOCTL_DEV | TRUNCATE) & OF_FILES);
    landlock.standard = wanted.terminals.iter().map(|fd| (*fd, of_terminals)).collect();
    Ok(Some(landlock))
}

/// One right, landlock(7).
struct Right {
    bit: u64,
    since: u32,
}

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_SOCK: u64 = 1 << 9;
const MAKE_FIFO: u64 = 1 << 10;
const MAKE_BLOCK: u64 = 1 << 11;
const MAKE_SYM: u64 = 1 << 12;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;
const RESOLVE_UNIX: u64 = 1 << 16;

const READ: u64 = EXECUTE | READ_FILE | READ_DIR;
/// Everything but devices, which nobody inside may make or talk to.
const CHANGE: u64 = READ
    | WRITE_FILE
    | REMOVE_DIR
    | REMOVE_FILE
    | MAKE_DIR
    | MAKE_REG
    | MAKE_SOCK
    | MAKE_FIFO
    | MAKE_SYM
    | REFER
    | TRUNCATE
    | RESOLVE_UNIX;
/// The rights a rule about something other than a directory may give.
const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX;

const BIND_TCP: u64 = 1;
const CONNECT_TCP: u64 = 1 << 1;
const SCOPE_ABSTRACT_UNIX_SOCKET: u64 = 1;
const SCOPE_SIGNAL: u64 = 1 << 1;

const RIGHTS: [Right; 17] = [
    Right { bit: EXECUTE, since: 1 },
    Right { bit: WRITE_FILE, since: 1 },
    Right { bit: READ_FILE, since: 1 },
    Right { bit: READ_DIR, since: 1 },
    Right { bit: REMOVE_DIR, since: 1 },
    Right { bit: REMOVE_FILE, since: 1 },
    Right { bit: MAKE_CHAR, since: 1 },
    Right { bit: MAKE_DIR, since: 1 },
    Right { bit: MAKE_REG, since: 1 },
    Right { bit: MAKE_SOCK, since: 1 },
    Right { bit: MAKE_FIFO, since: 1 },
    Right { bit: MAKE_BLOCK, since: 1 },
    Right { bit: MAKE_SYM, since: 1 },
    Right { bit: REFER, since: 2 },
    Right { bit: TRUNCATE, since: 3 },
    Right { bit: IOCTL_DEV, since: 5 },
    Right { bit: RESOLVE_UNIX, since: 9 },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(writable: &[(AbsPath, bool)]) -> Wanted<'_> {
        Wanted {
            files: true,
            readable: &[],
            writable,
            sockets: &[],
            no_tcp: true,
            own_devices: true,
            terminals: &[0],
        }
    }

    #[test]
    fn every_version_is_asked_for_what_it_knows_and_no_more() {
        for (version, files, network, scopes, size) in [
            (1, 0x1fff, 0, 0, 8),
            (2, 0x3fff, 0, 0, 8),
            (3, 0x7fff, 0, 0, 8),
            (4, 0x7fff, 3, 0, 16),
            (5, 0xffff, 3, 0, 16),
            (6, 0xffff, 3, 3, 24),
            (8, 0xffff, 3, 3, 24),
            (9, 0x1_ffff, 3, 3, 24),
        ] {
            let rules = rules(version, &wanted(&[])).unwrap().unwrap();
            assert_eq!(
                (rules.files, rules.network, rules.scopes, rules.attribute_size),
                (files, network, scopes, size),
                "version {version}"
            );
            let beyond = rules.rules.iter().any(|rule| rule.rights & !rules.files != 0);
            assert!(!beyond, "version {version}: a rule gives what is not handled");
        }
    }

    #[test]
    fn a_writable_file_gets_no_rights_of_directories() {
        let file = AbsPath::parse("/srv/log").unwrap();
        let rules = rules(7, &wanted(&[(file, false)])).unwrap().unwrap();
        let rule = rules.rules.iter().find(|rule| rule.path.as_c_str() == c"/srv/log").unwrap();
        assert_eq!(rule.rights, EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE);
    }
}
