//! The proxy as a whole: a thread, its listeners, and the handle to it.

use crate::accept::{self, Spoken};
use crate::ask::{Broker, Decide};
use crate::authority::Via;
use crate::reach::{Client, Dial, Resolve, Shared, SystemDialler, SystemResolver};
use crate::report::Reports;
use crate::{Credentials, Grant, Limits, NetworkPolicy, dns};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// A socket that was opened where clients can reach it, and who they are.
#[derive(Debug)]
pub struct Handover {
    /// The socket.
    pub listener: Listener,
    /// The sandbox whose clients reach it. The socket itself is the proof: nothing else can.
    pub sandbox: String,
    /// The command within, where only one runs.
    pub command: Option<String>,
    /// What this command may contact beside the lists.
    pub grants: Vec<Grant>,
}

/// A socket and what is spoken there.
#[derive(Debug)]
pub enum Listener {
    /// HTTP CONNECT, plain HTTP and SOCKS5.
    Proxy(TcpListener),
    /// The same, for a socket that others can reach: clients must present credentials.
    Guarded(TcpListener, Credentials),
    /// Connections on their way to the address they are accepted at.
    Transparent(TcpListener),
    /// DNS queries.
    Dns(UdpSocket),
}

impl Handover {
    /// A listener of a sandbox.
    pub fn new(sandbox: impl Into<String>, listener: Listener) -> Self {
        Self { listener, sandbox: sandbox.into(), command: None, grants: Vec::new() }
    }
}

/// What the proxy uses of the world.
#[derive(Clone)]
pub struct Outside {
    /// Looks names up.
    pub resolver: Arc<dyn Resolve>,
    /// Makes connections.
    pub dialler: Arc<dyn Dial>,
    /// Is asked about hosts on no list; without it they are denied.
    pub decider: Option<Arc<dyn Decide>>,
    /// Is told what happens.
    pub reports: Arc<dyn Reports>,
}

impl Outside {
    /// The system's resolver and sockets, and nobody to ask.
    pub fn system(reports: Arc<dyn Reports>) -> Self {
        Self {
            resolver: Arc::new(SystemResolver),
            dialler: Arc::new(SystemDialler),
            decider: None,
            reports,
        }
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").finish_non_exhaustive()
    }
}

/// A running proxy. Dropping it ends every connection and gives every descriptor back.
#[derive(Debug)]
#[must_use = "dropping the handle ends the proxy"]
pub struct Proxy {
    handovers: mpsc::UnboundedSender<Handover>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Starts a proxy in a thread of its own and hands it its first sockets.
    pub fn serve(
        listeners: Vec<Handover>,
        policy: NetworkPolicy,
        limits: Limits,
        outside: Outside,
    ) -> io::Result<Self> {
        // One thread carries some GiB a second; two would fight with the commands for processors.
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(LOOKUPS)
            .build()?;
        let shared = Arc::new(Shared {
            policy,
            broker: Broker::new(outside.decider, limits.clone()),
            limits,
            resolver: outside.resolver,
            dialler: outside.dialler,
            reports: outside.reports,
            fakes: Mutex::default(),
            listening: Mutex::default(),
            open: Mutex::default(),
            noted_upstream: Mutex::default(),
        });
        let (handovers, incoming) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let inside = Arc::clone(&shared);
        let thread = thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            runtime.block_on(take_over(inside, incoming, stopped));
            // A lookup in progress holds no descriptor of a client; it is not waited for.
            runtime.shutdown_background();
        })?;
        let proxy = Self { handovers, stop: Some(stop), thread: Some(thread), shared };
        for listener in listeners {
            proxy.add(listener)?;
        }
        Ok(proxy)
    }

    /// Hands over one more socket.
    pub fn add(&self, handover: Handover) -> io::Result<()> {
        let address = match &handover.listener {
            Listener::Proxy(listener) | Listener::Guarded(listener, _) => {
                listener.set_nonblocking(true)?;
                Some(listener.local_addr()?)
            }
            Listener::Transparent(listener) => {
                listener.set_nonblocking(true)?;
                None
            }
            Listener::Dns(socket) => {
                socket.set_nonblocking(true)?;
                None
            }
        };
        if let Some(address) = address {
            self.shared.listening.lock().unwrap_or_else(PoisonError::into_inner).push(address);
        }
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the proxy is not running");
        self.handovers.send(handover).map_err(gone)
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// Whether its thread is over.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends every connection and waits until their descriptors are given back.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Where nobody listens any more it has ended already.
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.end();
    }
}

async fn take_over(
    shared: Arc<Shared>,
    mut incoming: mpsc::UnboundedReceiver<Handover>,
    mut stopped: oneshot::Receiver<()>,
) {
    loop {
        let handover = tokio::select! {
            _ = &mut stopped => return,
            handover = incoming.recv() => handover,
        };
        let Some(handover) = handover else { return };
        let client = Client {
            shared: Arc::clone(&shared),
            sandbox: handover.sandbox.into(),
            command: handover.command.map(Arc::from),
            grants: handover.grants.into(),
            via: Via::Connect,
            started: Instant::now(),
        };
        match handover.listener {
            Listener::Proxy(listener) => accept_at(client, listener, Spoken::Proxy(None)),
            Listener::Guarded(listener, credentials) => {
                accept_at(client, listener, Spoken::Proxy(Some(credentials)));
            }
            Listener::Transparent(listener) => accept_at(client, listener, Spoken::Anything),
            Listener::Dns(socket) => {
                if let Ok(socket) = tokio::net::UdpSocket::from_std(socket) {
                    tokio::spawn(dns::serve(client, socket));
                }
            }
        }
    }
}

/// A listener that the runtime cannot watch is closed, so that its clients are refused and not hung.
fn accept_at(client: Client, listener: TcpListener, spoken: Spoken) {
    if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
        tokio::spawn(accept::serve(client, listener, spoken));
    }
}

/// The address of a listener, for the environment of its clients.
impl Listener {
    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Proxy(listener) | Self::Guarded(listener, _) | Self::Transparent(listener) => {
                listener.local_addr()
            }
            Self::Dns(socket) => socket.local_addr(),
        }
    }
}

/// Lookups that run at a time.
const LOOKUPS: usize = 4;
