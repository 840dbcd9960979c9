//! Which settings there are: real files and flags to layers.
//!
//! In: [`Options`], with everything the environment or the command line says as plain values. Out:
//! the layers of a policy, with what may count already told from what has to wait for trust. A file
//! that cannot be read becomes a layer that fails closed; nothing here is an error.

mod file;
mod memo;
mod policies;
mod repository;
mod trust;

pub use memo::Memo;
pub use policies::{Good, Known, Policies};
pub use repository::Repository;
pub use trust::TrustRecord;

use file::FileText;
use portcullis_model::{AbsPath, Mode, Scope};
use portcullis_policy::{Layer, Place};
use serde_json::json;
use std::fs;
use std::path::Path;

/// Where to look, and what the command line adds.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory the session was started in.
    pub project_root: AbsPath,
    /// The home directory.
    pub home: AbsPath,
    /// The directory of the user's settings, where it is not `~/.claude` (`CLAUDE_CONFIG_DIR`).
    pub config_dir: Option<AbsPath>,
    /// The file of portcullis's own trust record.
    pub trust_record: AbsPath,
    /// The directory of managed settings.
    pub managed_dir: AbsPath,
    /// More files of managed settings, from whoever embeds portcullis.
    pub managed_files: Vec<AbsPath>,
    /// Which files to read beside the command line's.
    pub files: Files,
    /// `--settings`: paths of files, or JSON text (which starts with `{`).
    pub settings: Vec<String>,
    /// `--allow`: rules.
    pub allow: Vec<String>,
    /// `--ask`: rules.
    pub ask: Vec<String>,
    /// `--deny`: rules.
    pub deny: Vec<String>,
    /// `--mode`.
    pub mode: Option<Mode>,
    /// `--add-dir`: directories.
    pub add_directories: Vec<String>,
}

impl Options {
    /// The files and directories that say what is allowed and who is trusted, whether they exist or not:
    /// what may not be written by a command they decide over.
    pub fn own_files(&self) -> Vec<AbsPath> {
        let user = user_dir(self);
        let mut found = vec![
            self.managed_dir.clone(),
            below(&user, "settings.json"),
            below(&user, "settings.local.json"),
            below(&user, NATIVE),
            below(&user, NATIVE_LOCAL),
            below(&self.home, ".claude.json"),
            below(&self.home, ".config/portcullis"),
            self.trust_record.clone(),
        ];
        for name in ["settings.json", "settings.local.json", NATIVE, NATIVE_LOCAL] {
            found.push(below(&self.project_root, &format!(".claude/{name}")));
        }
        found.extend(self.managed_files.iter().cloned());
        found
    }
}

/// Which files are read beside the command line's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// Managed, local, project and user settings where they lie (the default).
    Discovered,
    /// None (`--no-discovery`).
    Nothing,
    /// Just these (`--policy`): they count like settings of a trusted project that its user wrote.
    Given(Vec<String>),
}

impl Options {
    /// Options that discover every file in its ordinary place.
    pub fn new(project_root: AbsPath, home: AbsPath) -> Self {
        Self {
            trust_record: below(&home, ".config/portcullis/trust.json"),
            managed_dir: below(&AbsPath::root(), "etc/claude-code"),
            project_root,
            home,
            config_dir: None,
            managed_files: Vec::new(),
            files: Files::Discovered,
            settings: Vec::new(),
            allow: Vec::new(),
            ask: Vec::new(),
            deny: Vec::new(),
            mode: None,
            add_directories: Vec::new(),
        }
    }

    /// The same for a session that starts elsewhere.
    #[must_use]
    pub fn elsewhere(&self, project_root: &AbsPath, home: &AbsPath) -> Self {
        let mut options = Self { project_root: project_root.clone(), ..self.clone() };
        if *home != self.home {
            // What is said of one home is not said of another.
            let there = Self::new(project_root.clone(), home.clone());
            options.config_dir = None;
            options.trust_record = there.trust_record;
            options.home = there.home;
        }
        options
    }

    /// What paths in the settings start at.
    pub fn place(&self) -> Place {
        Place {
            start: self.project_root.clone(),
            project_root: self.project_root.clone(),
            home: self.home.clone(),
        }
    }
}

/// Finds every layer, highest scope first.
pub fn discover(options: &Options) -> Vec<Layer> {
    discover_again(options, &mut Memo::default())
}

