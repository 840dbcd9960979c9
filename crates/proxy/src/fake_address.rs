//! Addresses made up by the DNS stub: each stands for a name until a connection tells which.

use portcullis_rules::HostName;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Names and the addresses that stand for them. The oldest are reused when all are taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeAddresses {
    names: BTreeMap<u32, HostName>,
    addresses: BTreeMap<HostName, u32>,
    next: u32,
}

impl FakeAddresses {
    /// The address that stands for a name.
    pub(crate) fn address_of(&mut self, name: &HostName) -> Ipv4Addr {
        let index = match self.addresses.get(name) {
            Some(index) => *index,
            None => self.add(name),
        };
        Ipv4Addr::from_bits(FIRST.to_bits() | index)
    }

    /// The name an address stands for.
    pub(crate) fn name_of(&self, address: Ipv4Addr) -> Option<&HostName> {
        is_fake(address).then(|| self.names.get(&(address.to_bits() & !FIRST.to_bits())))?
    }

    fn add(&mut self, name: &HostName) -> u32 {
        // The first and last address of a network are not for hosts.
        self.next = if self.next + 1 >= COUNT { 1 } else { self.next + 1 };
        if let Some(old) = self.names.insert(self.next, name.clone()) {
            self.addresses.remove(&old);
        }
        self.addresses.insert(name.clone(), self.next);
        self.next
    }
}

/// Whether an address is of the range that addresses are made up from.
pub(crate) fn is_fake(address: Ipv4Addr) -> bool {
    address.to_bits() >> 16 == FIRST.to_bits() >> 16
}

/// Half of the range for benchmarks (RFC 2544): routed nowhere, and refused as private if it leaked.
const FIRST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);

/// How many names are known at a time.
const COUNT: u32 = (1 << 16) - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_rules::Host;

    #[test]
    fn gives_names_back() {
        let name = |text: &str| match Host::parse(text.as_bytes()).unwrap() {
            Host::Name(name) => name,
            other => panic!("{other} is no name"),
        };
        let mut fakes = FakeAddresses::default();
        let first = fakes.address_of(&name("a.example"));
        assert_eq!(first, fakes.address_of(&name("a.example")));
        assert_ne!(first, fakes.address_of(&name("b.example")));
        assert_eq!(fakes.name_of(first), Some(&name("a.example")));
        assert_eq!(fakes.name_of(Ipv4Addr::new(10, 18, 0, 1)), None);
        for index in 0..COUNT {
            let address = fakes.address_of(&name(&format!("n{index}.example")));
            assert!(is_fake(address));
        }
        assert_ne!(fakes.name_of(first), Some(&name("a.example")));
        assert_eq!(fakes.names.len(), fakes.addresses.len());
    }
}
