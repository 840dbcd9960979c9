//! Heads of HTTP/1 messages, read so that no two readers can disagree about where a message ends.
//!
//! SECURITY: stricter than RFC 9112 where leniency is what smuggling is made of: no bare CR or LF, no
//! folded lines, no blank before a colon, one framing header at most. A general parser hides some of
//! these (a bare LF, the fragment of a target, which of two framings was dropped), so this one is ours.

use crate::limits;

/// Why a head cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadProblem {
    /// It is malformed.
    Malformed(&'static str),
    /// It is too large.
    TooLarge,
}

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The method.
    pub method: String,
    /// The target as written: graphic ASCII.
    pub target: Vec<u8>,
    /// Whether it is HTTP/1.0.
    pub is_http10: bool,
    /// The header lines.
    pub headers: Headers,
}

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// Whether it is HTTP/1.0.
    pub is_http10: bool,
    /// The status.
    pub status: u16,
    /// The reason phrase.
    pub reason: Vec<u8>,
    /// The header lines.
    pub headers: Headers,
}

/// Header lines in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    Empty,
    /// After so many bytes.
    Length(u64),
    /// After its last chunk.
    Chunked,
    /// When the connection ends; responses only.
    UntilClose,
}

impl RequestHead {
    /// Reads a head from the start of `bytes`; `None` while it is not complete. Gives the head and how
    /// long it is.
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, HeadProblem> {
        // RFC 9112, section 2.2: an empty line before a request is a relic, and harmless.
        let skipped = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
        let Some((lines, length)) = split(bytes.get(skipped..).unwrap_or_default())? else {
            return Ok(None);
        };
        let (first, rest) = lines.split_first().ok_or(EMPTY)?;
        let mut words = first.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(HeadProblem::Malformed("its first line is not `METHOD target HTTP/1.1`"));
        };
        let method = token(method).ok_or(HeadProblem::Malformed("its method is no word"))?;
        if target.is_empty() || !target.iter().all(u8::is_ascii_graphic) {
            return Err(HeadProblem::Malformed("its target has characters that stand in no URL"));
        }
        let is_http10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return Err(HeadProblem::Malformed("its version is not HTTP/1.1 or HTTP/1.0")),
        };
        let headers = Headers::read(rest)?;
        let head = Self { method, target: target.to_vec(), is_http10, headers };
        head.check_host()?;
        Ok(Some((head, skipped + length)))
    }

    /// Where the body ends.
    pub fn framing(&self) -> Result<Framing, HeadProblem> {
        let coded = self.headers.every("transfer-encoding").count();
        let coding = self.headers.every("transfer-encoding").next();
        let length = self.headers.length()?;
        match (coded, coding, length) {
            (0, _, None | Some(0)) => Ok(Framing::Empty),
            (0, _, Some(length)) => Ok(Framing::Length(length)),
            (1, Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => {
                if self.is_http10 {
                    return Err(HeadProblem::Malformed("it has a transfer coding in HTTP/1.0"));
                }
                Ok(Framing::Chunked)
            }
            (_, _, Some(_)) => Err(HeadProblem::Malformed("it has a length and a transfer coding")),
            (_, _, None) => {
                Err(HeadProblem::Malformed("its transfer coding is not just `chunked`"))
            }
        }
    }

    /// Whether the client keeps the connection for another request.
    pub fn keeps_connection(&self) -> bool {
        !self.is_http10 && !self.headers.lists("connection", "close")
    }

    /// Whether it asks to turn the connection into a web socket.
    pub fn wants_web_socket(&self) -> bool {
        let upgrades: Vec<_> = self.headers.every("upgrade").collect();
        let [upgrade] = upgrades.as_slice() else { return false };
        upgrade.eq_ignore_ascii_case(b"websocket")
            && self.headers.lists("connection", "upgrade")
            && self.method == "GET"
            && !self.is_http10
    }

    fn check_host(&self) -> Result<(), HeadProblem> {
        match self.headers.every("host").count() {
            1 => Ok(()),
            0 if self.is_http10 => Ok(()),
            0 => Err(HeadProblem::Malformed("it has no Host header")),
            _ => Err(HeadProblem::Malformed("it has two Host headers")),
        }
    }
}

