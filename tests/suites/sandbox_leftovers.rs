//! The boundary leaves nothing behind and changes nothing, however it ends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_tests::escapes::options::Backend;
use portcullis_tests::escapes::run::take_away;
use portcullis_tests::escapes::{Identity, fixture};
use portcullis_tests::tree::Tree;
use portcullis_tests::{environment, sandboxed};
use rustix::process::{Pid, WaitOptions, waitpid};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Every place a process may write to in the throw-away machine.
const WRITABLE: &[&str] = &["/home", "/tmp", "/run", "/dev/shm", "/var/tmp", "/srv"];
/// How long a killed tree may take to be gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// When our processes are killed after the launcher's start, in thousandths of a second: while it is set up, and in
/// the middle of work.
const MOMENTS: &[u64] = &[0, 1, 2, 3, 4, 6, 8, 12, 16, 25, 40, 80, 200];

/// From here on a moment is in the middle of work.
const AT_WORK: u64 = 40;

/// Kinds of machine and the level to name there, in an order in which one can become the next.
const MACHINES: &[(Backend, &str)] = &[
    (Backend::Full, "full"),
    (Backend::LandlockOnly, "landlock"),
    (Backend::SharedProc, "no-proc"),
];

/// Every kind of machine with everyone on it, planted anew.
fn everywhere() -> impl Iterator<Item = (Identity, [&'static str; 2], String)> {
    MACHINES.iter().flat_map(|(machine, level)| {
        [Identity::User, Identity::Root].into_iter().map(move |identity| {
            fixture::plant(identity).unwrap();
            take_away(*machine).unwrap();
            (identity, ["--require", *level], format!("{identity:?} at {level}"))
        })
    })
}

#[test]
fn success_and_failure_leave_nothing() {
    sandboxed::test("success_and_failure_leave_nothing", || {
        for (identity, options, case) in everywhere() {
            let before = Tree::of(WRITABLE).unwrap();
            for script in [
                "true",
                "exit 3",
                "kill -KILL $$",
                "kill -SEGV $$",
                "cat .env; cat secrets/one; echo x > frozen/new; mkdir .vscode; echo x > .mcp.json",
                "echo x > $TMPDIR/left; mkdir -p $TMPDIR/deep/er; sleep 0.3 & exit 1",
                "mkdir -p $TMPDIR/a/b/c; : > $TMPDIR/a/b/c/x; chmod 0 $TMPDIR/a/b/c $TMPDIR/a/b $TMPDIR/a",
                "ln -s /home/other $TMPDIR/link; mkfifo $TMPDIR/pipe; true",
                "cd .git/hooks && ls; GIT_OPTIONAL_LOCKS=0 git status",
            ] {
                let words = ["/bin/bash", "-c", script];
                let output =
                    sandboxed::behind(identity, &options, &words).unwrap().output().unwrap();
                let complaint = String::from_utf8_lossy(&output.stderr);
                assert_ne!(output.status.code(), Some(125), "{case}, {script}: {complaint}");
                let differences = before.differences(&Tree::of(WRITABLE).unwrap());
                assert!(differences.is_empty(), "{case}, {script}: {differences:#?}");
            }
            for words in [&["/nonexistent/program"][..], &["./ok.txt"], &["nosuchprogram"]] {
                sandboxed::behind(identity, &options, words).unwrap().output().unwrap();
                let differences = before.differences(&Tree::of(WRITABLE).unwrap());
                assert!(differences.is_empty(), "{case}, {words:?}: {differences:#?}");
            }
        }
    })
    .unwrap();
}

#[test]
fn killing_any_of_our_processes_at_any_time_leaves_nothing() {
    sandboxed::test("killing_any_of_our_processes_at_any_time_leaves_nothing", || {
        for (identity, options, case) in everywhere() {
            let before = Tree::of(WRITABLE).unwrap();
            let mut killed = BTreeMap::<usize, u32>::new();
            let moments = MOMENTS.iter().skip(usize::from(!environment::everything()));
            for moment in moments.step_by(if environment::everything() { 1 } else { 3 }) {
                // Where the host holds a directory for the run, whoever kills both the launcher and who
                // clears up after it keeps the directory.
                let others = if options.contains(&"landlock") { 1 } else { 4 };
                for which in 0..others {
                    let script = "while :; do cat ok.txt; : > $TMPDIR/x; done > /dev/null";
                    let words = ["/bin/bash", "-c", script];
                    let mut command = sandboxed::behind(identity, &options, &words).unwrap();
                    let child =
                        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                    // A busy machine takes its time: the moments count from the start of the launcher, and
                    // in the middle of work there is somebody else to kill.
                    let at_work = *moment >= AT_WORK;
                    wait_for_ours(child.id(), if at_work && which > 0 { 2 } else { 1 });
                    thread::sleep(Duration::from_millis(*moment));
                    // So that nothing is started between the look and the end.
                    send("STOP", child.id());
                    let everything = descendants(child.id());
                    let ours = our_processes(child.id());
                    if let Some(target) = ours.get(which) {
                        kill(*target);
                        *killed.entry(which).or_default() += 1;
                    }
                    send("CONT", child.id());
                    let launcher_first = which == 0 && !ours.is_empty();
                    if !launcher_first {
                        // The command may outlive a lost supervisor, helplessly; it does not outlive us.
                        thread::sleep(Duration::from_millis(20));
                        kill(child.id());
                    }
                    wait_until_gone(child, &everything);
                    let differences = before.differences(&Tree::of(WRITABLE).unwrap());
                    assert!(
                        differences.is_empty(),
                        "{case}, process {which} killed after {moment} ms: {differences:#?}"
                    );
                }
            }
            println!("| {case}: killed, by place in the tree: {killed:?}");
            assert!(killed.get(&0) >= Some(&3), "the launcher was hardly killed: {killed:?}");
            let only = options.contains(&"landlock");
            assert!(
                only || killed.len() >= 2,
                "no process but the launcher was killed: {killed:?}"
            );
        }
    })
    .unwrap();
}

#[test]
fn the_launcher_takes_everything_with_it() {
    sandboxed::test("the_launcher_takes_everything_with_it", || {
        for (signal, number) in [("KILL", 9), ("TERM", 15), ("INT", 2), ("HUP", 1), ("QUIT", 3)] {
            fixture::plant(Identity::User).unwrap();
            let script = "setsid sleep 97 & (sleep 98 &); echo up; sleep 99";
            let words = ["/bin/bash", "-c", script];
            let mut command = sandboxed::behind(Identity::User, &[], &words).unwrap();
            let mut child = command.spawn().unwrap();
            std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 3]).unwrap();
            thread::sleep(Duration::from_millis(50));
            let everything = descendants(child.id());
            assert!(everything.len() >= 4, "{everything:?}");
            send(signal, child.id());
            let status = wait_until_gone(child, &everything);
            assert_eq!(status.signal(), Some(number), "{signal}: {status}");
        }
    })
    .unwrap();
}

