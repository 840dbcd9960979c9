//! What programs do with their arguments, as data: one row a program.
//!
//! A row lists the flags of the program's described form the way `getopt` does: short flags as one
//! string, long ones as words, each followed by a mark that says what its value is.
//!
//! | mark | the flag takes |
//! |---|---|
//! | none | no value |
//! | `:` | a value which is no path |
//! | `;` | two values which are no paths |
//! | `?` | a value that must be attached (`-i.bak`, `--color=auto`), or none |
//! | `<` | a path it reads |
//! | `>` | a path it writes |
//! | `@` | text, or `@` and a path it reads |
//! | `!` | no value; the command is no longer harmless |
//! | `%` | a value; the command is no longer harmless |
//! | `^` | a path it reads; the command is no longer harmless |
//!
//! Flags that run programs, write files or reach further than the row says are left out or marked,
//! so a flag this crate has never heard of and a flag known to be dangerous end the same way: the
//! command is not read-only. `>`, `!` and `%` are listed only so that the paths next to them are found.
//! Long flags count only when spelled out; what an abbreviation means depends on the version.
//!
//! How to judge what a row yields:
//! - Every operand of a *judged* program is held against Read and Edit rules and the working
//!   directories, whichever rule allows the command; the others' paths only feed deny and ask rules.
//! - A `..` behind an ordinary component (`src/../x`) needs a look at the disk or a question: the
//!   component may be a link.
//! - `~` at the start of an operand that reached us as literal text is judged as home *and* as a
//!   file of that name.
//! - A glob among the operands of a program that writes is a question even where the command is
//!   allowed; for one that reads, the part before the first glob character bounds it.

/// What the operands (arguments that are no flags) of a program are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// There are none in the described form.
    Nothing,
    /// Text that names no file.
    Text,
    /// Names; a slash would make one a file.
    Names,
    /// Any words at all, flags included, none of which name a file.
    Words,
    /// Another command; only the flags before it are its own.
    Command,
    /// Files or directories it reads; without any, its input.
    Read,
    /// Files or directories it reads; without any, the current directory.
    ReadHere,
    /// Text first, unless a flag gave it, then files it reads.
    PatternThenRead,
    /// A file it reads first, then text.
    ReadThenText,
    /// Files it changes in place.
    Change,
    /// Files or directories it writes.
    Write,
    /// Text first, unless a flag gave it, then files it writes.
    TextThenWrite,
    /// Files or directories it takes away.
    Remove,
    /// Files it copies, the last one, or the directory that is, it writes.
    ReadThenWrite,
    /// A file it reads, then one it writes.
    InputThenOutput,
    /// Files it moves, the last one, or the directory that is, it writes.
    MoveThenWrite,
    /// A file it writes, then files it reads.
    WriteThenRead,
    /// Revisions and paths, as git mixes them.
    Revisions,
    /// A `+format`.
    DateFormat,
    /// At most one number.
    Number,
    /// One of these words.
    OneOf(&'static str),
    /// A form of its own, read by code.
    Special(Special),
}

/// Programs whose arguments follow no common scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// `cd`: where a missing operand means home.
    Cd,
    /// `curl`: URLs, some of which name files.
    Curl,
    /// `dd if=… of=…`
    Dd,
    /// `find`: an expression after the start points.
    Find,
    /// `git`, `docker`: the row is chosen by the next words.
    Subcommands(&'static [Row]),
    /// `ip`: show forms only.
    Ip,
    /// `jq`: a filter that can read the environment.
    Jq,
    /// `printf`: harmless unless it assigns.
    Printf,
    /// `ps`: three dialects of flags.
    Ps,
    /// `sed`: a script that can write and run.
    Sed,
    /// `perl` and `ruby`: code in a flag makes every operand a file.
    OneLiner,
    /// `split` and `csplit`: many files of a common start.
    Split,
    /// `tar`: flags without a dash.
    Tar,
    /// `test` and `[`: a variable test can evaluate a subscript.
    Test,
    /// `command -v`
    Command,
    /// `xargs` before a program that takes any words.
    Xargs,
}

/// What a program does in its described form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing and runs nothing else.
    Reads,
    /// Changes files, in a way that accepting edits covers.
    Edits,
    /// Anything else.
    Acts,
}

