//! A command with marks under parts of it.

use crate::console::Palette;
use portcullis_host::claude_code::is_printable;
use portcullis_model::{Decision, Span};
use unicode_width::UnicodeWidthChar as _;

/// The columns of command text in one row. Longer lines are continued in further rows, each with its
/// own marks, so that marks stay below what they mean in every terminal.
const COLUMNS: usize = 92;

/// The most rows shown; a here-document may be thousands of lines long.
const ROWS: usize = 60;

/// A part of a command, and what was decided for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The part.
    pub span: Span,
    /// The decision, which gives the character and its colour.
    pub decision: Decision,
    /// What stands behind the mark: the numbers of what was found there.
    pub label: String,
}

/// One character as it is shown.
struct Cell {
    at: usize,
    end: usize,
    text: String,
    width: usize,
}

/// The command, and below each row the marks of its parts: `^` deny, `~` ask, `-` allow.
pub fn marked(command: &str, marks: &[Mark], palette: Palette) -> String {
    let rows = rows(command);
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        if index == ROWS {
            out.push_str(&palette.dim(&format!("    … {} more rows\n", rows.len() - ROWS)));
            break;
        }
        let text: String = row.iter().map(|cell| cell.text.as_str()).collect();
        out.extend([format!("  {} {text}\n", palette.dim("|"))]);
        for lane in lanes(row, marks) {
            out.extend([format!("  {} ", palette.dim("|"))]);
            let mut column = 0;
            for placed in lane {
                out.push_str(&" ".repeat(placed.from - column));
                let line = character(placed.mark.decision).repeat(placed.width);
                let label =
                    if placed.ends { format!(" {}", placed.mark.label) } else { String::new() };
                out.push_str(&palette.decision(placed.mark.decision, &format!("{line}{label}")));
                column = placed.from + placed.width + label.len();
            }
            out.push('\n');
        }
    }
    out
}

fn character(decision: Decision) -> &'static str {
    match decision {
        Decision::Deny => "^",
        Decision::Ask => "~",
        Decision::Allow => "-",
    }
}

/// Cuts the text into rows of characters as they are shown.
fn rows(command: &str) -> Vec<Vec<Cell>> {
    let mut rows = vec![Vec::new()];
    let mut column = 0;
    for (at, c) in command.char_indices() {
        let cell = cell(at, c);
        let ends_line = c == '\n';
        if column + cell.width > COLUMNS && !ends_line {
            rows.push(Vec::new());
            column = 0;
        }
        column += cell.width;
        if let Some(row) = rows.last_mut() {
            row.push(cell);
        }
        if ends_line {
            rows.push(Vec::new());
            column = 0;
        }
    }
    if rows.len() > 1 && rows.last().is_some_and(Vec::is_empty) {
        rows.pop();
    }
    rows
}

/// SECURITY: nothing but printable characters reaches the terminal, so that a command cannot hide a
/// part of itself, turn its direction, or send escape sequences.
fn cell(at: usize, c: char) -> Cell {
    let end = at + c.len_utf8();
    let (text, width) = match c {
        '\n' => (String::new(), 1),
        '\t' => ("    ".to_owned(), 4),
        c if is_printable(c) => match c.width() {
            Some(width) if width > 0 => (c.to_string(), width),
            // A combining mark would move onto the character before it.
            Some(_) | None => escaped(c),
        },
        c => escaped(c),
    };
    Cell { at, end, text, width }
}

fn escaped(c: char) -> (String, usize) {
    let text = format!("\\u{{{:x}}}", u32::from(c));
    let width = text.len();
    (text, width)
}

/// A mark as it lies below one row.
struct Placed<'m> {
    mark: &'m Mark,
    from: usize,
    width: usize,
    /// Whether the part ends in this row: the number stands there.
    ends: bool,
}

