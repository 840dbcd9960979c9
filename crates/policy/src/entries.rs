//! Paths and domains of the sandbox settings.

use crate::json::Node;
use crate::reading::Reading;
use crate::{SandboxDomain, SandboxPath};
use portcullis_model::{AbsPath, Scope};
use portcullis_rules::{DomainPattern, escape_path};
use std::net::{IpAddr, Ipv6Addr};

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

/// Reads a domain entry: `host`, `host:port`, `*.host`, `*`, an address, `[v6]`, `[v6]:port`.
pub(crate) fn domain(text: &str, reading: &Reading<'_>, node: &Node) -> Entry<SandboxDomain> {
    let (host, port) = split_port(text)?;
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if host.parse::<IpAddr>().is_err() && host != "*" {
        DomainPattern::parse(&host).map_err(|why| bad_domain(text, &why))?;
    }
    let source = reading.source(node.span);
    Ok(SandboxDomain { text: text.to_owned(), host, port, source })
}

fn split_port(text: &str) -> Entry<(&str, Option<u16>)> {
    if text.contains("://") {
        return Err(bad_domain(text, "it has a scheme"));
    }
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, after) =
            rest.split_once(']').ok_or_else(|| bad_domain(text, "its `[` is not closed"))?;
        if address.parse::<Ipv6Addr>().is_err() {
            return Err(bad_domain(text, "what stands in brackets is not an IPv6 address"));
        }
        match after.strip_prefix(':') {
            Some(port) => (address, Some(port)),
            None if after.is_empty() => (address, None),
            None => return Err(bad_domain(text, "there is more after its `]`")),
        }
    } else if text.parse::<Ipv6Addr>().is_ok() {
        (text, None)
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let Some(port) = port else { return Ok((host, None)) };
    // `+80` would parse as a number.
    let port = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    match port.and_then(|port| port.parse::<u16>().ok()).filter(|port| *port != 0) {
        Some(port) => Ok((host, Some(port))),
        None => Err(bad_domain(text, "its port is not a number from 1 to 65535")),
    }
}

fn bad_domain(text: &str, why: &str) -> BadEntry {
    BadEntry {
        code: "bad-domain",
        message: format!("`{}` is not a domain: {why}", text.escape_debug()),
        hint: "write a host such as `example.org`, `*.example.org` or `example.org:443`".to_owned(),
    }
}
