//! What changes between two policies: which calls get another verdict.
//!
//! For each realm (commands, files, hosts, names, fields, whole tools) the rules of both policies go
//! into one product that is explored to its end: every combination of rules that some text can meet, with
//! a shortest text of each. Where the strictest rules of a combination mean another verdict, the text is
//! put to the evaluator under both policies; only what the evaluator says is shown. A change that the
//! rules predict and no call shows, and a product that is too large, is a doubt: not proven.

mod beside;
mod commands;
mod excluded;
mod hunt;
mod realms;
mod universe;

use crate::checks::shadowed::examples;
use crate::cover::{FRESH, command_of};
use crate::realm::Realm;
use crate::settings::{SettingChange, settings};
use crate::tables::everyday::{EVERYDAY, READING};
use crate::{Limits, Question, Stage};
use portcullis_model::{AbsPath, Because, Decision, Mode, RuleRef, Verdict, quote_word};
use portcullis_policy::{Policy, PolicyRule};
use portcullis_rules::automaton::Effort;
use portcullis_rules::{ToolPattern, known_tools};
use std::collections::BTreeMap;

/// How two policies differ.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// The kinds of changes, looser ones first, each with its shortest call.
    pub flips: Vec<Flip>,
    /// Rules only the old policy has.
    pub removed: Vec<RuleRef>,
    /// Rules only the new policy has.
    pub added: Vec<RuleRef>,
    /// Switches and lists that changed.
    pub settings: Vec<SettingChange>,
    /// What could not be settled.
    pub doubts: Vec<Doubt>,
    /// How many combinations of rules were looked at.
    pub states: usize,
    /// How many calls were put to both policies.
    pub questions: usize,
}

impl Difference {
    /// Whether nothing changed: proved for every call.
    pub fn is_empty(&self) -> bool {
        self.flips.is_empty() && self.settings.is_empty() && self.doubts.is_empty()
    }

    /// Whether some call may get more than before; what is not settled counts.
    pub fn gives_access(&self) -> bool {
        self.doubts.iter().any(|doubt| doubt.loosens)
            || self.flips.iter().any(|flip| flip.cell.to < flip.cell.from)
            || self.settings.iter().any(|change| change.direction.may_loosen())
    }
}

/// Something that is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What, in one line.
    pub text: String,
    /// Whether some call may get more than before.
    pub loosens: bool,
}

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The verdict before.
    pub from: Decision,
    /// The verdict after.
    pub to: Decision,
}

/// A kind of change with what shows it.
#[derive(Clone, Debug)]
pub struct Flip {
    /// From what to what.
    pub cell: Cell,
    /// The calls found, shortest first.
    pub changes: Vec<Change>,
    /// How many were found.
    pub count: usize,
}

/// One call that changes its verdict.
#[derive(Clone, Debug)]
pub struct Change {
    /// The call.
    pub question: Question,
    /// Why it was decided as it was.
    pub before: String,
    /// Why it is decided as it is.
    pub after: String,
    /// The rules that make the difference.
    pub rules: Vec<RuleRef>,
}

/// Compares two policies, each in its own mode unless the stage names one.
pub fn diff(old: &Policy, new: &Policy, stage: &Stage, limits: &Limits) -> Difference {
    let changed = Changed { old_only: only_in(old, new), new_only: only_in(new, old) };
    let mut search = Search {
        old,
        new,
        stage,
        steps: limits.steps,
        effort: limits.product,
        asked: BTreeMap::new(),
        found: BTreeMap::new(),
        doubts: Vec::new(),
        states: 0,
    };
    if changed.rules().next().is_some() || excluded::differ(old, new) {
        realms::compare(&mut search, &changed);
        beside::compare(&mut search, &changed);
        search.examples(&changed);
    }
    let mut settings = settings(old, new, stage);
    settings.extend(excluded::change(old, new, stage, limits));
    // What other than patterns over commands may decide.
    if !settings.is_empty() || changed.rules().any(|rule| !is_command(rule)) {
        search.everyday();
    }
    let refs = |rules: &[&PolicyRule]| rules.iter().map(|rule| rule.reference.clone()).collect();
    let (questions, found) = (search.asked.len(), search.found);
    // A doubt about a kind of change that was found says nothing more.
    let mut doubts = search.doubts;
    doubts.dedup();
    let mut flips: Vec<Flip> = found
        .into_iter()
        .map(|(cell, mut changes)| {
            changes.sort_by(|a, b| {
                let key =
                    |change: &Change| (change.question.text.len(), change.question.text.clone());
                key(a).cmp(&key(b))
            });
            let count = changes.len();
            changes.truncate(SHOWN);
            Flip { cell, changes, count }
        })
        .collect();
    flips.sort_by_key(|flip| (flip.cell.to >= flip.cell.from, flip.cell.to, flip.cell.from));
    Difference {
        flips,
        removed: refs(&changed.old_only),
        added: refs(&changed.new_only),
        settings,
        doubts,
        states: search.states,
        questions,
    }
}

