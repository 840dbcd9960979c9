//! The circumstances of a call: directories, mode, and the policy that the flags select.

use crate::args::PolicyArgs;
use crate::environment;
use crate::failure::Failure;
use crate::standin;
use portcullis_host::claude_code::shown;
use portcullis_host::log::LayerDigest;
use portcullis_model::{AbsPath, Mode, Scope};
use portcullis_policy::{Layer, Place, Policy, assemble};
use serde_json::{Value, json};
use std::fs;

/// The largest settings file named by a flag that is read.
const MAX_SETTINGS: u64 = 8 * 1024 * 1024;

/// Where a session is, before any settings are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The directory the call runs in.
    pub cwd: AbsPath,
    /// The directory the session was started in.
    pub project_root: AbsPath,
    /// The home directory.
    pub home: AbsPath,
}

impl Surroundings {
    /// What the flags say, and the process where they say nothing.
    pub fn of_process(args: &PolicyArgs) -> Result<Self, Failure> {
        let current = environment::current_directory()
            .and_then(|path| AbsPath::parse(&path).ok())
            .ok_or_else(|| {
                Failure::internal("the current directory cannot be told").hint("name one by `--cwd`")
            });
        let (cwd, base) = match (&args.cwd, current) {
            (Some(cwd), Ok(current)) => (directory("--cwd", cwd, &current)?, current),
            (Some(cwd), Err(_)) => {
                let cwd = directory("--cwd", cwd, &AbsPath::root())?;
                (cwd.clone(), cwd)
            }
            (None, current) => {
                let current = current?;
                (current.clone(), current)
            }
        };
        let home = home(args.home.as_deref(), &base)?;
        let project_root = match &args.project_root {
            Some(root) => directory("--project-root", root, &base)?,
            None => project_root_of(&cwd, &home),
        };
        Ok(Self { cwd, project_root, home })
    }
}

/// The home directory that is meant.
pub fn home(flag: Option<&str>, base: &AbsPath) -> Result<AbsPath, Failure> {
    match flag {
        Some(home) => directory("--home", home, base),
        None => environment::home().and_then(|home| AbsPath::parse(&home).ok()).ok_or_else(|| {
            Failure::input("the home directory cannot be told")
                .hint(format!("set `{}`, or name it by `--home`", environment::HOME))
        }),
    }
}

fn directory(flag: &str, path: &str, base: &AbsPath) -> Result<AbsPath, Failure> {
    if path.is_empty() {
        return Err(Failure::usage(format!("`{flag}` names no directory")));
    }
    base.join(path)
        .map_err(|_not_absolute| Failure::usage(format!("`{flag}` names no directory: `{path}`")))
}

/// Where a session of the agent would be started: the nearest directory with project settings, else
/// the directory itself. The home directory's `.claude` holds user settings and does not count.
fn project_root_of(cwd: &AbsPath, home: &AbsPath) -> AbsPath {
    let mut candidate = Some(cwd.clone());
    while let Some(directory) = candidate {
        if directory == *home {
            break;
        }
        let has = |name: &str| fs::symlink_metadata(format!("{directory}/.claude/{name}")).is_ok();
        if has("settings.json") || has("settings.local.json") {
            return directory;
        }
        candidate = directory.parent();
    }
    cwd.clone()
}

/// A policy with everything that was needed to make it.
#[derive(Debug)]
pub struct Session {
    /// Where it is.
    pub surroundings: Surroundings,
    /// The mode of a call that names none.
    pub mode: Mode,
    /// Working directories the flags add.
    pub add_dirs: Vec<AbsPath>,
    /// The settings sources.
    pub layers: Vec<Layer>,
    /// What they say together.
    pub policy: Policy,
}

impl Session {
    /// Reads the settings that the flags select, and puts the policy together.
    pub fn open(args: &PolicyArgs, surroundings: Surroundings) -> Result<Self, Failure> {
        let layers = layers(args, &surroundings)?;
        let place = Place {
            start: surroundings.project_root.clone(),
            project_root: surroundings.project_root.clone(),
            home: surroundings.home.clone(),
        };
        let policy = assemble(&layers, &place);
        let mode = match &args.mode {
            Some(word) => mode(word)?,
            None => policy.default_mode.as_ref().map_or(Mode::Default, |(mode, _)| *mode),
        };
        let add_dirs = args
            .add_dirs
            .iter()
            .map(|path| directory("--add-dir", path, &surroundings.cwd))
            .collect::<Result<_, _>>()?;
        Ok(Self { surroundings, mode, add_dirs, layers, policy })
    }

