//! Reading flags and operands the way `getopt` does, by a row of the tables.

use std::borrow::Cow;

use super::{Access, NotReadOnly, PathUse};
use crate::Arg;
use crate::tables::{Key, Row};

/// What has been read of the arguments so far.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each noted once")]
pub(super) struct Reading<'a> {
    pub(super) row: &'static Row,
    /// The program, where the row is one of its subcommands.
    program: Option<&'a str>,
    /// The first thing that makes it not read-only.
    pub(super) obstacle: Option<NotReadOnly>,
    pub(super) paths: Vec<PathUse>,
    pub(super) operands: Vec<Operand<'a>>,
    /// Every argument so far is understood.
    pub(super) complete: bool,
    /// Nothing in it goes beyond what the row describes.
    pub(super) harmless: bool,
    /// It edits files in a way accepting edits covers, though the program mostly reads.
    pub(super) edits: bool,
    /// A flag sends it below directories.
    pub(super) recursive: bool,
    /// On the way below it leaves out names that start with a dot.
    pub(super) visible_only: bool,
    /// The pattern came by a flag.
    pub(super) pattern_given: bool,
    /// The target came by a flag.
    pub(super) target: Option<Arg>,
    /// The mode or owner came by a flag.
    pub(super) reference_given: bool,
    /// A flag the described form needs was there.
    pub(super) key_given: bool,
    /// The flag whose value comes next.
    pending: Option<Pending>,
    /// The scripts that came by a flag; `None` stands for one in a file.
    pub(super) scripts: Vec<Option<Arg>>,
    /// It edits in place, and what it appends to the name of the copy it keeps.
    pub(super) in_place: Option<Arg>,
    /// Flags end at the first operand.
    pub(super) stops_at_operand: bool,
}

/// An argument that is no flag.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a> {
    pub(super) index: usize,
    pub(super) arg: &'a Arg,
    /// It stands behind `--`.
    pub(super) after_dashes: bool,
}

#[derive(Clone, Copy)]
struct Pending {
    mark: Mark,
    flag: Flag,
}

/// What a flag takes; see the marks in [`crate::tables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    None,
    Text,
    TwoTexts,
    Attached,
    ReadPath,
    WritePath,
    AtPath,
    Harmful,
    HarmfulText,
    HarmfulPath,
}

/// The flags whose value matters beyond its mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flag {
    Target,
    Script,
    ScriptFile,
    InPlace,
    Other,
}

impl<'a> Reading<'a> {
    pub(super) fn new(row: &'static Row, program: Option<&'a str>) -> Self {
        Self {
            row,
            program,
            obstacle: None,
            paths: Vec::new(),
            operands: Vec::new(),
            complete: true,
            harmless: true,
            edits: false,
            recursive: row.recursive == "*",
            visible_only: matches!(row.name, "ag" | "rg"),
            pattern_given: false,
            target: None,
            reference_given: false,
            key_given: false,
            pending: None,
            scripts: Vec::new(),
            in_place: None,
            stops_at_operand: false,
        }
    }

    /// What a person calls it.
    pub(super) fn name(&self) -> String {
        match self.program {
            Some(program) => format!("{program} {}", self.row.name),
            None => self.row.name.to_owned(),
        }
    }

    /// Notes why it is not read-only, if nothing earlier did.
    pub(super) fn object(&mut self, index: usize, why: impl Into<Cow<'static, str>>) {
        if self.obstacle.is_none() {
            self.obstacle = Some(NotReadOnly { why: why.into(), index });
        }
    }

    /// Notes an argument that is not understood.
    pub(super) fn misses(&mut self, index: usize, why: impl Into<Cow<'static, str>>) {
        self.complete = false;
        self.object(index, why);
    }

    /// Notes a path.
    pub(super) fn path(&mut self, index: usize, arg: Arg, access: Access) {
        let (recursive, visible_only) = (self.recursive, self.visible_only);
        self.paths.push(PathUse { arg, access, index, recursive, visible_only, implied: false });
    }

    /// Notes an operand it reads; `-` is its input.
    pub(super) fn reads(&mut self, operand: Operand<'_>) {
        if operand.arg.known() != Some("-") {
            self.path(operand.index, operand.arg.clone(), Access::Read);
        }
    }

