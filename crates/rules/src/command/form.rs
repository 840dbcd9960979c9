//! The globs that the text of a command rule stands for.

use crate::Glob;
use crate::glob::{Token, tokens};
use portcullis_model::{RuleClass, quote_fragment};

/// What a rule text compiles to.
pub(super) struct Forms {
    pub(super) globs: Vec<Glob>,
    pub(super) whole: Vec<Glob>,
    pub(super) wildcard: bool,
}

impl Forms {
    pub(super) fn of(text: &str, class: RuleClass) -> Self {
        let generous = class != RuleClass::Allow;
        let trimmed = if generous { text.trim() } else { text };
        let Some(prefix) = trimmed.strip_suffix(":*") else {
            return Self::of_pattern(trimmed, generous);
        };
        let mut globs = Vec::new();
        if !prefix.trim().is_empty() {
            globs.extend(prefixed(prefix));
            let words = canonical_words(prefix, Stars::Literal, generous);
            if let Some(words) = words.filter(|_| !is_canonical(prefix) || prefix.contains('*')) {
                globs.extend(prefixed(
                    &join(&words).into_iter().filter_map(char_of).collect::<String>(),
                ));
            }
            globs.dedup();
        }
        Self { globs, whole: Vec::new(), wildcard: true }
    }

    fn of_pattern(text: &str, generous: bool) -> Self {
        let raw = pattern_tokens(text);
        let wildcard = raw.contains(&Token::Star);
        if is_canonical(text) {
            return Self { globs: with_bare_prefix(raw), whole: Vec::new(), wildcard };
        }
        let mut globs = Vec::new();
        let separators = holds_separators(text);
        if !separators {
            globs.extend(with_bare_prefix(raw));
        }
        let words = canonical_words(text, Stars::Wild, generous);
        if let Some(words) = words.filter(|_| !separators || generous) {
            let canonical = with_bare_prefix(join(&words));
            globs.extend(
                canonical.into_iter().filter(|glob| !globs.contains(glob)).collect::<Vec<_>>(),
            );
        }
        let mut whole = Vec::new();
        if separators {
            whole.push(Glob::exact(&spaced(text)));
            if generous {
                whole.push(Glob::new(&spaced(text)));
            }
        }
        Self { globs, whole, wildcard }
    }
}

/// Whether a text with single blanks holds nothing that canonical texts write in another way.
fn is_canonical(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=@%+* ".contains(c);
    text.chars().all(plain) && !text.contains("  ") && !text.contains(":*") && text.trim() == text
}

/// A `:*` that is not the end of the text is literal, star included.
fn pattern_tokens(text: &str) -> Vec<Token> {
    tokens(&text.replace(":*", ":\\*"))
}

/// A prefix and nothing, or a blank and anything.
fn prefixed(prefix: &str) -> [Glob; 2] {
    let longer = prefix.chars().map(Token::Char).chain([Token::Char(' '), Token::Star]);
    [Glob::exact(prefix), Glob::from_tokens(longer)]
}

/// The glob, and without its end where that is a blank and the pattern's only star.
fn with_bare_prefix(tokens: Vec<Token>) -> Vec<Glob> {
    let mut globs = Vec::with_capacity(2);
    if let [prefix @ .., Token::Char(' '), Token::Star] = tokens.as_slice()
        && !prefix.is_empty()
        && !prefix.contains(&Token::Star)
    {
        globs.push(Glob::from_tokens(prefix.iter().copied()));
    }
    globs.push(Glob::from_tokens(tokens));
    globs
}

/// How stars of a rule text are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stars {
    /// As wildcards, but for `\*`.
    Wild,
    /// As characters.
    Literal,
}