/// The same for whoever asks again and again: what takes long is only done again where its file changed.
pub fn discover_again(options: &Options, memo: &mut Memo) -> Vec<Layer> {
    let mut layers = Vec::new();
    match &options.files {
        Files::Discovered => {
            layers.extend(managed(options));
            layers.extend(command_line(options));
            layers.extend(of_project(options, memo));
            layers.extend(user(options));
        }
        Files::Nothing => layers.extend(command_line(options)),
        Files::Given(files) => {
            layers.extend(
                files
                    .iter()
                    .map(|file| given(options, "--policy", file, |_| options.project_root.clone())),
            );
            layers.extend(command_line(options));
        }
    }
    layers
}

/// The base file, then the files beside it in the order of their names, then the embedder's: within
/// a scope the later layer outranks the earlier.
fn managed(options: &Options) -> Vec<Layer> {
    let directory = below(&options.managed_dir, "managed-settings.d");
    let mut paths = vec![below(&options.managed_dir, "managed-settings.json")];
    let mut layers = Vec::new();
    match file::names(&directory) {
        Ok(mut names) => {
            names.retain(|name| {
                !name.starts_with('.')
                    && Path::new(name).extension().is_some_and(|end| end == "json")
            });
            names.sort_unstable();
            paths.extend(names.iter().map(|name| below(&directory, name)));
        }
        Err(why) => {
            layers.push(unreadable(Scope::Managed, directory.as_str(), AbsPath::root(), &why));
        }
    }
    paths.push(below(&options.managed_dir, NATIVE));
    paths.extend(options.managed_files.iter().cloned());
    let read = |path: &AbsPath| layer(Scope::Managed, path, AbsPath::root());
    layers.extend(paths.iter().filter_map(read).map(|(layer, _)| layer));
    layers
}

fn user(options: &Options) -> Vec<Layer> {
    let dir = user_dir(options);
    let read = |name| layer(Scope::User, &below(&dir, name), dir.clone());
    ["settings.json", NATIVE].into_iter().filter_map(read).map(|(layer, _)| layer).collect()
}

/// The local files and the project file. What they grant counts where the user trusts the project,
/// or this very text of the file; a local file that came with no repository is the user's own.
fn of_project(options: &Options, memo: &mut Memo) -> Vec<Layer> {
    let start = &options.project_root;
    let user_dir = user_dir(options);
    let repository = Repository::find(start);
    let root = repository.as_ref().and_then(|found| found.local_root(&options.home));
    // The file at the root outranks one an older client left in the start directory.
    let mut candidates = vec![(Scope::Local, start.clone())];
    candidates.extend(root.filter(|root| *root != *start).map(|root| (Scope::Local, root)));
    candidates.push((Scope::Project, start.clone()));
    let mut trust = trust::Trust::new(options, repository.as_ref());
    let mut layers = Vec::new();
    for (scope, holder) in candidates {
        let directory = below(&holder, ".claude");
        let names = match scope {
            Scope::Local => ["settings.local.json", NATIVE_LOCAL],
            Scope::User | Scope::Project | Scope::CommandLine | Scope::Managed => {
                ["settings.json", NATIVE]
            }
        };
        // Started in the home directory, the project's file is the user's, and is read as such.
        if scope == Scope::Project && directory == user_dir {
            continue;
        }
        for name in names {
            let path = below(&directory, name);
            let Some((mut layer, bytes)) = layer(scope, &path, start.clone()) else { continue };
            layer.trusted = trust.covers(&path, &bytes, memo)
                || (scope == Scope::Local
                    && is_users_own(options, repository.as_ref(), &holder, name, memo));
            layers.push(layer);
        }
    }
    layers
}

/// Whether a local file was made by the user and not delivered with a repository.
fn is_users_own(
    options: &Options,
    repository: Option<&Repository>,
    holder: &AbsPath,
    name: &str,
    memo: &mut Memo,
) -> bool {
    if *holder == options.home {
        return true;
    }
    !file::is_symlink(&below(holder, ".claude"))
        && repository
            .is_none_or(|repository| !repository.may_track_local_settings(holder, name, memo))
}