/// The rules that only one of the policies has.
struct Changed<'p> {
    old_only: Vec<&'p PolicyRule>,
    new_only: Vec<&'p PolicyRule>,
}

impl<'p> Changed<'p> {
    fn rules(&self) -> impl Iterator<Item = &'p PolicyRule> {
        self.old_only.iter().chain(&self.new_only).copied()
    }
}

struct Search<'a> {
    old: &'a Policy,
    new: &'a Policy,
    stage: &'a Stage,
    /// Steps of one proof about one rule.
    steps: usize,
    /// What is left for products.
    effort: Effort,
    asked: BTreeMap<(String, String), Option<Cell>>,
    found: BTreeMap<Cell, Vec<Change>>,
    doubts: Vec<Doubt>,
    states: usize,
}

impl<'a> Search<'a> {
    /// Puts a call to both policies: the change of its verdict, if it changes.
    fn ask(&mut self, question: &Question) -> Option<Cell> {
        let key = (question.tool.clone(), question.text.clone());
        if let Some(known) = self.asked.get(&key) {
            return *known;
        }
        let facts = self.stage.facts(question);
        let [from, to] = [self.old, self.new].map(|p| self.stage.brief(p, &facts).decision);
        let cell = Cell { from, to };
        let changes = from != to;
        self.asked.insert(key, changes.then_some(cell));
        if !changes {
            return None;
        }
        let before = self.stage.judge(self.old, &facts);
        let after = self.stage.judge(self.new, &facts);
        let mut rules = deciding(&before);
        rules.extend(deciding(&after));
        rules.dedup();
        self.found.entry(cell).or_default().push(Change {
            question: question.clone(),
            before: before.reason,
            after: after.reason,
            rules,
        });
        Some(cell)
    }

    /// Whether a call was found that changes its verdict like that.
    fn knows(&self, cell: Cell) -> bool {
        self.found.contains_key(&cell)
    }

    fn found_so_far(&self) -> usize {
        self.found.values().map(Vec::len).sum()
    }

    /// Leaves something open.
    fn open(&mut self, text: &str) {
        self.doubts.push(Doubt { text: text.to_owned(), loosens: true });
    }

    /// The mode that calls are judged in.
    fn mode(&self, policy: &Policy) -> Mode {
        let mode = self.stage.mode_under(policy);
        let locked = match mode {
            Mode::BypassPermissions => policy.bypass_disabled.is_some(),
            Mode::Auto => policy.auto_disabled.is_some(),
            Mode::Default | Mode::AcceptEdits | Mode::Plan | Mode::DontAsk => false,
        };
        if locked { Mode::Default } else { mode }
    }

    /// Whether the sandbox alone is enough to run a command.
    fn is_contained(&self, policy: &Policy) -> bool {
        let sandbox = &policy.sandbox;
        sandbox.enabled.value && sandbox.auto_allow.value && self.mode(policy) != Mode::Plan
    }

    /// Whether a command may ask to leave the sandbox.
    fn lets_out(policy: &Policy) -> bool {
        let sandbox = &policy.sandbox;
        sandbox.enabled.value && sandbox.allow_unsandboxed.value
    }

    /// Puts a command to both policies: as it is, and outside the sandbox where one lets it out.
    fn ask_command(&mut self, question: &Question) {
        self.ask(question);
        if question.tool == "Bash" && [self.old, self.new].iter().any(|p| Self::lets_out(p)) {
            self.ask(&beside::outside(question.clone()));
        }
    }

