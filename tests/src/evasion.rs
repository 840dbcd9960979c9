//! Whether a command that is denied really runs, however it is written and wherever it stands.

use crate::bash::{Ending, Run, find_program};
use crate::tables::stubs::{REAL, STAND_INS, script};
use crate::tables::surroundings::Embedding;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Writes a way to run a command into a place, or `None` where the two cannot be joined.
pub fn write(way: &str, embedding: Embedding, place: &str) -> Option<String> {
    let lines = way.contains('\n');
    let way = match embedding {
        Embedding::Verbatim => way.to_owned(),
        Embedding::Backquoted => way.replace('\\', "\\\\").replace('`', "\\`"),
        Embedding::SingleQuoted => way.replace('\'', "'\\''"),
    };
    let (before, after) = place.split_once("@@")?;
    let ends_line = after.is_empty() || after.starts_with('\n');
    let quoted = embedding == Embedding::SingleQuoted;
    // The end of a here-document has to be a line of its own.
    let way = if lines && !ends_line && !quoted { format!("{{\n{way}\n}}") } else { way };
    Some(format!("{before}{way}{after}"))
}

/// A folder of programs: the real ones that are harmless, stand-ins for the others, but no `curl`.
#[derive(Debug)]
pub struct Programs {
    folder: tempfile::TempDir,
}

impl Programs {
    /// Makes the folder.
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("portcullis-programs-").tempdir()?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        for name in REAL {
            if let Some(real) = find_program(name) {
                symlink(real, folder.path().join(name))?;
            }
        }
        for (name, valued, operands, start) in STAND_INS {
            write_script(&folder.path().join(name), &script(valued, *operands, *start))?;
        }
        Ok(Self { folder })
    }

    /// Runs a program in real bash, and says whether it started `curl`.
    pub fn run_curl(&self, program: &str) -> io::Result<bool> {
        let run = Run::new()?;
        let log = run.write_beside("log", "", 0o666)?;
        let curl = format!("#!/bin/sh\necho ran >> '{}'\n", log.display());
        let bin = run.beside("bin");
        fs::create_dir(&bin)?;
        write_script(&bin.join("curl"), &curl)?;
        write_script(&run.home().join("curl"), &curl)?;
        let path = format!("{}:{}", bin.display(), self.folder.path().display());
        let home = run.home().display().to_string();
        // What a program that does not end has done by then counts.
        let (Ending::Done | Ending::Overdue) =
            run.execute(program, [("PATH", path.as_str()), ("HOME", home.as_str())])?;
        Ok(!fs::read(&log)?.is_empty())
    }
}

fn write_script(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, Permissions::from_mode(0o755))
}