impl ResponseHead {
    /// Reads a head from the start of `bytes`; `None` while it is not complete.
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, HeadProblem> {
        let Some((lines, length)) = split(bytes)? else { return Ok(None) };
        let (first, rest) = lines.split_first().ok_or(EMPTY)?;
        let mut words = first.splitn(3, |byte| *byte == b' ');
        let is_http10 = match words.next() {
            Some(b"HTTP/1.1") => false,
            Some(b"HTTP/1.0") => true,
            Some(_) | None => return Err(HeadProblem::Malformed("its version is not HTTP/1")),
        };
        let status = words.next().filter(|word| word.len() == 3);
        let status = status.filter(|word| word.iter().all(u8::is_ascii_digit));
        let status = status.and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
        let status = status.filter(|status| *status >= 100);
        let status = status.ok_or(HeadProblem::Malformed("its status is no number"))?;
        let reason = words.next().unwrap_or_default().to_vec();
        let headers = Headers::read(rest)?;
        Ok(Some((Self { is_http10, status, reason, headers }, length)))
    }

    /// Where the body ends, for the answer to a request with this method.
    pub fn framing(&self, method: &str) -> Result<Framing, HeadProblem> {
        if method == "HEAD" || matches!(self.status, 100..=199 | 204 | 304) {
            return Ok(Framing::Empty);
        }
        let codings: Vec<_> = self.headers.every("transfer-encoding").collect();
        let length = self.headers.length()?;
        match (codings.as_slice(), length) {
            ([], None) => Ok(Framing::UntilClose),
            ([], Some(length)) => Ok(Framing::Length(length)),
            ([coding], None) if coding.eq_ignore_ascii_case(b"chunked") && !self.is_http10 => {
                Ok(Framing::Chunked)
            }
            ([..], Some(_)) => Err(HeadProblem::Malformed("it has a length and a transfer coding")),
            ([..], None) => {
                Err(HeadProblem::Malformed("its transfer coding is not just `chunked`"))
            }
        }
    }
}

impl Headers {
    /// The values of every line with this lower-case name.
    pub fn every<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> + 'h {
        self.0
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// Whether a comma-separated list holds a word.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.words(name).any(|own| own.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// The lines that concern more than this one connection (RFC 9110, section 7.6.1), without Host.
    pub fn end_to_end(&self) -> impl Iterator<Item = &(String, Vec<u8>)> {
        let named: Vec<Vec<u8>> =
            self.words("connection").map(<[u8]>::to_ascii_lowercase).collect();
        self.0.iter().filter(move |(name, _)| {
            let name = name.to_ascii_lowercase();
            let kept = KEPT.contains(&name.as_str());
            let dropped = HOP_BY_HOP.contains(&name.as_str()) || name.starts_with("proxy-");
            kept || !dropped && !named.iter().any(|word| word == name.as_bytes())
        })
    }

    fn words<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> + 'h {
        self.every(name).flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
    }

    fn length(&self) -> Result<Option<u64>, HeadProblem> {
        let mut lengths = self.every("content-length");
        let Some(length) = lengths.next() else { return Ok(None) };
        let problem = HeadProblem::Malformed("its Content-Length is not one number");
        // SECURITY: `+5`, `-1`, `5, 5` and a second line are each read differently by someone.
        if lengths.next().is_some() || !length.iter().all(u8::is_ascii_digit) {
            return Err(problem);
        }
        let length = std::str::from_utf8(length).ok().and_then(|length| length.parse().ok());
        length.map(Some).ok_or(problem)
    }

    fn read(lines: &[&[u8]]) -> Result<Self, HeadProblem> {
        if lines.len() > limits::HEADERS {
            return Err(HeadProblem::TooLarge);
        }
        let mut headers = Vec::with_capacity(lines.len());
        for line in lines {
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                return Err(HeadProblem::Malformed("a header line is folded"));
            }
            let colon = line.iter().position(|byte| *byte == b':');
            let (name, value) = colon
                .and_then(|colon| Some((line.get(..colon)?, line.get(colon + 1..)?)))
                .ok_or(HeadProblem::Malformed("a header line has no colon"))?;
            let name = token(name).ok_or(HeadProblem::Malformed("a header name is no word"))?;
            // Before blanks are cut off: a form feed counts as one to some readers and not to others.
            if value.iter().any(|byte| *byte != b'\t' && byte.is_ascii_control()) {
                return Err(HeadProblem::Malformed("a header value has control characters"));
            }
            headers.push((name, value.trim_ascii().to_vec()));
        }
        Ok(Self(headers))
    }
}

/// The lines of a head without their ends, and its length with the empty line.
type Lines<'b> = (Vec<&'b [u8]>, usize);

