//! What the profile predicts is what happens: random trees and policies, every access tried for real.
//!
//! `PORTCULLIS_CASES` is the number of accesses, from several seeds; 2,000 is the least that counts as a run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_host::place::{Whereabouts, gather};
use portcullis_host::settings::{Options, discover};
use portcullis_model::AbsPath;
use portcullis_policy::assemble;
use portcullis_profile::{Access, Effect, Kind, SandboxProfile};
use portcullis_tests::choices::Choices;
use portcullis_tests::escapes::{Identity, fixture};
use portcullis_tests::{environment, sandboxed};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::os::unix::fs::lchown;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Tries what it is told, line by line, and says how it went.
const TRIER: &str = r#"
import errno, os, sys
def attempt(how, path):
    if how == "read":
        with open(path, "rb") as file: file.read(1)
    elif how == "list": os.listdir(path)
    elif how == "append":
        with open(path, "ab") as file: file.write(b"")
    elif how == "create":
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)); os.unlink(path)
    elif how == "mkdir":
        os.mkdir(path); os.rmdir(path)
    elif how == "link":
        os.symlink("x", path); os.unlink(path)
for line in sys.stdin:
    how, path = line.rstrip("\n").split(" ", 1)
    try:
        attempt(how, path)
        print("yes")
    except OSError as error:
        print(errno.errorcode.get(error.errno, error.errno))
"#;

const NAMES: &[&str] =
    &["a", "b", "c", ".env", "x.lock", ".mcp.json", "A", "two words", "*", "naïve"];
const ROOTS: &[&str] = &[fixture::PROJECT, fixture::OUTSIDE, fixture::OTHER, "/home/pc/data"];
/// How many accesses each policy is tried with.
const ACCESSES: u32 = 40;

#[test]
fn every_access_goes_as_the_profile_predicts() {
    sandboxed::test("every_access_goes_as_the_profile_predicts", || {
        let cases = environment::cases().max(2000);
        let first = environment::seed(3);
        let mut sum = Sum::default();
        for seed in first..first + SEEDS {
            let before = sum.tried;
            let mut choices = Choices::Seeded(seed);
            while u64::from(sum.tried - before) * SEEDS < u64::from(cases) {
                sum.policy(seed, &mut choices);
            }
        }
        let Sum { tried, allowed, wrong } = sum;
        println!(
            "| differential | seeds {first} to {} | {tried} accesses | {allowed} allowed | {} wrong |",
            first + SEEDS - 1,
            wrong.len()
        );
        assert!(
            wrong.is_empty(),
            "{} of {tried}: {:#?}",
            wrong.len(),
            &wrong[..wrong.len().min(12)]
        );
        // Both outcomes have to occur, or the comparison compares nothing.
        assert!(allowed * 10 > tried && allowed * 10 < tried * 9, "{allowed} of {tried} allowed");
    })
    .unwrap();
}

/// From how many seeds the accesses come.
const SEEDS: u64 = 4;

#[derive(Default)]
struct Sum {
    tried: u32,
    allowed: u32,
    wrong: Vec<String>,
}

impl Sum {
    /// Tries one tree and policy.
    fn policy(&mut self, seed: u64, choices: &mut Choices<'_>) {
        let tree = plant(choices);
        let settings = settings(choices, &tree);
        fs::write("/home/pc/.claude/settings.json", settings.to_string()).unwrap();
        let profile = profile();
        let accesses: Vec<_> = (0..ACCESSES).filter_map(|_| access(choices, &tree)).collect();
        let seen = attempt(&accesses);
        for (access, seen) in accesses.iter().zip(&seen) {
            let predicted = predict(&profile, access);
            let happened = if seen == "yes" { Effect::Allow } else { Effect::Deny };
            self.allowed += u32::from(happened == Effect::Allow);
            if happened != predicted {
                self.wrong.push(format!(
                    "seed {seed}: {access:?}: predicted {predicted:?}, but {seen}; {settings}"
                ));
            }
        }
        self.tried += u32::try_from(accesses.len()).unwrap();
    }
}

#[derive(Debug)]
struct Attempt {
    how: &'static str,
    path: PathBuf,
}

