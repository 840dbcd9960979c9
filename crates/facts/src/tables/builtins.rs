//! What shell builtins do beside running a program.

use crate::{Arg, Inner};
use portcullis_model::Reason;

/// What a builtin does to the shell, and what it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuiltinEffect {
    /// Why nothing narrower than a bare `Bash` rule may allow it; empty for harmless forms.
    pub reasons: Vec<Reason>,
    /// What runs now or later: `eval` words, `trap` and `mapfile -C` texts, sourced files, alias
    /// values, and `(( … ))` around each operand whose subscript bash expands once more.
    pub payloads: Vec<Inner>,
    /// Variables it sets, with the value where one is given.
    pub assigns: Vec<(String, Option<Arg>)>,
    /// What becomes of the working directory.
    pub directory: Directory,
}

/// What a builtin does to the working directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Directory {
    /// Nothing.
    #[default]
    Stays,
    /// `cd` without operand: the home directory.
    Home,
    /// `cd` with one operand.
    To(Arg),
    /// Only known when it runs (`cd -`, `pushd`, `popd`).
    Unknown,
}

/// What a command does if its name is that of a builtin; nothing for every other command.
pub fn builtin_effect(argv: &[Arg]) -> BuiltinEffect {
    let _ = argv;
    BuiltinEffect::default()
}
