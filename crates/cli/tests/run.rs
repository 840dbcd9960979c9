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
fn a_dry_run_lists_what_would_have_changed_and_changes_nothing() {
    let place = Place::new();
    if !whole(&place) {
        return;
    }
    for name in ["changed", "gone", "tree/a", "tree/b/c", "moved", "mode", "same", ".git/config"] {
        place.write(&format!("project/{name}"), "old\n");
    }
    place.write("project/.git/hooks/run", "old\n").write("home/notes", "old\n");
    let notes = place.home().join("notes");
    let settings =
        format!(r#"{{"sandbox":{{"filesystem":{{"allowWrite":["{}"]}}}}}}"#, notes.display());
    place.write("home/.claude/settings.json", settings);
    let before = tree(&place.path());
    let script = "echo new > made; echo more >> changed; rm gone; mkdir -p dir/sub; echo x > dir/sub/f; \
        rm -r tree; mkdir tree; echo n > tree/new; mv moved to; chmod 700 mode; ln -s a link; \
        : >> same; touch same; echo x > .git/index; echo x > .git/config; echo more >> ~/notes; \
        cat made changed; exit 3";
    let wanted = [
        ("changed", "home/notes"),
        ("added", "project/.git/index"),
        ("changed", "project/changed"),
        ("added", "project/dir/"),
        ("added", "project/dir/sub/"),
        ("added", "project/dir/sub/f"),
        ("removed", "project/gone"),
        ("added", "project/link"),
        ("added", "project/made"),
        ("changed", "project/mode"),
        ("removed", "project/moved"),
        ("added", "project/to"),
        ("removed", "project/tree/a"),
        ("removed", "project/tree/b/"),
        ("added", "project/tree/new"),
    ];
    let run = place.run(&["run", "--dry-run", "--json", "--", "sh", "-c", script]);
    assert_eq!(run.status, Some(3), "{run:?}");
    assert!(run.stdout.starts_with("new\nold\nmore\n{"), "{run:?}");
    let told: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    let root = format!("{}/", place.path().display());
    let listed: Vec<(&str, &str)> = told["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let path = change["path"].as_str().unwrap();
            (change["change"].as_str().unwrap(), path.strip_prefix(&root).unwrap())
        })
        .collect();
    assert_eq!(listed, wanted, "{run:?}");
    assert_eq!(told["incomplete"], false);
    assert_eq!(tree(&place.path()), before);
    let run = place.run(&["run", "--dry-run", "--", "sh", "-c", script]);
    let said = place.plain(&run.stderr);
    let lines: Vec<&str> = said.lines().rev().take(wanted.len() + 1).collect();
    assert_eq!(lines[wanted.len()], "portcullis: 15 paths would have changed", "{run:?}");
    assert_eq!(lines[0], "  added    /project/tree/new", "{run:?}");
    let run = place.run(&["run", "--dry-run", "--", "cat", "changed"]);
    assert_eq!(run.stderr, "portcullis: nothing would have changed\n", "{run:?}");
    assert_eq!(tree(&place.path()), before);
}

#[test]
fn a_dry_run_that_could_change_something_is_refused() {
    let place = Place::new();
    if !whole(&place) {
        return;
    }
    let run = |filesystem: &str| {
        let settings = format!(r#"{{"sandbox":{{"filesystem":{filesystem}}}}}"#);
        place.run(&["run", "--dry-run", "--settings", &settings, "--", "touch", "made"])
    };
    for (filesystem, line) in [
        (
            r#"{"disabled":true}"#,
            "a dry run needs a view of the files of its own; leave the isolation of files on, and run at a level that has namespaces",
        ),
        (
            r#"{"allowWrite":["/"]}"#,
            "a dry run cannot keep what is written to `/`: it is everything; take it out of what may be written",
        ),
    ] {
        let run = run(filesystem);
        assert_eq!(run.status, Some(125), "{run:?}");
        assert_eq!(run.stderr, format!("portcullis: {line}\n"));
        assert!(!place.project().join("made").exists());
    }
}

/// Everything below a folder: its name, mode and content.
fn tree(folder: &std::path::Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let status = path.symlink_metadata().unwrap();
        let content = if status.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        found.push((path.display().to_string(), status.permissions().mode(), content));
        if status.is_dir() {
            found.extend(tree(&path));
        }
    }
    found.sort();
    found
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
