//! The system calls no library offers in the shape needed here, one safe function each, and what runs
//! between the fork and the program.
#![expect(
    unsafe_code,
    reason = "the only module with unsafe code; each block states why it is sound"
)]

mod child;
mod copy;
mod keeper;
mod kernel;
pub mod notify;
mod page;
pub mod remote;
mod script;
pub mod socket;
mod standard;

pub(crate) use child::fork_and_follow;
pub use copy::in_a_copy;
pub(crate) use keeper::keep_after;
pub(crate) use kernel::{
    Program, arguments_and_variables, block_signals, end_by_signal, landlock_version,
    process_group, restore_signals, session, signal_descriptor, take_signal,
};
pub(crate) use page::{Page, Stage, Words};
pub(crate) use script::{
    Capture, ExecArguments, FileRight, Identity, Kept, Landlock, Namespaces, Onto, Place, Script,
    Step, Supervision, Target,
};
pub(crate) use standard::was_closed;

/// Gives back the pages of the program; those that are needed again are found in its file. For a process
/// that has done what it takes to come to a long wait.
pub fn give_back_program() {
    Program::look().give_back();
}
