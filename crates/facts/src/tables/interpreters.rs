//! Interpreters other than the shell, and the calls one can see in their code.

pub(crate) use super::interpreters_sed::sed_effect;
use super::names::names_of;
use super::wrappers_grammar::{Kind, look_up};
use crate::peel::table_name;
use crate::{Arg, Inner};
use portcullis_model::Reason;

/// A command that starts an interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// The table name of the interpreter.
    pub name: &'static str,
    /// The code given as text (`python -c`, an awk program), every piece of it.
    pub code: Vec<Arg>,
    /// `interpreter-code`, `interpreter-dynamic` or `interpreter-stdin`.
    pub reason: Reason,
    /// Programs the code starts, as far as literal text tells. For deny and ask only, never certain.
    pub possible: Vec<Inner>,
}

/// Reads a command as an interpreter that is given code; `None` for other programs, for forms that
/// only run a file, and for forms that run nothing (`--version`).
pub fn interpreter(argv: &[Arg]) -> Option<Interpreter> {
    let (first, words) = argv.split_first()?;
    let base = first.known()?.rsplit('/').next()?;
    let name = table_name(base);
    let (name, at) = names_of!(INTERPRETERS).rows(name).next()?;
    let row = INTERPRETERS.get(at)?;
    let (mut code, input) = match words.split_first() {
        Some((eval, rest)) if name == "deno" && eval.known() == Some("eval") => (
            rest.iter().filter(|word| !word.prefix().starts_with('-')).take(1).cloned().collect(),
            false,
        ),
        _ if name == "python" || name == "pypy" => {
            code_of_module(words).map_or_else(|| read(row, words), Some)?
        }
        _ => read(row, words)?,
    };
    if name == "perl" {
        // `-d:Module;code` is loaded like `-M`.
        let loads = words.iter().filter(|word| word.prefix().starts_with("-d:"));
        code.extend(loads.cloned());
    }
    let reason = if input {
        Reason::InterpreterStdin
    } else if code.iter().all(|piece| piece.known().is_some()) {
        Reason::InterpreterCode
    } else {
        Reason::InterpreterDynamic
    };
    let mut possible = Vec::new();
    let mut writes = false;
    for piece in &code {
        // What is known of a piece is looked at even if its end is not.
        let text = piece.known().unwrap_or(piece.prefix());
        let found = if name == "sed" {
            let effect = sed_effect(text);
            writes |= !effect.writes.is_empty();
            effect.runs
        } else {
            row.language.calls(text)
        };
        let shells = matches!(name, "pwsh" | "powershell");
        let plain = shells.then(|| text.trim_start_matches(['&', ' ']));
        for found in found.into_iter().chain(plain.map(script)) {
            if !possible.contains(&found) {
                possible.push(found);
            }
        }
    }
    if name == "sed" && reason == Reason::InterpreterCode && possible.is_empty() && !writes {
        // It edits its input and nothing else.
        return None;
    }
    Some(Interpreter { name, code, reason, possible })
}

/// Whether an interpreter has this table name.
pub(crate) fn is_interpreter(name: &str) -> bool {
    names_of!(INTERPRETERS).rows(name).next().is_some()
}

/// What code that an interpreter of this name reads from its input or a file is seen to run.
pub(crate) fn calls_of(name: &str, text: &str) -> Vec<Inner> {
    let stem = table_name(name);
    if stem == "sed" {
        return sed_effect(text).runs;
    }
    let row = names_of!(INTERPRETERS).rows(stem).next().and_then(|(_, at)| INTERPRETERS.get(at));
    row.map(|row| row.language.calls(text)).unwrap_or_default()
}

/// What text is seen to run if it is code of some language: literal commands only.
pub(crate) fn calls_in_any_language(text: &str, backquotes: bool) -> Vec<Inner> {
    if !text.contains(['(', '"', '\'', '`']) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for language in [OTHER, PYTHON, JAVASCRIPT, PERL, RUBY, LUA, LISP, BEAM] {
        let quoted_by: &[&str] = if backquotes { language.quoted_by } else { &[] };
        let language =
            Language { backquotes: backquotes && language.backquotes, quoted_by, ..language };
        found.extend(language.calls(text));
    }
    found.retain(|inner| match inner {
        Inner::Script(text) => text.known().is_some(),
        Inner::Argv(words) => words.first().is_some_and(|word| word.known().is_some()),
        Inner::Stdin | Inner::File(_) => false,
    });
    found.sort();
    found.dedup();
    found
}