    /// The settings sources by content.
    pub fn digests(&self) -> Vec<LayerDigest> {
        let digest = |layer: &Layer| LayerDigest::new(layer.scope.word(), &layer.file, &layer.text);
        self.layers.iter().map(digest).collect()
    }
}

fn mode(word: &str) -> Result<Mode, Failure> {
    Mode::parse(word).ok_or_else(|| {
        Failure::usage(format!("`{word}` is no permission mode")).hint(
            "the modes are `default`, `acceptEdits`, `plan`, `auto`, `dontAsk` and `bypassPermissions`",
        )
    })
}

fn layers(args: &PolicyArgs, surroundings: &Surroundings) -> Result<Vec<Layer>, Failure> {
    let mut layers = Vec::new();
    if args.policies.is_empty() && !args.no_discovery {
        let config = environment::value(environment::CLAUDE_CONFIG_DIR);
        layers.extend(standin::discover(
            &surroundings.home,
            &surroundings.project_root,
            config.as_deref(),
        ));
    }
    for file in &args.policies {
        layers.push(policy_file(file, surroundings)?);
    }
    for settings in &args.settings {
        layers.push(settings_flag(settings, surroundings)?);
    }
    for (flag, key, rules) in
        [("--allow", "allow", &args.allow), ("--ask", "ask", &args.ask), ("--deny", "deny", &args.deny)]
    {
        if !rules.is_empty() {
            let text = json!({ "permissions": { key: rules } }).to_string();
            let start = surroundings.project_root.clone();
            layers.push(Layer::new(Scope::CommandLine, flag, text, start));
        }
    }
    Ok(layers)
}

/// A file that decides instead of the discovered ones. In a `.claude` folder it keeps the anchor it
/// would have there; elsewhere paths start at its own directory.
fn policy_file(file: &str, surroundings: &Surroundings) -> Result<Layer, Failure> {
    let path = directory("--policy", file, &surroundings.cwd)?;
    let text = read("--policy", &path)?;
    let parent = path.parent().unwrap_or_else(AbsPath::root);
    let in_claude = parent.name() == Some(".claude");
    let (scope, dir) = match path.name() {
        Some("settings.json") if in_claude => {
            (Scope::Project, parent.parent().unwrap_or_else(AbsPath::root))
        }
        Some("settings.local.json") if in_claude => {
            (Scope::Local, surroundings.project_root.clone())
        }
        Some(_) | None => (Scope::CommandLine, parent),
    };
    Ok(Layer::new(scope, path.as_str(), text, dir))
}

fn settings_flag(settings: &str, surroundings: &Surroundings) -> Result<Layer, Failure> {
    if settings.trim_start().starts_with('{') {
        let value: Result<Value, _> = serde_json::from_str(settings);
        if let Err(error) = value {
            let detail = error.to_string();
            let detail = detail.split(" at line ").next().unwrap_or_default();
            return Err(Failure::input(format!(
                "the text of `--settings` is not JSON: {detail} at line {}, column {}",
                error.line(),
                error.column()
            )));
        }
        let start = surroundings.project_root.clone();
        return Ok(Layer::new(Scope::CommandLine, "--settings", settings, start));
    }
    let path = directory("--settings", settings, &surroundings.cwd)?;
    let text = read("--settings", &path)?;
    let parent = path.parent().unwrap_or_else(AbsPath::root);
    Ok(Layer::new(Scope::CommandLine, path.as_str(), text, parent))
}

/// A file that a flag names must be there: falling back to nothing would drop its denies.
fn read(flag: &str, path: &AbsPath) -> Result<String, Failure> {
    let name = shown(path.as_str());
    let cannot = |detail: String| Failure::input(format!("cannot read `{name}` of `{flag}`: {detail}"));
    let metadata = fs::metadata(path.as_str()).map_err(|error| cannot(plain(&error)))?;
    if !metadata.is_file() {
        return Err(cannot("not a regular file".to_owned()));
    }
    if metadata.len() > MAX_SETTINGS {
        return Err(cannot(format!("larger than {MAX_SETTINGS} bytes")));
    }
    let bytes = fs::read(path.as_str()).map_err(|error| cannot(plain(&error)))?;
    String::from_utf8(bytes).map_err(|error| {
        cannot(format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
    })
}

/// A system error in words, without the number and with a small first letter.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
