//! The history under a policy.

use crate::history::{Entry, History};
use crate::session::Session;
use portcullis_audit::{Question, Recorded, Stage};
use portcullis_host::log::mask;
use portcullis_model::{AbsPath, Because, Decision, RuleRef, Verdict};
use portcullis_policy::{Layer, Place, Policy, assemble};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// One call of the history with what becomes of it.
#[derive(Clone, Debug)]
pub struct Replayed<'h> {
    /// The call.
    pub entry: &'h Entry,
    /// What was decided before: by the other policy, or then.
    pub before: Option<Decision>,
    /// What is decided now.
    pub now: Decision,
    /// Why.
    pub reason: String,
    /// The rules that decide it now.
    pub rules: Vec<RuleRef>,
}

/// How often a rule decided, and when.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// Calls it decided.
    pub count: u64,
    /// When first.
    pub first: Option<String>,
    /// When last.
    pub last: Option<String>,
}

/// Puts every call of a history to a policy, and to another where one is given.
pub fn replay<'h>(
    history: &'h History,
    session: &Session,
    other: Option<&Session>,
) -> Vec<Replayed<'h>> {
    let mut now = Judge::new(session);
    let mut before = other.map(Judge::new);
    history
        .entries
        .values()
        .map(|entry| {
            let verdict = now.ask(entry);
            let rules = deciding(&verdict);
            Replayed {
                entry,
                before: match &mut before {
                    Some(judge) => Some(judge.ask(entry).decision),
                    None => entry.decided,
                },
                now: verdict.decision,
                reason: verdict.reason,
                rules,
            }
        })
        .collect()
}

/// The history as suggestions take it. Calls that hold secrets are left out: a rule made from one
/// would be shared with it.
pub fn recorded(history: &History, session: &Session) -> Vec<Recorded> {
    let root = &session.surroundings.project_root;
    history
        .entries
        .values()
        .filter(|entry| matches!(mask(&entry.question.text), Cow::Borrowed(_)))
        .map(|entry| {
            let cwd = entry.cwd.as_deref().and_then(|cwd| AbsPath::parse(cwd).ok());
            let cwd = cwd.filter(|cwd| cwd.is_within(root)).unwrap_or_else(|| root.clone());
            Recorded {
                question: entry.question.clone(),
                cwd,
                count: usize::try_from(entry.count).unwrap_or(usize::MAX),
                sessions: entry.sessions.len().max(1),
            }
        })
        .collect()
}

/// How often each rule decided.
pub fn hits(replayed: &[Replayed<'_>]) -> BTreeMap<RuleRef, Hits> {
    let mut out: BTreeMap<RuleRef, Hits> = BTreeMap::new();
    for call in replayed {
        for rule in &call.rules {
            let hits = out.entry(rule.clone()).or_default();
            hits.count += call.entry.count;
            let (first, last) = (&call.entry.first, &call.entry.last);
            if first.is_some() && (hits.first.is_none() || *first < hits.first) {
                hits.first.clone_from(first);
            }
            if *last > hits.last {
                hits.last.clone_from(last);
            }
        }
    }
    out
}

fn deciding(verdict: &Verdict) -> Vec<RuleRef> {
    let mut rules: Vec<RuleRef> = verdict
        .findings
        .iter()
        .filter(|finding| finding.decision == verdict.decision)
        .filter_map(|finding| match &finding.because {
            Because::Rule(rule) => Some(rule.clone()),
            Because::Builtin { .. }
            | Because::Mode { .. }
            | Because::Unanalyzable(_)
            | Because::Limit { .. }
            | Because::BrokenPolicy { .. }
            | Because::Hook { .. }
            | Because::Bug { .. } => None,
        })
        .collect();
    rules.sort();
    rules.dedup();
    rules
}

/// A policy for each directory that sessions ran in: its relative rules start there.
struct Judge<'s> {
    session: &'s Session,
    elsewhere: BTreeMap<AbsPath, Policy>,
}

impl<'s> Judge<'s> {
    fn new(session: &'s Session) -> Self {
        Self { session, elsewhere: BTreeMap::new() }
    }

    fn ask(&mut self, entry: &Entry) -> Verdict {
        let root = &self.session.surroundings.project_root;
        let home = self.session.surroundings.home.clone();
        let mode = self.session.options.mode;
        let cwd = entry.cwd.as_deref().and_then(|cwd| AbsPath::parse(cwd).ok());
        let cwd = cwd.unwrap_or_else(|| root.clone());
        if cwd.is_within(root) {
            let stage = Stage { project: root.clone(), home, mode };
            return stage.ask_in(&self.session.policy, &entry.question, &cwd);
        }
        if !self.elsewhere.contains_key(&cwd) {
            if self.elsewhere.len() >= MOST_PLACES {
                self.elsewhere.clear();
            }
            self.elsewhere.insert(cwd.clone(), self.moved_to(&cwd));
        }
        let stage = Stage { project: cwd.clone(), home, mode };
        let policy = self.elsewhere.get(&cwd).unwrap_or(&self.session.policy);
        stage.ask_in(policy, &entry.question, &cwd)
    }

    /// The same settings in another project.
    fn moved_to(&self, project: &AbsPath) -> Policy {
        let root = &self.session.surroundings.project_root;
        let layers: Vec<Layer> = self
            .session
            .layers
            .iter()
            .map(|layer| {
                let dir = if layer.dir == *root { project.clone() } else { layer.dir.clone() };
                Layer { dir, ..layer.clone() }
            })
            .collect();
        let place = Place {
            start: project.clone(),
            project_root: project.clone(),
            home: self.session.surroundings.home.clone(),
        };
        assemble(&layers, &place)
    }
}

/// What a call is counted under: its program and subcommand, or its tool.
pub fn family(question: &Question) -> (String, String) {
    if question.tool != "Bash" {
        let server = question.tool.strip_prefix("mcp__").and_then(|rest| rest.split_once("__"));
        return match server {
            Some((server, tool)) => (format!("mcp {server}"), tool.to_owned()),
            None => (question.tool.clone(), String::new()),
        };
    }
    // For counting only: the first words that name a program.
    let mut words = question
        .text
        .split(|c: char| c.is_whitespace() || ";&|()".contains(c))
        .filter(|word| !word.is_empty())
        .skip_while(|word| {
            word.contains('=') || *word == "cd" || word.starts_with(['/', '.', '~'])
        });
    let program = words.next().unwrap_or("(shell)");
    let program = program.rsplit('/').next().unwrap_or(program);
    let next = words.next().unwrap_or("");
    let sub = next.chars().all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c));
    let second = if sub && !next.starts_with('-') { next } else { "" };
    (program.chars().take(24).collect(), second.chars().take(24).collect())
}

/// Projects whose policies are kept at a time.
const MOST_PLACES: usize = 256;
