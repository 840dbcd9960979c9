//! Every broken flag, payload and settings file: one clear error, its place, its cure, its status.

#[expect(dead_code, reason = "the other suites use the rest")]
mod support;

use support::Place;

/// A command line or a payload, and the exact error.
struct Case {
    args: &'static [&'static str],
    stdin: &'static str,
    status: i32,
    stderr: &'static str,
}

const CASES: &[Case] = &[
    Case {
        args: &["policy", "import", "-"],
        stdin: "{}",
        status: 65,
        stderr: "error: cannot import `-`: `network` is missing\nhint: the file needs `network` and `filesystem` with their lists, as the Sandbox Runtime does\n",
    },
    Case {
        args: &["policy", "import"],
        stdin: "",
        status: 65,
        stderr: "error: cannot read `~/.srt-settings.json`: no such file or directory\nhint: name the file: `portcullis policy import FILE`\n",
    },
    Case {
        args: &["chekc"],
        stdin: "",
        status: 64,
        stderr: "error: unrecognized subcommand `chekc`\nhint: did you mean `schema`, `check`?\n",
    },
    Case {
        args: &["check", "--frob", "ls"],
        stdin: "",
        status: 64,
        stderr: "error: unexpected argument `--frob` found\nhint: quote a command that has flags of its own, as in `portcullis check 'git push --force'`; see `--help`\n",
    },
    Case {
        args: &["check", "--alow", "Bash", "ls"],
        stdin: "",
        status: 64,
        stderr: "error: unexpected argument `--alow` found\nhint: did you mean `--allow`?\n",
    },
    Case {
        args: &["check"],
        stdin: "",
        status: 64,
        stderr: "error: no call is given\nhint: give a shell command, as in `portcullis check 'git push'`, or a tool and its input\n",
    },
    Case {
        args: &["check", "--mode", "yolo", "ls"],
        stdin: "",
        status: 64,
        stderr: "error: `yolo` is no permission mode\nhint: the modes are `default`, `acceptEdits`, `plan`, `auto`, `dontAsk` and `bypassPermissions`\n",
    },
    Case {
        args: &["check", "--cwd", "", "ls"],
        stdin: "",
        status: 64,
        stderr: "error: `--cwd` names no directory\n",
    },
    Case {
        args: &["check", "Read", "a", "b"],
        stdin: "",
        status: 64,
        stderr: "error: `Read` takes one argument, and 2 are given\nhint: quote an argument that holds blanks\n",
    },
    Case {
        args: &["check", "mcp__x__y", "text"],
        stdin: "",
        status: 64,
        stderr: "error: `mcp__x__y` takes a JSON object as its input\nhint: write `portcullis check mcp__x__y '{\"name\":\"value\"}'`\n",
    },
    Case {
        args: &["check", "{ ls; }"],
        stdin: "",
        status: 65,
        stderr: "error: the input is not JSON: key must be a string at line 1, column 3\nhint: for a shell group, write `portcullis check Bash '{ …; }'`\n",
    },
    Case {
        args: &["check", "{\"tool\":\"Bash\"}"],
        stdin: "",
        status: 65,
        stderr: "error: the JSON object has no `tool_name`\nhint: write `{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\"}}`, or put the tool before the object\n",
    },
    Case {
        args: &["check", "{\"tool_name\":\"Bash\",\"cwd\":\"here\"}"],
        stdin: "",
        status: 65,
        stderr: "error: `cwd` is not an absolute path: `here`\n",
    },
    Case {
        args: &["check", "--policy", "none.json", "ls"],
        stdin: "",
        status: 65,
        stderr: "error: cannot read `/project/none.json`: there is no such file\nhint: name a settings file by `--policy`\n",
    },
    Case {
        args: &["check", "--policy", "broken.json", "ls"],
        stdin: "",
        status: 65,
        stderr: "error: `/project/broken.json:2:3` is not JSON: expected value\nhint: settings are plain JSON, without comments and trailing commas\n",
    },
    Case {
        args: &["check", "--policy", "bytes.json", "ls"],
        stdin: "",
        status: 65,
        stderr: "error: cannot read `/project/bytes.json`: not UTF-8\nhint: name a settings file by `--policy`\n",
    },
    Case {
        args: &["check", "--policy", ".", "ls"],
        stdin: "",
        status: 65,
        stderr: "error: cannot read `/project`: not a regular file\nhint: name a settings file by `--policy`\n",
    },
    Case {
        args: &["check", "--settings", "{\"permissions\":}", "ls"],
        stdin: "",
        status: 65,
        stderr: "error: `--settings:1:16` is not JSON: expected value\nhint: settings are plain JSON, without comments and trailing commas\n",
    },
    Case {
        args: &["explain", "--codes", "x"],
        stdin: "",
        status: 64,
        stderr: "error: the argument `--codes` cannot be used with `[CODE|CALL]...`\nhint: see `--help`\n",
    },
    Case {
        args: &["install"],
        stdin: "",
        status: 64,
        stderr: "error: the following required arguments were not provided\nhint: give `--agent <AGENT>`\n",
    },
    Case {
        args: &["install", "--agent", "emacs"],
        stdin: "",
        status: 64,
        stderr: "error: invalid value `emacs` for `--agent <AGENT>`\nhint: one of `claude-code`\n",
    },
    Case {
        args: &["install", "--agent", "claude-code", "--user", "--local"],
        stdin: "",
        status: 64,
        stderr: "error: the argument `--user` cannot be used with `--local`\nhint: see `--help`\n",
    },
    Case {
        args: &["install", "--agent", "claude-code", "--project"],
        stdin: "",
        status: 65,
        stderr: "error: `/project/.claude/settings.json:1:3` is not JSON: key must be a string\nhint: nothing was changed; repair the file and try again\n",
    },
    Case {
        args: &["install", "--agent", "claude-code", "--", "--frob"],
        stdin: "",
        status: 64,
        stderr: "error: unexpected argument `--frob` found\nhint: quote a command that has flags of its own, as in `portcullis check 'git push --force'`; see `--help`\n",
    },
    Case {
        args: &["schema", "nothing"],
        stdin: "",
        status: 64,
        stderr: "error: `nothing` is no format\nhint: the formats are `batch-input`, `batch-output`, `hook-input`, `hook-output`, `log-record`, `settings`\n",
    },
    Case {
        args: &["man", "nothing"],
        stdin: "",
        status: 64,
        stderr: "error: `nothing` is no command\nhint: the commands are `check`, `explain`, `run`, `hook`, `install`, `uninstall`, `policy`, `audit`, `diff`, `test`, `replay`, `suggest`, `doctor`, `proxy`, `serve`, `connect`, `schema`, `completions`, `man`\n",
    },
    Case {
        args: &["completions", "tcsh"],
        stdin: "",
        status: 64,
        stderr: "error: invalid value `tcsh` for `<SHELL>`\nhint: did you mean `zsh`?\n",
    },
];

