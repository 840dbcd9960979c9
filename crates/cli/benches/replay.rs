//! What replaying a transcript costs: calls a second on one core, and memory by the length of the transcript.
//!
//! The program is started as people start it, so its start and its report are counted.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking, and prints"
)]

use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What sessions ask for, over and over.
const COMMANDS: &[&str] = &[
    "npm test -- part",
    "git status && git diff --stat part",
    "grep -rn 'fn main' src/part",
    "cd pkg && timeout 30 npm test part",
    "cat src/part",
];
const ROUNDS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.json");
    let rules = json!({ "permissions": {
        "allow": ["Bash(npm test *)", "Edit(src/**)"],
        "ask": ["Bash(git push *)"],
        "deny": ["Bash(curl *)", "Read(.env)"],
    } });
    fs::write(&settings, rules.to_string()).unwrap();
    println!("{:44}{:>14}{:>20}{:>12}", "", "calls/s", "least to most", "peak MiB");
    for (calls, different) in [
        (20_000, 500),
        (100_000, 500),
        (200_000, 500),
        (200_000, 5_000),
        (100_000, 100_000),
        (200_000, 200_000),
    ] {
        let transcript = folder.path().join("session.jsonl");
        fs::write(&transcript, session(calls, different)).unwrap();
        let mut runs: Vec<(Duration, u64)> =
            (0..ROUNDS).map(|_| replay(&settings, &transcript)).collect();
        runs.sort_unstable();
        let rate = |index: usize| {
            let seconds = runs[index].0.as_secs_f64();
            f64::from(u32::try_from(calls).unwrap()) / seconds
        };
        let peak = runs.iter().map(|(_, peak)| peak).max().unwrap();
        let name = format!("{calls} calls, {different} of them different");
        let spread = format!("{:.0} to {:.0}", rate(ROUNDS - 1), rate(0));
        println!("{name:44}{:>14.0}{spread:>20}{:>12}", rate(ROUNDS / 2), peak / 1024);
    }
}

/// A transcript as the reference client writes it.
fn session(calls: usize, different: usize) -> String {
    let mut text = String::new();
    for call in 0..calls {
        let number = call % different;
        let command = COMMANDS[number % COMMANDS.len()];
        let command = format!("{command}{number}");
        let used = json!({
            "type": "tool_use",
            "id": format!("t{call}"),
            "name": "Bash",
            "input": { "command": command, "description": "Looks" },
        });
        let line = json!({
            "type": "assistant",
            "sessionId": "s",
            "cwd": "/r/project",
            "timestamp": "2026-01-01T00:00:00Z",
            "message": { "role": "assistant", "content": [used] },
        });
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// How long one run takes, and its peak of resident memory in KiB.
fn replay(settings: &Path, transcript: &Path) -> (Duration, u64) {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["replay", "--no-discovery", "--home", "/r/home", "--project-root", "/r/project"])
        .arg("--policy")
        .args([settings, transcript])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // The peak only grows, so the last look is near enough.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let seen = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = seen.unwrap_or(0).max(peak);
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.success());
            return (start.elapsed(), peak);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
