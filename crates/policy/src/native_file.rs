//! `portcullis.toml`: the keys under `portcullis`, in a file of their own.
//!
//! For what a `settings.json` has no room for: comments, and keys beside hosts that refuse keys they do
//! not know. Its tree is the one that the same keys under `portcullis` in a `settings.json` give, so
//! everything about a key is read in one place.

use crate::json::{Flaw, Member, Node, Value};
use portcullis_model::Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads text as TOML. Total: every text gives a tree, and text that is no TOML flaws.
pub(crate) fn read(text: &str) -> (Node, Vec<Flaw>) {
    let (table, errors) = DeTable::parse_recoverable(text.trim_start_matches('\u{feff}'));
    let offset = text.len() - text.trim_start_matches('\u{feff}').len();
    let shift = |range: std::ops::Range<usize>| Span::new(range.start + offset, range.end + offset);
    let whole = Span::new(0, text.len());
    // TOML has none, also in comments; the parser lets some pass.
    let control = text.char_indices().find(|(_, c)| c.is_control() && !"\t\n\r".contains(*c));
    let control = control.map(|(at, c)| Flaw {
        code: "toml-syntax",
        message: "a control character stands in the text".to_owned(),
        hint: "remove it",
        span: Span::new(at, at + c.len_utf8()),
    });
    let flaws = errors
        .into_iter()
        .take(MOST_FLAWS)
        .map(|error| Flaw {
            code: "toml-syntax",
            message: error.message().to_owned(),
            hint: "a value is `true`, `false`, a number, or a text in quotes: `key = \"text\"`",
            span: error.span().map_or(whole, shift),
        })
        .chain(control)
        .collect();
    let value = Value::Table(members(table.into_inner(), offset));
    let key = "portcullis".to_owned();
    let value = Node { span: whole, value };
    let root = Value::Table(vec![Member { key, key_span: Span::new(0, 0), value }]);
    (Node { span: whole, value: root }, flaws)
}

fn members(table: DeTable<'_>, offset: usize) -> Vec<Member> {
    let members = table.into_iter().map(|(key, value)| {
        let key_span = span(&key, offset);
        Member { key: key.into_inner().into_owned(), key_span, value: node(value, offset) }
    });
    members.collect()
}

/// The parser refuses text that is nested too deeply, so this recursion ends.
fn node(value: Spanned<DeValue<'_>>, offset: usize) -> Node {
    let span = span(&value, offset);
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Number(number.to_string()),
        DeValue::Float(number) => Value::Number(number.to_string()),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(values) => {
            Value::List(values.into_iter().map(|value| node(value, offset)).collect())
        }
        DeValue::Table(table) => Value::Table(members(table, offset)),
    };
    Node { span, value }
}

fn span<T>(spanned: &Spanned<T>, offset: usize) -> Span {
    let range = spanned.span();
    Span::new(range.start + offset, range.end + offset)
}

/// What is wrong after the first few follows from them.
const MOST_FLAWS: usize = 5;
