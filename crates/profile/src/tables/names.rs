//! Protected names, as patterns below a writable root.
//!
//! The list itself is the one of the permission rules (`rules::tables::protected`); it is written out
//! once more here because a pattern that costs nothing has to be a constant. A test holds both together.

use crate::Component::{self, AnyBut, AnyDepth, Name};
use std::borrow::Cow::Borrowed;

/// A protected tree: what it is called in the list of permission rules, and its pattern.
pub(crate) type Row = (&'static str, &'static [Component]);

macro_rules! row {
    ($name:literal) => {
        ($name, &[AnyDepth, Name(Borrowed($name))])
    };
}

/// Directories and files; each pattern means everything below.
pub(crate) const NAMES: &[Row] = &[
    (".config/git", &[AnyDepth, Name(Borrowed(".config")), Name(Borrowed("git"))]),
    row!(".vscode"),
    row!(".idea"),
    row!(".husky"),
    row!(".cargo"),
    row!(".devcontainer"),
    row!(".yarn"),
    row!(".mvn"),
    // Not `.claude/worktrees`: it holds checkouts that are worked in like any other.
    (".claude", &[AnyDepth, Name(Borrowed(".claude")), AnyBut("worktrees")]),
    row!(".gitconfig"),
    row!(".gitmodules"),
    row!(".bashrc"),
    row!(".bash_profile"),
    row!(".bash_login"),
    row!(".bash_aliases"),
    row!(".bash_logout"),
    row!(".zshrc"),
    row!(".zprofile"),
    row!(".zshenv"),
    row!(".zlogin"),
    row!(".zlogout"),
    row!(".profile"),
    row!(".envrc"),
    row!(".npmrc"),
    row!(".yarnrc"),
    row!(".yarnrc.yml"),
    row!(".pnp.cjs"),
    row!(".pnp.loader.mjs"),
    row!(".pnpmfile.cjs"),
    row!("bunfig.toml"),
    row!(".bunfig.toml"),
    row!(".bazelrc"),
    row!(".bazelversion"),
    row!(".bazeliskrc"),
    row!(".pre-commit-config.yaml"),
    row!("lefthook.yml"),
    row!("lefthook.yaml"),
    row!(".lefthook.yml"),
    row!(".lefthook.yaml"),
    row!("gradle-wrapper.properties"),
    row!("maven-wrapper.properties"),
    row!(".devcontainer.json"),
    row!(".ripgreprc"),
    row!("pyrightconfig.json"),
    row!(".mcp.json"),
    row!(".claude.json"),
];

/// Leaves: names that mean something only where they are no directory.
pub(crate) const LEAVES: &[Row] = &[
    // A symlink or file in place of the directory would bring all of its content along.
    (".claude", &[AnyDepth, Name(Borrowed(".claude"))]),
    (".git", &[AnyDepth, Name(Borrowed(".git"))]),
    (".config", &[AnyDepth, Name(Borrowed(".config"))]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_rules::tables::protected::{DIRECTORIES, FILES};
    use std::collections::BTreeSet;

    #[test]
    fn is_the_list_of_the_permission_rules() {
        let here: BTreeSet<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        // Of `.git` only parts are protected here: ordinary work has to go on.
        let there = DIRECTORIES.iter().chain(FILES).copied().filter(|name| *name != ".git");
        assert_eq!(here, there.collect());
    }
}
