//! Arithmetic: `$(( … ))`, `$[ … ]`, `(( … ))`, `for (( … ))`, subscripts and substring bounds.
//!
//! SECURITY: bash evaluates the value of every variable named in arithmetic as arithmetic again, and
//! expands subscripts in it, single quotes or not. So `$((x))` runs whatever `x` says. Only integers
//! and operators are safe by themselves; names are judged in [`crate::integers`].

use crate::builder::Builder;
use crate::ir::{Arith, Part, Word};
use crate::reader::{Read, Reader, Stop};
use crate::trace::Replacement;
use crate::word::{Quoting, is_name, plain_text};
use portcullis_model::{Reason, Span};

/// What an expression is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Integers and operators.
    Pure,
    /// Names too, and nothing worse.
    Names(Vec<String>),
    /// Something whose value is only known when it runs.
    Dynamic,
}

impl Reader<'_, '_> {
    /// `$(( … ))`, the cursor at the first parenthesis; `false` where bash reads `$( ( … ) … )`.
    pub(crate) fn read_dollar_arith(
        &mut self,
        start: usize,
        builder: &mut Builder,
        quoting: Quoting,
    ) -> Read<bool> {
        let quoted = quoting.is_quoted();
        let stand_in = builder.stand_in(quoting);
        let Some(arith) = self.read_paren_arith_from(start, stand_in)? else {
            return Ok(false);
        };
        builder.push(Part::Arith { arith, quoted }, quoted);
        Ok(true)
    }

    /// `(( … ))`, the cursor at the first parenthesis; `None` where bash reads `( ( … ) … )`.
    pub(crate) fn read_paren_arith(&mut self) -> Read<Option<Arith>> {
        if self.peek_second() != Some(b'(') {
            return Ok(None);
        }
        let start = self.pos;
        self.read_paren_arith_from(start, Replacement::Plain)
    }

    fn read_paren_arith_from(&mut self, start: usize, by: Replacement) -> Read<Option<Arith>> {
        let Some((from, end)) = self.find_arith()? else { return Ok(None) };
        self.pos = from;
        let arith = self.deeper(|reader| reader.read_arith(end))?;
        self.pos = end;
        self.take_all(b"))");
        self.trace.edit(start, self.pos, by);
        Ok(Some(arith))
    }

    /// The three expressions of `for (( … ))`.
    pub(crate) fn read_arith_list(&mut self, start: usize) -> Read<Option<Vec<Arith>>> {
        if self.peek_second() != Some(b'(') {
            return Ok(None);
        }
        let Some((from, end)) = self.find_arith()? else { return Ok(None) };
        self.pos = from;
        let mut expressions = Vec::new();
        while expressions.len() < 3 {
            let rest = self.slice(self.pos, end);
            let stop = self.pos + rest.find(';').unwrap_or(rest.len());
            expressions.push(self.deeper(|reader| reader.read_arith(stop))?);
            self.pos = (stop + 1).min(end);
            if stop == end {
                break;
            }
        }
        if expressions.len() < 3 || self.pos < end {
            self.note(Reason::SyntaxError, start, "`for ((` needs three expressions");
        }
        self.pos = end;
        self.take_all(b"))");
        Ok(Some(expressions))
    }

