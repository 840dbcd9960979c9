//! What the readers of settings and rules already say, as findings.

use crate::Finding;
use crate::finding::Evidence;
use crate::tables::catalogue::{ADRIFT, BROKEN, DEAD, Entry, OUT_OF_FORCE, UNKNOWN_NAME, UNREAD};
use portcullis_policy::{Policy, Severity};

pub(crate) fn check(policy: &Policy) -> Vec<Finding> {
    policy
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let kind = kind(diagnostic.code, diagnostic.severity);
            Finding {
                kind,
                severity: diagnostic.severity,
                message: diagnostic.message.clone(),
                hint: diagnostic.hint.clone(),
                rule: None,
                source: diagnostic.source.clone(),
                related: Vec::new(),
                witnesses: Vec::new(),
                evidence: Evidence::Proved,
                fix: None,
            }
        })
        .collect()
}

/// The kind that a diagnostic's code belongs to.
fn kind(code: &str, severity: Severity) -> &'static Entry {
    match code {
        "rule-never-consulted"
        | "rule-content-field"
        | "rule-allow-glob"
        | "rule-parameter-in-allow" => &UNREAD,
        "rule-matches-nothing" | "rule-outer-blanks" | "rule-separators" | "rule-inner-prefix" => {
            &DEAD
        }
        "rule-surprising-path" => &ADRIFT,
        "rule-unknown-tool" | "rule-unknown-field" => &UNKNOWN_NAME,
        _ if severity == Severity::Error => &BROKEN,
        _ => &OUT_OF_FORCE,
    }
}
