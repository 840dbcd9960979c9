//! Settings text to a tree with a place for every part.
//!
//! Strict JSON is read as is. Text that is nearly JSON is read on past each flaw: a settings file
//! with a stray comma allows nothing, but the denies in it that can be read still hold.

use portcullis_model::Span;

/// One value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number as written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Member>),
    /// A date or time, which only TOML has.
    Date,
    /// Something that is no value; a flaw says what.
    Broken,
}

/// One key of a table with its value.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

/// Something that strict JSON does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: &'static str,
    pub(crate) span: Span,
}

/// Reads text as JSON. Total: every text gives a tree, and every deviation from JSON a flaw (the
/// first of its kind).
pub(crate) fn read(text: &str) -> (Node, Vec<Flaw>) {
    let mut reader = Reader { text, at: 0, flaws: Vec::new(), stopped: false };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    reader.skip_blanks();
    if reader.peek().is_none() {
        let end = Span::new(text.len(), text.len());
        reader.flaw("json-empty", end, "the file is empty", "write `{}`, or remove the file");
        return (Node { span: end, value: Value::Broken }, reader.flaws);
    }
    let node = reader.value(0);
    reader.skip_blanks();
    if reader.peek().is_some() {
        let span = Span::new(reader.at, text.len());
        reader.flaw(
            "json-after-end",
            span,
            "there is more text after the end of the settings",
            "a settings file holds one `{ … }`; check that its braces pair up",
        );
    }
    (node, reader.flaws)
}

impl Value {
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn list(&self) -> Option<&[Node]> {
        if let Self::List(nodes) = self { Some(nodes) } else { None }
    }

    pub(crate) fn table(&self) -> Option<&[Member]> {
        if let Self::Table(members) = self { Some(members) } else { None }
    }

    /// The kind of value, as a message names it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Table(_) => "an object",
            Self::Date => "a date",
            Self::Broken => "nothing that can be read",
        }
    }
}

impl Node {
    /// Where `inner`, a span of the string this node holds, stands in the text. A string written
    /// with escapes is pointed at as a whole.
    pub(crate) fn inner_span(&self, text: &str, inner: Span) -> Span {
        let Some(decoded) = self.value.text() else { return self.span };
        let from = self.span.start.saturating_add(1);
        let written = Span::new(from, from.saturating_add(decoded.len()));
        if written.of(text) == decoded && inner.end <= decoded.len() && inner.start < inner.end {
            Span::new(from + inner.start, from + inner.end)
        } else {
            self.span
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    flaws: Vec<Flaw>,
    stopped: bool,
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> Node {
        self.skip_blanks();
        let start = self.at;
        let value = match self.peek() {
            Some('{' | '[') if depth >= MAX_DEPTH => {
                self.flaw(
                    "json-depth",
                    Span::new(start, start + 1),
                    "the settings are nested too deeply",
                    "settings need a handful of levels",
                );
                self.stopped = true;
                self.at = self.text.len();
                Value::Broken
            }
            Some('{') => self.table(depth),
            Some('[') => self.list(depth),
            Some(quote @ ('"' | '\'')) => Value::Text(self.string(quote)),
            Some(c) if c == '-' || c == '+' || c == '.' || c.is_ascii_digit() => self.number(),
            Some(c) if is_word(c) => self.word(),
            Some(_) | None => {
                self.unexpected("a value");
                Value::Broken
            }
        };
        Node { span: Span::new(start, self.at), value }
    }

    fn table(&mut self, depth: usize) -> Value {
        let open = self.at;
        self.bump();
        let mut members = Vec::new();
        loop {
            self.skip_blanks();
            let key_start = self.at;
            let key = match self.peek() {
                Some('}') => {
                    self.bump();
                    break;
                }
                Some(']') | None => {
                    self.unclosed(open, '{');
                    break;
                }
                Some(',') => {
                    self.stray_comma();
                    continue;
                }
                Some(quote @ ('"' | '\'')) => self.string(quote),
                Some(c) if is_word(c) => {
                    let word = self.take_while(is_word).to_owned();
                    self.flaw(
                        "json-unquoted-key",
                        Span::new(key_start, self.at),
                        format!("the key `{word}` has no quotes"),
                        "write every key in double quotes",
                    );
                    word
                }
                Some(_) => {
                    self.unexpected("a key");
                    continue;
                }
            };
            let key_span = Span::new(key_start, self.at);
            self.skip_blanks();
            if self.peek() == Some(':') {
                self.bump();
            } else {
                self.flaw(
                    "json-colon",
                    Span::new(self.at, self.at),
                    format!("a `:` is missing after the key `{key}`"),
                    "write a `:` between a key and its value",
                );
            }
            let value = self.value(depth + 1);
            members.push(Member { key, key_span, value });
            self.separator('}');
        }
        Value::Table(members)
    }

    fn list(&mut self, depth: usize) -> Value {
        let open = self.at;
        self.bump();
        let mut nodes = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(']') => {
                    self.bump();
                    break;
                }
                Some('}') | None => {
                    self.unclosed(open, '[');
                    break;
                }
                Some(',') => self.stray_comma(),
                Some(_) => {
                    nodes.push(self.value(depth + 1));
                    self.separator(']');
                }
            }
        }
        Value::List(nodes)
    }

