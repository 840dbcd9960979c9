//! Where a command is to run: the disk's answers to what a profile has to know.

use crate::disk::{Disk as _, RealDisk};
use crate::settings::{Options, Repository};
use portcullis_model::AbsPath;
use portcullis_policy::{Layer, Policy, SandboxPath};
use portcullis_profile::Place;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// What the caller knows of a run.
#[derive(Clone, Debug)]
pub struct Whereabouts {
    /// The directory the command starts in.
    pub cwd: AbsPath,
    /// The private directory that `$TMPDIR` is to name.
    pub temporary: AbsPath,
    /// Working directories beside those of the settings.
    pub additional: Vec<AbsPath>,
    /// More files that decide over the command: the program itself, a log.
    pub own_files: Vec<AbsPath>,
    /// What the environment says about scrubbing credentials.
    pub scrub_environment: Option<bool>,
}

/// Gathers a place. What cannot be found out is left out, which never widens what is allowed: links are
/// followed for denies as far as they can be seen, and the supervisor sees the rest when it happens.
pub fn gather(
    policy: &Policy,
    options: &Options,
    layers: &[Layer],
    whereabouts: Whereabouts,
) -> Place {
    let Whereabouts { cwd, temporary, additional, own_files, scrub_environment } = whereabouts;
    let mut place = Place::new(options.project_root.clone(), options.home.clone(), temporary);
    place.cwd = cwd;
    place.additional = additional;
    place.scrub_environment = scrub_environment;
    place.own_files = own_files;
    place.own_files.extend(options.own_files());
    place.own_files.extend(layers.iter().filter_map(|layer| AbsPath::parse(&layer.file).ok()));
    place.own_files.sort_unstable();
    place.own_files.dedup();
    place.common_git_directory = Repository::find(&place.project_root)
        .and_then(|repository| repository.outside(&place.project_root, &place.home));
    let roots: Vec<AbsPath> = std::iter::once(&place.project_root)
        .chain(&place.additional)
        .chain(policy.directories.iter().map(|directory| &directory.path))
        .cloned()
        .collect();
    place.bare_repositories = roots.iter().filter(|root| is_bare(root)).cloned().collect();
    let named = named(policy, &place);
    place.real = links(&named);
    for path in &named {
        let is_led = std::iter::successors(Some(path.clone()), AbsPath::parent)
            .any(|prefix| place.real.contains_key(&prefix));
        if is_led && let Some(real) = RealDisk.real(path) {
            place.hops.insert(path.clone(), real.hops);
        }
    }
    place.folds_case = roots.iter().chain(&named).any(folds_case);
    place
}

/// Every path that the policy or the place names, as far as it is literal.
fn named(policy: &Policy, place: &Place) -> BTreeSet<AbsPath> {
    let mut named = BTreeSet::from([
        place.project_root.clone(),
        place.cwd.clone(),
        place.home.clone(),
        place.temporary.clone(),
    ]);
    named.extend(place.additional.iter().cloned());
    named.extend(place.own_files.iter().cloned());
    named.extend(place.common_git_directory.iter().cloned());
    named.extend(policy.directories.iter().map(|directory| directory.path.clone()));
    let files = &policy.sandbox.filesystem;
    let credentials = policy.sandbox.credentials.files.iter().map(|file| &file.path);
    let entries = [&files.allow_write, &files.deny_write, &files.deny_read, &files.allow_read];
    let entries = entries.into_iter().flatten();
    named.extend(
        entries.chain(&policy.sandbox.network.unix_sockets).chain(credentials).map(literal),
    );
    for rule in policy.deny.list.iter().chain(&policy.allow.list) {
        let parts = rule.paths.as_ref().and_then(|paths| paths.parts());
        if let Some((anchor, parts)) = parts {
            let names = parts.iter().map_while(|part| match part {
                portcullis_rules::PathPart::Name(name) => Some(name.as_str()),
                portcullis_rules::PathPart::AnyDepth | portcullis_rules::PathPart::Glob(_) => None,
            });
            let below = names.fold(anchor.clone(), |path, name| path.join(name).unwrap_or(path));
            named.insert(below);
        }
    }
    named
}

/// A path, or the directory a pattern starts at.
fn literal(entry: &SandboxPath) -> AbsPath {
    if !entry.wildcard {
        return entry.path.clone();
    }
    let names = entry.path.components().take_while(|name| !name.contains(['*', '?', '[', '\\']));
    names.fold(AbsPath::root(), |path, name| path.join(name).unwrap_or(path))
}

/// Where the links among these paths, and among the directories that hold them, lead in the end.
fn links(paths: &BTreeSet<AbsPath>) -> BTreeMap<AbsPath, AbsPath> {
    let mut seen = BTreeSet::new();
    let mut real = BTreeMap::new();
    for path in paths {
        let mut at = Some(path.clone());
        while let Some(prefix) = at {
            at = prefix.parent();
            let is_link = || {
                fs::symlink_metadata(prefix.as_str()).is_ok_and(|metadata| metadata.is_symlink())
            };
            if seen.contains(&prefix) {
                break;
            }
            if is_link()
                && let Ok(target) = fs::canonicalize(prefix.as_str())
                && let Some(target) = target.to_str().and_then(|text| AbsPath::parse(text).ok())
            {
                real.insert(prefix.clone(), target);
            }
            seen.insert(prefix);
        }
    }
    real
}

