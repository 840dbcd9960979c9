//! The git repository a directory lies in, found without running git.
//!
//! What a repository says about itself is written by whoever made it. Only the main checkout that a
//! worktree names *and that names the worktree back* is believed, since trust in the one then
//! covers the other.

use super::{Memo, file};
use portcullis_model::AbsPath;
use std::fs;
use std::path::{Path, PathBuf};

/// A repository, seen from one of its checkouts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The top directory of the checkout.
    checkout: PathBuf,
    /// The checkout's own git directory.
    git_dir: PathBuf,
    /// The top directory of the main checkout: `checkout` itself, unless that is a worktree.
    main: PathBuf,
    /// The git directory of the main checkout.
    main_git_dir: PathBuf,
}

impl Repository {
    /// Finds the repository a directory lies in.
    pub fn find(directory: &AbsPath) -> Option<Self> {
        let directory = fs::canonicalize(directory.as_str()).ok()?;
        directory.ancestors().find_map(Self::at)
    }

    /// The top directory of the main checkout: what trust is recorded for.
    pub fn main_root(&self) -> Option<AbsPath> {
        AbsPath::parse(self.main.to_str()?).ok()
    }

    /// The directory whose local settings hold for the whole repository; `None` where the start
    /// directory keeps its own: in a repository over the home directory, or of another user.
    pub fn local_root(&self, home: &AbsPath) -> Option<AbsPath> {
        let root = self.main_root()?;
        let is_home = fs::canonicalize(home.as_str()).is_ok_and(|home| home == self.main);
        let settings = self.main.join(".claude");
        let settings_are_ours =
            fs::symlink_metadata(&settings).is_err() || file::is_ours(&settings);
        (!is_home
            && settings_are_ours
            && file::is_ours(&self.main)
            && file::is_ours(&self.main_git_dir))
        .then_some(root)
    }

    /// The git directory that work below `root` writes to and that lies elsewhere: of a linked worktree,
    /// of a submodule, or of the repository that `root` is a part of. `None` where it is inside, and where
    /// it is nobody's we trust: another user's, or one over the whole home directory.
    ///
    /// SECURITY: a tree names its git directory itself. Only a main checkout that names it back is
    /// believed, and a directory of the repository around.
    pub fn outside(&self, root: &AbsPath, home: &AbsPath) -> Option<AbsPath> {
        let root = fs::canonicalize(root.as_str()).ok()?;
        let git_dir =
            if self.main_git_dir == self.git_dir { &self.git_dir } else { &self.main_git_dir };
        let linked = self.main_git_dir != self.git_dir;
        let around = root.ancestors().skip(1).any(|outer| *git_dir == outer.join(".git"));
        let submodule =
            root.ancestors().skip(1).any(|outer| git_dir.starts_with(outer.join(".git/modules")));
        let over_home =
            fs::canonicalize(home.as_str()).is_ok_and(|home| git_dir.parent() == Some(&*home));
        if git_dir.starts_with(&root) || over_home || !file::is_ours(git_dir) {
            return None;
        }
        (linked || around || submodule).then(|| AbsPath::parse(git_dir.to_str()?).ok()).flatten()
    }

    /// Whether git may have put the local settings file of this name below `.claude` of `holder`. Errs
    /// towards yes: an index that is not in plain form, or another file of that name, count as well.
    pub(super) fn may_track_local_settings(
        &self,
        holder: &AbsPath,
        file: &str,
        memo: &mut Memo,
    ) -> bool {
        let Ok(holder) = fs::canonicalize(holder.as_str()) else { return true };
        let git_dir =
            if holder.starts_with(&self.checkout) { &self.git_dir } else { &self.main_git_dir };
        let Ok(entries) = fs::read_dir(git_dir) else { return true };
        for entry in entries {
            let Ok(entry) = entry else { return true };
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            // A split index keeps most of its entries in a shared file.
            let is_index = name == "index" || name.starts_with("sharedindex.");
            if !is_index {
                continue;
            }
            if memo.held(file).get(&entry.path(), |index| index_may_hold(index, file)) {
                return true;
            }
        }
        false
    }

