//! Adversarial cases: hostile and benign calls with the verdict they must or must not get.

use crate::case::{Case, Miss};
use crate::evaluate;
use crate::world;
use serde::Deserialize;
use serde_json::{Value, json};

/// One call, hostile or benign.
#[derive(Clone, Debug, Deserialize)]
pub struct Adversarial {
    id: String,
    settings: Value,
    tool: String,
    input: Value,
    #[serde(default)]
    must: Option<String>,
    #[serde(default)]
    must_not: Option<String>,
    #[serde(default = "default_mode")]
    mode: String,
    #[serde(default = "default_scope")]
    scope: String,
    #[serde(default)]
    fs: Files,
    #[serde(default)]
    additional_directories: Vec<String>,
    why: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Files {
    #[serde(default)]
    files: Vec<Value>,
    #[serde(default)]
    symlinks: serde_json::Map<String, Value>,
}

/// The start directory and project root of every case.
const PROJECT: &str = "/home/dev/proj";
/// The home directory of every case.
const HOME: &str = "/home/dev";

impl Adversarial {
    /// The call as a line of `check --batch`.
    pub fn call(&self) -> Value {
        let links = Value::Object(self.fs.symlinks.clone());
        // A case that lists no files says nothing of what lies in the project, not that it is empty.
        let mut disk = if self.fs.files.is_empty() {
            world::only_links(&[HOME], &links)
        } else {
            world::only_links(&[PROJECT, HOME], &links)
        };
        if !self.fs.files.is_empty() {
            disk["files"] = Value::Array(self.fs.files.clone());
        }
        json!({
            "id": self.id,
            "tool_name": self.tool,
            "tool_input": self.input,
            "cwd": PROJECT,
            "project_root": PROJECT,
            "home": HOME,
            "permission_mode": self.mode,
            "additional_directories": self.additional_directories,
            "layers": [{ "scope": self.scope, "settings": { "permissions": self.settings } }],
            "fs": disk,
        })
    }

    /// Whether an allow is what the case forbids.
    pub fn forbids_allow(&self) -> bool {
        self.must_not.as_deref() == Some("allow")
            || self.must.as_deref().is_some_and(|must| must != "allow")
    }

    /// Whether an allow is what the case wants.
    pub fn demands_allow(&self) -> bool {
        self.must.as_deref() == Some("allow")
    }
}

impl Case for Adversarial {
    fn id(&self) -> &str {
        &self.id
    }

    fn suite(&self) -> &str {
        self.id.split('-').next().unwrap_or(&self.id)
    }

    fn judge(&self) -> Result<(), Miss> {
        let Self { must, must_not, why, tool, input, settings, mode, .. } = self;
        let expected = match (must, must_not) {
            (Some(must), _) => format!("{must} ({why})"),
            (None, Some(must_not)) => format!("not {must_not} ({why})"),
            (None, None) => "a case without `must` and `must_not` proves nothing".to_owned(),
        };
        let miss = |ours: &str, detail: String| Miss {
            expected: expected.clone(),
            ours: ours.to_owned(),
            detail,
            call: format!("{tool} {input} mode={mode} rules={settings}"),
        };
        let answer = evaluate::ask(&self.call()).map_err(|error| miss("error", error))?;
        let ours = answer.decision.word();
        let fits = match (must, must_not) {
            (Some(must), _) => must == ours,
            (None, Some(must_not)) => must_not != ours,
            (None, None) => false,
        };
        if fits { Ok(()) } else { Err(miss(ours, answer.describe())) }
    }
}

fn default_mode() -> String {
    "default".to_owned()
}

fn default_scope() -> String {
    "project".to_owned()
}