    /// Finds where `((`, the cursor at it, is closed by `))`: the range between. `None` if its inner
    /// parenthesis closes on its own, so that bash reads two subshells.
    fn find_arith(&mut self) -> Read<Option<(usize, usize)>> {
        let start = self.pos;
        self.take_all(b"((");
        let from = self.pos;
        let mut open = 1_usize;
        // Parentheses that may not count: bash has two scanners for this and they differ.
        let mut sure = true;
        let (mut before, mut commands) = (0, false);
        while let Some(byte) = self.peek() {
            let at = self.pos;
            self.pos += 1;
            let dollar = before == b'$';
            before = byte;
            match byte {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        let steps = self.pos - from;
                        let closed = self.at(b')');
                        self.pos = start;
                        self.burn(steps)?;
                        if closed {
                            return Ok(Some((from, at)));
                        }
                        if !sure {
                            self.note(Reason::UnsupportedSyntax, start, "nested subshells");
                        }
                        return Ok(None);
                    }
                }
                b'\'' | b'"' | b'`' => {
                    sure = false;
                    self.skip_quoted(byte, dollar);
                }
                b'\\' => {
                    sure = false;
                    self.take_char();
                    before = 0;
                }
                b'$' => {
                    let next = self.peek();
                    sure &= !matches!(next, Some(b'(' | b'{' | b'['));
                    commands |= next == Some(b'(');
                }
                b'#' | b'<' | b'>' => sure = false,
                _ => {}
            }
        }
        self.burn(self.pos - from)?;
        let text = self.slice(from, self.pos);
        if commands && (text.contains(['#']) || text.contains("<<") || text.contains("esac")) {
            // Versions differ: bash 5.2 reads the commands, older ones count what looks like a
            // parenthesis or a quote in a comment, a here-document or a pattern.
            self.note(Reason::UnsupportedSyntax, start, "parentheses hidden in arithmetic");
            return Err(Stop::Line);
        }
        self.unterminated(start, "arithmetic")
    }

    /// `<( ( … ) … )` without a blank, the cursor at the inner parenthesis: bash looks for its end as
    /// for that of arithmetic, and only then reads commands.
    pub(crate) fn check_nested_process(&mut self) -> Read<()> {
        let inner = self.pos;
        let outer = inner - 1;
        self.pos = outer;
        let found = self.find_arith();
        self.pos = inner;
        if found?.is_some_and(|(from, end)| !is_plain_arith(self.slice(from, end))) {
            self.note(Reason::UnsupportedSyntax, outer, "nested subshells");
        }
        // The second reader takes it for arithmetic.
        self.trace.edit(inner, inner, Replacement::Text(" "));
        Ok(())
    }

    /// The rest of quoted text; after a dollar a backslash escapes in single quotes too.
    fn skip_quoted(&mut self, quote: u8, dollar: bool) {
        while let Some(byte) = self.byte(self.pos) {
            self.pos += 1;
            if byte == quote {
                return;
            }
            if byte == b'\\' && (dollar || quote != b'\'') {
                self.take_char();
            }
        }
    }

    /// `$[ … ]`, the cursor after the bracket.
    pub(crate) fn read_bracket_arith(
        &mut self,
        start: usize,
        builder: &mut Builder,
        quoting: Quoting,
    ) -> Read<()> {
        let arith = self.read_bracketed(start)?;
        self.trace.edit(start, self.pos, builder.stand_in(quoting));
        let quoted = quoting.is_quoted();
        builder.push(Part::Arith { arith, quoted }, quoted);
        Ok(())
    }

    /// `[ … ]` after a name, the cursor at the bracket.
    pub(crate) fn read_subscript(&mut self, lifted: bool) -> Read<Word> {
        let start = self.pos;
        self.take(b'[');
        let arith = self.read_bracketed(start)?;
        if lifted {
            self.trace.edit(start, self.pos, Replacement::Text("[0]"));
        }
        let span = self.span(start, self.pos);
        let mut builder = Builder::default();
        let plain = matches!(arith.text.as_str(), "@" | "*")
            || (!arith.text.is_empty() && arith.text.bytes().all(|byte| byte.is_ascii_digit()));
        if plain {
            builder.text(&arith.text, false);
        } else {
            builder.push(Part::Arith { arith, quoted: false }, false);
        }
        Ok(builder.finish(span))
    }

    /// Reads up to the bracket that closes, the cursor after the one that opens.
    fn read_bracketed(&mut self, start: usize) -> Read<Arith> {
        let from = self.pos;
        let mut builder = Builder::default();
        let islands = std::mem::replace(&mut self.islands, true);
        let read = self.read_arith_parts(&mut builder, true);
        self.islands = islands;
        read?;
        let end = self.pos;
        if !self.take(b']') {
            return self.unterminated(start, "bracket");
        }
        let text = self.joined(from, end);
        if matches!(text.as_str(), "@" | "*") {
            return Ok(Arith { text, value: None, parts: Vec::new() });
        }
        Ok(self.finish_arith(text, from, builder))
    }

    /// Reads the expression between here and `end`.
    pub(crate) fn read_arith(&mut self, end: usize) -> Read<Arith> {
        let from = self.pos;
        let mut builder = Builder::default();
        let islands = std::mem::replace(&mut self.islands, true);
        let read = self.bounded(end, |reader| reader.read_arith_parts(&mut builder, false));
        self.islands = islands;
        read?;
        let text = self.joined(from, end);
        Ok(self.finish_arith(text, from, builder))
    }

    fn finish_arith(&mut self, text: String, from: usize, builder: Builder) -> Arith {
        let mut value = None;
        match classify(&text) {
            Class::Pure => value = evaluate(&text),
            Class::Names(_) => self.shared.arithmetic_names = true,
            Class::Dynamic => self.note(Reason::ArithDynamic, from, ""),
        }
        let parts = builder.parts.into_iter().filter(|part| !matches!(part, Part::Text { .. }));
        Arith { text, value, parts: parts.collect() }
    }

    /// Everything in arithmetic that is expanded; quotes protect nothing here.
    fn read_arith_parts(&mut self, builder: &mut Builder, bracket: bool) -> Read<()> {
        let mut open = 0_usize;
        let mut parentheses = 0_usize;
        let mut quote = None;
        while let Some(byte) = self.peek() {
            match byte {
                b'$' => self.read_dollar(builder, Quoting::Arithmetic)?,
                b'`' => self.read_backquote(builder, Quoting::Arithmetic)?,
                b'[' if quote.is_none() => {
                    open += 1;
                    self.pos += 1;
                }
                b']' if quote.is_none() && bracket => {
                    if open == 0 {
                        return Ok(());
                    }
                    open -= 1;
                    self.pos += 1;
                }
                b'(' => {
                    self.open_parenthesis(&mut parentheses);
                    self.pos += 1;
                }
                b')' => {
                    parentheses = parentheses.saturating_sub(1);
                    self.pos += 1;
                }
                b'\'' | b'"' => {
                    self.pos += 1;
                    match quote {
                        None => quote = Some(byte),
                        Some(opened) if opened == byte => quote = None,
                        Some(_) => {}
                    }
                }
                b'\\' if quote != Some(b'\'') => {
                    self.pos += 1;
                    // An escaped dollar is expanded when the subscript is.
                    if !matches!(self.byte(self.pos), Some(b'$' | b'`')) {
                        self.take_char();
                    }
                }
                _ => self.pos += 1,
            }
        }
        Ok(())
    }

    /// The substitutions in text that bash takes apart although it was quoted.
    pub(crate) fn read_hidden(&mut self, text: &str, span: Span) -> Read<Vec<Part>> {
        self.burn(text.len())?;
        let mut inner = Reader::new(text, crate::reader::Base::Within(span), &mut *self.shared);
        inner.islands = true;
        let mut builder = Builder::default();
        inner.deeper(|reader| reader.read_arith_parts(&mut builder, false))?;
        Ok(builder.parts)
    }

    /// Whether a word that bash evaluates as arithmetic is surely an integer, or names that have to
    /// be looked at.
    pub(crate) fn is_safe_number(&mut self, word: &Word) -> bool {
        match number_class(word) {
            Class::Pure => true,
            Class::Names(_) => {
                self.shared.arithmetic_names = true;
                true
            }
            Class::Dynamic => false,
        }
    }
}

