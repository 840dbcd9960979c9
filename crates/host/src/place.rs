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
    let Named { paths, written_in } = named(policy, &place, roots);
    let mut disk = Disk::default();
    place.real = links(&paths, &mut disk);
    for path in &paths {
        let is_led = std::iter::successors(Some(path.clone()), AbsPath::parent)
            .any(|prefix| place.real.contains_key(&prefix));
        if is_led && let Some(real) = RealDisk.real(path) {
            place.hops.insert(path.clone(), real.hops);
        }
    }
    place.folds_case = disk.folds_case(&paths, &written_in);
    place
}

/// What the policy and the place name.
struct Named {
    /// Every path, as far as it is literal.
    paths: BTreeSet<AbsPath>,
    /// Those in which other names count too: where files are written, where a pattern starts.
    written_in: BTreeSet<AbsPath>,
}

fn named(policy: &Policy, place: &Place, roots: Vec<AbsPath>) -> Named {
    let mut paths = BTreeSet::from([place.temporary.clone()]);
    paths.extend(place.own_files.iter().cloned());
    let mut written_in = BTreeSet::from([place.cwd.clone(), place.home.clone()]);
    written_in.extend(roots);
    written_in.extend(place.common_git_directory.iter().cloned());
    let files = &policy.sandbox.filesystem;
    let credentials = policy.sandbox.credentials.files.iter().map(|file| &file.path);
    let entries = [&files.deny_write, &files.deny_read, &files.allow_read];
    let entries = entries.into_iter().flatten();
    for entry in entries.chain(&policy.sandbox.network.unix_sockets).chain(credentials) {
        let set = if entry.wildcard { &mut written_in } else { &mut paths };
        set.insert(literal(entry));
    }
    written_in.extend(files.allow_write.iter().map(literal));
    for rule in policy.deny.list.iter().chain(&policy.allow.list) {
        let parts = rule.paths.as_ref().and_then(|paths| paths.parts());
        if let Some((anchor, parts)) = parts {
            let names = parts.iter().map_while(|part| match part {
                portcullis_rules::PathPart::Name(name) => Some(name.as_str()),
                portcullis_rules::PathPart::AnyDepth | portcullis_rules::PathPart::Glob(_) => None,
            });
            let below = names.fold(anchor.clone(), |path, name| path.join(name).unwrap_or(path));
            written_in.insert(below);
        }
    }
    paths.extend(written_in.iter().cloned());
    Named { paths, written_in }
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
fn links(paths: &BTreeSet<AbsPath>, disk: &mut Disk) -> BTreeMap<AbsPath, AbsPath> {
    let mut real = BTreeMap::new();
    for path in paths {
        let mut ahead = vec![path.clone()];
        while let Some(prefix) = ahead.last().and_then(AbsPath::parent) {
            if disk.seen.contains_key(&prefix) {
                break;
            }
            ahead.push(prefix);
        }
        for prefix in ahead.into_iter().rev() {
            if disk.look(&prefix) == Stands::Link
                && let Ok(target) = fs::canonicalize(prefix.as_str())
                && let Some(target) = target.to_str().and_then(|text| AbsPath::parse(text).ok())
            {
                real.insert(prefix, target);
            }
        }
    }
    real
}

/// What was seen of the disk: nothing is looked at twice.
#[derive(Default)]
struct Disk {
    seen: BTreeMap<AbsPath, Stands>,
    /// Directories of which it is known whether they fold case.
    folds: BTreeMap<AbsPath, bool>,
}

/// What stands at a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Nothing,
    Link,
    Directory(u64, u64),
    Other(u64, u64),
}

impl Disk {
    fn look(&mut self, path: &AbsPath) -> Stands {
        if let Some(known) = self.seen.get(path) {
            return *known;
        }
        let above = path.parent().and_then(|parent| self.seen.get(&parent));
        let stands = match above {
            Some(Stands::Nothing | Stands::Other(..)) => Stands::Nothing,
            Some(Stands::Link | Stands::Directory(..)) | None => look(path.as_str()),
        };
        self.seen.insert(path.clone(), stands);
        stands
    }

    /// Whether some directory that holds one of these paths, or in which other names count, takes names of
    /// another case for the same.
    fn folds_case(&mut self, paths: &BTreeSet<AbsPath>, written_in: &BTreeSet<AbsPath>) -> bool {
        paths.iter().any(|path| self.is_found_folded(path))
            || written_in.iter().any(|path| self.folds_inside(path))
    }

    /// Whether the directory that holds a path folds case. One name in it tells for all.
    fn is_found_folded(&mut self, path: &AbsPath) -> bool {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return false };
        if let Some(known) = self.folds.get(&parent) {
            return *known;
        }
        let here = self.look(path);
        if here == Stands::Nothing {
            // The name may come to be, and then its directory says what else means it.
            return self.look(&parent) != Stands::Nothing && self.folds_inside(&parent);
        }
        let other = swapped(name);
        if other == name {
            return false;
        }
        let folds = is_same(here, path.as_str(), &format!("{parent}/{other}"));
        self.folds.insert(parent, folds);
        folds
    }

    /// Whether a directory folds case, by the first name in it that has letters.
    fn folds_inside(&mut self, path: &AbsPath) -> bool {
        if let Some(known) = self.folds.get(path) {
            return *known;
        }
        if matches!(self.look(path), Stands::Nothing | Stands::Other(..)) {
            return false;
        }
        let entries = fs::read_dir(path.as_str()).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names = names.take(ENTRIES).filter(|name| swapped(name) != *name);
        let Some(name) = names.next() else { return false };
        let path_of = |name: &str| format!("{path}/{name}");
        let here = path_of(&name);
        let folds = is_same(look(&here), &here, &path_of(&swapped(&name)));
        self.folds.insert(path.clone(), folds);
        folds
    }
}

fn look(path: &str) -> Stands {
    match fs::symlink_metadata(path) {
        Err(_) => Stands::Nothing,
        Ok(found) if found.is_symlink() => Stands::Link,
        Ok(found) if found.is_dir() => Stands::Directory(found.dev(), found.ino()),
        Ok(found) => Stands::Other(found.dev(), found.ino()),
    }
}

/// Whether another path leads to the same entry.
fn is_same(here: Stands, path: &str, other: &str) -> bool {
    match here {
        Stands::Nothing => false,
        Stands::Directory(..) | Stands::Other(..) => look(other) == here,
        // Told apart by their numbers only.
        Stands::Link => match (fs::symlink_metadata(path), fs::symlink_metadata(other)) {
            (Ok(one), Ok(other)) => one.ino() == other.ino() && one.dev() == other.dev(),
            (Ok(_) | Err(_), _) => false,
        },
    }
}

fn swapped(name: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    };
    name.chars().map(swap).collect()
}

/// Whether a directory is a repository without a work tree.
fn is_bare(directory: &AbsPath) -> bool {
    let has = |name: &str| fs::symlink_metadata(format!("{directory}/{name}")).is_ok();
    has("HEAD") && has("objects") && has("refs")
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
