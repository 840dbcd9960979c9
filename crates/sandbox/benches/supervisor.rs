//! What calls cost inside, beside the same calls outside.
//!
//! Run alone, it prints a table. It runs itself again as the program that makes the calls: outside, in a
//! boundary that judges what is written, and in one that judges every open as well; each with all processors
//! and with one. The passes take turns, so that what the machine does meanwhile hits all alike.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking, and prints"
)]

use portcullis_model::AbsPath;
use portcullis_profile::{
    Access, Component, Effect, FileRule, Origin, PathGlob, Reach, SandboxProfile, Standing,
};
use portcullis_sandbox::{Backend, Request, prepare, probe_now};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

/// What this process is: nothing for the one that prints the table.
const ROLE: &str = "PORTCULLIS_BENCH_ROLE";
const PASSES: usize = 5;

fn main() {
    match std::env::var(ROLE).as_deref() {
        Ok("subject") => subject(),
        Ok("writes") => inside(false),
        Ok("reads") => inside(true),
        _ => table(),
    }
}

fn table() {
    let columns = [
        ("outside", "subject", false),
        ("writes judged", "writes", false),
        ("reads judged", "reads", false),
        ("outside, 1 cpu", "subject", true),
        ("writes, 1 cpu", "writes", true),
        ("reads, 1 cpu", "reads", true),
    ];
    let mut samples: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    for _ in 0..PASSES {
        for (column, (_, role, one_processor)) in columns.iter().enumerate() {
            for line in pass(role, *one_processor).lines() {
                let (name, cost) = line.split_once('\t').unwrap();
                let row = samples.entry(name.to_owned()).or_default();
                row.resize(columns.len(), Vec::new());
                row[column].push(cost.parse().unwrap());
            }
        }
    }
    println!(
        "what a call costs, in µs: median of {PASSES} passes' medians, least and most of them"
    );
    print!("{:24}", "");
    for (name, ..) in columns {
        print!("{name:>26}");
    }
    println!();
    for (name, row) in &mut samples {
        print!("{name:24}");
        for cell in row {
            cell.sort_by(f64::total_cmp);
            let (least, middle, most) = (cell[0], cell[cell.len() / 2], cell[cell.len() - 1]);
            print!("{:>26}", format!("{middle:.1} ({least:.1}-{most:.1})"));
        }
        println!();
    }
}

fn pass(role: &str, one_processor: bool) -> String {
    let all = rustix::thread::sched_getaffinity(None).unwrap();
    if one_processor {
        let mut one = CpuSet::new();
        one.set(0);
        sched_setaffinity(None, &one).unwrap();
    }
    let dir = TempDir::new_in(world()).unwrap();
    fs::create_dir_all(dir.path().join("a/b/c")).unwrap();
    fs::write(dir.path().join("a/b/c/file"), "x").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(ROLE, role).current_dir(dir.path()).stderr(Stdio::inherit());
    let output = command.output().unwrap();
    sched_setaffinity(None, &all).unwrap();
    assert!(output.status.success(), "{role}");
    String::from_utf8(output.stdout).unwrap()
}

/// Beside the binary, so never in what a boundary puts something else in place of.
fn world() -> std::path::PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// Runs the subject in a boundary.
fn inside(reads: bool) {
    let here = std::env::current_dir().unwrap();
    let rule = |access, effect, reach| FileRule {
        access,
        effect,
        reach,
        standing: Standing::Ordinary,
        origin: Origin::BuiltIn("a bench"),
    };
    let root = path(&here);
    let mut profile = SandboxProfile::default();
    let rules = &mut profile.files.rules;
    rules.push(rule(Access::Write, Effect::Allow, Reach::Path(root.clone())));
    rules.push(rule(Access::Write, Effect::Deny, anywhere(&root, &[".git", "hooks"])));
    if reads {
        rules.push(rule(Access::Read, Effect::Deny, anywhere(&AbsPath::root(), &[".env"])));
    }
    let environment = std::env::vars_os().map(|(name, value)| match name.to_str() {
        Some(ROLE) => (name, "subject".into()),
        _ => (name, value),
    });
    let program = std::env::current_exe().unwrap();
    let mut request = Request::new(profile, program, root, environment.collect());
    request.weakest = Backend::Full;
    let end = prepare(request, &probe_now()).unwrap().launch().unwrap().wait().unwrap().end;
    end.relay()
}

fn path(path: &Path) -> AbsPath {
    AbsPath::parse(path.to_str().unwrap()).unwrap()
}

/// `BELOW/**/NAMES…`
fn anywhere(below: &AbsPath, names: &[&'static str]) -> Reach {
    let mut components = vec![Component::AnyDepth];
    components.extend(names.iter().map(|name| Component::Name(Cow::Borrowed(*name))));
    let glob = PathGlob { below: below.clone(), components: components.into(), any_case: true };
    Reach::Pattern(glob)
}

fn subject() {
    let rounds = std::env::var("PORTCULLIS_CASES").ok().and_then(|text| text.parse().ok());
    let rounds = rounds.unwrap_or(1_000);
    measure("open to read", rounds, || File::open("a/b/c/file").map(drop));
    let absolute = fs::canonicalize("a/b/c/file").unwrap();
    measure("open to read, absolute", rounds, || File::open(&absolute).map(drop));
    measure("open what is missing", rounds, || {
        File::open("a/b/c/missing").unwrap_err();
        Ok(())
    });
    measure("open to write", rounds, || {
        OpenOptions::new().append(true).open("a/b/c/file").map(drop)
    });
    measure("create and remove", rounds, || {
        File::create("a/b/c/new")?;
        fs::remove_file("a/b/c/new")
    });
    fs::write("a/b/c/x", "").unwrap();
    measure("rename there and back", rounds, || {
        fs::rename("a/b/c/x", "a/b/c/y")?;
        fs::rename("a/b/c/y", "a/b/c/x")
    });
    let listener = UnixListener::bind("a/socket").unwrap();
    measure("unix connect", rounds, || {
        UnixStream::connect("a/socket")?;
        listener.accept().map(drop)
    });
    compile();
}

/// A job of a compiler, where there is one.
fn compile() {
    let lines = (0..400).map(|n| {
        format!("int f{n}(int x) {{ int s = 0; for (int i = 0; i < x; i++) s += i * {n} % 7; return s; }}\n")
    });
    let headers =
        "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n";
    let text: String = std::iter::once(headers.to_owned()).chain(lines).collect();
    fs::write("job.c", text).unwrap();
    let mut job = Command::new("cc");
    job.args(["-O1", "-c", "job.c", "-o", "job.o"]);
    if job.status().is_ok_and(|status| status.success()) {
        measure("compile job", 8, || job.status().map(drop));
    }
}

fn measure(name: &str, rounds: usize, mut act: impl FnMut() -> io::Result<()>) {
    let mut times: Vec<u128> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            act().unwrap();
            start.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    let middle = f64::from(u32::try_from(times[times.len() / 2]).unwrap()) / 1e3;
    println!("{name}\t{middle:.2}");
}
