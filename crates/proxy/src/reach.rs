//! From a destination to a connection: judge, ask, resolve once, filter, dial what was filtered.

use crate::address::AddressClass;
use crate::ask::{Broker, Question};
use crate::authority::Via;
use crate::fake_address::FakeAddresses;
use crate::limits::Limits;
use crate::outside::{Dial, Resolve};
use crate::policy::AddressProblem;
use crate::report::{Event, Reports, Verdict};
use crate::upstream::Protocol;
use crate::{Allowance, Destination, Grant, Judgement, NetworkPolicy, Refusal, UpstreamProxy};
use portcullis_rules::{Host, HostName};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// What all connections of a proxy share.
pub(crate) struct Shared {
    pub(crate) policy: NetworkPolicy,
    pub(crate) limits: Limits,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) dialler: Arc<dyn Dial>,
    pub(crate) broker: Broker,
    pub(crate) reports: Arc<dyn Reports>,
    /// Of each sandbox; what one looks up must not change what another reaches.
    pub(crate) fakes: Mutex<BTreeMap<Arc<str>, FakeAddresses>>,
    /// Where clients reach this proxy, each with its sandbox.
    pub(crate) listening: Mutex<Vec<(String, SocketAddr)>>,
    pub(crate) open: Mutex<BTreeMap<String, usize>>,
    pub(crate) noted_upstream: Mutex<bool>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// One client: who it is and how it asks.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) sandbox: Arc<str>,
    pub(crate) command: Option<Arc<str>>,
    pub(crate) grants: Arc<[Grant]>,
    pub(crate) via: Via,
    /// Whether its last request wants no body (RFC 9110, section 9.3.2).
    pub(crate) is_head: bool,
    pub(crate) started: Instant,
}

/// A destination that may be contacted.
#[derive(Clone, Debug)]
#[must_use = "nothing has been dialled yet"]
pub(crate) struct Permit {
    pub(crate) to: Destination,
    pub(crate) allowance: Allowance,
}

/// A connection towards a destination.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) stream: TcpStream,
    /// What the other side sent along with the answer of a proxy on the way.
    pub(crate) early: Vec<u8>,
    /// For requests through a proxy that takes absolute URLs.
    pub(crate) relay: Option<UpstreamProxy>,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Bytes in both directions.
    Tunnel,
    /// One request.
    Request,
}

impl Client {
    /// Whether a destination may be contacted; asks where the lists say nothing. Resolves nothing.
    pub(crate) async fn decide(&self, to: &Destination) -> Result<Permit, Refusal> {
        let to = self.unfake(to);
        if let Some(permit) = self.judge(&to)? {
            return Ok(permit);
        }
        let shared = &self.shared;
        // What a yes could not open is not asked about.
        if let Some(address) = to.host.address().filter(|_| shared.broker.can_ask()) {
            self.admit(&to, &Allowance::Answered, address)
                .map_err(|problem| refusal(&to, &problem))?;
        }
        if to.host.name().is_some_and(HostName::is_localhost) {
            return Err(Refusal::NotListed(to));
        }
        let question = Question {
            destination: to.clone(),
            via: self.via.word(),
            sandbox: self.sandbox.to_string(),
            command: self.command.as_deref().map(str::to_owned),
        };
        match shared.broker.ask(question).await {
            Ok(()) => Ok(Permit { to, allowance: Allowance::Answered }),
            Err(Refusal::NotListed(to)) => Err(self.not_listed(to)),
            Err(refusal) => Err(refusal),
        }
    }

    /// What is known about a destination without asking; `None` where somebody has to be asked.
    pub(crate) fn judge(&self, to: &Destination) -> Result<Option<Permit>, Refusal> {
        match self.shared.policy.judge(to, &self.grants) {
            Judgement::Denied { .. } => Err(Refusal::Denied(to.clone())),
            Judgement::Allowed(allowance) => Ok(Some(Permit { to: to.clone(), allowance })),
            Judgement::Locked => Err(self.not_listed(to.clone())),
            Judgement::Unlisted if self.shared.broker.has_allowed(&to.host) => {
                Ok(Some(Permit { to: to.clone(), allowance: Allowance::Answered }))
            }
            Judgement::Unlisted => Ok(None),
        }
    }

