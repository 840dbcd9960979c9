//! What decides calls beside the texts that rules match: a rule that is a command's very text, rules for
//! whole tools, and parts of a command that are only known when it runs.

use super::{Cell, Changed, Doubt, Search};
use crate::Question;
use crate::checks::shadowed::examples;
use crate::cover::{Cover, Covering, FRESH, command_of, is_whole};
use crate::realm::Realm;
use crate::tables::everyday::READING;
use portcullis_engine::suspended;
use portcullis_model::{Decision, InputValue, Mode, RuleClass};
use portcullis_policy::{Policy, PolicyRule};
use portcullis_rules::Specifier;

/// Asks what a changed rule may decide beside its texts.
pub(super) fn compare(search: &mut Search<'_>, changed: &Changed<'_>) {
    exact_texts(search, changed);
    kinds_of_rules(search, changed);
    unknown_words(search, changed);
    left_to_the_classifier(search, changed);
}

/// In auto mode an ask rule asks a person; without it a classifier decides. The verdict is the same, and
/// who gives it is not.
fn left_to_the_classifier(search: &mut Search<'_>, changed: &Changed<'_>) {
    for (rules, own, other, loosens) in [
        (&changed.old_only, search.old, search.new, true),
        (&changed.new_only, search.new, search.old, false),
    ] {
        if search.mode(own) != Mode::Auto && search.mode(other) != Mode::Auto {
            continue;
        }
        let stricter = [&other.deny, &other.ask];
        let all = |_: &PolicyRule| true;
        let covering = Covering { lists: &stricter, counts: &all, steps: search.steps };
        for rule in rules.iter().filter(|rule| rule.reference.class == RuleClass::Ask) {
            if !matches!(covering.of(rule), Cover::By(_)) {
                let text = &rule.reference.text;
                let text = format!(
                    "in auto mode `{text}` decides who is asked: a person, or a classifier"
                );
                search.doubts.push(Doubt { text, loosens });
            }
        }
    }
}

/// An allow rule without a wildcard covers more than a wide one does for its own text alone: what only
/// an exact rule allows, and operands elsewhere.
fn exact_texts(search: &mut Search<'_>, changed: &Changed<'_>) {
    let mut asked = 0;
    for rule in changed.rules().filter(|rule| rule.reference.class == RuleClass::Allow) {
        let Some(pattern) = command_of(rule) else { continue };
        let flips = [(Decision::Ask, Decision::Allow), (Decision::Allow, Decision::Ask)];
        if flips.iter().all(|(from, to)| search.knows(Cell { from: *from, to: *to })) {
            return;
        }
        if asked >= EXACT {
            search.open("more exact rules changed than were asked about one by one");
            return;
        }
        asked += 1;
        search.ask_command(&Question::bash(pattern.text()));
        if !pattern.has_wildcard() {
            for text in pattern.samples(FRESH) {
                search.ask_command(&Question::bash(text));
            }
        }
    }
}

/// Whether rules of some kind exist at all decides calls that cannot be read, and a bare `Bash` covers
/// what no pattern does.
fn kinds_of_rules(search: &mut Search<'_>, changed: &Changed<'_>) {
    let kinds = |policy: &Policy| {
        let restricting = || policy.deny.list.iter().chain(&policy.ask.list);
        let commands = restricting().any(|rule| {
            matches!(rule.rule.specifier(), Specifier::Command(_))
                && super::realms::COMMAND_TOOLS.iter().any(|tool| rule.rule.tool().matches(tool))
        });
        let paths = restricting()
            .any(|rule| ["Read", "Edit"].iter().any(|tool| rule.rule.tool().matches(tool)));
        (commands, paths)
    };
    let bare = |policy: &Policy| policy.allow.for_tool("Bash").any(is_whole);
    let (old, new) = (search.old, search.new);
    let [before, after] = [old, new].map(|policy| (kinds(policy), bare(policy)));
    if before == after {
        return;
    }
    let whole = changed.rules().any(|rule| is_whole(rule) && rule.rule.tool().matches("Bash"));
    let known = search.found_so_far();
    for command in OPAQUE.iter().chain(READING.iter().filter(|_| whole)) {
        search.ask_command(&Question::bash(*command));
    }
    let opaque_counts = [old, new].iter().any(|policy| {
        bare(policy)
            || search.is_contained(policy)
            || search.mode(policy) == Mode::BypassPermissions
    });
    let loosens = (before.1 != after.1 && after.1)
        || (before.0.0 && !after.0.0)
        || (before.0.1 && !after.0.1);
    if opaque_counts && search.found_so_far() == known {
        search.doubts.push(Doubt {
            text: "which kinds of rules there are changed, which decides calls that cannot be read"
                .to_owned(),
            loosens,
        });
    }
}

