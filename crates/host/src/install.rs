//! Wiring the hook into an agent's settings file, and taking it out again.
//!
//! In: the text of a settings file and what should stand in it. Out: the new text, with the order,
//! layout and spelling of everything else kept. Planning is pure; [`apply`] writes. A file that is
//! not plain JSON, or whose `hooks` have an unexpected shape, is refused and never touched.

use crate::claude_code::Event;
use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode};
use serde_json::Value;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Seconds the host waits for one hook call. Well above our own deadline, so that a late answer is
/// our block and not the host's "no decision".
pub const HOST_TIMEOUT_SECONDS: u32 = 15;

/// How the hook is called: the program and its arguments, started without a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCommand {
    /// The program: an absolute path, or a bare name for files that other machines share.
    pub program: String,
    /// Arguments after `hook --host claude-code --event …`, such as policy flags.
    pub extra: Vec<String>,
}

impl HookCommand {
    /// The argument list for one event.
    pub fn args(&self, event: Event) -> Vec<String> {
        let fixed = ["hook", "--host", "claude-code", "--event", event.word()];
        fixed.into_iter().map(str::to_owned).chain(self.extra.iter().cloned()).collect()
    }
}

/// What should become of a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The hook stands in it once, in its present form.
    Install(HookCommand),
    /// The hook does not stand in it.
    Uninstall,
}

/// Why a settings file is left alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The file is not plain JSON.
    #[error("`{file}:{line}:{column}` is not JSON: {detail}")]
    NotJson {
        /// The file.
        file: String,
        /// One-based line.
        line: usize,
        /// One-based column.
        column: usize,
        /// What the reader found.
        detail: String,
    },
    /// A value has another type than the agent expects.
    #[error("`{key}` in `{file}` is not {expected}")]
    Shape {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// What was expected, with its article.
        expected: &'static str,
    },
    /// The file changed between planning and writing.
    #[error("`{file}` was changed by something else meanwhile")]
    Changed {
        /// The file.
        file: String,
    },
    /// Reading or writing failed.
    #[error("cannot {action} `{file}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        file: String,
        /// The system's answer.
        source: io::Error,
    },
}

/// A settings file before and after a change; `None` where it does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a plan changes nothing until it is applied"]
pub struct Plan {
    /// The file.
    pub path: PathBuf,
    /// Its text now.
    pub before: Option<String>,
    /// Its text afterwards.
    pub after: Option<String>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_done(&self) -> bool {
        self.before == self.after
    }

    /// The change as a unified diff without the file header; empty when there is nothing to do.
    pub fn diff(&self) -> Vec<DiffLine> {
        diff(self.before.as_deref().unwrap_or(""), self.after.as_deref().unwrap_or(""))
    }
}

/// One line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffLine {
    /// In both.
    Same(String),
    /// Only before.
    Removed(String),
    /// Only afterwards.
    Added(String),
}

/// A hook of ours found in a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The event it is registered for.
    pub event: String,
    /// The matcher of its group; `None` matches everything.
    pub matcher: Option<String>,
    /// The program or, in the shell form, the whole command.
    pub command: String,
    /// The arguments; `None` is the shell form.
    pub args: Option<Vec<String>>,
    /// The host's timeout in whole seconds, where one is set.
    pub timeout: Option<u64>,
    /// Whether the host is told to block when the hook fails.
    pub blocks_on_failure: bool,
    /// Whether the host runs it in the background, where it cannot block.
    pub background: bool,
    /// A condition of the host on when to run it.
    pub condition: Option<String>,
}

/// Reads `path` and plans a change.
pub fn plan(path: &Path, change: &Change) -> Result<Plan, InstallError> {
    let file = path.display().to_string();
    let before = match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(InstallError::Io { action: "read", file, source }),
    };
    let after = match (&before, change) {
        (None, Change::Uninstall) => None,
        (None, Change::Install(command)) => Some(install("{}\n", command, &file)?),
        (Some(text), Change::Install(command)) => Some(install(text, command, &file)?),
        (Some(text), Change::Uninstall) => match uninstall(text, &file)? {
            stripped if stripped == *text => Some(stripped),
            stripped => restore(path, stripped),
        },
    };
    Ok(Plan { path: path.to_owned(), before, after })
}

