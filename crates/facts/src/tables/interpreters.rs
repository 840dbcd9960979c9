//! Interpreters other than the shell, and the calls one can see in their code.

use crate::{Arg, Inner};
use portcullis_model::Reason;

/// A command that starts an interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// The table name of the interpreter.
    pub name: &'static str,
    /// The code given as text (`python -c`, an awk program), every piece of it.
    pub code: Vec<Arg>,
    /// `interpreter-code`, `interpreter-dynamic` or `interpreter-stdin`.
    pub reason: Reason,
    /// Programs the code starts, as far as literal text tells. For deny and ask only, never certain.
    pub possible: Vec<Inner>,
}

/// Reads a command as an interpreter that is given code; `None` for other programs, for forms that
/// only run a file, and for forms that run nothing (`--version`).
pub fn interpreter(argv: &[Arg]) -> Option<Interpreter> {
    let _ = argv;
    None
}
