//! Programs that exist to run other programs.
