//! A command behind the boundary feels as it does outside: how it ends, its terminal, its pipes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_tests::escapes::{Identity, fixture};
use portcullis_tests::sandboxed;
use portcullis_tests::terminal::Terminal;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};

/// How programs end, each by its own doing.
const ENDINGS: &[&str] = &[
    "exit 0",
    "exit 1",
    "exit 2",
    "exit 10",
    "exit 37",
    "exit 125",
    "exit 126",
    "exit 127",
    "exit 128",
    "exit 129",
    "exit 137",
    "exit 143",
    "exit 254",
    "exit 255",
    "kill -HUP $$",
    "kill -INT $$; exit 4",
    "kill -QUIT $$",
    "kill -ILL $$",
    "kill -TRAP $$",
    "kill -ABRT $$",
    "kill -BUS $$",
    "kill -FPE $$",
    "kill -KILL $$",
    "kill -USR1 $$",
    "kill -SEGV $$",
    "kill -USR2 $$",
    "kill -PIPE $$",
    "kill -ALRM $$",
    "kill -TERM $$",
    "kill -STKFLT $$",
    "kill -XCPU $$",
    "kill -XFSZ $$",
    "kill -VTALRM $$",
    "kill -PROF $$",
    "kill -IO $$",
    "kill -PWR $$",
    "kill -SYS $$",
    "kill -RTMIN $$",
    "kill -RTMAX $$",
    "kill -CHLD $$; exit 6",
    "kill -WINCH $$; exit 7",
    "kill -URG $$; exit 8",
    "kill -CONT $$; exit 9",
    "sleep 0.05 & exit 11",
    "(exit 12)",
    "trap 'exit 13' TERM; kill -TERM $$; exit 1",
    "bash -c 'kill -TERM $$'",
    "nosuchprogram",
    "./ok.txt",
    ".",
    "sh -c 'kill -SEGV $$'; exit $?",
];

