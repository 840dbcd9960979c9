//! Proxies of others on the way: a corporate proxy, or one of the user's own.

use crate::auth::base64;
use crate::authority::Via;
use crate::limits::CONNECT_REPLY;
use crate::{Destination, HeadProblem, Refusal, ResponseHead};
use portcullis_rules::{DestinationPattern, DomainEntry, DomainList, Host, strict_port};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Which proxies of others the way leads through.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// The proxy that everything goes through, but what `no_proxy` names.
    pub upstream: Option<UpstreamProxy>,
    /// What goes direct all the same.
    pub no_proxy: NoProxy,
    /// `httpProxyPort`: a proxy of the user's own on this machine.
    pub own_http: Option<u16>,
    /// `socksProxyPort`: likewise.
    pub own_socks: Option<u16>,
}

impl Routes {
    /// The proxy that leads to a destination; `None` where the way is direct.
    pub(crate) fn proxy_for(&self, to: &Destination, via: Via) -> Option<UpstreamProxy> {
        if is_this_machine(&to.host) {
            return None;
        }
        let http = self.own_http.and_then(|port| UpstreamProxy::on_loopback(Protocol::Http, port));
        let socks =
            self.own_socks.and_then(|port| UpstreamProxy::on_loopback(Protocol::Socks, port));
        let own = match via {
            Via::Socks => socks.or(http),
            Via::Connect | Via::Http | Via::Transparent | Via::ServerName | Via::Lookup => {
                http.or(socks)
            }
        };
        own.or_else(|| self.upstream.clone().filter(|_| !self.no_proxy.covers(to)))
    }
}

/// A proxy of others.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamProxy {
    /// Its host.
    pub host: Host,
    /// Its port.
    pub port: NonZeroU16,
    /// What it speaks.
    pub protocol: Protocol,
    credentials: Option<(String, String)>,
}

/// What an upstream proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// CONNECT and absolute URLs.
    Http,
    /// SOCKS5; it looks names up itself.
    Socks,
}

