//! One argument of a command, as far as it is known.

use portcullis_model::{TextPiece, TextSet, push_quoted, push_quoted_word};

/// One argument (or several) of a command, as far as its text tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arg {
    /// Exactly this word, after quote removal.
    Known(String),
    /// Exactly one word: known start, unknown middle, known end.
    One {
        /// How it starts.
        prefix: String,
        /// How it ends.
        suffix: String,
    },
    /// A glob over file names: matches become words of their own; without a match it stays as it
    /// is. Literal characters that have a special meaning in globs are escaped by a backslash.
    Glob(String),
    /// Any number of words (also none), the first starting with `prefix` and the last ending with
    /// `suffix` if there are any.
    Many {
        /// How the first starts.
        prefix: String,
        /// How the last ends.
        suffix: String,
    },
}

impl Arg {
    /// Any number of entirely unknown words.
    pub fn many() -> Self {
        Self::Many { prefix: String::new(), suffix: String::new() }
    }

    /// One entirely unknown word.
    pub fn one() -> Self {
        Self::One { prefix: String::new(), suffix: String::new() }
    }

    /// The word, where it is known.
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            Self::One { .. } | Self::Glob(_) | Self::Many { .. } => None,
        }
    }

    /// The text every word it may stand for starts with.
    pub fn prefix(&self) -> &str {
        match self {
            Self::Known(text) => text,
            Self::One { prefix, .. } | Self::Many { prefix, .. } => prefix,
            Self::Glob(glob) => {
                let end =
                    glob.find(['*', '?', '[', '\\', '(', '+', '@', '!']).unwrap_or(glob.len());
                glob.get(..end).unwrap_or("")
            }
        }
    }

    /// Appends the canonical texts of this argument, with the blank that separates it.
    fn write(&self, set: &mut TextSet, first: bool) {
        let blank = |out: &mut String| {
            if !first {
                out.push(' ');
            }
        };
        let start = |set: &mut TextSet, prefix: &str| {
            set.push_with(|out| {
                blank(out);
                push_quoted(out, prefix, true);
            });
        };
        match self {
            Self::Known(word) => set.push_with(|out| {
                blank(out);
                push_quoted_word(out, word);
            }),
            Self::One { prefix, suffix } => {
                start(set, prefix);
                set.push(TextPiece::InWord);
                set.push_with(|out| push_quoted(out, suffix, false));
            }
            Self::Glob(_) => {
                start(set, self.prefix());
                set.push(TextPiece::Anything);
            }
            Self::Many { prefix, suffix } if prefix.is_empty() && suffix.is_empty() => {
                set.push(if first { TextPiece::Anything } else { TextPiece::MoreWords });
            }
            Self::Many { prefix, suffix } => {
                start(set, prefix);
                set.push(TextPiece::Anything);
                set.push_with(|out| push_quoted(out, suffix, false));
            }
        }
    }

    /// The canonical texts of a list of arguments.
    pub fn canonical(args: &[Self]) -> TextSet {
        let mut set = TextSet::default();
        for (index, arg) in args.iter().enumerate() {
            arg.write(&mut set, index == 0);
        }
        set
    }
}
