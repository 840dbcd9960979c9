//! Which paths a glob may match, from its text alone.

use portcullis_model::AbsPath;

/// Whether an absolute glob may match a path.
///
/// Errs towards yes: a bracket expression counts as any character, an extended pattern as any text.
/// A component that starts with a dot is only matched by one that does (bash without `dotglob`).
pub fn glob_may_match(glob: &str, path: &AbsPath) -> bool {
    let Some(parts) = components(glob) else { return true };
    let names: Vec<&str> = path.components().collect();
    // reach[i]: the parts so far may match the first i names.
    let mut reach = vec![false; names.len() + 1];
    if let Some(start) = reach.first_mut() {
        *start = true;
    }
    for part in &parts {
        let mut next = vec![false; names.len() + 1];
        for (at, _) in reach.iter().enumerate().filter(|(_, reached)| **reached) {
            if part == "**" {
                next.iter_mut().skip(at).for_each(|slot| *slot = true);
            } else if names.get(at).is_some_and(|name| component_may_match(part, name))
                && let Some(slot) = next.get_mut(at + 1)
            {
                *slot = true;
            }
        }
        reach = next;
    }
    reach.last() == Some(&true)
}

/// The directory that every match of an absolute glob lies below.
pub fn glob_directory(glob: &str) -> Option<AbsPath> {
    let end = glob.find(['*', '?', '[', '(']).unwrap_or(glob.len());
    let (directory, _) = glob.get(..end)?.rsplit_once('/')?;
    AbsPath::parse(&format!("{}/", directory.replace('\\', ""))).ok()
}

/// The components without `.` and with `..` taken back; `None` where a `..` follows a pattern.
fn components(glob: &str) -> Option<Vec<String>> {
    let mut parts: Vec<String> = Vec::new();
    for part in glob.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_some_and(|part| part.contains(['*', '?', '['])) {
                    return None;
                }
            }
            part => parts.push(part.to_owned()),
        }
    }
    Some(parts)
}

/// Whether one component of a glob may match a name.
pub(crate) fn component_may_match(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    if name.starts_with('.') && matches!(pattern.first(), Some('*' | '?' | '[')) {
        return false;
    }
    text_may_match(&pattern, &name.chars().collect::<Vec<_>>())
}

/// Whether a pattern may match a whole text, slashes and leading dots like any other character.
pub(crate) fn text_may_match(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where to go on after the last star: the pattern behind it, and how much it swallowed.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let next = pattern.get(at).copied();
        if matches!(next, Some('@' | '+' | '!' | '?' | '*')) && pattern.get(at + 1) == Some(&'(') {
            return true;
        }
        let step = match (next, text.get(read)) {
            (Some('*'), _) => {
                star = Some((at + 1, read));
                at += 1;
                continue;
            }
            (None, None) => return true,
            (Some('?'), Some(_)) => Some(1),
            (Some('['), Some(c)) => match class_end(pattern, at) {
                Some(end) => Some(end + 1 - at),
                None => (*c == '[').then_some(1),
            },
            (Some('\\'), Some(c)) => (pattern.get(at + 1) == Some(c)).then_some(2),
            (Some(literal), Some(c)) => (literal == *c).then_some(1),
            (None, Some(_)) | (Some(_), None) => None,
        };
        match (step, star) {
            (Some(step), _) => {
                at += step;
                read += 1;
            }
            (None, Some((behind, swallowed))) if swallowed < text.len() => {
                star = Some((behind, swallowed + 1));
                at = behind;
                read = swallowed + 1;
            }
            (None, _) => return false,
        }
    }
}

/// Where a bracket expression that starts here ends.
fn class_end(pattern: &[char], start: usize) -> Option<usize> {
    let mut at = start + 1;
    if matches!(pattern.get(at), Some('!' | '^')) {
        at += 1;
    }
    // A bracket that comes first is an ordinary character.
    at += 1;
    (at..pattern.len()).find(|index| pattern.get(*index) == Some(&']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_glob_may_match() {
        for (glob, path, want) in [
            ("/home/dev/proj/../p*", "/home/dev/proj", true),
            ("/home/dev/proj/../q*", "/home/dev/proj", false),
            ("/home/*/*", "/home/dev/proj", true),
            ("/home/*", "/home/dev/proj", false),
            ("/home/dev/[p]roj", "/home/dev/proj", true),
            ("/home/dev/?roj", "/home/dev/proj", true),
            ("/home/dev/*.rs", "/home/dev/proj", false),
            ("/home/dev/p*j", "/home/dev/proj", true),
            ("/home/dev/p*k", "/home/dev/proj", false),
            ("/**/proj", "/home/dev/proj", true),
            ("/home/dev/*", "/home/dev/.ssh", false),
            ("/home/dev/.*", "/home/dev/.ssh", true),
            ("/home/dev/!(x)", "/home/dev/proj", true),
            ("/p/a\\*b", "/p/a*b", true),
            ("/p/a\\*b", "/p/axb", false),
        ] {
            assert_eq!(glob_may_match(glob, &AbsPath::parse(path).unwrap()), want, "{glob} {path}");
        }
    }
}
