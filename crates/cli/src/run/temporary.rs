//! A private temporary directory on the host, where the sandbox has no view of files of its own.

use crate::environment;
use crate::failure::Failure;
use crate::session::plain;
use portcullis_model::AbsPath;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;

/// A directory that is removed with everything in it when this value goes.
#[derive(Debug)]
pub(super) struct Temporary(AbsPath);

impl Temporary {
    /// Makes one that only the user can enter, below `$TMPDIR` or `/tmp`.
    pub(super) fn make() -> Result<Self, Failure> {
        let base = environment::value(environment::TMPDIR)
            .filter(|base| AbsPath::parse(base).is_ok())
            .unwrap_or_else(|| "/tmp".to_owned());
        for attempt in 0..ATTEMPTS {
            let path = format!("{base}/portcullis-{}-{attempt}", std::process::id());
            // Making a directory fails where anything of the name exists, a link among others, so
            // nobody can have prepared one.
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let real = fs::canonicalize(&path).ok();
                    let real = real.and_then(|real| AbsPath::parse(real.to_str()?).ok());
                    return real.map(Self).ok_or_else(|| {
                        Failure::internal(format!(
                            "`{path}` cannot be used as a temporary directory"
                        ))
                    });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let why = plain(&error);
                    return Err(Failure::internal(format!(
                        "cannot make a temporary directory in `{base}`: {why}"
                    ))
                    .hint("set `TMPDIR` to a directory you may write to"));
                }
            }
        }
        Err(Failure::internal(format!("`{base}` is full of temporary directories of other runs"))
            .hint("remove what is left of them"))
    }

    pub(super) fn path(&self) -> &AbsPath {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What the command left without permissions for us stays; there is nobody to tell.
        drop(fs::remove_dir_all(self.0.as_str()));
    }
}

/// How many names are tried.
const ATTEMPTS: u32 = 100;
