//! `Tool` or `Tool(specifier)`: where a rule text is cut.

use crate::{RuleError, RuleWarning};
use portcullis_model::Span;

/// A rule text, cut.
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) name_span: Span,
    /// The text between the parentheses, escapes of parentheses removed.
    pub(super) specifier: Option<String>,
    pub(super) specifier_span: Span,
}

impl<'a> Parts<'a> {
    pub(super) fn split(text: &'a str) -> Result<Self, RuleError> {
        let start = text.len() - text.trim_start().len();
        let rule = text.trim();
        let whole = Span::new(start, start + rule.len());
        if text.len() > MAX_RULE_BYTES {
            let message = format!("the rule is longer than {MAX_RULE_BYTES} bytes");
            return Err(unreadable("rule-too-long", message, "split the rule", whole));
        }
        if rule.is_empty() {
            let hint = "write `Tool` or `Tool(specifier)`, or remove it";
            return Err(unreadable("rule-empty", "the rule is empty".to_owned(), hint, whole));
        }
        let (name, rest) = match rule.split_once('(') {
            Some((name, rest)) => (name, Some(rest)),
            None => (rule, None),
        };
        let name_span = Span::new(start, start + name.len());
        if name.is_empty() || name.contains(is_no_name_character) {
            let message = match name {
                "" => "the tool name is missing".to_owned(),
                _ => format!("`{name}` is not a tool name"),
            };
            let hint = "write `Tool` or `Tool(specifier)`";
            return Err(unreadable("rule-tool-name", message, hint, name_span));
        }
        let open = name_span.end;
        let mut parts = Self { name, name_span, specifier: None, specifier_span: whole };
        let Some(rest) = rest else { return Ok(parts) };
        parts.specifier_span = Span::new(open, whole.end);
        let Some(close) = rest.rfind(')').filter(|at| !is_escaped(rest, *at)) else {
            let message = "the parenthesis is never closed".to_owned();
            let hint = "end the rule with `)`";
            return Err(parts.error("rule-unbalanced", message, hint, Span::new(open, open + 1)));
        };
        let inner = rest.get(..close).unwrap_or("");
        let inner_span = Span::new(open + 1, open + 1 + close);
        if inner_span.end + 1 != whole.end {
            let message = "text follows the closing parenthesis".to_owned();
            let hint = "end the rule with its last `)`";
            let after = Span::new(inner_span.end + 1, whole.end);
            return Err(parts.error("rule-unbalanced", message, hint, after));
        }
        if inner.trim().is_empty() {
            let message = "the parentheses are empty, so the rule matches nothing".to_owned();
            let hint = format!("write `{name}` for every call, or say which");
            return Err(parts.error("rule-empty-specifier", message, hint, parts.specifier_span));
        }
        parts.specifier_span = inner_span;
        parts.specifier = Some(unescape(inner));
        Ok(parts)
    }

    /// An error of a rule whose tool is known.
    pub(super) fn error(
        &self,
        code: &'static str,
        message: String,
        hint: impl Into<String>,
        span: Span,
    ) -> RuleError {
        let tool = Some(self.name.to_owned());
        RuleError { code, message, hint: hint.into(), span, tool, ignored: false }
    }
}

pub(super) fn warning(
    code: &'static str,
    message: String,
    hint: impl Into<String>,
    span: Span,
) -> RuleWarning {
    RuleWarning { code, message, hint: hint.into(), span }
}

fn unreadable(code: &'static str, message: String, hint: &str, span: Span) -> RuleError {
    RuleError { code, message, hint: hint.to_owned(), span, tool: None, ignored: false }
}

fn is_no_name_character(c: char) -> bool {
    c.is_whitespace() || c.is_control() || c == ')'
}

/// Whether an odd number of backslashes stands before a place.
fn is_escaped(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or("");
    (before.len() - before.trim_end_matches('\\').len()) % 2 == 1
}

/// Removes the escapes of parentheses and backslashes; other backslashes belong to the pattern.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = chars.next_if(|next| c == '\\' && matches!(next, '(' | ')' | '\\'));
        out.push(escaped.unwrap_or(c));
    }
    out
}

/// Far more than any rule needs; what bounds the automata behind a rule and the work to build them.
const MAX_RULE_BYTES: usize = 8 * 1024;
