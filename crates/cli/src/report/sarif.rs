//! Findings as SARIF 2.1.0, as code hosts show them beside the lines they are about.

use portcullis_audit::tables::catalogue::{CATALOGUE, Entry};
use portcullis_audit::{Finding, Fix};
use portcullis_model::Source;
use portcullis_policy::Severity;
use serde_json::{Map, Value, json};

/// A finding that a baseline accepts, and why.
#[derive(Clone, Debug)]
pub struct Accepted<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The reason the baseline gives.
    pub reason: String,
}

/// One run of the audit. `root` is the directory that locations are given relative to.
pub fn log(findings: &[&Finding], accepted: &[Accepted<'_>], root: &str) -> Value {
    let mut results: Vec<Value> =
        findings.iter().map(|finding| result(finding, None, root)).collect();
    results.extend(accepted.iter().map(|each| result(each.finding, Some(&each.reason), root)));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "portcullis",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": CATALOGUE.iter().map(|entry| descriptor(entry)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn descriptor(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "shortDescription": { "text": entry.title },
        "fullDescription": { "text": entry.meaning },
        "help": {
            "text": entry.cure,
            "markdown": format!("{}\n\nExample: `{}`\n\nWhat to do: {}", entry.meaning, entry.example, entry.cure),
        },
        "defaultConfiguration": { "level": level(entry.severity) },
    })
}

fn result(finding: &Finding, reason: Option<&str>, root: &str) -> Value {
    let mut out = Map::new();
    out.insert("ruleId".into(), finding.kind.id.into());
    let index = CATALOGUE.iter().position(|entry| entry.id == finding.kind.id);
    out.insert("ruleIndex".into(), index.into());
    out.insert("level".into(), level(finding.severity).into());
    out.insert("message".into(), json!({ "text": finding.message }));
    let length = finding
        .rule
        .as_ref()
        .map_or(1, |rule| Value::from(rule.text.as_str()).to_string().chars().count());
    out.insert("locations".into(), json!([location(&finding.source, length, root)]));
    if !finding.related.is_empty() {
        let related: Vec<Value> = finding
            .related
            .iter()
            .enumerate()
            .map(|(index, related)| {
                let mut at = location(&related.source, 1, root);
                if let Some(fields) = at.as_object_mut() {
                    fields.insert("id".into(), (index + 1).into());
                    fields.insert("message".into(), json!({ "text": related.note }));
                }
                at
            })
            .collect();
        out.insert("relatedLocations".into(), related.into());
    }
    out.insert("partialFingerprints".into(), json!({ "portcullis/v1": finding.fingerprint() }));
    let witnesses: Vec<Value> = finding.witnesses.iter().map(super::json::witness).collect();
    out.insert(
        "properties".into(),
        json!({ "evidence": finding.evidence.word(), "witnesses": witnesses }),
    );
    if let (Some(Fix::Replace(rule)), true) = (&finding.fix, finding.source.line > 0) {
        let text = Value::from(rule.as_str()).to_string();
        let fix = json!([{
            "description": { "text": format!("write `{rule}`") },
            "artifactChanges": [{
                "artifactLocation": { "uri": uri(&finding.source.file, root) },
                "replacements": [{
                    "deletedRegion": region(&finding.source, length),
                    "insertedContent": { "text": text },
                }],
            }],
        }]);
        out.insert("fixes".into(), fix);
    }
    if let Some(reason) = reason {
        out.insert(
            "suppressions".into(),
            json!([{ "kind": "external", "status": "accepted", "justification": reason }]),
        );
    }
    Value::Object(out)
}

fn location(source: &Source, length: usize, root: &str) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(&source.file, root) } });
    if source.line > 0
        && let Some(fields) = physical.as_object_mut()
    {
        fields.insert("region".into(), region(source, length));
    }
    json!({ "physicalLocation": physical })
}

fn region(source: &Source, length: usize) -> Value {
    json!({
        "startLine": source.line,
        "startColumn": source.column.max(1),
        "endColumn": source.column.max(1) + length,
    })
}

/// A path as a relative reference, percent-encoded where RFC 3986 asks for it.
fn uri(file: &str, root: &str) -> String {
    let inside = file.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
    let (prefix, path) = match inside {
        Some(path) => ("", path),
        None if file.starts_with('/') => ("file://", file),
        None => ("", file),
    };
    let mut out = prefix.to_owned();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend([format!("%{byte:02X}")]);
        }
    }
    out
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
