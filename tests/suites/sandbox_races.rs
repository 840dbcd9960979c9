//! Races through the whole product: the host saves files, and the command flips names, while files are
//! opened and made. `PORTCULLIS_FULL=1` tries each 20,000 times.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_tests::escapes::{Identity, fixture};
use portcullis_tests::{environment, sandboxed};
use std::fs;
use std::os::unix::fs::chown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Opens a few names over and over, by a few calls, and says what it ever read.
const READER: &str = r#"
import ctypes, os, sys
libc = ctypes.CDLL(None)
tries = int(sys.argv[1])
names = sys.argv[2:]
how = (ctypes.c_uint64 * 3)(0, 0, 0)
opened = 0
for turn in range(tries):
    name = names[turn % len(names)].encode()
    call = turn % 3
    if call == 0: file = libc.syscall(257, -100, name, 0)
    elif call == 1: file = libc.syscall(437, -100, name, how, 24)
    else: file = libc.syscall(2, name, 0)
    if file < 0: continue
    opened += 1
    try:
        if b"PCSECRET" in os.read(file, 99): print("LEAK", name); break
    except OSError: pass
    os.close(file)
print("tried", tries, "opened", opened)
"#;

/// One thread keeps turning folders into protected ones and back, the other makes files in them.
const MAKER: &str = r#"
import ctypes, os, sys, threading
libc = ctypes.CDLL(None)
tries = int(sys.argv[1])
for name in ("e", "d/hooks", "m", "n"): os.makedirs(name, exist_ok=True)
over = False
def flip():
    while not over:
        libc.rename(b"d", b"e/.git"); libc.rename(b"e/.git", b"d")
        libc.syscall(316, -100, b"d", -100, b".git", 2); libc.syscall(316, -100, b".git", -100, b"d", 2)
        libc.rename(b"m", b".vscode"); libc.rename(b".vscode", b"m")
        libc.symlink(b".git", b"l"); libc.unlink(b"l"); libc.symlink(b"d", b"l"); libc.unlink(b"l")
flipper = threading.Thread(target=flip); flipper.start()
made = 0
calls = [
    lambda: libc.open(b"d/hooks/pre-push", 0o101, 0o644),
    lambda: libc.open(b"l/hooks/pre-push", 0o101, 0o644),
    lambda: libc.open(b"e/.git/hooks/pre-push", 0o101, 0o644),
    lambda: libc.open(b"m/settings.json", 0o101, 0o644),
    lambda: libc.open(b".vscode/settings.json", 0o101, 0o644),
    lambda: libc.mkdir(b"l/hooks/sub", 0o755),
    lambda: libc.symlink(b"x", b"l/hooks/post-merge"),
    lambda: libc.link(b"ok.txt", b"l/hooks/post-checkout"),
    lambda: libc.rename(b"m/settings.json", b"l/hooks/commit-msg"),
]
for turn in range(tries):
    file = calls[turn % len(calls)]()
    if file >= 0: made += 1
    if file > 2: os.close(file)
    for name in (".git/hooks/pre-push", "e/.git/hooks/pre-push", ".vscode/settings.json", ".git/hooks/sub",
                 ".git/hooks/post-merge", ".git/hooks/post-checkout", ".git/hooks/commit-msg"):
        if os.path.lexists(name): print("LEAK", name); turn = None; break
    if turn is None: break
over = True
flipper.join()
print("tried", tries, "made", made)
"#;

#[test]
fn files_that_the_host_saves_meanwhile_stay_denied() {
    sandboxed::test("files_that_the_host_saves_meanwhile_stay_denied", || {
        let names =
            [".env", "sub/deep/.env", "secrets/one", "/home/pc/.ssh/id_rsa", "late/.env", "ok.txt"];
        for identity in [Identity::User, Identity::Root] {
            fixture::plant(identity).unwrap();
            let saver = Saver::start(identity);
            let tries = tries().to_string();
            let words = [&["/usr/bin/python3", "-c", READER, &tries][..], &names].concat();
            let output = sandboxed::behind(identity, &[], &words).unwrap().output().unwrap();
            let saved = saver.stop();
            let text = String::from_utf8_lossy(&output.stdout);
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(
                text.contains("tried") && !text.contains("LEAK"),
                "{identity:?}: {text}{complaint}"
            );
            assert!(saved > 100, "the host hardly saved: {saved}");
            println!(
                "| host saves while names are opened | {} | {} saves | {}",
                identity.word(),
                saved,
                text.trim()
            );
        }
        // The reader itself: as it is, it reads them.
        fixture::plant(Identity::User).unwrap();
        let words = [&["/usr/bin/python3", "-c", READER, "100"][..], &names].concat();
        let output = sandboxed::bare(Identity::User, &words).unwrap().output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("LEAK"));
    })
    .unwrap();
}

#[test]
fn renames_against_creation_make_nothing_protected() {
    sandboxed::test("renames_against_creation_make_nothing_protected", || {
        for identity in [Identity::User, Identity::Root] {
            fixture::plant(identity).unwrap();
            let tries = tries().to_string();
            let words = ["/usr/bin/python3", "-c", MAKER, &tries];
            let output = sandboxed::behind(identity, &[], &words).unwrap().output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(
                text.contains("tried") && !text.contains("LEAK"),
                "{identity:?}: {text}{complaint}"
            );
            assert!(!text.contains("made 0"), "nothing was made at all: {text}{complaint}");
            println!("| renames against creation | {} | {}", identity.word(), text.trim());
        }
        fixture::plant(Identity::User).unwrap();
        let words = ["/usr/bin/python3", "-c", MAKER, "5000"];
        let output = sandboxed::bare(Identity::User, &words).unwrap().output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("LEAK"));
    })
    .unwrap();
}

fn tries() -> u32 {
    if environment::everything() { 20_000 } else { 2_000 }
}

/// An editor on the host that saves without rest.
struct Saver {
    over: Arc<AtomicBool>,
    saved: Arc<AtomicU64>,
    thread: thread::JoinHandle<()>,
}

impl Saver {
    fn start(identity: Identity) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let saved = Arc::new(AtomicU64::new(0));
        let (stop, count) = (Arc::clone(&over), Arc::clone(&saved));
        fs::create_dir_all("/home/pc/proj/late").unwrap();
        let owner = Some(identity.number());
        chown("/home/pc/proj/late", owner, owner).unwrap();
        let thread = thread::spawn(move || {
            let files = [
                "/home/pc/proj/.env",
                "/home/pc/proj/sub/deep/.env",
                "/home/pc/proj/secrets/one",
                "/home/pc/.ssh/id_rsa",
                "/home/pc/proj/late/.env",
            ];
            while !stop.load(Ordering::Relaxed) {
                for file in files {
                    let beside = format!("{file}.saving");
                    fs::write(&beside, "PCSECRET\n").unwrap();
                    chown(&beside, owner, owner).unwrap();
                    fs::rename(beside, file).unwrap();
                    count.fetch_add(1, Ordering::Relaxed);
                }
                // A folder as a whole, too.
                fs::rename("/home/pc/proj/secrets", "/home/pc/proj-secrets").unwrap();
                fs::rename("/home/pc/proj-secrets", "/home/pc/proj/secrets").unwrap();
            }
        });
        Self { over, saved, thread }
    }

    fn stop(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.saved.load(Ordering::Relaxed)
    }
}
