//! Sets of texts: what a command may read as when parts of it are unknown.

/// A piece of a [`TextSet`], read left to right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextPiece {
    /// Exactly this text.
    Literal(String),
    /// Any text that stays inside one canonical word: no blank unless escaped by a backslash. May
    /// be empty.
    InWord,
    /// Any text at all, blanks included. May be empty.
    Anything,
    /// Nothing, or one blank and any words.
    MoreWords,
}

/// The set of canonical texts a command may have: the concatenation of its pieces.
///
/// An over-approximation is always safe: allow needs every member to match, deny and ask look for
/// any member that does.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextSet {
    pieces: Vec<TextPiece>,
}

impl TextSet {
    /// The set that holds just `text`.
    pub fn literal(text: impl Into<String>) -> Self {
        let mut set = Self::default();
        set.push(TextPiece::Literal(text.into()));
        set
    }

    /// The set of all texts.
    pub fn anything() -> Self {
        Self { pieces: vec![TextPiece::Anything] }
    }

    /// Appends a piece; neighbouring literals are joined.
    pub fn push(&mut self, piece: TextPiece) {
        if let TextPiece::Literal(text) = &piece {
            if text.is_empty() {
                return;
            }
            if let Some(TextPiece::Literal(last)) = self.pieces.last_mut() {
                last.push_str(text);
                return;
            }
        }
        self.pieces.push(piece);
    }

    /// Appends literal text that `write` adds to what it is given.
    pub fn push_with(&mut self, write: impl FnOnce(&mut String)) {
        if let Some(TextPiece::Literal(last)) = self.pieces.last_mut() {
            write(last);
            return;
        }
        let mut text = String::with_capacity(SHORT);
        write(&mut text);
        if !text.is_empty() {
            self.pieces.push(TextPiece::Literal(text));
        }
    }

    /// The pieces in order.
    pub fn pieces(&self) -> &[TextPiece] {
        &self.pieces
    }

    /// The one text of the set, where it has just one.
    pub fn known(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [TextPiece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The literal text every member starts with.
    pub fn prefix(&self) -> &str {
        match self.pieces.first() {
            Some(TextPiece::Literal(text)) => text,
            _ => "",
        }
    }
}

/// Writes a word in the one fixed way of canonical texts.
///
/// Characters bash would read specially are escaped one by one by a backslash, control characters as
/// `$'…'`, and the empty word is `''`. Escaping is by character, so the canonical text of a
/// concatenation is the concatenation of canonical texts: a word of which only the start is known
/// still has a known canonical start. A tilde, `#` or `=` is left alone where it means nothing.
pub fn quote_word(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    push_quoted_word(&mut out, word);
    out
}

/// As [`quote_word`], appended to a text.
pub fn push_quoted_word(out: &mut String, word: &str) {
    if word.is_empty() {
        out.push_str("''");
    } else {
        push_quoted(out, word, true);
    }
}

/// As [`quote_word`] for a part of a word (`first`: the part that starts it); the empty part is empty.
pub fn quote_fragment(text: &str, first: bool) -> String {
    let mut out = String::with_capacity(text.len());
    push_quoted(&mut out, text, first);
    out
}

/// As [`quote_fragment`], appended to a text.
pub fn push_quoted(out: &mut String, text: &str, first: bool) {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./,:=@%+".contains(byte);
    if text.as_bytes().iter().all(plain) {
        out.push_str(text);
        return;
    }
    for (index, c) in text.chars().enumerate() {
        let at_start = first && index == 0;
        match c {
            '\n' => out.push_str("$'\\n'"),
            '\t' => out.push_str("$'\\t'"),
            '\r' => out.push_str("$'\\r'"),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    out.extend(["$'\\x", &format!("{byte:02x}"), "'"]);
                }
            }
            ' ' | '\'' | '"' | '\\' | '$' | '`' | '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*'
            | '?' | '[' | ']' | '!' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '#' | '~' if at_start => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
}

/// Room for an ordinary command, so that its text is not moved while it grows.
const SHORT: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_one_fixed_way() {
        for (word, want) in [
            ("", "''"),
            ("npm", "npm"),
            ("a b", "a\\ b"),
            ("*.rs", "\\*.rs"),
            ("x=1", "x=1"),
            ("#x", "\\#x"),
            ("x#", "x#"),
            ("~", "\\~"),
            ("a\nb", "a$'\\n'b"),
            ("\u{1}", "$'\\x01'"),
            ("http://x/?a=1&b=2", "http://x/\\?a=1\\&b=2"),
            ("h\u{e9}", "h\u{e9}"),
        ] {
            assert_eq!(quote_word(word), want, "{word:?}");
        }
    }

    #[test]
    fn joins_neighbouring_literals() {
        let mut set = TextSet::literal("git");
        set.push(TextPiece::Literal(" push".into()));
        assert_eq!(set.known(), Some("git push"));
        set.push(TextPiece::MoreWords);
        assert_eq!((set.known(), set.prefix()), (None, "git push"));
    }
}
