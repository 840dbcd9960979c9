//! Who the command is: users and groups, inside and outside the same.

use crate::sys::Identity;
use std::fmt::Write as _;
use std::fs;

/// A user sees their own number; a privileged caller sees everyone's, so that owners of files keep their
/// names. Rights come with neither: the command has no capabilities.
pub(crate) fn identity() -> Identity {
    let user = rustix::process::geteuid();
    let group = rustix::process::getegid();
    Identity {
        assisted: user.is_root(),
        users: format!("{user} {user} 1", user = user.as_raw()).into_bytes(),
        groups: format!("{group} {group} 1", group = group.as_raw()).into_bytes(),
    }
}

/// Maps every user and group that exists here to itself, for a process that has just made its namespace.
pub(crate) fn map_everyone(process: rustix::process::Pid) -> std::io::Result<()> {
    for name in ["uid_map", "gid_map"] {
        let ours = fs::read_to_string(format!("/proc/self/{name}"))?;
        let mut same = String::new();
        for line in ours.lines() {
            let mut numbers = line.split_whitespace();
            if let (Some(inside), Some(_), Some(count)) =
                (numbers.next(), numbers.next(), numbers.next())
            {
                let _infallible = writeln!(same, "{inside} {inside} {count}");
            }
        }
        fs::write(format!("/proc/{}/{name}", process.as_raw_pid()), same)?;
    }
    Ok(())
}
