//! The audit against brute force: rules over a few letters, and every command up to a length.
//!
//! The reference is thirty lines of matching that share nothing with the product. `c` stands in no
//! rule, so the hardest text of every rule is among the commands.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_audit::{Audit, Difference, Limits, Stage, Subject, audit, diff, removals};
use portcullis_model::{AbsPath, Decision, Scope};
use portcullis_policy::{Layer, Place, Policy, assemble};
use portcullis_tests::choices::Choices;
use portcullis_tests::{environment, parallel};
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn proofs_agree_with_brute_force() {
    let texts = texts();
    let seed = environment::seed(11);
    let cases: Vec<u64> = (0..u64::from(environment::cases())).collect();
    let found: Vec<String> = parallel::map(&cases, |case| one(seed ^ (case << 20), &texts).err())
        .into_iter()
        .flatten()
        .collect();
    assert!(
        found.is_empty(),
        "{} of {}\n{}",
        found.len(),
        cases.len(),
        found.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn dead_rules_match_no_command() {
    let mut choices = Choices::Seeded(environment::seed(12));
    let pieces = ["a", "b", " ", ";", "&", "|", "'", "\"", ">", "\\", "*", " a", "&&"];
    let commands = strings(&["a", " ", ";", "&", "|", "'", "\\"], 4);
    let mut dead = 0;
    for _ in 0..environment::cases().min(2_000) {
        let text: String = (0..=choices.below(4)).map(|_| choices.text(&pieces)).collect();
        let rule = format!("Bash({text})");
        let rules = Rules { allow: vec![rule.clone()], ..Rules::default() };
        let policy = rules.policy();
        let found = look(&policy);
        let claimed = found
            .findings
            .iter()
            .any(|each| each.kind.id == "D001" && each.message.starts_with("no command reads"));
        if !claimed || dead > 60 {
            continue;
        }
        dead += 1;
        for command in &commands {
            let verdict = stage().ask(&policy, &portcullis_audit::Question::bash(command.as_str()));
            let by_rule = verdict.findings.iter().any(|each| {
                matches!(&each.because, portcullis_model::Because::Rule(by) if by.text == rule)
            });
            assert!(!by_rule, "`{rule}` is called dead and matches `{command}`");
        }
    }
    assert!(dead > 0, "no dead rule was made");
}

/// The rules of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rules {
    deny: Vec<String>,
    ask: Vec<String>,
    allow: Vec<String>,
}

impl Rules {
    fn of(choices: &mut Choices<'_>) -> Self {
        let mut list = |most: usize| (0..choices.below(most + 1)).map(|_| rule(choices)).collect();
        Self { deny: list(3), ask: list(3), allow: list(4) }
    }

    fn policy(&self) -> Policy {
        let settings =
            json!({ "permissions": { "deny": self.deny, "ask": self.ask, "allow": self.allow } });
        let path = |text| AbsPath::parse(text).unwrap();
        let layer = Layer::new(Scope::Project, "s.json", format!("{settings:#}"), path("/p"));
        assemble(&[layer], &Place { start: path("/p"), project_root: path("/p"), home: path("/h") })
    }

    /// What the reference says of a text.
    fn decide(&self, text: &str) -> Decision {
        let any = |list: &[String]| list.iter().any(|rule| matches(rule, text));
        if any(&self.deny) {
            Decision::Deny
        } else if !any(&self.ask) && any(&self.allow) {
            Decision::Allow
        } else {
            Decision::Ask
        }
    }
}

/// A rule of one to three words.
fn rule(choices: &mut Choices<'_>) -> String {
    let words = ["a", "b", "ab", "*", "a*", "*b", "b*a", "a", "b"];
    let text: Vec<&str> = (0..=choices.below(3)).map(|_| choices.text(&words)).collect();
    let text = text.join(" ");
    if text == "*" {
        return "Bash(a *)".to_owned();
    }
    let colon = !text.contains('*') && choices.one_in(6);
    format!("Bash({text}{})", if colon { ":*" } else { "" })
}

/// The reference for one rule: a backtracking star, and the bare prefix.
fn matches(rule: &str, text: &str) -> bool {
    let pattern = rule.strip_prefix("Bash(").and_then(|rest| rest.strip_suffix(')')).unwrap();
    if let Some(prefix) = pattern.strip_suffix(":*") {
        return text == prefix
            || text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(' '));
    }
    if let Some(prefix) = pattern.strip_suffix(" *")
        && !prefix.contains('*')
        && text == prefix
    {
        return true;
    }
    glob(pattern.as_bytes(), text.as_bytes())
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((b'*', rest)), _) if glob(rest, text) => true,
        (Some((b'*', _)), Some((_, after))) => glob(pattern, after),
        (Some((own, rest)), Some((other, after))) => own == other && glob(rest, after),
        (Some(_), None) => false,
    }
}

