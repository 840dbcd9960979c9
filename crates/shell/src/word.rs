//! Words: quotes, escapes, expansions, globs, tildes, process substitutions.

use crate::builder::Builder;
use crate::ir::{Part, Script, SubstForm, Word};
use crate::reader::{Read, Reader};
use crate::trace::{Piece, Replacement, Trace};
use portcullis_model::Reason;

/// Where a word stands: it decides what its characters mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// An argument, a loop word, an array element, a redirect target: braces and globs expand.
    Argument,
    /// The right side of an assignment: tildes expand after colons, globs do not.
    Value,
    /// The word of `case`, a here-string, an operand of `[[`: no globs, no braces.
    Single,
    /// A pattern of `case`.
    Pattern,
    /// The right side of `==` in `[[`: extended globs are always on.
    TestPattern,
    /// The right side of `=~` in `[[`: parentheses and bars are text.
    TestRegex,
}

/// The quotes around an expansion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// None.
    Unquoted,
    /// Double quotes.
    Double,
    /// The operand of `${…}` inside double quotes or a here-document.
    Operand,
    /// The body of a here-document.
    HereDoc,
    /// Arithmetic and subscripts.
    Arithmetic,
}

impl Quoting {
    pub(crate) fn is_quoted(self) -> bool {
        self != Self::Unquoted
    }
}

/// A word as read, before brace expansion.
#[derive(Debug)]
pub(crate) struct RawWord {
    /// The word.
    pub(crate) word: Word,
    /// Its first byte in the buffer.
    pub(crate) start: usize,
    /// One past its last byte in the buffer.
    pub(crate) end: usize,
    /// What was noticed on the way.
    pub(crate) marks: Marks,
}

/// What was noticed while a word was read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    /// An unquoted `{`.
    pub(crate) braces: bool,
    /// A blank behind a backslash.
    pub(crate) escaped_blank: bool,
}

impl RawWord {
    /// A word made only of substitutions that are empty: bash drops it.
    pub(crate) fn vanishes(&self) -> bool {
        self.word.parts.is_empty() && !self.word.quoted
    }

    /// The text of a word without quotes and expansions.
    pub(crate) fn plain(&self) -> Option<&str> {
        plain_text(&self.word)
    }
}

/// The text of a word without quotes and expansions.
pub(crate) fn plain_text(word: &Word) -> Option<&str> {
    match (word.quoted, word.parts.as_slice()) {
        (false, [Part::Text { text, quoted: false }]) => Some(text),
        _ => None,
    }
}

impl Reader<'_, '_> {
    /// Reads the word that starts here; empty where none does, or where a comment starts.
    pub(crate) fn read_word(&mut self, context: Context) -> Read<RawWord> {
        if self.at(b'#') {
            let (start, word) = (self.pos, Word::default());
            return Ok(RawWord { word, start, end: start, marks: Marks::default() });
        }
        self.read_word_text(context)
    }

    /// As [`Self::read_word`], where the word is part of something that has begun.
    pub(crate) fn read_word_text(&mut self, context: Context) -> Read<RawWord> {
        self.peek();
        let start = self.pos;
        let mut builder = Builder::default();
        self.read_word_parts(context, &mut builder)?;
        let end = self.end_here(start);
        let marks = builder.marks;
        Ok(RawWord { word: builder.finish(self.span(start, end)), start, end, marks })
    }

