//! Flawed policies: what the audit has to find in each, and what it must not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_audit::{Audit, Evidence, Finding, Limits, Stage, Subject, audit};
use portcullis_host::log::mask;
use portcullis_host::transcript;
use portcullis_model::{AbsPath, Scope};
use portcullis_policy::{Layer, Place, Policy, Severity, assemble};
use portcullis_tests::corpus;
use serde_json::Value;
use std::borrow::Cow;

#[test]
fn flawed_policies_get_their_findings_and_no_others() {
    let text = std::fs::read_to_string(corpus::shipped("flawed_policies/policies.jsonl")).unwrap();
    let (mut expected, mut hit, mut alarms, mut wrong) = (0, 0, 0, Vec::new());
    let mut policies = 0;
    for line in text.lines() {
        policies += 1;
        let case: Value = serde_json::from_str(line).unwrap();
        let name = case["name"].as_str().unwrap();
        let (policy, texts) = assembled(&case);
        let stage = stage();
        let found = look(&policy, &stage);
        let names: Vec<(String, Severity)> =
            found.findings.iter().map(|each| (named(each, &texts), each.severity)).collect();
        for each in &found.findings {
            // Nothing is claimed without a proof or a call that was put to the evaluator.
            assert!(each.evidence != Evidence::Replayed || !each.witnesses.is_empty(), "{name}");
            for witness in &each.witnesses {
                let again = stage.ask(&policy, &witness.question).decision;
                assert_eq!(again, witness.decision, "{name}: {}", witness.question.text);
            }
        }
        let list = |key: &str| -> Vec<String> {
            case[key].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
        };
        let (must, may) = (list("must"), list("may"));
        for want in &must {
            expected += 1;
            if names.iter().any(|(own, _)| own == want) {
                hit += 1;
            } else {
                wrong.push(format!("{name}: not found: {want}; found {names:?}"));
            }
        }
        for (own, severity) in &names {
            if *severity >= Severity::Warning && !must.contains(own) && !may.contains(own) {
                alarms += 1;
                wrong.push(format!("{name}: false alarm: {own}"));
            }
        }
    }
    println!("{policies} policies: recall {hit}/{expected}, precision {}/{}", hit, hit + alarms);
    assert!(policies >= 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_option_in_a_witness_is_an_option() {
    for rule in ["Bash(curl https://api.example.com*)", "Bash(curl https://api.example.com *)"] {
        let settings = serde_json::json!({ "permissions": { "allow": [rule] } });
        let layer = Layer::new(Scope::Project, "s.json", settings.to_string(), path("/r/project"));
        let place = Place {
            start: path("/r/project"),
            project_root: path("/r/project"),
            home: path("/r/home"),
        };
        let found = look(&assemble(&[layer], &place), &stage());
        // Glued to the host, an option would be a part of its name.
        for (id, option) in [("X003", ".com -o "), ("X004", ".com -d ")] {
            let mut of_kind = found.findings.iter().filter(|finding| finding.kind.id == id);
            let finding = of_kind.next().unwrap_or_else(|| panic!("{rule}: no {id}"));
            for witness in &finding.witnesses {
                assert!(witness.question.text.contains(option), "{rule}: {witness:?}");
            }
        }
    }
}

fn look(policy: &Policy, stage: &Stage) -> Audit {
    let looks_secret = |text: &str| matches!(mask(text), Cow::Owned(_));
    audit(Subject { policy, stage, looks_secret: &looks_secret }, &Limits::THOROUGH)
}

fn named(finding: &Finding, texts: &[(String, String)]) -> String {
    let id = finding.kind.id;
    if let Some(rule) = &finding.rule {
        return format!("{id} {}", rule.text);
    }
    // The place of a rule that the reader of rules complains about, as its list and index.
    let source = &finding.source;
    let (_, text) = texts.iter().find(|(file, _)| *file == source.file).unwrap();
    let offset: usize =
        text.lines().take(source.line.saturating_sub(1)).map(|line| line.len() + 1).sum::<usize>()
            + source.column.saturating_sub(1);
    let before = text.get(..offset).unwrap_or("");
    for list in ["allow", "ask", "deny"] {
        let Some(start) = before.rfind(&format!("\"{list}\": [")) else { continue };
        if before.get(start..).unwrap_or_default().contains(']') {
            continue;
        }
        let index = before.get(start..).unwrap_or_default().lines().count().saturating_sub(2);
        return format!("{id} @{list}[{index}]");
    }
    id.to_owned()
}

fn assembled(case: &Value) -> (Policy, Vec<(String, String)>) {
    let mut layers = Vec::new();
    let mut texts = Vec::new();
    for layer in case["layers"].as_array().unwrap() {
        let (scope, dir) = match layer["scope"].as_str().unwrap() {
            "user" => (Scope::User, "/r/home/.claude"),
            "managed" => (Scope::Managed, "/"),
            _ => (Scope::Project, "/r/project"),
        };
        let file = format!("{}.json", scope.word());
        let text = format!("{:#}", layer["settings"]);
        texts.push((file.clone(), text.clone()));
        layers.push(Layer::new(scope, file, text, path(dir)));
    }
    let place = Place {
        start: path("/r/project"),
        project_root: path("/r/project"),
        home: path("/r/home"),
    };
    (assemble(&layers, &place), texts)
}

fn stage() -> Stage {
    Stage { project: path("/r/project"), home: path("/r/home"), mode: None }
}

fn path(text: &str) -> AbsPath {
    AbsPath::parse(text).unwrap()
}

#[test]
fn a_session_of_the_real_client_is_read_whole() {
    let file = corpus::shipped("transcripts/claude-code-2.1.191.jsonl");
    let text = std::fs::read(file).unwrap();
    let mut calls = Vec::new();
    let tally = transcript::read(text.as_slice(), |call| calls.push(call), |_| true).unwrap();
    assert_eq!((tally.broken, tally.truncated, tally.too_long), (0, false, 0));
    let short: Vec<(&str, &str)> =
        calls.iter().map(|call| (call.tool.as_str(), call.text.as_str())).collect();
    assert_eq!(
        short,
        [
            ("Bash", "make all"),
            ("Bash", "git status && git diff --stat"),
            ("Read", "/home/dev/project/open"),
            ("Bash", "npm test -- --watch=false"),
            ("Write", "/home/dev/project/new.txt"),
        ]
    );
    for call in &calls {
        assert_eq!(call.cwd.as_deref(), Some("/home/dev/project"));
        assert!(call.session.is_some() && call.time.is_some());
        assert_eq!(call.input.text("content"), None, "what no rule looks at is not kept");
    }
}
