//! What goes in: the text of one settings source and where its paths start.

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
        Self { scope, file, text, dir, trusted: true, unreadable: None }
    }

    /// Whether it is a `portcullis.toml`: the keys of `portcullis` and nothing else.
    ///
    /// The name tells, so that a layer that was written down and is read again means the same.
    pub fn is_native(&self) -> bool {
        self.has_lines() && self.file.rsplit('.').next() == Some("toml")
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
