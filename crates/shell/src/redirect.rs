//! Redirects.

use crate::builder::Builder;
use crate::ir::{Descriptor, HereDoc, Part, Redirect, RedirectOp, Target, Word};
use crate::reader::{Pending, Read, Reader};
use crate::trace::Replacement;
use crate::word::{Context, is_name};
use portcullis_model::{Reason, Span};

impl Reader<'_, '_> {
    /// Reads the redirect that starts here, if one does.
    pub(crate) fn read_redirect(&mut self) -> Read<Option<Redirect>> {
        let start = match self.peek() {
            Some(b'0'..=b'9' | b'{' | b'<' | b'>' | b'&') => self.pos,
            _ => return Ok(None),
        };
        let descriptor = self.read_descriptor();
        let from = self.pos;
        let Some(op) = self.read_operator() else {
            self.pos = start;
            return Ok(None);
        };
        match &descriptor {
            Descriptor::Variable(_) => self.trace.edit(start, from, Replacement::Blanks),
            // To the second reader such digits are an argument.
            Descriptor::Number(digits)
                if digits.starts_with('0') && digits.len() <= LONGEST_DESCRIPTOR =>
            {
                self.trace.edit(start, from, Replacement::Blanks);
            }
            Descriptor::Number(digits) if digits.len() > LONGEST_DESCRIPTOR => {
                self.note(Reason::UnsupportedSyntax, start, "large descriptor number");
            }
            Descriptor::Default | Descriptor::Number(_) => {}
        }
        // Forms the second reader does not know look to it like a plain `<`.
        if matches!(
            op,
            RedirectOp::ReadWrite
                | RedirectOp::HereString
                | RedirectOp::HereDoc
                | RedirectOp::HereDocTabs
        ) {
            self.trace.edit(from + 1, self.pos, Replacement::Blanks);
        }
        self.skip_blanks();
        let target = match op {
            RedirectOp::HereDoc | RedirectOp::HereDocTabs => {
                self.read_here_delimiter(op == RedirectOp::HereDocTabs)?
            }
            RedirectOp::HereString => Target::Word(self.read_target(Context::Single)?),
            // SECURITY: after `>&` and `<&` a dash is a token of its own, blank before it or not,
            // so in `cmd >& -rf x` the words `rf` and `x` are arguments.
            RedirectOp::DupWrite | RedirectOp::DupRead if self.at(b'-') => {
                self.read_dash_target(from)
            }
            RedirectOp::Read
            | RedirectOp::Write
            | RedirectOp::Append
            | RedirectOp::Clobber
            | RedirectOp::ReadWrite
            | RedirectOp::WriteBoth
            | RedirectOp::AppendBoth
            | RedirectOp::DupWrite
            | RedirectOp::DupRead => {
                let mut word = self.read_target(Context::Argument)?;
                if matches!(op, RedirectOp::DupWrite | RedirectOp::DupRead) {
                    self.judge_twice_expanded(&mut word)?;
                }
                self.judge_target(&word);
                Target::Word(word)
            }
        };
        Ok(Some(Redirect { descriptor, op, target, span: self.span(start, self.pos) }))
    }

    /// The descriptor before an operator; nothing is taken if no operator follows.
    fn read_descriptor(&mut self) -> Descriptor {
        let start = self.pos;
        let mut found = Descriptor::Default;
        if self.take(b'{') {
            let name = self.read_name();
            if is_name(&name) && self.take(b'}') {
                found = Descriptor::Variable(name);
            }
        } else {
            let mut digits = String::new();
            while let Some(byte @ b'0'..=b'9') = self.peek() {
                digits.push(char::from(byte));
                self.pos += 1;
            }
            if !digits.is_empty() {
                found = Descriptor::Number(digits);
            }
        }
        let none = found == Descriptor::Default;
        if none || !matches!(self.peek(), Some(b'<' | b'>')) || self.peek_second() == Some(b'(') {
            self.pos = start;
            return Descriptor::Default;
        }
        found
    }

