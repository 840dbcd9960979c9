//! Whose a terminal is, where the directory of all of them is not an own one.
//!
//! Whoever reads from another terminal of the user gets what is typed there, and Landlock cannot tell one
//! from another: a pair that is made inside gets the next free number among those of the host.

use super::target::Target;
use super::tracing::with_tracing;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, major, minor, openat, statat};
use rustix::io::Errno;
use std::os::fd::AsFd;

impl Target<'_> {
    /// Whether a terminal is the one that controls the program, is open in it already, or is the other end
    /// of one that it or its parent has open.
    ///
    /// SECURITY: the terminal has to be open, as a mere name, before this is asked: when the pair goes, that
    /// name leads to nothing, and not to the terminal that gets its number next. Processes outside are not
    /// looked at: Landlock keeps us from it as it keeps the program.
    pub(super) fn has_terminal(&self, device: u64) -> Result<bool, Errno> {
        let stat = self.proc_text("stat")?;
        // The name in parentheses may hold anything; what follows the last one are numbers.
        let fields: Vec<&str> =
            stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<i32>().ok());
        let controlling = number(4).map(|number| u64::from(number.cast_unsigned()));
        if controlling.is_some_and(|known| known == encoded(device)) {
            return Ok(true);
        }
        let own = self.call.thread.to_string();
        let parent = number(1).map(|parent| parent.to_string());
        Ok([Some(own), parent].into_iter().flatten().any(|process| {
            // Of whom nothing can be seen, nothing is known.
            self.is_open_in(&process, device).unwrap_or(false)
        }))
    }

    fn is_open_in(&self, process: &str, device: u64) -> Result<bool, Errno> {
        let proc = self.shared.proc.as_fd();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let list = format!("{process}/fd");
        let list = with_tracing(|| openat(proc, list.as_str(), flags, Mode::empty()))?;
        for entry in Dir::read_from(&list)?.flatten() {
            let name = entry.file_name();
            let Ok(stat) = with_tracing(|| statat(&list, name, AtFlags::empty())) else { continue };
            let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
            if !is_device || (stat.st_rdev != device && stat.st_rdev != MULTIPLEXER) {
                continue;
            }
            let info = format!("{process}/fdinfo/{}", name.to_string_lossy());
            let info = with_tracing(|| self.shared.proc_text(&info)).unwrap_or_default();
            let field = |key: &str| info.lines().find_map(|line| line.strip_prefix(key));
            let opened =
                field("flags:").and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
            // SECURITY: everyone can get a descriptor that only names a terminal.
            let opened = opened.is_some_and(|flags| flags & OFlags::PATH.bits() == 0);
            let index = field("tty-index:").and_then(|index| index.trim().parse::<u32>().ok());
            let is_other_end =
                stat.st_rdev == MULTIPLEXER && index == Some(minor(device)) && is_slave(device);
            if opened && (stat.st_rdev == device || is_other_end) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a device is a terminal that is one end of a pair.
pub(super) fn is_slave(device: u64) -> bool {
    // UNIX98_PTY_SLAVE_MAJOR to the last major set aside for it.
    (136..=143).contains(&major(device))
}

/// A device as `/proc/PID/stat` writes it: the minor's low byte, the major, the rest of the minor.
fn encoded(device: u64) -> u64 {
    let (major, minor) = (u64::from(major(device)), u64::from(minor(device)));
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

/// `/dev/ptmx`, major 5, minor 2.
const MULTIPLEXER: u64 = (5 << 8) | 2;

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::makedev;

    #[test]
    fn terminals_are_told_by_their_numbers() {
        assert_eq!(MULTIPLEXER, makedev(5, 2));
        assert!(is_slave(makedev(136, 300)) && !is_slave(makedev(4, 1)));
        assert_eq!(encoded(makedev(136, 1)), 34_817);
        assert_eq!(encoded(makedev(136, 257)), 34_817 + (0x100 << 12));
    }
}
