//! Sees through programs that run other programs, one layer at a time.

use crate::Arg;
use crate::tables::environment::hijacking_variable;
use crate::tables::names::names_of;
use crate::tables::payloads::PAYLOADS;
use crate::tables::payloads_git::peel_git;
use crate::tables::payloads_search::{peel_fd, peel_find, peel_parallel};
use crate::tables::wrappers::{Empty, Runs, WRAPPERS, Wrapper};
use crate::tables::wrappers_grammar::{EVERY_WORD, Kind, Met, Reading, Unlisted, assignment};
use crate::tables::wrappers_shells::{peel_shell, shell_name};
use portcullis_model::Reason;

/// Takes one wrapping program off a command; `None` when the program is not one that runs others,
/// or runs nothing in this form.
///
/// The caller repeats it on every [`Inner::Argv`] it finds, also the possible ones. That ends: what is
/// inside is made of fewer words, or of the words of an `env -S` text, which are counted.
pub fn peel(argv: &[Arg]) -> Option<Peeled> {
    let (first, words) = argv.split_first()?;
    let written = first.known()?;
    let base = written.rsplit('/').next().unwrap_or(written);
    let name = table_name(base);
    let peeled = match name {
        "fd" | "fdfind" => peel_fd(words),
        "find" => peel_find(words),
        "git" => peel_git(argv),
        "parallel" | "sem" => peel_parallel(words),
        _ => match shell_name(name) {
            Some(shell) => Some(peel_shell(shell, words)),
            None => peel_row(name, words),
        },
    };
    let mut peeled = peeled?;
    if base != written {
        // `./timeout` need not be the program of that name.
        peeled.strength = Strength::DenyAsk;
    }
    peeled.look_past_assignments();
    Some(peeled)
}

/// What was found under one wrapping program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeled {
    /// The table name of the program.
    pub wrapper: &'static str,
    /// For which rule classes the wrapper is looked through.
    pub strength: Strength,
    /// What runs, for certain (all of it). May be empty where only `exact_only`, `possible` or
    /// `obstacles` say something.
    pub inner: Vec<Inner>,
    /// What may run, depending on unknown words. A match of these is never certain.
    pub possible: Vec<Inner>,
    /// Why the command cannot be bounded by a rule for what is inside.
    pub obstacles: Vec<Reason>,
    /// Only an exact rule or a bare `Bash` rule may allow the full form, no wildcard rule.
    pub exact_only: bool,
    /// Assignments the wrapper makes for what it runs.
    pub assigns: Vec<(String, Arg)>,
    /// The directory the wrapper changes to first.
    pub changes_directory: Option<Arg>,
    /// What `$0`, `$1` and so on mean in a script that is given as text.
    pub parameters: Vec<Arg>,
}

/// For which rule classes a wrapper is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Deny, ask and allow rules: what is inside decides.
    Every,
    /// Deny and ask rules only.
    DenyAsk,
}

/// Something a wrapping program runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inner {
    /// A program with its arguments.
    Argv(Vec<Arg>),
    /// Text that a shell runs; where it is not known, an unknown command.
    Script(Arg),
    /// A shell or another interpreter that reads commands from its input.
    Stdin,
    /// A file whose content is run as commands.
    File(Arg),
}

impl Peeled {
    /// Nothing found yet.
    pub(crate) fn new(wrapper: &'static str, strength: Strength) -> Self {
        Self {
            wrapper,
            strength,
            inner: Vec::new(),
            possible: Vec::new(),
            obstacles: Vec::new(),
            exact_only: false,
            assigns: Vec::new(),
            changes_directory: None,
            parameters: Vec::new(),
        }
    }

    /// Adds a reason once.
    pub(crate) fn hinder(&mut self, reason: Reason) {
        if !self.obstacles.contains(&reason) {
            self.obstacles.push(reason);
        }
    }

    /// `timeout 5 A=b rm`: nothing but a program of the odd name `A=b` would run, yet the reference
    /// denies what follows, and a deny rule loses nothing by it.
    fn look_past_assignments(&mut self) {
        let mut more = Vec::new();
        for inner in &self.inner {
            let Inner::Argv(words) = inner else { continue };
            let count = words.iter().take_while(|word| assignment(word).is_some()).count();
            if count > 0 && count < words.len() {
                more.push(Inner::Argv(words.iter().skip(count).cloned().collect()));
            }
        }
        if !more.is_empty() {
            self.strength = Strength::DenyAsk;
            self.inner.extend(more);
        }
    }

