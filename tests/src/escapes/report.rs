//! What the probes showed.

use super::expectation::Expectation;
use super::spawn::Outcome;
use super::{Identity, Probe};
use crate::tables::escapes::{Where, cannot_leak};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

/// Everything the probes showed.
#[derive(Clone, Debug)]
pub struct Report {
    /// One for every probe and identity.
    pub findings: Vec<Finding>,
    /// Whether the sandbox was left out.
    pub baseline: bool,
}

/// What one probe showed to one identity.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The probe.
    pub probe: Probe,
    /// Who ran it.
    pub identity: Identity,
    /// What it has to show.
    pub expectation: Expectation,
    /// As it is.
    pub bare: Option<View>,
    /// Whether it was seen leaking before.
    pub shown: bool,
    /// Behind the sandbox command.
    pub inside: Option<View>,
}

/// One run of a probe.
#[derive(Clone, Debug)]
pub struct View {
    /// How it went.
    pub outcome: Outcome,
    /// Whether it leaked.
    pub leaked: bool,
    /// How long it took until it was seen to leak, or not to.
    pub took: Duration,
    /// What is wrong with it, were it the run inside.
    pub complaint: Option<String>,
    /// Why nobody can complain of that on this kind of machine.
    pub lacking: Option<&'static str>,
}

/// What a finding comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// As it has to be.
    Passed,
    /// Not so, and why.
    Failed(String),
    /// Proves nothing on this machine, for this reason.
    Uncounted(&'static str),
}

/// Whether what a probe eats has a bound. Nothing counts the processes of root.
pub fn is_bounded(expectation: Expectation, identity: Identity) -> bool {
    expectation != Expectation::Bounded || identity != Identity::Root
}

impl Finding {
    /// What it comes to.
    pub fn judge(&self) -> Judgement {
        if self.expectation == Expectation::Noted {
            return Judgement::Uncounted("out of scope by its own words");
        }
        if !is_bounded(self.expectation, self.identity) {
            return Judgement::Uncounted("root has no limit on processes, and is told so");
        }
        let lacking = self.inside.as_ref().and_then(|view| view.lacking);
        if let Some(reason) = lacking {
            return Judgement::Uncounted(reason);
        }
        let inside = self.inside.as_ref().and_then(|view| view.complaint.clone());
        if self.expectation.is_about_leaking() && !self.bare.as_ref().is_some_and(|it| it.leaked) {
            // A leak inside is a leak, whatever was seen outside.
            if let Some(complaint) = inside.clone().filter(|complaint| complaint == "LEAK") {
                return Judgement::Failed(complaint);
            }
            match cannot_leak(&self.probe.id, Where::of(self.identity)) {
                Some(reason) => return Judgement::Uncounted(reason),
                None if self.shown => {}
                None => {
                    return Judgement::Failed(
                        "does not leak as it is, so it proves nothing".into(),
                    );
                }
            }
        }
        match inside {
            Some(complaint) => Judgement::Failed(complaint),
            None => Judgement::Passed,
        }
    }

    /// Prints it with both views.
    pub fn print(&self) -> io::Result<()> {
        writeln!(io::stdout(), "{}", self.describe())
    }

    fn describe(&self) -> String {
        let Self { probe, identity, .. } = self;
        let mut text = format!(
            "{} ({}, as {})\n  probe    {}\n  expects  {}\n",
            probe.id,
            probe.class,
            identity.word(),
            probe.script,
            probe.expect
        );
        for (name, view) in [("as it is", &self.bare), ("inside  ", &self.inside)] {
            let Some(View { outcome, leaked, took, .. }) = view else { continue };
            let stderr: Vec<_> = outcome.stderr.lines().take(4).collect();
            // Writing to a string cannot fail.
            let _infallible = writeln!(
                text,
                "  {name} {}, {} after {took:.1?}, printed {:?}, complained {:?}",
                if *leaked { "LEAK" } else { "no leak" },
                outcome.ending(),
                outcome.stdout,
                stderr.join(" / ")
            );
        }
        let _infallible = match self.judge() {
            Judgement::Passed => writeln!(text, "  passed"),
            Judgement::Failed(why) => writeln!(text, "  FAILED   {why}"),
            Judgement::Uncounted(why) => writeln!(text, "  uncounted: {why}"),
        };
        text
    }
}

impl Report {
    /// What failed.
    pub fn failures(&self) -> Vec<&Finding> {
        let failed = |finding: &&Finding| matches!(finding.judge(), Judgement::Failed(_));
        self.findings.iter().filter(failed).collect()
    }

    /// The misses, what does not count and why, and the closing line.
    pub fn describe(&self, with_misses: bool) -> String {
        let mut text = String::new();
        if with_misses {
            for finding in self.failures() {
                text.push_str(&finding.describe());
            }
        }
        let mut passed = 0;
        for finding in &self.findings {
            match finding.judge() {
                Judgement::Passed => passed += 1,
                Judgement::Failed(_) => {}
                Judgement::Uncounted(reason) => {
                    let (id, identity) = (&finding.probe.id, finding.identity.word());
                    let _infallible = writeln!(text, "not counted: {id} as {identity}: {reason}");
                }
            }
        }
        let leaking = self.findings.iter().filter(|it| it.bare.as_ref().is_some_and(|v| v.leaked));
        let _infallible = writeln!(text, "{} leak as they are", leaking.count());
        let names: Vec<_> = self
            .failures()
            .iter()
            .map(|finding| format!("{}/{}", finding.probe.id, finding.identity.word()))
            .collect();
        if !names.is_empty() {
            let _infallible = writeln!(text, "failed: {}", names.join(" "));
        }
        let _infallible = write!(text, "{passed} passed, {} failed", names.len());
        text
    }
}
