//! Why nothing was run.

use std::fmt;

/// Why nothing was run: one line with the cause, and where there is one the cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    cause: String,
    cure: Option<String>,
}

impl Failure {
    /// The status a launcher ends with.
    pub const STATUS: u8 = 125;

    /// A failure of the given cause.
    pub fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), cure: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn cured_by(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// What is wrong.
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// What to do about it.
    pub fn cure(&self) -> Option<&str> {
        self.cure.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)?;
        if let Some(cure) = &self.cure {
            write!(f, "; {cure}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
