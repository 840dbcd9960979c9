//! A host, once its text has been read: nothing that judges or dials sees the text again.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host: a name or an address.
///
/// INVARIANT: an IPv4 address has one form. Every numeric spelling of it, and the IPv6 address it is
/// mapped to, becomes [`Host::V4`]; so what is judged and what is dialled cannot differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name.
    Name(HostName),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address that is not a mapped IPv4 address.
    V6(Ipv6Addr),
}

/// A host name: lower-case ASCII labels of letters, digits, `-` and `_`, without a final dot, whose
/// last label is not a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

/// Why a text is not a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostProblem {
    /// There is nothing.
    Empty,
    /// A character that stands in no host name.
    Character,
    /// Two dots in a row, or one at the start.
    EmptyLabel,
    /// A label of more than 63 characters, or more than 253 in all.
    Long,
    /// The last label is a number, yet the whole is not an IPv4 address.
    Number,
    /// A label that starts with `xn--` and encodes nothing.
    International,
    /// Not an IPv6 address.
    Brackets,
}

impl HostProblem {
    /// What is wrong, to follow the text in a message.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Empty => "it is empty",
            Self::Character => "only letters, digits, `-`, `_` and `.` can stand in it",
            Self::EmptyLabel => "a label is empty",
            Self::Long => "it is longer than a host name can be",
            Self::Number => "it ends in a number and is not an IPv4 address",
            Self::International => "a label that starts with `xn--` encodes nothing",
            Self::Brackets => "what stands in brackets is not an IPv6 address",
        }
    }
}

impl Host {
    /// Reads a host as a client writes it, an IPv6 address in brackets.
    pub fn parse(text: &[u8]) -> Result<Self, HostProblem> {
        match text.strip_prefix(b"[") {
            Some(rest) => Self::parse_v6(rest.strip_suffix(b"]").ok_or(HostProblem::Brackets)?),
            None => Self::parse_name_or_v4(text),
        }
    }

    /// Reads a name or an IPv4 address in any of the spellings that resolvers take for one.
    pub fn parse_name_or_v4(text: &[u8]) -> Result<Self, HostProblem> {
        let name = HostName::canonical(text)?;
        let last = name.rsplit('.').next().unwrap_or_default();
        if !is_number(last) {
            return Ok(Self::Name(HostName(name)));
        }
        numeric_v4(&name).map(Self::V4).ok_or(HostProblem::Number)
    }

    /// Reads an IPv6 address; a zone (`%eth0`) is refused, for it means something to this machine only.
    pub fn parse_v6(text: &[u8]) -> Result<Self, HostProblem> {
        let text = std::str::from_utf8(text).map_err(|_not_text| HostProblem::Brackets)?;
        let address: Ipv6Addr = text.parse().map_err(|_not_v6| HostProblem::Brackets)?;
        Ok(Self::from(IpAddr::V6(address)))
    }

