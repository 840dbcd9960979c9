//! What only a history shows: rules that decided nothing, and rules that others take calls from.

use crate::replayed::{Hits, Replayed};
use portcullis_audit::tables::catalogue::{Entry, PARTLY_SHADOWED, STALE};
use portcullis_audit::{Evidence, Finding, Related, Witness};
use portcullis_model::{Decision, RuleRef};
use portcullis_policy::{Policy, PolicyRule};
use portcullis_rules::Specifier;
use std::collections::BTreeMap;

/// Findings about the rules of a policy under a history.
pub(crate) fn check(
    policy: &Policy,
    replayed: &[Replayed<'_>],
    hits: &BTreeMap<RuleRef, Hits>,
) -> Vec<Finding> {
    if replayed.is_empty() {
        return Vec::new();
    }
    let mut findings: Vec<Finding> =
        policy.allow.list.iter().filter_map(|rule| partly_shadowed(rule, replayed)).collect();
    for rule in [&policy.deny, &policy.ask, &policy.allow].into_iter().flat_map(|rules| &rules.list)
    {
        if !hits.contains_key(&rule.reference) {
            let calls: u64 = replayed.iter().map(|each| each.entry.count).sum();
            let message =
                format!("`{}` decided none of {calls} recorded calls", rule.reference.text);
            findings.push(about(&STALE, &rule.reference, message));
        }
    }
    findings
}

/// An allow rule whose text matches calls that deny or ask rules decided.
fn partly_shadowed(rule: &PolicyRule, replayed: &[Replayed<'_>]) -> Option<Finding> {
    let Specifier::Command(pattern) = rule.rule.specifier() else { return None };
    let (mut all, mut lost, mut shown) = (0, 0, Vec::new());
    let mut by: Vec<&RuleRef> = Vec::new();
    for each in replayed {
        let question = &each.entry.question;
        if question.tool != "Bash" || !pattern.matches_text(&question.text) {
            continue;
        }
        all += each.entry.count;
        if each.now == Decision::Allow || each.rules.is_empty() {
            continue;
        }
        lost += each.entry.count;
        by.extend(&each.rules);
        if shown.len() < 3 {
            shown.push(Witness {
                question: question.clone(),
                decision: each.now,
                note: each.reason.clone(),
            });
        }
    }
    // What loses every call is shadowed, or was never used.
    if lost == 0 || lost == all {
        return None;
    }
    by.sort();
    by.dedup();
    let percent = lost * 100 / all;
    let message = format!(
        "`{}` loses {lost} of {all} recorded calls ({percent} %) to other rules",
        rule.reference.text
    );
    let mut finding = about(&PARTLY_SHADOWED, &rule.reference, message);
    finding.related = by
        .into_iter()
        .take(3)
        .map(|rule| Related {
            source: rule.source.clone(),
            note: format!("{} rule `{}`", rule.class.word(), rule.text),
        })
        .collect();
    finding.witnesses = shown;
    Some(finding)
}

fn about(kind: &'static Entry, rule: &RuleRef, message: String) -> Finding {
    Finding {
        kind,
        severity: kind.severity,
        message,
        hint: kind.cure.to_owned(),
        rule: Some(rule.clone()),
        source: rule.source.clone(),
        related: Vec::new(),
        witnesses: Vec::new(),
        evidence: Evidence::Proved,
        fix: None,
    }
}
