//! `run`: what it refuses before anything is started, how a command's end is passed on, and what the
//! boundary says about itself.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking and says why it is skipped"
)]

mod support;

use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use support::{Place, finish};

/// Whether the whole boundary can be built here; says so where it cannot.
fn whole(place: &Place) -> bool {
    let run = place.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let usable = &report["sandbox"]["usable"];
    if usable.is_string() {
        return true;
    }
    println!("SKIP the sandbox cannot be built here: {}", report["sandbox"]["backends"]);
    false
}

/// Flags, files to write first, and the exact line on the error output.
type Refused = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str);

const REFUSED: &[Refused] = &[
    (
        &["run"],
        &[],
        "no command is given; write it after `--`, as in `portcullis run -- make test`",
    ),
    (
        &["run", "--frob", "ls"],
        &[],
        "unexpected argument `--frob` found; quote a command that has flags of its own, as in `portcullis check 'git push --force'`; see `--help`",
    ),
    (
        &["run", "--require", "most", "--", "true"],
        &[],
        "invalid value `most` for `--require <LEVEL>`; one of `full`, `no-proc`, `landlock`",
    ),
    (
        &["run", "--max-memory", "lots", "--", "true"],
        &[],
        "invalid value `lots` for `--max-memory <SIZE>`: write a size such as `512M` or `2G`; see `--help`",
    ),
    (
        &["run", "--policy", "nowhere.json", "--", "true"],
        &[],
        "cannot read `/project/nowhere.json`: there is no such file; name a settings file by `--policy`",
    ),
    (
        &["run", "--policy", "broken.json", "--", "true"],
        &[("project/broken.json", "{\"permissions\": }")],
        "`/project/broken.json:1:17` is not JSON: expected value; settings are plain JSON, without comments and trailing commas",
    ),
    (
        &["run", "--", "true"],
        &[("home/.claude/settings.json", "{")],
        "the policy is broken: `/home/.claude/settings.json` is not valid JSON: this `{` is never closed; correct /home/.claude/settings.json:1:1 (user)",
    ),
    (
        &["run", "--", "true"],
        &[(
            "home/.claude/settings.json",
            "{\"sandbox\":{\"filesystem\":{\"denyRead\":[\"~root/x\"]}}}",
        )],
        "the policy is broken: an entry of `sandbox.filesystem.denyRead` cannot be read; correct /home/.claude/settings.json:1:39 (user)",
    ),
    (
        &["run", "--cwd", "gone", "--", "true"],
        &[],
        "cannot start in `/project/gone`: no such file or directory; name the directory to start in by `--cwd`",
    ),
    (
        &["run", "--cwd", "file", "--", "true"],
        &[("project/file", "")],
        "`/project/file` is not a directory; name the directory to start in by `--cwd`",
    ),
    (
        &[
            "run",
            "--settings",
            "{\"sandbox\":{\"filesystem\":{\"denyRead\":[\".\"],\"allowRead\":[\".\"]}}}",
            "--",
            "true",
        ],
        &[],
        "the command would start in `/project`, which may not be read (sandbox.filesystem.denyRead \".\", --settings (cli)); start it elsewhere, or allow the directory in `sandbox.filesystem.allowRead`",
    ),
    (
        &["run", "--report", "/nowhere/x", "--", "true"],
        &[],
        "cannot write reports to `/nowhere/x`: no such file or directory; name a file you may write to, or the number of an open descriptor",
    ),
    (
        &["run", "--report", "77", "--", "true"],
        &[],
        "cannot write reports to `77`: no such file or directory; name a descriptor that is open for writing",
    ),
    (
        &[
            "run",
            "--allow-network",
            "host",
            "--settings",
            "{\"sandbox\":{\"network\":{\"strictAllowlist\":true}}}",
            "--",
            "true",
        ],
        &[],
        "`sandbox.network.strictAllowlist` keeps the network restricted (--settings (cli)); leave `--allow-network` out",
    ),
    (
        &["run", "--mode", "yolo", "--", "true"],
        &[],
        "`yolo` is no permission mode; the modes are `default`, `acceptEdits`, `plan`, `auto`, `dontAsk` and `bypassPermissions`",
    ),
];

