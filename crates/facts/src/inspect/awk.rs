//! The files that an awk program names itself.

use crate::Arg;

/// A file an awk program reads or writes; `true` for a write.
pub(super) type Named = (Arg, bool);

/// Collects what `>` and `>>` behind `print` and `<` behind `getline` name.
pub(super) fn files(code: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let mut statement = 0;
    let mut depth = 0_usize;
    let mut chars = code.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let rest = code.get(at + c.len_utf8()..).unwrap_or("");
        match c {
            '"' => skip_string(&mut chars),
            ';' | '{' | '}' | '\n' => {
                statement = at + 1;
                depth = 0;
            }
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '>' if code.get(..at).is_some_and(|before| before.ends_with('>')) => {}
            '>' => {
                let before =
                    code.get(statement..at).unwrap_or("").trim_start_matches([')', ' ', '\t']);
                let prints = occurs(before, "print") || occurs(before, "printf");
                let target = rest.trim_start_matches('>').trim_start();
                // Inside brackets it compares, and `print a > b` takes no other operand.
                let redirects = depth == 0 && !target.starts_with('=');
                if prints && (redirects || target.starts_with('"')) {
                    found.push((target_of(target), true));
                }
            }
            '<' if code.get(statement..at).is_some_and(|text| text.contains("getline")) => {
                found.push((target_of(rest.trim_start()), false));
            }
            _ => {}
        }
    }
    found.retain(|(arg, writes)| match arg.known() {
        Some("/dev/stdout" | "/dev/stderr" | "-" | "") => false,
        // Written, it is the file that stands there.
        Some("/dev/stdin") => *writes,
        _ => true,
    });
    found
}

/// Whether `word` stands in a statement as a word.
fn occurs(statement: &str, word: &str) -> bool {
    statement.match_indices(word).any(|(at, _)| {
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !statement.get(..at).is_some_and(|text| text.ends_with(letter))
            && !statement.get(at + word.len()..).is_some_and(|text| text.starts_with(letter))
    })
}

fn skip_string(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) {
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => return,
            _ => {}
        }
    }
}

/// A literal alone is known; anything else is worked out when it runs.
fn target_of(text: &str) -> Arg {
    let Some(literal) = text.strip_prefix('"') else { return Arg::one() };
    let Some((inside, behind)) = literal.split_once('"') else { return Arg::one() };
    let behind = behind.trim_start_matches([' ', '\t']);
    let alone = behind.is_empty() || behind.starts_with([';', '}', ')', '\n', ',', '|', '&']);
    if inside.contains('\\') {
        Arg::one()
    } else if alone {
        Arg::Known(inside.to_owned())
    } else {
        Arg::One { prefix: inside.to_owned(), suffix: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_named_files() {
        let one = Arg::one;
        let known = |text: &str| Arg::Known(text.to_owned());
        for (code, want) in [
            ("{print $1}", vec![]),
            ("$1 > 5 {print}", vec![]),
            ("{if ($1 > 5) print $2}", vec![]),
            ("BEGIN{print \"curl x\" > \"f\"}", vec![(known("f"), true)]),
            ("{print > $1}", vec![(one(), true)]),
            ("{printf \"%s\", $0 >> \"a\" }", vec![(known("a"), true)]),
            ("{print > (\"a\")}", vec![(one(), true)]),
            ("{print $0 > \"/dev/stderr\"}", vec![]),
            ("{print (a > b)}", vec![]),
            ("BEGIN{while ((getline l < \".env\") > 0) print l}", vec![(known(".env"), false)]),
            ("BEGIN{getline l < f}", vec![(one(), false)]),
        ] {
            assert_eq!(files(code), want, "{code}");
        }
    }
}
