//! The drawings of the HTML page, as inline SVG. Colours are classes of the page, so that they follow
//! light and dark; what a colour says is also written.

use super::escaped;
use crate::replayed::{Hits, Replayed, family};
use portcullis_audit::{Difference, Outcome, Robustness, Suggestions};
use portcullis_model::{Decision, RuleRef};
use portcullis_policy::{Layer, Policy};
use std::collections::{BTreeMap, BTreeSet};

const ALL: [Decision; 3] = [Decision::Allow, Decision::Ask, Decision::Deny];

/// Kinds of changes, before by after.
pub(crate) fn matrix(difference: &Difference) -> String {
    let (side, left, top) = (96, 90, 36);
    let mut out = String::new();
    for (row, from) in ALL.into_iter().enumerate() {
        let y = top + row * side / 2;
        out.extend([text(left - 10, y + side / 4 + 4, "end", from.word())]);
        for (column, to) in ALL.into_iter().enumerate() {
            let x = left + column * side;
            let found = difference
                .flips
                .iter()
                .find(|flip| flip.cell.from == from && flip.cell.to == to)
                .map_or(0, |flip| flip.count);
            let class = match (found, to.cmp(&from)) {
                (0, _) => "none",
                (_, std::cmp::Ordering::Less) => "deny",
                (_, std::cmp::Ordering::Equal) => "none",
                (_, std::cmp::Ordering::Greater) => "allow",
            };
            out.extend([rect(
                x,
                y,
                side - 2,
                side / 2 - 2,
                class,
                &format!("{from} to {to}: {found} calls"),
            )]);
            let label = match (found, from == to) {
                (_, true) => "\u{2013}".to_owned(),
                (found, false) => found.to_string(),
            };
            out.extend([text(x + side / 2, y + side / 4 + 4, "middle", &label)]);
        }
    }
    for (column, to) in ALL.into_iter().enumerate() {
        out.extend([text(left + column * side + side / 2, top - 10, "middle", to.word())]);
    }
    svg(left + 3 * side, top + 3 * side / 2 + 4, "Transition matrix", &out)
}

/// Deny rules by ways around them.
pub(crate) fn heat(robustness: &[Robustness]) -> String {
    let ways: BTreeSet<&str> =
        robustness.iter().flat_map(|rule| &rule.trials).map(|trial| trial.way).collect();
    if ways.is_empty() {
        return String::new();
    }
    // The rules that hold least come first; the page is no place for hundreds.
    let mut rules: Vec<&Robustness> = robustness.iter().collect();
    rules.sort_by_key(|rule| {
        let [_, asked, allowed] = rule.counts();
        std::cmp::Reverse((allowed, asked))
    });
    let left_out = rules.len().saturating_sub(MOST_ROWS);
    rules.truncate(MOST_ROWS);
    let (cell, left, top) = (16, 250, 148);
    let mut out = String::new();
    for (column, way) in ways.iter().enumerate() {
        let x = left + column * cell + cell / 2 + 4;
        out.extend([format!(
            "<text transform=\"translate({x},{}) rotate(-60)\">{}</text>",
            top - 6,
            escaped(way)
        )]);
    }
    for (row, rule) in rules.iter().enumerate() {
        let y = top + row * cell;
        out.extend([text(left - 64, y + 12, "end", &short(&rule.rule.text, 24))]);
        let share = format!("{:.0} %", rule.denied() * 100.0);
        out.extend([format!(
            "<text class=\"soft\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{share}</text>",
            left - 10,
            y + 12
        )]);
        for (column, way) in ways.iter().enumerate() {
            let x = left + column * cell;
            let worst = rule
                .trials
                .iter()
                .filter(|trial| trial.way == *way)
                .max_by_key(|trial| trial.outcome);
            let (class, sign, title) = match worst {
                None => ("none", "", format!("{way}: not tried")),
                Some(trial) => {
                    let (class, sign) = match trial.outcome {
                        Outcome::Denied => ("allow", ""),
                        Outcome::Asked => ("ask", "?"),
                        Outcome::Allowed => ("deny", "!"),
                    };
                    (
                        class,
                        sign,
                        format!("{way}: {} is {}", trial.question.display(), trial.outcome.word()),
                    )
                }
            };
            out.extend([rect(x, y, cell - 1, cell - 1, class, &title)]);
            if !sign.is_empty() {
                out.extend([text(x + cell / 2, y + 12, "middle", sign)]);
            }
        }
    }
    let mut height = top + rules.len() * cell + 24;
    let key =
        "green: denied \u{b7} ? asked about \u{b7} ! let through; the number is the share denied";
    out.extend([format!("<text class=\"soft\" x=\"{left}\" y=\"{}\">{key}</text>", height - 6)]);
    if left_out > 0 {
        height += 18;
        out.extend([format!("<text class=\"soft\" x=\"{left}\" y=\"{}\">and {left_out} more rules that hold better</text>", height - 6)]);
    }
    svg(left + ways.len() * cell + 90, height, "Robustness heat map", &out)
}

