//! The built-in tools: names, how their specifiers are read, and their input fields.

/// How the specifier of a tool is read where it is no parameter rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A command pattern.
    Command,
    /// A path pattern.
    Path,
    /// A path that is never consulted; this tool's rules decide instead.
    Inert(&'static str),
    /// A host pattern.
    Domain,
    /// A name.
    Name,
    /// A directory pattern.
    Directory,
}

/// A tool that has more to it than its name.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The field that the specifier itself is about: no parameter rule may name it.
    pub(crate) content: Option<&'static str>,
    /// The other direct fields of its input.
    pub(crate) fields: &'static [&'static str],
}

/// The tools whose specifiers are read in a way of their own.
pub(crate) const SPECIFIED: &[Tool] = &[
    Tool {
        name: "Agent",
        kind: Kind::Name,
        content: None,
        fields: &[
            "description",
            "isolation",
            "max_turns",
            "mode",
            "model",
            "name",
            "prompt",
            "resume",
            "run_in_background",
            "subagent_type",
            "team_name",
        ],
    },
    Tool {
        name: "Bash",
        kind: Kind::Command,
        content: Some("command"),
        fields: &["dangerouslyDisableSandbox", "description", "run_in_background", "timeout"],
    },
    Tool { name: "Cd", kind: Kind::Directory, content: Some("path"), fields: &[] },
    Tool {
        name: "Edit",
        kind: Kind::Path,
        content: Some("file_path"),
        fields: &["new_string", "old_string", "replace_all"],
    },
    Tool { name: "Glob", kind: Kind::Inert("Read"), content: Some("path"), fields: &["pattern"] },
    Tool {
        name: "Grep",
        kind: Kind::Inert("Read"),
        content: Some("path"),
        fields: &[
            "-A",
            "-B",
            "-C",
            "-i",
            "-n",
            "context",
            "glob",
            "head_limit",
            "multiline",
            "offset",
            "output_mode",
            "pattern",
            "type",
        ],
    },
    Tool {
        name: "LSP",
        kind: Kind::Inert("Read"),
        content: Some("filePath"),
        fields: &["character", "line", "operation"],
    },
    Tool {
        name: "Monitor",
        kind: Kind::Command,
        content: Some("command"),
        fields: &["description", "persistent", "timeout_ms", "url"],
    },
    Tool { name: "MultiEdit", kind: Kind::Inert("Edit"), content: Some("file_path"), fields: &[] },
    Tool {
        name: "NotebookEdit",
        kind: Kind::Inert("Edit"),
        content: Some("notebook_path"),
        fields: &["cell_id", "cell_type", "edit_mode", "new_source"],
    },
    Tool {
        name: "PowerShell",
        kind: Kind::Command,
        content: Some("command"),
        fields: &["dangerouslyDisableSandbox", "description", "run_in_background", "timeout"],
    },
    Tool {
        name: "Read",
        kind: Kind::Path,
        content: Some("file_path"),
        fields: &["limit", "offset", "pages"],
    },
    Tool { name: "Skill", kind: Kind::Name, content: None, fields: &["args", "skill"] },
    Tool { name: "WebFetch", kind: Kind::Domain, content: Some("url"), fields: &["prompt"] },
    Tool {
        name: "Write",
        kind: Kind::Inert("Edit"),
        content: Some("file_path"),
        fields: &["content"],
    },
];

/// Every built-in tool of the reference client, sorted.
pub(crate) const TOOLS: &[&str] = &[
    "Agent",
    "Artifact",
    "AskUserQuestion",
    "Bash",
    "BashOutput",
    "Cd",
    "CronCreate",
    "CronDelete",
    "CronList",
    "Edit",
    "EndConversation",
    "EnterPlanMode",
    "EnterWorktree",
    "ExitPlanMode",
    "ExitWorktree",
    "Glob",
    "Grep",
    "KillShell",
    "LSP",
    "ListAgents",
    "ListMcpResourcesTool",
    "Monitor",
    "MultiEdit",
    "NotebookEdit",
    "PowerShell",
    "PushNotification",
    "Read",
    "ReadMcpResourceTool",
    "RemoteTrigger",
    "ReportFindings",
    "ScheduleWakeup",
    "SendFeedback",
    "SendMessage",
    "SendUserFile",
    "ShareOnboardingGuide",
    "Skill",
    "SlashCommand",
    "SubagentHandback",
    "Task",
    "TaskCreate",
    "TaskGet",
    "TaskList",
    "TaskOutput",
    "TaskStop",
    "TaskUpdate",
    "TodoWrite",
    "ToolSearch",
    "WaitForMcpServers",
    "WebFetch",
    "WebSearch",
    "Workflow",
    "Write",
];

/// Former names of tools, with today's.
pub(crate) const ALIASES: &[(&str, &str)] = &[("Task", "Agent")];

/// Names that interfaces and other agents show for tools, with the names rules use.
pub(crate) const DISPLAY_NAMES: &[(&str, &str)] = &[
    ("Fetch", "WebFetch"),
    ("LS", "Read"),
    ("NotebookRead", "Read"),
    ("Search", "Grep"),
    ("Shell", "Bash"),
    ("Subagent", "Agent"),
    ("Update", "Edit"),
];
