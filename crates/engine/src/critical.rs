//! Critical removals: what no allow rule and no hook may approve.

use portcullis_facts::{
    Answers, Arg, CommandFact, Place, RemovalKind, RemovalTarget, glob_directory, glob_may_match,
};
use portcullis_model::AbsPath;

/// Why a removal is critical, if it is.
pub(crate) fn critical_removal(
    fact: &CommandFact,
    home: &AbsPath,
    start: &AbsPath,
    directories: &[AbsPath],
    answers: &Answers,
) -> Option<String> {
    let removal = fact.removal.as_ref()?;
    if removal.under_variable && removal.kind == RemovalKind::Deletes {
        return Some("it removes what stands under a variable; empty, that is `/`".to_owned());
    }
    let view = View { home, start, directories, answers, kind: removal.kind };
    removal.targets.iter().find_map(|target| view.critical(target))
}

/// What removals are held against.
struct View<'a> {
    home: &'a AbsPath,
    start: &'a AbsPath,
    directories: &'a [AbsPath],
    answers: &'a Answers,
    kind: RemovalKind,
}

impl View<'_> {
    fn critical(&self, target: &RemovalTarget) -> Option<String> {
        match &target.place {
            Place::Known(paths) => paths.iter().find_map(|path| {
                let real = self.answers.real.get(path).map(|real| &real.path);
                let real = real.filter(|real| *real != path);
                // A symlink itself is harmless to remove, what it leads to counts with a trailing
                // slash.
                let followed = target.arg.known().is_some_and(|text| text.ends_with('/'));
                let followed = followed || self.kind == RemovalKind::Opens;
                self.vital(path, target)
                    .or_else(|| real.filter(|_| followed).and_then(|real| self.vital(real, target)))
            }),
            Place::Glob(globs) => globs.iter().find_map(|glob| self.matches(glob, target)),
            Place::Unknown(_) => {
                if let Arg::Glob(glob) = &target.arg {
                    // `../[p]roj`: where it leads depends on what its first part matches.
                    let here = target.cwd.iter().flatten();
                    let absolute = here.map(|cwd| match glob.strip_prefix('/') {
                        Some(_) => glob.clone(),
                        None => format!("{cwd}/{glob}"),
                    });
                    let why = absolute.into_iter().find_map(|glob| self.matches(&glob, target));
                    if why.is_some() {
                        return why;
                    }
                }
                // A removal of everything somewhere unknown.
                let text = match &target.arg {
                    Arg::Known(text) | Arg::Glob(text) => text.as_str(),
                    Arg::One { .. } | Arg::Many { .. } => return None,
                };
                let everything = matches!(text, "." | "*" | "./*" | "..");
                (everything && self.kind == RemovalKind::Deletes)
                    .then(|| "it removes everything in a directory that is not known".to_owned())
            }
            Place::Free => None,
        }
    }

    /// Why this path must not go.
    fn vital(&self, path: &AbsPath, target: &RemovalTarget) -> Option<String> {
        let does = match self.kind {
            RemovalKind::Deletes => "removes",
            RemovalKind::Moves => "moves away",
            RemovalKind::Opens => "changes everything in",
        };
        let Some(parent) = path.parent() else { return Some(format!("it {does} `/`")) };
        let deletes = self.kind == RemovalKind::Deletes;
        let system = path.components().next().is_some_and(|name| SYSTEM.contains(&name));
        if parent == AbsPath::root() && (deletes || system) {
            return Some(format!("it {does} `{path}`, directly under `/`"));
        }
        if path == self.home {
            return Some(format!("it {does} the home directory"));
        }
        let cwd = target.cwd.as_deref().unwrap_or(&[]);
        if self.kind != RemovalKind::Opens
            && std::iter::once(self.start).chain(cwd).any(|directory| directory.is_within(path))
        {
            return Some(format!("it {does} `{path}`, which holds the current directory"));
        }
        let holds = self.home.is_within(path);
        holds.then(|| format!("it {does} `{path}`, which holds the home directory"))
    }

    /// Why what a glob matches must not go.
    fn matches(&self, glob: &str, target: &RemovalTarget) -> Option<String> {
        // To move or open up what lies in a directory is ordinary work.
        if self.kind != RemovalKind::Deletes {
            return None;
        }
        let glob = glob.trim_end_matches('/');
        let literal = glob_directory(glob)?;
        let behind = glob.get(glob.find(['*', '?', '[', '('])?..)?;
        if literal == AbsPath::root() && !behind.contains('/') {
            return Some(format!("it removes what `{glob}` matches, directly under `/`"));
        }
        // The directory it stands in may be a link.
        let real = self.answers.real.get(&literal).map(|real| &real.path);
        let matched = self.answers.globs.get(glob);
        if let Some(why) =
            matched.and_then(|paths| paths.iter().find_map(|path| self.vital(path, target)))
        {
            return Some(why);
        }
        std::iter::once(&literal).chain(real.filter(|real| **real != literal)).find_map(|base| {
            let rest = glob.get(glob.find(['*', '?', '[', '('])?..)?;
            let first = glob.get(..glob.find(['*', '?', '[', '('])?)?.rsplit('/').next()?;
            let pattern = format!("{}/{first}{rest}", base.as_str().trim_end_matches('/'));
            let everything =
                first.chars().all(|c| c == '.') && rest.chars().all(|c| "*?.[]!^".contains(c));
            if everything {
                if self.directories.contains(base) {
                    return Some(format!("it removes everything in `{base}`"));
                }
                return self
                    .vital(base, target)
                    .map(|_| format!("it removes everything in `{base}`"));
            }
            let cwd = target.cwd.as_deref().unwrap_or(&[]);
            let held = [self.start, self.home].into_iter().chain(cwd);
            held.flat_map(ancestors)
                .find(|path| glob_may_match(&pattern, path))
                .and_then(|path| self.vital(&path, target))
        })
    }
}

/// A path and every directory it lies in, but the root.
fn ancestors(path: &AbsPath) -> impl Iterator<Item = AbsPath> {
    std::iter::successors(Some(path.clone()), AbsPath::parent)
        .filter(|path| path.parent().is_some())
}

/// Directories of the system itself, directly under `/`.
const SYSTEM: &[&str] = &[
    "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "proc", "root", "run", "sbin",
    "sys", "usr", "var",
];