/// What commands of vi and its relatives are seen to run.
pub(crate) fn calls_of_editor(text: &str) -> Vec<Inner> {
    // `set makeprg=curl\\ x`
    EDITOR.calls(&text.replace("\\ ", " "))
}

/// Code given to a module that runs it (`python -m timeit code`).
fn code_of_module(words: &[Arg]) -> Option<(Vec<Arg>, bool)> {
    let at = words.iter().position(|word| word.prefix().starts_with("-m"))?;
    let attached = words.get(at)?.known()?.strip_prefix("-m")?;
    let (module, words) = if attached.is_empty() {
        (words.get(at + 1)?.known()?, words.get(at + 2..)?)
    } else {
        (attached, words.get(at + 1..)?)
    };
    match module {
        // Operands, and the values of `-s`: code, the rest does no harm read as such.
        "timeit" => Some((words.to_vec(), false)),
        // `-c` gives commands, in which `!` and unknown words are Python.
        "pdb" | "IPython" | "ipython" | "bpython" | "ptpython" => {
            let code = words.windows(2).filter_map(|pair| match pair {
                [flag, code] if flag.known().is_some_and(|text| text.starts_with("-c")) => {
                    Some(code.clone())
                }
                _ => None,
            });
            let attached = words.iter().filter_map(|word| {
                let text = word.known()?.strip_prefix("-c")?.trim_start_matches("ommand=");
                (!text.is_empty()).then(|| Arg::Known(text.to_owned()))
            });
            Some((code.chain(attached).collect(), words.is_empty()))
        }
        "code" | "asyncio" | "idlelib" => Some((Vec::new(), true)),
        _ => None,
    }
}

/// Collects the pieces of code, and tells whether code comes from the input.
fn read(row: &Row, words: &[Arg]) -> Option<(Vec<Arg>, bool)> {
    let mut code = Vec::new();
    let mut position = 0;
    let mut script_file = false;
    let operand_is_code = row.otherwise == Otherwise::FirstOperand;
    while let Some(word) = words.get(position) {
        position += 1;
        let Some(text) = word.known() else {
            let may_be_option = word.prefix().is_empty() || word.prefix().starts_with('-');
            // Behind an unknown word anything may be code.
            if may_be_option && matches!(word, Arg::Many { .. }) {
                code.push(Arg::one());
            }
            if operand_is_code && code.is_empty() {
                code.push(match word {
                    Arg::Known(_) | Arg::One { .. } => word.clone(),
                    Arg::Glob(_) | Arg::Many { .. } => Arg::one(),
                });
            }
            return Some((code, false)).filter(|(code, _)| !code.is_empty());
        };
        if text == "--" {
            break;
        }
        if text == "-" {
            return Some((code, true));
        }
        if !text.starts_with('-') {
            if operand_is_code && !script_file && code.is_empty() {
                code.push(word.clone());
            }
            return Some((code, false)).filter(|(code, _)| !code.is_empty());
        }
        let met = option(row, text, words.get(position));
        match met {
            Met::Code(piece, used) => {
                code.push(piece);
                position += used;
                if row.ends_at_code {
                    return Some((code, false));
                }
            }
            Met::File(used) => {
                if row.ends_at_code {
                    return None;
                }
                script_file = true;
                position += used;
            }
            Met::Nothing => return None,
            Met::Plain(used) => position += used,
        }
    }
    if operand_is_code && !script_file && code.is_empty() {
        let operand = words.get(position)?;
        return Some((vec![operand.clone()], false));
    }
    if !code.is_empty() {
        return Some((code, false));
    }
    // Without code and file it reads its input.
    let more = words.get(position).is_some();
    ((row.otherwise == Otherwise::FileOrInput) && !more && !script_file).then_some((code, true))
}

/// What an option of an interpreter means.
enum Met {
    Code(Arg, usize),
    File(usize),
    Plain(usize),
    Nothing,
}

