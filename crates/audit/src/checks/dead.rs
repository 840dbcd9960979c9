//! Rules that can match nothing, or not what they look like.

use crate::audit::Asker;
use crate::cover::command_of;
use crate::finding::{Evidence, Fix, Witness};
use crate::realm::Realm;
use crate::tables::catalogue::{ADRIFT, DEAD, LEFTOVER, PROTECTED};
use crate::{Finding, Question};
use portcullis_model::{Because, Decision, RuleClass, Scope};
use portcullis_policy::PolicyRule;
use portcullis_rules::Specifier;

pub(crate) fn check(asker: &Asker<'_>) -> Vec<Finding> {
    let policy = asker.policy();
    let mut findings = Vec::new();
    for rule in [&policy.deny, &policy.ask, &policy.allow].into_iter().flat_map(|rules| &rules.list)
    {
        findings.extend(leftover(rule).or_else(|| dead(rule)));
        findings.extend(adrift(rule));
        findings.extend(protected(asker, rule));
    }
    findings
}

/// A piece of shell grammar that was saved as if it were a command.
fn leftover(rule: &PolicyRule) -> Option<Finding> {
    let pattern = command_of(rule)?;
    let text = pattern.text().trim();
    let first = text.split([' ', ':']).next().unwrap_or("");
    let piece = RESERVED.contains(&first) || text.starts_with('#');
    if !piece || (pattern.holds_separators() && text.contains("done")) {
        return None;
    }
    let message = format!("`{first}` is shell grammar and no program, so `{text}` is no command");
    let mut finding = Finding::about(&LEFTOVER, &rule.reference, message);
    finding.fix = None;
    Some(finding)
}

/// A pattern no simple command can have as its text.
fn dead(rule: &PolicyRule) -> Option<Finding> {
    let pattern = command_of(rule)?;
    if pattern.holds_separators() {
        return None;
    }
    let samples = pattern.samples("x");
    if samples.is_empty() || !samples.iter().all(|sample| cannot_be_command(sample)) {
        return None;
    }
    let message = format!("no command reads as `{}`", rule.reference.text);
    let mut finding = Finding::about(&DEAD, &rule.reference, message);
    finding.fix = Some(Fix::Remove);
    Some(finding)
}

/// Whether a text is surely not that of one simple command: it has a blank at an end or an operator
/// that separates commands, outside of everything an expansion or a quote could hide it in.
fn cannot_be_command(text: &str) -> bool {
    if text.is_empty() || text.starts_with([' ', '\t']) {
        return true;
    }
    let mut quote = None;
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            // What an expansion holds is a script of its own, and a star may open one.
            (None | Some('"'), '$' | '`') | (None, '(' | '{' | '*') => return false,
            (None | Some('"'), '\\') => {
                chars.next();
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, ';' | '\n') => return true,
            (None, '|') if before != '>' => return true,
            (None, '&') if !matches!(before, '>' | '<') && chars.peek() != Some(&'>') => {
                return true;
            }
            _ => {}
        }
        before = c;
    }
    false
}

/// A path that starts somewhere else than its author surely meant.
fn adrift(rule: &PolicyRule) -> Option<Finding> {
    let (Specifier::Path(pattern) | Specifier::Directory(pattern)) = rule.rule.specifier() else {
        return None;
    };
    let text = pattern.text();
    let rest = text.strip_prefix('/').filter(|rest| !rest.starts_with('/'))?;
    let first = rest.split('/').next().unwrap_or("");
    let anchor = rule.paths.as_ref()?.anchor();
    let system = SYSTEM.contains(&first);
    let scope = rule.reference.source.scope;
    let meant = match scope {
        Scope::User => !rest.is_empty(),
        Scope::Project | Scope::Local | Scope::CommandLine => system,
        Scope::Managed => false,
    };
    if !meant || anchor.as_str() == "/" {
        return None;
    }
    let tool = rule.rule.tool().exact().unwrap_or("Read");
    let message = format!("`{}` is about {}/{rest}", rule.reference.text, anchor.as_str());
    let mut finding = Finding::about(&ADRIFT, &rule.reference, message);
    if system {
        let instead = format!("{tool}(/{text})");
        finding.hint = format!("write `{instead}` for the absolute path");
        finding.fix = Some(Fix::Replace(instead));
    } else {
        finding.hint =
            "write a path without the slash for the project, or `//` for an absolute path".into();
    }
    Some(finding)
}

/// An Edit allow for paths that no allow rule opens.
fn protected(asker: &Asker<'_>, rule: &PolicyRule) -> Option<Finding> {
    let Realm::Edit(paths) = Realm::of(rule) else { return None };
    if rule.reference.class != RuleClass::Allow {
        return None;
    }
    let path = String::from_utf8(paths.automaton().witness()?).ok()?;
    let mut witnesses = Vec::new();
    // The shortest path, and one below it with a name of no meaning: a directory as such.
    for path in [path.clone(), format!("{path}/x"), format!("{path}/x/y")] {
        let question = Question::edit(&path);
        let verdict = asker.ask(&question);
        let by_path = verdict.findings.iter().any(|finding| match &finding.because {
            Because::Builtin { code, .. } => *code == "protected-path",
            Because::Rule(_)
            | Because::Mode { .. }
            | Because::Unanalyzable(_)
            | Because::Limit { .. }
            | Because::BrokenPolicy { .. }
            | Because::Hook { .. }
            | Because::Bug { .. } => false,
        });
        if verdict.decision != Decision::Ask || !by_path {
            return None;
        }
        witnesses.push(Witness { question, decision: verdict.decision, note: verdict.reason });
    }
    let message = format!("`{}` never allows an edit: the path is protected", rule.reference.text);
    let mut finding = Finding::about(&PROTECTED, &rule.reference, message);
    finding.evidence = Evidence::Replayed;
    finding.witnesses = witnesses;
    Some(finding)
}

/// Words of the shell's grammar that no command starts with (bash(1), "RESERVED WORDS").
const RESERVED: &[&str] = &[
    "!", "(", ")", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then",
    "until", "while", "{", "}", "EOF",
];

/// Names at the root of the filesystem that no project has at its own.
const SYSTEM: &[&str] = &[
    "Users", "boot", "dev", "etc", "home", "mnt", "opt", "proc", "root", "run", "srv", "sys",
    "tmp", "usr", "var",
];
