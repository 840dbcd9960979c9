//! `audit`: what a policy really says.

use super::replay::against;
use crate::args::{AuditArgs, FailOn};
use crate::baseline::{Baseline, written};
use crate::console::{Palette, Reply};
use crate::failure::{Failure, Status};
use crate::history::History;
use crate::replayed::{Hits, Replayed, hits, recorded, replay};
use crate::report::{finding, html, json, sarif};
use crate::session::{Session, Surroundings, plain};
use portcullis_audit::{
    Audit, Finding, Limits, Removal, Stage, Subject, Wishes, audit, diff, removals, suggest,
};
use portcullis_host::claude_code::shown;
use portcullis_host::install::{self, Plan};
use portcullis_host::log::{mask, timestamp};
use portcullis_host::rule_edit::{RuleEdit, edit_rules};
use portcullis_model::{Mode, RuleRef};
use portcullis_policy::{Layer, Severity, assemble};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Looks at the selected policy from every side.
pub(crate) fn check(args: &AuditArgs, as_json: bool, palette: Palette) -> Result<Reply, Failure> {
    let surroundings = Surroundings::of_process(&args.policy)?;
    let session = Session::open(&args.policy, surroundings)?;
    if args.fix {
        return fix(&session, args, palette);
    }
    let limits = limits(args);
    let mut found = examine(&session, &limits);
    found.findings.extend(super::hooks::check(&session));
    let history = if args.history.is_empty() {
        History::default()
    } else {
        History::collect(&args.history, None)?
    };
    let other = against(args.against.as_deref(), &args.policy, &session.surroundings)?;
    let replayed = replay(&history, &session, other.as_ref());
    let hits = hits(&replayed);
    found.findings.extend(super::history_findings::check(&session.policy, &replayed, &hits));
    let today = today(args.today.as_deref());
    let file = args.baseline.as_deref();
    if args.write_baseline {
        return write_baseline(&found, file, &today);
    }
    let baseline = file.map(read_baseline).transpose()?.unwrap_or_default();
    let mut open: Vec<&Finding> = Vec::new();
    let mut accepted = Vec::new();
    for each in &found.findings {
        match baseline.accepts(each, &today) {
            Some(reason) => {
                accepted.push(sarif::Accepted { finding: each, reason: reason.to_owned() });
            }
            None => open.push(each),
        }
    }
    let least = match args.fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Note => Severity::Note,
    };
    let status = if open.iter().any(|each| each.severity >= least) {
        Status::Findings
    } else {
        Status::Done
    };
    let home = session.surroundings.home.as_str();
    let text = if args.html {
        let shown = Shown {
            session: &session,
            other: other.as_ref(),
            history: &history,
            replayed: &replayed,
            hits: &hits,
        };
        shown.page(args, &found, &open, &today)
    } else if args.sarif {
        let root = session.surroundings.project_root.as_str();
        format!("{:#}\n", sarif::log(&open, &accepted, root))
    } else if as_json {
        format!("{}\n", json::audit(&found, &open, accepted.len()))
    } else {
        let mut text: String = open
            .iter()
            .map(|each| {
                let mut text = finding::text(each, &session.layers, home, palette);
                if let Some(end) = baseline.expired(each, &today) {
                    let note = format!("the baseline accepted it until {end}");
                    text.extend([format!("  {} {note}\n", palette.dim("note:"))]);
                }
                text + "\n"
            })
            .collect();
        for entry in baseline.unused(&found.findings) {
            text.extend([format!(
                "{} the baseline accepts `{}`, which is not found any more\n",
                palette.dim("note:"),
                shown(&entry)
            )]);
        }
        text + &finding::summary(&found, &open, accepted.len(), palette)
    };
    let mut reply = match &args.output {
        None => Reply::text(text, status),
        Some(file) => {
            write(file, &text)?;
            let line = finding::summary(&found, &open, accepted.len(), palette);
            Reply { stdout: String::new(), stderr: line, status }
        }
    };
    for problem in &history.problems {
        reply.stderr.extend([format!("{} {}\n", palette.warning("warning:"), shown(problem))]);
    }
    Ok(reply)
}

/// What the page shows beside the audit.
struct Shown<'a> {
    session: &'a Session,
    other: Option<&'a Session>,
    history: &'a History,
    replayed: &'a [Replayed<'a>],
    hits: &'a BTreeMap<RuleRef, Hits>,
}

impl Shown<'_> {
    /// The HTML page.
    fn page(&self, args: &AuditArgs, found: &Audit, open: &[&Finding], today: &str) -> String {
        let session = self.session;
        let policy = &session.policy;
        let difference =
            self.other.map(|other| diff(&other.policy, policy, &stage(session), &limits(args)));
        let suggestions = (!self.replayed.is_empty()).then(|| {
            let calls = recorded(self.history, session);
            suggest(policy, &stage(session), &calls, Wishes::default())
        });
        let title = match args.policy.policies.as_slice() {
            [file] => format!("Policy audit of {file}"),
            _ => "Policy audit".to_owned(),
        };
        html::page(&html::Page {
            title: &title,
            day: today,
            audit: found,
            findings: open,
            policy,
            layers: &session.layers,
            difference: difference.as_ref(),
            replayed: self.replayed,
            hits: self.hits,
            suggestions: suggestions.as_ref(),
        })
    }
}

/// How much work an audit may be.
fn limits(args: &AuditArgs) -> Limits {
    if args.thorough { Limits::THOROUGH } else { Limits::default() }
}

