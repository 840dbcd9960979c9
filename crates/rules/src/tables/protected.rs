//! Protected paths: writes that change what the host, git, the shell or a package manager runs.

use portcullis_model::AbsPath;
use std::borrow::Cow;

/// The protected part of a path: the directory or file name that makes a write to it need approval.
///
/// Names compare without case, since a case-folding filesystem makes `.GIT` the same directory.
pub fn protected_part(path: &AbsPath) -> Option<&'static str> {
    let mut parts = path.components().map(lowercase).peekable();
    while let Some(part) = parts.next() {
        let next = parts.peek().map(AsRef::as_ref);
        for directory in DIRECTORIES {
            let hit = match directory.split_once('/') {
                Some((outer, inner)) => part == outer && next == Some(inner),
                None => part == *directory,
            };
            // `.claude/worktrees` holds checkouts that are worked in like any other.
            if hit && !(*directory == ".claude" && next == Some("worktrees")) {
                return Some(directory);
            }
        }
        if next.is_none()
            && let Some(file) = FILES.iter().find(|file| part == **file)
        {
            return Some(file);
        }
    }
    None
}

fn lowercase(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.to_lowercase())
}

/// Directories, with everything below them.
pub const DIRECTORIES: &[&str] = &[
    ".git",
    ".config/git",
    ".vscode",
    ".idea",
    ".husky",
    ".cargo",
    ".devcontainer",
    ".yarn",
    ".mvn",
    ".claude",
];

/// Files.
pub const FILES: &[&str] = &[
    ".gitconfig",
    ".gitmodules",
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_aliases",
    ".bash_logout",
    ".zshrc",
    ".zprofile",
    ".zshenv",
    ".zlogin",
    ".zlogout",
    ".profile",
    ".envrc",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pnp.cjs",
    ".pnp.loader.mjs",
    ".pnpmfile.cjs",
    "bunfig.toml",
    ".bunfig.toml",
    ".bazelrc",
    ".bazelversion",
    ".bazeliskrc",
    ".pre-commit-config.yaml",
    "lefthook.yml",
    "lefthook.yaml",
    ".lefthook.yml",
    ".lefthook.yaml",
    "gradle-wrapper.properties",
    "maven-wrapper.properties",
    ".devcontainer.json",
    ".ripgreprc",
    "pyrightconfig.json",
    ".mcp.json",
    ".claude.json",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_protected_part() {
        for (path, want) in [
            ("/p/.git/hooks/x", Some(".git")),
            ("/p/.Git/config", Some(".git")),
            ("/p/.git", Some(".git")),
            ("/p/.gitignore", None),
            ("/p/.config/git/config", Some(".config/git")),
            ("/p/.config/x", None),
            ("/p/.claude/worktrees/a/src/x", None),
            ("/p/.claude/worktrees/a/.git/config", Some(".git")),
            ("/p/.claude/settings.json", Some(".claude")),
            ("/p/sub/.BASHRC", Some(".bashrc")),
            ("/p/.bashrc/x", None),
            ("/p/src/a.rs", None),
        ] {
            assert_eq!(protected_part(&AbsPath::parse(path).unwrap()), want, "{path}");
        }
    }
}
