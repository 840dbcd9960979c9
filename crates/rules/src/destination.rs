//! Entries of domain lists: hosts with an optional port, read so that no spelling means too much.

use crate::domain::with_dots;
use crate::{DomainPattern, Host, HostProblem};
use std::borrow::Cow;
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
    ///
    /// SECURITY: a deny entry whose spelling others read more widely denies what they read, too.
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
                0 => entry.read_host(text, text, None, list),
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
            self.read_host(text, host, Some(port), list);
        }
    }

    /// Two colons and no bracket: `::1:443` is an address, or an address with a port.
    fn read_ambiguous(&mut self, text: &str, list: DomainList) {
        let with_port = text.rsplit_once(':').and_then(|(host, port)| {
            Some((Host::parse_v6(host.as_bytes()).ok()?, port_in(port, list)?))
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
        let what = if is_digits(port) { "has a bad port" } else { "is an unreliable spelling" };
        let why = "its port is not a number from 1 to 65535";
        self.note(EntryDoubt::Spelling, format!("`{}` {what}: {why}", shown(text)));
        port_in(port, list)
    }

    fn read_host(&mut self, text: &str, host: &str, port: Option<NonZeroU16>, list: DomainList) {
        if host.contains('*') {
            return self.read_stars(text, host, port, list);
        }
        let read = ascii_form(host).and_then(|ascii| {
            Host::parse_name_or_v4(ascii.as_bytes()).map_err(HostProblem::meaning)
        });
        match read {
            Ok(host) => self.push_host(&host, port),
            Err(why) => {
                let message = format!("`{}` is an unreliable spelling: {why}", shown(text));
                self.note(EntryDoubt::Spelling, message);
            }
        }
    }

    fn read_stars(&mut self, text: &str, host: &str, port: Option<NonZeroU16>, list: DomainList) {
        let host = &*with_dots(host);
        let pattern = match DomainPattern::parse(host) {
            Ok(pattern) => pattern,
            Err(why) => {
                let why = why.rsplit_once("is not a host: ").map_or(why.as_str(), |(_, why)| why);
                let message = format!("`{}` is an unreliable spelling: {why}", shown(text));
                return self.note(EntryDoubt::Spelling, message);
            }
        };
        let breadth = if pattern.is_all_stars() { Breadth::Everything } else { Breadth::Wildcard };
        let first = host.split('.').next().unwrap_or_default();
        let odd = !pattern.is_everything() && first.starts_with('*') && first != "*";
        if odd {
            let message = format!(
                "`{}` is an unreliable spelling: its star stays inside one label; write `*.` for subdomains",
                shown(text)
            );
            self.note(EntryDoubt::Spelling, message);
        }
        let fixed = host.trim_end_matches('.').split('.').filter(|label| !label.contains('*'));
        if breadth == Breadth::Everything || fixed.count() < 2 && first == "*" {
            self.note(
                EntryDoubt::Broad,
                format!("`{}` is overly broad: it covers the sites of many owners", shown(text)),
            );
        }
        let own = host.strip_suffix('.').unwrap_or(host).to_lowercase();
        if odd && list == DomainList::Deny {
            for wider in wider_readings(&own) {
                self.push_text(&wider, port);
            }
        }
        self.readings.push(DestinationPattern { text: own, host: pattern, port, breadth });
    }

    /// A further reading of an entry, which needs no word of its own.
    fn push_text(&mut self, text: &str, port: Option<NonZeroU16>) {
        if text.contains('*') {
            let Ok(host) = DomainPattern::parse(text) else { return };
            let breadth = if host.is_all_stars() { Breadth::Everything } else { Breadth::Wildcard };
            self.readings.push(DestinationPattern { text: text.to_owned(), host, port, breadth });
        } else if let Some(host) =
            ascii_form(text).ok().and_then(|text| Host::parse_name_or_v4(text.as_bytes()).ok())
        {
            self.push_host(&host, port);
        }
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

/// A port as its list reads it.
///
/// SECURITY: denied is what anybody may take `0443` for.
fn port_in(text: &str, list: DomainList) -> Option<NonZeroU16> {
    match list {
        DomainList::Allow => strict_port(text),
        DomainList::Deny if is_digits(text) => strict_port(text.trim_start_matches('0')),
        DomainList::Deny => None,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A host without a star in the form it has on the wire. The name as a whole, as clients map it: what
/// turns into digits and dots may be an address.
fn ascii_form(host: &str) -> Result<Cow<'_, str>, &'static str> {
    if host.is_ascii() {
        return Ok(Cow::Borrowed(host));
    }
    let ascii = idna::domain_to_ascii(&with_dots(host));
    ascii.map(Cow::Owned).map_err(|_invalid| "it is no valid international name")
}

/// What else others read in a pattern whose first label starts with a star and is not `*`:
/// `**.example.com` as the host and everything below it (globs that cross dots), `*example.com` as
/// every name that ends so.
fn wider_readings(host: &str) -> Vec<String> {
    let mut rest = host;
    while let Some((first, behind)) = rest.split_once('.') {
        if !is_stars(first) {
            break;
        }
        rest = behind;
    }
    if rest.split('.').all(is_stars) {
        vec!["*".to_owned()]
    } else if rest == host {
        vec![format!("*.{host}")]
    } else {
        vec![rest.to_owned(), format!("*.{rest}")]
    }
}

fn is_stars(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte == b'*')
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
            ("api\u{3002}example.com", Deny, "api.example.com", 443, true),
            ("api\u{3002}example.com", Allow, "api.example.com", 443, true),
            ("*.example\u{ff0e}com", Deny, "a.b.example.com", 443, true),
            ("*.example\u{ff0e}com", Allow, "example.com", 443, false),
            ("example\u{ff61}com\u{3002}", Deny, "example.com", 443, true),
            ("\u{ff11}\u{ff12}\u{ff17}.1", Deny, "127.0.0.1", 80, true),
            ("\u{ff11}\u{ff12}\u{ff17}\u{3002}1:80", Deny, "127.0.0.1", 80, true),
            ("a.\u{ff11}", Allow, "127.0.0.1", 80, false),
            ("::1:0443", Deny, "[::1]", 443, true),
            ("::1:0443", Deny, "[::1:443]", 80, true),
            ("::1:0443", Allow, "[::1]", 443, false),
            ("**.example.com", Deny, "example.com", 443, true),
            ("**.example.com", Deny, "a.b.example.com", 443, true),
            ("**.example.com", Deny, "notexample.com", 443, false),
            ("**.example.com:22", Deny, "a.b.example.com", 443, false),
            ("**.**.example.com", Deny, "example.com", 443, true),
            ("**.B\u{fc}cher.example", Deny, "xn--bcher-kva.example", 443, true),
            ("**.example.com", Allow, "example.com", 443, false),
            ("**.example.com", Allow, "a.b.example.com", 443, false),
            ("*evil.com", Deny, "x.evil.com", 443, true),
            ("*evil.com", Deny, "x.y.notevil.com", 443, true),
            ("*evil.com", Deny, "evil.com.test", 443, false),
            ("*evil.com", Allow, "x.evil.com", 443, false),
            ("**", Deny, "[::1]", 443, true),
            ("**.*", Deny, "example", 443, true),
            ("*.*", Deny, "a.example", 443, true),
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
    fn knows_what_covers_everything() {
        for (text, want) in [
            ("*", Breadth::Everything),
            ("*.*", Breadth::Everything),
            ("**", Breadth::Everything),
            ("*.*.*:443", Breadth::Everything),
            ("*\u{3002}*", Breadth::Everything),
            ("*.com", Breadth::Wildcard),
            ("*.a*", Breadth::Wildcard),
            ("example.com", Breadth::Exact),
        ] {
            let entry = DomainEntry::read(text, DomainList::Allow);
            let breadths: Vec<_> = entry.readings.iter().map(DestinationPattern::breadth).collect();
            assert_eq!(breadths, [want], "{text}");
        }
    }

    /// Settings keep readings as text and the proxy reads them again.
    #[test]
    fn readings_can_be_read_again() {
        for text in ["**.example.com", "*evil.com", "**", "api\u{3002}example.com", "**.b\u{fc}.de"]
        {
            for reading in DomainEntry::read(text, DomainList::Deny).readings {
                let again = DomainEntry::read(reading.host(), DomainList::Deny);
                assert!(again.readings.contains(&reading), "{text}: {reading:?}");
            }
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
            ("a\u{3002}\u{3002}b", DomainList::Deny, &[Spelling, Dead]),
            ("a.\u{ff11}", DomainList::Allow, &[Spelling, Dead]),
            ("*.*", DomainList::Allow, &[Broad]),
            ("**", DomainList::Allow, &[Spelling, Broad]),
            ("**.example.com", DomainList::Deny, &[Spelling]),
            ("::1:0443", DomainList::Deny, &[Spelling]),
        ] {
            let kinds: Vec<_> =
                DomainEntry::read(text, list).notes.iter().map(|note| note.kind).collect();
            assert_eq!(kinds, want, "{text}");
        }
    }
}
