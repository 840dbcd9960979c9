//! One simple command, as its arguments tell it: whether it only reads, and which files it touches.

mod awk;
mod derived;
mod operands;
mod programs;
mod reading;
mod sed;
mod special;

use std::borrow::Cow;

use crate::Arg;
use crate::tables::payloads_search::narrows;
use crate::tables::{self, Effect, Operands, Row, Special};
use reading::Reading;

/// What the arguments of one simple command tell about it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent answers, each asked for by another rule"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Whether the command, in this form, changes nothing and runs nothing else.
    pub read_only: Result<(), NotReadOnly>,
    /// The operands and flag values which are paths, in the order of the arguments. What is
    /// implied (the current directory of `ls`, home for `cd`, a copied file's name inside its new
    /// directory) is listed too.
    pub paths: Vec<PathUse>,
    /// Whether the program's operands are judged against Read and Edit rules and the working
    /// directories, whatever rule allows the command.
    pub file_command: bool,
    /// Whether this is one of the file edits that accepting edits covers, in a form it covers.
    pub edits: bool,
    /// What it removes, for the check of critical removals.
    pub removal: Option<Removal>,
    /// Whether every argument is understood, so that `paths` is the whole list.
    pub complete: bool,
}

/// Why a command is not read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReadOnly {
    /// The reason, for a person.
    pub why: Cow<'static, str>,
    /// The argument that decided it.
    pub index: usize,
}

/// A path among the arguments of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent answers about one path, each asked for by another rule"
)]
pub struct PathUse {
    /// The path as far as it is known, without the flag it may be attached to.
    pub arg: Arg,
    /// What the command does with it.
    pub access: Access,
    /// Which argument holds it.
    pub index: usize,
    /// Whether the command goes on to the contents of everything below it.
    pub recursive: bool,
    /// Whether of what is below it leaves out names that start with a dot.
    pub visible_only: bool,
    /// It is no operand itself but follows from others: deny and ask rules look at it, nothing else.
    pub implied: bool,
}

/// What a command does with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Reads a file, a directory or their names.
    Read,
    /// Makes or changes a file or directory.
    Write,
    /// Takes it away.
    Remove,
}

/// What a program takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Its targets, as argument index and argument.
    pub targets: Vec<(usize, Arg)>,
    /// Whether everything below the targets goes too.
    pub recursive: bool,
    /// How bad it is.
    pub kind: RemovalKind,
}

/// What happens to the targets of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemovalKind {
    /// They are deleted.
    Deletes,
    /// They are moved away.
    Moves,
    /// Everything below them gets other permissions or another owner.
    Opens,
}

/// Says what one simple command does, from its arguments alone; the first is the program.
pub fn inspect(argv: &[Arg]) -> Inspection {
    let Some(name) = argv.first().and_then(Arg::known) else {
        return unknown("the name of the command is only known when it runs".into());
    };
    let Some(row) = tables::program(name) else {
        return unknown(if name.contains('/') {
            format!("`{name}` is a file, not the program of that name").into()
        } else {
            format!("`{name}` is not known to only read").into()
        });
    };
    let Operands::Special(Special::Subcommands(rows)) = row.operands else {
        return inspect_row(row, None, argv, 1);
    };
    let Some(first) = argv.get(1).and_then(Arg::known) else {
        return unknown(
            format!("`{name}` without a known subcommand is not known to only read").into(),
        );
    };
    if let Some(second) = argv.get(2).and_then(Arg::known) {
        let two_words = rows.iter().find(|row| {
            row.name.strip_prefix(first).and_then(|rest| rest.strip_prefix(' ')) == Some(second)
        });
        if let Some(row) = two_words {
            return inspect_row(row, Some(name), argv, 3);
        }
    }
    match tables::find(rows, first) {
        Some(row) => inspect_row(row, Some(name), argv, 2),
        None => unknown(format!("`{name} {first}` is not known to only read").into()),
    }
}

