//! An index over path patterns, so that a decision looks at few of them.

use super::glob::{Case, Segment, Token, fold, glob_matches};
use super::{PathMatcher, language};
use portcullis_model::AbsPath;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An index over many path patterns by a name that every path they match holds.
///
/// A pattern with a literal segment matches no path without a component of that name. Where it has
/// several, the one that the fewest patterns ask for tells most.
#[derive(Clone, Debug, Default)]
pub struct PathSet {
    /// Names without case in order, each with the patterns that ask for it.
    names: Vec<(String, Vec<usize>)>,
    /// Patterns that ask for no certain name.
    open: Vec<usize>,
    /// All of them.
    all: Vec<usize>,
}

impl PathSet {
    /// Indexes patterns, each with the number its owner knows it by, numbers ascending.
    pub fn new<'m>(matchers: impl IntoIterator<Item = (usize, &'m PathMatcher)>) -> Self {
        let mut set = Self::default();
        let mut literals: Vec<(usize, Vec<String>)> = Vec::new();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (id, matcher) in matchers {
            set.all.push(id);
            // What matches nothing needs no place: no question finds it.
            let Some(glob) = matcher.glob() else { continue };
            let names = glob.segments.iter().filter_map(|segment| match segment {
                Segment::Literal(name) => Some(folded(name).into_owned()),
                Segment::AnyDepth | Segment::Glob(_) => None,
            });
            let names: Vec<String> = names.collect();
            for name in &names {
                *counts.entry(name.clone()).or_default() += 1;
            }
            literals.push((id, names));
        }
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (id, names) in literals {
            let rarest = names.into_iter().min_by_key(|name| counts.get(name).copied());
            match rarest {
                Some(name) => by_name.entry(name).or_default().push(id),
                None => set.open.push(id),
            }
        }
        set.names = by_name.into_iter().collect();
        set
    }

    /// The numbers of all patterns, in ascending order.
    pub fn all(&self) -> &[usize] {
        &self.all
    }

    /// The numbers of all patterns that match a path, with or without regard to case, and maybe some
    /// more; in ascending order.
    pub fn at(&self, path: &AbsPath) -> Cow<'_, [usize]> {
        if self.all.len() <= FEW {
            return Cow::Borrowed(&self.all);
        }
        let mut ids = Vec::new();
        self.collect(path, &mut ids);
        Cow::Owned(self.finish(ids))
    }

    /// As [`Self::at`], for any of several paths.
    pub fn at_any<'p>(&self, paths: impl IntoIterator<Item = &'p AbsPath>) -> Cow<'_, [usize]> {
        if self.all.len() <= FEW {
            return Cow::Borrowed(&self.all);
        }
        let mut ids = Vec::new();
        for path in paths {
            self.collect(path, &mut ids);
        }
        Cow::Owned(self.finish(ids))
    }

    /// The numbers of all patterns that possibly match what a shell glob expands to (see
    /// [`PathMatcher::possible_glob`]), and maybe some more; in ascending order.
    pub fn at_glob(&self, glob: &str) -> Cow<'_, [usize]> {
        let names = language::glob_names(glob).filter(|names| !names.contains(&"**"));
        let Some(names) = names.filter(|_| self.all.len() > FEW) else {
            return Cow::Borrowed(&self.all);
        };
        let parts: Vec<Vec<Token>> = names.iter().map(|name| tokens(name)).collect();
        let mut ids = Vec::new();
        for (name, asking) in &self.names {
            // To the language of a pattern, one character outside ASCII is as good as another.
            let may =
                !name.is_ascii() || parts.iter().any(|part| glob_matches(part, name, Case::Folded));
            if may {
                ids.extend_from_slice(asking);
            }
        }
        Cow::Owned(self.finish(ids))
    }

    fn collect(&self, path: &AbsPath, ids: &mut Vec<usize>) {
        for name in folded(path.as_str()).split('/').filter(|name| !name.is_empty()) {
            let found = self.names.binary_search_by(|(own, _)| own.as_str().cmp(name));
            if let Some((_, asking)) = found.ok().and_then(|at| self.names.get(at)) {
                ids.extend_from_slice(asking);
            }
        }
    }

    fn finish(&self, mut ids: Vec<usize>) -> Vec<usize> {
        ids.extend_from_slice(&self.open);
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// A component of a shell glob, whose special characters all count as any text: from the first class
/// or extended pattern on nothing is sure.
fn tokens(name: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let opens =
            matches!(c, '[' | '(') || matches!(c, '+' | '@' | '!') && chars.peek() == Some(&'(');
        if opens {
            out.push(Token::Many);
            break;
        }
        out.push(match c {
            '\\' => Token::Char(chars.next().unwrap_or('\\')),
            '*' | '?' => Token::Many,
            c => Token::Char(c),
        });
    }
    out
}

