//! `policy import`.

use crate::args::PolicyImportArgs;
use crate::console::{Palette, Reply};
use crate::environment;
use crate::failure::{Failure, Status};
use crate::session;
use portcullis_host::claude_code::shown;
use portcullis_host::sandbox_runtime::{Imported, import as convert};
use portcullis_model::AbsPath;
use portcullis_policy::Severity;
use serde_json::{Value, json};
use std::io::{self, Read as _};

/// Writes the settings, and what is not as it was.
pub(crate) fn import(
    args: &PolicyImportArgs,
    as_json: bool,
    palette: Palette,
) -> Result<Reply, Failure> {
    let text = read(args)?;
    let imported = convert(&text).map_err(|why| {
        Failure::input(format!("cannot import `{}`: {why}", shown(&args.file)))
            .hint("the file needs `network` and `filesystem` with their lists, as the Sandbox Runtime does")
    })?;
    let lost = imported.notes.iter().any(|note| note.severity == Severity::Error);
    let status = if lost { Status::Findings } else { Status::Done };
    if as_json {
        return Ok(Reply::json(&value(&imported), status));
    }
    let mut stderr = String::new();
    for note in &imported.notes {
        let word = note.severity.word();
        let word = match note.severity {
            Severity::Error => palette.error(word),
            Severity::Warning => palette.warning(word),
            Severity::Note => palette.dim(word),
        };
        stderr.extend([format!("{word}: {}\n", shown(&note.to_string()))]);
    }
    let stdout = serde_json::to_string_pretty(&imported.settings)
        .map_err(|error| Failure::internal(format!("the settings cannot be written: {error}")))?;
    Ok(Reply { stdout: stdout + "\n", stderr, status })
}

fn read(args: &PolicyImportArgs) -> Result<String, Failure> {
    let failed = |error: &io::Error| {
        Failure::input(format!("cannot read `{}`: {}", shown(&args.file), session::plain(error)))
            .hint("name the file: `portcullis policy import FILE`")
    };
    let mut text = String::new();
    if args.file == "-" {
        io::stdin().read_to_string(&mut text).map_err(|error| failed(&error))?;
        return Ok(text);
    }
    let current = environment::current_directory().and_then(|path| AbsPath::parse(&path).ok());
    let base = current.unwrap_or_else(AbsPath::root);
    let home = session::home(args.home.as_deref(), &base)?;
    let path = match args.file.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => base.join(&args.file),
    };
    let path = path.map_err(|_not_absolute| {
        Failure::usage(format!("`{}` names no file", shown(&args.file)))
    })?;
    std::fs::read_to_string(path.as_str()).map_err(|error| failed(&error))
}

fn value(imported: &Imported) -> Value {
    let notes: Vec<Value> = imported
        .notes
        .iter()
        .map(|note| json!({"severity": note.severity.word(), "key": note.key, "text": note.text}))
        .collect();
    json!({ "settings": imported.settings, "notes": notes })
}
