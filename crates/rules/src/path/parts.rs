//! Path patterns taken apart, for whoever matches many of them at once, one component at a time.

use super::glob::{self, Case, PathGlob, Segment, Token};
use super::{PathMatcher, PathProblem};
use portcullis_model::AbsPath;
use std::fmt;

/// A part of a path pattern between slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// `**`: any number of components, also none.
    AnyDepth,
    /// One component with exactly this name.
    Name(String),
    /// One component that matches.
    Glob(NameGlob),
}

/// A gitignore glob over the name of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameGlob(Vec<Token>);

impl NameGlob {
    /// Whether a name matches; `any_case` compares letters without case.
    pub fn matches(&self, name: &str, any_case: bool) -> bool {
        glob::glob_matches(&self.0, name, if any_case { Case::Folded } else { Case::Exact })
    }
}

impl fmt::Display for NameGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.0 {
            match token {
                Token::Char(c @ ('*' | '?' | '[' | '\\')) => write!(f, "\\{c}")?,
                Token::Char(c) => write!(f, "{c}")?,
                Token::One => f.write_str("?")?,
                Token::Many => f.write_str("*")?,
                Token::Class(class) => {
                    f.write_str(if class.negated { "[!" } else { "[" })?;
                    for (first, last) in &class.ranges {
                        let escape = |c: &char| matches!(c, ']' | '\\' | '-' | '!' | '^' | '[');
                        for (index, c) in [first, last].into_iter().enumerate() {
                            if index == 1 && first == last {
                                continue;
                            }
                            f.write_str(if index == 1 { "-" } else { "" })?;
                            f.write_str(if escape(c) { "\\" } else { "" })?;
                            write!(f, "{c}")?;
                        }
                    }
                    f.write_str("]")?;
                }
            }
        }
        Ok(())
    }
}

/// Takes the text of a pattern without an anchor apart. Empty and `.` components mean nothing.
pub fn path_parts(pattern: &str) -> Result<Vec<PathPart>, PathProblem> {
    glob::segments(pattern).map(|segments| segments.into_iter().map(part).collect())
}

/// A name without its case, as two names compare where case does not count.
pub fn fold_name(name: &str) -> String {
    name.chars().map(glob::fold).collect()
}

impl PathMatcher {
    /// The directory the pattern is fixed to and its parts below; what they match includes everything
    /// below. `None` where nothing matches, or only whole paths do.
    pub fn parts(&self) -> Option<(&AbsPath, Vec<PathPart>)> {
        let PathGlob { segments, whole } = self.glob()?;
        (!whole).then(|| (self.anchor(), segments.iter().cloned().map(part).collect()))
    }
}

fn part(segment: Segment) -> PathPart {
    match segment {
        Segment::AnyDepth => PathPart::AnyDepth,
        Segment::Literal(name) => PathPart::Name(name),
        Segment::Glob(tokens) => PathPart::Glob(NameGlob(tokens)),
    }
}
