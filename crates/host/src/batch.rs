//! `check --batch`: one JSON object a line in, one out, in order.

use crate::disk::{Disk, Entry, ListedDisk, RealDisk};
use crate::evaluate::{Evaluation, evaluate};
use crate::settings::{Known, Policies, project_root_of};
use crate::wire::{facts_json, verdict_json};
use portcullis_engine::Options;
use portcullis_model::{AbsPath, HookAnswer, InputValue, Mode, Scope, ToolCall, ToolInput};
use portcullis_policy::{Layer, Place};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;

/// A line of more bytes is an error, not work.
pub const MAX_LINE: usize = 8 * 1024 * 1024;

/// As long as the kernel takes a path (`PATH_MAX`).
const MAX_PATH: usize = 4096;

/// More directories, files or answers than a line has use for: each may grow by the directory it lies in.
const MAX_ENTRIES: usize = 20_000;

/// What a line that does not say otherwise means.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// The current directory of a call.
    pub cwd: AbsPath,
    /// The directory its session was started in, where that was said; else the project that the call's
    /// directory lies in.
    pub project_root: Option<AbsPath>,
    /// The home directory.
    pub home: AbsPath,
    /// The mode.
    pub mode: Option<Mode>,
    /// Also print the facts.
    pub facts: bool,
    /// Also print near misses.
    pub near_misses: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            cwd: AbsPath::root(),
            project_root: None,
            home: AbsPath::root(),
            mode: None,
            facts: false,
            near_misses: false,
        }
    }
}

/// Answers one line. Never fails: a line that cannot be read gives an error object.
pub fn answer(line: &str, defaults: &Defaults, policies: &mut Policies) -> String {
    let started = Instant::now();
    match Request::read(line, defaults, policies) {
        Ok(request) => request.json(&request.evaluate(defaults), defaults, started).to_string(),
        Err(unread) => unread.json().to_string(),
    }
}

/// A line that has been read.
#[derive(Debug)]
pub struct Request {
    /// What the line calls itself.
    id: Value,
    /// The call.
    pub call: ToolCall,
    /// What it is judged by.
    pub known: Arc<Known>,
    /// The settings were looked for on disk, and came not with the line.
    pub is_discovered: bool,
    /// The disk that answers, where it is not the real one.
    pub listed: Option<ListedDisk>,
}

impl Request {
    /// Reads one line.
    pub fn read(line: &str, defaults: &Defaults, policies: &mut Policies) -> Result<Self, Unread> {
        let mut id = Value::Null;
        match request(line, defaults, policies, &mut id) {
            Ok(request) => Ok(Self { id, ..request }),
            Err((code, message)) => Err(Unread { id, code, message }),
        }
    }

    /// Decides the call.
    pub fn evaluate(&self, defaults: &Defaults) -> Evaluation {
        let disk: &dyn Disk = match &self.listed {
            Some(listed) => listed,
            None => &RealDisk,
        };
        let options = Options { near_misses: defaults.near_misses, ..Options::default() };
        evaluate(&self.known.policy, &self.call, disk, options)
    }

    /// The answer to the line.
    pub fn json(&self, evaluation: &Evaluation, defaults: &Defaults, started: Instant) -> Value {
        let mut out = Map::new();
        out.insert("id".into(), self.id.clone());
        out.extend(verdict_json(&evaluation.verdict, &evaluation.facts));
        if defaults.facts {
            out.extend(facts_json(&evaluation.facts));
        }
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        out.insert("micros".into(), micros.into());
        Value::Object(out)
    }
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Unread {
    /// What the line calls itself, where that much could be read.
    pub id: Value,
    /// What is wrong; stable.
    pub code: &'static str,
    /// The same for a person.
    pub message: String,
}

impl Unread {
    /// A line without a name.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { id: Value::Null, code, message: message.into() }
    }

    /// A line of more than [`MAX_LINE`] bytes.
    pub fn too_long() -> Self {
        Self::new("too-long", format!("a line may hold {MAX_LINE} bytes at most"))
    }

    /// The answer to the line.
    pub fn json(&self) -> Value {
        json!({ "id": self.id, "error": { "code": self.code, "message": self.message } })
    }
}

