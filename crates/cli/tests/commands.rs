//! The commands, as a person and as a program calls them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail by panicking")]

#[expect(dead_code, reason = "the other suites use the rest")]
mod support;

use serde_json::{Value, json};
use std::fs;
use support::{Place, finish, program};

#[test]
fn check_answers_by_status_text_and_json() {
    let place = Place::new();
    for (args, status) in [
        (&["check", "--allow", "Bash(make *)", "make all"][..], 0),
        (&["check", "make all"], 10),
        (&["check", "--deny", "Bash(make *)", "make", "all"], 11),
        (&["check", "--mode", "dontAsk", "make all"], 11),
        (&["check", "Read", "a.txt"], 0),
        (&["check", "Read", "/etc/passwd"], 10),
        (&["check", "WebFetch", "https://example.com/"], 10),
        (&["check", "--deny", "mcp__x", "mcp__x__y", "{\"a\":1}"], 11),
        (
            &[
                "check",
                "--no-discovery",
                "{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\"}}",
            ],
            0,
        ),
    ] {
        let run = place.run(args);
        assert_eq!(run.status, Some(status), "{args:?} {run:?}");
        let word = run.stdout.split(':').next().unwrap();
        let mut args = args.to_vec();
        args.push("--json");
        let json = place.run(&args);
        assert_eq!(json.status, Some(status));
        let value: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(value.get("decision").unwrap(), word);
    }
    let run = place.run_with(&["check", "-"], "make all");
    assert_eq!(run.status, Some(10), "{run:?}");
}

