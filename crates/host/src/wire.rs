//! Verdicts and facts as JSON: the stable format of `check`.

use portcullis_facts::{Access, Arg, Facts, Origin, Weight};
use portcullis_model::{Because, Certainty, Finding, NearMiss, Route, Source, Suggestion, Verdict};
use serde_json::{Map, Value, json};

/// A verdict, without the caller's id and the time it took.
pub fn verdict_json(verdict: &Verdict, facts: &Facts) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("decision".into(), verdict.decision.word().into());
    if let Some(route) = verdict.route {
        let word = match route {
            Route::Classifier => "classifier",
            Route::Defer => "defer",
        };
        out.insert("route".into(), word.into());
    }
    if verdict.removes_tool {
        out.insert("removes_tool".into(), true.into());
    }
    out.insert("sandboxed".into(), verdict.sandboxed.into());
    out.insert("reason".into(), verdict.reason.clone().into());
    out.insert("findings".into(), verdict.findings.iter().map(finding_json).collect());
    if !verdict.near_misses.is_empty() {
        out.insert("near_misses".into(), verdict.near_misses.iter().map(near_miss_json).collect());
    }
    if !verdict.suggestions.is_empty() {
        out.insert("suggestions".into(), verdict.suggestions.iter().map(suggestion_json).collect());
    }
    let touched = |wanted: &[Access]| -> Vec<Value> {
        let mut paths: Vec<String> = facts
            .accesses
            .iter()
            .filter(|access| wanted.contains(&access.access) && !access.guessed)
            .filter(|access| access.place != portcullis_facts::Place::Free)
            .map(|access| access.text.clone())
            .collect();
        paths.dedup();
        paths.into_iter().map(Value::from).collect()
    };
    let (writes, reads) = (touched(&[Access::Write, Access::Remove]), touched(&[Access::Read]));
    if !writes.is_empty() {
        out.insert("writes".into(), writes.into());
    }
    if !reads.is_empty() {
        out.insert("reads".into(), reads.into());
    }
    out
}

/// The facts that `--facts` adds: every command, redirect and obstacle.
pub fn facts_json(facts: &Facts) -> Map<String, Value> {
    let mut out = Map::new();
    let mut commands: Vec<Value> = Vec::new();
    for fact in facts.commands.iter().filter(|fact| !fact.guessed) {
        let carried = match fact.origin {
            Origin::Written => false,
            Origin::Payload | Origin::SecondReader | Origin::Lossy => true,
            // The command it refines is listed already and stands for it.
            Origin::Refined => continue,
        };
        let argv = argv_json(&fact.argv);
        // What wrappers carry is listed once, however it was found.
        if !(carried && commands.contains(&argv)) {
            commands.push(argv);
        }
        for peeled in &fact.peeled {
            let argv = argv_json(peeled);
            if !commands.contains(&argv) {
                commands.push(argv);
            }
        }
    }
    out.insert("commands".into(), commands.into());
    let redirects = facts.redirects.iter().map(|redirect| {
        json!({ "fd": redirect.descriptor, "op": redirect.op, "target": redirect.target })
    });
    out.insert("redirects".into(), redirects.collect());
    let mut reasons: Vec<&str> = facts.obstacles.iter().map(|o| o.reason.name()).collect();
    for fact in facts.commands.iter().filter(|fact| !fact.guessed) {
        reasons.extend(fact.obstacles.iter().map(|reason| reason.name()));
    }
    reasons.sort_unstable();
    reasons.dedup();
    out.insert("unanalyzable".into(), reasons.into_iter().map(Value::from).collect());
    out.insert(
        "unreadable".into(),
        facts.obstacles.iter().any(|obstacle| obstacle.weight == Weight::Unreadable).into(),
    );
    out
}

/// A command as a list; neighbouring runs of unknown words are one run.
fn argv_json(argv: &[Arg]) -> Value {
    let mut out: Vec<Value> = Vec::new();
    for arg in argv {
        let value = arg_json(arg);
        if !(value.is_object() && out.last() == Some(&value)) {
            out.push(value);
        }
    }
    out.into()
}

fn arg_json(arg: &Arg) -> Value {
    match arg {
        Arg::Known(word) => word.clone().into(),
        Arg::One { .. } => Value::Null,
        Arg::Glob(_) | Arg::Many { .. } => json!({ "splat": true }),
    }
}

fn source_json(source: &Source) -> Value {
    json!({
        "scope": source.scope.word(),
        "file": source.file,
        "line": source.line,
        "column": source.column,
    })
}

fn because_json(because: &Because) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    match because {
        Because::Rule(rule) => {
            put("kind", "rule".into());
            put("class", rule.class.word().into());
            put("rule", rule.text.clone().into());
            put("source", source_json(&rule.source));
        }
        Because::Builtin { code, text } => {
            put("kind", "builtin".into());
            put("code", (*code).into());
            put("text", text.clone().into());
        }
        Because::Mode { mode, text } => {
            put("kind", "mode".into());
            put("mode", (*mode).into());
            put("text", text.clone().into());
        }
        Because::Unanalyzable(reason) => {
            put("kind", "unanalyzable".into());
            put("code", reason.name().into());
            put("text", reason.meaning().into());
        }
        Because::Limit { code, text } => {
            put("kind", "limit".into());
            put("code", (*code).into());
            put("text", text.clone().into());
        }
        Because::BrokenPolicy { text, source } => {
            put("kind", "broken-policy".into());
            put("text", text.clone().into());
            if let Some(source) = source {
                put("source", source_json(source));
            }
        }
        Because::Hook { answer } => {
            put("kind", "hook".into());
            put("answer", (*answer).into());
        }
        Because::Bug { text } => {
            put("kind", "bug".into());
            put("text", text.clone().into());
        }
    }
    Value::Object(out)
}

fn finding_json(finding: &Finding) -> Value {
    let mut subject = json!({ "text": finding.subject.text });
    if let Some(span) = finding.subject.span
        && let Some(subject) = subject.as_object_mut()
    {
        subject.insert("start".into(), span.start.into());
        subject.insert("end".into(), span.end.into());
    }
    json!({
        "decision": finding.decision.word(),
        "because": because_json(&finding.because),
        "subject": subject,
        "certainty": match finding.certainty {
            Certainty::Certain => "certain",
            Certainty::Possible => "possible",
        },
    })
}

fn near_miss_json(miss: &NearMiss) -> Value {
    json!({
        "rule": miss.rule.text,
        "class": miss.rule.class.word(),
        "source": source_json(&miss.rule.source),
        "subject": miss.subject.text,
        "why": miss.why,
    })
}

fn suggestion_json(suggestion: &Suggestion) -> Value {
    match suggestion {
        Suggestion::Rules { rules, grants } => {
            json!({ "type": "addRules", "rules": rules, "grants": grants })
        }
        Suggestion::Directories { directories, grants } => {
            json!({ "type": "addDirectories", "directories": directories, "grants": grants })
        }
        Suggestion::Mode { mode, grants } => {
            json!({ "type": "setMode", "mode": mode, "grants": grants })
        }
    }
}
