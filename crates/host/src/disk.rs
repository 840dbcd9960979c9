//! Answers about paths: the real disk, and a listed one for tests and offline questions.

use portcullis_facts::Real;
use portcullis_model::AbsPath;
use std::collections::{BTreeMap, BTreeSet};

/// Links followed before a path counts as unknown, as the kernel counts them (`path_resolution(7)`).
const MAX_LINKS: usize = 40;
/// Matches of one glob that are looked at; more is unknown.
const MAX_MATCHES: usize = 4096;
/// Entries below a directory that are looked at; more is unknown.
const MAX_BELOW: usize = 5000;

/// What can be asked about paths.
pub trait Disk {
    /// What stands at an absolute path whose parents hold no symlink.
    fn entry(&self, path: &str) -> Entry;
    /// The names in a directory; `None` where it cannot be listed.
    fn names(&self, directory: &AbsPath) -> Option<Vec<String>>;

    /// Where a path really leads: every symlink resolved, as far as its parts exist.
    fn real(&self, path: &AbsPath) -> Option<Real> {
        let text = path.as_str();
        let ends = text.match_indices('/').map(|(at, _)| at).skip(1).chain([text.len()]);
        for end in ends {
            match self.entry(text.get(..end)?) {
                Entry::Directory | Entry::File => {}
                Entry::Missing => break,
                Entry::Unknown => return None,
                Entry::Link(_) => return self.real_through_links(path),
            }
        }
        Some(Real { path: path.clone(), hops: Vec::new() })
    }

    /// The same, link by link.
    fn real_through_links(&self, path: &AbsPath) -> Option<Real> {
        let mut pending: Vec<String> = path.components().rev().map(str::to_owned).collect();
        let mut at = AbsPath::root();
        let mut hops = Vec::new();
        let mut links = 0;
        while let Some(name) = pending.pop() {
            if name == ".." {
                at = at.parent().unwrap_or_else(AbsPath::root);
                continue;
            }
            let next = at.join(&name).ok()?;
            match self.entry(next.as_str()) {
                Entry::Link(target) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return None;
                    }
                    if target.starts_with('/') {
                        at = AbsPath::root();
                    }
                    pending.extend(
                        target
                            .split('/')
                            .filter(|part| !part.is_empty() && *part != ".")
                            .rev()
                            .map(str::to_owned),
                    );
                    let mut hop = at.as_str().to_owned();
                    for part in pending.iter().rev() {
                        hop.push('/');
                        hop.push_str(part);
                    }
                    hops.extend(AbsPath::parse(&hop));
                }
                Entry::Unknown => return None,
                Entry::Directory | Entry::File | Entry::Missing => at = next,
            }
        }
        Some(Real { path: at, hops })
    }

    /// The paths an absolute glob matches, as bash matches them; `None` where that is unknown.
    fn glob(&self, glob: &str) -> Option<Vec<AbsPath>> {
        let mut found = vec![AbsPath::root()];
        for part in glob.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." || part.contains(['(', '|']) {
                return None;
            }
            let mut next = Vec::new();
            let special = part.contains(['*', '?', '[']);
            for directory in &found {
                if !special {
                    next.push(directory.join(&part.replace('\\', "")).ok()?);
                    continue;
                }
                let place = self.real(directory)?.path;
                match self.entry(place.as_str()) {
                    Entry::Directory => {}
                    Entry::File | Entry::Missing => continue,
                    Entry::Link(_) | Entry::Unknown => return None,
                }
                let pattern: Vec<char> = part.chars().collect();
                for name in self.names(&place)? {
                    let hidden = name.starts_with('.') && !part.starts_with('.');
                    let text: Vec<char> = name.chars().collect();
                    if !hidden && matches(&pattern, &text) {
                        next.push(directory.join(&name).ok()?);
                    }
                }
                if next.len() > MAX_MATCHES {
                    return None;
                }
            }
            found = next;
        }
        found.retain(|path| self.entry(path.as_str()) != Entry::Missing);
        found.sort();
        Some(found)
    }

    /// Everything below a directory, and which of that are links, which are not followed; `None` where that
    /// is too much.
    fn below(&self, directory: &AbsPath) -> Option<Tree> {
        let mut pending = vec![self.real(directory)?.path];
        let mut tree = Tree::default();
        while let Some(at) = pending.pop() {
            match self.entry(at.as_str()) {
                Entry::Directory => {}
                Entry::Link(_) => {
                    tree.links.push(at);
                    continue;
                }
                Entry::File | Entry::Missing | Entry::Unknown => continue,
            }
            for name in self.names(&at)? {
                let path = at.join(&name).ok()?;
                if tree.paths.len() >= MAX_BELOW {
                    return None;
                }
                tree.paths.push(path.clone());
                pending.push(path);
            }
        }
        Some(tree)
    }
}

/// What lies below a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// All of it.
    pub paths: Vec<AbsPath>,
    /// Those that are links.
    pub links: Vec<AbsPath>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A directory.
    Directory,
    /// Anything else that is no symlink.
    File,
    /// A symlink with its target.
    Link(String),
    /// Nothing.
    Missing,
    /// It cannot be told.
    Unknown,
}

/// One component of a glob: `*`, `?`, `[…]`, backslash escapes.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some('?') => text.get(t).map(|_| 1),
            Some('[') => text.get(t).and_then(|c| class(pattern.get(p..).unwrap_or(&[]), *c)),
            Some('\\') if pattern.get(p + 1).is_some() => {
                (text.get(t) == pattern.get(p + 1)).then_some(2)
            }
            Some(c) => (text.get(t) == Some(c)).then_some(1),
            None if t == text.len() => return true,
            None => None,
        };
        match (step, star) {
            (Some(width), _) => {
                p += width;
                t += 1;
            }
            (None, Some((at, taken))) if taken < text.len() => {
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
            (None, _) => return false,
        }
    }
}

