//! What changes between two policies: which calls get another verdict.
//!
//! A call can only change its verdict by a rule that one policy has and the other has not. So each such
//! rule is asked: by its hardest texts, by its overlap with what the other policy says, by the very
//! text of an exact rule. Every call found this way is put to the evaluator under both policies; what
//! the overlap of automata cannot settle within the budget is reported as not settled.

use crate::checks::shadowed::examples;
use crate::cover::{FRESH, command_of};
use crate::realm::{Realm, same_tool};
use crate::settings::{SettingChange, settings};
use crate::tables::everyday::{EVERYDAY, READING};
use crate::{Limits, Question, Stage};
use portcullis_model::{Because, Decision, RuleClass, RuleRef, TextSet, Verdict};
use portcullis_policy::{Policy, PolicyRule, Rules};
use portcullis_rules::automaton::{Automaton, Budget, Inclusion, included};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Overlaps that could not be settled within the budget.
    pub unsettled: usize,
    /// How many calls were put to both policies.
    pub questions: usize,
}

impl Difference {
    /// Whether nothing changed, proved as far as rules go.
    pub fn is_empty(&self) -> bool {
        self.flips.is_empty() && self.settings.is_empty() && self.unsettled == 0
    }

    /// Whether some call may get more than before; what is not settled counts.
    pub fn gives_access(&self) -> bool {
        self.unsettled > 0
            || self.flips.iter().any(|flip| flip.cell.to < flip.cell.from)
            || self.settings.iter().any(|change| change.direction.may_loosen())
    }
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
    let old_only = only_in(old, new);
    let new_only = only_in(new, old);
    let mut search = Search {
        old,
        new,
        stage,
        steps: limits.steps,
        asked: BTreeSet::new(),
        found: BTreeMap::new(),
        unsettled: 0,
        left: limits.grants.max(1_000) * 8,
    };
    if !old_only.is_empty() || !new_only.is_empty() {
        let fill = fill(old, new);
        // Shortest calls first: of each kind of change only so many are asked about.
        let mut questions: Vec<Question> =
            old_only.iter().chain(&new_only).flat_map(|rule| about(rule, &fill)).collect();
        questions.sort_by_key(|question| question.text.len());
        for question in &questions {
            if !search.is_known_kind(question) {
                search.ask(question);
            }
        }
        for (rules, own, other) in [(&old_only, old, new), (&new_only, new, old)] {
            for rule in rules {
                if !search.all_found(rule, std::ptr::eq(own, old)) {
                    search.overlaps(rule, own, other);
                }
            }
        }
    }
    let settings = settings(old, new);
    // What other than patterns over commands may decide.
    let wide = |rule: &&PolicyRule| !is_command(rule);
    if !settings.is_empty() || old_only.iter().chain(&new_only).any(wide) {
        search.everyday();
    }
    let refs = |rules: &[&PolicyRule]| rules.iter().map(|rule| rule.reference.clone()).collect();
    let questions = search.asked.len();
    let mut flips: Vec<Flip> = search
        .found
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
        removed: refs(&old_only),
        added: refs(&new_only),
        settings,
        unsettled: search.unsettled,
        questions,
    }
}

struct Search<'a> {
    old: &'a Policy,
    new: &'a Policy,
    stage: &'a Stage,
    steps: usize,
    asked: BTreeSet<(String, String)>,
    found: BTreeMap<Cell, Vec<Change>>,
    unsettled: usize,
    left: usize,
}