fn command_line(options: &Options) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    for setting in &options.settings {
        let holder = |path: &AbsPath| path.parent().unwrap_or_else(AbsPath::root);
        layers.push(given(options, "--settings", setting, holder));
    }
    for (flag, class, rules) in [
        ("--allow", "allow", &options.allow),
        ("--ask", "ask", &options.ask),
        ("--deny", "deny", &options.deny),
    ] {
        if !rules.is_empty() {
            layers.push(flag_layer(options, flag, &json!({ "permissions": { class: rules } })));
        }
    }
    if let Some(mode) = options.mode {
        let text = json!({ "permissions": { "defaultMode": mode.word() } });
        layers.push(flag_layer(options, "--mode", &text));
    }
    if !options.add_directories.is_empty() {
        // The shell has expanded what it would: a `~` that is left is a name.
        let absolute = |text: &String| match options.project_root.join(text) {
            Ok(path) if !text.is_empty() => path.as_str().to_owned(),
            Ok(_) | Err(_) => text.clone(),
        };
        let paths: Vec<String> = options.add_directories.iter().map(absolute).collect();
        let text = json!({ "permissions": { "additionalDirectories": paths } });
        layers.push(flag_layer(options, "--add-dir", &text));
    }
    layers
}

/// A file, or JSON text, that the command line names. A file that is not there fails closed: the
/// user meant something by it.
fn given(
    options: &Options,
    flag: &str,
    value: &str,
    dir: impl FnOnce(&AbsPath) -> AbsPath,
) -> Layer {
    if value.trim_start().starts_with('{') {
        return Layer::new(Scope::CommandLine, flag, value, options.project_root.clone());
    }
    let Ok(path) = options.project_root.join(value) else {
        let dir = options.project_root.clone();
        return unreadable(Scope::CommandLine, flag, dir, "its path holds a NUL byte");
    };
    let dir = dir(&path);
    match layer(Scope::CommandLine, &path, dir.clone()) {
        Some((layer, _)) => layer,
        None => unreadable(Scope::CommandLine, path.as_str(), dir, "there is no such file"),
    }
}

fn flag_layer(options: &Options, flag: &str, settings: &serde_json::Value) -> Layer {
    Layer::new(Scope::CommandLine, flag, settings.to_string(), options.project_root.clone())
}

/// The layer of one file and the bytes it was read from; `None` where there is no file.
fn layer(scope: Scope, path: &AbsPath, dir: AbsPath) -> Option<(Layer, Vec<u8>)> {
    let file = path.as_str();
    match file::read(path) {
        FileText::Absent => None,
        FileText::Read(bytes) => {
            let mut layer = Layer::new(scope, file, String::new(), dir);
            match String::from_utf8(bytes.clone()) {
                Ok(text) => layer.text = text,
                Err(_not_utf8) => {
                    // What can be read of the denies holds all the same.
                    layer.text = String::from_utf8_lossy(&bytes).into_owned();
                    layer.unreadable = Some("it is not UTF-8".to_owned());
                }
            }
            Some((layer, bytes))
        }
        FileText::Unreadable(why) => Some((unreadable(scope, file, dir, &why), Vec::new())),
    }
}

fn unreadable(scope: Scope, file: &str, dir: AbsPath, why: &str) -> Layer {
    let mut layer = Layer::new(scope, file, String::new(), dir);
    layer.unreadable = Some(why.to_owned());
    layer
}

/// Where a session of the agent would be started: the nearest directory with project settings, else
/// the directory itself. The home directory's `.claude` holds user settings and does not count.
///
/// SECURITY: the root is a working directory, so a file further up widens what may be read and written.
/// It has to lie in the same repository, and its directory has to be the user's own: anybody may make
/// `/tmp/.claude`.
pub fn project_root_of(cwd: &AbsPath, home: &AbsPath) -> AbsPath {
    let mut candidate = Some(cwd.clone());
    while let Some(directory) = candidate {
        if directory == *home {
            break;
        }
        let there = |name: &str| fs::symlink_metadata(below(&directory, name).as_str()).is_ok();
        let names = ["settings.json", "settings.local.json", NATIVE, NATIVE_LOCAL];
        let holds = names.into_iter().any(|name| there(&format!(".claude/{name}")));
        let own = || file::is_ours(Path::new(below(&directory, ".claude").as_str()));
        if holds && (directory == *cwd || own()) {
            return directory;
        }
        if there(".git") {
            break;
        }
        candidate = directory.parent();
    }
    cwd.clone()
}

fn user_dir(options: &Options) -> AbsPath {
    options.config_dir.clone().unwrap_or_else(|| below(&options.home, ".claude"))
}

/// A path below a directory. The names are our own or come from a directory listing, so they join.
fn below(directory: &AbsPath, name: &str) -> AbsPath {
    directory.join(name).unwrap_or_else(|_nul| directory.clone())
}

/// What stands beside each `settings.json` for what only portcullis reads.
const NATIVE: &str = "portcullis.toml";

/// The same beside a `settings.local.json`.
const NATIVE_LOCAL: &str = "portcullis.local.toml";

#[cfg(test)]
mod tests;
