//! Files that are called like options: a glob brings their names in, and a program takes them at their word.

use crate::place::escape_glob;
use crate::state::Cwd;
use crate::{Access, AccessFact, Answers, Arg, CommandFact, Place};
use portcullis_model::AbsPath;

/// The globs whose matches a program may take for options: those that begin with no directory and stand
/// before any `--`. To `echo` and its kin no option matters.
pub(crate) fn bare_globs(argv: &[Arg], cwd: &Cwd) -> Vec<String> {
    let Some((name, words)) = argv.split_first() else { return Vec::new() };
    if name.known().is_some_and(|name| HARMLESS.contains(&name)) {
        return Vec::new();
    }
    let Cwd::Known(places) = cwd else { return Vec::new() };
    let words = words.iter().take_while(|arg| arg.known() != Some("--"));
    let globs = words.filter_map(|arg| match arg {
        Arg::Glob(glob) => Some(glob).filter(|glob| glob.starts_with(['*', '?', '[', '-'])),
        Arg::Known(_) | Arg::One { .. } | Arg::Many { .. } => None,
    });
    globs
        .flat_map(|glob| {
            places.iter().map(move |place| {
                let place = escape_glob(place.as_str());
                format!("{}/{glob}", place.trim_end_matches('/'))
            })
        })
        .collect()
}

/// The name of a file that a glob of the command brings in and that begins with a dash: it is there, or
/// another part of the call makes it.
pub fn option_file<'f>(
    fact: &'f CommandFact,
    accesses: &'f [AccessFact],
    answers: &'f Answers,
) -> Option<&'f str> {
    let dashed = |path: &'f AbsPath| path.name().filter(|name| name.starts_with('-'));
    fact.bare_globs.iter().find_map(|glob| {
        let directory = glob.rfind('/').and_then(|at| glob.get(..at))?;
        let is_beside = |path: &AbsPath| {
            path.parent().is_some_and(|parent| {
                escape_glob(parent.as_str()).trim_end_matches('/') == directory
            })
        };
        let made = accesses.iter().filter(|access| access.access == Access::Write);
        let made = made.flat_map(|access| match &access.place {
            Place::Known(paths) => paths.as_slice(),
            Place::Glob(_) | Place::Unknown(_) | Place::Free => &[],
        });
        let there = answers.globs.get(glob).into_iter().flatten();
        there.chain(made.filter(|path| is_beside(path))).find_map(dashed)
    })
}

/// Programs that only print or compare their words.
const HARMLESS: &[&str] = &[":", "[", "echo", "printf", "test", "true"];
