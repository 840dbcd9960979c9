//! Allow and ask rules that stricter rules take back whole.

use crate::audit::{Asker, Limits};
use crate::cover::{Cover, Covering, is_whole};
use crate::finding::{Evidence, Fix, Related, Witness};
use crate::realm::Realm;
use crate::tables::catalogue::{CONFLICT, SHADOWED, SHADOWED_ASK};
use crate::{Finding, Question};
use portcullis_model::{Decision, Mode, RuleClass};
use portcullis_policy::PolicyRule;

pub(crate) fn check(asker: &Asker<'_>, limits: &Limits) -> Vec<Finding> {
    let policy = asker.policy();
    let mut findings = Vec::new();
    let sandbox = &policy.sandbox;
    let mode = asker.subject.stage.mode_under(policy);
    let contained = sandbox.enabled.value && sandbox.auto_allow.value && mode != Mode::Plan;
    // Inside the sandbox a bare ask does not ask.
    let counts = |rule: &PolicyRule| {
        !(contained && rule.reference.class == RuleClass::Ask && is_whole(rule))
    };
    for (list, stricter) in
        [(&policy.allow, &[&policy.deny, &policy.ask][..]), (&policy.ask, &[&policy.deny][..])]
    {
        let covering = Covering { lists: stricter, counts: &counts, steps: limits.steps };
        for rule in &list.list {
            findings.extend(finding(asker, rule, &covering));
        }
    }
    findings
}

fn finding(asker: &Asker<'_>, rule: &PolicyRule, covering: &Covering<'_, '_>) -> Option<Finding> {
    let asks = rule.reference.class == RuleClass::Ask;
    let kind = if asks { &SHADOWED_ASK } else { &SHADOWED };
    let by = match covering.of(rule) {
        Cover::Open => return None,
        Cover::Unknown => {
            let message = format!(
                "whether stricter rules take back all of `{}` could not be settled within the budget",
                rule.reference.text
            );
            let mut finding = Finding::about(kind, &rule.reference, message);
            finding.severity = portcullis_policy::Severity::Note;
            finding.evidence = Evidence::Inconclusive;
            return Some(finding);
        }
        Cover::By(by) => by,
    };
    let witness = example(rule).map(|question| {
        let verdict = asker.ask(&question);
        Witness { question, decision: verdict.decision, note: verdict.reason }
    });
    // A proof that the evaluator contradicts is a mistake of ours and not a finding.
    if witness.as_ref().is_some_and(|witness| witness.decision == Decision::Allow) {
        return None;
    }
    let elsewhere =
        by.iter().all(|other| other.reference.source.scope != rule.reference.source.scope);
    let names: Vec<String> = by
        .iter()
        .map(|other| format!("{} `{}`", other.reference.class.word(), other.reference.text))
        .collect();
    let verb = match (asks, Realm::of(rule).edit().is_some()) {
        (true, _) => "asks",
        (false, true) => "allows an edit",
        (false, false) => "allows anything",
    };
    let message =
        format!("`{}` never {verb}: {} comes first", rule.reference.text, names.join(" with "));
    let kind = if elsewhere && !asks { &CONFLICT } else { kind };
    let mut finding = Finding::about(kind, &rule.reference, message);
    finding.related = by.iter().map(|other| Related::rule(&other.reference)).collect();
    finding.witnesses.extend(witness);
    let same_file =
        by.iter().all(|other| other.reference.source.file == rule.reference.source.file);
    // An Edit rule whose edits are taken back still lets tools read.
    let still_reads = Realm::of(rule).edit().is_some();
    finding.fix = (same_file && !still_reads).then_some(Fix::Remove);
    Some(finding)
}

/// A call that the rule is about.
pub(crate) fn example(rule: &PolicyRule) -> Option<Question> {
    examples(rule, "x").pop()
}

/// Calls that the rule is about, stars filled.
pub(crate) fn examples(rule: &PolicyRule, fill: &str) -> Vec<Question> {
    let text = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    match Realm::of(rule) {
        Realm::Command(pattern) => pattern.samples(fill).into_iter().map(Question::bash).collect(),
        Realm::Read(paths) => {
            text(paths.automaton().witness()).iter().map(|path| Question::read(path)).collect()
        }
        Realm::Edit(paths) => {
            text(paths.automaton().witness()).iter().map(|path| Question::edit(path)).collect()
        }
        Realm::Host(pattern) => text(pattern.automaton().witness())
            .iter()
            .map(|host| Question::fetch(&format!("https://{host}/")))
            .collect(),
        Realm::Directory(paths) => text(paths.automaton().witness())
            .iter()
            .map(|path| Question::of("Cd", "path", path))
            .collect(),
        Realm::Name(pattern) => {
            let (tool, field) = match rule.rule.tool().exact() {
                Some("Skill") => ("Skill", "skill"),
                _ => ("Agent", "subagent_type"),
            };
            let names = pattern.samples(fill);
            names.iter().map(|name| Question::of(tool, field, name)).collect()
        }
        Realm::Whole => {
            let names = crate::cover::tool_samples(rule.rule.tool());
            names
                .iter()
                .map(|name| name.replace(crate::cover::FRESH, fill))
                .map(|name| match name.as_str() {
                    "Bash" => Question::bash("x"),
                    name => Question::bare(name),
                })
                .collect()
        }
        Realm::Parameter(name, value) => rule
            .rule
            .tool()
            .exact()
            .map(|tool| {
                let mut question = Question::of(tool, name, value.sample(fill));
                if tool == "Bash" {
                    let command = portcullis_model::InputValue::Text("x".to_owned());
                    question.input.0.insert("command".to_owned(), command);
                }
                question
            })
            .into_iter()
            .collect(),
        Realm::Nothing => Vec::new(),
    }
}
