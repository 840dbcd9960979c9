//! Absolute, lexically normalised paths.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// An absolute path without `.`, `..`, repeated or trailing slashes.
///
/// INVARIANT: starts with `/`; no component is empty, `.` or `..`; no NUL. Normalisation is lexical,
/// so it says where a path *reads as* being; where it *is* (symlinks) only a probe can tell.
///
/// Copies share the text: a decision hands the same few directories around all the time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbsPath(Arc<str>);

/// The text is not an absolute path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAbsolute;

impl fmt::Display for NotAbsolute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an absolute path")
    }
}

impl std::error::Error for NotAbsolute {}

impl AbsPath {
    /// Parses and normalises an absolute path.
    pub fn parse(text: &str) -> Result<Self, NotAbsolute> {
        if !text.starts_with('/') || text.contains('\0') {
            return Err(NotAbsolute);
        }
        let normal = |part: &str| !matches!(part, "" | "." | "..");
        if text.len() == 1 || text.split('/').skip(1).all(normal) {
            return Ok(Self(text.into()));
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                name => parts.push(name),
            }
        }
        let mut joined = String::with_capacity(text.len());
        for part in parts {
            joined.push('/');
            joined.push_str(part);
        }
        if joined.is_empty() {
            joined.push('/');
        }
        // Upholds: every component came through the match above.
        Ok(Self(joined.into()))
    }

    /// The filesystem root.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// Resolves `path` against this directory: absolute text replaces it, relative text extends it.
    /// Text with a NUL byte names nothing and is an error.
    pub fn join(&self, path: &str) -> Result<Self, NotAbsolute> {
        if path.starts_with('/') {
            Self::parse(path)
        } else {
            let mut text = String::with_capacity(self.0.len() + 1 + path.len());
            text.push_str(&self.0);
            if !text.ends_with('/') {
                text.push('/');
            }
            text.push_str(path);
            Self::parse(&text)
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its components, outermost first; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// The last component; `None` for the root.
    pub fn name(&self) -> Option<&str> {
        self.components().next_back()
    }

    /// The directory that holds it; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (head, name) = self.0.rsplit_once('/')?;
        if name.is_empty() {
            return None;
        }
        Some(Self(if head.is_empty() { "/".into() } else { head.into() }))
    }

    /// Whether this is `ancestor` or lies below it, compared by components.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.below(ancestor).is_some()
    }

    /// What follows `ancestor`, without a leading slash; empty for `ancestor` itself.
    pub fn below(&self, ancestor: &Self) -> Option<&str> {
        if &*ancestor.0 == "/" {
            return self.0.strip_prefix('/');
        }
        let rest = self.0.strip_prefix(&*ancestor.0)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }
}

/// Ordered and compared as its text is, so that maps can be asked by a part of a text.
impl Borrow<str> for AbsPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AbsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Display for AbsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_lexically() {
        for (text, want) in [
            ("/", "/"),
            ("//a//b/", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../..", "/"),
            ("/a/..", "/"),
        ] {
            assert_eq!(AbsPath::parse(text).unwrap().as_str(), want, "{text}");
        }
        assert!(AbsPath::parse("a").is_err());
        assert!(AbsPath::parse("/a\0b").is_err());
    }

    #[test]
    fn compares_by_components() {
        let path = |text| AbsPath::parse(text).unwrap();
        assert!(path("/srv/proj/x").is_within(&path("/srv/proj")));
        assert!(!path("/srv/proj-evil").is_within(&path("/srv/proj")));
        assert_eq!(path("/srv/proj/x/y").below(&path("/srv/proj")), Some("x/y"));
        assert_eq!(path("/srv").below(&AbsPath::root()), Some("srv"));
        assert_eq!(path("/srv").parent(), Some(AbsPath::root()));
        assert_eq!(AbsPath::root().parent(), None);
    }
}
