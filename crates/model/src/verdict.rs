//! The answer: a decision and everything that led to it.

use crate::{Certainty, Decision, Reason, RuleRef, Source, Span};

/// Where an `ask` goes when it does not go to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// The host's classifier (auto mode).
    Classifier,
    /// The host itself (another hook said defer).
    Defer,
}

/// What kind of thing a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// The tool call as a whole.
    Tool,
    /// One simple command.
    Command,
    /// A file that is read.
    Read,
    /// A file that is written.
    Write,
    /// A directory change.
    Directory,
    /// A host that is contacted.
    Host,
}

/// One thing inside a call that needs cover.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What it is.
    pub kind: SubjectKind,
    /// How it reads: canonical command text, path, host or tool name.
    pub text: String,
    /// Where it stands in the command, where there is one.
    pub span: Option<Span>,
}

/// What decided a finding. Every variant has a stable code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Because {
    /// A rule matched.
    Rule(RuleRef),
    /// A built-in rule: `code` is stable (`read-only`, `working-directory`, `protected-path`,
    /// `critical-removal`, `no-rule`, `preapproved-host`, `sandboxed` …), `text` says what.
    Builtin {
        /// The stable code.
        code: &'static str,
        /// One sentence for a person.
        text: String,
    },
    /// The mode decided.
    Mode {
        /// The mode's word.
        mode: &'static str,
        /// One sentence for a person.
        text: String,
    },
    /// The command cannot be read in full.
    Unanalyzable(Reason),
    /// A limit was reached.
    Limit {
        /// The stable code of the limit.
        code: &'static str,
        /// One sentence for a person.
        text: String,
    },
    /// A settings source is broken and fails closed.
    BrokenPolicy {
        /// What is wrong.
        text: String,
        /// Where.
        source: Option<Source>,
    },
    /// Another hook of the host answered.
    Hook {
        /// Its answer as a word.
        answer: &'static str,
    },
    /// An internal error: a bug of ours that must never loosen a verdict.
    Bug {
        /// What went wrong.
        text: String,
    },
}

impl Because {
    /// The stable code, as `portcullis explain CODE` takes it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rule(_) => "rule",
            Self::Builtin { code, .. } | Self::Limit { code, .. } => code,
            Self::Mode { .. } => "mode",
            Self::Unanalyzable(reason) => reason.name(),
            Self::BrokenPolicy { .. } => "broken-policy",
            Self::Hook { .. } => "hook",
            Self::Bug { .. } => "bug",
        }
    }
}

/// One subject with what decided it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// The decision for this subject.
    pub decision: Decision,
    /// What decided it.
    pub because: Because,
    /// The subject.
    pub subject: Subject,
    /// How sure the match is.
    pub certainty: Certainty,
}

/// A rule that nearly decided, and what kept it from doing so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NearMiss {
    /// The rule.
    pub rule: RuleRef,
    /// The subject it nearly matched.
    pub subject: Subject,
    /// What kept it from matching, in one sentence.
    pub why: String,
}

/// Something the user could add so that an `ask` does not come back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suggestion {
    /// Allow rules to add together.
    Rules {
        /// The rule texts.
        rules: Vec<String>,
        /// What they would newly allow, in one sentence.
        grants: String,
    },
    /// Working directories to add.
    Directories {
        /// The directories.
        directories: Vec<String>,
        /// What that would newly allow.
        grants: String,
    },
    /// A mode to switch to.
    Mode {
        /// The mode's word.
        mode: &'static str,
        /// What that would newly allow.
        grants: String,
    },
}

/// The answer to one tool call.
#[must_use = "a verdict that is not looked at lets the call through"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The strictest decision of all findings.
    pub decision: Decision,
    /// Where an `ask` goes when not to a person.
    pub route: Option<Route>,
    /// Whether the tool as a whole is denied, so that it need not be offered.
    pub removes_tool: bool,
    /// Whether the call would run inside the sandbox.
    pub sandboxed: bool,
    /// One line: what decided.
    pub reason: String,
    /// One finding a subject at least, strictest first, then by place.
    pub findings: Vec<Finding>,
    /// Rules that nearly matched (only filled when asked for).
    pub near_misses: Vec<NearMiss>,
    /// What would keep an ask from coming back.
    pub suggestions: Vec<Suggestion>,
}