/// Writes a planned change: atomically, keeping the file's mode and a copy of the old text.
/// Returns where the old text went.
pub fn apply(plan: &Plan) -> Result<Option<PathBuf>, InstallError> {
    if plan.is_done() {
        return Ok(None);
    }
    // A settings file is often a link into a dotfiles folder: the link stays, its target is written.
    let target = fs::canonicalize(&plan.path).unwrap_or_else(|_| plan.path.clone());
    let file = plan.path.display().to_string();
    let io_error = |action| move |source| InstallError::Io { action, file: file.clone(), source };
    if fs::read_to_string(&target).ok() != plan.before {
        return Err(InstallError::Changed { file: plan.path.display().to_string() });
    }
    let backup = match &plan.before {
        Some(before) => {
            let backup = backup_path(&target);
            replace(&backup, before, mode_of(&target)).map_err(io_error.clone()("write"))?;
            Some(backup)
        }
        None => None,
    };
    match &plan.after {
        Some(after) => {
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder).map_err(io_error.clone()("create the folder of"))?;
            }
            replace(&target, after, mode_of(&target)).map_err(io_error("write"))?;
        }
        None => fs::remove_file(&target).map_err(io_error("remove"))?,
    }
    Ok(backup)
}

/// The hooks of ours that stand in a settings text, in order; text that is not JSON holds none.
pub fn registrations(text: &str) -> Vec<Registration> {
    let Ok(root) = serde_json::from_str::<Value>(text) else {
        return Vec::new();
    };
    let Some(events) = root.get("hooks").and_then(Value::as_object) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (event, groups) in events {
        for group in groups.as_array().into_iter().flatten() {
            let matcher = group.get("matcher").and_then(Value::as_str).map(str::to_owned);
            for handler in group.get("hooks").and_then(Value::as_array).into_iter().flatten() {
                if let Some(command) = ours(handler) {
                    found.push(registration(event, matcher.clone(), command, handler));
                }
            }
        }
    }
    found
}

fn registration(
    event: &str,
    matcher: Option<String>,
    command: &str,
    handler: &Value,
) -> Registration {
    let flag = |key| handler.get(key).and_then(Value::as_bool).unwrap_or(false);
    Registration {
        event: event.to_owned(),
        matcher,
        command: command.to_owned(),
        args: handler
            .get("args")
            .and_then(Value::as_array)
            .map(|args| args.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        timeout: handler.get("timeout").and_then(Value::as_u64),
        blocks_on_failure: handler.get("onFailure").and_then(Value::as_str) == Some("block"),
        background: flag("async") || flag("asyncRewake"),
        condition: handler.get("if").and_then(Value::as_str).map(str::to_owned),
    }
}

/// The command of a handler, if it calls `portcullis hook`.
fn ours(handler: &Value) -> Option<&str> {
    let command = handler.get("command")?.as_str()?;
    let (program, first) = if let Some(args) = handler.get("args") {
        (command, args.get(0)?.as_str()?)
    } else {
        let mut words = command.split_whitespace();
        (words.next()?.trim_matches(['"', '\'']), words.next()?)
    };
    let name = program.rsplit('/').next()?;
    (name == "portcullis" && first == "hook").then_some(command)
}

fn install(text: &str, command: &HookCommand, file: &str) -> Result<String, InstallError> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let root = parse(text, file)?;
    let shape = |key: &str, expected| InstallError::Shape {
        file: file.to_owned(),
        key: key.to_owned(),
        expected,
    };
    let top = root.object_value().ok_or_else(|| shape("the whole file", "an object"))?;
    let event = Event::PreToolUse;
    let wanted = handler_value(command, event);
    if standing(text) == [(event.word().to_owned(), None, wanted.clone())] {
        return Ok(text.to_owned());
    }
    remove_ours(&top, file)?;
    let hooks = top.object_value_or_create("hooks").ok_or_else(|| shape("hooks", "an object"))?;
    let groups = hooks
        .array_value_or_create(event.word())
        .ok_or_else(|| shape(&format!("hooks.{}", event.word()), "an array"))?;
    // No matcher: every tool, on every version of the agent.
    groups.append(input_value(&serde_json::json!({ "hooks": [wanted] })));
    Ok(root.to_string())
}

