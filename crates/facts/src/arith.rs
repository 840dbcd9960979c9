//! What arithmetic assigns: `((PATH=1))` makes bash look for programs in `./1`.

use crate::state::State;
use crate::walk::Walker;
use portcullis_model::Span;
use portcullis_shell::{Part, Word};

impl Walker<'_> {
    /// A word that bash evaluates: a subscript, a bound of a substring.
    pub(crate) fn evaluated(&mut self, word: &Word, state: &mut State) {
        self.word(word, state);
        let text: String = word
            .parts
            .iter()
            .map(|part| match part {
                Part::Text { text, .. } | Part::Glob(text) => text.as_str(),
                Part::Param { .. }
                | Part::Subst { .. }
                | Part::Process { .. }
                | Part::Arith { .. }
                | Part::Tilde(_)
                | Part::Array(_)
                | Part::Unreadable { .. } => " ",
            })
            .collect();
        self.expression(&text);
    }

    /// Notes what an expression assigns, as an assignment of that name would.
    pub(crate) fn expression(&mut self, text: &str) {
        for name in assigned(text) {
            self.hijack(name, Span::default());
        }
    }
}

/// The names an expression assigns: `n=1`, `n+=1`, `n++`, `--n`, `n[0]=1`; not `n==1`.
fn assigned(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find(in_name)).map(|to| at + to) {
        let rest = text.get(start..).unwrap_or("");
        let end = start + rest.find(|c| !in_name(c)).unwrap_or(rest.len());
        at = end;
        let (Some(name), Some(before), Some(after)) =
            (text.get(start..end), text.get(..start), text.get(end..))
        else {
            break;
        };
        let after = behind_subscript(after.trim_start());
        let before = before.trim_end();
        let steps = |text: &str| ["++", "--"].contains(&text);
        let changed = before.get(before.len().saturating_sub(2)..).is_some_and(steps)
            || after.get(..2).is_some_and(steps)
            || OPERATORS.iter().any(|operator| after.starts_with(operator))
            || after.starts_with('=') && !after.starts_with("==");
        if changed && !name.starts_with(|c: char| c.is_ascii_digit()) {
            found.push(name);
        }
    }
    found
}

/// What follows `[…]`, brackets within counted.
fn behind_subscript(text: &str) -> &str {
    if !text.starts_with('[') {
        return text;
    }
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' => open += 1,
            ']' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return text.get(at + 1..).unwrap_or("").trim_start();
        }
    }
    ""
}

const OPERATORS: &[&str] = &["+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "^=", "|="];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_assignments_from_comparisons() {
        for (text, want) in [
            ("PATH=1", &["PATH"][..]),
            ("x = y = 1", &["x", "y"]),
            ("x == y", &[]),
            ("x <= 1 && y >= 2 && z != 3", &[]),
            ("x <<= 1, y |= 2", &["x", "y"]),
            ("++x, y--", &["x", "y"]),
            ("a[PATH=1]=2", &["a", "PATH"]),
            ("a[b[1]] == 2", &[]),
            ("1 ? IFS=1 : 0", &["IFS"]),
            ("16#ff + 1", &[]),
            ("a[", &[]),
        ] {
            assert_eq!(assigned(text), want, "{text}");
        }
    }
}
