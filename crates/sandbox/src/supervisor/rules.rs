//! What the supervisor asks of the rules about files.

use portcullis_model::AbsPath;
use portcullis_profile::{Access, Origin};

/// What the rules say about one access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It may happen.
    Allowed,
    /// No rule allows it.
    Unlisted,
    /// This rule denies it.
    Denied(Origin),
}

/// What is renamed or linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// A file: nothing is below it.
    File,
    /// A directory and everything below it.
    Directory,
}

/// The rules about files, by name.
pub trait NameRules: Send + Sync {
    /// Judges one access to one name.
    fn judge(&self, path: &AbsPath, access: Access) -> Ruling;

    /// Judges whether what is at `from` may be at `to`, without anything denied becoming possible.
    fn may_move(&self, from: &AbsPath, to: &AbsPath, moved: Moved) -> Ruling;

    /// Judges whether the file at `from` may also be named `to`.
    fn may_link(&self, from: &AbsPath, to: &AbsPath) -> Ruling;

    /// Judges whether a socket that was not created inside may be connected to.
    fn may_connect(&self, socket: &AbsPath) -> Ruling;
}
