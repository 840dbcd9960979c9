//! Programs whose arguments need more than a row.

use super::reading::{Operand, Reading, without_prefix};
use super::sed::{self, Script};
use super::{Access, PathUse, inspect, programs};
use crate::Arg;
use crate::tables::Special;
use crate::tables::interpreters::sed_effect;

/// Reads the arguments of a program with a form of its own.
pub(super) fn read<'a>(reading: &mut Reading<'a>, special: Special, argv: &'a [Arg], start: usize) {
    match special {
        Special::Cd => change_directory(reading, argv, start),
        Special::Command => look_up(reading, argv, start),
        Special::Curl => transfer_urls(reading, argv, start),
        Special::Dd => copy_blocks(reading, argv, start),
        Special::Find => find(reading, argv, start),
        Special::Ip => ip(reading, argv, start),
        Special::Jq => jq(reading, argv, start),
        Special::Printf => printf(reading, argv, start),
        Special::Ps => ps(reading, argv, start),
        Special::Sed => edit_stream(reading, argv, start),
        Special::OneLiner => programs::one_liner(reading, argv, start),
        Special::Split => programs::split(reading, argv, start),
        Special::Tar => programs::tar(reading, argv, start),
        Special::Test => test(reading, argv, start),
        Special::Xargs => xargs(reading, argv, start),
        // Chosen before a row's arguments are read.
        Special::Subcommands(_) => reading.misses(0, "a subcommand is missing"),
    }
}

/// `cd`: without an operand it goes home, with `-` to where it came from.
fn change_directory<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    reading.arguments(argv, start);
    reading.operands();
    match reading.operands.as_slice() {
        [] => reading.path(0, Arg::Known("~".to_owned()), Access::Read),
        [first, ..] => {
            let first = *first;
            reading.reads(first);
        }
    }
}

/// `command -v name`: every other form runs the name and is peeled before we are asked.
fn look_up<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    reading.words(argv, start);
    if !matches!(argv.get(start).and_then(Arg::known), Some("-v" | "-V")) {
        reading.misses(start, "`command` without `-v` runs what follows");
    } else if argv.len() > start + 2 {
        reading.misses(start + 2, "`command -v` looks up one name here");
    }
}

/// `curl`: URLs, of which `file:` ones name files.
fn transfer_urls<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    reading.arguments(argv, start);
    for operand in std::mem::take(&mut reading.operands) {
        let scheme = "file://";
        if operand
            .arg
            .prefix()
            .get(..scheme.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(scheme))
            && let Some(path) = without_prefix(operand.arg, scheme.len())
        {
            reading.path(operand.index, path, Access::Read);
        }
    }
}

/// `dd if=… of=…`
fn copy_blocks<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    for (index, arg) in argv.iter().enumerate().skip(start) {
        reading.unknown_word(index, arg);
        let access = match arg.prefix().get(..3) {
            Some("if=") => Access::Read,
            Some("of=") => Access::Write,
            Some(_) => continue,
            None => {
                reading.complete &= arg.known().is_some();
                continue;
            }
        };
        if let Some(path) = without_prefix(arg, 3) {
            reading.path(index, path, access);
        }
    }
}

/// `find`: start points, then an expression whose actions may run, write or delete.
fn find<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    let mut in_expression = false;
    let mut runs = false;
    for (index, arg) in argv.iter().enumerate().skip(start) {
        if runs {
            runs = !matches!(arg.known(), Some(";" | "+"));
            continue;
        }
        reading.unknown_word(index, arg);
        if reading.takes_value(index, arg) {
            continue;
        }
        match arg.known() {
            Some("-H" | "-L" | "-P") if !in_expression => continue,
            Some("(" | ")" | "!" | ",") => {
                in_expression = true;
                continue;
            }
            Some(action @ ("-exec" | "-execdir" | "-ok" | "-okdir")) => {
                in_expression = true;
                runs = true;
                reading.misses(index, format!("`{action}` runs programs"));
                continue;
            }
            Some(_) | None => {}
        }
        if arg.prefix().starts_with('-') {
            in_expression = true;
            reading.long_flag(index, arg, 1);
        } else if in_expression {
            reading.misses(index, "an operand of `find` stands before its expression");
        } else {
            reading.complete &= !arg.prefix().is_empty() || arg.known().is_some();
            reading.operands.push(Operand { index, arg, after_dashes: false });
        }
    }
    reading.finish(argv);
    if reading.operands.is_empty() {
        reading.here();
    }
    let deletes = argv.iter().any(|arg| arg.known() == Some("-delete"));
    for operand in std::mem::take(&mut reading.operands) {
        reading.recursive = false;
        reading.path(operand.index, operand.arg.clone(), Access::Read);
        reading.recursive = deletes;
        match (deletes, name_pattern(argv), operand.arg.known()) {
            (false, _, _) => {}
            // What goes is called so, wherever below the start point it is.
            (true, Some(suffix), Some(_)) => {
                let named = Arg::One { prefix: String::new(), suffix };
                reading.recursive = false;
                reading.path(operand.index, operand.arg.clone(), Access::Remove);
                reading.path(operand.index, named, Access::Remove);
                if let Some(last) = reading.paths.last_mut() {
                    last.implied = true;
                }
            }
            (true, _, _) => {
                reading.path(operand.index, operand.arg.clone(), Access::Remove);
            }
        }
    }
}

