//! How well denies hold.

use crate::Question;
use portcullis_model::{Decision, RuleRef};

/// How one deny rule holds against other ways to do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Robustness {
    /// The rule.
    pub rule: RuleRef,
    /// What was tried.
    pub trials: Vec<Trial>,
}

impl Robustness {
    /// How many trials were denied, asked about and allowed.
    pub fn counts(&self) -> [usize; 3] {
        [Outcome::Denied, Outcome::Asked, Outcome::Allowed]
            .map(|outcome| self.trials.iter().filter(|trial| trial.outcome == outcome).count())
    }

    /// The share of trials that were not let through in silence.
    pub fn stopped(&self) -> f64 {
        let [denied, asked, _] = self.counts();
        share(denied + asked, self.trials.len())
    }

    /// The share of trials that were denied outright.
    pub fn denied(&self) -> f64 {
        let [denied, ..] = self.counts();
        share(denied, self.trials.len())
    }
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if whole == 0 { 1.0 } else { number(part) / number(whole) }
}

/// One way that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The name of the way.
    pub way: &'static str,
    /// The call.
    pub question: Question,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was denied.
    Denied,
    /// A person is asked.
    Asked,
    /// It was let through.
    Allowed,
}

impl Outcome {
    /// The lower-case word used in every output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Asked => "asked",
            Self::Allowed => "allowed",
        }
    }
}

impl From<Decision> for Outcome {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::Allowed,
            Decision::Ask => Self::Asked,
            Decision::Deny => Self::Denied,
        }
    }
}
