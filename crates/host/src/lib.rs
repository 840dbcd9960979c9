//! The edge: what touches the disk and speaks the formats of others.
//!
//! In: settings files, requests of agents, questions about paths. Out: a policy, a verdict, answers
//! in the caller's format. This crate never decides anything: [`evaluate`] gathers, asks the
//! [`Disk`] and hands over to the engine.
#![forbid(unsafe_code)]

pub mod batch;
pub mod claude_code;
mod digest;
pub mod disk;
mod evaluate;
pub mod install;
pub mod log;
pub mod place;
pub mod rule_edit;
pub mod sandbox_runtime;
pub mod settings;
mod strict_json;
pub mod transcript;
pub mod wire;

pub use disk::{Disk, ListedDisk, RealDisk};
pub use evaluate::{Evaluation, evaluate};
pub use portcullis_engine::Options as EvaluateOptions;
