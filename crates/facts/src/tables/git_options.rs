//! The options that stand before a git subcommand.

use crate::Arg;

/// A git command without its global options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitCall {
    /// `git`, the subcommand and its arguments.
    pub argv: Vec<Arg>,
    /// An option that allow rules must never look past: `-c`, `--config-env`, `--exec-path`,
    /// `--git-dir`, `--work-tree`, or one that is not known.
    pub unsafe_globals: bool,
    /// The directory of `-C`.
    pub directory: Option<Arg>,
}

/// Takes the global options off a git command; `None` for other programs.
pub fn git_without_globals(argv: &[Arg]) -> Option<GitCall> {
    let _ = argv;
    None
}
