//! Conformance cases: what the reference client decided, and how ours has to relate to it.

use crate::case::{Case, Miss};
use crate::evaluate::{self, Answer, parse_decision};
use crate::world::{self, HOME, PROJECT};
use portcullis_model::Decision;
use serde::Deserialize;
use serde_json::{Value, json};

/// One observed call.
#[derive(Clone, Debug, Deserialize)]
pub struct Conformance {
    id: String,
    suite: String,
    permission_mode: String,
    permissions: Value,
    #[serde(default)]
    sandbox: Option<Value>,
    #[serde(default)]
    scope: Option<String>,
    tool_name: String,
    tool_input: Value,
    #[serde(default)]
    additional_directories: Vec<String>,
    #[serde(default = "default_layout")]
    layout: String,
    decision: String,
    relation: Relation,
    #[serde(default)]
    decisions: Vec<String>,
    #[serde(default)]
    removes_tool: bool,
}

/// How our decision has to relate to the observed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The same.
    Equal,
    /// Any of `decisions`.
    OneOf,
    /// The same or stricter.
    AtLeast,
    /// The same or laxer.
    AtMost,
}

impl Conformance {
    /// The call as a line of `check --batch`.
    pub fn call(&self) -> Result<Value, String> {
        let mut settings = json!({ "permissions": self.permissions });
        if let (Some(sandbox), Some(fields)) = (&self.sandbox, settings.as_object_mut()) {
            fields.insert("sandbox".to_owned(), sandbox.clone());
        }
        let call = json!({
            "id": self.id,
            "tool_name": self.tool_name,
            "tool_input": self.tool_input,
            "cwd": PROJECT,
            "project_root": PROJECT,
            "home": HOME,
            "permission_mode": self.permission_mode,
            "additional_directories": self.additional_directories,
        });
        let mut call = world::substitute(&call);
        let fields = call.as_object_mut().ok_or("a call is an object")?;
        let settings = world::substitute(&settings);
        match &self.scope {
            Some(scope) => {
                fields
                    .insert("layers".to_owned(), json!([{ "scope": scope, "settings": settings }]));
            }
            None => {
                fields.insert("settings".to_owned(), settings);
            }
        }
        fields.insert("fs".to_owned(), world::file_tree(&self.layout)?);
        Ok(call)
    }

    fn accepts(&self, answer: &Answer) -> Result<bool, String> {
        let read =
            |word: &str| parse_decision(word).ok_or_else(|| format!("no decision: `{word}`"));
        let observed = read(&self.decision)?;
        let ours = answer.decision;
        Ok(match self.relation {
            Relation::Equal => {
                // What the tool as a whole lost shows only in a deny.
                let removal = ours != Decision::Deny || answer.removes_tool == self.removes_tool;
                ours == observed && removal
            }
            Relation::OneOf => {
                let accepted = self.decisions.iter().map(|word| read(word));
                accepted.collect::<Result<Vec<_>, _>>()?.contains(&ours)
            }
            Relation::AtLeast => ours >= observed,
            Relation::AtMost => ours <= observed,
        })
    }

    fn expected(&self) -> String {
        let Self { decision, relation, decisions, removes_tool, .. } = self;
        let wanted = match relation {
            Relation::Equal => decision.clone(),
            Relation::OneOf => format!("one of {}", decisions.join(", ")),
            Relation::AtLeast => format!("at least {decision}"),
            Relation::AtMost => format!("at most {decision}"),
        };
        if *removes_tool { format!("{wanted}, tool removed") } else { wanted }
    }
}

impl Case for Conformance {
    fn id(&self) -> &str {
        &self.id
    }

    fn suite(&self) -> &str {
        &self.suite
    }

    fn judge(&self) -> Result<(), Miss> {
        let shown = format!(
            "{} {} mode={} rules={}{}{}",
            self.tool_name,
            self.tool_input,
            self.permission_mode,
            self.permissions,
            self.sandbox.as_ref().map(|sandbox| format!(" sandbox={sandbox}")).unwrap_or_default(),
            self.scope.as_ref().map(|scope| format!(" scope={scope}")).unwrap_or_default(),
        );
        let miss = |ours: &str, detail: String| Miss {
            expected: self.expected(),
            ours: ours.to_owned(),
            detail,
            call: shown.clone(),
        };
        let answer = self.call().and_then(|call| evaluate::ask(&call));
        let answer = answer.map_err(|error| miss("error", error))?;
        match self.accepts(&answer) {
            Ok(true) => Ok(()),
            Ok(false) => Err(miss(answer.decision.word(), answer.describe())),
            Err(error) => Err(miss("error", error)),
        }
    }
}

fn default_layout() -> String {
    "default".to_owned()
}
