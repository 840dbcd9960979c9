//! Stands in for the evaluator until it is merged; removed then.

use portcullis_model::*;
use portcullis_policy::{Layer, Policy};
use serde_json::{Value, json};

pub(crate) struct EvaluateOptions {
    pub(crate) near_misses: bool,
}
pub(crate) struct RealDisk;
pub(crate) struct Evaluation {
    pub(crate) verdict: Verdict,
    pub(crate) facts: Value,
}

pub(crate) fn evaluate(
    policy: &Policy,
    call: &ToolCall,
    _disk: &RealDisk,
    options: &EvaluateOptions,
) -> Evaluation {
    let _ = (policy, options.near_misses);
    let text = call.input.text("command").unwrap_or("").to_owned();
    let decision = if text.contains("denyme") {
        Decision::Deny
    } else if text.contains("allowme") {
        Decision::Allow
    } else {
        Decision::Ask
    };
    let end = text.len();
    Evaluation {
        verdict: Verdict {
            decision,
            route: None,
            removes_tool: false,
            sandboxed: false,
            reason: "stand-in".into(),
            findings: vec![Finding {
                decision,
                because: Because::Builtin { code: "no-rule", text: "no rule covers it".into() },
                subject: Subject { kind: SubjectKind::Command, text, span: Some(Span::new(0, end)) },
                certainty: Certainty::Certain,
            }],
            near_misses: vec![],
            suggestions: vec![],
        },
        facts: Value::Null,
    }
}

pub(crate) fn verdict_json(verdict: &Verdict) -> Value {
    json!({"decision": verdict.decision.word(), "reason": verdict.reason, "findings": []})
}
pub(crate) fn facts_json(facts: &Value) -> Value {
    facts.clone()
}

pub(crate) fn discover(home: &AbsPath, root: &AbsPath, _config: Option<&str>) -> Vec<Layer> {
    let mut layers = vec![];
    for (scope, file, dir) in [
        (Scope::User, format!("{home}/.claude/settings.json"), home),
        (Scope::Project, format!("{root}/.claude/settings.json"), root),
    ] {
        if let Ok(text) = std::fs::read_to_string(&file) {
            layers.push(Layer::new(scope, file, text, dir.clone()));
        }
    }
    layers
}
pub(crate) fn batch_answer(line: &str) -> String {
    line.to_owned()
}