    /// The directories that sessions of both policies work in.
    fn inside(&self) -> Vec<&'a AbsPath> {
        let (old, new) = (self.old, self.new);
        let both = old.directories.iter().map(|directory| &directory.path);
        let both = both.filter(|path| new.directories.iter().any(|other| other.path == **path));
        std::iter::once(&self.stage.project).chain(both).collect()
    }

    /// Names of tools that rules tell apart: all that are known or named, and one for each pattern.
    fn tool_names(&self) -> Vec<String> {
        let mut names: Vec<String> = known_tools().iter().map(|name| (*name).to_owned()).collect();
        for policy in [self.old, self.new] {
            for rule in [&policy.deny, &policy.ask, &policy.allow].iter().flat_map(|r| &r.list) {
                names.push(match rule.rule.tool() {
                    ToolPattern::Exact(name) => name.clone(),
                    ToolPattern::Glob(glob) => glob.sample("xy"),
                });
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// One call of each changed rule, as far as people look: so that each is seen to do something.
    fn examples(&mut self, changed: &Changed<'_>) {
        let fill = fill(self.old, self.new);
        for rules in [&changed.old_only, &changed.new_only] {
            for rule in rules.iter().take(EXAMPLES) {
                for question in examples(rule, fill) {
                    self.ask(&question);
                }
            }
        }
    }

    /// Commands of every day, which settings other than rules may decide.
    fn everyday(&mut self) {
        let (project, home) = (self.stage.project.clone(), self.stage.home.clone());
        for question in everyday(project.as_str(), home.as_str()) {
            self.ask(&question);
        }
        for command in READING.iter().chain(MORE) {
            self.ask(&Question::bash(*command));
        }
        for path in ["/etc/hosts", "src/x", ".git/config", "../x"] {
            if let Ok(path) = project.join(path) {
                self.ask(&Question::read(path.as_str()));
                self.ask(&Question::edit(path.as_str()));
            }
        }
        for directory in self.old.directories.iter().chain(&self.new.directories) {
            if let Ok(path) = directory.path.join("x") {
                self.ask(&Question::read(path.as_str()));
                self.ask(&Question::edit(path.as_str()));
            }
            let everything = format!("rm -rf {}/*", quote_word(directory.path.as_str()));
            self.ask(&Question::bash(everything));
        }
        self.ask(&beside::outside(Question::bash("x")));
    }
}

/// The calls of a working day on a stage.
pub(crate) fn everyday(project: &str, home: &str) -> Vec<Question> {
    EVERYDAY
        .iter()
        .map(|(tool, text, _)| {
            let text = text.replace("{project}", project).replace("{home}", home);
            match *tool {
                "Read" => Question::read(&text),
                "Edit" => Question::edit(&text),
                "WebFetch" => Question::fetch(&text),
                _ => Question::bash(text),
            }
        })
        .collect()
}

/// The rules that one policy has and the other has not, in their order.
fn only_in<'p>(policy: &'p Policy, other: &Policy) -> Vec<&'p PolicyRule> {
    let mut out = Vec::new();
    for (own, theirs) in
        [(&policy.deny, &other.deny), (&policy.ask, &other.ask), (&policy.allow, &other.allow)]
    {
        let mut known: BTreeMap<&str, Vec<&PolicyRule>> = BTreeMap::new();
        for rule in &theirs.list {
            known.entry(rule.rule.text()).or_default().push(rule);
        }
        out.extend(own.list.iter().filter(|rule| {
            !known
                .get(rule.rule.text())
                .is_some_and(|same| same.iter().any(|other| other.paths == rule.paths))
        }));
    }
    out
}

/// A word that stands in no rule of either policy: what it fills only a star can read.
fn fill(old: &Policy, new: &Policy) -> &'static str {
    let rules = || {
        let lists = [&old.deny, &old.ask, &old.allow, &new.deny, &new.ask, &new.allow];
        lists.into_iter().flat_map(|rules| &rules.list)
    };
    let free = |word: &&&str| !rules().any(|rule| rule.rule.text().contains(**word));
    FILLS.iter().find(free).copied().unwrap_or(FRESH)
}

/// The calls that a text of a rule's language stands for.
pub(crate) fn questions(rule: &PolicyRule, text: &str) -> Vec<Question> {
    match Realm::of(rule) {
        Realm::Command(_) => vec![Question::bash(text)],
        Realm::Read(_) | Realm::Edit(_) => vec![
            Question::read(text),
            Question::edit(text),
            Question::of("NotebookEdit", "notebook_path", text),
        ],
        Realm::Host(_) => vec![Question::fetch(&format!("https://{text}/"))],
        Realm::Directory(_) => vec![Question::of("Cd", "path", text)],
        Realm::Name(_) => match rule.rule.tool().exact() {
            Some("Skill") => vec![Question::of("Skill", "skill", text)],
            _ => vec![Question::of("Agent", "subagent_type", text)],
        },
        Realm::Whole | Realm::Parameter(..) | Realm::Nothing => Vec::new(),
    }
}

/// The rules that made a verdict what it is.
fn deciding(verdict: &Verdict) -> Vec<RuleRef> {
    verdict
        .findings
        .iter()
        .filter(|finding| finding.decision == verdict.decision)
        .filter_map(|finding| match &finding.because {
            Because::Rule(rule) => Some(rule.clone()),
            Because::Builtin { .. }
            | Because::Mode { .. }
            | Because::Unanalyzable(_)
            | Because::Limit { .. }
            | Because::BrokenPolicy { .. }
            | Because::Hook { .. }
            | Because::Bug { .. } => None,
        })
        .collect()
}

/// Whether a rule's text is compared as a command.
pub(crate) fn is_command(rule: &PolicyRule) -> bool {
    command_of(rule).is_some()
}

/// Calls of one kind that are shown.
const SHOWN: usize = 5;

/// Changed rules of each policy that are shown at work.
const EXAMPLES: usize = 12;

/// Words to fill stars with, the most readable first.
const FILLS: &[&str] = &["x", "xy", "foo", "qux", "xyzzy"];

/// Commands that no rule may decide but a mode or the sandbox.
const MORE: &[&str] = &[
    "x",
    "mkdir x",
    "touch x",
    "rm x",
    "mv x y",
    "cp x y",
    "sed -i s/a/b/ x",
    "echo x > y",
    "echo x > /tmp/y",
    "cat /etc/hosts",
    "cat ~/.ssh/id_ed25519",
    "bash -c id",
    "$X",
];
