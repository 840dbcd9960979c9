//! What goes wrong around a run ends in one clear line and the documented status, and nothing is half set
//! up: the command has either run behind the whole boundary or not at all.

use portcullis_tests::escapes::options::Backend;
use portcullis_tests::escapes::run::take_away;
use portcullis_tests::escapes::{Identity, fixture};
use portcullis_tests::sandboxed;
use portcullis_tests::terminal::Terminal;
use portcullis_tests::tree::Tree;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A mark that the command has run.
const RAN: &str = "/home/pc/proj/ran";

/// What is wrong, as a line of shell in which `@` is the sandbox with options; the status; a part of the
/// only line on the error output.
const WRONG: &[(&str, i32, &str)] = &[
    ("@ -- nosuchprogram", 127, "`nosuchprogram` is not found"),
    ("@ -- ./nosuchdir/program", 127, "`./nosuchdir/program` is not found"),
    ("@ -- ./ok.txt", 126, "`./ok.txt` cannot be executed"),
    ("@ -- /etc", 126, "`/etc` cannot be executed"),
    ("@ -- secrets/tool", 126, "`secrets/tool` cannot be executed"),
    ("@ --policy nowhere.json -- touch ran", 125, "there is no such file"),
    ("@ --policy /home/other -- touch ran", 125, "/home/other"),
    ("echo '{' > broken.json; @ --policy broken.json -- touch ran", 125, "is not"),
    ("echo '{}' > shut.json; chmod 0 shut.json; @ --policy shut.json -- touch ran", 125, "denied"),
    (
        "@ --settings '{\"sandbox\":{\"filesystem\":{\"denyRead\":[\"/\"]}}}' -- touch ran",
        125,
        "may not be read",
    ),
    ("mkdir d; cd d; rmdir ../d; @ -- touch /home/pc/proj/ran", 125, "portcullis: "),
    ("@ --cwd /nonexistent -- touch ran", 125, "cannot start in `/nonexistent`"),
    ("@ --cwd secrets -- touch /home/pc/proj/ran", 125, "which may not be read"),
    ("@ --pass-fd 99 -- touch ran", 125, "descriptor 99 is not open"),
    ("@ --report /nonexistent/x -- touch ran", 125, "cannot write reports"),
    ("@ -- touch ran < /home", 125, "descriptor 0 is a directory"),
    ("@ -- touch ran > /dev/full 2>&1 < /home; exit $?", 125, ""),
];