    fn read_operator(&mut self) -> Option<RedirectOp> {
        let both = match (self.peek(), self.peek_second()) {
            (Some(b'<' | b'>'), Some(b'(')) => return None,
            (Some(b'<'), _) => return Some(self.read_input_operator()),
            (Some(b'>'), _) => false,
            (Some(b'&'), Some(b'>')) => true,
            _ => return None,
        };
        if both {
            self.take(b'&');
        }
        self.take(b'>');
        Some(if self.take(b'>') {
            if both { RedirectOp::AppendBoth } else { RedirectOp::Append }
        } else if both {
            RedirectOp::WriteBoth
        } else if self.take(b'&') {
            RedirectOp::DupWrite
        } else if self.take(b'|') {
            RedirectOp::Clobber
        } else {
            RedirectOp::Write
        })
    }

    fn read_input_operator(&mut self) -> RedirectOp {
        self.take(b'<');
        if self.take(b'<') {
            if self.take(b'<') {
                RedirectOp::HereString
            } else if self.take(b'-') {
                RedirectOp::HereDocTabs
            } else {
                RedirectOp::HereDoc
            }
        } else if self.take(b'&') {
            RedirectOp::DupRead
        } else if self.take(b'>') {
            RedirectOp::ReadWrite
        } else {
            RedirectOp::Read
        }
    }

    fn read_target(&mut self, context: Context) -> Read<Word> {
        let raw = self.read_word(context)?;
        if raw.end == raw.start {
            return self.syntax("a redirect has no target");
        }
        self.trace.words.push((Span::new(raw.start, raw.end), 0));
        if context == Context::Single || !raw.marks.braces {
            return Ok(raw.word);
        }
        let mut words = Vec::new();
        let (start, unexpanded) = (raw.start, raw.word.clone());
        self.push_expanded(raw, &mut words)?;
        if words.iter().any(|word| word.from_brace) {
            self.note(Reason::DynamicRedirect, start, "brace expansion in a redirect");
        }
        Ok(unexpanded)
    }

    fn read_dash_target(&mut self, operator: usize) -> Target {
        let start = self.pos;
        self.pos += 1;
        let end = self.pos;
        self.trace.edit(operator, end, Replacement::Text(">x "));
        let mut builder = Builder::default();
        builder.text("-", false);
        Target::Word(builder.finish(self.span(start, end)))
    }

    /// The target of `>&`.
    ///
    /// SECURITY: bash expands it twice when it turns out to be a file name
    /// (`do_redirection_internal` makes a second redirect of the result; measured on 5.2), so
    /// `cmd >& '$(other)'` runs other. Only text that has no meaning to the second round is known.
    fn judge_twice_expanded(&mut self, word: &mut Word) -> Read<()> {
        let Some(text) = word.known() else { return Ok(()) };
        let inert = |byte: u8| byte.is_ascii_alphanumeric() || b"_./+,@%^=:-".contains(&byte);
        if text.bytes().all(inert) {
            return Ok(());
        }
        self.shared.note(Reason::DynamicRedirect, word.span, "the target is expanded twice");
        let hidden = self.read_hidden(&text, word.span)?;
        word.parts.extend(hidden);
        Ok(())
    }

    /// Refuses targets that are not known from the text, and those that are sockets.
    fn judge_target(&mut self, word: &Word) {
        let known = match word.parts.as_slice() {
            [Part::Process { .. }] => true,
            // `~/…`: the home directory is known to whoever asks; nothing else after `~` is.
            [Part::Tilde(user), Part::Text { text, .. }] => {
                user.is_empty() && text.starts_with('/')
            }
            [Part::Tilde(user), Part::Text { text, .. }, rest @ ..] => {
                user.is_empty()
                    && text.starts_with('/')
                    && rest.iter().all(|part| matches!(part, Part::Text { .. }))
            }
            _ => word.known().is_some(),
        };
        if !known {
            self.shared.note(Reason::DynamicRedirect, word.span, "");
        }
        let start: String = word
            .parts
            .iter()
            .map_while(
                |part| if let Part::Text { text, .. } = part { Some(text.as_str()) } else { None },
            )
            .collect();
        if start.starts_with("/dev/tcp/") || start.starts_with("/dev/udp/") {
            self.shared.note(Reason::NetRedirect, word.span, "");
        }
    }