/// One program, or one subcommand of one.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a program, as in a table"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The name; for a subcommand its words, joined by blanks.
    pub name: &'static str,
    /// Short flags and their marks.
    pub short: &'static str,
    /// Long flags and their marks.
    pub long: &'static str,
    /// What the other arguments are.
    pub operands: Operands,
    /// What it does.
    pub effect: Effect,
    /// Its operands are held against path rules and working directories.
    pub judged: bool,
    /// An unquoted glob leaves it read-only: whatever a file is called, no flag of it does harm.
    pub globs: bool,
    /// How many operands the described form has at most.
    pub limit: usize,
    /// The flags that make it read everything below a directory.
    pub recursive: &'static str,
    /// A dash and digits is a flag of its own.
    pub numeric: bool,
    /// Flags are spelled out behind one dash.
    pub one_dash: bool,
    /// The value of a short flag is always an argument of its own.
    pub separate: bool,
    /// It touches files its arguments do not name.
    pub opaque: bool,
    /// The flags without which it is another form.
    pub key: Key,
}

/// Flags that choose the described form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// It needs none.
    Free,
    /// It needs one of these.
    Needed(&'static str),
    /// It needs one of these as soon as there are operands.
    WithOperands(&'static str),
}

impl Row {
    /// A program that only reads, and reads the contents of its operands.
    pub(super) const fn reads(
        name: &'static str,
        short: &'static str,
        long: &'static str,
        operands: Operands,
    ) -> Self {
        Self {
            name,
            short,
            long,
            operands,
            effect: Effect::Reads,
            judged: true,
            globs: false,
            limit: usize::MAX,
            recursive: "",
            numeric: false,
            one_dash: false,
            separate: false,
            opaque: false,
            key: Key::Free,
        }
    }

    /// A program that only reads, and not the contents of files.
    pub(super) const fn tells(
        name: &'static str,
        short: &'static str,
        long: &'static str,
        operands: Operands,
    ) -> Self {
        let mut row = Self::reads(name, short, long, operands);
        row.judged = false;
        row
    }

    /// A program that changes files in a way accepting edits covers.
    pub(super) const fn edits(
        name: &'static str,
        short: &'static str,
        long: &'static str,
        operands: Operands,
    ) -> Self {
        let mut row = Self::reads(name, short, long, operands);
        row.effect = Effect::Edits;
        row
    }

    /// Any other program on files.
    pub(super) const fn acts(
        name: &'static str,
        short: &'static str,
        long: &'static str,
        operands: Operands,
    ) -> Self {
        let mut row = Self::reads(name, short, long, operands);
        row.effect = Effect::Acts;
        row
    }

    /// Whose operands are not held against working directories.
    pub(super) const fn unjudged(mut self) -> Self {
        self.judged = false;
        self
    }

    /// That an unquoted glob leaves read-only.
    pub(super) const fn globs(mut self) -> Self {
        self.globs = true;
        self
    }

    /// With at most so many operands.
    pub(super) const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// That goes on below directories with one of these flags (`*`: always).
    pub(super) const fn recursive(mut self, flags: &'static str) -> Self {
        self.recursive = flags;
        self
    }

    /// That takes a dash and digits as a flag.
    pub(super) const fn numeric(mut self) -> Self {
        self.numeric = true;
        self
    }

    /// That spells its flags out behind one dash.
    pub(super) const fn one_dash(mut self) -> Self {
        self.one_dash = true;
        self
    }

    /// That looks for the value of a short flag only in the next argument.
    pub(super) const fn separate(mut self) -> Self {
        self.separate = true;
        self
    }

    /// That is the described form only with one of these flags.
    pub(super) const fn needs(mut self, flags: &'static str) -> Self {
        self.key = Key::Needed(flags);
        self
    }

    /// That takes operands only with one of these flags.
    pub(super) const fn operands_need(mut self, flags: &'static str) -> Self {
        self.key = Key::WithOperands(flags);
        self
    }

    /// That touches files its arguments do not name.
    pub(super) const fn opaque(mut self) -> Self {
        self.opaque = true;
        self
    }
}

/// The beginnings of every command that may run without a rule: programs and subcommands with an effect
/// that is let through in some form, and whatever runs others. Not every command that begins so does.
pub fn lenient_starts(edits: bool) -> Vec<String> {
    let lenient = |row: &Row| match row.effect {
        Effect::Reads => true,
        Effect::Edits => edits,
        Effect::Acts => false,
    };
    let mut starts: Vec<String> = Vec::new();
    for rows in
        [super::readers::ROWS, super::system::ROWS, super::writers::ROWS, super::other::ROWS]
    {
        for row in rows {
            if let Operands::Special(Special::Subcommands(inner)) = row.operands {
                let inner = inner.iter().filter(|row| lenient(row));
                starts.extend(inner.map(|inner| format!("{} {}", row.name, inner.name)));
            } else if lenient(row) || matches!(row.operands, Operands::Special(_)) {
                starts.push(row.name.to_owned());
            }
        }
    }
    // Of programs that run others only those that allow rules look through.
    let wrappers = super::wrappers::WRAPPERS
        .iter()
        .filter(|row| row.strength == crate::Strength::Every)
        .flat_map(|row| row.names);
    starts.extend(wrappers.map(|name| (*name).to_owned()));
    starts
}

/// The row of a program.
pub fn program(name: &str) -> Option<&'static Row> {
    [super::readers::ROWS, super::system::ROWS, super::writers::ROWS, super::other::ROWS]
        .into_iter()
        .find_map(|rows| find(rows, name))
}

