//! The private temporary directory of a run.

use crate::{Failure, TEMPORARY};
use portcullis_model::AbsPath;
use portcullis_profile::{FileRule, Reach};
use rustix::fs::Mode;
use std::fs;

/// The private temporary directory of a run.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: AbsPath,
    /// Whether it has to be removed from the host.
    on_the_host: bool,
}

impl Temporary {
    /// In the memory filesystem of an own view of the files.
    pub(crate) fn inside() -> Self {
        let path = AbsPath::parse(TEMPORARY).unwrap_or_else(|_| AbsPath::root());
        Self { path, on_the_host: false }
    }

    /// Where there is no own view, a directory of the host, removed at the end. What the rules say of
    /// [`TEMPORARY`] they then say of it.
    pub(crate) fn on_the_host(rules: &mut [FileRule]) -> Result<Self, Failure> {
        let inside = Self::inside().path.clone();
        let path = make()?;
        for rule in rules {
            match &mut rule.reach {
                Reach::Path(place) if *place == inside => *place = path.clone(),
                Reach::Pattern(glob) | Reach::Leaf(glob) if glob.below == inside => {
                    glob.below = path.clone();
                }
                Reach::Path(_) | Reach::Pattern(_) | Reach::Leaf(_) => {}
            }
        }
        Ok(Self { path, on_the_host: true })
    }

    pub(crate) fn path(&self) -> &AbsPath {
        &self.path
    }
}

fn make() -> Result<AbsPath, Failure> {
    let failed = |why: String| Failure::new(format!("cannot make a temporary directory: {why}"));
    for _ in 0..ATTEMPTS {
        let mut random = [0_u8; 8];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())
            .map_err(|errno| failed(errno.to_string()))?;
        let path = format!("/tmp/portcullis-{:016x}", u64::from_ne_bytes(random));
        match rustix::fs::mkdir(path.as_str(), Mode::RWXU) {
            Ok(()) => return AbsPath::parse(&path).map_err(|error| failed(error.to_string())),
            Err(rustix::io::Errno::EXIST) => {}
            Err(errno) => return Err(failed(errno.to_string())),
        }
    }
    Err(failed("every name is taken".to_owned()))
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.on_the_host {
            // What cannot be removed now, because something in it was made unwritable, is left to whoever
            // empties /tmp.
            let _left = fs::remove_dir_all(self.path.as_str());
        }
    }
}

const ATTEMPTS: usize = 8;
