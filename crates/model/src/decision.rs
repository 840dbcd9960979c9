//! Decisions and how they combine.

use std::fmt;

/// The three answers, ordered by strictness: combining two decisions takes the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// The call may run.
    Allow,
    /// A person (or the host's classifier) has to say yes first.
    Ask,
    /// The call may not run.
    Deny,
}

impl Decision {
    /// The lower-case word used in every wire format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How sure a match is.
///
/// A rule matches certainly when every text the command may stand for matches, and possibly when
/// only some of them do. A possible match of a deny or ask rule asks; it never allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Some of the texts a subject stands for match.
    Possible,
    /// All of them match.
    Certain,
}
