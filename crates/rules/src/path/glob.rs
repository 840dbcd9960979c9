//! Gitignore globs: segments of a path and what they match.
//!
//! Follows `wildmatch.c` of git for stars, question marks, classes and escapes, but reads characters
//! where git reads bytes.

use super::PathProblem;

/// A compiled path pattern below its anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathGlob {
    pub(super) segments: Vec<Segment>,
    /// The whole path must match; otherwise what matches includes everything below.
    pub(super) whole: bool,
}

/// A part of a pattern between slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// `**`: any number of components, also none.
    AnyDepth,
    /// One component with exactly this name.
    Literal(String),
    /// One component that matches.
    Glob(Vec<Token>),
}

/// A part of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any sequence.
    Many,
    /// `[...]`: one character of a class.
    Class(Class),
}

/// A character class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) negated: bool,
    pub(super) ranges: Vec<(char, char)>,
}

/// Whether the case of letters counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    Folded,
}

impl PathGlob {
    /// Whether a relative path (components joined by slashes, empty for the anchor) matches.
    pub(super) fn matches(&self, path: &str, case: Case) -> bool {
        let mut rest = path;
        let mut segments = self.segments.as_slice();
        // Since every segment but `**` takes exactly one component, only the last `**` passed ever
        // has to take more.
        let mut retry: Option<(&[Segment], &str)> = None;
        loop {
            match segments.split_first() {
                None if !self.whole || rest.is_empty() => return true,
                Some((Segment::AnyDepth, after)) => {
                    retry = Some((after, rest));
                    segments = after;
                    continue;
                }
                Some((segment, after)) if !rest.is_empty() => {
                    let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
                    if segment.matches(name, case) {
                        (segments, rest) = (after, below);
                        continue;
                    }
                }
                None | Some(_) => {}
            }
            match retry {
                Some((after, from)) if !from.is_empty() => {
                    let below = from.split_once('/').map_or("", |(_, below)| below);
                    retry = Some((after, below));
                    (segments, rest) = (after, below);
                }
                Some(_) | None => return false,
            }
        }
    }

    /// Whether a path at or below the relative directory may match.
    pub(super) fn may_match_below(&self, dir: &str, case: Case) -> bool {
        let mut live: Vec<&[Segment]> = vec![&self.segments];
        let names = dir.split('/').filter(|name| !name.is_empty()).peekable();
        for name in names {
            let mut following: Vec<&[Segment]> = Vec::new();
            let mut open = live;
            while let Some(segments) = open.pop() {
                match segments.split_first() {
                    None if self.whole => {}
                    None => return true,
                    Some((Segment::AnyDepth, after)) => {
                        following.push(segments);
                        open.push(after);
                    }
                    Some((segment, after)) if segment.matches(name, case) => following.push(after),
                    Some(_) => {}
                }
            }
            following.sort_unstable_by_key(|segments| segments.len());
            following.dedup_by_key(|segments| segments.len());
            live = following;
        }
        !live.is_empty()
    }
}

impl Segment {
    fn matches(&self, name: &str, case: Case) -> bool {
        match self {
            Self::AnyDepth => true,
            Self::Literal(own) => match case {
                Case::Exact => own == name,
                Case::Folded if own.is_ascii() && name.is_ascii() => own.eq_ignore_ascii_case(name),
                Case::Folded => own.chars().map(fold).eq(name.chars().map(fold)),
            },
            Self::Glob(tokens) => glob_matches(tokens, name, case),
        }
    }
}

impl Token {
    pub(super) fn matches(&self, c: char, case: Case) -> bool {
        match self {
            Self::Char(own) => match case {
                Case::Exact => *own == c,
                Case::Folded => fold(*own) == fold(c),
            },
            Self::One => true,
            Self::Many => false,
            Self::Class(class) => class.matches(c, case),
        }
    }
}

impl Class {
    /// Whether it lists characters of ASCII only.
    pub(super) fn is_ascii(&self) -> bool {
        self.ranges.iter().all(|(first, last)| first.is_ascii() && last.is_ascii())
    }

    fn matches(&self, c: char, case: Case) -> bool {
        let exactly = |c: char| {
            self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != self.negated
        };
        match case {
            Case::Exact => exactly(c),
            Case::Folded => exactly(c) || exactly(fold(c)) || exactly(upper(c)),
        }
    }
}

/// A character without its case: where a deny rule is meant regardless of case, `K` is also the
/// Kelvin sign and `s` the long s, as case-insensitive filesystems see it.
pub(super) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = upper(c).to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(folded), None) => folded,
        _ => c,
    }
}

fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}

