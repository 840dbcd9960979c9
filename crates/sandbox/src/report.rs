//! What was denied.

use crate::supervisor::Denial;
use portcullis_profile::SandboxProfile;
use std::fmt::{self, Write as _};
use std::os::fd::OwnedFd;

/// One denied access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// When, in milliseconds since the epoch.
    pub time: u64,
    /// What denied it: `files`, `sockets`, `network`, `calls`.
    pub layer: String,
    /// What was tried: `read`, `write`, `connect`, or a system call.
    pub operation: String,
    /// The path or address as the program gave it.
    pub asked: String,
    /// Where that leads, where it is known to be elsewhere.
    pub resolved: Option<String>,
    /// What denies it and where that is written; empty where nothing allows it.
    pub rule: String,
    /// The process, by its number outside.
    pub pid: u32,
    /// The name of its program.
    pub program: String,
    /// What the program was told.
    pub errno: i32,
    /// How many like it went before without a report of their own.
    pub suppressed: u64,
}

impl Report {
    /// One line of JSON, with a newline.
    pub fn json(&self) -> String {
        let mut line = format!("{{\"time\":{}", self.time);
        let texts = [
            ("layer", Some(&self.layer)),
            ("operation", Some(&self.operation)),
            ("asked", Some(&self.asked)),
            ("resolved", self.resolved.as_ref()),
            ("rule", Some(&self.rule)),
            ("program", Some(&self.program)),
        ];
        for (name, text) in texts {
            let Some(text) = text else { continue };
            line.push_str(",\"");
            line.push_str(name);
            line.push_str("\":");
            quote(&mut line, text);
        }
        let numbers = format!(
            ",\"pid\":{},\"errno\":{},\"suppressed\":{}}}\n",
            self.pid, self.errno, self.suppressed
        );
        line.push_str(&numbers);
        line
    }
}

/// JSON text: RFC 8259, 7.
fn quote(line: &mut String, text: &str) {
    line.push('"');
    for letter in text.chars() {
        match letter {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            control if control < ' ' => {
                let _infallible = write!(line, "\\u{:04x}", u32::from(control));
            }
            other => line.push(other),
        }
    }
    line.push('"');
}

impl From<Denial> for Report {
    fn from(denial: Denial) -> Self {
        Self {
            time: u64::try_from(denial.time.as_millis()).unwrap_or(u64::MAX),
            layer: denial.layer,
            operation: denial.operation,
            resolved: (denial.resolved != denial.asked).then_some(denial.resolved),
            asked: denial.asked,
            rule: denial.rule,
            pid: denial.pid,
            program: denial.program,
            errno: denial.errno,
            suppressed: denial.suppressed,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "denied {} {}", self.operation, self.asked.escape_debug())?;
        if let Some(resolved) = self.resolved.as_ref().filter(|resolved| **resolved != self.asked) {
            write!(f, " ({})", resolved.escape_debug())?;
        }
        if self.rule.is_empty() {
            write!(f, " (no rule allows it)")
        } else {
            write!(f, " (rule {})", self.rule)
        }
    }
}

/// Takes denials, tells them to whoever asked, and keeps the first for a summary.
#[derive(Debug)]
pub(crate) struct Collector {
    ignored: Vec<String>,
    told: Option<OwnedFd>,
    kept: Vec<Report>,
    omitted: u64,
}

/// How many denials a summary can be made of.
const KEPT: usize = 100;

impl Collector {
    /// For a command, by its text.
    pub(crate) fn new(profile: &SandboxProfile, command: &str, told: Option<OwnedFd>) -> Self {
        let ignored = profile
            .ignored
            .iter()
            .filter(|entry| entry.command == "*" || command.contains(&entry.command))
            .flat_map(|entry| entry.violations.iter().cloned())
            .collect();
        Self { ignored, told, kept: Vec::new(), omitted: 0 }
    }

    /// Takes one denial.
    pub(crate) fn take(&mut self, report: Report) {
        let line = report.to_string();
        if self.ignored.iter().any(|part| line.contains(part)) {
            return;
        }
        if let Some(told) = &self.told {
            // A reader that is gone does not stop the command.
            let _lost = rustix::io::write(told, report.json().as_bytes());
        }
        if self.kept.len() < KEPT {
            self.kept.push(report);
        } else {
            self.omitted += 1;
        }
    }

    /// What there was, and how much more.
    pub(crate) fn finish(&mut self) -> (Vec<Report>, u64) {
        (std::mem::take(&mut self.kept), self.omitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_policy::IgnoredViolations;

    fn report(asked: &str) -> Report {
        Report {
            time: 7,
            layer: "files".to_owned(),
            operation: "write".to_owned(),
            asked: asked.to_owned(),
            resolved: None,
            rule: String::new(),
            pid: 3,
            program: "sh".to_owned(),
            errno: 13,
            suppressed: 0,
        }
    }

    #[test]
    fn json_is_one_line_whatever_the_path() {
        let json = report("/a\n\"b\\\u{1}").json();
        assert_eq!(
            json,
            "{\"time\":7,\"layer\":\"files\",\"operation\":\"write\",\"asked\":\"/a\\u000a\\\"b\\\\\\u0001\",\
             \"rule\":\"\",\"program\":\"sh\",\"pid\":3,\"errno\":13,\"suppressed\":0}\n"
        );
        assert_eq!(report("/x\ny").to_string(), "denied write /x\\ny (no rule allows it)");
    }

    #[test]
    fn ignored_violations_are_neither_told_nor_kept() {
        let source = portcullis_model::Source {
            scope: portcullis_model::Scope::User,
            file: "settings.json".to_owned(),
            line: 1,
            column: 1,
        };
        let entry = |command: &str, part: &str| IgnoredViolations {
            command: command.to_owned(),
            violations: vec![part.to_owned()],
            source: source.clone(),
        };
        let profile = SandboxProfile {
            ignored: vec![entry("*", "/always"), entry("make", "/only-make")],
            ..SandboxProfile::default()
        };
        let mut collector = Collector::new(&profile, "cargo build", None);
        for asked in ["/always/x", "/only-make/x", "/other"] {
            collector.take(report(asked));
        }
        let (kept, omitted) = collector.finish();
        let kept: Vec<_> = kept.iter().map(|report| report.asked.as_str()).collect();
        assert_eq!((kept, omitted), (vec!["/only-make/x", "/other"], 0));
    }
}
