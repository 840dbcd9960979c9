//! Tables.

pub(crate) mod system_calls;