    /// Takes every argument as a word without meaning.
    pub(super) fn words(&mut self, argv: &[Arg], start: usize) {
        for (index, arg) in argv.iter().enumerate().skip(start) {
            self.unknown_word(index, arg);
        }
    }

    /// Objects to a word that is not known. Even where it can do no harm as an argument, it may be
    /// a secret that should not be printed unseen.
    pub(super) fn unknown_word(&mut self, index: usize, arg: &Arg) {
        match arg {
            Arg::Known(_) => {}
            Arg::Glob(_) if self.row.globs => {}
            Arg::Glob(_) => {
                self.harmless = false;
                self.object(
                    index,
                    format!(
                        "a file the glob finds could be named like a flag of `{}`",
                        self.name()
                    ),
                );
            }
            Arg::One { .. } | Arg::Many { .. } => {
                self.harmless = false;
                self.object(index, "an argument is only known when it runs");
            }
        }
    }

    /// Sorts the arguments into flags, their values and operands.
    pub(super) fn arguments(&mut self, argv: &'a [Arg], start: usize) {
        let mut after_dashes = false;
        for (index, arg) in argv.iter().enumerate().skip(start) {
            self.unknown_word(index, arg);
            if self.takes_value(index, arg) {
                continue;
            }
            if after_dashes || (self.stops_at_operand && !self.operands.is_empty()) {
                self.operands.push(Operand { index, arg, after_dashes });
                continue;
            }
            let text = arg.prefix();
            if arg.known() == Some("--") {
                after_dashes = true;
            } else if text.starts_with("--") {
                self.long_flag(index, arg, 2);
            } else if text.starts_with('-') && arg.known() != Some("-") {
                if self.row.one_dash {
                    self.long_flag(index, arg, 1);
                } else {
                    self.short_flags(index, arg);
                }
            } else {
                let could_be_flag = match arg {
                    Arg::Known(_) => false,
                    Arg::Glob(_) => text.is_empty() && !self.row.globs,
                    Arg::One { .. } => text.is_empty(),
                    Arg::Many { .. } => true,
                };
                if could_be_flag {
                    self.complete = false;
                }
                self.operands.push(Operand { index, arg, after_dashes });
            }
        }
        self.finish(argv);
    }

    /// Gives an argument to the flag that waits for one; `false` if none does.
    pub(super) fn takes_value(&mut self, index: usize, arg: &Arg) -> bool {
        let Some(pending) = self.pending.take() else { return false };
        if !matches!(arg, Arg::Known(_) | Arg::One { .. }) {
            self.misses(index, "the value of a flag may be several words");
        }
        // SECURITY: if a version of the program takes no value here, this is a flag of its own
        // (test: `takes_no_flag_for_a_value`). Where no flag does harm that does not matter.
        let compares = self.row.name == "find" && arg.known().is_some_and(is_number_or_mode);
        if arg.prefix().len() > 1 && arg.prefix().starts_with('-') && !self.row.globs && !compares {
            self.misses(index, "the value of a flag looks like a flag");
        }
        self.value(index, pending, arg.clone());
        true
    }

    /// Notes a flag that still waits for its value at the end.
    pub(super) fn finish(&mut self, argv: &[Arg]) {
        if self.pending.take().is_some() {
            self.misses(argv.len().saturating_sub(1), "the value of a flag is missing");
        }
    }

    /// Reads an argument that starts with `--` (or one dash, for programs that spell flags so).
    pub(super) fn long_flag(&mut self, index: usize, arg: &Arg, dashes: usize) {
        let text = arg.prefix();
        let body = text.get(dashes..).unwrap_or("");
        let (name, attached) = match body.split_once('=') {
            Some((name, _)) if dashes == 2 => (name, without_prefix(arg, dashes + name.len() + 1)),
            Some(_) | None if arg.known().is_some() => (body, None),
            Some(_) | None => return self.misses(index, "a flag is only known when it runs"),
        };
        let found = long_mark(self.row.long, name).map(|mark| (name, mark));
        if found.is_none() {
            self.misses(
                index,
                format!(
                    "`{}{name}` is not a flag of `{}` that only reads",
                    "-".repeat(dashes),
                    self.name()
                ),
            );
        }
        // getopt takes any start of a flag that fits no other, so its files are looked at.
        let short = |name| (dashes == 2).then(|| shortened(self.row.long, name)).flatten();
        let Some((name, mark)) = found.or_else(|| short(name)) else { return };
        let flag = self.seen(index, name, mark);
        match (mark, attached) {
            (Mark::None | Mark::Harmful, None) => {}
            (Mark::Attached, value) => {
                let value = value.unwrap_or_else(|| Arg::Known(String::new()));
                self.value(index, Pending { mark, flag }, value);
            }
            (Mark::None | Mark::Harmful, Some(_)) => {
                self.misses(index, format!("`--{name}` takes no value"));
            }
            (_, Some(value)) if mark != Mark::TwoTexts => {
                self.value(index, Pending { mark, flag }, value);
            }
            (_, _) => self.pending = Some(Pending { mark, flag }),
        }
    }

