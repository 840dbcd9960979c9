//! Patterns over host names.

use crate::automaton::{Automaton, Builder, ByteSet};
use crate::{Glob, Host};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

/// The host pattern of a `WebFetch` rule.
///
/// Labels are compared one by one: a star never crosses a dot, except that a leading `*.` is any
/// number of labels (at least one) and `*` alone is every host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainPattern(Shape);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Everything,
    Address(Ipv6Addr),
    Labels { below: bool, labels: Vec<Glob> },
}

impl DomainPattern {
    /// Reads a host pattern; the error says what is wrong with it in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written = text;
        let text = &*with_dots(text);
        if text == "*" {
            return Ok(Self(Shape::Everything));
        }
        if let Some(address) = address(text) {
            return Ok(Self(Shape::Address(address)));
        }
        if let Some(problem) = not_a_host(text) {
            return Err(format!("`{written}` is not a host: {problem}"));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let (below, name) = match name.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        let labels: Result<Vec<Glob>, &str> = name.split('.').map(label).collect();
        let labels = labels.map_err(|problem| format!("`{written}` is not a host: {problem}"))?;
        Ok(Self(Shape::Labels { below, labels }))
    }

    /// Whether a host (lower-case ASCII, maybe with one trailing dot, an IPv6 address with or without
    /// brackets) matches.
    pub fn matches(&self, host: &str) -> bool {
        match &self.0 {
            Shape::Everything => true,
            Shape::Address(own) => address(host) == Some(*own),
            Shape::Labels { below, labels } => {
                if address(host).is_some() {
                    return false;
                }
                let host = host.strip_suffix('.').unwrap_or(host);
                let mut parts = host.rsplit('.');
                let fits = labels.iter().rev().all(|label| {
                    parts.next().is_some_and(|part| !part.is_empty() && label.matches(part))
                });
                fits && parts.next().is_some() == *below
            }
        }
    }

    /// Whether a host that has been read matches: names by their labels, addresses by value.
    pub fn matches_host(&self, host: &Host) -> bool {
        match (&self.0, host) {
            (Shape::Everything, Host::Name(_) | Host::V4(_) | Host::V6(_)) => true,
            (Shape::Address(own), Host::Name(_) | Host::V4(_) | Host::V6(_)) => {
                Host::from(IpAddr::V6(*own)) == *host
            }
            (Shape::Labels { .. }, Host::Name(name)) => self.matches(name.as_str()),
            // SECURITY: a star over labels is about names; `*.1` is no way to mean 127.0.0.1.
            (Shape::Labels { below, labels }, Host::V4(address)) => {
                !below && labels.iter().all(Glob::is_exact) && self.matches(&address.to_string())
            }
            (Shape::Labels { .. }, Host::V6(_)) => false,
        }
    }

    /// Whether every host matches.
    pub fn is_everything(&self) -> bool {
        matches!(self.0, Shape::Everything)
    }

    /// Whether every label is nothing but stars: every host name of so many labels, or of more.
    pub fn is_all_stars(&self) -> bool {
        match &self.0 {
            Shape::Everything => true,
            Shape::Address(_) => false,
            Shape::Labels { labels, .. } => labels.iter().all(Glob::is_everything),
        }
    }

    /// The hosts that match, as a language: lower case, no trailing dot, addresses in brackets.
    pub fn automaton(&self) -> Automaton {
        let (mut builder, start) = Builder::new();
        let in_label = ByteSet::ANY.without(ByteSet::single(b'.'));
        let end = match &self.0 {
            Shape::Everything => builder.repeat(start, ByteSet::ANY),
            Shape::Address(own) => builder.literal(start, &format!("[{own}]")),
            Shape::Labels { below, labels } => {
                let mut at = start;
                if *below {
                    let inside = builder.step(at, in_label);
                    builder.edge(inside, in_label, inside);
                    let dot = builder.step(inside, ByteSet::single(b'.'));
                    builder.edge(dot, in_label, inside);
                    at = dot;
                }
                for (index, label) in labels.iter().enumerate() {
                    if index > 0 {
                        at = builder.literal(at, ".");
                    }
                    at = label.append(&mut builder, at, in_label);
                }
                at
            }
        };
        builder.finish(start, &[end])
    }
}

/// The host that a URL or something like one in place of a host pattern is about, where that can be
/// told: scheme, user, port, path and blanks taken off.
pub(crate) fn host_within(text: &str) -> Option<String> {
    let text = &*with_dots(text.trim());
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
    let host = authority.rsplit('@').next().unwrap_or("");
    let host = match host.split_once(']') {
        Some((address, _)) => format!("{address}]"),
        None => host.split(':').next().unwrap_or("").to_owned(),
    };
    let host = if host.starts_with('.') { format!("*{host}") } else { host };
    (!host.is_empty() && DomainPattern::parse(&host).is_ok()).then_some(host)
}

/// A text with a dot for every full stop that international names are also written with (UTS 46,
/// section 4, maps them before it looks for labels).
///
/// SECURITY: browsers and URL parsers take `evil。test` for `evil.test`, so whoever denies it
/// means that host.
pub(crate) fn with_dots(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.replace(FULL_STOPS, ".")) }
}