impl Search<'_> {
    /// Puts a call to both policies.
    fn ask(&mut self, question: &Question) -> bool {
        if !self.asked.insert((question.tool.clone(), question.text.clone())) {
            return false;
        }
        let facts = self.stage.facts(question);
        let before = self.stage.judge(self.old, &facts);
        let after = self.stage.judge(self.new, &facts);
        if before.decision == after.decision {
            return false;
        }
        let cell = Cell { from: before.decision, to: after.decision };
        let mut rules = deciding(&before);
        rules.extend(deciding(&after));
        rules.dedup();
        self.found.entry(cell).or_default().push(Change {
            question: question.clone(),
            before: before.reason,
            after: after.reason,
            rules,
        });
        true
    }

    /// Whether enough calls were found that change their verdict as this one is bound to.
    ///
    /// What texts match predicts the verdicts of a command; it is used only to leave out further
    /// examples, never to show one.
    fn is_known_kind(&self, question: &Question) -> bool {
        if question.tool != "Bash" {
            return false;
        }
        let predicted = |policy: &Policy| {
            let texts = TextSet::literal(question.text.as_str());
            let matches = |rules: &Rules| {
                rules.command_candidates(&texts).any(|rule| {
                    command_of(rule).is_some_and(|own| own.matches_text(&question.text))
                })
            };
            if matches(&policy.deny) {
                Decision::Deny
            } else if !matches(&policy.ask) && matches(&policy.allow) {
                Decision::Allow
            } else {
                Decision::Ask
            }
        };
        let cell = Cell { from: predicted(self.old), to: predicted(self.new) };
        self.found.get(&cell).is_some_and(|changes| changes.len() >= ENOUGH)
    }

    /// Whether every kind of change that a rule can make was found already.
    fn all_found(&self, rule: &PolicyRule, in_old: bool) -> bool {
        let own = match rule.reference.class {
            RuleClass::Allow => Decision::Allow,
            RuleClass::Ask => Decision::Ask,
            RuleClass::Deny => Decision::Deny,
        };
        let others: &[Decision] = match own {
            Decision::Allow => &[Decision::Ask],
            Decision::Ask => &[Decision::Allow],
            Decision::Deny => &[Decision::Ask, Decision::Allow],
        };
        others.iter().all(|other| {
            let cell = if in_old {
                Cell { from: own, to: *other }
            } else {
                Cell { from: *other, to: own }
            };
            self.found.contains_key(&cell)
        })
    }

    /// Asks about the calls of a rule that the other policy decides by weaker rules: the overlap with
    /// each of them, without what stricter rules take.
    fn overlaps(&mut self, rule: &PolicyRule, own: &Policy, other: &Policy) {
        let class = rule.reference.class;
        let weaker: &[&Rules] = match class {
            RuleClass::Deny => &[&other.ask, &other.allow],
            RuleClass::Ask => &[&other.allow],
            RuleClass::Allow => &[],
        };
        let Some(language) = language(rule) else { return };
        let mut stricter: Vec<&PolicyRule> = Vec::new();
        let own_stricter: &[&Rules] = match class {
            RuleClass::Deny => &[],
            RuleClass::Ask => &[&own.deny],
            RuleClass::Allow => &[&own.deny, &own.ask],
        };
        for rules in own_stricter {
            stricter.extend(near(rules, rule));
        }
        let mut theirs: Vec<&PolicyRule> = near(&other.deny, rule);
        if class != RuleClass::Deny {
            theirs.extend(near(&other.ask, rule));
        }
        // What is left of the rule where the other policy says nothing.
        let mut rest: Vec<&PolicyRule> = stricter.clone();
        rest.extend(near(&other.deny, rule));
        rest.extend(near(&other.ask, rule));
        rest.extend(near(&other.allow, rule));
        self.outside(rule, &language, &rest);
        for weak in weaker.iter().flat_map(|rules| near(rules, rule)) {
            let Some(weak_language) = language_of(weak) else { continue };
            let mut budget = Budget::new(self.steps);
            match language.intersects(&weak_language, &mut budget) {
                Some(false) => continue,
                Some(true) => {}
                None => {
                    self.unsettled += 1;
                    continue;
                }
            }
            let Some(both) = language.intersection(&weak_language, &mut budget) else {
                self.unsettled += 1;
                continue;
            };
            let mut taken: Vec<&PolicyRule> = stricter.clone();
            taken.extend(theirs.iter().copied());
            if weak.reference.class == RuleClass::Allow {
                taken.extend(near(&other.ask, rule));
            }
            self.outside(rule, &both, &taken);
        }
    }

    /// Asks about a shortest text of a language that none of these rules matches.
    fn outside(&mut self, rule: &PolicyRule, language: &Automaton, rules: &[&PolicyRule]) {
        if self.left == 0 {
            self.unsettled += 1;
            return;
        }
        self.left -= 1;
        let others: Vec<Automaton> = rules.iter().filter_map(|rule| language_of(rule)).collect();
        let others: Vec<&Automaton> = others.iter().collect();
        match included(language, &others, &mut Budget::new(self.steps)) {
            Some(Inclusion::Holds) => {}
            Some(Inclusion::Fails(text)) => {
                if let Ok(text) = String::from_utf8(text) {
                    for question in questions(rule, &text) {
                        self.ask(&question);
                    }
                }
            }
            None => self.unsettled += 1,
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
        }
        let mut unsandboxed = Question::bash("x");
        let yes = portcullis_model::InputValue::Scalar("true".to_owned());
        unsandboxed.input.0.insert("dangerouslyDisableSandbox".to_owned(), yes);
        "x (outside the sandbox)".clone_into(&mut unsandboxed.text);
        self.ask(&unsandboxed);
    }
}

