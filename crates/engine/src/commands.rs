//! Commands against rules.

use portcullis_facts::{Arg, CommandFact, Form};
use portcullis_model::{Certainty, Mode, TextSet};
use portcullis_policy::{PolicyRule, Rules};
use portcullis_rules::{CommandPattern, Match, Specifier};
use std::collections::BTreeMap;

/// The deny or ask rules that match a command, with how, in the order they are found.
///
/// Every form is looked at: as written, without assignments and wrappers, by the program's own name.
///
/// With `one`, only a rule that matches as surely as any does is in the answer.
pub(crate) fn restricting<'p>(
    rules: &'p Rules,
    fact: &CommandFact,
    one: bool,
) -> Vec<(&'p PolicyRule, Certainty)> {
    let mut out: Vec<(&PolicyRule, Certainty)> = Vec::new();
    // A command of unknown words may match every rule there is, in each of its forms.
    let mut places: BTreeMap<*const PolicyRule, usize> = BTreeMap::new();
    let surest = if fact.possible { Certainty::Possible } else { Certainty::Certain };
    let mut add = |out: &mut Vec<(&'p PolicyRule, Certainty)>, rule: &'p PolicyRule, found| {
        let certainty = match found {
            Match::No => return,
            Match::Certain => surest,
            Match::Possible => Certainty::Possible,
        };
        let place = *places.entry(std::ptr::from_ref(rule)).or_insert(out.len());
        match out.get_mut(place) {
            Some((_, known)) => *known = (*known).max(certainty),
            None => out.push((rule, certainty)),
        }
    };
    'forms: for form in &fact.forms {
        for rule in rules.command_candidates(&form.texts) {
            let Specifier::Command(pattern) = rule.rule.specifier() else { continue };
            let found = match out.iter().map(|(_, sure)| *sure).max().filter(|_| one) {
                Some(known) if known >= surest => break 'forms,
                // One that may match is known: only a certain match says more.
                Some(_) if !pattern.covers(&form.texts) => Match::No,
                Some(_) | None => pattern.matches(&form.texts),
            };
            add(&mut out, rule, found);
        }
        // Most source texts are the canonical text.
        let source = form.source.as_deref().filter(|source| form.texts.known() != Some(source));
        if let Some(source) = source {
            for rule in rules.command_candidates(&TextSet::literal(source)) {
                let Specifier::Command(pattern) = rule.rule.specifier() else { continue };
                if pattern.matches_text(source) {
                    add(&mut out, rule, Match::Certain);
                }
            }
        }
    }
    if one && let Some(surest) = out.iter().copied().max_by_key(|(_, sure)| *sure) {
        out = vec![surest];
    }
    out
}

/// What an allow rule covers of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// The command and where it writes: a bare `Bash`.
    Bare,
    /// The command, by its very text.
    Exact,
    /// The command, by the wrapper that carries it: its own operands are not looked at.
    Wrapped,
    /// The command.
    Command,
}

/// The allow rule that covers a command, the widest first.
pub(crate) fn allowing<'p>(
    rules: &'p Rules,
    tool: &str,
    fact: &CommandFact,
    mode: Mode,
) -> Option<(&'p PolicyRule, Grant)> {
    let whole = |rule: &&PolicyRule| matches!(rule.rule.specifier(), Specifier::Whole);
    let bare = rules.about_calls(tool).find(whole).filter(|_| mode != Mode::Auto);
    if let Some(rule) = bare {
        return Some((rule, Grant::Bare));
    }
    for form in fact.forms.iter().filter(|form| form.allows) {
        let grant = if form.wrapped { Grant::Wrapped } else { Grant::Command };
        for rule in rules.command_candidates(&form.texts) {
            let Specifier::Command(pattern) = rule.rule.specifier() else { continue };
            if (mode != Mode::Auto || !suspended(pattern)) && grants(pattern, form, fact) {
                let exact = grant == Grant::Command && spelled_out(pattern, form);
                return Some((rule, if exact { Grant::Exact } else { grant }));
            }
        }
        let Some(source) = &form.source else { continue };
        let texts = TextSet::literal(source.clone());
        for rule in rules.command_candidates(&texts) {
            let Specifier::Command(pattern) = rule.rule.specifier() else { continue };
            if (mode != Mode::Auto || !suspended(pattern)) && grants(pattern, form, fact) {
                let exact = grant == Grant::Command && spelled_out(pattern, form);
                return Some((rule, if exact { Grant::Exact } else { grant }));
            }
        }
    }
    None
}

/// Whether one pattern covers one form: every text it may stand for, or the very source text.
fn grants(pattern: &CommandPattern, form: &Form, fact: &CommandFact) -> bool {
    if pattern.holds_separators() {
        return false;
    }
    // `watch`, `find -exec` and the like: only the exact command as a whole.
    if fact.exact_only {
        return form.whole
            && (is_exact(pattern, form)
                || (!pattern.has_wildcard() && pattern.covers(&form.texts)));
    }
    if pattern.covers(&form.texts) {
        return true;
    }
    let Some(source) = &form.source else { return false };
    // SECURITY: a wildcard over source text could run across an expansion (`x $(…) y` under
    // `x * y`), so it counts only where every word is known.
    let known = fact.argv.iter().all(|arg| matches!(arg, Arg::Known(_)));
    (known || !pattern.has_wildcard()) && pattern.matches_text(source)
}

/// Whether the rule repeats a source text that reads unlike its canonical form.
fn spelled_out(pattern: &CommandPattern, form: &Form) -> bool {
    form.source.as_deref() == Some(pattern.text())
}

/// Whether the rule is the very text of the command, stars and all.
fn is_exact(pattern: &CommandPattern, form: &Form) -> bool {
    form.source.as_deref().or(form.texts.known()) == Some(pattern.text())
}

/// Rules that auto mode does not honour: those that let any code run.
pub fn suspended(pattern: &CommandPattern) -> bool {
    let prefix = pattern.literal_prefix();
    let name = prefix.split(' ').next().unwrap_or("");
    let name = name.rsplit('/').next().unwrap_or(name);
    pattern.has_wildcard() && (name.is_empty() || crate::tables::interpreters::runs_any_code(name))
}