/// Where a part of a command is only known when it runs, one rule alone has to match all it may be. The
/// product says nothing of that: several rules may be as wide only together.
fn unknown_words(search: &mut Search<'_>, changed: &Changed<'_>) {
    for (rules, own, other, new) in [
        (&changed.new_only, search.new, search.old, true),
        (&changed.old_only, search.old, search.new, false),
    ] {
        for rule in rules {
            let class = rule.reference.class;
            let (strong, weak) = match class {
                RuleClass::Ask => continue,
                RuleClass::Allow => (Decision::Allow, Decision::Ask),
                RuleClass::Deny => (Decision::Deny, Decision::Ask),
            };
            let cell =
                if new { Cell { from: weak, to: strong } } else { Cell { from: strong, to: weak } };
            if search.knows(cell) || !has_unknown_parts(rule) {
                continue;
            }
            // Where everything runs that no rule stops, an allow rule gives nothing.
            let command = command_of(rule);
            let inside = search.is_contained(other) && !Search::lets_out(other);
            let free = search.mode(other) == Mode::BypassPermissions
                || (command.is_some() && inside)
                || (search.mode(own) == Mode::Auto && command.is_some_and(suspended));
            if class == RuleClass::Allow && free {
                continue;
            }
            let all = |_: &PolicyRule| true;
            let list = if class == RuleClass::Deny { &other.deny } else { &other.allow };
            let lists = [list];
            let alone = Covering { lists: &lists, counts: &all, steps: search.steps };
            if matches!(alone.of(rule), Cover::By(by) if by.len() == 1) {
                continue;
            }
            if class == RuleClass::Allow {
                // Nothing of what it matches is ever allowed.
                let stricter = [&own.deny, &own.ask];
                let taken = Covering { lists: &stricter, counts: &all, steps: search.steps };
                if matches!(taken.of(rule), Cover::By(_)) {
                    continue;
                }
            }
            for question in unknown(rule) {
                search.ask_command(&question);
            }
            if !search.knows(cell) {
                search.doubts.push(Doubt {
                    text: format!(
                        "`{}` is as wide as other rules only together, which differs where a part is only known when it runs",
                        rule.reference.text
                    ),
                    loosens: cell.to < cell.from,
                });
            }
        }
    }
}

/// Whether a call may have unknown parts that the rule takes as a whole.
fn has_unknown_parts(rule: &PolicyRule) -> bool {
    match Realm::of(rule) {
        Realm::Command(pattern) => pattern.has_wildcard(),
        Realm::Read(_) | Realm::Edit(_) => true,
        Realm::Whole
        | Realm::Host(_)
        | Realm::Name(_)
        | Realm::Directory(_)
        | Realm::Parameter(..)
        | Realm::Nothing => false,
    }
}

/// Calls with a part that is only known when they run.
fn unknown(rule: &PolicyRule) -> Vec<Question> {
    match Realm::of(rule) {
        Realm::Command(pattern) => ["$X", "\"$X\"", "$X y"]
            .iter()
            .flat_map(|fill| pattern.samples(fill))
            .map(Question::bash)
            .collect(),
        Realm::Read(_) | Realm::Edit(_) => {
            let paths = examples(rule, "x");
            let texts = paths.iter().map(|question| question.text.clone());
            texts
                .flat_map(|path| {
                    ["cat", "true >"].map(|with| Question::bash(format!("{with} {path}*")))
                })
                .collect()
        }
        Realm::Whole
        | Realm::Host(_)
        | Realm::Name(_)
        | Realm::Directory(_)
        | Realm::Parameter(..)
        | Realm::Nothing => Vec::new(),
    }
}

/// The same command, asking to leave the sandbox.
pub(super) fn outside(mut question: Question) -> Question {
    let yes = InputValue::Scalar("true".to_owned());
    question.input.0.insert(LEAVE.to_owned(), yes);
    question.text.push_str(" (outside the sandbox)");
    question
}

/// The field of a command that asks to leave the sandbox.
pub(super) const LEAVE: &str = "dangerouslyDisableSandbox";

/// How many exact rules are asked about.
const EXACT: usize = 500;

/// Commands that cannot be read or whose targets are known only when they run.
const OPAQUE: &[&str] =
    &["x", "$X", "$(cat x) y", "eval \"$X\"", "if", "x > /y/z", "x > \"$X\"", "x <<< y &", "(("];
