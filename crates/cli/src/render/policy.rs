//! The effective policy and its layers.
