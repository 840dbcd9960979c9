//! Runs one probe to its end.

use super::{Identity, fixture, host, host::Host, host::Victim, world};
use crate::environment;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a probe may take; the longest flips a pointer twenty thousand times on a loaded machine.
const DEADLINE: Duration = Duration::from_secs(90);
/// Printed by the shell before a probe and after it: silence proves nothing about a probe that never ran.
pub const BEGUN: &str = "PC-BEGUN";
/// See [`BEGUN`].
pub const ENDED: &str = "PC-ENDED";

/// How a probe went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What it printed, without the marks.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
    /// How it ended; nothing when its time was over.
    pub status: Option<ExitStatus>,
    /// Whether its shell started.
    pub begun: bool,
    /// Whether its shell came to the end.
    pub ended: bool,
}

impl Outcome {
    /// Whether a line says so.
    pub fn says(&self, word: &str) -> bool {
        self.stdout.lines().any(|line| line.trim() == word)
    }

    /// How it ended, for a person.
    pub fn ending(&self) -> String {
        match self.status {
            None => "did not end".to_owned(),
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("status {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => format!("{status}"),
            },
        }
    }
}

/// Runs a probe, behind a command or (with none) as it is.
pub fn probe(
    script: &str,
    behind: &[String],
    identity: Identity,
    host: &Host,
    victim: &Victim,
) -> io::Result<Outcome> {
    let folder = tempfile::Builder::new().prefix("probe-").tempdir_in("/srv")?;
    let stdout = folder.path().join("stdout");
    let stderr = folder.path().join("stderr");
    let script = format!("echo {BEGUN}\n{script}\necho {ENDED}");
    let mut command = Command::new(format!("{}/carrier", world::HELPERS));
    command.args([&identity.number().to_string(), fixture::HOME]).args(behind);
    command.args(["/bin/bash", "-c", &script]);
    command.current_dir(fixture::PROJECT).env_clear().envs(variables(identity, host, victim));
    command.env("PC_TRIES", tries(behind).to_string());
    command.stdin(Stdio::null()).stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
    let mut child = command.spawn()?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if started.elapsed() > DEADLINE {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let printed = String::from_utf8_lossy(&fs::read(&stdout)?).into_owned();
    let marks = |line: &&str| *line != BEGUN && *line != ENDED;
    Ok(Outcome {
        stdout: printed.lines().filter(marks).collect::<Vec<_>>().join("\n"),
        stderr: String::from_utf8_lossy(&fs::read(&stderr)?).into_owned(),
        status,
        begun: printed.lines().any(|line| line == BEGUN),
        ended: printed.lines().any(|line| line == ENDED),
    })
}

/// How often a race is run. As it is, it stops when it is won, and has to be won.
fn tries(behind: &[String]) -> u32 {
    match (behind, environment::everything()) {
        ([], _) => 1_000_000,
        (_, true) => 20_000,
        (_, false) => 4_000,
    }
}

fn variables(identity: Identity, host: &Host, victim: &Victim) -> Vec<(&'static str, String)> {
    let helper = |name: &str| format!("{}/{name}", world::HELPERS);
    let user = identity.number();
    vec![
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".to_owned()),
        ("HOME", fixture::HOME.to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("TERM", "xterm".to_owned()),
        ("XDG_RUNTIME_DIR", format!("/run/user/{user}")),
        ("DBUS_SESSION_BUS_ADDRESS", format!("unix:path=/run/user/{user}/bus")),
        ("PC_HOME", fixture::HOME.to_owned()),
        ("PC_PROJ", fixture::PROJECT.to_owned()),
        ("PC_OUT", fixture::OUTSIDE.to_owned()),
        ("PC_OTHER", fixture::OTHER.to_owned()),
        ("PC_CTL", fixture::CONTROL.to_owned()),
        ("PC_RUN", fixture::RUNTIME.to_owned()),
        ("PC_TCP", host.tcp.to_string()),
        ("PC_UDP", host.udp.to_string()),
        ("PC_META", host::METADATA.to_owned()),
        ("PC_UNIX", "/run/pc/host.sock".to_owned()),
        ("PC_UNIXD", "/run/pc/host.dgram".to_owned()),
        ("PC_ALLOWED", "/run/pc/allowed.sock".to_owned()),
        ("PC_PID", victim.number.to_string()),
        ("PC_TOCTOU", helper("toctou")),
        ("PC_I386", helper("i386")),
        ("PC_SANDBOXED", "1".to_owned()),
        ("PC_TOKEN", "PCENVSECRET".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "PCSCRUBBED".to_owned()),
        // What a shell or a loader would act on before the command does anything.
        ("LD_LIBRARY_PATH", "/nonexistent/portcullis".to_owned()),
        ("BASH_ENV", "/home/other/bashenv".to_owned()),
        ("ENV", "/home/other/bashenv".to_owned()),
        ("PS4", "+planted ".to_owned()),
        ("BASH_FUNC_pcfunction%%", "() { :; }".to_owned()),
        ("ANTHROPIC_API_KEY", "PCSCRUBBED".to_owned()),
    ]
}