    /// Reads on in a word whose start may already have been read.
    pub(crate) fn read_word_parts(&mut self, context: Context, builder: &mut Builder) -> Read<()> {
        let start = self.pos;
        let globs = matches!(
            context,
            Context::Argument | Context::Pattern | Context::TestPattern | Context::TestRegex
        );
        // Whether a tilde here would be expanded, and whether one after a colon would be.
        let mut tilde = builder.is_empty();
        let mut colons = context == Context::Value;
        loop {
            let from = self.pos;
            let bytes = self.text.as_bytes();
            let run = bytes.get(from..).unwrap_or(&[]).iter().take_while(|b| is_plain(**b)).count();
            if run > 0 {
                builder.text(self.slice(from, from + run), false);
                self.pos = from + run;
                tilde = false;
            }
            let Some(byte) = self.peek() else { return Ok(()) };
            let was_tilde = std::mem::take(&mut tilde);
            match byte {
                b' ' | b'\t' | b'\n' | b';' | b'&' | b')' => return Ok(()),
                b'|' if context != Context::TestRegex => return Ok(()),
                b'<' | b'>' => {
                    if self.peek_second() != Some(b'(') {
                        return Ok(());
                    }
                    self.read_process(builder)?;
                }
                b'(' => {
                    if context == Context::TestRegex {
                        self.read_group(builder)?;
                    } else if matches!(
                        builder.last_unquoted_char(),
                        Some('?' | '*' | '@' | '+' | '!')
                    ) && self.peek_second() != Some(b')')
                    {
                        if context != Context::TestPattern {
                            let at = self.pos;
                            self.note(Reason::UnsupportedSyntax, at, "extended glob");
                        }
                        self.read_group(builder)?;
                    } else {
                        return Ok(());
                    }
                }
                b'\'' => self.read_single(builder)?,
                b'"' => self.read_double(builder)?,
                b'`' => self.read_backquote(builder, Quoting::Unquoted)?,
                b'$' => self.read_dollar(builder, Quoting::Unquoted)?,
                b'\\' => self.read_escape(builder),
                b'*' | b'?' | b'[' | b']' => {
                    self.pos += 1;
                    let text = match byte {
                        b'*' => "*",
                        b'?' => "?",
                        b'[' => "[",
                        _ => "]",
                    };
                    if globs {
                        builder.brackets |= matches!(byte, b'[' | b']');
                        builder.push(Part::Glob(text.to_owned()), false);
                    } else {
                        builder.text(text, false);
                    }
                }
                b'~' => {
                    let expands = was_tilde && self.read_tilde(builder);
                    if !expands {
                        self.pos += 1;
                        builder.text("~", false);
                    }
                }
                b'=' => {
                    if !colons && is_assignment_start(&self.joined(start, self.pos)) {
                        colons = true;
                        tilde = true;
                    }
                    self.pos += 1;
                    builder.text("=", false);
                }
                b':' => {
                    tilde = colons;
                    self.pos += 1;
                    builder.text(":", false);
                }
                b'{' => {
                    builder.marks.braces = true;
                    self.pos += 1;
                    builder.text("{", false);
                }
                b'|' => {
                    self.pos += 1;
                    builder.text("|", false);
                }
                // A plain byte after a continuation: the next round takes it.
                _ => {}
            }
        }
    }

    /// `'…'`, the cursor at the quote.
    pub(crate) fn read_single(&mut self, builder: &mut Builder) -> Read<()> {
        let start = self.pos;
        let rest = self.text.get(start + 1..).unwrap_or("");
        let Some(length) = rest.find('\'') else {
            self.pos = self.text.len();
            return self.unterminated(start, "single quote");
        };
        self.pos = start + length + 2;
        builder.text(rest.get(..length).unwrap_or(""), true);
        self.note_data(start, self.pos);
        Ok(())
    }

    /// Remembers text that bash takes as it is, for the character gate.
    pub(crate) fn note_data(&mut self, start: usize, end: usize) {
        if let crate::reader::Base::Offset(_) = self.base {
            let span = self.span(start, end);
            self.shared.data.push(span);
        }
    }

    /// `\x`, the cursor at the backslash and no newline after it.
    pub(crate) fn read_escape(&mut self, builder: &mut Builder) {
        let start = self.pos;
        self.pos += 1;
        let Some(escaped) = self.take_char() else {
            builder.text("\\", true);
            return self.note(Reason::UnsupportedSyntax, start, "backslash at the end of the text");
        };
        let blank = matches!(escaped, " " | "\t");
        builder.marks.escaped_blank |= blank;
        let letter = escaped.starts_with(|first: char| first.is_alphanumeric());
        if blank || letter || !builder.is_empty() {
            // The second reader drops escaped blanks, splits `'a'\b`, and takes a newline before
            // `\b` for a part of the word.
            self.trace.edit(start, self.pos, Replacement::Plain);
        }
        builder.text(escaped, true);
    }

