//! What the boundary costs, beside a plain start and other sandboxes: the numbers of the documentation.
//!
//! Run by `tests/bench-sandbox.sh`, which builds it for release and finds the other programs.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking, and prints"
)]

use portcullis_model::AbsPath;
use portcullis_profile::{
    Access, Effect, FileRule, NetworkAccess, Origin, Reach, SandboxProfile, Standing,
};
use portcullis_sandbox::{Backend, Capabilities, Request, prepare, probe_now};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

fn main() {
    let rounds: usize =
        std::env::var("PORTCULLIS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let world = tempfile::tempdir().unwrap();
    for number in 0..1000 {
        fs::create_dir_all(world.path().join(format!("d{number}"))).unwrap();
    }
    let capabilities = probe_now();
    println!("start to exit of `true`, {rounds} rounds, in ms");
    println!("{:44}{:>10}{:>10}{:>10}", "", "median", "p10", "above");
    let base = row("plain fork and exec", None, rounds, || {
        assert!(Command::new("/bin/true").status().unwrap().success());
    });
    for (name, paths, network) in [
        ("portcullis, no paths, network of the host", 0, NetworkAccess::Host),
        ("portcullis, full, 20 paths", 20, NetworkAccess::None),
        ("portcullis, full, 100 paths", 100, NetworkAccess::None),
        ("portcullis, full, 1000 paths", 1000, NetworkAccess::None),
    ] {
        let profile = profile(world.path(), paths, network);
        let rounds = if paths == 1000 { rounds / 4 } else { rounds };
        row(name, Some(base), rounds, || launch(&profile, world.path(), &capabilities));
    }
    others(world.path(), base, rounds);
    memory(world.path(), &capabilities);
}

fn profile(world: &Path, paths: usize, network: NetworkAccess) -> SandboxProfile {
    let mut profile = SandboxProfile { network, ..SandboxProfile::default() };
    let rule = |access, effect, path: &Path| FileRule {
        access,
        effect,
        reach: Reach::Path(AbsPath::parse(path.to_str().unwrap()).unwrap()),
        standing: Standing::Ordinary,
        origin: Origin::BuiltIn("a bench"),
    };
    profile.files.rules.push(rule(Access::Write, Effect::Allow, world));
    for number in 0..paths {
        let access = if number % 2 == 0 { Access::Write } else { Access::Read };
        let path = world.join(format!("d{number}"));
        profile.files.rules.push(rule(access, Effect::Deny, &path));
    }
    profile
}

fn request(profile: &SandboxProfile, world: &Path, program: &str, arguments: &[&str]) -> Request {
    let cwd = AbsPath::parse(world.to_str().unwrap()).unwrap();
    let environment = vec![("PATH".into(), "/usr/bin:/bin".into())];
    let mut request = Request::new(profile.clone(), program, cwd, environment);
    request.arguments = arguments.iter().map(Into::into).collect();
    request.weakest = Backend::LandlockOnly;
    request
}

fn launch(profile: &SandboxProfile, world: &Path, capabilities: &Capabilities) {
    let plan = prepare(request(profile, world, "/bin/true", &[]), capabilities).unwrap();
    assert_eq!(plan.launch().unwrap().wait().unwrap().end.status(), 0);
}

/// Prints a row, and gives its median.
fn row(name: &str, base: Option<f64>, rounds: usize, mut act: impl FnMut()) -> f64 {
    for _ in 0..5 {
        act();
    }
    let mut times: Vec<f64> = (0..rounds.max(10))
        .map(|_| {
            let start = Instant::now();
            act();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let (median, low) = (times[times.len() / 2], times[times.len() / 10]);
    let above = base.map_or_else(String::new, |base| format!("{:.2}", median - base));
    println!("{name:44}{median:>10.2}{low:>10.2}{above:>10}");
    median
}

fn others(world: &Path, base: f64, rounds: usize) {
    let there = |program: &str| {
        let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        if !found.as_ref().is_ok_and(std::process::ExitStatus::success) {
            println!("SKIP {program}: it is not there, or does not run");
            return false;
        }
        true
    };
    if there("bwrap") {
        for paths in [20, 100, 1000] {
            let mut arguments: Vec<String> = "--unshare-all --ro-bind / / --dev /dev --proc /proc"
                .split(' ')
                .map(str::to_owned)
                .collect();
            for number in 0..paths {
                let path = world.join(format!("d{number}")).display().to_string();
                arguments.extend(["--ro-bind".to_owned(), path.clone(), path]);
            }
            let rounds = if paths == 1000 { 10 } else { rounds / 4 };
            let name = format!("bwrap, no system call filter, {paths} paths");
            row(&name, Some(base), rounds, || {
                let status = Command::new("bwrap").args(&arguments).arg("/bin/true").status();
                assert!(status.unwrap().success());
            });
        }
    }
    if there("srt") {
        row("srt, command line", Some(base), 10, || {
            let status = Command::new("srt").arg("true").stdout(Stdio::null()).status();
            assert!(status.unwrap().success());
        });
    }
}

/// What our processes take while a command sleeps.
fn memory(world: &Path, capabilities: &Capabilities) {
    let profile = profile(world, 20, NetworkAccess::None);
    let plan = prepare(request(&profile, world, "sleep", &["5"]), capabilities).unwrap();
    let running = plan.launch().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let own = std::process::id();
    let list = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap();
    let command = running.id().unwrap().to_string();
    let mut total = 0.0;
    let ours: Vec<&str> = list.split_whitespace().filter(|pid| *pid != command).collect();
    for pid in ours.iter().copied().chain([own.to_string().as_str()]) {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
        let kilobytes: u32 = line.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0);
        total += f64::from(kilobytes) / 1024.0;
    }
    println!("our processes: {}, together {total:.1} MB resident", ours.len() + 1);
    drop(running);
}
