//! What the proxy's readers of hostile bytes must hold.

use crate::choices::Choices;
use crate::proxy::hello::Hello;
use portcullis_proxy::authority::{parse_authority, parse_target};
use portcullis_proxy::{Framing, RequestHead, ResponseHead, read_hello, read_socks_request};
use portcullis_rules::{DomainEntry, DomainList, Host};
use std::num::NonZeroU16;

type Held = Result<(), String>;

fn holds(right: bool, problem: impl FnOnce() -> String) -> Held {
    if right { Ok(()) } else { Err(problem()) }
}

/// A host and port reads the same again, and as the `url` crate reads it.
///
/// Where the two differ on purpose, ours refuses: characters that stand in no host name (`%41`, `!`,
/// `*`), more than one final dot, labels and names that are too long, anything that is not ASCII.
/// And a mapped IPv6 address is the IPv4 address to us.
pub fn proxy_authority(data: &[u8]) -> Held {
    let shown = || String::from_utf8_lossy(data).into_owned();
    if let Ok(to) = parse_authority(data) {
        let again = parse_authority(to.to_string().as_bytes());
        holds(again.as_ref() == Ok(&to), || {
            format!("{:?} reads as {to} and then {again:?}", shown())
        })?;
        holds(data.iter().all(u8::is_ascii_graphic), || format!("{:?} has hidden bytes", shown()))?;
    }
    if let Ok(target) = parse_target(b"GET", data) {
        let url = format!("http://{}{}", target.destination, target.path);
        let again = parse_target(b"GET", url.as_bytes());
        holds(again.as_ref() == Ok(&target), || {
            format!("{:?} reads as {target:?} and then {again:?}", shown())
        })?;
    }
    let Ok(text) = std::str::from_utf8(data) else { return Ok(()) };
    let (ours, theirs) = (Host::parse(data), url::Host::parse(text));
    let same = match (&ours, &theirs) {
        (Ok(Host::Name(name)), Ok(url::Host::Domain(domain))) => {
            name.as_str() == domain.strip_suffix('.').unwrap_or(domain)
        }
        (Ok(Host::V4(ours)), Ok(url::Host::Ipv4(theirs))) => ours == theirs,
        (Ok(Host::V4(ours)), Ok(url::Host::Ipv6(theirs))) => theirs.to_ipv4_mapped() == Some(*ours),
        (Ok(Host::V6(ours)), Ok(url::Host::Ipv6(theirs))) => ours == theirs,
        (Ok(_), _) => false,
        // An address must not become a name, nor be lost, by being stricter.
        (Err(_), Ok(url::Host::Ipv4(_))) => {
            let long = text.len() > 255 || text.split('.').any(|label| label.len() > 63);
            long || text.contains(['%', '\t', '\n', '\r']) || !text.is_ascii()
        }
        (Err(_), Ok(url::Host::Ipv6(_))) => false,
        (Err(_), Ok(url::Host::Domain(_)) | Err(_)) => true,
    };
    holds(same, || format!("{text:?}: ours {ours:?}, url {theirs:?}"))
}

/// A SOCKS request is read once it is complete, not before, and wants nothing behind it.
pub fn proxy_socks(data: &[u8]) -> Held {
    let Ok(Some((request, length))) = read_socks_request(data) else { return Ok(()) };
    let exact = read_socks_request(data.get(..length).unwrap_or_default());
    holds(exact == Ok(Some((request.clone(), length))), || {
        format!("{data:?}: {request:?}, {exact:?}")
    })?;
    for cut in 0..length {
        let early = read_socks_request(data.get(..cut).unwrap_or_default());
        holds(early == Ok(None), || format!("{data:?} at {cut}: {early:?}"))?;
    }
    let text = request.destination.to_string();
    holds(parse_authority(text.as_bytes()) == Ok(request.destination), || {
        format!("{text} is no destination")
    })
}

