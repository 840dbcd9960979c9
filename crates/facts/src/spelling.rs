//! Spellings that a person who writes a rule may not have had in mind.

use crate::Arg;
use portcullis_shell::{Part, Simple, Word};

/// Why a command as written may be misread by the person who wrote the rule: quoting that spells a
/// word in escapes, brace expressions, a redirect before the name.
pub(crate) fn obscured(simple: &Simple) -> Option<&'static str> {
    if simple.words.iter().any(|word| word.from_brace) {
        return Some("a brace expression spells its words");
    }
    if has_dollar_quotes(&simple.words_source) {
        return Some("`$'…'` or `$\"…\"` quoting spells a word");
    }
    let first = simple.words.first().map(|word| word.span.start)?;
    let before = simple
        .redirects
        .iter()
        .any(|redirect| redirect.span.start < first && redirect.op.text().starts_with('<'));
    before.then_some("a redirect stands before its name")
}

/// Whether `$'…'` or `$"…"` stands in source text. A `$` that ends what other quotes hold is none: `'x$'`.
fn has_dollar_quotes(source: &str) -> bool {
    let mut rest = source;
    while let Some(at) = rest.find(['\\', '\'', '"', '$']) {
        let (Some(mark), Some(behind)) = (rest.get(at..=at), rest.get(at + 1..)) else { break };
        rest = match mark {
            "\\" => behind.get(behind.chars().next().map_or(0, char::len_utf8)..).unwrap_or(""),
            "'" => behind.split_once('\'').map_or("", |(_, rest)| rest),
            "$" if behind.starts_with(['\'', '"']) => return true,
            "\"" => match behind_double_quotes(behind) {
                Some(rest) => rest,
                // A substitution has quotes of its own.
                None => return behind.contains("$'") || behind.contains("$\""),
            },
            _ => behind,
        };
    }
    false
}

/// What follows the closing quote; `None` where what stands before it is more than text and plain variables.
fn behind_double_quotes(text: &str) -> Option<&str> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        let behind = text.get(at + 1..).unwrap_or("");
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(behind),
            '`' => return None,
            '$' if behind.starts_with(['(', '{', '[']) => return None,
            _ => {}
        }
    }
    Some("")
}

/// `$x/`, `"$x"/*`, `"$x/$y"/a*`: with every expansion empty that is the root directory, or a glob in it.
pub(crate) fn under_variable(word: &Word) -> bool {
    let expands = |part: &Part| matches!(part, Part::Param { .. } | Part::Subst { .. });
    if !word.parts.first().is_some_and(expands) {
        return false;
    }
    let mut left = String::new();
    for part in &word.parts {
        match part {
            Part::Text { text, .. } => left.push_str(&text.replace('*', "x")),
            Part::Glob(_) => left.push('*'),
            Part::Param { .. } | Part::Subst { .. } => {}
            Part::Process { .. }
            | Part::Arith { .. }
            | Part::Tilde(_)
            | Part::Array(_)
            | Part::Unreadable { .. } => return false,
        }
    }
    let mut names = left.split('/').filter(|name| !matches!(*name, "" | "." | ".."));
    left.starts_with('/')
        && match (names.next(), names.next()) {
            // `"$x/$y"` ends in a name, if there is one.
            (None, _) => !word.parts.last().is_some_and(expands),
            (Some(only), None) => only.contains('*'),
            (Some(_), Some(_)) => false,
        }
}

/// The same of an argument whose start is not known, wherever it comes from.
pub(crate) fn is_under_unknown(arg: &Arg) -> bool {
    let (Arg::One { prefix, suffix } | Arg::Many { prefix, suffix }) = arg else { return false };
    // `/us$x` is a child of the root directory, or lies in one.
    let in_root = prefix.starts_with('/') && !prefix.trim_start_matches('/').contains('/');
    if suffix.is_empty() {
        return in_root;
    }
    let rest = suffix.trim_start_matches('/');
    let globs = rest.contains(['*', '?', '[']) && !rest.contains('/');
    (prefix.is_empty() || in_root)
        && rest.len() < suffix.len()
        && (globs || rest.chars().all(|c| "./*?".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_quotes_behind_a_dollar() {
        for (source, want) in [
            (r"echo $'a'", true),
            (r#"echo $"a""#, true),
            (r"echo x$'a'", true),
            (r"grep 'foo$' a", false),
            (r#"grep "foo$" a"#, false),
            (r#"grep "a\"b$" 'c$' d"#, false),
            (r#"grep "foo$" $'a'"#, true),
            (r"echo \$'a'", false),
            (r"echo \\$'a'", true),
            (r#"echo "$(echo $'a')""#, true),
            (r"echo $(echo $'a')", true),
            (r#"echo '"' $'a'"#, true),
            (r#"echo "'" $'a' "'""#, true),
            ("echo '$", false),
        ] {
            assert_eq!(has_dollar_quotes(source), want, "{source}");
        }
    }

    #[test]
    fn tells_what_may_be_the_root() {
        for (prefix, suffix, want) in [
            ("", "/", true),
            ("", "/*", true),
            ("", "/.", true),
            ("", "//a*", true),
            ("/", "", true),
            ("/us", "", true),
            ("/", "/*", true),
            ("", "", false),
            ("", "/build", false),
            ("", "/build/*", false),
            ("", "x/*", false),
            ("/tmp/", "", false),
            ("src/", "/*", false),
        ] {
            let (prefix, suffix) = (prefix.to_owned(), suffix.to_owned());
            let arg = Arg::One { prefix, suffix };
            assert_eq!(is_under_unknown(&arg), want, "{arg:?}");
        }
    }
}
