//! What the audit says about small policies.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_audit::{Audit, Difference, Limits, Stage, Subject, audit, diff};
use portcullis_model::{AbsPath, Decision, Scope};
use portcullis_policy::{Layer, Place, Policy, assemble};

fn path(text: &str) -> AbsPath {
    AbsPath::parse(text).unwrap()
}

fn stage() -> Stage {
    Stage { project: path("/r/project"), home: path("/r/home"), mode: None }
}

/// A policy of one project file: lines `deny Bash(x)`.
fn policy(lines: &str) -> Policy {
    let mut lists = [("deny", Vec::new()), ("ask", Vec::new()), ("allow", Vec::new())];
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (class, rule) = line.split_once(' ').unwrap();
        let list = lists.iter_mut().find(|(name, _)| *name == class).unwrap();
        list.1.push(format!("{rule:?}"));
    }
    let lists: Vec<String> =
        lists.iter().map(|(name, rules)| format!("\"{name}\": [{}]", rules.join(", "))).collect();
    let text = format!("{{\"permissions\": {{{}}}}}", lists.join(", "));
    let layer = Layer::new(Scope::Project, "settings.json", text, path("/r/project"));
    let place = Place {
        start: path("/r/project"),
        project_root: path("/r/project"),
        home: path("/r/home"),
    };
    assemble(&[layer], &place)
}

fn run(lines: &str) -> Audit {
    let policy = policy(lines);
    let stage = stage();
    let subject = Subject { policy: &policy, stage: &stage, looks_secret: &|_| false };
    audit(subject, &Limits::default())
}

/// The ids of findings with the rules they are about.
fn found(lines: &str) -> Vec<String> {
    run(lines)
        .findings
        .iter()
        .map(|finding| {
            let rule = finding.rule.as_ref().map_or("", |rule| rule.text.as_str());
            format!("{} {rule}", finding.kind.id)
        })
        .collect()
}

fn check(lines: &str, want: &[&str]) {
    let mut got = found(lines);
    got.sort();
    let mut want: Vec<String> = want.iter().map(|text| (*text).to_owned()).collect();
    want.sort();
    assert_eq!(got, want, "{lines}\n{:#?}", run(lines).findings);
}

#[test]
fn proves_what_is_shadowed_and_redundant() {
    check("deny Bash(git *)\nallow Bash(git push *)", &["S001 Bash(git push *)"]);
    check("deny Bash(git push *)\nallow Bash(git diff)", &[]);
    check("deny Bash(rm)\nask Bash(rm ?*)\nallow Bash(rm)", &["S001 Bash(rm)"]);
    check("ask Bash(jq *)\ndeny Bash(jq)\nallow Bash(jq *)", &["S001 Bash(jq *)"]);
    check("ask Bash(jq -r *)\ndeny Bash(jq)\nallow Bash(jq *)", &[]);
    check("deny Bash(jq -r *)\nask Bash(jq -r . *)", &["S002 Bash(jq -r . *)"]);
    check("allow Bash(jq -r *)\nallow Bash(jq *)", &["R002 Bash(jq -r *)"]);
    check("allow Bash(jq:*)\nallow Bash(jq *)", &["R001 Bash(jq *)"]);
    check("deny Read(.env)\nallow Read(./.env)", &["S001 Read(./.env)"]);
    check("deny Edit(src/**)\nallow Edit(src/a/**)", &["S001 Edit(src/a/**)"]);
    check(
        "deny WebFetch(domain:*.x.org)\nallow WebFetch(domain:a.x.org)",
        &["S001 WebFetch(domain:a.x.org)"],
    );
    check("deny mcp__s\nallow mcp__s__t", &["S001 mcp__s__t"]);
}

#[test]
fn finds_what_wide_rules_grant_unless_it_is_taken_back() {
    assert!(found("allow Bash(python3 *)").contains(&"X001 Bash(python3 *)".to_owned()));
    assert!(found("allow Bash(git *)").contains(&"X001 Bash(git *)".to_owned()));
    assert!(found("allow Bash").contains(&"X001 Bash".to_owned()));
    check("allow Bash(git log *)", &[]);
    check("allow Bash(ls*)", &["X006 Bash(ls*)"]);
    check("allow Bash(npm test)", &["X002 Bash(npm test)"]);
    check(
        "allow Bash(curl https://a.com*)",
        &[
            "X004 Bash(curl https://a.com*)",
            "X008 Bash(curl https://a.com*)",
            "X003 Bash(curl https://a.com*)",
        ],
    );
    check("allow Read(~/**)", &["X010 Read(~/**)"]);
    check("deny Read(~/.*)\nallow Read(~/**)", &[]);
    check(
        "allow Edit(package.json)\nallow Bash(npm test)",
        &["X002 Bash(npm test)", "X009 Bash(npm test)"],
    );
}

#[test]
fn scores_denies() {
    let audit = run("deny Bash(rm *)\nallow Bash(find *)\nallow Bash(ls *)");
    let [robust] = audit.robustness.as_slice() else { panic!("{:#?}", audit.robustness) };
    let through: Vec<_> = robust
        .trials
        .iter()
        .filter(|trial| trial.outcome == portcullis_audit::Outcome::Allowed)
        .collect();
    assert!(through.is_empty(), "{through:#?}");
    assert!(robust.trials.len() > 60);
    assert!(
        robust.denied() > 0.9,
        "{} {:#?}",
        robust.denied(),
        robust
            .trials
            .iter()
            .filter(|t| t.outcome != portcullis_audit::Outcome::Denied)
            .collect::<Vec<_>>()
    );
}

fn difference(old: &str, new: &str) -> Difference {
    diff(&policy(old), &policy(new), &stage(), &Limits::default())
}

#[test]
fn compares_policies() {
    let same = difference("deny Bash(rm *)", "deny Bash(rm *)");
    assert!(same.is_empty() && !same.gives_access());
    let looser = difference("deny Bash(rm *)", "");
    assert!(looser.gives_access());
    let flip = looser.flips.first().unwrap();
    assert_eq!((flip.cell.from, flip.cell.to), (Decision::Deny, Decision::Ask));
    assert!(!difference("", "deny Bash(rm *)").gives_access());
    assert!(difference("allow Bash(jq *)", "allow Bash(jq *)\nallow Bash(jq -r *)").is_empty());
    let hidden = difference("deny Bash(a * z)\nallow Bash(a b *)", "allow Bash(a b *)");
    let cells: Vec<_> = hidden.flips.iter().map(|flip| (flip.cell.from, flip.cell.to)).collect();
    assert!(cells.contains(&(Decision::Deny, Decision::Allow)), "{cells:?}");
}
