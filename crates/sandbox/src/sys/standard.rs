//! Which of the descriptors 0, 1 and 2 the caller left closed.
//!
//! Before `main` the standard library opens `/dev/null` in their place, so that no file of ours gets such a
//! number. From then on nobody can tell one that was closed from one that was given as `/dev/null`. So the
//! look comes first: the C library calls what stands in this section before anything of Rust runs.

use std::ffi::c_int;
use std::sync::atomic::{AtomicU8, Ordering};

/// A bit for each that was closed.
static CLOSED: AtomicU8 = AtomicU8::new(0);

#[used]
#[unsafe(link_section = ".init_array")]
static FIRST: extern "C" fn() = look;

extern "C" fn look() {
    for number in 0..=2_u8 {
        // SAFETY: asks for the flags of a number; one that is not open gives an error and nothing else.
        let flags = unsafe { libc::fcntl(c_int::from(number), libc::F_GETFD) };
        if flags == -1 {
            CLOSED.fetch_or(1 << number, Ordering::Relaxed);
        }
    }
}

/// Whether the caller left a descriptor closed.
pub(crate) fn was_closed(number: i32) -> bool {
    (0..=2).contains(&number) && CLOSED.load(Ordering::Relaxed) & (1 << number) != 0
}
