//! What was denied, told to the caller.

use crate::failure::Failure;
use crate::session::plain;
use portcullis_host::claude_code::shown;
use portcullis_model::quote_word;
use portcullis_policy::IgnoredViolations;
use portcullis_sandbox::{Finished, Operation, Report};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::fd::OwnedFd;

/// The most denials that are told on the error output; the rest is counted.
const TOLD: usize = 10;

/// Opens what `--report` names: an open descriptor by its number, or a file to append to.
pub(super) fn open(target: &str) -> Result<OwnedFd, Failure> {
    let (path, hint) = if target.bytes().all(|byte| byte.is_ascii_digit()) && !target.is_empty() {
        (format!("/proc/self/fd/{target}"), "name a descriptor that is open for writing")
    } else {
        (target.to_owned(), "name a file you may write to, or the number of an open descriptor")
    };
    let file = OpenOptions::new().append(true).create(true).open(&path);
    file.map(OwnedFd::from).map_err(|error| {
        let why = plain(&error);
        Failure::input(format!("cannot write reports to `{}`: {why}", shown(target))).hint(hint)
    })
}

/// The denials of a command that failed, each once, in lines.
pub(super) fn summary(
    finished: &Finished,
    ignored: &[IgnoredViolations],
    command: &str,
) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    let mut more = finished.omitted;
    for report in &finished.reports {
        let line = line(report);
        if is_ignored(&line, ignored, command) || !seen.insert(line.clone()) {
            continue;
        }
        if lines.len() < TOLD {
            lines.push(line);
        } else {
            more += 1;
        }
    }
    if more > 0 {
        lines.push(format!("{more} more denials; `--report FILE` writes them all"));
    }
    lines
}

fn line(report: &Report) -> String {
    let verb = match report.operation {
        Operation::Read => "read",
        Operation::Write => "write",
        Operation::Connect => "connection to",
        Operation::Call => "call",
    };
    let resolved = report.resolved.as_ref().unwrap_or(&report.asked);
    let resolved = shown(&resolved.to_string_lossy());
    format!("denied {verb} {resolved} ({})", shown(&report.origin))
}

/// Whether settings say not to report it: for a command that holds a text (`*` is every command), a
/// denial that holds another.
fn is_ignored(line: &str, ignored: &[IgnoredViolations], command: &str) -> bool {
    ignored.iter().any(|entry| {
        (entry.command == "*" || command.contains(&entry.command))
            && entry.violations.iter().any(|part| line.contains(part.as_str()))
    })
}

/// The command as one line of shell.
pub(super) fn command_text(command: &[OsString]) -> String {
    let words: Vec<String> =
        command.iter().map(|word| quote_word(&word.to_string_lossy())).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_model::{Scope, Source};
    use portcullis_sandbox::{End, Layer};

    fn report(path: &str) -> Report {
        Report {
            time: 0,
            layer: Layer::Files,
            operation: Operation::Write,
            asked: "x".into(),
            resolved: Some(path.into()),
            origin: "sandbox.filesystem.denyWrite \"/etc\", settings.json:1:2 (user)".to_owned(),
            pid: 1,
            program: "sh".into(),
        }
    }

    #[test]
    fn tells_each_denial_once_and_not_too_many() {
        let mut reports: Vec<Report> = (0..15).map(|n| report(&format!("/etc/{n}"))).collect();
        reports.push(report("/etc/0"));
        let finished = Finished { end: End::Exited(1), reports, omitted: 2 };
        let lines = summary(&finished, &[], "make");
        assert_eq!(lines.len(), TOLD + 1);
        assert_eq!(
            lines.first().unwrap(),
            "denied write /etc/0 (sandbox.filesystem.denyWrite \"/etc\", settings.json:1:2 (user))"
        );
        assert_eq!(lines.last().unwrap(), "7 more denials; `--report FILE` writes them all");
    }

    #[test]
    fn ignores_what_settings_ignore() {
        let finished = Finished {
            end: End::Exited(1),
            reports: vec![report("/etc/a"), report("/x/b")],
            omitted: 0,
        };
        let ignored = |command: &str, part: &str| IgnoredViolations {
            command: command.to_owned(),
            violations: vec![part.to_owned()],
            source: Source {
                scope: Scope::User,
                file: "settings.json".to_owned(),
                line: 1,
                column: 1,
            },
        };
        for (entry, left) in [
            (ignored("*", "/etc/a"), 1),
            (ignored("make", "/etc"), 0),
            (ignored("npm", "/etc/a"), 2),
            (ignored("*", "/nothing"), 2),
        ] {
            assert_eq!(summary(&finished, &[entry.clone()], "make all").len(), left, "{entry:?}");
        }
    }

    #[test]
    fn a_number_is_a_descriptor() {
        assert!(open("9999").unwrap_err().message.starts_with("cannot write reports to `9999`"));
    }
}
