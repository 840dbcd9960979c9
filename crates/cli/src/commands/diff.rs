//! `diff`: which calls change their verdict between two policies.

use super::audit::{stage, write};
use crate::args::{DiffArgs, PolicyArgs};
use crate::console::{Palette, Reply};
use crate::failure::{Failure, Status};
use crate::git;
use crate::render::place;
use crate::report::{finding, json};
use crate::session::{Session, Surroundings};
use portcullis_audit::{Difference, Direction, Flip, Limits, diff};
use portcullis_host::claude_code::shown;
use portcullis_model::{Decision, Scope};
use portcullis_policy::{Layer, Policy, assemble};
use std::path::Path;

/// Compares two policies.
pub(crate) fn compare(args: &DiffArgs, as_json: bool, palette: Palette) -> Result<Reply, Failure> {
    let surroundings = Surroundings::of_process(&args.policy)?;
    let (old, new, session) = sides(args, surroundings)?;
    let limits = if args.thorough { Limits::THOROUGH } else { Limits::default() };
    let difference = diff(&old, &new, &stage(&session), &limits);
    let found = if args.no_new_access { difference.gives_access() } else { !difference.is_empty() };
    let status = if found { Status::Findings } else { Status::Done };
    let output = if as_json {
        format!("{}\n", json::difference(&difference))
    } else {
        text(&difference, args.no_new_access, session.surroundings.home.as_str(), palette)
    };
    match &args.output {
        None => Ok(Reply::text(output, status)),
        Some(file) => {
            write(file, &output)?;
            Ok(Reply::text("", status))
        }
    }
}

/// The two policies that the arguments name.
fn sides(
    args: &DiffArgs,
    surroundings: Surroundings,
) -> Result<(Policy, Policy, Session), Failure> {
    let only = |file: &str| PolicyArgs { policies: vec![file.to_owned()], ..args.policy.clone() };
    match (&args.git, args.files.as_slice()) {
        (None, [old, new]) => {
            let old = Session::open(&only(old), surroundings.clone())?;
            let new = Session::open(&only(new), surroundings)?;
            Ok((old.policy, new.policy.clone(), new))
        }
        (None, [old]) => {
            let old = Session::open(&only(old), surroundings.clone())?;
            let new = Session::open(&args.policy, surroundings)?;
            Ok((old.policy, new.policy.clone(), new))
        }
        (Some(revision), []) => {
            let session = Session::open(&args.policy, surroundings)?;
            let layers = at_revision(&session, revision)?;
            let old = assemble(&layers, &session.options.place());
            Ok((old, session.policy.clone(), session))
        }
        (Some(revision), [file]) => {
            let session = Session::open(&only(file), surroundings)?;
            let layers = at_revision(&session, revision)?;
            let old = assemble(&layers, &session.options.place());
            Ok((old, session.policy.clone(), session))
        }
        (_, []) => Err(Failure::usage("nothing to compare with")
            .hint("name two settings files, one file for the settings in force, or `--git REV`")),
        (_, _) => Err(Failure::usage("too many settings files to compare")),
    }
}

/// The layers as the files of the repository were at a revision; other layers as they are.
fn at_revision(session: &Session, revision: &str) -> Result<Vec<Layer>, Failure> {
    let root = &session.surroundings.project_root;
    let mut layers = Vec::new();
    let mut seen_project = false;
    for layer in &session.layers {
        let versioned = layer.scope == Scope::Project
            || (layer.scope == Scope::CommandLine && layer.file.starts_with('/'));
        seen_project |= layer.scope == Scope::Project;
        if !versioned {
            layers.push(layer.clone());
            continue;
        }
        if let Some(text) = git::content(Path::new(&layer.file), revision)? {
            layers.push(Layer { text, unreadable: None, ..layer.clone() });
        }
    }
    let discovered = session.layers.iter().all(|layer| layer.scope != Scope::CommandLine);
    if !seen_project && discovered {
        let file = root
            .join(".claude/settings.json")
            .map_err(|_nul| Failure::internal("the project has no name for its settings"))?;
        if let Some(text) = git::content(Path::new(file.as_str()), revision)? {
            layers.push(Layer::new(Scope::Project, file.as_str(), text, root.clone()));
        }
    }
    Ok(layers)
}

fn text(difference: &Difference, gate: bool, home: &str, palette: Palette) -> String {
    if difference.is_empty() {
        return format!("{} no call changes its verdict\n", palette.good("equal:"));
    }
    let mut out = matrix(difference, palette);
    for flip in &difference.flips {
        out.extend([flip_text(flip, home, palette)]);
    }
    for change in &difference.settings {
        let word = match change.direction {
            Direction::Tighter => palette.good("tighter"),
            Direction::Mixed => palette.warning("mixed"),
            Direction::Looser => palette.error("looser"),
        };
        out.extend([format!(
            "{word}: `{}` was {} and is {}\n",
            change.key,
            shown(&change.before),
            shown(&change.after)
        )]);
        if let Some(call) = &change.example {
            out.extend([format!("  as for `{}`\n", shown(&finding::one_line(&call.display())))]);
        }
    }
    for doubt in &difference.doubts {
        let word = if doubt.loosens { "counts as new access" } else { "counts as a change" };
        out.extend([format!(
            "{} {}; that {word}\n",
            palette.warning("not proven:"),
            shown(&doubt.text)
        )]);
    }
    if gate {
        let (word, what) = if difference.gives_access() {
            (palette.error("new access:"), "some call gets")
        } else {
            (palette.good("no new access:"), "no call gets")
        };
        out.extend([format!("{word} {what} more than before\n")]);
    }
    out
}

/// Kinds of changes, before by after, with how many calls were found of each.
fn matrix(difference: &Difference, palette: Palette) -> String {
    let all = [Decision::Allow, Decision::Ask, Decision::Deny];
    let mut out = format!("{:>14}", "");
    for to in all {
        out.extend([format!("{:>8}", to.word())]);
    }
    out.push_str(&palette.dim("  after"));
    out.push('\n');
    for from in all {
        out.extend([format!(
            "{:>6} {:<7}",
            if from == Decision::Allow { "before" } else { "" },
            from.word()
        )]);
        for to in all {
            let found = difference
                .flips
                .iter()
                .find(|flip| flip.cell.from == from && flip.cell.to == to)
                .map_or(0, |flip| flip.count);
            let cell = match found {
                0 => format!("{:>8}", "\u{b7}"),
                found => format!("{found:>8}"),
            };
            out.push_str(&match (found, to < from) {
                (0, _) => palette.dim(&cell),
                (_, true) => palette.error(&cell),
                (_, false) => palette.good(&cell),
            });
        }
        out.push('\n');
    }
    out
}

fn flip_text(flip: &Flip, home: &str, palette: Palette) -> String {
    let (from, to) = (flip.cell.from, flip.cell.to);
    let mut out = format!(
        "\n{} -> {}\n",
        palette.decision(from, from.word()),
        palette.decision(to, to.word())
    );
    for change in &flip.changes {
        out.extend([format!("  {}\n", finding::one_line(&change.question.display()))]);
        for (word, reason) in [("before:", &change.before), ("after:", &change.after)] {
            out.extend([format!("    {} {}\n", palette.dim(word), shown(reason))]);
        }
        for rule in change.rules.iter().take(2) {
            out.extend([format!(
                "    {} {} rule `{}` at {}\n",
                palette.dim("by:"),
                rule.class.word(),
                shown(&rule.text),
                place(&rule.source, home)
            )]);
        }
    }
    out
}
