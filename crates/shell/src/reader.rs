//! The cursor of the strict reader: bytes, continuations, limits, obstacles.
//!
//! One [`Reader`] reads one buffer. Text that bash reads a second time after unescaping it
//! (backquotes, brace expansion, here-document bodies) gets a reader of its own over the unescaped
//! copy; all readers of one command share [`Shared`].

use crate::ir::Obstacle;
use crate::trace::{Piece, Trace};
use portcullis_model::{Reason, Span};

/// Why reading stopped; the obstacle is already noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A syntax error: reading may go on at a later line.
    Line,
    /// A limit: nothing more is read.
    All,
}

/// A result of reading.
pub(crate) type Read<T> = Result<T, Stop>;

/// What all readers of one command share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What could not be read.
    pub(crate) obstacles: Vec<Obstacle>,
    /// Commands that were complete inside something that was not.
    pub(crate) salvaged: Vec<crate::ir::Statement>,
    /// Bodies of here-documents by ticket, until the whole command is read.
    pub(crate) bodies: Vec<Option<crate::ir::Word>>,
    /// Texts for the second reader.
    pub(crate) pieces: Vec<Piece>,
    /// Ranges of single-quoted text and quoted here-document bodies in the command as given.
    pub(crate) data: Vec<Span>,
    /// How many constructs are open.
    pub(crate) depth: usize,
    /// Steps left for what is not read in one pass.
    pub(crate) fuel: usize,
    /// Whether some arithmetic names variables, so that their assignments have to be looked at.
    pub(crate) arithmetic_names: bool,
    /// The number the next simple command gets in the trace.
    pub(crate) next_command: u32,
}

/// How offsets of a buffer map to the command as given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    /// The buffer is a part of it that starts here.
    Offset(usize),
    /// The buffer is an unescaped copy of this part.
    Within(Span),
}

/// A here-document whose body has not started yet.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The delimiter after quote removal.
    pub(crate) delimiter: String,
    /// The delimiter was quoted.
    pub(crate) quoted: bool,
    /// `<<-`
    pub(crate) tabs: bool,
    /// The number its body is filed under.
    pub(crate) ticket: usize,
}

/// The substitution a list stands in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Within {
    /// There is one, and its `)` is awaited (bash then ends here-documents early).
    pub(crate) parenthesis: bool,
    /// An enclosing list has here-documents pending.
    pub(crate) outer_pending: bool,
    /// How many here-documents were announced in it.
    pub(crate) documents: usize,
}

/// A cursor over one buffer.
#[derive(Debug)]
pub(crate) struct Reader<'t, 's> {
    /// The buffer; shortened while a bounded part of it is read.
    pub(crate) text: &'t str,
    /// The next byte.
    pub(crate) pos: usize,
    /// How offsets map to the command as given.
    pub(crate) base: Base,
    /// What all readers of this command share.
    pub(crate) shared: &'s mut Shared,
    /// What the second reader will be compared with.
    pub(crate) trace: Trace,
    /// Here-documents whose bodies start at the next newline.
    pub(crate) pending: Vec<Pending>,
    /// The substitution being read.
    pub(crate) within: Within,
    /// Around here is text the second reader does not see: substitutions go to it one by one.
    pub(crate) islands: bool,
}

impl Shared {
    /// State for one command.
    pub(crate) fn new() -> Self {
        Self {
            obstacles: Vec::new(),
            salvaged: Vec::new(),
            bodies: Vec::new(),
            pieces: Vec::new(),
            data: Vec::new(),
            depth: 0,
            fuel: FUEL,
            arithmetic_names: false,
            next_command: 0,
        }
    }

    /// Notes an obstacle.
    pub(crate) fn note(&mut self, reason: Reason, span: Span, detail: impl Into<String>) {
        self.obstacles.push(Obstacle { reason, span, detail: detail.into() });
    }
}

