//! What a few harmless commands print, worked out from their text.
//!
//! `$(echo curl) x`, `printf 'curl x' | sh` and `bash <<< 'curl x'` hide a command behind a printed
//! text. Where that text follows from the command alone it is worked out here, so that a deny rule
//! sees it. Not knowing costs nothing: the unknown command then asks.

use crate::Arg;
use crate::expand::{Lookup, expand};
use portcullis_model::AbsPath;
use portcullis_shell::{
    Command, Compound, Part, Redirect, RedirectOp, Script, Simple, Target, Word,
};

/// Output longer than this is not followed.
const MAX_OUTPUT: usize = 16_384;

/// What a script prints, where that is known: one pipeline of `echo`, `printf`, `cat`, `base64 -d`,
/// `rev`, `tr -d` and the like.
pub(crate) fn output_of_script(script: &Script, lookup: &dyn Lookup) -> Option<String> {
    let [statement] = script.statements.as_slice() else { return None };
    if !statement.list.rest.is_empty() {
        return None;
    }
    output_of_commands(&statement.list.first.commands, lookup)
}

/// Whether a pipeline prints nothing but names of files, and only those it was let to look at.
pub(crate) fn lists_names(commands: &[Command]) -> bool {
    let mut words = commands.iter().map(|command| match command {
        Command::Simple(simple) => simple.words.iter().map(Word::known).collect::<Vec<_>>(),
        Command::Compound { .. } => Vec::new(),
    });
    let lister = |argv: &[Option<String>]| {
        let mut argv = argv.iter().map(|word| word.as_deref().unwrap_or(""));
        let name = argv.next().unwrap_or("");
        match name {
            "find" | "fd" | "ls" => true,
            "git" => argv.any(|word| matches!(word, "ls-files" | "--name-only")),
            "grep" | "rg" | "egrep" | "fgrep" => argv.any(|word| {
                matches!(word, "--files" | "--files-with-matches" | "--files-without-match")
                    || (word.starts_with('-')
                        && !word.starts_with("--")
                        && word.contains(['l', 'L']))
            }),
            _ => false,
        }
    };
    // Behind it, what only picks or orders lines.
    let filter = |argv: &[Option<String>]| {
        matches!(
            argv.first().and_then(|word| word.as_deref()),
            Some("grep" | "egrep" | "fgrep" | "sort" | "head" | "tail" | "uniq")
        )
    };
    words.next().is_some_and(|first| lister(&first)) && words.all(|argv| filter(&argv))
}

/// What the last of a pipeline's commands prints.
pub(crate) fn output_of_commands(commands: &[Command], lookup: &dyn Lookup) -> Option<String> {
    let mut input: Option<String> = None;
    for command in commands {
        input = Some(output_of_command(command, input.as_deref(), lookup)?);
    }
    input
}

/// What a command prints that reads this, or what the call has.
pub(crate) fn output_of_command(
    command: &Command,
    input: Option<&str>,
    lookup: &dyn Lookup,
) -> Option<String> {
    let output = match command {
        Command::Simple(simple) => output_of_simple(simple, input, lookup)?,
        Command::Compound {
            kind: Compound::Group(script) | Compound::Subshell(script),
            redirects,
            ..
        } if redirects.is_empty() && input.is_none() => output_of_list(script, lookup)?,
        Command::Compound { .. } => return None,
    };
    (output.len() <= MAX_OUTPUT).then_some(output)
}

fn output_of_list(script: &Script, lookup: &dyn Lookup) -> Option<String> {
    let mut out = String::new();
    for statement in &script.statements {
        if !statement.list.rest.is_empty() || statement.background {
            return None;
        }
        let [Command::Simple(simple)] = statement.list.first.commands.as_slice() else {
            return None;
        };
        out.push_str(&output_of_simple(simple, None, lookup)?);
    }
    Some(out)
}

/// The text a command reads from its own here-document or here-string.
pub(crate) fn own_input(redirects: &[Redirect], lookup: &dyn Lookup) -> Option<String> {
    let redirect = redirects.iter().rev().find(|redirect| {
        matches!(
            redirect.op,
            RedirectOp::HereDoc | RedirectOp::HereDocTabs | RedirectOp::HereString
        )
    })?;
    match &redirect.target {
        Target::HereDoc(document) => text_of(&document.body, lookup),
        Target::Word(word) => text_of(word, lookup).map(|text| text + "\n"),
    }
}

