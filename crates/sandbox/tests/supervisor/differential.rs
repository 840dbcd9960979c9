//! Supervised calls against plain ones: the same random work in two equal trees has to end the same, call
//! by call, error number by error number. `PORTCULLIS_CASES` sets the number of calls, `PORTCULLIS_SEED` the seed.

use crate::support::World;
use portcullis_sandbox::supervisor::Guards;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, chmodat, fstat, linkat, mkdirat, mknodat,
    openat, readlinkat, renameat_with, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const ROLE: &str = "PORTCULLIS_TEST_SUBJECT";

/// A generator of numbers (xorshift), so that a seed gives the same work in both trees.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        let at = self.below(u64::try_from(list.len()).unwrap());
        list[usize::try_from(at).unwrap()]
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

#[test]
fn the_program_under_the_filter() {
    if std::env::var_os(ROLE).is_some() {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        work(number("PORTCULLIS_SEED").unwrap(), number("PORTCULLIS_CASES").unwrap());
    }
}

#[test]
fn supervised_calls_end_as_plain_ones() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("PORTCULLIS_CASES").unwrap_or(4_000);
    let seed = number("PORTCULLIS_SEED").unwrap_or(0x5eed_0fca_11ed);
    let run = |guards: Option<Guards>| {
        let dir = TempDir::new().unwrap();
        let root = dir.path().join("1/2/3/4/5/6/7/8/root");
        fs::create_dir_all(&root).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "differential::the_program_under_the_filter", "--nocapture"]);
        command.env(ROLE, "1").env("PORTCULLIS_SEED", seed.to_string());
        command.env("PORTCULLIS_CASES", cases.to_string()).current_dir(&root);
        let output = match guards {
            None => command.stdin(Stdio::null()).output().unwrap(),
            Some(guards) => World::writing(dir.path(), guards).run(&mut command).0,
        };
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<String> =
            text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect();
        (lines, tree(&root))
    };
    let all = Guards { create: true, read: true, metadata: true, sockets: true };
    let (plain, plain_tree) = run(None);
    let (supervised, supervised_tree) = run(Some(all));
    assert_eq!(plain.len(), usize::try_from(cases).unwrap());
    for (at, (plain, supervised)) in plain.iter().zip(&supervised).enumerate() {
        let short = |line: &str| line.replace(&"x".repeat(200), "…");
        assert_eq!(short(plain), short(supervised), "call {at}, seed {seed}");
    }
    assert_eq!(plain_tree, supervised_tree);
    let fine = plain.iter().filter(|line| line.contains("Ok")).count();
    assert!(fine * 10 > plain.len(), "only {fine} of {} calls worked", plain.len());
}

