//! Rules that another rule of their list covers.

use crate::audit::{Asker, Limits};
use crate::cover::{Cover, Covering, command_of};
use crate::finding::{Fix, Related};
use crate::tables::catalogue::{DUPLICATE, REDUNDANT};
use crate::{Finding, Question};
use portcullis_engine::tables::interpreters::runs_any_code;
use portcullis_model::RuleClass;
use portcullis_policy::{PolicyRule, Rules};
use portcullis_rules::CommandPattern;
use std::cell::OnceCell;

pub(crate) fn check(asker: &Asker<'_>, limits: &Limits) -> Vec<Finding> {
    let policy = asker.policy();
    [&policy.deny, &policy.ask, &policy.allow]
        .into_iter()
        .flat_map(|rules| list(asker, rules, limits))
        .collect()
}

fn list(asker: &Asker<'_>, rules: &Rules, limits: &Limits) -> Vec<Finding> {
    let lists = [rules];
    let mut findings = Vec::new();
    for (index, rule) in rules.list.iter().enumerate() {
        let need = Need::of(asker, rule);
        let mut later: Vec<&PolicyRule> = Vec::new();
        // The first rule that is as wide need not be the one that stands in: all are looked at.
        loop {
            let counts = |other: &PolicyRule| {
                !std::ptr::eq(other, rule)
                    && !later.iter().any(|known| std::ptr::eq(*known, other))
                    && need.is_met_by(other)
            };
            let covering = Covering { lists: &lists, counts: &counts, steps: limits.steps };
            // Of what several rules cover only together, an unknown part of a command may fall between.
            let Cover::By(by) = covering.of(rule) else { break };
            let [other] = by.as_slice() else { break };
            let only = |candidate: &PolicyRule| std::ptr::eq(candidate, rule);
            let back = Covering { lists: &lists, counts: &only, steps: limits.steps };
            let same =
                matches!(back.of(other), Cover::By(_)) && Need::of(asker, other).is_met_by(rule);
            let place = rules.list.iter().position(|known| std::ptr::eq(known, *other));
            if same && place.is_some_and(|place| place > index) {
                // Said about the later of the two; a wider one may still cover both.
                later.push(other);
                continue;
            }
            findings.push(finding(rule, other, same));
            break;
        }
    }
    findings
}

fn finding(rule: &PolicyRule, other: &PolicyRule, same: bool) -> Finding {
    let (rule, other) = (&rule.reference, &other.reference);
    let (kind, message) = if same {
        (&DUPLICATE, format!("`{}` says the same as `{}`", rule.text, other.text))
    } else {
        (&REDUNDANT, format!("`{}` is covered by `{}`", rule.text, other.text))
    };
    let mut finding = Finding::about(kind, rule, message);
    finding.related = vec![Related::rule(other)];
    finding.fix = (rule.source.file == other.source.file).then_some(Fix::Remove);
    finding
}

/// What a rule has to be, beside as wide, to decide everything that another one decides.
struct Need<'q, 'p> {
    asker: &'q Asker<'q>,
    rule: &'p PolicyRule,
    /// The pattern, where more than the width counts: allow rules for commands.
    pattern: Option<&'p CommandPattern>,
    /// Auto mode honours the rule.
    honoured: bool,
    /// Whether only an exact rule allows what it matches; asked once somebody wants to know.
    exact: OnceCell<bool>,
}

impl<'q, 'p> Need<'q, 'p> {
    fn of(asker: &'q Asker<'q>, rule: &'p PolicyRule) -> Self {
        let allows = rule.reference.class == RuleClass::Allow;
        let pattern = command_of(rule).filter(|_| allows);
        let honoured = pattern.is_some() && !suspended(rule);
        Self { asker, rule, pattern, honoured, exact: OnceCell::new() }
    }

    /// Whether everything the rule decides would be decided the same by `other`, which is as wide.
    fn is_met_by(&self, other: &PolicyRule) -> bool {
        let Some(pattern) = self.pattern else { return true };
        if other.rule.text() == self.rule.rule.text() {
            return true;
        }
        // Auto mode suspends wide rules for interpreters, and then the narrow one counts alone.
        if self.honoured && suspended(other) {
            return false;
        }
        if command_of(other).is_none() {
            return true;
        }
        // `find -exec` and its like are allowed by the exact rule only, and so is what may be misread.
        !self.exact.get_or_init(|| {
            let facts = self.asker.facts(&Question::bash(pattern.text()));
            facts.commands.iter().any(|fact| fact.exact_only || fact.obscured.is_some())
        })
    }
}

/// Whether auto mode does not honour an allow rule.
fn suspended(rule: &PolicyRule) -> bool {
    let Some(pattern) = command_of(rule) else { return crate::cover::is_whole(rule) };
    let name = pattern.literal_prefix().split(' ').next().unwrap_or("");
    let name = name.rsplit('/').next().unwrap_or(name);
    pattern.has_wildcard() && (name.is_empty() || runs_any_code(name))
}
