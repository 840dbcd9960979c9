//! What a file said at another commit.

use crate::failure::Failure;
use std::path::Path;
use std::process::{Command, Stdio};

/// The content of a file at a revision; `None` where it was not there.
///
/// `cat-file` reads objects and nothing else: no filter, pager, hook or textconv of the repository runs.
pub(crate) fn content(file: &Path, revision: &str) -> Result<Option<String>, Failure> {
    if revision.is_empty() || revision.starts_with('-') {
        return Err(Failure::usage(format!("`{revision}` is no revision")));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    // A folder that is gone now may have been there then.
    let folder =
        folder.ancestors().find(|folder| folder.is_dir()).unwrap_or_else(|| Path::new("/"));
    let relative = file.strip_prefix(folder).unwrap_or(file);
    let git = |args: &[&str]| {
        Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(["-c", "core.fsmonitor=false"])
            .args(args)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| {
                Failure::internal(format!("cannot run git: {}", crate::session::plain(&error)))
            })
    };
    let commit = format!("{revision}^{{commit}}");
    let known = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
    if !known.status.success() {
        return Err(Failure::input(format!("git knows no commit `{revision}` here"))
            .hint("run it inside the repository; in CI, fetch the base branch first"));
    }
    let commit = String::from_utf8_lossy(&known.stdout).trim().to_owned();
    let object = format!("{commit}:./{}", relative.display());
    let found = git(&["cat-file", "blob", &object])?;
    if !found.status.success() {
        return Ok(None);
    }
    String::from_utf8(found.stdout).map(Some).map_err(|_not_utf8| {
        Failure::input(format!("`{}` is not UTF-8 at `{revision}`", file.display()))
    })
}
