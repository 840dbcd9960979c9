//! The rules about files.

use crate::tables::devices::DEVICES;
use crate::tables::git::{BARE, GIT, HEAD, INTO_GIT, LINKS};
use crate::tables::names::{LEAVES, NAMES};
use crate::{
    Access, Component, Effect, FileRule, Files, Kind, Origin, PathGlob, Place, Reach, Standing,
};
use portcullis_model::AbsPath;
use portcullis_policy::{Policy, PolicyRule, Rules, SandboxPath};
use portcullis_rules::{PathPart, path_parts};
use std::borrow::Cow;

/// Everything about files, in this order: what is built in, what settings say, what rules say, and what
/// is protected below all that may be written.
pub(super) fn derive(policy: &Policy, place: &Place) -> Files {
    let settings = &policy.sandbox.filesystem;
    let mut making = Making { place, rules: Vec::new(), changeable: changeable(policy, place) };
    making.places(policy);
    making.settings(
        &settings.allow_write,
        "sandbox.filesystem.allowWrite",
        Access::Write,
        Effect::Allow,
    );
    making.settings(
        &settings.deny_write,
        "sandbox.filesystem.denyWrite",
        Access::Write,
        Effect::Deny,
    );
    making.settings(&settings.deny_read, "sandbox.filesystem.denyRead", Access::Read, Effect::Deny);
    making.settings(
        &settings.allow_read,
        "sandbox.filesystem.allowRead",
        Access::Read,
        Effect::Allow,
    );
    for credential in &policy.sandbox.credentials.files {
        let key = "sandbox.credentials.files";
        // A masked file is hidden until something can put a stand-in in its place.
        making.deny(&credential.path, key, Access::Read, Standing::Absolute);
    }
    making.permission_rules(&policy.allow, "Edit", Access::Write, Effect::Allow);
    making.permission_rules(&policy.deny, "Edit", Access::Write, Effect::Deny);
    making.permission_rules(&policy.deny, "Read", Access::Read, Effect::Deny);
    making.own_files();
    making.protected();
    Files {
        disabled: super::switch("sandbox.filesystem.disabled", &settings.disabled),
        rules: making.rules,
    }
}

/// The paths that a grant outside the lists of files means.
pub(super) fn reaches_of_grants<'e>(
    entries: &'e [SandboxPath],
    policy: &Policy,
    place: &Place,
) -> Vec<(&'e SandboxPath, Reach)> {
    let mut making = Making { place, rules: Vec::new(), changeable: changeable(policy, place) };
    let mut found = Vec::new();
    for entry in entries {
        making.allow(entry, "", Access::Write);
        found.extend(making.rules.drain(..).map(|rule| (entry, rule.reach)));
    }
    found
}

/// Everything that may be written, wherever links lead: what a command of yesterday may have changed.
fn changeable(policy: &Policy, place: &Place) -> Files {
    let mut making = Making { place, rules: Vec::new(), changeable: Files::default() };
    making.places(policy);
    for entry in &policy.sandbox.filesystem.allow_write {
        making.allow(entry, "", Access::Write);
    }
    making.permission_rules(&policy.allow, "Edit", Access::Write, Effect::Allow);
    // The private temporary directory is new for every run.
    making.rules.retain(|rule| rule.standing != Standing::Absolute);
    Files { disabled: None, rules: making.rules }
}

/// The directories that are worked in beside the project, with where each is written.
fn working_directories(policy: &Policy, place: &Place) -> Vec<(AbsPath, Origin)> {
    let mut found = Vec::new();
    for path in &place.additional {
        found.push((path.clone(), Origin::BuiltIn("a directory given with --add-dir")));
    }
    for directory in &policy.directories {
        let origin = Origin::Setting {
            key: "permissions.additionalDirectories",
            text: directory.path.to_string(),
            source: directory.source.clone(),
        };
        found.push((directory.path.clone(), origin));
    }
    found
}

struct Making<'p> {
    place: &'p Place,
    rules: Vec<FileRule>,
    /// What a command may have changed before: links in there lead nowhere.
    changeable: Files,
}

