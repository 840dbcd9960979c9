//! `policy show` and `policy list`.

use crate::args::PolicyViewArgs;
use crate::console::{Palette, Reply};
use crate::failure::{Failure, Status};
use crate::render::diagnostic;
use crate::render::policy::{sections, source_json, text, value};
use crate::session::{Session, Surroundings, toml_problem};
use portcullis_host::claude_code::shown;
use portcullis_host::settings::Files;
use portcullis_model::{AbsPath, Scope};
use portcullis_policy::{Diagnostic, Layer, Severity};
use serde_json::{Value, json};

/// The effective policy and what is wrong with it.
pub(crate) fn show(
    args: &PolicyViewArgs,
    as_json: bool,
    palette: Palette,
) -> Result<Reply, Failure> {
    let session = open(args)?;
    let sections = sections(&session.policy);
    let diagnostics = &session.policy.diagnostics;
    if as_json {
        let diagnostics: Vec<Value> = diagnostics.iter().map(diagnostic_json).collect();
        let mut fields = match value(&sections) {
            Value::Object(fields) => fields,
            _ => serde_json::Map::new(),
        };
        fields.insert("diagnostics".to_owned(), diagnostics.into());
        return Ok(Reply::json(&Value::Object(fields), Status::Done));
    }
    let home = session.surroundings.home.as_str();
    let mut out = text(&sections, home, palette);
    if sections.is_empty() {
        out.push_str("no settings: reads and read-only commands run, the rest asks\n");
    }
    for diagnostic in diagnostics {
        out.push('\n');
        out.push_str(&diagnostic::diagnostic(diagnostic, home, palette));
    }
    Ok(Reply::text(out, Status::Done))
}

/// The layers, highest first, and their state.
pub(crate) fn list(
    args: &PolicyViewArgs,
    as_json: bool,
    palette: Palette,
) -> Result<Reply, Failure> {
    let session = open(args)?;
    let layers = layer_states(&session);
    if as_json {
        let layers: Vec<Value> = layers.iter().map(LayerState::json).collect();
        return Ok(Reply::json(&json!({ "layers": layers }), Status::Done));
    }
    let home = session.surroundings.home.as_str();
    let lines: Vec<String> = layers.iter().map(|layer| layer.text(home, palette)).collect();
    Ok(Reply::text(lines.concat(), Status::Done))
}

fn open(args: &PolicyViewArgs) -> Result<Session, Failure> {
    let surroundings = Surroundings::of_process(&args.policy)?;
    Session::open(&args.policy, surroundings)
}

/// What became of one settings source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It counts.
    Found,
    /// There is none.
    Absent,
    /// Its denies and asks count; what it grants waits for trust.
    Untrusted,
    /// It grants nothing, and every call asks until it is repaired.
    Broken(String),
}

impl State {
    /// Its word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Absent => "absent",
            Self::Untrusted => "untrusted",
            Self::Broken(_) => "broken",
        }
    }
}

/// A settings source and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LayerState {
    /// Its rank.
    pub(crate) scope: Scope,
    /// Its file, or the flag.
    pub(crate) file: String,
    /// What became of it.
    pub(crate) state: State,
    /// How many errors, warnings and notes there are about it.
    pub(crate) diagnostics: [usize; 3],
}

impl LayerState {
    fn json(&self) -> Value {
        let [errors, warnings, notes] = self.diagnostics;
        json!({
            "scope": self.scope.word(),
            "file": self.file,
            "state": self.state.word(),
            "why": match &self.state {
                State::Broken(why) => Some(why),
                State::Found | State::Absent | State::Untrusted => None,
            },
            "errors": errors,
            "warnings": warnings,
            "notes": notes,
        })
    }

