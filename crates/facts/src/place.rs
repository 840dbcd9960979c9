//! Operands to places: which paths a piece of text may name.

use crate::state::Cwd;
use crate::{Arg, Place};
use portcullis_model::{AbsPath, TextPiece, TextSet};

/// Resolves an argument against the directories the shell may be in.
pub(crate) fn place_of(arg: &Arg, cwd: &Cwd, home: &AbsPath) -> Place {
    match arg {
        Arg::Known(text) => known(text, cwd, home),
        Arg::Glob(glob) if glob.starts_with("/proc/self/cwd/") => {
            let rest = glob.trim_start_matches("/proc/self/cwd/");
            place_of(&Arg::Glob(rest.to_owned()), cwd, home)
        }
        Arg::Glob(glob) if glob.starts_with("/proc/self/root/") => {
            let rest = glob.trim_start_matches("/proc/self/root");
            place_of(&Arg::Glob(rest.to_owned()), cwd, home)
        }
        // `.?` and `[.]*` may match `..` (bash before 5.2, other shells).
        Arg::Glob(glob) if glob.split('/').any(may_climb) => Place::Unknown(anywhere("", "")),
        Arg::Glob(glob) => match (glob.starts_with('/'), cwd) {
            (true, _) => Place::Glob(vec![glob.clone()]),
            (false, Cwd::Known(paths)) => Place::Glob(
                paths
                    .iter()
                    .map(|path| {
                        let base = escape_glob(path.as_str());
                        format!("{}/{glob}", base.trim_end_matches('/'))
                    })
                    .collect(),
            ),
            (false, Cwd::Unknown) => Place::Unknown(anywhere("", "")),
        },
        Arg::One { suffix, .. } | Arg::Many { suffix, .. } => unknown(suffix),
    }
}

/// Where a program is that was told to change to a directory: unlike `cd` it climbs from where links lead.
pub(crate) fn moved_to(arg: &Arg, cwd: &Cwd, home: &AbsPath) -> Cwd {
    match place_of(arg, cwd, home) {
        Place::Known(paths) if !arg.known().is_some_and(climbs) => Cwd::Known(paths.into()),
        Place::Known(_) | Place::Glob(_) | Place::Unknown(_) | Place::Free => Cwd::Unknown,
    }
}

/// Whether the text has a `..` after a name: where that leads depends on symlinks.
pub(crate) fn climbs(text: &str) -> bool {
    let mut seen_name = false;
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if seen_name => return true,
            ".." => {}
            _ => seen_name = true,
        }
    }
    false
}

/// The directories out of which a path climbs by `..`: where one is a link, that leads elsewhere.
pub(crate) fn climbed(text: &str, cwd: &Cwd) -> Vec<AbsPath> {
    if !text.split('/').any(|part| part == "..") {
        return Vec::new();
    }
    let starts: Vec<AbsPath> = match cwd {
        _ if text.starts_with('/') => vec![AbsPath::root()],
        Cwd::Known(paths) => paths.to_vec(),
        Cwd::Unknown => Vec::new(),
    };
    let mut left = Vec::new();
    for start in starts {
        let mut at = start;
        for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
            if part != ".." {
                let Ok(next) = at.join(part) else { break };
                at = next;
            } else if let Some(parent) = at.parent() {
                left.push(at);
                at = parent;
            }
        }
    }
    left.sort();
    left.dedup();
    left
}

/// Whether a component of a glob may match `..`.
fn may_climb(component: &str) -> bool {
    let second = component.chars().nth(1);
    component.starts_with('[')
        || (component.starts_with('.') && matches!(second, Some('?' | '*' | '[')))
}

fn known(text: &str, cwd: &Cwd, home: &AbsPath) -> Place {
    match through_process(text) {
        Some(Through::Root(rest)) => return known(&format!("/{rest}"), cwd, home),
        Some(Through::Cwd(rest)) => return known(&format!(".{rest}"), cwd, home),
        Some(Through::Elsewhere) => return Place::Unknown(anywhere("", "")),
        None => {}
    }
    if text.starts_with('/') {
        return AbsPath::parse(text)
            .map_or_else(|_| Place::Unknown(anywhere("", "")), |path| Place::Known(vec![path]));
    }
    match cwd {
        // A quoted tilde is an ordinary name to bash, but a person means home; some programs too.
        Cwd::Known(paths) if text == "~" || text.starts_with("~/") => {
            let rest = text.trim_start_matches('~').trim_start_matches('/');
            let all: Result<Vec<_>, _> = paths
                .iter()
                .map(|path| path.join(text))
                .chain(std::iter::once(home.join(rest)))
                .collect();
            all.map_or_else(|_| Place::Unknown(anywhere("", "")), Place::Known)
        }
        Cwd::Known(paths) => {
            let joined: Result<Vec<_>, _> = paths.iter().map(|path| path.join(text)).collect();
            joined.map_or_else(|_| Place::Unknown(anywhere("", "")), Place::Known)
        }
        Cwd::Unknown => {
            let tail = text.trim_start_matches("./");
            if tail.starts_with("..") || tail.is_empty() {
                Place::Unknown(anywhere("", ""))
            } else {
                Place::Unknown(anywhere("/", &format!("/{tail}")))
            }
        }
    }
}

/// Where a path below `/proc` or `/dev/fd` leads that goes through a link of a process.
pub(crate) enum Through<'a> {
    /// Into the root directory: the rest of the path.
    Root(&'a str),
    /// Into the current directory.
    Cwd(&'a str),
    /// Into a directory that is not known.
    Elsewhere,
}

/// Reads `/proc/self/root/etc`, `/proc/1/root/etc`, `/proc/self/task/1/cwd/x`, `/dev/fd/../root/etc`.
pub(crate) fn through_process(text: &str) -> Option<Through<'_>> {
    if let Some(rest) = text.strip_prefix("/dev/fd/") {
        return rest.split('/').any(|part| part == "..").then_some(Through::Elsewhere);
    }
    let (process, rest) = text.strip_prefix("/proc/")?.split_once('/')?;
    let own = matches!(process, "self" | "thread-self");
    let is_process = own || process.bytes().all(|byte| byte.is_ascii_digit());
    let rest = match rest.strip_prefix("task/").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) => rest,
        None => rest,
    };
    let (link, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match link {
        _ if !is_process => None,
        // Another process may have another root; most have this one.
        "root" => Some(Through::Root(rest)),
        "cwd" if own => Some(Through::Cwd(rest)),
        "cwd" => Some(Through::Elsewhere),
        _ => None,
    }
}

/// SECURITY: a known start says nothing, since the unknown text may climb out of it by `..`
/// (`src/"$x"` with `x=../.env`). A known end holds, unless it could itself be part of a `..`.
fn unknown(suffix: &str) -> Place {
    let suffix = suffix.trim_end_matches('/');
    let last = suffix.rsplit('/').next().unwrap_or("");
    let holds = !suffix.contains("..") && !suffix.contains("//") && !suffix.contains("/./");
    let holds = holds && last.chars().any(|c| c != '.');
    Place::Unknown(anywhere("", if holds { suffix } else { "" }))
}

/// The set of absolute path texts with this start and end.
fn anywhere(prefix: &str, suffix: &str) -> TextSet {
    let mut set = TextSet::default();
    set.push(TextPiece::Literal(prefix.to_owned()));
    set.push(TextPiece::Anything);
    set.push(TextPiece::Literal(suffix.to_owned()));
    set
}

/// Escapes glob characters of literal text.
pub(crate) fn escape_glob(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
