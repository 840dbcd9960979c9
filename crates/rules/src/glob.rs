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
        if let (Some(run), Some(TextPiece::Literal(end))) =
            (self.runs.last(), texts.pieces().last())
            && !run.ends_with(end.as_str())
            && !end.ends_with(run.as_str())
        {
            return false;
        }
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
///
/// A place stands before each byte and at the end; a star lets its place read anything and stay.
struct Positions {
    bytes: Vec<u8>,
    stars: Vec<bool>,
    /// For each place, whether it may be where we are.
    live: Vec<bool>,
    /// Where the live places lie: from the first to before the second. Mostly that is one place, so
    /// that a pattern that differs early costs little.
    range: (usize, usize),
}

impl Positions {
    fn new(glob: &Glob) -> Self {
        let length: usize = glob.runs.iter().map(String::len).sum();
        let mut bytes = Vec::with_capacity(length);
        let mut stars = vec![false; length + 1];
        for (index, run) in glob.runs.iter().enumerate() {
            if let Some(star) = stars.get_mut(bytes.len()).filter(|_| index > 0) {
                *star = true;
            }
            bytes.extend_from_slice(run.as_bytes());
        }
        let mut live = vec![false; length + 1];
        if let Some(first) = live.first_mut() {
            *first = true;
        }
        Self { bytes, stars, live, range: (0, 1) }
    }

    /// Reads one piece; `None` once no place is left.
    fn piece(mut self, piece: &TextPiece) -> Option<Self> {
        match piece {
            TextPiece::Literal(text) => {
                for byte in text.bytes() {
                    self.step(byte);
                    if self.range.0 == self.range.1 {
                        return None;
                    }
                }
            }
            TextPiece::InWord => self.in_word(),
            TextPiece::Anything => self.anything(),
            TextPiece::MoreWords => {
                let (before, range) = (self.live.clone(), self.range);
                self.step(b' ');
                self.anything();
                for (place, before) in self.live.iter_mut().zip(before) {
                    *place |= before;
                }
                self.range = (range.0, self.range.1.max(range.1));
            }
        }
        Some(self)
    }

    fn at_end(&self) -> bool {
        self.live.last() == Some(&true)
    }

    fn is_live(&self, at: usize) -> bool {
        self.live.get(at) == Some(&true)
    }

    fn has_star(&self, at: usize) -> bool {
        self.stars.get(at) == Some(&true)
    }

    /// Reads one byte.
    fn step(&mut self, byte: u8) {
        let (first, end) = self.range;
        let mut live = None;
        // From the end, so that every place still knows what was live before it.
        for at in (first..(end + 1).min(self.live.len())).rev() {
            let before = at.checked_sub(1).filter(|before| self.is_live(*before));
            let comes = before.is_some_and(|before| self.bytes.get(before) == Some(&byte));
            let is = comes || (self.is_live(at) && self.has_star(at));
            if let Some(place) = self.live.get_mut(at) {
                *place = is;
            }
            if is {
                live = Some((at, live.map_or(at + 1, |(_, end)| end)));
            }
        }
        self.range = live.unwrap_or_default();
    }

    /// Reads any text: every place from the first live one on can be reached.
    fn anything(&mut self) {
        let first = self.live.iter().position(|live| *live).unwrap_or(self.live.len());
        for place in self.live.iter_mut().skip(first) {
            *place = true;
        }
        self.range = (first, self.live.len());
    }

    /// Reads any text that stays inside a word: bytes that need no escape, and escaped ones.
    fn in_word(&mut self) {
        // Every move leads on or stays, so one pass from the first place on is enough.
        for at in self.range.0..self.live.len() {
            if !self.is_live(at) {
                continue;
            }
            let own = self.bytes.get(at).copied();
            // A star reads the backslash, and the place of the star the byte behind it.
            let on = own.is_some_and(|byte| in_word_plain().contains(byte)) || self.has_star(at);
            let escape = own == Some(b'\\');
            let staying = escape && self.has_star(at + 1);
            for (leads, to) in [(on, at + 1), (staying, at + 1), (escape, at + 2)] {
                if let Some(place) = self.live.get_mut(to).filter(|_| leads) {
                    *place = true;
                }
            }
        }
        self.range.1 = self.live.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automaton::Budget;

    #[test]
    fn meets_partly_unknown_texts_as_the_automata_do() {
        let words = |letters: &[&str], longest: u32| -> Vec<String> {
            (0..=longest)
                .flat_map(|length| {
                    let count = letters.len().pow(length);
                    (0..count).map(move |mut number| {
                        let mut out = String::new();
                        for _ in 0..length {
                            out.push_str(letters[number % letters.len()]);
                            number /= letters.len();
                        }
                        out
                    })
                })
                .collect()
        };
        let pieces = [
            TextPiece::Literal("a".to_owned()),
            TextPiece::Literal("a ".to_owned()),
            TextPiece::Literal("\\".to_owned()),
            TextPiece::InWord,
            TextPiece::MoreWords,
            TextPiece::Anything,
        ];
        let patterns: Vec<Glob> = words(&["a", " ", "\\", "*"], 4)
            .iter()
            .map(|text| {
                Glob::from_tokens(
                    text.chars().map(|c| if c == '*' { Token::Star } else { Token::Char(c) }),
                )
            })
            .collect();
        let mut met = 0;
        for count in 0..pieces.len().pow(3) {
            let mut texts = TextSet::default();
            let mut number = count;
            for _ in 0..3 {
                texts.push(pieces[number % pieces.len()].clone());
                number /= pieces.len();
            }
            let language = text_automaton(&texts);
            for glob in &patterns {
                let budget = &mut Budget::new(1_000_000);
                let want = glob.automaton().intersects(&language, budget).unwrap();
                assert_eq!(glob.intersects(&texts), want, "{glob:?} {texts:?}");
                met += usize::from(want);
            }
        }
        assert!(met > 1_000, "{met}");
    }

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
