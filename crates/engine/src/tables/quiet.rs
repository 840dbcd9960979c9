//! Tools that need no permission unless a rule says so.

/// Whether a tool runs without a rule: it neither touches files nor runs anything by itself.
pub fn needs_no_permission(tool: &str) -> bool {
    TOOLS.binary_search(&tool).is_ok()
}

/// The names of these tools.
pub fn quiet_tools() -> &'static [&'static str] {
    TOOLS
}

/// Sorted.
const TOOLS: &[&str] = &[
    "Agent",
    "AskUserQuestion",
    "BashOutput",
    "EnterPlanMode",
    "KillShell",
    "ListMcpResourcesTool",
    "Task",
    "TaskCreate",
    "TaskGet",
    "TaskList",
    "TaskOutput",
    "TaskStop",
    "TaskUpdate",
    "TodoWrite",
    "ToolSearch",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sorted() {
        assert!(TOOLS.is_sorted());
    }
}
