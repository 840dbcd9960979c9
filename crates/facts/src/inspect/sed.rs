//! Reading `sed` scripts, just far enough to know the two kinds that do no harm.
//!
//! A script can run programs (`e`, the flag `e` of `s`), write files (`w`, `W`) and read others
//! (`r`, `R`). What is not read here in full is not known to be harmless.

/// What a script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Script {
    /// Prints lines by number.
    Prints,
    /// Replaces text.
    Replaces,
    /// Something else.
    Other,
}

/// Reads one script.
pub(super) fn read(script: &str) -> Script {
    if script.split([';', '\n']).all(|command| prints(command.trim_matches(' '))) {
        Script::Prints
    } else if replaces(after_address(script.trim_matches(' '))) {
        Script::Replaces
    } else {
        Script::Other
    }
}

/// `p`, `5p`, `1,$p`, and the same with `=` or `l`.
fn prints(command: &str) -> bool {
    matches!(after_address(command).trim_start_matches(' '), "p" | "=" | "l")
}

/// What follows a line number, `$`, or two of them.
fn after_address(command: &str) -> &str {
    fn line(text: &str) -> Option<&str> {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() < text.len() { Some(rest) } else { text.strip_prefix('$') }
    }
    let Some(rest) = line(command) else { return command };
    match rest.strip_prefix(',') {
        Some(second) => line(second).unwrap_or(command),
        None => rest,
    }
}

/// `s/…/…/` with flags that only choose what is replaced or printed.
fn replaces(command: &str) -> bool {
    let Some(rest) = command.strip_prefix('s') else { return false };
    let mut chars = rest.chars();
    let Some(delimiter) = chars.next().filter(char::is_ascii_punctuation) else { return false };
    if delimiter == '\\' {
        return false;
    }
    let mut left = 2;
    while left > 0 {
        match chars.next() {
            None | Some('\n') => return false,
            Some('\\') => match chars.next() {
                None | Some('\n') => return false,
                Some(_) => {}
            },
            Some(c) if c == delimiter => left -= 1,
            Some(_) => {}
        }
    }
    // SECURITY: `e` runs the result and `w` writes a file; GNU accepts them among the flags
    // (test: `knows_harmless_scripts`).
    chars.all(|flag| matches!(flag, 'g' | 'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_harmless_scripts() {
        for (script, want) in [
            ("p", Script::Prints),
            ("1,5p", Script::Prints),
            ("1p;$p; 3,4p", Script::Prints),
            ("$=", Script::Prints),
            ("/a/,/b/p", Script::Other),
            ("1p;w out", Script::Other),
            ("1p;;e", Script::Other),
            ("1d", Script::Other),
            ("", Script::Other),
            ("s/a/b/", Script::Replaces),
            ("3s,a,b,g2", Script::Replaces),
            ("s/a\\/b/c/gI", Script::Replaces),
            ("s/a/b/e", Script::Other),
            ("s/a/b/ge", Script::Other),
            ("s/a/b/w out", Script::Other),
            ("s/a/b/;w out", Script::Other),
            ("s/a/b/g\nw out", Script::Other),
            ("s\\a\\b\\", Script::Other),
            ("s/a/b", Script::Other),
            ("y/a/b/", Script::Other),
            ("1e x", Script::Other),
            ("1!{e touch x", Script::Other),
            ("r /etc/passwd", Script::Other),
        ] {
            assert_eq!(read(script), want, "{script}");
        }
    }
}