fn uninstall(text: &str, file: &str) -> Result<String, InstallError> {
    if text.trim().is_empty() {
        return Ok(text.to_owned());
    }
    let root = parse(text, file)?;
    let Some(top) = root.object_value() else {
        return Ok(text.to_owned());
    };
    if !remove_ours(&top, file)? {
        return Ok(text.to_owned());
    }
    Ok(root.to_string())
}

/// The text after uninstalling: `None` (no file) where nothing is left, and byte for byte the text
/// from before the installation where that text means the same.
fn restore(path: &Path, stripped: String) -> Option<String> {
    let Ok(value) = serde_json::from_str::<Value>(&stripped) else {
        return Some(stripped);
    };
    let backup = fs::canonicalize(path)
        .ok()
        .and_then(|target| fs::read_to_string(backup_path(&target)).ok());
    if let Some(backup) = backup
        && serde_json::from_str::<Value>(&backup)
            .is_ok_and(|old| pruned(old) == pruned(value.clone()))
    {
        return Some(backup);
    }
    if value == serde_json::json!({}) { None } else { Some(stripped) }
}

/// A settings value without hook containers that hold nothing.
fn pruned(mut value: Value) -> Value {
    if let Some(hooks) = value.get_mut("hooks").and_then(Value::as_object_mut) {
        hooks.retain(|_, groups| groups.as_array().is_none_or(|groups| !groups.is_empty()));
        if hooks.is_empty()
            && let Some(top) = value.as_object_mut()
        {
            top.shift_remove("hooks");
        }
    }
    value
}

/// Takes every hook of ours out, with the groups and events that are empty without it.
fn remove_ours(top: &CstObject, file: &str) -> Result<bool, InstallError> {
    let shape =
        |key: String, expected| InstallError::Shape { file: file.to_owned(), key, expected };
    let Some(hooks_property) = top.get("hooks") else {
        return Ok(false);
    };
    let hooks =
        hooks_property.object_value().ok_or_else(|| shape("hooks".to_owned(), "an object"))?;
    let mut removed = false;
    for event in hooks.properties() {
        let name = event.decoded_name().unwrap_or_default();
        let groups =
            event.array_value().ok_or_else(|| shape(format!("hooks.{name}"), "an array"))?;
        let mut touched = false;
        for group in groups.elements() {
            let Some(handlers) = handlers_of(&group) else { continue };
            for handler in handlers.elements() {
                if handler_json(&handler).as_ref().and_then(ours).is_some() {
                    handler.remove();
                    touched = true;
                }
            }
            if touched && handlers.elements().is_empty() {
                group.remove();
            }
        }
        if touched && groups.elements().is_empty() {
            event.remove();
        }
        removed |= touched;
    }
    if removed && hooks.properties().is_empty() {
        hooks_property.remove();
    }
    Ok(removed)
}

fn handlers_of(group: &CstNode) -> Option<CstArray> {
    group.as_object()?.array_value("hooks")
}

fn handler_json(handler: &CstNode) -> Option<Value> {
    serde_json::from_str(handler.to_string().trim()).ok()
}

/// What stands in a settings text of ours: event, matcher, handler.
fn standing(text: &str) -> Vec<(String, Option<String>, Value)> {
    let root: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let mut found = Vec::new();
    for (event, groups) in root.get("hooks").and_then(Value::as_object).into_iter().flatten() {
        for group in groups.as_array().into_iter().flatten() {
            let matcher = group.get("matcher").and_then(Value::as_str).filter(|m| *m != "*");
            for handler in group.get("hooks").and_then(Value::as_array).into_iter().flatten() {
                if ours(handler).is_some() {
                    found.push((event.clone(), matcher.map(str::to_owned), handler.clone()));
                }
            }
        }
    }
    found
}

