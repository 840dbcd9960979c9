//! What is wrong with settings, with carets.

use super::place;
use crate::console::Palette;
use portcullis_host::claude_code::{is_printable, shown};
use portcullis_policy::{Diagnostic, Severity};

/// The columns of a settings line that are shown around a caret.
const COLUMNS: usize = 92;

/// One diagnostic: what, where with carets, and what to write instead.
pub fn diagnostic(diagnostic: &Diagnostic, home: &str, palette: Palette) -> String {
    let word = diagnostic.severity.word();
    let head = format!("{word}[{}]", diagnostic.code);
    let head = match diagnostic.severity {
        Severity::Error => palette.error(&head),
        Severity::Warning => palette.warning(&head),
        Severity::Note => palette.strong(&head),
    };
    let mut out = format!("{head}: {}\n", shown(&diagnostic.message));
    out.extend([format!("  {} {}\n", palette.dim("at"), place(&diagnostic.source, home))]);
    if let Some(line) = &diagnostic.line_text {
        let length = diagnostic.span.map_or(1, |span| span.end - span.start);
        out.push_str(&caret(line, diagnostic.source.column, length, palette));
    }
    if !diagnostic.hint.is_empty() {
        out.extend([format!("  {} {}\n", palette.dim("hint:"), shown(&diagnostic.hint))]);
    }
    out
}

/// The line and carets below the characters from one-based `column` on, for `bytes` bytes.
fn caret(line: &str, column: usize, bytes: usize, palette: Palette) -> String {
    let before: usize = line.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    // A window around the place, so that a settings file written on one line can be shown.
    let skip = column.saturating_sub(COLUMNS / 2);
    let mut text = String::new();
    let (mut from, mut to, mut at, mut shown_columns) = (None, 0, 0, 0);
    for (index, c) in line.chars().enumerate() {
        let start = at;
        at += c.len_utf8();
        if index < skip {
            continue;
        }
        if shown_columns >= COLUMNS {
            break;
        }
        let cell = match c {
            '\t' => " ".to_owned(),
            c if is_printable(c) => c.to_string(),
            c => format!("\\u{{{:x}}}", u32::from(c)),
        };
        if start >= before && start < (before + bytes).max(before + 1) {
            from.get_or_insert(shown_columns);
            to = shown_columns + columns(&cell);
        }
        shown_columns += columns(&cell);
        text.push_str(&cell);
    }
    // A place behind the last character (something is missing there) still gets its caret.
    let from = from.unwrap_or(shown_columns);
    let width = to.saturating_sub(from).max(1);
    format!(
        "  {} {text}\n  {} {}{}\n",
        palette.dim("|"),
        palette.dim("|"),
        " ".repeat(from),
        palette.error(&"^".repeat(width)),
    )
}

fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_model::{Scope, Source, Span};

    #[test]
    fn shows_place_line_carets_and_cure() {
        let text = diagnostic(
            &Diagnostic {
                severity: Severity::Error,
                code: "rule-unbalanced",
                message: "the rule `Bash(ls` has no closing parenthesis".into(),
                hint: "write `Bash(ls)`".into(),
                source: Source {
                    scope: Scope::User,
                    file: "/home/u/.claude/settings.json".into(),
                    line: 3,
                    column: 12,
                },
                span: Some(Span::new(40, 47)),
                line_text: Some("\t\"日本\": [ \u{202e}\"Bash(ls\"]".into()),
            },
            "/home/u",
            Palette::PLAIN,
        );
        assert_eq!(
            text,
            "error[rule-unbalanced]: the rule `Bash(ls` has no closing parenthesis\n  at ~/.claude/settings.json:3:12 (user)\n  |  \"日本\": [ \\u{202e}\"Bash(ls\"]\n  |                     ^^^^^^^\n  hint: write `Bash(ls)`\n"
        );
    }

    #[test]
    fn points_into_long_lines_and_behind_the_end() {
        let line = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let text = caret(&line, 501, 1, Palette::PLAIN);
        let rows: Vec<&str> = text.lines().collect();
        let at = rows[1].find('^').unwrap();
        assert_eq!(rows[0].chars().nth(at), Some('X'), "{text}");
        assert_eq!(caret("ab", 3, 1, Palette::PLAIN), "  | ab\n  |   ^\n");
    }
}
