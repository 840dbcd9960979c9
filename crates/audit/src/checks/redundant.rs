//! Rules that another rule of their list covers.

use crate::audit::{Asker, Limits};
use crate::cover::{Cover, Covering, command_of};
use crate::finding::{Fix, Related};
use crate::tables::catalogue::{DUPLICATE, REDUNDANT};
use crate::{Finding, Question};
use portcullis_engine::tables::interpreters::runs_any_code;
use portcullis_model::RuleClass;
use portcullis_policy::{PolicyRule, Rules};

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
        let others = |other: &PolicyRule| !std::ptr::eq(other, rule);
        let covering = Covering { lists: &lists, counts: &others, steps: limits.steps };
        // Of what several rules cover only together, an unknown part of a command may fall between.
        let Cover::By(by) = covering.of(rule) else { continue };
        let [other] = by.as_slice() else { continue };
        if !stands_in(asker, other, rule) {
            continue;
        }
        let only = |candidate: &PolicyRule| std::ptr::eq(candidate, rule);
        let back = Covering { lists: &lists, counts: &only, steps: limits.steps };
        let same = matches!(back.of(other), Cover::By(_)) && stands_in(asker, rule, other);
        let place = rules.list.iter().position(|known| std::ptr::eq(known, *other));
        if same && place.is_some_and(|place| place > index) {
            // Said about the later of the two.
            continue;
        }
        findings.push(finding(rule, other, same));
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

/// Whether everything `rule` decides would be decided the same by `other`, beside what it matches.
fn stands_in(asker: &Asker<'_>, other: &PolicyRule, rule: &PolicyRule) -> bool {
    if rule.reference.class != RuleClass::Allow {
        return true;
    }
    let Some(pattern) = command_of(rule) else { return true };
    // Auto mode suspends wide rules for interpreters, and then the narrow one counts alone.
    if suspended(other) && !suspended(rule) {
        return false;
    }
    if command_of(other).is_none() {
        return true;
    }
    // `find -exec` and its like are allowed by the exact rule only, and so is what may be misread.
    let facts = asker.facts(&Question::bash(pattern.text()));
    !facts.commands.iter().any(|fact| fact.exact_only || fact.obscured.is_some())
}

/// Whether auto mode does not honour an allow rule.
fn suspended(rule: &PolicyRule) -> bool {
    let Some(pattern) = command_of(rule) else { return crate::cover::is_whole(rule) };
    let name = pattern.literal_prefix().split(' ').next().unwrap_or("");
    let name = name.rsplit('/').next().unwrap_or(name);
    pattern.has_wildcard() && (name.is_empty() || runs_any_code(name))
}
