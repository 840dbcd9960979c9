//! The checks: each one kind of thing a policy's author should know.

pub(crate) mod dead;
pub(crate) mod diagnostics;
pub(crate) mod grants;
pub(crate) mod process;
pub(crate) mod redundant;
pub(crate) mod shadowed;
pub(crate) mod weak;
