//! The way out of a sandbox that may reach hosts: sockets inside, served by a proxy in this process.

use super::boundary::program_path;
use crate::args::RunArgs;
use crate::commands::proxy::{Line, Voice};
use crate::failure::Failure;
use crate::session::{Session, plain};
use portcullis_proxy::{
    ChildEnvironment, ControlChannel, Event, Handover, JsonLines, Limits, NetworkPolicy, Outside,
    Proxy, ProxyAddress, Reports, Verdict,
};
use portcullis_sandbox::{Listener, MOST_LISTENERS, Transport};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

/// The flag that says who is asked.
const ASK: &str = "--ask-hosts";

/// Where programs that mind proxy variables reach the proxy.
const PROXY: SocketAddr = at(Ipv4Addr::LOCALHOST, 3128);

/// Where programs are told to ask for names.
const NAMES: SocketAddr = at(Ipv4Addr::new(127, 0, 0, 53), 53);

/// Where programs ask that have a name server of their own in mind.
const OTHER_NAMES: SocketAddr = at(Ipv4Addr::UNSPECIFIED, 53);

/// The ports at which connections of programs that mind no variables are caught, beside those that an
/// entry names. The server name in a TLS handshake, or the made-up address of the name, says where they
/// mean to go.
const CAUGHT: [u16; 4] = [443, 80, 22, 9418];

const fn at(address: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr::V4(std::net::SocketAddrV4::new(address, port))
}

/// What is spoken at a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    Proxy,
    Anything,
    Names,
}

/// A way out: planned before the command starts, open while it runs.
pub(super) struct WayOut {
    policy: NetworkPolicy,
    line: Option<Line>,
    variables: Vec<(String, String)>,
    told: Option<File>,
    refusals: Arc<Mutex<Vec<String>>>,
    proxy: Option<Proxy>,
}

impl WayOut {
    /// What the policy of a session lets out.
    pub(super) fn plan(session: &Session, args: &RunArgs) -> Result<Self, Failure> {
        let (policy, notices) = NetworkPolicy::from_settings(&session.policy, session.mode);
        for notice in notices {
            super::say(&notice.message);
        }
        let helper = program_path()
            .ok_or_else(|| Failure::internal("the path of portcullis itself cannot be told"))?;
        let helper = helper.as_str().to_owned();
        let children =
            ChildEnvironment::derive(&ProxyAddress { address: PROXY, token: None, helper });
        let variables = children.variables().iter();
        let variables =
            variables.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let told = args.report.as_deref().map(super::denials::open).transpose()?;
        let voice = Voice::parse(ASK, &args.ask_hosts)?;
        if voice == Voice::Stdio {
            return Err(Failure::usage(format!(
                "`{ASK}` cannot be `stdio`, which is the command's own"
            ))
            .hint("one of `deny`, `terminal` and `unix:PATH`"));
        }
        Ok(Self {
            policy,
            line: Some(voice.reach(ASK)?),
            variables,
            told: told.map(File::from),
            refusals: Arc::default(),
            proxy: None,
        })
    }

    /// The variables that lead programs to it.
    pub(super) fn variables(&self) -> impl Iterator<Item = (String, String)> {
        self.variables.iter().cloned()
    }

    /// The sockets to open inside.
    pub(super) fn listeners(&self) -> Vec<Listener> {
        let socket = |(address, spoken): &(SocketAddr, Spoken)| Listener {
            address: *address,
            transport: match spoken {
                Spoken::Proxy | Spoken::Anything => Transport::Tcp,
                Spoken::Names => Transport::Udp,
            },
        };
        self.sockets().iter().map(socket).collect()
    }

    fn sockets(&self) -> Vec<(SocketAddr, Spoken)> {
        // The proxy's own port cannot be caught as well.
        let named = self.policy.named_ports().into_iter();
        let named = named.filter(|port| *port != PROXY.port() && !CAUGHT.contains(port));
        let caught = CAUGHT.into_iter().chain(named);
        let caught = caught.map(|port| (at(Ipv4Addr::UNSPECIFIED, port), Spoken::Anything));
        // The first for names is the one that programs are told.
        [(PROXY, Spoken::Proxy), (NAMES, Spoken::Names), (OTHER_NAMES, Spoken::Names)]
            .into_iter()
            .chain(caught)
            .take(MOST_LISTENERS)
            .collect()
    }

    /// Serves the sockets that [`Self::listeners`] asked for, in that order.
    pub(super) fn open(&mut self, sockets: Vec<OwnedFd>) -> Result<(), Failure> {
        let wanted = self.sockets();
        if sockets.len() != wanted.len() {
            return Err(Failure::internal("the sandbox gave other sockets than were asked for"));
        }
        let handovers = sockets.into_iter().zip(wanted).map(|(socket, (_, spoken))| {
            let listener = match spoken {
                Spoken::Proxy => portcullis_proxy::Listener::Proxy(TcpListener::from(socket)),
                Spoken::Anything => {
                    portcullis_proxy::Listener::Transparent(TcpListener::from(socket))
                }
                Spoken::Names => portcullis_proxy::Listener::Dns(UdpSocket::from(socket)),
            };
            Handover::new("run", listener)
        });
        let line = self.line.take().unwrap_or(Line::Nobody);
        let (decider, channel) = line.start()?;
        let reports = Arc::new(Told {
            log: self.told.take().map(JsonLines::new),
            channel,
            refusals: Arc::clone(&self.refusals),
        });
        let outside = Outside { decider, ..Outside::system(reports) };
        let policy = std::mem::take(&mut self.policy);
        let proxy = Proxy::serve(handovers.collect(), policy, Limits::default(), outside);
        self.proxy = Some(proxy.map_err(|error| {
            Failure::internal(format!("cannot start the proxy: {}", plain(&error)))
        })?);
        Ok(())
    }

    /// Ends every connection; what was refused, in lines.
    pub(super) fn close(mut self) -> Vec<String> {
        drop(self.proxy.take());
        std::mem::take(&mut *self.refusals.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Who hears what happens.
struct Told {
    log: Option<JsonLines<File>>,
    channel: Option<ControlChannel>,
    refusals: Arc<Mutex<Vec<String>>>,
}

impl Reports for Told {
    fn report(&self, event: &Event) {
        if let Some(log) = &self.log {
            log.report(event);
        }
        if let Some(channel) = &self.channel {
            channel.report(event);
        }
        match event.verdict {
            Verdict::Denied | Verdict::Rejected => {}
            Verdict::Allowed | Verdict::Failed | Verdict::Noted | Verdict::Closed => return,
        }
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.len() < KEPT {
            refusals.push(line(event));
        }
    }
}

/// How many refusals a summary can be made of.
const KEPT: usize = 100;

fn line(event: &Event) -> String {
    let to = match &event.destination {
        Some((host, port)) => format!("{host}:{port}"),
        None => "an unreadable destination".to_owned(),
    };
    let why = match (&event.rule, &event.message) {
        (Some(rule), _) => format!(" (rule {rule})"),
        (None, Some(message)) => format!(" ({message})"),
        (None, None) => String::new(),
    };
    let cure = event.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("denied connection to {to}{why}{cure}")
}
