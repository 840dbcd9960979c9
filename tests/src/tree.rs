//! What is on a disk, line by line, so that two moments can be compared.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Everything below some folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(BTreeMap<PathBuf, String>);

impl Tree {
    /// Looks at everything below these folders. Of the folders themselves times do not count: a run may
    /// make its temporary directory in them, and remove it.
    pub fn of(folders: &[&str]) -> io::Result<Self> {
        let mut found = BTreeMap::new();
        for folder in folders {
            look_below(Path::new(folder), &mut found)?;
        }
        Ok(Self(found))
    }

    /// What differs, one line each.
    pub fn differences(&self, later: &Self) -> Vec<String> {
        let paths: std::collections::BTreeSet<_> = self.0.keys().chain(later.0.keys()).collect();
        let mut lines = Vec::new();
        for path in paths {
            let shown = path.display();
            match (self.0.get(path), later.0.get(path)) {
                (Some(_), None) => lines.push(format!("{shown} is gone")),
                (None, Some(_)) => lines.push(format!("{shown} was left behind")),
                (Some(before), Some(after)) if before != after => {
                    lines.push(format!("{shown} was {before} and is {after}"));
                }
                (_, _) => {}
            }
        }
        lines
    }
}

fn look_below(folder: &Path, found: &mut BTreeMap<PathBuf, String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let metadata = fs::symlink_metadata(&path)?;
        found.insert(path.clone(), describe(&path, &metadata)?);
        if metadata.is_dir() {
            look_below(&path, found)?;
        }
    }
    Ok(())
}

fn describe(path: &Path, metadata: &Metadata) -> io::Result<String> {
    let mut content = DefaultHasher::new();
    if metadata.is_file() {
        fs::read(path)?.hash(&mut content);
    } else if metadata.is_symlink() {
        fs::read_link(path)?.hash(&mut content);
    }
    // The change time shows even what was made and undone.
    Ok(format!(
        "{:o} {}:{} links {} size {} changed {}.{} content {:x}",
        metadata.mode(),
        metadata.uid(),
        metadata.gid(),
        metadata.nlink(),
        metadata.size(),
        metadata.ctime(),
        metadata.ctime_nsec(),
        content.finish()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_what_changed_and_what_was_made_and_undone() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().to_str().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("a"), "1").unwrap();
        let before = Tree::of(&[text]).unwrap();
        assert!(before.differences(&Tree::of(&[text]).unwrap()).is_empty());
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(inner.join("b"), "").unwrap();
        fs::remove_file(inner.join("b")).unwrap();
        let undone = before.differences(&Tree::of(&[text]).unwrap());
        assert_eq!(undone.len(), 1, "{undone:?}");
        fs::write(inner.join("a"), "2").unwrap();
        assert_eq!(before.differences(&Tree::of(&[text]).unwrap()).len(), 2);
    }
}