fn option(row: &Row, text: &str, following: Option<&Arg>) -> Met {
    let next = || match following {
        Some(Arg::Known(_) | Arg::One { .. }) => following.cloned().map(|word| (word, 1)),
        Some(Arg::Glob(_) | Arg::Many { .. }) => Some((Arg::one(), 1)),
        None => None,
    };
    let mean = |kind: Kind, attached: Option<&str>| {
        let value = attached.map(|text| (Arg::Known(text.to_owned()), 0)).or_else(next);
        match (kind, value) {
            (Kind::Script, Some((piece, used))) => Met::Code(piece, used),
            (Kind::CodeFile, Some((_, used))) => Met::File(used),
            (Kind::Value, Some((_, used))) => Met::Plain(used),
            (Kind::Nothing, _) => Met::Nothing,
            _ => Met::Plain(0),
        }
    };
    let mean = |kind: Kind, attached: Option<&str>| match (kind, attached) {
        // `perl -Mstrict;code`: code only where something is attached.
        (Kind::OptionalScript, Some(text)) => Met::Code(Arg::Known(text.to_owned()), 0),
        (Kind::OptionalScript, None) => Met::Plain(0),
        _ => mean(kind, attached),
    };
    let (name, attached) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    if let Some((kind, _)) = look_up(row.options, name, false)
        && (name.len() == 2 || attached.is_some() || !matches!(kind, Kind::Flag))
        && (name == text || text.starts_with("--"))
    {
        return mean(kind, attached);
    }
    if text.starts_with("--") {
        return Met::Plain(0);
    }
    for (index, letter) in text.char_indices().skip(1) {
        let Some((kind, _)) = look_up(row.options, &format!("-{letter}"), false) else { continue };
        if matches!(kind, Kind::Flag) {
            continue;
        }
        let rest = text.get(index + letter.len_utf8()..).filter(|rest| !rest.is_empty());
        return mean(kind, rest);
    }
    Met::Plain(0)
}

/// How calls of other programs look in a language.
#[derive(Clone, Copy, Debug)]
struct Language {
    /// Functions and words whose first literal argument is a shell command.
    shell_calls: &'static [&'static str],
    /// Functions whose literal arguments are a program and its arguments.
    program_calls: &'static [&'static str],
    /// Backquotes run a command.
    backquotes: bool,
    /// Words after which the rest of the line is a command (Tcl, gdb).
    bare_calls: &'static [&'static str],
    /// A word in front of a backquoted or bracketed literal that runs it (`%x`, `qx`).
    quoted_by: &'static [&'static str],
    /// Literals side by side are arguments, not one text.
    apart: bool,
}

impl Language {
    /// The commands that literal text in `code` is seen to run.
    fn calls(&self, code: &str) -> Vec<Inner> {
        let mut found = Vec::new();
        for (names, shell) in [(self.shell_calls, true), (self.program_calls, false)] {
            for name in names {
                for after in occurrences(code, name) {
                    self.add_call(name, after, shell, &mut found);
                    if found.len() > MOST_CALLS {
                        return vec![Inner::Script(Arg::one())];
                    }
                }
            }
        }
        // What comes after a literal runs it: awk's `"command" | getline`, Scala's `"command".!`,
        // Groovy's `"command".execute()`.
        for mark in ["getline", ".!", ".execute"] {
            for (at, _) in code.match_indices(mark) {
                let before = code.get(..at).unwrap_or("").trim_end_matches([' ', '|', '&']);
                for quote in ['"', '\''] {
                    if let Some(text) = before.strip_suffix(quote)
                        && let Some((_, literal)) = text.rsplit_once(quote)
                    {
                        found.push(script(literal));
                    }
                }
            }
        }
        for name in self.bare_calls {
            // `a != b`
            let compares = |after: &&str| *name == "!" && after.starts_with('=');
            for after in occurrences(code, name).filter(|after| !compares(after)) {
                let line = after.split(['\n', ';', ']', '}']).next().unwrap_or(after);
                found.push(script(behind_options(line)));
            }
        }
        if self.backquotes {
            found.extend(code.split('`').skip(1).step_by(2).map(script));
        }
        for mark in self.quoted_by {
            for (at, _) in code.match_indices(mark) {
                found.extend(code.get(at + mark.len()..).and_then(bracketed).map(script));
            }
        }
        if found.len() > MOST_CALLS { vec![Inner::Script(Arg::one())] } else { found }
    }