/// Why a line cannot be read: a stable code and one line for a person.
type Problem = (&'static str, String);

fn problem<T>(code: &'static str, message: impl Into<String>) -> Result<T, Problem> {
    Err((code, message.into()))
}

/// Reads one line; its `id` is given back even where the rest cannot be read.
fn request(
    line: &str,
    defaults: &Defaults,
    policies: &mut Policies,
    id: &mut Value,
) -> Result<Request, Problem> {
    if line.len() > MAX_LINE {
        let Unread { code, message, .. } = Unread::too_long();
        return problem(code, message);
    }
    let value: Value = match crate::strict_json::from_slice(line.as_bytes()) {
        Ok(value) => value,
        Err(error) => return problem("not-json", format!("the line is not JSON: {error}")),
    };
    let Value::Object(fields) = value else {
        return problem("not-an-object", "a line holds one JSON object");
    };
    *id = fields.get("id").cloned().unwrap_or(Value::Null);
    let Some(tool) = fields.get("tool_name").and_then(Value::as_str) else {
        return problem("no-tool", "`tool_name` is missing or not text");
    };
    let input = match fields.get("tool_input") {
        None => ToolInput::default(),
        Some(Value::Object(input)) => tool_input(input),
        Some(_) => return problem("bad-input", "`tool_input` is not an object"),
    };
    let own_cwd = path_field(&fields, "cwd")?;
    let cwd = own_cwd.clone().unwrap_or_else(|| defaults.cwd.clone());
    let home = path_field(&fields, "home")?.unwrap_or_else(|| defaults.home.clone());
    let is_inline = fields.contains_key("settings") || fields.contains_key("layers");
    let said = path_field(&fields, "project_root")?.or_else(|| defaults.project_root.clone());
    let project_root = match (said, own_cwd) {
        (Some(root), _) => root,
        // Settings that come along stand in no project of the disk.
        (None, Some(cwd)) if is_inline => cwd,
        (None, _) => project_root_of(&cwd, &home),
    };
    let asked_mode = match fields.get("permission_mode") {
        None | Some(Value::Null) => defaults.mode,
        Some(Value::String(word)) => match Mode::parse(word) {
            Some(mode) => Some(mode),
            None => return problem("bad-mode", format!("`{word}` is not a permission mode")),
        },
        Some(_) => return problem("bad-mode", "`permission_mode` is not text"),
    };
    let mut additional = Vec::new();
    for entry in list(&fields, "additional_directories")? {
        match entry.as_str().and_then(|text| joined(&cwd, text)) {
            Some(path) => additional.push(path),
            None => {
                return problem("bad-path", "`additional_directories` holds what is not a path");
            }
        }
    }
    let mut hook_answers = Vec::new();
    for entry in list(&fields, "hook_answers")? {
        hook_answers.push(match entry.as_str() {
            Some("allow") => HookAnswer::Allow,
            Some("ask") => HookAnswer::Ask,
            Some("deny") => HookAnswer::Deny,
            Some("defer") => HookAnswer::Defer,
            _ => return problem("bad-hook-answer", "a hook answer is allow, ask, deny or defer"),
        });
    }
    let mut shadowed = Vec::new();
    for entry in list(&fields, "shadowed")? {
        shadowed.extend(entry.as_str().map(str::to_owned));
    }
    let sandboxed = match fields.get("sandboxed") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(value)) => Some(*value),
        Some(_) => return problem("bad-sandboxed", "`sandboxed` is not true or false"),
    };
    let known = if is_inline {
        let layers = layers(&fields, &project_root, &home)?;
        let place = Place {
            start: project_root.clone(),
            project_root: project_root.clone(),
            home: home.clone(),
        };
        policies.of_layers(layers, place)
    } else {
        policies.of_project(&project_root, &home)
    };
    let mode = asked_mode
        .or_else(|| known.policy.default_mode.as_ref().map(|(mode, _)| *mode))
        .unwrap_or(Mode::Default);
    let call = ToolCall {
        tool: tool.to_owned(),
        input,
        cwd,
        project_root,
        home,
        mode,
        additional_directories: additional,
        sandboxed,
        hook_answers,
        shadowed,
    };
    let listed = match fields.get("fs") {
        None | Some(Value::Null) => None,
        Some(Value::Object(listing)) => Some(listed_disk(listing, &call.cwd)?),
        Some(_) => return problem("bad-fs", "`fs` is not an object"),
    };
    Ok(Request { id: Value::Null, call, known, is_discovered: !is_inline, listed })
}

/// The fields of a tool's input as rules compare them.
pub fn tool_input(input: &Map<String, Value>) -> ToolInput {
    ToolInput(
        input
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    Value::String(text) => InputValue::Text(text.clone()),
                    Value::Bool(_) | Value::Number(_) => InputValue::Scalar(value.to_string()),
                    Value::Null | Value::Array(_) | Value::Object(_) => InputValue::Other,
                };
                (name.clone(), value)
            })
            .collect(),
    )
}

