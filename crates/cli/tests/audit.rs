//! The audit and what belongs to it, as a person and as a build server call them.

mod support;

use serde_json::Value;
use std::process::Command;
use support::Place;

const FLAWED: &str = "{\n  \"permissions\": {\n    \"deny\": [\"Bash(rm *)\", \"Read(.env)\"],\n    \"ask\": [\"Bash(git push *)\"],\n    \"allow\": [\n      \"Bash(git push origin *)\",\n      \"Bash(jq *)\",\n      \"Bash(jq -r *)\",\n      \"Bash(ls*)\"\n    ]\n  }\n}\n";

#[test]
fn audit_shows_findings_with_carets_and_ends_by_severity() {
    let place = Place::new();
    place.write("project/s.json", FLAWED);
    let run = place.run(&["audit", "--policy", "s.json"]);
    assert_eq!(run.status, Some(1), "{run:?}");
    let text = place.plain(&run.stdout);
    assert!(text.contains("warning[S001]: `Bash(git push origin *)` never allows anything: ask `Bash(git push *)` comes first\n  at /project/s.json:6:7 (cli)\n  |       \"Bash(git push origin *)\",\n  |       ^^^^^^^^^^^^^^^^^^^^^^^^^\n  see: ask rule `Bash(git push *)` at /project/s.json:4:13 (cli)\n"), "{text}");
    assert!(text.contains("note[R002]: `Bash(jq -r *)` is covered by `Bash(jq *)`"), "{text}");
    assert!(
        text.contains("warning[X006]: `Bash(ls*)` also allows `lsattr x`, another program"),
        "{text}"
    );
    assert!(text.contains("2 warnings, 1 note in 7 rules; denies: of "), "{text}");
    assert_eq!(place.run(&["audit", "--policy", "s.json", "--fail-on", "error"]).status, Some(0));
    let clean = place.run(&["audit", "--no-discovery", "--allow", "Bash(jq *)"]);
    assert_eq!((clean.status, clean.stdout.as_str()), (Some(0), "nothing found in 1 rule\n"));
    let page = place.run(&["explain", "S001"]);
    assert!(page.stdout.contains("deny and ask rules come first"), "{page:?}");
}

#[test]
fn audit_speaks_json_and_sarif() {
    let place = Place::new();
    place.write("project/s.json", FLAWED);
    let run = place.run(&["audit", "--policy", "s.json", "--json"]);
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = value.get("findings").unwrap().as_array().unwrap();
    assert_eq!(findings.len(), 3);
    for finding in findings {
        let evidence = finding.get("evidence").unwrap();
        let witnesses = finding.get("witnesses").unwrap().as_array().unwrap();
        assert!(evidence == "proved" || !witnesses.is_empty(), "{finding}");
    }
    let run = place.run(&["audit", "--policy", "s.json", "--sarif"]);
    let log: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(log.get("version").unwrap(), "2.1.0");
    let results = log.pointer("/runs/0/results").unwrap().as_array().unwrap();
    let first = results.first().unwrap();
    let region = first.pointer("/locations/0/physicalLocation/region").unwrap();
    assert_eq!(first.get("ruleId").unwrap(), "S001");
    assert_eq!(
        (region.get("startLine").unwrap(), region.get("startColumn").unwrap()),
        (&6.into(), &7.into())
    );
    let uri = first.pointer("/locations/0/physicalLocation/artifactLocation/uri").unwrap();
    assert_eq!(uri, "s.json");
    assert_eq!(first.pointer("/relatedLocations/0/physicalLocation/region/startLine").unwrap(), 4);
    for result in results {
        let index = usize::try_from(result.get("ruleIndex").unwrap().as_u64().unwrap()).unwrap();
        let rule = log.pointer(&format!("/runs/0/tool/driver/rules/{index}/id")).unwrap();
        assert_eq!(rule, result.get("ruleId").unwrap());
    }
}