impl Making<'_> {
    /// What may be written because of where the command runs.
    fn places(&mut self, policy: &Policy) {
        // The project is where the caller says it is. The other directories are written somewhere.
        let root = &self.place.project_root;
        let mut places = vec![(self.place.resolved(root), Origin::BuiltIn("the project"))];
        places.push((root.clone(), Origin::BuiltIn("the project")));
        for (path, origin) in working_directories(policy, self.place) {
            places.extend(self.granted(&path).into_iter().map(|path| (path, origin.clone())));
        }
        if let Some(git) = &self.place.common_git_directory {
            let origin = Origin::BuiltIn("the repository that this checkout shares");
            places.extend(self.granted(git).into_iter().map(|path| (path, origin.clone())));
        }
        places.dedup();
        for (path, origin) in places {
            let (access, effect) = (Access::Write, Effect::Allow);
            self.push(access, effect, Reach::Path(path), Standing::Ordinary, origin);
        }
        let origin = Origin::BuiltIn("the private temporary directory");
        for path in self.place.spellings(&self.place.temporary) {
            let reach = Reach::Path(path);
            self.push(Access::Write, Effect::Allow, reach, Standing::Absolute, origin.clone());
        }
        for device in DEVICES {
            let origin = Origin::BuiltIn("a standard device");
            self.extend_paths(device, Effect::Allow, Standing::Ordinary, &origin);
        }
    }

    fn settings(
        &mut self,
        entries: &[SandboxPath],
        key: &'static str,
        access: Access,
        effect: Effect,
    ) {
        for entry in entries {
            match effect {
                Effect::Deny => self.deny(entry, key, access, Standing::Ordinary),
                Effect::Allow => self.allow(entry, key, access),
            }
        }
    }

    /// A deny holds for every reading of an entry and every spelling of a path.
    fn deny(&mut self, entry: &SandboxPath, key: &'static str, access: Access, standing: Standing) {
        let origin = setting(key, entry);
        for reading in readings(entry) {
            let reaches = match reading {
                Reading::Literal(path) => {
                    let spellings = self.place.spellings(&path).into_iter();
                    spellings.map(|path| self.exactly(path)).collect()
                }
                Reading::Pattern(parts) => {
                    let (literal, rest) = split(&parts);
                    let spellings = self.place.spellings(&literal).into_iter();
                    let any_case = self.place.folds_case;
                    spellings.map(|below| pattern(below, rest, any_case)).collect::<Vec<_>>()
                }
            };
            for reach in reaches {
                self.push(access, Effect::Deny, reach, standing, origin.clone());
            }
        }
    }

    /// An allow holds where a path leads, unless the way leads through a link that may be changed from
    /// inside.
    fn allow(&mut self, entry: &SandboxPath, key: &'static str, access: Access) {
        let origin = setting(key, entry);
        for reading in readings(entry) {
            let reaches = match reading {
                Reading::Literal(path) => {
                    self.granted(&path).into_iter().map(Reach::Path).collect()
                }
                Reading::Pattern(parts) => {
                    let (literal, rest) = split(&parts);
                    let mut below = self.granted(&literal);
                    below.dedup();
                    below.into_iter().map(|below| pattern(below, rest, false)).collect::<Vec<_>>()
                }
            };
            for reach in reaches {
                self.push(access, Effect::Allow, reach, Standing::Ordinary, origin.clone());
            }
        }
    }

    /// The paths that a grant for a path means.
    ///
    /// SECURITY: `build -> ~/.ssh`, made by a command of yesterday, has to stay a link to nowhere:
    /// links below a directory that is written to are never followed for a grant, whoever grants the
    /// writing and however the way comes there, unless what they lead to may be written anyway.
    fn granted(&self, path: &AbsPath) -> Vec<AbsPath> {
        let located = self.place.located(path);
        let hops = self.place.hops.get(path).map_or(&[][..], Vec::as_slice);
        // What is behind the last link has none on its way.
        let hops = hops.split_last().map_or(&[][..], |(_, before)| before);
        let changeable = [path, &located].into_iter().chain(hops).any(|way| {
            let parent = way.parent();
            parent.is_some_and(|parent| {
                let held = self.changeable.judge_as(&parent, Access::Write, Kind::Directory);
                held.effect == Effect::Allow
            })
        });
        let mut found = vec![path.clone()];
        if !changeable {
            found.push(self.place.resolved(path));
            found.push(located);
        }
        found.dedup();
        found
    }

    fn permission_rules(&mut self, rules: &Rules, tool: &str, access: Access, effect: Effect) {
        for rule in &rules.list {
            if !rule.rule.tool().matches(tool) {
                continue;
            }
            let Some((anchor, parts)) = rule.paths.as_ref().and_then(|paths| paths.parts()) else {
                continue;
            };
            match effect {
                Effect::Allow => self.rule_allow(rule, anchor, &parts, access),
                Effect::Deny => self.rule_deny(rule, anchor, &parts, access),
            }
        }
    }

    /// An allow rule grants a tree where it names one; a pattern such as `*.md` is about single edits.
    fn rule_allow(
        &mut self,
        rule: &PolicyRule,
        anchor: &AbsPath,
        parts: &[PathPart],
        access: Access,
    ) {
        let (literal, rest) = split_below(anchor, parts);
        if !rest.is_empty() {
            return;
        }
        let origin = Origin::Rule(rule.reference.clone());
        for path in self.granted(&literal) {
            let reach = Reach::Path(path);
            self.push(access, Effect::Allow, reach, Standing::Ordinary, origin.clone());
        }
    }

    /// A deny rule means what it means for a tool call. Case is left to the filesystem where the rule
    /// names one path.
    fn rule_deny(
        &mut self,
        rule: &PolicyRule,
        anchor: &AbsPath,
        parts: &[PathPart],
        access: Access,
    ) {
        let origin = Origin::Rule(rule.reference.clone());
        let (literal, rest) = split_below(anchor, parts);
        let reaches: Vec<Reach> = if rest.is_empty() {
            let spellings = self.place.spellings(&literal).into_iter();
            spellings.map(|path| self.exactly(path)).collect()
        } else {
            let spellings = self.place.spellings(&literal).into_iter();
            spellings.map(|below| pattern(below, rest, true)).collect()
        };
        for reach in reaches {
            self.push(access, Effect::Deny, reach, Standing::Ordinary, origin.clone());
        }
    }

    fn own_files(&mut self) {
        let origin = Origin::BuiltIn("it decides over the command");
        for path in &self.place.own_files {
            for path in self.place.spellings(path) {
                let reach = self.exactly(path);
                self.push(Access::Write, Effect::Deny, reach, Standing::Absolute, origin.clone());
            }
        }
    }

    /// Protected names below everything that may be written.
    fn protected(&mut self) {
        let mut below: Vec<(AbsPath, Cow<'static, [Component]>)> = Vec::new();
        let git = self.place.common_git_directory.as_ref();
        let git: Vec<AbsPath> = git.map(|git| self.place.spellings(git)).unwrap_or_default();
        for rule in &self.rules {
            let writes = rule.access == Access::Write && rule.effect == Effect::Allow;
            if !writes || rule.standing == Standing::Absolute {
                continue;
            }
            let root = match &rule.reach {
                Reach::Path(path) => (path.clone(), Cow::Borrowed(&[][..])),
                Reach::Pattern(glob) | Reach::Leaf(glob) => {
                    (glob.below.clone(), glob.components.clone())
                }
            };
            let device = DEVICES.iter().any(|device| root.0.as_str() == *device);
            if !device && !below.contains(&root) && !git.contains(&root.0) {
                below.push(root);
            }
        }
        for (root, between) in below {
            self.protected_below(&root, &between);
        }
        for git in git {
            for (_, parts) in GIT {
                let parts = parts.get(INTO_GIT..).unwrap_or_default();
                let origin = Origin::BuiltIn(GIT_PROTECTED);
                self.protect(&git, &[], Cow::Borrowed(parts), true, Reach::Pattern, origin);
            }
            for (_, parts) in LINKS {
                let parts = parts.get(INTO_GIT..).unwrap_or_default();
                let origin = Origin::BuiltIn(LEAF_PROTECTED);
                self.protect(&git, &[], Cow::Borrowed(parts), true, Reach::Leaf, origin);
            }
        }
        for path in self.place.bare_repositories.clone() {
            for name in BARE {
                if let Ok(path) = path.join(name) {
                    let (access, effect) = (Access::Write, Effect::Deny);
                    let origin = Origin::BuiltIn(GIT_PROTECTED);
                    self.push(access, effect, Reach::Path(path), Standing::Protected, origin);
                }
            }
        }
    }

    fn protected_below(&mut self, root: &AbsPath, between: &[Component]) {
        for (_, parts) in NAMES {
            let origin = Origin::BuiltIn(NAME_PROTECTED);
            self.protect(root, between, Cow::Borrowed(parts), true, Reach::Pattern, origin);
        }
        for (_, parts) in GIT {
            let origin = Origin::BuiltIn(GIT_PROTECTED);
            self.protect(root, between, Cow::Borrowed(parts), true, Reach::Pattern, origin);
        }
        for (_, parts) in LEAVES.iter().chain(LINKS) {
            let origin = Origin::BuiltIn(LEAF_PROTECTED);
            self.protect(root, between, Cow::Borrowed(parts), true, Reach::Leaf, origin);
        }
        let origin = Origin::BuiltIn(HEAD_PROTECTED);
        let any_case = self.place.folds_case;
        self.protect(root, between, Cow::Borrowed(HEAD), any_case, Reach::Leaf, origin);
    }

    fn protect(
        &mut self,
        below: &AbsPath,
        between: &[Component],
        parts: Cow<'static, [Component]>,
        any_case: bool,
        reach: fn(PathGlob) -> Reach,
        origin: Origin,
    ) {
        let components = if between.is_empty() {
            parts
        } else {
            between.iter().chain(parts.iter()).cloned().collect()
        };
        let reach = reach(PathGlob { below: below.clone(), components, any_case });
        self.push(Access::Write, Effect::Deny, reach, Standing::Protected, origin);
    }

    fn extend_paths(&mut self, path: &str, effect: Effect, standing: Standing, origin: &Origin) {
        if let Ok(path) = AbsPath::parse(path) {
            self.push(Access::Write, effect, Reach::Path(path), standing, origin.clone());
        }
    }

    /// One path, with its case variants where the filesystem takes them for it.
    fn exactly(&self, path: AbsPath) -> Reach {
        if self.place.folds_case {
            let components = Cow::Borrowed(&[][..]);
            Reach::Pattern(PathGlob { below: path, components, any_case: true })
        } else {
            Reach::Path(path)
        }
    }

    fn push(
        &mut self,
        access: Access,
        effect: Effect,
        reach: Reach,
        standing: Standing,
        origin: Origin,
    ) {
        self.rules.push(FileRule { access, effect, reach, standing, origin });
    }
}

