//! The first bytes of a tunnel: is it TLS, and which server does it name?
//!
//! Reads a `ClientHello` (RFC 8446, section 4.1.2) over any number of records, within bounds, and takes
//! out of it the server name and whether an encrypted hello is offered. Everything that could be read
//! in two ways is an error.

use crate::limits::HELLO;
use portcullis_rules::Host;

/// What a complete hello says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// The server it names.
    pub server_name: Option<Host>,
    /// Whether it offers an encrypted hello, real or made up.
    pub is_encrypted: bool,
    /// The protocols it offers, as they are on the wire.
    pub protocols: Vec<Vec<u8>>,
}

/// Why there is no hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HelloProblem {
    /// It is not TLS.
    NotTls,
    /// It is TLS, and not a hello that can be read.
    Malformed,
}

/// Reads a hello from the first bytes of a tunnel; `None` while more is needed.
pub fn read_hello(bytes: &[u8]) -> Result<Option<ServerHello>, HelloProblem> {
    match first_record(bytes) {
        First::Handshake => {}
        First::Incomplete => return Ok(None),
        First::Strange => return Err(HelloProblem::Malformed),
        First::NotTls => return Err(HelloProblem::NotTls),
    }
    let mut message = Vec::new();
    let mut rest = bytes;
    // The message may be cut into records anywhere, also within its own header.
    loop {
        if let Some(hello) = complete(&message)? {
            return read_body(hello).map(Some).ok_or(HelloProblem::Malformed);
        }
        if message.len() > HELLO {
            return Err(HelloProblem::Malformed);
        }
        let Some(([kind, major, _, high, low], tail)) = rest.split_first_chunk::<5>() else {
            return incomplete(bytes);
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if *kind != HANDSHAKE || *major != 3 || length == 0 || length > RECORD {
            return Err(HelloProblem::Malformed);
        }
        let fragment = tail.get(..length).unwrap_or(tail);
        message.extend_from_slice(fragment);
        if fragment.len() < length {
            return match complete(&message)? {
                Some(hello) => read_body(hello).map(Some).ok_or(HelloProblem::Malformed),
                None => incomplete(bytes),
            };
        }
        rest = tail.get(length..).unwrap_or_default();
    }
}

/// What the first record of a tunnel is.
enum First {
    Handshake,
    /// TLS to some server, though not how a client begins.
    Strange,
    NotTls,
    Incomplete,
}

/// SECURITY: some servers skip a warning or a change of cipher before the hello, or take a hello in a
/// record of another version. What they would read as TLS must not pass as something else.
fn first_record(bytes: &[u8]) -> First {
    match bytes {
        [HANDSHAKE, 3, ..] => First::Handshake,
        [CHANGE_CIPHER, 0..VERSIONS, _, 0, 1, ..]
        | [ALERT, 0..VERSIONS, _, 0, 2, ..]
        | [HANDSHAKE, 0..VERSIONS, _, _, _, CLIENT_HELLO, ..] => First::Strange,
        []
        | [CHANGE_CIPHER | ALERT | HANDSHAKE]
        | [CHANGE_CIPHER | ALERT, 0..VERSIONS]
        | [CHANGE_CIPHER | ALERT, 0..VERSIONS, _]
        | [CHANGE_CIPHER | ALERT, 0..VERSIONS, _, 0]
        | [HANDSHAKE, 0..VERSIONS]
        | [HANDSHAKE, 0..VERSIONS, _]
        | [HANDSHAKE, 0..VERSIONS, _, _]
        | [HANDSHAKE, 0..VERSIONS, _, _, _] => First::Incomplete,
        [..] => First::NotTls,
    }
}

fn incomplete(bytes: &[u8]) -> Result<Option<ServerHello>, HelloProblem> {
    if bytes.len() > HELLO { Err(HelloProblem::Malformed) } else { Ok(None) }
}

/// The body of the message, once it is there.
fn complete(message: &[u8]) -> Result<Option<&[u8]>, HelloProblem> {
    let Some(kind) = message.first() else { return Ok(None) };
    if *kind != CLIENT_HELLO {
        return Err(HelloProblem::Malformed);
    }
    let Some(([_, a, b, c], body)) = message.split_first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).unwrap_or(usize::MAX);
    if length > HELLO {
        return Err(HelloProblem::Malformed);
    }
    Ok(body.get(..length))
}

fn read_body(body: &[u8]) -> Option<ServerHello> {
    let mut body = Bytes(body);
    let _version = body.take(2)?;
    let _random = body.take(32)?;
    let _session = body.short_vector()?;
    let _suites = body.vector()?;
    let _compressions = body.short_vector()?;
    let mut hello = ServerHello { server_name: None, is_encrypted: false, protocols: Vec::new() };
    if body.0.is_empty() {
        return Some(hello);
    }
    let mut extensions = Bytes(body.vector()?);
    if !body.0.is_empty() {
        return None;
    }
    let mut seen = Vec::new();
    while !extensions.0.is_empty() {
        let kind = extensions.number()?;
        let data = extensions.vector()?;
        // SECURITY: of two server names each reader may choose another.
        if seen.contains(&kind) {
            return None;
        }
        seen.push(kind);
        match kind {
            SERVER_NAME => hello.server_name = Some(server_name(data)?),
            PROTOCOLS => hello.protocols = protocols(data)?,
            ENCRYPTED_HELLO => hello.is_encrypted = true,
            _ => {}
        }
    }
    Some(hello)
}

/// RFC 6066, section 3: one name of type host.
fn server_name(data: &[u8]) -> Option<Host> {
    let mut data = Bytes(data);
    let mut list = Bytes(data.vector()?);
    let kind = list.take(1)?;
    let name = list.vector()?;
    let single = list.0.is_empty() && data.0.is_empty() && kind == [0];
    Host::parse_name_or_v4(name).ok().filter(|_| single)
}

fn protocols(data: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut data = Bytes(data);
    let mut list = Bytes(data.vector()?);
    let mut names = Vec::new();
    while !list.0.is_empty() {
        names.push(list.short_vector()?.to_vec());
    }
    data.0.is_empty().then_some(names)
}

/// A reader over bytes.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        let (number, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*number))
    }

    fn vector(&mut self) -> Option<&'b [u8]> {
        let length = self.number()?;
        self.take(usize::from(length))
    }

    fn short_vector(&mut self) -> Option<&'b [u8]> {
        let length = self.take(1)?.first().copied()?;
        self.take(usize::from(length))
    }
}

const CHANGE_CIPHER: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// Major versions below this are taken for TLS by the most lenient servers.
const VERSIONS: u8 = 16;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const PROTOCOLS: u16 = 16;
/// Also what implementations send that have nothing to encrypt for (RFC 8701's idea).
const ENCRYPTED_HELLO: u16 = 0xfe0d;
/// RFC 8446, section 5.1.
const RECORD: usize = 1 << 14;