/// Ideographic, fullwidth and halfwidth ideographic.
const FULL_STOPS: [char; 3] = ['\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// An IPv6 address, with or without brackets.
fn address(text: &str) -> Option<Ipv6Addr> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inner.parse().ok()
}

/// What keeps a text from being a host at all.
fn not_a_host(text: &str) -> Option<&'static str> {
    if text.contains("://") {
        Some("it has a scheme")
    } else if text.contains(['/', '?', '#', '\\']) {
        Some("it has a path")
    } else if text.contains('@') {
        Some("it has user information")
    } else if text.contains(':') {
        Some("it has a port")
    } else if text.contains(char::is_whitespace) {
        Some("it has blanks")
    } else {
        None
    }
}

/// One label of a host pattern, in the form it has on the wire.
fn label(text: &str) -> Result<Glob, &'static str> {
    if text.is_empty() {
        return Err("a label is empty");
    }
    if text.contains('*') {
        let plain = text.chars().all(|c| c == '*' || is_host_character(c));
        return if plain { Ok(Glob::new(&text.to_ascii_lowercase())) } else { Err(STAR_LABEL) };
    }
    if text.chars().all(is_host_character) && !text.starts_with("xn--") {
        return Ok(Glob::exact(&text.to_ascii_lowercase()));
    }
    // Upholds: international names compare in the ASCII form that URLs are resolved in.
    let ascii =
        idna::domain_to_ascii(text).map_err(|_invalid| "it is no valid international name")?;
    if ascii.chars().all(is_host_character) { Ok(Glob::exact(&ascii)) } else { Err(CHARACTERS) }
}

fn is_host_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

const CHARACTERS: &str = "only letters, digits, `-`, `_`, `.` and `*` can stand in it";
const STAR_LABEL: &str = "a label with a star can only hold letters, digits, `-` and `_`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_hosts() {
        for (pattern, host, want) in [
            ("example.com", "example.com", true),
            ("EXAMPLE.com", "example.com", true),
            ("example.com", "example.com.", true),
            ("example.com.", "example.com", true),
            ("example.com", "www.example.com", false),
            ("example.com", "example.com.evil.com", false),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "notexample.com", false),
            ("*", "anything.at.all", true),
            ("*", "[::1]", true),
            ("example.*", "example.org", true),
            ("example.*", "example.co.uk", false),
            ("example.*", "example.evil.com", false),
            ("*.com", "a.b.com", true),
            ("*.com", "com", false),
            ("api.*.example.com", "api.v2.example.com", true),
            ("api.*.example.com", "api.v2.x.example.com", false),
            ("*example.com", "notexample.com", true),
            ("*example.com", "www.example.com", false),
            ("**.example.com", "www.example.com", true),
            ("**.example.com", "a.b.example.com", false),
            ("*.*.example.com", "a.b.example.com", true),
            ("*.*.example.com", "a.example.com", false),
            ("api-*.example.com", "api-x.example.com", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("[::1]", "[::1]", true),
            ("[0::1]", "::1", true),
            ("b\u{fc}cher.example", "xn--bcher-kva.example", true),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", true),
            ("*.1", "[::1]", false),
            ("evil\u{3002}test", "evil.test", true),
            ("evil\u{ff0e}test\u{ff61}", "evil.test", true),
            ("*\u{ff61}evil.test", "a.evil.test", true),
            ("*\u{3002}evil.test", "evil.test", false),
            ("evil\u{3002}test", "a.evil.test", false),
        ] {
            let parsed = DomainPattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(host), want, "{pattern} {host}");
            if !host.ends_with('.') && (host != "::1") {
                assert_eq!(parsed.automaton().accepts(host.as_bytes()), want, "{pattern} {host}");
            }
        }
    }

    #[test]
    fn says_what_is_no_host() {
        for (pattern, problem, within) in [
            ("https://example.com", "it has a scheme", Some("example.com")),
            ("example.com/p", "it has a path", Some("example.com")),
            ("u:p@example.com", "it has user information", Some("example.com")),
            ("example.com:8443", "it has a port", Some("example.com")),
            (" example.com", "it has blanks", Some("example.com")),
            (".example.com", "a label is empty", Some("*.example.com")),
            ("https://[::1]:80/", "it has a scheme", Some("[::1]")),
            ("", "a label is empty", None),
            ("a..b", "a label is empty", None),
            ("ex!ample.com", CHARACTERS, None),
            ("b\u{fc}*.example", STAR_LABEL, None),
            ("a\u{3002}\u{3002}b", "a label is empty", None),
            ("\u{3002}example.com", "a label is empty", Some("*.example.com")),
        ] {
            let error = DomainPattern::parse(pattern).unwrap_err();
            assert_eq!(error, format!("`{pattern}` is not a host: {problem}"));
            assert_eq!(host_within(pattern).as_deref(), within, "{pattern}");
        }
    }
}
