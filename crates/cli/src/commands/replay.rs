//! `replay`: recorded sessions against a policy.

use crate::args::{PolicyArgs, ReplayArgs};
use crate::console::{Palette, Reply};
use crate::environment;
use crate::failure::{Failure, Status};
use crate::history::History;
use crate::render::place;
use crate::replayed::{Hits, Replayed, family, hits, replay};
use crate::report::finding::one_line;
use crate::session::{Session, Surroundings};
use portcullis_host::claude_code::shown;
use portcullis_host::log::mask;
use portcullis_model::{Decision, RuleRef};
use portcullis_policy::Policy;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// Replays transcripts and says what would have been asked, allowed and denied.
pub(crate) fn run(args: &ReplayArgs, as_json: bool, palette: Palette) -> Result<Reply, Failure> {
    let surroundings = Surroundings::of_process(&args.policy)?;
    let session = Session::open(&args.policy, surroundings.clone())?;
    let other = against(args.against.as_deref(), &args.policy, &surroundings)?;
    let paths = paths(&args.files, &session)?;
    let history = History::collect(&paths, args.state.as_deref())?;
    let started = Instant::now();
    let replayed = replay(&history, &session, other.as_ref());
    let micros = started.elapsed().as_micros();
    let report = Report {
        history: &history,
        hits: hits(&replayed),
        replayed: &replayed,
        policy: &session.policy,
        home: session.surroundings.home.as_str(),
        masked: !args.no_redact,
        top: args.top,
    };
    let status = Status::Done;
    let mut reply = if as_json {
        Reply::json(&report.json(micros), status)
    } else {
        Reply::text(report.text(palette), status)
    };
    for problem in &history.problems {
        reply.stderr.extend([format!("{} {}\n", palette.warning("warning:"), shown(problem))]);
    }
    Ok(reply)
}

/// The policy that `--against` names.
pub(crate) fn against(
    file: Option<&str>,
    args: &PolicyArgs,
    surroundings: &Surroundings,
) -> Result<Option<Session>, Failure> {
    file.map(|file| {
        let args = PolicyArgs {
            policies: vec![file.to_owned()],
            home: args.home.clone(),
            mode: args.mode.clone(),
            ..PolicyArgs::default()
        };
        Session::open(&args, surroundings.clone())
    })
    .transpose()
}

/// The files that are named, or where agents keep their sessions.
pub(crate) fn paths(files: &[String], session: &Session) -> Result<Vec<String>, Failure> {
    if !files.is_empty() {
        return Ok(files.to_vec());
    }
    let home = &session.surroundings.home;
    let claude = environment::value(environment::CLAUDE_CONFIG_DIR)
        .unwrap_or_else(|| format!("{home}/.claude"));
    let usual = [format!("{claude}/projects"), format!("{home}/.codex/sessions")];
    let there: Vec<String> =
        usual.iter().filter(|path| std::path::Path::new(path).is_dir()).cloned().collect();
    if there.is_empty() {
        return Err(Failure::input("there are no recorded sessions").hint(format!(
            "name transcripts, rollouts or a decision log; looked in {}",
            usual.join(", ")
        )));
    }
    Ok(there)
}

struct Report<'a> {
    history: &'a History,
    replayed: &'a [Replayed<'a>],
    hits: BTreeMap<RuleRef, Hits>,
    policy: &'a Policy,
    home: &'a str,
    masked: bool,
    top: usize,
}

