//! The private temporary directory of a run.

use crate::plan::own_handle;
use crate::sys::{arguments_and_variables, keep_after};
use crate::{Failure, TEMPORARY};
use portcullis_model::AbsPath;
use portcullis_profile::{FileRule, Reach};
use rustix::fs::{Access, AtFlags, CWD, Dir, FileType, Mode, OFlags, accessat, openat};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// The private temporary directory of a run.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: AbsPath,
    place: Where,
}

/// Where it is, and who removes it.
#[derive(Debug, PartialEq, Eq)]
enum Where {
    /// In memory of the run's own, which goes with it.
    Inside,
    /// On the host, not made yet.
    Planned,
    /// On the host; this process removes it if the launcher cannot.
    OnTheHost(Pid),
}

impl Temporary {
    /// In the memory filesystem of an own view of the files.
    pub(crate) fn inside() -> Self {
        let path = AbsPath::parse(TEMPORARY).unwrap_or_else(|_| AbsPath::root());
        Self { path, place: Where::Inside }
    }

    /// Where there is no own view, a directory of the host, removed at the end. What the rules say of
    /// [`TEMPORARY`] they then say of it. Nothing is made yet.
    pub(crate) fn on_the_host(rules: &mut [FileRule]) -> Result<Self, Failure> {
        let inside = Self::inside().path.clone();
        let path = free_name()?;
        for rule in rules {
            match &mut rule.reach {
                Reach::Path(place) if *place == inside => *place = path.clone(),
                Reach::Pattern(glob) | Reach::Leaf(glob) if glob.below == inside => {
                    glob.below = path.clone();
                }
                Reach::Path(_) | Reach::Pattern(_) | Reach::Leaf(_) => {}
            }
        }
        Ok(Self { path, place: Where::Planned })
    }

    pub(crate) fn path(&self) -> &AbsPath {
        &self.path
    }

    /// Makes the directory, where one is needed. Whoever removes it if the launcher is killed is there
    /// before it is.
    pub(crate) fn make(&mut self) -> Result<(), Failure> {
        if self.place != Where::Planned {
            return Ok(());
        }
        let failed = |errno: Errno| {
            Failure::new(format!(
                "cannot make a temporary directory: {}",
                std::io::Error::from(errno)
            ))
        };
        let launcher = own_handle()?;
        let path = self.path.clone();
        let keeper = keep_after(&launcher, arguments_and_variables(), || remove(&path));
        let keeper = keeper.map_err(failed)?;
        if let Err(errno) = rustix::fs::mkdir(self.path.as_str(), Mode::RWXU) {
            // What has the name is not ours to remove.
            dismiss(keeper);
            return Err(failed(errno));
        }
        self.place = Where::OnTheHost(keeper);
        Ok(())
    }
}

fn free_name() -> Result<AbsPath, Failure> {
    let failed = |why: String| Failure::new(format!("cannot make a temporary directory: {why}"));
    let mut random = [0_u8; 16];
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())
        .map_err(|errno| failed(errno.to_string()))?;
    if let Err(errno) = accessat(CWD, "/tmp", Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty())
    {
        return Err(failed(format!("`/tmp`: {}", std::io::Error::from(errno))));
    }
    let path = format!("/tmp/portcullis-{:032x}", u128::from_ne_bytes(random));
    AbsPath::parse(&path).map_err(|error| failed(error.to_string()))
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let Where::OnTheHost(keeper) = self.place else { return };
        remove(&self.path);
        // Only now: if we are killed before, the keeper goes on.
        dismiss(keeper);
    }
}

/// Ends the keeper. Its number is its own until it is buried.
fn dismiss(keeper: Pid) {
    let _ended = rustix::process::kill_process(keeper, Signal::KILL);
    loop {
        match rustix::process::waitid(WaitId::Pid(keeper), WaitIdOptions::EXITED) {
            Err(Errno::INTR) => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// Removes the directory with everything in it. What the command left in the background may go on making
/// files for a moment, and what it made unreadable is made readable first.
fn remove(path: &AbsPath) {
    for _ in 0..ROUNDS {
        match fs::remove_dir_all(path.as_str()) {
            Ok(()) => return,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(_) => {}
        }
        let _as_far_as_possible = open_up(path);
        std::thread::sleep(PAUSE);
    }
}

/// Gives us every right on every directory below, without following a link.
fn open_up(path: &AbsPath) -> Result<(), Errno> {
    let looked = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut left = vec![openat(CWD, path.as_str(), looked, Mode::empty())?];
    let mut budget = MOST;
    while let Some(directory) = left.pop() {
        let own = format!("/proc/self/fd/{}", directory.as_raw_fd());
        // By its descriptor: what has the name by now may be a link.
        rustix::fs::chmod(own.as_str(), Mode::RWXU)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let listed: OwnedFd = openat(CWD, own.as_str(), flags, Mode::empty())?;
        for entry in Dir::read_from(&listed)?.flatten() {
            let name = entry.file_name();
            let ordinary = name != c"." && name != c"..";
            if ordinary && matches!(entry.file_type(), FileType::Directory | FileType::Unknown) {
                let Some(rest) = budget.checked_sub(1) else { return Ok(()) };
                budget = rest;
                left.extend(openat(&directory, name, looked, Mode::empty()));
            }
        }
    }
    Ok(())
}

/// How often the directory is tried to be removed.
const ROUNDS: u32 = 20;
/// The pause in between.
const PAUSE: Duration = Duration::from_millis(10);
/// Directories that are made readable in one round.
const MOST: u32 = 10_000;
