//! Commands that the words of a little-known program most likely start.
//!
//! No table can hold every program that runs others, but they say so alike: `tool exec -- curl x`,
//! `tool --exec-cmd 'curl x'`, `LINKER=curl`, a line `!curl x` on the input. What is found here is
//! possible, never certain, and only deny and ask rules see it. Programs whose arguments a table
//! describes are left alone: their data stays data.

use crate::command::Shell;
use crate::outputs::output_of_script;
use crate::peel::{Inner, setting_script, table_name};
use crate::state::{Reach, State};
use crate::tables::builtins::is_builtin;
use crate::tables::interpreters::{calls_in_any_language, calls_of_editor, is_interpreter};
use crate::tables::names::names_of;
use crate::tables::payloads::PAYLOADS;
use crate::tables::program;
use crate::tables::wrappers::WRAPPERS;
use crate::tables::wrappers_shells::shell_name;
use crate::walk::{Stdin, Walker};
use crate::{Arg, Origin, forms::basename};
use portcullis_model::Certainty;

/// More guesses than this from one command are not made.
const MOST: usize = 48;
/// Words behind options that are tried as the start of a command.
const BEHIND_OPTIONS: usize = 6;
/// A longer text is not read as a command.
const LONGEST: usize = 2048;

impl Walker<'_> {
    /// What the words and the input of a little-known program may start, where tables found nothing.
    pub(crate) fn guesses_of(
        &self,
        carried: &[(Inner, Certainty)],
        argv: &[Arg],
        stdin: &Stdin,
        shell: &Shell<'_>,
        state: &State,
    ) -> Vec<Inner> {
        let elsewhere = started_elsewhere(argv);
        if !elsewhere.is_empty() && !self.guessing {
            return elsewhere;
        }
        if let Stdin::Known(text) = stdin
            && runs_its_input(argv)
            && !self.guessing
        {
            // Each line may be the command, or code that starts it.
            let lines = text.lines().take(MOST);
            return lines
                .flat_map(|line| {
                    let mut found = vec![Inner::Script(Arg::Known(line.to_owned()))];
                    found.extend(calls_in_any_language(line, false));
                    found
                })
                .collect();
        }
        let tmux = argv.first().and_then(Arg::known).map(basename).map(table_name) == Some("tmux");
        if (!carried.is_empty() && !tmux) || self.guessing || self.origin == Origin::Lossy {
            return Vec::new();
        }
        let mut guessed = guessed_commands(argv);
        if let Stdin::Known(text) = stdin {
            guessed.extend(guessed_from_input(argv, text));
        }
        for script in &shell.processes {
            let text = output_of_script(script, &state.lookup(Reach::Text));
            guessed.extend(text.map(|text| guessed_from_input(argv, &text)).unwrap_or_default());
        }
        guessed
    }
}

