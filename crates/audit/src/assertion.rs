//! Assertions about every call of a kind: `Bash(rm *)` is at least asked about.
//!
//! For rules the answer is a proof over automata; what runs without any rule (commands that only read,
//! files of the project) is not regular, and is tried on every kind of command that the built-in
//! allowance knows.

use crate::checks::shadowed::examples;
use crate::cover::{Cover, Covering};
use crate::diff::{is_command, questions};
use crate::realm::Realm;
use crate::tables::everyday::READING;
use crate::{Question, Stage, Witness};
use portcullis_model::{Decision, RuleClass};
use portcullis_policy::{Policy, PolicyRule, Rules};
use portcullis_rules::automaton::{Automaton, Budget, Inclusion, included};

/// What is asserted of every call that a pattern matches.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// The calls, as a deny rule of the policy's project: so its paths have their places.
    pub pattern: PolicyRule,
    /// What is asserted.
    pub bound: Bound,
}

/// A bound on verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// No verdict is weaker.
    AtLeast(Decision),
    /// No verdict is stricter.
    AtMost(Decision),
}

impl Bound {
    fn holds(self, decision: Decision) -> bool {
        match self {
            Self::AtLeast(least) => decision >= least,
            Self::AtMost(most) => decision <= most,
        }
    }
}

/// Whether an assertion holds.
#[derive(Clone, Debug)]
pub enum Holds {
    /// It does: for rules by proof, beside them for so many calls that were tried.
    Yes {
        /// How many calls were tried.
        tried: usize,
    },
    /// This call breaks it.
    No(Box<Witness>),
    /// It could not be settled within the budget.
    Unknown,
}

/// Decides an assertion.
pub fn hold(policy: &Policy, stage: &Stage, assertion: &Assertion, steps: usize) -> Holds {
    let mut tried = 0;
    let mut broken = |question: Question| {
        tried += 1;
        let verdict = stage.ask(policy, &question);
        (!assertion.bound.holds(verdict.decision)).then(|| {
            let note = verdict.reason;
            Box::new(Witness { question, decision: verdict.decision, note })
        })
    };
    let pattern = &assertion.pattern;
    for question in samples(pattern) {
        if let Some(witness) = broken(question) {
            return Holds::No(witness);
        }
    }
    let Some(language) = language(pattern) else { return Holds::Yes { tried } };
    // What could break it, and what keeps that from counting.
    let (breaking, stopping): (Vec<&Rules>, Vec<&Rules>) = match assertion.bound {
        Bound::AtLeast(Decision::Allow) | Bound::AtMost(Decision::Deny) => {
            return Holds::Yes { tried };
        }
        Bound::AtLeast(Decision::Ask) => (vec![&policy.allow], vec![&policy.deny, &policy.ask]),
        Bound::AtLeast(Decision::Deny) => {
            return denied(policy, pattern, steps, tried);
        }
        Bound::AtMost(Decision::Ask) => (vec![&policy.deny], Vec::new()),
        Bound::AtMost(Decision::Allow) => (vec![&policy.deny, &policy.ask], Vec::new()),
    };
    let stops: Vec<Automaton> = stopping
        .iter()
        .flat_map(|rules| &rules.list)
        .filter(|rule| speaks_of(rule, pattern))
        .filter_map(language_or_all)
        .collect();
    let stops: Vec<&Automaton> = stops.iter().collect();
    for rule in breaking.iter().flat_map(|rules| &rules.list) {
        if !speaks_of(rule, pattern) {
            continue;
        }
        let Some(other) = language_or_all(rule) else { continue };
        let mut budget = Budget::new(steps);
        let Some(both) = language.intersection(&other, &mut budget) else { return Holds::Unknown };
        match included(&both, &stops, &mut budget) {
            Some(Inclusion::Holds) => {}
            None => return Holds::Unknown,
            Some(Inclusion::Fails(text)) => {
                let Ok(text) = String::from_utf8(text) else { return Holds::Unknown };
                for question in asked(pattern, &text) {
                    if let Some(witness) = broken(question) {
                        return Holds::No(witness);
                    }
                }
            }
        }
    }
    Holds::Yes { tried }
}

