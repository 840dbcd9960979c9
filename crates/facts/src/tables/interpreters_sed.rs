//! The commands of a sed script that run programs or write files.

use crate::{Arg, Inner};

/// What a sed script does beside editing.
#[derive(Debug, Default)]
pub(crate) struct SedEffect {
    /// Commands it runs.
    pub(crate) runs: Vec<Inner>,
    /// Files it reads (`r`, `R`).
    pub(crate) reads: Vec<String>,
    /// Files it writes (`w`, `W`, `s///w`).
    pub(crate) writes: Vec<String>,
}

/// Reads a sed script far enough to tell its commands apart.
pub(crate) fn sed_effect(script: &str) -> SedEffect {
    let mut effect = SedEffect::default();
    let mut rest = script;
    while !rest.is_empty() {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ';' | '{' | '}'));
        rest = skip_addresses(rest);
        let mut chars = rest.chars();
        let Some(command) = chars.next() else { break };
        let after = chars.as_str();
        let (line, next_line) = after.split_once('\n').unwrap_or((after, ""));
        rest = match command {
            'e' => {
                let text = line.trim();
                // Without text, what is being edited is run.
                effect.runs.push(Inner::Script(if text.is_empty() || text == "}" {
                    Arg::one()
                } else {
                    Arg::Known(text.to_owned())
                }));
                next_line
            }
            's' => substitution(after, &mut effect),
            'y' => {
                let (_, behind) = delimited(after);
                let (_, behind) = pattern_until(behind, after.chars().next().unwrap_or('/'));
                behind
            }
            'w' | 'W' => {
                effect.writes.extend(file_name(line));
                next_line
            }
            'r' | 'R' => {
                effect.reads.extend(file_name(line));
                next_line
            }
            'a' | 'i' | 'c' => text_lines(after),
            '#' => next_line,
            'b' | 't' | 'T' | ':' => {
                after.find([';', '\n', '}']).and_then(|end| after.get(end..)).unwrap_or("")
            }
            _ => after,
        };
    }
    effect
}

/// `s/pattern/replacement/flags`
fn substitution<'a>(after: &'a str, effect: &mut SedEffect) -> &'a str {
    let delimiter = after.chars().next().unwrap_or('/');
    let (_, behind) = delimited(after);
    let (replacement, behind) = until(behind, delimiter);
    let end = behind.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(behind.len());
    let flags = behind.get(..end).unwrap_or("");
    let written = flags.find(['w', 'W']);
    let flags = written.and_then(|at| flags.get(..at)).unwrap_or(flags);
    if flags.contains('e') {
        effect.runs.push(Inner::Script(if replacement.contains(['&', '\\']) {
            Arg::one()
        } else {
            Arg::Known(replacement.to_owned())
        }));
    }
    if let Some(at) = written {
        let line = behind.get(at + 1..).and_then(|rest| rest.lines().next());
        effect.writes.extend(line.and_then(file_name));
        return behind.split_once('\n').map_or("", |(_, next)| next);
    }
    behind.get(end..).unwrap_or("")
}

/// The file named in the rest of a line; the standard streams are none.
fn file_name(line: &str) -> Option<String> {
    let name = line.trim();
    let stream = matches!(name, "" | "/dev/stdout" | "/dev/stderr");
    (!stream).then(|| name.to_owned())
}

/// Skips `1`, `$`, `/re/I`, `1,5`, `0~3`, `+2`, `!` and blanks.
fn skip_addresses(text: &str) -> &str {
    let mut rest = text;
    loop {
        let mut chars = rest.chars();
        match chars.next() {
            Some('0'..='9' | '$' | ',' | '~' | '+' | '!' | ' ' | '\t') => rest = chars.as_str(),
            Some('/') => {
                let (_, behind) = delimited(rest);
                rest = behind.trim_start_matches(['I', 'M']);
            }
            Some('\\') => {
                let (_, behind) = delimited(chars.as_str());
                rest = behind.trim_start_matches(['I', 'M']);
            }
            _ => return rest,
        }
    }
}

