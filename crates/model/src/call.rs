//! The question: one tool call and its circumstances.

use crate::{AbsPath, Decision};
use std::collections::BTreeMap;

/// A permission mode of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Reads and read-only commands run, the rest asks (`default`, also written `manual`).
    Default,
    /// As default, and file edits inside the working directories run.
    AcceptEdits,
    /// As default; nothing edits.
    Plan,
    /// As default, asks go to the host's classifier.
    Auto,
    /// As default, every ask is a deny.
    DontAsk,
    /// Everything runs but denies, explicit asks and critical removals.
    BypassPermissions,
}

impl Mode {
    /// Reads the word settings and hooks use.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "default" | "manual" => Self::Default,
            "acceptEdits" => Self::AcceptEdits,
            "plan" => Self::Plan,
            "auto" => Self::Auto,
            "dontAsk" => Self::DontAsk,
            "bypassPermissions" => Self::BypassPermissions,
            _ => return None,
        })
    }

    /// The word settings and hooks use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::AcceptEdits => "acceptEdits",
            Self::Plan => "plan",
            Self::Auto => "auto",
            Self::DontAsk => "dontAsk",
            Self::BypassPermissions => "bypassPermissions",
        }
    }
}

/// One field of a tool's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputValue {
    /// A string.
    Text(String),
    /// A boolean or number, as its JSON text.
    Scalar(String),
    /// `null`, an array or an object: nothing a rule can compare.
    Other,
}

impl InputValue {
    /// The text a parameter rule compares; `None` for what is not a scalar.
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Scalar(text) => Some(text),
            Self::Other => None,
        }
    }
}

/// The direct fields of a tool's input, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolInput(pub BTreeMap<String, InputValue>);

impl ToolInput {
    /// The text of a string field.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            InputValue::Text(text) => Some(text),
            InputValue::Scalar(_) | InputValue::Other => None,
        }
    }

    /// Whether a field is the JSON value `true`.
    pub fn is_true(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(InputValue::Scalar(text)) if text == "true")
    }
}

/// What another hook of the host answered for the same call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookAnswer {
    /// Skip the prompt.
    Allow,
    /// Prompt.
    Ask,
    /// Leave the call to the host.
    Defer,
    /// Block.
    Deny,
}

/// One tool call and its circumstances: everything a verdict depends on but the policy and the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The canonical tool name as the host sent it.
    pub tool: String,
    /// The direct fields of its input.
    pub input: ToolInput,
    /// The directory the call runs in.
    pub cwd: AbsPath,
    /// The directory the session was started in: working directory and anchor of relative rules.
    pub project_root: AbsPath,
    /// The home directory.
    pub home: AbsPath,
    /// The mode the host reports, before locks of the policy.
    pub mode: Mode,
    /// Working directories beside the project root, from the host (settings add more).
    pub additional_directories: Vec<AbsPath>,
    /// Whether the host says that a Bash call would run inside the sandbox; `None` derives it from
    /// the policy's `sandbox` settings.
    pub sandboxed: Option<bool>,
    /// Answers of the host's other hooks.
    pub hook_answers: Vec<HookAnswer>,
    /// Names of aliases and functions that the host's shell already defines.
    pub shadowed: Vec<String>,
}

impl From<HookAnswer> for Option<Decision> {
    fn from(answer: HookAnswer) -> Self {
        match answer {
            HookAnswer::Allow => Some(Decision::Allow),
            HookAnswer::Ask => Some(Decision::Ask),
            HookAnswer::Deny => Some(Decision::Deny),
            HookAnswer::Defer => None,
        }
    }
}