    /// Takes over what options said. `perhaps`: they may not be options at all.
    pub(crate) fn take_options(&mut self, met: &[Met], perhaps: bool) {
        for Met { kind, value, plain } in met {
            if !plain {
                self.strength = Strength::DenyAsk;
            }
            let Some(value) = value else { continue };
            let found = match kind {
                Kind::Script | Kind::OptionalScript => Some(Inner::Script(value.clone())),
                Kind::CodeFile => Some(Inner::File(value.clone())),
                Kind::PipeScript => piped(value).map(Inner::Script),
                Kind::Setting => setting_script(value.prefix()).map(|_| {
                    match value.known().and_then(setting_script) {
                        Some(script) => Inner::Script(Arg::Known(script.to_owned())),
                        None => Inner::Script(Arg::one()),
                    }
                }),
                Kind::Directory => {
                    self.changes_directory = Some(value.clone());
                    None
                }
                Kind::Program
                | Kind::Flag
                | Kind::Value
                | Kind::Optional
                | Kind::Split
                | Kind::Replace
                | Kind::ReplaceOptional
                | Kind::Pair
                | Kind::RestIsScript
                | Kind::RestIsArgv
                | Kind::Nothing => None,
            };
            if perhaps { self.possible.extend(found) } else { self.inner.extend(found) }
        }
    }
}

/// Reads a command by the rows of its name.
fn peel_row(name: &str, words: &[Arg]) -> Option<Peeled> {
    let mut unsure: Option<Peeled> = None;
    let wrappers = names_of!(WRAPPERS).rows(name).map(|(listed, at)| (listed, WRAPPERS.get(at)));
    let payloads = names_of!(PAYLOADS).rows(name).map(|(listed, at)| (listed, PAYLOADS.get(at)));
    for (wrapper, row) in wrappers.chain(payloads) {
        let Some(row) = row else { continue };
        let Some(reading) = row.grammar.read(name, words) else { continue };
        let uncertain = reading.uncertain;
        let Some(peeled) = finish(row, wrapper, reading) else {
            if uncertain {
                continue;
            }
            if row.grammar.operands == EVERY_WORD {
                // Its options said nothing; another row may know the subcommand.
                continue;
            }
            return unsure;
        };
        if !uncertain {
            return Some(peeled);
        }
        match &mut unsure {
            None => unsure = Some(peeled),
            Some(earlier) => {
                for found in peeled.possible {
                    if !earlier.possible.contains(&found) {
                        earlier.possible.push(found);
                    }
                }
            }
        }
    }
    unsure
}

/// Turns a reading into what runs; `None` when nothing does.
pub(crate) fn finish(row: &Wrapper, wrapper: &'static str, reading: Reading) -> Option<Peeled> {
    let has = |kind| reading.met.iter().any(|met| met.kind == kind);
    if has(Kind::Nothing) {
        return None;
    }
    let mut peeled = Peeled::new(wrapper, row.strength);
    peeled.exact_only = row.exact_only;
    for reason in row.reasons {
        peeled.hinder(*reason);
    }
    peeled.take_options(&reading.met, false);
    peeled.take_options(&reading.perhaps_met, true);
    for operand in &reading.operands {
        // Words that editors and database shells take as commands.
        if row.grammar.unlisted == Unlisted::Flag {
            let script = operand.known().and_then(operand_script);
            peeled.inner.extend(script.map(|text| Inner::Script(Arg::Known(text.to_owned()))));
        }
    }
    if reading.assigns.iter().any(|(name, _)| hijacking_variable(name)) {
        peeled.hinder(Reason::EnvHijack);
    }
    let program = reading.met.iter().rfind(|met| met.kind == Kind::Program);
    let mut rest = reading.rest;
    if let Some(program) = program.and_then(|met| met.value.clone()) {
        if rest.first().and_then(Arg::known) == Some("--") {
            rest.remove(0);
        }
        // `gcc -wrapper name,argument`
        let words = match &program {
            Arg::Known(text) => {
                text.split(',').map(|word| Arg::Known(word.to_owned())).collect::<Vec<_>>()
            }
            other @ (Arg::One { .. } | Arg::Glob(_) | Arg::Many { .. }) => vec![other.clone()],
        };
        rest.splice(0..0, words);
    }
    let replaced = reading
        .met
        .iter()
        .find(|met| matches!(met.kind, Kind::Replace | Kind::ReplaceOptional))
        .map(|met| met.value.as_ref().and_then(Arg::known).unwrap_or("{}"));
    let runs = if has(Kind::RestIsScript) {
        Runs::Joined
    } else if has(Kind::RestIsArgv) || program.is_some() {
        Runs::Argv
    } else {
        row.runs
    };
    let shell = row.empty == Empty::Shell && peeled.inner.is_empty() && !reading.uncertain;
    if reading.uncertain {
        peeled.strength = Strength::DenyAsk;
        peeled.hinder(Reason::WrapperOption);
        for start in reading.starts {
            run(runs, start, replaced, &mut peeled.possible, &mut Vec::new());
        }
    } else if !rest.is_empty() || runs == Runs::Input {
        run(runs, rest, replaced, &mut peeled.inner, &mut peeled.possible);
    } else if shell {
        peeled.inner.push(Inner::Stdin);
    }
    peeled.assigns = reading.assigns;
    let says_something = !peeled.inner.is_empty() || !peeled.possible.is_empty();
    (says_something || peeled.exact_only).then_some(peeled)
}