/// Splits `/text/rest` at the delimiter it starts with.
fn delimited(text: &str) -> (&str, &str) {
    let mut chars = text.chars();
    let Some(delimiter) = chars.next() else { return ("", "") };
    pattern_until(chars.as_str(), delimiter)
}

/// As [`until`] for a pattern, where a delimiter inside a bracket expression is an ordinary character.
fn pattern_until(text: &str, delimiter: char) -> (&str, &str) {
    let (mut escaped, mut bracket) = (false, None::<usize>);
    for (at, c) in text.char_indices() {
        match bracket {
            Some(length) if c == ']' && length > 0 => bracket = None,
            Some(length) => bracket = Some(if c == '^' && length == 0 { 0 } else { length + 1 }),
            None if escaped => escaped = false,
            None if c == '\\' => escaped = true,
            None if c == '[' && delimiter != '[' => bracket = Some(0),
            None if c == delimiter => {
                let behind = text.get(at + c.len_utf8()..).unwrap_or("");
                return (text.get(..at).unwrap_or(""), behind);
            }
            None => {}
        }
    }
    // An unfinished bracket expression is none.
    if bracket.is_some() { until(text, delimiter) } else { (text, "") }
}

/// Splits at the next `delimiter` that no backslash escapes.
fn until(text: &str, delimiter: char) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == delimiter {
            let behind = text.get(at + c.len_utf8()..).unwrap_or("");
            return (text.get(..at).unwrap_or(""), behind);
        }
    }
    (text, "")
}

/// Skips the text of `a`, `i` and `c`: a line, and those after a line that ends in a backslash.
fn text_lines(text: &str) -> &str {
    let mut rest = text;
    while let Some((line, next)) = rest.split_once('\n') {
        rest = next;
        if !line.ends_with('\\') {
            return rest;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(script: &str) -> Vec<String> {
        let describe = |inner: &Inner| match inner {
            Inner::Script(Arg::Known(text)) => text.clone(),
            Inner::Script(Arg::One { .. }) => "?".to_owned(),
            other @ (Inner::Argv(_) | Inner::Script(_) | Inner::Stdin | Inner::File(_)) => {
                format!("{other:?}")
            }
        };
        sed_effect(script).runs.iter().map(describe).collect()
    }

    #[test]
    fn sees_what_runs() {
        for (script, want) in [
            ("s/a/b/", vec![]),
            ("s/e/e/g", vec![]),
            ("/e/d", vec![]),
            ("/exec/p", vec![]),
            ("1,5p", vec![]),
            ("y/abc/eee/", vec![]),
            ("a\\\ne rm z", vec![]),
            ("be;:e;te", vec![]),
            ("1e touch pwn", vec!["touch pwn"]),
            ("e curl x", vec!["curl x"]),
            ("$!{e rm z\n}", vec!["rm z"]),
            ("1!{e touch pwn", vec!["touch pwn"]),
            ("p;e", vec!["?"]),
            ("s/.*/touch pwn/e", vec!["touch pwn"]),
            ("s|x|&|ge", vec!["?"]),
            ("\\,x,e id", vec!["id"]),
            ("s/a\\/b/c/;e id", vec!["id"]),
        ] {
            assert_eq!(runs(script), want, "{script:?}");
        }
    }

    #[test]
    fn sees_what_is_written() {
        for (script, want) in [
            ("w out", vec!["out"]),
            ("1,$W out", vec!["out"]),
            ("s/a/b/w out", vec!["out"]),
            ("s/a/b/gw out\np", vec!["out"]),
            ("s/w/w/", vec![]),
            ("/w/p", vec![]),
            ("w /dev/stdout", vec![]),
        ] {
            assert_eq!(sed_effect(script).writes, want, "{script:?}");
        }
        assert_eq!(sed_effect("1r .env").reads, [".env"]);
    }
}