/// Reads the arguments from `start` on by a row.
fn inspect_row(row: &'static Row, program: Option<&str>, argv: &[Arg], start: usize) -> Inspection {
    let mut reading = Reading::new(row, program);
    match row.operands {
        Operands::Words => reading.words(argv, start),
        Operands::Command => {
            reading.stops_at_operand = true;
            reading.arguments(argv, start);
            reading.operands.clear();
        }
        Operands::Special(special) => special::read(&mut reading, special, argv, start),
        Operands::Nothing
        | Operands::Text
        | Operands::Names
        | Operands::Read
        | Operands::ReadHere
        | Operands::PatternThenRead
        | Operands::ReadThenText
        | Operands::Change
        | Operands::Write
        | Operands::TextThenWrite
        | Operands::Remove
        | Operands::ReadThenWrite
        | Operands::InputThenOutput
        | Operands::MoveThenWrite
        | Operands::WriteThenRead
        | Operands::Revisions
        | Operands::DateFormat
        | Operands::Number
        | Operands::OneOf(_) => {
            reading.arguments(argv, start);
            if row.name == "install" && makes_directories(argv) {
                // `install -d` makes what it is given.
                for operand in std::mem::take(&mut reading.operands) {
                    reading.path(operand.index, operand.arg.clone(), Access::Write);
                }
            }
            if row.name.ends_with("grep") {
                // `-d recurse`, `--directories=recurse`
                reading.recursive |= argv.iter().any(|arg| arg.prefix().ends_with("recurse"));
            }
            if reading.visible_only {
                // `--files` only lists names; `-.`, `--hidden` and `-uu` look at hidden files too.
                let words = || argv.iter().map(Arg::prefix);
                reading.recursive &= !words().any(|word| word == "--files");
                reading.visible_only &= !words().any(|word| {
                    (word.len() > 3 && "--hidden".starts_with(word))
                        || word == "--unrestricted"
                        || word.starts_with("-g")
                        || word.starts_with("--glob")
                        || word.starts_with("--iglob")
                        || word.starts_with('-')
                            && !word.starts_with("--")
                            && word.contains(['.', 'u'])
                }) && argv.iter().all(|arg| arg.known().is_some());
            }
            reading.operands();
        }
    }
    if row.name.ends_with("awk") {
        programs::awk_code(&mut reading);
    }
    // `%G` and `%(signature` make git run the configured program to check a signature.
    if program == Some("git")
        && let Some(index) = argv.iter().position(|arg| {
            arg.known().is_some_and(|text| text.contains("%G") || text.contains("%(signature"))
        })
    {
        reading.object(index, "this format makes git run a program to check signatures");
    }
    derived::outputs(&mut reading, argv);
    reading.paths.sort_by_key(|used| used.index);
    let edits = row.effect == Effect::Edits && reading.harmless && reading.complete;
    let removal = removal(&reading, argv);
    let read_only = match (row.effect, reading.obstacle) {
        (_, Some(obstacle)) => Err(obstacle),
        (Effect::Reads, None) => Ok(()),
        (Effect::Edits, None) => {
            Err(NotReadOnly { why: format!("`{}` changes files", row.name).into(), index: 0 })
        }
        (Effect::Acts, None) => Err(NotReadOnly {
            why: format!("`{}` is not known to only read", row.name).into(),
            index: 0,
        }),
    };
    Inspection {
        edits: edits || reading.edits,
        removal,
        complete: reading.complete && (!row.opaque || read_only.is_ok()),
        paths: reading.paths,
        file_command: row.judged,
        read_only,
    }
}

/// Whether a flag of `install` says that its operands are directories to make.
fn makes_directories(argv: &[Arg]) -> bool {
    argv.iter().any(|arg| {
        let text = arg.prefix();
        let short = text.starts_with('-') && !text.starts_with("--");
        (text.len() > 3 && "--directory".starts_with(text))
            || short
                && text.split(['m', 'o', 'g', 'S', 't']).next().is_some_and(|t| t.contains('d'))
    })
}

/// What a command takes away, where it may be too much.
fn removal(reading: &Reading<'_>, argv: &[Arg]) -> Option<Removal> {
    let of = |access: Access| -> Vec<(usize, Arg)> {
        let used = reading.paths.iter().filter(|used| used.access == access);
        used.map(|used| (used.index, used.arg.clone())).collect()
    };
    let (targets, kind) = match reading.row.name {
        // git's removes nothing from the disk then.
        "rm" if argv.iter().map(Arg::prefix).take_while(|text| *text != "--").any(is_cached) => {
            return None;
        }
        "rm" | "rmdir" => {
            let operands = reading.operands.iter();
            let all = operands.map(|operand| (operand.index, operand.arg.clone())).collect();
            (all, RemovalKind::Deletes)
        }
        // With a test that narrows it down it removes some files, as is usual.
        "find" if !narrows(argv) => (of(Access::Remove), RemovalKind::Deletes),
        "mv" => (of(Access::Remove), RemovalKind::Moves),
        "chmod" | "chown" | "chgrp" if reading.recursive => (of(Access::Write), RemovalKind::Opens),
        _ => return None,
    };
    Some(Removal { targets, recursive: reading.recursive, kind })
}

fn is_cached(text: &str) -> bool {
    text == "--cached"
}

/// A program without a row.
fn unknown(why: Cow<'static, str>) -> Inspection {
    Inspection {
        read_only: Err(NotReadOnly { why, index: 0 }),
        paths: Vec::new(),
        file_command: false,
        edits: false,
        removal: None,
        complete: false,
    }
}