#[test]
fn fix_proves_equality_and_keeps_the_layout() {
    let place = Place::new();
    place.write("project/s.json", FLAWED);
    let dry = place.run(&["audit", "--policy", "s.json", "--fix", "--dry-run"]);
    assert_eq!(dry.status, Some(0), "{dry:?}");
    assert_eq!(place.read("project/s.json"), FLAWED);
    let run = place.run(&["audit", "--policy", "s.json", "--fix"]);
    assert!(run.stdout.contains("proved: no call changes its verdict in any mode"), "{run:?}");
    let want = FLAWED
        .replace("      \"Bash(git push origin *)\",\n", "")
        .replace("      \"Bash(jq -r *)\",\n", "");
    assert_eq!(place.read("project/s.json"), want);
    place.write("project/old.json", FLAWED);
    let same = place.run(&["diff", "old.json", "s.json"]);
    assert_eq!(
        (same.status, same.stdout.as_str()),
        (Some(0), "equal: no call changes its verdict\n")
    );
    let again = place.run(&["audit", "--policy", "s.json", "--fix"]);
    assert_eq!(again.stdout, "nothing to remove\n");
}

#[test]
fn a_baseline_accepts_with_a_reason_and_an_end() {
    let place = Place::new();
    place.write("project/s.json", FLAWED);
    let accept = |rule: &str, id: &str, more: &str| {
        format!("[[accept]]\nid = \"{id}\"\nrule = \"{rule}\"\n{more}\n")
    };
    let both = accept("Bash(git push origin *)", "S001", "reason = \"on purpose\"")
        + &accept("Bash(ls*)", "X006", "reason = \"harmless\"\nexpires = \"2026-06-30\"")
        + &accept("Bash(gone)", "X001", "reason = \"was there\"");
    place.write("project/b.toml", &both);
    let at = |day: &str| {
        place.run(&["audit", "--policy", "s.json", "--baseline", "b.toml", "--today", day])
    };
    let before = at("2026-06-30");
    assert_eq!(before.status, Some(0), "{before:?}");
    assert!(before.stdout.contains("2 accepted by the baseline"), "{before:?}");
    assert!(
        before
            .stdout
            .contains("the baseline accepts `X001 Bash(gone)`, which is not found any more")
    );
    let after = at("2026-07-01");
    assert_eq!(after.status, Some(1));
    assert!(after.stdout.contains("the baseline accepted it until 2026-06-30"), "{after:?}");
    for (text, want) in [
        (accept("x", "X001", "reason = \" \""), "`b.toml:1`: an accepted finding has a reason"),
        (accept("x", "X001", ""), "`b.toml:1`: missing field `reason`"),
        (
            accept("x", "X001", "reason = \"r\"\nexpires = \"soon\""),
            "`b.toml:1`: `soon` is no date",
        ),
        (
            "[[accept]]\nid = \"X001\"\nreason = \"r\"\n".to_owned(),
            "`b.toml:1`: an accepted finding names its `rule` or its `fingerprint`",
        ),
    ] {
        place.write("project/b.toml", &text);
        let run = at("2026-01-01");
        assert_eq!(run.status, Some(65));
        assert!(run.stderr.starts_with(&format!("error: {want}")), "{run:?}");
    }
    let written =
        place.run(&["audit", "--policy", "s.json", "--baseline", "b.toml", "--write-baseline"]);
    assert_eq!(written.stdout, "wrote 2 accepted findings to `b.toml`\n");
    assert_eq!(place.run(&["audit", "--policy", "s.json", "--baseline", "b.toml"]).status, Some(0));
}

