//! What a policy really says, proved or witnessed, without running anything.
//!
//! In: a [`Policy`](portcullis_policy::Policy) and a [`Stage`] to ask questions on. Out: an [`Audit`]
//! with a [`Finding`] for every rule that cannot work, is shadowed or redundant, grants more than it
//! shows or forbids less; a [`Difference`] between two policies; and answers to assertions about one.
//! What is claimed of every call is proved over the automata of `portcullis-rules`, what is shown as an
//! example was put to the evaluator first. This crate never reads a file, never runs anything and
//! never decides a call. Start with [`audit`] and [`diff`].
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::wildcard_enum_match_arm)]

mod assertion;
mod audit;
mod checks;
mod cover;
mod diff;
mod finding;
mod meaning;
mod question;
mod realm;
mod repair;
mod robustness;
mod settings;
mod suggest;
pub mod tables;

pub use assertion::{Assertion, Bound, Holds, hold};
pub use audit::{Audit, Limits, Subject, audit, reach};
pub use diff::{Cell, Change, Difference, Doubt, Flip, diff};
pub use finding::{Evidence, Finding, Fix, Related, Witness};
pub use meaning::{Meaning, meaning};
pub use question::{Question, Stage};
pub use repair::{Removal, removals};
pub use robustness::{Outcome, Robustness, Trial};
pub use settings::{Direction, SettingChange};
pub use suggest::{Proposal, Recorded, Refused, Suggestions, Wishes, suggest};