/// What the words of a command may start.
fn guessed_commands(argv: &[Arg]) -> Vec<Inner> {
    let mut found = Vec::new();
    let Some((first, words)) = argv.split_first() else { return found };
    let Some(name) = first.known().map(basename).map(table_name) else { return found };
    if words.is_empty() || is_described(name) {
        return found;
    }
    // Of a program that a table knows to run others, the table knows the short options.
    let listed = names_of!(WRAPPERS).rows(name).next().is_some()
        || names_of!(PAYLOADS).rows(name).next().is_some();
    let mut operands = 0;
    for (index, word) in words.iter().enumerate() {
        let Some(text) = word.known() else { continue };
        let rest = words.get(index + 1..).unwrap_or(&[]);
        if text == "--" {
            if !listed {
                add_words(rest, &mut found);
            }
            break;
        }
        if let Some((key, value)) = text.split_once(['=', ':']) {
            // `--exec=curl x`, `linker=curl`, `-XX:OnError=curl x`, `--eval:code`
            let (key, value) = match value.split_once('=') {
                Some((key, value)) if names_a_command(key) => (key, value),
                _ => (key, value),
            };
            let holds =
                names_a_command(key) || text.starts_with('-') && option_holds_a_command(key);
            if holds || value.starts_with('!') {
                add_text(value, &mut found);
            }
        } else if let Some(option) = text.strip_prefix('-') {
            // `-c` is what shells call it; behind `-e` most tools take a pattern or a name.
            let short = option == "c" && !listed && rest.len() > 1;
            let names = option_holds_a_command(option);
            let spelled = option == "c" && !listed || names;
            let value = rest.first().and_then(Arg::known);
            if spelled && let Some(value) = value {
                let single = option == "c" && !value.contains(char::is_whitespace);
                if !single {
                    add_text(value, &mut found);
                }
            }
            if short || names {
                add_words(rest, &mut found);
            }
        } else if text.starts_with('!') {
            add_text(text, &mut found);
        } else {
            operands += 1;
            let verbs = if listed { STRONG_VERBS } else { VERBS };
            if operands <= 3 && verbs.contains(&text) {
                // What follows is the command, or first what it runs in. Behind an option, a word
                // may be its value.
                add_words(rest, &mut found);
                if !rest.first().is_some_and(|word| word.prefix().starts_with('-')) {
                    let inside = rest.get(1..).unwrap_or(&[]);
                    let dashes = inside.first().and_then(Arg::known) == Some("--");
                    add_words(inside.get(usize::from(dashes)..).unwrap_or(&[]), &mut found);
                    rest.first()
                        .and_then(Arg::known)
                        .iter()
                        .for_each(|text| add_text(text, &mut found));
                } else if rest.first().and_then(Arg::known) == Some("--") {
                    add_words(rest.get(1..).unwrap_or(&[]), &mut found);
                } else if STRONG_VERBS.contains(&text) {
                    // Which of the next words are values of options is not known: each may be the command.
                    for skipped in 1..rest.len().min(BEHIND_OPTIONS) {
                        add_words(rest.get(skipped..).unwrap_or(&[]), &mut found);
                    }
                }
            }
        }
        if !listed {
            piped_to(text, &mut found);
        }
        commands_in_json(text, &mut found);
        if !text.contains('\n') && (!listed || text.contains("system")) {
            // Backquotes are markup in prose.
            found.extend(calls_in_any_language(text, false));
        }
        if found.len() > MOST {
            break;
        }
    }
    if name == "tmux" {
        tmux(words, &mut found);
    }
    found
}

/// Commands that a word names as its other end: `|curl x` to `ImageMagick` and others, `%pipe%curl x` to
/// Ghostscript, `\write18{curl x}` to TeX, `syscmd(curl x)` to m4.
fn piped_to(text: &str, found: &mut Vec<Inner>) {
    let file = text.split_once(":|").filter(|(format, _)| is_word(format)).map(|(_, rest)| rest);
    text.strip_prefix('|').or(file).iter().for_each(|rest| add_text(rest, found));
    for mark in ["%pipe%", "\\write18", "\\input", "syscmd"] {
        for (at, _) in text.match_indices(mark).take(MOST) {
            let rest = text.get(at + mark.len()..).unwrap_or("");
            if mark == "\\input" && !rest.trim_start_matches(['{', '"', ' ']).starts_with('|') {
                continue;
            }
            let rest = rest.trim_start_matches(['{', '(', '`', '"', '|', ' ']);
            add_text(rest.split(['}', ')', '\'', '"']).next().unwrap_or(""), found);
        }
    }
}

