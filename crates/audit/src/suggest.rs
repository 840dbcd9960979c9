//! Rules from history: the fewest that spare the most prompts and let nothing else run.
//!
//! A candidate is a beginning of commands that were asked about. It is dropped when, beside what it
//! says, it would run any code, write files past the rules for edits or send data anywhere; what is
//! left is chosen greedily by the prompts it spares.

use crate::audit::reach;
use crate::tables::catalogue::{ANY_CODE, NETWORK, WRITES};
use crate::{Finding, Question, Stage};
use portcullis_engine::tables::interpreters::runs_any_code;
use portcullis_facts::Arg;
use portcullis_model::{
    AbsPath, Because, Decision, RuleClass, RuleRef, Scope, Source, Suggestion, quote_word,
};
use portcullis_policy::{Policy, PolicyRule, Rules, Severity};
use portcullis_rules::{Anchors, Rule, Specifier};
use std::collections::BTreeMap;

/// A call of the history.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The call.
    pub question: Question,
    /// The directory it ran in.
    pub cwd: AbsPath,
    /// How often it was made.
    pub count: usize,
    /// In how many sessions.
    pub sessions: usize,
}

/// What a rule has to have to be proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// The least sessions that asked for it.
    pub sessions: usize,
    /// The least prompts it spares.
    pub prompts: usize,
    /// How many rules at most.
    pub rules: usize,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { sessions: 3, prompts: 3, rules: 20 }
    }
}

/// What is proposed.
#[derive(Clone, Debug, Default)]
pub struct Suggestions {
    /// Rules, the most useful first.
    pub proposals: Vec<Proposal>,
    /// Rules that would be useful and are not proposed.
    pub refused: Vec<Refused>,
    /// Prompts of the history under the policy.
    pub before: usize,
    /// Prompts that are left with every proposal.
    pub after: usize,
}

/// A rule to add to `permissions.allow`.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Its text.
    pub rule: String,
    /// Prompts it spares beside the proposals before it.
    pub prompts: usize,
    /// Sessions that asked for it.
    pub sessions: usize,
    /// A call it is for.
    pub example: Question,
    /// What its author should know all the same.
    pub notes: Vec<Finding>,
}

/// A rule that is not proposed, and why.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Its text.
    pub rule: String,
    /// Prompts it would spare.
    pub prompts: usize,
    /// Why not.
    pub why: String,
}

/// Proposes allow rules for a history.
pub fn suggest(
    policy: &Policy,
    stage: &Stage,
    history: &[Recorded],
    wishes: Wishes,
) -> Suggestions {
    let mut asked: Vec<(&Recorded, Vec<String>)> = Vec::new();
    for recorded in history {
        let verdict = stage.ask_in(policy, &recorded.question, &recorded.cwd);
        if verdict.decision != Decision::Ask {
            continue;
        }
        let mut rules = beginnings(stage, recorded);
        for suggestion in &verdict.suggestions {
            if let Suggestion::Rules { rules: own, .. } = suggestion {
                rules.extend(own.iter().cloned());
            }
        }
        // What an ask rule asks for, or what no rule takes away, stays a prompt.
        let lasting = verdict.findings.iter().any(|finding| {
            finding.decision == Decision::Ask && matches!(finding.because, Because::Rule(_))
        });
        rules.sort();
        rules.dedup();
        asked.push((recorded, if lasting { Vec::new() } else { rules }));
    }
    let mut out = Suggestions {
        before: asked.iter().map(|(recorded, _)| recorded.count).sum(),
        ..Suggestions::default()
    };
    let mut weights: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (recorded, rules) in &asked {
        for rule in rules {
            let weight = weights.entry(rule.clone()).or_default();
            weight.0 += recorded.count;
            weight.1 += recorded.sessions;
        }
    }
    let mut candidates: Vec<(String, usize, usize)> = weights
        .into_iter()
        .filter(|(_, (prompts, sessions))| {
            *prompts >= wishes.prompts && *sessions >= wishes.sessions
        })
        .map(|(rule, (prompts, sessions))| (rule, prompts, sessions))
        .collect();
    // The most prompts first; of equals a beginning before one text, and of those the longer rule,
    // which grants less.
    let rank =
        |(rule, prompts, _): &(String, usize, usize)| (*prompts, rule.contains('*'), rule.len());
    candidates.sort_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.0.cmp(&b.0)));
    candidates.truncate(MOST_CANDIDATES);
    let mut with = policy.clone();
    let mut left: Vec<&Recorded> = asked.iter().map(|(recorded, _)| *recorded).collect();
    for (text, prompts, sessions) in candidates {
        if out.proposals.len() >= wishes.rules {
            break;
        }
        let Some(rule) = parse(&text, stage) else { continue };
        let findings = reach(policy, stage, &rule);
        let reaches = [&ANY_CODE, &WRITES, &NETWORK].map(|kind| kind.id);
        let worst = findings
            .iter()
            .find(|finding| finding.severity > Severity::Note || reaches.contains(&finding.kind.id))
            .map(|finding| finding.message.clone());
        if let Some(why) = worst.or_else(|| interpreter(&rule)) {
            if out.refused.len() < wishes.rules {
                out.refused.push(Refused { rule: text, prompts, why });
            }
            continue;
        }
        let mut next = with.clone();
        let mut list = next.allow.list.clone();
        list.push(rule);
        next.allow = Rules::new(list);
        let (still, spared): (Vec<&Recorded>, Vec<&Recorded>) =
            left.iter().copied().partition(|recorded| {
                stage.ask_in(&next, &recorded.question, &recorded.cwd).decision == Decision::Ask
            });
        let fewer: usize = spared.iter().map(|recorded| recorded.count).sum();
        let Some(example) = spared.first().filter(|_| fewer >= wishes.prompts) else { continue };
        out.proposals.push(Proposal {
            rule: text,
            prompts: fewer,
            sessions,
            example: example.question.clone(),
            notes: findings,
        });
        with = next;
        left = still;
    }
    out.after = left.iter().map(|recorded| recorded.count).sum();
    out
}