fn tree(root: &Path) -> String {
    let script = "cd \"$1\" && find . -printf '%p %y %m %s %n %l\\n' | sed 's/^\\(.*\\) d \\(.*\\) [0-9]* \\([0-9]*\\) $/\\1 d \\2 \\3/' | sort";
    let output = Command::new("sh").args(["-c", script, "sh"]).arg(root).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Random work: small names, so that calls meet each other's results.
fn work(seed: u64, cases: u64) {
    let mut numbers = Numbers(seed);
    let directory = openat(CWD, ".", OFlags::PATH, Mode::empty()).unwrap();
    for _ in 0..cases {
        let path = some_path(&mut numbers);
        let other = some_path(&mut numbers);
        let at = if numbers.one_in(3) { rustix::fd::AsFd::as_fd(&directory) } else { CWD };
        let mode = Mode::from_raw_mode(numbers.of(&[0o777, 0o666, 0o600, 0o755, 0o700]));
        let (name, outcome) = match numbers.below(12) {
            0..=3 => {
                let flags = some_flags(&mut numbers);
                let outcome = openat(at, &path, flags, mode).and_then(|file| {
                    let stat = fstat(&file)?;
                    // Told of the last open only, and that one is the supervisor's.
                    let kept = rustix::fs::fcntl_getfl(&file)?.difference(OFlags::NOFOLLOW);
                    let cloexec = rustix::io::fcntl_getfd(&file)?;
                    Ok(format!("{:o} {} {kept:?} {cloexec:?}", stat.st_mode, size(&stat)))
                });
                (format!("open {flags:?}"), outcome)
            }
            4 => ("mkdir".into(), mkdirat(at, &path, mode).map(|()| String::new())),
            5 => {
                let flags = if numbers.one_in(3) { AtFlags::REMOVEDIR } else { AtFlags::empty() };
                (format!("unlink {flags:?}"), unlinkat(at, &path, flags).map(|()| String::new()))
            }
            6..=7 => {
                let list = [
                    RenameFlags::empty(),
                    RenameFlags::empty(),
                    RenameFlags::NOREPLACE,
                    RenameFlags::EXCHANGE,
                ];
                let flags = numbers.of(&list);
                let outcome = renameat_with(at, &path, CWD, &other, flags);
                (format!("rename {flags:?} to {other} from"), outcome.map(|()| String::new()))
            }
            8 => {
                let flags =
                    if numbers.one_in(2) { AtFlags::SYMLINK_FOLLOW } else { AtFlags::empty() };
                let outcome = linkat(at, &path, CWD, &other, flags);
                (format!("link {flags:?} to {other} from"), outcome.map(|()| String::new()))
            }
            9 => {
                let text = some_path(&mut numbers);
                let outcome = symlinkat(&text, at, &path).map(|()| String::new());
                (format!("symlink {text}"), outcome)
            }
            10 => {
                let kind = numbers.of(&[FileType::Fifo, FileType::RegularFile, FileType::Socket]);
                let outcome = mknodat(at, &path, kind, mode, 0).map(|()| String::new());
                (format!("mknod {kind:?}"), outcome)
            }
            _ => {
                let outcome = chmodat(at, &path, mode | Mode::RWXU, AtFlags::empty());
                (format!("chmod {mode:?}"), outcome.map(|()| String::new()))
            }
        };
        let stands = |path: &str| {
            statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).map(|stat| (stat.st_mode, stat.st_nlink))
        };
        println!("# {name} {path}: {} {:?}", show(&outcome), stands(&path));
    }
    drop(readlinkat(CWD, "l", Vec::new()));
}

fn size(stat: &rustix::fs::Stat) -> i64 {
    // The size of a directory is the filesystem's business.
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory { 0 } else { stat.st_size }
}

fn show(outcome: &Result<String, Errno>) -> String {
    match outcome {
        Ok(text) => format!("Ok {text}"),
        Err(error) => format!("{error:?}"),
    }
}

fn some_flags(numbers: &mut Numbers) -> OFlags {
    // A FIFO would wait for its other end.
    let mut flags = OFlags::NONBLOCK;
    flags |= numbers.of(&[OFlags::RDONLY, OFlags::WRONLY, OFlags::RDWR]);
    let more = [
        (OFlags::CREATE, 2),
        (OFlags::EXCL, 4),
        (OFlags::TRUNC, 4),
        (OFlags::APPEND, 4),
        (OFlags::NOFOLLOW, 4),
        (OFlags::DIRECTORY, 8),
        (OFlags::CLOEXEC, 2),
        (OFlags::TMPFILE, 20),
        (OFlags::PATH, 16),
        (OFlags::NOCTTY, 4),
    ];
    for (flag, many) in more {
        if numbers.one_in(many) {
            flags |= flag;
        }
    }
    flags
}

fn some_path(numbers: &mut Numbers) -> String {
    let mut path = String::new();
    let names = ["a", "b", "c", "f", "l", "a", "b"];
    if numbers.one_in(60) {
        return numbers.of(&["", ".", "./", "..", "/nowhere/x"]).to_string();
    }
    for _ in 0..=numbers.below(3) {
        if !path.is_empty() {
            path.push('/');
            if numbers.one_in(8) {
                path.push_str(numbers.of(&["../", "./", "/"]));
            }
        }
        path.push_str(numbers.of(&names));
    }
    if numbers.one_in(12) {
        path.push_str(numbers.of(&["/", "/.", "//", "/.."]));
    }
    if numbers.one_in(100) {
        path.push_str(&"x".repeat(numbers.of(&[255, 256, 4100])));
    }
    path
}
