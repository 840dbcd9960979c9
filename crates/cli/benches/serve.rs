//! What an answer of the daemon costs beside a process for each call.
//!
//! Every answer looks at the settings anew; the rows tell how much of it there is to look at.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking, and prints"
)]

use serde_json::json;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 4_000;
const PROCESSES: usize = 200;

fn main() {
    println!("{:48}{:>12}{:>22}", "microseconds", "median", "tenth to ninetieth");
    for (name, rules, state) in [
        ("no settings", 0, 0),
        ("1,000 rules", 1_000, 0),
        ("1,000 rules, 2 MiB of the agent's own state", 1_000, 2 << 20),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let project = folder.path().join("project");
        for directory in [&home, &project] {
            fs::create_dir_all(directory.join(".claude")).unwrap();
        }
        if rules > 0 {
            let deny: Vec<String> = (0..rules).map(|rule| format!("Bash(tool{rule} *)")).collect();
            let settings = json!({ "permissions": { "deny": deny } }).to_string();
            fs::write(home.join(".claude/settings.json"), settings).unwrap();
            fs::write(project.join(".claude/settings.json"), "{}").unwrap();
        }
        if state > 0 {
            let text = json!({ "history": "x".repeat(state), "projects": {} }).to_string();
            fs::write(home.join(".claude.json"), text).unwrap();
        }
        // What changed within the last seconds is read again each time.
        std::thread::sleep(Duration::from_secs(4));
        row(&format!("serve, {name}"), daemon(&home, &project, folder.path()));
        row(&format!("check, a process each, {name}"), processes(&home, &project));
    }
}

fn row(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 10].as_secs_f64() * 1e6;
    let spread = format!("{:.1} to {:.1}", at(1), at(9));
    println!("{name:48}{:>12.1}{spread:>22}", at(5));
}

fn command(home: &Path, project: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(project).env_clear().env("HOME", home);
    command
}

fn daemon(home: &Path, project: &Path, at: &Path) -> Vec<Duration> {
    let socket = at.join("s.sock");
    let mut command = command(home, project);
    command.arg("serve").arg("--socket").arg(&socket).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut announced = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut announced).unwrap();
    let stream = UnixStream::connect(&socket).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut line =
        json!({ "tool_name": "Bash", "tool_input": { "command": "git status" } }).to_string();
    line.push('\n');
    let mut ask = || {
        let started = Instant::now();
        (&stream).write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.contains("\"allow\""), "{answer}");
        started.elapsed()
    };
    let _first = ask();
    let times = (0..ROUNDS).map(|_| ask()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    times
}

fn processes(home: &Path, project: &Path) -> Vec<Duration> {
    let ask = || {
        let started = Instant::now();
        let mut command = command(home, project);
        let status = command.args(["check", "git status"]).stdout(Stdio::null()).status().unwrap();
        assert!(status.success());
        started.elapsed()
    };
    (0..PROCESSES).map(|_| ask()).collect()
}