fn handler_value(command: &HookCommand, event: Event) -> Value {
    serde_json::json!({
        "type": "command",
        "command": command.program,
        // SECURITY: with `args` the host starts the program itself. Without, it goes through `sh -c`,
        // which a blank in the path breaks (exit 127 lets the call through) and which costs 1 ms.
        "args": command.args(event),
        "timeout": HOST_TIMEOUT_SECONDS,
        // SECURITY: without this the host lets the call through when the hook cannot be started, is
        // killed or runs late. Hosts before 2.1.295 ignore it.
        "onFailure": "block",
    })
}

/// Strict first, so that a file the agent itself would refuse is refused with a place.
fn parse(text: &str, file: &str) -> Result<CstRootNode, InstallError> {
    let not_json = |line, column, detail| InstallError::NotJson {
        file: file.to_owned(),
        line,
        column,
        detail,
    };
    serde_json::from_str::<Value>(text).map_err(|error| {
        let detail = error.to_string();
        let detail = detail.split(" at line ").next().unwrap_or_default().to_owned();
        not_json(error.line(), error.column(), detail)
    })?;
    CstRootNode::parse(text, &ParseOptions::default())
        .map_err(|error| not_json(1, 1, error.to_string()))
}

fn input_value(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input_value).collect()),
        Value::Object(fields) => CstInputValue::Object(
            fields.iter().map(|(key, value)| (key.clone(), input_value(value))).collect(),
        ),
    }
}

fn backup_path(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".before-portcullis");
    target.with_file_name(name)
}

fn mode_of(path: &Path) -> u32 {
    // A new settings file may later hold secrets in `env`: private from the start.
    fs::metadata(path).map_or(0o600, |metadata| metadata.permissions().mode() & 0o7777)
}

