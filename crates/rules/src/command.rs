//! Patterns over command texts.

use crate::{Glob, Match};
use portcullis_model::TextSet;

/// The specifier of a Bash rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandPattern {
    glob: Glob,
}

impl CommandPattern {
    /// Compiles the text between the parentheses (escapes of parentheses already removed).
    pub fn parse(text: &str) -> Self {
        Self { glob: Glob::new(text) }
    }

    /// How the pattern relates to the texts a command may have.
    pub fn matches(&self, texts: &TextSet) -> Match {
        match texts.known() {
            Some(text) if self.matches_text(text) => Match::Certain,
            Some(_) => Match::No,
            None => Match::Possible,
        }
    }

    /// Whether one known text matches.
    pub fn matches_text(&self, text: &str) -> bool {
        self.glob.matches(text)
    }

    /// Whether the pattern is every command (`*`).
    pub fn is_bare(&self) -> bool {
        self.glob == Glob::new("*")
    }

    /// Whether the pattern has a wildcard (or is a prefix rule).
    pub fn has_wildcard(&self) -> bool {
        !self.glob.is_exact()
    }

    /// Whether the pattern holds separators of its own (`make a && make b`): it then is compared
    /// with whole command strings only, by [`Self::matches_whole`].
    pub fn holds_separators(&self) -> bool {
        false
    }

    /// Whether the pattern is this whole command string, blanks collapsed.
    pub fn matches_whole(&self, command: &str) -> bool {
        self.matches_text(command)
    }

    /// The text every match starts with.
    pub fn literal_prefix(&self) -> &str {
        ""
    }
}

/// An index over many command patterns.
#[derive(Clone, Debug, Default)]
pub struct CommandSet {
    patterns: Vec<(usize, CommandPattern)>,
}

impl CommandSet {
    /// Indexes patterns, each with the number its owner knows it by.
    pub fn new(patterns: impl IntoIterator<Item = (usize, CommandPattern)>) -> Self {
        Self { patterns: patterns.into_iter().collect() }
    }

    /// The numbers of all patterns that match the texts at least possibly, and maybe some more; in
    /// ascending order.
    pub fn candidates(&self, texts: &TextSet) -> Vec<usize> {
        self.patterns
            .iter()
            .filter(|(_, pattern)| pattern.matches(texts) != Match::No)
            .map(|(id, _)| *id)
            .collect()
    }
}
