//! What comes out: the rules, locks and switches that count.

use crate::{Diagnostic, Sandbox, Setting};
use portcullis_model::{AbsPath, Mode, RuleRef, Source, TextSet};
use portcullis_rules::{
    CommandSet, PathMatcher, PathSet, Rule, Specifier, ToolPattern, canonical_tool,
};
use std::collections::BTreeMap;

/// Everything the layers say together.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The deny rules of every layer.
    pub deny: Rules,
    /// The ask rules of every layer.
    pub ask: Rules,
    /// The allow rules that count: of trusted, readable layers, within the managed locks.
    pub allow: Rules,
    /// The allow rules that do not count, for explanations.
    pub held_back: Vec<HeldBack>,
    /// The sandbox settings.
    pub sandbox: Sandbox,
    /// Working directories beside the project.
    pub directories: Vec<Directory>,
    /// The mode a session starts in, where a layer says so.
    pub default_mode: Option<(Mode, Source)>,
    /// What forbids mode `bypassPermissions`.
    pub bypass_disabled: Option<Source>,
    /// What forbids mode `auto`.
    pub auto_disabled: Option<Source>,
    /// What says that only managed allow rules count and that no rule is to be saved.
    pub rules_locked: Option<Source>,
    /// What is broken and therefore asks.
    pub closed: Vec<Closed>,
    /// Whether `WebFetch` of the shipped documentation hosts needs no rule.
    pub preapproved_hosts: bool,
    /// Settings the reference does not have.
    pub native: Native,
    /// Everything wrong with the layers, highest layer first, then by place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Policy {
    /// What is broken and concerns every call of this tool.
    pub fn closed_for<'p>(&'p self, tool: &'p str) -> impl Iterator<Item = &'p Closed> {
        self.closed.iter().filter(move |closed| closed.covers_tool(tool))
    }
}

/// An allow rule that does not count.
#[derive(Clone, Debug)]
pub struct HeldBack {
    /// The rule.
    pub rule: PolicyRule,
    /// Why it does not, in words.
    pub why: &'static str,
}

/// The rules of one class.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// All of them, highest layer first, then as written.
    pub list: Vec<PolicyRule>,
    /// Rules about calls of a tool, and rules about what is in them.
    calls: ByTool,
    contents: ByTool,
    /// The Bash rules that stand for whole command lines.
    lines: Vec<usize>,
    commands: CommandSet,
    /// The path rules that mean reading, and those that mean writing.
    reads: PathSet,
    edits: PathSet,
}

impl Rules {
    /// Indexes rules.
    pub fn new(list: Vec<PolicyRule>) -> Self {
        let (mut calls, mut contents) = (ByTool::default(), ByTool::default());
        let (mut commands, mut lines) = (Vec::new(), Vec::new());
        for (index, rule) in list.iter().enumerate() {
            let tools = if rule.is_about_calls() { &mut calls } else { &mut contents };
            tools.add(rule.rule.tool(), index);
            if let Specifier::Command(pattern) = rule.rule.specifier()
                && rule.rule.tool().matches("Bash")
            {
                commands.push((index, pattern.clone()));
                if pattern.holds_separators() {
                    lines.push(index);
                }
            }
        }
        let paths = |tool: &str| {
            PathSet::new(list.iter().enumerate().filter_map(|(index, rule)| {
                let about_paths = matches!(rule.rule.specifier(), Specifier::Path(_));
                let paths = rule.paths.as_ref().filter(|_| about_paths)?;
                rule.rule.tool().matches(tool).then_some((index, paths))
            }))
        };
        let (reads, edits) = (paths("Read"), paths("Edit"));
        let commands = CommandSet::new(commands);
        Self { list, calls, contents, lines, commands, reads, edits }
    }

