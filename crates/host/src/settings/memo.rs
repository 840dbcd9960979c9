//! What was found out about large files, for as long as they stay what they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What looking for settings has learnt that takes long to learn: which workspaces the agent's own file
/// trusts, and which indexes of git list a settings file.
#[derive(Debug, Default)]
pub struct Memo {
    pub(super) trusted: Answers<BTreeSet<String>>,
    held: BTreeMap<String, Answers<bool>>,
}

impl Memo {
    /// Whether an index lists the settings file of this name.
    pub(super) fn held(&mut self, name: &str) -> &mut Answers<bool> {
        self.held.entry(name.to_owned()).or_default()
    }
}

/// Answers about files, each with what the file looked like when it was given.
#[derive(Debug)]
pub(super) struct Answers<T>(BTreeMap<PathBuf, (Stamp, T)>);

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> Answers<T> {
    /// The answer about a file, asked for again where it may have changed since.
    pub(super) fn get(&mut self, path: &Path, ask: impl FnOnce(&Path) -> T) -> T {
        let stamp = Stamp::of(path);
        if let Some((known, answer)) = self.0.get(path)
            && stamp.as_ref() == Some(known)
        {
            return answer.clone();
        }
        let answer = ask(path);
        self.0.remove(path);
        if let Some(stamp) = stamp {
            if self.0.len() >= MAX_FILES {
                self.0.clear();
            }
            self.0.insert(path.to_owned(), (stamp, answer.clone()));
        }
        answer
    }
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// `None` where there is no file, and where it changed so lately that a second change might leave
    /// the same times behind.
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let changed = (found.ctime(), found.ctime_nsec());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let settled = i64::try_from(now.checked_sub(COARSEST_CLOCK)?.as_secs()).ok()?;
        (changed.0 < settled).then_some(Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed,
        })
    }
}

/// File systems count times in steps of up to two seconds.
const COARSEST_CLOCK: Duration = Duration::from_secs(2);

/// More than the indexes and homes of one user; beyond it everything is found out again.
const MAX_FILES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, FileTimes};

    #[test]
    fn a_file_that_settled_is_asked_about_once_and_one_that_changed_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let asked = std::cell::Cell::new(0);
        let mut answers = Answers::default();
        let mut get = || {
            answers.get(&path, |path| {
                asked.set(asked.get() + 1);
                fs::read(path).ok()
            })
        };
        assert_eq!((get(), get(), asked.get()), (None, None, 2), "what is not there is not kept");
        fs::write(&path, "one").unwrap();
        assert_eq!((get(), get(), asked.get()), (Some(b"one".to_vec()), Some(b"one".to_vec()), 4));
        // Only the system sets the time of the last change, so it has to pass.
        std::thread::sleep(COARSEST_CLOCK + Duration::from_millis(1100));
        assert_eq!((get(), get(), asked.get()), (Some(b"one".to_vec()), Some(b"one".to_vec()), 5));
        let times = fs::metadata(&path).unwrap();
        fs::write(&path, "two").unwrap();
        let back = FileTimes::new().set_modified(times.modified().unwrap());
        File::options().write(true).open(&path).unwrap().set_times(back).unwrap();
        assert_eq!((get(), asked.get()), (Some(b"two".to_vec()), 6), "whatever its time claims");
    }
}
