//! Here-document bodies.

use crate::builder::Builder;
use crate::ir::{Command, Compound, Part, Script, Target, Word};
use crate::reader::{Base, Pending, Read, Reader};
use crate::trace::Replacement;
use crate::word::Quoting;
use portcullis_model::Reason;

/// The lines of a body.
#[derive(Debug)]
struct Lines {
    text: String,
    start: usize,
    end: usize,
    /// The text is byte for byte that between the two offsets.
    exact: bool,
    closed: bool,
}

impl Reader<'_, '_> {
    /// A newline token, and the here-document bodies after it.
    pub(crate) fn take_newline(&mut self) -> Read<()> {
        self.pos += 1;
        if self.within.outer_pending {
            let at = self.pos;
            self.note(
                Reason::UnsupportedSyntax,
                at,
                "here-document around a substitution of many lines",
            );
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        for pending in std::mem::take(&mut self.pending) {
            self.read_body(&pending)?;
        }
        Ok(())
    }

    /// The text ended before the line that announced these here-documents did.
    pub(crate) fn finish_pending(&mut self) -> Read<()> {
        for pending in std::mem::take(&mut self.pending) {
            self.read_body(&pending)?;
        }
        Ok(())
    }

    fn read_body(&mut self, pending: &Pending) -> Read<()> {
        let start = self.pos;
        let lines = self.take_lines(pending);
        self.trace.edit(start, self.pos, Replacement::Nothing);
        if !lines.closed {
            // bash warns and takes the rest of the text; an older or newer one may not.
            self.note(Reason::Unterminated, start, "here-document");
        }
        let body_span = self.span(lines.start, lines.end);
        let body = if pending.quoted {
            self.note_data(lines.start, lines.end);
            let mut builder = Builder::default();
            builder.text(&lines.text, true);
            builder.finish(body_span)
        } else {
            let base = match self.base {
                Base::Offset(offset) if lines.exact => Base::Offset(offset + lines.start),
                Base::Offset(_) | Base::Within(_) => Base::Within(body_span),
            };
            self.burn(lines.text.len())?;
            let mut inner = Reader::new(&lines.text, base, &mut *self.shared);
            inner.islands = true;
            let mut builder = Builder { quoted: true, ..Builder::default() };
            inner.deeper(|reader| reader.read_double_text(&mut builder, Quoting::HereDoc))?;
            builder.finish(body_span)
        };
        if let Some(slot) = self.shared.bodies.get_mut(pending.ticket) {
            *slot = Some(body);
        }
        Ok(())
    }

    /// Takes lines up to and including the delimiter line.
    ///
    /// SECURITY: the delimiter is compared byte for byte with the whole line, after continuations
    /// are joined (unless quoted) and tabs are stripped (`<<-` only). Anything looser ends the body
    /// where bash does not.
    fn take_lines(&mut self, pending: &Pending) -> Lines {
        let mut lines = Lines {
            text: String::new(),
            start: self.pos,
            end: self.pos,
            exact: true,
            closed: false,
        };
        while self.pos < self.text.len() {
            let line_start = self.pos;
            let (mut line, joined) = self.take_line(pending.quoted);
            lines.exact &= !joined;
            let untabbed = line.trim_start_matches('\t');
            if pending.tabs && line != pending.delimiter && untabbed.len() < line.len() {
                lines.exact = false;
                line = untabbed.to_owned();
            }
            if line == pending.delimiter {
                lines.closed = true;
                return lines;
            }
            if self.within.parenthesis
                && let Some(rest) = line.strip_prefix(pending.delimiter.as_str())
                && rest.contains(')')
            {
                // bash 5.2 ends the body here and reads on after the delimiter; others read on in
                // the body.
                self.note(
                    Reason::UnsupportedSyntax,
                    line_start,
                    "here-document delimiter followed by a parenthesis",
                );
                if !joined {
                    let whole = self.slice(line_start, self.pos);
                    let tabs = whole.len() - whole.trim_start_matches('\t').len();
                    let skipped = if pending.tabs { tabs } else { 0 };
                    self.pos = line_start + skipped + pending.delimiter.len();
                    lines.closed = true;
                    return lines;
                }
            }
            lines.text.push_str(&line);
            if self.byte(self.pos.saturating_sub(1)) == Some(b'\n') {
                lines.text.push('\n');
            }
            lines.end = self.pos;
        }
        lines
    }

    /// One line without its newline, and whether continuations were joined in it.
    fn take_line(&mut self, quoted: bool) -> (String, bool) {
        let mut line = String::new();
        let mut joined = false;
        loop {
            let rest = self.text.get(self.pos..).unwrap_or("");
            let stop = rest
                .bytes()
                .position(|byte| byte == b'\n' || (byte == b'\\' && !quoted))
                .unwrap_or(rest.len());
            line.push_str(rest.get(..stop).unwrap_or(""));
            self.pos += stop;
            match (self.byte(self.pos), self.byte(self.pos + 1)) {
                (Some(b'\\'), Some(b'\n')) => {
                    joined = true;
                    self.pos += 2;
                }
                (Some(b'\\'), Some(_)) => {
                    line.push('\\');
                    self.pos += 1;
                    line.push_str(self.take_char().unwrap_or(""));
                }
                (Some(b'\\'), None) => {
                    line.push('\\');
                    self.pos += 1;
                }
                (Some(_), _) => {
                    self.pos += 1;
                    return (line, joined);
                }
                (None, _) => return (line, joined),
            }
        }
    }
}

/// Puts the bodies that were read into the here-documents that announced them.
pub(crate) fn place_bodies(script: &mut Script, bodies: &mut [Option<Word>]) {
    for statement in &mut script.statements {
        let rest = statement.list.rest.iter_mut().map(|(_, pipeline)| pipeline);
        for pipeline in std::iter::once(&mut statement.list.first).chain(rest) {
            for command in &mut pipeline.commands {
                place_in_command(command, bodies);
            }
        }
    }
}

fn place_in_command(command: &mut Command, bodies: &mut [Option<Word>]) {
    let redirects = match command {
        Command::Simple(simple) => {
            for assign in &mut simple.assigns {
                if let Some(subscript) = &mut assign.subscript {
                    place_in_words(std::slice::from_mut(subscript), bodies);
                }
                match &mut assign.value {
                    crate::ir::AssignValue::Scalar(word) => {
                        place_in_words(std::slice::from_mut(word), bodies);
                    }
                    crate::ir::AssignValue::Array(words) => place_in_words(words, bodies),
                }
            }
            place_in_words(&mut simple.words, bodies);
            &mut simple.redirects
        }
        Command::Compound { kind, redirects, .. } => {
            place_in_compound(kind, bodies);
            redirects
        }
    };
    for redirect in redirects {
        match &mut redirect.target {
            Target::Word(word) => place_in_words(std::slice::from_mut(word), bodies),
            Target::HereDoc(document) => {
                let ticket = document.body.span.start;
                let body = bodies.get_mut(ticket).and_then(Option::take);
                document.body = body.unwrap_or_default();
                place_in_words(std::slice::from_mut(&mut document.body), bodies);
            }
        }
    }
}

fn place_in_compound(kind: &mut Compound, bodies: &mut [Option<Word>]) {
    match kind {
        Compound::Group(script) | Compound::Subshell(script) => place_bodies(script, bodies),
        Compound::If { arms, otherwise } => {
            for (condition, body) in arms {
                place_bodies(condition, bodies);
                place_bodies(body, bodies);
            }
            if let Some(script) = otherwise {
                place_bodies(script, bodies);
            }
        }
        Compound::While { condition, body, .. } => {
            place_bodies(condition, bodies);
            place_bodies(body, bodies);
        }
        Compound::For { words, body, .. } => {
            place_in_words(words.as_deref_mut().unwrap_or_default(), bodies);
            place_bodies(body, bodies);
        }
        Compound::ForArith { expressions, body } => {
            for arith in expressions {
                place_in_parts(&mut arith.parts, bodies);
            }
            place_bodies(body, bodies);
        }
        Compound::Case { word, arms } => {
            place_in_words(std::slice::from_mut(word), bodies);
            for arm in arms {
                place_in_words(&mut arm.patterns, bodies);
                place_bodies(&mut arm.body, bodies);
            }
        }
        Compound::Function { body, .. } | Compound::Coproc { body, .. } => {
            place_in_command(body, bodies);
        }
        Compound::Test(words) => place_in_words(words, bodies),
        Compound::Arith(arith) => place_in_parts(&mut arith.parts, bodies),
    }
}

fn place_in_words(words: &mut [Word], bodies: &mut [Option<Word>]) {
    for word in words {
        place_in_parts(&mut word.parts, bodies);
    }
}

fn place_in_parts(parts: &mut [Part], bodies: &mut [Option<Word>]) {
    for part in parts {
        match part {
            Part::Subst { script, .. } | Part::Process { script, .. } => {
                place_bodies(script, bodies);
            }
            Part::Param { expansion, .. } => {
                if let Some(subscript) = &mut expansion.subscript {
                    place_in_words(std::slice::from_mut(subscript), bodies);
                }
                place_in_words(&mut expansion.operands, bodies);
            }
            Part::Arith { arith, .. } => place_in_parts(&mut arith.parts, bodies),
            Part::Array(words) => place_in_words(words, bodies),
            Part::Text { .. } | Part::Glob(_) | Part::Tilde(_) | Part::Unreadable { .. } => {}
        }
    }
}