/// How the paths end that `-name` picks, where that test alone does.
fn name_pattern(argv: &[Arg]) -> Option<String> {
    let plain = argv.iter().map(Arg::known).all(|word| {
        word.is_some_and(|word| !matches!(word, "!" | "-not" | "-o" | "-or" | "," | "-a" | "("))
    });
    let mut names = argv
        .windows(2)
        .filter(|pair| pair.first().and_then(Arg::known).is_some_and(|word| word == "-name"));
    let pattern = names.next()?.get(1)?.known()?;
    if !plain || names.next().is_some() {
        return None;
    }
    // SECURITY: unlike a glob, `find -name '*env'` picks `.env`, so only the literal end counts.
    match pattern.rfind(['*', '?', '[', ']', '\\']) {
        None => Some(format!("/{pattern}")),
        Some(at) => pattern.get(at + 1..).filter(|tail| !tail.is_empty()).map(str::to_owned),
    }
}

/// `ip`: what it knows can be shown, and an object without a verb is shown.
fn ip<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    reading.words(argv, start);
    let mut words = argv.iter().enumerate().skip(start).filter(|(_, arg)| {
        !matches!(
            arg.known(),
            Some(
                "-4" | "-6"
                    | "-br"
                    | "-brief"
                    | "-c"
                    | "-color"
                    | "-d"
                    | "-details"
                    | "-j"
                    | "-json"
                    | "-o"
                    | "-oneline"
                    | "-p"
                    | "-pretty"
                    | "-s"
                    | "-stats"
                    | "-statistics"
            )
        )
    });
    let Some((index, object)) = words.next() else {
        return reading.misses(0, "`ip` without an object is not known to only read");
    };
    let object = object.known().unwrap_or("");
    if !matches!(
        object,
        "a" | "addr"
            | "address"
            | "l"
            | "link"
            | "r"
            | "route"
            | "n"
            | "neigh"
            | "neighbor"
            | "neighbour"
            | "rule"
            | "maddr"
            | "maddress"
    ) {
        return reading.misses(index, "not an object that `ip` is known to only show");
    }
    match words.next().map(|(index, verb)| (index, verb.known().unwrap_or(""))) {
        None | Some((_, "show" | "list" | "ls")) => {}
        Some((_, "get")) if matches!(object, "r" | "route") => {}
        Some((index, _)) => {
            reading.misses(index, "only the show forms of `ip` are known to only read");
        }
    }
}

/// `jq`: a filter and files; the filter can read the environment and other files.
fn jq<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    // Which argument is the filter depends on every flag, so no argument may hold these words.
    const REACH_OUT: &[&str] =
        &["ENV", "env", "get_search_list", "import", "include", "modulemeta"];
    reading.arguments(argv, start);
    for (index, arg) in argv.iter().enumerate().skip(start) {
        let text = arg.known().unwrap_or("");
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if words.any(|word| REACH_OUT.contains(&word)) {
            reading
                .object(index, "a filter with this word can read the environment or other files");
        }
    }
    let from_file = reading.pattern_given;
    for operand in std::mem::take(&mut reading.operands).into_iter().skip(usize::from(!from_file)) {
        reading.reads(operand);
    }
}

/// `printf`: a flag before the format can assign a variable.
fn printf<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    reading.words(argv, start);
    if let Some(format) = argv.get(start)
        && (format.known().is_none()
            || (format.prefix().starts_with('-') && format.known() != Some("--")))
    {
        reading.misses(start, "a flag of `printf` can assign a variable");
    }
}

/// `ps`: flags with one dash, BSD flags without, long ones; only BSD `e` shows the environment.
fn ps<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    const LONG: &[&str] = &[
        "cols",
        "columns",
        "cumulative",
        "forest",
        "format",
        "headers",
        "help",
        "no-headers",
        "no-heading",
        "pid",
        "ppid",
        "rows",
        "sort",
        "user",
        "version",
        "width",
    ];
    reading.words(argv, start);
    let mut value = false;
    for (index, arg) in argv.iter().enumerate().skip(start) {
        let Some(text) = arg.known() else { continue };
        let all = |text: &str, letters: &str| text.chars().all(|c| letters.contains(c));
        if std::mem::take(&mut value) {
            if text.contains("env") {
                reading.object(index, "this format shows the environment");
            }
        } else if let Some(long) = text.strip_prefix("--") {
            let name = long.split('=').next().unwrap_or("");
            if !LONG.contains(&name) || long.contains("env") {
                reading.misses(index, format!("`--{name}` is not a flag of `ps` that only reads"));
            }
            value = matches!(
                long,
                "format" | "sort" | "pid" | "ppid" | "user" | "cols" | "columns" | "rows" | "width"
            );
        } else if let Some(short) = text.strip_prefix('-') {
            // SECURITY: `-auxe` is read as BSD `auxe` where no user is called `xe`, so `-u` must end
            // its cluster unless it is the familiar `-aux` (test: `reads_ps`).
            let switches =
                short.trim_end_matches(['o', 'O', 'p', 'C', 'u', 'U', 't', 'g', 'G', 's']);
            let familiar =
                matches!(short, "aux" | "auxw" | "auxww" | "auxf" | "axu" | "ax" | "axf");
            if !familiar
                && (!all(switches, "aAcdefFHjlLMNTVwyZ") || short.len() > switches.len() + 1)
            {
                reading.misses(index, "not flags of `ps` that are known to only read");
            }
            value = short.len() > switches.len();
        } else if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b',') {
            let switches = text.trim_end_matches(['o', 'O', 'p', 't', 'U', 'k']);
            if !all(switches, "aAcfghHjlLmnNrsSTuvVwxXZ") || text.len() > switches.len() + 1 {
                reading.misses(index, "`e` among BSD flags shows the environment of processes");
            }
            value = text.len() > switches.len();
        }
    }
}

