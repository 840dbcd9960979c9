//! More programs with a form of their own: archives, splitters, one-line editors.

use super::reading::{Operand, Reading, without_prefix};
use super::{Access, awk};
use crate::Arg;
use crate::place::escape_glob;

/// `awk`: what its code names itself, besides its operands.
pub(super) fn awk_code(reading: &mut Reading<'_>) {
    let mut code: Vec<Arg> = reading.scripts.iter().flatten().cloned().collect();
    if !reading.pattern_given {
        code.extend(reading.operands.first().map(|operand| operand.arg.clone()));
    }
    for piece in code {
        for (file, writes) in awk::files(piece.known().unwrap_or(piece.prefix())) {
            reading.path(0, file, if writes { Access::Write } else { Access::Read });
        }
    }
}

/// `perl` and `ruby`: with code given by `-e` every operand is a file it reads, and with `-i`
/// changes; otherwise the first is the script.
pub(super) fn one_liner<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    let (mut code, mut in_place, mut value) = (false, false, false);
    let mut operands: Vec<Operand<'a>> = Vec::new();
    let mut over = false;
    for (index, arg) in argv.iter().enumerate().skip(start) {
        reading.unknown_word(index, arg);
        if std::mem::take(&mut value) {
            continue;
        }
        let text = arg.prefix();
        if over || !text.starts_with('-') || text == "-" {
            operands.push(Operand { index, arg, after_dashes: over });
            // Behind a script everything belongs to it.
            over |= !code;
            continue;
        }
        if text == "--" {
            over = true;
            continue;
        }
        for (at, letter) in text.char_indices().skip(1) {
            match letter {
                'e' | 'E' => {
                    code = true;
                    value = at + 1 == text.len();
                    break;
                }
                'i' => {
                    in_place = true;
                    break;
                }
                'I' | 'M' | 'm' | 'F' | 'x' | 'C' | 'D' | 'd' | 'r' | 'K' | 'W' => break,
                _ => {}
            }
        }
    }
    for operand in operands {
        reading.reads(operand);
        if in_place && (code || operand.after_dashes) {
            reading.path(operand.index, operand.arg.clone(), Access::Write);
        }
    }
}

/// `split` and `csplit`: files of a common start beside the one they read.
pub(super) fn split<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    reading.arguments(argv, start);
    let operands = std::mem::take(&mut reading.operands);
    if let Some(first) = operands.first() {
        reading.reads(*first);
    }
    let (prefix, index) = if reading.row.name == "csplit" {
        let attached = argv.iter().enumerate().skip(start).find_map(|(index, arg)| {
            let text = arg.prefix();
            let count = ["--prefix=", "-f"].iter().find(|flag| text.starts_with(**flag))?.len();
            without_prefix(arg, count).map(|rest| (rest, index))
        });
        let prefix = attached.map(|(prefix, index)| match prefix.known() {
            Some("") => (argv.get(index + 1).cloned().unwrap_or_else(Arg::one), index),
            _ => (prefix, index),
        });
        prefix.unwrap_or((Arg::Known("xx".to_owned()), 0))
    } else {
        match operands.get(1) {
            Some(second) => (second.arg.clone(), second.index),
            None => (Arg::Known("x".to_owned()), 0),
        }
    };
    let pieces = match prefix {
        Arg::Known(text) => Arg::Glob(format!("{}*", escape_glob(&text))),
        Arg::One { .. } | Arg::Glob(_) | Arg::Many { .. } => Arg::one(),
    };
    reading.path(index, pieces, Access::Write);
}

/// `tar`: `cf archive files`, with or without a dash. `-C` holds for the members behind it.
pub(super) fn tar<'a>(reading: &mut Reading<'a>, argv: &'a [Arg], start: usize) {
    let (mut creates, mut extracts) = (false, false);
    let mut waiting: Vec<char> = Vec::new();
    let mut archives: Vec<(usize, Arg)> = Vec::new();
    let mut members: Vec<(usize, Arg)> = Vec::new();
    let mut directory: Option<Arg> = None;
    for (index, arg) in argv.iter().enumerate().skip(start) {
        reading.unknown_word(index, arg);
        let text = arg.prefix();
        let (letter, value) = if !waiting.is_empty() {
            (waiting.remove(0), Some(arg.clone()))
        } else if let Some(long) = text.strip_prefix("--") {
            let (name, attached) = match long.split_once('=') {
                Some((name, _)) => (name, without_prefix(arg, name.len() + 3)),
                None => (long, None),
            };
            creates |= matches!(name, "create" | "append" | "update");
            extracts |= matches!(name, "extract" | "get");
            // getopt takes any unambiguous start.
            let valued = LONG.iter().find(|(full, _)| name.len() > 2 && full.starts_with(name));
            match (valued, attached) {
                (Some((_, letter)), Some(value)) => (*letter, Some(value)),
                (Some((_, letter)), None) => {
                    waiting.push(*letter);
                    continue;
                }
                (None, _) => continue,
            }
        } else if text.starts_with('-') || index == start {
            let dash = text.starts_with('-');
            let letters = text.trim_start_matches('-');
            creates |= letters.contains(['c', 'r', 'u']);
            extracts |= letters.contains('x');
            let mut attached = None;
            for (at, letter) in letters.char_indices().filter(|(_, c)| "fCTXbIFgHKLNV".contains(*c))
            {
                let rest = letters.get(at + letter.len_utf8()..).unwrap_or("");
                if dash && !rest.is_empty() {
                    attached = without_prefix(arg, text.len() - rest.len()).map(|v| (letter, v));
                    break;
                }
                waiting.push(letter);
            }
            match attached {
                Some((letter, value)) => (letter, Some(value)),
                None => continue,
            }
        } else {
            members.push((index, below(directory.as_ref(), arg)));
            continue;
        };
        let Some(value) = value else { continue };
        match letter {
            'f' => archives.push((index, value)),
            'T' | 'X' => reading.path(index, value, Access::Read),
            'C' => directory = Some(below(directory.as_ref(), &value)),
            _ => {}
        }
    }
    for (index, archive) in archives {
        reading.path(index, archive, if creates { Access::Write } else { Access::Read });
    }
    if creates {
        reading.recursive = true;
        for (index, member) in members {
            reading.path(index, member, Access::Read);
        }
    } else if extracts {
        for (index, member) in members {
            reading.path(index, member, Access::Write);
        }
        if let Some(directory) = directory {
            reading.recursive = true;
            reading.path(0, directory, Access::Write);
        }
    }
}

/// The long flags of tar that take a value, with the short one of the same meaning.
const LONG: &[(&str, char)] = &[
    ("directory", 'C'),
    ("exclude-from", 'X'),
    ("file", 'f'),
    ("files-from", 'T'),
    ("listed-incremental", 'g'),
    ("transform", 'b'),
];

/// A path below a directory, where there is one.
fn below(directory: Option<&Arg>, path: &Arg) -> Arg {
    let Some(directory) = directory else { return path.clone() };
    if path.prefix().starts_with('/') {
        return path.clone();
    }
    match (directory, path) {
        (Arg::Known(directory), Arg::Known(path)) => {
            Arg::Known(format!("{}/{path}", directory.trim_end_matches('/')))
        }
        (Arg::Known(directory), Arg::Glob(glob)) => {
            Arg::Glob(format!("{}/{glob}", escape_glob(directory.trim_end_matches('/'))))
        }
        (_, Arg::Known(path)) => Arg::One { prefix: String::new(), suffix: format!("/{path}") },
        (_, other) => other.clone(),
    }
}
