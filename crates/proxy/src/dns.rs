//! The DNS stub: answers every name that may be contacted with a made-up address, and asks nobody.
//!
//! SECURITY: no query leaves. A name server that anybody could run would be a way out for whatever can
//! be spelled as a name.

use crate::authority::Via;
use crate::reach::Client;
use crate::report::{Event, Verdict};
use portcullis_rules::{Host, HostName};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Answers queries until the socket fails for good.
pub(crate) async fn serve(mut client: Client, socket: UdpSocket) {
    client.via = Via::Lookup;
    let mut query = vec![0; QUERY];
    loop {
        match socket.recv_from(&mut query).await {
            Ok((length, from)) => {
                let answer =
                    answer(query.get(..length).unwrap_or_default(), |name| look_up(&client, name));
                if let Some(answer) = answer {
                    // A lost answer is asked for again.
                    drop(socket.try_send_to(&answer, from));
                }
            }
            // What could not be delivered is reported here; it must not spin.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The address that stands for a name; `None` where it may not be contacted.
fn look_up(client: &Client, name: &HostName) -> Option<Ipv4Addr> {
    if name.is_localhost() {
        return Some(Ipv4Addr::LOCALHOST);
    }
    let host = Host::Name(name.clone());
    let broker = &client.shared.broker;
    let may_reach = client.shared.policy.may_reach(&host, &client.grants);
    // What takes an answer is denied where nobody can give one.
    if !may_reach.unwrap_or(broker.can_ask()) && !broker.has_allowed(&host) {
        let event = client.event(Verdict::Denied, None);
        client.report(&Event {
            destination: Some((name.to_string(), 0)),
            code: Some("blocked-by-allowlist"),
            message: Some(format!("{name} is not on the list of allowed hosts")),
            ..event
        });
        return None;
    }
    Some(client.fake_address_of(name))
}

/// The answer to a query; nothing for what is no query.
fn answer(query: &[u8], mut look_up: impl FnMut(&HostName) -> Option<Ipv4Addr>) -> Option<Vec<u8>> {
    let [id_high, id_low, flags, _, 0, questions, _, _, _, _, _, _, rest @ ..] = query else {
        return None;
    };
    // Answers to answers would go round in circles.
    if flags & 0x80 != 0 {
        return None;
    }
    let opcode = (flags >> 3) & 15;
    let recursion = flags & 1;
    let head = |code: u8, questions: u8, answers: u8| {
        vec![*id_high, *id_low, 0x80 | recursion, 0x80 | code, 0, questions, 0, answers, 0, 0, 0, 0]
    };
    if opcode != 0 {
        return Some(head(NOT_IMPLEMENTED, 0, 0));
    }
    let Some((name, length)) = read_name(rest).filter(|_| *questions == 1) else {
        return Some(head(FORMAT_ERROR, 0, 0));
    };
    let Some(question) = rest.get(..length + 4) else { return Some(head(FORMAT_ERROR, 0, 0)) };
    let kind = rest.get(length..length + 4)?;
    let with_question = |code, answers| {
        let mut message = head(code, 1, answers);
        message.extend_from_slice(question);
        message
    };
    let Ok(Host::Name(name)) = Host::parse_name_or_v4(&name) else {
        return Some(with_question(NO_SUCH_NAME, 0));
    };
    // Programs take `refused` for something that passes, and try again for a minute.
    let Some(address) = look_up(&name) else { return Some(with_question(NO_SUCH_NAME, 0)) };
    if kind != [0, A, 0, INTERNET] {
        // The name exists, with addresses of the other family only.
        return Some(with_question(NO_ERROR, 0));
    }
    let mut message = with_question(NO_ERROR, 1);
    message.extend_from_slice(&[0xc0, 12, 0, A, 0, INTERNET, 0, 0, 0, LIFETIME, 0, 4]);
    message.extend_from_slice(&address.octets());
    Some(message)
}

/// A name in labels, with its length in bytes. Pointers have nothing to point at in a query.
fn read_name(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut name = Vec::new();
    let mut rest = bytes;
    loop {
        let (length, tail) = rest.split_first()?;
        let length = usize::from(*length);
        if length == 0 {
            return Some((name, bytes.len() - tail.len()));
        }
        let (label, tail) = tail.split_at_checked(length).filter(|_| length < 64)?;
        // SECURITY: a dot inside of a label would make another name of it.
        if label.contains(&b'.') || name.len() > 255 {
            return None;
        }
        if !name.is_empty() {
            name.push(b'.');
        }
        name.extend_from_slice(label);
        rest = tail;
    }
}

const A: u8 = 1;
const INTERNET: u8 = 1;
const NO_ERROR: u8 = 0;
const FORMAT_ERROR: u8 = 1;
const NO_SUCH_NAME: u8 = 3;
const NOT_IMPLEMENTED: u8 = 4;
/// Seconds; made-up addresses are reused at some time.
const LIFETIME: u8 = 60;
/// RFC 1035, section 2.3.4; with EDNS queries may be longer, but none needs to be.
const QUERY: usize = 1232;
const PAUSE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str, kind: u8) -> Vec<u8> {
        let mut bytes = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            bytes.push(u8::try_from(label.len()).unwrap());
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.extend_from_slice(&[0, 0, kind, 0, 1]);
        bytes
    }

    #[test]
    fn answers_queries() {
        let address = Ipv4Addr::new(198, 18, 0, 7);
        for (name, kind, code, answers) in [
            ("api.example.com", A, NO_ERROR, 1),
            ("API.example.com", A, NO_ERROR, 1),
            ("api.example.com", 28, NO_ERROR, 0),
            ("evil.test", A, NO_SUCH_NAME, 0),
            ("127.1", A, NO_SUCH_NAME, 0),
            ("a b.example.com", A, NO_SUCH_NAME, 0),
        ] {
            let reply = answer(&query(name, kind), |name| {
                (name.as_str() == "api.example.com").then_some(address)
            });
            let reply = reply.unwrap();
            assert_eq!(
                (&reply[..2], reply[3] & 15, reply[7]),
                (&[7_u8, 9][..], code, answers),
                "{name}"
            );
            assert_eq!(reply.ends_with(&address.octets()), answers == 1);
        }
        for bytes in [&[] as &[u8], &[0; 11], &[0, 0, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(answer(bytes, |_| None), None);
        }
        for tail in
            [&[] as &[u8], &[1], &[0xc0, 12], &[3, b'a', b'.', b'b', 0, 0, 1, 0, 1], &[0, 0]]
        {
            let mut bytes = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
            bytes.extend_from_slice(tail);
            assert_eq!(
                answer(&bytes, |_| Some(address)).unwrap()[3] & 15,
                FORMAT_ERROR,
                "{tail:?}"
            );
        }
    }
}
