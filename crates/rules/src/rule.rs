//! Rule text to rule.

use crate::{
    CommandPattern, DomainPattern, Glob, PathPattern, RuleError, RuleWarning, ToolPattern,
};
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
        Ok(Self {
            text: text.to_owned(),
            class,
            tool: ToolPattern::Exact(text.to_owned()),
            specifier: Specifier::Whole,
            warnings: Vec::new(),
        })
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
#[derive(Clone, Debug)]
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
    /// A host pattern (WebFetch).
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

/// The name of a subagent type or skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    glob: Glob,
}

impl NamePattern {
    /// Compiles a name.
    pub fn new(text: &str) -> Self {
        Self { glob: Glob::new(text) }
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        self.glob.matches(name)
    }
}
