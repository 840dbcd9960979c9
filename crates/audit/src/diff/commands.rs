//! The realm of commands: as they run, by `Monitor`, among what only reads, as whole lines, and where a
//! call asks to leave the sandbox.

use super::beside::{LEAVE, outside};
use super::hunt::{Meanings, Sides, View, hunt};
use super::realms::{
    COMMAND_TOOLS, HALF, both, both_meanings, marked, marks_of_all, sides, whole_marks,
};
use super::universe::{Branches, Grammar, Texts, Tree};
use super::{Search, excluded};
use crate::Question;
use crate::cover::{command_of, is_whole};
use crate::realm::Realm;
use portcullis_engine::suspended;
use portcullis_facts::tables::lenient_starts;
use portcullis_model::{Decision, Mode, RuleClass};
use portcullis_policy::{Policy, PolicyRule};
use portcullis_rules::automaton::Bundle;
use std::collections::BTreeSet;

/// Shell commands.
pub(super) fn commands(search: &mut Search<'_>) {
    let (bash, monitor) = (sides(3), sides(6));
    let own = Sides { excluded: EXCLUDED, ..sides(0) };
    // For calls that ask to leave the sandbox.
    let (left, monitor_left) = (sides(9), sides(12));
    let auto = [search.old, search.new].map(|policy| search.mode(policy) == Mode::Auto);
    let mut bundle = Bundle::default();
    let mut wholes = Bundle::default();
    let (mut quoted, mut lines) = (false, false);
    let rules = marked(search, |rule| command_of(rule).map(|pattern| ((rule, pattern), own)));
    for ((rule, pattern), mut marks) in rules {
        let allow = rule.reference.class == RuleClass::Allow;
        if allow && suspended(pattern) {
            // Auto mode does not honour it.
            let kept = [HALF, HALF << 32];
            for (half, auto) in kept.into_iter().zip(auto) {
                marks &= if auto { !half } else { u64::MAX };
            }
        }
        if pattern.holds_separators() {
            lines = true;
            pattern.add_whole_to(&mut wholes, marks);
            if allow {
                continue;
            }
        }
        quoted |= !pattern.text().chars().all(is_plain);
        pattern.add_to(&mut bundle, marks);
    }
    // A bare ask asks for what is taken out of the sandbox.
    let asks = [("Bash", bash.ask | left.ask), ("Monitor", monitor.ask | monitor_left.ask)];
    for (pattern, marks) in excluded::marked(search, EXCLUDED, &asks) {
        quoted |= !pattern.text().chars().all(is_plain);
        pattern.add_to(&mut bundle, marks);
    }
    let (bash_marks, monitor_marks) =
        (whole_marks(search, "Bash", bash), whole_marks(search, "Monitor", monitor));
    let (bash_outside, monitor_outside) =
        (marks_outside(search, "Bash", left), marks_outside(search, "Monitor", monitor_left));
    let sure = bash_marks | monitor_marks | bash_outside | monitor_outside;
    let bash_questions = |text: &str| {
        vec![Question::bash(text), Question::bash(format!("for i in a; do {text}; done"))]
    };
    let monitor_questions = |text: &str| vec![Question::of("Monitor", "command", text)];
    let reading = |text: &str| vec![Question::bash(text)];
    let leaving = |text: &str| vec![outside(Question::bash(text))];
    let monitor_leaving = |text: &str| vec![outside(Question::of("Monitor", "command", text))];
    let asked = |free: bool| [if free { Decision::Allow } else { Decision::Ask }; 2];
    let plain = both_meanings(search, |policy| asked(search.is_contained(policy)));
    let lenient = both_meanings(search, |_| asked(true));
    // Outside the sandbox nothing runs because it only reads or edits: the rules decide.
    let leave = both_meanings(search, |policy| {
        asked(search.is_contained(policy) && !Search::lets_out(policy))
    });
    let lenient_leave = both_meanings(search, |policy| asked(!Search::lets_out(policy)));
    // What only reads needs no sandbox.
    let [lenient, lenient_leave] =
        [lenient, lenient_leave].map(|both| both.map(|m| Meanings { excluded: m.none[0], ..m }));
    let leaves = Search::lets_out(search.old) || Search::lets_out(search.new);
    let edits = [search.old, search.new].map(|policy| search.mode(policy) == Mode::AcceptEdits);
    let mut views = vec![View {
        name: "commands",
        sides: both(own, bash),
        meanings: plain,
        questions: &bash_questions,
    }];
    let monitor_view = |meanings| View {
        name: "Monitor",
        sides: both(both(own, bash), monitor),
        meanings,
        questions: &monitor_questions,
    };
    if monitor_marks != 0 {
        views.push(monitor_view(plain));
    }
    let outside_view = |meanings| View {
        name: "commands outside the sandbox",
        sides: both(own, left),
        meanings,
        questions: &leaving,
    };
    if leaves {
        views.push(outside_view(leave));
        if monitor_outside != 0 {
            views.push(View {
                name: "Monitor outside the sandbox",
                sides: both(both(own, left), monitor_left),
                meanings: leave,
                questions: &monitor_leaving,
            });
        }
    }
    let mut found = BTreeSet::new();
    hunt(search, &mut found, &views, &bundle, &Texts::of(Grammar::Words), sure);
    // What no rule speaks about runs where it only reads: among those, other verdicts change.
    let starts = lenient_starts(edits.contains(&true));
    let tree = Tree::of(starts.iter().map(String::as_str));
    let texts = Texts::with(Grammar::Words, Branches::Start, tree);
    let mut views_of_readers = vec![View {
        name: "commands that only read",
        sides: both(own, bash),
        meanings: lenient,
        questions: &reading,
    }];
    if monitor_marks != 0 {
        views_of_readers.push(monitor_view(lenient));
    }
    if leaves {
        views_of_readers.push(outside_view(lenient_leave));
    }
    let mut known: BTreeSet<_> =
        search.found.keys().map(|cell| ("commands that only read", *cell)).collect();
    hunt(search, &mut known, &views_of_readers, &bundle, &texts, sure);
    if quoted {
        hunt(search, &mut found, &views, &bundle, &Texts::of(Grammar::Source), sure);
    }
    if lines {
        let mut views = vec![View {
            name: "command lines",
            sides: both(own, bash),
            meanings: plain,
            questions: &reading,
        }];
        if leaves {
            views.push(outside_view(leave));
        }
        let texts = Texts::of(Grammar::Line);
        hunt(search, &mut BTreeSet::new(), &views, &wholes, &texts, sure);
    }
}

/// The marks of rules that every command has which asks to leave the sandbox.
fn marks_outside(search: &Search<'_>, tool: &str, own: Sides) -> u64 {
    let contained = |policy: &Policy| search.is_contained(policy) && !Search::lets_out(policy);
    marks_of_all(search, tool, own, contained, |rule| is_whole(rule) || is_about_leaving(rule))
}

/// Whether a rule speaks about the field by which a command asks to leave the sandbox. Allow rules
/// look at no field.
pub(super) fn is_about_leaving(rule: &PolicyRule) -> bool {
    rule.reference.class != RuleClass::Allow
        && COMMAND_TOOLS.iter().any(|tool| rule.rule.tool().matches(tool))
        && Realm::of(rule)
            .parameter()
            .is_some_and(|(field, value)| field == LEAVE && value.matches("true"))
}

/// The mark of commands that are taken out of the sandbox.
const EXCLUDED: u64 = 1 << 15;

/// Whether a character stands for itself in commands and in patterns.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./,:=@%+* ".contains(c) || !c.is_ascii()
}
