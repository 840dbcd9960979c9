//! Which files may be read and written, and which rule says so.

use crate::Origin;
use portcullis_model::AbsPath;

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Its content, or the names in a directory, are read. Running it is reading it.
    Read,
    /// It is created, changed, renamed, removed, or its metadata are changed.
    Write,
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
    /// A more specific rule of the other effect.
    Ordinary,
    /// Nothing: a credential, a protected path, our own files.
    Absolute,
}

/// Which paths a rule means. Each means everything below as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One path.
    Path(AbsPath),
    /// Every path a pattern matches, now or later: one glob a component, `**` any number of components.
    /// Patterns are absolute; those of protected names below a writable root start with that root.
    Pattern {
        /// The components.
        components: Vec<String>,
        /// Whether letters match without case (protected names: a case-folding filesystem makes `.GIT`
        /// the same directory).
        any_case: bool,
    },
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// What turned the isolation of files off, where something did.
    pub disabled: Option<Origin>,
    /// The rules, in the order of their origin.
    pub rules: Vec<FileRule>,
}