impl<'t, 's> Reader<'t, 's> {
    /// A reader over `text`.
    pub(crate) fn new(text: &'t str, base: Base, shared: &'s mut Shared) -> Self {
        Self {
            text,
            pos: 0,
            base,
            shared,
            trace: Trace::default(),
            pending: Vec::new(),
            within: Within::default(),
            islands: false,
        }
    }

    /// The byte at an offset, continuations included.
    pub(crate) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The next byte as bash sees it outside single quotes: continuations before it are gone.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let byte = self.byte(self.pos)?;
        if byte == b'\\' && self.byte(self.pos + 1) == Some(b'\n') {
            return self.peek_past_continuations();
        }
        Some(byte)
    }

    /// Whether the next byte is this one.
    pub(crate) fn at(&mut self, byte: u8) -> bool {
        self.peek() == Some(byte)
    }

    /// Takes the next byte if it is this one.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.at(byte);
        if found {
            self.pos += 1;
        }
        found
    }

    /// The byte after the next one, without moving.
    pub(crate) fn peek_second(&mut self) -> Option<u8> {
        let start = self.pos;
        self.peek()?;
        self.pos += 1;
        let second = self.peek();
        self.pos = start;
        second
    }

    /// Takes these bytes if they are next.
    pub(crate) fn take_all(&mut self, bytes: &[u8]) -> bool {
        let start = self.pos;
        for byte in bytes {
            if !self.take(*byte) {
                self.pos = start;
                return false;
            }
        }
        true
    }

    fn peek_past_continuations(&mut self) -> Option<u8> {
        while self.byte(self.pos) == Some(b'\\') && self.byte(self.pos + 1) == Some(b'\n') {
            if self.trace.continuations.last().is_none_or(|last| *last < self.pos) {
                self.trace.continuations.push(self.pos);
            }
            self.pos += 2;
        }
        self.byte(self.pos)
    }

    /// Where what began at `start` ends: here, or before the continuations just skipped.
    pub(crate) fn end_here(&self, start: usize) -> usize {
        let mut end = self.pos;
        for at in self.trace.continuations.iter().rev() {
            if at + 2 != end || *at < start {
                break;
            }
            end = *at;
        }
        end
    }

    /// Takes one whole character, continuations not considered.
    pub(crate) fn take_char(&mut self) -> Option<&'t str> {
        let rest = self.text.get(self.pos..)?;
        let length = rest.chars().next()?.len_utf8();
        self.pos += length;
        rest.get(..length)
    }

    /// The text between two offsets as written.
    pub(crate) fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or("")
    }

    /// The text between two offsets without the continuations that were removed there.
    pub(crate) fn joined(&self, start: usize, end: usize) -> String {
        let first = self.trace.continuations.partition_point(|at| *at < start);
        let mut out = String::with_capacity(end.saturating_sub(start));
        let mut from = start;
        for at in self.trace.continuations.iter().skip(first).take_while(|at| **at < end) {
            out.push_str(self.slice(from, *at));
            from = at + 2;
        }
        out.push_str(self.slice(from, end));
        out
    }

    /// Whether there are newlines and blanks between two offsets, and nothing else.
    pub(crate) fn only_newlines(&self, start: usize, end: usize) -> bool {
        let text = self.joined(start, end);
        text.contains('\n') && text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
    }

    /// The part of the command as given that two offsets of this buffer stand for.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        match self.base {
            Base::Offset(offset) => Span::new(start + offset, end + offset),
            Base::Within(span) => span,
        }
    }

    /// Notes an obstacle about the text since `start`.
    pub(crate) fn note(&mut self, reason: Reason, start: usize, detail: &str) {
        let span = self.span(start, self.pos);
        self.shared.note(reason, span, detail);
    }

    /// A syntax error at the next byte.
    pub(crate) fn syntax<T>(&mut self, detail: &str) -> Read<T> {
        self.note_syntax(detail);
        Err(Stop::Line)
    }

    /// As [`Self::syntax`], where reading goes on by itself.
    pub(crate) fn note_syntax(&mut self, detail: &str) {
        let end = (self.pos + 1).min(self.text.len());
        let span = self.span(self.pos, end);
        self.shared.note(Reason::SyntaxError, span, detail);
    }

    /// The text ended inside what began at `start`.
    pub(crate) fn unterminated<T>(&mut self, start: usize, detail: &str) -> Read<T> {
        self.note(Reason::Unterminated, start, detail);
        Err(Stop::Line)
    }

    /// As [`Self::unterminated`], for commands that no quote or parenthesis keeps open: bash calls
    /// those a syntax error at the end of the text.
    pub(crate) fn unfinished<T>(&mut self, start: usize, detail: &str) -> Read<T> {
        self.note_syntax(detail);
        self.unterminated(start, detail)
    }

    /// Opens a construct; [`Self::leave`] closes it.
    pub(crate) fn enter(&mut self) -> Read<()> {
        if self.shared.depth >= MAX_DEPTH {
            self.note_depth();
            return Err(Stop::All);
        }
        self.shared.depth += 1;
        Ok(())
    }

    fn note_depth(&mut self) {
        let at = self.pos;
        self.note(Reason::TooDeep, at, "nested deeper than 64 levels");
    }

    /// Opens a parenthesis that takes no stack: where it is one too many, the text is still read.
    pub(crate) fn open_parenthesis(&mut self, open: &mut usize) {
        *open += 1;
        if self.shared.depth + *open == MAX_DEPTH + 1 {
            self.note_depth();
        }
    }

    /// Closes what [`Self::enter`] opened, on the way out of an error too.
    pub(crate) fn leave(&mut self) {
        self.shared.depth = self.shared.depth.saturating_sub(1);
    }

    /// Reads one level deeper.
    pub(crate) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.enter()?;
        let result = read(self);
        self.leave();
        result
    }

    /// Pays for work that is not part of the one pass.
    pub(crate) fn burn(&mut self, steps: usize) -> Read<()> {
        if let Some(left) = self.shared.fuel.checked_sub(steps) {
            self.shared.fuel = left;
            return Ok(());
        }
        self.shared.fuel = 0;
        self.note(Reason::ParseBudget, self.pos, "too much text has to be read again");
        Err(Stop::All)
    }

    /// Reads with the buffer cut off at `end`.
    pub(crate) fn bounded<T>(
        &mut self,
        end: usize,
        read: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<T> {
        let whole = self.text;
        self.text = whole.get(..end).unwrap_or(whole);
        let result = read(self);
        self.text = whole;
        result
    }

    /// Takes a `;` that separates commands.
    pub(crate) fn take_semicolon(&mut self) -> bool {
        let found = self.take(b';');
        if found && self.within.documents > 0 {
            self.refuse_reprinted(self.pos);
        }
        found
    }

    /// Refuses here-documents in substitutions that are more than plain.
    ///
    /// SECURITY: bash 5.2 prints what it parsed in `$( … )` and parses that again, and its printer
    /// loses the first `;` after a here-document, so that `$(a <<E⏎E⏎b;c)` runs `b c`; in compound
    /// commands and with several here-documents it goes wrong in other ways.
    pub(crate) fn refuse_reprinted(&mut self, start: usize) {
        self.note(
            Reason::UnsupportedSyntax,
            start,
            "a here-document and more than plain lines in one substitution",
        );
    }

    /// Blanks, continuations among them; not newlines.
    pub(crate) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.pos += 1;
        }
    }
}

/// How deep constructs may nest: deeper than anything people write, shallow enough for the stack.
pub const MAX_DEPTH: usize = 64;

/// Steps for what is not read in one pass (the look-ahead after `((`, brace expansion, unescaped
/// copies). Forty times the longest command: far more than real commands need, under a millisecond.
const FUEL: usize = 400_000;
