//! How long an audit and a difference take, and how that grows: `cargo bench -p portcullis-tests --bench audit`.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use divan::Bencher;
use portcullis_audit::{Limits, Stage, Subject, audit, diff};
use portcullis_host::transcript;
use portcullis_model::AbsPath;
use portcullis_tests::wide_policies::policy;
use serde_json::json;

fn main() {
    divan::main();
}

#[divan::bench(args = [10, 100, 1_000, 10_000], sample_count = 10)]
fn audit_rules(bencher: Bencher<'_, '_>, count: usize) {
    let policy = policy(count, 0);
    let stage = stage();
    bencher.bench(|| {
        let subject = Subject { policy: &policy, stage: &stage, looks_secret: &|_| false };
        audit(subject, &Limits::default())
    });
}

#[divan::bench(args = [10, 100, 1_000, 10_000], sample_count = 10)]
fn diff_one_rule(bencher: Bencher<'_, '_>, count: usize) {
    let (old, new) = (policy(count, 0), policy(count + 1, 0));
    bencher.bench(|| diff(&old, &new, &stage(), &Limits::default()));
}

#[divan::bench(args = [10, 100, 1_000, 10_000], sample_count = 10)]
fn diff_all_rules(bencher: Bencher<'_, '_>, count: usize) {
    let (old, new) = (policy(count, 0), policy(count, 1));
    bencher.bench(|| diff(&old, &new, &stage(), &Limits::default()));
}

#[divan::bench(args = [10_000, 100_000], sample_count = 10)]
fn read_transcript_calls(bencher: Bencher<'_, '_>, count: usize) {
    let text = lines(count);
    bencher.bench(|| {
        let mut calls = 0;
        transcript::read(text.as_bytes(), |_call| calls += 1, |_| true).unwrap();
        calls
    });
}

/// Transcript lines of ordinary size.
fn lines(count: usize) -> String {
    let mut text = String::new();
    for index in 0..count {
        let line = json!({
            "type": "assistant", "cwd": "/p", "sessionId": format!("s{}", index / 100),
            "timestamp": "2026-01-01T00:00:00.000Z", "uuid": "5f0c2f57-7d9f-4a4c-9d1c-2f9f6a3f0d11",
            "message": { "role": "assistant", "model": "m", "content": [
                { "type": "text", "text": "I will look at the changes and run the tests again." },
                { "type": "tool_use", "id": format!("t{index}"), "name": "Bash",
                  "input": { "command": format!("npm test -- part{}", index % 500), "description": "Runs the tests" } },
            ], "usage": { "input_tokens": 1, "output_tokens": 2 } },
        });
        text.push_str(&line.to_string());
        text.push('\n');
    }
    text
}

fn stage() -> Stage {
    Stage { project: path("/p"), home: path("/h"), mode: None }
}

fn path(text: &str) -> AbsPath {
    AbsPath::parse(text).unwrap()
}
