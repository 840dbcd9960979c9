//! The parts of a word while it is read.

use crate::ir::{Part, Script, SubstForm, Word};
use crate::trace::Replacement;
use crate::word::{Marks, Quoting};
use portcullis_model::Span;

/// Collects the parts of a word.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    /// The parts so far.
    pub(crate) parts: Vec<Part>,
    /// Some part is quoted.
    pub(crate) quoted: bool,
    /// What was noticed.
    pub(crate) marks: Marks,
    /// Glob brackets whose partners have to be found.
    pub(crate) brackets: bool,
}

impl Builder {
    /// Appends text, joined to text of the same kind.
    pub(crate) fn text(&mut self, new: &str, quoted: bool) {
        self.quoted |= quoted;
        if new.is_empty() {
            return;
        }
        if let Some(Part::Text { text, quoted: last }) = self.parts.last_mut()
            && *last == quoted
        {
            text.push_str(new);
            return;
        }
        self.parts.push(Part::Text { text: new.to_owned(), quoted });
    }

    /// Appends a part.
    pub(crate) fn push(&mut self, part: Part, quoted: bool) {
        self.quoted |= quoted;
        self.parts.push(part);
    }

    /// Appends a substitution; an empty one always expands to nothing.
    pub(crate) fn substitution(&mut self, script: Script, form: SubstForm, quoted: bool) {
        if script.statements.is_empty() && form != SubstForm::Function {
            self.quoted |= quoted;
        } else {
            self.push(Part::Subst { script, form, quoted }, quoted);
        }
    }

    /// What stands in for an expansion for the second reader, which splits words like `a/$x`.
    pub(crate) fn stand_in(&self, quoting: Quoting) -> Replacement {
        if self.is_empty() || quoting.is_quoted() {
            Replacement::Expansion
        } else {
            Replacement::Plain
        }
    }

    /// Whether nothing was read so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty() && !self.quoted
    }

    pub(crate) fn last_unquoted_char(&self) -> Option<char> {
        match self.parts.last()? {
            Part::Text { text, quoted: false } | Part::Glob(text) => text.chars().next_back(),
            Part::Text { quoted: true, .. }
            | Part::Param { .. }
            | Part::Subst { .. }
            | Part::Process { .. }
            | Part::Arith { .. }
            | Part::Tilde(_)
            | Part::Array(_)
            | Part::Unreadable { .. } => None,
        }
    }

    /// The finished word.
    pub(crate) fn finish(mut self, span: Span) -> Word {
        if self.brackets {
            self.parts = settle_brackets(self.parts);
        }
        Word { parts: self.parts, quoted: self.quoted, from_brace: false, span }
    }
}

/// Joins `[`…`]` to one glob part; brackets without a partner are text.
fn settle_brackets(parts: Vec<Part>) -> Vec<Part> {
    let is = |part: &Part, text: &str| matches!(part, Part::Glob(glob) if glob == text);
    let last_close = parts.iter().rposition(|part| is(part, "]"));
    let first_open = parts.iter().position(|part| is(part, "["));
    let mut out = Builder::default();
    // The text of a bracket expression that has begun, as long as it is all unquoted text.
    let mut open: Option<(String, usize)> = None;
    for (index, part) in parts.into_iter().enumerate() {
        let opens = is(&part, "[") && last_close.is_some_and(|close| index < close);
        let closes = is(&part, "]") && first_open.is_some_and(|first| first < index);
        match (part, &mut open) {
            (Part::Glob(text), Some((bracket, inside))) => {
                bracket.push_str(&text);
                *inside += 1;
                // `[]x]` and `[!]x]`: a bracket right after the opening is a member.
                let member = matches!(bracket.as_str(), "[]" | "[!]" | "[^]");
                if closes
                    && !member
                    && let Some((bracket, _)) = open.take()
                {
                    out.push(Part::Glob(bracket), false);
                }
            }
            (Part::Text { text, quoted: false }, Some((bracket, inside))) => {
                bracket.push_str(&text);
                *inside += 1;
            }
            (other, Some(_)) => {
                if let Some((bracket, _)) = open.take() {
                    out.push(Part::Glob(bracket), false);
                }
                out.push(other, false);
            }
            (Part::Glob(_), None) if opens => open = Some(("[".to_owned(), 0)),
            (Part::Glob(text), None) if text == "[" => out.text("[", false),
            (Part::Glob(text), None) if text == "]" && !closes => out.text("]", false),
            (Part::Text { text, quoted: false }, None) => out.text(&text, false),
            (other, None) => out.push(other, false),
        }
    }
    if let Some((bracket, _)) = open {
        out.push(Part::Glob(bracket), false);
    }
    out.parts
}
