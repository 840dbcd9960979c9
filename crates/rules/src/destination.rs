//! Entries of domain lists: hosts with an optional port, read so that no spelling means too much.

use crate::{DomainPattern, Host};
use std::num::NonZeroU16;

/// What an entry of a domain list means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationPattern {
    text: String,
    host: DomainPattern,
    port: Option<NonZeroU16>,
    breadth: Breadth,
}

/// How much a pattern covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breadth {
    /// One host.
    Exact,
    /// Names by a star.
    Wildcard,
    /// Every host.
    Everything,
}

/// The list an entry stands in, which decides how doubtful spellings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DomainList {
    /// Hosts that may be contacted: nothing wider than written.
    Allow,
    /// Hosts that may not: every reading counts.
    Deny,
}

/// An entry of a domain list: its readings, and what is doubtful about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainEntry {
    /// What it means; empty where it can match nothing.
    pub readings: Vec<DestinationPattern>,
    /// What its author should know.
    pub notes: Vec<EntryNote>,
}

/// Something doubtful about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryNote {
    /// Its kind.
    pub kind: EntryDoubt,
    /// One line.
    pub message: String,
}

/// The kinds of doubt about an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryDoubt {
    /// It can match nothing.
    Dead,
    /// Other readers take it for something else.
    Spelling,
    /// It covers much more than one site.
    Broad,
}

impl DestinationPattern {
    /// Whether a destination matches.
    pub fn matches(&self, host: &Host, port: NonZeroU16) -> bool {
        self.port.is_none_or(|own| own == port) && self.host.matches_host(host)
    }

    /// Whether a host matches on some port.
    pub fn matches_some_port(&self, host: &Host) -> bool {
        self.host.matches_host(host)
    }

    /// Whether a destination is forbidden: an IPv6 address also stands for the IPv4 address within.
    pub fn forbids(&self, host: &Host, port: NonZeroU16) -> bool {
        self.matches(host, port)
            || host.embedded_v4().is_some_and(|v4| self.matches(&Host::V4(v4), port))
    }

    /// The host as text: lower case, addresses canonical, IPv6 in brackets.
    pub fn host(&self) -> &str {
        &self.text
    }

    /// The one port it holds on; every port where this is `None`.
    pub fn port(&self) -> Option<NonZeroU16> {
        self.port
    }

    /// How much it covers.
    pub fn breadth(&self) -> Breadth {
        self.breadth
    }

    /// Whether it holds on every port.
    pub fn is_on_every_port(&self) -> bool {
        self.port.is_none()
    }
}

impl DomainEntry {
    /// Reads an entry: `host`, `*.host`, a star inside a label, `*`, an address, `[v6]`, each with an
    /// optional `:port`.
    pub fn read(text: &str, list: DomainList) -> Self {
        let mut entry = Self { readings: Vec::new(), notes: Vec::new() };
        if let Some(why) = unreliable(text) {
            entry.note(
                EntryDoubt::Spelling,
                format!("`{}` is an unreliable spelling: {why}", shown(text)),
            );
        } else if let Some(rest) = text.strip_prefix('[') {
            entry.read_bracketed(text, rest, list);
        } else {
            match text.matches(':').count() {
                0 => entry.read_host(text, text, None),
                1 => entry.read_host_and_port(text, list),
                _ => entry.read_ambiguous(text, list),
            }
        }
        if entry.readings.is_empty() {
            let message = match list {
                DomainList::Allow => format!("the entry `{}` can match nothing", shown(text)),
                DomainList::Deny => {
                    format!(
                        "the deny entry has no parseable reading and blocks nothing: `{}`",
                        shown(text)
                    )
                }
            };
            entry.note(EntryDoubt::Dead, message);
        }
        entry
    }

    /// Whether it can match nothing.
    pub fn is_dead(&self) -> bool {
        self.readings.is_empty()
    }

    fn note(&mut self, kind: EntryDoubt, message: String) {
        self.notes.push(EntryNote { kind, message });
    }

    fn read_bracketed(&mut self, text: &str, rest: &str, list: DomainList) {
        let Some((inner, after)) = rest.split_once(']') else {
            let message =
                format!("`{}` is an unreliable spelling: its `[` is not closed", shown(text));
            return self.note(EntryDoubt::Spelling, message);
        };
        let Ok(host) = Host::parse_v6(inner.as_bytes()) else {
            let why = "what stands in brackets is not an IPv6 address";
            let message = format!("`{}` is an unreliable spelling: {why}", shown(text));
            return self.note(EntryDoubt::Spelling, message);
        };
        let port = match after.strip_prefix(':') {
            Some(port) => match self.read_port(text, port, list) {
                Some(port) => Some(port),
                None => return,
            },
            None if after.is_empty() => None,
            None => {
                let message = format!(
                    "`{}` is an unreliable spelling: there is more after its `]`",
                    shown(text)
                );
                return self.note(EntryDoubt::Spelling, message);
            }
        };
        self.push_host(&host, port);
    }