/// The width of a bracket expression that holds `c`; an unfinished one is a plain `[`.
fn class(pattern: &[char], c: char) -> Option<usize> {
    let mut index = 1;
    let negated = matches!(pattern.get(index), Some('!' | '^'));
    index += usize::from(negated);
    let first = index;
    let mut hit = false;
    loop {
        match pattern.get(index) {
            None => return (c == '[').then_some(1),
            Some(']') if index > first => break,
            Some('[') if pattern.get(index + 1) == Some(&':') => {
                // A named class: taken as holding everything, which matches more rather than less.
                hit = true;
                while pattern.get(index).is_some_and(|c| *c != ']') {
                    index += 1;
                }
                index += 1;
            }
            Some(low) => {
                let range = pattern.get(index + 1) == Some(&'-')
                    && pattern.get(index + 2).is_some_and(|high| *high != ']');
                if range {
                    let high = pattern.get(index + 2).copied().unwrap_or(*low);
                    hit |= *low <= c && c <= high;
                    index += 3;
                } else {
                    hit |= *low == c;
                    index += 1;
                }
            }
        }
    }
    (hit != negated).then_some(index + 1)
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn entry(&self, path: &str) -> Entry {
        match std::fs::symlink_metadata(path) {
            Ok(data) if data.is_symlink() => match std::fs::read_link(path) {
                Ok(target) => {
                    target.to_str().map_or(Entry::Unknown, |target| Entry::Link(target.to_owned()))
                }
                Err(_) => Entry::Unknown,
            },
            Ok(data) if data.is_dir() => Entry::Directory,
            Ok(_) => Entry::File,
            Err(error) => match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Entry::Missing,
                _ => Entry::Unknown,
            },
        }
    }

    fn names(&self, directory: &AbsPath) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory.as_str()).ok()? {
            names.push(entry.ok()?.file_name().to_str()?.to_owned());
            if names.len() > MAX_BELOW {
                return None;
            }
        }
        names.sort();
        Some(names)
    }
}

/// A disk given as a list: the ancestors of what is listed exist, nothing else does.
#[derive(Clone, Debug, Default)]
pub struct ListedDisk {
    entries: BTreeMap<AbsPath, Entry>,
    names: BTreeMap<AbsPath, BTreeSet<String>>,
}

impl ListedDisk {
    /// Adds an entry and the directories above it. Links win over what is implied.
    pub fn add(&mut self, path: AbsPath, entry: Entry) {
        let mut at = path.clone();
        while let (Some(parent), Some(name)) = (at.parent(), at.name()) {
            self.names.entry(parent.clone()).or_default().insert(name.to_owned());
            self.entries.entry(parent.clone()).or_insert(Entry::Directory);
            at = parent;
        }
        self.entries.insert(path, entry);
    }
}

impl Disk for ListedDisk {
    fn entry(&self, path: &str) -> Entry {
        if path == "/" {
            return Entry::Directory;
        }
        self.entries.get(path).cloned().unwrap_or(Entry::Missing)
    }

    fn names(&self, directory: &AbsPath) -> Option<Vec<String>> {
        Some(self.names.get(directory).map(|set| set.iter().cloned().collect()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> AbsPath {
        AbsPath::parse(text).unwrap()
    }

    fn disk() -> ListedDisk {
        let mut disk = ListedDisk::default();
        disk.add(path("/p/src/a.rs"), Entry::File);
        disk.add(path("/p/.env"), Entry::File);
        disk.add(path("/p/up"), Entry::Link("../q".to_owned()));
        disk.add(path("/q/x"), Entry::Link("/p/.env".to_owned()));
        disk.add(path("/p/loop"), Entry::Link("loop".to_owned()));
        disk
    }

    #[test]
    fn resolves_links_with_their_hops() {
        let real = disk().real(&path("/p/up/x")).unwrap();
        assert_eq!(real.path, path("/p/.env"));
        assert_eq!(real.hops, vec![path("/q/x"), path("/p/.env")]);
        assert_eq!(disk().real(&path("/p/up/new/file")).unwrap().path, path("/q/new/file"));
        assert!(disk().real(&path("/p/loop")).is_none());
    }

    #[test]
    fn globs_as_bash_does() {
        let found = |glob| disk().glob(glob).unwrap();
        assert_eq!(found("/p/*"), vec![path("/p/loop"), path("/p/src"), path("/p/up")]);
        assert_eq!(found("/p/.e*"), vec![path("/p/.env")]);
        assert_eq!(found("/p/[rs]rc/?.r[a-z]"), vec![path("/p/src/a.rs")]);
        assert_eq!(found("/p/nothing*"), Vec::<AbsPath>::new());
        assert_eq!(disk().glob("/p/@(a|b)"), None);
    }

    #[test]
    fn real_disk_agrees_with_the_kernel() {
        let directory = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(directory.path()).unwrap();
        std::fs::create_dir(root.join("a")).unwrap();
        std::fs::write(root.join("a/f"), "").unwrap();
        std::os::unix::fs::symlink("a", root.join("l")).unwrap();
        std::os::unix::fs::symlink("../l/f", root.join("a/m")).unwrap();
        let asked = root.join("l/m");
        let real = RealDisk.real(&path(asked.to_str().unwrap())).unwrap();
        assert_eq!(real.path.as_str(), std::fs::canonicalize(&asked).unwrap().to_str().unwrap());
    }
}
