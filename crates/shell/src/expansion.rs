//! `${ … }`.

use crate::builder::Builder;
use crate::ir::{Expansion, Part, SubstForm};
use crate::operand::Operand;
use crate::reader::{Read, Reader};
use crate::word::Quoting;
use portcullis_model::Reason;

impl Part {
    /// `$name`
    pub(crate) fn parameter(name: String, quoted: bool) -> Self {
        Self::Param { expansion: Expansion::plain(name), quoted }
    }
}

impl Expansion {
    /// `$name`
    pub(crate) fn plain(name: String) -> Self {
        Self {
            name,
            indirect: false,
            length: false,
            subscript: None,
            operator: String::new(),
            operands: Vec::new(),
        }
    }

    /// Whether it is just the value of a variable.
    pub(crate) fn is_plain(&self) -> bool {
        !self.indirect && !self.length && self.subscript.is_none() && self.operator.is_empty()
    }

    /// Whether it is a length, always an integer.
    pub(crate) fn is_count(&self) -> bool {
        self.length && !self.indirect && self.operator.is_empty()
    }
}

impl Reader<'_, '_> {
    /// `${ … }` that began at `start`, the cursor after the brace.
    pub(crate) fn read_braced(
        &mut self,
        start: usize,
        builder: &mut Builder,
        quoting: Quoting,
    ) -> Read<()> {
        if matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'|' | b'(')) {
            return self.read_function_substitution(start, builder, quoting);
        }
        // What stands in braces is the strict reader's alone; substitutions in it go to the second
        // reader one by one.
        let islands = std::mem::replace(&mut self.islands, true);
        let read = self.read_expansion(start, quoting);
        self.islands = islands;
        let expansion = read?;
        self.trace.edit(start, self.pos, builder.stand_in(quoting));
        let quoted = quoting.is_quoted();
        builder.push(Part::Param { expansion, quoted }, quoted);
        Ok(())
    }

    fn read_expansion(&mut self, start: usize, quoting: Quoting) -> Read<Expansion> {
        let mut expansion = self.read_parameter(start);
        if self.at(b'[') && !expansion.name.is_empty() {
            expansion.subscript = Some(self.deeper(|reader| reader.read_subscript(false))?);
        }
        if !self.at(b'}') {
            self.read_operation(start, quoting, &mut expansion)?;
        }
        if !self.take(b'}') {
            if self.peek().is_none() {
                return self.unterminated(start, "`${`");
            }
            return self.syntax("unexpected text in `${`");
        }
        if expansion.indirect {
            self.note(Reason::IndirectExpansion, start, "");
        }
        Ok(expansion)
    }

    /// The `!` or `#` before the name, and the name.
    fn read_parameter(&mut self, start: usize) -> Expansion {
        let mut expansion = Expansion::plain(String::new());
        if self.at(b'!') && self.peek_second() != Some(b'}') {
            self.pos += 1;
            expansion.indirect = true;
        } else if self.at(b'#') && self.peek_second() != Some(b'}') {
            // `${#x}`, but `${#-y}` and `${##y}` are operators on `$#`.
            let before = self.pos;
            self.pos += 1;
            expansion.name = self.read_parameter_name();
            if !expansion.name.is_empty() && matches!(self.peek(), Some(b'}' | b'[')) {
                expansion.length = true;
                return expansion;
            }
            self.pos = before + 1;
            expansion.name.clear();
            self.note(Reason::UnsupportedSyntax, start, "operator on `$#`");
            expansion.name.push('#');
            return expansion;
        }
        expansion.name = self.read_parameter_name();
        if expansion.name.is_empty() {
            self.note(Reason::UnsupportedSyntax, start, "parameter");
        }
        expansion
    }

    /// A name, a number or a special parameter; empty where none stands.
    fn read_parameter_name(&mut self) -> String {
        let name = self.read_name();
        if !name.is_empty() {
            return name;
        }
        let mut digits = String::new();
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            digits.push(char::from(byte));
            self.pos += 1;
        }
        if digits.is_empty()
            && let Some(byte @ (b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')) = self.peek()
        {
            self.pos += 1;
            digits.push(char::from(byte));
        }
        digits
    }

    /// The operator and its operands, up to the closing brace.
    fn read_operation(
        &mut self,
        start: usize,
        quoting: Quoting,
        expansion: &mut Expansion,
    ) -> Read<()> {
        let operator = self.read_operator_text();
        expansion.operator.push_str(operator);
        let pattern = matches!(
            operator,
            "#" | "##" | "%" | "%%" | "/" | "//" | "/#" | "/%" | "^" | "^^" | "," | ",,"
        );
        match operator {
            ":" => {
                while expansion.operands.len() < 2 {
                    let from = self.pos;
                    expansion.operands.push(self.read_bound()?);
                    if !self.take(b':') {
                        break;
                    }
                    if self.pos == from {
                        break;
                    }
                }
                return Ok(());
            }
            "@" => {
                let letter = self.read_name();
                match letter.as_str() {
                    "P" => self.note(Reason::PromptTransform, start, ""),
                    "U" | "u" | "L" | "Q" | "E" | "A" | "K" | "a" | "k" => {}
                    // `${!prefix@}`
                    "" if expansion.indirect => {}
                    _ => self.note(Reason::UnsupportedSyntax, start, "transformation"),
                }
                expansion.operands.push(crate::ir::Word {
                    parts: vec![Part::Text { text: letter, quoted: false }],
                    ..crate::ir::Word::default()
                });
                // Anything between the letter and the brace.
                if !self.at(b'}') {
                    self.note(Reason::UnsupportedSyntax, start, "transformation");
                    expansion.operands.push(self.read_operand(quoting, Operand::Pattern)?);
                }
                return Ok(());
            }
            "" => self.note(Reason::UnsupportedSyntax, start, "operator"),
            _ => {}
        }
        let replaces = operator.starts_with('/');
        let kind = match (replaces, pattern) {
            (true, _) => Operand::Replaced,
            (false, true) => Operand::Pattern,
            (false, false) => Operand::Value,
        };
        expansion.operands.push(self.read_operand(quoting, kind)?);
        if replaces && self.take(b'/') {
            expansion.operands.push(self.read_operand(quoting, Operand::Pattern)?);
        }
        Ok(())
    }

    fn read_operator_text(&mut self) -> &'static str {
        for operator in OPERATORS {
            if self.take_all(operator.as_bytes()) {
                return operator;
            }
        }
        ""
    }

    /// A bound of `${x:offset:length}`: arithmetic.
    fn read_bound(&mut self) -> Read<crate::ir::Word> {
        let from = self.pos;
        // A bound ends at a colon or brace; anything that could hide one is refused anyway, so the
        // commands in it may be looked for up to the brace.
        if let Some(end) = self.find_bound() {
            let arith = self.read_arith(end)?;
            self.pos = end;
            let mut builder = Builder::default();
            builder.push(Part::Arith { arith, quoted: false }, false);
            return Ok(builder.finish(self.span(from, end)));
        }
        let word = self.read_operand(Quoting::Arithmetic, Operand::Value)?;
        self.note(Reason::ArithDynamic, from, "");
        Ok(word)
    }

    /// Where a bound ends that is only integers, operators and variables.
    fn find_bound(&self) -> Option<usize> {
        let mut at = self.pos;
        loop {
            match (self.byte(at)?, self.byte(at + 1)) {
                (b':' | b'}', _) => return Some(at),
                (b'\\', Some(b'\n')) => at += 2,
                (b'$', Some(b'{')) => {
                    let rest = self.slice(at + 2, self.text.len());
                    let close = rest.find('}')?;
                    if !crate::word::is_name(rest.get(..close)?) {
                        return None;
                    }
                    at += close + 3;
                }
                (byte, _) if byte.is_ascii_alphanumeric() || b" _+-*/%()\t$".contains(&byte) => {
                    at += 1;
                }
                _ => return None,
            }
        }
    }

    /// `${ …; }` and `${| …; }` of bash 5.3; other versions report a bad substitution.
    fn read_function_substitution(
        &mut self,
        start: usize,
        builder: &mut Builder,
        quoting: Quoting,
    ) -> Read<()> {
        self.note(Reason::UnsupportedSyntax, start, "command substitution in braces");
        self.take(b'|');
        let mut script = crate::ir::Script::default();
        let read = self.read_list(&mut script, &["}"]);
        if read.is_ok() && self.take(b'}') {
            builder.substitution(script, SubstForm::Function, quoting.is_quoted());
            return Ok(());
        }
        self.salvage(script);
        read?;
        self.unterminated(start, "`${`")
    }
}

/// Longer operators before their prefixes.
const OPERATORS: &[&str] = &[
    ":-", ":=", ":?", ":+", ":", "-", "=", "?", "+", "##", "#", "%%", "%", "//", "/#", "/%", "/",
    "^^", "^", ",,", ",", "@",
];