/// `sed`: read-only where its scripts only print, an edit where they only replace.
fn edit_stream<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    reading.arguments(argv, start);
    let mut operands = std::mem::take(&mut reading.operands).into_iter();
    let mut scripts = std::mem::take(&mut reading.scripts);
    if scripts.is_empty() {
        match operands.next() {
            Some(first) => scripts.push(Some(first.arg.clone())),
            None => return reading.misses(0, "`sed` without a script"),
        }
    }
    let kind = scripts
        .iter()
        .map(|script| script.as_ref().and_then(Arg::known).map_or(Script::Other, sed::read))
        .max();
    let kind = kind.unwrap_or(Script::Other);
    for script in scripts.iter().flatten() {
        // What is known of a script is looked at even if its end is not.
        let effect = sed_effect(script.prefix());
        for (files, access) in [(effect.reads, Access::Read), (effect.writes, Access::Write)] {
            for file in files {
                reading.path(0, Arg::Known(file), access);
            }
        }
    }
    let files: Vec<Operand<'_>> = operands.collect();
    let suffix = reading.in_place.take();
    for file in &files {
        reading.reads(*file);
        if let Some(suffix) = &suffix {
            reading.path(file.index, file.arg.clone(), Access::Write);
            match (file.arg, suffix) {
                (_, Arg::Known(suffix)) if suffix.is_empty() => {}
                (Arg::Known(name), Arg::Known(suffix)) => {
                    reading.path(file.index, Arg::Known(format!("{name}{suffix}")), Access::Write);
                }
                (_, _) => reading.complete = false,
            }
        }
    }
    // A suffix with a slash or a star is a pattern for the name of the copy.
    let moves_copy = suffix
        .as_ref()
        .is_some_and(|suffix| suffix.known().is_none_or(|text| text.contains(['/', '*'])));
    if kind == Script::Other {
        // Such a script may name files itself.
        reading.complete = false;
    }
    reading.edits = reading.complete
        && reading.harmless
        && !moves_copy
        && kind != Script::Other
        && !files.is_empty();
    match (kind, suffix) {
        (_, Some(_)) => reading.object(0, "`sed -i` changes files"),
        (Script::Other, None) => {
            reading.object(0, "a script that may do more than print lines by number");
        }
        (Script::Replaces, None) => {
            if let Some(first) = files.first() {
                reading
                    .object(first.index, "a script that replaces text is read-only on input alone");
            }
        }
        (Script::Prints, None) => {}
    }
}

/// `test` and `[`.
fn test<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    reading.words(argv, start);
    // SECURITY: `test -v 'a[$(id)]'` runs `id` (bash evaluates the subscript).
    if let Some(index) = argv.iter().position(|arg| matches!(arg.known(), Some("-v" | "-R"))) {
        reading.misses(index, "a test of a variable evaluates its subscript");
    }
}

/// `xargs`: appends words from its input, so only programs that no word can turn into anything else.
fn xargs<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    const TAKE_ANY_WORDS: &[&str] = &["echo", "grep", "head", "printf", "tail", "wc"];
    reading.stops_at_operand = true;
    reading.arguments(argv, start);
    reading.complete = false;
    let Some(first) = reading.operands.first().copied() else { return };
    if !first.arg.known().is_some_and(|name| TAKE_ANY_WORDS.contains(&name)) {
        return reading.object(first.index, "`xargs` runs this with words from its input");
    }
    // That it only reads holds for every word; which files those are is for deny and ask rules.
    if !matches!(first.arg.known(), Some("echo" | "printf")) {
        reading.paths.push(PathUse {
            arg: Arg::many(),
            access: Access::Read,
            index: first.index,
            recursive: false,
            visible_only: false,
            implied: true,
        });
    }
    let inner = inspect(argv.get(first.index..).unwrap_or(&[]));
    if let Err(why) = inner.read_only {
        reading.object(first.index + why.index, why.why);
    }
    for mut used in inner.paths {
        used.index += first.index;
        reading.paths.push(used);
    }
}