#[test]
fn commands_end_as_they_do_outside() {
    sandboxed::test("commands_end_as_they_do_outside", || {
        let mut wrong = Vec::new();
        for identity in [Identity::User, Identity::Root] {
            fixture::plant(identity).unwrap();
            for script in ENDINGS {
                let words = ["/bin/bash", "-c", script];
                let outside = sandboxed::bare(identity, &words).unwrap().output().unwrap();
                let inside = sandboxed::behind(identity, &[], &words).unwrap().output().unwrap();
                let (outside, end) = (ending(outside.status), ending(inside.status));
                if outside != end {
                    let complaint = String::from_utf8_lossy(&inside.stderr).into_owned();
                    wrong.push(format!(
                        "{identity:?} {script}: {outside}, but {end} inside; {complaint}"
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        println!("| {} ways to end, as outside", ENDINGS.len());
    })
    .unwrap();
}

#[test]
fn what_cannot_be_started_has_its_own_status() {
    sandboxed::test("what_cannot_be_started_has_its_own_status", || {
        fixture::plant(Identity::User).unwrap();
        for (words, status) in [
            (&["/nonexistent/program"][..], 127),
            (&["nosuchprogram"], 127),
            (&["./ok.txt"], 126),
            (&["/etc"], 126),
            (&["secrets/tool"], 126),
        ] {
            let output = sandboxed::behind(Identity::User, &[], words).unwrap().output().unwrap();
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(status), "{words:?}: {complaint}");
            assert_eq!(complaint.lines().count(), 1, "{words:?}: {complaint}");
        }
    })
    .unwrap();
}

#[test]
fn output_and_input_pass_unchanged() {
    sandboxed::test("output_and_input_pass_unchanged", || {
        fixture::plant(Identity::User).unwrap();
        let megabytes = 64;
        let mut command = sandboxed::behind(Identity::User, &[], &["/bin/cat"]).unwrap();
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || {
            for number in 0..megabytes {
                stdin.write_all(&block(number)).unwrap();
            }
        });
        let mut stdout = child.stdout.take().unwrap();
        let mut read = vec![0; 1 << 20];
        for number in 0..megabytes {
            stdout.read_exact(&mut read).unwrap();
            assert!(read == block(number), "megabyte {number} differs");
        }
        assert_eq!(stdout.read(&mut read).unwrap(), 0);
        writer.join().unwrap();
        assert!(child.wait().unwrap().success());
    })
    .unwrap();
}

fn block(number: u32) -> Vec<u8> {
    (0..1_u32 << 18)
        .flat_map(|at| (at.wrapping_mul(2_654_435_761) ^ number).to_le_bytes())
        .collect()
}

/// Lines of shell in which `@` is the sandbox, and nothing in the run outside.
const PIPELINES: &[&str] = &[
    "@ yes | head -n1; echo ${PIPESTATUS[@]}",
    "echo a | @ cat | @ tr a b; echo ${PIPESTATUS[@]}",
    "@ false | true; echo ${PIPESTATUS[@]}",
    "printf 'x\\ny\\n' | (read a; @ cat; echo $a)",
    "@ sh -c 'read a; echo [$a] $?' < /dev/null",
    "@ sh -c 'read a; echo [$a] $?' <&-",
    "@ sh -c 'echo x; echo $? >&2' >&-",
    "@ sh -c 'echo gone >&2; echo $?' 2>&-",
    "@ sh -c 'echo out; echo err >&2' 2>&1 | sort",
    "x=$(@ printf 'no newline'); echo \"[$x]\"",
    "@ sh -c 'exec 3>&1; echo three >&3'",
    "@ sh -c 'ulimit -n'",
    "cd sub/deep && @ pwd",
    "(umask 077; @ sh -c umask)",
    "A='a b' @ sh -c 'echo \"$A\"'",
    "@ echo 'one  two' \"\" '*'",
    "@ sh -c 'echo $#' sh a '' 'b c'",
    "nice -n 3 @ nice",
    "@ sh -c 'echo $PPID' > /dev/null; echo $?",
    "timeout 0.2 @ sleep 9; echo $?",
    "@ sleep 9 & kill %1; wait %1; echo $?",
    "@ sh -c 'trap \"echo caught; exit 3\" TERM; echo up > up; while :; do sleep 0.05; done' & while ! [ -s up ]; do sleep 0.02; done; kill %1; wait %1; echo $?; rm up",
];

#[test]
fn pipelines_and_descriptors_work_as_outside() {
    sandboxed::test("pipelines_and_descriptors_work_as_outside", || {
        let mut wrong = Vec::new();
        let portcullis = sandboxed::portcullis().unwrap();
        let run = format!("{} run --", portcullis.display());
        fixture::plant(Identity::User).unwrap();
        for line in PIPELINES {
            let answer = |with: &str| {
                let script = line.replace("@ ", with);
                let words = ["/bin/bash", "-c", &script];
                let output = sandboxed::bare(Identity::User, &words).unwrap().output().unwrap();
                (ending(output.status), String::from_utf8_lossy(&output.stdout).into_owned())
            };
            let (outside, inside) = (answer(""), answer(&format!("{run} ")));
            if outside != inside {
                wrong.push(format!("{line}: {outside:?}, but {inside:?} inside"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        println!("| {} pipelines, as outside", PIPELINES.len());
    })
    .unwrap();
}

#[test]
fn interrupt_stop_and_continue_work_on_a_terminal() {
    sandboxed::test("interrupt_stop_and_continue_work_on_a_terminal", || {
        fixture::plant(Identity::User).unwrap();
        let mut shell = shell();
        let run = run();
        shell.write(&format!("{run} sleep 97\n")).unwrap();
        wait_for_process("sleep\x0097");
        shell.write("\x03").unwrap();
        shell.wait_for("$ ").unwrap();
        shell.write("echo status-$?-\n").unwrap();
        shell.wait_for("status-130-").unwrap();

        shell.write(&format!("{run} sleep 98\n")).unwrap();
        wait_for_process("sleep\x0098");
        shell.write("\x1a").unwrap();
        shell.wait_for("Stopped").unwrap();
        shell.write("jobs; echo listed-$((1+1))-\n").unwrap();
        assert!(shell.wait_for("listed-2-").unwrap().contains("Stopped"));
        shell.write("fg\n").unwrap();
        shell.wait_for("sleep 98").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
        shell.write("\x03").unwrap();
        shell.wait_for("$ ").unwrap();
        shell.write("echo status-$?-\n").unwrap();
        shell.wait_for("status-130-").unwrap();

        shell.write(&format!("{run} sh -c 'kill -STOP $$; echo went-$((2+3))-on'\n")).unwrap();
        shell.wait_for("Stopped").unwrap();
        shell.write("fg\n").unwrap();
        shell.wait_for("went-5-on").unwrap();
    })
    .unwrap();
}

#[test]
fn the_window_may_change_its_size() {
    sandboxed::test("the_window_may_change_its_size", || {
        fixture::plant(Identity::User).unwrap();
        let mut shell = shell();
        let script = "trap 'echo size-$(stty size)-' WINCH; echo ready-$((3+4))-; \
             while :; do sleep 0.05; done";
        shell.write(&format!("{} bash -c \"{}\"\n", run(), script.replace('$', "\\$"))).unwrap();
        shell.wait_for("ready-7-").unwrap();
        shell.resize(33, 77).unwrap();
        shell.wait_for("size-33 77-").unwrap();
        shell.write("\x03").unwrap();
        shell.wait_for("$ ").unwrap();
    })
    .unwrap();
}

#[test]
fn an_interactive_shell_inside_has_job_control() {
    sandboxed::test("an_interactive_shell_inside_has_job_control", || {
        fixture::plant(Identity::User).unwrap();
        let mut shell = shell();
        shell.write(&format!("{} bash --norc --noprofile -i\n", run())).unwrap();
        shell.write("PS1='inside> '\n").unwrap();
        shell.wait_for("inside> ").unwrap();
        shell.wait_for("inside> ").unwrap();
        shell.write("sleep 96 & jobs; echo listed-$((1+1))-\n").unwrap();
        assert!(shell.wait_for("listed-2-").unwrap().contains("Running"));
        shell.write("fg\n").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
        shell.write("\x1a").unwrap();
        shell.wait_for("Stopped").unwrap();
        // A shell learns of it by a signal, outside and inside: `wait` right after `kill` may be too early.
        shell
            .write("kill -KILL %1; while kill -0 $! 2> /dev/null; do sleep 0.05; done; wait $!; echo killed-$?-\n")
            .unwrap();
        shell.wait_for("killed-137-").unwrap();
        shell.write("tty; echo tty-$?-\n").unwrap();
        shell.wait_for("tty-").unwrap();
        shell.write("exit 5\n").unwrap();
        shell.wait_for("$ ").unwrap();
        shell.write("echo status-$?-\n").unwrap();
        shell.wait_for("status-5-").unwrap();
    })
    .unwrap();
}

fn shell() -> Terminal {
    let words = ["/bin/bash", "--norc", "--noprofile", "-i"];
    let command = as_user(&words);
    let mut shell = Terminal::start(&command).unwrap();
    shell.write("PS1='$ '\n").unwrap();
    // Once as typed, once as printed.
    shell.wait_for("PS1='$ '").unwrap();
    shell.wait_for("$ ").unwrap();
    shell
}

/// A terminal's programs are started by another program, which changes the user.
fn as_user(words: &[&str]) -> Command {
    let change = ["setpriv", "--reuid=4321", "--regid=4321", "--clear-groups"];
    sandboxed::bare(Identity::Root, &[&change[..], words].concat()).unwrap()
}

fn run() -> String {
    format!("{} run --", sandboxed::portcullis().unwrap().display())
}

fn wait_for_process(command_line: &str) {
    let started = std::time::Instant::now();
    loop {
        let there = std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let text = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            text.trim_end_matches('\0') == command_line
        });
        if there {
            // It has been started; what it does with its terminal, it does at once.
            std::thread::sleep(std::time::Duration::from_millis(100));
            return;
        }
        assert!(started.elapsed().as_secs() < 20, "{command_line:?} does not start");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, signal) => format!("signal {signal:?}"),
    }
}
