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
    let log = run.folder_beside("log")?;
    // Every command is looked for by a process of its own, so that none tears what another writes.
    // A name that starts with `ok` succeeds, so that programs have branches that are taken.
    let handler = format!(
        "() {{ builtin printf '%s\\0' \"$#\" \"$@\" >> '{}'/\"$BASHPID\"; case $1 in ok*) builtin return 0;; esac; builtin return 127; }}",
        log.display()
    );
    let environment = [
        ("PATH", "/nowhere"),
        ("HOME", "/nowhere"),
        ("BASH_FUNC_command_not_found_handle%%", handler.as_str()),
    ];
    let ending = run.execute(program, environment)?;
    let mut commands = Vec::new();
    for entry in fs::read_dir(log)? {
        commands.extend(read_log(&fs::read(entry?.path())?));
    }
    Ok(Observation { commands, files: run.files()?, ending })
}

/// Whether bash takes a program for complete and correct, without running it.
pub fn accepts(program: &str) -> io::Result<bool> {
    let run = Run::new()?;
    // As a file: an error in a string stops only the line it is in.
    let script = run.write_beside("script", program, 0o644)?;
    let marker = run.home().join("accepted");
    let check = format!(
        "/bin/bash --norc --noprofile -n '{}' && : > '{}'",
        script.display(),
        marker.display()
    );
    run.execute(&check, [("PATH", "/nowhere")])?;
    marker.try_exists()
}

/// The argvs of a log; one that was cut off when its program was killed is left out.
fn read_log(log: &[u8]) -> Vec<Vec<String>> {
    let whole = log.iter().rposition(|byte| *byte == 0).map_or(0, |end| end + 1);
    let mut fields = log[..whole].split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let mut commands = Vec::new();
    while let Some(count) = fields.next().and_then(|count| count.parse::<usize>().ok()) {
        let argv: Vec<_> = fields.by_ref().take(count).map(Into::into).collect();
        if argv.len() == count {
            commands.push(argv);
        }
    }
    commands
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
