//! What a start costs, beside a plain start, bubblewrap and srt.
//!
//! `PORTCULLIS` and `SRT` name the programs to start; `tests/bench-sandbox.sh` sets them. The rows take
//! turns, so that what the machine does meanwhile hits all alike. What no boundary made of mounts can stay below
//! is a row too: the namespaces and as many mounts, and nothing else.

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
use rustix::fs::CWD;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One row: what is started, how often compared with the others, and the times so far.
struct Row<'r> {
    name: String,
    every: usize,
    act: Box<dyn FnMut() + 'r>,
    times: Vec<f64>,
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(ONLY_MOUNTS) {
        return Err(only_mounts(&arguments.next().unwrap()));
    }
    let rounds: usize =
        std::env::var("PORTCULLIS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    // Beside the binary: what lies in /tmp is another thing for some of the programs.
    let here = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let folder = tempfile::tempdir_in(here).unwrap();
    let capabilities = probe_now();
    let mut rows = Vec::new();
    push(&mut rows, "plain", 1, || {
        assert!(Command::new("/bin/true").status().unwrap().success());
    });
    for paths in [20, 100, 1000] {
        let world = World::new(folder.path(), paths);
        let every = if paths == 1000 { 5 } else { 1 };
        if let Some(mut command) = world.portcullis() {
            command.arg("/bin/true");
            push(&mut rows, &format!("portcullis run, {paths} paths"), every, move || {
                assert!(command.status().unwrap().success());
            });
        }
        let (profile, root) = (world.profile(), world.root.clone());
        let capabilities = &capabilities;
        push(&mut rows, &format!("the library alone, {paths} paths"), every, move || {
            launch(&profile, &root, capabilities);
        });
        if let Some(mut command) = world.only_mounts() {
            push(&mut rows, &format!("namespaces and {paths} mounts only"), every, move || {
                assert!(command.status().unwrap().success());
            });
        }
        if let Some(mut command) = world.bwrap() {
            command.arg("/bin/true");
            let every = if paths == 1000 { 20 } else { 1 };
            push(&mut rows, &format!("bwrap, {paths} paths"), every, move || {
                assert!(command.status().unwrap().success());
            });
        }
    }
    if let Some(mut command) = srt() {
        push(&mut rows, "srt, its defaults", 20, move || {
            assert!(command.args(["/bin/true"]).status().unwrap().success());
            command = srt().unwrap();
        });
    }
    for round in 0..rounds {
        for row in rows.iter_mut().filter(|row| round % row.every == 0) {
            let start = Instant::now();
            (row.act)();
            row.times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    println!("start to exit of `true`, in ms; bwrap has neither a system call filter nor Landlock");
    println!("{:34}{:>10}{:>10}{:>10}{:>10}{:>8}", "", "median", "p10", "p90", "above", "n");
    let mut base = None;
    for row in &mut rows {
        row.times.sort_by(f64::total_cmp);
        let at = |part: usize| row.times[row.times.len() * part / 100];
        let base = *base.get_or_insert(at(50));
        let (middle, low, high, n) = (at(50), at(10), at(90), row.times.len());
        let above = middle - base;
        println!("{:34}{middle:>10.2}{low:>10.2}{high:>10.2}{above:>10.2}{n:>8}", row.name);
    }
    println!(
        "while a command sleeps: processes beside it, resident together, of that not shared with files"
    );
    let world = World::new(folder.path(), 20);
    for (name, command) in
        [("portcullis run", world.portcullis()), ("bwrap", world.bwrap()), ("srt", srt())]
    {
        if let Some(command) = command {
            memory(name, command);
        }
    }
    Ok(())
}

/// Asks this program to make mounts of all that is in a directory, and then to be `true`.
const ONLY_MOUNTS: &str = "--only-mounts";

fn only_mounts(root: &str) -> io::Error {
    for number in 0.. {
        let path = format!("{root}/d{number}");
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let Ok(tree) = open_tree(CWD, &path, flags) else { break };
        move_mount(&tree, "", CWD, &path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).unwrap();
    }
    Command::new("/bin/true").exec()
}

fn push<'r>(rows: &mut Vec<Row<'r>>, name: &str, every: usize, mut act: impl FnMut() + 'r) {
    act();
    rows.push(Row { name: name.to_owned(), every, act: Box::new(act), times: Vec::new() });
}

/// A directory that may be written but for some in it, of which every other one may not be read either.
struct World {
    root: PathBuf,
    paths: Vec<PathBuf>,
    settings: PathBuf,
}

impl World {
    fn new(folder: &Path, count: usize) -> Self {
        let root = folder.join(format!("with-{count}"));
        let paths: Vec<PathBuf> =
            (0..count).map(|number| root.join(format!("d{number}"))).collect();
        for path in &paths {
            fs::create_dir_all(path).unwrap();
        }
        let list = |odd: usize| {
            let chosen = paths.iter().skip(odd).step_by(2);
            chosen.map(|path| format!("{:?}", path.to_str().unwrap())).collect::<Vec<_>>().join(",")
        };
        let settings = folder.join(format!("settings-{count}.json"));
        let (written, read) = (list(0), list(1));
        let text = format!(
            r#"{{"sandbox":{{"filesystem":{{"denyWrite":[{written}],"denyRead":[{read}]}}}}}}"#
        );
        fs::write(&settings, text).unwrap();
        Self { root, paths, settings }
    }

    fn portcullis(&self) -> Option<Command> {
        let Some(program) = std::env::var_os("PORTCULLIS") else {
            println!("SKIP portcullis run: PORTCULLIS does not name the program");
            return None;
        };
        let mut command = Command::new(program);
        command.arg("run").arg("--policy").arg(&self.settings).arg("--").current_dir(&self.root);
        Some(command)
    }

    fn profile(&self) -> SandboxProfile {
        let mut profile =
            SandboxProfile { network: NetworkAccess::None, ..SandboxProfile::default() };
        let rule = |access, effect, path: &Path| FileRule {
            access,
            effect,
            reach: Reach::Path(AbsPath::parse(path.to_str().unwrap()).unwrap()),
            standing: Standing::Ordinary,
            origin: Origin::BuiltIn("a bench"),
        };
        profile.files.rules.push(rule(Access::Write, Effect::Allow, &self.root));
        for (number, path) in self.paths.iter().enumerate() {
            let access = if number % 2 == 0 { Access::Write } else { Access::Read };
            profile.files.rules.push(rule(access, Effect::Deny, path));
        }
        profile
    }

    /// Namespaces of every kind, in which this program makes a mount of each path.
    fn only_mounts(&self) -> Option<Command> {
        let mut command = Command::new("unshare");
        command.args("--user --map-root-user --mount --pid --fork --ipc --net --uts".split(' '));
        command.arg(std::env::current_exe().unwrap()).arg(ONLY_MOUNTS).arg(&self.root);
        let runs = command.status().is_ok_and(|status| status.success());
        if !runs {
            println!("SKIP namespaces and mounts only: unshare(1) is not there, or may not");
        }
        runs.then_some(command)
    }

    fn bwrap(&self) -> Option<Command> {
        if !is_there("bwrap") {
            return None;
        }
        let mut command = Command::new("bwrap");
        command.args("--unshare-all --ro-bind / / --dev /dev --proc /proc --bind".split(' '));
        command.args([&self.root, &self.root]);
        for (number, path) in self.paths.iter().enumerate() {
            if number % 2 == 0 {
                command.arg("--ro-bind").args([path, path]);
            } else {
                command.arg("--tmpfs").arg(path);
            }
        }
        Some(command)
    }
}

fn srt() -> Option<Command> {
    let Some(program) = std::env::var_os("SRT") else {
        println!("SKIP srt: SRT does not name the program");
        return None;
    };
    let mut command = Command::new(program);
    command.stdout(Stdio::null());
    Some(command)
}

fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    let there = found.is_ok_and(|status| status.success());
    if !there {
        println!("SKIP {program}: it is not there, or does not run");
    }
    there
}

