//! The way out of a sandbox that may reach hosts: sockets inside, served by a proxy in this process.

use super::boundary::program_path;
use crate::args::RunArgs;
use crate::commands::proxy::Voice;
use crate::failure::Failure;
use crate::session::{Session, plain};
use portcullis_proxy::{
    ChildEnvironment, ControlChannel, Event, Handover, JsonLines, Limits, NetworkPolicy, Outside,
    Proxy, ProxyAddress, Reports, Verdict,
};
use portcullis_sandbox::{Listener, Transport};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

/// Where programs that mind proxy variables reach the proxy.
const PROXY: SocketAddr = at(Ipv4Addr::LOCALHOST, 3128);

/// Where programs ask for names.
const NAMES: SocketAddr = at(Ipv4Addr::new(127, 0, 0, 53), 53);

/// The ports at which connections of programs that mind no variables are caught. The server name in a TLS
/// handshake, or the made-up address of the name, says where they mean to go.
const CAUGHT: [u16; 4] = [443, 80, 22, 9418];

const fn at(address: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr::V4(std::net::SocketAddrV4::new(address, port))
}

/// A way out: planned before the command starts, open while it runs.
pub(super) struct WayOut {
    policy: NetworkPolicy,
    voice: Voice,
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
        Ok(Self {
            policy,
            voice: Voice::parse(&args.ask_hosts)?,
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
    pub(super) fn listeners() -> Vec<Listener> {
        let caught = CAUGHT.iter().map(|port| at(Ipv4Addr::UNSPECIFIED, *port));
        let streams = std::iter::once(PROXY).chain(caught);
        let streams = streams.map(|address| Listener { address, transport: Transport::Tcp });
        streams.chain([Listener { address: NAMES, transport: Transport::Udp }]).collect()
    }

    /// Serves the sockets that [`Self::listeners`] asked for, in that order.
    pub(super) fn open(&mut self, sockets: Vec<OwnedFd>) -> Result<(), Failure> {
        let count = sockets.len();
        if count != Self::listeners().len() {
            return Err(Failure::internal("the sandbox gave other sockets than were asked for"));
        }
        let handovers = sockets.into_iter().enumerate().map(|(index, socket)| {
            let listener = if index == 0 {
                portcullis_proxy::Listener::Proxy(TcpListener::from(socket))
            } else if index + 1 == count {
                portcullis_proxy::Listener::Dns(UdpSocket::from(socket))
            } else {
                portcullis_proxy::Listener::Transparent(TcpListener::from(socket))
            };
            Handover::new("run", listener)
        });
        let (decider, channel) = self.voice.open()?;
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