/// Whether nothing in a text hides a parenthesis from whoever counts them.
fn is_plain_arith(text: &str) -> bool {
    !text.contains(['\'', '"', '`', '\\', '#', '$', '<'])
}

/// The class of a word that bash evaluates as arithmetic after expanding it.
pub(crate) fn number_class(word: &Word) -> Class {
    if let Some(text) = plain_text(word) {
        return classify(text);
    }
    match word.parts.as_slice() {
        [Part::Text { text, .. }] if text.bytes().all(|byte| byte.is_ascii_digit()) => Class::Pure,
        [Part::Param { expansion, .. }] if expansion.is_plain() => classify_name(&expansion.name),
        [Part::Param { expansion, .. }] if expansion.is_count() => Class::Pure,
        [Part::Arith { .. }] => Class::Pure,
        _ => Class::Dynamic,
    }
}

/// The class of `$name`.
fn classify_name(name: &str) -> Class {
    match name {
        // Always integers.
        "#" | "?" | "$" => Class::Pure,
        name if is_name(name) => Class::Names(vec![name.to_owned()]),
        _ => Class::Dynamic,
    }
}

/// What an expression is made of.
pub(crate) fn classify(text: &str) -> Class {
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '0'..='9' => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                let base = rest.get(digits..).unwrap_or("").starts_with('#');
                let more = rest
                    .bytes()
                    .skip(digits)
                    .take_while(|byte| {
                        byte.is_ascii_alphanumeric()
                            || *byte == b'_'
                            || (base && matches!(byte, b'#' | b'@'))
                    })
                    .count();
                digits + more
            }
            '_' | 'a'..='z' | 'A'..='Z' => {
                let length = name_length(rest);
                names.push(rest.get(..length).unwrap_or("").to_owned());
                length
            }
            '$' => match dollar_name(rest) {
                Some((class, length)) => {
                    match class {
                        Class::Pure => {}
                        Class::Names(new) => names.extend(new),
                        Class::Dynamic => return Class::Dynamic,
                    }
                    length
                }
                None => return Class::Dynamic,
            },
            ' ' | '\t' | '\n' | '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=' | '!' | '&' | '|'
            | '^' | '~' | '?' | ':' | ',' | '(' | ')' => 1,
            _ => return Class::Dynamic,
        };
        rest = rest.get(taken..).unwrap_or("");
    }
    if names.is_empty() { Class::Pure } else { Class::Names(names) }
}

