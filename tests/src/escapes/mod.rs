//! Escape probes: each one is first seen to get out, and then seen not to.
//!
//! A probe is a line of shell that prints `LEAK` when it reached what it must not reach. It runs in a
//! throw-away machine ([`world`]) with planted secrets ([`fixture`]) and a host that reacts ([`host`]):
//! once as it is, where it has to leak, or else it proves nothing; and once behind the sandbox command,
//! where it must not. Start at [`run::inside`].

pub mod expectation;
pub mod fixture;
pub mod helpers;
pub mod host;
pub mod options;
pub mod report;
pub mod run;
pub mod spawn;
pub mod world;

use serde::{Deserialize, Serialize};

/// One line of an escape corpus.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Probe {
    /// Its name.
    pub id: String,
    /// What is run, by bash.
    #[serde(rename = "probe")]
    pub script: String,
    /// What is expected inside, in words; [`expectation`] says it in code where it is more than this.
    pub expect: String,
    /// What it attacks; ends in `-func` where it is something that has to work.
    pub class: String,
}

/// Who runs a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// An ordinary user.
    User,
    /// The root of the throw-away machine.
    Root,
}

impl Identity {
    /// Its user number in the throw-away machine.
    pub fn number(self) -> u32 {
        match self {
            Self::User => 4321,
            Self::Root => 0,
        }
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Root => "root",
        }
    }
}