/// Some containers have a first process that takes nobody's status. Then there are entries for those who
/// ended, as there are for every program that was killed, but nothing behind them.
#[test]
fn where_nobody_is_collected_nothing_goes_on() {
    sandboxed::test("where_nobody_is_collected_nothing_goes_on", || {
        fixture::plant(Identity::User).unwrap();
        let before = Tree::of(WRITABLE).unwrap();
        for _ in 0..5 {
            let words = ["/bin/bash", "-c", "sleep 97 & echo up; sleep 98"];
            let mut child =
                sandboxed::behind(Identity::User, &[], &words).unwrap().spawn().unwrap();
            std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 3]).unwrap();
            let everything = descendants(child.id());
            assert!(everything.len() >= 4, "{everything:?}");
            kill(child.id());
            child.wait().unwrap();
            let started = Instant::now();
            let with_memory = || everything.iter().filter(|process| has_memory(**process)).count();
            while with_memory() > 0 {
                assert!(started.elapsed() < PATIENCE, "{} go on", with_memory());
                thread::sleep(Duration::from_millis(2));
            }
            let differences = before.differences(&Tree::of(WRITABLE).unwrap());
            assert!(differences.is_empty(), "{differences:#?}");
        }
    })
    .unwrap();
}

#[test]
fn eight_runs_in_one_directory_do_not_meet() {
    sandboxed::test("eight_runs_in_one_directory_do_not_meet", || {
        fixture::plant(Identity::User).unwrap();
        let before = Tree::of(WRITABLE).unwrap();
        let script = "for i in 1 2 3 4 5 6 7 8 9 10; do echo $$ > $TMPDIR/mine; cat ok.txt > /dev/null; \
             mkdir .vscode 2> /dev/null && exit 9; sleep 0.01; [ $(cat $TMPDIR/mine) = $$ ] || exit 8; done; \
             cat .env 2> /dev/null && exit 7; exit 5";
        for _ in 0..4 {
            let children: Vec<_> = (0..8)
                .map(|_| {
                    let words = ["/bin/bash", "-c", script];
                    sandboxed::behind(Identity::User, &[], &words).unwrap().spawn().unwrap()
                })
                .collect();
            for child in children {
                let output = child.wait_with_output().unwrap();
                let complaint = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(5), "{complaint}");
            }
            let differences = before.differences(&Tree::of(WRITABLE).unwrap());
            assert!(differences.is_empty(), "{differences:#?}");
        }
    })
    .unwrap();
}