fn path_field(fields: &Map<String, Value>, name: &str) -> Result<Option<AbsPath>, Problem> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() > MAX_PATH => {
            problem("bad-path", format!("`{name}` is longer than {MAX_PATH} bytes"))
        }
        Some(Value::String(text)) => match AbsPath::parse(text) {
            Ok(path) => Ok(Some(path)),
            Err(_) => problem("bad-path", format!("`{name}` is not an absolute path: `{text}`")),
        },
        Some(_) => problem("bad-path", format!("`{name}` is not text")),
    }
}

/// A path of the line, resolved against its directory; `None` where it is none, or longer than any.
fn joined(cwd: &AbsPath, text: &str) -> Option<AbsPath> {
    (text.len() <= MAX_PATH).then(|| cwd.join(text).ok()).flatten()
}

fn list<'a>(fields: &'a Map<String, Value>, name: &'static str) -> Result<&'a [Value], Problem> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(entries)) if entries.len() > MAX_ENTRIES => {
            problem("bad-list", format!("`{name}` has more than {MAX_ENTRIES} entries"))
        }
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) => problem("bad-list", format!("`{name}` is not a list")),
    }
}

fn layers(
    fields: &Map<String, Value>,
    project_root: &AbsPath,
    home: &AbsPath,
) -> Result<Vec<Layer>, Problem> {
    let mut out = Vec::new();
    if let Some(settings) = fields.get("settings") {
        // Inline settings stand in no directory, so nothing lies below theirs: a `/p` path rule of
        // theirs matches nothing. `p`, `~/p` and `//p` mean what they always mean.
        let nowhere = AbsPath::parse("/dev/null").unwrap_or_else(|_| AbsPath::root());
        out.push(Layer::new(Scope::CommandLine, "inline", settings.to_string(), nowhere));
    }
    for entry in list(fields, "layers")? {
        let Some(entry) = entry.as_object() else {
            return problem("bad-layer", "a layer is an object with `scope` and `settings`");
        };
        let scope = match entry.get("scope").and_then(Value::as_str) {
            Some("managed") => Scope::Managed,
            Some("cli") => Scope::CommandLine,
            Some("local") => Scope::Local,
            Some("project") => Scope::Project,
            Some("user") => Scope::User,
            _ => return problem("bad-layer", "`scope` is managed, cli, local, project or user"),
        };
        let dir = match path_field(entry, "dir")? {
            Some(dir) => dir,
            None => match scope {
                Scope::Project | Scope::Local | Scope::CommandLine => project_root.clone(),
                Scope::User => home.join(".claude").unwrap_or_else(|_| home.clone()),
                Scope::Managed => AbsPath::root(),
            },
        };
        let Some(settings) = entry.get("settings") else {
            return problem("bad-layer", "a layer has `settings`");
        };
        let mut layer =
            Layer::new(scope, format!("{} layer", scope.word()), settings.to_string(), dir);
        layer.trusted = entry.get("trusted").and_then(Value::as_bool).unwrap_or(true);
        out.push(layer);
    }
    Ok(out)
}

fn listed_disk(listing: &Map<String, Value>, cwd: &AbsPath) -> Result<ListedDisk, Problem> {
    let mut disk = ListedDisk::default();
    for (key, entry) in [("dirs", Entry::Directory), ("files", Entry::File)] {
        for path in list(listing, if key == "dirs" { "dirs" } else { "files" })? {
            match path.as_str().and_then(|text| joined(cwd, text)) {
                Some(path) => disk.add(path, entry.clone()),
                None => return problem("bad-fs", format!("`{key}` holds what is not a path")),
            }
        }
    }
    match listing.get("symlinks") {
        None | Some(Value::Null) => {}
        Some(Value::Object(links)) if links.len() > MAX_ENTRIES => {
            return problem("bad-fs", format!("`symlinks` has more than {MAX_ENTRIES} entries"));
        }
        Some(Value::Object(links)) => {
            for (path, target) in links {
                match (joined(cwd, path), target.as_str()) {
                    (Some(path), Some(target)) => disk.add(path, Entry::Link(target.to_owned())),
                    _ => return problem("bad-fs", "`symlinks` maps paths to targets"),
                }
            }
        }
        Some(_) => return problem("bad-fs", "`symlinks` is not an object"),
    }
    Ok(disk)
}