/// Rules for the beginnings of a call's commands, two words at least: a rule for a program alone is
/// wider than any one use of it, and is offered only where nothing can follow.
fn beginnings(stage: &Stage, recorded: &Recorded) -> Vec<String> {
    let question = &recorded.question;
    if question.tool.starts_with("mcp__") {
        return vec![question.tool.clone()];
    }
    let mut out = Vec::new();
    let facts = stage.facts_in(question, &recorded.cwd);
    for fact in facts.commands.iter().filter(|fact| fact.needs_cover() && fact.read_only.is_err()) {
        let words: Vec<&str> = fact.argv.iter().map_while(Arg::known).collect();
        let Some(program) = words.first() else { continue };
        if program.contains('/') && !program.starts_with("./") {
            continue;
        }
        let plain = |word: &&str| quote_word(word) == **word && !word.contains(':');
        for length in 2..=words.len().min(3) {
            let Some(start) = words.get(..length) else { continue };
            // Where options begin the rest varies; a rule that fixes them fixes too much or too little.
            let subcommands = start.iter().skip(1).all(|word| {
                word.chars().all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c))
                    && !word.starts_with('-')
            });
            if subcommands && start.iter().all(plain) {
                out.push(format!("Bash({} *)", start.join(" ")));
            }
        }
        if words.len() == fact.argv.len() && words.iter().all(plain) {
            out.push(format!("Bash({})", words.join(" ")));
        }
    }
    out.sort();
    out.dedup();
    out
}

/// Why a rule for a program that runs any code it is given is not proposed.
fn interpreter(rule: &PolicyRule) -> Option<String> {
    let Specifier::Command(pattern) = rule.rule.specifier() else { return None };
    let name = pattern.literal_prefix().split(' ').next().unwrap_or("");
    runs_any_code(name).then(|| format!("`{name}` runs what it is given"))
}

/// A rule as it would stand in settings of the project.
fn parse(text: &str, stage: &Stage) -> Option<PolicyRule> {
    let rule = Rule::parse(text, RuleClass::Allow).ok()?;
    let anchors = Anchors {
        source_root: stage.project.clone(),
        start: stage.project.clone(),
        home: stage.home.clone(),
    };
    let paths = match rule.specifier() {
        Specifier::Path(pattern) | Specifier::Directory(pattern) => {
            Some(pattern.anchored(&anchors))
        }
        Specifier::Whole
        | Specifier::Nothing
        | Specifier::Inert
        | Specifier::Command(_)
        | Specifier::Domain(_)
        | Specifier::Parameter { .. }
        | Specifier::Name(_) => None,
    };
    let source = Source { scope: Scope::Project, file: "suggested".to_owned(), line: 0, column: 0 };
    let reference = RuleRef { class: RuleClass::Allow, text: text.to_owned(), source };
    Some(PolicyRule { rule, reference, paths })
}

/// Candidates that are looked at: each costs a round over the history.
const MOST_CANDIDATES: usize = 200;
