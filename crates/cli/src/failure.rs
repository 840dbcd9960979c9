//! How a command ends: exit statuses and the one form of an error.

use portcullis_model::Decision;
use std::process::ExitCode;

/// The exit statuses, stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done; for `check` and `explain`, allow.
    Done,
    /// There are findings (`doctor`).
    Findings,
    /// `check` and `explain`: ask.
    Ask,
    /// `check` and `explain`: deny.
    Deny,
    /// The command line cannot be understood.
    Usage,
    /// A policy, payload or settings file cannot be used.
    Input,
    /// Something outside the input failed, or a bug.
    Internal,
}

impl Status {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Ask => 10,
            Self::Deny => 11,
            Self::Usage => 64,
            Self::Input => 65,
            Self::Internal => 70,
        }
    }

    /// The stable word of an error's kind, for `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Findings => "findings",
            Self::Ask => "ask",
            Self::Deny => "deny",
            Self::Usage => "usage",
            Self::Input => "bad-input",
            Self::Internal => "internal",
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

impl From<Decision> for Status {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::Done,
            Decision::Ask => Self::Ask,
            Decision::Deny => Self::Deny,
        }
    }
}

/// Why a command stopped, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit status.
    pub status: Status,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do instead, in one line.
    pub hint: Option<String>,
}

impl Failure {
    /// A command line that cannot be understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { status: Status::Usage, message: message.into(), hint: None }
    }

    /// Input that cannot be used.
    pub fn input(message: impl Into<String>) -> Self {
        Self { status: Status::Input, message: message.into(), hint: None }
    }

    /// Something else that failed.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { status: Status::Internal, message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