#[test]
fn refuses_in_one_line_with_the_cure() {
    let mut wrong = Vec::new();
    for (args, files, want) in REFUSED {
        let place = Place::new();
        for (name, text) in *files {
            place.write(name, text);
        }
        let run = place.run(args);
        let said = place.plain(&run.stderr);
        if run.status != Some(125)
            || said != format!("portcullis: {want}\n")
            || !run.stdout.is_empty()
        {
            wrong.push(format!(
                "{args:?}\n  want {want}\n  got  {:?} {said}{}",
                run.status, run.stdout
            ));
        }
        assert!(place.path().join("project").read_dir().unwrap().count() <= files.len());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_failure_is_json_where_json_is_asked_for() {
    let place = Place::new();
    let run = place.run(&["run", "--json", "--cwd", "gone", "--", "true"]);
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(run.status, Some(125));
    assert_eq!(value["error"]["code"], "bad-input");
}

#[test]
fn the_end_of_a_command_is_the_end_of_the_run() {
    let place = Place::new();
    if !whole(&place) {
        return;
    }
    place.write("project/data", "not a program\n");
    for (args, status, said) in [
        (&["run", "--", "true"][..], Some(0), ""),
        (&["run", "--", "sh", "-c", "exit 7"], Some(7), ""),
        (&["run", "--", "sh", "-c", "kill -TERM $$"], None, ""),
        (&["run", "--", "sh", "-c", "kill -KILL $$"], None, ""),
        (
            &["run", "--", "no-such-program"],
            Some(127),
            "portcullis: `no-such-program` is not found\n",
        ),
        (&["run", "--", "./data"], Some(126), "portcullis: `./data` cannot be executed\n"),
        (
            &["run", "--timeout", "1", "--", "sleep", "30"],
            Some(124),
            "portcullis: the command took longer than it may and was killed\n",
        ),
    ] {
        let run = place.run(args);
        assert_eq!((run.status, run.stderr.as_str()), (status, said), "{args:?} {run:?}");
    }
}

#[test]
fn sandbox_exec_is_run_by_another_name() {
    let place = Place::new();
    let link = place.path().join("sandbox-exec");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_portcullis"), &link).unwrap();
    let mut command = std::process::Command::new(&link);
    command.args(["--cwd", "gone", "--", "true"]).current_dir(place.project());
    command.env_clear().env("HOME", place.home());
    let run = finish(command, b"");
    assert_eq!(run.status, Some(125));
    assert!(run.stderr.starts_with("portcullis: cannot start in"), "{run:?}");
}

#[test]
fn a_working_directory_that_cannot_be_written_is_only_read() {
    let place = Place::new();
    if !whole(&place) {
        return;
    }
    fs::set_permissions(place.project(), fs::Permissions::from_mode(0o555)).unwrap();
    let run = place.run(&["run", "--", "sh", "-c", "ls && pwd"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    fs::set_permissions(place.project(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_a_command_sees_and_may_write() {
    let place = Place::new();
    if !whole(&place) {
        return;
    }
    place.write("home/.ssh/key", "secret").write("project/.env", "secret");
    place.write("home/notes", "old");
    let settings = r#"{"sandbox":{"filesystem":{"denyRead":["~/.ssh","/**/.env"]},
        "credentials":{"envVars":[{"name":"TOKEN","mode":"deny"}]}}}"#;
    place.write("home/.claude/settings.json", settings);
    let script = "cat ~/.ssh/key .env; echo new > ~/notes; echo x > made; echo x > .bashrc; \
        test -d \"$TMPDIR\" && echo temporary; echo \"<$TOKEN$LD_LIBRARY_PATH>\"; false";
    let mut command = place.command(&["run", "--", "sh", "-c", script]);
    command.env("TOKEN", "secret").env("LD_LIBRARY_PATH", "/secret");
    let run = finish(command, b"");
    assert_eq!(run.stdout, "temporary\n<>\n", "{run:?}");
    assert_eq!(run.status, Some(1));
    assert!(!run.stderr.contains("secret"), "{run:?}");
    assert_eq!(place.read("home/notes"), "old");
    assert_eq!(place.read("project/made"), "x\n");
    assert!(!place.project().join(".bashrc").exists());
    let said = place.plain(&run.stderr);
    for part in [
        "/project/.env (rule sandbox.filesystem.denyRead \"/**/.env\", /home/.claude/settings.json:1:",
        "/home/notes (no rule allows it)",
        "/project/.bashrc (rule built in: a protected name",
    ] {
        let told =
            said.lines().any(|line| line.starts_with("portcullis: denied ") && line.contains(part));
        assert!(told, "{part}\n{said}");
    }
}

#[test]
fn names_that_no_mount_can_carry_are_allowed_by_name() {
    let place = Place::new();
    if !whole(&place) {
        return;
    }
    place.write("home/keys/one.pub", "public").write("home/keys/one", "secret");
    let settings = r#"{"sandbox":{"filesystem":{"allowWrite":["~/new","~/*.lock"],
        "denyRead":["~/keys"],"allowRead":["~/keys/*.pub"],"denyWrite":["~/held.lock"]}}}"#;
    place.write("home/.claude/settings.json", settings);
    let script = "cd ~ && echo x > new && echo x > a.lock && mkdir b.lock && echo x > b.lock/in; \
        cat keys/one.pub; for f in other held.lock .bashrc b.lock/.bashrc; do echo x > $f; done; \
        cat keys/one; ls keys; mv a.lock c; ln a.lock d; mv a.lock e.lock; chmod 600 .claude/settings.json; \
        rm -f .claude/settings.json; true";
    let run = place.run(&["run", "--", "sh", "-c", script]);
    assert_eq!((run.status, &*run.stdout), (Some(0), "public"), "{run:?}");
    let mut names: Vec<_> = fs::read_dir(place.project().parent().unwrap().join("home"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".claude", "b.lock", "e.lock", "keys", "new"], "{run:?}");
    assert_eq!(place.read("home/.claude/settings.json"), settings);
}

#[test]
fn a_file_with_other_names_is_told_and_refused_where_everything_is_required() {
    let place = Place::new();
    if !whole(&place) {
        return;
    }
    place.write("project/held", "old").write("project/single", "old");
    let project = place.project();
    let project = project.display();
    let settings = format!(
        r#"{{"sandbox":{{"filesystem":{{"denyWrite":["{project}/held","{project}/single"]}}}}}}"#
    );
    place.write("home/.claude/settings.json", settings);
    let run = place.run(&["run", "--", "true"]);
    assert_eq!((run.status, &*run.stderr), (Some(0), ""), "{run:?}");
    fs::hard_link(place.project().join("held"), place.project().join("other")).unwrap();
    let decides = place.project().parent().unwrap().join("home/.claude/settings.json");
    fs::hard_link(decides, place.project().join("rules")).unwrap();
    let told = |run: &support::Run| -> Vec<String> {
        let lines = place.plain(&run.stderr);
        lines.lines().filter(|line| line.contains(" names, ")).map(str::to_owned).collect()
    };
    let run = place.run(&["run", "--", "sh", "-c", "echo new > held; echo new > other; true"]);
    let lines = told(&run);
    assert_eq!(lines.len(), 2, "{run:?}");
    assert!(lines.iter().any(|line| line.starts_with(
        "portcullis: `/project/held` has 2 names, and only this one is held (rule sandbox.filesystem.denyWrite"
    )), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("settings.json` has 2 names")), "{lines:?}");
    assert_eq!(place.read("project/held"), "new\n");
    let run = place.run(&["run", "--require", "full", "--", "touch", "never"]);
    assert_eq!(run.status, Some(125), "{run:?}");
    assert_eq!((run.stderr.lines().count(), told(&run).len()), (1, 1), "{run:?}");
    assert!(run.stderr.contains("put a copy of the file in its place"), "{run:?}");
    assert!(!place.project().join("never").exists());
}

#[test]
fn explains_every_part_with_its_place() {
    let place = Place::new();
    place.write(
        "home/.claude/settings.json",
        r#"{"permissions":{"deny":["Read(~/.ssh/**)"]},"sandbox":{"network":{"allowedDomains":["example.org"]}}}"#,
    );
    let run = place.run(&["run", "--explain"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let said = place.plain(&run.stdout);
    for part in [
        "deny   /home/.ssh ",
        "deny rule Read(~/.ssh/**), ~/.claude/settings.json:1:",
        "allow  /project ",
        "protected below /project: ",
        ".git/hooks",
        "allow  example.org ",
        "can be read from its `.git`",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let run = place.run(&["run", "--explain", "--json"]);
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    let rules = value["files"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["effect"] == "deny" && rule["access"] == "read"));
    assert_eq!(value["network"]["access"], "domains");
}

#[test]
fn the_hook_puts_an_approved_command_inside() {
    let place = Place::new();
    if !whole(&place) {
        return;
    }
    place.write("home/.claude/settings.json", r#"{"sandbox":{"enabled":true}}"#);
    let project = place.project();
    let payload = |command: &str, more: &str| {
        format!(
            r#"{{"hook_event_name":"PreToolUse","tool_name":"Bash","cwd":"{0}","tool_input":{{"command":{1},"timeout":5{more}}}}}"#,
            project.display(),
            Value::from(command)
        )
    };
    let answer = |payload: &str| -> Value {
        let run = place.run_with(&["hook"], payload);
        assert_eq!(run.status, Some(0), "{run:?}");
        serde_json::from_str::<Value>(&run.stdout).unwrap()["hookSpecificOutput"].clone()
    };
    let said = answer(&payload("echo \"it's\" > 'a b' && cat 'a b'", ""));
    assert_eq!(said["permissionDecision"], "allow", "{said}");
    let input = &said["updatedInput"];
    assert_eq!(input["timeout"], 5);
    assert_eq!(input["dangerouslyDisableSandbox"], true);
    let command = input["command"].as_str().unwrap();
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(&project)
        .env_clear()
        .env("HOME", place.home())
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "it's\n", "{output:?}");
    // Rules for the command hold for what is sent instead of it.
    place.write(
        "home/.claude/settings.json",
        r#"{"sandbox":{"enabled":true},"permissions":{"ask":["Bash(git push *)"],"allow":["Bash"]}}"#,
    );
    let said = answer(&payload("git push origin", ""));
    assert_eq!(said["permissionDecision"], "ask", "{said}");
    let confined = said["updatedInput"]["command"].as_str().unwrap();
    let run = place.run_with(&["hook"], payload(confined, ",\"dangerouslyDisableSandbox\":true"));
    assert!(run.stdout.contains("\"ask\""), "{run:?}");
    // Excluded commands and calls that may leave run as they were sent.
    place.write(
        "home/.claude/settings.json",
        r#"{"sandbox":{"enabled":true,"excludedCommands":["docker *"]},"permissions":{"allow":["Bash"]}}"#,
    );
    for payload in
        [payload("docker ps", ""), payload("make", ",\"dangerouslyDisableSandbox\":true")]
    {
        let said = answer(&payload);
        assert!(said.get("updatedInput").is_none(), "{said}");
    }
}
