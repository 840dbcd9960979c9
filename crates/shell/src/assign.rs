//! Assignments and arrays.

use crate::builder::Builder;
use crate::ir::{Assign, AssignValue, Part, Word};
use crate::reader::{Read, Reader};
use crate::trace::Replacement;
use crate::word::{Context, RawWord};
use portcullis_model::{Reason, Span};

impl Reader<'_, '_> {
    /// An assignment before the command name, or what looked like one.
    pub(crate) fn read_assignment(&mut self, acceptable: bool) -> Read<Lead> {
        let Some(first) = self.peek() else { return Ok(Lead::None) };
        if first != b'_' && !first.is_ascii_alphabetic() {
            return Ok(Lead::None);
        }
        let start = self.pos;
        let name = self.read_name();
        let mut subscript = None;
        if acceptable && self.at(b'[') {
            let word = self.deeper(|reader| reader.read_subscript(true))?;
            let assigns = self.at(b'=') || (self.at(b'+') && self.peek_second() == Some(b'='));
            if !assigns {
                return self.read_subscripted_word(start, &name, word).map(Lead::Word);
            }
            subscript = Some(word);
        }
        let append = self.at(b'+') && self.peek_second() == Some(b'=');
        if append {
            self.take(b'+');
        }
        if !self.take(b'=') {
            self.pos = start;
            return Ok(Lead::None);
        }
        let value = if acceptable && self.at(b'(') {
            let elements = self.deeper(Self::read_array)?;
            // What touches the parenthesis is part of the same word.
            let rest = self.read_word_text(Context::Value)?;
            if rest.end > rest.start {
                self.note(Reason::UnsupportedSyntax, start, "text after an array");
            }
            AssignValue::Array(elements)
        } else {
            let value = self.read_word_text(Context::Value)?;
            if value.end == value.start {
                // The second reader wants a value before a parenthesis.
                let end = self.end_here(start);
                self.trace.edit(end, end, Replacement::Text("x"));
            }
            AssignValue::Scalar(value.word)
        };
        let span = self.span(start, self.end_here(start));
        Ok(Lead::Assignment(Assign { name, subscript, append, value, span }))
    }

    /// `name[ … ]` that no `=` follows: bash reads one word, blanks and all.
    fn read_subscripted_word(&mut self, start: usize, name: &str, inner: Word) -> Read<RawWord> {
        let mut builder = Builder::default();
        builder.text(name, false);
        builder.push(Part::Glob("[".to_owned()), false);
        builder.parts.extend(inner.parts);
        builder.push(Part::Glob("]".to_owned()), false);
        self.read_word_parts(Context::Argument, &mut builder)?;
        self.note(Reason::UnsupportedSyntax, start, "subscript in a command name");
        let (end, marks) = (self.end_here(start), builder.marks);
        Ok(RawWord { word: builder.finish(self.span(start, end)), start, end, marks })
    }

    /// `name=( … )` as an argument of `declare` and the like, where bash's grammar allows it.
    pub(crate) fn read_array_argument(&mut self) -> Read<Option<RawWord>> {
        self.peek();
        let start = self.pos;
        let name = self.read_name();
        let append = self.take(b'+');
        if name.is_empty() || !self.take(b'=') || !self.at(b'(') {
            self.pos = start;
            return Ok(None);
        }
        let mut builder = Builder::default();
        builder.text(&name, false);
        builder.text(if append { "+=" } else { "=" }, false);
        let elements = self.deeper(Self::read_array)?;
        builder.push(Part::Array(elements), false);
        self.read_word_parts(Context::Value, &mut builder)?;
        let (end, marks) = (self.end_here(start), builder.marks);
        Ok(Some(RawWord { word: builder.finish(self.span(start, end)), start, end, marks }))
    }

    /// `( … )` after `name=`, the cursor at the parenthesis.
    fn read_array(&mut self) -> Read<Vec<Word>> {
        let start = self.pos;
        self.pos += 1;
        let mut elements = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None => return self.unterminated(start, "array"),
                Some(b')') => {
                    self.pos += 1;
                    return Ok(elements);
                }
                Some(b'#') => self.skip_comment(),
                Some(b'\n') => {
                    if !self.pending.is_empty() {
                        self.note(
                            Reason::UnsupportedSyntax,
                            start,
                            "here-document before an array",
                        );
                    }
                    self.take_newline()?;
                }
                Some(_) => {
                    let raw = self.read_array_element()?;
                    if raw.end == raw.start {
                        return self.syntax("unexpected token in an array");
                    }
                    self.trace.words.push((Span::new(raw.start, raw.end), 0));
                    self.push_expanded(raw, &mut elements)?;
                }
            }
        }
    }

    fn read_array_element(&mut self) -> Read<RawWord> {
        self.peek();
        let start = self.pos;
        if self.byte(start) != Some(b'[') || self.is_bracket_glob() {
            return self.read_word(Context::Argument);
        }
        let subscript = self.deeper(|reader| reader.read_subscript(true))?;
        let mut builder = Builder::default();
        builder.text("[", false);
        builder.parts.extend(subscript.parts);
        builder.text("]", false);
        if self.take(b'+') {
            builder.text("+", false);
        }
        if self.take(b'=') {
            builder.text("=", false);
            self.read_word_parts(Context::Value, &mut builder)?;
        } else {
            self.read_word_parts(Context::Argument, &mut builder)?;
            self.note(Reason::UnsupportedSyntax, start, "brackets in an array");
        }
        let (end, marks) = (self.end_here(start), builder.marks);
        Ok(RawWord { word: builder.finish(self.span(start, end)), start, end, marks })
    }

    /// `[abc]…` that is a glob and not `[subscript]=`.
    fn is_bracket_glob(&self) -> bool {
        let rest = self.text.get(self.pos + 1..).unwrap_or("");
        let members = rest.bytes().take_while(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'^' | b':')
        });
        let close = members.count();
        let mut after = rest.bytes().skip(close);
        after.next() == Some(b']') && !matches!(after.next(), Some(b'=' | b'+' | b'\\'))
    }
}

/// What stands where an assignment may stand.
#[derive(Debug)]
pub(crate) enum Lead {
    Assignment(Assign),
    Word(RawWord),
    None,
}