    /// Adds what a call of `name` with these arguments runs.
    fn add_call(&self, name: &str, after: &str, shell: bool, found: &mut Vec<Inner>) {
        // `open(F, "command |")`: a handle stands first.
        let after = match after.split_once(',') {
            Some((handle, rest))
                if matches!(name, "open" | "popen" | "spawn") && !handle.contains(['"', '\'']) =>
            {
                rest
            }
            _ => after,
        };
        let read = literals(after, self.apart);
        if read.words.is_empty()
            && ALWAYS_RUN.contains(&name)
            && after.trim_start().starts_with('(')
        {
            // What it runs is computed.
            found.push(Inner::Script(Arg::one()));
        }
        let mut args: Vec<Arg> = read.words.iter().cloned().map(Arg::Known).collect();
        if read.open
            && let Some(last) = args.pop()
        {
            // `system("cu" x)`: more is put behind the literal.
            args.push(Arg::One { prefix: last.prefix().to_owned(), suffix: String::new() });
        }
        match read.words.as_slice() {
            [] => {}
            [_] if read.open => found.extend(args.into_iter().map(Inner::Script)),
            [only] if shell || only.contains(char::is_whitespace) => {
                found.push(script(only.trim_matches(['|', ' ', '-'])));
            }
            [first, ..] => {
                // `open(F, "-|", "curl", "x")`: the mode is no program.
                if first.trim_matches(['-', '|', '<', '>']).is_empty() {
                    args.remove(0);
                }
                if shell {
                    let first = args.first().and_then(Arg::known);
                    found.extend(first.map(|first| script(first.trim_matches(['|', ' ']))));
                }
                if !args.is_empty() {
                    found.push(Inner::Argv(args));
                }
            }
        }
    }
}

fn script(text: &str) -> Inner {
    Inner::Script(Arg::Known(text.to_owned()))
}

/// What stands behind the options of `spawn -noecho curl x`, and behind the rest of a longer name, as of
/// `set exec-wrapper curl x`.
fn behind_options(line: &str) -> &str {
    let mut rest = line.trim();
    while rest.starts_with(['-', '+'])
        && let Some((_, behind)) = rest.split_once(char::is_whitespace)
    {
        rest = behind.trim_start();
    }
    rest
}

/// What stands behind each place where `name` is a word of its own.
fn occurrences<'a>(code: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let word = name.starts_with(|c: char| c.is_alphanumeric());
    code.match_indices(name).filter_map(move |(at, _)| {
        let longer = |c: char| word && (c.is_alphanumeric() || c == '_');
        let before = code.get(..at)?;
        let after = code.get(at + name.len()..)?;
        (!before.ends_with(longer) && !after.starts_with(longer)).then_some(after)
    })
}

/// The literal strings at the start of an argument list.
#[derive(Debug, Default)]
struct Literals {
    words: Vec<String>,
    /// Something that is no literal is put behind the last one.
    open: bool,
}