#[test]
fn diff_shows_the_matrix_and_the_rule_responsible() {
    let place = Place::new();
    place.write(
        "project/old.json",
        "{\"permissions\":{\"deny\":[\"Bash(git push *)\"],\"allow\":[\"Bash(git push origin)\"]}}",
    );
    place.write("project/new.json", "{\"permissions\":{\"allow\":[\"Bash(git push origin)\"]}}");
    let run = place.run(&["diff", "old.json", "new.json", "--no-new-access"]);
    assert_eq!(run.status, Some(1));
    let text = place.plain(&run.stdout);
    assert!(text.contains("deny -> allow\n  git push origin\n    before: `git push origin` matches deny rule `Bash(git push *)` at /project/old.json:1:25 (cli)\n"), "{text}");
    assert!(text.contains("new access: some call gets more than before"), "{text}");
    let back = place.run(&["diff", "new.json", "old.json", "--no-new-access"]);
    assert_eq!(back.status, Some(0), "{back:?}");
    let value: Value =
        serde_json::from_str(&place.run(&["diff", "old.json", "new.json", "--json"]).stdout)
            .unwrap();
    assert_eq!(value.get("gives_access").unwrap(), true);
    place.write(
        "project/mode.json",
        "{\"permissions\":{\"defaultMode\":\"acceptEdits\",\"allow\":[\"Bash(git push origin)\"]}}",
    );
    let mode = place.run(&["diff", "new.json", "mode.json", "--no-new-access"]);
    assert!(
        mode.stdout.contains("looser: `permissions.defaultMode` was default and is acceptEdits"),
        "{mode:?}"
    );
}

#[test]
fn diff_compares_with_a_commit() {
    let place = Place::new();
    let git = |args: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false"])
            .args(args)
            .current_dir(place.project())
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/local/bin")
            .env("HOME", place.home())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "-q"]);
    place.write("project/.claude/settings.json", "{\"permissions\":{\"ask\":[\"Bash(jq *)\"]}}");
    git(&["add", "-A"]);
    git(&["commit", "-qm", "x"]);
    let path = "/usr/bin:/bin:/usr/local/bin";
    let diff = |args: &[&str]| {
        let mut command = place.command(args);
        command.env("PATH", path);
        support::finish(command, b"")
    };
    assert_eq!(diff(&["diff", "--git", "HEAD"]).status, Some(0));
    place.write("project/.claude/settings.json", "{\"permissions\":{\"deny\":[\"Bash(jq *)\"]}}");
    let run = diff(&["diff", "--git", "HEAD"]);
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(run.stdout.contains("ask -> deny"), "{run:?}");
    assert_eq!(diff(&["diff", "--git", "HEAD", "--no-new-access"]).status, Some(0));
    let unknown = diff(&["diff", "--git", "nothing"]);
    assert_eq!(unknown.status, Some(65));
    assert!(unknown.stderr.starts_with("error: git knows no commit `nothing` here\n"));
    assert_eq!(diff(&["diff", "--git", "--output=x"]).status, Some(64));
}