/// Adds what the words after a wrapper mean.
fn run(
    runs: Runs,
    words: Vec<Arg>,
    replaced: Option<&str>,
    inner: &mut Vec<Inner>,
    possible: &mut Vec<Inner>,
) {
    match runs {
        Runs::Argv => inner.push(Inner::Argv(words)),
        Runs::Appended => inner.push(Inner::Argv(match replaced {
            Some(mark) => words.iter().map(|word| replace(word, mark, &Arg::one())).collect(),
            None => words.into_iter().chain([Arg::many()]).collect(),
        })),
        Runs::Joined => inner.extend(joined(&words)),
        Runs::Scripts => inner.extend(words.into_iter().map(Inner::Script)),
        Runs::ShellArguments => {
            inner.push(Inner::Argv(
                [Arg::Known("sh".to_owned())].into_iter().chain(words).collect(),
            ));
        }
        Runs::Package => inner.push(Inner::Argv(package(words))),
        Runs::Installable => possible.extend(installable(&words)),
        // A file of commands was named, or they come from the input.
        Runs::Input if inner.is_empty() => inner.push(Inner::Stdin),
        Runs::Input => {}
    }
}

/// Words that are joined by blanks and read by a shell again.
pub(crate) fn joined(words: &[Arg]) -> Vec<Inner> {
    if let Some(known) = words.iter().map(Arg::known).collect::<Option<Vec<_>>>() {
        return vec![Inner::Script(Arg::Known(known.join(" ")))];
    }
    let mut prefix = String::new();
    for word in words {
        prefix.push_str(word.prefix());
        if word.known().is_none() {
            break;
        }
        prefix.push(' ');
    }
    // The words as they stand are what the joined text says, unless an unknown one holds more.
    let script = Arg::One { prefix, suffix: String::new() };
    vec![Inner::Script(script), Inner::Argv(words.to_vec())]
}

/// A word with every `mark` in it replaced by something unknown.
pub(crate) fn replace(word: &Arg, mark: &str, whole: &Arg) -> Arg {
    let Some(text) = word.known() else { return word.clone() };
    if mark.is_empty() {
        return word.clone();
    }
    if text == mark {
        return whole.clone();
    }
    match (text.split_once(mark), text.rsplit_once(mark)) {
        (Some((prefix, _)), Some((_, suffix))) => {
            Arg::One { prefix: prefix.to_owned(), suffix: suffix.to_owned() }
        }
        _ => word.clone(),
    }
}

/// `@scope/tool@1.2`, `tool==1.2`, `tool[extra]`: the program is called `tool`.
fn package(mut words: Vec<Arg>) -> Vec<Arg> {
    if let Some(Arg::Known(name)) = words.first_mut() {
        let scoped = name.starts_with('@');
        let plain = match name.split_once('/') {
            Some((_, plain)) if scoped => plain,
            _ => name.as_str(),
        };
        let end = plain.find(['@', '=', '[', '<', '>', '~', '!']).unwrap_or(plain.len());
        if let Some(plain) = plain.get(..end).filter(|plain| !plain.is_empty()) {
            *name = plain.to_owned();
        }
    }
    words
}

/// `nixpkgs#hello -- x`: a program, most often of the name behind the `#`.
fn installable(words: &[Arg]) -> Option<Inner> {
    let (first, rest) = words.split_first()?;
    let program = match first.known() {
        Some(text) => {
            let name = text.rsplit(['#', '.']).next().unwrap_or(text);
            Arg::Known(if name.is_empty() { text.to_owned() } else { name.to_owned() })
        }
        None => Arg::one(),
    };
    let rest = match rest.split_first() {
        Some((dashes, rest)) if dashes.known() == Some("--") => rest,
        _ => rest,
    };
    Some(Inner::Argv([program].into_iter().chain(rest.iter().cloned()).collect()))
}

/// The command behind a bar, in an option that takes a file or a pipe.
fn piped(value: &Arg) -> Option<Arg> {
    match value {
        Arg::Known(text) => {
            text.strip_prefix(['|', '!']).map(|script| Arg::Known(script.to_owned()))
        }
        Arg::One { prefix, suffix } => prefix
            .strip_prefix(['|', '!'])
            .map(|prefix| Arg::One { prefix: prefix.to_owned(), suffix: suffix.clone() }),
        Arg::Glob(_) | Arg::Many { .. } => None,
    }
}

