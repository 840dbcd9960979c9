//! The one capability of the supervisor, held only for looking at whom it answers.
//!
//! SECURITY: an open on behalf happens with the supervisor's credentials. With `CAP_SYS_PTRACE` in effect
//! it would hand out `/proc/PID/mem` of processes that the program may not trace. So the capability is in
//! effect only while the caller's memory, directory or descriptors are looked at, and only where they
//! cannot be seen without it: a program that is not dumpable, or a kernel with Yama.

use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

/// Puts the capability out of effect for this thread.
pub(super) fn lower() -> Result<(), Errno> {
    let sets = capabilities(None)?;
    let effective = sets.effective.difference(CapabilitySet::SYS_PTRACE);
    set_capabilities(None, CapabilitySets { effective, ..sets })
}

/// Looks at the caller; with the capability if it is refused without.
pub(super) fn with_tracing<T>(mut look: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    match look() {
        Err(Errno::PERM | Errno::ACCESS) => {}
        outcome => return outcome,
    }
    let sets = capabilities(None)?;
    if !sets.permitted.contains(CapabilitySet::SYS_PTRACE) {
        return Err(Errno::PERM);
    }
    let effective = sets.effective.union(CapabilitySet::SYS_PTRACE);
    set_capabilities(None, CapabilitySets { effective, ..sets })?;
    let outcome = look();
    lower()?;
    outcome
}
