//! Credentials of clients, where the listener can be reached by others than the sandbox.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

/// The user name clients give.
pub const USER: &str = "portcullis";

/// A token that clients must present.
#[derive(Clone)]
pub struct Credentials {
    token: String,
}

impl Credentials {
    /// A token of 256 random bits.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0_u8; 32];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let digit = |four: u8| char::from_digit(u32::from(four), 16);
        let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
        Ok(Self { token: digits.flatten().collect() })
    }

    /// A known token.
    pub fn new(token: impl Into<String>) -> Self {
        Self { token: token.into() }
    }

    /// The token, for the environment of the clients.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether the value of a `Proxy-Authorization` header carries the token.
    pub(crate) fn accepts_basic(&self, value: &[u8]) -> bool {
        let Some(space) = value.iter().position(|byte| *byte == b' ') else { return false };
        let (scheme, rest) = value.split_at(space);
        let wanted = base64(format!("{USER}:{}", self.token).as_bytes());
        scheme.eq_ignore_ascii_case(b"basic") && equal(rest.trim_ascii(), wanted.as_bytes())
    }

    /// Whether a user name and password carry the token.
    pub(crate) fn accepts_password(&self, user: &[u8], password: &[u8]) -> bool {
        equal(user, USER.as_bytes()) & equal(password, self.token.as_bytes())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Compares in a time that depends on the lengths only.
fn equal(left: &[u8], right: &[u8]) -> bool {
    let differing = left.iter().zip(right).fold(0, |all, (a, b)| all | (a ^ b));
    (left.len() == right.len()) & (std::hint::black_box(differing) == 0)
}

/// RFC 4648, section 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = (at(0) << 16) | (at(1) << 8) | at(2);
        for index in 0..4_usize {
            let six = (bits >> (18 - 6 * index)) & 63;
            let letter = usize::try_from(six).ok().and_then(|six| ALPHABET.get(six)).copied();
            text.push(if index > chunk.len() { '=' } else { char::from(letter.unwrap_or(b'=')) });
        }
    }
    text
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_token_only() {
        let credentials = Credentials::new("TOKEN");
        // `portcullis:TOKEN` by coreutils' base64.
        assert!(credentials.accepts_basic(b"Basic cG9ydGN1bGxpczpUT0tFTg=="));
        assert!(credentials.accepts_basic(b"bASIC  cG9ydGN1bGxpczpUT0tFTg=="));
        assert!(!credentials.accepts_basic(b"Basic cG9ydGN1bGxpczpUT0tFTw=="));
        assert!(!credentials.accepts_basic(b"Basic"));
        assert!(!credentials.accepts_basic(b"Bearer cG9ydGN1bGxpczpUT0tFTg=="));
        assert!(credentials.accepts_password(b"portcullis", b"TOKEN"));
        assert!(!credentials.accepts_password(b"portcullis", b"TOKEM"));
        assert!(!credentials.accepts_password(b"", b""));
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_ne!(Credentials::random().unwrap().token(), Credentials::random().unwrap().token());
    }
}