    /// The delimiter of a here-document; its body is read at the next newline.
    fn read_here_delimiter(&mut self, tabs: bool) -> Read<Target> {
        self.peek();
        let start = self.pos;
        let mut builder = Builder::default();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => break,
                b'\'' => self.read_single(&mut builder)?,
                b'"' => self.read_delimiter_quotes(&mut builder)?,
                b'\\' => self.read_escape(&mut builder),
                b'`' => return self.refuse_delimiter(start),
                b'$' => {
                    let dollar = self.pos;
                    match self.peek_second() {
                        Some(b'\'') => {
                            self.pos += 1;
                            self.peek();
                            self.read_ansi(dollar, &mut builder)?;
                        }
                        Some(b'"') => {
                            self.pos += 1;
                            self.peek();
                            self.read_delimiter_quotes(&mut builder)?;
                        }
                        Some(b'(' | b'{' | b'[') => return self.refuse_delimiter(start),
                        _ => {
                            self.pos += 1;
                            builder.text("$", false);
                        }
                    }
                }
                _ => {
                    let text = self.take_char().unwrap_or("");
                    builder.text(text, false);
                }
            }
        }
        let end = self.end_here(start);
        if end == start || self.byte(start) == Some(b'#') {
            return self.syntax("a here-document has no delimiter");
        }
        let word = builder.finish(self.span(start, end));
        let (Some(delimiter), quoted) = (word.known(), word.quoted) else {
            return self.refuse_delimiter(start);
        };
        if delimiter.contains('\n') {
            self.note(Reason::UnsupportedSyntax, start, "newline in a here-document delimiter");
        }
        self.trace.words.push((Span::new(start, end), 0));
        self.trace.edit(start, end, Replacement::Plain);
        let ticket = self.shared.bodies.len();
        self.shared.bodies.push(None);
        if self.within.parenthesis {
            self.within.documents += 1;
            if self.within.documents > 1 {
                self.refuse_reprinted(start);
            }
        }
        self.pending.push(Pending { delimiter: delimiter.clone(), quoted, tabs, ticket });
        if self.pending.len() > MOST_HERE_DOCUMENTS {
            self.note(Reason::UnsupportedSyntax, start, "too many here-documents on a line");
        }
        // The body is put in once the whole command is read.
        let body = Word { span: Span::new(ticket, ticket), ..Word::default() };
        Ok(Target::HereDoc(HereDoc { delimiter, quoted, body }))
    }

    /// `"…"` in a delimiter: expansions are not looked for.
    fn read_delimiter_quotes(&mut self, builder: &mut Builder) -> Read<()> {
        let start = self.pos;
        self.pos += 1;
        builder.quoted = true;
        loop {
            match self.peek() {
                None => return self.unterminated(start, "double quote"),
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(());
                }
                Some(b'`') => return self.refuse_delimiter(start),
                Some(b'$') if matches!(self.peek_second(), Some(b'(' | b'{' | b'[')) => {
                    return self.refuse_delimiter(start);
                }
                Some(b'\\') => {
                    self.pos += 1;
                    match self.byte(self.pos) {
                        Some(b'$' | b'`' | b'\\' | b'"') => {
                            builder.text(self.slice(self.pos, self.pos + 1), true);
                            self.pos += 1;
                        }
                        _ => builder.text("\\", true),
                    }
                }
                Some(_) => {
                    let text = self.take_char().unwrap_or("");
                    builder.text(text, true);
                }
            }
        }
    }

    fn refuse_delimiter<T>(&mut self, start: usize) -> Read<T> {
        self.note(Reason::UnsupportedSyntax, start, "expansion in a here-document delimiter");
        Err(crate::reader::Stop::Line)
    }
}

/// Digits of the largest descriptor that is surely one to every bash.
const LONGEST_DESCRIPTOR: usize = 9;

/// bash gives up on more (`HEREDOC_MAX`).
const MOST_HERE_DOCUMENTS: usize = 16;
