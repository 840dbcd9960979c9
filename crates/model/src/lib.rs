//! The words every part of portcullis uses.
//!
//! In: nothing. Out: checked types such as [`AbsPath`], [`ToolCall`], [`TextSet`] and [`Verdict`].
//! This crate never does I/O, never parses shell text or settings, and never decides anything.
//! Start with [`ToolCall`] (what is asked) and [`Verdict`] (what is answered).
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::wildcard_enum_match_arm)]

mod call;
mod decision;
mod path;
mod reason;
mod source;
mod text;
mod verdict;

pub use call::{HookAnswer, InputValue, Mode, ToolCall, ToolInput};
pub use decision::{Certainty, Decision};
pub use path::{AbsPath, NotAbsolute};
pub use reason::Reason;
pub use source::{RuleClass, RuleRef, Scope, Source, Span};
pub use text::{TextPiece, TextSet, push_quoted, push_quoted_word, quote_fragment, quote_word};
pub use verdict::{Because, Finding, NearMiss, Route, Subject, SubjectKind, Suggestion, Verdict};
