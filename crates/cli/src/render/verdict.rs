//! A verdict as a person reads it.

use super::command::{Mark, marked};
use super::place;
use crate::codes;
use crate::console::Palette;
use portcullis_host::claude_code::shown;
use portcullis_model::{
    Because, Certainty, Decision, Finding, NearMiss, Route, RuleClass, SubjectKind, Suggestion,
    Verdict,
};

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What decided.
    Brief,
    /// Every finding, every near miss and what would change the verdict.
    Full,
}

/// What a verdict is about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The tool.
    pub tool: &'a str,
    /// The text that spans count in: the command of Bash, else what the tool is pointed at.
    pub text: &'a str,
    /// The home directory, which places are shown relative to.
    pub home: &'a str,
}

/// The most subjects listed in a brief answer.
const BRIEF_FINDINGS: usize = 8;

/// A verdict as styled text, ending in a line break.
pub fn verdict(verdict: &Verdict, asked: Asked<'_>, detail: Detail, palette: Palette) -> String {
    let mut out = headline(verdict, palette);
    let findings: Vec<&Finding> = match detail {
        Detail::Full => verdict.findings.iter().collect(),
        Detail::Brief => verdict
            .findings
            .iter()
            .filter(|finding| finding.decision == verdict.decision)
            .take(BRIEF_FINDINGS)
            .collect(),
    };
    let is_worth_showing = detail == Detail::Full || verdict.decision != Decision::Allow;
    if is_worth_showing {
        out.push('\n');
        out.push_str(&subject_text(asked, &findings, palette));
        out.push('\n');
        for (index, finding) in findings.iter().enumerate() {
            out.push_str(&finding_lines(index + 1, finding, asked.home, palette));
        }
    }
    let hidden = verdict
        .findings
        .iter()
        .filter(|finding| finding.decision == verdict.decision)
        .count()
        .saturating_sub(findings.len());
    if is_worth_showing && hidden > 0 {
        out.push_str(
            &palette.dim(&format!("  … and {hidden} more; `portcullis explain` lists all\n")),
        );
    }
    if detail == Detail::Full && !verdict.near_misses.is_empty() {
        out.push_str(&format!("\n{}\n", palette.strong("near misses")));
        for miss in &verdict.near_misses {
            out.push_str(&near_miss(miss, asked.home, palette));
        }
    }
    out.push_str(&what_would_change(verdict, asked.home, palette));
    out
}

fn headline(verdict: &Verdict, palette: Palette) -> String {
    let word = palette.decision(verdict.decision, verdict.decision.word());
    let mut out = format!("{word}: {}\n", shown(&verdict.reason));
    let mut note = |text: &str| out.push_str(&palette.dim(&format!("  {text}\n")));
    match verdict.route {
        Some(Route::Classifier) => note("the host's classifier is asked, not a person"),
        Some(Route::Defer) => note("another hook leaves the call to the host"),
        None => {}
    }
    if verdict.removes_tool {
        note("the tool is denied as a whole, so it need not be offered");
    }
    if verdict.sandboxed {
        note("the command would run inside the sandbox");
    }
    out
}

fn subject_text(asked: Asked<'_>, findings: &[&Finding], palette: Palette) -> String {
    let marks: Vec<Mark> = findings
        .iter()
        .enumerate()
        .filter_map(|(index, finding)| {
            let span = finding.subject.span?;
            Some(Mark { span, decision: finding.decision, number: index + 1 })
        })
        .collect();
    let text =
        if asked.text.is_empty() { String::new() } else { marked(asked.text, &marks, palette) };
    if asked.tool == "Bash" { text } else { format!("  {}\n{text}", shown(asked.tool)) }
}

fn finding_lines(number: usize, finding: &Finding, home: &str, palette: Palette) -> String {
    let word = palette.decision(finding.decision, &format!("{:<5}", finding.decision.word()));
    let what = match finding.subject.kind {
        SubjectKind::Tool | SubjectKind::Command => "",
        SubjectKind::Read => "read ",
        SubjectKind::Write => "write ",
        SubjectKind::Directory => "cd ",
        SubjectKind::Host => "host ",
    };
    let indent = " ".repeat(2 + number.to_string().len() + 1 + 5 + 1);
    format!(
        "  {number} {word} {what}{}\n{indent}{}\n",
        shown(&finding.subject.text),
        because(finding, home, palette),
    )
}