#[test]
fn hook_and_action_stop_a_change_that_gives_access() {
    let place = Place::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = "/usr/bin:/bin:/usr/local/bin";
    let run = |program: &str, args: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(program);
        command.args(args).current_dir(place.project()).env_clear();
        command.env("PATH", path).env("HOME", place.home());
        command.env("PORTCULLIS", support::program()).env("PROGRAM", support::program());
        command.envs(variables.iter().copied());
        support::finish(command, b"")
    };
    let git = |args: &[&str]| {
        let fixed = ["-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false"];
        let done = run("git", &[&fixed, args].concat(), &[]);
        assert_eq!(done.status, Some(0), "{done:?}");
        done.stdout.trim().to_owned()
    };
    let settings = "project/.claude/settings.json";
    let tight = "{\"permissions\":{\"deny\":[\"Bash(gh *)\"],\"allow\":[\"Bash(jq *)\"]}}";
    git(&["init", "-q"]);
    place.write(settings, tight);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "x"]);
    let base = git(&["rev-parse", "HEAD"]);
    let hook = root.join(".ci/audit-hook");
    let action = root.join(".ci/audit-action");
    let both = |want: i32| {
        let done = run(hook.to_str().unwrap(), &[".claude/settings.json"], &[]);
        assert_eq!(done.status, Some(want), "{done:?}");
        let done = run(action.to_str().unwrap(), &[], &[("BASE", &base)]);
        assert_eq!(done.status, Some(want), "{done:?}");
        let log: Value = serde_json::from_str(&place.read("project/portcullis.sarif")).unwrap();
        assert_eq!(log.get("version").unwrap(), "2.1.0");
    };
    both(0);
    place.write(settings, tight.replace("Bash(gh *)", "Bash(gh pr *)"));
    both(1);
    let done = run(action.to_str().unwrap(), &[], &[("BASE", &base), ("ALLOW_NEW", "true")]);
    assert_eq!(done.status, Some(0), "{done:?}");
    place.write(settings, tight.replace("\"allow\"", "\"ask\""));
    both(0);
    // A file that is taken away takes its denies along.
    std::fs::remove_file(place.path().join(settings)).unwrap();
    let gone = |variables: &[(&str, &str)]| run(action.to_str().unwrap(), &[], variables).status;
    assert_eq!(gone(&[("BASE", &base)]), Some(1));
    assert_eq!(gone(&[("BASE", &base), ("ALLOW_NEW", "true")]), Some(0));
    assert_eq!(gone(&[]), Some(0));
    // A base that cannot be had proves nothing.
    assert_eq!(gone(&[("BASE", "0123456789012345678901234567890123456789")]), Some(65));
    git(&["add", "-A"]);
    let hooked = run(hook.to_str().unwrap(), &[], &[]);
    assert_eq!(hooked.status, Some(1), "{hooked:?}");
    git(&["reset", "-q", "--hard"]);
    assert_eq!(run(hook.to_str().unwrap(), &[], &[]).status, Some(0));
    // A link is no file to whoever calls the hook, and leads to other rules.
    std::fs::remove_file(place.path().join(settings)).unwrap();
    place.write("project/.claude/loose.json", "{\"permissions\":{\"allow\":[\"Bash(jq *)\"]}}");
    std::os::unix::fs::symlink("loose.json", place.path().join(settings)).unwrap();
    git(&["add", "-A"]);
    let linked = run(hook.to_str().unwrap(), &[], &[]);
    assert_eq!(linked.status, Some(1), "{linked:?}");
    assert!(linked.stdout.contains("deny ->"), "{linked:?}");
}

#[test]
fn policy_tests_pass_fail_and_count_coverage() {
    let place = Place::new();
    place.write("project/settings.json", FLAWED);
    place.write(
        "project/policy.test.toml",
        "[[case]]\nbash = \"rm x\"\nexpect = \"deny\"\nrule = \"Bash(rm *)\"\n\n[[case]]\nbash = \"jq .\"\nexpect = \"deny\"\n\n[[forall]]\ncalls = \"Bash(git push *)\"\nat_least = \"ask\"\n\n[[forall]]\ncalls = \"Bash(rm *)\"\nat_least = \"deny\"\n\n[[forall]]\ncalls = \"Bash(jq *)\"\nat_most = \"allow\"\n\n[[forall]]\ncalls = \"Bash(git *)\"\nat_least = \"ask\"\n",
    );
    let run = place.run(&["test", "--coverage"]);
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(
        run.stdout.contains("failed: jq .\n  at ./policy.test.toml:6\n  expected deny, got allow"),
        "{run:?}"
    );
    assert!(run.stdout.contains("failed: every `Bash(git *)` is at least ask"), "{run:?}");
    assert!(run.stdout.contains("4 passed, 2 failed, 2 of 7 rules noticed"), "{run:?}");
    let junit = place.run(&["test", "--junit"]).stdout;
    assert!(junit.contains("tests=\"6\" failures=\"2\" errors=\"0\""), "{junit}");
    // Who reads the report alone has to see what could not be read.
    place.write("project/b.policy.test.toml", "[[case\n");
    let run = place.run(&["test", "--junit"]);
    assert_eq!(run.status, Some(65), "{run:?}");
    let error = "<testcase classname=\"./b.policy.test.toml\" name=\"the file can be read\"><error message=\"`./b.policy.test.toml:1:7`";
    assert!(run.stdout.contains(error), "{run:?}");
    assert!(run.stdout.contains("tests=\"7\" failures=\"2\" errors=\"1\""), "{run:?}");
}