/// Lays the marks below a row, as few lines as keep them apart.
fn lanes<'m>(row: &[Cell], marks: &'m [Mark]) -> Vec<Vec<Placed<'m>>> {
    let mut placed: Vec<Placed<'m>> = marks.iter().filter_map(|mark| place(row, mark)).collect();
    // Stable, so that marks of one width stay in their order.
    placed.sort_by_key(|placed| (placed.from, std::cmp::Reverse(placed.width)));
    let mut lanes: Vec<(usize, Vec<Placed<'m>>)> = Vec::new();
    for next in placed {
        let label = if next.ends { 1 + next.mark.label.len() } else { 0 };
        let end = next.from + next.width + label;
        let free = lanes.iter_mut().find(|(used, lane)| lane.is_empty() || *used < next.from);
        match free {
            Some((used, lane)) => {
                *used = end;
                lane.push(next);
            }
            None => lanes.push((end, vec![next])),
        }
    }
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

fn place<'m>(row: &[Cell], mark: &'m Mark) -> Option<Placed<'m>> {
    let span = mark.span;
    // An empty span marks the character it stands before.
    let end = span.end.max(span.start + 1);
    let mut from = None;
    let mut width = 0;
    let mut column = 0;
    for cell in row {
        if cell.at < end && cell.end > span.start {
            from.get_or_insert(column);
            width = column + cell.width - from.unwrap_or(column);
        }
        column += cell.width;
    }
    let ends = row.last().is_some_and(|last| end <= last.end);
    from.map(|from| Placed { mark, from, width, ends })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(list: &[(usize, usize, Decision)]) -> Vec<Mark> {
        list.iter()
            .enumerate()
            .map(|(index, (start, end, decision))| Mark {
                span: Span::new(*start, *end),
                decision: *decision,
                label: (index + 1).to_string(),
            })
            .collect()
    }

    fn check(command: &str, list: &[(usize, usize, Decision)], want: &str) {
        assert_eq!(marked(command, &marks(list), Palette::PLAIN), want, "{command:?}");
    }

    #[test]
    fn marks_parts_side_by_side() {
        use Decision::{Allow, Ask, Deny};
        check(
            "cd pkg && git push && make",
            &[(0, 6, Allow), (10, 18, Deny), (22, 26, Ask)],
            "  | cd pkg && git push && make\n  | ------ 1  ^^^^^^^^ 2  ~~~~ 3\n",
        );
    }

    #[test]
    fn puts_nested_parts_into_lines_of_their_own() {
        use Decision::{Ask, Deny};
        check(
            "sh -c 'rm x'",
            &[(0, 12, Ask), (7, 11, Deny)],
            "  | sh -c 'rm x'\n  | ~~~~~~~~~~~~ 1\n  |        ^^^^ 2\n",
        );
    }

    #[test]
    fn shows_hidden_characters_and_keeps_columns() {
        use Decision::Ask;
        check(
            "echo \u{202e}\u{200b}a",
            &[(5, 8, Ask)],
            "  | echo \\u{202e}\\u{200b}a\n  |      ~~~~~~~~ 1\n",
        );
        check("echo \u{1b}[31m", &[], "  | echo \\u{1b}[31m\n");
        check("e\u{301}", &[], "  | e\\u{301}\n");
        check("日本 x", &[(7, 8, Ask)], "  | 日本 x\n  |      ~ 1\n");
    }

    #[test]
    fn follows_parts_over_lines_and_long_rows() {
        use Decision::Deny;
        check(
            "cat <<E\nab\nE\n",
            &[(0, 12, Deny)],
            "  | cat <<E\n  | ^^^^^^^^\n  | ab\n  | ^^^\n  | E\n  | ^ 1\n",
        );
        let long = "x".repeat(100);
        let text = marked(&long, &marks(&[(90, 100, Deny)]), Palette::PLAIN);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.ends_with("  | xxxxxxxx\n  | ^^^^^^^^ 1\n"), "{text}");
    }

    #[test]
    fn bears_spans_that_do_not_fit() {
        use Decision::Deny;
        check("é", &[(1, 2, Deny)], "  | é\n  | ^ 1\n");
        check("ab", &[(9, 12, Deny)], "  | ab\n");
        check("ab", &[(2, 2, Deny)], "  | ab\n");
        check("", &[(0, 0, Deny)], "  | \n");
        assert_eq!(marked(&"\n".repeat(100), &[], Palette::PLAIN).lines().count(), ROWS + 1);
    }
}
