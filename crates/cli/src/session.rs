//! The circumstances of a call: directories, mode, and the policy that the flags select.

use crate::args::PolicyArgs;
use crate::environment;
use crate::failure::Failure;
use portcullis_host::claude_code::shown;
use portcullis_host::settings::{Files, Options, discover, project_root_of};
use portcullis_model::{AbsPath, Mode, Scope};
use portcullis_policy::{Layer, Policy, assemble};
use serde_json::Value;

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
                Failure::internal("the current directory cannot be told")
                    .hint("name one by `--cwd`")
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

/// A policy with everything that was needed to make it.
#[derive(Debug)]
pub struct Session {
    /// Where it is.
    pub surroundings: Surroundings,
    /// The mode of a call that names none.
    pub mode: Mode,
    /// Where settings were looked for.
    pub options: Options,
    /// The settings sources.
    pub layers: Vec<Layer>,
    /// What they say together.
    pub policy: Policy,
}

impl Session {
    /// Reads the settings that the flags select, and puts the policy together.
    pub fn open(args: &PolicyArgs, surroundings: Surroundings) -> Result<Self, Failure> {
        let options = options(args, &surroundings)?;
        let layers = discover(&options);
        check_flags(args, &layers)?;
        let policy = assemble(&layers, &options.place());
        let mode = options
            .mode
            .or_else(|| policy.default_mode.as_ref().map(|(mode, _)| *mode))
            .unwrap_or(Mode::Default);
        Ok(Self { surroundings, mode, options, layers, policy })
    }
}

fn mode(word: &str) -> Result<Mode, Failure> {
    Mode::parse(word).ok_or_else(|| {
        Failure::usage(format!("`{word}` is no permission mode")).hint(
            "the modes are `default`, `acceptEdits`, `plan`, `auto`, `dontAsk` and `bypassPermissions`",
        )
    })
}

/// What the flags and the environment say, as discovery takes it.
fn options(args: &PolicyArgs, surroundings: &Surroundings) -> Result<Options, Failure> {
    // Discovery resolves against the project; what a person types means the current directory.
    let here = |path: &String| match surroundings.cwd.join(path) {
        Ok(absolute) if !path.is_empty() => Ok(absolute.as_str().to_owned()),
        Ok(_) | Err(_) => Err(Failure::usage(format!("`{path}` names no file"))),
    };
    let files = if !args.policies.is_empty() {
        Files::Given(args.policies.iter().map(here).collect::<Result<_, _>>()?)
    } else if args.no_discovery {
        Files::Nothing
    } else {
        Files::Discovered
    };
    let setting = |text: &String| {
        if text.trim_start().starts_with('{') { Ok(text.clone()) } else { here(text) }
    };
    // `--home` means another home, so the environment's folder for user settings is not its own.
    let config_dir = environment::value(environment::CLAUDE_CONFIG_DIR)
        .filter(|_| args.home.is_none())
        .and_then(|folder| AbsPath::parse(&folder).ok());
    Ok(Options {
        config_dir,
        files,
        settings: args.settings.iter().map(setting).collect::<Result<_, _>>()?,
        allow: args.allow.clone(),
        ask: args.ask.clone(),
        deny: args.deny.clone(),
        mode: args.mode.as_deref().map(mode).transpose()?,
        add_directories: args.add_dirs.iter().map(here).collect::<Result<_, _>>()?,
        ..Options::new(surroundings.project_root.clone(), surroundings.home.clone())
    })
}

/// What a flag names must be usable. Discovered settings that are broken make calls ask; a broken
/// file on the command line is an error its author sees at once.
fn check_flags(args: &PolicyArgs, layers: &[Layer]) -> Result<(), Failure> {
    let named = layers.iter().filter(|layer| layer.scope == Scope::CommandLine);
    for layer in named {
        let flag = if args.policies.is_empty() { "--settings" } else { "--policy" };
        let file = shown(&layer.file);
        if let Some(why) = &layer.unreadable {
            let why = why.strip_prefix("it is ").unwrap_or(why);
            return Err(Failure::input(format!("cannot read `{file}`: {why}"))
                .hint(format!("name a settings file by `{flag}`")));
        }
        if layer.is_native() {
            check_toml(&file, &layer.text)?;
            continue;
        }
        if let Err(error) = serde_json::from_str::<Value>(&layer.text) {
            let detail = error.to_string();
            let detail = detail.split(" at line ").next().unwrap_or_default();
            let (line, column) = (error.line(), error.column());
            return Err(Failure::input(format!("`{file}:{line}:{column}` is not JSON: {detail}"))
                .hint("settings are plain JSON, without comments and trailing commas"));
        }
    }
    Ok(())
}

fn check_toml(file: &str, text: &str) -> Result<(), Failure> {
    let Some((line, column, detail)) = toml_problem(text) else { return Ok(()) };
    Err(Failure::input(format!("`{file}:{line}:{column}` is not TOML: {detail}"))
        .hint("a file whose name ends in `.toml` holds the keys of `portcullis`, as `key = value`"))
}

/// Why a text is not TOML, with line and column.
pub fn toml_problem(text: &str) -> Option<(usize, usize, String)> {
    let error = toml::from_str::<toml::Table>(text).err()?;
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or("").chars().count();
    Some((line, column, error.message().to_owned()))
}

/// A system error in words, without the number and with a small first letter.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