pub(super) fn glob_matches(tokens: &[Token], name: &str, case: Case) -> bool {
    let mut rest = name.chars();
    let mut tokens = tokens;
    let mut retry: Option<(&[Token], std::str::Chars<'_>)> = None;
    loop {
        let mut after_one = rest.clone();
        match (tokens.split_first(), after_one.next()) {
            (None, None) => return true,
            (Some((Token::Many, after)), _) => {
                retry = Some((after, rest.clone()));
                tokens = after;
                continue;
            }
            (Some((token, after)), Some(c)) if token.matches(c, case) => {
                (tokens, rest) = (after, after_one);
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        (tokens, rest) = (after, from.clone());
    }
}

/// Compiles a pattern without its anchor. Empty and `.` segments mean nothing.
pub(super) fn segments(pattern: &str) -> Result<Vec<Segment>, PathProblem> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' => push(&mut segments, std::mem::take(&mut tokens)),
            '\\' => match chars.next() {
                Some('/') => push(&mut segments, std::mem::take(&mut tokens)),
                Some(c) => tokens.push(Token::Char(c)),
                None => return Err(PathProblem::Malformed("it ends in a backslash")),
            },
            '?' => tokens.push(Token::One),
            '*' => tokens.push(Token::Many),
            '[' => tokens.push(Token::Class(class(&mut chars)?)),
            c => tokens.push(Token::Char(c)),
        }
    }
    push(&mut segments, tokens);
    Ok(segments)
}

/// Ends a segment.
fn push(segments: &mut Vec<Segment>, mut tokens: Vec<Token>) {
    let only_stars = tokens.iter().all(|token| *token == Token::Many);
    if only_stars && tokens.len() >= 2 {
        if segments.last() != Some(&Segment::AnyDepth) {
            segments.push(Segment::AnyDepth);
        }
        return;
    }
    tokens.dedup_by(|a, b| *a == Token::Many && *b == Token::Many);
    let literal: Option<String> = tokens
        .iter()
        .map(|token| match token {
            Token::Char(c) => Some(*c),
            Token::One | Token::Many | Token::Class(_) => None,
        })
        .collect();
    match literal {
        Some(name) if name.is_empty() || name == "." => {}
        Some(name) => segments.push(Segment::Literal(name)),
        None => segments.push(Segment::Glob(tokens)),
    }
}

/// Reads a class after its `[`, the way `wildmatch.c` does: a first `]` is a member, so is a `-`
/// without two ends, and a backslash escapes.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Class, PathProblem> {
    let negated = chars.next_if(|c| matches!(c, '!' | '^')).is_some();
    let mut class = Class { negated, ranges: Vec::new() };
    let mut before: Option<char> = None;
    let mut first = true;
    loop {
        let c = chars.next().ok_or(UNCLOSED)?;
        let next = chars.peek().copied();
        match (c, before, next) {
            (']', _, _) if !first => return Ok(class),
            ('\\', _, _) => {
                let escaped = chars.next().ok_or(UNCLOSED)?;
                class.ranges.push((escaped, escaped));
                before = Some(escaped);
            }
            ('-', Some(start), Some(next)) if next != ']' => {
                chars.next();
                let end = if next == '\\' { chars.next().ok_or(UNCLOSED)? } else { next };
                class.ranges.push((start, end));
                before = None;
            }
            ('[', _, Some(':')) => {
                let ahead: String = chars.clone().skip(1).take_while(|c| *c != ']').collect();
                if !chars.clone().any(|c| c == ']') {
                    return Err(UNCLOSED);
                }
                if let Some(name) = ahead.strip_suffix(':') {
                    class.ranges.extend(posix_class(name)?);
                    for _ in 0..ahead.chars().count() + 2 {
                        chars.next();
                    }
                    before = None;
                } else {
                    class.ranges.push(('[', '['));
                    before = Some('[');
                }
            }
            (c, _, _) => {
                class.ranges.push((c, c));
                before = Some(c);
            }
        }
        first = false;
    }
}

const UNCLOSED: PathProblem = PathProblem::Malformed("a `[` is never closed");

/// The members of `[:name:]`, ASCII as in git.
fn posix_class(name: &str) -> Result<Vec<(char, char)>, PathProblem> {
    Ok(match name {
        "alnum" => vec![('a', 'z'), ('A', 'Z'), ('0', '9')],
        "alpha" => vec![('a', 'z'), ('A', 'Z')],
        "blank" => vec![(' ', ' '), ('\t', '\t')],
        "cntrl" => vec![('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => vec![('0', '9')],
        "graph" => vec![('!', '~')],
        "lower" => vec![('a', 'z')],
        "print" => vec![(' ', '~')],
        "punct" => vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => vec![(' ', ' '), ('\t', '\r')],
        "upper" => vec![('A', 'Z')],
        "xdigit" => vec![('0', '9'), ('a', 'f'), ('A', 'F')],
        _ => return Err(PathProblem::Malformed("it names an unknown character class")),
    })
}
