//! Kinds of addresses that names of the outside must not lead to.

use portcullis_rules::Host;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is special about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressClass {
    /// This machine.
    Loopback,
    /// `0.0.0.0/8` and `::`, which connect to this machine.
    Unspecified,
    /// The local link.
    LinkLocal,
    /// A group.
    Multicast,
    /// Everyone on the link.
    Broadcast,
    /// Where a cloud keeps the credentials of its machines.
    Metadata,
    /// An address of this machine's own interfaces.
    Own,
    /// Not assigned to hosts.
    Reserved,
    /// A tunnel whose end is hidden in the address (RFC 4380).
    Teredo,
    /// A private network.
    Private,
}

impl AddressClass {
    /// The words in a refusal.
    pub fn word(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Unspecified => "unspecified",
            Self::LinkLocal => "link-local",
            Self::Multicast => "multicast",
            Self::Broadcast => "reserved broadcast",
            Self::Metadata => "cloud metadata",
            Self::Own => "own interface",
            Self::Reserved => "reserved",
            Self::Teredo => "reserved Teredo",
            Self::Private => "private",
        }
    }

    /// The class of an address; `None` for one of the public internet.
    pub fn of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => match Host::V6(address).embedded_v4() {
                // Where such an address leads is up to the IPv4 address it carries.
                Some(within) => of_v6(address).or_else(|| of_v4(within)),
                None => of_v6(address),
            },
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Option<AddressClass> {
    let bits = address.to_bits();
    let row = V4.iter().find(|(network, prefix, _)| {
        let shift = u32::BITS - prefix;
        bits.checked_shr(shift) == network.to_bits().checked_shr(shift)
    });
    row.map(|(_, _, class)| *class)
}

fn of_v6(address: Ipv6Addr) -> Option<AddressClass> {
    let bits = address.to_bits();
    let row = V6.iter().find(|(network, prefix, _)| {
        let shift = u128::BITS - prefix;
        bits.checked_shr(shift) == network.to_bits().checked_shr(shift)
    });
    row.map(|(_, _, class)| *class)
}

/// The first row that holds the address counts.
const V4: &[(Ipv4Addr, u32, AddressClass)] = &[
    // Alibaba Cloud, Azure and Oracle Cloud put theirs outside of the link-local range.
    (Ipv4Addr::new(100, 100, 100, 200), 32, AddressClass::Metadata),
    (Ipv4Addr::new(168, 63, 129, 16), 32, AddressClass::Metadata),
    (Ipv4Addr::new(192, 0, 0, 192), 32, AddressClass::Metadata),
    (Ipv4Addr::UNSPECIFIED, 8, AddressClass::Unspecified),
    (Ipv4Addr::new(127, 0, 0, 0), 8, AddressClass::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, AddressClass::LinkLocal),
    (Ipv4Addr::new(224, 0, 0, 0), 4, AddressClass::Multicast),
    (Ipv4Addr::BROADCAST, 32, AddressClass::Broadcast),
    (Ipv4Addr::new(240, 0, 0, 0), 4, AddressClass::Reserved),
    (Ipv4Addr::new(192, 0, 0, 0), 24, AddressClass::Reserved),
    (Ipv4Addr::new(10, 0, 0, 0), 8, AddressClass::Private),
    (Ipv4Addr::new(172, 16, 0, 0), 12, AddressClass::Private),
    (Ipv4Addr::new(192, 168, 0, 0), 16, AddressClass::Private),
    // Carrier-grade translation (RFC 6598) and benchmarking (RFC 2544).
    (Ipv4Addr::new(100, 64, 0, 0), 10, AddressClass::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, AddressClass::Private),
];

const V6: &[(Ipv6Addr, u32, AddressClass)] = &[
    // Unique local addresses that cloud providers answer metadata requests at.
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32, AddressClass::Metadata),
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128, AddressClass::Metadata),
    (Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe), 128, AddressClass::Metadata),
    (Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42), 128, AddressClass::Metadata),
    (Ipv6Addr::new(0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1), 128, AddressClass::Metadata),
    (Ipv6Addr::new(0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200), 128, AddressClass::Metadata),
    (Ipv6Addr::UNSPECIFIED, 128, AddressClass::Unspecified),
    (Ipv6Addr::LOCALHOST, 128, AddressClass::Loopback),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, AddressClass::LinkLocal),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, AddressClass::Multicast),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, AddressClass::Teredo),
    // Local translation (RFC 8215) and discard (RFC 6666).
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, AddressClass::Reserved),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, AddressClass::Reserved),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, AddressClass::Private),
    // Site-local addresses are deprecated (RFC 3879), not gone.
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, AddressClass::Private),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        use AddressClass::{
            Broadcast, LinkLocal as Link, Loopback, Metadata, Multicast, Private, Reserved,
            Unspecified,
        };
        for (text, want) in [
            ("93.184.216.34", None),
            ("2606:4700::1", None),
            ("127.9.9.9", Some(Loopback)),
            ("::1", Some(Loopback)),
            ("::ffff:127.0.0.1", Some(Loopback)),
            ("::127.0.0.1", Some(Loopback)),
            ("64:ff9b::7f00:1", Some(Loopback)),
            ("2002:7f00:1::", Some(Loopback)),
            ("::ffff:0:127.0.0.1", Some(Loopback)),
            ("0.1.2.3", Some(Unspecified)),
            ("::", Some(Unspecified)),
            ("169.254.169.254", Some(Link)),
            ("fe80::1", Some(Link)),
            ("224.0.0.1", Some(Multicast)),
            ("ff02::1", Some(Multicast)),
            ("255.255.255.255", Some(Broadcast)),
            ("240.0.0.1", Some(Reserved)),
            ("2001:0:1::", Some(AddressClass::Teredo)),
            ("64:ff9b:1::1", Some(Reserved)),
            ("168.63.129.16", Some(Metadata)),
            ("100.100.100.200", Some(Metadata)),
            ("fd00:ec2::254", Some(Metadata)),
            ("10.0.0.5", Some(Private)),
            ("172.31.255.255", Some(Private)),
            ("172.32.0.0", None),
            ("100.64.0.1", Some(Private)),
            ("fd12::1", Some(Private)),
            ("2002:a00:1::", Some(Private)),
            ("2002:5db8:d822::", None),
        ] {
            assert_eq!(AddressClass::of(text.parse().unwrap()), want, "{text}");
        }
    }
}
