//! How the time of a verdict grows with hard commands: `cargo bench -p portcullis-tests --bench growth`.
//!
//! Each shape is made at two sizes, one twice the other, up to what is read at all. The factor is near
//! two where the work is linear and near four where it is quadratic; constant costs and noise lie
//! between. Limits of the reader (depth, here-documents on a line) bring it below.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench fails by panicking and prints"
)]

use portcullis_host::batch::tool_input;
use portcullis_host::{EvaluateOptions, ListedDisk, evaluate};
use portcullis_model::{AbsPath, Mode, Scope, ToolCall};
use portcullis_policy::{Layer, Place, Policy, assemble};
use serde_json::json;
use std::time::{Duration, Instant};

fn main() {
    let rules = json!({ "permissions": {
        "allow": ["Bash(a:*)", "Bash(cat *)", "Read(/r/project/**)"],
        "deny": ["Bash(rm *)", "Read(**/*.key)", "Edit(/r/project/.git/**)"],
    } });
    let root = AbsPath::parse("/r/project").unwrap();
    let layer = Layer::new(Scope::Project, "settings.json", rules.to_string(), root.clone());
    let policy =
        assemble(&[layer], &Place { start: root.clone(), project_root: root.clone(), home: root });
    println!("{:28} {:>10} {:>10} {:>7}", "", "5,000", "10,000", "factor");
    for (name, make) in SHAPES {
        let half = time(&policy, &filled(5_000, *make));
        let whole = time(&policy, &filled(10_000, *make));
        let factor = whole.as_secs_f64() / half.as_secs_f64();
        println!("{name:28} {half:>10.1?} {whole:>10.1?} {factor:>7.2}");
    }
}

/// The longest text of a shape within so many bytes.
fn filled(bytes: usize, make: fn(usize) -> String) -> String {
    let (mut fits, mut over) = (0, bytes);
    while fits + 1 < over {
        let count = usize::midpoint(fits, over);
        if make(count).len() <= bytes { fits = count } else { over = count }
    }
    make(fits)
}

/// The shortest of some runs: what is left of the noise of other programs is least there.
fn time(policy: &Policy, command: &str) -> Duration {
    let root = AbsPath::parse("/r/project").unwrap();
    let call = ToolCall {
        tool: "Bash".to_owned(),
        input: tool_input(json!({ "command": command }).as_object().unwrap()),
        cwd: root.clone(),
        project_root: root.clone(),
        home: root,
        mode: Mode::Default,
        additional_directories: Vec::new(),
        sandboxed: None,
        hook_answers: Vec::new(),
        shadowed: Vec::new(),
    };
    let run = || {
        let start = Instant::now();
        evaluate(policy, &call, &ListedDisk::default(), EvaluateOptions::default());
        start.elapsed()
    };
    (0..7).map(|_| run()).min().unwrap()
}

/// What a shape is called, and its text with so many repetitions.
type Shape = (&'static str, fn(usize) -> String);

const SHAPES: &[Shape] = &[
    ("words", |n| format!("a {}", "b ".repeat(n))),
    ("commands", |n| "a b; ".repeat(n)),
    ("unknown commands", |n| numbered(n, |i| format!("$x{i} b; "))),
    ("pipelines", |n| "a | b | c | d\n".repeat(n)),
    ("one pipeline", |n| format!("{}a", "a b | ".repeat(n))),
    ("assignments", |n| numbered(n, |i| format!("x{i}=v; "))),
    ("assignments in background", |n| numbered(n, |i| format!("x{i}=v; y=w & "))),
    ("appended assignments", |n| "x+=v; ".repeat(n)),
    ("uses of one variable", |n| format!("x=v; {}", "a $x; ".repeat(n))),
    ("redirects", |n| format!("a {}", numbered(n, |i| format!("> f{i} ")))),
    ("writes and runs", |n| numbered(n, |i| format!("a > f{i}; ./g{i}; "))),
    ("here-documents", |n| "cat <<E\nx\nE\n".repeat(n)),
    ("nested substitutions", |n| format!("{}a{}", "a $(".repeat(n), ")".repeat(n))),
    ("nested conditions", |n| format!("{}a{}", "if a; then ".repeat(n), "; fi".repeat(n))),
    ("groups", |n| "{ a; }; ".repeat(n)),
    ("case arms", |n| format!("case $x in {}esac", "a) b;; ".repeat(n))),
    ("functions", |n| numbered(n, |i| format!("f{i}() {{ a; }}; "))),
    ("loops that change directory", |n| "for i in a; do cd b; done; ".repeat(n)),
    ("loops in loops", |n| format!("{}cd b{}", "for i in a; do ".repeat(n), "; done".repeat(n))),
    ("braces", |n| format!("a{}", "{,}".repeat(n))),
    ("brace words", |n| "a {b,c}; ".repeat(n)),
    ("arithmetic", |n| "a $((1+1)); ".repeat(n)),
    ("carried scripts", |n| "bash -c 'a b'; ".repeat(n)),
    ("carried scripts of one another", |n| format!("{}a", "eval ".repeat(n))),
    ("wrappers", |n| format!("{}a", "nice ".repeat(n))),
    ("failures by line", |n| ")\n".repeat(n)),
    ("quotes", |n| format!("a {}", "'b'\"c\" ".repeat(n))),
    ("one word", |n| format!("a {}", "b".repeat(n))),
    ("bare slashes", |n| format!("cat {}", "/b".repeat(n))),
    ("globs", |n| format!("cat {}", "*b".repeat(n))),
];

fn numbered(count: usize, make: impl Fn(usize) -> String) -> String {
    (0..count).map(make).collect()
}