/// Whether a directory is a repository without a work tree.
fn is_bare(directory: &AbsPath) -> bool {
    let has = |name: &str| fs::symlink_metadata(format!("{directory}/{name}")).is_ok();
    has("HEAD") && has("objects") && has("refs")
}

/// Whether a path is found under a name of another case, or something in the directory is.
fn folds_case(path: &AbsPath) -> bool {
    let same =
        |path: &str, other: &str| match (fs::symlink_metadata(path), fs::symlink_metadata(other)) {
            (Ok(one), Ok(other)) => one.ino() == other.ino() && one.dev() == other.dev(),
            (Ok(_) | Err(_), _) => false,
        };
    let swapped = |name: &str| -> String {
        name.chars()
            .map(|c| {
                if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            })
            .collect()
    };
    let parent = path.parent();
    if let (Some(name), Some(parent)) = (path.name(), &parent)
        && swapped(name) != name
        && same(path.as_str(), &format!("{parent}/{}", swapped(name)))
    {
        return true;
    }
    let entries = fs::read_dir(path.as_str()).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names = names.take(ENTRIES).filter(|name| swapped(name) != *name);
    names
        .next()
        .is_some_and(|name| same(&format!("{path}/{name}"), &format!("{path}/{}", swapped(&name))))
}

/// How many entries of a directory are looked at for one whose name has letters.
const ENTRIES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn path(text: &str) -> AbsPath {
        AbsPath::parse(text).unwrap()
    }

    fn gathered(settings: &str, root: &str, home: &str) -> Place {
        let mut options = Options::new(path(root), path(home));
        options.settings = vec![settings.to_owned()];
        options.files = crate::settings::Files::Nothing;
        let layers = crate::settings::discover(&options);
        let policy = portcullis_policy::assemble(&layers, &options.place());
        let whereabouts = Whereabouts {
            cwd: path(root),
            temporary: path("/dev/shm/tmp"),
            additional: Vec::new(),
            own_files: Vec::new(),
            scrub_environment: None,
        };
        gather(&policy, &options, &layers, whereabouts)
    }

    #[test]
    fn follows_links_of_what_is_named() {
        let tree = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(tree.path()).unwrap();
        let base = base.to_str().unwrap();
        fs::create_dir_all(format!("{base}/real/ssh")).unwrap();
        symlink(format!("{base}/real"), format!("{base}/link")).unwrap();
        symlink("ssh", format!("{base}/real/keys")).unwrap();
        fs::create_dir(format!("{base}/p")).unwrap();
        let settings = format!(
            r#"{{"sandbox":{{"filesystem":{{"denyRead":["{base}/link/keys","{base}/link/*/x"]}}}}}}"#
        );
        let place = gathered(&settings, &format!("{base}/p"), base);
        let link = |name: &str| place.real.get(&path(&format!("{base}/{name}"))).cloned();
        assert_eq!(link("link"), Some(path(&format!("{base}/real"))));
        assert_eq!(link("link/keys"), Some(path(&format!("{base}/real/ssh"))));
        assert_eq!(link("p"), None);
        assert!(!place.folds_case);
    }

    #[test]
    fn settings_are_its_own_files_whether_they_exist_or_not() {
        let tree = tempfile::tempdir().unwrap();
        let base = tree.path().to_str().unwrap();
        let place = gathered("{}", &format!("{base}/p"), base);
        for name in [
            "/etc/claude-code".to_owned(),
            format!("{base}/.claude/settings.json"),
            format!("{base}/.claude.json"),
            format!("{base}/.config/portcullis"),
            format!("{base}/p/.claude/settings.local.json"),
        ] {
            assert!(place.own_files.contains(&path(&name)), "{name}: {:?}", place.own_files);
        }
    }

    #[test]
    fn a_subdirectory_works_in_the_repository_above() {
        let tree = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(tree.path()).unwrap();
        let base = base.to_str().unwrap();
        for name in ["repo/.git/objects", "repo/.git/refs", "repo/sub", "bare/objects", "bare/refs"]
        {
            fs::create_dir_all(format!("{base}/{name}")).unwrap();
        }
        for name in ["repo/.git/HEAD", "bare/HEAD"] {
            fs::write(format!("{base}/{name}"), "ref: refs/heads/main\n").unwrap();
        }
        let at = |name: &str| gathered("{}", &format!("{base}/{name}"), base);
        assert_eq!(at("repo/sub").common_git_directory, Some(path(&format!("{base}/repo/.git"))));
        assert_eq!(at("repo").common_git_directory, None);
        assert_eq!(at("bare").bare_repositories, [path(&format!("{base}/bare"))]);
    }
}
