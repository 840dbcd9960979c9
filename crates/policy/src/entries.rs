//! Paths and domains of the sandbox settings.

use crate::json::Node;
use crate::reading::Reading;
use crate::{SandboxDomain, SandboxPath};
use portcullis_model::{AbsPath, Scope};
use portcullis_rules::{
    DestinationPattern, DomainEntry, DomainList, EntryDoubt, EntryNote, escape_path,
};
use std::num::NonZeroU16;

/// An entry, or what is wrong with it.
pub(crate) type Entry<T> = Result<T, BadEntry>;

/// Why an entry cannot be used.
#[derive(Debug)]
pub(crate) struct BadEntry {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// Reads a path entry. Unlike in permission rules, `/p` is absolute here.
pub(crate) fn path(text: &str, reading: &Reading<'_>, node: &Node) -> Entry<SandboxPath> {
    let (anchor, rest) = anchor(text, reading)?;
    let mut rest = rest.trim_start_matches('/');
    loop {
        let shorter = rest.trim_end_matches('/');
        let shorter = match shorter.strip_suffix("/**") {
            Some(dir) => dir,
            None if shorter == "**" => "",
            None => shorter,
        };
        if shorter == rest {
            break;
        }
        rest = shorter;
    }
    let wildcard = rest.contains(['*', '?', '[']);
    let base = if wildcard { escape_path(anchor.as_str()) } else { anchor.as_str().to_owned() };
    let path = AbsPath::parse(&format!("{base}/{rest}"))
        .map_err(|_nul| bad_path(text, "holds a NUL byte", "remove it"))?;
    let source = reading.source(node.span);
    Ok(SandboxPath { text: text.to_owned(), path, wildcard, source })
}

/// What a path entry starts at, and the rest of it.
fn anchor<'t>(text: &'t str, reading: &Reading<'_>) -> Entry<(AbsPath, &'t str)> {
    let place = reading.place;
    let home = place.home.clone();
    if text.trim().is_empty() {
        return Err(bad_path(text, "is empty", "write a path, or `.` for the directory itself"));
    }
    if text.starts_with('/') {
        return Ok((AbsPath::root(), text));
    }
    if text == "~" {
        return Ok((home, ""));
    }
    if let Some(rest) = text.strip_prefix("~/") {
        return Ok((home, rest));
    }
    if text.starts_with('~') {
        let hint = "write the absolute path";
        return Err(bad_path(text, "names another user's home", hint));
    }
    if text.starts_with('$') {
        let why = "starts with a variable, and none is expanded here";
        return Err(bad_path(text, why, "write `~/` for the home directory, or the absolute path"));
    }
    if text.starts_with('!') {
        return Err(bad_path(
            text,
            "starts with `!`, which negates nothing here",
            "remove the `!`",
        ));
    }
    let anchor = match reading.layer.scope {
        Scope::Project | Scope::Local => place.project_root.clone(),
        Scope::User | Scope::CommandLine | Scope::Managed => reading.layer.dir.clone(),
    };
    Ok((anchor, text))
}

fn bad_path(text: &str, why: &str, hint: &str) -> BadEntry {
    BadEntry {
        code: "bad-path",
        message: match text {
            "" => format!("a path {why}"),
            text => format!("the path `{}` {why}", text.escape_debug()),
        },
        hint: hint.to_owned(),
    }
}

/// Reads a domain entry: `host`, `host:port`, `*.host`, `*`, an address, `[v6]`, `[v6]:port`. A doubtful
/// one has a reading for each thing it may mean in its list.
pub(crate) fn domain(
    text: &str,
    list: DomainList,
    reading: &Reading<'_>,
    node: &Node,
) -> Entry<(Vec<SandboxDomain>, Vec<EntryNote>)> {
    let entry = DomainEntry::read(text, list);
    if entry.is_dead() {
        let why = entry.notes.into_iter().find(|note| note.kind == EntryDoubt::Spelling);
        let why = why.map_or_else(
            || format!("`{}` can match nothing", text.escape_debug()),
            |note| note.message,
        );
        return Err(BadEntry {
            code: "bad-domain",
            message: why
                .replacen(" is an unreliable spelling: ", " is not a domain: ", 1)
                .replacen(" has a bad port: ", " is not a domain: ", 1),
            hint: "write a host such as `example.org`, `*.example.org` or `example.org:443`"
                .to_owned(),
        });
    }
    let source = reading.source(node.span);
    let domain = |pattern: &DestinationPattern| SandboxDomain {
        text: text.to_owned(),
        host: pattern.host().trim_matches(['[', ']']).to_owned(),
        port: pattern.port().map(NonZeroU16::get),
        source: source.clone(),
    };
    Ok((entry.readings.iter().map(domain).collect(), entry.notes))
}
