//! Sees through programs that run other programs, one layer at a time.

use crate::Arg;
use portcullis_model::Reason;

/// Takes one wrapping program off a command; `None` when the program is not one that runs others,
/// or runs nothing in this form.
///
/// The caller repeats it on what it finds. Each [`Inner::Argv`] in [`Peeled::inner`] is shorter than
/// `argv` or holds fewer wrapped words, so repeating ends; [`Peeled::possible`] is closed under
/// suffixes, but scripts in it may need a look of their own.
pub fn peel(argv: &[Arg]) -> Option<Peeled> {
    let _ = argv;
    None
}

/// What was found under one wrapping program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeled {
    /// The table name of the program.
    pub wrapper: &'static str,
    /// For which rule classes the wrapper is looked through.
    pub strength: Strength,
    /// What runs, for certain (all of it). May be empty where only `exact_only`, `possible` or
    /// `obstacles` say something.
    pub inner: Vec<Inner>,
    /// What may run, depending on unknown words. A match of these is never certain.
    pub possible: Vec<Inner>,
    /// Why the command cannot be bounded by a rule for what is inside.
    pub obstacles: Vec<Reason>,
    /// Only an exact rule or a bare `Bash` rule may allow the full form, no wildcard rule.
    pub exact_only: bool,
    /// Assignments the wrapper makes for what it runs.
    pub assigns: Vec<(String, Arg)>,
    /// The directory the wrapper changes to first.
    pub changes_directory: Option<Arg>,
}

/// For which rule classes a wrapper is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Deny, ask and allow rules: what is inside decides.
    Every,
    /// Deny and ask rules only.
    DenyAsk,
}

/// Something a wrapping program runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inner {
    /// A program with its arguments.
    Argv(Vec<Arg>),
    /// Text that a shell runs; where it is not known, an unknown command.
    Script(Arg),
    /// A shell or another interpreter that reads commands from its input.
    Stdin,
    /// A file whose content is run as commands.
    File(Arg),
}
