//! What a person reads beside the decision: the reason in one line, near misses, suggestions.

use crate::decide::{Options, decide};
use crate::tables::interpreters::runs_any_code;
use portcullis_facts::tables::vectors::may_run_code;
use portcullis_facts::{Answers, Arg, Facts, Origin, Place};
use portcullis_model::{
    AbsPath, Because, Certainty, Decision, Finding, Mode, NearMiss, Subject, SubjectKind,
    Suggestion, quote_word,
};
use portcullis_policy::{Policy, Rules};
use portcullis_rules::{Match, Specifier, escape_path};

/// More suggested rules than this are not read.
const MOST_RULES: usize = 5;
/// More near misses than this are not read.
const MOST_NEAR_MISSES: usize = 8;

/// One line that says what decided.
pub(crate) fn reason(decision: Decision, findings: &[Finding]) -> String {
    let deciding = findings.iter().find(|finding| finding.decision == decision);
    let Some(finding) = deciding else { return format!("{decision}") };
    let subject = match finding.subject.kind {
        SubjectKind::Tool => finding.subject.text.clone(),
        SubjectKind::Command => format!("`{}`", finding.subject.text),
        SubjectKind::Read => format!("reading {}", finding.subject.text),
        SubjectKind::Write => format!("writing {}", finding.subject.text),
        SubjectKind::Directory => format!("changing to {}", finding.subject.text),
        SubjectKind::Host => format!("host {}", finding.subject.text),
    };
    match &finding.because {
        Because::Rule(rule) => {
            let may = match finding.certainty {
                Certainty::Certain => "matches",
                Certainty::Possible => "may match",
            };
            format!("{subject} {may} {} rule `{}` at {}", rule.class.word(), rule.text, rule.source)
        }
        Because::Builtin { text, .. } | Because::Mode { text, .. } => format!("{subject}: {text}"),
        Because::Unanalyzable(reason) => format!("{reason}: {}", reason.meaning()),
        Because::Limit { text, .. } => format!("{subject}: {text}"),
        Because::BrokenPolicy { text, source } => match source {
            Some(source) => format!("{text} at {source}"),
            None => text.clone(),
        },
        Because::Hook { answer } => format!("another hook answered {answer}"),
        Because::Bug { text } => format!("internal error: {text}"),
    }
}

/// Rules that would allow the call if they counted, and those that are about the same program but do not
/// cover the command.
pub(crate) fn near_misses(policy: &Policy, facts: &Facts, answers: &Answers) -> Vec<NearMiss> {
    let mut out = held_back(policy, facts, answers);
    for fact in facts.commands.iter().filter(|fact| fact.origin == Origin::Written) {
        let Some(name) = fact.argv.first().and_then(Arg::known) else { continue };
        for list in [&policy.allow, &policy.ask, &policy.deny] {
            for rule in list.for_tool("Bash") {
                let Specifier::Command(pattern) = rule.rule.specifier() else { continue };
                let first = pattern.literal_prefix().split(' ').next().unwrap_or("");
                if first != name {
                    continue;
                }
                let best = fact.forms.iter().map(|form| pattern.matches(&form.texts)).max();
                let why = match best {
                    Some(Match::Certain) | None => continue,
                    Some(Match::Possible) => {
                        "a part of the command is only known when it runs".to_owned()
                    }
                    Some(Match::No) => format!("its text after `{first}` does not match"),
                };
                let subject = Subject {
                    kind: SubjectKind::Command,
                    text: fact.display(),
                    span: Some(fact.span),
                };
                let miss = NearMiss { rule: rule.reference.clone(), subject, why };
                if !out.contains(&miss) && out.len() < MOST_NEAR_MISSES {
                    out.push(miss);
                }
            }
        }
    }
    out
}

/// The rules among those held back that would allow a part of the call.
fn held_back(policy: &Policy, facts: &Facts, answers: &Answers) -> Vec<NearMiss> {
    if policy.held_back.is_empty() {
        return Vec::new();
    }
    let held = policy.held_back.iter().map(|held| held.rule.clone());
    let mut counting = policy.clone();
    counting.allow = Rules::new(policy.allow.list.iter().cloned().chain(held).collect());
    let found = decide(&counting, facts, answers, Options::default()).findings;
    let mut out: Vec<NearMiss> = found
        .into_iter()
        .filter_map(|finding| {
            let Because::Rule(rule) = finding.because else { return None };
            let held = policy.held_back.iter().find(|held| held.rule.reference == rule)?;
            let why = format!("matches, but does not count: {}", held.why);
            Some(NearMiss { rule, subject: finding.subject, why })
        })
        .collect();
    out.truncate(MOST_NEAR_MISSES);
    out
}