/// A hello says the same however it is cut, and never the start of one something else.
pub fn proxy_hello(data: &[u8]) -> Held {
    let whole = read_hello(data);
    if let Ok(Some(found)) = &whole {
        for cut in 0..data.len() {
            let early = read_hello(data.get(..cut).unwrap_or_default());
            let fits = match &early {
                Ok(None) => true,
                Ok(Some(early)) => early == found,
                Err(_) => false,
            };
            holds(fits, || format!("{data:?} at {cut}: {early:?}, whole {found:?}"))?;
        }
    }
    let choices = &mut Choices::Bytes(data);
    let name = choices.text(&["api.example.com", "a.b", "x"]);
    let mut hello = Hello::to(name);
    hello.encrypted = choices.one_in(2);
    hello.padding = choices.below(3000);
    let plain = read_hello(&hello.bytes());
    hello.record = choices.below(200) + 1;
    let cut = read_hello(&hello.bytes());
    holds(plain == cut, || format!("{hello:?}: {plain:?} in one record, {cut:?} in many"))?;
    let named = plain.ok().flatten().and_then(|found| found.server_name);
    holds(named == Host::parse(name.as_bytes()).ok(), || format!("{hello:?} names {named:?}"))
}

/// An entry never allows more than the same text denies, and its readings are plain.
pub fn proxy_domain_entry(data: &[u8]) -> Held {
    let Ok(text) = std::str::from_utf8(data) else { return Ok(()) };
    let allow = DomainEntry::read(text, DomainList::Allow);
    let deny = DomainEntry::read(text, DomainList::Deny);
    for entry in [&allow, &deny] {
        holds(entry.is_dead() != entry.readings.iter().any(|_| true), || format!("{text:?}"))?;
        holds(!entry.is_dead() || !entry.notes.is_empty(), || format!("{text:?} dies in silence"))?;
    }
    let mut hosts: Vec<Host> =
        HOSTS.iter().filter_map(|host| Host::parse(host.as_bytes()).ok()).collect();
    hosts.extend(Host::parse(data).ok());
    hosts.extend(text.rsplit_once(':').and_then(|(host, _)| Host::parse(host.as_bytes()).ok()));
    for host in hosts {
        for port in [22, 80, 443].into_iter().filter_map(NonZeroU16::new) {
            let allowed = allow.readings.iter().any(|pattern| pattern.matches(&host, port));
            let denied = deny.readings.iter().any(|pattern| pattern.forbids(&host, port));
            holds(!allowed || denied, || {
                format!("{text:?} allows {host}:{port} and does not deny it")
            })?;
        }
    }
    Ok(())
}

/// A head is read once it is complete; what is kept of it ends where it says, whoever reads it.
pub fn proxy_http_head(data: &[u8]) -> Held {
    let shown = || String::from_utf8_lossy(data).into_owned();
    if let Ok(Some((head, length))) = RequestHead::read(data) {
        let exact = RequestHead::read(data.get(..length).unwrap_or_default());
        holds(exact == Ok(Some((head.clone(), length))), || format!("{:?}: {exact:?}", shown()))?;
        holds(data.get(..length).is_some_and(|head| head.ends_with(b"\r\n\r\n")), shown)?;
        let short = RequestHead::read(data.get(..length - 1).unwrap_or_default());
        holds(short == Ok(None), || format!("{:?} without its last byte: {short:?}", shown()))?;
        for (name, value) in head.headers.end_to_end() {
            let name = name.to_ascii_lowercase();
            let hop = ["connection", "transfer-encoding", "upgrade", "te", "host"]
                .contains(&name.as_str());
            holds(!hop && !name.starts_with("proxy-"), || {
                format!("{name} is passed on: {:?}", shown())
            })?;
            holds(!value.iter().any(|byte| b"\r\n\0".contains(byte)), shown)?;
        }
        if let Ok(Framing::Length(length)) = head.framing() {
            let lengths: Vec<_> = head.headers.every("content-length").collect();
            holds(lengths.len() == 1 && length > 0, || format!("{lengths:?}"))?;
            let coded = head.headers.every("transfer-encoding").count();
            holds(coded == 0, || format!("a length beside a coding: {:?}", shown()))?;
        }
    }
    if let Ok(Some((head, _))) = ResponseHead::read(data) {
        holds((100..=999).contains(&head.status), || format!("{head:?}"))?;
        // Framing is total.
        head.framing("GET").ok();
    }
    Ok(())
}

const HOSTS: &[&str] = &[
    "example.com",
    "a.example.com",
    "com",
    "127.0.0.1",
    "10.0.0.1",
    "[::1]",
    "[2002:a00:1::]",
    "[64:ff9b::7f00:1]",
    "xn--bcher-kva.example",
];
