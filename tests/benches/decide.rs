//! How long a verdict takes, and how that grows: `cargo bench -p portcullis-tests`.
//!
//! Text goes in and a verdict comes out: reading the command, its facts, the answers of a listed
//! disk and the decision are all counted. Policies are compiled once, as a daemon does; loading one is
//! measured apart.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use divan::Bencher;
use portcullis_host::batch::tool_input;
use portcullis_host::{EvaluateOptions, ListedDisk, evaluate};
use portcullis_model::{AbsPath, Mode, Scope, ToolCall, Verdict};
use portcullis_policy::{Layer, Place, Policy, assemble};
use serde_json::json;

const SHORT: &[&str] = &[
    "ls -la src",
    "npm run build",
    "git status && git diff --stat",
    "cd pkg && timeout 30 npm test > out.log",
    "grep -rn 'fn main' src | head -n 20",
    "FOO=1 make -j4 \"$TARGET\" || echo \"$(date): failed\" >&2",
];

fn main() {
    divan::main();
}

#[divan::bench(args = SHORT)]
fn short_command(bencher: Bencher<'_, '_>, command: &str) {
    decide_with(bencher, 20, command);
}

#[divan::bench(args = [10, 100, 1_000, 10_000])]
fn rules(bencher: Bencher<'_, '_>, count: usize) {
    decide_with(bencher, count, "cd pkg && timeout 30 npm test > out.log");
}

#[divan::bench(args = [100, 500, 2_000, 8_000])]
fn script_of_bytes(bencher: Bencher<'_, '_>, bytes: usize) {
    decide_with(bencher, 100, &script(bytes));
}

#[divan::bench(args = [10, 100, 1_000, 10_000])]
fn load_policy(bencher: Bencher<'_, '_>, count: usize) {
    let layer = layer(count);
    bencher.bench(|| assemble(std::slice::from_ref(&layer), &place()));
}

fn decide_with(bencher: Bencher<'_, '_>, count: usize, command: &str) {
    let policy = assemble(&[layer(count)], &place());
    let call = bash(command);
    bencher.bench(|| decide(&policy, &call));
}

fn decide(policy: &Policy, call: &ToolCall) -> Verdict {
    evaluate(policy, call, &ListedDisk::default(), EvaluateOptions::default()).verdict
}

/// Rules of every class and kind, no two alike.
fn layer(count: usize) -> Layer {
    let (mut allow, mut ask, mut deny) = (vec!["Bash(npm test *)".to_owned()], vec![], vec![]);
    for index in 0..count {
        match index % 5 {
            0 => allow.push(format!("Bash(tool{index} run *)")),
            1 => deny.push(format!("Bash(tool{index} * --force)")),
            2 => allow.push(format!("Edit(src/part{index}/**)")),
            3 => deny.push(format!("Read(**/secret{index}/*.key)")),
            _ => ask.push(format!("Bash(tool{index}:*)")),
        }
    }
    let settings = json!({ "permissions": { "allow": allow, "ask": ask, "deny": deny } });
    let directory = AbsPath::parse("/r/project").unwrap();
    Layer::new(Scope::Project, "settings.json", settings.to_string(), directory)
}

fn place() -> Place {
    let path = |text| AbsPath::parse(text).unwrap();
    Place { start: path("/r/project"), project_root: path("/r/project"), home: path("/r/home") }
}

fn bash(command: &str) -> ToolCall {
    let input = json!({ "command": command });
    let Place { start, project_root, home } = place();
    ToolCall {
        tool: "Bash".to_owned(),
        input: tool_input(input.as_object().unwrap()),
        cwd: start,
        project_root,
        home,
        mode: Mode::Default,
        additional_directories: Vec::new(),
        sandboxed: None,
        hook_answers: Vec::new(),
        shadowed: Vec::new(),
    }
}

/// A script of about this many bytes with a bit of everything.
fn script(bytes: usize) -> String {
    let block = "for f in src/*.rs; do\n  if grep -q 'x y' \"$f\"; then\n    echo \"$(basename \"$f\"): found\" >> out.log\n  fi\ndone\ncat <<'EOF' > notes.md\nit's $(only) text\nEOF\n";
    let mut script = String::new();
    while script.len() < bytes {
        script.push_str(block);
    }
    script
}