/// Reads them in order. Those that are put together (`"a" "b"`, `"a"+"b"`, `"a"."b"`) are one, unless the
/// language keeps them apart.
fn literals(after: &str, apart: bool) -> Literals {
    let mut read = Literals::default();
    let mut chars = after.chars().peekable();
    let mut joins = false;
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' | '`' => {
                let Some(word) = literal(c, &mut chars) else { return read };
                match read.words.last_mut() {
                    Some(last) if joins => last.push_str(&word),
                    _ => read.words.push(word),
                }
                joins = !apart;
                if read.words.len() >= MOST_WORDS {
                    return read;
                }
            }
            '(' | '[' | '{' | ',' => joins = false,
            ' ' | '\t' | '\n' => {}
            '+' | '.' if joins => {}
            // Prefixes of literals (`b"…"`, `r'…'`, `u"…"`, Tcl and Lua long forms left aside).
            'b' | 'r' | 'u' | 'f' if matches!(chars.peek(), Some('"' | '\'')) => {}
            ')' | ']' | '}' | ';' | '|' | '<' | '>' | '#' | ':' => return read,
            _ => {
                let ends = |c: char| c.is_alphabetic() && !read.words.is_empty();
                // `system "x" if y`, `"x" or die`: a word of the language ends the list.
                let word: String = std::iter::once(c)
                    .chain(chars.by_ref().take_while(|c| c.is_alphanumeric()))
                    .collect();
                let of_language = ["if", "or", "and", "unless", "for", "while", "in", "else", "as"];
                read.open = joins && !(ends(c) && of_language.contains(&word.as_str()));
                return read;
            }
        }
    }
    read
}

/// The text of a literal behind its opening quote; `None` when it does not end.
fn literal(quote: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut word = String::new();
    loop {
        match chars.next()? {
            '\\' => match chars.next()? {
                'n' if quote != '\'' => word.push('\n'),
                't' if quote != '\'' => word.push('\t'),
                escape @ ('x' | 'u') => {
                    match code_point(chars, 16, if escape == 'x' { 2 } else { 4 }) {
                        Some(c) => word.push(c),
                        None => word.push(escape),
                    }
                }
                digit @ '0'..='7' => {
                    let mut value = digit.to_digit(8).unwrap_or(0);
                    for _ in 0..2 {
                        let Some(next) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                        value = value * 8 + next;
                        chars.next();
                    }
                    word.extend(char::from_u32(value));
                }
                escaped => word.push(escaped),
            },
            end if end == quote => return Some(word),
            other => word.push(other),
        }
    }
}

/// The character behind `\x` or `\u`.
fn code_point(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    radix: u32,
    most: usize,
) -> Option<char> {
    let braced = chars.next_if_eq(&'{').is_some();
    let mut value = None;
    for _ in 0..(if braced { 8 } else { most }) {
        let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else { break };
        value = Some(value.unwrap_or(0_u32).checked_mul(radix)?.checked_add(digit)?);
        chars.next();
    }
    if braced {
        chars.next_if_eq(&'}');
    }
    char::from_u32(value?)
}

/// The text between a delimiter that starts here and its counterpart.
fn bracketed(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(' ');
    let open = text.chars().next()?;
    let close = match open {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        '<' => '>',
        c if c.is_ascii_punctuation() => c,
        _ => return None,
    };
    let inside = text.get(open.len_utf8()..)?;
    inside.split_once(close).map(|(inside, _)| inside)
}

/// Where an interpreter finds code when no option gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Otherwise {
    /// In the file that the first operand names, or on its input without one.
    FileOrInput,
    /// The first operand is the code, unless a file was named by an option.
    FirstOperand,
    /// Nowhere.
    Nowhere,
}

/// One interpreter.
#[derive(Clone, Copy, Debug)]
struct Row {
    names: &'static [&'static str],
    /// Options in the notation of the wrapper tables; `$` takes code.
    options: &'static str,
    /// Where code comes from when no option gives it.
    otherwise: Otherwise,
    /// What follows the code belongs to it.
    ends_at_code: bool,
    language: Language,
}

const fn row(names: &'static [&'static str], options: &'static str, language: Language) -> Row {
    Row { names, options, otherwise: Otherwise::FileOrInput, ends_at_code: false, language }
}

/// An interpreter whose first operand is a program text.
const fn text(names: &'static [&'static str], options: &'static str, language: Language) -> Row {
    Row { names, options, otherwise: Otherwise::FirstOperand, ends_at_code: false, language }
}

impl Row {
    /// Everything behind the code is arguments of it.
    const fn ends_at_code(mut self) -> Self {
        self.ends_at_code = true;
        self
    }
    /// Code only comes from options or files.
    const fn needs_code(mut self) -> Self {
        self.otherwise = Otherwise::Nowhere;
        self
    }
}

const AWK: Language = Language {
    shell_calls: &["system", "|", "print |", "print|", "&|"],
    program_calls: &[],
    backquotes: false,
    bare_calls: &[],
    quoted_by: &[],
    apart: false,
};
const PYTHON: Language = Language {
    shell_calls: &[
        "system",
        "popen",
        "getoutput",
        "getstatusoutput",
        "spawn",
        "create_subprocess_shell",
        "run",
        "call",
        "check_call",
        "check_output",
        "Popen",
    ],
    program_calls: &[
        "run",
        "call",
        "check_call",
        "check_output",
        "Popen",
        "execv",
        "execve",
        "execvp",
        "execvpe",
        "execl",
        "execlp",
        "execle",
        "execlpe",
        "create_subprocess_exec",
    ],
    backquotes: false,
    bare_calls: &[],
    quoted_by: &["%sx"],
    apart: false,
};
/// Python, and lines that a shell gets.
const IPYTHON: Language = Language { bare_calls: &["!", "%sx", "%system", "%alias"], ..PYTHON };
/// The commands of vi, and the functions of its relatives.
const EDITOR: Language = Language {
    shell_calls: &[
        "system",
        "systemlist",
        "jobstart",
        "job_start",
        "termopen",
        "term_start",
        "execute",
        "exec",
        "popen",
    ],
    program_calls: &["systemlist", "jobstart", "job_start", "termopen", "term_start"],
    backquotes: true,
    bare_calls: &["!", "ter", "term", "terminal", "makeprg=", "grepprg=", "equalprg=", "shell="],
    quoted_by: &[],
    apart: true,
};
const JAVASCRIPT: Language = Language {
    shell_calls: &["exec", "execSync", "$", "system"],
    program_calls: &[
        "spawn",
        "spawnSync",
        "execFile",
        "execFileSync",
        "fork",
        "Command",
        "Bun.spawn",
    ],
    backquotes: false,
    bare_calls: &[],
    quoted_by: &["$"],
    apart: false,
};
const PERL: Language = Language {
    shell_calls: &["system", "exec", "readpipe", "open", "popen", "-|"],
    program_calls: &["system", "exec"],
    backquotes: true,
    bare_calls: &[],
    quoted_by: &["qx"],
    apart: false,
};
const RUBY: Language = Language {
    shell_calls: &["system", "exec", "spawn", "popen", "open", "capture2", "capture3", "capture2e"],
    program_calls: &["system", "exec", "spawn", "popen", "capture2", "capture3", "capture2e"],
    backquotes: true,
    bare_calls: &[],
    quoted_by: &["%x"],
    apart: false,
};
const PHP: Language = Language {
    shell_calls: &["system", "exec", "shell_exec", "passthru", "popen", "proc_open", "pcntl_exec"],
    program_calls: &[],
    backquotes: true,
    bare_calls: &[],
    quoted_by: &[],
    apart: false,
};
const LUA: Language = Language {
    shell_calls: &["execute", "popen", "system"],
    program_calls: &[],
    backquotes: false,
    bare_calls: &[],
    quoted_by: &[],
    apart: false,
};
const LISP: Language = Language {
    shell_calls: &[
        "shell-command",
        "shell-command-to-string",
        "system",
        "run-shell-command",
        "run-program",
        "shell",
    ],
    program_calls: &["call-process", "start-process", "system*", "run-program", "sh", "process"],
    backquotes: false,
    bare_calls: &[],
    quoted_by: &[],
    apart: true,
};
const APPLE: Language = Language {
    shell_calls: &["do shell script", "doShellScript"],
    program_calls: &[],
    backquotes: false,
    bare_calls: &[],
    quoted_by: &[],
    apart: false,
};
const TCL: Language = Language {
    shell_calls: &["system"],
    program_calls: &[],
    backquotes: false,
    bare_calls: &["exec", "spawn", "open", "shell", "!"],
    quoted_by: &[],
    apart: true,
};
const OTHER: Language = Language {
    shell_calls: &["system", "exec", "run", "shell", "popen", "eval", "sh", "callCommand"],
    program_calls: &["system2", "sh", "exec"],
    backquotes: true,
    bare_calls: &[],
    quoted_by: &[],
    apart: false,
};
const BEAM: Language = Language {
    shell_calls: &["cmd", "shell", "System.shell", "os:cmd"],
    program_calls: &["cmd", "System.cmd", "run-program", "runProgram", "subprocess"],
    backquotes: false,
    bare_calls: &[],
    quoted_by: &["~c", "~s"],
    apart: false,
};

const PYTHON_OPTIONS: &str =
    "-c$ -m@ -W: -X: -Q: --check-hash-based-pycs: -V. --version. -h. --help.";

/// Every interpreter.
const INTERPRETERS: &[Row] = &[
    text(
        &["awk"],
        "-f@ --file@ -F: --field-separator: -v: --assign: -e$ --source$ -i@ --include@ \
        -E@ --exec@ -l: --load: -W: --version. --help. -V. -h.",
        AWK,
    ),
    row(
        &["bun"],
        "-e$ --eval$ -p$ --print$ -v. --version. --revision. -h. --help. -r@ --preload@",
        JAVASCRIPT,
    )
    .needs_code(),
    row(&["deno"], "-h. --help. -V. --version.", JAVASCRIPT).needs_code(),
    row(
        &["emacs", "emacsclient"],
        "--eval$ -eval$ --execute$ -e$ -l@ --load@ -f: --funcall: --script@ \
        --version. --help. -q -Q --batch",
        LISP,
    )
    .needs_code(),
    row(&["expect"], "-c$ -f@ -b: -d -D: -i -n -N -v.", TCL),
    row(
        &["gdb", "lldb"],
        "-ex$ --ex$ -iex$ -eval-command$ --eval-command$ -o$ -O$ -x@ -s@ --batch",
        TCL,
    )
    .needs_code(),
    row(&["bb", "clojure", "clj"], "-e$ --eval$ -v. --version. --help.", LISP),
    row(&["crystal"], "-e$ -v. --version.", OTHER),
    row(&["elixir", "iex"], "-e$ --eval$ -r@ -v. --version. --help.", BEAM),
    row(&["erl"], "-eval$ -s: -run: -pa: -pz: -version.", BEAM).needs_code(),
    row(&["gnuplot"], "-e$ -V. --version. -h. --help.", TCL),
    row(&["groovy"], "-e$ -v. --version.", OTHER),
    row(&["guile"], "-c$ -s@ -l@ -e: -L: -C: -x: -v. --version. -h. --help.", LISP),
    row(&["irb"], "-v. --version. -r: -I:", RUBY),
    row(
        &["julia"],
        "-e$ --eval$ -E$ --print$ -L@ --load@ -J: -t: -p: --project? -v. --version. -h. --help.",
        OTHER,
    ),
    row(&["lua", "luajit", "texlua"], "-e$ -l: -v. -i -W -E", LUA),
    row(
        &["node"],
        "-e$ --eval$ -p$ --print$ -pe$ -r@ --require@ --import@ --loader: \
        --experimental-loader: -C: --conditions: --input-type: --env-file: -v. --version. -h. --help. \
        -c@ --check@",
        JAVASCRIPT,
    ),
    row(&["octave", "octave-cli"], "--eval$ -p: --path: --version. --help.", OTHER),
    row(&["osascript"], "-e$ -l: -s:", APPLE),
    row(&["perl"], "-e$ -E$ -I: -M* -m* -F* -i? -C? -D? -x? -0? -v. -V. -h.", PERL),
    row(&["php"], "-r$ -R$ -B$ -E$ -f@ -F@ -c: -d: -z: -S: -t: -v. --version. -i. -m. -h.", PHP),
    row(
        &["pwsh", "powershell"],
        "-c$ -Command$ -command$ -e$ -EncodedCommand$ -ec$ -File@ -f@ \
        -ExecutionPolicy: -ep: -v. -Version. --version.",
        OTHER,
    )
    .ends_at_code(),
    row(&["pypy", "python"], PYTHON_OPTIONS, PYTHON).ends_at_code(),
    row(&["ipython"], PYTHON_OPTIONS, IPYTHON).ends_at_code(),
    row(&["raku"], "-e$ -I: -M: -v. --version.", PERL),
    row(&["Rscript", "R", "littler"], "-e$ --file@ -f@ --version. --help.", OTHER),
    row(
        &["ruby"],
        "-e$ -C: -E: -F? -I: -r: -K? -T? -W? -x? -v --version. -h. --help. --copyright.",
        RUBY,
    ),
    row(&["scala", "scala-cli"], "-e$ --version. -version.", OTHER),
    text(&["sed"], "-e$ --expression$ -f@ --file@ -l: --line-length: --version. --help.", OTHER),
    row(&["racket"], "-e$ --eval$ -l: -t: -v. --version.", LISP),
    row(&["sbcl"], "--eval$ --load@ --script@ --version. --help.", LISP),
    row(&["swipl"], "-g$ -t$ -f@ -s@ --version.", OTHER),
    row(&["tclsh", "wish", "jimsh"], "-e$ -c$", TCL),
];

/// Functions that always start a program, whatever their arguments look like.
const ALWAYS_RUN: &[&str] = &[
    "Popen",
    "check_call",
    "check_output",
    "execFileSync",
    "execSync",
    "execvp",
    "getoutput",
    "passthru",
    "popen",
    "shell_exec",
    "spawnSync",
    "system",
];
/// More calls than this in one text are not listed one by one: then it may run anything.
const MOST_CALLS: usize = 64;
/// More literal arguments than this say nothing new about a program.
const MOST_WORDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_row_and_is_reached() {
        let mut names: Vec<&str> = INTERPRETERS.iter().flat_map(|row| row.names).copied().collect();
        for name in &names {
            assert_eq!(table_name(name), *name);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn too_many_calls_are_any_call() {
        let code = "system(\"a\");".repeat(MOST_CALLS + 2);
        assert_eq!(PERL.calls(&code), [Inner::Script(Arg::one())]);
    }
}
