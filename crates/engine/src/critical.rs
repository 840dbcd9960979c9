//! Critical removals: what no allow rule and no hook may approve.

use portcullis_facts::{Answers, Arg, CommandFact, Place, RemovalTarget};
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
    if removal.under_variable {
        return Some("it removes what stands under a variable; empty, that is `/`".to_owned());
    }
    removal.targets.iter().find_map(|target| critical(target, home, start, directories, answers))
}

fn critical(
    target: &RemovalTarget,
    home: &AbsPath,
    start: &AbsPath,
    directories: &[AbsPath],
    answers: &Answers,
) -> Option<String> {
    let cwd = target.cwd.as_deref().unwrap_or(&[]);
    let vital = |path: &AbsPath| -> Option<String> {
        if path.parent().is_none() {
            return Some("it removes `/`".to_owned());
        }
        if path.parent().is_some_and(|parent| parent == AbsPath::root()) {
            return Some(format!("it removes `{path}`, directly under `/`"));
        }
        if path == home {
            return Some("it removes the home directory".to_owned());
        }
        if std::iter::once(start).chain(cwd).any(|directory| directory.is_within(path)) {
            return Some(format!("it removes `{path}`, which holds the current directory"));
        }
        home.is_within(path).then(|| format!("it removes `{path}`, which holds the home directory"))
    };
    match &target.place {
        Place::Known(paths) => paths.iter().find_map(|path| {
            let real = answers.real.get(path).map(|real| &real.path).filter(|real| *real != path);
            // A symlink itself is harmless to remove, what it leads to counts with a trailing slash.
            let followed = target.arg.known().is_some_and(|text| text.ends_with('/'));
            vital(path).or_else(|| real.filter(|_| followed).and_then(vital))
        }),
        Place::Glob(globs) => globs.iter().find_map(|glob| {
            let (directory, name) = glob.rsplit_once('/')?;
            let everything = !name.is_empty()
                && name.chars().all(|c| matches!(c, '*' | '?' | '.' | '[' | ']' | '!' | '^'));
            if !everything {
                // `/u*` or `~/../*/x`: what it matches is looked at one by one.
                let matched = answers.globs.get(glob);
                return matched.and_then(|paths| paths.iter().find_map(vital));
            }
            let plain: String = directory.replace('\\', "");
            let directory = AbsPath::parse(&format!("{plain}/")).ok()?;
            if directories.contains(&directory) {
                return Some(format!("it removes everything in `{directory}`"));
            }
            vital(&directory).map(|_| format!("it removes everything in `{directory}`"))
        }),
        Place::Unknown(_) => {
            // A removal of everything somewhere unknown.
            let text = match &target.arg {
                Arg::Known(text) | Arg::Glob(text) => text.as_str(),
                Arg::One { .. } | Arg::Many { .. } => return None,
            };
            let everything = text == "." || text == "*" || text == "./*" || text == "..";
            everything.then(|| "it removes everything in a directory that is not known".to_owned())
        }
        Place::Free => None,
    }
}