fn wait_until_gone(mut child: Child, everything: &[u32]) -> std::process::ExitStatus {
    let started = Instant::now();
    loop {
        let status = child.try_wait().unwrap();
        collect_orphans(child.id());
        let alive: Vec<_> = everything
            .iter()
            .filter(|process| **process != child.id() && is_alive(**process))
            .collect();
        if let Some(status) = status
            && alive.is_empty()
        {
            return status;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "still there: {alive:?}, launcher {status:?}: {:?}",
            alive.iter().map(|process| shown(**process)).collect::<Vec<_>>()
        );
        thread::sleep(Duration::from_millis(2));
    }
}

/// Those of its tree that run our program, the launcher first.
fn our_processes(launcher: u32) -> Vec<u32> {
    let mut all = vec![launcher];
    all.extend(descendants(launcher));
    all.dedup();
    let program = sandboxed::portcullis().unwrap();
    let is_ours = |process: &u32| {
        fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|path| path == program)
    };
    all.into_iter().filter(is_ours).collect()
}

/// Waits until there are so many of our processes, but not for ever: what is missing then is seen by who counts.
fn wait_for_ours(launcher: u32, least: usize) {
    let started = Instant::now();
    while our_processes(launcher).len() < least && started.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(1));
    }
}

/// A process and everything below it.
fn descendants(process: u32) -> Vec<u32> {
    let mut found = vec![process];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        at += 1;
        let tasks = fs::read_dir(format!("/proc/{parent}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|it| it.parse::<u32>().ok()));
        }
    }
    found
}

/// Orphans are ours here: we are the first process of the machine, and collect them as such.
fn collect_orphans(but: u32) {
    let own = std::process::id();
    let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
    for orphan in children.unwrap_or_default().split_whitespace() {
        let number = orphan.parse().ok().and_then(Pid::from_raw);
        if *orphan != but.to_string() && number.is_some() {
            waitpid(number, WaitOptions::NOHANG).ok();
        }
    }
}

/// Whether a process has memory; one that has ended has none, and neither has one that is ending.
fn has_memory(process: u32) -> bool {
    let pages = fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    !pages.is_empty() && !pages.starts_with("0 ")
}

fn is_alive(process: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

fn shown(process: u32) -> String {
    let text = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&text).replace('\0', " ")
}

fn kill(process: u32) {
    send("KILL", process);
}

fn send(signal: &str, process: u32) {
    let script = format!("kill -{signal} {process} 2> /dev/null; true");
    Command::new("/bin/bash").args(["-c", &script]).status().unwrap();
}