    /// Connects to what is permitted.
    pub(crate) async fn reach(
        &self,
        permit: &Permit,
        purpose: Purpose,
    ) -> Result<Reached, Refusal> {
        let to = &permit.to;
        let Some(proxy) = self.shared.policy.routes.proxy_for(to, self.via) else {
            let addresses = self.addresses(permit).await?;
            let stream =
                self.shared.connect(&addresses).await.map_err(|failure| match failure {
                    Failure::Refused => Refusal::UpstreamRefused(to.clone()),
                    Failure::Late => Refusal::UpstreamTimeout(to.clone()),
                })?;
            return Ok(Reached { stream, early: Vec::new(), relay: None });
        };
        // The far side looks names up; an address is judged here all the same.
        if let Some(address) = to.host.address() {
            self.admit(to, &permit.allowance, address).map_err(|problem| refusal(to, &problem))?;
        } else {
            self.note_upstream();
        }
        let mut stream =
            self.shared.connect_proxy(&proxy).await.map_err(|failure| match failure {
                Failure::Refused => Refusal::UpstreamProxy(to.clone()),
                Failure::Late => Refusal::UpstreamTimeout(to.clone()),
            })?;
        if purpose == Purpose::Request && proxy.protocol == Protocol::Http {
            return Ok(Reached { stream, early: Vec::new(), relay: Some(proxy) });
        }
        let opened = timeout(self.shared.limits.connect, proxy.open_tunnel(&mut stream, to)).await;
        let early = opened.map_err(|_late| Refusal::UpstreamTimeout(to.clone()))??;
        Ok(Reached { stream, early, relay: None })
    }

    /// The addresses that may be dialled, from one lookup.
    async fn addresses(&self, permit: &Permit) -> Result<Vec<SocketAddr>, Refusal> {
        let to = &permit.to;
        let found = match &to.host {
            Host::V4(address) => vec![IpAddr::V4(*address)],
            Host::V6(address) => vec![IpAddr::V6(*address)],
            Host::Name(name) => self.look_up(to, name).await?,
        };
        let mut problem = None;
        let mut admitted = Vec::new();
        for address in found {
            match self.admit(to, &permit.allowance, address) {
                Ok(()) => admitted.push(SocketAddr::new(address.to_canonical(), to.port.get())),
                Err(found) => problem = problem.or(Some(found)),
            }
        }
        match problem {
            Some(problem) if admitted.is_empty() => Err(refusal(to, &problem)),
            Some(_) | None => Ok(admitted),
        }
    }

    async fn look_up(&self, to: &Destination, name: &HostName) -> Result<Vec<IpAddr>, Refusal> {
        let found = timeout(self.shared.limits.lookup, self.shared.resolver.resolve(name)).await;
        let found = found.map_err(|_late| Refusal::LookupTimeout(to.clone()))?.unwrap_or_default();
        match found.as_slice() {
            // Known without being told (RFC 6761, section 6.3).
            [] if name.is_localhost() => {
                Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
            }
            [] => Err(Refusal::LookupFailed(to.clone())),
            [..] => Ok(found),
        }
    }

    fn admit(
        &self,
        to: &Destination,
        allowance: &Allowance,
        address: IpAddr,
    ) -> Result<(), AddressProblem> {
        let address = address.to_canonical();
        // SECURITY: a proxy that dials itself would be asked in the name of its own process.
        let is_listener = {
            let listening = self.shared.listening.lock().unwrap_or_else(PoisonError::into_inner);
            listening.iter().any(|(_, own)| {
                own.port() == to.port.get()
                    && (own.ip() == address
                        || own.ip().is_unspecified() && self.shared.dialler.is_own(address))
            })
        };
        if is_listener {
            return Err(AddressProblem::Class(AddressClass::Own));
        }
        let is_own = || self.shared.dialler.is_own(address);
        self.shared.policy.admit(to, allowance, address, is_own)
    }

