//! Programs that run other programs as a side line: options whose value is a command.
