//! Programs that change what they named while they are looked at, and a host that changes what is there.
//!
//! Each test runs itself again as the program under the filter. `PORTCULLIS_FULL=1` runs the full number.

use crate::support::{CREATE, READ, World, anywhere, rounds};
use portcullis_profile::Access;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;
use tempfile::TempDir;

const ROLE: &str = "PORTCULLIS_TEST_SUBJECT";

fn subject(role: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "races::the_program_under_the_filter", "--nocapture"]);
    command.env(ROLE, role).current_dir(directory);
    command
}

#[test]
fn the_program_under_the_filter() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    match role.as_str() {
        "flip" => flip(),
        "symlinks" => symlinks(),
        "renames" => renames(),
        "reader" => reader(),
        "supervise" => supervise(),
        other => panic!("no role {other}"),
    }
    println!("DONE {role}");
}

/// Whether a file that could be opened holds the secret.
fn holds_secret(mut file: impl Read) -> bool {
    let mut text = String::new();
    file.read_to_string(&mut text).is_ok() && text.contains("PCSECRET")
}

#[test]
fn a_path_that_changes_during_the_call_leaks_nothing() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("aaaa"), "fine").unwrap();
    fs::write(dir.path().join(".env"), "PCSECRET").unwrap();
    let world =
        World::writing(dir.path(), READ).deny(Access::Read, anywhere(dir.path(), &[".env"]));
    let (output, denials) = world.run(&mut subject("flip", dir.path()));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("DONE flip") && !text.contains("LEAKED"), "{text}");
    // Both sides of the race were seen, else it raced nothing.
    assert!(text.contains("opened") && !denials.is_empty(), "{text}\n{denials:#?}");
}

#[expect(unsafe_code, reason = "a path that changes during the call needs a raw pointer")]
/// One thread opens, another flips the path between an open file and a denied one.
fn flip() {
    static PATH: [AtomicU8; 5] = [const { AtomicU8::new(0) }; 5];
    static STOP: AtomicBool = AtomicBool::new(false);
    let write = |text: &[u8; 4]| {
        for (slot, byte) in PATH.iter().zip(text) {
            slot.store(*byte, Ordering::Relaxed);
        }
    };
    write(b"aaaa");
    let flipper = thread::spawn(move || {
        while !STOP.load(Ordering::Relaxed) {
            write(b".env");
            write(b"aaaa");
        }
    });
    let (mut opened, mut leaked) = (0, 0);
    for _ in 0..rounds(20_000) {
        // SAFETY: the path is five bytes of static memory, the last of which stays NUL.
        let file = unsafe { libc::open(PATH.as_ptr().cast(), libc::O_RDONLY) };
        if file >= 0 {
            opened += 1;
            // SAFETY: open returned it, and nobody else has it.
            let file = fs::File::from(unsafe { OwnedFd::from_raw_fd(file) });
            leaked += i32::from(holds_secret(file));
        }
    }
    STOP.store(true, Ordering::Relaxed);
    flipper.join().unwrap();
    println!("opened {opened}");
    if leaked > 0 {
        println!("LEAKED {leaked}");
    }
}

#[test]
fn symlinks_that_change_lead_nowhere_denied() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join(".git/hooks")).unwrap();
    fs::create_dir(dir.path().join("open")).unwrap();
    fs::write(dir.path().join("ok"), "fine").unwrap();
    fs::write(dir.path().join(".env"), "PCSECRET").unwrap();
    let world = World::writing(dir.path(), READ)
        .deny(Access::Read, anywhere(dir.path(), &[".env"]))
        .deny(Access::Write, anywhere(dir.path(), &[".git", "hooks"]));
    let (output, denials) = world.run(&mut subject("symlinks", dir.path()));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("DONE symlinks") && !text.contains("LEAKED"), "{text}");
    assert!(!denials.is_empty());
    assert_eq!(fs::read_dir(dir.path().join(".git/hooks")).unwrap().count(), 0);
    assert!(fs::read_dir(dir.path().join("open")).unwrap().count() > 0);
}

fn symlinks() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let swapper = thread::spawn(|| {
        while !STOP.load(Ordering::Relaxed) {
            for (file, directory) in [("ok", "open"), (".env", ".git/hooks")] {
                symlink(file, "f.new").ok();
                fs::rename("f.new", "f").ok();
                symlink(directory, "d.new").ok();
                fs::rename("d.new", "d").ok();
            }
        }
    });
    for round in 0..rounds(20_000) {
        if fs::File::open("f").is_ok_and(holds_secret) {
            println!("LEAKED read");
        }
        fs::write(format!("d/{}", round % 64), "x").ok();
        fs::create_dir(format!("d/dir{}", round % 64)).ok();
    }
    STOP.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
}