#[test]
fn explain_shows_every_part_with_its_place() {
    let place = Place::new();
    place.write(
        "home/.claude/settings.json",
        "{\n  \"permissions\": {\n    \"deny\": [\"Bash(git push *)\"],\n    \"allow\": [\"Bash(make *)\"]\n  }\n}\n",
    );
    let run = place.run(&["explain", "cd sub && git push origin && make x && frob"]);
    assert_eq!(run.status, Some(11), "{run:?}");
    assert!(run.stdout.contains("^^^^^^^^^^^^^^^"), "{}", run.stdout);
    assert!(
        run.stdout.contains(
            "matches deny rule `Bash(git push *)` at ~/.claude/settings.json:3:14 (user)"
        ),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("what would change this"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'));
    let coloured = place.run(&["explain", "--color", "always", "git push origin"]);
    assert!(coloured.stdout.contains('\u{1b}'));
}

#[test]
fn explain_names_rules_that_do_not_count() {
    let place = Place::new();
    place.write(
        "project/.claude/settings.json",
        r#"{"permissions":{"allow":["Bash(make *)","WebFetch(domain:a.example)","Bash(rm *)"]}}"#,
    );
    for (args, rule) in [
        (&["explain", "ls && make x"][..], Some("allow rule `Bash(make *)`")),
        (
            &["explain", "WebFetch", "https://a.example/x"],
            Some("allow rule `WebFetch(domain:a.example)`"),
        ),
        (&["explain", "frob"], None),
    ] {
        let run = place.run(args);
        assert_eq!(run.status, Some(10), "{run:?}");
        let why = "matches, but does not count: the workspace is not trusted";
        assert_eq!(run.stdout.contains(why), rule.is_some(), "{}", run.stdout);
        assert!(run.stdout.contains(rule.unwrap_or("")), "{}", run.stdout);
    }
    // Nothing is allowed by it.
    let run = place.run(&["explain", "--json", "make x"]);
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(value.get("decision").unwrap(), "ask");
    assert!(run.stdout.contains("is not trusted"), "{}", run.stdout);
}

#[test]
fn explain_has_pages() {
    let place = Place::new();
    let run = place.run(&["explain", "protected-path"]);
    assert_eq!(run.status, Some(0));
    assert!(run.stdout.starts_with("protected-path\n"), "{}", run.stdout);
    let run = place.run(&["explain", "--codes", "--json"]);
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(value.get("codes").unwrap().as_array().unwrap().len() > 80);
}

#[test]
fn install_is_idempotent_shown_and_undoable() {
    let place = Place::new();
    let before = "{\n  \"model\": \"opus\",\n  \"hooks\": {\"Stop\": []}\n}\n";
    place.write("home/.claude/settings.json", before);
    let flags = ["--agent", "claude-code", "--user"];
    let with = |command: &'static str, more: &[&'static str]| {
        let args: Vec<&str> = [command].iter().chain(&flags).chain(more).copied().collect();
        place.run(&args)
    };
    let dry = with("install", &["--dry-run"]);
    assert_eq!(dry.status, Some(0), "{dry:?}");
    assert!(dry.stdout.contains("+ ") && dry.stdout.contains("nothing was changed"));
    assert_eq!(place.read("home/.claude/settings.json"), before);
    let first = with("install", &[]);
    assert_eq!(first.status, Some(0), "{first:?}");
    let installed = place.read("home/.claude/settings.json");
    assert!(installed.contains(program().to_str().unwrap()), "{installed}");
    assert!(installed.contains("\"onFailure\": \"block\""), "{installed}");
    assert_eq!(place.read("home/.claude/settings.json.before-portcullis"), before);
    let again = with("install", &[]);
    assert!(again.stdout.starts_with("already installed"), "{again:?}");
    assert_eq!(place.read("home/.claude/settings.json"), installed);
    let well = place.run(&["doctor"]);
    assert_eq!(well.status, Some(0), "{}", well.stdout);
    for want in [
        "`portcullis-doctor deny`: the host blocks it",
        "`portcullis-doctor ask`: the host asks",
        "`portcullis-doctor allow`: the host lets it run",
        "`a payload that is not JSON`: the host blocks it",
    ] {
        assert!(well.stdout.contains(want), "{}", well.stdout);
    }
    let gone = with("uninstall", &[]);
    assert_eq!(gone.status, Some(0), "{gone:?}");
    assert_eq!(place.read("home/.claude/settings.json"), before);
    assert!(with("uninstall", &[]).stdout.starts_with("not installed"));
    let ill = place.run(&["doctor"]);
    assert_eq!(ill.status, Some(1));
    assert!(ill.stdout.contains("not installed"), "{}", ill.stdout);
}

#[test]
fn install_writes_the_level_it_is_told() {
    let place = Place::new();
    for (level, file, program_is_bare) in [
        ("--project", "project/.claude/settings.json", true),
        ("--local", "project/.claude/settings.local.json", false),
        ("--user", "home/.claude/settings.json", false),
    ] {
        let run = place.run(&["install", "--agent", "claude-code", level, "--json"]);
        assert_eq!(run.status, Some(0), "{run:?}");
        let text = place.read(file);
        assert_eq!(text.contains("\"command\": \"portcullis\""), program_is_bare, "{text}");
    }
    let flags = ["install", "--agent", "claude-code", "--user", "--", "--deny", "Bash(rm *)"];
    assert_eq!(place.run(&flags).status, Some(0));
    assert!(place.read("home/.claude/settings.json").contains("\"Bash(rm *)\""));
}

#[test]
fn doctor_never_runs_another_program() {
    let place = Place::new();
    let trap = place.path().join("trap");
    place.write("project/portcullis", format!("#!/bin/sh\ntouch {}\n", trap.display()));
    let fake = place.project().join("portcullis");
    let mut permissions = fs::metadata(&fake).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&fake, permissions).unwrap();
    for handler in [
        json!({ "type": "command", "command": fake, "args": ["hook"] }),
        json!({ "type": "command", "command": format!("{} hook", fake.display()) }),
        json!({ "type": "command", "command": format!("portcullis hook && touch {}", trap.display()) }),
    ] {
        let settings = json!({ "hooks": { "PreToolUse": [{ "hooks": [handler] }] } });
        place.write("project/.claude/settings.json", settings.to_string());
        let run = place.run(&["doctor"]);
        assert_eq!(run.status, Some(1));
        assert!(run.stdout.contains("not tried"), "{}", run.stdout);
    }
    assert!(!trap.exists());
}

