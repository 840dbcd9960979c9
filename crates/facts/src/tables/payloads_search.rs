//! `find`, `fd` and `parallel`: commands written with placeholders.

use super::wrappers::{Wrapper, row};
use super::wrappers_grammar::may_be;
use crate::peel::{joined, replace};
use crate::{Arg, Inner, Peeled, Strength};
use portcullis_model::Reason;

/// Reads the arguments of `find`; `None` when it only searches.
pub(crate) fn peel_find(words: &[Arg]) -> Option<Peeled> {
    let mut peeled = Peeled::new("find", Strength::DenyAsk);
    let mut position = 0;
    while let Some(word) = words.get(position) {
        position += 1;
        let rest = words.get(position..).unwrap_or_default();
        let Some(text) = word.known() else {
            if find_actions().any(|action| may_be(word, action)) {
                peeled.exact_only = true;
                peeled.hinder(Reason::WrapperOption);
                match word {
                    Arg::Known(_) | Arg::One { .. } => {
                        let command = command_until_end(rest);
                        if !command.is_empty() && command.len() < rest.len() {
                            peeled.possible.push(Inner::Argv(fill(command, &Arg::one())));
                        }
                    }
                    Arg::Glob(_) | Arg::Many { .. } => {
                        peeled.possible.push(Inner::Argv(vec![Arg::many()]));
                    }
                }
            }
            continue;
        };
        if FIND_EXEC.contains(&text) {
            peeled.exact_only = true;
            let command = command_until_end(rest);
            let several = rest.get(command.len()).and_then(Arg::known) == Some("+");
            let found = if several { Arg::many() } else { Arg::one() };
            if !command.is_empty() {
                peeled.inner.push(Inner::Argv(fill(command, &found)));
            }
            if command.first().and_then(Arg::known).is_some_and(takes_away) && !narrows(words) {
                // Nothing narrows it down, so the start points themselves are among them.
                let below = command.iter().any(|word| {
                    let text = word.prefix();
                    text == "--recursive"
                        || text.starts_with('-')
                            && !text.starts_with("--")
                            && text.contains(['r', 'R'])
                });
                // Without `-r` a directory itself is left alone.
                let deep = |start: &&Arg| below || start.prefix().starts_with('/');
                for start in start_points(words).filter(deep) {
                    peeled.inner.push(Inner::Argv(fill(command, start)));
                }
            }
            if text.ends_with("dir") {
                // Each command runs in the directory of the file that was found.
                peeled.changes_directory = Some(Arg::one());
            }
            position += command.len() + 1;
        } else if FIND_WRITE.contains(&text) {
            peeled.exact_only = true;
            position += usize::from(text != "-delete") + usize::from(text == "-fprintf");
        } else if FIND_ONE_VALUE.contains(&text) || text.starts_with("-newer") {
            // A value is data, unless it may be no word at all.
            let data = matches!(rest.first(), Some(Arg::Known(_) | Arg::One { .. }));
            position += usize::from(data);
        }
    }
    let nothing = peeled.inner.is_empty() && peeled.possible.is_empty();
    (!nothing || peeled.exact_only).then_some(peeled)
}

/// Whether a test of `find` picks some of the files below its start points.
pub(crate) fn narrows(words: &[Arg]) -> bool {
    words.iter().enumerate().any(|(index, word)| {
        let Some(text) = word.known() else { return false };
        let everything = words
            .get(index + 1)
            .and_then(Arg::known)
            .is_some_and(|value| value.chars().all(|c| matches!(c, '*' | '/' | '.')));
        text.starts_with("-newer") || (FIND_NARROWS.contains(&text) && !everything)
    })
}

/// The words before the expression.
fn start_points(words: &[Arg]) -> impl Iterator<Item = &Arg> {
    words
        .iter()
        .skip_while(|word| matches!(word.known(), Some("-H" | "-L" | "-P")))
        .take_while(|word| !word.prefix().starts_with(['-', '(', '!']))
}

fn takes_away(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    matches!(name, "rm" | "rmdir" | "mv" | "shred" | "unlink" | "chmod" | "chown" | "chgrp")
}

