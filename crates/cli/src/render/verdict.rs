//! A verdict as a person reads it.

use super::command::{Mark, marked};
use super::place;
use crate::codes;
use crate::console::Palette;
use portcullis_host::claude_code::shown;
use portcullis_model::{
    Because, Certainty, Decision, Finding, NearMiss, Route, SubjectKind, Suggestion, Verdict,
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
        out.extend([format!("\n{}\n", palette.strong("near misses"))]);
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
    // Findings about the same part share a mark, in the colour of the strictest.
    let mut marks: Vec<Mark> = Vec::new();
    for (index, finding) in findings.iter().enumerate() {
        let Some(span) = finding.subject.span else { continue };
        let label = (index + 1).to_string();
        match marks.iter_mut().find(|mark| mark.span == span) {
            Some(mark) => {
                mark.decision = mark.decision.max(finding.decision);
                mark.label.extend([",", &label]);
            }
            None => marks.push(Mark { span, decision: finding.decision, label }),
        }
    }
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

/// What would change the verdict: what holds it, and rules that would cover what nothing covers.
fn what_would_change(verdict: &Verdict, home: &str, palette: Palette) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut cures: Vec<(String, Vec<String>)> = Vec::new();
    let holding = verdict.findings.iter().filter(|finding| {
        finding.decision == verdict.decision && finding.decision != Decision::Allow
    });
    for finding in holding {
        match &finding.because {
            Because::Rule(rule) => lines.push(format!(
                "  narrow or remove {} rule `{}` {}; no allow rule overrides it\n",
                rule.class.word(),
                shown(&rule.text),
                palette.dim(&format!("at {}", place(&rule.source, home))),
            )),
            Because::BrokenPolicy { source: Some(source), .. } => {
                lines.push(format!("  repair {}\n", place(source, home)));
            }
            // The suggestions say it better.
            Because::Builtin { code: "no-rule", .. } if !verdict.suggestions.is_empty() => {}
            Because::BrokenPolicy { source: None, .. }
            | Because::Builtin { .. }
            | Because::Mode { .. }
            | Because::Unanalyzable(_)
            | Because::Limit { .. }
            | Because::Hook { .. }
            | Because::Bug { .. } => {
                let Some(cure) = cure(finding, verdict) else { continue };
                let subject = format!("`{}`", shown(&finding.subject.text));
                match cures.iter_mut().find(|(known, _)| *known == cure) {
                    Some((_, subjects)) => subjects.push(subject),
                    None => cures.push((cure, vec![subject])),
                }
            }
        }
    }
    for (cure, mut subjects) in cures {
        subjects.dedup();
        lines.push(format!("  {}: {cure}\n", subjects.join(", ")));
    }
    lines.extend(verdict.suggestions.iter().map(|suggestion| suggested(suggestion, palette)));
    let mut seen: Vec<String> = Vec::new();
    for line in lines {
        if !seen.contains(&line) {
            seen.push(line);
        }
    }
    if seen.is_empty() {
        return String::new();
    }
    format!("\n{}\n{}", palette.strong("what would change this"), seen.concat())
}

/// What to do about a finding that no rule of the settings made.
fn cure(finding: &Finding, verdict: &Verdict) -> Option<String> {
    let code = finding.because.code();
    let text = &finding.subject.text;
    if code == "no-rule" && finding.subject.kind == SubjectKind::Command {
        let lasting = |other: &Finding| {
            other.because.code() == "critical-removal" && other.subject == finding.subject
        };
        if verdict.findings.iter().any(lasting) {
            // No allow rule would help.
            return None;
        }
        // Only what reads the same in a rule, and at a glance.
        if text.len() <= 60 && !text.contains(['*', '\\', '…', '\'', '"', '$', '\n']) {
            return Some(format!(
                "no rule is proposed, because it can run or remove much; to allow just this, write `Bash({text})`"
            ));
        }
    }
    codes::page(code).map(|page| page.cure.to_owned())
}

