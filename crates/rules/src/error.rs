//! What can be wrong with a rule.

use portcullis_model::Span;
use std::fmt;

/// A rule that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead, in one line.
    pub hint: String,
    /// The bytes of the rule text it is about.
    pub span: Span,
    /// The tool the rule names, where that can be read: a broken deny or ask rule makes every call
    /// of that tool ask, or of every tool where this is `None`. May hold `*`.
    pub tool: Option<String>,
    /// The rule is only skipped: it has no effect in any class and nothing fails closed.
    pub ignored: bool,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RuleError {}

/// Something about a usable rule that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleWarning {
    /// The stable code.
    pub code: &'static str,
    /// What is surprising, in one line.
    pub message: String,
    /// What to write instead, in one line.
    pub hint: String,
    /// The bytes of the rule text it is about.
    pub span: Span,
}
