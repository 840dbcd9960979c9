//! Which files may be read and written, and which rule says so.

use crate::Origin;
use portcullis_model::AbsPath;
use portcullis_rules::NameGlob;
use std::borrow::Cow;
use std::fmt;

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Its content, or the names in a directory, are read. Running it is reading it.
    Read,
    /// It is created, changed, renamed, removed, or its metadata are changed.
    Write,
}

/// What stands, or is to stand, at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// Anything else: a symlink, a socket, a FIFO, a device.
    Other,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The access is possible.
    Allow,
    /// The access fails.
    Deny,
}

/// What may lift a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A more specific rule of the other effect (reads), a deny (writes).
    Ordinary,
    /// Only an absolute allow: a protected name, which the private temporary directory may hold.
    Protected,
    /// Nothing: a credential, our own files. As an allow: the private temporary directory, in which no
    /// name is protected.
    Absolute,
}

/// Which paths a rule means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One path and everything below.
    Path(AbsPath),
    /// Every path that matches, now or later, and everything below.
    Pattern(PathGlob),
    /// Every path that matches and is no directory, and nothing below: a `.git` file redirects a
    /// repository, while a `.git` directory is ordinary.
    Leaf(PathGlob),
}

/// A pattern over paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathGlob {
    /// Where it starts. Taken literally.
    pub below: AbsPath,
    /// What follows.
    pub components: Cow<'static, [Component]>,
    /// Whether letters match without case, in `below` too (protected names: a case-folding filesystem
    /// makes `.GIT` the same directory).
    pub any_case: bool,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Component {
    /// `**`: any number of components, also none.
    AnyDepth,
    /// Any number of components other than this one.
    AnyDepthBut(&'static str),
    /// One component with this name.
    Name(Cow<'static, str>),
    /// One component that matches.
    Glob(NameGlob),
    /// One component other than this one.
    AnyBut(&'static str),
}

/// One rule about files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRule {
    /// What is done.
    pub access: Access,
    /// What becomes of it.
    pub effect: Effect,
    /// Where.
    pub reach: Reach,
    /// What may lift it.
    pub standing: Standing,
    /// Where it is written.
    pub origin: Origin,
}

/// Everything about files. Reads are possible unless denied, writes only where allowed.
///
/// Reads: of the rules that match the path or an ancestor of it, the one with the deepest match counts,
/// a deny where an allow is as deep; an absolute deny always counts. Writes: a deny that matches the
/// path or an ancestor counts, however broad, and so does a denied read; then an allow; then nothing is
/// possible. A protected name does not count within an absolute allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// What turned the isolation of files off, where something did.
    pub disabled: Option<Origin>,
    /// The rules, in the order of their origin.
    pub rules: Vec<FileRule>,
}

/// What holds for one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement<'f> {
    /// Whether the access is possible.
    pub effect: Effect,
    /// The rule that says so; `None` for what holds where no rule matches.
    pub rule: Option<&'f FileRule>,
}

impl PathGlob {
    /// The path it means where `**` stands for nothing; `None` where a component is a glob.
    pub fn nearest(&self) -> Option<AbsPath> {
        let mut text = self.below.as_str().trim_end_matches('/').to_owned();
        for component in self.components.iter() {
            match component {
                Component::AnyDepth | Component::AnyDepthBut(_) => {}
                Component::Name(name) => {
                    text.push('/');
                    text.push_str(name);
                }
                Component::Glob(_) | Component::AnyBut(_) => return None,
            }
        }
        AbsPath::parse(&text).ok()
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{path}"),
            Self::Pattern(glob) | Self::Leaf(glob) => write!(f, "{glob}"),
        }
    }
}

impl fmt::Display for PathGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.below.as_str().trim_end_matches('/'))?;
        self.components.iter().try_for_each(|component| write!(f, "/{component}"))
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyDepth => f.write_str("**"),
            Self::AnyDepthBut(name) => write!(f, "**!({name})"),
            Self::Name(name) => f.write_str(name),
            Self::Glob(glob) => write!(f, "{glob}"),
            Self::AnyBut("") => f.write_str("*"),
            Self::AnyBut(name) => write!(f, "!({name})"),
        }
    }
}
