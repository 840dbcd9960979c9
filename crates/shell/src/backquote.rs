//! Backquotes, and other text that bash reads a second time after changing it.

use crate::builder::Builder;
use crate::ir::{Part, Script, SubstForm};
use crate::reader::{Base, Read, Reader, Stop};
use crate::trace::Piece;
use crate::word::Quoting;
use portcullis_model::{Reason, Span};

impl Reader<'_, '_> {
    /// `` `…` ``, the cursor at the first backquote.
    ///
    /// SECURITY: bash takes the text up to the next unescaped backquote whatever stands in it
    /// (quotes and comments too), removes continuations everywhere, unescapes one level, and only
    /// then parses. So does this.
    pub(crate) fn read_backquote(&mut self, builder: &mut Builder, quoting: Quoting) -> Read<()> {
        let start = self.pos;
        let (content, doubtful) = self.take_backquoted(quoting)?;
        let span = self.span(start, self.pos);
        if doubtful {
            self.note(Reason::UnsupportedSyntax, start, "escaped quote in nested backquotes");
        }
        self.trace.edit(start, self.pos, builder.stand_in(quoting));
        let script = self.deeper(|reader| reader.read_copied_program(&content, span))?;
        builder.substitution(script, SubstForm::Backquote, quoting.is_quoted());
        Ok(())
    }

    /// The unescaped text, and whether how to unescape it is doubtful.
    fn take_backquoted(&mut self, quoting: Quoting) -> Read<(String, bool)> {
        let start = self.pos;
        self.pos += 1;
        let mut content = String::new();
        let mut doubtful = false;
        loop {
            let from = self.pos;
            let rest = self.text.as_bytes().get(from..).unwrap_or(&[]);
            let run = rest.iter().take_while(|byte| !matches!(byte, b'`' | b'\\')).count();
            content.push_str(self.slice(from, from + run));
            self.pos = from + run;
            match (self.byte(self.pos), self.byte(self.pos + 1)) {
                (Some(b'`'), _) => {
                    self.pos += 1;
                    return Ok((content, doubtful));
                }
                (Some(b'\\'), Some(b'\n')) => self.pos += 2,
                (Some(b'\\'), Some(b'$' | b'`' | b'\\')) => {
                    content.push_str(self.slice(self.pos + 1, self.pos + 2));
                    self.pos += 2;
                }
                (Some(b'\\'), Some(b'"')) => {
                    doubtful |= matches!(quoting, Quoting::Operand | Quoting::Arithmetic);
                    content.push_str(if quoting == Quoting::Double { "\"" } else { "\\\"" });
                    self.pos += 2;
                }
                (Some(b'\\'), _) => {
                    content.push('\\');
                    self.pos += 1;
                }
                _ => {
                    self.pos = self.text.len();
                    return self.unterminated(start, "backquote");
                }
            }
        }
    }

    /// Reads an unescaped copy of a part of this buffer as a program of its own.
    pub(crate) fn read_copied_program(&mut self, content: &str, span: Span) -> Read<Script> {
        self.burn(content.len())?;
        let mut inner = Reader::new(content, Base::Within(span), &mut *self.shared);
        let script = inner.read_program()?;
        let trace = std::mem::take(&mut inner.trace);
        let text = content.to_owned();
        self.shared.pieces.push(Piece { text, start: 0, trace, island: false, span });
        Ok(script)
    }

    /// Reads an unescaped copy of a part of this buffer as quoted text.
    pub(crate) fn read_copy(
        &mut self,
        content: &str,
        span: Span,
        quoting: Quoting,
    ) -> Read<Vec<Part>> {
        self.burn(content.len())?;
        let mut inner = Reader::new(content, Base::Within(span), &mut *self.shared);
        inner.islands = true;
        let mut builder = Builder::default();
        inner.deeper(|reader| reader.read_double_text(&mut builder, quoting))?;
        Ok(builder.parts)
    }

    /// Reads lines of commands to the end of the buffer, going on after syntax errors.
    pub(crate) fn read_program(&mut self) -> Read<Script> {
        let mut script = Script::default();
        loop {
            match self.read_list(&mut script, &[]) {
                Ok(()) if self.peek().is_none() => {
                    self.finish_pending()?;
                    return Ok(script);
                }
                Ok(()) => self.note_syntax("unexpected token"),
                Err(Stop::All) => {
                    self.salvage(script);
                    return Err(Stop::All);
                }
                Err(Stop::Line) => {}
            }
            // bash has run the lines before the error and runs nothing after it; what follows is
            // read for deny rules only.
            self.pending.clear();
            let salvaged = std::mem::take(&mut self.shared.salvaged);
            script.statements.extend(salvaged);
            let rest = self.text.get(self.pos..).unwrap_or("");
            self.burn(64)?;
            let Some(line) = rest.find('\n') else { return Ok(script) };
            self.pos += line + 1;
        }
    }
}
