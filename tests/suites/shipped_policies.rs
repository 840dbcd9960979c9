//! The shipped policies: what they mean for everyday calls of their trade, how their denies hold, and that
//! what their pages say is so.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_audit::{Limits, Outcome, Question, Stage, Subject, audit};
use portcullis_model::{AbsPath, Scope};
use portcullis_policy::{Layer, Place, Policy, Severity, assemble};
use portcullis_tests::corpus;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn everyday_calls_get_what_a_person_of_the_trade_expects() {
    let text = fs::read_to_string(corpus::shipped("everyday_calls.jsonl")).unwrap();
    let stage = stage();
    let (mut calls, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let [name, want] = ["policy", "want"].map(|key| row[key].as_str().unwrap());
        let policy = policy(name);
        for call in row["calls"].as_array().unwrap() {
            calls += 1;
            let call = call.as_str().unwrap();
            let verdict = stage.ask(&policy, &question(call));
            if verdict.decision.word() != want {
                wrong.push(format!("{name}: `{call}` is to be {want}: {}", verdict.reason));
            }
        }
    }
    println!("{calls} everyday calls");
    assert!(wrong.is_empty(), "{} of {calls}\n{}", wrong.len(), wrong.join("\n"));
    for name in names() {
        assert!(text.contains(&format!("\"{name}\"")), "no call for `{name}`");
    }
}

#[test]
fn denies_hold_and_nothing_is_found() {
    for name in names() {
        let (policy, stage) = (policy(&name), stage());
        let subject = Subject { policy: &policy, stage: &stage, looks_secret: &|_| false };
        let found = audit(subject, &Limits::THOROUGH);
        let alarms: Vec<&str> = found
            .findings
            .iter()
            .filter(|finding| finding.severity >= Severity::Warning)
            .map(|finding| finding.message.as_str())
            .collect();
        assert!(alarms.is_empty(), "{name}\n{}", alarms.join("\n"));
        let (mut denied, mut all, mut worst) = (0, 0, Vec::new());
        for rule in &found.robustness {
            let [own, asked, allowed] = rule.counts();
            denied += own;
            all += own + asked + allowed;
            for trial in rule.trials.iter().filter(|trial| trial.outcome != Outcome::Denied) {
                let (how, call) = (trial.outcome.word(), trial.question.display());
                worst.push(format!("  {} {how}: {call}", rule.rule.text));
            }
            assert_eq!(allowed, 0, "{name}: {}\n{}", rule.rule.text, worst.join("\n"));
        }
        println!("{name}: {denied} of {all} other spellings are denied");
        assert!(denied * 100 >= all * 95, "{name}: {denied} of {all}\n{}", worst.join("\n"));
    }
}

#[test]
fn pages_count_the_rules() {
    for name in names() {
        let page = fs::read_to_string(folder().join(&name).join("README.md")).unwrap();
        let policy = policy(&name);
        for (rules, what) in [
            (&policy.deny, "is denied"),
            (&policy.ask, "is asked about"),
            (&policy.allow, "is allowed"),
        ] {
            let text = format!("{} rules say what {what}.", rules.list.len());
            let said = page.contains(&format!("rules say what {what}."));
            assert_eq!(said, !rules.is_empty(), "{name}: {what}");
            assert!(rules.is_empty() || page.contains(&text), "{name}: {text}");
        }
        let said = page.contains("The sandbox is on");
        assert_eq!(said, policy.sandbox.enabled.value, "{name}: the sandbox");
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")
}

fn names() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 6);
    names
}

fn policy(name: &str) -> Policy {
    let text = fs::read_to_string(folder().join(name).join("settings.json")).unwrap();
    let managed = name.starts_with("managed");
    let (scope, root) =
        if managed { (Scope::Managed, "/") } else { (Scope::Project, "/r/project") };
    let layer = Layer::new(scope, format!("{name}/settings.json"), text, path(root));
    let (project, home) = (path("/r/project"), path("/r/home"));
    assemble(&[layer], &Place { start: project.clone(), project_root: project, home })
}

fn question(call: &str) -> Question {
    let call = call.replace("{project}", "/r/project").replace("{home}", "/r/home");
    match call.split_once(' ') {
        Some(("Bash", command)) => Question::bash(command),
        Some(("WebFetch", url)) => Question::fetch(url),
        Some(("NotebookEdit", file)) => Question::of("NotebookEdit", "notebook_path", file),
        Some(("Grep", directory)) => Question::of("Grep", "path", directory),
        Some((tool, file)) => Question::of(tool, "file_path", file),
        None => Question::bare(&call),
    }
}

fn stage() -> Stage {
    Stage { project: path("/r/project"), home: path("/r/home"), mode: None }
}

fn path(text: &str) -> AbsPath {
    AbsPath::parse(text).unwrap()
}