/// Whether the hardest text of a rule is among the texts.
fn fits(rule: &str) -> bool {
    rule.trim_start_matches("Bash(").trim_end_matches(')').replace(":*", " c").len() <= LONGEST
}

/// How long the texts are at most.
const LONGEST: usize = 7;

/// Every text that reads as one plain command.
fn texts() -> Vec<String> {
    let mut texts = strings(&["a", "b", "c", " "], LONGEST);
    texts.retain(|text| !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  "));
    texts
}

fn strings(letters: &[&str], longest: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut last = vec![String::new()];
    for _ in 0..longest {
        last = last
            .iter()
            .flat_map(|start| letters.iter().map(move |letter| format!("{start}{letter}")))
            .collect();
        all.extend(last.iter().cloned());
    }
    all
}

fn stage() -> Stage {
    let path = |text| AbsPath::parse(text).unwrap();
    Stage { project: path("/p"), home: path("/h"), mode: None }
}

fn limits() -> Limits {
    // What rules grant and how denies hold is asked of the evaluator elsewhere.
    Limits { grants: 0, trials: 0, ..Limits::default() }
}

fn look(policy: &Policy) -> Audit {
    audit(Subject { policy, stage: &stage(), looks_secret: &|_| false }, &limits())
}

fn one(seed: u64, texts: &[String]) -> Result<(), String> {
    let mut choices = Choices::Seeded(seed);
    let rules = Rules::of(&mut choices);
    let policy = rules.policy();
    let found = look(&policy);
    let at = |what: &str| format!("{what}\nrules {rules:?}");
    reference_agrees(&mut choices, &rules, &policy, texts)?;
    // Shadowed: claimed exactly where every matching text is taken back.
    for (list, stricter, ids) in [
        (&rules.allow, [&rules.deny, &rules.ask].as_slice(), &["S001", "S004"][..]),
        (&rules.ask, &[&rules.deny], &["S002"]),
    ] {
        for rule in list {
            let claimed = found.findings.iter().any(|each| {
                ids.contains(&each.kind.id)
                    && each.rule.as_ref().is_some_and(|own| own.text == *rule)
            });
            let open = texts.iter().find(|text| {
                matches(rule, text)
                    && !stricter.iter().any(|list| list.iter().any(|other| matches(other, text)))
            });
            match (claimed, open) {
                (true, Some(text)) => {
                    return Err(at(&format!("`{rule}` is not shadowed: `{text}`")));
                }
                (false, None) if fits(rule) => {
                    return Err(at(&format!("`{rule}` is shadowed, and that is missed")));
                }
                (true | false, None) | (false, Some(_)) => {}
            }
        }
    }
    // Redundant: the rule named covers it.
    for each in found.findings.iter().filter(|each| each.kind.id.starts_with('R')) {
        let rule = &each.rule.as_ref().unwrap().text;
        let other = each.related.first().unwrap();
        let (_, other) = other.note.split_once('`').unwrap();
        let other = other.strip_suffix('`').unwrap();
        if let Some(text) = texts.iter().find(|text| matches(rule, text) && !matches(other, text)) {
            return Err(at(&format!("`{rule}` is not covered by `{other}`: `{text}`")));
        }
    }
    for list in [&rules.deny, &rules.ask, &rules.allow] {
        for (index, rule) in list.iter().enumerate() {
            let covered = list.iter().enumerate().any(|(place, other)| {
                let inside =
                    |a: &str, b: &str| texts.iter().all(|t| !matches(a, t) || matches(b, t));
                // Auto mode suspends a rule for any program, so the narrow one is not superfluous.
                let suspended = other.starts_with("Bash(*")
                    && !rule.starts_with("Bash(*")
                    && std::ptr::eq(list, &raw const rules.allow);
                place != index
                    && !suspended
                    && fits(rule)
                    && fits(other)
                    && inside(rule, other)
                    && (place < index || !inside(other, rule))
            });
            let said = found.findings.iter().any(|each| {
                each.rule.as_ref().is_some_and(|own| own.text == *rule)
                    && (each.kind.id.starts_with('R') || each.kind.id.starts_with('S'))
            });
            if covered && !said {
                return Err(at(&format!("`{rule}` is redundant, and that is missed")));
            }
        }
    }
    // The repair changes nothing.
    let mut repaired = rules.clone();
    for removal in removals(&found) {
        let list = match removal.class {
            portcullis_model::RuleClass::Allow => &mut repaired.allow,
            portcullis_model::RuleClass::Ask => &mut repaired.ask,
            portcullis_model::RuleClass::Deny => &mut repaired.deny,
        };
        let place = list.iter().rposition(|rule| *rule == removal.text).unwrap();
        list.remove(place);
    }
    if let Some(text) = texts.iter().find(|text| rules.decide(text) != repaired.decide(text)) {
        return Err(at(&format!("the repair {repaired:?} changes `{text}`")));
    }
    if !compare(&policy, &repaired.policy()).is_empty() {
        return Err(at("the repair is not proved equal"));
    }
    differences(&mut choices, &rules, &policy, texts)
}

/// The reference and the evaluator say the same of plain commands.
fn reference_agrees(
    choices: &mut Choices<'_>,
    rules: &Rules,
    policy: &Policy,
    texts: &[String],
) -> Result<(), String> {
    for _ in 0..4 {
        let text = choices.pick(texts);
        let own = stage().ask(policy, &portcullis_audit::Question::bash(text.as_str())).decision;
        if own != rules.decide(text) {
            return Err(format!(
                "the reference says {} of `{text}`, the evaluator {own}: {rules:?}",
                rules.decide(text)
            ));
        }
    }
    Ok(())
}

fn differences(
    choices: &mut Choices<'_>,
    rules: &Rules,
    policy: &Policy,
    texts: &[String],
) -> Result<(), String> {
    let mut others = Rules::of(choices);
    if choices.one_in(2) {
        // A small change, as people make them.
        others = rules.clone();
        let list = match choices.below(3) {
            0 => &mut others.deny,
            1 => &mut others.ask,
            _ => &mut others.allow,
        };
        if list.is_empty() || choices.one_in(2) {
            list.push(rule(choices));
        } else {
            let place = choices.below(list.len());
            list.remove(place);
        }
    }
    let other = others.policy();
    let at = |what: &str| format!("{what}\nbefore {rules:?}\nafter {others:?}");
    if !compare(policy, policy).is_empty() {
        return Err(at("a policy differs from itself"));
    }
    let there = compare(policy, &other);
    let back = compare(&other, policy);
    let cells = |difference: &Difference| -> BTreeSet<(Decision, Decision)> {
        difference.flips.iter().map(|flip| (flip.cell.from, flip.cell.to)).collect()
    };
    let turned: BTreeSet<_> = cells(&back).into_iter().map(|(from, to)| (to, from)).collect();
    if cells(&there) != turned {
        return Err(at(&format!("not antisymmetric: {:?} {:?}", cells(&there), cells(&back))));
    }
    for flip in &there.flips {
        for change in &flip.changes {
            let before = stage().ask(policy, &change.question).decision;
            let after = stage().ask(&other, &change.question).decision;
            if (before, after) != (flip.cell.from, flip.cell.to) {
                return Err(at(&format!("`{}` does not replay", change.question.text)));
            }
        }
    }
    for text in texts {
        let cell = (rules.decide(text), others.decide(text));
        if cell.0 == cell.1 {
            continue;
        }
        // Texts come shortest first.
        let flip = there.flips.iter().find(|flip| (flip.cell.from, flip.cell.to) == cell);
        let Some(shown) = flip.and_then(|flip| flip.changes.first()) else {
            return Err(at(&format!(
                "`{text}` goes from {} to {}, and that is missed",
                cell.0, cell.1
            )));
        };
        if shown.question.text.len() > text.len() {
            let shown = &shown.question.text;
            return Err(at(&format!("`{shown}` is shown, and `{text}` is shorter")));
        }
    }
    Ok(())
}

fn compare(old: &Policy, new: &Policy) -> Difference {
    diff(old, new, &stage(), &Limits::default())
}
