//! What in a repository makes git run something, or look for its configuration elsewhere.

use super::names::Row;
use crate::Component::{self, AnyDepth, AnyDepthBut, Name};
use std::borrow::Cow::Borrowed;

macro_rules! in_git {
    ($text:literal, $($part:expr),+) => {
        ($text, &[AnyDepth, Name(Borrowed(".git")), $($part),+])
    };
}

macro_rules! name {
    ($name:literal) => {
        Name(Borrowed($name))
    };
}

/// Below any directory called `.git`.
pub(crate) const GIT: &[Row] = &[
    // githooks(5)
    in_git!("hooks", name!("hooks")),
    // git-config(1): core.fsmonitor, core.sshCommand, filters, aliases, core.hooksPath
    in_git!("config", name!("config")),
    in_git!("config.worktree", name!("config.worktree")),
    // gitrepository-layout(5): the directory whose config and hooks count instead
    in_git!("commondir", name!("commondir")),
    // gitattributes(5): which filter and merge driver runs
    in_git!("info/attributes", name!("info"), name!("attributes")),
    in_git!("modules hooks", name!("modules"), AnyDepth, name!("hooks")),
    in_git!("modules config", name!("modules"), AnyDepth, name!("config")),
    in_git!("modules config.worktree", name!("modules"), AnyDepth, name!("config.worktree")),
    in_git!("modules commondir", name!("modules"), AnyDepth, name!("commondir")),
    in_git!("modules attributes", name!("modules"), AnyDepth, name!("info"), name!("attributes")),
    in_git!("worktrees hooks", name!("worktrees"), Component::AnyBut(""), name!("hooks")),
    in_git!("worktrees config", name!("worktrees"), Component::AnyBut(""), name!("config")),
    in_git!(
        "worktrees config.worktree",
        name!("worktrees"),
        Component::AnyBut(""),
        name!("config.worktree")
    ),
    in_git!("worktrees commondir", name!("worktrees"), Component::AnyBut(""), name!("commondir")),
];

/// Directories below `.git` in whose place no link may stand: it would lead past the rows above.
pub(crate) const LINKS: &[Row] = &[
    in_git!("info", name!("info")),
    in_git!("modules", name!("modules")),
    in_git!("worktrees", name!("worktrees")),
    in_git!("a worktree", name!("worktrees"), Component::AnyBut("")),
];

/// How many components of a row lead into `.git`.
pub(crate) const INTO_GIT: usize = 2;

/// What makes a directory without the name `.git` a repository: without `HEAD` it is none. Only outside
/// `.git`, where `HEAD` is written all the time.
pub(crate) const HEAD: &[Component] = &[AnyDepthBut(".git"), Name(Borrowed("HEAD"))];

/// What is protected at the top of a repository without a work tree, beside its `HEAD`.
pub(crate) const BARE: &[&str] =
    &["config", "config.worktree", "commondir", "hooks", "info/attributes"];