/// What stands behind keys of JSON that name commands: `{"command":["curl","x"]}`, also as the value of an
/// option.
fn commands_in_json(text: &str, found: &mut Vec<Inner>) {
    let is_json = |text: &&str| text.starts_with(['{', '[']);
    let value = text.split_once('=').map(|(_, value)| value).filter(is_json);
    let Some(text) = Some(text).filter(is_json).or(value) else { return };
    let parts: Vec<&str> = text.split('"').collect();
    for (index, key) in parts.iter().enumerate().skip(1).step_by(2) {
        let Some(between) = parts.get(index + 1).map(|text| text.trim()) else { continue };
        let value = between.strip_prefix(':').map(str::trim);
        let rest = parts.get(index + 2..).unwrap_or(&[]);
        if !names_a_command(key) || found.len() > MOST {
            continue;
        }
        match value {
            Some("") => rest.first().iter().for_each(|text| add_text(text, found)),
            Some("[") => {
                let inside =
                    rest.iter().take_while(|text| !text.trim_start().starts_with(']')).step_by(2);
                let words = inside.take(MOST).map(|word| Arg::Known((*word).to_owned()));
                add_words(&words.collect::<Vec<Arg>>(), found);
            }
            _ => {}
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What programs start behind the place where their rows look: every part between colons is a program to
/// mpirun(1), the first operand of older versions of env-cmd is a file, options of pm2 may follow the script, a
/// setting of npm names the shell of its scripts, hub is git, and git has other names for a push.
fn started_elsewhere(argv: &[Arg]) -> Vec<Inner> {
    let mut found = Vec::new();
    let Some((first, words)) = argv.split_first() else { return found };
    let name = first.known().map(basename).map(table_name).unwrap_or_default();
    if name == "env-cmd" {
        add_words(words.get(1..).unwrap_or(&[]), &mut found);
    } else if name == "pm2" {
        let texts: Vec<&str> = words.iter().filter_map(Arg::known).collect();
        for (index, text) in texts.iter().enumerate() {
            match text.strip_prefix("--interpreter") {
                Some("") => texts.get(index + 1).iter().for_each(|text| add_text(text, &mut found)),
                Some(value) => add_text(value.trim_start_matches('='), &mut found),
                None => {}
            }
        }
    } else if name == "podman" && words.iter().filter_map(Arg::known).any(takes_latest) {
        // No name of a container stands before the command then.
        let texts = words.iter().map(Arg::prefix);
        let at = texts.clone().position(|text| text == "exec").map_or(words.len(), |at| at + 1);
        let plain = texts.enumerate().skip(at).filter(|(_, text)| !text.starts_with('-'));
        for (index, _) in plain.take(BEHIND_OPTIONS) {
            add_words(words.get(index..).unwrap_or(&[]), &mut found);
        }
    } else if name == "hub" {
        add_words(&git(words), &mut found);
    } else if name == "git" {
        let texts: Vec<&str> = words.iter().map(Arg::prefix).collect();
        let pushes = texts.iter().position(|text| matches!(*text, "send-pack" | "http-push"));
        let subtree =
            texts.windows(2).position(|pair| pair == ["subtree", "push"]).map(|at| at + 1);
        if let Some(rest) = pushes.or(subtree).and_then(|at| words.get(at + 1..)) {
            let push = std::iter::once(Arg::Known("push".to_owned()));
            add_words(&git(&push.chain(rest.iter().cloned()).collect::<Vec<Arg>>()), &mut found);
        }
    } else if matches!(name, "npm" | "pnpm" | "yarn") {
        let texts: Vec<&str> = words.iter().filter_map(Arg::known).collect();
        for (index, _) in texts.iter().enumerate().filter(|(_, text)| **text == "set") {
            let Some(key) = texts.get(index + 1) else { continue };
            let (key, value) = match key.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (*key, texts.get(index + 2).copied()),
            };
            let runs = names_a_command(key)
                || key.starts_with("scripts")
                || matches!(key, "viewer" | "git");
            let value = value.filter(|_| runs);
            if let Some(text) = value {
                // `scripts={"test":"curl x"}`
                text.split('"').for_each(|part| add_text(part, &mut found));
            }
        }
    } else if name == "gh" {
        // Another name for a subcommand or a script, and what is started to edit or to look at something.
        let texts: Vec<&str> = words.iter().filter_map(Arg::known).collect();
        let value = texts.last().copied().unwrap_or_default();
        match texts.as_slice() {
            ["alias", "set", rest @ ..] if rest.iter().any(is_shell_flag) => {
                add_text(rest.iter().rfind(|text| !is_shell_flag(text)).unwrap_or(&""), &mut found);
            }
            ["alias", "set", ..] => {
                let again = std::iter::once("gh").chain(value.split_ascii_whitespace());
                let again: Vec<Arg> = again.map(|word| Arg::Known(word.to_owned())).collect();
                add_words(&again, &mut found);
                value.strip_prefix('!').iter().for_each(|text| add_text(text, &mut found));
            }
            ["config", "set", key, value, ..] if names_a_command(key) || *key == "browser" => {
                add_text(value, &mut found);
            }
            _ => {}
        }
    } else if is_editor(name) {
        for text in words.iter().filter_map(Arg::known).filter(|text| text.contains([' ', '!'])) {
            found.extend(calls_of_editor(text));
        }
    } else if name == "history" {
        // What is put into the history may be called back.
        add_words(behind(words, "-s"), &mut found);
    } else if name == "tmux" {
        for text in words.iter().filter_map(Arg::known) {
            if let Some((_, ran)) = text.split_once("#(") {
                add_text(ran.trim_end_matches(')'), &mut found);
            }
        }
    } else if matches!(name, "sdiff" | "diff3") {
        for text in words.iter().filter_map(Arg::known) {
            text.strip_prefix("--diff-program=").iter().for_each(|ran| add_text(ran, &mut found));
        }
    } else if matches!(name, "make" | "gmake") {
        for text in words.iter().filter_map(Arg::known) {
            // `X!=curl x` runs at once, a function whenever the value is used, and that is part of recipes.
            if let Some((name, value)) = text.split_once('=').filter(|_| !text.starts_with('-')) {
                let ran =
                    if name.ends_with('!') { value } else { value.trim_start_matches([';', ' ']) };
                found.push(Inner::Script(Arg::Known(ran.to_owned())));
            }
            for (_, behind) in
                text.match_indices("$(shell ").map(|(at, start)| text.split_at(at + start.len()))
            {
                let ran = behind.rsplit_once(')').map_or(behind, |(ran, _)| ran);
                found.push(Inner::Script(Arg::Known(ran.to_owned())));
            }
        }
    } else if name == "perl" && words.iter().filter_map(Arg::known).any(loops_over_files) {
        // Without `<<>>` an operand that begins or ends in a pipe is a command.
        for text in words.iter().filter_map(Arg::known).filter(|text| !text.starts_with('-')) {
            let piped = text.strip_suffix('|').or_else(|| text.strip_prefix('|'));
            found.extend(piped.map(|ran| Inner::Script(Arg::Known(ran.to_owned()))));
        }
    } else if name.starts_with("mpi") || matches!(name, "orterun" | "prterun") {
        for part in words.split(|word| word.known() == Some(":")).skip(1) {
            let again: Vec<Arg> = std::iter::once(first).chain(part).cloned().collect();
            add_words(&again, &mut found);
        }
    }
    found
}

/// `-l`, also among other letters.
fn takes_latest(text: &str) -> bool {
    text == "--latest" || text.starts_with('-') && !text.starts_with("--") && text.contains('l')
}

fn is_shell_flag(text: &&str) -> bool {
    matches!(*text, "-s" | "--shell")
}

/// Whether a program is vi or one of its relatives.
fn is_editor(name: &str) -> bool {
    let stem = name.strip_prefix(['r', 'g', 'n', 'e']).unwrap_or(name);
    matches!(stem, "vi" | "vim" | "view" | "vimdiff") || name == "ex"
}

/// The words behind the first of this text.
fn behind<'a>(words: &'a [Arg], text: &str) -> &'a [Arg] {
    let at = words.iter().position(|word| word.known() == Some(text));
    at.and_then(|at| words.get(at + 1..)).unwrap_or(&[])
}