    fn read_host_and_port(&mut self, text: &str, list: DomainList) {
        let Some((host, port)) = text.split_once(':') else { return };
        if let Some(port) = self.read_port(text, port, list) {
            self.read_host(text, host, Some(port));
        }
    }

    /// Two colons and no bracket: `::1:443` is an address, or an address with a port.
    fn read_ambiguous(&mut self, text: &str, list: DomainList) {
        let with_port = text.rsplit_once(':').and_then(|(host, port)| {
            Some((Host::parse_v6(host.as_bytes()).ok()?, strict_port(port)?))
        });
        let whole = Host::parse_v6(text.as_bytes()).ok();
        let cure = match (&with_port, &whole) {
            (Some((host, port)), _) if list == DomainList::Allow => {
                format!("write `{host}:{port}`")
            }
            (_, Some(host)) => format!("write `{host}`"),
            (Some((host, port)), None) => format!("write `{host}:{port}`"),
            (None, None) => "write a host and at most one port".to_owned(),
        };
        self.note(
            EntryDoubt::Spelling,
            format!("`{}` is an unreliable spelling; {cure}", shown(text)),
        );
        if let Some((host, port)) = with_port {
            self.push_host(&host, Some(port));
        }
        // SECURITY: an allow entry is never read as the wider of two meanings.
        if let (Some(host), DomainList::Deny) = (whole, list) {
            self.push_host(&host, None);
        }
    }

    fn read_port(&mut self, text: &str, port: &str, list: DomainList) -> Option<NonZeroU16> {
        if let Some(port) = strict_port(port) {
            return Some(port);
        }
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            let why = "its port is not a number from 1 to 65535";
            self.note(
                EntryDoubt::Spelling,
                format!("`{}` is an unreliable spelling: {why}", shown(text)),
            );
            return None;
        }
        let why = "its port is not a number from 1 to 65535";
        self.note(EntryDoubt::Spelling, format!("`{}` has a bad port: {why}", shown(text)));
        match list {
            DomainList::Allow => None,
            DomainList::Deny => strict_port(port.trim_start_matches('0')),
        }
    }

    fn read_host(&mut self, text: &str, host: &str, port: Option<NonZeroU16>) {
        if !host.contains('*') && host.is_ascii() {
            match Host::parse_name_or_v4(host.as_bytes()) {
                Ok(host) => self.push_host(&host, port),
                Err(problem) => {
                    let why = problem.meaning();
                    let message = format!("`{}` is an unreliable spelling: {why}", shown(text));
                    self.note(EntryDoubt::Spelling, message);
                }
            }
            return;
        }
        let pattern = match DomainPattern::parse(host) {
            Ok(pattern) => pattern,
            Err(why) => {
                let why = why.rsplit_once("is not a host: ").map_or(why.as_str(), |(_, why)| why);
                let message = format!("`{}` is an unreliable spelling: {why}", shown(text));
                return self.note(EntryDoubt::Spelling, message);
            }
        };
        let breadth = match (pattern.is_everything(), host.contains('*')) {
            (true, _) => Breadth::Everything,
            (false, true) => Breadth::Wildcard,
            (false, false) => Breadth::Exact,
        };
        let first = host.split('.').next().unwrap_or_default();
        if breadth == Breadth::Wildcard && first.starts_with('*') && first != "*" {
            let message = format!(
                "`{}` is an unreliable spelling: its star stays inside one label; write `*.` for subdomains",
                shown(text)
            );
            self.note(EntryDoubt::Spelling, message);
        }
        let fixed = host.trim_end_matches('.').split('.').filter(|label| !label.contains('*'));
        if breadth == Breadth::Everything
            || breadth == Breadth::Wildcard && fixed.count() < 2 && first == "*"
        {
            self.note(
                EntryDoubt::Broad,
                format!("`{}` is overly broad: it covers the sites of many owners", shown(text)),
            );
        }
        let text = host.strip_suffix('.').unwrap_or(host).to_lowercase();
        self.readings.push(DestinationPattern { text, host: pattern, port, breadth });
    }

    fn push_host(&mut self, host: &Host, port: Option<NonZeroU16>) {
        let text = host.to_string();
        if let Ok(pattern) = DomainPattern::parse(&text) {
            self.readings.push(DestinationPattern {
                text,
                host: pattern,
                port,
                breadth: Breadth::Exact,
            });
        }
    }
}