#[test]
fn policy_show_and_list_name_every_source() {
    let place = Place::new();
    place
        .write(
            "home/.claude/settings.json",
            "{\"permissions\":{\"deny\":[\"Bash(rm *)\"],\"defaultMode\":\"plan\"}}",
        )
        .write(
            "project/.claude/settings.json",
            "{\"permissions\":{\"allow\":[\"Bash(make *)\"],\"alow\":[]}}",
        );
    let run = place.run(&["policy", "show", "--ask", "Bash(x)"]);
    assert_eq!(run.status, Some(0));
    for want in [
        "Bash(rm *)  ~/.claude/settings.json:1:25 (user)",
        "Bash(x)  --ask (cli)",
        "defaultMode: plan",
        "warning[unknown-key]",
        "warning[untrusted]",
    ] {
        assert!(run.stdout.contains(want), "{want}\n{}", run.stdout);
    }
    let run = place.run(&["policy", "list", "--json"]);
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    let states: Vec<String> = value
        .get("layers")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| {
            let word = |key: &str| layer.get(key).unwrap().as_str().unwrap();
            format!("{} {}", word("scope"), word("state"))
        })
        .collect();
    assert_eq!(states, ["managed absent", "local absent", "project untrusted", "user found"]);
}

#[test]
fn decisions_are_logged_where_told() {
    let place = Place::new();
    let run = place.run(&["check", "--log", "d.jsonl", "deploy --password hunter2"]);
    assert_eq!(run.status, Some(10), "{run:?}");
    let log = place.home().join("log.jsonl");
    place.write(
        "home/.claude/settings.json",
        json!({ "portcullis": { "log": "~/log.jsonl" } }).to_string(),
    );
    let payload = json!({
        "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": { "command": "ls" }, "cwd": place.project(),
    });
    assert_eq!(place.run_with(&["hook"], payload.to_string()).status, Some(0));
    for (text, asked_by) in [
        (place.read("project/d.jsonl"), "check"),
        (fs::read_to_string(log).unwrap(), "claude-code"),
    ] {
        let record: Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(record.get("asked_by").unwrap(), asked_by);
        assert!(!text.contains("hunter2"), "{text}");
        validate("log-record", &record);
    }
}

#[test]
fn hooks_are_answered_as_the_agent_reads_them() {
    let place = Place::new();
    place.write(
        "home/.claude/settings.json",
        "{\"permissions\":{\"deny\":[\"Bash(git push *)\"],\"allow\":[\"Bash(make *)\"]}}",
    );
    for (event, command, status, want) in [
        ("PreToolUse", "git push origin", 2, Some("deny")),
        ("PreToolUse", "make all", 0, Some("allow")),
        ("PreToolUse", "frobnicate", 0, Some("ask")),
        ("PermissionRequest", "git push origin", 0, Some("deny")),
        ("PermissionRequest", "make all", 0, Some("allow")),
        ("PermissionRequest", "frobnicate", 0, None),
    ] {
        let payload = json!({
            "hook_event_name": event, "tool_name": "Bash",
            "tool_input": { "command": command }, "cwd": place.project(),
            "permission_mode": "default", "session_id": "x",
        });
        validate("hook-input", &payload);
        for args in [&["hook"][..], &["hook", "--host", "claude-code", "--event", event]] {
            let run = place.run_with(args, payload.to_string());
            assert_eq!(run.status, Some(status), "{event} {command} {run:?}");
            match want {
                None => assert_eq!(run.stdout, ""),
                Some(want) => {
                    let value: Value = serde_json::from_str(&run.stdout).unwrap();
                    validate("hook-output", &value);
                    let said = value
                        .pointer("/hookSpecificOutput/permissionDecision")
                        .or_else(|| value.pointer("/hookSpecificOutput/decision/behavior"));
                    assert_eq!(said.unwrap(), want, "{event} {command}");
                }
            }
        }
    }
}

#[test]
fn hooks_find_project_settings_where_the_session_started() {
    let place = Place::new();
    place.write("project/.claude/settings.json", "{\"permissions\":{\"deny\":[\"Bash(ls *)\"]}}");
    let payload = json!({
        "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": { "command": "ls x" }, "cwd": place.path().join("elsewhere"),
    });
    let mut command = place.command(&["hook"]);
    command.env("CLAUDE_PROJECT_DIR", place.project());
    assert_eq!(finish(command, payload.to_string().as_bytes()).status, Some(2));
}