/// The words of an action up to its end, which is `;`, or `+` behind `{}`.
fn command_until_end(words: &[Arg]) -> &[Arg] {
    let mut previous = None;
    for (index, word) in words.iter().enumerate() {
        let text = word.known();
        if text == Some(";") || text == Some("+") && previous == Some("{}") {
            return words.get(..index).unwrap_or_default();
        }
        previous = text;
    }
    words
}

/// The words with `{}` in each replaced.
fn fill(words: &[Arg], found: &Arg) -> Vec<Arg> {
    words.iter().map(|word| replace(word, "{}", found)).collect()
}

fn find_actions() -> impl Iterator<Item = &'static str> {
    FIND_EXEC.iter().chain(FIND_WRITE).copied()
}

/// Reads the arguments of `fd`; `None` when it only searches.
pub(crate) fn peel_fd(words: &[Arg]) -> Option<Peeled> {
    let mut peeled = Peeled::new("fd", Strength::DenyAsk);
    peeled.hinder(Reason::ExecWrapper);
    let mut position = 0;
    while let Some(word) = words.get(position) {
        position += 1;
        let Some(text) = word.known() else { continue };
        if text == "--" {
            break;
        }
        let (batch, attached) = if let Some((name, value)) = text.split_once('=')
            && fd_exec_name(name).is_some()
        {
            (fd_exec_name(name) == Some(true), Some(value))
        } else if let Some(batch) = fd_exec_name(text) {
            (batch, None)
        } else if let Some(letters) = text.strip_prefix('-').filter(|rest| !rest.starts_with('-')) {
            // The first letter that takes a value ends the cluster.
            let Some(at) = letters.find(FD_VALUED) else { continue };
            let Some(letter @ ('x' | 'X')) = letters.get(at..).and_then(|rest| rest.chars().next())
            else {
                position += usize::from(at + 1 == letters.len());
                continue;
            };
            (letter == 'X', letters.get(at + 1..).filter(|value| !value.is_empty()))
        } else {
            continue;
        };
        let rest = words.get(position..).unwrap_or_default();
        let end = rest.iter().position(|word| word.known() == Some(";")).unwrap_or(rest.len());
        let mut command: Vec<Arg> =
            attached.into_iter().map(|value| Arg::Known(value.to_owned())).collect();
        command.extend(rest.iter().take(end).cloned());
        position += end + 1;
        let found = if batch { Arg::many() } else { Arg::one() };
        let before = command.clone();
        for mark in ["{//}", "{/.}", "{/}", "{.}", "{}"] {
            command = command.iter().map(|word| replace(word, mark, &found)).collect();
        }
        if command == before {
            command.push(found);
        }
        if !before.is_empty() {
            peeled.inner.push(Inner::Argv(command));
        }
    }
    (!peeled.inner.is_empty()).then_some(peeled)
}

/// Whether a long option is `--exec` (false) or `--exec-batch` (true), perhaps abbreviated.
fn fd_exec_name(text: &str) -> Option<bool> {
    if text.len() > 7 && "--exec-batch".starts_with(text) {
        Some(true)
    } else {
        (text == "--exec" || text == "--exe").then_some(false)
    }
}

/// Reads the arguments of GNU `parallel`.
pub(crate) fn peel_parallel(words: &[Arg]) -> Option<Peeled> {
    let reading = PARALLEL.grammar.read("parallel", words)?;
    let mut peeled = Peeled::new("parallel", Strength::DenyAsk);
    peeled.hinder(Reason::ExecWrapper);
    peeled.take_options(&reading.met, false);
    peeled.take_options(&reading.perhaps_met, true);
    if reading.uncertain {
        peeled.hinder(Reason::WrapperOption);
        for start in reading.starts {
            peeled.possible.extend(joined(&start));
        }
        return Some(peeled);
    }
    let is_source = |word: &Arg| word.known().is_some_and(|text| text.starts_with(":::"));
    let end = reading.rest.iter().position(is_source).unwrap_or(reading.rest.len());
    let template = reading.rest.get(..end).unwrap_or_default();
    let sources = reading.rest.get(end..).unwrap_or_default();
    if template.is_empty() {
        // Without a template every value is a command.
        let values = sources.iter().filter(|word| !is_source(word));
        peeled.inner.extend(values.cloned().map(Inner::Script));
        let from_files =
            sources.iter().any(|word| word.known().is_some_and(|text| text.starts_with("::::")));
        if sources.is_empty() || from_files {
            peeled.inner.push(Inner::Stdin);
        }
        return Some(peeled);
    }
    match template.iter().map(Arg::known).collect::<Option<Vec<_>>>() {
        Some(known) => {
            // Values are quoted by parallel: each placeholder is one unknown word in the script.
            let text = known.join(" ");
            let filled = placeholders(&text);
            let script = if filled == text { format!("{text} {UNKNOWN_WORD}") } else { filled };
            peeled.inner.push(Inner::Script(Arg::Known(script)));
        }
        None => peeled.inner.extend(joined(template)),
    }
    Some(peeled)
}

