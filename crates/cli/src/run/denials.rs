//! What was denied, told to the caller.

use crate::failure::Failure;
use crate::session::plain;
use portcullis_host::claude_code::shown;
use portcullis_sandbox::Finished;
use std::collections::BTreeSet;
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

/// The denials of a command that failed, each once, in lines; those of hosts come from the proxy.
pub(super) fn summary(finished: &Finished, hosts: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    let mut more = finished.omitted;
    for line in finished.reports.iter().map(ToString::to_string).chain(hosts) {
        if !seen.insert(line.clone()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sandbox::{Backend, End, Enforcement, Report};

    fn report(path: &str) -> Report {
        Report {
            time: 0,
            layer: "files".to_owned(),
            operation: "write".to_owned(),
            asked: path.to_owned(),
            resolved: None,
            rule: "sandbox.filesystem.denyWrite \"/etc\", settings.json:1:2 (user)".to_owned(),
            pid: 1,
            program: "sh".to_owned(),
            errno: 13,
            suppressed: 0,
        }
    }

    #[test]
    fn tells_each_denial_once_and_not_too_many() {
        let mut reports: Vec<Report> = (0..15).map(|n| report(&format!("/etc/{n}"))).collect();
        reports.push(report("/etc/0"));
        let enforcement = Enforcement { backend: Backend::Full, guarantees: Vec::new() };
        let end = End::Exited(1);
        let finished = Finished { end, enforcement, reports, omitted: 2, changes: None };
        let lines = summary(&finished, vec!["denied connection to example.org:443".to_owned()]);
        assert_eq!(lines.len(), TOLD + 1);
        assert_eq!(
            lines.first().unwrap(),
            "denied write /etc/0 (rule sandbox.filesystem.denyWrite \"/etc\", settings.json:1:2 (user))"
        );
        assert_eq!(lines.last().unwrap(), "8 more denials; `--report FILE` writes them all");
    }

    #[test]
    fn a_number_is_a_descriptor() {
        assert!(open("9999").unwrap_err().message.starts_with("cannot write reports to `9999`"));
    }
}
