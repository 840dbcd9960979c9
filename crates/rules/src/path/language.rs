//! Path patterns and partly unknown paths as languages of normalised absolute paths.

use super::glob::{Case, Class, PathGlob, Segment, Token};
use crate::automaton::{Automaton, Builder, ByteSet};
use portcullis_model::{AbsPath, TextPiece, TextSet};

/// The paths a pattern matches.
pub(super) fn pattern(anchor: &AbsPath, glob: &PathGlob, case: Case) -> Automaton {
    let (mut builder, start) = Builder::new();
    let mut at = start;
    for name in anchor.components() {
        at = builder.literal(at, "/");
        for c in name.chars() {
            at = token(&mut builder, at, &Token::Char(c), case);
        }
    }
    for segment in &glob.segments {
        at = match segment {
            Segment::AnyDepth => any_depth(&mut builder, at),
            Segment::Literal(name) => {
                let slash = builder.literal(at, "/");
                name.chars().fold(slash, |at, c| token(&mut builder, at, &Token::Char(c), case))
            }
            Segment::Glob(tokens) => {
                let slash = builder.literal(at, "/");
                tokens.iter().fold(slash, |at, part| token(&mut builder, at, part, case))
            }
        };
    }
    if !glob.whole {
        at = any_depth(&mut builder, at);
    }
    let mut ends = vec![at];
    if *anchor == AbsPath::root() && glob.matches("", case) {
        // The root is the one path that is not a sequence of `/name`.
        ends.push(builder.literal(start, "/"));
    }
    builder.finish(start, &ends)
}

/// The normalised paths that a set of absolute path texts may stand for.
///
/// What follows the last unknown part is all that is sure: an unknown part may hold `..`.
pub(super) fn paths(texts: &TextSet) -> Automaton {
    let tail = match texts.pieces().last() {
        Some(TextPiece::Literal(text)) => text.as_str(),
        Some(TextPiece::InWord | TextPiece::Anything | TextPiece::MoreWords) | None => "",
    };
    let (mut builder, start) = Builder::new();
    let (joined, rest) = tail.split_once('/').unwrap_or((tail, ""));
    let names: Vec<&str> = rest.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    let hub = any_depth(&mut builder, start);
    let mut ends = vec![hub];
    let mut at = hub;
    if !names.contains(&"..") {
        if !matches!(joined, "" | "." | "..") {
            let slash = builder.literal(at, "/");
            let inside = builder.repeat(slash, in_name());
            at = builder.literal(inside, joined);
        }
        for name in names {
            at = builder.literal(at, "/");
            at = builder.literal(at, name);
        }
        ends = vec![at];
    }
    if at == hub {
        ends.push(builder.literal(start, "/"));
    }
    builder.finish(start, &ends)
}

/// Whether the set holds every path: nothing is sure behind its last unknown part.
pub(super) fn is_any_path(texts: &TextSet) -> bool {
    match texts.pieces().last() {
        Some(TextPiece::Literal(text)) => text.is_empty(),
        Some(TextPiece::InWord | TextPiece::Anything | TextPiece::MoreWords) => true,
        None => false,
    }
}

/// The components of a shell glob; `None` where one may be `..`.
pub(super) fn glob_names(glob: &str) -> Option<Vec<&str>> {
    let mut names: Vec<&str> = Vec::new();
    for name in glob.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            // Older shells expand `.*` to `..`, too.
            name if name.starts_with(['.', '\\']) && name.contains(['*', '?', '[', '(']) => {
                return None;
            }
            name => names.push(name),
        }
    }
    Some(names)
}

