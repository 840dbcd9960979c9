//! Where a client wants to go: one typed host and port, made from its bytes once.

use portcullis_rules::{Host, HostProblem, strict_port};
use std::fmt;
use std::num::NonZeroU16;

/// A host and a port.
///
/// INVARIANT: what is judged is this value and what is dialled comes from it; nothing later sees the
/// client's text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: NonZeroU16,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The way a client asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// HTTP CONNECT.
    Connect,
    /// A plain HTTP request.
    Http,
    /// SOCKS5.
    Socks,
    /// A connection that was caught on its way.
    Transparent,
    /// The server name inside a tunnel.
    ServerName,
    /// A lookup at the DNS stub.
    Lookup,
}

impl Via {
    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Http => "http",
            Self::Socks => "socks5",
            Self::Transparent => "transparent",
            Self::ServerName => "server-name",
            Self::Lookup => "dns",
        }
    }
}

/// Reads the target of a CONNECT request: `host:port`, an IPv6 address in brackets.
pub fn parse_authority(text: &[u8]) -> Result<Destination, &'static str> {
    let (host, port) = split_port(text)?;
    let port = port.ok_or("it has no port; write `host:port`")?;
    Ok(Destination { host: parse_host(host)?, port })
}

/// The target of a plain request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it goes.
    pub destination: Destination,
    /// Path and query; `*` for the server as a whole.
    pub path: String,
}

/// Why the target of a plain request cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetProblem {
    /// It is malformed.
    Malformed(&'static str),
    /// It wants the proxy to speak TLS.
    Https,
}

/// Reads the target of a plain request: an absolute `http://` URL.
pub fn parse_target(method: &[u8], text: &[u8]) -> Result<Target, TargetProblem> {
    let malformed = TargetProblem::Malformed;
    if text.starts_with(b"/") || text == b"*" {
        return Err(malformed(
            "this is a proxy; it takes absolute URLs such as `http://host/path`",
        ));
    }
    let scheme_end = text.windows(3).position(|part| part == b"://");
    let (scheme, rest) = scheme_end
        .and_then(|end| Some((text.get(..end)?, text.get(end + 3..)?)))
        .ok_or(malformed("it is no absolute URL"))?;
    if scheme.eq_ignore_ascii_case(b"https") {
        return Err(TargetProblem::Https);
    }
    if !scheme.eq_ignore_ascii_case(b"http") {
        return Err(malformed("its scheme is not `http`"));
    }
    // SECURITY: URL parsers disagree about where a host ends once a fragment or a backslash is there.
    if text.iter().any(|byte| matches!(byte, b'#' | b'\\')) {
        return Err(malformed("it has a fragment or a backslash"));
    }
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = split_port(authority).map_err(malformed)?;
    let host = parse_host(host).map_err(malformed)?;
    let port = port.unwrap_or(HTTP_PORT);
    let path =
        String::from_utf8(path.to_vec()).map_err(|_not_text| malformed("its path is not text"))?;
    let path = match path.as_bytes() {
        // RFC 9112, section 3.2.4: the last proxy on the way sends the asterisk.
        [] if method == b"OPTIONS" => "*".to_owned(),
        [b'/', ..] => path,
        [..] => format!("/{path}"),
    };
    Ok(Target { destination: Destination { host, port }, path })
}

/// The host and, where there is a colon, the port.
fn split_port(text: &[u8]) -> Result<(&[u8], Option<NonZeroU16>), &'static str> {
    if text.contains(&b'@') {
        return Err("it has user information");
    }
    let (host, rest) = if text.starts_with(b"[") {
        let end = text.iter().position(|byte| *byte == b']').ok_or("its `[` is not closed")?;
        text.split_at_checked(end + 1).ok_or("its `[` is not closed")?
    } else {
        let end = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
        text.split_at_checked(end).ok_or("it is empty")?
    };
    if rest.is_empty() {
        return Ok((host, None));
    }
    let port = rest.strip_prefix(b":").and_then(|port| std::str::from_utf8(port).ok());
    let port = port.and_then(strict_port).ok_or("its port is not a number from 1 to 65535")?;
    Ok((host, Some(port)))
}

fn parse_host(text: &[u8]) -> Result<Host, &'static str> {
    Host::parse(text).map_err(HostProblem::meaning)
}

const HTTP_PORT: NonZeroU16 = NonZeroU16::new(80).unwrap();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_authorities() {
        for (text, want) in [
            ("API.example.com:443", Some("api.example.com:443")),
            ("[::1]:443", Some("[::1]:443")),
            ("127.1:9001", Some("127.0.0.1:9001")),
            ("api.example.com", None),
            ("api.example.com:", None),
            ("api.example.com:+443", None),
            ("api.example.com:0443", None),
            ("api.example.com:65536", None),
            ("api.example.com:0", None),
            ("api.example.com:443:80", None),
            (":443", None),
            ("u@api.example.com:443", None),
            ("api.example.com:443/", None),
            ("::1:443", None),
            ("[::1]443", None),
            ("[::1", None),
            ("http://api.example.com:443/", None),
        ] {
            let parsed = parse_authority(text.as_bytes()).ok().map(|found| found.to_string());
            assert_eq!(parsed.as_deref(), want, "{text}");
        }
    }

    #[test]
    fn reads_targets() {
        for (method, text, want) in [
            ("GET", "http://Example.com", Some(("example.com:80", "/"))),
            ("GET", "HTTP://example.com:8080/a?b", Some(("example.com:8080", "/a?b"))),
            ("GET", "http://example.com?b", Some(("example.com:80", "/?b"))),
            ("GET", "http://[::1]/", Some(("[::1]:80", "/"))),
            ("OPTIONS", "http://example.com", Some(("example.com:80", "*"))),
            ("GET", "http://a@example.com/", None),
            ("GET", "http://example.com/#f", None),
            ("GET", "http://example.com:80#@evil.test/", None),
            ("GET", "http://example.com\\@evil.test/", None),
            ("GET", "http:///x", None),
            ("GET", "http://example.com:/x", None),
            ("GET", "ftp://example.com/", None),
            ("GET", "/x", None),
            ("GET", "example.com", None),
        ] {
            let parsed = parse_target(method.as_bytes(), text.as_bytes()).ok();
            let parsed = parsed.map(|target| (target.destination.to_string(), target.path));
            let want = want.map(|(to, path)| (to.to_owned(), path.to_owned()));
            assert_eq!(parsed, want, "{text}");
        }
        assert_eq!(parse_target(b"GET", b"https://a/"), Err(TargetProblem::Https));
    }
}
