//! Asks the evaluator, in the wire format of `portcullis check --batch`.

use portcullis_host::batch::{self, Defaults};
use portcullis_host::settings::Policies;
use portcullis_model::Decision;
use serde::Deserialize;
use serde_json::Value;

/// Asks for the verdict of one call (a line of `check --batch`).
pub fn ask(call: &Value) -> Result<Answer, String> {
    read(&answer_line(&call.to_string(), false))
}

/// Asks for the verdict of one call and for what it would do.
pub fn ask_with_facts(call: &Value) -> Result<Answer, String> {
    read(&answer_line(&call.to_string(), true))
}

/// Reads an answer line; an error answer is an `Err`.
pub fn read(line: &str) -> Result<Answer, String> {
    serde_json::from_str(line).map_err(|error| format!("{error} in the answer {line}"))
}

/// What the evaluator says about one call.
#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    /// The verdict.
    #[serde(deserialize_with = "decision")]
    pub decision: Decision,
    /// Where an ask goes when not to a person.
    #[serde(default)]
    pub route: Option<String>,
    /// The tool as a whole is denied.
    #[serde(default)]
    pub removes_tool: bool,
    /// One line: what decided.
    pub reason: String,
    /// One finding a subject at least.
    #[serde(default)]
    pub findings: Vec<Value>,
    /// The argv of every command, where facts were asked for.
    #[serde(default)]
    pub commands: Vec<Vec<Argument>>,
    /// Every redirect, where facts were asked for.
    #[serde(default)]
    pub redirects: Vec<Redirect>,
    /// Why the command could not be read in full.
    #[serde(default)]
    pub unanalyzable: Vec<String>,
    /// A part of it could not be read at all.
    #[serde(default)]
    pub unreadable: bool,
}

impl Answer {
    /// Reason and findings, for a person.
    pub fn describe(&self) -> String {
        let mut out = self.reason.clone();
        for finding in &self.findings {
            out.push_str("\n            ");
            out.push_str(&finding.to_string());
        }
        out
    }

    /// The rules the findings name, each with what it decided and the class it stands in.
    pub fn deciding_rules(&self) -> Vec<(Decision, String, String)> {
        let mut rules = Vec::new();
        for finding in &self.findings {
            let text = |pointer| finding.pointer(pointer).and_then(Value::as_str);
            let decision = text("/decision").and_then(parse_decision);
            let class = text("/because/class");
            if let (Some(decision), Some(class), Some(rule)) =
                (decision, class, text("/because/rule"))
            {
                rules.push((decision, class.to_owned(), rule.to_owned()));
            }
        }
        rules
    }
}

/// One argument of a predicted command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(untagged)]
pub enum Argument {
    /// Exactly this word.
    Known(String),
    /// Any number of words.
    Splat {
        /// Always true.
        splat: bool,
    },
    /// One unknown word.
    Unknown(()),
}

/// One predicted redirect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Redirect {
    /// The descriptor as written, if one was.
    pub fd: Option<String>,
    /// The operator as written.
    pub op: String,
    /// The target where it is static.
    pub target: Option<String>,
}

/// Reads a decision word.
pub fn parse_decision(word: &str) -> Option<Decision> {
    [Decision::Allow, Decision::Ask, Decision::Deny].into_iter().find(|each| each.word() == word)
}

fn decision<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Decision, D::Error> {
    let word = String::deserialize(deserializer)?;
    parse_decision(&word).ok_or_else(|| serde::de::Error::custom(format!("no decision: `{word}`")))
}

/// Answers one line of `check --batch`.
pub fn answer_line(line: &str, facts: bool) -> String {
    batch::answer(line, &Defaults { facts, ..Defaults::default() }, &mut Policies::default())
}