#[test]
fn renames_against_creations_plant_nothing() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("a/.git/hooks")).unwrap();
    let world = World::writing(dir.path(), CREATE)
        .deny(Access::Write, anywhere(dir.path(), &[".git", "hooks"]));
    let (output, denials) = world.run(&mut subject("renames", dir.path()));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("DONE renames"), "{text}");
    assert!(!denials.is_empty());
    let found = Command::new("find").arg(dir.path()).args(["-path", "*/.git/hooks/*"]).output();
    assert_eq!(String::from_utf8_lossy(&found.unwrap().stdout), "");
}

fn renames() {
    static STOP: AtomicBool = AtomicBool::new(false);
    fs::create_dir_all("b/x/hooks").unwrap();
    fs::create_dir_all("c").unwrap();
    let mover = thread::spawn(|| {
        let exchange = |from: &str, to: &str| {
            renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE).ok();
        };
        while !STOP.load(Ordering::Relaxed) {
            fs::rename("b/x", "b/.git").ok();
            fs::rename("b/.git", "b/x").ok();
            exchange("b/x", "a/.git");
            exchange("b", "a");
            fs::rename("c/hooks", "c/.git").ok();
            fs::rename("c/.git", "c/hooks").ok();
            fs::write("c/f", "").ok();
            fs::rename("c/f", "c/.git").ok();
            fs::remove_file("c/.git").ok();
            fs::create_dir("c/.git").ok();
            exchange("c/.git", "b/x");
            fs::remove_dir("c/.git").ok();
        }
    });
    for round in 0..rounds(20_000) {
        for place in ["b/x/hooks", "b/.git/hooks", "a/.git/hooks", "a/x/hooks", "c/.git/hooks"] {
            fs::create_dir(place).ok();
            fs::write(format!("{place}/{}", round % 8), "x").ok();
        }
        fs::remove_dir_all("b/x/hooks").ok();
        fs::create_dir_all("b/x/hooks").ok();
    }
    STOP.store(true, Ordering::Relaxed);
    mover.join().unwrap();
}

#[test]
fn a_host_that_replaces_a_file_uncovers_nothing() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join(".env"), "PCSECRET").unwrap();
    fs::write(dir.path().join("ok"), "fine").unwrap();
    let world = World::writing(dir.path(), READ)
        .deny(Access::Read, anywhere(dir.path(), &[".env"]))
        .deny(Access::Write, anywhere(dir.path(), &[".env"]));
    let stop = AtomicBool::new(false);
    let (output, denials) = thread::scope(|scope| {
        scope.spawn(|| {
            let (new, old) = (dir.path().join(".env.new"), dir.path().join(".env"));
            while !stop.load(Ordering::Relaxed) {
                fs::write(&new, "PCSECRET").ok();
                fs::rename(&new, &old).ok();
            }
        });
        let ended = world.run(&mut subject("reader", dir.path()));
        stop.store(true, Ordering::Relaxed);
        ended
    });
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("DONE reader") && !text.contains("LEAKED"), "{text}");
    assert!(!denials.is_empty());
    assert_eq!(fs::read_to_string(dir.path().join(".env")).unwrap(), "PCSECRET");
}

fn reader() {
    for _ in 0..rounds(20_000) {
        for name in [".env", "./.env"] {
            if fs::File::open(name).is_ok_and(holds_secret) {
                println!("LEAKED read");
            }
        }
        if fs::OpenOptions::new().append(true).open(".env").is_ok() {
            println!("LEAKED write");
        }
        if fs::remove_file(".env").is_ok() {
            println!("LEAKED remove");
        }
        assert!(fs::read_to_string("ok").is_ok());
    }
}

#[test]
fn without_the_supervisor_nothing_opens() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join(".env"), "PCSECRET\n").unwrap();
    fs::write(dir.path().join("ok"), "fine\n").unwrap();
    let mut supervisor = subject("supervise", dir.path());
    supervisor.stdout(std::process::Stdio::null());
    let mut supervisor = supervisor.spawn().unwrap();
    let start = std::time::Instant::now();
    let patience = std::time::Duration::from_secs(20);
    while !dir.path().join("ready").exists() {
        assert!(start.elapsed() < patience, "the program never began");
        thread::sleep(std::time::Duration::from_millis(10));
    }
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    let result = || fs::read_to_string(dir.path().join("result")).unwrap();
    while !result().contains("end") {
        assert!(start.elapsed() < patience, "{}", result());
        thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(result(), "supervised fine\nno secret\nno file\nno creation\nend\n");
    assert!(!dir.path().join("new").exists());
}

/// Supervises a shell until it is killed.
fn supervise() {
    let here = std::env::current_dir().unwrap();
    let script = r#"
        exec 9> result 2> /dev/null
        read line < ok && echo "supervised $line" >&9
        mkdir ready
        while [ -d /proc/$PPID ]; do :; done
        { read line < .env && echo LEAK >&9; } || echo "no secret" >&9
        { read line < ok && echo LEAK >&9; } || echo "no file" >&9
        { : > new && echo LEAK >&9; } || echo "no creation" >&9
        echo end >&9"#;
    let world = World::writing(&here, READ).deny(Access::Read, anywhere(&here, &[".env"]));
    world.shell(&here, script);
}