/// The row of a name in a sorted table.
pub fn find(rows: &'static [Row], name: &str) -> Option<&'static Row> {
    rows.binary_search_by(|row| row.name.cmp(name)).ok().and_then(|at| rows.get(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{other, readers, system, writers};
    use crate::{Arg, inspect};

    /// Every table, the ones of subcommands with the program in front.
    fn tables() -> Vec<(Option<&'static str>, &'static [Row])> {
        let mut all = Vec::new();
        for rows in [readers::ROWS, system::ROWS, writers::ROWS, other::ROWS] {
            all.push((None, rows));
            for row in rows {
                if let Operands::Special(Special::Subcommands(inner)) = row.operands {
                    all.push((Some(row.name), inner));
                }
            }
        }
        all
    }

    #[test]
    fn tables_are_sorted_and_no_program_has_two_rows() {
        for (_, rows) in tables() {
            for pair in rows.windows(2) {
                assert!(pair[0].name < pair[1].name, "{} {}", pair[0].name, pair[1].name);
            }
        }
        let mut names: Vec<_> = tables()
            .into_iter()
            .filter(|(program, _)| program.is_none())
            .flat_map(|(_, rows)| rows.iter().map(|row| row.name))
            .collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn flags_are_listed_once_and_marked_as_the_table_says() {
        const MARKS: &str = ":;?<>@!%^";
        for (_, rows) in tables() {
            for row in rows {
                let short: Vec<char> = row.short.chars().filter(|c| !MARKS.contains(*c)).collect();
                let once: std::collections::BTreeSet<_> = short.iter().collect();
                assert_eq!(short.len(), once.len(), "{}: {}", row.name, row.short);
                assert!(
                    short.iter().all(|c| c.is_ascii_alphanumeric() || *c == '.'),
                    "{}",
                    row.name
                );
                for long in row.long.split_ascii_whitespace() {
                    let name = long.trim_end_matches(|c| MARKS.contains(c));
                    assert!(long.len() - name.len() <= 1, "{}: {long}", row.name);
                    assert!(
                        name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)),
                        "{}: {long}",
                        row.name
                    );
                }
            }
        }
    }

    #[test]
    fn only_whole_flags_of_the_table_count() {
        for (program, rows) in tables() {
            for row in rows.iter().filter(|row| row.effect == Effect::Reads) {
                if matches!(row.operands, Operands::Words | Operands::Special(_)) {
                    continue;
                }
                let words = |flag: &str| -> Vec<Arg> {
                    let name = program.into_iter().chain(row.name.split(' ')).chain([flag]);
                    name.map(|word| Arg::Known(word.to_owned())).collect()
                };
                assert!(inspect(&words("--unheard-of")).read_only.is_err(), "{}", row.name);
                assert!(inspect(&words("-\u{e9}")).read_only.is_err(), "{}", row.name);
                let names: Vec<&str> = row
                    .long
                    .split_ascii_whitespace()
                    .map(|long| long.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()))
                    .collect();
                for (end, name) in
                    names.iter().flat_map(|name| (1..name.len()).map(move |end| (end, name)))
                {
                    let short = name.get(..end).unwrap_or("");
                    let found = inspect(&words(&format!("--{short}")));
                    assert!(
                        names.contains(&short) || found.read_only.is_err(),
                        "{} --{short}",
                        row.name
                    );
                }
            }
        }
    }
}