/// What an entry may mean.
enum Reading {
    Literal(AbsPath),
    Pattern(Vec<PathPart>),
}

/// `[id]` is a directory of some frameworks and a class of gitignore: an entry with a bracket means both,
/// and one whose bracket does not close only the name.
fn readings(entry: &SandboxPath) -> Vec<Reading> {
    let literal = || Reading::Literal(entry.path.clone());
    if !entry.wildcard {
        return vec![literal()];
    }
    match path_parts(entry.path.as_str()) {
        Err(_) => vec![literal()],
        Ok(parts) if entry.path.as_str().contains('[') => vec![literal(), Reading::Pattern(parts)],
        Ok(parts) => vec![Reading::Pattern(parts)],
    }
}

fn pattern(below: AbsPath, parts: &[PathPart], any_case: bool) -> Reach {
    let components = parts.iter().map(component).collect();
    Reach::Pattern(PathGlob { below, components, any_case })
}

/// The names a pattern starts with, and the rest of it.
fn split(parts: &[PathPart]) -> (AbsPath, &[PathPart]) {
    split_below(&AbsPath::root(), parts)
}

fn split_below<'p>(anchor: &AbsPath, parts: &'p [PathPart]) -> (AbsPath, &'p [PathPart]) {
    let mut text = anchor.as_str().trim_end_matches('/').to_owned();
    let mut rest = parts;
    while let Some((PathPart::Name(name), after)) = rest.split_first() {
        text.push('/');
        text.push_str(name);
        rest = after;
    }
    let literal = AbsPath::parse(&text).unwrap_or_else(|_| anchor.clone());
    (literal, rest)
}

fn component(part: &PathPart) -> Component {
    match part {
        PathPart::AnyDepth => Component::AnyDepth,
        PathPart::Name(name) => Component::Name(Cow::Owned(name.clone())),
        PathPart::Glob(glob) => Component::Glob(glob.clone()),
    }
}

fn setting(key: &'static str, entry: &SandboxPath) -> Origin {
    Origin::Setting { key, text: entry.text.clone(), source: entry.source.clone() }
}

const NAME_PROTECTED: &str =
    "a protected name: the host, a shell or a package manager runs what it says";
const GIT_PROTECTED: &str = "git runs what it says";
const LEAF_PROTECTED: &str = "a file or link of this name leads to another configuration";
const HEAD_PROTECTED: &str =
    "it would make the directory a repository, and git runs what that says";
