//! What the user has said to trust.

use super::{Memo, Options, Repository, below, file};
use crate::digest::digest;
use portcullis_model::AbsPath;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Trust in one project, looked up when the first file asks.
#[derive(Debug)]
pub(super) struct Trust<'o> {
    options: &'o Options,
    root: Option<AbsPath>,
    workspace: Option<bool>,
    record: Option<TrustRecord>,
}

impl<'o> Trust<'o> {
    /// Trust in the project the options name: in the main checkout of its repository, or outside of
    /// one in the start directory itself.
    pub(super) fn new(options: &'o Options, repository: Option<&Repository>) -> Self {
        let root = match repository {
            Some(repository) => repository.main_root(),
            None => real_path(&options.project_root),
        };
        Self { options, root, workspace: None, record: None }
    }

    /// Whether what a file grants counts: the workspace is trusted, or this very content is.
    pub(super) fn covers(&mut self, path: &AbsPath, bytes: &[u8], memo: &mut Memo) -> bool {
        let Self { options, root, workspace, record } = self;
        if *workspace.get_or_insert_with(|| is_workspace_trusted(options, root.as_ref(), memo)) {
            return true;
        }
        let record = record.get_or_insert_with(|| TrustRecord::read(&options.trust_record));
        real_path(path).is_some_and(|path| record.holds(&path, bytes))
    }
}

/// Portcullis's own record of trusted settings files: `{"version": 1, "files": {PATH: DIGEST}}`.
///
/// A path is absolute with every symlink resolved; a digest is `sha256:` and hexadecimal digits. A
/// file that changes is no longer trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRecord {
    version: u32,
    files: BTreeMap<String, String>,
}

impl TrustRecord {
    /// Reads a record. One that is missing, broken or of another version trusts nothing.
    pub fn read(path: &AbsPath) -> Self {
        match file::read(path) {
            file::FileText::Read(bytes) => serde_json::from_slice(&bytes)
                .ok()
                .filter(|record: &Self| record.version == VERSION)
                .unwrap_or_default(),
            file::FileText::Absent | file::FileText::Unreadable(_) => Self::default(),
        }
    }

    /// The record with one more file, to be written back.
    #[must_use]
    pub fn with(mut self, path: &AbsPath, bytes: &[u8]) -> Self {
        self.version = VERSION;
        self.files.insert(path.as_str().to_owned(), digest(bytes));
        self
    }

    /// The record without a file.
    #[must_use]
    pub fn without(mut self, path: &AbsPath) -> Self {
        self.version = VERSION;
        self.files.remove(path.as_str());
        self
    }

    /// Whether this content of a file is trusted.
    pub fn holds(&self, path: &AbsPath, bytes: &[u8]) -> bool {
        self.files.get(path.as_str()).is_some_and(|known| *known == digest(bytes))
    }

    /// The text to write.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// The part of `~/.claude.json` that counts here. It holds much else, which is skipped unread.
#[derive(Debug, Default, Deserialize)]
struct AgentState {
    #[serde(default)]
    projects: BTreeMap<String, ProjectState>,
}

#[derive(Debug, Default, Deserialize)]
struct ProjectState {
    #[serde(default, rename = "hasTrustDialogAccepted")]
    trusted: bool,
}

fn is_workspace_trusted(options: &Options, root: Option<&AbsPath>, memo: &mut Memo) -> bool {
    let Some(root) = root else { return false };
    let holder = options.config_dir.as_ref().unwrap_or(&options.home);
    let path = below(holder, ".claude.json");
    memo.trusted.get(Path::new(path.as_str()), trusted_workspaces).contains(root.as_str())
}

/// The directories that the agent's own file says are trusted.
fn trusted_workspaces(path: &Path) -> BTreeSet<String> {
    // The agent's own file grows with use, so its limit is not small.
    let Ok(bytes) = file::read_limited(path, MAX_STATE) else { return BTreeSet::new() };
    let Ok(state) = serde_json::from_slice::<AgentState>(&bytes) else { return BTreeSet::new() };
    let trusted = state.projects.into_iter().filter(|(_, project)| project.trusted);
    trusted.map(|(root, _)| root).collect()
}

fn real_path(path: &AbsPath) -> Option<AbsPath> {
    let real = fs::canonicalize(path.as_str()).ok()?;
    AbsPath::parse(real.to_str()?).ok()
}

const VERSION: u32 = 1;

/// More than an agent ever wrote down; without it a link to an endless file would be read for ever.
const MAX_STATE: u64 = 256 << 20;
