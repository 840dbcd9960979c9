//! The tools `check` and `explain` take by name, and the input field a plain argument fills.

/// One tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    /// Its canonical name.
    pub(crate) name: &'static str,
    /// The field a plain argument goes into; empty where only a JSON object will do.
    pub(crate) field: &'static str,
    /// Whether that field is a path, which hosts send absolute.
    pub(crate) is_path: bool,
}

const fn text(name: &'static str, field: &'static str) -> Tool {
    Tool { name, field, is_path: false }
}

const fn path(name: &'static str, field: &'static str) -> Tool {
    Tool { name, field, is_path: true }
}

/// Known tools, by name.
pub(crate) const TOOLS: &[Tool] = &[
    text("Agent", "subagent_type"),
    text("AskUserQuestion", ""),
    text("Bash", "command"),
    path("Cd", "path"),
    path("Edit", "file_path"),
    text("ExitPlanMode", ""),
    path("Glob", "path"),
    path("Grep", "path"),
    path("LS", "path"),
    text("Monitor", "command"),
    path("MultiEdit", "file_path"),
    path("NotebookEdit", "notebook_path"),
    path("NotebookRead", "notebook_path"),
    text("PowerShell", "command"),
    path("Read", "file_path"),
    text("Skill", "skill"),
    text("Task", "subagent_type"),
    text("TodoWrite", ""),
    text("WebFetch", "url"),
    text("WebSearch", "query"),
    path("Write", "file_path"),
];

/// The known tool of that name.
pub(crate) fn tool(name: &str) -> Option<Tool> {
    TOOLS.iter().find(|tool| tool.name == name).copied()
}