    /// The destination a made-up address of the DNS stub stands for.
    fn unfake(&self, to: &Destination) -> Destination {
        let name = match to.host {
            Host::V4(address) => self.name_of(address),
            Host::V6(_) | Host::Name(_) => None,
        };
        name.map_or_else(
            || to.clone(),
            |name| Destination { host: Host::Name(name), port: to.port },
        )
    }

    /// The name the DNS stub made an address up for.
    pub(crate) fn name_of(&self, address: Ipv4Addr) -> Option<HostName> {
        let fakes = self.shared.fakes.lock().unwrap_or_else(PoisonError::into_inner);
        fakes.get(&self.sandbox)?.name_of(address).cloned()
    }

    /// An address that stands for a name.
    pub(crate) fn fake_address_of(&self, name: &HostName) -> Ipv4Addr {
        let mut fakes = self.shared.fakes.lock().unwrap_or_else(PoisonError::into_inner);
        fakes.entry(Arc::clone(&self.sandbox)).or_default().address_of(name)
    }

    fn not_listed(&self, to: Destination) -> Refusal {
        match to.host {
            Host::V4(_) | Host::V6(_) if self.via == Via::Socks => Refusal::NotListedAddress(to),
            Host::V4(_) | Host::V6(_) | Host::Name(_) => Refusal::NotListed(to),
        }
    }

    /// Says once that the addresses of names are not filtered here.
    fn note_upstream(&self) {
        let mut noted = self.shared.noted_upstream.lock().unwrap_or_else(PoisonError::into_inner);
        if !*noted {
            *noted = true;
            let message =
                "an upstream proxy looks names up; addresses they lead to are not filtered";
            self.report(&Event {
                message: Some(message.to_owned()),
                ..self.event(Verdict::Noted, None)
            });
        }
    }

    /// An event about this client.
    pub(crate) fn event(&self, verdict: Verdict, to: Option<&Destination>) -> Event {
        Event {
            verdict,
            via: self.via.word(),
            sandbox: self.sandbox.to_string(),
            command: self.command.as_deref().map(str::to_owned),
            destination: to.map(|to| (to.host.to_string(), to.port.get())),
            code: None,
            rule: None,
            message: None,
            hint: None,
            bytes: None,
            millis: None,
        }
    }

    pub(crate) fn report(&self, event: &Event) {
        self.shared.reports.report(event);
    }

    /// Reports that a destination was reached.
    pub(crate) fn report_allowed(&self, permit: &Permit) {
        let rule = Some(permit.allowance.rule().to_owned());
        self.report(&Event { rule, ..self.event(Verdict::Allowed, Some(&permit.to)) });
    }

    /// Reports a refusal, with the entry that caused it.
    pub(crate) fn report_refusal(&self, refusal: &Refusal, to: Option<&Destination>) {
        let rule = to.and_then(|to| match self.shared.policy.judge(to, &self.grants) {
            Judgement::Denied { rule } => Some(rule),
            Judgement::Allowed(_) | Judgement::Locked | Judgement::Unlisted => None,
        });
        self.report(&Event {
            code: Some(refusal.code()),
            rule,
            message: Some(refusal.sentence()),
            hint: refusal.cure(),
            ..self.event(Verdict::from(refusal), to)
        });
    }

    /// Reports the end of a connection.
    pub(crate) fn report_closed(
        &self,
        to: &Destination,
        bytes: (u64, u64),
        code: Option<&'static str>,
    ) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).ok();
        let event = self.event(Verdict::Closed, Some(to));
        self.report(&Event { bytes: Some(bytes), millis, code, ..event });
    }
}

/// Why no address could be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Refused,
    Late,
}