fn folded(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(fold).collect())
}

/// So few patterns are asked one by one.
const FEW: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Anchors, Match, PathPattern};
    use portcullis_model::RuleClass;

    const PATTERNS: &[&str] = &[
        "**/secret/*.key",
        "src/**",
        "/src/a.rs",
        "//etc/**",
        "~/.ssh/**",
        "*.md",
        "**",
        "\u{e9}t\u{e9}/x",
        "K\u{212a}/x",
        "[ab]/c",
        "a/b/c",
        ".env",
        "**/x",
        "?/Secret",
        "!x",
        "d/**/e",
    ];

    fn matchers(class: RuleClass) -> Vec<PathMatcher> {
        let path = |text| AbsPath::parse(text).unwrap();
        let anchors = Anchors { source_root: path("/p"), start: path("/p"), home: path("/home/u") };
        let compile = |text| PathPattern::parse(text, class).unwrap().anchored(&anchors);
        PATTERNS.iter().map(|text| compile(text)).collect()
    }

    #[test]
    fn loses_no_pattern_that_matches_a_path() {
        for class in [RuleClass::Allow, RuleClass::Deny] {
            let matchers = matchers(class);
            let set = PathSet::new(matchers.iter().enumerate());
            for text in [
                "/p/src/a.rs",
                "/p/SRC/A.rs",
                "/etc/passwd",
                "/p/x/secret/K.key",
                "/home/u/.SSH/id",
                "/",
                "/p",
                "/p/\u{c9}T\u{c9}/x",
                "/p/kk/x",
                "/p/\u{212a}k/x",
                "/p/a/c",
                "/p/a/b/c",
                "/p/q.MD",
                "/p/.env",
                "/p/d/q/e",
                "/p/z/secret",
                "/p/!x",
            ] {
                let path = AbsPath::parse(text).unwrap();
                let found = set.at(&path);
                for (id, matcher) in matchers.iter().enumerate() {
                    let matches = matcher.matches(&path) || matcher.matches_folded(&path);
                    assert!(!matches || found.contains(&id), "{text} {}", PATTERNS[id]);
                }
                assert!(found.len() < matchers.len(), "{text}");
                assert_eq!(found, set.at_any([&path]));
            }
        }
    }

    #[test]
    fn loses_no_pattern_that_a_glob_may_match() {
        for class in [RuleClass::Allow, RuleClass::Deny] {
            let matchers = matchers(class);
            let set = PathSet::new(matchers.iter().enumerate());
            for glob in [
                "/p/src/*.rs",
                "/p/*",
                "/p/S*/a.rs",
                "/e[t]c/x",
                "/etc/*",
                "/p/x/secre?/a.key",
                "/p/**/x",
                "/p/.*",
                "/p/\\*/c",
                "/p/@(a|b)/c",
                "/p/\u{c8}t*/x",
                "/p/\u{212a}*/x",
                "/*/u/.s*/id",
                "/p/a/../src/*",
                "/p/d/*/e",
                "/p/q*",
            ] {
                let found = set.at_glob(glob);
                for (id, matcher) in matchers.iter().enumerate() {
                    let matches = matcher.possible_glob(glob) != Match::No;
                    assert!(!matches || found.contains(&id), "{glob} {}", PATTERNS[id]);
                }
            }
            assert!(set.at_glob("/p/q*").len() < matchers.len());
        }
    }
}
