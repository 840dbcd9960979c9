//! The small C programs the probes need: what no shell and no Python can do.

use crate::bash::find_program;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs, by the name of their source.
const PROGRAMS: &[&str] = &["plant", "carrier", "pchostvictim", "toctou", "i386", "root"];

/// Compiles every helper into a folder.
pub fn compile(into: &Path) -> io::Result<()> {
    let compiler = find_program("cc").ok_or_else(|| io::Error::other("there is no C compiler"))?;
    for program in PROGRAMS {
        let mut command = Command::new(&compiler);
        command.args(["-O1", "-pthread", "-o"]).arg(into.join(program));
        command.arg(source(&format!("{program}.c")));
        let output = command.output()?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("{program}.c: {complaint}")));
        }
    }
    Ok(())
}

/// A file of the folder the helpers are written in.
pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("helpers").join(name)
}