    /// Reads a cluster of short flags.
    fn short_flags(&mut self, index: usize, arg: &Arg) {
        let text = arg.prefix();
        let mut at = 1;
        while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
            let end = at + c.len_utf8();
            let Some(mark) = short_mark(self.row.short, c) else {
                if self.row.numeric && c.is_ascii_digit() {
                    at = end;
                    continue;
                }
                return self.misses(
                    index,
                    format!("`-{c}` is not a flag of `{}` that only reads", self.name()),
                );
            };
            let flag = self.seen(index, text.get(at..end).unwrap_or(""), mark);
            at = end;
            match mark {
                Mark::None | Mark::Harmful => {}
                Mark::Attached => {
                    let rest = without_prefix(arg, at).unwrap_or_else(|| Arg::Known(String::new()));
                    return self.value(index, Pending { mark, flag }, rest);
                }
                Mark::Text
                | Mark::TwoTexts
                | Mark::ReadPath
                | Mark::WritePath
                | Mark::AtPath
                | Mark::HarmfulText
                | Mark::HarmfulPath => {
                    let pending = Pending { mark, flag };
                    if arg.known().is_some() && at == text.len() {
                        self.pending = Some(pending);
                    } else if self.row.separate {
                        self.misses(
                            index,
                            format!("`-{c}` takes the next argument, not what follows it here"),
                        );
                    } else if let Some(rest) = without_prefix(arg, at) {
                        self.value(index, pending, rest);
                    }
                    return;
                }
            }
        }
        if arg.known().is_none() {
            self.misses(index, "a flag is only known when it runs");
        }
    }

    /// Notes what a flag means beyond its value.
    fn seen(&mut self, index: usize, name: &str, mark: Mark) -> Flag {
        let listed = |flags: &str| flags.split(' ').any(|flag| flag == name);
        self.recursive |= listed(self.row.recursive);
        self.key_given |= match self.row.key {
            Key::Free => false,
            Key::Needed(flags) | Key::WithOperands(flags) => listed(flags),
        };
        self.pattern_given |=
            matches!(name, "e" | "f" | "regexp" | "file" | "expression" | "source");
        self.reference_given |= name == "reference";
        if matches!(mark, Mark::Harmful | Mark::HarmfulText | Mark::HarmfulPath) {
            self.harmless = false;
            self.object(index, format!("`{name}` makes `{}` do more than read", self.name()));
        }
        match name {
            "t" | "target-directory" if mark == Mark::WritePath => Flag::Target,
            "e" | "expression" if self.row.name == "sed" => Flag::Script,
            "e" | "source" if self.row.name.ends_with("awk") => Flag::Script,
            "f" | "file" if self.row.name == "sed" => Flag::ScriptFile,
            "i" | "in-place" if self.row.name == "sed" => Flag::InPlace,
            _ => Flag::Other,
        }
    }

    /// Takes the value of a flag.
    fn value(&mut self, index: usize, pending: Pending, value: Arg) {
        match pending.flag {
            Flag::Script => self.scripts.push(Some(value.clone())),
            Flag::ScriptFile => self.scripts.push(None),
            Flag::InPlace => self.in_place = Some(value.clone()),
            Flag::Target | Flag::Other => {}
        }
        match pending.mark {
            Mark::TwoTexts => self.pending = Some(Pending { mark: Mark::Text, flag: pending.flag }),
            Mark::ReadPath | Mark::HarmfulPath => self.reads_value(index, value),
            Mark::WritePath => {
                self.object(index, format!("`{}` writes what this flag names", self.name()));
                if pending.flag == Flag::Target {
                    self.target = Some(value.clone());
                }
                self.paths.push(PathUse {
                    arg: value,
                    access: Access::Write,
                    index,
                    recursive: false,
                    visible_only: false,
                    implied: false,
                });
            }
            Mark::AtPath => self.at_path(index, &value),
            Mark::None | Mark::Text | Mark::Attached | Mark::Harmful | Mark::HarmfulText => {}
        }
    }

    /// Notes a path in a flag; `-` is its input.
    fn reads_value(&mut self, index: usize, arg: Arg) {
        if arg.known() != Some("-") {
            self.paths.push(PathUse {
                arg,
                access: Access::Read,
                index,
                recursive: false,
                visible_only: false,
                implied: false,
            });
        }
    }

    /// Takes `@path` and `name=@path`.
    fn at_path(&mut self, index: usize, value: &Arg) {
        let text = value.prefix();
        let at = if text.starts_with('@') { Some(1) } else { text.find("=@").map(|at| at + 2) };
        if let Some(rest) = at.and_then(|at| without_prefix(value, at)) {
            self.reads_value(index, rest);
        }
    }
}