#[test]
fn a_hook_blocks_what_it_cannot_answer() {
    let place = Place::new();
    place.write("project/policy.json", "{\"permissions\":{}}");
    let good = json!({
        "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": { "command": "ls" }, "cwd": place.project(),
    })
    .to_string();
    let event = ["--event", "PreToolUse"];
    for (flags, payload, want) in [
        (&[][..], "", "the hook payload is not JSON: EOF while parsing a value"),
        (&[], "{", "the hook payload is not JSON"),
        (&[], "[]", "the hook payload has no `hook_event_name`"),
        (&["--frob"], good.as_str(), "unexpected argument `--frob` found"),
        (&["--host", "emacs"], &good, "invalid value `emacs` for `--host <AGENT>`"),
        (&["--policy", "/none.json"], &good, "cannot read `/none.json`: there is no such file"),
        (&["--settings", "{"], &good, "is not JSON"),
        (&["--mode", "yolo"], &good, "`yolo` is no permission mode"),
    ] {
        for with_event in [false, true] {
            let mut args = vec!["hook"];
            args.extend(flags);
            if with_event {
                args.extend(event);
            }
            let run = place.run_with(&args, payload);
            assert_eq!(run.status, Some(2), "{args:?} {run:?}");
            assert!(run.stderr.contains(want), "{args:?} {run:?}");
            assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
            if with_event {
                let value: Value = serde_json::from_str(&run.stdout).unwrap();
                validate("hook-output", &value);
                assert_eq!(
                    value.pointer("/hookSpecificOutput/permissionDecision").unwrap(),
                    "deny"
                );
            } else {
                assert_eq!(run.stdout, "");
            }
        }
    }
    for (flags, want) in [
        (&["--event", "Stop"][..], "`Stop` is no event that takes a decision"),
        (
            &["--event", "PermissionRequest"],
            "registered for `PermissionRequest` and called for `PreToolUse`",
        ),
    ] {
        let mut args = vec!["hook"];
        args.extend(flags);
        let run = place.run_with(&args, &good);
        assert_eq!(run.status, Some(2), "{run:?}");
        assert!(run.stderr.contains(want), "{run:?}");
    }
    let nested =
        format!("{{\"hook_event_name\":\"PreToolUse\",\"tool_input\":{}", "[".repeat(500_000));
    assert_eq!(place.run_with(&["hook"], nested).status, Some(2));
    let large = vec![b' '; 33 * 1024 * 1024];
    let run = place.run_with(&["hook"], large);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("larger than"), "{run:?}");
}

#[test]
fn a_hook_without_a_home_blocks() {
    let place = Place::new();
    let mut command = place.command(&["hook"]);
    command.env("HOME", "relative");
    let payload = json!({
        "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": { "command": "ls" }, "cwd": "/",
    });
    let run = finish(command, payload.to_string().as_bytes());
    assert_eq!(run.status, Some(2), "{run:?}");
    assert!(run.stderr.contains("the home directory cannot be told"), "{run:?}");
}

#[test]
fn each_line_of_a_batch_is_judged_by_its_own_policy() {
    let place = Place::new();
    let line = |home: &str, deny: Option<&str>| {
        let mut line = json!({ "tool_name": "Read", "tool_input": { "file_path": "/a/secret" },
            "home": home, "cwd": "/a", "project_root": "/a", "fs": { "files": ["/a/secret"] } });
        if let Some(rule) = deny {
            line["settings"] = json!({ "permissions": { "deny": [rule] } });
        }
        line.to_string()
    };
    let secret = Some("Read(~/secret)");
    let lines = [
        line("/a", secret),
        line("/a", secret),
        line("/b", secret),
        line("/a", None),
        line("/a", Some("Read(~/other)")),
        line("/a", secret),
    ];
    let run = place.run_with(&["check", "--batch"], lines.join("\n"));
    let decisions: Vec<String> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["decision"].to_string())
        .collect();
    let [deny, allow] = ["\"deny\"", "\"allow\""];
    assert_eq!(decisions, [deny, deny, allow, allow, allow, deny]);
}

