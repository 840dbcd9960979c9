//! What a supervised call costs, beside the same call without a filter.
//!
//! Run alone, it prints a table. It runs itself again as the program that makes the calls, once plain, once
//! with the create guard, once with the read guard, once with everything on one processor.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking, and prints"
)]

#[path = "../tests/supervisor/support.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod support;

use portcullis_profile::Access;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::time::Instant;
use support::{CREATE, READ, SOCKETS, World, anywhere};
use tempfile::TempDir;

const ROLE: &str = "PORTCULLIS_BENCH_SUBJECT";

fn main() {
    if std::env::var_os(ROLE).is_some() {
        return subject();
    }
    let columns = [
        ("plain", None, false),
        ("create guard", Some(CREATE), false),
        ("read guard", Some(READ), false),
        ("sockets", Some(SOCKETS), false),
        ("plain, one cpu", None, true),
        ("create, one cpu", Some(CREATE), true),
        ("read, one cpu", Some(READ), true),
        ("sockets, one cpu", Some(SOCKETS), true),
    ];
    let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, guards, one_processor) in columns {
        if one_processor {
            let mut processors = CpuSet::new();
            processors.set(0);
            sched_setaffinity(None, &processors).unwrap();
        }
        let dir = TempDir::new().unwrap();
        fs::create_dir_all(dir.path().join("a/b/c")).unwrap();
        fs::write(dir.path().join("a/b/c/file"), "x").unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(ROLE, "1").current_dir(dir.path()).stdout(Stdio::piped());
        let output = match guards {
            None => command.output().unwrap(),
            Some(guards) => {
                let world = World::writing(dir.path(), guards)
                    .deny(Access::Read, anywhere(dir.path(), &[".env"]))
                    .deny(Access::Write, anywhere(dir.path(), &[".git", "hooks"]));
                world.run(&mut command).0
            }
        };
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let (name, cost) = line.split_once('\t').unwrap();
            table.entry(name.to_owned()).or_default().push(cost.to_owned());
        }
    }
    println!("median / 90th percentile, in µs");
    print!("{:24}", "");
    for (name, ..) in columns {
        print!("{name:>18}");
    }
    println!();
    for (name, costs) in table {
        print!("{name:24}");
        for cost in costs {
            print!("{cost:>18}");
        }
        println!();
    }
}

fn subject() {
    measure("open to read", || File::open("a/b/c/file").map(drop));
    let absolute = fs::canonicalize("a/b/c/file").unwrap();
    measure("open to read, absolute", || File::open(&absolute).map(drop));
    measure("open what is missing", || {
        File::open("a/b/c/missing").unwrap_err();
        Ok(())
    });
    measure("open to write", || OpenOptions::new().append(true).open("a/b/c/file").map(drop));
    measure("create and remove", || {
        File::create("a/b/c/new")?;
        fs::remove_file("a/b/c/new")
    });
    measure("make and remove dir", || {
        fs::create_dir("a/b/c/new")?;
        fs::remove_dir("a/b/c/new")
    });
    fs::write("a/b/c/x", "").unwrap();
    measure("rename there and back", || {
        fs::rename("a/b/c/x", "a/b/c/y")?;
        fs::rename("a/b/c/y", "a/b/c/x")
    });
    let listener = UnixListener::bind("a/socket").unwrap();
    measure("unix connect", || {
        UnixStream::connect("a/socket")?;
        listener.accept().map(drop)
    });
}

fn measure(name: &str, mut act: impl FnMut() -> io::Result<()>) {
    let rounds = std::env::var("PORTCULLIS_CASES").ok().and_then(|text| text.parse().ok());
    let rounds = rounds.unwrap_or(1_000);
    let mut times: Vec<u128> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            act().unwrap();
            start.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    let at = |part: usize| f64::from(u32::try_from(times[times.len() * part / 100]).unwrap()) / 1e3;
    println!("{name}\t{:.2} / {:.2}", at(50), at(90));
}
