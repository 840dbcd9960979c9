//! What mounts leave to the supervisor, because only it knows names: names that are to be allowed before
//! they exist, and files whose cover would be seen.

use crate::disk::{Found, look};
use crate::mounts::{Hold, Points, hold_at, is_synthetic};
use crate::{Failure, mounts};
use portcullis_model::AbsPath;
use portcullis_profile::{
    Access, CompiledFiles, Effect, FileRule, Files, Kind, PathGlob, Reach, Standing,
};

/// Opens the directories in which a name may be written that no mount can carry: one that does not exist
/// yet, or any that matches a pattern. Everything else in them stays refused, by the supervisor.
pub(crate) fn open_places(files: &CompiledFiles, points: &mut Points) -> Result<(), Failure> {
    for rule in allows(files.files(), Access::Write) {
        let place = match &rule.reach {
            Reach::Path(path) => {
                let allowed = files.effect(path, Access::Write, Kind::File) == Effect::Allow;
                if !allowed || !matches!(look(path)?, Found::Nothing) {
                    continue;
                }
                path.parent()
            }
            Reach::Pattern(glob) | Reach::Leaf(glob) => Some(glob.below.clone()),
        };
        // SECURITY: with `/` the kernel would hold nothing at all, so there a name has to exist before.
        let Some(place) = place.filter(|place| place.as_str() != "/" && !is_synthetic(place))
        else {
            continue;
        };
        if !files.is_closed(&place)
            && hold_at(points, &place) == Hold::ReadOnly
            && matches!(look(&place)?, Found::Here(Kind::Directory))
        {
            let why = mounts::Why::Rule(Box::new(rule.origin.clone()));
            points.insert(place, mounts::Point::new(Hold::ByName, Kind::Directory, why));
        }
    }
    Ok(())
}

/// Takes covers away that would do more than hide, and says which. Wherever something is hidden, every open
/// is judged by name.
///
/// A directory in which something may be read that matches a pattern, or does not exist yet, cannot be
/// covered. And a file in a place that is worked in is not: programs compare what they remember of a file
/// with what `stat` says, so a cover looks like a change. Git would want to read every covered file that it
/// tracks. There a cover holds little anyway, for whoever replaces the file takes it away.
pub(crate) fn uncover(
    files: &CompiledFiles,
    points: &mut Points,
) -> Result<Vec<(AbsPath, mounts::Point)>, Failure> {
    let mut uncovered = Vec::new();
    for (path, point) in points.iter().filter(|(_, point)| point.hold == Hold::Hidden) {
        let around = path.parent().map_or(Hold::ReadOnly, |around| hold_at(points, &around));
        let gone = match point.kind {
            Kind::Directory => is_partly_readable(files, path)?,
            Kind::File => {
                around == Hold::Writable && !is_credential(files, path) && !is_program(path)
            }
            Kind::Other => false,
        };
        if gone {
            uncovered.push(path.clone());
        }
    }
    Ok(uncovered.into_iter().filter_map(|path| points.remove_entry(&path)).collect())
}

/// Whether something below a hidden directory may be read that a mount cannot bring back.
fn is_partly_readable(files: &CompiledFiles, hidden: &AbsPath) -> Result<bool, Failure> {
    for rule in allows(files.files(), Access::Read) {
        let readable = match &rule.reach {
            Reach::Path(path) => {
                path != hidden
                    && path.is_within(hidden)
                    && files.effect(path, Access::Read, Kind::File) == Effect::Allow
                    && matches!(look(path)?, Found::Nothing)
            }
            Reach::Pattern(glob) | Reach::Leaf(glob) => may_meet(glob, hidden),
        };
        if readable {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a pattern may match something below a directory, by where it starts.
fn may_meet(glob: &PathGlob, directory: &AbsPath) -> bool {
    glob.below.is_within(directory) || directory.is_within(&glob.below)
}

/// Whether a file may be run: the kernel reads the name of a program once more than the supervisor does, so
/// programs stay covered.
fn is_program(path: &AbsPath) -> bool {
    rustix::fs::lstat(path.as_str()).map_or(true, |status| status.st_mode & 0o111 != 0)
}

fn is_credential(files: &CompiledFiles, path: &AbsPath) -> bool {
    let rule = files.judge(path, Access::Read).rule;
    rule.is_some_and(|rule| rule.standing == Standing::Absolute)
}

fn allows(files: &Files, access: Access) -> impl Iterator<Item = &FileRule> {
    let enabled = files.disabled.is_none();
    files
        .rules
        .iter()
        .filter(move |rule| enabled && rule.access == access && rule.effect == Effect::Allow)
}
