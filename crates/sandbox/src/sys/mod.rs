//! The system calls no library offers in the shape needed here, one safe function each.