    /// `"…"`, the cursor at the quote.
    pub(crate) fn read_double(&mut self, builder: &mut Builder) -> Read<()> {
        let start = self.pos;
        self.pos += 1;
        builder.quoted = true;
        self.read_double_text(builder, Quoting::Double)?;
        if self.take(b'"') { Ok(()) } else { self.unterminated(start, "double quote") }
    }

    /// Text in which only `$`, backquotes and backslashes are special, up to a `"` (except in
    /// here-documents) or the end.
    pub(crate) fn read_double_text(&mut self, builder: &mut Builder, quoting: Quoting) -> Read<()> {
        loop {
            let from = self.pos;
            let rest = self.text.as_bytes().get(from..).unwrap_or(&[]);
            let run =
                rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | b'$' | b'`')).count();
            if run > 0 {
                builder.text(self.slice(from, from + run), true);
                self.pos = from + run;
            }
            let Some(byte) = self.peek() else { return Ok(()) };
            match byte {
                b'"' if quoting == Quoting::HereDoc => {
                    self.pos += 1;
                    builder.text("\"", true);
                }
                b'"' => return Ok(()),
                b'`' => self.read_backquote(builder, quoting)?,
                b'$' => self.read_dollar(builder, quoting)?,
                b'\\' => {
                    self.pos += 1;
                    match self.byte(self.pos) {
                        Some(b'$' | b'`' | b'\\') => {
                            builder.text(self.slice(self.pos, self.pos + 1), true);
                            self.pos += 1;
                        }
                        Some(b'"') if quoting != Quoting::HereDoc => {
                            builder.text("\"", true);
                            self.pos += 1;
                        }
                        _ => builder.text("\\", true),
                    }
                }
                // A plain byte after a continuation: the next round takes it.
                _ => {}
            }
        }
    }

    /// `$…`, the cursor at the dollar.
    pub(crate) fn read_dollar(&mut self, builder: &mut Builder, quoting: Quoting) -> Read<()> {
        let start = self.pos;
        let quoted = quoting.is_quoted();
        self.pos += 1;
        match self.peek() {
            Some(b'(') => {
                if self.peek_second() == Some(b'(')
                    && self.read_dollar_arith(start, builder, quoting)?
                {
                    return Ok(());
                }
                self.pos = start + 1;
                self.take(b'(');
                if self.at(b'(') {
                    // To the second reader `$((` is always arithmetic.
                    self.trace.edit(self.pos, self.pos, Replacement::Text(" "));
                }
                let stand_in = builder.stand_in(quoting);
                let script = self.deeper(|reader| reader.read_substitution(start))?;
                if script.statements.is_empty() {
                    // The grammar of the second reader wants a command in it.
                    self.trace.edit(start, self.pos, stand_in);
                }
                builder.substitution(script, SubstForm::Dollar, quoted);
                Ok(())
            }
            Some(b'{') => {
                self.pos += 1;
                self.deeper(|reader| reader.read_braced(start, builder, quoting))
            }
            Some(b'[') => {
                self.pos += 1;
                self.deeper(|reader| reader.read_bracket_arith(start, builder, quoting))
            }
            Some(b'\'') if quoting == Quoting::Unquoted => self.read_ansi(start, builder),
            Some(b'\'') if quoting == Quoting::Operand => self.read_ansi_in_operand(start, builder),
            // SECURITY: `$"…"` is a translated string. Without a message catalogue (the environment
            // is scrubbed) it is the same text.
            Some(b'"') if quoting == Quoting::Unquoted => self.read_double(builder),
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => {
                let name = self.read_name();
                self.soften_parameter(start, builder, quoting);
                builder.push(Part::parameter(name, quoted), quoted);
                Ok(())
            }
            Some(byte @ (b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')) => {
                self.pos += 1;
                self.soften_parameter(start, builder, quoting);
                builder.push(Part::parameter(char::from(byte).to_string(), quoted), quoted);
                Ok(())
            }
            _ => {
                // The second reader takes a dollar that means nothing for the start of something.
                self.trace.edit(start, start + 1, Replacement::Plain);
                builder.text("$", quoted);
                Ok(())
            }
        }
    }

    fn soften_parameter(&mut self, start: usize, builder: &Builder, quoting: Quoting) {
        if builder.stand_in(quoting) == Replacement::Plain {
            self.trace.edit(start, self.end_here(start), Replacement::Plain);
        }
    }

    /// A variable name; empty where none starts.
    pub(crate) fn read_name(&mut self) -> String {
        let mut name = String::new();
        while let Some(byte) = self.peek() {
            let fits = byte == b'_'
                || byte.is_ascii_alphabetic()
                || (byte.is_ascii_digit() && !name.is_empty());
            if !fits {
                break;
            }
            name.push(char::from(byte));
            self.pos += 1;
        }
        name
    }

    /// The commands of `$( … )`, `<( … )` or `>( … )` that began at `start`, the cursor after the
    /// parenthesis.
    pub(crate) fn read_substitution(&mut self, start: usize) -> Read<Script> {
        let parenthesis = self.pos - 1;
        let trace = self.islands.then(|| std::mem::take(&mut self.trace));
        let islands = std::mem::take(&mut self.islands);
        let pending = std::mem::take(&mut self.pending);
        let outer_pending = self.within.outer_pending || !pending.is_empty();
        let within = crate::reader::Within { parenthesis: true, outer_pending, documents: 0 };
        let outer = std::mem::replace(&mut self.within, within);
        let mut script = Script::default();
        let read = self.read_list(&mut script, &[]);
        let closed = match read {
            Ok(()) if self.take(b')') => Ok(()),
            Ok(()) if self.peek().is_none() => self.unterminated(start, "substitution"),
            Ok(()) => self.syntax("unexpected token in a substitution"),
            Err(stop) => Err(stop),
        };
        let documents = std::mem::replace(&mut self.within, outer).documents;
        if documents > 0 && script.has_compound() {
            self.refuse_reprinted(start);
        }
        self.islands = islands;
        let late = std::mem::replace(&mut self.pending, pending);
        if !late.is_empty() {
            // bash 5.2 warns and takes the body from the lines after; older versions differ.
            self.note(Reason::Unterminated, start, "here-document in a substitution");
            self.pending.extend(late);
        }
        let empty = closed.is_ok() && script.statements.is_empty();
        if let Some(outer_trace) = trace {
            let inner = std::mem::replace(&mut self.trace, outer_trace);
            self.trace.continuations.extend(&inner.continuations);
            if !empty {
                let piece = Piece {
                    text: format!("${}", self.slice(parenthesis, self.pos)),
                    start: parenthesis.saturating_sub(1),
                    trace: inner,
                    island: true,
                    span: self.span(start, self.pos),
                };
                self.shared.pieces.push(piece);
            }
        }
        if empty {
            self.show_nothing_in(parenthesis + 1, self.pos - 1);
        }
        if let Err(stop) = closed {
            self.salvage(script);
            return Err(stop);
        }
        Ok(script)
    }

    /// Gives the second reader the comments and blanks of an empty substitution: it has to see no
    /// command in them either.
    fn show_nothing_in(&mut self, from: usize, to: usize) {
        let continuations = &self.trace.continuations;
        let inside = continuations.iter().copied().filter(|at| (from..to).contains(at)).collect();
        let trace = Trace { continuations: inside, ..Trace::default() };
        let (text, span) = (self.slice(from, to).to_owned(), self.span(from, to));
        self.shared.pieces.push(Piece { text, start: from, trace, island: false, span });
    }

    /// Keeps the commands of something that turned out broken, for deny rules.
    pub(crate) fn salvage(&mut self, script: Script) {
        self.shared.salvaged.extend(script.statements);
    }

    fn read_process(&mut self, builder: &mut Builder) -> Read<()> {
        self.peek();
        let start = self.pos;
        let output = self.byte(start) == Some(b'>');
        self.pos += 1;
        self.take(b'(');
        if !builder.is_empty() {
            // The grammar of the second reader splits `x<(y)` in two words; `x$(y)` it reads right.
            self.trace.edit(start, start + 1, Replacement::Text("$"));
        }
        if self.at(b'(') {
            self.check_nested_process()?;
        }
        let script = self.deeper(|reader| reader.read_substitution(start))?;
        builder.push(Part::Process { script, output }, false);
        Ok(())
    }

    /// `~…` where bash would expand it; takes nothing otherwise.
    fn read_tilde(&mut self, builder: &mut Builder) -> bool {
        let start = self.pos;
        self.pos += 1;
        let mut name = String::new();
        loop {
            match self.peek() {
                Some(byte)
                    if byte.is_ascii_alphanumeric()
                        || matches!(byte, b'_' | b'.' | b'+' | b'-') =>
                {
                    name.push(char::from(byte));
                    self.pos += 1;
                }
                None | Some(b'/' | b':' | b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b')') => {
                    break;
                }
                Some(b'<' | b'>') if self.peek_second() != Some(b'(') => break,
                Some(_) => {
                    self.pos = start;
                    return false;
                }
            }
        }
        builder.push(Part::Tilde(name), false);
        true
    }

    /// `( … )` of an extended glob or a regular expression, the cursor at the parenthesis.
    fn read_group(&mut self, builder: &mut Builder) -> Read<()> {
        let start = self.pos;
        let mut open = 0_usize;
        loop {
            match self.peek() {
                None => return self.unterminated(start, "parenthesis in a pattern"),
                Some(b'(') => {
                    open += 1;
                    self.pos += 1;
                    builder.push(Part::Glob("(".to_owned()), false);
                }
                Some(b')') => {
                    open -= 1;
                    self.pos += 1;
                    builder.push(Part::Glob(")".to_owned()), false);
                    if open == 0 {
                        return Ok(());
                    }
                }
                Some(b'\'') => self.read_single(builder)?,
                Some(b'"') => self.read_double(builder)?,
                Some(b'`') => self.read_backquote(builder, Quoting::Unquoted)?,
                Some(b'$') => self.read_dollar(builder, Quoting::Unquoted)?,
                Some(b'\\') => self.read_escape(builder),
                Some(b'<' | b'>') if self.peek_second() == Some(b'(') => {
                    self.note(
                        Reason::UnsupportedSyntax,
                        start,
                        "process substitution in a pattern",
                    );
                    self.read_process(builder)?;
                }
                Some(_) => {
                    let text = self.take_char().unwrap_or("");
                    builder.push(Part::Glob(text.to_owned()), false);
                }
            }
        }
    }
}

/// Bytes that mean nothing but themselves in an unquoted word.
fn is_plain(byte: u8) -> bool {
    !matches!(
        byte,
        b' ' | b'\t'
            | b'\n'
            | b';'
            | b'&'
            | b'|'
            | b'('
            | b')'
            | b'<'
            | b'>'
            | b'\''
            | b'"'
            | b'`'
            | b'$'
            | b'\\'
            | b'*'
            | b'?'
            | b'['
            | b']'
            | b'~'
            | b'='
            | b':'
            | b'{'
    )
}

/// Whether text is a plain variable name.
pub(crate) fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|byte| byte == b'_' || byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

/// Whether the text before a `=` makes an argument look like an assignment: bash then expands a
/// tilde after it.
fn is_assignment_start(text: &str) -> bool {
    let text = text.strip_suffix('+').unwrap_or(text);
    match text.split_once('[') {
        Some((name, rest)) => is_name(name) && rest.ends_with(']'),
        None => is_name(text),
    }
}
