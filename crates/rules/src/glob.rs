//! Globs with `*` only, and the three answers of a match.

use crate::automaton::{Automaton, Builder, ByteSet};
use portcullis_model::{TextPiece, TextSet};

/// How a pattern relates to a set of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// No text of the set matches.
    No,
    /// Some text of the set may match.
    Possible,
    /// Every text of the set matches.
    Certain,
}

/// A pattern over a whole text in which `*` is any sequence and `\*` a star.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glob {
    /// The literal runs between stars: a single run is an exact text.
    ///
    /// INVARIANT: never empty; no run but the first and the last is empty.
    runs: Vec<String>,
}

/// A character of a pattern, or a star.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// This character.
    Char(char),
    /// Any sequence.
    Star,
}

impl Glob {
    /// Compiles a pattern.
    pub fn new(pattern: &str) -> Self {
        Self::from_tokens(tokens(pattern))
    }

    /// The pattern that matches just this text, stars included.
    pub fn exact(text: &str) -> Self {
        Self { runs: vec![text.to_owned()] }
    }

    pub(crate) fn from_tokens(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut runs = Vec::new();
        let mut run = String::new();
        for token in tokens {
            match token {
                Token::Char(c) => run.push(c),
                // Upholds: a second star in a row adds no empty run.
                Token::Star if run.is_empty() && !runs.is_empty() => {}
                Token::Star => runs.push(std::mem::take(&mut run)),
            }
        }
        runs.push(run);
        Self { runs }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.runs.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return text == first };
        let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
        for run in middle {
            // The leftmost place is the best one: it leaves the most for what follows.
            let Some((_, after)) = text.split_once(run.as_str()) else { return false };
            text = after;
        }
        text.ends_with(last.as_str())
    }

    /// Whether some text of the set matches: exact, in time pattern times text.
    pub fn intersects(&self, texts: &TextSet) -> bool {
        let Some(state) = texts.pieces().iter().try_fold(Positions::new(self), Positions::piece)
        else {
            return false;
        };
        state.at_end()
    }

    /// Whether the pattern is one exact text.
    pub fn is_exact(&self) -> bool {
        self.runs.len() == 1
    }

    /// Whether every text matches.
    pub fn is_everything(&self) -> bool {
        self.runs.len() > 1 && self.runs.iter().all(String::is_empty)
    }

    /// The text that matches with `fill` for every star.
    ///
    /// With a fill that stands in no other pattern this is the hardest text of all: what matches it
    /// matches every text of this pattern, since only a star can read the fill.
    pub fn sample(&self, fill: &str) -> String {
        self.runs.join(fill)
    }

    /// The literal runs between stars, in order.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &str> {
        self.runs.iter().map(String::as_str)
    }

    /// The text every match starts with.
    pub fn prefix(&self) -> &str {
        self.runs.first().map_or("", String::as_str)
    }

    /// Whether the only star stands at the end: what starts like the prefix matches.
    pub(crate) fn is_prefix(&self) -> bool {
        matches!(self.runs.as_slice(), [_, last] if last.is_empty())
    }

    /// The pattern as a language.
    pub fn automaton(&self) -> Automaton {
        let (mut builder, start) = Builder::new();
        let end = self.append(&mut builder, start, ByteSet::ANY);
        builder.finish(start, &[end])
    }

    /// Appends the pattern to an automaton, a star reading only the given bytes.
    pub(crate) fn append(&self, builder: &mut Builder, from: usize, star: ByteSet) -> usize {
        let mut at = from;
        for (index, run) in self.runs.iter().enumerate() {
            if index > 0 {
                at = builder.repeat(at, star);
            }
            at = builder.literal(at, run);
        }
        at
    }
}

/// Reads a pattern: `*` is a star, `\*` the character.
pub(crate) fn tokens(pattern: &str) -> Vec<Token> {
    let mut out = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Token::Star,
            '\\' if chars.next_if_eq(&'*').is_some() => Token::Char('*'),
            c => Token::Char(c),
        });
    }
    out
}