fn suggested(suggestion: &Suggestion, palette: Palette) -> String {
    let quoted = |texts: &[String]| {
        texts.iter().map(|text| format!("`{}`", shown(text))).collect::<Vec<_>>().join(", ")
    };
    let (text, grants) = match suggestion {
        Suggestion::Rules { rules, grants } => {
            (format!("add to `permissions.allow`: {}", quoted(rules)), grants)
        }
        Suggestion::Directories { directories, grants } => {
            (format!("add to `permissions.additionalDirectories`: {}", quoted(directories)), grants)
        }
        Suggestion::Mode { mode, grants } => (format!("switch to mode `{mode}`"), grants),
    };
    format!("  {text}\n    {} {}\n", palette.warning("newly allows"), shown(grants))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_model::{Reason, RuleClass, RuleRef, Scope, Source, Span, Subject};

    fn rule(class: RuleClass, text: &str, line: usize) -> RuleRef {
        let file = "/home/u/.claude/settings.json".to_owned();
        let source = Source { scope: Scope::User, file, line, column: 9 };
        RuleRef { class, text: text.to_owned(), source }
    }

    fn finding(decision: Decision, because: Because, text: &str, span: (usize, usize)) -> Finding {
        let span = Some(Span::new(span.0, span.1));
        let subject = Subject { kind: SubjectKind::Command, text: text.to_owned(), span };
        Finding { decision, because, subject, certainty: Certainty::Certain }
    }

    fn sample() -> Verdict {
        let deny = Because::Rule(rule(RuleClass::Deny, "Bash(git push *)", 4));
        let may = Because::Rule(rule(RuleClass::Ask, "Bash(make *)", 7));
        let absent = Because::Builtin { code: "no-rule", text: "no rule covers it".to_owned() };
        let unknown = Because::Unanalyzable(Reason::DynamicCommandName);
        let changes = Because::Rule(rule(RuleClass::Allow, "Bash(cd *)", 2));
        let pushed = "git push origin \u{202e}x";
        let mut possible = finding(Decision::Ask, may, "$M", (34, 36));
        possible.certainty = Certainty::Possible;
        Verdict {
            decision: Decision::Deny,
            route: None,
            removes_tool: false,
            sandboxed: false,
            reason: format!("`{pushed}` matches deny rule `Bash(git push *)`"),
            findings: vec![
                finding(Decision::Deny, deny, pushed, (10, 30)),
                finding(Decision::Ask, absent, pushed, (10, 30)),
                possible,
                finding(Decision::Ask, unknown, "$M", (34, 36)),
                finding(Decision::Allow, changes, "cd pkg", (0, 6)),
            ],
            near_misses: vec![NearMiss {
                rule: rule(RuleClass::Allow, "Bash(npm *)", 3),
                subject: Subject { kind: SubjectKind::Command, text: "$M".into(), span: None },
                why: "its name is not known".to_owned(),
            }],
            suggestions: Vec::new(),
        }
    }

    const COMMAND: &str = "cd pkg && git push origin \u{202e}x && $M";

    fn asked() -> Asked<'static> {
        Asked { tool: "Bash", text: COMMAND, home: "/home/u" }
    }

    #[test]
    fn explains_everything() {
        let want = r"deny: `git push origin \u{202e}x` matches deny rule `Bash(git push *)`

  | cd pkg && git push origin \u{202e}x && $M
  | ------ 5  ^^^^^^^^^^^^^^^^^^^^^^^^^ 1,2
  |                                        ~~ 3,4

  1 deny  git push origin \u{202e}x
          matches deny rule `Bash(git push *)` at ~/.claude/settings.json:4:9 (user)
  2 ask   git push origin \u{202e}x
          no rule covers it [no-rule]
  3 ask   $M
          may match ask rule `Bash(make *)` at ~/.claude/settings.json:7:9 (user)
  4 ask   $M
          the name of the command is only known when it runs [dynamic-command-name]
  5 allow cd pkg
          matches allow rule `Bash(cd *)` at ~/.claude/settings.json:2:9 (user)

near misses
  allow rule `Bash(npm *)` at ~/.claude/settings.json:3:9 (user)
    $M: its name is not known

what would change this
  narrow or remove deny rule `Bash(git push *)` at ~/.claude/settings.json:4:9 (user); no allow rule overrides it
";
        assert_eq!(verdict(&sample(), asked(), Detail::Full, Palette::PLAIN), want);
    }

    #[test]
    fn is_brief_about_what_decided() {
        let mut sample = sample();
        sample.findings.remove(0);
        sample.decision = Decision::Ask;
        sample.route = Some(Route::Classifier);
        sample.reason = "no rule covers it".to_owned();
        sample.suggestions = vec![Suggestion::Rules {
            rules: vec!["Bash(git push origin *)".to_owned()],
            grants: "pushes to origin".to_owned(),
        }];
        let want = r"ask: no rule covers it
  the host's classifier is asked, not a person

  | cd pkg && git push origin \u{202e}x && $M
  |           ~~~~~~~~~~~~~~~~~~~~~~~~~ 1  ~~ 2,3

  1 ask   git push origin \u{202e}x
          no rule covers it [no-rule]
  2 ask   $M
          may match ask rule `Bash(make *)` at ~/.claude/settings.json:7:9 (user)
  3 ask   $M
          the name of the command is only known when it runs [dynamic-command-name]

what would change this
  narrow or remove ask rule `Bash(make *)` at ~/.claude/settings.json:7:9 (user); no allow rule overrides it
  `$M`: name the program in the command
  add to `permissions.allow`: `Bash(git push origin *)`
    newly allows pushes to origin
";
        assert_eq!(verdict(&sample, asked(), Detail::Brief, Palette::PLAIN), want);
    }

    #[test]
    fn an_allow_is_one_line() {
        let mut sample = sample();
        sample.findings.drain(0..4);
        sample.decision = Decision::Allow;
        sample.reason = "covered".to_owned();
        assert_eq!(verdict(&sample, asked(), Detail::Brief, Palette::PLAIN), "allow: covered\n");
    }

    #[test]
    fn colours_change_no_character() {
        let coloured = verdict(&sample(), asked(), Detail::Full, Palette::COLOURED);
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        assert!(coloured.len() > plain.len());
        assert_eq!(plain, verdict(&sample(), asked(), Detail::Full, Palette::PLAIN));
    }
}
