//! The system calls no library offers in the shape needed here, one safe function each.
#![expect(
    unsafe_code,
    reason = "the only module with unsafe code; each block states why it is sound"
)]

pub mod notify;
pub mod remote;
pub mod socket;
