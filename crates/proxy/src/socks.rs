//! The SOCKS5 handshake (RFC 1928, RFC 1929), read from bytes.

use crate::Destination;
use portcullis_rules::Host;
use std::net::IpAddr;
use std::num::NonZeroU16;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocksRequest {
    /// Where it wants to go.
    pub destination: Destination,
}

/// Why a request cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SocksProblem {
    /// It is not SOCKS5.
    Malformed,
    /// Its host or port is none.
    Destination(&'static str),
    /// Its command is not CONNECT.
    Command,
    /// Its kind of address is unknown.
    AddressKind,
}

impl SocksProblem {
    /// The reply code.
    pub fn reply(self) -> u8 {
        match self {
            Self::Malformed => 1,
            Self::Destination(_) => 2,
            Self::Command => 7,
            Self::AddressKind => 8,
        }
    }

    /// What is wrong.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Malformed => "it is not a SOCKS5 request",
            Self::Destination(why) => why,
            Self::Command => "only CONNECT is supported",
            Self::AddressKind => "its kind of address is unknown",
        }
    }
}

/// Reads the methods a client offers, with the length of the message; `None` while it is incomplete.
pub(crate) fn read_methods(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, SocksProblem> {
    match bytes {
        [] | [5] => Ok(None),
        [5, count, rest @ ..] => {
            let count = usize::from(*count);
            Ok(rest.get(..count).map(|methods| (methods, count + 2)))
        }
        [..] => Err(SocksProblem::Malformed),
    }
}

/// A user name and a password, with the length of the message.
pub(crate) type Password<'b> = (&'b [u8], &'b [u8], usize);

/// Reads a user name and a password.
pub(crate) fn read_password(bytes: &[u8]) -> Result<Option<Password<'_>>, SocksProblem> {
    let [version, rest @ ..] = bytes else { return Ok(None) };
    if *version != 1 {
        return Err(SocksProblem::Malformed);
    }
    let Some((user, rest)) = short(rest) else { return Ok(None) };
    let Some((password, _)) = short(rest) else { return Ok(None) };
    Ok(Some((user, password, 3 + user.len() + password.len())))
}

/// Reads a request, with its length; `None` while it is incomplete.
pub fn read_socks_request(bytes: &[u8]) -> Result<Option<(SocksRequest, usize)>, SocksProblem> {
    let [version, command, reserved, kind, rest @ ..] = bytes else {
        let started_wrong = bytes.first().is_some_and(|version| *version != 5);
        return if started_wrong { Err(SocksProblem::Malformed) } else { Ok(None) };
    };
    if *version != 5 || *reserved != 0 {
        return Err(SocksProblem::Malformed);
    }
    if *command != 1 {
        return Err(SocksProblem::Command);
    }
    let (host, tail) = match kind {
        1 => {
            let Some((octets, tail)) = rest.split_first_chunk::<4>() else { return Ok(None) };
            (Host::from(IpAddr::from(*octets)), tail)
        }
        4 => {
            let Some((octets, tail)) = rest.split_first_chunk::<16>() else { return Ok(None) };
            (Host::from(IpAddr::from(*octets)), tail)
        }
        3 => {
            let Some((name, tail)) = short(rest) else { return Ok(None) };
            // Without the port it is not known how long a refused request is.
            if tail.len() < 2 {
                return Ok(None);
            }
            let host = Host::parse_name_or_v4(name);
            (host.map_err(|problem| SocksProblem::Destination(problem.meaning()))?, tail)
        }
        _ => return Err(SocksProblem::AddressKind),
    };
    let Some((port, tail)) = tail.split_first_chunk::<2>() else { return Ok(None) };
    let port = NonZeroU16::new(u16::from_be_bytes(*port));
    let port = port.ok_or(SocksProblem::Destination("its port is 0"))?;
    Ok(Some((SocksRequest { destination: Destination { host, port } }, bytes.len() - tail.len())))
}

/// A text behind one byte of length.
fn short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: u8, address: &[u8], port: u16) -> Vec<u8> {
        let mut bytes = vec![5, 1, 0, kind];
        if kind == 3 {
            bytes.push(u8::try_from(address.len()).unwrap());
        }
        bytes.extend_from_slice(address);
        bytes.extend_from_slice(&port.to_be_bytes());
        bytes
    }

    #[test]
    fn reads_requests() {
        for (kind, address, want) in [
            (1, &[127_u8, 0, 0, 1][..], Ok("127.0.0.1:443")),
            (3, b"API.example.com.", Ok("api.example.com:443")),
            (3, b"127.1", Ok("127.0.0.1:443")),
            (3, b"evil.test\0.example.com", Err(2)),
            (3, b"evil.test\r\n.example.com", Err(2)),
            (3, b"", Err(2)),
            (3, b"[::1]", Err(2)),
            (3, b"::ffff:1.2.3.4%x.example.com", Err(2)),
            (4, &[0; 16], Ok("[::]:443")),
            (9, b"", Err(8)),
        ] {
            let bytes = request(kind, address, 443);
            let read = read_socks_request(&bytes);
            let found = read.map(|read| read.unwrap().0.destination.to_string());
            assert_eq!(found.map_err(SocksProblem::reply), want.map(str::to_owned), "{address:?}");
            for cut in 0..4 + address.len().min(1) {
                assert!(matches!(read_socks_request(&bytes[..cut.min(3)]), Ok(None)));
            }
        }
        assert_eq!(read_socks_request(&[5, 3, 0, 1]).unwrap_err().reply(), 7);
        assert_eq!(read_socks_request(&request(1, &[1, 1, 1, 1], 0)).unwrap_err().reply(), 2);
        assert_eq!(read_socks_request(&[4]).unwrap_err().reply(), 1);
        assert_eq!(read_methods(&[5, 2, 0, 2]), Ok(Some((&[0_u8, 2][..], 4))));
        assert_eq!(read_methods(&[5, 2, 0]), Ok(None));
        assert_eq!(read_password(&[1, 1, b'u', 1, b'p']).unwrap().unwrap().2, 5);
    }
}