/// Calls that a rule is about.
fn about(rule: &PolicyRule, fill: &str) -> Vec<Question> {
    let mut out = examples(rule, fill);
    if let Realm::Command(pattern) = Realm::of(rule) {
        // What only an exact rule allows, and what the text itself is a command for.
        if !pattern.has_wildcard() || pattern.holds_separators() {
            out.push(Question::bash(pattern.text()));
        } else if pattern.literal_prefix().is_empty() {
            let readers = READING.iter().flat_map(|command| pattern.samples(command));
            out.extend(readers.map(Question::bash));
        }
    }
    let witness = |paths: &portcullis_rules::PathMatcher| {
        paths.automaton().witness().and_then(|path| String::from_utf8(path).ok())
    };
    if let Realm::Edit(paths) = Realm::of(rule)
        && let Some(path) = witness(paths)
    {
        out.push(Question::read(&path));
        out.push(Question::of("Write", "file_path", &path));
        out.push(Question::of("NotebookEdit", "notebook_path", &path));
    }
    if let Realm::Read(paths) = Realm::of(rule)
        && let Some(path) = witness(paths)
    {
        out.push(Question::edit(&path));
        out.push(Question::bash(format!("cat {path}")));
    }
    if matches!(Realm::of(rule), Realm::Whole) && rule.rule.tool().matches("Bash") {
        out.extend(READING.iter().map(|command| Question::bash(*command)));
    }
    out
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
fn fill(old: &Policy, new: &Policy) -> String {
    let texts = || {
        [old, new]
            .into_iter()
            .flat_map(|policy| [&policy.deny, &policy.ask, &policy.allow])
            .flat_map(|rules| &rules.list)
            .map(|rule| rule.rule.text())
    };
    let free = |word: &&&str| !texts().any(|text| text.contains(**word));
    FILLS.iter().find(free).map_or_else(|| FRESH.to_owned(), |word| (*word).to_owned())
}

/// Rules that may match what a rule matches.
fn near<'p>(rules: &'p Rules, rule: &PolicyRule) -> Vec<&'p PolicyRule> {
    rules.list.iter().filter(|other| may_meet(rule, other)).collect()
}

fn may_meet(left: &PolicyRule, right: &PolicyRule) -> bool {
    match (Realm::of(left), Realm::of(right)) {
        (Realm::Command(a), Realm::Command(b)) => {
            let (a, b) = (a.literal_prefix(), b.literal_prefix());
            a.starts_with(b) || b.starts_with(a)
        }
        (Realm::Read(a) | Realm::Edit(a), Realm::Read(b) | Realm::Edit(b))
        | (Realm::Directory(a), Realm::Directory(b)) => {
            a.anchor().is_within(b.anchor()) || b.anchor().is_within(a.anchor())
        }
        (Realm::Host(_), Realm::Host(_)) => true,
        (Realm::Name(_), Realm::Name(_)) => same_tool(left, right),
        (_, Realm::Whole) => whole_meets(right, left),
        (
            Realm::Whole
            | Realm::Command(_)
            | Realm::Read(_)
            | Realm::Edit(_)
            | Realm::Host(_)
            | Realm::Name(_)
            | Realm::Directory(_)
            | Realm::Parameter(..)
            | Realm::Nothing,
            _,
        ) => false,
    }
}

/// Whether a rule for whole tools speaks about the calls of a rule.
fn whole_meets(whole: &PolicyRule, rule: &PolicyRule) -> bool {
    let name = match Realm::of(rule) {
        Realm::Command(_) => "Bash",
        Realm::Host(_) => "WebFetch",
        Realm::Read(_) => "Read",
        Realm::Edit(_) => "Edit",
        Realm::Directory(_) => "Cd",
        Realm::Name(_) | Realm::Parameter(..) => rule.rule.tool().exact().unwrap_or(""),
        Realm::Whole | Realm::Nothing => return false,
    };
    whole.rule.tool().matches(name)
}

/// What a rule matches in its realm.
fn language(rule: &PolicyRule) -> Option<Automaton> {
    match Realm::of(rule) {
        Realm::Whole | Realm::Parameter(..) | Realm::Nothing => None,
        Realm::Command(_)
        | Realm::Read(_)
        | Realm::Edit(_)
        | Realm::Host(_)
        | Realm::Name(_)
        | Realm::Directory(_) => language_of(rule),
    }
}

/// What a rule matches, a rule for whole tools everything.
fn language_of(rule: &PolicyRule) -> Option<Automaton> {
    Some(match Realm::of(rule) {
        Realm::Whole => portcullis_rules::Glob::new("*").automaton(),
        Realm::Command(pattern) => pattern.automaton(),
        Realm::Read(paths) | Realm::Edit(paths) | Realm::Directory(paths) => paths.automaton(),
        Realm::Host(pattern) => pattern.automaton(),
        Realm::Name(pattern) => pattern.automaton(),
        Realm::Parameter(_, value) => value.automaton(),
        Realm::Nothing => return None,
    })
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

/// Calls of one kind after which no more are asked about.
const ENOUGH: usize = 12;

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