impl UpstreamProxy {
    /// Reads `http://user:password@host:port` or `socks5h://host:port`.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (protocol, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Protocol::Http, 80),
            "socks5" | "socks5h" => (Protocol::Socks, 1080),
            "https" => {
                return Err("a proxy that is itself reached by TLS is not supported".to_owned());
            }
            _ => return Err(format!("`{}` is not `http` or `socks5h`", scheme.escape_debug())),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (userinfo, host_port) = match authority.rsplit_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, authority),
        };
        let (host, port) = match host_port.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, strict_port(port).ok_or("its port is not a number from 1 to 65535")?)
            }
            Some(_) | None => (host_port, NonZeroU16::new(default_port).ok_or("it has no port")?),
        };
        let host = Host::parse(host.as_bytes()).map_err(|problem| problem.meaning().to_owned())?;
        let credentials = userinfo.map(|userinfo| {
            let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
            (decode(user), decode(password))
        });
        Ok(Self { host, port, protocol, credentials })
    }

    fn on_loopback(protocol: Protocol, port: u16) -> Option<Self> {
        let host = Host::V4(std::net::Ipv4Addr::LOCALHOST);
        Some(Self { host, port: NonZeroU16::new(port)?, protocol, credentials: None })
    }

    /// The value of `Proxy-Authorization`.
    pub fn authorization(&self) -> Option<String> {
        let (user, password) = self.credentials.as_ref()?;
        Some(format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
    }

    /// Has it connect to a destination; gives what the destination sent along with its answer.
    pub(crate) async fn open_tunnel(
        &self,
        stream: &mut TcpStream,
        to: &Destination,
    ) -> Result<Vec<u8>, Refusal> {
        match self.protocol {
            Protocol::Http => self.connect(stream, to).await,
            Protocol::Socks => self.greet(stream, to).await.map(|()| Vec::new()),
        }
    }

    async fn connect(&self, stream: &mut TcpStream, to: &Destination) -> Result<Vec<u8>, Refusal> {
        let broken = |_| Refusal::UpstreamProxy(to.clone());
        let authorization = self.authorization();
        let authorization = authorization
            .map_or(String::new(), |value| format!("Proxy-Authorization: {value}\r\n"));
        let request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{authorization}\r\n");
        stream.write_all(request.as_bytes()).await.map_err(broken)?;
        let mut reply = Vec::new();
        loop {
            if stream.read_buf(&mut reply).await.map_err(broken)? == 0 {
                return Err(Refusal::UpstreamProxy(to.clone()));
            }
            match ResponseHead::read(&reply) {
                Ok(Some((head, _))) if head.status == 407 => {
                    return Err(Refusal::UpstreamCredentials(to.clone()));
                }
                Ok(Some((head, length))) if matches!(head.status, 200..=299) => {
                    return Ok(reply.split_off(length));
                }
                Ok(None) if reply.len() <= CONNECT_REPLY => {}
                Ok(_) | Err(HeadProblem::Malformed(_) | HeadProblem::TooLarge) => {
                    return Err(Refusal::UpstreamProxy(to.clone()));
                }
            }
        }
    }

    async fn greet(&self, stream: &mut TcpStream, to: &Destination) -> Result<(), Refusal> {
        let broken = |_| Refusal::UpstreamProxy(to.clone());
        let refused = || Refusal::UpstreamProxy(to.clone());
        let method = if self.credentials.is_some() { 2 } else { 0 };
        stream.write_all(&[5, 1, method]).await.map_err(broken)?;
        let mut chosen = [0; 2];
        stream.read_exact(&mut chosen).await.map_err(broken)?;
        if chosen != [5, method] {
            return Err(Refusal::UpstreamCredentials(to.clone()));
        }
        if let Some((user, password)) = &self.credentials {
            let mut message = vec![1];
            for part in [user, password] {
                message.push(u8::try_from(part.len()).map_err(|_long| refused())?);
                message.extend_from_slice(part.as_bytes());
            }
            stream.write_all(&message).await.map_err(broken)?;
            let mut status = [0; 2];
            stream.read_exact(&mut status).await.map_err(broken)?;
            if status != [1, 0] {
                return Err(Refusal::UpstreamCredentials(to.clone()));
            }
        }
        let mut request = vec![5, 1, 0];
        match &to.host {
            Host::Name(name) => {
                request.push(3);
                request.push(u8::try_from(name.as_str().len()).map_err(|_long| refused())?);
                request.extend_from_slice(name.as_str().as_bytes());
            }
            Host::V4(address) => {
                request.push(1);
                request.extend_from_slice(&address.octets());
            }
            Host::V6(address) => {
                request.push(4);
                request.extend_from_slice(&address.octets());
            }
        }
        request.extend_from_slice(&to.port.get().to_be_bytes());
        stream.write_all(&request).await.map_err(broken)?;
        let mut reply = [0; 4];
        stream.read_exact(&mut reply).await.map_err(broken)?;
        let [5, 0, 0, kind] = reply else { return Err(refused()) };
        let length = match kind {
            1 => 4,
            4 => 16,
            3 => usize::from(stream.read_u8().await.map_err(broken)?),
            _ => return Err(refused()),
        };
        let mut bound = vec![0; length + 2];
        stream.read_exact(&mut bound).await.map(drop).map_err(broken)
    }
}

impl fmt::Debug for UpstreamProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({}:{})", self.protocol, self.host, self.port)
    }
}

/// What does not go through the upstream proxy: the entries of `NO_PROXY`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy {
    everything: bool,
    patterns: Vec<DestinationPattern>,
    networks: Vec<(IpAddr, u32)>,
}