/// Whether a filter runs lines of its input, or parts of them, as commands.
fn runs_its_input(argv: &[Arg]) -> bool {
    let mut words = argv.iter().filter_map(Arg::known);
    let name = words.next().map(basename).map(table_name).unwrap_or_default();
    match name {
        "sed" => words.any(|code| code.split([';', '\n', '}']).any(substitutes_and_runs)),
        "awk" | "gawk" | "mawk" | "nawk" => words.any(|code| {
            let plain = code.replace(' ', "");
            ["|$", "|&$", "system($", "|getline"].iter().any(|call| plain.contains(call))
                && !plain.contains("\"|getline")
        }),
        "perl" => words.any(|code| {
            let plain = code.replace(' ', "");
            ["`$", "`\\$", "eval", "system($", "exec($", "system;", "exec;"]
                .iter()
                .any(|call| plain.contains(call))
        }),
        _ => false,
    }
}

/// Whether a command of sed is `e`, or a substitution with that flag.
fn substitutes_and_runs(command: &str) -> bool {
    let command = command.trim().trim_end_matches('}').trim_end();
    if command == "e" {
        return true;
    }
    let Some(at) = command.find('s') else { return false };
    let Some(mark) = command.get(at + 1..).and_then(|rest| rest.chars().next()) else {
        return false;
    };
    let flags = command.rsplit(mark).next().unwrap_or("");
    command.matches(mark).count() >= 3
        && flags.contains('e')
        && flags.chars().all(|flag| "eEgGiImMpPw0123456789".contains(flag))
}