/// Programs, subcommands and verdicts; width is how often.
pub(crate) fn icicle(replayed: &[Replayed<'_>]) -> String {
    let mut programs: BTreeMap<String, BTreeMap<String, [u64; 3]>> = BTreeMap::new();
    let mut total = 0;
    for call in replayed {
        let (program, sub) = family(&call.entry.question);
        let counts = programs.entry(program).or_default().entry(sub).or_default();
        let place = match call.now {
            Decision::Allow => 0,
            Decision::Ask => 1,
            Decision::Deny => 2,
        };
        if let Some(count) = counts.get_mut(place) {
            *count += call.entry.count;
        }
        total += call.entry.count;
    }
    if total == 0 {
        return String::new();
    }
    let sum = |subs: &BTreeMap<String, [u64; 3]>| subs.values().flatten().sum::<u64>();
    let mut ordered: Vec<(&String, &BTreeMap<String, [u64; 3]>)> = programs.iter().collect();
    ordered.sort_by_key(|(name, subs)| (std::cmp::Reverse(sum(subs)), (*name).clone()));
    let (width, row) = (1_000_u64, 34_usize);
    let across = |count: u64| usize::try_from(count * width / total).unwrap_or(0);
    let mut out = String::new();
    let mut x = 0;
    for (program, subs) in ordered {
        let wide = across(sum(subs));
        if wide < 2 {
            continue;
        }
        let title = format!("{program}: {} calls", sum(subs));
        out.extend([rect(x, 0, wide, row, "none", &title)]);
        out.extend([inside(x, 0, wide, program)]);
        let mut ordered: Vec<(&String, &[u64; 3])> = subs.iter().collect();
        ordered.sort_by_key(|(name, counts)| {
            (std::cmp::Reverse(counts.iter().sum::<u64>()), (*name).clone())
        });
        let mut at = x;
        for (sub, counts) in ordered {
            let all: u64 = counts.iter().sum();
            let part = across(all);
            if part == 0 {
                continue;
            }
            let name = if sub.is_empty() { "\u{b7}" } else { sub };
            out.extend([rect(
                at,
                row,
                part,
                row,
                "none",
                &format!("{program} {sub}: {all} calls"),
            )]);
            out.extend([inside(at, row, part, name)]);
            let mut from = at;
            for (decision, count) in ALL.into_iter().zip(counts) {
                let own = across(*count);
                if own > 0 {
                    let title = format!("{program} {sub}: {count} {decision}");
                    out.extend([rect(from, row * 2, own, row, decision.word(), &title)]);
                    out.extend([inside(from, row * 2, own, decision.word())]);
                    from += own;
                }
            }
            at += part;
        }
        x += wide;
    }
    svg(1_000, row * 3 + 2, "Recorded calls by program, subcommand and verdict", &out)
}

/// Prompts left by number of rules added.
pub(crate) fn friction(suggestions: &Suggestions) -> String {
    if suggestions.proposals.is_empty() || suggestions.before == 0 {
        return String::new();
    }
    let (width, height, left, top) = (760_usize, 240_usize, 60_usize, 16_usize);
    let steps = suggestions.proposals.len();
    let place = |step: usize, prompts: usize| {
        let x = left + step * width / steps.max(1);
        let y = top + height - prompts * height / suggestions.before;
        (x, y)
    };
    let mut out =
        format!("<path class=\"line\" d=\"M{left} {top}V{}H{}\"/>", top + height, left + width);
    let mut prompts = suggestions.before;
    let (x, y) = place(0, prompts);
    let mut path = format!("M{x} {y}");
    let mut dots = dot(x, y, "none", &format!("{prompts} prompts without a new rule"), false);
    for (index, proposal) in suggestions.proposals.iter().enumerate() {
        prompts = prompts.saturating_sub(proposal.prompts);
        let (x, y) = place(index + 1, prompts);
        path.extend([format!("L{x} {y}")]);
        let title = format!("{}: {prompts} prompts left", proposal.rule);
        dots.push_str(&dot(x, y, "allow", &title, !proposal.notes.is_empty()));
        if index < 4 {
            // The curve falls: there is room above it to the right, and below it to the left.
            let label = short(&proposal.rule, 30);
            out.push_str(&if (x - left) * 3 > width * 2 {
                text(x - 8, y + 22, "end", &label)
            } else {
                text(x + 8, y.saturating_sub(8), "start", &label)
            });
        }
    }
    out.extend([format!("<path class=\"ink\" d=\"{path}\"/>"), dots]);
    out.extend([
        text(left - 8, top + 10, "end", &suggestions.before.to_string()),
        text(left - 8, top + height + 4, "end", "0"),
        text(left, top + height + 20, "start", "no new rule"),
        text(
            left + width,
            top + height + 20,
            "end",
            &format!("{steps} rules, {} prompts left", suggestions.after),
        ),
    ]);
    svg(left + width + 120, top + height + 28, "Prompts left by number of rules", &out)
}

/// When each rule decided.
pub(crate) fn timeline(
    policy: &Policy,
    hits: &BTreeMap<RuleRef, Hits>,
    replayed: &[Replayed<'_>],
) -> String {
    let day = |time: &Option<String>| time.as_ref().and_then(|time| days(time));
    let firsts = replayed.iter().filter_map(|each| day(&each.entry.first)).min();
    let lasts = replayed.iter().filter_map(|each| day(&each.entry.last)).max();
    let (Some(from), Some(to)) = (firsts, lasts) else { return String::new() };
    let span = (to - from).max(1);
    let (left, width, row) = (270_usize, 640_usize, 18_usize);
    let across =
        |day: i64| left + usize::try_from((day - from) * 640 / span).unwrap_or(0).min(width);
    let mut rules: Vec<&RuleRef> = [&policy.deny, &policy.ask, &policy.allow]
        .into_iter()
        .flat_map(|rules| &rules.list)
        .map(|rule| &rule.reference)
        .collect();
    rules.sort_by_key(|rule| {
        let hits = hits.get(*rule);
        (std::cmp::Reverse(hits.map_or(0, |hits| hits.count)), rule.text.clone())
    });
    rules.dedup_by(|a, b| a.text == b.text && a.class == b.class);
    let left_out = rules.len().saturating_sub(MOST_ROWS);
    rules.truncate(MOST_ROWS);
    let mut out = String::new();
    for (index, rule) in rules.iter().enumerate() {
        let y = 8 + index * row;
        out.extend([text(
            left - 10,
            y + 13,
            "end",
            &short(&format!("{} {}", rule.class.word(), rule.text), 36),
        )]);
        out.extend([format!(
            "<path class=\"line\" d=\"M{left} {0}H{1}\"/>",
            y + row / 2,
            left + width
        )]);
        let Some(hits) = hits.get(*rule) else {
            out.extend([format!(
                "<text class=\"soft\" x=\"{}\" y=\"{}\">never</text>",
                left + width + 8,
                y + 13
            )]);
            continue;
        };
        if let (Some(first), Some(last)) = (day(&hits.first), day(&hits.last)) {
            let (start, end) = (across(first), across(last));
            let title = format!("{}: {} calls", rule.text, hits.count);
            out.extend([rect(
                start,
                y + 3,
                (end - start).max(5),
                row - 6,
                rule.class.word(),
                &title,
            )]);
        }
        out.extend([text(left + width + 8, y + 13, "start", &hits.count.to_string())]);
    }
    let mut height = 8 + rules.len() * row + 20;
    let ends = |time: Option<&String>| time.map(|time| time.chars().take(10).collect::<String>());
    let start = replayed.iter().filter_map(|each| each.entry.first.as_ref()).min();
    let end = replayed.iter().filter_map(|each| each.entry.last.as_ref()).max();
    out.extend([
        text(left, height - 4, "start", &ends(start).unwrap_or_default()),
        text(left + width, height - 4, "end", &ends(end).unwrap_or_default()),
    ]);
    if left_out > 0 {
        height += 18;
        out.extend([text(left, height - 4, "start", &format!("and {left_out} more rules"))]);
    }
    svg(left + width + 80, height, "When rules decided", &out)
}

/// The layers with their rules.
pub(crate) fn layers(layers: &[Layer], policy: &Policy) -> String {
    let count = |file: &str, which: usize| {
        let rules = match which {
            0 => &policy.allow,
            1 => &policy.ask,
            _ => &policy.deny,
        };
        rules.list.iter().filter(|rule| rule.reference.source.file == file).count()
    };
    let rows: Vec<(&Layer, [usize; 3])> = layers
        .iter()
        .map(|layer| (layer, [0, 1, 2].map(|which| count(&layer.file, which))))
        .collect();
    let most = rows.iter().map(|(_, counts)| counts.iter().sum::<usize>()).max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let (left, width, row) = (270_usize, 560_usize, 26_usize);
    let mut out = String::new();
    for (index, (layer, counts)) in rows.iter().enumerate() {
        let y = index * row;
        let name = layer.file.rsplit('/').next().unwrap_or(&layer.file);
        out.extend([text(
            left - 10,
            y + 16,
            "end",
            &short(&format!("{} \u{b7} {name}", layer.scope.word()), 40),
        )]);
        let mut x = left;
        for (decision, count) in ALL.into_iter().zip(counts) {
            let wide = count * width / most;
            if wide > 0 {
                out.extend([rect(
                    x,
                    y + 2,
                    wide,
                    row - 6,
                    decision.word(),
                    &format!("{count} {decision} rules"),
                )]);
                let label = format!("{count} {decision}");
                if wide > label.len() * 8 {
                    out.extend([text(x + 5, y + 16, "start", &label)]);
                }
                x += wide;
            }
        }
    }
    svg(left + width + 10, rows.len() * row + 4, "Rules by layer", &out)
}

fn svg(width: usize, height: usize, label: &str, inner: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">{inner}</svg>",
        escaped(label)
    )
}

fn rect(x: usize, y: usize, width: usize, height: usize, class: &str, title: &str) -> String {
    format!(
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>{}</title></rect>",
        escaped(title)
    )
}

fn text(x: usize, y: usize, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>", escaped(text))
}

fn dot(x: usize, y: usize, class: &str, title: &str, ring: bool) -> String {
    let ring = if ring {
        format!("<circle class=\"ink\" cx=\"{x}\" cy=\"{y}\" r=\"8\"/>")
    } else {
        String::new()
    };
    format!(
        "{ring}<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"5\"><title>{}</title></circle>",
        escaped(title)
    )
}

/// A word in a box, where it fits.
fn inside(x: usize, y: usize, width: usize, word: &str) -> String {
    let fits = width.saturating_sub(8) / 7;
    if fits < 2 {
        return String::new();
    }
    text(x + 5, y + 21, "start", &short(word, fits))
}

fn short(word: &str, most: usize) -> String {
    if word.chars().count() <= most {
        return word.to_owned();
    }
    word.chars().take(most.saturating_sub(1)).chain(['\u{2026}']).collect()
}

/// Days since an epoch of a recorded time, good enough to draw: months have their true length.
fn days(time: &str) -> Option<i64> {
    let mut parts = time.get(..10)?.split('-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let (shifted_year, shifted) =
        if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    Some(
        shifted_year * 365 + shifted_year / 4 - shifted_year / 100
            + shifted_year / 400
            + (153 * shifted + 2) / 5
            + day,
    )
}

/// Rows of a drawing; more are counted.
const MOST_ROWS: usize = 40;
