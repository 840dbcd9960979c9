//! What takes more than one command or line: `if`, `while`, `until`, `for … in`, and here-documents.

use super::{End, Scanner, Words, is_variable};
use crate::trace::{Edit, Replacement};
use portcullis_model::Span;

/// A here-document whose body starts at the next newline.
#[derive(Debug)]
pub(super) struct Document<'p> {
    delimiter: &'p [u8],
    /// Nothing in the body is expanded.
    quoted: bool,
}

impl<'p> Scanner<'p> {
    /// A construct that a reserved word opens, with its redirects; `false` if none does here.
    pub(super) fn block(&mut self, words: &mut Words<'_>) -> Option<bool> {
        let Some(opening) = self.reserved(&[b"if", b"for", b"until", b"while"]) else {
            return Some(false);
        };
        if self.blocks == DEEPEST {
            return None;
        }
        self.blocks += 1;
        match opening {
            b"if" => self.branches(words)?,
            b"for" => self.each(words)?,
            _ => {
                self.list(words, &[b"do"])?;
                self.list(words, &[b"done"])?;
            }
        }
        self.blocks -= 1;
        while !self.is_at_end_of_command()? {
            self.redirect(words)?;
        }
        Some(true)
    }

    fn branches(&mut self, words: &mut Words<'_>) -> Option<()> {
        loop {
            self.list(words, &[b"then"])?;
            match self.list(words, &[b"elif", b"else", b"fi"])? {
                b"elif" => {}
                b"else" => return self.list(words, &[b"fi"]).map(drop),
                _ => return Some(()),
            }
        }
    }

    /// What follows `for`. At least one word is asked for after `in`.
    fn each(&mut self, words: &mut Words<'_>) -> Option<()> {
        self.blanks();
        let name = self.name();
        is_variable(name).then_some(())?;
        words.target(self.span(self.at - name.len()))?;
        self.blanks();
        self.reserved(&[b"in"])?;
        self.blanks();
        loop {
            let word = self.word(words)?;
            words.target(word)?;
            self.blanks();
            if self.take(b';') || self.peek() == Some(b'\n') {
                break;
            }
        }
        self.blanks();
        while self.newline()? {
            self.blanks();
        }
        self.reserved(&[b"do"])?;
        self.list(words, &[b"done"]).map(drop)
    }

    /// Commands, at least one, and the reserved word that ends them.
    fn list(&mut self, words: &mut Words<'_>, ends: &[&'static [u8]]) -> Option<&'static [u8]> {
        let before = words.commands.len();
        match self.statements(words, ends)? {
            End::Word(end) if words.commands.len() > before => Some(end),
            End::Word(_) | End::Text => None,
        }
    }

    /// Takes one of these words where it stands alone.
    pub(super) fn reserved(&mut self, words: &[&'static [u8]]) -> Option<&'static [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().position(|byte| !byte.is_ascii_lowercase()).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(length);
        if !matches!(rest.first(), None | Some(b' ' | b'\t' | b'\n' | b';' | b'|' | b'&' | b')')) {
            return None;
        }
        let found = words.iter().copied().find(|other| *other == word)?;
        self.at += length;
        Some(found)
    }

    /// The letters, digits and underscores that stand here.
    fn name(&mut self) -> &'p [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = rest.iter().position(|byte| !part(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// The second `<` of `<<` and a delimiter, quoted as a whole or not at all. One a line.
    pub(super) fn document(&mut self, words: &mut Words<'_>) -> Option<()> {
        if self.depth > 0 || self.document.is_some() {
            return None;
        }
        self.at += 1;
        self.lift(self.at - 1, Replacement::Blanks);
        self.blanks();
        let start = self.at;
        let quote = self.peek().filter(|byte| matches!(byte, b'\'' | b'"'));
        self.at += usize::from(quote.is_some());
        let delimiter = self.name();
        let closed = quote.is_none_or(|quote| self.take(quote));
        let ended = matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b';' | b'|' | b'&'));
        if delimiter.is_empty() || !closed || !ended {
            return None;
        }
        words.target(self.span(start))?;
        self.lift(start, Replacement::Plain);
        self.document = Some(Document { delimiter, quoted: quote.is_some() });
        Some(())
    }

    /// Takes a newline, and the here-document that begins after it; `false` if there is none.
    pub(super) fn newline(&mut self) -> Option<bool> {
        if !self.take(b'\n') {
            return Some(false);
        }
        let Some(document) = self.document.take() else { return Some(true) };
        // Whose line ends in a substitution is not for this reader.
        if self.depth > 0 {
            return None;
        }
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
            let length = rest.iter().position(|byte| *byte == b'\n');
            let line = rest.get(..length.unwrap_or(rest.len()))?;
            self.at += length.map_or(rest.len(), |length| length + 1);
            if line == document.delimiter {
                self.lift(start, Replacement::Nothing);
                return Some(true);
            }
            if !document.quoted && line.iter().any(|byte| matches!(byte, b'$' | b'`' | b'\\')) {
                return None;
            }
        }
    }

    /// What the strict reader has to have lifted out as well, up to here.
    fn lift(&mut self, start: usize, by: Replacement) {
        self.lifted.push(Edit { span: self.span(start), by });
    }

    fn span(&self, start: usize) -> Span {
        Span::new(self.start + start, self.start + self.at)
    }
}

/// Constructs in one another; more are left to the grammar.
const DEEPEST: usize = 8;