/// What cannot be read, and the one line that says so.
#[test]
fn bad_input_gets_one_clear_diagnostic_and_the_rest_is_done() {
    let place = Place::new();
    place.write("project/settings.json", FLAWED);
    place.write(
        "project/good.jsonl",
        "{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"make x\"}}\n",
    );
    place.write("project/broken.json", "{\"permissions\": {\"deny\": [\"Bash(x)\",]}}");
    place.write("project/binary.json", [0x7f, b'E', b'L', b'F', 0xff, 0]);
    place.write("project/binary.jsonl", [0x7f, b'E', b'L', b'F', 0, b'\n']);
    place.write(
        "project/cut.jsonl",
        "{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"make y\"}}\n{\"tool_na",
    );
    place.write("project/odd.jsonl", "{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"make z\"}}\nnot json\n[1]\n\u{feff}\n");
    let long = format!(
        "{{\"x\":\"{}\"}}\n{{\"tool_name\":\"Bash\",\"tool_input\":{{\"command\":\"make w\"}}}}\n",
        "y".repeat(9 << 20)
    );
    place.write("project/long.jsonl", long);
    std::os::unix::fs::symlink(".", place.project().join("loop")).unwrap();
    for (args, status, want) in [
        (
            &["audit", "--policy", "broken.json"][..],
            65,
            "error: `/project/broken.json:1:37` is not JSON: trailing comma\n",
        ),
        (
            &["audit", "--policy", "binary.json"],
            65,
            "error: cannot read `/project/binary.json`: not UTF-8\n",
        ),
        (
            &["audit", "--policy", "none.json"],
            65,
            "error: cannot read `/project/none.json`: there is no such file\n",
        ),
        (&["diff", "settings.json"], 1, ""),
        (&["diff"], 64, "error: nothing to compare with\n"),
        (
            &["diff", "settings.json", "broken.json"],
            65,
            "error: `/project/broken.json:1:37` is not JSON: trailing comma\n",
        ),
        (&["test", "none"], 65, "error: cannot read `none`: no such file or directory\n"),
        (&["replay", "none"], 65, "error: cannot read `none`: no such file or directory\n"),
        (&["replay"], 65, "error: there are no recorded sessions\n"),
        (
            &["replay", "binary.jsonl"],
            0,
            "warning: `binary.jsonl` is not text from line 1 on; the rest is left out\n",
        ),
        (&["replay", "cut.jsonl"], 0, "warning: `cut.jsonl`: the last line is cut off\n"),
        (
            &["replay", "odd.jsonl"],
            0,
            "warning: `odd.jsonl`: 2 lines are not JSON, the first is line 2\n",
        ),
        (
            &["replay", "long.jsonl"],
            0,
            "warning: `long.jsonl`: 1 line is longer than 8 MiB and left out\n",
        ),
        (
            &["policy", "init", "lockd-down"],
            64,
            "error: there is no policy `lockd-down`\nhint: did you mean `locked-down`?\n",
        ),
    ] {
        let run = place.run(args);
        let stderr = place.plain(&run.stderr);
        assert_eq!(run.status, Some(status), "{args:?} {run:?}");
        assert!(
            stderr.starts_with(want) && (!want.is_empty() || stderr.is_empty()),
            "{args:?}\n{stderr}"
        );
    }
    // A cycle of links ends, and every file that can be read is.
    let all = place.run(&["replay", ".", "--json"]);
    let value: Value = serde_json::from_str(&all.stdout).unwrap();
    assert_eq!(value.get("calls").unwrap(), 4, "{all:?}");
    assert_eq!(value.get("problems").unwrap().as_array().unwrap().len(), 4);
    for (text, want) in [
        ("policy = 3\n", "`./policy.test.toml:1:10`: "),
        (
            "[[case]]\nexpect = \"deny\"\n",
            "`./policy.test.toml:1:1`: a case has one of `bash`, `read`, `edit`, `write`, `fetch` and `tool`",
        ),
        (
            "[[case]]\nbash = \"x\"\nexpect = \"maybe\"\n",
            "`./policy.test.toml:3:10`: `maybe` is not allow, ask or deny",
        ),
        (
            "[[forall]]\ncalls = \"Bash(\"\nat_least = \"ask\"\n",
            "`./policy.test.toml:2:9`: the parenthesis is never closed",
        ),
        (
            "[[case]]\nbsh = \"x\"\nexpect = \"ask\"\n",
            "`./policy.test.toml:2:1`: unknown field `bsh`",
        ),
        ("policy = \"gone.json\"\n", "cannot read `./gone.json`: no such file or directory"),
        ("policy = \"broken.json\"\n", "`./broken.json:1:36`: "),
    ] {
        place.write("project/policy.test.toml", text);
        let run = place.run(&["test"]);
        assert_eq!(run.status, Some(65), "{text} {run:?}");
        assert!(run.stderr.starts_with(&format!("error: {want}")), "{text} {run:?}");
    }
}