/// The words of a rule text, quotes removed; `None` where it has no canonical form of its own.
///
/// A backslash escapes what canonical texts escape and is a plain character before anything else:
/// rule texts are not shell, `foo\:bar` is what it looks like.
fn canonical_words(text: &str, stars: Stars, generous: bool) -> Option<Vec<Vec<Token>>> {
    if !generous && text.trim() != text {
        return None;
    }
    let mut words = Vec::new();
    let mut word: Option<Vec<Token>> = None;
    let mut quote = None;
    let mut chars = text.chars().peekable();
    let mut before = None;
    while let Some(c) = chars.next() {
        let literal_star = before.replace(c) == Some(':') || stars == Stars::Literal;
        match (quote, c) {
            (_, '\\') if chars.next_if_eq(&'*').is_some() => {
                word.get_or_insert_default().push(Token::Char('*'));
            }
            (_, '*') if literal_star => word.get_or_insert_default().push(Token::Char('*')),
            (None, ' ' | '\t') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if c == open => quote = None,
            // What an expansion yields is not known from the rule, and operators in an allow rule do
            // not approve the same characters as data.
            (None | Some('"'), '$' | '`') => return None,
            (None, '&' | '|' | ';' | '<' | '>' | '\n') if !generous => return None,
            (None, '\\') => {
                let escaped = chars.next_if(|next| {
                    quote_fragment(&next.to_string(), false).len() > 1 && next.is_ascii()
                });
                word.get_or_insert_default().push(Token::Char(escaped.unwrap_or('\\')));
            }
            (Some('"'), '\\') => {
                let escaped = chars.next_if(|next| matches!(next, '"' | '\\' | '$' | '`'));
                word.get_or_insert_default().push(Token::Char(escaped.unwrap_or('\\')));
            }
            // SECURITY: a star inside quotes often came in with a saved command. As a wildcard over
            // canonical text, where the closing quote is gone, it would let an allow rule for one
            // message cover any further argument.
            (Some(_), '*') if !generous => return None,
            (_, '*') => word.get_or_insert_default().push(Token::Star),
            (_, c) => word.get_or_insert_default().push(Token::Char(c)),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Joins words by blanks, each quoted in the way of canonical texts.
fn join(words: &[Vec<Token>]) -> Vec<Token> {
    let mut out = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            out.push(Token::Char(' '));
        }
        if word.is_empty() {
            out.extend("''".chars().map(Token::Char));
        }
        for (at, token) in word.iter().enumerate() {
            match token {
                Token::Star => out.push(Token::Star),
                Token::Char(c) => {
                    out.extend(quote_fragment(&c.to_string(), at == 0).chars().map(Token::Char));
                }
            }
        }
    }
    out
}

fn char_of(token: Token) -> Option<char> {
    match token {
        Token::Char(c) => Some(c),
        Token::Star => None,
    }
}

/// Whether separators stand outside of quotes.
fn holds_separators(text: &str) -> bool {
    pieces(text).iter().any(|piece| matches!(piece, Piece::Separator(_)))
}

/// A command string with exactly one blank around separators and between words.
///
/// Only spacing that means nothing is touched: a text with expansions, here-documents or several
/// lines stays as it is, since blanks inside of those are data; so are those in `@(a | b)`.
pub(super) fn spaced(text: &str) -> String {
    let text = text.trim();
    if text.contains(['$', '`', '\n', '#', '(']) || text.contains("<<") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for piece in pieces(text) {
        match piece {
            Piece::Text(piece) => out.push_str(piece),
            Piece::Blank => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            Piece::Separator(piece) => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
                out.push_str(piece);
                out.push(' ');
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// A part of a command string.
enum Piece<'a> {
    /// Words and redirections, quoted parts included.
    Text(&'a str),
    /// Blanks outside of quotes.
    Blank,
    /// A run of `&`, `|` and `;`, or a newline.
    Separator(&'a str),
}

/// Cuts a command string at unquoted blanks and separators.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = match c {
            ' ' | '\t' => rest.find(|c| c != ' ' && c != '\t'),
            c if is_operator(c) => rest.find(|c| !is_operator(c)),
            '\n' => Some(1),
            _ => text_end(rest),
        };
        let (piece, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
        pieces.push(match c {
            ' ' | '\t' => Piece::Blank,
            // A run with a redirection in it (`&>`, `>&`, `>|`) separates nothing.
            c if is_operator(c) && piece.contains(['<', '>']) => Piece::Text(piece),
            c if is_operator(c) || c == '\n' => Piece::Separator(piece),
            _ => Piece::Text(piece),
        });
        rest = after;
    }
    pieces
}

fn is_operator(c: char) -> bool {
    matches!(c, '&' | '|' | ';' | '<' | '>')
}

/// Where a stretch of words ends: at the next unquoted blank or operator.
fn text_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (None | Some('"'), '\\') => {
                chars.next();
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, ' ' | '\t' | '\n') => return Some(at),
            (None, c) if is_operator(c) => return Some(at),
            _ => {}
        }
    }
    None
}