/// The paths a shell glob may expand to, and the glob itself; `None` where a component may be `..`.
pub(super) fn shell_glob(glob: &str) -> Option<Automaton> {
    let names = glob_names(glob)?;
    let (mut builder, start) = Builder::new();
    let mut at = start;
    for name in &names {
        if *name == "**" {
            at = any_depth(&mut builder, at);
            continue;
        }
        at = builder.literal(at, "/");
        if name.bytes().all(|byte| matches!(byte, b'*' | b'?')) {
            // A name is never empty.
            at = builder.step(at, in_name());
        }
        let mut chars = name.chars().peekable();
        while let Some(c) = chars.next() {
            at = match c {
                '\\' => {
                    let escaped = chars.next().unwrap_or('\\');
                    builder.literal(at, escaped.encode_utf8(&mut [0; 4]))
                }
                '*' | '?' => builder.repeat(at, in_name()),
                // Classes and extended globs are only told apart from text by what exists, so from
                // there on the component is open.
                '[' | '(' => {
                    at = builder.repeat(at, in_name());
                    break;
                }
                '+' | '@' | '!' if chars.peek() == Some(&'(') => {
                    at = builder.repeat(at, in_name());
                    break;
                }
                c => builder.literal(at, c.encode_utf8(&mut [0; 4])),
            };
        }
    }
    let mut ends = vec![at];
    if names.is_empty() || names == ["**"] {
        ends.push(builder.literal(start, "/"));
    }
    Some(builder.finish(start, &ends))
}

/// Bytes that stay inside a component.
fn in_name() -> ByteSet {
    ByteSet::ANY.without(ByteSet::single(b'/'))
}

/// Any number of `/name`.
fn any_depth(builder: &mut Builder, from: usize) -> usize {
    let hub = builder.state();
    builder.skip(from, hub);
    let slash = builder.step(hub, ByteSet::single(b'/'));
    let inside = builder.step(slash, in_name());
    builder.edge(inside, in_name(), inside);
    builder.skip(inside, hub);
    hub
}

/// The ASCII bytes a token takes.
fn ascii(token: &Token, case: Case) -> ByteSet {
    let takes = |byte: &u8| *byte != b'/' && token.matches(char::from(*byte), case);
    let union = |set: ByteSet, byte: u8| set.union(ByteSet::single(byte));
    match token {
        // Only the two spellings of a letter fold to the same.
        Token::Char(c) if c.is_ascii() => {
            let spellings = [c.to_ascii_lowercase(), c.to_ascii_uppercase()];
            let bytes = spellings.into_iter().filter_map(|c| u8::try_from(c).ok());
            bytes.filter(takes).fold(ByteSet::NONE, union)
        }
        Token::Char(_) | Token::One | Token::Many | Token::Class(_) => {
            (0..=0x7f_u8).filter(takes).fold(ByteSet::NONE, union)
        }
    }
}

/// Appends one token.
fn token(builder: &mut Builder, from: usize, token: &Token, case: Case) -> usize {
    let to = match token {
        Token::Many => return builder.repeat(from, in_name()),
        Token::Char(_) | Token::One | Token::Class(_) => builder.state(),
    };
    builder.edge(from, ascii(token, case), to);
    match (token, case) {
        (Token::Char(c), Case::Exact) if !c.is_ascii() => {
            let end = builder.literal(from, c.encode_utf8(&mut [0; 4]));
            builder.skip(end, to);
        }
        (Token::Char(c), Case::Folded) if !c.is_ascii() => wide(builder, from, to),
        (Token::One, _) => wide(builder, from, to),
        (Token::Class(class), case) if takes_wide(class, case) => wide(builder, from, to),
        (Token::Char(_) | Token::Class(_), Case::Folded) => {
            // The only characters outside ASCII that fold into it.
            for other in ['\u{212a}', '\u{17f}'] {
                if token.matches(other, case) {
                    let end = builder.literal(from, other.encode_utf8(&mut [0; 4]));
                    builder.skip(end, to);
                }
            }
        }
        (Token::Char(_) | Token::Class(_) | Token::Many, _) => {}
    }
    to
}

/// Whether a class is taken to match every character outside ASCII.
///
/// Exact for classes of ASCII characters. Where a class lists others, deny and ask rules take too
/// much and allow rules too little, so that no answer is ever too loose.
fn takes_wide(class: &Class, case: Case) -> bool {
    match case {
        Case::Exact => class.is_ascii() && class.negated,
        Case::Folded => !class.is_ascii() || class.negated,
    }
}

/// Any one character outside ASCII.
fn wide(builder: &mut Builder, from: usize, to: usize) {
    let rest = ByteSet::range(0x80, 0xbf);
    for (first, last, length) in [(0xc2, 0xdf, 1), (0xe0, 0xef, 2), (0xf0, 0xf4, 3)] {
        let mut at = builder.step(from, ByteSet::range(first, last));
        for _ in 1..length {
            at = builder.step(at, rest);
        }
        builder.edge(at, rest, to);
    }
}