fn sessions() -> String {
    let mut text = String::new();
    for session in 0..5 {
        for (index, command) in [
            "gh pr view 12",
            "git push origin main",
            "python3 x.py",
            "ls",
            "curl -H 'Authorization: Bearer ghp_0123456789abcdefghijklmn' https://x",
        ]
        .iter()
        .enumerate()
        {
            let line = serde_json::json!({
                "type": "assistant", "sessionId": format!("s{session}"),
                "timestamp": format!("2026-0{}-1{index}T00:00:00Z", session + 1),
                "message": { "content": [{ "type": "tool_use", "name": "Bash", "input": { "command": command } }] },
            });
            text.push_str(&line.to_string());
            text.push('\n');
        }
    }
    text
}

#[test]
fn replay_counts_masks_and_goes_on_where_it_was() {
    let place = Place::new();
    place.write("project/t.jsonl", sessions());
    let run = place.run(&["replay", "t.jsonl", "--no-discovery", "--allow", "Bash(gh pr view *)"]);
    assert!(run.stdout.starts_with("25 calls in 5 sessions, 5 different\n"), "{run:?}");
    assert!(run.stdout.contains("prompts a session: 3.0\n"), "{run:?}");
    assert!(!run.stdout.contains("ghp_0123456789"), "{run:?}");
    place.write("project/old.json", "{\"permissions\":{\"deny\":[\"Bash(gh *)\"]}}");
    let both = place.run(&[
        "replay",
        "t.jsonl",
        "--no-discovery",
        "--allow",
        "Bash(gh pr view *)",
        "--against",
        "old.json",
    ]);
    assert!(
        both.stdout.contains("newly allowed (5 calls, 1 different)\n       5  gh pr view 12\n"),
        "{both:?}"
    );
    let first = place.run(&["replay", "t.jsonl", "--no-discovery", "--state", "state", "--json"]);
    let second = place.run(&["replay", "t.jsonl", "--no-discovery", "--state", "state", "--json"]);
    let value = |run: &support::Run| -> Value { serde_json::from_str(&run.stdout).unwrap() };
    assert_eq!(value(&first).get("now"), value(&second).get("now"));
    assert!(value(&first).get("bytes").unwrap().as_u64().unwrap() > 0);
    assert_eq!(value(&second).get("bytes").unwrap(), 0);
    assert!(!place.read("project/state").contains("ghp_0123456789"));
    let suggested = place.run(&["suggest", "t.jsonl", "--no-discovery"]);
    assert!(
        suggested.stdout.contains("allow Bash(gh pr view *)\n  spares 5 prompts of 5 sessions"),
        "{suggested:?}"
    );
    assert!(!suggested.stdout.contains("\nallow Bash(python3"), "{suggested:?}");
    assert!(!suggested.stdout.contains("\nallow Bash(curl"), "{suggested:?}");
}