    /// The rules whose tool part means this tool, in the order of the list.
    pub fn for_tool<'r>(&'r self, tool: &str) -> impl Iterator<Item = &'r PolicyRule> + use<'r> {
        let mut indices: Vec<usize> = self.calls.unordered(tool, &self.list).collect();
        indices.extend(self.contents.unordered(tool, &self.list));
        indices.sort_unstable();
        indices.into_iter().filter_map(|index| self.list.get(index))
    }

    /// Of those, the rules about calls as such: of the whole tool, a name or a field. A policy has few
    /// of them, however many commands and paths it lists.
    pub fn about_calls<'r>(&'r self, tool: &str) -> impl Iterator<Item = &'r PolicyRule> + use<'r> {
        self.calls.of(tool, &self.list).into_iter().filter_map(|index| self.list.get(index))
    }

    /// Whether some rule for a tool is like that.
    pub fn any_for_tool(&self, tool: &str, is: impl Fn(&PolicyRule) -> bool) -> bool {
        let parts = [&self.contents, &self.calls];
        let mut indices = parts.into_iter().flat_map(|part| part.unordered(tool, &self.list));
        indices.any(|index| self.list.get(index).is_some_and(&is))
    }

    /// The Bash rules whose text holds separators, so that it stands for a whole command line.
    pub fn command_lines(&self) -> impl Iterator<Item = &PolicyRule> {
        self.lines.iter().filter_map(|index| self.list.get(*index))
    }

    /// The Bash rules with a command pattern that may match: all that do, and maybe some more.
    pub fn command_candidates<'r>(
        &'r self,
        texts: &TextSet,
    ) -> impl Iterator<Item = &'r PolicyRule> + use<'r> {
        self.commands.candidates(texts).into_iter().filter_map(|index| self.list.get(index))
    }

    /// The rules with a path pattern for one of the file tools, by their places in the list.
    pub fn paths_of(&self, tool: FileTool) -> &PathSet {
        match tool {
            FileTool::Read => &self.reads,
            FileTool::Edit => &self.edits,
        }
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// Rules by the tools they are for.
#[derive(Clone, Debug, Default)]
struct ByTool {
    by_name: BTreeMap<String, Vec<usize>>,
    by_pattern: Vec<usize>,
}

impl ByTool {
    fn add(&mut self, tool: &ToolPattern, index: usize) {
        match tool {
            // `mcp__server` is every tool of a server.
            ToolPattern::Exact(name) if !name.starts_with("mcp__") => {
                // SECURITY: a tool has the rules of every name it ever had: a deny of `Task` is
                // one of `Agent`.
                self.by_name.entry(canonical_tool(name).to_owned()).or_default().push(index);
            }
            ToolPattern::Exact(_) | ToolPattern::Glob(_) => self.by_pattern.push(index),
        }
    }

    /// The places of the rules for a tool, in order.
    fn of(&self, tool: &str, list: &[PolicyRule]) -> Vec<usize> {
        let mut indices: Vec<usize> = self.unordered(tool, list).collect();
        indices.sort_unstable();
        indices
    }

    fn unordered(&self, tool: &str, list: &[PolicyRule]) -> impl Iterator<Item = usize> {
        let means = |index: &usize| list.get(*index).is_some_and(|r| r.rule.tool().matches(tool));
        let named = self.by_name.get(canonical_tool(tool)).into_iter().flatten().copied();
        named.chain(self.by_pattern.iter().copied().filter(means))
    }
}

/// The tools whose path rules speak for every tool that reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileTool {
    /// `Read`
    Read,
    /// `Edit`
    Edit,
}

/// One rule of a policy.
#[derive(Clone, Debug)]
pub struct PolicyRule {
    /// The rule.
    pub rule: Rule,
    /// How explanations name it.
    pub reference: RuleRef,
    /// Its path pattern, fixed to the directories of its layer (Read, Edit and Cd rules).
    pub paths: Option<PathMatcher>,
}

impl PolicyRule {
    /// Whether the rule is about calls as such and not about a command, path, host or directory in
    /// them.
    fn is_about_calls(&self) -> bool {
        match self.rule.specifier() {
            Specifier::Whole | Specifier::Parameter { .. } | Specifier::Name(_) => true,
            Specifier::Nothing
            | Specifier::Inert
            | Specifier::Command(_)
            | Specifier::Path(_)
            | Specifier::Domain(_)
            | Specifier::Directory(_) => false,
        }
    }
}

/// A working directory that a layer adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// The directory.
    pub path: AbsPath,
    /// Where it is written.
    pub source: Source,
}

/// Something broken that makes calls at least `ask`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The tools it concerns; every tool where this is `None`.
    pub tool: Option<ToolPattern>,
    /// What is broken, in one line.
    pub text: String,
    /// Where.
    pub source: Source,
}

impl Closed {
    /// Whether every call of a tool has to ask.
    ///
    /// A broken `Read` rule concerns every tool that such a rule could have stopped, and so does a
    /// broken `Edit` rule.
    pub fn covers_tool(&self, tool: &str) -> bool {
        let Some(pattern) = &self.tool else { return true };
        pattern.matches(tool)
            || (pattern.matches("Read") && READ_FAMILY.contains(&tool))
            || (pattern.matches("Edit") && EDIT_FAMILY.contains(&tool))
    }

    /// Whether every read of a file has to ask, whichever tool makes it.
    pub fn covers_reads(&self) -> bool {
        self.tool.as_ref().is_none_or(|pattern| pattern.matches("Read"))
    }

    /// Whether every write of a file has to ask, whichever tool makes it.
    pub fn covers_writes(&self) -> bool {
        self.covers_reads() || self.tool.as_ref().is_some_and(|pattern| pattern.matches("Edit"))
    }
}

/// What stands under the key `portcullis`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Native {
    /// Only managed `sandbox.excludedCommands` count.
    pub managed_excluded_commands_only: Setting<bool>,
    /// Only managed settings can let a call leave the sandbox.
    pub managed_sandbox_escape_only: Setting<bool>,
    /// Sandboxed commands do not see the credentials of the built-in list.
    pub scrub_env: Setting<bool>,
    /// Sandboxed commands may make user namespaces of their own.
    pub allow_nested: Setting<bool>,
    /// Where decisions are logged, as written.
    pub log: Setting<Option<String>>,
    /// Whether names may lead commands into private networks.
    pub private_addresses: Setting<PrivateAddresses>,
}

/// Whether names may lead into private networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrivateAddresses {
    /// Every allowed name.
    Allow,
    /// Only names that a trusted layer allows by exact name.
    #[default]
    Exact,
    /// None; only addresses that are listed themselves.
    Deny,
}

impl PrivateAddresses {
    /// Reads the word of a flag or setting.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "exact" => Some(Self::Exact),
            "allow" => Some(Self::Allow),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }
}

/// Tools whose calls a `Read` deny can stop, beside `Read`.
const READ_FAMILY: &[&str] = &["Glob", "Grep", "LS", "Edit", "MultiEdit", "Write"];

/// Tools whose calls an `Edit` deny can stop, beside `Edit`.
const EDIT_FAMILY: &[&str] = &["MultiEdit", "NotebookEdit", "Write"];
