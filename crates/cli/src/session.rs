//! The circumstances of a call: directories, mode, and the policy that the flags select.

use crate::args::PolicyArgs;
use crate::environment;
use crate::failure::Failure;
use portcullis_host::claude_code::shown;
use portcullis_host::log::LayerDigest;
use portcullis_host::settings::{Files, Options, discover};
use portcullis_model::{AbsPath, Mode, Scope};
use portcullis_policy::{Layer, Policy, assemble};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::MetadataExt;

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

/// Where a session of the agent would be started: the nearest directory with project settings, else
/// the directory itself. The home directory's `.claude` holds user settings and does not count.
///
/// SECURITY: the root is a working directory, so a file further up widens what may be read and written.
/// It has to lie in the same repository, and its directory has to be the user's own: anybody may make
/// `/tmp/.claude`.
fn project_root_of(cwd: &AbsPath, home: &AbsPath) -> AbsPath {
    let user = rustix::process::geteuid().as_raw();
    let mut candidate = Some(cwd.clone());
    while let Some(directory) = candidate {
        if directory == *home {
            break;
        }
        let there = |name: &str| fs::symlink_metadata(format!("{directory}/{name}"));
        let names =
            ["settings.json", "settings.local.json", "portcullis.toml", "portcullis.local.toml"];
        let holds = names.into_iter().any(|name| there(&format!(".claude/{name}")).is_ok());
        let own = || there(".claude").is_ok_and(|found| found.uid() == user);
        if holds && (directory == *cwd || own()) {
            return directory;
        }
        if there(".git").is_ok() {
            break;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// `/DIR/up/repo/in`, with settings in `up`, in `repo` as asked, and a repository in `repo`.
    fn found(settings_in: &[&str], repository: bool) -> String {
        let folder = tempfile::tempdir().unwrap();
        let cwd = folder.path().join("up/repo/in");
        fs::create_dir_all(&cwd).unwrap();
        for holder in settings_in {
            let holder = folder.path().join(holder).join(".claude");
            fs::create_dir_all(&holder).unwrap();
            fs::write(holder.join("settings.json"), "{}").unwrap();
        }
        if repository {
            fs::create_dir(folder.path().join("up/repo/.git")).unwrap();
        }
        let path = |path: &std::path::Path| AbsPath::parse(path.to_str().unwrap()).unwrap();
        let root = project_root_of(&path(&cwd), &path(&folder.path().join("home")));
        let root = root.as_str().strip_prefix(folder.path().to_str().unwrap()).unwrap();
        root.trim_start_matches('/').to_owned()
    }

    #[test]
    fn the_project_is_found_no_further_up_than_its_repository() {
        assert_eq!(found(&["up/repo"], true), "up/repo");
        assert_eq!(found(&["up"], false), "up");
        assert_eq!(found(&["up"], true), "up/repo/in");
        assert_eq!(found(&["up", "up/repo"], true), "up/repo");
        assert_eq!(found(&[], true), "up/repo/in");
    }

    #[test]
    fn settings_of_somebody_else_do_not_make_a_project() {
        let folder = tempfile::tempdir().unwrap();
        let (above, cwd) = (folder.path().join(".claude"), folder.path().join("in"));
        fs::create_dir(&above).unwrap();
        fs::create_dir(&cwd).unwrap();
        fs::write(above.join("settings.json"), "{}").unwrap();
        let path = |path: &std::path::Path| AbsPath::parse(path.to_str().unwrap()).unwrap();
        let root = || project_root_of(&path(&cwd), &path(&folder.path().join("home")));
        assert_eq!(root(), path(folder.path()));
        if std::os::unix::fs::chown(&above, Some(4321), None).is_err() {
            println!("SKIP: only root can give a directory away");
            return;
        }
        assert_eq!(root(), path(&cwd));
    }
}
