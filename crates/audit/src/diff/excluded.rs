//! Commands that `sandbox.excludedCommands` takes out of the sandbox: whether two lists mean the same.

use super::Search;
use super::realms::halves;
use crate::cover::is_whole;
use crate::settings::{Direction, SettingChange};
use crate::{Limits, Question, Stage};
use portcullis_policy::{ExcludedCommand, Policy};
use portcullis_rules::CommandPattern;
use portcullis_rules::automaton::{Automaton, Budget, Inclusion, included};
use std::collections::BTreeMap;

/// Whether the lists are written differently.
pub(super) fn differ(old: &Policy, new: &Policy) -> bool {
    let texts = |policy: &Policy| {
        let mut texts: Vec<String> =
            policy.sandbox.excluded.iter().map(|entry| entry.text.clone()).collect();
        texts.sort();
        texts.dedup();
        texts
    };
    texts(old) != texts(new)
}

/// The entries of both policies, each once, with their marks; `asks` are the marks of tools whose bare
/// ask asks for what runs outside the sandbox.
pub(super) fn marked<'a>(
    search: &Search<'a>,
    own: u64,
    asks: &[(&str, u64)],
) -> Vec<(&'a CommandPattern, u64)> {
    let mut known: BTreeMap<&str, (&CommandPattern, u64)> = BTreeMap::new();
    for (policy, shift) in halves(search) {
        let mut marks = own;
        for (tool, ask) in asks {
            if policy.ask.about_calls(tool).any(is_whole) {
                marks |= ask;
            }
        }
        for entry in &policy.sandbox.excluded {
            known.entry(&entry.text).or_insert((&entry.pattern, 0)).1 |= marks << shift;
        }
    }
    known.into_values().collect()
}

/// How the list changes, if its meaning does, with a command that shows it.
pub(super) fn change(
    old: &Policy,
    new: &Policy,
    stage: &Stage,
    limits: &Limits,
) -> Option<SettingChange> {
    if !differ(old, new) {
        return None;
    }
    let (before, after) = (&old.sandbox.excluded, &new.sandbox.excluded);
    let more = beyond(after, before, limits.steps);
    let less = beyond(before, after, limits.steps);
    let direction = match (&more, &less) {
        (Beyond::Nothing, Beyond::Nothing) => return None,
        (Beyond::Something(_), Beyond::Nothing) => Direction::Looser,
        // What is held in the sandbox again may need no permission there.
        (Beyond::Nothing, Beyond::Something(_)) if !runs_unasked(new) => Direction::Tighter,
        (_, _) => Direction::Mixed,
    };
    let texts = |own: &[ExcludedCommand], other: &[ExcludedCommand]| {
        let only: Vec<&str> = own
            .iter()
            .filter(|entry| !other.iter().any(|known| known.text == entry.text))
            .map(|entry| entry.text.as_str())
            .collect();
        if only.is_empty() { "nothing more".to_owned() } else { only.join(", ") }
    };
    Some(SettingChange {
        key: "sandbox.excludedCommands",
        before: texts(before, after),
        after: texts(after, before),
        direction,
        source: None,
        example: example(old, new, stage, [&more, &less]),
    })
}

/// Whether commands need no rule inside the sandbox.
fn runs_unasked(policy: &Policy) -> bool {
    policy.sandbox.enabled.value && policy.sandbox.auto_allow.value
}

/// What one list takes out that another does not.
enum Beyond {
    Nothing,
    /// Texts that may show it.
    Something(Vec<String>),
}

/// What `own` takes out and `other` does not. What is not settled within the budget counts as something.
fn beyond(own: &[ExcludedCommand], other: &[ExcludedCommand], steps: usize) -> Beyond {
    let outers: Vec<Automaton> = other.iter().map(|entry| entry.pattern.automaton()).collect();
    let outers: Vec<&Automaton> = outers.iter().collect();
    let mut found = Vec::new();
    let mut any = false;
    for entry in own {
        let known = other.iter().any(|known| known.text == entry.text);
        if known {
            continue;
        }
        let inner = entry.pattern.automaton();
        match included(&inner, &outers, &mut Budget::new(steps)) {
            Some(Inclusion::Holds) => continue,
            Some(Inclusion::Fails(text)) => found.extend(String::from_utf8(text)),
            None => {}
        }
        any = true;
        found.extend(entry.pattern.samples("x"));
    }
    if any { Beyond::Something(found) } else { Beyond::Nothing }
}

/// A command that runs inside the sandbox under one policy and outside of it under the other.
fn example(old: &Policy, new: &Policy, stage: &Stage, found: [&Beyond; 2]) -> Option<Question> {
    let texts = found.into_iter().flat_map(|beyond| match beyond {
        Beyond::Nothing => &[][..],
        Beyond::Something(texts) => texts,
    });
    texts.map(Question::bash).find(|question| {
        let [before, after] = [old, new].map(|policy| stage.ask(policy, question).sandboxed);
        before != after
    })
}
