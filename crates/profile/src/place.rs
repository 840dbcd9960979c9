//! Where a command is to run.

use portcullis_model::AbsPath;
use std::collections::BTreeMap;

/// Where a command is to run: everything a profile needs to know of the machine, gathered by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directory the command starts in. It is written to where it lies in a working directory: a
    /// command that was run in `/etc` is not meant to change it.
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
    /// The shared `.git` directory, where the project is a linked worktree or a submodule.
    pub common_git_directory: Option<AbsPath>,
    /// Working directories that are repositories without a work tree.
    pub bare_repositories: Vec<AbsPath>,
    /// Where paths really are, for those whose real path is another one: of what the policy and this
    /// place name, and of the directories that hold it.
    pub real: BTreeMap<AbsPath, AbsPath>,
    /// For the same paths, where the way has come to after each link.
    pub hops: BTreeMap<AbsPath, Vec<AbsPath>>,
    /// Whether letters match without case in some directory concerned.
    pub folds_case: bool,
    /// What the caller's environment says about built-in credential scrubbing.
    pub scrub_environment: Option<bool>,
}

impl Place {
    /// A place with nothing special about it: the command starts at the root of the project.
    pub fn new(project_root: AbsPath, home: AbsPath, temporary: AbsPath) -> Self {
        Self {
            cwd: project_root.clone(),
            project_root,
            home,
            temporary,
            additional: Vec::new(),
            own_files: Vec::new(),
            common_git_directory: None,
            bare_repositories: Vec::new(),
            real: BTreeMap::new(),
            hops: BTreeMap::new(),
            folds_case: false,
            scrub_environment: None,
        }
    }

    /// The spellings of a path under which a deny has to hold: as written, and where each directory on
    /// the way really leads.
    pub(crate) fn spellings(&self, path: &AbsPath) -> Vec<AbsPath> {
        let mut found = vec![path.clone()];
        let mut at = Some(path.clone());
        while let Some(prefix) = at {
            if let Some(real) = self.real.get(&prefix) {
                found.extend(follow(real, path, &prefix));
            }
            at = prefix.parent();
        }
        found.dedup();
        found
    }

    /// Where a path is that is written with this name: the directories on the way followed, itself not.
    pub(crate) fn located(&self, path: &AbsPath) -> AbsPath {
        let mut at = path.parent();
        while let Some(prefix) = at {
            if let Some(real) = self.real.get(&prefix) {
                return follow(real, path, &prefix).unwrap_or_else(|| path.clone());
            }
            at = prefix.parent();
        }
        path.clone()
    }

    /// Where a path leads in the end.
    pub(crate) fn resolved(&self, path: &AbsPath) -> AbsPath {
        self.real.get(path).cloned().unwrap_or_else(|| self.located(path))
    }
}

fn follow(real: &AbsPath, path: &AbsPath, prefix: &AbsPath) -> Option<AbsPath> {
    match path.below(prefix)? {
        "" => Some(real.clone()),
        rest => real.join(rest).ok(),
    }
}
