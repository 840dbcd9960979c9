//! Findings as people read them, with carets.

use crate::console::Palette;
use crate::render::{diagnostic, place};
use portcullis_audit::{Audit, Evidence, Finding, Fix};
use portcullis_host::claude_code::shown;
use portcullis_model::{Source, Span};
use portcullis_policy::{Diagnostic, Layer, Severity};

/// One finding.
pub fn text(finding: &Finding, layers: &[Layer], home: &str, palette: Palette) -> String {
    let line_text = line(layers, &finding.source);
    let length = finding
        .rule
        .as_ref()
        .map_or(1, |rule| serde_json::Value::from(rule.text.as_str()).to_string().len());
    let mut out = diagnostic::diagnostic(
        &Diagnostic {
            severity: finding.severity,
            code: finding.kind.id,
            message: finding.message.clone(),
            hint: String::new(),
            source: finding.source.clone(),
            span: Some(Span::new(0, length)),
            line_text,
        },
        home,
        palette,
    );
    for related in &finding.related {
        let (note, at) = (shown(&related.note), place(&related.source, home));
        out.extend([format!("  {} {note} at {at}\n", palette.dim("see:"))]);
    }
    for witness in finding.witnesses.iter().take(3) {
        let word = palette.decision(witness.decision, witness.decision.word());
        let call = one_line(&witness.question.display());
        out.extend([format!("  {} {word} {call}\n", palette.dim("shown by:"))]);
    }
    if finding.evidence == Evidence::Inconclusive {
        out.extend([format!("  {} the budget ran out; try `--thorough`\n", palette.dim("note:"))]);
    }
    if !finding.hint.is_empty() {
        out.extend([format!("  {} {}\n", palette.dim("hint:"), shown(&finding.hint))]);
    }
    match &finding.fix {
        Some(Fix::Remove) => {
            out.extend([format!(
                "  {} `--fix` takes it out; no verdict changes\n",
                palette.dim("fix:")
            )]);
        }
        Some(Fix::Replace(rule)) => {
            out.extend([format!("  {} write `{}`\n", palette.dim("fix:"), shown(rule))]);
        }
        None => {}
    }
    out
}

/// A call on one line, however it is written.
pub fn one_line(text: &str) -> String {
    shown(&text.replace('\n', "\u{21b5}"))
}

/// The line of a settings file that a source names, where it is known.
pub fn line(layers: &[Layer], source: &Source) -> Option<String> {
    let layer = layers.iter().find(|layer| layer.file == source.file)?;
    let line = layer.text.lines().nth(source.line.checked_sub(1)?)?;
    (line.len() <= LONGEST_LINE && !source.file.starts_with('-')).then(|| line.to_owned())
}

/// What was found in one line: how many of each severity, and how denies hold.
pub fn summary(audit: &Audit, findings: &[&Finding], accepted: usize, palette: Palette) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let mut parts = Vec::new();
    for (severity, word) in
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
    {
        let number = count(severity);
        if number > 0 {
            parts.push(format!("{number} {word}{}", if number == 1 { "" } else { "s" }));
        }
    }
    let found = if parts.is_empty() { "nothing found".to_owned() } else { parts.join(", ") };
    let rules =
        if audit.rules == 1 { "1 rule".to_owned() } else { format!("{} rules", audit.rules) };
    let mut out = format!("{} in {rules}", palette.strong(&found));
    if accepted > 0 {
        out.extend([format!(", {accepted} accepted by the baseline")]);
    }
    let trials: usize = audit.robustness.iter().map(|rule| rule.trials.len()).sum();
    if trials > 0 {
        let sum = |index: usize| -> usize {
            audit.robustness.iter().filter_map(|rule| rule.counts().get(index).copied()).sum()
        };
        out.extend([format!(
            "; denies: of {trials} other spellings {} denied, {} asked about, {} let through",
            sum(0),
            sum(1),
            sum(2)
        )]);
    }
    out + "\n"
}

/// A settings file on one line is shown around its carets, but not without end.
const LONGEST_LINE: usize = 64 * 1024;
