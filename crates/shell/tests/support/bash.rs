//! Real bash as judge: what it would run, and which files it makes.
//!
//! PATH names nothing, so every command goes to the not-found handler, which logs its words. Nothing
//! external runs; absolute paths and builtins are not seen.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What bash did with a text.
#[derive(Debug, Default)]
pub struct Observed {
    /// Commands by their words.
    pub commands: Vec<Vec<String>>,
    /// Files that exist afterwards.
    pub files: Vec<String>,
}

/// How the commands answer.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// They succeed.
    Success,
    /// They fail.
    Failure,
}

/// Runs a text in an empty directory; `None` where there is no bash, or the text cannot be passed.
pub fn run(text: &str, answer: Answer) -> Option<Observed> {
    if text.contains('\0') {
        return None;
    }
    let place = tempfile::tempdir().expect("a temporary directory");
    let work = place.path().join("work");
    std::fs::create_dir(&work).expect("a directory to run in");
    let log = place.path().join("log");
    let status = match answer {
        Answer::Success => 0,
        Answer::Failure => 1,
    };
    let handler =
        format!("() {{ printf '%s\\0' \"$#\" \"$@\" >> \"{}\"; return {status}; }}", log.display());
    // The output pipe stays open until the last background job is gone.
    Command::new("/usr/bin/timeout")
        .args(["-s", "KILL", "2", "/bin/bash", "--norc", "--noprofile", "-c", "--", text])
        .env_clear()
        .env("PATH", "/nowhere")
        .env("HOME", "/home/u")
        .env("BASH_FUNC_command_not_found_handle%%", handler)
        .current_dir(&work)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .ok()?;
    let logged = std::fs::read(&log).unwrap_or_default();
    let logged = String::from_utf8_lossy(&logged).into_owned();
    let mut fields = logged.split('\0');
    let mut commands = Vec::new();
    while let Some(Ok(count)) = fields.next().map(str::parse::<usize>) {
        commands.push(fields.by_ref().take(count).map(str::to_owned).collect());
    }
    Some(Observed { commands, files: files_below(&work, &work) })
}

fn files_below(root: &Path, directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a readable directory");
    let mut files = Vec::new();
    for entry in entries {
        let path: PathBuf = entry.expect("a readable entry").path();
        if path.is_dir() {
            files.extend(files_below(root, &path));
        } else {
            let name = path.strip_prefix(root).expect("a path below the root");
            files.push(name.to_string_lossy().into_owned());
        }
    }
    files
}