/// Whether a flag of `perl` reads the files its operands name.
fn loops_over_files(word: &str) -> bool {
    let is_cluster = word.starts_with('-') && !word.starts_with("--");
    is_cluster && word.contains(['n', 'p']) || word.contains("<>")
}

fn git(words: &[Arg]) -> Vec<Arg> {
    std::iter::once(Arg::Known("git".to_owned())).chain(words.iter().cloned()).collect()
}

/// What a little-known program may start because of what it reads.
fn guessed_from_input(argv: &[Arg], text: &str) -> Vec<Inner> {
    let mut found = Vec::new();
    let name = argv.first().and_then(Arg::known).map(basename).map(table_name);
    if text.len() > LONGEST || name.is_none_or(is_described) {
        return found;
    }
    for line in text.lines().map(str::trim_start) {
        if let Some(start) = LINE_STARTS.iter().find(|start| line.starts_with(**start)) {
            add_text(line.get(start.len()..).unwrap_or(""), &mut found);
        }
        if found.len() > MOST {
            break;
        }
    }
    found.extend(calls_in_any_language(text, false));
    found
}

/// Whether tables describe what the program does with its arguments.
fn is_described(name: &str) -> bool {
    program(name).is_some()
        || is_builtin(name)
        || is_interpreter(name)
        || shell_name(name).is_some()
        || matches!(name, "fd" | "fdfind" | "parallel" | "sem")
}

/// Whether an option, a variable or a setting of this name holds a command.
fn names_a_command(name: &str) -> bool {
    let name = name.trim_start_matches('-');
    let lower = name.to_ascii_lowercase();
    let mut parts = lower.split(['-', '_', '.', ':']);
    parts.clone().next() == Some("on") && parts.clone().count() > 1
        || lower.contains("onerror")
        || lower.contains("onoutofmemory")
        || lower.contains("bin::")
        || parts.any(|part| COMMAND_PARTS.contains(&part) || part.ends_with("command"))
        || matches!(name, "CC" | "CXX" | "CPP" | "LD" | "AR" | "AS" | "FC" | "Clinker")
}

/// Whether an option of this name holds a command.
fn option_holds_a_command(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    names_a_command(name)
        || lower.split(['-', '_', '.', ':']).any(|part| OPTION_PARTS.contains(&part))
}

/// Text that may be a command, or code that starts one.
fn add_text(text: &str, found: &mut Vec<Inner>) {
    if text.len() > LONGEST || text.trim().is_empty() {
        return;
    }
    found.extend(calls_in_any_language(text, true));
    if text.starts_with('[') {
        // `["curl x"]`, `["curl", "x"]`
        let pieces: Vec<&str> = text.split('"').skip(1).step_by(2).take(MOST).collect();
        let words: Vec<Arg> = pieces.iter().map(|piece| Arg::Known((*piece).to_owned())).collect();
        pieces
            .iter()
            .filter(|piece| !piece.starts_with('['))
            .for_each(|piece| add_text(piece, found));
        add_words(&words, found);
        return;
    }
    let script = setting_script(text).unwrap_or(text);
    let script = script.trim_start_matches(['!', ':', '\\', '|', '&', ' ']);
    // What is not plain shell is not read as such: it is most likely no command, and a text that
    // cannot be read would count as any command.
    let plain = !script.contains(['<', '>', '(', ')', '{', '}', '"', '\''])
        || portcullis_shell::parse(script, &portcullis_shell::Options::default())
            .obstacles
            .is_empty();
    if plain && !script.contains(['$', '`', '*', '?', '[', '~']) {
        found.push(Inner::Script(Arg::Known(script.to_owned())));
        return;
    }
    let words: Vec<Arg> =
        script.split_ascii_whitespace().map(|word| Arg::Known(word.to_owned())).collect();
    add_words(&words, found);
}

/// Words that may be a command with its arguments.
fn add_words(words: &[Arg], found: &mut Vec<Inner>) {
    let starts = words.first().and_then(Arg::known);
    if starts.is_some_and(|name| !name.is_empty() && !name.starts_with('-')) {
        found.push(Inner::Argv(words.to_vec()));
    }
}