/// The narrowest useful rules that would answer these asks.
///
/// Nothing is suggested that would let any code run, and nothing that cannot be shown in full.
pub(crate) fn suggestions(asks: &[&Finding], facts: &Facts, mode: Mode) -> Vec<Suggestion> {
    if facts.obstacles.iter().any(|obstacle| obstacle.weight >= portcullis_facts::Weight::NeedsBare)
    {
        return Vec::new();
    }
    let (mut rules, mut reads, mut writes) = (Vec::new(), Vec::new(), false);
    let mut left: Vec<String> = Vec::new();
    for finding in asks {
        match finding.subject.kind {
            SubjectKind::Command => {
                let fact = facts.commands.iter().find(|fact| {
                    fact.origin == Origin::Written
                        && Some(fact.span) == finding.subject.span
                        && fact.display() == finding.subject.text
                });
                let Some(fact) = fact else { continue };
                if finding.because.code() != "outside" {
                    match command_rule(&fact.argv) {
                        Some(rule) => add(&mut rules, rule),
                        None => add(&mut left, fact.display()),
                    }
                }
            }
            SubjectKind::Tool => add(&mut rules, finding.subject.text.clone()),
            SubjectKind::Host => {
                if finding.because.code() == "no-rule" {
                    add(&mut rules, format!("WebFetch(domain:{})", finding.subject.text));
                }
            }
            SubjectKind::Write => writes = true,
            SubjectKind::Read | SubjectKind::Directory => {}
        }
    }
    for access in &facts.accesses {
        if let Place::Known(paths) = &access.place {
            for path in paths.iter().filter(|path| !path.is_within(&facts.call.project_root)) {
                match access.access {
                    portcullis_facts::Access::Read => {
                        add(&mut reads, read_rule(path));
                    }
                    portcullis_facts::Access::Write | portcullis_facts::Access::Remove => {}
                }
            }
        }
    }
    let mut out = Vec::new();
    let outside =
        asks.iter().any(|finding| matches!(finding.because.code(), "outside" | "redirect"));
    if outside && !reads.is_empty() {
        for rule in reads {
            add(&mut rules, rule);
        }
    }
    if !rules.is_empty() && rules.len() <= MOST_RULES {
        let mut grants = format!("every later call that matches {}", rules.join(", "));
        if !left.is_empty() {
            grants.extend(["; `", &left.join("`, `"), "` goes on asking"]);
        }
        out.push(Suggestion::Rules { rules, grants });
    }
    let edits = writes || facts.commands.iter().any(|fact| fact.edits && fact.needs_cover());
    if edits && matches!(mode, Mode::Default | Mode::Plan) {
        out.push(Suggestion::Mode {
            mode: Mode::AcceptEdits.word(),
            grants:
                "file edits and mkdir, touch, rm, rmdir, mv, cp, sed inside the working directories"
                    .to_owned(),
        });
    }
    out
}

fn add(rules: &mut Vec<String>, rule: String) {
    if !rules.contains(&rule) {
        rules.push(rule);
    }
}

/// `git add x y` gives `Bash(git add *)`; what might go on to run code gives the exact command, such as
/// `Bash(git push origin)`; interpreters and words that are not known give nothing.
fn command_rule(argv: &[Arg]) -> Option<String> {
    let words: Vec<&str> = argv.iter().map_while(Arg::known).collect();
    let whole = words.len() == argv.len();
    let (name, rest) = words.split_first()?;
    let base = name.rsplit('/').next().unwrap_or(name);
    if runs_any_code(base) || base == "rm" || base == "rmdir" {
        return None;
    }
    let rule = |words: &[&str]| {
        let text = words.iter().map(|word| quote_word(word)).collect::<Vec<_>>().join(" ");
        text.replace("\\*", "*").replace('*', "\\*")
    };
    let subcommand = rest.first().filter(|word| {
        word.len() > 1
            && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            && !word.starts_with('-')
    });
    if let Some(sub) = subcommand
        && (rest.len() > 1 || !whole)
        && !may_run_code(&[base, sub])
    {
        return Some(format!("Bash({} *)", rule(&[name, sub])));
    }
    let text = rule(&words);
    let readable = text.chars().count() <= 120 && !text.contains('\n') && !text.contains("$'");
    (whole && readable).then(|| format!("Bash({text})"))
}

fn read_rule(path: &AbsPath) -> String {
    let directory = path.parent().unwrap_or_else(AbsPath::root);
    format!("Read(/{}/**)", escape_path(directory.as_str().trim_end_matches('/')))
}
