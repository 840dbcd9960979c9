//! The world outside: names become addresses, addresses become connections. Both behind traits, so that
//! tests count every lookup and every dial.

use crate::ask::Pending;
use crate::hosts_file;
use portcullis_rules::HostName;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};
use tokio::net::TcpStream;

/// Looks names up.
pub trait Resolve: Send + Sync {
    /// Every address of a name.
    fn resolve(&self, name: &HostName) -> Pending<io::Result<Vec<IpAddr>>>;
}

/// Makes connections.
pub trait Dial: Send + Sync {
    /// Connects to an address.
    fn dial(&self, to: SocketAddr) -> Pending<io::Result<TcpStream>>;

    /// Whether an address is one of this machine's own.
    fn is_own(&self, address: IpAddr) -> bool;
}

/// The system's resolver: the hosts file, then `getaddrinfo` with everything the machine's owner
/// configured for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &HostName) -> Pending<io::Result<Vec<IpAddr>>> {
        let name = name.clone();
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || look_up(&name)).await;
            found.unwrap_or_else(|error| Err(io::Error::other(error)))
        })
    }
}

fn look_up(name: &HostName) -> io::Result<Vec<IpAddr>> {
    let listed = hosts_file::addresses_of(name);
    if !listed.is_empty() {
        return Ok(listed);
    }
    // The final dot keeps search domains out: what was judged is what is looked up. With it, a C library
    // finds nothing in its hosts file.
    let name = if name.is_localhost() { name.to_string() } else { format!("{name}.") };
    let mut addresses = Vec::new();
    for address in (name.as_str(), 0).to_socket_addrs()?.map(|found| found.ip()) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// The system's sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDialler;

impl Dial for SystemDialler {
    fn dial(&self, to: SocketAddr) -> Pending<io::Result<TcpStream>> {
        Box::pin(TcpStream::connect(to))
    }

    fn is_own(&self, address: IpAddr) -> bool {
        let binds = |address: IpAddr| UdpSocket::bind((address, 0)).is_ok();
        // Where `ip_nonlocal_bind` is set every address can be bound, also one reserved for books.
        binds(address)
            && (!binds(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77))) || is_routed_to_itself(address))
    }
}

/// Whether packets to an address would come from that same address.
fn is_routed_to_itself(address: IpAddr) -> bool {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // Connecting a datagram socket only chooses a route; nothing is sent.
    let chosen = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    chosen.is_ok_and(|chosen| chosen.ip() == address)
}
