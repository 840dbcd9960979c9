//! Ways for a worker to fail, on request, to test that each ends as a block.

use crate::environment;
use rustix::process::{Signal, getpid, kill_process};
use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::Duration;

/// Fails as the environment says.
pub(super) fn inject() {
    let Some(fault) = environment::value(environment::PORTCULLIS_FAULT) else { return };
    match fault.as_str() {
        // Past the panic hook, which would only say what is wanted here.
        "panic" => std::panic::resume_unwind(Box::new("a fault was asked for")),
        "overflow" => {
            black_box(deeper(black_box(0)));
        }
        "oom" => fill(),
        "hang" => loop {
            std::thread::sleep(Duration::from_secs(60));
        },
        "kill" => {
            kill_process(getpid(), Signal::KILL).ok();
        }
        "abort" => std::process::abort(),
        "garbage" => drop(io::stdout().write_all(b"not an answer\n")),
        "half" => {
            drop(io::stdout().write_all(b"{\"hookSpecificOutput\":{\"hookEventName\":\"PreToolUse\",\"permissionDecision\":\"allow\""));
            std::process::abort();
        }
        "allow-then-abort" => {
            drop(io::stdout().write_all(b"{\"hookSpecificOutput\":{\"hookEventName\":\"PreToolUse\",\"permissionDecision\":\"allow\"}}\n"));
            drop(io::stdout().flush());
            std::process::abort();
        }
        "endless" => loop {
            if io::stdout().write_all(&[b' '; 4096]).is_err() {
                return;
            }
        },
        _ => {}
    }
}

#[expect(unconditional_recursion, reason = "it is there to overflow the stack")]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    let below = black_box(deeper(depth + 1));
    below + frame.iter().sum::<u64>()
}

fn fill() {
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        held.push(black_box(vec![1_u8; 16 * 1024 * 1024]));
    }
}
