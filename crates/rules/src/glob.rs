//! Globs with `*` only, and the three answers of a match.

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// The literal runs between stars: one run is an exact text.
    runs: Vec<String>,
}

impl Glob {
    /// Compiles a pattern.
    pub fn new(pattern: &str) -> Self {
        let mut runs = vec![String::new()];
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            let star = c == '*';
            if star {
                runs.push(String::new());
            } else if let Some(run) = runs.last_mut() {
                match (c, chars.peek()) {
                    ('\\', Some('*')) => {
                        chars.next();
                        run.push('*');
                    }
                    _ => run.push(c),
                }
            }
        }
        Self { runs }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.runs.split_first() else { return text.is_empty() };
        let Some((last, middle)) = rest.split_last() else { return text == first };
        let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
        for run in middle {
            let Some((_, after)) = text.split_once(run.as_str()) else { return false };
            text = after;
        }
        text.ends_with(last.as_str())
    }

    /// Whether the pattern is one exact text.
    pub fn is_exact(&self) -> bool {
        self.runs.len() == 1
    }
}