#[test]
fn shipped_policies_are_written_with_their_tests_and_hold() {
    let place = Place::new();
    let list = place.run(&["policy", "init", "--json"]);
    let value: Value = serde_json::from_str(&list.stdout).unwrap();
    let policies = value.get("policies").unwrap().as_array().unwrap();
    assert!(policies.len() >= 8);
    for policy in policies {
        let name = policy.get("name").unwrap().as_str().unwrap();
        let file = format!("{name}/.claude/settings.json");
        let run = place.run(&["policy", "init", name, "--output", &file]);
        assert_eq!(run.status, Some(0), "{run:?}");
        assert_eq!(
            run.stdout.matches("\nallow  ").count()
                + run.stdout.matches("\nask    ").count()
                + run.stdout.matches("\ndeny   ").count(),
            20,
            "{run:?}"
        );
        let again = place.run(&["policy", "init", name, "--output", &file]);
        assert_eq!(again.status, Some(65), "{again:?}");
        let test = place.run(&["test", name]);
        assert_eq!(test.status, Some(0), "{test:?}");
        let audit = place.run(&["audit", "--policy", &file, "--thorough", "--json"]);
        assert_eq!(audit.status, Some(0), "{name} {}", audit.stdout);
        let value: Value = serde_json::from_str(&audit.stdout).unwrap();
        let (mut denied, mut all) = (0, 0);
        for rule in value.get("robustness").unwrap().as_array().unwrap() {
            let number = |key: &str| rule.get(key).unwrap().as_u64().unwrap();
            assert_eq!(number("allowed"), 0, "{name} {rule}");
            denied += number("denied");
            all += number("denied") + number("asked");
        }
        assert!(denied * 100 >= all * 95, "{name}: {denied} of {all}");
        println!("{name}: {denied} of {all} other spellings denied outright");
    }
}

#[test]
fn the_page_holds_no_script_and_renders() {
    let place = Place::new();
    let hostile = "Bash(echo </script><script>alert(1)</script><img src=x onerror=alert(1)> *)";
    let settings = serde_json::json!({ "permissions": {
        "deny": ["Bash(rm *)", "Read(.env)"], "ask": ["Bash(git push *)"],
        "allow": [hostile, "Bash(python3 *)"],
    } });
    place.write("project/s.json", format!("{settings:#}"));
    place.write("project/old.json", FLAWED);
    place.write("project/t.jsonl", sessions());
    let run = place.run(&[
        "audit",
        "--policy",
        "s.json",
        "--html",
        "-o",
        "page.html",
        "--against",
        "old.json",
        "t.jsonl",
    ]);
    assert_eq!(run.status, Some(1), "{run:?}");
    let noted = place.run(&["audit", "--policy", "s.json", "t.jsonl"]);
    assert!(noted.stdout.contains("note[P004]: `Bash(rm *)` decided none of 25 recorded calls"));
    let page = place.read("project/page.html");
    assert!(
        page.contains("default-src 'none'") && !page.contains("<script") && !page.contains("<img"),
        "{page}"
    );
    for drawing in [
        "Transition matrix",
        "Recorded calls by program",
        "Robustness heat map",
        "Prompts left",
        "When rules decided",
        "Rules by layer",
    ] {
        assert!(page.contains(&format!("aria-label=\"{drawing}")), "{drawing}");
    }
    for part in ["prefers-color-scheme:dark", "@media print"] {
        assert!(page.contains(part), "{part}");
    }
    let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .into_iter()
        .find(|program| std::path::Path::new(program).exists());
    let Some(browser) = browser else {
        println!("SKIP: the page in a browser: chromium is not installed");
        return;
    };
    let picture = place.path().join("page.png");
    let profile = place.path().join("profile");
    let done = Command::new("timeout")
        .args([
            "60",
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--screenshot={}", picture.display()))
        .args(["--window-size=1100,1400"])
        .arg(format!("file://{}", place.project().join("page.html").display()))
        .env("HOME", place.home())
        .output()
        .unwrap();
    let Ok(bytes) = std::fs::read(&picture) else {
        panic!("no picture: {}", String::from_utf8_lossy(&done.stderr));
    };
    // A page that is drawn is no small picture.
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 40_000, "{} bytes", bytes.len());
}