    /// The address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
        }
    }

    /// The name, if it is one.
    pub fn name(&self) -> Option<&HostName> {
        match self {
            Self::Name(name) => Some(name),
            Self::V4(_) | Self::V6(_) => None,
        }
    }

    /// The IPv4 address that packets to an IPv6 address end at or are carried in.
    pub fn embedded_v4(&self) -> Option<Ipv4Addr> {
        match self {
            Self::Name(_) | Self::V4(_) => None,
            Self::V6(address) => embedded_v4(*address),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        // Upholds: a mapped address is the IPv4 address it maps.
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_str()),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

impl HostName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name means this machine (RFC 6761, section 6.3).
    pub fn is_localhost(&self) -> bool {
        self.0 == "localhost" || self.0.ends_with(".localhost")
    }

    /// The name as people write it, where that differs.
    pub fn unicode(&self) -> Option<String> {
        let (text, valid) = idna::domain_to_unicode(&self.0);
        (valid.is_ok() && text != self.0).then_some(text)
    }

    fn canonical(text: &[u8]) -> Result<String, HostProblem> {
        // SECURITY: exactly one dot is the root; stripping more would give two texts one judgement
        // and resolvers would not follow.
        let text = text.strip_suffix(b".").unwrap_or(text);
        if text.is_empty() {
            return Err(HostProblem::Empty);
        }
        // SECURITY: bytes are checked before anything is decoded, mapped or cut: NUL, `%`, `@` and
        // non-ASCII digits each made some proxy judge one host and dial another.
        if !text.iter().all(|byte| is_host_byte(*byte) || *byte == b'.') {
            return Err(HostProblem::Character);
        }
        let name = String::from_utf8(text.to_ascii_lowercase())
            .map_err(|_not_text| HostProblem::Character)?;
        if name.len() > MAX_NAME || name.split('.').any(|label| label.len() > MAX_LABEL) {
            return Err(HostProblem::Long);
        }
        if name.split('.').any(str::is_empty) {
            return Err(HostProblem::EmptyLabel);
        }
        // The name as a whole: a label that is read from right to left has a say about the others.
        let international = name.split('.').any(|label| label.starts_with("xn--"));
        if international && idna::domain_to_ascii(&name).ok().as_deref() != Some(name.as_str()) {
            return Err(HostProblem::International);
        }
        Ok(name)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a URL parser would take a host that ends in this label for an IPv4 address.
fn is_number(label: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match label.strip_prefix("0x") {
        Some(hex) => hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => digits(label),
    }
}

/// Reads what `inet_aton` and URL parsers read: one to four numbers, decimal, octal or hexadecimal,
/// of which the last fills what is left.
fn numeric_v4(text: &str) -> Option<Ipv4Addr> {
    let parts: Option<Vec<u32>> = text.split('.').map(number).collect();
    let parts = parts?;
    let (last, leading) = parts.split_last()?;
    let free_bytes = 4_usize.checked_sub(leading.len()).filter(|bytes| *bytes > 0)?;
    let room = 1_u64.checked_shl(u32::try_from(free_bytes * 8).ok()?)?;
    if u64::from(*last) >= room || leading.iter().any(|part| *part > 255) {
        return None;
    }
    let mut bits = *last;
    for (index, part) in leading.iter().enumerate() {
        bits |= part << (8 * (3 - index));
    }
    Some(Ipv4Addr::from_bits(bits))
}

fn number(text: &str) -> Option<u32> {
    if let Some(hex) = text.strip_prefix("0x") {
        return if hex.is_empty() { Some(0) } else { u32::from_str_radix(hex, 16).ok() };
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.strip_prefix('0') {
        _ if !digits => None,
        Some("") => Some(0),
        Some(octal) => u32::from_str_radix(octal, 8).ok(),
        None => text.parse().ok(),
    }
}

fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let low = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        // Compatible (RFC 4291), but not `::` and `::1`, which are themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Compatible, mapped, translated (RFC 6145) and the well-known prefix of RFC 6052.
        [0, 0, 0, 0, 0, 0 | 0xffff, a, b]
        | [0, 0, 0, 0, 0xffff, 0, a, b]
        | [0x64, 0xff9b, 0, 0, 0, 0, a, b] => Some(low(a, b)),
        // 6to4 (RFC 3056).
        [0x2002, a, b, ..] => Some(low(a, b)),
        [..] => None,
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// RFC 1035, section 2.3.4.
const MAX_LABEL: usize = 63;

/// RFC 1035, section 2.3.4, as text without the final dot.
const MAX_NAME: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts() {
        for (text, want) in [
            ("API.Example.COM", Ok("api.example.com")),
            ("api.example.com.", Ok("api.example.com")),
            ("api.example.com..", Err(HostProblem::EmptyLabel)),
            (".api.example.com", Err(HostProblem::EmptyLabel)),
            ("", Err(HostProblem::Empty)),
            (".", Err(HostProblem::Empty)),
            ("a\0.example.com", Err(HostProblem::Character)),
            ("a%00.example.com", Err(HostProblem::Character)),
            ("*.example.com", Err(HostProblem::Character)),
            ("m\u{fc}nchen.example", Err(HostProblem::Character)),
            ("xn--mnchen-3ya.example", Ok("xn--mnchen-3ya.example")),
            ("xn--a.example", Err(HostProblem::International)),
            ("xn--example-.com", Err(HostProblem::International)),
            ("a_b.-x-.example", Ok("a_b.-x-.example")),
            ("127.1", Ok("127.0.0.1")),
            ("0x7F.0.0.1", Ok("127.0.0.1")),
            ("0177.0.0.01", Ok("127.0.0.1")),
            ("2130706433", Ok("127.0.0.1")),
            ("017700000001", Ok("127.0.0.1")),
            ("127.0.0.1.", Ok("127.0.0.1")),
            ("0", Ok("0.0.0.0")),
            ("1.2.65535", Ok("1.2.255.255")),
            ("1.2.65536", Err(HostProblem::Number)),
            ("1.2.3.256", Err(HostProblem::Number)),
            ("256.1.1.1", Err(HostProblem::Number)),
            ("1.2.3.4.5", Err(HostProblem::Number)),
            ("09.1.1.1", Err(HostProblem::Number)),
            ("a.1", Err(HostProblem::Number)),
            ("0xffffffffff", Err(HostProblem::Number)),
            ("1.2.3.4x", Ok("1.2.3.4x")),
            ("[::1]", Ok("[::1]")),
            ("[::FFFF:7f00:1]", Ok("127.0.0.1")),
            ("[0:0:0:0:0:ffff:127.0.0.1]", Ok("127.0.0.1")),
            ("[::1%lo]", Err(HostProblem::Brackets)),
            ("[::1", Err(HostProblem::Brackets)),
            ("[127.0.0.1]", Err(HostProblem::Brackets)),
            ("::1", Err(HostProblem::Character)),
        ] {
            let parsed = Host::parse(text.as_bytes()).map(|host| host.to_string());
            assert_eq!(parsed, want.map(str::to_owned), "{text:?}");
        }
        let long = "a".repeat(64);
        assert_eq!(Host::parse(long.as_bytes()), Err(HostProblem::Long));
        let long = "a.".repeat(127);
        assert_eq!(Host::parse(long.as_bytes()).unwrap().to_string().len(), 253);
        let long = "a.".repeat(127) + "a";
        assert_eq!(Host::parse(long.as_bytes()), Err(HostProblem::Long));
    }

    #[test]
    fn finds_the_address_within() {
        for (text, want) in [
            ("[::7f00:1]", Some("127.0.0.1")),
            ("[::ffff:0:10.0.0.1]", Some("10.0.0.1")),
            ("[64:ff9b::10.0.0.1]", Some("10.0.0.1")),
            ("[2002:a00:1::5]", Some("10.0.0.1")),
            ("[::]", None),
            ("[::1]", None),
            ("[2001:db8::1]", None),
        ] {
            let host = Host::parse(text.as_bytes()).unwrap();
            assert_eq!(host.embedded_v4().map(|v4| v4.to_string()).as_deref(), want, "{text}");
        }
    }
}