/// Every call has to be denied by a rule.
fn denied(policy: &Policy, pattern: &PolicyRule, steps: usize, tried: usize) -> Holds {
    let all = |_: &PolicyRule| true;
    let lists = [&policy.deny];
    match (Covering { lists: &lists, counts: &all, steps }).of(pattern) {
        Cover::By(_) => Holds::Yes { tried },
        // The samples were denied by something else: a mode, or rules of another realm.
        Cover::Open | Cover::Unknown => Holds::Unknown,
    }
}

/// Calls of a pattern to try: its own, and those that run without a rule.
fn samples(pattern: &PolicyRule) -> Vec<Question> {
    let mut out = examples(pattern, "x");
    match Realm::of(pattern) {
        Realm::Command(command) => {
            out.extend(
                READING
                    .iter()
                    .filter(|text| command.matches_text(text))
                    .map(|text| Question::bash(*text)),
            );
        }
        Realm::Whole if pattern.rule.tool().matches("Bash") => {
            out.extend(READING.iter().map(|text| Question::bash(*text)));
        }
        Realm::Read(_) => {
            let reads: Vec<Question> =
                out.iter().map(|q| Question::bash(format!("cat {}", q.text))).collect();
            out.extend(reads);
        }
        Realm::Edit(_) => {
            let writes: Vec<Question> = out
                .iter()
                .flat_map(|q| {
                    [
                        Question::of("Write", "file_path", &q.text),
                        Question::bash(format!("tee {}", q.text)),
                    ]
                })
                .collect();
            out.extend(writes);
        }
        Realm::Whole
        | Realm::Host(_)
        | Realm::Name(_)
        | Realm::Directory(_)
        | Realm::Parameter(..)
        | Realm::Nothing => {}
    }
    out
}

/// The calls that a text stands for, as the pattern means them.
fn asked(pattern: &PolicyRule, text: &str) -> Vec<Question> {
    match Realm::of(pattern) {
        Realm::Read(_) => vec![Question::read(text)],
        Realm::Edit(_) => vec![Question::edit(text)],
        Realm::Whole
        | Realm::Command(_)
        | Realm::Host(_)
        | Realm::Name(_)
        | Realm::Directory(_)
        | Realm::Parameter(..)
        | Realm::Nothing => {
            if is_command(pattern) {
                vec![Question::bash(text)]
            } else {
                questions(pattern, text)
            }
        }
    }
}

fn language(pattern: &PolicyRule) -> Option<Automaton> {
    match Realm::of(pattern) {
        Realm::Command(command) => Some(command.automaton()),
        Realm::Read(paths) | Realm::Edit(paths) | Realm::Directory(paths) => {
            Some(paths.automaton())
        }
        Realm::Host(host) => Some(host.automaton()),
        Realm::Name(name) => Some(name.automaton()),
        Realm::Whole | Realm::Parameter(..) | Realm::Nothing => None,
    }
}

fn language_or_all(rule: &PolicyRule) -> Option<Automaton> {
    match Realm::of(rule) {
        Realm::Whole => Some(portcullis_rules::Glob::new("*").automaton()),
        Realm::Parameter(..) | Realm::Nothing => None,
        Realm::Command(_)
        | Realm::Read(_)
        | Realm::Edit(_)
        | Realm::Host(_)
        | Realm::Name(_)
        | Realm::Directory(_) => language(rule),
    }
}

/// Whether a rule is about calls of the pattern's realm.
fn speaks_of(rule: &PolicyRule, pattern: &PolicyRule) -> bool {
    match (Realm::of(pattern), Realm::of(rule)) {
        (Realm::Command(_), Realm::Command(_)) | (Realm::Host(_), Realm::Host(_)) => true,
        (Realm::Read(_), Realm::Read(_) | Realm::Edit(_)) => {
            rule.reference.class == RuleClass::Allow || Realm::of(rule).read().is_some()
        }
        (Realm::Edit(_), Realm::Edit(_)) => true,
        (Realm::Edit(_), Realm::Read(_)) => rule.reference.class == RuleClass::Deny,
        (Realm::Name(_), Realm::Name(_)) => crate::realm::same_tool(rule, pattern),
        (Realm::Directory(_), Realm::Directory(_)) => true,
        (Realm::Command(_), Realm::Whole) => rule.rule.tool().matches("Bash"),
        (Realm::Host(_), Realm::Whole) => rule.rule.tool().matches("WebFetch"),
        (Realm::Read(_), Realm::Whole) => rule.rule.tool().matches("Read"),
        (Realm::Edit(_), Realm::Whole) => rule.rule.tool().matches("Edit"),
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