/// Plants random files, and says which there are.
fn plant(choices: &mut Choices<'_>) -> Vec<PathBuf> {
    fixture::plant(Identity::User).unwrap();
    fs::create_dir("/home/pc/data").unwrap();
    let mut folders: Vec<PathBuf> = ROOTS.iter().map(PathBuf::from).collect();
    let mut all = folders.clone();
    for _ in 0..(20 + choices.below(20)) {
        let path = choices.pick(&folders).join(choices.text(NAMES));
        if path.symlink_metadata().is_ok() {
            continue;
        }
        if choices.one_in(2) {
            fs::create_dir(&path).unwrap();
            folders.push(path.clone());
        } else {
            fs::write(&path, "text").unwrap();
        }
        lchown(&path, Some(4321), Some(4321)).unwrap();
        all.push(path);
    }
    lchown("/home/pc/data", Some(4321), Some(4321)).unwrap();
    all
}

fn settings(choices: &mut Choices<'_>, tree: &[PathBuf]) -> Value {
    let mut entries = |most: usize| -> Vec<String> {
        (0..choices.below(most + 1)).map(|_| entry(choices, tree)).collect()
    };
    let (allow_write, deny_write, deny_read, allow_read) =
        (entries(4), entries(4), entries(5), entries(3));
    json!({
        "permissions": { "additionalDirectories": [fixture::OUTSIDE] },
        "sandbox": { "enabled": true, "filesystem": {
            "allowWrite": allow_write, "denyWrite": deny_write,
            "denyRead": deny_read, "allowRead": allow_read,
        } },
    })
}

/// A path, or a pattern, as settings write it.
fn entry(choices: &mut Choices<'_>, tree: &[PathBuf]) -> String {
    let path = choices.pick(tree).clone();
    let path = if choices.one_in(4) { path.join(choices.text(NAMES)) } else { path };
    let text = path.display().to_string();
    let root = choices.text(ROOTS);
    match choices.below(8) {
        0 => format!("{root}/**/{}", choices.text(&["a", "b", ".env", "*.lock", "c"])),
        1 => format!("{root}/*/{}", choices.text(&["a", "b", ".env"])),
        2 => format!("{root}/{}", choices.text(&["*.lock", "?", ".e*", "[ab]"])),
        // A star in a name would be read as one.
        _ if text.contains('*') => format!("{root}/a"),
        // Where the command starts has to stay open to it.
        _ if text == fixture::PROJECT => format!("{text}/a"),
        _ => text,
    }
}

fn access(choices: &mut Choices<'_>, tree: &[PathBuf]) -> Option<Attempt> {
    let path = choices.pick(tree).clone();
    let is_folder = path.is_dir();
    if choices.one_in(2) {
        let how = if is_folder { "list" } else { *choices.pick(&["read", "append"]) };
        return Some(Attempt { how, path });
    }
    let folder = if is_folder { path } else { path.parent()?.to_owned() };
    let path = folder.join(choices.text(NAMES));
    let how = choices.pick(&["create", "mkdir", "link"]);
    path.symlink_metadata().is_err().then_some(Attempt { how, path })
}

fn attempt(accesses: &[Attempt]) -> Vec<String> {
    let words = ["/usr/bin/python3", "-c", TRIER];
    let mut command = sandboxed::behind(Identity::User, &[], &words).unwrap();
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for Attempt { how, path } in accesses {
        writeln!(stdin, "{how} {}", path.display()).unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    assert_eq!(
        lines.len(),
        accesses.len(),
        "{}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
        fs::read_to_string("/home/pc/.claude/settings.json").unwrap()
    );
    lines
}

fn profile() -> SandboxProfile {
    let path = |text: &str| AbsPath::parse(text).unwrap();
    let options = Options::new(path(fixture::PROJECT), path(fixture::HOME));
    let layers = discover(&options);
    let policy = assemble(&layers, &options.place());
    let whereabouts = Whereabouts {
        cwd: path(fixture::PROJECT),
        temporary: path("/tmp/nothing-is-tried-there"),
        additional: Vec::new(),
        own_files: Vec::new(),
        scrub_environment: None,
    };
    SandboxProfile::derive(&policy, &gather(&policy, &options, &layers, whereabouts))
}

fn predict(profile: &SandboxProfile, Attempt { how, path }: &Attempt) -> Effect {
    let (access, kind) = match *how {
        "read" => (Access::Read, Kind::File),
        "list" => (Access::Read, Kind::Directory),
        "mkdir" => (Access::Write, Kind::Directory),
        _ => (Access::Write, Kind::File),
    };
    let path = path_of(path);
    profile.files.judge_as(&path, access, kind).effect
}

fn path_of(path: &Path) -> AbsPath {
    AbsPath::parse(path.to_str().unwrap()).unwrap()
}
