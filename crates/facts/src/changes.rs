//! Files that a command changes without an output of its own saying so: what options name as logs and
//! reports, what movers and formatters are given, what a patch on the input is about.
//!
//! What is found here is possible, never certain, and only deny and ask rules see it.

use crate::Arg;
use crate::forms::basename;
use crate::handed::{MOST, behind, operands};
use crate::tables::changed::{CHANGED, Changes, LOOKS, WRITTEN};
use crate::tables::git_options::git_without_globals;

/// The files a patch is about, where the command that applies it reads this text.
///
/// `None` for `text`: nothing tells, so it may be any file below.
pub(crate) fn patched(argv: &[Arg], text: Option<&str>) -> Vec<Arg> {
    let bare = git_without_globals(argv).map(|git| git.argv);
    let argv = bare.as_deref().unwrap_or(argv);
    let words: Vec<&str> = argv.iter().map(Arg::prefix).collect();
    let rest = match words.as_slice() {
        [name, rest @ ..] if basename(name) == "patch" => rest,
        [name, "apply" | "am", rest @ ..] if basename(name) == "git" => rest,
        _ => return Vec::new(),
    };
    let options = || rest.iter().take_while(|word| **word != "--");
    // `git apply --stat --apply` applies all the same.
    if options().any(|word| PATCH_LOOKS.contains(word)) && !rest.contains(&"--apply") {
        return Vec::new();
    }
    // `patch -i p`, `git apply p.diff`
    let from_file = rest.iter().any(|word| {
        word.starts_with("-i") || word.starts_with("--input") || !word.starts_with('-')
    });
    let Some(text) = text.filter(|_| !from_file) else { return vec![Arg::Known(".".to_owned())] };
    let lines = text.lines();
    let named = lines.filter_map(|line| {
        ["+++ ", "--- ", "rename to ", "rename from "]
            .iter()
            .find_map(|start| line.strip_prefix(start))
    });
    // `-p1` is the habit; whatever else is taken off, the rest is tried too.
    let paths = named.flat_map(|named| {
        let path = named.split('\t').next().unwrap_or(named).trim();
        [Some(path), path.split_once('/').map(|(_, rest)| rest)]
    });
    paths.flatten().take(MOST).map(|path| Arg::Known(path.to_owned())).collect()
}

/// Flags with which a patch is only looked at.
const PATCH_LOOKS: &[&str] =
    &["--abort", "--check", "--dry-run", "--numstat", "--quit", "--stat", "--summary", "--version"];

/// What is written, moved or taken away by an option or a command that tables name.
pub(crate) fn changed(argv: &[Arg]) -> Vec<Arg> {
    let Some((name, words)) = argv.split_first() else { return Vec::new() };
    let name = name.known().map(basename).unwrap_or_default();
    let mut found =
        values(words, &|option| WRITTEN.contains(&option.to_ascii_lowercase().as_str()));
    // Behind `--` stands what `cargo fmt` hands on; to others these are names.
    let options = words.iter().map_while(Arg::known);
    let mut options = options.take_while(|word| *word != "--" || name == "cargo");
    let only_looks = options.any(|word| LOOKS.contains(&word));
    let rows = CHANGED.iter().filter(|(names, _)| names.contains(&name));
    for (_, changes) in rows {
        found.extend(match changes {
            Changes::Formats | Changes::FormatsAfter(_) | Changes::Here(_) if only_looks => {
                Vec::new()
            }
            Changes::Always | Changes::Formats => operands(words),
            Changes::With(flags) => {
                let has = words.iter().filter_map(Arg::known).any(|word| flags.contains(&word));
                if has { operands(words) } else { Vec::new() }
            }
            Changes::After(verbs) | Changes::FormatsAfter(verbs) => {
                behind(words, verbs).map(operands).unwrap_or_default()
            }
            Changes::Here(verbs) if behind(words, verbs).is_some() => {
                vec![Arg::Known(".".to_owned())]
            }
            Changes::Here(_) => Vec::new(),
            Changes::Value(options) => values(words, &|option| options.contains(&option)),
            Changes::Last => {
                words.last().map(|word| operands(std::slice::from_ref(word))).unwrap_or_default()
            }
        });
    }
    found
}

/// The values of options, behind them, behind `=`, or glued to a short one.
fn values(words: &[Arg], is_meant: &dyn Fn(&str) -> bool) -> Vec<Arg> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let Some(text) = word.known() else { continue };
        match text.split_once('=') {
            Some((option, value)) if is_meant(option) => found.push(Arg::Known(value.to_owned())),
            None if is_meant(text) => found.extend(words.get(index + 1).cloned()),
            Some(_) | None => {
                let glued =
                    text.get(..2).filter(|option| option.starts_with('-') && is_meant(option));
                found.extend(
                    glued.and_then(|_| text.get(2..)).map(|value| Arg::Known(value.to_owned())),
                );
            }
        }
    }
    found
}
