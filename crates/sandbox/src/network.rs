//! The network of a sandbox: the messages that build it (rtnetlink(7)), and the files by which names are
//! resolved in it.

use crate::Listener;
use std::fs;
use std::net::IpAddr;

/// The files of `/etc` where a listener answers for names.
pub(crate) fn name_files(listeners: &[Listener]) -> Vec<(&'static str, Vec<u8>)> {
    const NAMES: u16 = 53;
    let stub = listeners.iter().find(|listener| listener.address.port() == NAMES);
    let Some(stub) = stub else { return Vec::new() };
    let resolver = format!("nameserver {}\noptions edns0 trust-ad\n", stub.address.ip());
    // What cannot be read is taken for empty; `localhost` is known without a file.
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    vec![
        ("resolv.conf", resolver.into_bytes()),
        ("hosts", own_names(&hosts, name.trim()).into_bytes()),
    ]
}

/// The names of the machine itself. The others have to be asked for: a program that finds an address in
/// the file goes there, and which name it meant is lost.
fn own_names(hosts: &str, machine: &str) -> String {
    let is_own = |line: &&str| {
        let address = line.split_whitespace().next().and_then(|word| word.parse::<IpAddr>().ok());
        address.is_some_and(|address| address.is_loopback())
    };
    let mut text: String = hosts.lines().filter(is_own).flat_map(|line| [line, "\n"]).collect();
    if !machine.is_empty() {
        text.extend(["127.0.0.1 ", machine, "\n"]);
    }
    text
}

/// Brings up the loopback of a fresh network namespace. With `catches`, every address becomes one of its
/// own: a listener on all addresses gets what is sent to any of them, and sees to which. Without
/// listeners no address leads anywhere, and programs are told so at once.
pub(crate) fn messages(catches: bool) -> Vec<Vec<u8>> {
    let mut messages = vec![loopback_up()];
    if catches {
        messages.push(every_address_local());
    }
    messages
}

const LOOPBACK: u32 = 1;

fn loopback_up() -> Vec<u8> {
    const RTM_NEWLINK: u16 = 16;
    const IFF_UP: u32 = 1;
    let mut body = vec![0_u8; 4];
    for word in [LOOPBACK, IFF_UP, IFF_UP] {
        body.extend(word.to_ne_bytes());
    }
    message(RTM_NEWLINK, 0, &body)
}

fn every_address_local() -> Vec<u8> {
    const RTM_NEWROUTE: u16 = 24;
    const CREATE_EXCLUSIVELY: u16 = 0x400 | 0x200;
    const NO_PREFIX: u8 = 0;
    const TABLE_LOCAL: u8 = 255;
    const PROTOCOL_STATIC: u8 = 4;
    const SCOPE_HOST: u8 = 254;
    const TYPE_LOCAL: u8 = 2;
    const OUTPUT: u16 = 4;
    let family = u8::try_from(libc::AF_INET).unwrap_or(0);
    let mut body =
        vec![family, NO_PREFIX, 0, 0, TABLE_LOCAL, PROTOCOL_STATIC, SCOPE_HOST, TYPE_LOCAL];
    body.extend(0_u32.to_ne_bytes());
    body.extend(8_u16.to_ne_bytes());
    body.extend(OUTPUT.to_ne_bytes());
    body.extend(LOOPBACK.to_ne_bytes());
    message(RTM_NEWROUTE, CREATE_EXCLUSIVELY, &body)
}

/// netlink(7): a header, and the wish for an answer.
fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    const REQUEST: u16 = 1;
    const ACKNOWLEDGE: u16 = 4;
    const HEADER: usize = 16;
    let length = u32::try_from(HEADER + body.len()).unwrap_or(0);
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend((flags | REQUEST | ACKNOWLEDGE).to_ne_bytes());
    message.extend(1_u32.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend(body);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_names_of_the_machine() {
        let hosts = "127.0.0.1 localhost\n# x\n::1 ip6-localhost\n10.0.0.1 db\n127.0.1.1\tbox box.lan\nx y\n";
        let want =
            "127.0.0.1 localhost\n::1 ip6-localhost\n127.0.1.1\tbox box.lan\n127.0.0.1 box\n";
        assert_eq!(own_names(hosts, "box"), want);
        assert_eq!(own_names("", ""), "");
    }
}