/// The text with every `{…}` placeholder replaced by a quoted parameter.
fn placeholders(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let inside = after.split_once('}').filter(|(inside, _)| {
            inside.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '#' | '%'))
        });
        match inside {
            // `${name}` is the shell's own.
            Some((_, behind)) if !before.ends_with('$') => {
                out.push_str(UNKNOWN_WORD);
                rest = behind;
            }
            _ => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Options of fd that take a value, by letter.
const FD_VALUED: [char; 15] =
    ['c', 'd', 'e', 'E', 'g', 'j', 'o', 'S', 't', 'x', 'X', 'C', 'D', 'P', 'B'];
/// A word of which nothing is known, in shell syntax.
const UNKNOWN_WORD: &str = "\"$REPLY\"";
const FIND_EXEC: &[&str] = &["-exec", "-execdir", "-ok", "-okdir"];
const FIND_WRITE: &[&str] = &["-delete", "-fls", "-fprint", "-fprint0", "-fprintf"];
/// Tests that leave only some files.
const FIND_NARROWS: &[&str] = &[
    "-amin",
    "-anewer",
    "-atime",
    "-cmin",
    "-cnewer",
    "-ctime",
    "-empty",
    "-gid",
    "-group",
    "-ilname",
    "-iname",
    "-inum",
    "-ipath",
    "-iregex",
    "-iwholename",
    "-links",
    "-lname",
    "-mmin",
    "-mtime",
    "-name",
    "-nogroup",
    "-nouser",
    "-path",
    "-perm",
    "-prune",
    "-regex",
    "-samefile",
    "-size",
    "-uid",
    "-user",
    "-wholename",
    "-xtype",
];
/// Tests and options that take one word.
const FIND_ONE_VALUE: &[&str] = &[
    "-D",
    "-amin",
    "-anewer",
    "-atime",
    "-cmin",
    "-cnewer",
    "-context",
    "-ctime",
    "-files0-from",
    "-fstype",
    "-gid",
    "-group",
    "-ilname",
    "-iname",
    "-inum",
    "-ipath",
    "-iregex",
    "-iwholename",
    "-links",
    "-lname",
    "-maxdepth",
    "-mindepth",
    "-mmin",
    "-mtime",
    "-name",
    "-path",
    "-perm",
    "-printf",
    "-regex",
    "-regextype",
    "-samefile",
    "-since",
    "-size",
    "-type",
    "-uid",
    "-used",
    "-user",
    "-wholename",
    "-xtype",
];
const PARALLEL: Wrapper = row(&["parallel"]).lenient().options(
    "-a: --arg-file: --basefile: --bf: --block: --block-size: --block-timeout: --colsep: -C: \
    --compress-program$ --decompress-program$ -d: --delimiter: --delay: --env: --halt: \
    --halt-on-error: --header: -I: -i? --replace? -J: --profile: -j: --jobs: --max-procs: -P: --joblog: -L: \
    --max-lines: -l? --limit$ --load: --memfree: --memsuspend: -n: --max-args: -N: \
    --max-replace-args: --nice: --pipe-part --recend: --recstart: --results: --retries: --return: \
    --rpl: -s: --max-chars: --seqreplace: --semaphore-name: --semaphorename: --id: \
    --semaphoretimeout: --shuf --ssh^ --sshlogin: -S: --sshloginfile: --slf: --tempdir: --tmpdir: \
    --template: --tmpl: --tagstring: --termseq: --timeout: --transferfile: --tf: --trc: --trim: \
    --wd: --workdir: -E: -e? --eof? --arg-sep: --arg-file-sep: --plus --tag --dry-run -k -u -0 -X -m -q -r \
    -t -p -v",
);
