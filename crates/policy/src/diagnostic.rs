//! What is wrong with a settings source, and where.

use portcullis_model::{Source, Span};
use std::fmt;

/// How much a diagnostic changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong; something has no effect here.
    Note,
    /// It works, but surely not as meant; or it is held back until the workspace is trusted.
    Warning,
    /// Something written does not count, or calls ask because of it.
    Error,
}

impl Severity {
    /// The lower-case word used in every output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing a user should know about their settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// How much it changes.
    pub severity: Severity,
    /// The stable code, as `portcullis explain CODE` takes it.
    pub code: &'static str,
    /// What is wrong and what that does, in one line.
    pub message: String,
    /// What to write instead, in one line; empty where there is nothing to do.
    pub hint: String,
    /// Where.
    pub source: Source,
    /// The bytes of the layer's text it is about; `None` where the layer was made up from a flag
    /// or could not be read.
    pub span: Option<Span>,
    /// The line `source` names, where it is short enough to show.
    pub line_text: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, code, message, source, .. } = self;
        write!(f, "{source}: {}: {message} [{code}]", severity.word())
    }
}
