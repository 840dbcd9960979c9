//! Rule text to rule.

mod grammar;
mod specifier;

use crate::tool::{is_mcp, is_server_glob};
use crate::{
    CommandPattern, DomainPattern, Glob, NamePattern, PathPattern, RuleError, RuleWarning,
    ToolPattern, did_you_mean, known_tools,
};
use grammar::{Parts, warning};
use portcullis_model::RuleClass;

/// One rule, ready to match.
#[derive(Clone, Debug)]
pub struct Rule {
    text: String,
    class: RuleClass,
    tool: ToolPattern,
    specifier: Specifier,
    warnings: Vec<RuleWarning>,
}

impl Rule {
    /// Reads the text of one rule. Total: every text is a rule or an error.
    pub fn parse(text: &str, class: RuleClass) -> Result<Self, RuleError> {
        let parts = Parts::split(text)?;
        if class == RuleClass::Allow && parts.name.contains('*') && !is_server_glob(parts.name) {
            return Err(RuleError { ignored: true, ..allow_glob(&parts) });
        }
        let mut warnings = Vec::new();
        if class != RuleClass::Allow {
            warnings.extend(unknown_tool(&parts));
        }
        warnings.extend(empty_mcp_tool(&parts));
        let specifier = specifier::parse(&parts, class, &mut warnings)?;
        let tool = ToolPattern::parse(parts.name);
        Ok(Self { text: text.to_owned(), class, tool, specifier, warnings })
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The list it stands in.
    pub fn class(&self) -> RuleClass {
        self.class
    }

    /// What its author should know.
    pub fn warnings(&self) -> &[RuleWarning] {
        &self.warnings
    }

    /// The tools it is about.
    pub fn tool(&self) -> &ToolPattern {
        &self.tool
    }

    /// The calls of these tools it is about.
    pub fn specifier(&self) -> &Specifier {
        &self.specifier
    }
}

/// What follows the tool name of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Specifier {
    /// Every call: `Tool` or `Tool(*)`.
    Whole,
    /// No call: written so that nothing can match (`Bash(:*)`).
    Nothing,
    /// Never consulted: a path on a tool whose paths Read or Edit rules decide.
    Inert,
    /// A command pattern (Bash, Monitor, PowerShell).
    Command(CommandPattern),
    /// A path pattern (Read, Edit).
    Path(PathPattern),
    /// A host pattern (`WebFetch`).
    Domain(DomainPattern),
    /// One input field compared with a glob (deny and ask only).
    Parameter {
        /// The field.
        name: String,
        /// What its scalar text has to match.
        value: Glob,
    },
    /// The name of a subagent type or a skill.
    Name(NamePattern),
    /// A directory pattern (Cd): like a path pattern, but the whole path must match.
    Directory(PathPattern),
}

fn allow_glob(parts: &Parts<'_>) -> RuleError {
    parts.error(
        "rule-allow-glob",
        format!("`{}` is too wide for an allow rule", parts.name),
        "allow rules take stars in tool names only after `mcp__<server>__`",
        parts.name_span,
    )
}

/// A deny or ask rule for a tool that does not exist protects nothing.
fn unknown_tool(parts: &Parts<'_>) -> Option<RuleWarning> {
    let name = parts.name;
    if name.contains(['_', '*']) || known_tools().contains(&name) {
        return None;
    }
    let hint = match did_you_mean(name, known_tools()) {
        Some(known) => format!("did you mean `{known}`? names are case-sensitive"),
        None => "check the name of the tool; it is harmless if a host provides it".to_owned(),
    };
    let message = format!("there is no built-in tool `{name}`");
    Some(warning("rule-unknown-tool", message, hint, parts.name_span))
}

/// `mcp__server__` names a tool without a name.
fn empty_mcp_tool(parts: &Parts<'_>) -> Option<RuleWarning> {
    let server = parts.name.strip_suffix("__").filter(|name| is_mcp(name))?;
    Some(warning(
        "rule-matches-nothing",
        format!("`{}` names no tool, so the rule matches nothing", parts.name),
        format!("write `{server}` for every tool of the server"),
        parts.name_span,
    ))
}
