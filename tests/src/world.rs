//! The fictitious machine the conformance cases speak about.

use crate::corpus;
use serde_json::{Value, json};
use std::fs;
use std::sync::LazyLock;

/// The start directory, and the root of its repository.
pub const PROJECT: &str = "/r/project";
/// The home directory.
pub const HOME: &str = "/r/home";
/// A folder beside the project.
pub const OUTSIDE: &str = "/r/outside";
/// What holds all three.
pub const ROOT: &str = "/r";

/// Replaces the placeholders in every string of a value, keys of objects included.
pub fn substitute(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(substitute_text(text)),
        Value::Array(items) => items.iter().map(substitute).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (substitute_text(name), substitute(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn substitute_text(text: &str) -> String {
    [("${PROJECT}", PROJECT), ("${HOME}", HOME), ("${OUTSIDE}", OUTSIDE), ("${ROOT}", ROOT)]
        .iter()
        .fold(text.to_owned(), |text, (name, path)| text.replace(name, path))
}

/// The `fs` answers of a layout.
pub fn file_tree(layout: &str) -> Result<Value, String> {
    let layouts = LAYOUTS.as_ref().map_err(Clone::clone)?;
    layouts.get(layout).cloned().ok_or_else(|| format!("no layout `{layout}`"))
}

/// The `fs` answers of a machine that has only these symbolic links and what leads to them.
pub fn only_links(directories: &[&str], links: &Value) -> Value {
    json!({ "dirs": directories, "files": [], "symlinks": links })
}

static LAYOUTS: LazyLock<Result<Value, String>> = LazyLock::new(|| {
    let path = corpus::shipped("conformance/layouts.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let layouts = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok(substitute(&layouts))
});