/// `$name`, `${name}`, `$#`, `$?`, `$$`, `${#name}` at the start, with its length.
fn dollar_name(text: &str) -> Option<(Class, usize)> {
    let after = text.get(1..)?;
    if let Some(braced) = after.strip_prefix('{') {
        let close = braced.find('}')?;
        let inside = braced.get(..close)?;
        let class = match inside.strip_prefix('#') {
            Some(counted) if is_name(counted) || matches!(counted, "" | "@" | "*") => Class::Pure,
            _ => classify_name(inside),
        };
        return Some((class, close + 3));
    }
    match after.bytes().next()? {
        b'#' | b'?' | b'$' => Some((Class::Pure, 2)),
        b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
            let length = name_length(after);
            Some((classify_name(after.get(..length)?), length + 1))
        }
        _ => None,
    }
}

fn name_length(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'_' || byte.is_ascii_alphanumeric()).count()
}

/// The value of an expression of integers and operators; `None` where it is an error, or not worth
/// working out (shifts, comparisons, conditionals).
pub(crate) fn evaluate(text: &str) -> Option<i64> {
    let mut rest = text.as_bytes();
    let value = sum(&mut rest, 0)?;
    skip_space(&mut rest);
    rest.is_empty().then_some(value)
}

fn skip_space(rest: &mut &[u8]) {
    while let [b' ' | b'\t' | b'\n', tail @ ..] = *rest {
        *rest = tail;
    }
}

fn sum(rest: &mut &[u8], depth: usize) -> Option<i64> {
    let mut value = product(rest, depth)?;
    loop {
        skip_space(rest);
        match *rest {
            [b'+', b'=' | b'+', ..] | [b'-', b'=' | b'-', ..] => return None,
            [b'+', tail @ ..] => {
                *rest = tail;
                value = value.wrapping_add(product(rest, depth)?);
            }
            [b'-', tail @ ..] => {
                *rest = tail;
                value = value.wrapping_sub(product(rest, depth)?);
            }
            _ => return Some(value),
        }
    }
}

fn product(rest: &mut &[u8], depth: usize) -> Option<i64> {
    let mut value = atom(rest, depth)?;
    loop {
        skip_space(rest);
        match *rest {
            [b'*' | b'/' | b'%', b'=' | b'*', ..] => return None,
            [operator @ (b'*' | b'/' | b'%'), tail @ ..] => {
                *rest = tail;
                let right = atom(rest, depth)?;
                value = match operator {
                    b'*' => value.wrapping_mul(right),
                    b'/' => value.checked_div(right)?,
                    _ => value.checked_rem(right)?,
                };
            }
            _ => return Some(value),
        }
    }
}

fn atom(rest: &mut &[u8], depth: usize) -> Option<i64> {
    if depth > DEEPEST_VALUE {
        return None;
    }
    skip_space(rest);
    match *rest {
        [b'-', b'-', ..] | [b'+', b'+', ..] => None,
        [b'-', tail @ ..] => {
            *rest = tail;
            Some(atom(rest, depth + 1)?.wrapping_neg())
        }
        [b'+', tail @ ..] => {
            *rest = tail;
            atom(rest, depth + 1)
        }
        [b'(', tail @ ..] => {
            *rest = tail;
            let value = sum(rest, depth + 1)?;
            skip_space(rest);
            let [b')', tail @ ..] = *rest else { return None };
            *rest = tail;
            Some(value)
        }
        // Octal, hexadecimal and other bases are left unknown.
        [b'0', b'0'..=b'9' | b'x' | b'X', ..] => None,
        [b'0'..=b'9', ..] => {
            let mut value = 0_i64;
            while let [digit @ b'0'..=b'9', tail @ ..] = *rest {
                value = value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
                *rest = tail;
            }
            match *rest {
                [byte, ..] if byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'_') => None,
                _ => Some(value),
            }
        }
        _ => None,
    }
}

/// How deep an expression is worked out; deeper ones have an unknown value.
const DEEPEST_VALUE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies() {
        let names = |names: &[&str]| Class::Names(names.iter().map(|n| (*n).to_owned()).collect());
        for (text, want) in [
            ("", Class::Pure),
            ("1 + 2", Class::Pure),
            ("16#ff + 0x1F", Class::Pure),
            ("$# - 1", Class::Pure),
            ("${#x}", Class::Pure),
            ("i++", names(&["i"])),
            ("$i<${j}", names(&["i", "j"])),
            ("a[1]", Class::Dynamic),
            ("'1'", Class::Dynamic),
            ("$1", Class::Dynamic),
            ("$(x)", Class::Dynamic),
            ("${x:-1}", Class::Dynamic),
            ("1;2", Class::Dynamic),
        ] {
            assert_eq!(classify(text), want, "{text}");
        }
    }

    #[test]
    fn evaluates() {
        for (text, want) in [
            ("1 + 2", Some(3)),
            ("2*(3+4)-1", Some(13)),
            ("-7 / 2", Some(-3)),
            ("7 % 0", None),
            ("010", None),
            ("1 << 2", None),
            ("2**3", None),
            ("1 +", None),
            ("", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(evaluate(text), want, "{text}");
        }
    }
}
