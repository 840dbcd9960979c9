//! The proxy as a whole: a thread, its listeners, and the handle to it.

use crate::accept::{self, Spoken};
use crate::ask::{Broker, Decide};
use crate::authority::Via;
use crate::outside::{Dial, Resolve, SystemDialler, SystemResolver};
use crate::reach::{Client, Shared, prepare};
use crate::report::Reports;
use crate::{Credentials, Grant, Limits, NetworkPolicy, dns};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
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
    wishes: mpsc::UnboundedSender<Wish>,
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
        let (wishes, incoming) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let inside = Arc::clone(&shared);
        let thread = thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            runtime.block_on(take_over(inside, incoming, stopped));
            // A lookup in progress holds no descriptor of a client; it is not waited for.
            runtime.shutdown_background();
        })?;
        let proxy = Self { wishes, stop: Some(stop), thread: Some(thread), shared };
        for listener in listeners {
            proxy.add(listener)?;
        }
        Ok(proxy)
    }

    /// Hands over one more socket.
    pub fn add(&self, handover: Handover) -> io::Result<()> {
        match &handover.listener {
            Listener::Proxy(listener) | Listener::Guarded(listener, _) => {
                listener.set_nonblocking(true)?;
                prepare(listener);
                let own = (handover.sandbox.clone(), listener.local_addr()?);
                self.listening().push(own);
            }
            Listener::Transparent(listener) => {
                listener.set_nonblocking(true)?;
                prepare(listener);
            }
            Listener::Dns(socket) => socket.set_nonblocking(true)?,
        }
        self.wish(Wish::Add(handover))
    }

    /// Closes the sockets of a sandbox that is over, ends its connections and waits until their
    /// descriptors are given back. Answers that were given in it stay for the session.
    pub fn remove(&self, sandbox: &str) -> io::Result<()> {
        let (tell, done) = std::sync::mpsc::channel();
        self.wish(Wish::Remove(sandbox.to_owned(), tell))?;
        done.recv().map_err(|_gone| not_running())
    }

    fn wish(&self, wish: Wish) -> io::Result<()> {
        self.wishes.send(wish).map_err(|_gone| not_running())
    }

    fn listening(&self) -> MutexGuard<'_, Vec<(String, SocketAddr)>> {
        self.shared.listening.lock().unwrap_or_else(PoisonError::into_inner)
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

/// What the proxy's thread is asked to do.
enum Wish {
    Add(Handover),
    /// With whoever waits until it is done.
    Remove(String, std::sync::mpsc::Sender<()>),
}

fn not_running() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the proxy is not running")
}

async fn take_over(
    shared: Arc<Shared>,
    mut incoming: mpsc::UnboundedReceiver<Wish>,
    mut stopped: oneshot::Receiver<()>,
) {
    // The tasks that serve the sockets of each sandbox.
    let mut serving: BTreeMap<String, JoinSet<()>> = BTreeMap::new();
    loop {
        let wish = tokio::select! {
            _ = &mut stopped => return,
            wish = incoming.recv() => wish,
        };
        match wish {
            None => return,
            Some(Wish::Add(handover)) => {
                let tasks = serving.entry(handover.sandbox.clone()).or_default();
                serve(&shared, handover, tasks);
            }
            Some(Wish::Remove(sandbox, tell)) => {
                if let Some(mut tasks) = serving.remove(&sandbox) {
                    tasks.shutdown().await;
                }
                shared.forget(&sandbox).await;
                // Whoever asked may be gone.
                tell.send(()).ok();
            }
        }
    }
}

fn serve(shared: &Arc<Shared>, handover: Handover, tasks: &mut JoinSet<()>) {
    let client = Client {
        shared: Arc::clone(shared),
        sandbox: handover.sandbox.into(),
        command: handover.command.map(Arc::from),
        grants: handover.grants.into(),
        via: Via::Connect,
        is_head: false,
        started: Instant::now(),
    };
    let (listener, spoken) = match handover.listener {
        Listener::Proxy(listener) => (listener, Spoken::Proxy(None)),
        Listener::Guarded(listener, credentials) => (listener, Spoken::Proxy(Some(credentials))),
        Listener::Transparent(listener) => (listener, Spoken::Anything),
        Listener::Dns(socket) => {
            if let Ok(socket) = tokio::net::UdpSocket::from_std(socket) {
                tasks.spawn(dns::serve(client, socket));
            }
            return;
        }
    };
    // A listener that the runtime cannot watch is closed, so that its clients are refused and not hung.
    if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
        tasks.spawn(accept::serve(client, listener, spoken));
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