impl Report<'_> {
    fn call(&self, replayed: &Replayed<'_>) -> String {
        let text = replayed.entry.question.display();
        let text = if self.masked { mask(&text).into_owned() } else { text };
        let text = one_line(&text);
        if text.chars().count() <= LONGEST {
            text
        } else {
            text.chars().take(LONGEST).chain(['\u{2026}']).collect()
        }
    }

    fn count(&self, is: impl Fn(&Replayed<'_>) -> bool) -> u64 {
        self.replayed.iter().filter(|each| is(each)).map(|each| each.entry.count).sum()
    }

    /// The calls of a kind, most made first.
    fn most(&self, is: impl Fn(&Replayed<'_>) -> bool) -> Vec<&Replayed<'_>> {
        let mut calls: Vec<&Replayed<'_>> = self.replayed.iter().filter(|each| is(each)).collect();
        calls.sort_by(|a, b| {
            (b.entry.count, &a.entry.question.text).cmp(&(a.entry.count, &b.entry.question.text))
        });
        calls
    }

    /// What is asked about, by program and subcommand.
    fn families(&self) -> Vec<(String, u64)> {
        let mut families: BTreeMap<String, u64> = BTreeMap::new();
        for each in self.replayed.iter().filter(|each| each.now == Decision::Ask) {
            let (program, sub) = family(&each.entry.question);
            let name = if sub.is_empty() { program } else { format!("{program} {sub}") };
            *families.entry(name).or_default() += each.entry.count;
        }
        let mut families: Vec<(String, u64)> = families.into_iter().collect();
        families.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        families
    }

    /// Rules that decided nothing.
    fn idle(&self) -> Vec<&RuleRef> {
        [&self.policy.deny, &self.policy.ask, &self.policy.allow]
            .into_iter()
            .flat_map(|rules| &rules.list)
            .map(|rule| &rule.reference)
            .filter(|rule| !self.hits.contains_key(*rule))
            .collect()
    }

    fn text(&self, palette: Palette) -> String {
        let history = self.history;
        let sessions = history.sessions.len().max(1);
        let mut out = format!(
            "{} calls in {} sessions, {} different\n\n",
            history.calls(),
            history.sessions.len(),
            history.entries.len()
        );
        let compares = self.replayed.iter().any(|each| each.before.is_some());
        let head = if compares {
            format!("{:>10}{:>10}", "before", "now")
        } else {
            format!("{:>10}", "now")
        };
        out.extend([format!("{:8}{}\n", "", palette.dim(&head))]);
        for decision in [Decision::Allow, Decision::Ask, Decision::Deny] {
            let before = self.count(|each| each.before == Some(decision));
            let now = self.count(|each| each.now == decision);
            let word = palette.decision(decision, &format!("{:<8}", decision.word()));
            let before = if compares { format!("{before:>10}") } else { String::new() };
            out.extend([format!("{word}{before}{now:>10}\n")]);
        }
        let per = |count: u64| {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            f64::from(count) / f64::from(u32::try_from(sessions).unwrap_or(u32::MAX))
        };
        let now = per(self.count(|each| each.now == Decision::Ask));
        let before = per(self.count(|each| each.before == Some(Decision::Ask)));
        out.extend([if compares {
            format!("\nprompts a session: {before:.1} before, {now:.1} now\n")
        } else {
            format!("\nprompts a session: {now:.1}\n")
        }]);
        out.push_str(&self.section(palette, "newly allowed", |each| {
            each.now == Decision::Allow
                && each.before.is_some_and(|before| before > Decision::Allow)
        }));
        out.push_str(&self.section(palette, "newly asked about", |each| {
            each.now == Decision::Ask && each.before == Some(Decision::Allow)
        }));
        out.push_str(&self.section(palette, "newly denied", |each| {
            each.now == Decision::Deny && each.before.is_some_and(|before| before < Decision::Deny)
        }));
        let families = self.families();
        if !families.is_empty() {
            out.extend([format!("\n{}\n", palette.strong("most prompts"))]);
            for (name, count) in families.iter().take(self.top) {
                out.extend([format!("{count:>8}  {}\n", shown(name))]);
            }
        }
        out.push_str(&self.section(palette, "denied", |each| each.now == Decision::Deny));
        let idle = self.idle();
        if !idle.is_empty() {
            out.extend([format!("\n{}\n", palette.strong("rules that decided nothing [P004]"))]);
            for rule in idle.iter().take(self.top) {
                let at = place(&rule.source, self.home);
                out.extend([format!("  {} `{}` at {at}\n", rule.class.word(), shown(&rule.text))]);
            }
            if idle.len() > self.top {
                out.extend([format!("  and {} more\n", idle.len() - self.top)]);
            }
        }
        out
    }

    fn section(
        &self,
        palette: Palette,
        title: &str,
        is: impl Fn(&Replayed<'_>) -> bool + Copy,
    ) -> String {
        let calls = self.most(is);
        if calls.is_empty() {
            return String::new();
        }
        let title = format!("{title} ({} calls, {} different)", self.count(is), calls.len());
        let mut out = format!("\n{}\n", palette.strong(&title));
        for each in calls.iter().take(self.top) {
            out.extend([format!("{:>8}  {}\n", each.entry.count, self.call(each))]);
        }
        out
    }

    fn json(&self, micros: u128) -> Value {
        let of = |is: &dyn Fn(&Replayed<'_>) -> bool| -> Vec<Value> {
            self.most(is)
                .into_iter()
                .take(self.top)
                .map(|each| {
                    json!({
                        "tool_name": each.entry.question.tool,
                        "text": self.call(each),
                        "count": each.entry.count,
                        "before": each.before.map(Decision::word),
                        "now": each.now.word(),
                        "reason": if self.masked { mask(&each.reason).into_owned() } else { each.reason.clone() },
                    })
                })
                .collect()
        };
        let counts = |when: &dyn Fn(&Replayed<'_>) -> Option<Decision>| {
            json!({
                "allow": self.count(|each| when(each) == Some(Decision::Allow)),
                "ask": self.count(|each| when(each) == Some(Decision::Ask)),
                "deny": self.count(|each| when(each) == Some(Decision::Deny)),
            })
        };
        let rules: Vec<Value> = self
            .hits
            .iter()
            .map(|(rule, hits)| {
                json!({
                    "class": rule.class.word(),
                    "rule": rule.text,
                    "decided": hits.count,
                    "first": hits.first,
                    "last": hits.last,
                })
            })
            .collect();
        let families: Vec<Value> = self
            .families()
            .into_iter()
            .take(self.top)
            .map(|(name, count)| json!({ "name": name, "prompts": count }))
            .collect();
        json!({
            "schema_version": crate::report::json::SCHEMA_VERSION,
            "calls": self.history.calls(),
            "different": self.history.entries.len(),
            "sessions": self.history.sessions.len(),
            "bytes": self.history.bytes,
            "before": counts(&|each| each.before),
            "now": counts(&|each| Some(each.now)),
            "newly_allowed": of(&|each| each.now == Decision::Allow && each.before.is_some_and(|b| b > Decision::Allow)),
            "newly_denied": of(&|each| each.now == Decision::Deny && each.before.is_some_and(|b| b < Decision::Deny)),
            "most_prompts": families,
            "rules": rules,
            "idle_rules": self.idle().into_iter().map(crate::report::json::rule).collect::<Vec<_>>(),
            "problems": self.history.problems,
            "micros": u64::try_from(micros).unwrap_or(u64::MAX),
        })
    }
}

/// Longer calls are cut in the report.
const LONGEST: usize = 110;
