//! Hooks of the settings that cannot run or never run, as findings.

use crate::session::Session;
use portcullis_audit::tables::catalogue::{Entry, HOOK_IDLE, HOOK_MISSING};
use portcullis_audit::{Evidence, Finding};
use portcullis_model::Source;
use portcullis_policy::Layer;
use portcullis_rules::known_tools;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;

/// Looks at the hooks of every layer.
pub(crate) fn check(session: &Session) -> Vec<Finding> {
    let mut findings = Vec::new();
    for layer in &session.layers {
        let Ok(root) = serde_json::from_str::<Value>(&layer.text) else { continue };
        for event in ["PreToolUse", "PostToolUse", "PermissionRequest"] {
            let groups = root.pointer(&format!("/hooks/{event}")).and_then(Value::as_array);
            for group in groups.into_iter().flatten() {
                if let Some(matcher) = group.get("matcher").and_then(Value::as_str) {
                    findings.extend(idle(layer, event, matcher));
                }
                let handlers = group.get("hooks").and_then(Value::as_array);
                for handler in handlers.into_iter().flatten() {
                    findings.extend(missing(session, layer, handler));
                }
            }
        }
    }
    findings
}

/// A matcher made of plain names none of which is a tool.
fn idle(layer: &Layer, event: &str, matcher: &str) -> Option<Finding> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_ ,|".contains(c);
    if matcher.trim().is_empty() || matcher == "*" || !matcher.chars().all(plain) {
        return None;
    }
    let names: Vec<&str> = matcher.split(['|', ',']).map(str::trim).collect();
    let known = |name: &&str| name.starts_with("mcp__") || known_tools().contains(name);
    if names.iter().any(known) {
        return None;
    }
    let message = format!("the {event} matcher `{matcher}` names no tool, so its hooks never run");
    let mut finding = at(&HOOK_IDLE, layer, matcher, message);
    if let Some(meant) =
        names.iter().find_map(|name| portcullis_rules::did_you_mean(name, known_tools()))
    {
        finding.hint = format!("did you mean `{meant}`? names are case-sensitive");
    }
    Some(finding)
}

/// A handler whose program is named by a path and cannot be run.
fn missing(session: &Session, layer: &Layer, handler: &Value) -> Option<Finding> {
    let command = handler.get("command").and_then(Value::as_str)?;
    let program =
        if handler.get("args").is_some() { command } else { command.split_whitespace().next()? };
    let program = program.trim_matches(['"', '\'']);
    let root = session.surroundings.project_root.as_str();
    let expanded = program
        .replace("${CLAUDE_PROJECT_DIR}", root)
        .replace("$CLAUDE_PROJECT_DIR", root)
        .replace("$HOME", session.surroundings.home.as_str());
    let expanded = match expanded.strip_prefix("~/") {
        Some(rest) => format!("{}/{rest}", session.surroundings.home),
        None => expanded,
    };
    // A bare name is looked up in a PATH that is not known here, and a variable is not known either.
    if !expanded.contains('/') || expanded.contains('$') {
        return None;
    }
    let path = session.surroundings.project_root.join(&expanded).ok()?;
    let why = match std::fs::metadata(path.as_str()) {
        Err(_) => "there is no such file",
        Ok(data) if !data.is_file() => "it is no file",
        Ok(data) if data.permissions().mode() & 0o111 == 0 => "it is not executable",
        Ok(_) => return None,
    };
    let message = format!("the hook `{program}` cannot be run: {why}");
    Some(at(&HOOK_MISSING, layer, command, message))
}

/// A finding at the first place of a text in a layer.
fn at(kind: &'static Entry, layer: &Layer, text: &str, message: String) -> Finding {
    let quoted = Value::from(text).to_string();
    let before = layer.text.split(&quoted).next().unwrap_or("");
    let known = before.len() < layer.text.len();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    Finding {
        kind,
        severity: kind.severity,
        message,
        hint: kind.cure.to_owned(),
        rule: None,
        source: Source {
            scope: layer.scope,
            file: layer.file.clone(),
            line: if known { line } else { 0 },
            column: if known { column } else { 0 },
        },
        related: Vec::new(),
        witnesses: Vec::new(),
        evidence: Evidence::Proved,
        fix: None,
    }
}