/// What decided a finding, in one line.
fn because(finding: &Finding, home: &str, palette: Palette) -> String {
    let code = palette.dim(&format!("[{}]", finding.because.code()));
    match &finding.because {
        Because::Rule(rule) => {
            let matches = match finding.certainty {
                Certainty::Certain => "matches",
                Certainty::Possible => "may match",
            };
            format!(
                "{matches} {} rule `{}` {}",
                rule.class.word(),
                shown(&rule.text),
                palette.dim(&format!("at {}", place(&rule.source, home))),
            )
        }
        Because::Builtin { text, .. }
        | Because::Mode { text, .. }
        | Because::Limit { text, .. } => {
            format!("{} {code}", shown(text))
        }
        Because::Unanalyzable(reason) => format!("{} {code}", reason.meaning()),
        Because::BrokenPolicy { text, source } => {
            let at = source.as_ref().map(|source| format!(" at {}", place(source, home)));
            format!("{}{} {code}", shown(text), palette.dim(&at.unwrap_or_default()))
        }
        Because::Hook { answer } => format!("another hook of the host answered `{answer}` {code}"),
        Because::Bug { text } => {
            format!("a bug of ours, which never loosens a verdict: {} {code}", shown(text))
        }
    }
}

fn near_miss(miss: &NearMiss, home: &str, palette: Palette) -> String {
    format!(
        "  {} rule `{}` {}\n    {}: {}\n",
        miss.rule.class.word(),
        shown(&miss.rule.text),
        palette.dim(&format!("at {}", place(&miss.rule.source, home))),
        shown(&miss.subject.text),
        shown(&miss.why),
    )
}

/// What would change the verdict: rules that hold it, and rules that would cover what nothing covers.
fn what_would_change(verdict: &Verdict, home: &str, palette: Palette) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut push = |line: String| {
        if !lines.contains(&line) {
            lines.push(line);
        }
    };
    for finding in &verdict.findings {
        if finding.decision == Decision::Allow {
            continue;
        }
        match &finding.because {
            Because::Rule(rule) if rule.class != RuleClass::Allow => push(format!(
                "  narrow or remove {} rule `{}` at {}; no allow rule overrides it\n",
                rule.class.word(),
                shown(&rule.text),
                place(&rule.source, home),
            )),
            Because::BrokenPolicy { source: Some(source), .. } => {
                push(format!("  repair {}\n", place(source, home)));
            }
            Because::Rule(_) | Because::BrokenPolicy { source: None, .. } => {}
            Because::Builtin { code: "no-rule", .. } if !verdict.suggestions.is_empty() => {}
            Because::Builtin { .. }
            | Because::Mode { .. }
            | Because::Unanalyzable(_)
            | Because::Limit { .. }
            | Because::Hook { .. }
            | Because::Bug { .. } => {
                if let Some(page) = codes::page(finding.because.code()) {
                    push(format!("  {}: {}\n", shown(&finding.subject.text), page.cure));
                }
            }
        }
    }
    for suggestion in &verdict.suggestions {
        let (text, grants) = match suggestion {
            Suggestion::Rules { rules, grants } => {
                let rules: Vec<String> =
                    rules.iter().map(|rule| format!("`{}`", shown(rule))).collect();
                (format!("add to `permissions.allow`: {}", rules.join(", ")), grants)
            }
            Suggestion::Directories { directories, grants } => {
                let directories: Vec<String> =
                    directories.iter().map(|directory| format!("`{}`", shown(directory))).collect();
                (
                    format!(
                        "add to `permissions.additionalDirectories`: {}",
                        directories.join(", ")
                    ),
                    grants,
                )
            }
            Suggestion::Mode { mode, grants } => (format!("switch to mode `{mode}`"), grants),
        };
        push(format!("  {text}\n    {} {}\n", palette.warning("newly allows"), shown(grants)));
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("\n{}\n{}", palette.strong("what would change this"), lines.concat())
}
