//! `[[ … ]]`.

use crate::builder::Builder;
use crate::ir::{Part, Word};
use crate::reader::{Read, Reader};
use crate::trace::Replacement;
use crate::word::{Context, RawWord};
use portcullis_model::{Reason, Span};

/// What may come next in a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// An operand, `!`, `(` or a unary operator.
    Term,
    /// The operand of a unary operator.
    UnaryOperand,
    /// A binary operator, a connector or the end.
    Operator,
    /// The right operand.
    Right(Context),
    /// A connector or the end.
    Connector,
}

impl Reader<'_, '_> {
    /// `[[ … ]]`, the cursor at its start: all its words, operators too.
    pub(crate) fn read_test(&mut self, start: usize) -> Read<Vec<Word>> {
        self.shared.next_command += 1;
        let id = self.shared.next_command;
        self.take_all(b"[[");
        self.note_operator(start, id);
        let mut words = Vec::new();
        let mut next = Next::Term;
        let mut open = 0_usize;
        // The operator that decides what its operands are: their values may be arithmetic.
        let mut operator = String::new();
        loop {
            self.skip_test_newlines(next)?;
            let from = self.pos;
            if self.take_reserved("]]") {
                self.note_operator(from, id);
                if open > 0 || !matches!(next, Next::Operator | Next::Connector) {
                    return self.syntax("unexpected `]]`");
                }
                return Ok(words);
            }
            if let Some(text) = self.take_test_operator(next, &mut open) {
                self.note_operator(from, id);
                words.push(self.operator_word(from, text));
                match text {
                    "&&" | "||" | "(" => next = Next::Term,
                    ")" => next = Next::Connector,
                    _ => {
                        operator = text.to_owned();
                        next = Next::Right(Context::Single);
                    }
                }
                continue;
            }
            let context = match next {
                Next::Right(context) => context,
                Next::Term | Next::UnaryOperand | Next::Operator | Next::Connector => {
                    Context::Single
                }
            };
            let raw = self.read_word(context)?;
            if raw.end == raw.start {
                if self.peek().is_none() {
                    return self.unfinished(start, "`[[`");
                }
                return self.syntax("unexpected token in `[[`");
            }
            self.trace.words.push((Span::new(raw.start, raw.end), id));
            let plain = raw.plain().unwrap_or("").to_owned();
            next = match next {
                Next::Term if plain == "!" => Next::Term,
                Next::Term if is_unary(&plain) => {
                    operator.clone_from(&plain);
                    Next::UnaryOperand
                }
                Next::Term => Next::Operator,
                Next::UnaryOperand => {
                    self.judge_operand(&operator, &raw.word);
                    Next::Connector
                }
                Next::Operator => match right_context(&plain) {
                    Some(context) => {
                        operator.clone_from(&plain);
                        if let Some(left) = words.pop() {
                            self.judge_operand(&plain, &left);
                            words.push(self.with_hidden_commands(&plain, left)?);
                        }
                        Next::Right(context)
                    }
                    None => return self.syntax("unexpected word in `[[`"),
                },
                Next::Right(_) => {
                    self.judge_operand(&operator, &raw.word);
                    Next::Connector
                }
                Next::Connector => return self.syntax("unexpected word in `[[`"),
            };
            self.soften_for_second_reader(&raw, &plain);
            words.push(self.with_hidden_commands(&operator, raw.word)?);
        }
    }

    /// Newlines between the words of a test. The second reader knows none; where bash knows none either,
    /// its objection stands.
    fn skip_test_newlines(&mut self, next: Next) -> Read<()> {
        let from = self.pos;
        self.skip_newlines()?;
        if matches!(next, Next::Term | Next::Connector) && self.only_newlines(from, self.pos) {
            self.trace.edit(from, self.pos, Replacement::Blanks);
        }
        Ok(())
    }

    /// `&&`, `||`, `(`, `)`, `<` and `>` where they are operators.
    fn take_test_operator(&mut self, next: Next, open: &mut usize) -> Option<&'static str> {
        match (self.peek()?, next) {
            (b'(', Next::Term) => {
                self.pos += 1;
                self.open_parenthesis(open);
                Some("(")
            }
            (b')', Next::Operator | Next::Connector) if *open > 0 => {
                self.pos += 1;
                *open -= 1;
                Some(")")
            }
            (b'&', Next::Operator | Next::Connector) => self.take_all(b"&&").then_some("&&"),
            (b'|', Next::Operator | Next::Connector) => self.take_all(b"||").then_some("||"),
            (b'<', Next::Operator) if self.peek_second() != Some(b'(') => {
                self.pos += 1;
                Some("<")
            }
            (b'>', Next::Operator) if self.peek_second() != Some(b'(') => {
                self.pos += 1;
                Some(">")
            }
            _ => None,
        }
    }

    fn operator_word(&self, start: usize, text: &str) -> Word {
        let mut builder = Builder::default();
        builder.text(text, false);
        builder.finish(self.span(start, self.pos))
    }

    /// An operator is a word of the command for the second reader, which knows `[[` badly.
    fn note_operator(&mut self, start: usize, id: u32) {
        let end = self.end_here(start);
        // `(` and `)` may touch their neighbours; the second reader would see one word.
        if self.slice(start, end).starts_with(['(', ')', '&', '|', '<', '>']) {
            self.trace.edit(start, end, Replacement::Blanks);
        } else {
            self.trace.words.push((Span::new(start, end), id));
            self.trace.edit(start, end, Replacement::Plain);
        }
    }

    /// Words the second reader could not read as plain words.
    fn soften_for_second_reader(&mut self, raw: &RawWord, plain: &str) {
        let odd =
            |text: &str| text.contains(['(', ')', '|', '[', ']', '=', '!', '~', '^', '{', '}']);
        let pattern = raw
            .word
            .parts
            .iter()
            .all(|part| matches!(part, Part::Text { .. } | Part::Glob(_) | Part::Tilde(_)));
        if odd(plain)
            || (pattern && raw.word.parts.iter().any(|part| matches!(part, Part::Glob(_))))
        {
            self.trace.edit(raw.start, raw.end, Replacement::Plain);
        }
    }

    /// Refuses operands that bash evaluates as arithmetic or as a subscripted name, unless they are
    /// surely plain.
    fn judge_operand(&mut self, operator: &str, word: &Word) {
        let safe = match operator {
            "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => self.is_safe_number(word),
            "-v" | "-R" => crate::word::plain_text(word).is_some_and(crate::word::is_name),
            _ => true,
        };
        if !safe {
            self.shared.note(Reason::ArithDynamic, word.span, "");
        }
    }

    /// Quotes do not keep bash from expanding a subscript in such an operand.
    fn with_hidden_commands(&mut self, operator: &str, mut word: Word) -> Read<Word> {
        let arithmetic =
            matches!(operator, "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" | "-v" | "-R");
        if arithmetic
            && let Some(text) = word.known()
            && text.contains(['$', '`'])
        {
            let span = word.span;
            word.parts.extend(self.read_hidden(&text, span)?);
        }
        Ok(word)
    }
}

fn is_unary(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-', letter] if b"abcdefghknoprstuvwxzGLNORS".contains(letter))
}

/// How to read what stands to the right of a binary operator.
fn right_context(operator: &str) -> Option<Context> {
    match operator {
        "=~" => Some(Context::TestRegex),
        "==" | "=" | "!=" => Some(Context::TestPattern),
        "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" | "-nt" | "-ot" | "-ef" => {
            Some(Context::Single)
        }
        _ => None,
    }
}
