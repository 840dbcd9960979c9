//! Devices that every program may expect to write to.

/// Each with everything below. `/dev/pts` and `/dev/shm` are the sandbox's own where it has a `/dev`.
pub(crate) const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/shm",
];