/// The one text a word has when it is not split.
pub(crate) fn text_of(word: &Word, lookup: &dyn Lookup) -> Option<String> {
    match expand(word, false, lookup).as_slice() {
        [args] => match args.as_slice() {
            [] => Some(String::new()),
            [Arg::Known(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn output_of_simple(simple: &Simple, input: Option<&str>, lookup: &dyn Lookup) -> Option<String> {
    if let Some([Part::Text { text, .. }]) = simple.words.first().map(|word| word.parts.as_slice())
        && !PRINTERS.contains(&text.rsplit('/').next()?)
    {
        return None;
    }
    let mut argv = Vec::new();
    for word in &simple.words {
        let alternatives = expand(word, true, lookup);
        let [args] = alternatives.as_slice() else { return None };
        for arg in args {
            argv.push(arg.known()?.to_owned());
        }
    }
    let own = own_input(&simple.redirects, lookup);
    let input = own.as_deref().or(input);
    let (name, args) = argv.split_first()?;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match (name.rsplit('/').next()?, args.as_slice()) {
        ("echo", args) => echo(args),
        ("printf", args) => {
            let args = if args.first() == Some(&"--") { args.get(1..)? } else { args };
            let (format, args) = args.split_first()?;
            printf(format, args)
        }
        ("pwd", [] | ["-P" | "-L"]) => lookup.directory().map(|path| path + "\n"),
        ("dirname", [path]) => Some(match path.trim_end_matches('/').rsplit_once('/') {
            Some(("", _)) => "/\n".to_owned(),
            Some((directory, _)) => format!("{directory}\n"),
            None if path.starts_with('/') => "/\n".to_owned(),
            None => ".\n".to_owned(),
        }),
        ("basename", [path]) => {
            Some(format!("{}\n", path.trim_end_matches('/').rsplit('/').next().unwrap_or("")))
        }
        ("realpath" | "readlink", [.., path])
            if args.iter().rev().skip(1).all(|arg| matches!(*arg, "-f" | "-e" | "-m" | "-s")) =>
        {
            let base = AbsPath::parse(&lookup.directory()?).ok()?;
            Some(format!("{}\n", base.join(path).ok()?))
        }
        ("cat", [] | ["-"]) => input.map(str::to_owned),
        ("base64", ["-d" | "--decode" | "-D"]) => decode_base64(input?),
        ("rev", []) => {
            Some(input?.lines().map(|line| line.chars().rev().collect::<String>() + "\n").collect())
        }
        ("tr", ["-d", set]) => {
            let set: Vec<char> = set.chars().collect();
            Some(input?.chars().filter(|c| !set.contains(c)).collect())
        }
        ("tr", [from, to]) if from.chars().count() == to.chars().count() => {
            let (from, to) = (range_set(from)?, range_set(to)?);
            let pairs: Vec<(char, char)> = from.into_iter().zip(to).collect();
            Some(
                input?
                    .chars()
                    .map(|c| pairs.iter().find(|(f, _)| *f == c).map_or(c, |(_, t)| *t))
                    .collect(),
            )
        }
        ("command" | "builtin" | "env", rest) => {
            let (inner, tail) = rest.split_first()?;
            match *inner {
                "echo" => echo(tail),
                "printf" => {
                    let (format, args) = tail.split_first()?;
                    printf(format, args)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The characters of a set of `tr`: ranges are spelled out, classes and escapes are not known.
fn range_set(set: &str) -> Option<Vec<char>> {
    if set.contains(['[', '\\']) {
        return None;
    }
    let chars: Vec<char> = set.chars().collect();
    let mut out = Vec::new();
    let mut rest = chars.as_slice();
    loop {
        match rest {
            [] => return Some(out),
            [from, '-', to, tail @ ..] => {
                out.extend(*from..=*to);
                rest = tail;
            }
            [only, tail @ ..] => {
                out.push(*only);
                rest = tail;
            }
        }
    }
}

fn echo(args: &[&str]) -> Option<String> {
    let mut args = args;
    let (mut newline, mut escapes) = (true, false);
    while let Some((first, rest)) = args.split_first() {
        let Some(flags) = first.strip_prefix('-') else { break };
        if flags.is_empty() || !flags.chars().all(|c| matches!(c, 'n' | 'e' | 'E')) {
            break;
        }
        for c in flags.chars() {
            match c {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        args = rest;
    }
    let mut out = args.join(" ");
    if escapes {
        out = unescape(&out, true)?;
    }
    if newline {
        out.push('\n');
    }
    Some(out)
}

pub(crate) fn printf(format: &str, args: &[&str]) -> Option<String> {
    let format = unescape(format, false)?;
    let mut out = String::new();
    let mut args = args.iter();
    loop {
        let mut chars = format.chars();
        let mut consumed = false;
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match chars.next()? {
                '%' => out.push('%'),
                's' => {
                    out.push_str(args.next().copied().unwrap_or(""));
                    consumed = true;
                }
                'b' => {
                    out.push_str(&unescape(args.next().copied().unwrap_or(""), true)?);
                    consumed = true;
                }
                'd' | 'i' => {
                    let value: i64 = args.next().copied().unwrap_or("0").parse().ok()?;
                    out.push_str(&value.to_string());
                    consumed = true;
                }
                'c' => {
                    out.extend(args.next().and_then(|arg| arg.chars().next()));
                    consumed = true;
                }
                _ => return None,
            }
            if out.len() > MAX_OUTPUT {
                return None;
            }
        }
        if !consumed || args.len() == 0 {
            return Some(out);
        }
    }
}

/// Backslash escapes of `printf` formats and `echo -e` (bash(1), echo and printf builtins).
pub(crate) fn unescape(text: &str, leading_zero: bool) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut digits = |radix: u32, most: usize| {
            let mut value: Option<u32> = None;
            for _ in 0..most {
                let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else { break };
                value = Some(value.unwrap_or(0) * radix + digit);
                chars.next();
            }
            value
        };
        let Some(kind) = ({
            let first = digits(8, if leading_zero { 4 } else { 3 });
            match first {
                Some(value) => {
                    out.push(ascii(value)?);
                    continue;
                }
                None => chars.next(),
            }
        }) else {
            out.push('\\');
            break;
        };
        match kind {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'e' | 'E' => out.push('\u{1b}'),
            'f' => out.push('\u{c}'),
            'r' => out.push('\r'),
            'v' => out.push('\u{b}'),
            '\\' => out.push('\\'),
            '"' => out.push('"'),
            '\'' => out.push('\''),
            'c' => return Some(out),
            'x' | 'u' | 'U' => {
                let most = match kind {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let mut value: Option<u32> = None;
                for _ in 0..most {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) else { break };
                    value = Some(value.unwrap_or(0).checked_mul(16)?.checked_add(digit)?);
                    chars.next();
                }
                let value = value?;
                out.push(if kind == 'x' { ascii(value)? } else { char::from_u32(value)? });
            }
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    Some(out)
}

/// A byte escape as a character; a byte above ASCII may be part of any encoding.
fn ascii(value: u32) -> Option<char> {
    (value < 0x80).then(|| char::from_u32(value)).flatten()
}

fn decode_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            b'\n' => continue,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The programs whose output is worked out.
const PRINTERS: &[&str] = &[
    "echo", "printf", "pwd", "dirname", "basename", "realpath", "readlink", "cat", "base64", "rev",
    "tr", "command", "builtin", "env",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works_out_what_is_printed() {
        assert_eq!(echo(&["-n", "a", "b"]).as_deref(), Some("a b"));
        assert_eq!(echo(&["-e", "a\\x62\\0143"]).as_deref(), Some("abc\n"));
        assert_eq!(printf("%s %s\\n", &["a", "b", "c"]).as_deref(), Some("a b\nc \n"));
        assert_eq!(printf("\\143url %%", &[]).as_deref(), Some("curl %"));
        assert_eq!(printf("%q", &["a"]), None);
        assert_eq!(decode_base64("Y3VybCB4Cg==").as_deref(), Some("curl x\n"));
        assert_eq!(decode_base64("?"), None);
    }
}
