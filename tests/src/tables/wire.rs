//! What clients write to the proxy, byte by byte, and what must come of it.

/// One conversation.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// What it is about.
    pub about: &'static str,
    /// What lies behind every address.
    pub server: Server,
    /// What the client does.
    pub steps: &'static [Step],
    /// What must come of it.
    pub want: Want,
}

/// What lies behind every address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Answers requests.
    Http,
    /// Sends everything back.
    Echo,
    /// Says this once the request is there.
    Says(&'static [u8]),
    /// Says this once the request is there, and then one byte so often.
    Floods(&'static [u8], usize),
    /// Speaks first.
    Banner(&'static [u8]),
    /// Resets every connection.
    Reset,
}

/// What a client does.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Writes.
    Send(&'static [u8]),
    /// Writes one byte so often.
    Many(u8, usize),
    /// Writes these so often.
    Again(&'static [u8], usize),
    /// Writes byte by byte, each in a packet of its own.
    Drip(&'static [u8]),
    /// Writes a TLS hello for a server.
    Hello(&'static str),
    /// Waits some milliseconds.
    Wait(u64),
    /// Ends its sending side.
    Finish,
}

/// What must come of it.
#[derive(Clone, Copy, Debug)]
pub enum Want {
    /// A refusal with a status and a code; nothing is looked up or dialled.
    Refused(u16, &'static str),
    /// An answer with a status and a code, after something was dialled.
    Fails(u16, &'static str),
    /// Answers with these statuses, and so many dials.
    Answers(&'static [u16], usize),
    /// The tunnel opens and these bytes come out of it.
    Tunnel(&'static [u8]),
    /// The tunnel opens and is closed without a byte.
    Cut,
    /// These bytes, and nothing is dialled.
    Says(&'static [u8]),
    /// These bytes, after something was dialled.
    SaysAfterDial(&'static [u8]),
    /// These bytes, after something was dialled, and then the end; the server gets nothing.
    SaysThenCut(&'static [u8]),
    /// The connection ends without an answer, and the server has not received this.
    BreaksOff(&'static str),
    /// Nothing, and nothing is dialled.
    Closed,
    /// The server receives a request that holds the first and not the second.
    Forwards(&'static str, &'static str),
}

use Server::{Banner, Echo, Http};
use Step::{Again, Drip, Finish, Hello, Many, Send, Wait};
use Want::{
    Answers, BreaksOff, Closed, Cut, Fails, Forwards, Refused, Says, SaysAfterDial, SaysThenCut,
    Tunnel,
};

const BAD: Want = Refused(400, "bad-request");
const UNLISTED: Want = Refused(403, "blocked-by-allowlist");
const NO_HTTP: Want = Fails(502, "upstream-answer");
const DENIED: Want = Refused(403, "blocked-by-denylist");

const fn wire(about: &'static str, server: Server, steps: &'static [Step], want: Want) -> Wire {
    Wire { about, server, steps, want }
}

/// A CONNECT request with these headers behind its Host.
macro_rules! connect {
    ($target:literal) => {
        connect!($target, "")
    };
    ($target:literal, $rest:literal) => {
        Send(concat!("CONNECT ", $target, " HTTP/1.1\r\nHost: x\r\n", $rest, "\r\n").as_bytes())
    };
}

/// A plain request to an allowed host with these headers behind its Host.
macro_rules! get {
    ($rest:literal) => {
        get!("GET", $rest)
    };
    ($method:literal, $rest:literal) => {
        Send(
            concat!(
                $method,
                " http://api.example.com/p HTTP/1.1\r\nHost: api.example.com\r\n",
                $rest
            )
            .as_bytes(),
        )
    };
}

/// Every conversation. Allowed: api.example.com, *.wild.test, 10.9.8.7, port.test:8443. Denied:
/// evil.wild.test, *.wild.test:25.
pub const WIRES: &[Wire] = &[
    // Targets of CONNECT.
    wire("allowed host", Echo, &[connect!("api.example.com:443"), Send(b"ping")], Tunnel(b"ping")),
    wire("another case", Echo, &[connect!("API.example.COM.:443"), Send(b"ping")], Tunnel(b"ping")),
    wire("below a wildcard", Echo, &[connect!("a.b.wild.test:443"), Send(b"ping")], Tunnel(b"ping")),
    wire("the apex of a wildcard", Echo, &[connect!("wild.test:443")], UNLISTED),
    wire("denied below a wildcard", Echo, &[connect!("evil.wild.test:443")], DENIED),
    wire("denied port", Echo, &[connect!("a.wild.test:25")], DENIED),
    wire("listed port", Echo, &[connect!("port.test:8443"), Send(b"ping")], Tunnel(b"ping")),
    wire("another port than listed", Echo, &[connect!("port.test:443")], UNLISTED),
    wire("listed address", Echo, &[connect!("10.9.8.7:22"), Send(b"ping")], Tunnel(b"ping")),
    wire("listed address as one number", Echo, &[connect!("168364039:22"), Send(b"ping")], Tunnel(b"ping")),
    wire("listed address in hexadecimal", Echo, &[connect!("0xa.9.0x807:22"), Send(b"ping")], Tunnel(b"ping")),
    wire("listed address mapped to IPv6", Echo, &[connect!("[::ffff:10.9.8.7]:22"), Send(b"ping")], Tunnel(b"ping")),
    wire("neighbour of a listed address", Echo, &[connect!("10.9.8.6:22")], UNLISTED),
    wire("listed address by translation prefix", Echo, &[connect!("[64:ff9b::10.9.8.7]:22")], UNLISTED),
    wire("unlisted host", Echo, &[connect!("evil.test:443")], UNLISTED),
    wire("allowed host as a prefix", Echo, &[connect!("api.example.com.evil.test:443")], UNLISTED),
    wire("allowed host as a suffix", Echo, &[connect!("evilapi.example.com:443")], UNLISTED),
    wire("no port", Echo, &[connect!("api.example.com")], BAD),
    wire("empty port", Echo, &[connect!("api.example.com:")], BAD),
    wire("port 0", Echo, &[connect!("api.example.com:0")], BAD),
    wire("port with a plus", Echo, &[connect!("api.example.com:+443")], BAD),
    wire("port in hexadecimal", Echo, &[connect!("api.example.com:0x1bb")], BAD),
    wire("port with a leading zero", Echo, &[connect!("api.example.com:0443")], BAD),
    wire("port too large", Echo, &[connect!("api.example.com:65979")], BAD),
    wire("two ports", Echo, &[connect!("api.example.com:443:443")], BAD),
    wire("user information", Echo, &[connect!("api.example.com:1@evil.test:443")], BAD),
    wire("user information before the host", Echo, &[connect!("evil.test@api.example.com:443")], BAD),
    wire("percent escape", Echo, &[connect!("evil.test%23.wild.test:443")], BAD),
    wire("NUL", Echo, &[connect!("evil.test\0.wild.test:443")], BAD),
    wire("tab", Echo, &[connect!("evil.test\t.wild.test:443")], BAD),
    wire("blank", Echo, &[connect!("evil.test .wild.test:443")], BAD),
    wire("bare CR", Echo, &[connect!("evil.test\r.wild.test:443")], BAD),
    wire("non-ASCII", Echo, &[connect!("\u{e4}.wild.test:443")], BAD),
    wire("fullwidth dot", Echo, &[connect!("evil\u{ff0e}wild.test:443")], BAD),
    wire("slash", Echo, &[connect!("evil.test/.wild.test:443")], BAD),
    wire("backslash", Echo, &[connect!("evil.test\\.wild.test:443")], BAD),
    wire("question mark", Echo, &[connect!("evil.test?.wild.test:443")], BAD),
    wire("fragment", Echo, &[connect!("evil.test#.wild.test:443")], BAD),
    wire("star", Echo, &[connect!("*.wild.test:443")], BAD),
    wire("comma", Echo, &[connect!("evil.test,a.wild.test:443")], BAD),
    wire("zone", Echo, &[connect!("[fe80::1%25lo]:443")], BAD),
    wire("open bracket", Echo, &[connect!("[::1:443")], BAD),
    wire("name in brackets", Echo, &[connect!("[api.example.com]:443")], BAD),
    wire("IPv4 in brackets", Echo, &[connect!("[10.9.8.7]:443")], BAD),
    wire("bare IPv6", Echo, &[connect!("::ffff:10.9.8.7:443")], BAD),
    wire("numeric last label", Echo, &[connect!("a.wild.test.7:443")], BAD),
    wire("too many numbers", Echo, &[connect!("10.9.8.7.6:443")], BAD),
    wire("number out of range", Echo, &[connect!("10.9.8.263:443")], BAD),
    wire("label too long", Echo, &[Send(b"CONNECT "), Many(b'a', 64), Send(b".wild.test:443 HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("name too long", Echo, &[Send(b"CONNECT "), Many(b'a', 300), Send(b".wild.test:443 HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("two final dots", Echo, &[connect!("api.example.com..:443")], BAD),
    wire("broken punycode", Echo, &[connect!("xn--a.wild.test:443")], BAD),
    wire("absolute URL", Echo, &[connect!("http://api.example.com:443/")], BAD),
    wire("localhost unlisted", Echo, &[connect!("localhost:80")], UNLISTED),
    // Heads.
    wire("HTTP/1.0 CONNECT without Host", Echo, &[Send(b"CONNECT api.example.com:443 HTTP/1.0\r\n\r\n"), Send(b"ping")], Tunnel(b"ping")),
    wire("HTTP/1.1 CONNECT without Host", Echo, &[Send(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")], BAD),
    wire("HTTP/0.9", Http, &[Send(b"GET http://api.example.com/\r\n\r\n")], BAD),
    wire("HTTP/1.2", Http, &[Send(b"GET http://api.example.com/ HTTP/1.2\r\nHost: x\r\n\r\n")], BAD),
    wire("lower-case version", Http, &[Send(b"GET http://api.example.com/ http/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("two blanks", Http, &[Send(b"GET  http://api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("bare LF", Http, &[Send(b"GET http://api.example.com/ HTTP/1.1\nHost: x\n\n")], BAD),
    wire("bare LF in one header", Http, &[get!("A: b\nC: d\r\n\r\n")], BAD),
    wire("NUL in a value", Http, &[get!("A: b\0c\r\n\r\n")], BAD),
    wire("control character in a value", Http, &[get!("A: b\x01c\r\n\r\n")], BAD),
    wire("folded header", Http, &[get!("A: b\r\n\tc\r\n\r\n")], BAD),
    wire("blank before a colon", Http, &[get!("A : b\r\n\r\n")], BAD),
    wire("header without a colon", Http, &[get!("A\r\n\r\n")], BAD),
    wire("header without a name", Http, &[get!(": b\r\n\r\n")], BAD),
    wire("first header folded", Http, &[Send(b"GET http://api.example.com/ HTTP/1.1\r\n Host: x\r\n\r\n")], BAD),
    wire("two Host headers", Http, &[get!("Host: evil.test\r\n\r\n")], BAD),
    wire("head too large", Http, &[get!("A: "), Many(b'a', 70_000)], Refused(431, "head-too-large")),
    wire("LF as a line", Http, &[Send(b"GET http://api.example.com/ HTTP/1.1\r\nHost: x\r\n"), Many(b'\n', 1)], BAD),
    wire("empty line before the request", Http, &[Send(b"\r\n"), get!("\r\n")], Answers(&[200], 1)),
    wire("head in pieces", Http, &[Send(b"GET http://api.exa"), Wait(50), Send(b"mple.com/ HTTP/1.1\r\nHost: x\r"), Wait(50), Send(b"\n\r\n")], Answers(&[200], 1)),
    wire("TLS to the plain port", Http, &[Hello("api.example.com")], BAD),
    wire("HTTP/2 preface", Http, &[Send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")], BAD),
    wire("SSH to the proxy", Http, &[Send(b"SSH-2.0-x\r\n\r\n")], BAD),
    wire("nothing", Http, &[Finish], Closed),
    wire("half a head and the end", Http, &[Send(b"GET http://api.exam"), Finish], Closed),
    // Targets of plain requests.
    wire("plain request", Http, &[get!("\r\n")], Answers(&[200], 1)),
    wire("plain request to an unlisted host", Http, &[Send(b"GET http://evil.test/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n")], UNLISTED),
    wire("Host names another", Http, &[Send(b"GET http://api.example.com/p HTTP/1.1\r\nHost: evil.test\r\n\r\n")], Forwards("Host: api.example.com\r\n", "evil.test")),
    wire("target is rebuilt", Http, &[Send(b"GET HTTP://API.example.com:80/p?q HTTP/1.1\r\nHost: x\r\n\r\n")], Forwards("GET /p?q HTTP/1.1\r\nHost: api.example.com\r\n", "API")),
    wire("origin form", Http, &[Send(b"GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n")], BAD),
    wire("asterisk form", Http, &[Send(b"OPTIONS * HTTP/1.1\r\nHost: api.example.com\r\n\r\n")], BAD),
    wire("options of a server", Http, &[Send(b"OPTIONS http://api.example.com HTTP/1.1\r\nHost: x\r\n\r\n")], Forwards("OPTIONS * HTTP/1.1", "http://")),
    wire("https URL", Http, &[Send(b"GET https://api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n")], Refused(501, "use-connect")),
    wire("ftp URL", Http, &[Send(b"GET ftp://api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("URL with user information", Http, &[Send(b"GET http://u:p@api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("URL with a fragment", Http, &[Send(b"GET http://api.example.com/#f HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("URL with a backslash", Http, &[Send(b"GET http://api.example.com\\@evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("URL without a host", Http, &[Send(b"GET http:///p HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("TRACE", Http, &[get!("TRACE", "\r\n")], Refused(405, "method-not-allowed")),
    wire("TRACK", Http, &[get!("TRACK", "\r\n")], Refused(405, "method-not-allowed")),
    // Bodies.
    wire("length and coding", Http, &[get!("POST", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")], BAD),
    wire("coding and length", Http, &[get!("POST", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")], BAD),
    wire("two equal lengths", Http, &[get!("POST", "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")], BAD),
    wire("two lengths", Http, &[get!("POST", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")], BAD),
    wire("list of lengths", Http, &[get!("POST", "Content-Length: 5,5\r\n\r\nhello")], BAD),
    wire("length in hexadecimal", Http, &[get!("POST", "Content-Length: 0x5\r\n\r\nhello")], BAD),
    wire("length too large", Http, &[get!("POST", "Content-Length: 99999999999999999999\r\n\r\n")], BAD),
    wire("coding twice", Http, &[get!("POST", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")], BAD),
    wire("coding with a tab", Http, &[get!("POST", "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n")], BAD),
    wire("unknown coding", Http, &[get!("POST", "Transfer-Encoding: gzip\r\n\r\n")], BAD),
    wire("identity", Http, &[get!("POST", "Transfer-Encoding: identity\r\n\r\n")], BAD),
    wire("chunk size with a sign", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n")], BAD),
    wire("chunk size with 0x", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n")], BAD),
    wire("chunk size too large", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n")], BAD),
    wire("chunk line ends in LF", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n")], BAD),
    wire("empty chunk size", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n\r\nhello")], BAD),
    wire("chunk extension", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n")], Forwards("5\r\nhello\r\n0\r\n\r\n", "a=b")),
    wire("chunk extension too long", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n5;"), Many(b'a', 5000)], BAD),
    wire("trailers are dropped", Http, &[get!("POST", "Transfer-Encoding: chunked\r\nTrailer: A\r\n\r\n5\r\nhello\r\n0\r\nX-Late: 1\r\n\r\n")], Forwards("hello", "X-Late")),
    wire("body with a length", Http, &[get!("POST", "Content-Length: 5\r\n\r\nhello")], Forwards("Content-Length: 5\r\n\r\nhello", "chunked")),
    wire("GET with a body", Http, &[get!("Content-Length: 5\r\n\r\nhello")], Forwards("hello", "chunked")),
    wire("body behind its length is the next request", Http, &[get!("POST", "Content-Length: 5\r\n\r\nhelloGET http://evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n")], Answers(&[200, 403], 1)),
    wire("CONNECT with a body", Echo, &[connect!("api.example.com:443", "Content-Length: 5\r\n"), Send(b"hello")], BAD),
    wire("CONNECT with a coding", Echo, &[connect!("api.example.com:443", "Transfer-Encoding: chunked\r\n")], BAD),
    // Requests on one connection.
    wire("two requests", Http, &[get!("\r\n"), get!("\r\n")], Answers(&[200, 200], 2)),
    wire("allowed, then denied", Http, &[get!("\r\n"), Send(b"GET http://evil.wild.test/ HTTP/1.1\r\nHost: x\r\n\r\n")], Answers(&[200, 403], 1)),
    wire("denied, then nothing more", Http, &[Send(b"GET http://evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n"), get!("\r\n")], Answers(&[403], 0)),
    wire("request, then a tunnel", Http, &[get!("\r\n"), connect!("evil.test:443")], Answers(&[200, 403], 1)),
    wire("close is respected", Http, &[get!("Connection: close\r\n\r\n"), get!("\r\n")], Answers(&[200], 1)),
    wire("HTTP/1.0 closes", Http, &[Send(b"GET http://api.example.com/ HTTP/1.0\r\n\r\n"), get!("\r\n")], Answers(&[200], 1)),
    wire("HEAD has no body", Http, &[get!("HEAD", "\r\n")], Answers(&[200], 1)),
    // Headers about one connection.
    wire("named by Connection", Http, &[get!("Connection: X-A, close\r\nX-A: 1\r\nX-B: 2\r\n\r\n")], Forwards("X-B: 2", "X-A")),
    wire("Connection cannot take Authorization away", Http, &[get!("Connection: authorization\r\nAuthorization: b\r\n\r\n")], Forwards("Authorization: b", "Connection")),
    wire("Connection cannot take the length away", Http, &[get!("POST", "Connection: content-length\r\nContent-Length: 5\r\n\r\nhello")], Forwards("Content-Length: 5", "Connection")),
    wire("proxy headers", Http, &[get!("Proxy-Authorization: Basic x\r\nProxy-Foo: y\r\nX: z\r\n\r\n")], Forwards("X: z", "roxy-")),
    wire("upgrade to h2c", Http, &[get!("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n")], Forwards("GET /p", "h2c")),
    wire("two upgrades", Http, &[get!("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n")], Forwards("GET /p", "pgrade")),
    wire("web socket", Http, &[get!("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")], Answers(&[101], 1)),
    // Answers of servers.
    wire("server sends no HTTP", Server::Says(b"220 ftp\r\n"), &[get!("\r\n")], Fails(502, "upstream-answer")),
    wire("server sends nothing", Server::Says(b""), &[get!("\r\n")], Fails(502, "upstream-answer")),
    wire("server sends two lengths", Server::Says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"), &[get!("\r\n")], Fails(502, "upstream-answer")),
    wire("server sends length and coding", Server::Says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), &[get!("\r\n")], Fails(502, "upstream-answer")),
    wire("server sends a bare LF", Server::Says(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), &[get!("\r\n")], Fails(502, "upstream-answer")),
    wire("server asks for proxy credentials", Server::Says(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"), &[get!("\r\n")], Fails(502, "upstream-answer")),
    wire("server switches unasked", Server::Says(b"HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n"), &[get!("\r\n")], Fails(502, "upstream-answer")),
    wire("server ends by closing", Server::Says(b"HTTP/1.1 200 OK\r\n\r\nok"), &[get!("\r\n")], SaysAfterDial(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok")),
    wire("server sends chunks", Server::Says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nok\r\n0\r\nT: 1\r\n\r\n"), &[get!("Connection: close\r\n\r\n")], SaysAfterDial(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n")),
    wire("chunks for HTTP/1.0", Server::Says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), &[Send(b"GET http://api.example.com/ HTTP/1.0\r\n\r\n")], SaysAfterDial(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok")),
    wire("interim answer", Server::Says(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No\r\n\r\n"), &[get!("\r\n")], Answers(&[103, 204], 1)),
    wire("smuggled second answer", Server::Says(b"HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), &[get!("\r\n"), Wait(100), Send(b"GET http://evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n")], Answers(&[204, 403], 1)),
    // Tunnels.
    wire("data behind CONNECT", Echo, &[Send(b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\nping")], Tunnel(b"ping")),
    wire("data, then the end", Echo, &[connect!("api.example.com:443"), Send(b"ping"), Finish], Tunnel(b"ping")),
    wire("server speaks first", Banner(b"220 hi\r\n"), &[connect!("api.example.com:25")], Tunnel(b"220 hi\r\n")),
    wire("server speaks first on 443", Banner(b"220 hi\r\n"), &[connect!("api.example.com:443")], Tunnel(b"220 hi\r\n")),
    wire("matching server name", Echo, &[connect!("api.example.com:443"), Hello("api.example.com")], Tunnel(b"\x16\x03\x01")),
    wire("another allowed server name", Echo, &[connect!("api.example.com:443"), Hello("a.wild.test")], Tunnel(b"\x16\x03\x01")),
    wire("unlisted server name", Echo, &[connect!("api.example.com:443"), Hello("evil.test")], Cut),
    wire("denied server name", Echo, &[connect!("api.example.com:443"), Hello("evil.wild.test")], Cut),
    wire("server name denied on this port", Echo, &[connect!("api.example.com:25"), Hello("a.wild.test")], Cut),
    wire("server name with NUL", Echo, &[connect!("api.example.com:443"), Hello("evil.test\0.wild.test")], Cut),
    wire("empty server name", Echo, &[connect!("api.example.com:443"), Hello("")], Cut),
    wire("server name on another port", Echo, &[connect!("api.example.com:8080"), Hello("evil.test")], Cut),
    wire("broken hello", Echo, &[connect!("api.example.com:443"), Send(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")], Cut),
    wire("half a hello and the end", Echo, &[connect!("api.example.com:443"), Send(b"\x16\x03\x01\x02\x00\x01\x00"), Finish], Cut),
    wire("alert instead of a hello", Echo, &[connect!("api.example.com:443"), Send(b"\x16\x03\x01\x00\x02\x02\x28")], Cut),
    wire("TLS record of another kind", Echo, &[connect!("api.example.com:443"), Send(b"\x17\x03\x03\x00\x01x")], Tunnel(b"\x17\x03\x03\x00\x01x")),
    // SOCKS5.
    wire("SOCKS by name", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0fapi.example.com\x01\xbb")], SaysAfterDial(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS by address", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x01\x0a\x09\x08\x07\x01\xbb")], SaysAfterDial(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS by unlisted address", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x01\x01\x02\x03\x04\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS by unlisted name", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x09evil.test\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with NUL", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x13evil.test\0.wild.test\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS empty name", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x00\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS BIND", Echo, &[Send(b"\x05\x01\x00\x05\x02\x00\x01\x0a\x09\x08\x07\x01\xbb")], Says(b"\x05\x00\x05\x07\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS UDP", Echo, &[Send(b"\x05\x01\x00\x05\x03\x00\x01\x0a\x09\x08\x07\x01\xbb")], Says(b"\x05\x00\x05\x07\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS unknown kind", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x02\x0a\x09\x08\x07\x01\xbb")], Says(b"\x05\x00\x05\x08\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS no method we know", Echo, &[Send(b"\x05\x01\x01")], Says(b"\x05\xff")),
    wire("SOCKS no methods", Echo, &[Send(b"\x05\x00")], Says(b"\x05\xff")),
    wire("SOCKS with a password nobody wants", Echo, &[Send(b"\x05\x01\x02\x01\x01u\x01p\x05\x01\x00\x03\x0fapi.example.com\x01\xbb")], SaysAfterDial(b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS request of another version", Echo, &[Send(b"\x05\x01\x00\x04\x01\x00\x01\x0a\x09\x08\x07\x01\xbb")], Says(b"\x05\x00\x05\x01\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS4", Echo, &[Send(b"\x04\x01\x01\xbb\x0a\x09\x08\x07\0")], Says(b"\0\x5b\0\0\0\0\0\0")),
    wire("SOCKS greeting and the end", Echo, &[Send(b"\x05\x02\x00"), Finish], Closed),
    // Targets, further spellings.
    wire("empty host", Echo, &[connect!(":443")], BAD),
    wire("blank target", Echo, &[Send(b"CONNECT  HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("no target", Echo, &[Send(b"CONNECT HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("port with a blank", Echo, &[connect!("api.example.com: 443")], BAD),
    wire("negative port", Echo, &[connect!("api.example.com:-443")], BAD),
    wire("port by name", Echo, &[connect!("api.example.com:https")], BAD),
    wire("leading dot", Echo, &[connect!(".api.example.com:443")], BAD),
    wire("semicolon", Echo, &[connect!("api.example.com;evil.test:443")], BAD),
    wire("ampersand", Echo, &[connect!("evil.test&.wild.test:443")], BAD),
    wire("quotes", Echo, &[connect!("\"evil.test\".wild.test:443")], BAD),
    wire("DEL", Echo, &[connect!("evil.test\x7f.wild.test:443")], BAD),
    wire("soft hyphen", Echo, &[connect!("api.exam\u{ad}ple.com:443")], BAD),
    wire("kelvin sign", Echo, &[connect!("api.wor\u{212a}.wild.test:443")], BAD),
    wire("listed address in octal", Echo, &[connect!("012.011.010.07:22"), Send(b"ping")], Tunnel(b"ping")),
    wire("listed address in three parts", Echo, &[connect!("10.9.2055:22"), Send(b"ping")], Tunnel(b"ping")),
    wire("listed address mapped in hexadecimal", Echo, &[connect!("[::ffff:a09:807]:22"), Send(b"ping")], Tunnel(b"ping")),
    wire("listed address written out", Echo, &[connect!("[0:0:0:0:0:ffff:10.9.8.7]:22"), Send(b"ping")], Tunnel(b"ping")),
    wire("listed address, compatible", Echo, &[connect!("[::10.9.8.7]:22")], UNLISTED),
    wire("listed address by 6to4", Echo, &[connect!("[2002:a09:807::]:22")], UNLISTED),
    wire("all addresses", Echo, &[connect!("0:80")], UNLISTED),
    wire("all addresses of IPv6", Echo, &[connect!("[::]:80")], UNLISTED),
    wire("metadata", Echo, &[connect!("169.254.169.254:80")], UNLISTED),
    wire("zone without an escape", Echo, &[connect!("[fe80::1%lo]:443")], BAD),
    wire("two brackets", Echo, &[connect!("[[::1]]:443")], BAD),
    wire("text behind brackets", Echo, &[connect!("[::1].wild.test:443")], BAD),
    wire("future address", Echo, &[connect!("[v1.x]:443")], BAD),
    // Heads, further.
    wire("lower-case method", Echo, &[Send(b"connect api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("words behind the version", Http, &[Send(b"GET http://api.example.com/ HTTP/1.1 x\r\nHost: x\r\n\r\n")], BAD),
    wire("tabs between words", Http, &[Send(b"GET\thttp://api.example.com/\tHTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("no Host", Http, &[Send(b"GET http://api.example.com/ HTTP/1.1\r\n\r\n")], BAD),
    wire("two Host headers for CONNECT", Echo, &[connect!("api.example.com:443", "Host: evil.test\r\n")], BAD),
    wire("empty Host", Http, &[Send(b"GET http://api.example.com/ HTTP/1.1\r\nHost:\r\n\r\n")], Forwards("Host: api.example.com\r\n", "Host: \r\n")),
    wire("Host of CONNECT names another", Echo, &[Send(b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n"), Send(b"ping")], Tunnel(b"ping")),
    wire("CONNECT unlisted, Host listed", Echo, &[Send(b"CONNECT evil.test:443 HTTP/1.1\r\nHost: api.example.com:443\r\n\r\n")], UNLISTED),
    wire("more header lines than anybody sends", Http, &[get!(""), Again(b"A: b\r\n", 300), Send(b"\r\n")], Refused(431, "head-too-large")),
    wire("many header lines", Http, &[get!(""), Again(b"A: b\r\n", 150), Send(b"\r\n")], Answers(&[200], 1)),
    wire("long path", Http, &[Send(b"GET http://api.example.com/"), Many(b'a', 60_000), Send(b" HTTP/1.1\r\nHost: x\r\n\r\n")], Answers(&[200], 1)),
    wire("long path without an end", Http, &[Send(b"GET http://api.example.com/"), Many(b'a', 70_000)], Refused(431, "head-too-large")),
    wire("head byte by byte", Http, &[Drip(b"GET http://api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n")], Answers(&[200], 1)),
    wire("CONNECT byte by byte", Echo, &[Drip(b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"), Send(b"ping")], Tunnel(b"ping")),
    wire("two empty lines before the request", Http, &[Send(b"\r\n\r\n"), get!("\r\n")], BAD),
    wire("binary", Http, &[Send(b"\0\x01\x02\r\n\r\n")], BAD),
    wire("another version of SOCKS", Http, &[Send(b"\x06\x01\r\n\r\n")], BAD),
    wire("IPv6 URL", Http, &[Send(b"GET http://[::ffff:10.9.8.7]/p HTTP/1.1\r\nHost: x\r\n\r\n")], Forwards("Host: 10.9.8.7\r\n", "ffff")),
    wire("URL with an address in hexadecimal", Http, &[Send(b"GET http://0xa.9.0x807/p HTTP/1.1\r\nHost: x\r\n\r\n")], Forwards("Host: 10.9.8.7\r\n", "0xa")),
    wire("URL with another port", Http, &[Send(b"GET http://port.test:8443/p HTTP/1.1\r\nHost: port.test\r\n\r\n")], Forwards("Host: port.test:8443\r\n", "Host: port.test\r")),
    wire("URL with a denied port", Http, &[Send(b"GET http://a.wild.test:25/ HTTP/1.1\r\nHost: x\r\n\r\n")], DENIED),
    wire("URL with one slash", Http, &[Send(b"GET http:/api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n")], BAD),
    wire("URL with three slashes", Http, &[Send(b"GET http:///api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n")], BAD),
    wire("URL without a scheme", Http, &[Send(b"GET //api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n")], BAD),
    wire("authority as the target", Http, &[Send(b"GET api.example.com:80 HTTP/1.1\r\nHost: api.example.com\r\n\r\n")], BAD),
    wire("URL with an empty port", Http, &[Send(b"GET http://api.example.com:/ HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("URL with a query for a path", Http, &[Send(b"GET http://api.example.com?@evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n")], Forwards("GET /?@evil.test/ HTTP/1.1\r\nHost: api.example.com\r\n", "http:")),
    wire("path that looks like a host", Http, &[Send(b"GET http://api.example.com//evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n")], Forwards("GET //evil.test/ HTTP/1.1\r\nHost: api.example.com\r\n", "http:")),
    wire("escaped line end in a path", Http, &[Send(b"GET http://api.example.com/%0d%0aHost:%20evil.test HTTP/1.1\r\nHost: x\r\n\r\n")], Forwards("GET /%0d%0aHost:%20evil.test HTTP/1.1\r\n", "\r\nHost: evil")),
    // Bodies, further.
    wire("coding named twice in one line", Http, &[get!("POST", "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")], BAD),
    wire("coding with a weight", Http, &[get!("POST", "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n")], BAD),
    wire("coding last of two", Http, &[get!("POST", "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n")], BAD),
    wire("empty coding", Http, &[get!("POST", "Transfer-Encoding: \r\n\r\n0\r\n\r\n")], BAD),
    wire("coding in quotes", Http, &[get!("POST", "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n")], BAD),
    wire("coding with a comma", Http, &[get!("POST", "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n")], BAD),
    wire("coding in HTTP/1.0", Http, &[Send(b"POST http://api.example.com/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")], BAD),
    wire("coding in other letters", Http, &[get!("POST", "transfer-ENCODING:\tChunked \r\n\r\n5\r\nhello\r\n0\r\n\r\n")], Forwards("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "ENCODING")),
    wire("empty chunked body", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")], Forwards("Content-Length: 0\r\n", "chunked")),
    wire("empty length", Http, &[get!("POST", "Content-Length: \r\n\r\nhello")], BAD),
    wire("negative length", Http, &[get!("POST", "Content-Length: -1\r\n\r\nhello")], BAD),
    wire("length with a plus", Http, &[get!("POST", "Content-Length: +5\r\n\r\nhello")], BAD),
    wire("length with a point", Http, &[get!("POST", "Content-Length: 5.0\r\n\r\nhello")], BAD),
    wire("length with an underscore", Http, &[get!("POST", "Content-Length: 1_0\r\n\r\nhello")], BAD),
    wire("length with a blank inside", Http, &[get!("POST", "Content-Length: 5 5\r\n\r\nhello")], BAD),
    wire("length of nothing", Http, &[get!("POST", "Content-Length: 0\r\n\r\n")], Forwards("Content-Length: 0\r\n", "chunked")),
    wire("chunk size behind a blank", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n")], BAD),
    wire("chunk size below nothing", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n")], BAD),
    wire("chunk line with a bare CR", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n5\rx\r\nhello\r\n0\r\n\r\n")], BAD),
    wire("chunk size with many zeros", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n0000000000000005\r\nhello\r\n0\r\n\r\n")], BAD),
    wire("chunk longer than announced", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloGET /smuggled\r\n0\r\n\r\n")], BreaksOff("smuggled")),
    wire("later chunk without a size", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nsmuggled\r\n0\r\n\r\n")], BreaksOff("smuggled")),
    wire("chunked body that breaks off", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), Finish], BreaksOff("0\r\n\r\n")),
    wire("body that breaks off", Http, &[get!("POST", "Content-Length: 50\r\n\r\nhello"), Finish], BreaksOff("GET")),
    wire("trailers without an end", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"), Again(b"A: b\r\n", 5000)], BreaksOff("A: b")),
    wire("body in pieces", Http, &[get!("POST", "Content-Length: 5\r\n\r\nhe"), Wait(50), Send(b"llo")], Forwards("Content-Length: 5\r\n\r\nhello", "chunked")),
    wire("chunks byte by byte", Http, &[get!("POST", "Transfer-Encoding: chunked\r\n\r\n"), Drip(b"5;x=y\r\nhello\r\n0\r\n\r\n")], Answers(&[200], 1)),
    wire("waits for leave to send", Http, &[get!("POST", "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"), Wait(100), Send(b"hello")], Answers(&[100, 200], 1)),
    wire("waits for leave to send chunks", Http, &[get!("POST", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"), Wait(100), Send(b"5\r\nhello\r\n0\r\n\r\n")], Answers(&[100, 200], 1)),
    wire("waits for leave, and is refused", Http, &[Send(b"POST http://evil.test/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")], UNLISTED),
    wire("body behind a refusal is no request", Http, &[Send(b"POST http://evil.test/ HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\nGET http://api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n")], UNLISTED),
    wire("request behind a refused framing is no request", Http, &[get!("POST", "Content-Length: 0\r\nContent-Length: 5\r\n\r\nGET http://api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n")], BAD),
    wire("CONNECT with a length of nothing", Echo, &[connect!("api.example.com:443", "Content-Length: 0\r\n"), Send(b"ping")], Tunnel(b"ping")),
    wire("CONNECT with two lengths", Echo, &[connect!("api.example.com:443", "Content-Length: 0\r\nContent-Length: 4\r\n")], BAD),
    // Connections, further.
    wire("two requests in one packet", Http, &[Send(b"GET http://api.example.com/a HTTP/1.1\r\nHost: x\r\n\r\nGET http://api.example.com/b HTTP/1.1\r\nHost: x\r\n\r\n")], Answers(&[200, 200], 2)),
    wire("allowed and unlisted in one packet", Http, &[Send(b"GET http://api.example.com/a HTTP/1.1\r\nHost: x\r\n\r\nGET http://evil.test/b HTTP/1.1\r\nHost: x\r\n\r\n")], Answers(&[200, 403], 1)),
    wire("request and tunnel in one packet", Http, &[Send(b"GET http://api.example.com/a HTTP/1.1\r\nHost: x\r\n\r\nCONNECT evil.test:443 HTTP/1.1\r\nHost: x\r\n\r\n")], Answers(&[200, 403], 1)),
    wire("tunnel, then what looks like a request", Echo, &[connect!("api.example.com:80"), Send(b"GET http://evil.test/ HTTP/1.1\r\n\r\n")], Tunnel(b"GET http://evil.test/ HTTP/1.1\r\n\r\n")),
    wire("HTTP/1.0 that wants to stay", Http, &[Send(b"GET http://api.example.com/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), Send(b"GET http://evil.test/ HTTP/1.0\r\n\r\n")], Answers(&[200], 1)),
    wire("names about the connection", Http, &[get!("Keep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\nX: z\r\n\r\n")], Forwards("X: z", "eep-")),
    wire("Connection cannot take Host away", Http, &[get!("Connection: close, host\r\n\r\n")], Forwards("Host: api.example.com", "Connection")),
    wire("web socket by POST", Http, &[get!("POST", "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n")], Forwards("POST /p", "pgrade")),
    wire("web socket without Connection", Http, &[get!("Upgrade: websocket\r\n\r\n")], Forwards("GET /p", "pgrade")),
    wire("web socket to an unlisted host", Http, &[Send(b"GET http://evil.test/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")], UNLISTED),
    // Answers of servers, further.
    wire("server folds a header", Server::Says(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n"), &[get!("\r\n")], NO_HTTP),
    wire("server splits its reason", Server::Says(b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n"), &[get!("\r\n")], NO_HTTP),
    wire("server splits a header", Server::Says(b"HTTP/1.1 200 OK\r\nLocation: /\rSet-Cookie: x\r\nContent-Length: 0\r\n\r\n"), &[get!("\r\n")], NO_HTTP),
    wire("server sends NUL", Server::Says(b"HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 0\r\n\r\n"), &[get!("\r\n")], NO_HTTP),
    wire("server puts a blank before a colon", Server::Says(b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello"), &[get!("\r\n")], NO_HTTP),
    wire("server speaks HTTP/2", Server::Says(b"HTTP/2 200\r\n\r\n"), &[get!("\r\n")], NO_HTTP),
    wire("status of two digits", Server::Says(b"HTTP/1.1 20 OK\r\n\r\n"), &[get!("\r\n")], NO_HTTP),
    wire("status of four digits", Server::Says(b"HTTP/1.1 2000 OK\r\n\r\n"), &[get!("\r\n")], NO_HTTP),
    wire("status below 100", Server::Says(b"HTTP/1.1 099 OK\r\n\r\n"), &[get!("\r\n")], NO_HTTP),
    wire("half a head from the server", Server::Says(b"HTTP/1.1 200 OK\r\nContent-Le"), &[get!("\r\n")], NO_HTTP),
    wire("unknown coding from the server", Server::Says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx"), &[get!("\r\n")], NO_HTTP),
    wire("coding in an answer of HTTP/1.0", Server::Says(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), &[get!("\r\n")], NO_HTTP),
    wire("endless head from the server", Server::Floods(b"HTTP/1.1 200 OK\r\nA: ", 100_000), &[get!("\r\n")], NO_HTTP),
    wire("unasked leave to send", Server::Says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n"), &[get!("\r\n")], Answers(&[100, 204], 1)),
    wire("not modified, with a length", Server::Says(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), &[get!("\r\n")], SaysAfterDial(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")),
    wire("answer shorter than announced", Server::Says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), &[get!("\r\n")], SaysAfterDial(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")),
    wire("answer longer than announced", Server::Says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), &[get!("\r\n"), Wait(100), Send(b"GET http://evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n")], Answers(&[200, 403], 1)),
    wire("server names hop-by-hop headers", Server::Says(b"HTTP/1.1 204 No\r\nConnection: X-A\r\nX-A: 1\r\nKeep-Alive: 5\r\nProxy-Authenticate: Basic\r\n\r\n"), &[get!("\r\n")], SaysAfterDial(b"HTTP/1.1 204 No\r\n\r\n")),
    wire("server resets a request", Server::Reset, &[get!("\r\n")], NO_HTTP),
    // Tunnels, further.
    wire("server resets a tunnel", Server::Reset, &[connect!("api.example.com:443")], Cut),
    wire("alert before the hello", Echo, &[connect!("api.example.com:443"), Send(b"\x15\x03\x01\x00\x02\x01\x5a"), Hello("evil.test")], Cut),
    wire("alert of an older version before the hello", Echo, &[connect!("api.example.com:443"), Send(b"\x15\x02\x00\x00\x02\x01\x5a"), Hello("evil.test")], Cut),
    wire("change of cipher before the hello", Echo, &[connect!("api.example.com:443"), Send(b"\x14\x03\x03\x00\x01\x01"), Hello("evil.test")], Cut),
    wire("alert byte by byte", Echo, &[connect!("api.example.com:443"), Drip(b"\x15\x03\x01\x00\x02\x01\x5a"), Hello("evil.test")], Cut),
    wire("hello in a record of another version", Echo, &[connect!("api.example.com:443"), Send(b"\x16\x02\x01\x00\x05\x01\x00\x00\x01\x00")], Cut),
    wire("empty record before the hello", Echo, &[connect!("api.example.com:443"), Send(b"\x16\x03\x01\x00\x00"), Hello("api.example.com")], Cut),
    wire("alert inside a hello", Echo, &[connect!("api.example.com:443"), Send(b"\x16\x03\x01\x00\x02\x01\x00\x15\x03\x01\x00\x02\x01\x5a")], Cut),
    wire("record longer than allowed", Echo, &[connect!("api.example.com:443"), Send(b"\x16\x03\x01\x40\x01\x01")], Cut),
    wire("server hello from a client", Echo, &[connect!("api.example.com:443"), Send(b"\x16\x03\x03\x00\x04\x02\x00\x00\x00")], Cut),
    wire("hello longer than allowed", Echo, &[connect!("api.example.com:443"), Send(b"\x16\x03\x01\x00\x04\x01\x00\x40\x01")], Cut),
    wire("address as the server name", Echo, &[connect!("api.example.com:443"), Hello("10.9.8.6")], Cut),
    wire("server name with a final dot", Echo, &[connect!("api.example.com:443"), Hello("API.example.com.")], Tunnel(b"\x16\x03\x01")),
    wire("binary that begins like a change of cipher", Echo, &[connect!("api.example.com:443"), Send(b"\x14\x01\0\0\x07\0\0\0")], Tunnel(b"\x14\x01\0\0\x07\0\0\0")),
    wire("binary that begins like a handshake", Echo, &[connect!("api.example.com:443"), Send(b"\x16\x01\0\0\x07\0\0\0")], Tunnel(b"\x16\x01\0\0\x07\0\0\0")),
    wire("hello behind CONNECT in one packet", Echo, &[Send(b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")], Cut),
    wire("nothing in a tunnel", Echo, &[connect!("api.example.com:443"), Finish], Tunnel(b"")),
    // SOCKS, further.
    wire("SOCKS in other letters", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x10API.example.COM.\x01\xbb")], SaysAfterDial(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS by an address as a name", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0810.9.8.7\x01\xbb")], SaysAfterDial(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS by an address as a number", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0a0x0a090807\x01\xbb")], SaysAfterDial(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS by a mapped address", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x09\x08\x07\x01\xbb")], SaysAfterDial(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS by an unlisted IPv6 address", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with a denied name", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0eevil.wild.test\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with a port in the name", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x13api.example.com:443\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with user information", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x11u@api.example.com\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with an escape", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x11api%2eexample.com\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with a blank", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x19api.example.com evil.test\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with a line end", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x15api.example.com\r\nX: y\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with brackets", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x05[::1]\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with a zone", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0afe80::1%lo\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with bytes that are no ASCII", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0b\xff.wild.test\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with a number at the end", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0bwild.test.7\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with an empty label", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x10api..example.com\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with a star", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0b*.wild.test\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name with a slash", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x10api.example.com/\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS name of full length", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\xff"), Many(b'a', 255), Send(b"\x01\xbb")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS denied port", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0ba.wild.test\x00\x19")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS port 0", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0fapi.example.com\x00\x00")], Says(b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS kind 0", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x00\x0a\x09\x08\x07\x01\xbb")], Says(b"\x05\x00\x05\x08\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS kind 255", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\xff\x01\xbb")], Says(b"\x05\x00\x05\x08\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS command 0", Echo, &[Send(b"\x05\x01\x00\x05\x00\x00\x01\x0a\x09\x08\x07\x01\xbb")], Says(b"\x05\x00\x05\x07\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS command 255", Echo, &[Send(b"\x05\x01\x00\x05\xff\x00\x01\x0a\x09\x08\x07\x01\xbb")], Says(b"\x05\x00\x05\x07\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS reserved byte", Echo, &[Send(b"\x05\x01\x00\x05\x01\x01\x01\x0a\x09\x08\x07\x01\xbb")], Says(b"\x05\x00\x05\x01\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS request byte by byte", Echo, &[Drip(b"\x05\x01\x00"), Drip(b"\x05\x01\x00\x03\x0fapi.example.com\x01\xbb")], SaysAfterDial(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS with every method", Echo, &[Send(b"\x05\xff"), Many(0, 255), Send(b"\x05\x01\x00\x03\x0fapi.example.com\x01\xbb")], SaysAfterDial(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS with methods of others", Echo, &[Send(b"\x05\x03\x01\x80\xff")], Says(b"\x05\xff")),
    wire("SOCKS with an empty password", Echo, &[Send(b"\x05\x01\x02\x01\x00\x00\x05\x01\x00\x03\x0fapi.example.com\x01\xbb")], SaysAfterDial(b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS with a password of another version", Echo, &[Send(b"\x05\x01\x02\x05\x01u\x01p")], Says(b"\x05\x02\x05\x01\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS with early data", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0fapi.example.com\x01\xbbping")], SaysAfterDial(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0ping")),
    wire("SOCKS with an unlisted server name", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0fapi.example.com\x01\xbb"), Hello("evil.test")], SaysThenCut(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0")),
    wire("SOCKS and a server that speaks first", Banner(b"220 hi\r\n"), &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0fapi.example.com\x00\x19")], SaysAfterDial(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\x00220 hi\r\n")),
    wire("SOCKS half a request and the end", Echo, &[Send(b"\x05\x01\x00\x05\x01\x00\x03\x0fapi"), Finish], Says(b"\x05\x00")),
    wire("SOCKS4 by name", Echo, &[Send(b"\x04\x01\x01\xbb\0\0\0\x01u\0api.example.com\0")], Says(b"\0\x5b\0\0\0\0\0\0")),
    wire("SOCKS4 without an end", Echo, &[Send(b"\x04\x01\x01")], Says(b"\0\x5b\0\0\0\0\0\0")),
];