/// Cuts a head into its lines; `None` while it is not complete.
fn split(bytes: &[u8]) -> Result<Option<Lines<'_>>, HeadProblem> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    let mut length = 0;
    loop {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            // A CR that is followed by anything else is refused before the line is complete, too.
            let open = rest.strip_suffix(b"\r").unwrap_or(rest);
            if open.contains(&b'\r') || open.contains(&0) {
                return Err(BARE);
            }
            return if bytes.len() > limits::HEAD { Err(HeadProblem::TooLarge) } else { Ok(None) };
        };
        let line = rest.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").ok_or(BARE)?;
        if line.contains(&b'\r') || line.contains(&0) {
            return Err(BARE);
        }
        length += end + 1;
        if length > limits::HEAD {
            return Err(HeadProblem::TooLarge);
        }
        if line.is_empty() {
            return Ok(Some((lines, length)));
        }
        lines.push(line);
        if lines.len() > limits::HEADERS + 1 {
            return Err(HeadProblem::TooLarge);
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
}

/// A token (RFC 9110, section 5.6.2).
fn token(bytes: &[u8]) -> Option<String> {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if bytes.is_empty() || !bytes.iter().all(fits) {
        return None;
    }
    String::from_utf8(bytes.to_vec()).ok()
}

const EMPTY: HeadProblem = HeadProblem::Malformed("it is empty");
const BARE: HeadProblem =
    HeadProblem::Malformed("a line does not end in CR LF, or holds a CR or NUL");

/// Headers about one connection; `Proxy-*` beside them. `HTTP2-Settings` comes with an upgrade to h2c,
/// behind which requests would pass without being judged. Host is rebuilt.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that `Connection` cannot take away: dropping them would change where a message ends or who
/// sends it.
const KEPT: &[&str] = &["content-length", "authorization"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_refuses_heads() {
        for (text, works) in [
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("\r\nGET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("GET http://a/ HTTP/1.0\r\n\r\n", true),
            ("GET http://a/ HTTP/1.1\r\n\r\n", false),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", false),
            ("GET http://a/ HTTP/1.1\nHost: a\n\n", false),
            ("GET http://a/ HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", false),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", false),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", false),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", false),
            ("GET http://a/ HTTP/1.1\r\nHost : a\r\n\r\n", false),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", false),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", false),
            ("GET  http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", false),
            ("GET http://a/\tHTTP/1.1\r\nHost: a\r\n\r\n", false),
            ("GET http://\u{e4}/ HTTP/1.1\r\nHost: a\r\n\r\n", false),
            ("GET http://a/ HTTP/2.0\r\nHost: a\r\n\r\n", false),
            ("G@T http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", false),
            ("PRI * HTTP/2.0\r\n\r\n", false),
        ] {
            let read = RequestHead::read(text.as_bytes());
            assert_eq!(matches!(read, Ok(Some(_))), works, "{text:?} {read:?}");
            assert_eq!(read.is_err(), !works, "{text:?} {read:?}");
        }
        assert_eq!(RequestHead::read(b"GET http://a/ HTT"), Ok(None));
        let large = format!("GET http://a/ HTTP/1.1\r\nX: {}", "a".repeat(70_000));
        assert_eq!(RequestHead::read(large.as_bytes()), Err(HeadProblem::TooLarge));
    }

    #[test]
    fn frames_requests() {
        for (lines, want) in [
            ("", Ok(Framing::Empty)),
            ("Content-Length: 0\r\n", Ok(Framing::Empty)),
            ("Content-Length: 5\r\n", Ok(Framing::Length(5))),
            ("Transfer-Encoding: Chunked\r\n", Ok(Framing::Chunked)),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Err(())),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", Err(())),
            ("Content-Length: 5, 5\r\n", Err(())),
            ("Content-Length: +5\r\n", Err(())),
            ("Content-Length: -1\r\n", Err(())),
            ("Content-Length: 0x5\r\n", Err(())),
            ("Content-Length:\r\n", Err(())),
            ("Content-Length: 99999999999999999999\r\n", Err(())),
            ("Transfer-Encoding: xchunked\r\n", Err(())),
            ("Transfer-Encoding: chunked, identity\r\n", Err(())),
            ("Transfer-Encoding: gzip, chunked\r\n", Err(())),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Err(())),
        ] {
            let text = format!("POST http://a/ HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
            let (head, _) = RequestHead::read(text.as_bytes()).unwrap().unwrap();
            assert_eq!(head.framing().map_err(drop), want, "{lines:?}");
        }
    }

    #[test]
    fn keeps_what_concerns_the_ends() {
        let text = "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: close, X-Secret, Authorization\r\n\
            X-Secret: 1\r\nAuthorization: b\r\nTE: trailers\r\nProxy-Whatever: 1\r\nUpgrade: h2c\r\n\
            HTTP2-Settings: x\r\nAccept: */*\r\n\r\n";
        let (head, length) = RequestHead::read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(length, text.len());
        let kept: Vec<_> = head.headers.end_to_end().map(|(name, _)| name.as_str()).collect();
        assert_eq!(kept, ["Authorization", "Accept"]);
        assert!(!head.keeps_connection());
    }
}