/// Writes beside the file and renames over it: a reader sees the old text or the new, never a half.
fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let written = (|| {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    })();
    if written.is_err() {
        // The error that matters is the one above; a leftover is named `….new` and harmless.
        drop(fs::remove_file(&fresh));
    }
    written
}

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// A diff of two texts that differ in one stretch, as ours do.
fn diff(before: &str, after: &str) -> Vec<DiffLine> {
    if before == after {
        return Vec::new();
    }
    let old: Vec<&str> = before.lines().collect();
    let new: Vec<&str> = after.lines().collect();
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let room = old.len().min(new.len()) - head;
    let tail =
        old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(a, b)| a == b).count();
    let own = |lines: &[&str], from: usize, to: usize, make: fn(String) -> DiffLine| {
        lines
            .iter()
            .skip(from)
            .take(to.saturating_sub(from))
            .map(|l| make((*l).to_owned()))
            .collect::<Vec<_>>()
    };
    let mut lines = own(&old, head.saturating_sub(CONTEXT), head, DiffLine::Same);
    lines.extend(own(&old, head, old.len() - tail, DiffLine::Removed));
    lines.extend(own(&new, head, new.len() - tail, DiffLine::Added));
    lines.extend(own(
        &old,
        old.len() - tail,
        (old.len() - tail + CONTEXT).min(old.len()),
        DiffLine::Same,
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> HookCommand {
        HookCommand { program: "/opt/bin/portcullis".into(), extra: Vec::new() }
    }

    fn installed(text: &str) -> String {
        install(text, &command(), "f").unwrap()
    }

    #[test]
    fn installs_once_and_keeps_everything_else() {
        let text = "{\n    \"model\": \"x\",\n    \"permissions\": { \"allow\": [\"Bash(ls *)\"] },\n    \"hooks\": {\n        \"PreToolUse\": [\n            { \"matcher\": \"Bash\", \"hooks\": [{ \"type\": \"command\", \"command\": \"./mine.sh\" }] }\n        ]\n    }\n}\n";
        let once = installed(text);
        assert_eq!(installed(&once), once, "idempotent");
        assert!(once.starts_with(
            "{\n    \"model\": \"x\",\n    \"permissions\": { \"allow\": [\"Bash(ls *)\"] },\n"
        ));
        assert!(once.contains("\"./mine.sh\""));
        let found = registrations(&once);
        assert_eq!(found.len(), 1);
        let ours = found.first().unwrap();
        assert_eq!(ours.event, "PreToolUse");
        assert_eq!(
            ours.args.as_ref().unwrap().join(" "),
            "hook --host claude-code --event PreToolUse"
        );
        assert!(ours.blocks_on_failure && !ours.background && ours.matcher.is_none());
    }

    #[test]
    fn replaces_an_old_form_in_place() {
        let old = r#"{"hooks":{"PreToolUse":[{"matcher":"Bash","hooks":[{"type":"command","command":"/old/portcullis hook"},{"type":"command","command":"mine"}]}]}}"#;
        let new = installed(old);
        let found = registrations(&new);
        assert_eq!(found.len(), 1, "{new}");
        assert_eq!(found.first().unwrap().command, "/opt/bin/portcullis");
        assert!(new.contains("\"mine\""));
    }

    #[test]
    fn uninstalling_undoes_installing_to_the_byte() {
        let folder = tempfile::tempdir().unwrap();
        for (index, text) in [
            "{}",
            "{}\n",
            "{\n  \"a\": 1\n}\n",
            "{\"a\":1}",
            "{\n\t\"hooks\": {}\n}\n",
            "{\n  \"hooks\": { \"Stop\": [] }, \"b\": [1,2 , 3]\n}",
        ]
        .into_iter()
        .enumerate()
        {
            let path = folder.path().join(format!("{index}.json"));
            fs::write(&path, text).unwrap();
            let there = plan(&path, &Change::Install(command())).unwrap();
            assert!(!there.is_done());
            assert!(apply(&there).unwrap().is_some());
            assert!(plan(&path, &Change::Install(command())).unwrap().is_done());
            let back = plan(&path, &Change::Uninstall).unwrap();
            apply(&back).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "case {index}");
            assert!(plan(&path, &Change::Uninstall).unwrap().is_done());
        }
    }

    #[test]
    fn a_file_it_made_is_gone_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".claude/settings.json");
        let there = plan(&path, &Change::Install(command())).unwrap();
        assert_eq!(there.before, None);
        assert_eq!(apply(&there).unwrap(), None);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        apply(&plan(&path, &Change::Uninstall).unwrap()).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for (text, want) in [
            ("{", "`f:1:1` is not JSON: EOF while parsing an object"),
            ("{ // mine\n}", "`f:1:3` is not JSON: key must be a string"),
            ("{\"a\":1,}", "`f:1:8` is not JSON: trailing comma"),
            ("[]", "`the whole file` in `f` is not an object"),
            ("{\"hooks\":[]}", "`hooks` in `f` is not an object"),
            ("{\"hooks\":{\"PreToolUse\":{}}}", "`hooks.PreToolUse` in `f` is not an array"),
        ] {
            let error = install(text, &command(), "f").unwrap_err();
            assert_eq!(error.to_string(), want, "{text}");
        }
    }

    #[test]
    fn does_not_write_over_a_change_made_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        fs::write(&path, "{}").unwrap();
        let planned = plan(&path, &Change::Install(command())).unwrap();
        fs::write(&path, "{\"new\":1}").unwrap();
        assert!(matches!(apply(&planned), Err(InstallError::Changed { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"new\":1}");
    }

    #[test]
    fn keeps_links_and_modes() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("dotfiles.json");
        let link = folder.path().join("settings.json");
        fs::write(&real, "{}").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        apply(&plan(&link, &Change::Install(command())).unwrap()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(registrations(&fs::read_to_string(&real).unwrap()).len(), 1);
    }

    #[test]
    fn shows_one_stretch_with_context() {
        let lines = diff("a\nb\nc\nd\ne\n", "a\nb\nc\nX\nd\ne\n");
        assert_eq!(lines.len(), 6);
        assert_eq!(lines.get(3), Some(&DiffLine::Added("X".into())));
        assert!(diff("a", "a").is_empty());
    }
}
