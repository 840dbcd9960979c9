//! Operands of `${ … }`.

use crate::builder::Builder;
use crate::ir::Word;
use crate::reader::{Read, Reader};
use crate::word::Quoting;
use portcullis_model::Reason;

/// What an operand is to its operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// A value: `${x:-value}`.
    Value,
    /// A pattern or a replacement: `${x#pattern}`.
    Pattern,
    /// A pattern that a slash ends: `${x/pattern/…}`.
    Replaced,
}

impl Reader<'_, '_> {
    /// An operand up to the closing brace, or up to a slash.
    ///
    /// SECURITY: quotes are inherited. In `"${x:-'$(cmd)'}"` the single quotes are text and cmd
    /// runs; in `"${x#'$(cmd)'}"` they quote. (subst.c, `expand_string_for_rhs` and
    /// `expand_string_for_pat`; measured on 5.2.)
    pub(crate) fn read_operand(&mut self, quoting: Quoting, kind: Operand) -> Read<Word> {
        let start = self.pos;
        let mut builder = Builder::default();
        let quoted = quoting.is_quoted();
        let inner = if quoted { Quoting::Operand } else { Quoting::Unquoted };
        while let Some(byte) = self.peek() {
            match byte {
                b'}' => break,
                b'/' if kind == Operand::Replaced => break,
                b'\'' if !quoted => self.read_single(&mut builder)?,
                b'\'' if kind != Operand::Value => {
                    // In a here-document the quotes of a pattern are read differently by the two
                    // passes of bash.
                    if quoting != Quoting::Double {
                        self.note(Reason::UnsupportedSyntax, start, "quotes in a nested pattern");
                    }
                    self.read_single(&mut builder)?;
                }
                b'\'' => self.read_literal_quotes(&mut builder)?,
                b'"' => {
                    let from = self.pos;
                    self.read_double(&mut builder)?;
                    if quoted && self.slice(from, self.pos).contains(['{', '\'']) {
                        // Brace expansion sees quotes that the rest of bash does not.
                        self.note(Reason::UnsupportedSyntax, from, "quotes in a quoted expansion");
                    }
                }
                b'`' => self.read_backquote(&mut builder, inner)?,
                b'$' => self.read_dollar(&mut builder, inner)?,
                b'\\' => self.read_escape(&mut builder),
                b'<' | b'>' if self.peek_second() == Some(b'(') => {
                    if quoted {
                        // bash parses it as a substitution and then does not run it.
                        self.note(Reason::UnsupportedSyntax, start, "parenthesis in an operand");
                    }
                    let (from, mut inside) = (self.pos, Builder::default());
                    self.take_char();
                    self.take(b'(');
                    let output = self.byte(from) == Some(b'>');
                    let script = self.deeper(|reader| reader.read_substitution(from))?;
                    inside.push(crate::ir::Part::Process { script, output }, false);
                    builder.parts.append(&mut inside.parts);
                }
                _ => {
                    let from = self.pos;
                    let rest = self.text.as_bytes().get(from..).unwrap_or(&[]);
                    let run = rest.iter().take_while(|byte| is_operand_text(**byte)).count().max(1);
                    if rest.first().is_some_and(|first| is_operand_text(*first)) {
                        self.pos = from + run;
                        builder.text(self.slice(from, from + run), quoted);
                    } else {
                        let text = self.take_char().unwrap_or("");
                        builder.text(text, quoted);
                    }
                }
            }
        }
        Ok(builder.finish(self.span(start, self.pos)))
    }

    /// `'…'` in an operand inside double quotes: a pair to the parser, text to the expansion.
    fn read_literal_quotes(&mut self, builder: &mut Builder) -> Read<()> {
        let start = self.pos;
        let rest = self.slice(start + 1, self.text.len());
        let Some(length) = rest.find('\'') else {
            self.pos = self.text.len();
            return self.unterminated(start, "single quote");
        };
        let close = start + 1 + length;
        let inside = self.slice(start + 1, close);
        if inside.contains(['"', '\\', '{', '}']) {
            self.note(Reason::UnsupportedSyntax, start, "single quotes in a quoted expansion");
        }
        builder.text("'", true);
        self.pos = start + 1;
        self.bounded(close, |reader| {
            while reader.peek().is_some() {
                reader.read_double_text(builder, Quoting::Operand)?;
                if reader.take(b'"') {
                    builder.text("\"", true);
                }
            }
            Ok(())
        })?;
        self.pos = close + 1;
        builder.text("'", true);
        Ok(())
    }
}

fn is_operand_text(byte: u8) -> bool {
    !matches!(byte, b'}' | b'/' | b'\'' | b'"' | b'`' | b'$' | b'\\' | b'<' | b'>')
}
