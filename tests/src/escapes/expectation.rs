//! What a probe has to show, where its words say more than "no LEAK".

use super::host::Victim;
use super::spawn::Outcome;
use super::{Probe, fixture};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// What a probe has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It leaks as it is and does not inside.
    Contained,
    /// It prints OK inside.
    Works,
    /// It ends with this status inside, as it does outside.
    Exits(i32),
    /// It dies by this signal inside, as it does outside.
    Dies(i32),
    /// As contained, where leaking is that this file in the control folder appears within the time.
    Unmarked(&'static str, Duration),
    /// As contained, where leaking is what this script does afterwards in the same shell.
    StillContained(&'static str),
    /// As contained, or `--explain` warns of it by these words: the boundary cannot hold it, and says so.
    ContainedOrWarned(&'static str),
    /// Prints OK, and the host starts a process in reasonable time meanwhile. It is not run as it is.
    Bounded,
    /// Out of scope by its own words: seen, and not judged.
    Noted,
}

/// How long to wait for what a probe may do after its end. A loaded machine takes its time: as it is, the
/// probe is to be seen; inside, it gets twice the time it took then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Until it is seen, or far longer than it takes.
    UntilSeen,
    /// At least for twice this time.
    AsLongAs(Duration),
}

/// What a probe has to show.
pub fn of(probe: &Probe) -> Expectation {
    if let Some((_, special)) = SPECIAL.iter().find(|(id, _)| *id == probe.id) {
        return *special;
    }
    if probe.class.ends_with("-func") || probe.expect.starts_with("OK") {
        Expectation::Works
    } else {
        Expectation::Contained
    }
}

impl Expectation {
    /// The script as it is run.
    pub fn script(self, probe: &str) -> String {
        match self {
            Self::StillContained(after) => format!("{probe}\n{after}"),
            Self::Contained
            | Self::Works
            | Self::Exits(_)
            | Self::Dies(_)
            | Self::Unmarked(..)
            | Self::ContainedOrWarned(_)
            | Self::Bounded
            | Self::Noted => probe.to_owned(),
        }
    }

    /// Whether it is about something that must not happen, and so has to be seen happening first.
    pub fn is_about_leaking(self) -> bool {
        match self {
            Self::Contained
            | Self::Unmarked(..)
            | Self::StillContained(_)
            | Self::ContainedOrWarned(_) => true,
            Self::Works | Self::Exits(_) | Self::Dies(_) | Self::Bounded | Self::Noted => false,
        }
    }

    /// Whether it leaked. A mark that may still come is waited for as long as `patient` says.
    pub fn leaked(self, outcome: &Outcome, victim: &Victim, patient: Patience) -> bool {
        match self {
            Self::Unmarked(name, usual) => {
                let mark = Path::new(fixture::CONTROL).join(name);
                let most = match patient {
                    Patience::UntilSeen => usual * 10,
                    Patience::AsLongAs(seen) => usual.max(seen * 2),
                };
                let started = Instant::now();
                while started.elapsed() < most && !mark.exists() {
                    thread::sleep(Duration::from_millis(5));
                }
                mark.exists() || outcome.says("LEAK")
            }
            Self::StillContained(_) => {
                // Who is killed together does not end together.
                thread::sleep(Duration::from_millis(300));
                outcome.says("LEAK") || !victim.is_alive()
            }
            Self::Contained
            | Self::Works
            | Self::Exits(_)
            | Self::Dies(_)
            | Self::ContainedOrWarned(_)
            | Self::Bounded
            | Self::Noted => outcome.says("LEAK"),
        }
    }

    /// What is wrong with how it went inside, where something is.
    pub fn complaint(self, outcome: &Outcome, leaked: bool) -> Option<String> {
        if !outcome.begun {
            return Some(format!("the command never started ({})", outcome.ending()));
        }
        if leaked {
            return match self {
                Self::Noted => None,
                _ => Some("LEAK".to_owned()),
            };
        }
        let wrong = match self {
            Self::Exits(code) => outcome.status.and_then(|status| status.code()) != Some(code),
            Self::Dies(signal) => {
                use std::os::unix::process::ExitStatusExt;
                outcome.status.and_then(|status| status.signal()) != Some(signal)
            }
            Self::Works | Self::Bounded => !outcome.says("OK"),
            Self::Contained
            | Self::Unmarked(..)
            | Self::StillContained(_)
            | Self::ContainedOrWarned(_)
            | Self::Noted => !outcome.ended,
        };
        wrong.then(|| format!("wants {self:?}, but {}", outcome.ending()))
    }
}

const TERM: i32 = 15;

const SPECIAL: &[(&str, Expectation)] = &[
    ("rd-git-objects", Expectation::Noted),
    (
        "wr-preexisting-hardlink",
        Expectation::ContainedOrWarned("`/home/pc/prelinked-src` has 2 names"),
    ),
    ("ps-kill-all", Expectation::Unmarked("signalled", Duration::from_millis(100))),
    ("life-daemon-survives", Expectation::Unmarked("survived", Duration::from_secs(4))),
    ("own-life-nohup", Expectation::Unmarked("survived", Duration::from_secs(4))),
    ("life-exit-code", Expectation::Exits(37)),
    ("life-signal-exit", Expectation::Dies(TERM)),
    ("life-forkbomb", Expectation::Bounded),
    (
        "sup-kill-supervisor",
        Expectation::StillContained(
            "cat $PC_HOME/.ssh/id_rsa $PC_PROJ/.env 2>/dev/null | grep -q PCSECRET && echo LEAK",
        ),
    ),
];