    fn text(&self, home: &str, palette: Palette) -> String {
        let word = format!("{:<9}", self.state.word());
        let word = match self.state {
            State::Found => palette.good(&word),
            State::Absent => palette.dim(&word),
            State::Untrusted => palette.warning(&word),
            State::Broken(_) => palette.error(&word),
        };
        let mut line = format!("{:<8} {word} {}", self.scope.word(), short(&self.file, home));
        if let State::Broken(why) = &self.state {
            line.extend([format!(": {}", shown(why))]);
        }
        let counts: Vec<String> = ["error", "warning", "note"]
            .into_iter()
            .zip(self.diagnostics)
            .filter(|(_, count)| *count > 0)
            .map(|(word, count)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
            .collect();
        if !counts.is_empty() {
            line.push_str(&palette.dim(&format!(" ({})", counts.join(", "))));
        }
        line + "\n"
    }
}

/// A file with the home directory written as `~`.
pub(crate) fn short(file: &str, home: &str) -> String {
    let rest = file.strip_prefix(home).filter(|rest| home != "/" && rest.starts_with('/'));
    shown(&rest.map_or_else(|| file.to_owned(), |rest| format!("~{rest}")))
}

/// Every source that was looked for, highest first.
pub(crate) fn layer_states(session: &Session) -> Vec<LayerState> {
    let mut states: Vec<LayerState> = session
        .layers
        .iter()
        .map(|layer| layer_state(layer, &session.policy.diagnostics))
        .collect();
    if session.options.files == Files::Discovered {
        for (scope, file) in expected(session) {
            if !states.iter().any(|state| state.file == file) {
                states.push(LayerState { scope, file, state: State::Absent, diagnostics: [0; 3] });
            }
        }
    }
    states.sort_by_key(|state| std::cmp::Reverse(state.scope));
    states
}

fn layer_state(layer: &Layer, diagnostics: &[Diagnostic]) -> LayerState {
    let state = match layer.unreadable.clone().or_else(|| what_is_wrong(layer)) {
        Some(why) => State::Broken(why),
        None if !layer.trusted && layer.scope != Scope::Managed => State::Untrusted,
        None => State::Found,
    };
    let count = |severity| {
        let about = |diagnostic: &&Diagnostic| {
            diagnostic.severity == severity && diagnostic.source.file == layer.file
        };
        diagnostics.iter().filter(about).count()
    };
    LayerState {
        scope: layer.scope,
        file: layer.file.clone(),
        state,
        diagnostics: [Severity::Error, Severity::Warning, Severity::Note].map(count),
    }
}

/// Why a file cannot be read as what its name says.
fn what_is_wrong(layer: &Layer) -> Option<String> {
    if layer.is_native() {
        let (line, column, detail) = toml_problem(&layer.text)?;
        return Some(format!("it is not TOML: {detail} at line {line} column {column}"));
    }
    match serde_json::from_str::<Value>(&layer.text) {
        Err(error) => Some(format!("it is not JSON: {error}")),
        Ok(value) => (!value.is_object()).then(|| "it is not an object".to_owned()),
    }
}

/// Where settings are looked for in any case.
fn expected(session: &Session) -> Vec<(Scope, String)> {
    let options = &session.options;
    let below = |folder: &AbsPath, name: &str| {
        folder.join(name).map_or_else(|_| name.to_owned(), |path| path.as_str().to_owned())
    };
    let user = match &options.config_dir {
        Some(folder) => below(folder, "settings.json"),
        None => below(&options.home, ".claude/settings.json"),
    };
    let mut expected = vec![
        (Scope::Managed, below(&options.managed_dir, "managed-settings.json")),
        (Scope::Local, below(&options.project_root, ".claude/settings.local.json")),
        (Scope::Project, below(&options.project_root, ".claude/settings.json")),
        (Scope::User, user.clone()),
    ];
    // Started in the home directory, the project's file is the user's.
    expected.retain(|(scope, file)| *scope != Scope::Project || *file != user);
    expected
}

/// A diagnostic as JSON.
pub(crate) fn diagnostic_json(diagnostic: &Diagnostic) -> Value {
    json!({
        "severity": diagnostic.severity.word(),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "source": source_json(&diagnostic.source),
    })
}