/// The language of a text set.
pub(crate) fn text_automaton(texts: &TextSet) -> Automaton {
    let (mut builder, start) = Builder::new();
    let mut at = start;
    for piece in texts.pieces() {
        at = match piece {
            TextPiece::Literal(text) => builder.literal(at, text),
            TextPiece::InWord => {
                let inside = builder.repeat(at, in_word_plain());
                let escaped = builder.step(inside, ByteSet::single(b'\\'));
                builder.edge(escaped, ByteSet::ANY, inside);
                inside
            }
            TextPiece::Anything => builder.repeat(at, ByteSet::ANY),
            TextPiece::MoreWords => {
                let blank = builder.step(at, ByteSet::single(b' '));
                let more = builder.repeat(blank, ByteSet::ANY);
                let end = builder.state();
                builder.skip(at, end);
                builder.skip(more, end);
                end
            }
        };
    }
    builder.finish(start, &[at])
}

/// The bytes that stay inside a canonical word without an escape.
fn in_word_plain() -> ByteSet {
    ByteSet::ANY.without(ByteSet::single(b' ')).without(ByteSet::single(b'\\'))
}

/// The places in a pattern that a partly unknown text may have led to.
struct Positions {
    /// The pattern, byte by byte; `None` is a star.
    pattern: Vec<Option<u8>>,
    /// For each place (one more than the pattern is long), whether it may be where we are. A place
    /// before a star is never live without the place after it.
    live: Vec<bool>,
}

impl Positions {
    fn new(glob: &Glob) -> Self {
        let mut pattern: Vec<Option<u8>> = Vec::new();
        for (index, run) in glob.runs.iter().enumerate() {
            if index > 0 {
                pattern.push(None);
            }
            pattern.extend(run.bytes().map(Some));
        }
        let mut live = vec![false; pattern.len() + 1];
        if let Some(first) = live.first_mut() {
            *first = true;
        }
        let mut positions = Self { pattern, live };
        positions.pass_stars();
        positions
    }

    /// Reads one piece; `None` once no place is left.
    fn piece(mut self, piece: &TextPiece) -> Option<Self> {
        match piece {
            TextPiece::Literal(text) => {
                for byte in text.bytes() {
                    self.step(ByteSet::single(byte));
                    if !self.live.contains(&true) {
                        return None;
                    }
                }
            }
            TextPiece::InWord => self.in_word(),
            TextPiece::Anything => self.anything(),
            TextPiece::MoreWords => {
                let before = self.live.clone();
                self.step(ByteSet::single(b' '));
                self.anything();
                self.join(&before);
            }
        }
        Some(self)
    }

    fn at_end(&self) -> bool {
        self.live.last() == Some(&true)
    }

    /// Reads any one byte of a set.
    fn step(&mut self, bytes: ByteSet) {
        let mut following = vec![false; self.live.len()];
        for (at, _) in self.live.iter().enumerate().filter(|(_, live)| **live) {
            let target = match self.pattern.get(at) {
                Some(None) => at,
                Some(Some(byte)) if bytes.contains(*byte) => at + 1,
                Some(Some(_)) | None => continue,
            };
            if let Some(place) = following.get_mut(target) {
                *place = true;
            }
        }
        self.live = following;
        self.pass_stars();
    }

    /// Reads any text: every place from the first live one on can be reached.
    fn anything(&mut self) {
        let first = self.live.iter().position(|live| *live).unwrap_or(self.live.len());
        for place in self.live.iter_mut().skip(first) {
            *place = true;
        }
    }

    /// Reads any text that stays inside a word.
    fn in_word(&mut self) {
        loop {
            let before = self.live.clone();
            self.step(in_word_plain());
            let plain = std::mem::replace(&mut self.live, before.clone());
            self.step(ByteSet::single(b'\\'));
            self.step(ByteSet::ANY);
            self.join(&plain);
            self.join(&before);
            if self.live == before {
                return;
            }
        }
    }

    fn join(&mut self, other: &[bool]) {
        for (place, other) in self.live.iter_mut().zip(other) {
            *place |= other;
        }
    }

    /// A star may read nothing.
    fn pass_stars(&mut self) {
        let mut carried = false;
        for (at, place) in self.live.iter_mut().enumerate() {
            *place |= carried;
            carried = *place && self.pattern.get(at) == Some(&None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_any_sequence_and_all_else_is_literal() {
        for (pattern, text, want) in [
            ("ls", "ls", true),
            ("ls", "lsx", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*.py", "a b.py", true),
            ("a*b*c", "abbc", true),
            ("a**c", "abc", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("a?c", "abc", false),
            ("[ab]", "a", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), want, "{pattern} {text}");
        }
    }
}