impl NoProxy {
    /// Reads a list as curl does: names with their subdomains, addresses, networks, `*`. Gives what
    /// cannot be read beside it.
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let mut made = Self::default();
        let mut unread = Vec::new();
        for entry in text.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()) {
            if entry == "*" {
                made.everything = true;
            } else if let Some(network) = network(entry) {
                made.networks.push(network);
            } else if !made.add_host(entry) {
                unread.push(entry.to_owned());
            }
        }
        (made, unread)
    }

    fn add_host(&mut self, entry: &str) -> bool {
        let bare = entry.parse::<IpAddr>().ok().map(|address| Host::from(address).to_string());
        let name = bare.as_deref().unwrap_or(entry);
        let name = name.strip_prefix("*.").unwrap_or(name);
        let name = name.strip_prefix('.').unwrap_or(name);
        let exact = DomainEntry::read(name, DomainList::Allow).readings;
        let below = DomainEntry::read(&format!("*.{name}"), DomainList::Allow).readings;
        let known = !exact.is_empty();
        self.patterns.extend(exact);
        self.patterns.extend(below);
        known
    }

    /// Whether a destination goes direct.
    pub fn covers(&self, to: &Destination) -> bool {
        self.everything
            || self.patterns.iter().any(|pattern| pattern.matches(&to.host, to.port))
            || to.host.address().is_some_and(|address| {
                self.networks.iter().any(|(network, prefix)| is_within(address, *network, *prefix))
            })
    }
}

fn network(entry: &str) -> Option<(IpAddr, u32)> {
    let (address, prefix) = entry.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let prefix: u32 = prefix.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    (prefix <= width).then_some((address, prefix))
}

fn is_within(address: IpAddr, network: IpAddr, prefix: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = |address: u32| address.checked_shr(32 - prefix).unwrap_or(0);
            shift(address.to_bits()) == shift(network.to_bits())
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = |address: u128| address.checked_shr(128 - prefix).unwrap_or(0);
            shift(address.to_bits()) == shift(network.to_bits())
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// Another machine's proxy cannot lead back here.
fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Name(name) => name.is_localhost(),
        Host::V4(address) => address.is_loopback(),
        Host::V6(address) => address.is_loopback(),
    }
}

/// Percent-decodes user information; what is no escape stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
        let escaped = digit(tail.first()).zip(digit(tail.get(1))).filter(|_| *first == b'%');
        if let Some(byte) = escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            bytes.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_proxies() {
        let proxy = UpstreamProxy::parse("http://u:p%40w@proxy.corp:3128").unwrap();
        assert_eq!(proxy.host.to_string(), "proxy.corp");
        assert_eq!(proxy.credentials, Some(("u".to_owned(), "p@w".to_owned())));
        assert!(!format!("{proxy:?}").contains("p@w"));
        assert_eq!(UpstreamProxy::parse("socks5h://[::1]").unwrap().port.get(), 1080);
        for bad in ["https://p:1", "ftp://p:1", "http://p:0", "http://", "http://a b:1"] {
            assert!(UpstreamProxy::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn knows_what_goes_direct() {
        let (list, unread) = NoProxy::parse("10.0.0.0/8,.corp, example.com:8080 ::1,a b/c");
        assert_eq!(unread, ["b/c"]);
        for (host, port, want) in [
            ("10.1.2.3", 443, true),
            ("11.1.2.3", 443, false),
            ("corp", 443, true),
            ("a.b.corp", 443, true),
            ("notcorp", 443, false),
            ("example.com", 8080, true),
            ("example.com", 443, false),
            ("[::1]", 443, true),
        ] {
            let host = Host::parse(host.as_bytes()).unwrap();
            let to = Destination { host, port: NonZeroU16::new(port).unwrap() };
            assert_eq!(list.covers(&to), want, "{to}");
        }
        assert!(
            NoProxy::parse("*")
                .0
                .covers(&Destination { host: Host::parse(b"a").unwrap(), port: NonZeroU16::MIN })
        );
    }
}