/// The audit of a session's policy.
pub(crate) fn examine(session: &Session, limits: &Limits) -> Audit {
    let stage = stage(session);
    let looks_secret = |text: &str| matches!(mask(text), Cow::Owned(masked) if masked != text);
    let subject = Subject { policy: &session.policy, stage: &stage, looks_secret: &looks_secret };
    audit(subject, limits)
}

/// Where the questions of a session are asked.
pub(crate) fn stage(session: &Session) -> Stage {
    Stage {
        project: session.surroundings.project_root.clone(),
        home: session.surroundings.home.clone(),
        mode: session.options.mode,
    }
}

/// The day, as baselines write it.
fn today(flag: Option<&str>) -> String {
    flag.map_or_else(|| day_of(SystemTime::now()), str::to_owned)
}

fn day_of(time: SystemTime) -> String {
    timestamp(time).chars().take("2027-01-31".len()).collect()
}

fn read_baseline(file: &str) -> Result<Baseline, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::input(format!("cannot read `{file}`: {}", plain(&error))))?;
    Baseline::read(file, &text)
}

fn write_baseline(found: &Audit, file: Option<&str>, today: &str) -> Result<Reply, Failure> {
    let findings: Vec<&Finding> =
        found.findings.iter().filter(|each| each.severity > Severity::Note).collect();
    // Half a year: long enough to repair, short enough to be remembered.
    let end = day_of(SystemTime::now() + Duration::from_secs(180 * 86_400));
    let end = if end.as_str() > today { end } else { today.to_owned() };
    let text = written(&findings, &end);
    match file {
        None => Ok(Reply::text(text, Status::Done)),
        Some(file) => {
            write(file, &text)?;
            let line = format!("wrote {} accepted findings to `{file}`\n", findings.len());
            Ok(Reply::text(line, Status::Done))
        }
    }
}

/// Writes a report.
pub(crate) fn write(file: &str, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text)
        .map_err(|error| Failure::internal(format!("cannot write `{file}`: {}", plain(&error))))
}

/// Takes out what can go, having shown that no verdict changes.
fn fix(session: &Session, args: &AuditArgs, palette: Palette) -> Result<Reply, Failure> {
    let limits = limits(args);
    let found = examine(session, &limits);
    let removals = removals(&found);
    let mut by_file: BTreeMap<&str, Vec<&Removal>> = BTreeMap::new();
    for removal in &removals {
        let file = removal.source.file.as_str();
        if Path::new(file).is_absolute() {
            by_file.entry(file).or_default().push(removal);
        }
    }
    let mut stdout = String::new();
    let mut layers = session.layers.clone();
    let mut plans = Vec::new();
    for (file, removals) in by_file {
        let Some(layer) = layers.iter_mut().find(|layer| layer.file == file) else { continue };
        let edits: Vec<RuleEdit> = removals
            .iter()
            .map(|removal| RuleEdit {
                class: removal.class,
                text: removal.text.clone(),
                instead: None,
            })
            .collect();
        let (text, made) = edit_rules(&layer.text, &edits)
            .map_err(|error| Failure::input(format!("`{file}` cannot be edited: {error}")))?;
        if made != edits.len() {
            return Err(Failure::internal(format!(
                "only {made} of {} rules were found in `{file}`; nothing is written",
                edits.len()
            )));
        }
        plans.push(Plan {
            path: file.into(),
            before: Some(std::mem::replace(&mut layer.text, text.clone())),
            after: Some(text),
        });
        for removal in removals {
            let what = if args.dry_run { "would remove" } else { "removes" };
            stdout.extend([format!(
                "{what} {} rule `{}` at {} [{}]\n",
                removal.class.word(),
                shown(&removal.text),
                removal.source,
                removal.id
            )]);
        }
    }
    if plans.is_empty() {
        return Ok(Reply::text("nothing to remove\n", Status::Done));
    }
    prove_equal(session, &layers, &limits)?;
    stdout
        .extend([format!("{} no call changes its verdict in any mode\n", palette.good("proved:"))]);
    if !args.dry_run {
        for plan in &plans {
            let kept = install::apply(plan)
                .map_err(|error| Failure::input(error.to_string()).hint("run the audit again"))?;
            if let Some(kept) = kept {
                stdout.extend([format!("the old text is in {}\n", kept.display())]);
            }
        }
    }
    Ok(Reply::text(stdout, Status::Done))
}

/// Compares the policy before and after in every mode.
fn prove_equal(session: &Session, layers: &[Layer], limits: &Limits) -> Result<(), Failure> {
    let after = assemble(layers, &session.options.place());
    for mode in MODES {
        let stage = Stage { mode: Some(*mode), ..stage(session) };
        let difference = diff(&session.policy, &after, &stage, limits);
        if difference.is_empty() {
            continue;
        }
        let call = difference.flips.first().and_then(|flip| flip.changes.first());
        let doubt = difference.doubts.first().map_or("", |doubt| doubt.text.as_str());
        let why = call.map_or_else(
            || doubt.to_owned(),
            |change| format!("`{}` would change its verdict", change.question.display()),
        );
        return Err(Failure::internal(format!(
            "the repair is not proved equal in mode `{}`, so nothing is written: {why}",
            mode.word()
        ))
        .hint("remove the rules by hand, one by one; `--thorough` allows longer proofs"));
    }
    Ok(())
}

const MODES: &[Mode] = &[
    Mode::Default,
    Mode::AcceptEdits,
    Mode::Plan,
    Mode::Auto,
    Mode::DontAsk,
    Mode::BypassPermissions,
];