/// An argument without its first `count` bytes, which are known.
pub(super) fn without_prefix(arg: &Arg, count: usize) -> Option<Arg> {
    Some(match arg {
        Arg::Known(text) => Arg::Known(text.get(count..)?.to_owned()),
        Arg::One { prefix, suffix } => {
            Arg::One { prefix: prefix.get(count..)?.to_owned(), suffix: suffix.clone() }
        }
        Arg::Many { prefix, suffix } => {
            Arg::Many { prefix: prefix.get(count..)?.to_owned(), suffix: suffix.clone() }
        }
        Arg::Glob(glob) => Arg::Glob(glob.get(count..)?.to_owned()),
    })
}

/// The mark behind a flag.
fn mark(c: Option<char>) -> Mark {
    match c {
        Some(':') => Mark::Text,
        Some(';') => Mark::TwoTexts,
        Some('?') => Mark::Attached,
        Some('<') => Mark::ReadPath,
        Some('>') => Mark::WritePath,
        Some('@') => Mark::AtPath,
        Some('!') => Mark::Harmful,
        Some('%') => Mark::HarmfulText,
        Some('^') => Mark::HarmfulPath,
        Some(_) | None => Mark::None,
    }
}

/// The mark of a short flag, if it is in the list.
fn short_mark(flags: &str, flag: char) -> Option<Mark> {
    if mark(Some(flag)) != Mark::None {
        return None;
    }
    let (_, rest) = flags.split_once(flag)?;
    Some(mark(rest.chars().next()))
}

/// The flag of the list that a shortened one stands for, one that takes a path before others.
fn shortened(flags: &'static str, name: &str) -> Option<(&'static str, Mark)> {
    if name.len() < 2 {
        return None;
    }
    let all = flags.split_ascii_whitespace().filter(|flag| flag.starts_with(name)).map(|flag| {
        let full = flag.trim_end_matches(|c| mark(Some(c)) != Mark::None);
        (full, mark(flag.chars().last()))
    });
    all.max_by_key(|(full, mark)| {
        let path =
            matches!(mark, Mark::ReadPath | Mark::WritePath | Mark::AtPath | Mark::HarmfulPath);
        (path || *full == "in-place", std::cmp::Reverse(full.len()))
    })
}

/// The mark of a long flag, if it is in the list.
fn long_mark(flags: &str, name: &str) -> Option<Mark> {
    if name.is_empty() || name.contains(char::is_whitespace) {
        return None;
    }
    flags.match_indices(name).find_map(|(at, _)| {
        let starts = flags
            .get(..at)
            .is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace));
        let mut after = flags.get(at + name.len()..).unwrap_or("").chars();
        let next = after.next();
        let found = mark(next);
        let ends = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let whole = if found == Mark::None { ends(next) } else { ends(after.next()) };
        (starts && whole).then_some(found)
    })
}

/// `-7`, `-10k`, `-u+x`: less than a number, or some bits of a mode, to tests of find that always take one. No
/// action of find begins like this.
fn is_number_or_mode(text: &str) -> bool {
    let value = text.strip_prefix('-').unwrap_or(text);
    let number = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let mode = value.contains(['+', '=']) && value.chars().all(|c| "ugoarwxXst+=,-".contains(c));
    mode || number.len() < value.len() && number.chars().all(|c| "smhdcwbkMG".contains(c))
}