impl Shared {
    /// Waits until the connections of a sandbox that was ended are gone, and forgets what only it knew.
    pub(crate) async fn forget(&self, sandbox: &str) {
        self.forget_listeners(sandbox);
        self.fakes.lock().unwrap_or_else(PoisonError::into_inner).remove(sandbox);
        while self.has_open(sandbox) {
            tokio::task::yield_now().await;
        }
    }

    fn forget_listeners(&self, sandbox: &str) {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        listening.retain(|(own, _)| own != sandbox);
    }

    fn has_open(&self, sandbox: &str) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).contains_key(sandbox)
    }

    /// Connects to the first address that answers, trying the next one beside it after a while.
    async fn connect(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
        if let [only] = addresses {
            return match timeout(self.limits.connect, self.dialler.dial(*only)).await {
                Ok(Ok(stream)) => Ok(prepared(stream)),
                Ok(Err(error)) => Err(failure(&error)),
                Err(_) => Err(Failure::Late),
            };
        }
        let race = self.race(interleaved(addresses));
        timeout(self.limits.connect, race).await.unwrap_or(Err(Failure::Late))
    }

    async fn race(&self, addresses: Vec<SocketAddr>) -> Result<TcpStream, Failure> {
        let mut waiting = addresses.into_iter();
        let mut dials = JoinSet::new();
        let mut last = Failure::Refused;
        loop {
            let stagger = match waiting.next() {
                Some(address) => {
                    dials.spawn(self.dialler.dial(address));
                    self.limits.connect_stagger
                }
                None if dials.is_empty() => return Err(last),
                None => Duration::MAX,
            };
            match timeout(stagger, dials.join_next()).await {
                Ok(Some(Ok(Ok(stream)))) => return Ok(prepared(stream)),
                Ok(Some(Ok(Err(error)))) => last = failure(&error),
                Ok(Some(Err(_)) | None) | Err(_) => {}
            }
        }
    }

    async fn connect_proxy(&self, proxy: &UpstreamProxy) -> Result<TcpStream, Failure> {
        let addresses = match &proxy.host {
            Host::V4(address) => vec![IpAddr::V4(*address)],
            Host::V6(address) => vec![IpAddr::V6(*address)],
            Host::Name(name) => {
                let found = timeout(self.limits.lookup, self.resolver.resolve(name)).await;
                found.map_err(|_late| Failure::Late)?.map_err(|error| failure(&error))?
            }
        };
        let port = proxy.port.get();
        let addresses: Vec<_> =
            addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        self.connect(&addresses).await
    }
}

fn refusal(to: &Destination, problem: &AddressProblem) -> Refusal {
    match problem {
        AddressProblem::Denied { .. } => Refusal::Denied(to.clone()),
        AddressProblem::Class(class) => Refusal::Address(to.clone(), *class),
        AddressProblem::NotLoopback => Refusal::Address(to.clone(), AddressClass::Reserved),
    }
}

fn failure(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::TimedOut { Failure::Late } else { Failure::Refused }
}

/// Interactive traffic is small packets, and a peer that vanished should be noticed some day. What a
/// listener accepts has its options.
pub(crate) fn prepare(socket: &impl AsFd) {
    let keep_alive = socket2::TcpKeepalive::new().with_time(crate::limits::KEEP_ALIVE);
    let socket = socket2::SockRef::from(socket);
    // A socket that cannot be tuned still carries bytes.
    drop(socket.set_tcp_nodelay(true));
    drop(socket.set_tcp_keepalive(&keep_alive));
}

fn prepared(stream: TcpStream) -> TcpStream {
    prepare(&stream);
    stream
}

/// The addresses with both families taking turns, in the resolver's order (RFC 8305, section 4).
fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (same, other): (Vec<_>, Vec<_>) =
        addresses.iter().copied().partition(|address| address.is_ipv4() == first_is_v4);
    let mut turns = Vec::new();
    let (mut same, mut other) = (same.into_iter(), other.into_iter());
    loop {
        let before = turns.len();
        turns.extend(same.next());
        turns.extend(other.next());
        if turns.len() == before {
            return turns;
        }
    }
}