/// A port as it has to be written: no sign, no leading zero.
///
/// SECURITY: `u16::from_str` takes `+443`, and readers disagree about `0443`.
pub fn strict_port(text: &str) -> Option<NonZeroU16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

fn unreliable(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("it is empty")
    } else if text.contains("://") {
        Some("it has a scheme")
    } else if text.contains('@') {
        Some("it has user information")
    } else if text.contains(['/', '?', '#', '\\']) {
        Some("it has a path")
    } else if text.contains('%') {
        Some("it has a zone or an escape")
    } else if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Some("it has blanks or control characters")
    } else if text.starts_with('[') && text.contains('*') {
        Some("it has a star in brackets")
    } else {
        None
    }
}

fn shown(text: &str) -> String {
    text.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entries_strictly() {
        use DomainList::{Allow, Deny};
        for (text, list, host, port, matches) in [
            ("example.com", Allow, "example.com", 443, true),
            ("example.com:443", Allow, "example.com", 80, false),
            ("example.com:0443", Allow, "example.com", 443, false),
            ("example.com:0443", Deny, "example.com", 443, true),
            ("*:22", Deny, "example.com", 22, true),
            ("*:22", Deny, "example.com", 443, false),
            ("*.1", Deny, "127.0.0.1", 80, false),
            ("127.*.0.1", Allow, "127.0.0.1", 80, false),
            ("127.1", Deny, "127.0.0.1", 80, true),
            ("[::ffff:127.0.0.1]", Allow, "127.0.0.1", 80, true),
            ("[2001:DB8:0:0::1]", Allow, "[2001:db8::1]", 80, true),
            ("::1:443", Allow, "[::1]", 443, true),
            ("::1:443", Allow, "[::1:443]", 443, false),
            ("::1:443", Deny, "[::1:443]", 80, true),
            ("::1:443", Deny, "[::1]", 80, false),
            ("::1", Allow, "[::1]", 80, false),
            ("::1", Deny, "[::1]", 80, true),
            ("10.0.0.1", Deny, "[2002:a00:1::]", 80, true),
            ("10.0.0.1", Allow, "[2002:a00:1::]", 80, false),
            ("https://example.com", Deny, "example.com", 443, false),
            ("example.com:443.evil.test", Allow, "example.com", 443, false),
            ("\u{2460}.0.0.1", Allow, "1.0.0.1", 443, true),
            ("\u{ff0a}.example.com", Allow, "a.example.com", 443, false),
        ] {
            let entry = DomainEntry::read(text, list);
            let host = Host::parse(host.as_bytes()).unwrap();
            let port = NonZeroU16::new(port).unwrap();
            let found = entry.readings.iter().any(|pattern| match list {
                Allow => pattern.matches(&host, port),
                Deny => pattern.forbids(&host, port),
            });
            assert_eq!(found, matches, "{text} {list:?} {host}:{port}");
            assert_eq!(entry.is_dead(), entry.notes.iter().any(|n| n.kind == EntryDoubt::Dead));
        }
    }

    #[test]
    fn says_what_is_doubtful() {
        use EntryDoubt::{Broad, Dead, Spelling};
        for (text, list, want) in [
            ("example.com", DomainList::Allow, &[] as &[EntryDoubt]),
            ("*.example.com", DomainList::Allow, &[]),
            ("api-*.example.com", DomainList::Allow, &[]),
            ("*", DomainList::Allow, &[Broad]),
            ("*.com", DomainList::Allow, &[Broad]),
            ("*example.com", DomainList::Allow, &[Spelling]),
            ("**.example.com", DomainList::Allow, &[Spelling]),
            ("::1:443", DomainList::Allow, &[Spelling]),
            ("2001:db8::1", DomainList::Allow, &[Spelling, Dead]),
            ("2001:db8::1", DomainList::Deny, &[Spelling]),
            ("", DomainList::Deny, &[Spelling, Dead]),
            ("10.0.0.0/8", DomainList::Allow, &[Spelling, Dead]),
            ("[::1", DomainList::Allow, &[Spelling, Dead]),
            ("[*]", DomainList::Allow, &[Spelling, Dead]),
            ("a..b", DomainList::Allow, &[Spelling, Dead]),
        ] {
            let kinds: Vec<_> =
                DomainEntry::read(text, list).notes.iter().map(|note| note.kind).collect();
            assert_eq!(kinds, want, "{text}");
        }
    }
}
