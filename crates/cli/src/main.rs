//! The binary; everything is in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis_cli::run(std::env::args_os().skip(1).collect())
}
