//! What goes in: the text of one settings source and where its paths start.

use crate::json::{self, Flaw, Node, Value};
use crate::native_file;
use portcullis_model::{AbsPath, Scope};

/// One settings source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its rank. Within one scope a later layer outranks an earlier one.
    pub scope: Scope,
    /// The file as messages show it. What starts with `-` is a command-line flag: its text was
    /// made up from the flag, so messages name no line in it.
    pub file: String,
    /// Its text: JSON, or TOML where `file` ends in `.toml` (see [`Self::is_native`]). May be partial or empty where `unreadable` is set.
    pub text: String,
    /// What `/p` path rules of this layer start at, and relative sandbox paths of a layer that
    /// belongs to no project.
    pub dir: AbsPath,
    /// Whether what it grants counts. A managed layer always counts.
    pub trusted: bool,
    /// Why it could not be read in full: it then grants nothing and every call asks.
    pub unreadable: Option<String>,
    /// The text when it was last whole, where somebody kept it: what it restricts holds on while `text`
    /// is broken.
    pub last_good: Option<String>,
}

impl Layer {
    /// A layer that was read in full and is trusted.
    pub fn new(
        scope: Scope,
        file: impl Into<String>,
        text: impl Into<String>,
        dir: AbsPath,
    ) -> Self {
        let (file, text) = (file.into(), text.into());
        Self { scope, file, text, dir, trusted: true, unreadable: None, last_good: None }
    }

    /// Whether it is a `portcullis.toml`: the keys of `portcullis` and nothing else.
    ///
    /// The name tells, so that a layer that was written down and is read again means the same.
    pub fn is_native(&self) -> bool {
        self.has_lines() && self.file.rsplit('.').next() == Some("toml")
    }

    /// What was kept of it, as a layer of its own that only restricts.
    pub fn as_last_good(&self) -> Option<Self> {
        let text = self.last_good.clone()?;
        let file = format!("last good version of {}", self.file);
        Some(Self { file, text, unreadable: None, last_good: None, ..self.clone() })
    }

    /// Whether it can be read in full: single entries may be wrong, the layer as a whole is not.
    pub fn is_whole(&self) -> bool {
        if self.unreadable.is_some() || self.text.len() > MAX_TEXT {
            return false;
        }
        let (node, flaws) = self.read();
        flaws.is_empty() && matches!(node.value, Value::Table(_))
    }

    /// The text as a value with what is wrong about its form.
    pub(crate) fn read(&self) -> (Node, Vec<Flaw>) {
        if self.is_native() { native_file::read(&self.text) } else { json::read(&self.text) }
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted || self.scope == Scope::Managed
    }

    /// Whether the file belongs to the project and may come with a repository.
    pub(crate) fn is_of_project(&self) -> bool {
        match self.scope {
            Scope::Project | Scope::Local => true,
            Scope::User | Scope::CommandLine | Scope::Managed => false,
        }
    }

    pub(crate) fn has_lines(&self) -> bool {
        !self.file.starts_with('-')
    }
}

/// The directories of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directory the session was started in: what `p` and `./p` path rules start at.
    pub start: AbsPath,
    /// The project: what relative sandbox paths of project and local files start at.
    pub project_root: AbsPath,
    /// The home directory.
    pub home: AbsPath,
}

/// Settings are a few KiB; reading far more would hold up a call past its deadline.
pub(crate) const MAX_TEXT: usize = 4 << 20;
