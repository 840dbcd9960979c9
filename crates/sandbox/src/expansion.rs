//! What Landlock is to allow where there is no own view of the files.
//!
//! Landlock only allows, and a right holds for everything below. So on the way to a hidden place every
//! directory's entries are allowed one by one but for those that lead there; entries that appear later
//! cannot be read, which is the safe side.

use portcullis_model::AbsPath;
use portcullis_profile::{CompiledFiles, Effect};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Bound;

/// Where files may be read, and where they may be written too: a path, and whether it is a directory.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    pub(crate) readable: Vec<(AbsPath, bool)>,
    pub(crate) writable: Vec<(AbsPath, bool)>,
}

/// Expands the rules over what is there now.
pub(crate) fn expand(files: &CompiledFiles) -> Allowed {
    let mut hidden: BTreeMap<String, bool> = BTreeMap::new();
    let mut allowed = Allowed::default();
    for exact in files.exact() {
        // A rule means the place its name leads to, so the real path counts.
        let real = fs::canonicalize(exact.path.as_str()).ok();
        let real = real.as_deref().and_then(|path| path.to_str());
        let real = real.and_then(|path| AbsPath::parse(path).ok());
        let covered = exact.read == Effect::Deny;
        if !covered && exact.write == Effect::Allow && real.as_ref() == Some(&exact.path) {
            let directory = fs::metadata(exact.path.as_str()).is_ok_and(|status| status.is_dir());
            allowed.writable.push((exact.path.clone(), directory));
        }
        for path in real.into_iter().chain([exact.path]) {
            let entry = hidden.entry(path.as_str().to_owned()).or_insert(covered);
            *entry |= covered;
        }
    }
    // Only the standard devices may be opened; they have rules of their own.
    hidden.insert("/dev".to_owned(), true);
    let mut budget = MOST;
    allow_below(&AbsPath::root(), false, &hidden, &mut allowed.readable, &mut budget);
    allowed
}

/// Allows a path that is hidden or not by the rules around it.
fn allow_below(
    path: &AbsPath,
    covered: bool,
    hidden: &BTreeMap<String, bool>,
    readable: &mut Vec<(AbsPath, bool)>,
    budget: &mut usize,
) {
    let covered = hidden.get(path.as_str()).copied().unwrap_or(covered);
    // What lies below stands together, right behind the path with a slash.
    let below = format!("{}/", path.as_str().trim_end_matches('/'));
    let differs = hidden
        .range::<str, _>((Bound::Excluded(below.as_str()), Bound::Unbounded))
        .take_while(|(inner, _)| inner.starts_with(&below))
        .any(|(_, other)| *other != covered);
    if !differs {
        // A symlink gives no right to what it leads to, and Landlock looks at that.
        if !covered
            && let Ok(status) = fs::symlink_metadata(path.as_str())
            && !status.is_symlink()
        {
            readable.push((path.clone(), status.is_dir()));
        }
        return;
    }
    // The depth is that of the rules: below the last of them nothing differs.
    let Ok(entries) = fs::read_dir(path.as_str()) else { return };
    for entry in entries.flatten() {
        let Some(left) = budget.checked_sub(1) else { return };
        *budget = left;
        if let Some(name) = entry.file_name().to_str()
            && let Ok(inner) = path.join(name)
        {
            allow_below(&inner, covered, hidden, readable, budget);
        }
    }
}

/// More entries than this on the way to hidden places stay unreadable: a start has to stay quick.
const MOST: usize = 50_000;