/// The command in the value of an option that takes settings or editor commands.
pub(crate) fn setting_script(text: &str) -> Option<&str> {
    let text = text.trim_start();
    for start in SCRIPT_STARTS {
        if let Some(head) = text.get(..start.len())
            && head.eq_ignore_ascii_case(start)
        {
            let rest = text.get(start.len()..)?;
            return Some(rest.trim_start_matches([' ', '\t', '=']));
        }
    }
    // SQL: `COPY t FROM PROGRAM 'command'`.
    let lower = text.to_ascii_lowercase();
    if let Some(at) = lower.find("program").filter(|_| lower.contains("copy")) {
        let rest = text.get(at + "program".len()..)?.trim_start();
        return rest.trim_start_matches('\'').split('\'').next();
    }
    // Psql: `\o |command`. Sqlite: `.once |command`. Gdb: `pipe p | command`, `target remote |command`.
    let piped = ["\\", ".", "pipe ", "| ", "target "].iter().any(|start| text.starts_with(start));
    if let Some((_, command)) = text.split_once('|').filter(|_| piped) {
        return Some(command.rsplit('|').next().unwrap_or(command).trim_start());
    }
    // Sqlite: `edit(value, 'command')`.
    if let Some((_, rest)) = text.split_once("edit(") {
        return rest.rsplit_once('\'').and_then(|(inside, _)| inside.rsplit('\'').next());
    }
    // Rpm: `%(command)`. Fzf: `enter:execute(command)`.
    for start in ["%(", "execute(", "execute-silent(", "reload(", "become(", "preview("] {
        if let Some((_, rest)) = text.split_once(start) {
            return rest.rsplit_once(')').map(|(inside, _)| inside).or(Some(rest));
        }
    }
    // Apt: `DPkg::Pre-Invoke::=command`. Cargo: `build.rustc-wrapper="program"`.
    let (key, value) = text.split_once('=')?;
    let runs = ["rustc", "rustc-wrapper", "rustc-workspace-wrapper", "rustdoc", "runner", "linker"];
    let runs = runs.iter().any(|name| key.trim().rsplit('.').next() == Some(name));
    let alias = key.trim_start().starts_with("alias.");
    (key.contains("Invoke") || runs || alias)
        .then(|| value.trim_matches([' ', '"', '\'', '[', ']']))
}

/// The command in an operand of an editor, a database shell or socat.
fn operand_script(text: &str) -> Option<&str> {
    if let Some(command) = text.strip_prefix('+') {
        return setting_script(command);
    }
    if text.starts_with('.') && text.contains('|') || text.contains("edit(") {
        return setting_script(text);
    }
    for start in [".shell ", ".system ", "EXEC:", "SYSTEM:", "SHELL:"] {
        if let Some(head) = text.get(..start.len())
            && head.eq_ignore_ascii_case(start)
        {
            let rest = text.get(start.len()..)?;
            return Some(rest.split(',').next().unwrap_or(rest));
        }
    }
    None
}

/// The name a program has in the tables: version numbers and loader names are taken away.
pub(crate) fn table_name(base: &str) -> &str {
    if base.starts_with("ld-") && base.contains(".so") || base == "ld64.so.2" {
        return "ld.so";
    }
    let stem = base.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    if VERSIONED.contains(&stem) {
        return stem;
    }
    match base {
        "nodejs" | "tsx" | "ts-node" => "node",
        "gawk" | "mawk" | "nawk" | "original-awk" => "awk",
        "busybox.static" | "busybox-static" => "busybox",
        "vim.basic" | "vim.tiny" | "vim.gtk3" | "vim.nox" => "vim",
        "xargs.gnu" | "gxargs" => "xargs",
        "byobu" | "byobu-tmux" => "tmux",
        "gtimeout" => "timeout",
        "genv" => "env",
        "gfind" => "find",
        "gsed" => "sed",
        "gnice" => "nice",
        "gstdbuf" => "stdbuf",
        "gtime" => "time",
        other => other,
    }
}

/// Programs that are installed with a version in their name.
const VERSIONED: &[&str] = &[
    "bash", "guile", "ipython", "ksh", "lua", "luajit", "node", "perl", "php", "pypy", "python",
    "ruby", "tclsh", "wish", "zsh",
];

/// What stands before a command in the settings and commands of ssh, tar, vim, gdb and databases.
const SCRIPT_STARTS: &[&str] = &[
    "exec=",
    "proxycommand",
    "use_askpass",
    "localcommand",
    "knownhostscommand",
    ":!",
    "!",
    "\\!",
    ".shell ",
    ".system ",
    "shell ",
    "system ",
    "platform shell ",
    "process launch --shell -- ",
    "executable(",
];
