//! The execution oracle: what bash really executes and creates when it runs a program.
//!
//! Real bash with a PATH that leads nowhere and a not-found handler that logs every argv, in an
//! empty folder. Nothing external can run. Blind to builtins and to programs named by path.

use crate::bash::{Ending, Run};
use std::fs;
use std::io;

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Every argv bash looked for, in no certain order.
    pub commands: Vec<Vec<String>>,
    /// Every file that exists afterwards.
    pub files: Vec<String>,
    /// Whether it ended by itself.
    pub ending: Ending,
}

/// Runs a program and reports what it did.
pub fn observe(program: &str) -> io::Result<Observation> {
    let run = Run::new()?;
    let log = run.write_beside("log", "", 0o666)?;
    // Appended in one write, so that commands running side by side do not mix. A name that starts
    // with `ok` succeeds, so that programs have branches that are taken.
    let handler = format!(
        "() {{ builtin printf '%s\\0' \"$#\" \"$@\" >> '{}'; case $1 in ok*) builtin return 0;; esac; builtin return 127; }}",
        log.display()
    );
    let environment = [
        ("PATH", "/nowhere"),
        ("HOME", "/nowhere"),
        ("BASH_FUNC_command_not_found_handle%%", handler.as_str()),
    ];
    let ending = run.execute(program, environment)?;
    Ok(Observation { commands: read_log(&fs::read(&log)?)?, files: run.files()?, ending })
}

fn read_log(log: &[u8]) -> io::Result<Vec<Vec<String>>> {
    let mut fields = log.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let mut commands = Vec::new();
    while let Some(count) = fields.next().filter(|count| !count.is_empty()) {
        let count: usize = count.parse().map_err(io::Error::other)?;
        commands.push(fields.by_ref().take(count).map(Into::into).collect());
    }
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_commands_files_and_background_work() {
        let seen = observe("one 'a b' | ok x > f\n{ two; } &\nok y && three").unwrap();
        let mut commands = seen.commands;
        commands.sort();
        let expected = [&["ok", "x"][..], &["ok", "y"], &["one", "a b"], &["three"], &["two"]];
        assert_eq!(commands, expected);
        assert_eq!(seen.files, ["f"]);
        assert_eq!(seen.ending, Ending::Done);
    }

    #[test]
    fn ends_a_program_that_does_not() {
        let seen = observe("while :; do :; done").unwrap();
        assert_eq!(seen.ending, Ending::Overdue);
    }
}
