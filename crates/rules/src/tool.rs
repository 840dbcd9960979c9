//! Tool names and patterns over them.

use crate::Glob;

/// The tool part of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolPattern {
    /// One tool, or every tool of one MCP server (`mcp__server`).
    Exact(String),
    /// Every tool whose name matches.
    Glob(Glob),
}

impl ToolPattern {
    /// Whether a tool is meant.
    pub fn matches(&self, tool: &str) -> bool {
        match self {
            Self::Exact(name) => name == tool,
            Self::Glob(glob) => glob.matches(tool),
        }
    }
}

/// The canonical names of the built-in tools, sorted.
pub fn known_tools() -> &'static [&'static str] {
    &["Bash"]
}

/// The candidate a word was most likely meant to be.
pub fn did_you_mean(word: &str, candidates: &[&str]) -> Option<String> {
    candidates.iter().find(|name| name.eq_ignore_ascii_case(word)).map(|name| (*name).to_owned())
}
