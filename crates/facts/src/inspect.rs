//! One simple command, as its arguments tell it: whether it only reads, and which files it touches.

use std::borrow::Cow;

use crate::Arg;

/// What the arguments of one simple command tell about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Whether the command, in this form, changes nothing and runs nothing else.
    pub read_only: Result<(), NotReadOnly>,
    /// The operands and flag values which are paths, in the order of the arguments.
    pub paths: Vec<PathUse>,
    /// Whether the program's operands are judged against Read and Edit rules and the working
    /// directories, whatever rule allows the command.
    pub file_command: bool,
    /// Whether this is one of the file edits that accepting edits covers, in a form it covers.
    pub edits: bool,
    /// What it removes, for the check of critical removals.
    pub removal: Option<Removal>,
    /// Whether every argument is understood, so that `paths` is the whole list.
    pub complete: bool,
}

/// Why a command is not read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReadOnly {
    /// The reason, for a person.
    pub why: Cow<'static, str>,
    /// The argument that decided it.
    pub index: usize,
}

/// A path among the arguments of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathUse {
    /// The path as far as it is known, without the flag it may be attached to.
    pub arg: Arg,
    /// What the command does with it.
    pub access: Access,
    /// Which argument holds it.
    pub index: usize,
    /// Whether the command goes on to everything below it.
    pub recursive: bool,
}

/// What a command does with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Reads a file, a directory or their names.
    Read,
    /// Makes or changes a file or directory.
    Write,
    /// Takes it away.
    Remove,
}

/// What `rm` or `rmdir` takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Its targets, as argument index and argument.
    pub targets: Vec<(usize, Arg)>,
    /// Whether everything below the targets goes too.
    pub recursive: bool,
}

/// Says what one simple command does, from its arguments alone; the first is the program.
pub fn inspect(argv: &[Arg]) -> Inspection {
    let name = argv.first().and_then(Arg::known).unwrap_or("");
    Inspection {
        read_only: Err(NotReadOnly {
            why: Cow::Owned(format!("`{name}` is not known to only read")),
            index: 0,
        }),
        paths: Vec::new(),
        file_command: false,
        edits: false,
        removal: None,
        complete: false,
    }
}