fn launch(profile: &SandboxProfile, root: &Path, capabilities: &Capabilities) {
    let cwd = AbsPath::parse(root.to_str().unwrap()).unwrap();
    let environment = vec![("PATH".into(), "/usr/bin:/bin".into())];
    let mut request = Request::new(profile.clone(), "/bin/true", cwd, environment);
    request.weakest = Backend::LandlockOnly;
    let plan = prepare(request, capabilities).unwrap();
    assert_eq!(plan.launch().unwrap().wait().unwrap().end.status(), 0);
}

/// What the processes take that are there for a command, while it sleeps.
fn memory(name: &str, mut command: Command) {
    let mut child = command.args(["sleep", "4"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(2500));
    let mut all = vec![child.id()];
    let mut next = 0;
    while let Some(pid) = all.get(next).copied() {
        next += 1;
        let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let list = list.unwrap_or_default();
        all.extend(list.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    let named = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    all.retain(|pid| named(pid).trim() != "sleep");
    let sum = |key: &str| {
        let of = |pid: &u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("");
            let number = line.split_whitespace().next().and_then(|text| text.parse().ok());
            f64::from(number.unwrap_or(0_u32)) / 1024.0
        };
        all.iter().map(of).sum::<f64>()
    };
    let (resident, own) = (sum("VmRSS:"), sum("RssAnon:"));
    println!("{name:34}{:>10}{resident:>8.1} MB{own:>7.1} MB", all.len());
    child.wait().unwrap();
}
