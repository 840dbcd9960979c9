//! Where a part of a profile comes from.

use portcullis_model::{RuleRef, Source};
use std::fmt;

/// Where a part of a profile comes from, as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A key of the sandbox settings, such as `sandbox.filesystem.denyRead`.
    Setting {
        /// The key.
        key: &'static str,
        /// The entry as written.
        text: String,
        /// Where it is written.
        source: Source,
    },
    /// A permission rule.
    Rule(RuleRef),
    /// What holds without anyone writing it; the text says what and why.
    BuiltIn(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { key, text, source } => write!(f, "{key} \"{text}\", {source}"),
            Self::Rule(rule) => {
                write!(f, "{} rule {}, {}", rule.class.word(), rule.text, rule.source)
            }
            Self::BuiltIn(text) => write!(f, "built in: {text}"),
        }
    }
}