fn place() -> Place {
    let place = Place::new();
    place
        .write("project/broken.json", "{\"permissions\":\n  oops}")
        .write("project/bytes.json", b"{\"a\":\"\xff\"}")
        .write("project/.claude/settings.json", "{ // mine\n}");
    place
}

#[test]
fn each_has_one_clear_error() {
    let place = place();
    let mut wrong = Vec::new();
    for case in CASES {
        let run = place.run_with(case.args, case.stdin);
        let got = place.plain(&run.stderr);
        if run.status != Some(case.status) || got != case.stderr || !run.stdout.is_empty() {
            wrong.push(format!("{:?}\n  {:?} {got}{}", case.args, run.status, run.stdout));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_errors_are_the_same_in_json() {
    let place = place();
    for case in CASES {
        let mut args = case.args.to_vec();
        args.insert(1, "--json");
        let run = place.run_with(&args, case.stdin);
        assert_eq!(run.status, Some(case.status), "{args:?} {run:?}");
        let value: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let message = value.pointer("/error/message").and_then(|m| m.as_str()).unwrap();
        let first = case.stderr.lines().next().unwrap().strip_prefix("error: ").unwrap();
        assert_eq!(place.plain(message), first);
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn an_import_that_would_lose_a_restriction_says_so() {
    let settings = r#"{"network": {"allowedDomains": ["a.test"], "deniedDomains": [], "refuseOpaqueTunnels": true},
        "filesystem": {"denyRead": [], "allowWrite": [], "denyWrite": []}}"#;
    let run = place().run_with(&["policy", "import", "-"], settings);
    assert_eq!(run.status, Some(1), "{run:?}");
    assert_eq!(
        run.stderr,
        "error: network.refuseOpaqueTunnels: tunnels whose content is not read are not refused\n"
    );
    let written: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(written.pointer("/sandbox/network/allowedDomains/0").unwrap(), "a.test");
    assert!(!run.stdout.contains("refuseOpaqueTunnels"));
}

#[test]
fn broken_discovered_settings_ask_and_say_where() {
    let place = place();
    let run = place.run(&["check", "ls"]);
    assert_eq!(run.status, Some(10), "{run:?}");
    assert!(place.plain(&run.stdout).contains("/project/.claude/settings.json:1:3"), "{run:?}");
    let run = place.run(&["policy", "list"]);
    assert!(run.stdout.contains("project  broken"), "{run:?}");
    let run = place.run(&["doctor"]);
    assert_eq!(run.status, Some(1));
    assert!(run.stdout.contains("error[json-comment]"), "{}", run.stdout);
    place.write("project/.claude/portcullis.toml", "log = yes\n");
    let run = place.run(&["doctor"]);
    let want = "portcullis.toml: it is not TOML: string values must be quoted";
    assert!(run.stdout.contains(want), "{}", run.stdout);
}

#[test]
fn batch_goes_on_after_bad_lines() {
    let place = Place::new();
    let run = place.run_with(
        &["check", "--batch"],
        "nonsense\n\n{\"id\":7}\n{\"id\":8,\"tool_name\":\"Read\",\"tool_input\":{\"file_path\":\"/x\"}}\r\n[]",
    );
    assert_eq!(run.status, Some(0));
    let lines: Vec<serde_json::Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<String> = lines
        .iter()
        .map(|line| {
            let code = line.pointer("/error/code").or_else(|| line.get("decision")).unwrap();
            format!("{} {}", line.get("id").unwrap(), code.as_str().unwrap())
        })
        .collect();
    assert_eq!(texts, ["null not-json", "7 no-tool", "8 ask", "null not-an-object"]);
}

#[test]
fn batch_answers_each_line_once_however_long_or_odd() {
    let place = Place::new();
    let good = "{\"id\":9,\"tool_name\":\"Read\",\"tool_input\":{\"file_path\":\"/x\"}}";
    let mut input = vec![b'x'; 40 * 1024 * 1024];
    input.extend(b"\n{\"id\":\"\xff\"}\n");
    input.extend("\u{e9}".repeat(17 * 1024 * 1024).as_bytes());
    input.extend(format!("\n{good}\n").as_bytes());
    let run = place.run_with(&["check", "--batch"], input);
    let codes: Vec<String> = run
        .stdout
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let code = line.pointer("/error/code").or_else(|| line.get("decision")).unwrap();
            code.as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(codes, ["too-long", "not-utf8", "too-long", "ask"]);
}

#[test]
fn hidden_characters_never_reach_the_terminal() {
    let place = Place::new();
    for args in [
        &["check", "echo \u{202e}x \u{1b}[31m"][..],
        &["explain", "echo \u{202e}x \u{1b}[31m"],
        &["explain", "--deny", "Bash(echo \u{202e}*)", "echo \u{202e}x"],
        &["check", "--mode", "\u{202e}\u{1b}", "ls"],
        &["check", "--policy", "\u{202e}\u{1b}", "ls"],
        &["check", "Read", "\u{202e}\u{1b}"],
        &["policy", "show", "--deny", "Bash(\u{202e}\u{1b}"],
        &["\u{202e}\u{1b}"],
        &["check", "--\u{202e}\u{1b}"],
    ] {
        let run = place.run(args);
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(!all.contains(['\u{202e}', '\u{1b}']), "{args:?}\n{all}");
    }
}
