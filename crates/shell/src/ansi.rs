//! `$'…'`: ANSI-C quoting.

use crate::builder::Builder;
use crate::ir::Part;
use crate::reader::{Read, Reader};
use crate::trace::Replacement;
use crate::word::Quoting;
use portcullis_model::Reason;

/// What `$'…'` stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// This text.
    Text(String),
    /// Bytes that are not UTF-8, or that depend on the locale.
    Unreadable,
    /// Something bash versions disagree on, or a NUL that cuts the text short.
    Unsure,
}

impl<'t> Reader<'t, '_> {
    /// `$'…'`, the cursor at the quote.
    pub(crate) fn read_ansi(&mut self, start: usize, builder: &mut Builder) -> Read<()> {
        let content = self.take_ansi(start)?;
        builder.quoted = true;
        if content.contains('\\') {
            // The second reader does not pair backslashes.
            self.trace.edit(start, self.pos, Replacement::Plain);
        }
        match decode(content) {
            Decoded::Text(text) => builder.text(&text, true),
            Decoded::Unreadable => builder.push(Part::Unreadable { quoted: true }, true),
            Decoded::Unsure => {
                builder.push(Part::Unreadable { quoted: true }, true);
                self.note(Reason::UnsupportedSyntax, start, "escape in $'…'");
            }
        }
        Ok(())
    }

    /// `$'…'` in an operand of `"${…}"`.
    ///
    /// SECURITY: bash decodes it while parsing and then expands the result as double-quoted text, so
    /// `"${x:-$'\x24(cmd)'}"` runs cmd. Whether it does depends on the operator, so this is refused,
    /// with the commands of both readings kept for deny rules.
    pub(crate) fn read_ansi_in_operand(&mut self, start: usize, builder: &mut Builder) -> Read<()> {
        let content = self.take_ansi(start)?;
        self.note(Reason::UnsupportedSyntax, start, "$'…' inside a quoted expansion");
        let span = self.span(start, self.pos);
        if let Decoded::Text(text) = decode(content) {
            let parts = self.read_copy(&text, span, Quoting::HereDoc)?;
            builder.parts.extend(parts);
        }
        let parts = self.read_copy(content, span, Quoting::HereDoc)?;
        builder.parts.extend(parts);
        builder.quoted = true;
        Ok(())
    }

    /// The text between the quotes; a backslash protects a quote.
    fn take_ansi(&mut self, start: usize) -> Read<&'t str> {
        self.pos += 1;
        let from = self.pos;
        loop {
            match self.byte(self.pos) {
                None => return self.unterminated(start, "$'…'"),
                Some(b'\'') => {
                    self.pos += 1;
                    return Ok(self.slice(from, self.pos - 1));
                }
                Some(b'\\') => {
                    self.pos = (self.pos + 1).min(self.text.len());
                    if self.pos < self.text.len() {
                        self.take_char();
                    }
                }
                Some(_) => self.pos += 1,
            }
        }
    }
}

/// Decodes the text between the quotes.
pub(crate) fn decode(content: &str) -> Decoded {
    let mut out: Vec<u8> = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(rest.get(..at).unwrap_or("").as_bytes());
        rest = rest.get(at + 1..).unwrap_or("");
        let Some(escape) = rest.chars().next() else {
            out.push(b'\\');
            break;
        };
        rest = rest.get(escape.len_utf8()..).unwrap_or("");
        match escape {
            'a' => out.push(7),
            'b' => out.push(8),
            'e' | 'E' => out.push(27),
            'f' => out.push(12),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'v' => out.push(11),
            '\\' | '\'' | '"' | '?' => out.extend(u8::try_from(escape)),
            '0'..='7' => {
                let (value, left) = digits(rest, 8, 2, escape.to_digit(8).unwrap_or(0));
                // Three octal digits may say more than a byte; bash keeps the low eight bits.
                out.extend(u8::try_from(value & 0xff));
                rest = left;
            }
            'x' => {
                let (value, left) = digits(rest, 16, 2, 0);
                if left.len() == rest.len() {
                    return Decoded::Unsure;
                }
                out.extend(u8::try_from(value));
                rest = left;
            }
            'u' | 'U' => {
                let (value, left) = digits(rest, 16, if escape == 'u' { 4 } else { 8 }, 0);
                if left.len() == rest.len() {
                    return Decoded::Unsure;
                }
                match u8::try_from(value) {
                    Ok(ascii @ 1..=0x7f) => out.push(ascii),
                    Ok(0) => return Decoded::Unsure,
                    // What bytes these are depends on the locale.
                    _ => return Decoded::Unreadable,
                }
                rest = left;
            }
            'c' => match rest.chars().next() {
                Some(control) if control.is_ascii_alphabetic() => {
                    out.extend(u8::try_from(control).map(|byte| byte & 0x1f));
                    rest = rest.get(1..).unwrap_or("");
                }
                _ => return Decoded::Unsure,
            },
            other => {
                out.push(b'\\');
                let mut buffer = [0; 4];
                out.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes());
            }
        }
    }
    if !rest.is_empty() && !rest.contains('\\') {
        out.extend_from_slice(rest.as_bytes());
    }
    if out.contains(&0) {
        return Decoded::Unsure;
    }
    String::from_utf8(out).map_or(Decoded::Unreadable, Decoded::Text)
}

/// Up to `most` digits, on top of a value, and what follows them.
fn digits(text: &str, radix: u32, most: usize, start: u32) -> (u32, &str) {
    let mut value = start;
    let mut taken = 0;
    for digit in text.chars().take(most).map_while(|c| c.to_digit(radix)) {
        value = value.wrapping_mul(radix).wrapping_add(digit);
        taken += 1;
    }
    (value, text.get(taken..).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_bash_decodes() {
        let text = |text: &str| Decoded::Text(text.to_owned());
        for (content, want) in [
            ("", text("")),
            ("plain", text("plain")),
            (r"\x72m", text("rm")),
            (r"\162m", text("rm")),
            (r"\u72\U6d", text("rm")),
            (r"a\tb\n", text("a\tb\n")),
            (r"it\'s", text("it's")),
            (r"\\", text("\\")),
            (r"\q", text("\\q")),
            (r"\cA", text("\u{1}")),
            (r"\x", Decoded::Unsure),
            (r"\x{41}", Decoded::Unsure),
            (r"\0", Decoded::Unsure),
            (r"\400", Decoded::Unsure),
            (r"\c\\", Decoded::Unsure),
            (r"\xff", Decoded::Unreadable),
            (r"\u00e9", Decoded::Unreadable),
            (r"\xc3\xa9", text("é")),
            ("é", text("é")),
        ] {
            assert_eq!(decode(content), want, "{content}");
        }
    }
}
