//! A path pattern fixed to directories.

use super::glob::{Case, PathGlob, Segment, Token, fold};
use super::language;
use crate::Match;
use crate::automaton::{Automaton, Budget, Inclusion, included};
use portcullis_model::{AbsPath, RuleClass, TextSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A path pattern fixed to directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathMatcher {
    anchor: AbsPath,
    glob: Arc<PathGlob>,
    case: Case,
    nothing: bool,
    language: Language,
}

/// The language of a pattern, made when it is first asked for: most patterns never are. It follows
/// from the pattern, so it is no part of what a matcher is.
#[derive(Clone, Default)]
struct Language(OnceLock<Arc<Automaton>>);

impl PartialEq for Language {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Language {}

impl fmt::Debug for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("..")
    }
}

impl PathMatcher {
    pub(super) fn new(
        anchor: AbsPath,
        glob: Arc<PathGlob>,
        class: RuleClass,
        nothing: bool,
    ) -> Self {
        let case = if class == RuleClass::Allow { Case::Exact } else { Case::Folded };
        Self { anchor, glob, case, nothing, language: Language::default() }
    }

    /// Whether the path matches, exactly as written.
    pub fn matches(&self, path: &AbsPath) -> bool {
        !self.nothing
            && path.below(&self.anchor).is_some_and(|rest| self.glob.matches(rest, Case::Exact))
    }

    /// Whether the path matches without regard to case (deny and ask).
    pub fn matches_folded(&self, path: &AbsPath) -> bool {
        let rest = below_folded(path.as_str(), self.anchor.as_str());
        !self.nothing && rest.is_some_and(|rest| self.glob.matches(rest, Case::Folded))
    }

    /// How the pattern relates to a set of absolute path texts: exactly for an allow rule, without
    /// regard to case for deny and ask.
    ///
    /// SECURITY: unknown parts may hold slashes and `..`, so nothing before the last of them is kept:
    /// `/work/src/$X` can be any path at all.
    pub fn possible(&self, paths: &TextSet) -> Match {
        if self.nothing {
            return Match::No;
        }
        match paths.known().map(AbsPath::parse) {
            Some(Ok(path)) => self.decide(&path),
            Some(Err(_)) => Match::Possible,
            // Any path at all is what an unknown path is most often.
            None if language::is_any_path(paths) && self.takes_some() => Match::Possible,
            None => self.relate(&language::paths(paths)),
        }
    }

    /// How the pattern relates to what a shell glob may expand to, unmatched globs included. The
    /// text is absolute, literal characters that are special in globs escaped by a backslash.
    pub fn possible_glob(&self, glob: &str) -> Match {
        if self.nothing {
            return Match::No;
        }
        language::shell_glob(glob).map_or(Match::Possible, |paths| self.relate(&paths))
    }

    /// Whether some path below the directory, or itself, may match.
    pub fn may_match_below(&self, dir: &AbsPath) -> bool {
        if self.nothing {
            return false;
        }
        let (dir, anchor) = (dir.as_str(), self.anchor.as_str());
        match below_folded(dir, anchor) {
            Some(rest) => self.glob.may_match_below(rest, Case::Folded),
            None => below_folded(anchor, dir).is_some(),
        }
    }

    /// The paths that match, as a language.
    pub fn automaton(&self) -> Automaton {
        if self.nothing {
            return Automaton::default();
        }
        language::pattern(&self.anchor, &self.glob, self.case)
    }

    /// Whether [`Self::automaton`] is exactly what matches: a class of characters outside ASCII is only
    /// taken to be more or less than it is.
    pub fn has_exact_automaton(&self) -> bool {
        self.glob.segments.iter().all(|segment| match segment {
            Segment::AnyDepth | Segment::Literal(_) => true,
            Segment::Glob(tokens) => tokens.iter().all(|token| match token {
                Token::Class(class) => class.is_ascii(),
                Token::Char(_) | Token::One | Token::Many => true,
            }),
        })
    }

    /// Whether the pattern surely takes some paths and surely not all of them: somewhere it asks for
    /// a certain character, and nowhere for one of a class, which may be empty.
    fn takes_some(&self) -> bool {
        let tokens = || {
            self.glob.segments.iter().flat_map(|segment| match segment {
                Segment::Glob(tokens) => tokens.as_slice(),
                Segment::AnyDepth | Segment::Literal(_) => &[],
            })
        };
        let literal = |segment: &Segment| match segment {
            Segment::Literal(name) => !name.is_empty(),
            Segment::AnyDepth | Segment::Glob(_) => false,
        };
        let asks = self.anchor != AbsPath::root()
            || self.glob.segments.iter().any(literal)
            || tokens().any(|token| matches!(token, Token::Char(_)));
        asks && !tokens().any(|token| matches!(token, Token::Class(_)))
    }

    /// The pattern below the anchor; `None` where nothing matches.
    pub(super) fn glob(&self) -> Option<&PathGlob> {
        (!self.nothing).then_some(&*self.glob)
    }

    /// The directory the pattern is fixed to.
    pub fn anchor(&self) -> &AbsPath {
        &self.anchor
    }

    fn decide(&self, path: &AbsPath) -> Match {
        let matches = match self.case {
            Case::Exact => self.matches(path),
            Case::Folded => self.matches_folded(path),
        };
        if matches { Match::Certain } else { Match::No }
    }

    fn relate(&self, paths: &Automaton) -> Match {
        let own = self.language.0.get_or_init(|| Arc::new(self.automaton()));
        let mut budget = Budget::new(STEPS);
        if own.intersects(paths, &mut budget) == Some(false) {
            return Match::No;
        }
        match included(paths, &[own.as_ref()], &mut budget) {
            Some(Inclusion::Holds) => Match::Certain,
            Some(Inclusion::Fails(_)) | None => Match::Possible,
        }
    }
}

/// What one question about unknown paths may cost: a few milliseconds. Past it the answer is
/// `Possible`, which allows nothing.
const STEPS: usize = 200_000;

/// What follows an ancestor, without regard to case; empty for the ancestor itself.
fn below_folded<'a>(path: &'a str, ancestor: &str) -> Option<&'a str> {
    if ancestor == "/" {
        return path.strip_prefix('/');
    }
    let rest = match path.split_at_checked(ancestor.len()) {
        Some((head, rest)) if head.is_ascii() && ancestor.is_ascii() => {
            if !head.eq_ignore_ascii_case(ancestor) {
                return None;
            }
            rest
        }
        Some(_) | None => {
            let mut rest = path.chars();
            for own in ancestor.chars() {
                let other = rest.next()?;
                if own != other && fold(own) != fold(other) {
                    return None;
                }
            }
            rest.as_str()
        }
    };
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}
