//! Suites that run the real product, in a throw-away machine of their own.

use crate::environment;
use crate::escapes::{Identity, fixture, world};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Runs a test in a throw-away machine: outside, by starting the test program again inside.
///
/// Where no such machine can be made, it prints `SKIP` and why.
pub fn test(name: &str, body: impl FnOnce()) -> Result<(), String> {
    test_showing(name, &[], body)
}

/// As [`test`], where more of the real machine is visible, read-only.
pub fn test_showing(name: &str, show: &[PathBuf], body: impl FnOnce()) -> Result<(), String> {
    if world::is_inside() {
        body();
        return Ok(());
    }
    start_inside(name, show)
}

fn start_inside(name: &str, show: &[PathBuf]) -> Result<(), String> {
    if let Some(reason) = UNAVAILABLE.get_or_init(world::unavailable) {
        skip(name, reason);
        return Ok(());
    }
    let told = |error: io::Error| error.to_string();
    let portcullis = portcullis()?;
    let this = std::env::current_exe().map_err(told)?;
    let mut shown = show.to_vec();
    for program in [&portcullis, &this] {
        shown.extend(program.parent().map(Path::to_owned));
    }
    shown.sort();
    shown.dedup();
    let mut command = vec!["/usr/bin/env".to_owned()];
    command.push(format!("PORTCULLIS_BINARY={}", portcullis.display()));
    command.push(this.display().to_string());
    command.extend([name, "--exact", "--nocapture", "--test-threads=1"].map(str::to_owned));
    let output = world::output(&command, &shown).map_err(told)?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let ran = text.contains("test result: ok. 1 passed");
    if output.status.success() && ran {
        // What it had to say, without the counts of the inner run.
        // The first thing said stands behind the name of the test.
        let lines =
            text.lines().map(|line| line.split_once(" ... ").map_or(line, |(_, said)| said));
        let mut said = lines.filter(|line| line.starts_with("| ") || line.starts_with("SKIP"));
        return said.try_for_each(say);
    }
    Err(format!("in its throw-away machine ({}):\n{text}", output.status))
}

/// Says that something is not tested, and why.
pub fn skip(what: &str, reason: &str) {
    // Where nothing can be said, nobody listens.
    say(&format!("SKIP {what}: {reason}")).ok();
}

fn say(line: &str) -> Result<(), String> {
    writeln!(io::stderr(), "{line}").map_err(|error| error.to_string())
}

/// The program to test: the one named by the environment, or the one built from this tree.
pub fn portcullis() -> Result<PathBuf, String> {
    BINARY.get_or_init(find_or_build).clone()
}

fn find_or_build() -> Result<PathBuf, String> {
    if let Some(binary) = environment::binary() {
        return Ok(binary);
    }
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "-p", "portcullis-cli", "--bin", "portcullis"]);
    build.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    let output = build.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    // A test program is in `deps`, beside which is the folder of what is built.
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let built = this.parent().and_then(Path::parent).map(|folder| folder.join("portcullis"));
    built.filter(|path| path.is_file()).ok_or_else(|| "no portcullis was built".to_owned())
}

/// A command in the planted project, by somebody, as it is.
pub fn bare(identity: Identity, words: &[&str]) -> io::Result<Command> {
    let (program, rest) = words.split_first().ok_or_else(|| io::Error::other("no command"))?;
    let mut command = Command::new(program);
    command.args(rest).current_dir(fixture::PROJECT).env_clear();
    command.env("PATH", PATH).env("HOME", fixture::HOME).env("LANG", "C.UTF-8").env("TERM", "dumb");
    command.env("USER", identity.word());
    if identity == Identity::User {
        command.uid(identity.number()).gid(identity.number());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

/// The same command behind `portcullis run`, with options for it.
pub fn behind(identity: Identity, options: &[&str], words: &[&str]) -> io::Result<Command> {
    let portcullis = portcullis().map_err(io::Error::other)?;
    let portcullis = portcullis.to_str().ok_or_else(|| io::Error::other("an unreadable path"))?;
    bare(identity, &[&[portcullis, "run"], options, &["--"], words].concat())
}

/// Where programs are looked for.
pub const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

static UNAVAILABLE: OnceLock<Option<String>> = OnceLock::new();
static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
