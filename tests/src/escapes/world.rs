//! The throw-away machine: namespaces of its own, memory for disks, and nothing of the real machine
//! but read-only system folders.

use super::helpers;
use crate::bash::find_program;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long the kernel may take to make a namespace.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where the machine has its helpers.
pub const HELPERS: &str = "/opt/helpers";
/// Exists only inside; whoever removes folders looks for it first.
pub const MARKER: &str = "/home/.throw-away";

/// Runs a command inside a new throw-away machine and waits for it.
///
/// Everything in `show` is visible inside, at its own path and read-only.
pub fn run(command: &[String], show: &[PathBuf]) -> io::Result<ExitStatus> {
    let (_folder, mut child) = start(command, show, Stdio::inherit)?;
    child.wait()
}

/// As [`run`], and keeps what the command prints.
pub fn output(command: &[String], show: &[PathBuf]) -> io::Result<Output> {
    let (_folder, child) = start(command, show, Stdio::piped)?;
    child.wait_with_output()
}

fn start(
    command: &[String],
    show: &[PathBuf],
    stdio: fn() -> Stdio,
) -> io::Result<(TempDir, Child)> {
    let folder = tempfile::Builder::new().prefix("portcullis-world-").tempdir()?;
    let helpers = folder.path().join("helpers");
    let root = folder.path().join("root");
    fs::create_dir(&helpers)?;
    fs::create_dir(&root)?;
    helpers::compile(&helpers)?;

    let unshare = find_program("unshare").ok_or_else(|| io::Error::other("there is no unshare"))?;
    let mut inner = vec!["--mount", "--net", "--ipc", "--uts", "--cgroup", "--pid", "--fork"];
    inner.extend(["--kill-child", "--", "/bin/sh"]);
    let mut start = Command::new(&unshare);
    start.args(["--user", "--", "/bin/sh", "-c", "read go && exec \"$@\"", "sh"]);
    start.arg(&unshare).args(inner).arg(helpers::source("world.sh"));
    start.arg(&root).arg(&helpers).args(show).arg("--");
    start.args(command);
    start.stdin(Stdio::piped()).stdout(stdio()).stderr(stdio());
    let mut child = start.spawn()?;
    let mapped = map_users(&mut child);
    if let (Ok(()), Some(mut stdin)) = (&mapped, child.stdin.take()) {
        stdin.write_all(b"go\n")?;
    }
    if let Err(error) = mapped {
        // Without the word it reads an end of file, and ends.
        child.wait()?;
        return Err(error);
    }
    Ok((folder, child))
}

/// Why no throw-away machine can be made here, where none can.
pub fn unavailable() -> Option<String> {
    match run(&["/bin/true".to_owned()], &[]) {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("no namespaces for a throw-away machine ({status})")),
        Err(error) => Some(format!("no throw-away machine: {error}")),
    }
}

/// Whether this process is inside.
pub fn is_inside() -> bool {
    Path::new(MARKER).exists()
}

fn map_users(child: &mut Child) -> io::Result<()> {
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let ours = fs::read_link("/proc/self/ns/user")?;
    let started = Instant::now();
    while fs::read_link(process.join("ns/user"))? == ours {
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("user namespaces are refused ({status})")));
        }
        if started.elapsed() > PATIENCE {
            return Err(io::Error::other("the user namespace does not appear"));
        }
        thread::sleep(Duration::from_millis(1));
    }
    let user = fs::metadata("/proc/self")?.uid();
    let group = fs::metadata("/proc/self")?.gid();
    if user == 0 {
        // Root may give away every number it has: then there is an ordinary user inside as well.
        fs::write(process.join("gid_map"), "0 0 65536\n")?;
        fs::write(process.join("uid_map"), "0 0 65536\n")
    } else {
        fs::write(process.join("setgroups"), "deny\n")?;
        fs::write(process.join("gid_map"), format!("0 {group} 1\n"))?;
        fs::write(process.join("uid_map"), format!("0 {user} 1\n"))
    }
}
