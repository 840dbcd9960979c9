//! The rule language in its plainest form: slow, short, and written from the reference pages alone.
//!
//! What is fast is compared with this. It covers known texts only, and leaves out what the pages
//! leave to the matcher (quotes and escapes in patterns, blanks at their ends).

/// Whether a Bash pattern matches a canonical text.
pub fn command(pattern: &str, text: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    if let Some(prefix) = pattern.strip_suffix(":*") {
        // Prefix rules take stars literally, and mean whole words.
        return !prefix.is_empty() && is_or_starts(text, prefix);
    }
    // Anywhere but at the end, `:*` is these two characters.
    let pattern = pattern.replace(":*", ":\\");
    if let Some(prefix) = pattern.strip_suffix(" *")
        && !prefix.contains('*')
    {
        return is_or_starts(text, prefix);
    }
    glob(pattern.as_bytes(), text.as_bytes())
}

/// Whether a host pattern matches a host, both in lower case and without a trailing dot.
pub fn domain(pattern: &str, host: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    if let Some(parent) = pattern.strip_prefix("*.") {
        // Any depth below the parent, but not the parent.
        let mut rest = host;
        while let Some((label, below)) = rest.split_once('.') {
            if !label.is_empty() && domain(parent, below) {
                return true;
            }
            rest = below;
        }
        return false;
    }
    let patterns: Vec<_> = pattern.split('.').collect();
    let labels: Vec<_> = host.split('.').collect();
    let fits = |(pattern, label): (&&str, &&str)| {
        !label.is_empty() && glob(pattern.as_bytes(), label.as_bytes())
    };
    patterns.len() == labels.len() && patterns.iter().zip(&labels).all(fits)
}

/// Whether a gitignore pattern matches a path, or something above it. Both are relative to the
/// anchor; the pattern has no escapes, classes or trailing slash.
pub fn path(pattern: &str, path: &str) -> bool {
    let (pattern, anchored) = match pattern.strip_prefix('/') {
        Some(rest) => (rest, true),
        None => (pattern, pattern.contains('/')),
    };
    // What stands before a final `/**` is matched too, unlike in gitignore.
    let pattern = pattern.trim_end_matches("/**");
    let segments: Vec<_> = pattern.split('/').collect();
    let parts: Vec<_> = path.split('/').collect();
    let starts = if anchored { 0..1 } else { 0..parts.len() };
    starts.into_iter().any(|start| {
        (start + 1..=parts.len()).any(|end| segments_match(&segments, &parts[start..end]))
    })
}

fn segments_match(segments: &[&str], parts: &[&str]) -> bool {
    match segments {
        [] => parts.is_empty(),
        ["**"] => !parts.is_empty(),
        ["**", rest @ ..] => (0..=parts.len()).any(|skip| segments_match(rest, &parts[skip..])),
        [segment, rest @ ..] => match parts {
            [part, below @ ..] => {
                glob(segment.as_bytes(), part.as_bytes()) && segments_match(rest, below)
            }
            [] => false,
        },
    }
}

fn is_or_starts(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// `*` is any sequence of bytes, all else is itself.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            glob(rest, text) || text.split_first().is_some_and(|(_, after)| glob(pattern, after))
        }
        ([first, rest @ ..], [byte, after @ ..]) => first == byte && glob(rest, after),
        (_, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_the_reference_pages_say() {
        for (pattern, text, matches) in [
            ("ls *", "ls", true),
            ("ls *", "lsof", false),
            ("ls*", "lsof", true),
            ("docker * --rm *", "docker run --rm", false),
            ("docker * --rm *", "docker run --rm x", true),
            ("git:*", "git", true),
            ("git:*", "git push", true),
            ("git:*", "gitk", false),
            (":*", "git", false),
            ("npm run build", "npm run build x", false),
            ("a:* b", "a:x b", false),
        ] {
            assert_eq!(command(pattern, text), matches, "{pattern} on {text}");
        }
        for (pattern, host, matches) in [
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("example.*", "example.org", true),
            ("example.*", "example.evil.com", false),
        ] {
            assert_eq!(domain(pattern, host), matches, "{pattern} on {host}");
        }
        for (pattern, file, matches) in [
            ("src", "a/src/b", true),
            ("/src", "a/src/b", false),
            ("a/**/b", "a/b", true),
            ("a/b/**", "a/b", true),
            ("a/b/**", "a/b/c", true),
            ("a/**/b", "a/c/d/b", true),
            ("*.rs", "x/y.rs/z", true),
            ("a/*", "a/b/c", true),
        ] {
            assert_eq!(path(pattern, file), matches, "{pattern} on {file}");
        }
    }
}
