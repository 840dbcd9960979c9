//! The hosts file (hosts(5)): names the machine's owner gave addresses to.

use portcullis_rules::{Host, HostName};
use std::net::IpAddr;

/// The addresses a name has in the file, in its order; none without the file.
pub(crate) fn addresses_of(name: &HostName) -> Vec<IpAddr> {
    let text = std::fs::read("/etc/hosts").unwrap_or_default();
    find(&text, name)
}

fn find(text: &[u8], name: &HostName) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let Some(first) = words.next() else { continue };
        let Some(address) = std::str::from_utf8(first).ok().and_then(|text| text.parse().ok())
        else {
            continue;
        };
        // The same reader as for clients' names: case and a final dot make no difference.
        let named = words.any(
            |word| matches!(Host::parse_name_or_v4(word), Ok(Host::Name(own)) if own == *name),
        );
        if named && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names() {
        let text = b"127.0.0.1 localhost\n# 10.0.0.9 db\n10.0.0.1\tDB db.corp. # comment\nfe80::1%lo zoned\n\
            ::1 db\r\n10.0.0.1 db\nnonsense db\n10.0.0.2 other\xff db2\n10.0.0.3";
        for (name, want) in [
            ("db", "10.0.0.1 ::1"),
            ("db.corp", "10.0.0.1"),
            ("db2", "10.0.0.2"),
            ("zoned", ""),
            ("corp", ""),
        ] {
            let Ok(Host::Name(name)) = Host::parse(name.as_bytes()) else { panic!("{name}") };
            let found: Vec<_> = find(text, &name).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), want, "{name}");
        }
    }
}