#[test]
fn real_output_fits_the_schemas() {
    let place = Place::new();
    let lines = [
        json!({ "id": 1, "tool_name": "Bash", "tool_input": { "command": "ls > out && make $X" } }),
        json!({ "id": "a", "tool_name": "Bash", "tool_input": { "command": "rm -rf /" }, "permission_mode": "auto",
            "settings": { "permissions": { "deny": ["Bash(rm *)"], "ask": ["Bash("] } } }),
        json!({ "tool_name": "Edit", "tool_input": { "file_path": "/etc/x" }, "hook_answers": ["allow"],
            "layers": [{ "scope": "user", "settings": { "permissions": { "allow": ["Edit(//etc/**)"] } } }] }),
        json!({ "id": null }),
    ];
    for line in lines.iter().take(3) {
        validate("batch-input", line);
    }
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    for flags in [&["check", "--batch"][..], &["check", "--batch", "--facts"]] {
        let run = place.run_with(flags, text.join("\n"));
        assert_eq!(run.stdout.lines().count(), 4);
        for line in run.stdout.lines() {
            validate("batch-output", &serde_json::from_str(line).unwrap());
        }
    }
    let run = place.run(&["explain", "--json", "make && rm -rf \"$D\"/*"]);
    validate("batch-output", &serde_json::from_str(&run.stdout).unwrap());
    validate("settings", &json!({ "log": "~/x", "preapprovedHosts": false }));
}

#[test]
fn help_completions_and_pages_are_there() {
    let place = Place::new();
    for args in
        [&["--help"][..], &["check", "--help"], &["hook", "--help"], &["policy", "show", "-h"]]
    {
        let run = place.run(args);
        assert_eq!(run.status, Some(0), "{args:?} {run:?}");
        assert!(run.stdout.contains("Usage:"), "{run:?}");
    }
    for command in [
        "check",
        "explain",
        "hook",
        "install",
        "uninstall",
        "policy",
        "doctor",
        "schema",
        "completions",
        "man",
    ] {
        let run = place.run(&[command, "--help"]);
        assert!(run.stdout.contains("Examples:\n  portcullis "), "{command}: {}", run.stdout);
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(place.run(&["completions", shell]).stdout.contains("explain"), "{shell}");
    }
    assert!(place.run(&["man"]).stdout.starts_with(".ie"));
    assert!(place.run(&["man", "check"]).stdout.contains("batch"));
    assert_eq!(place.run(&[]).status, Some(64));
    for (name, _, text) in portcullis_cli::SCHEMAS {
        assert_eq!(place.run(&["schema", name]).stdout, *text);
    }
}

/// Checks a value against one of our schemas: the few keywords they use.
fn validate(name: &str, value: &Value) {
    let (_, _, text) = portcullis_cli::SCHEMAS.iter().find(|schema| schema.0 == name).unwrap();
    let root: Value = serde_json::from_str(text).unwrap();
    if let Err(why) = fits(&root, &root, value, "") {
        panic!("{name}: {why}\n{value:#}");
    }
}

fn fits(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    for (keyword, argument) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let pointer = argument.as_str().unwrap().trim_start_matches('#');
                fits(root, root.pointer(pointer).unwrap(), value, at)?;
            }
            "const" if value == argument => {}
            "enum" if argument.as_array().unwrap().contains(value) => {}
            "type" => {
                let is = |name: &Value| match name.as_str().unwrap() {
                    "string" => value.is_string(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "boolean" => value.is_boolean(),
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "null" => value.is_null(),
                    other => panic!("type {other}"),
                };
                let fits =
                    argument.as_array().map_or_else(|| is(argument), |names| names.iter().any(is));
                if !fits {
                    return Err(format!("{at}: {value} is not {argument}"));
                }
            }
            "anyOf" => {
                let tries: Vec<String> = argument
                    .as_array()
                    .unwrap()
                    .iter()
                    .map_while(|schema| fits(root, schema, value, at).err())
                    .collect();
                if tries.len() == argument.as_array().unwrap().len() {
                    return Err(tries.join("; "));
                }
            }
            "required" => {
                for key in argument.as_array().unwrap() {
                    if value.get(key.as_str().unwrap()).is_none() {
                        return Err(format!("{at}: {key} is missing"));
                    }
                }
            }
            "properties" => {
                for (key, schema) in argument.as_object().unwrap() {
                    if let Some(inner) = value.get(key) {
                        fits(root, schema, inner, &format!("{at}/{key}"))?;
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties").unwrap();
                for key in value.as_object().into_iter().flat_map(|fields| fields.keys()) {
                    if known.get(key).is_none() {
                        return Err(format!("{at}: {key} is unknown"));
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    fits(root, argument, item, &format!("{at}/{index}"))?;
                }
            }
            other => return Err(format!("{at}: {value} does not fit {other} {argument}")),
        }
    }
    Ok(())
}
