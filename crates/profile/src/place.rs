//! Where a command is to run.

use portcullis_model::AbsPath;
use std::collections::BTreeMap;

/// Where a command is to run: everything a profile needs to know of the machine, gathered by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directory the command starts in.
    pub cwd: AbsPath,
    /// The root of the project.
    pub project_root: AbsPath,
    /// The user's home.
    pub home: AbsPath,
    /// The private directory of this run that `$TMPDIR` names.
    pub temporary: AbsPath,
    /// Working directories beside the ones of the policy (`--add-dir`).
    pub additional: Vec<AbsPath>,
    /// What decides over the command and may therefore not be changed by it: settings files, policies,
    /// the binary itself.
    pub own_files: Vec<AbsPath>,
    /// The shared `.git` directory, where the project is a linked worktree.
    pub common_git_directory: Option<AbsPath>,
    /// Where paths really are, for those whose real path is another one.
    pub real: BTreeMap<AbsPath, AbsPath>,
}