    fn at(directory: &Path) -> Option<Self> {
        let dot_git = directory.join(".git");
        let found = fs::symlink_metadata(&dot_git).ok()?;
        if found.is_file() {
            return Self::behind_git_file(directory, &dot_git);
        }
        // A `commondir` inside a `.git` directory is not looked at: git never writes one there, and
        // a crafted one would lend this tree the trust of another.
        let git_dir = fs::canonicalize(&dot_git).ok()?;
        looks_like_git_dir(&git_dir).then(|| Self::alone(directory, git_dir))
    }

    /// A worktree, a submodule, or something that poses as one.
    fn behind_git_file(directory: &Path, dot_git: &Path) -> Option<Self> {
        let text = read_line(dot_git)?;
        let target = directory.join(text.strip_prefix("gitdir:")?.trim());
        let git_dir = fs::canonicalize(target).ok()?;
        if let Some(main_git_dir) = main_git_dir(&git_dir, dot_git)
            && let Some(main) = main_checkout(&main_git_dir)
        {
            let checkout = directory.to_owned();
            return Some(Self { checkout, git_dir, main, main_git_dir });
        }
        git_dir.join("HEAD").is_file().then(|| Self::alone(directory, git_dir))
    }

    fn alone(directory: &Path, git_dir: PathBuf) -> Self {
        Self {
            checkout: directory.to_owned(),
            main: directory.to_owned(),
            main_git_dir: git_dir.clone(),
            git_dir,
        }
    }
}

/// The git directory that a worktree's git directory belongs to, where both name each other.
///
/// SECURITY: a tree can name any repository in its `.git` file. Only the record inside the named
/// repository, `worktrees/NAME/gitdir`, shows that the repository knows of this tree.
fn main_git_dir(git_dir: &Path, dot_git: &Path) -> Option<PathBuf> {
    let worktrees = git_dir.parent()?;
    if worktrees.file_name()? != "worktrees" {
        return None;
    }
    let main = worktrees.parent()?;
    let common = fs::canonicalize(git_dir.join(read_line(&git_dir.join("commondir"))?)).ok()?;
    let back = PathBuf::from(read_line(&git_dir.join("gitdir"))?);
    let back = fs::canonicalize(git_dir.join(back)).ok()?;
    let named_back = back == fs::canonicalize(dot_git).ok()?;
    (common == main && named_back && looks_like_git_dir(main) && file::is_ours(main))
        .then(|| main.to_owned())
}

/// The checkout that a git directory lies in; none for a bare repository.
fn main_checkout(git_dir: &Path) -> Option<PathBuf> {
    let checkout = git_dir.parent()?;
    let named = git_dir.file_name()? == ".git";
    (named && file::is_ours(checkout)).then(|| checkout.to_owned())
}

fn looks_like_git_dir(path: &Path) -> bool {
    path.join("HEAD").symlink_metadata().is_ok()
        && path.join("objects").is_dir()
        && path.join("refs").is_dir()
}

fn read_line(path: &Path) -> Option<String> {
    let path = AbsPath::parse(path.to_str()?).ok()?;
    let file::FileText::Read(bytes) = file::read(&path) else { return None };
    let text = String::from_utf8(bytes).ok()?;
    Some(text.lines().next()?.trim_end().to_owned())
}

fn index_may_hold(path: &Path, name: &str) -> bool {
    let Ok(bytes) = file::read_limited(path, MAX_INDEX) else { return true };
    let version = bytes.get(4..8);
    let plain = bytes.starts_with(b"DIRC") && matches!(version, Some([0, 0, 0, 2 | 3]));
    // Version 4 does not spell paths out. A sparse index may hold the directory in place of its
    // files, ending in a slash.
    let path = format!(".claude/{name}\0");
    !plain || contains(&bytes, path.as_bytes()) || contains(&bytes, b".claude/\0")
}

/// Whether bytes hold a text, without regard to the case of letters.
fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text))
}

/// An index of about half a million files; reading a larger one would take longer than a hook has.
const MAX_INDEX: u64 = 64 << 20;
