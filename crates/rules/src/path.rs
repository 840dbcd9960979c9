//! Patterns over paths: gitignore patterns with an anchor.

mod glob;
mod index;
mod language;
mod matcher;
mod parts;
mod problem;

pub use index::PathSet;
pub use matcher::PathMatcher;
pub use parts::{NameGlob, PathPart, fold_name, path_parts};
pub use problem::PathProblem;

use glob::{PathGlob, Segment};
use portcullis_model::{AbsPath, RuleClass};
use std::sync::Arc;

/// What the beginnings of path patterns mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchors {
    /// What `/p` starts at: depends on where the rule is written.
    pub source_root: AbsPath,
    /// What `p` and `./p` start at: the start directory.
    pub start: AbsPath,
    /// What `~/p` starts at.
    pub home: AbsPath,
}

/// The specifier of a Read, Edit or Cd rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    anchor: Anchor,
    glob: Arc<PathGlob>,
    class: RuleClass,
    nothing: bool,
    problem: Option<PathProblem>,
}

/// Where a pattern starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    Root,
    Home,
    Source,
    Start,
}

impl PathPattern {
    /// Compiles the pattern of a Read or Edit rule: what it matches includes everything below.
    pub fn parse(text: &str, class: RuleClass) -> Result<Self, PathProblem> {
        let pattern = strip_trailing_blanks(text);
        let (anchor, rest) = split_anchor(pattern);
        let mut problem = PathProblem::of(text);
        let floating_start = anchor == Anchor::Start && !pattern.starts_with("./");
        if floating_start && rest.starts_with(['!', '#']) {
            return Ok(Self::nothing(text, anchor, class, problem));
        }
        // `/`, `//` and `~/` alone are a directory and all below it. Read like that they are safe
        // only where they take access away.
        let bare = rest.is_empty() && anchor != Anchor::Start && class != RuleClass::Allow;
        if (rest.is_empty() && !bare) || rest == "." {
            let problem = problem.or(Some(PathProblem::Nowhere));
            return Ok(Self::nothing(text, anchor, class, problem));
        }
        let (rest, anchored) = strip_below(rest, anchor, class);
        let mut segments = glob::segments(rest)?;
        if !anchored {
            segments.insert(0, Segment::AnyDepth);
        }
        if has_parent(&segments) {
            problem = problem.or(Some(PathProblem::Parent));
            return Ok(Self::nothing(text, anchor, class, problem));
        }
        let glob = Arc::new(PathGlob { segments, whole: false });
        Ok(Self { text: text.to_owned(), anchor, glob, class, nothing: false, problem })
    }

    /// Compiles the pattern of a Cd rule: the whole path must match, `*` is one segment, `**` any
    /// number, also none.
    pub fn directory(text: &str, class: RuleClass) -> Result<Self, PathProblem> {
        let pattern = strip_trailing_blanks(text);
        let (anchor, rest) = split_anchor(pattern);
        let segments = glob::segments(rest)?;
        let mut problem = PathProblem::of(text);
        let mut nothing = anchor == Anchor::Start && pattern.starts_with(['!', '#']);
        if has_parent(&segments) {
            nothing = true;
            problem = problem.or(Some(PathProblem::Parent));
        }
        let glob = Arc::new(PathGlob { segments, whole: true });
        Ok(Self { text: text.to_owned(), anchor, glob, class, nothing, problem })
    }

    /// Fixes the pattern to directories.
    pub fn anchored(&self, anchors: &Anchors) -> PathMatcher {
        let anchor = match self.anchor {
            Anchor::Root => AbsPath::root(),
            Anchor::Home => anchors.home.clone(),
            Anchor::Source => anchors.source_root.clone(),
            Anchor::Start => anchors.start.clone(),
        };
        PathMatcher::new(anchor, Arc::clone(&self.glob), self.class, self.nothing)
    }

    /// The pattern as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether no path can match.
    pub fn is_nothing(&self) -> bool {
        self.nothing
    }

    /// What its author should know.
    pub fn problem(&self) -> Option<&PathProblem> {
        self.problem.as_ref()
    }

    fn nothing(text: &str, anchor: Anchor, class: RuleClass, problem: Option<PathProblem>) -> Self {
        let glob = Arc::new(PathGlob { segments: Vec::new(), whole: true });
        Self { text: text.to_owned(), anchor, glob, class, nothing: true, problem }
    }
}

/// Escapes a literal path so that, as a pattern, it matches only itself and what is below it.
///
/// Takes the part of a path that follows an anchor. The result means the same as a pattern and inside
/// the parentheses of a rule.
pub fn escape_path(literal: &str) -> String {
    let mut out = String::with_capacity(literal.len());
    let blanks_from = literal.trim_end_matches(' ').len();
    for (at, c) in literal.char_indices() {
        match c {
            '*' | '?' | '[' | ']' => out.extend(['\\', c]),
            '!' | '#' if at == 0 => out.extend(['\\', c]),
            ' ' if at >= blanks_from => out.extend(['\\', c]),
            // A class with the backslash twice: it says the same whether or not a rule around it
            // halves backslashes.
            '\\' => out.push_str("[\\\\\\\\]"),
            '(' | ')' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Whether a segment is `..`, which no normalised path has.
fn has_parent(segments: &[Segment]) -> bool {
    segments.iter().any(|segment| matches!(segment, Segment::Literal(name) if name == ".."))
}

/// Cuts off the anchor; what is left has no leading slash.
fn split_anchor(text: &str) -> (Anchor, &str) {
    let (anchor, rest) = if let Some(rest) = text.strip_prefix("//") {
        (Anchor::Root, rest)
    } else if let Some(rest) = text.strip_prefix("~/") {
        (Anchor::Home, rest)
    } else if let Some(rest) = text.strip_prefix('/') {
        (Anchor::Source, rest)
    } else {
        let mut rest = text;
        while let Some(after) = rest.strip_prefix("./") {
            rest = after.trim_start_matches('/');
        }
        (Anchor::Start, rest)
    };
    (anchor, rest.trim_start_matches('/'))
}

/// Removes what only says "and all below", which every pattern says, and answers whether the rest
/// holds at the anchor only.
///
/// `dir/**` with one segment is special: allow rules mean the directory at the anchor, deny and ask
/// rules any directory of that name. The reference client does so at 2.1.329; at 2.1.191 allow rules
/// reached any depth, too.
fn strip_below(rest: &str, anchor: Anchor, class: RuleClass) -> (&str, bool) {
    let explicit = anchor != Anchor::Start;
    if let Some(dir) = rest.strip_suffix("/**").filter(|dir| !dir.contains('/')) {
        return (dir, explicit || class == RuleClass::Allow);
    }
    let trimmed = rest.trim_end_matches('/');
    let anchored = explicit || trimmed.contains('/');
    let mut base = trimmed;
    while let Some(shorter) = base.strip_suffix("/**") {
        base = shorter.trim_end_matches('/');
    }
    (base, anchored)
}

/// Blanks at the end do not count unless escaped, as in gitignore files.
fn strip_trailing_blanks(text: &str) -> &str {
    let kept = text.trim_end_matches(' ');
    let backslashes = kept.len() - kept.trim_end_matches('\\').len();
    let end =
        if backslashes % 2 == 1 && kept.len() < text.len() { kept.len() + 1 } else { kept.len() };
    text.get(..end).unwrap_or(text)
}