#[test]
fn what_is_wrong_is_said_in_one_line() {
    sandboxed::test("what_is_wrong_is_said_in_one_line", || {
        let run = format!("{} run", sandboxed::portcullis().unwrap().display());
        let mut wrong = Vec::new();
        for (line, status, said) in WRONG {
            fixture::plant(Identity::User).unwrap();
            let script = line.replace('@', &run);
            let words = ["/bin/bash", "-c", &script];
            let output = sandboxed::bare(Identity::User, &words).unwrap().output().unwrap();
            let complaint = String::from_utf8_lossy(&output.stderr);
            let lines = usize::from(!said.is_empty());
            if output.status.code() != Some(*status)
                || complaint.lines().count() != lines
                || !complaint.contains(said)
                || Path::new(RAN).exists()
            {
                wrong.push(format!("{line}: {:?} {complaint}", output.status.code()));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        println!("| {} kinds of bad input, one line each", WRONG.len());
    })
    .unwrap();
}

#[test]
fn a_machine_that_cannot_hold_the_boundary_is_told_why() {
    sandboxed::test("a_machine_that_cannot_hold_the_boundary_is_told_why", || {
        for (machine, options, status, said) in [
            (Backend::Full, &[][..], 0, ""),
            (Backend::LandlockOnly, &[], 125, "user.max_user_namespaces"),
            (Backend::LandlockOnly, &["--require", "full"], 125, "user.max_user_namespaces"),
            (Backend::LandlockOnly, &["--require", "no-proc"], 125, "user.max_user_namespaces"),
            (Backend::LandlockOnly, &["--require", "landlock"], 0, ""),
            (Backend::SharedProc, &[], 125, "/proc"),
            (Backend::SharedProc, &["--require", "no-proc"], 0, ""),
        ] {
            for identity in [Identity::User, Identity::Root] {
                fixture::plant(identity).unwrap();
                take_away(machine).unwrap();
                let before = Tree::of(&["/home", "/tmp"]).unwrap();
                let words = ["/bin/true"];
                let output =
                    sandboxed::behind(identity, options, &words).unwrap().output().unwrap();
                let complaint = String::from_utf8_lossy(&output.stderr);
                let case = format!("{identity:?} on {machine:?} with {options:?}: {complaint}");
                assert_eq!(output.status.code(), Some(status), "{case}");
                assert_eq!(complaint.lines().count(), usize::from(status != 0), "{case}");
                assert!(complaint.contains(said), "{case}");
                let differences = before.differences(&Tree::of(&["/home", "/tmp"]).unwrap());
                assert!(differences.is_empty(), "{case}: {differences:#?}");
            }
        }
    })
    .unwrap();
}

#[test]
fn a_limit_on_processes_is_not_promised_to_root() {
    sandboxed::test("a_limit_on_processes_is_not_promised_to_root", || {
        for (identity, status) in [(Identity::User, 0), (Identity::Root, 125)] {
            fixture::plant(identity).unwrap();
            let options = ["--max-processes", "50"];
            let command = sandboxed::behind(identity, &options, &["/bin/true"]);
            let output = command.unwrap().output().unwrap();
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(status), "{identity:?}: {complaint}");
            assert_eq!(complaint.lines().count(), usize::from(status != 0), "{complaint}");
            assert!(status == 0 || complaint.contains("does not hold for root"), "{complaint}");
        }
    })
    .unwrap();
}

#[test]
fn a_full_table_of_descriptors_runs_all_or_nothing() {
    sandboxed::test("a_full_table_of_descriptors_runs_all_or_nothing", || {
        let run = format!("{} run", sandboxed::portcullis().unwrap().display());
        let mut ran = 0;
        for limit in 3..40 {
            fixture::plant(Identity::User).unwrap();
            let script = format!(
                "ulimit -Hn {limit}; exec {run} -- /bin/sh -c 'echo x > ran; cat .env .mcp.json; \
                 echo x > .mcp.json; exit 7'"
            );
            let words = ["/bin/bash", "-c", &script];
            let output = sandboxed::bare(Identity::User, &words).unwrap().output().unwrap();
            let complaint = String::from_utf8_lossy(&output.stderr);
            let case = format!("{limit} descriptors: {:?} {complaint}", output.status);
            assert!(!String::from_utf8_lossy(&output.stdout).contains("PCSECRET"), "{case}");
            assert!(!Path::new("/home/pc/proj/.mcp.json").exists(), "{case}");
            match output.status.code() {
                Some(7) => ran += 1,
                // The loader itself needs some.
                Some(127) => assert!(!Path::new(RAN).exists(), "{case}"),
                Some(125) => {
                    assert_eq!(complaint.lines().count(), 1, "{case}");
                    assert!(!Path::new(RAN).exists(), "{case}");
                }
                // The supervisor shares the limit: what it cannot open is refused.
                Some(1 | 2 | 126) => {}
                other => panic!("{other:?}: {case}"),
            }
        }
        assert!(ran > 3, "{ran} ran");
    })
    .unwrap();
}

#[test]
fn a_directory_of_somebody_else_is_only_read() {
    sandboxed::test("a_directory_of_somebody_else_is_only_read", || {
        fixture::plant(Identity::User).unwrap();
        let foreign = "/home/other/foreign";
        fs::create_dir(foreign).unwrap();
        fs::write(format!("{foreign}/file"), "theirs\n").unwrap();
        for mode in [0o755, 0o555] {
            fs::set_permissions(foreign, Permissions::from_mode(mode)).unwrap();
            let script =
                "cat file; echo x > new; echo x > file; touch -d 2001-01-01 file; rm -f file";
            let options = ["--cwd", foreign];
            let words = ["/bin/bash", "-c", script];
            let output = sandboxed::behind(Identity::User, &options, &words).unwrap().output();
            let output = output.unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), "theirs\n");
            assert_eq!(fs::read_dir(foreign).unwrap().count(), 1);
            assert_eq!(fs::read_to_string(format!("{foreign}/file")).unwrap(), "theirs\n");
        }
    })
    .unwrap();
}

#[test]
fn a_dead_terminal_ends_nothing_but_itself() {
    sandboxed::test("a_dead_terminal_ends_nothing_but_itself", || {
        fixture::plant(Identity::User).unwrap();
        let run = format!("{} run", sandboxed::portcullis().unwrap().display());
        // Hung up while the command waits, and before it starts.
        for script in [
            format!("trap '' HUP; {run} -- sh -c 'trap \"\" HUP; echo up; cat; echo after > ran'"),
            format!("trap '' HUP; echo up; sleep 0.5; {run} -- sh -c 'echo after > ran'"),
        ] {
            let words = ["setpriv", "--reuid=4321", "--regid=4321", "--clear-groups"];
            let words = [&words[..], &["/bin/bash", "-c", &script]].concat();
            let command = sandboxed::bare(Identity::Root, &words).unwrap();
            let mut terminal = Terminal::start(&command).unwrap();
            terminal.wait_for("up").unwrap();
            terminal.hang_up();
            let started = std::time::Instant::now();
            while !Path::new(RAN).exists() {
                assert!(started.elapsed().as_secs() < 20, "it did not go on: {script}");
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            fs::remove_file(RAN).unwrap();
        }
    })
    .unwrap();
}
