//! Every way a worker can fail ends as the host's block. Needs the feature `fault-injection`.

#[expect(dead_code, reason = "the other suites use the rest")]
mod support;

use serde_json::json;
use std::time::{Duration, Instant};
use support::{Place, finish};

#[test]
fn every_fault_ends_as_a_block() {
    let place = Place::new();
    let payload = json!({
        "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": { "command": "make" }, "cwd": place.project(),
        "permission_mode": "bypassPermissions",
    })
    .to_string();
    // Without a fault the call is allowed: a block below comes from the fault and nothing else.
    let run = place.run_with(&["hook"], &payload);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.stdout.contains("\"permissionDecision\":\"allow\""), "{run:?}");
    for fault in [
        "panic",
        "overflow",
        "oom",
        "kill",
        "abort",
        "garbage",
        "half",
        "allow-then-abort",
        "endless",
        "hang",
    ] {
        for event in [&[][..], &["--event", "PreToolUse"]] {
            let mut args = vec!["hook"];
            args.extend(event);
            let mut command = place.command(&args);
            command.env("PORTCULLIS_FAULT", fault);
            let started = Instant::now();
            let run = finish(command, payload.as_bytes());
            assert_eq!(run.status, Some(2), "{fault}: {run:?}");
            assert!(!run.stdout.contains("allow"), "{fault}: {run:?}");
            assert_eq!(run.stderr.lines().count(), 1, "{fault}: {run:?}");
            assert!(run.stderr.contains("the call is blocked"), "{fault}: {run:?}");
            assert!(started.elapsed() < Duration::from_secs(8), "{fault}");
            if !event.is_empty() {
                assert!(run.stdout.contains("\"permissionDecision\":\"deny\""), "{fault}: {run:?}");
            }
        }
    }
}

#[test]
fn a_host_that_never_closes_the_input_gets_its_block() {
    let place = Place::new();
    let mut command = place.command(&["hook"]);
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status = {
        let _open = child.stdin.take();
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < Duration::from_secs(8));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    assert_eq!(status.code(), Some(2));
}