    /// What stands between one entry and the next.
    fn separator(&mut self, close: char) {
        self.skip_blanks();
        let here = self.at;
        match self.peek() {
            Some(',') => {
                self.bump();
                self.skip_blanks();
                if self.peek() == Some(close) {
                    self.flaw(
                        "json-trailing-comma",
                        Span::new(here, here + 1),
                        "a comma follows the last entry",
                        "remove the comma",
                    );
                }
            }
            Some('}' | ']') | None => {}
            Some(_) => self.flaw(
                "json-comma",
                Span::new(here, here),
                "a comma is missing between two entries",
                "separate entries with commas",
            ),
        }
    }

    fn stray_comma(&mut self) {
        let here = self.at;
        self.bump();
        self.flaw(
            "json-stray-comma",
            Span::new(here, here + 1),
            "this comma separates nothing",
            "remove the comma",
        );
    }

    fn unclosed(&mut self, open: usize, bracket: char) {
        self.flaw(
            "json-unclosed",
            Span::new(open, open + 1),
            format!("this `{bracket}` is never closed"),
            "close it, or check the brackets after it",
        );
    }

    /// Names what stands here instead of what was wanted, and skips it.
    fn unexpected(&mut self, wanted: &str) {
        let start = self.at;
        let found = self.take_while(|c| !matches!(c, ',' | '}' | ']' | '\n' | '"'));
        let message = match found.trim_end() {
            "" => format!("{wanted} is missing here"),
            text => {
                format!("expected {wanted}, found `{}`", text.chars().take(20).collect::<String>())
            }
        };
        let span = Span::new(start, self.at.max(start));
        self.flaw("json-unexpected", span, message, "settings files are strict JSON");
    }

    fn string(&mut self, quote: char) -> String {
        let start = self.at;
        self.bump();
        let mut out = String::new();
        loop {
            let chunk = self.take_while(|c| c != quote && c != '\\' && c >= ' ');
            out.push_str(chunk);
            match self.peek() {
                Some('\\') => self.escape(&mut out),
                Some(c) if c == quote => {
                    self.bump();
                    break;
                }
                Some(c) if c != '\n' && c != '\r' => {
                    let here = self.at;
                    self.bump();
                    out.push(c);
                    self.flaw(
                        "json-control",
                        Span::new(here, self.at),
                        "a string holds a control character",
                        "write it as an escape such as `\\t`",
                    );
                }
                Some(_) | None => {
                    self.flaw(
                        "json-unterminated",
                        Span::new(start, self.at),
                        "this string has no closing quote on its line",
                        "close the string",
                    );
                    break;
                }
            }
        }
        if quote == '\'' {
            self.flaw(
                "json-single-quotes",
                Span::new(start, self.at),
                "a string stands in single quotes",
                "use double quotes",
            );
        }
        out
    }

    fn escape(&mut self, out: &mut String) {
        let start = self.at;
        self.bump();
        let Some(c) = self.peek() else { return };
        self.bump();
        let decoded = match c {
            '"' | '\\' | '/' => Some(c),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.unicode_escape(),
            _ => None,
        };
        if let Some(decoded) = decoded {
            out.push(decoded);
            return;
        }
        // The replacement character matches no rule by accident, and the flaw closes the layer.
        out.push(char::REPLACEMENT_CHARACTER);
        self.flaw(
            "json-escape",
            Span::new(start, self.at),
            "a string holds an escape that stands for no character",
            "JSON has `\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX`; write a backslash as `\\\\`",
        );
    }

    fn unicode_escape(&mut self) -> Option<char> {
        let high = self.four_hex_digits()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        if !self.rest().starts_with("\\u") {
            return None;
        }
        self.at += 2;
        let low = self.four_hex_digits()?;
        if !(0xdc00..0xe000).contains(&low) {
            return None;
        }
        char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    }

    fn four_hex_digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Value {
        let start = self.at;
        let text = self
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
            .to_owned();
        if !is_number(&text) {
            self.flaw(
                "json-number",
                Span::new(start, self.at),
                format!("`{text}` is not a JSON number"),
                "write digits, with an optional leading `-`, fraction and exponent",
            );
        }
        Value::Number(text)
    }

    fn word(&mut self) -> Value {
        let start = self.at;
        match self.take_while(is_word) {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            other => {
                let message = format!("`{other}` is not a JSON value");
                let span = Span::new(start, self.at);
                let hint = "write strings in double quotes; the plain words are `true`, `false` and `null`";
                self.flaw("json-word", span, message, hint);
                Value::Broken
            }
        }
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            let start = self.at;
            let rest = self.rest();
            if rest.starts_with("//") || rest.starts_with('#') {
                self.take_while(|c| c != '\n');
            } else if rest.starts_with("/*") {
                let length = rest.find("*/").map_or(rest.len(), |end| end + 2);
                self.at += length;
            } else {
                return;
            }
            self.flaw(
                "json-comment",
                Span::new(start, self.at),
                "JSON has no comments",
                "remove the comment",
            );
        }
    }

    fn flaw(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        hint: &'static str,
    ) {
        // One of a kind is enough to find them all, and what follows a stop is not the cause.
        if self.stopped || self.flaws.iter().any(|flaw| flaw.code == code) {
            return;
        }
        self.flaws.push(Flaw { code, message: message.into(), hint, span });
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) {
        if let Some(c) = self.peek() {
            self.at += c.len_utf8();
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'t str {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += length;
        self.text.get(start..self.at).unwrap_or("")
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '-')
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// Settings are four levels deep; far more than that is an attack on the stack.
const MAX_DEPTH: usize = 32;
