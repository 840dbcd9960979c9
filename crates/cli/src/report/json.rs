//! Audits, differences and tests as JSON.

use portcullis_audit::{Audit, Difference, Finding, Fix, Robustness, Witness};
use portcullis_model::{RuleRef, Source};
use serde_json::{Value, json};

/// Raised when a reader of older output would misread it.
pub const SCHEMA_VERSION: u32 = 1;

/// An audit.
pub fn audit(audit: &Audit, findings: &[&Finding], accepted: usize) -> Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "findings": findings.iter().map(|each| finding(each)).collect::<Vec<_>>(),
        "robustness": audit.robustness.iter().map(robustness).collect::<Vec<_>>(),
        "summary": {
            "rules": audit.rules,
            "questions": audit.questions,
            "accepted": accepted,
        },
    })
}

/// A finding.
pub fn finding(finding: &Finding) -> Value {
    let related: Vec<Value> = finding
        .related
        .iter()
        .map(|related| json!({ "note": related.note, "source": source(&related.source) }))
        .collect();
    let fix = finding.fix.as_ref().map(|fix| match fix {
        Fix::Remove => json!({ "action": "remove", "changes_verdicts": false }),
        Fix::Replace(rule) => {
            json!({ "action": "replace", "rule": rule, "changes_verdicts": true })
        }
    });
    json!({
        "id": finding.kind.id,
        "title": finding.kind.title,
        "severity": finding.severity.word(),
        "message": finding.message,
        "hint": finding.hint,
        "evidence": finding.evidence.word(),
        "fingerprint": finding.fingerprint(),
        "rule": finding.rule.as_ref().map(|rule| rule.text.clone()),
        "class": finding.rule.as_ref().map(|rule| rule.class.word()),
        "source": source(&finding.source),
        "related": related,
        "witnesses": finding.witnesses.iter().map(witness).collect::<Vec<_>>(),
        "fix": fix,
    })
}

/// A witness.
pub fn witness(witness: &Witness) -> Value {
    json!({
        "tool_name": witness.question.tool,
        "text": witness.question.text,
        "decision": witness.decision.word(),
        "note": witness.note,
    })
}

fn robustness(rule: &Robustness) -> Value {
    let [denied, asked, allowed] = rule.counts();
    let through: Vec<Value> = rule
        .trials
        .iter()
        .filter(|trial| trial.outcome != portcullis_audit::Outcome::Denied)
        .map(|trial| {
            json!({ "way": trial.way, "text": trial.question.text, "outcome": trial.outcome.word() })
        })
        .collect();
    json!({
        "rule": rule.rule.text,
        "source": source(&rule.rule.source),
        "denied": denied,
        "asked": asked,
        "allowed": allowed,
        "not_denied": through,
    })
}

/// A difference.
pub fn difference(difference: &Difference) -> Value {
    let flips: Vec<Value> = difference
        .flips
        .iter()
        .map(|flip| {
            let changes: Vec<Value> = flip
                .changes
                .iter()
                .map(|change| {
                    json!({
                        "tool_name": change.question.tool,
                        "text": change.question.text,
                        "before": change.before,
                        "after": change.after,
                        "rules": change.rules.iter().map(rule).collect::<Vec<_>>(),
                    })
                })
                .collect();
            json!({
                "from": flip.cell.from.word(),
                "to": flip.cell.to.word(),
                "found": flip.count,
                "calls": changes,
            })
        })
        .collect();
    let settings: Vec<Value> = difference
        .settings
        .iter()
        .map(|change| {
            json!({
                "key": change.key,
                "before": change.before,
                "after": change.after,
                "direction": change.direction.word(),
                "example": change.example.as_ref().map(portcullis_audit::Question::display),
            })
        })
        .collect();
    json!({
        "schema_version": SCHEMA_VERSION,
        "equal": difference.is_empty(),
        "gives_access": difference.gives_access(),
        "flips": flips,
        "settings": settings,
        "removed": difference.removed.iter().map(rule).collect::<Vec<_>>(),
        "added": difference.added.iter().map(rule).collect::<Vec<_>>(),
        "unsettled": difference
            .doubts
            .iter()
            .map(|doubt| json!({ "text": doubt.text, "may_loosen": doubt.loosens }))
            .collect::<Vec<_>>(),
        "combinations": difference.states,
        "questions": difference.questions,
    })
}

/// A rule with its place.
pub fn rule(rule: &RuleRef) -> Value {
    json!({ "class": rule.class.word(), "rule": rule.text, "source": source(&rule.source) })
}

/// A place.
pub fn source(source: &Source) -> Value {
    json!({
        "scope": source.scope.word(),
        "file": source.file,
        "line": source.line,
        "column": source.column,
    })
}