/// tmux runs commands in its commands, separated by `;`.
fn tmux(words: &[Arg], found: &mut Vec<Inner>) {
    for command in words.split(|word| word.known() == Some(";")) {
        for (index, word) in command.iter().enumerate() {
            let Some(text) = word.known() else { continue };
            let (verb, inside) = text.split_once(' ').unwrap_or((text, ""));
            if !TMUX_VERBS.contains(&verb) {
                if text.contains(' ') {
                    add_text(text, found);
                }
                continue;
            }
            let inside = inside.trim_matches(['"', '\'', ' ']);
            add_text(inside.trim_start_matches("-b ").trim_matches(['"', '\'']), found);
            for text in command.iter().skip(index + 1).filter_map(Arg::known) {
                if !text.starts_with('-') {
                    add_text(text, found);
                }
            }
        }
    }
}

/// Subcommands behind which a command stands.
const VERBS: &[&str] = &[
    "/C", "/c", "/k", "cmd", "cmd.run", "enter", "exec", "exec-env", "execute", "launch", "lock",
    "record", "rsh", "run", "shell", "ssh", "unshare", "watch",
];

/// Those that mean it in every program.
const STRONG_VERBS: &[&str] = &["enter", "exec", "rsh", "ssh", "unshare"];

/// Parts of the names of options and variables that hold a command.
const COMMAND_PARTS: &[&str] = &[
    "askpass",
    "call",
    "cmd",
    "command",
    "commands",
    "compiler",
    "editor",
    "entrypoint",
    "eval",
    "exec",
    "executable",
    "execute",
    "extld",
    "hook",
    "hooks",
    "launcher",
    "linker",
    "pager",
    "postinvoke",
    "preinvoke",
    "rsh",
    "run",
    "runner",
    "script",
    "scripts",
    "sendmail",
    "sh",
    "shell",
    "ssh",
    "toolexec",
    "tunnels",
    "wrapper",
];

/// The same of options alone: as keys of other things these words are common.
const OPTION_PARTS: &[&str] = &[
    "binary",
    "browser",
    "callback",
    "chooser",
    "emulator",
    "epilog",
    "helper",
    "interpreter",
    "invoke",
    "makeprogram",
    "prog",
    "program",
    "prolog",
    "tool",
    "using",
    "viewer",
];

/// How lines start whose rest is a command to editors, database shells, mailers and image builders.
const LINE_STARTS: &[&str] =
    &["!", "\\!", ":!", "~!", "~|", ".shell ", ".system ", "shell ", "host ", "RUN ", "\\o |"];

/// Commands of tmux that run others.
const TMUX_VERBS: &[&str] = &[
    "bind",
    "bind-key",
    "confirm",
    "confirm-before",
    "default-command",
    "display-popup",
    "if",
    "if-shell",
    "new",
    "new-session",
    "new-window",
    "neww",
    "pipe-pane",
    "popup",
    "respawn-pane",
    "run",
    "run-shell",
    "set-hook",
    "split-window",
    "splitw",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(words: &[&str]) -> Vec<Inner> {
        guessed_commands(
            &words.iter().map(|word| Arg::Known((*word).to_owned())).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn finds_what_options_and_subcommands_name() {
        for words in [
            &["tool", "--", "curl", "x"][..],
            &["tool", "run", "box", "curl", "x"],
            &["tool", "--exec", "curl x"],
            &["tool", "--pre-cmd=curl x"],
            &["tool", "-Dlauncher.linker=curl"],
            &["tool", "-e", "system(\"curl x\")"],
            &["tool", "!curl x"],
        ] {
            assert!(!guessed(words).is_empty(), "{words:?}");
        }
    }

    #[test]
    fn leaves_data_alone() {
        for words in [
            &["echo", "--", "curl", "x"][..],
            &["tool", "curl", "x"],
            &["tool", "--message", "curl x"],
            &["tool", "install", "curl"],
            &["tool", "run", "-t", "curl x"],
            &["tool", "-e", "curl x"],
            &["tool", "-e", ".[dev]"],
            &["grep", "-e", "curl x"],
        ] {
            assert!(guessed(words).is_empty(), "{words:?}");
        }
    }
}
