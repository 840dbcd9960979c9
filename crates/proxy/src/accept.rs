//! Accepting: which protocol a client speaks, how many there may be, and what happens when the machine
//! has no descriptors left.

use crate::inbound::Inbound;
use crate::limits::TURNED_AWAY;
use crate::reach::{Client, Shared};
use crate::tunnel::{self, Tunnel};
use crate::{Credentials, Refusal};
use crate::{serve_http, serve_socks, transparent};
use std::io;
use std::sync::{Arc, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// What clients of a listener speak.
#[derive(Clone, Debug)]
pub(crate) enum Spoken {
    /// HTTP or SOCKS5, told apart by the first byte.
    Proxy(Option<Credentials>),
    /// Anything, meant for the address it was accepted at.
    Anything,
}

/// Accepts connections until the listener fails for good. When this ends, so do they.
pub(crate) async fn serve(client: Client, listener: TcpListener, spoken: Spoken) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // What it came to has been reported.
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let client = Client { started: Instant::now(), ..client.clone() };
                start(client, stream, spoken.clone(), &mut connections);
            }
            Err(error) if ends_listener(&error) => return,
            // Without descriptors accepting fails at once and would spin; connections that end
            // meanwhile make room.
            Err(error) if needs_pause(&error) => {
                tokio::time::sleep(client.shared.limits.descriptor_pause).await;
            }
            // The client gave up before it was accepted.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

fn start(client: Client, stream: TcpStream, spoken: Spoken, connections: &mut JoinSet<()>) {
    let place = Place::take(&client.shared, &client.sandbox);
    match place {
        Taken::Within(place) => {
            connections.spawn(async move {
                converse(client, stream, spoken).await;
                drop(place);
            });
        }
        Taken::Beyond(place) => {
            connections.spawn(async move {
                turn_away(&client, stream, &spoken).await;
                drop(place);
            });
        }
        // So many are being turned away already that there is no room to be polite.
        Taken::Nothing => drop(stream),
    }
}

async fn converse(mut client: Client, stream: TcpStream, spoken: Spoken) {
    // What it takes to come to a tunnel is much more than the tunnel itself needs while it stands idle
    // for hours, so its room is given back.
    let tunnel = Box::pin(negotiate(&mut client, stream, spoken)).await;
    if let Some(tunnel) = tunnel {
        tunnel::carry(&client, tunnel).await;
    }
}

async fn negotiate(client: &mut Client, stream: TcpStream, spoken: Spoken) -> Option<Tunnel> {
    let mut inbound = Inbound::new(stream);
    let credentials = match spoken {
        Spoken::Proxy(credentials) => credentials,
        Spoken::Anything => return transparent::serve(client, inbound).await,
    };
    match timeout(client.shared.limits.handshake, inbound.fill()).await {
        Ok(Ok(1..)) => {}
        Ok(Ok(0) | Err(_)) | Err(_) => return None,
    }
    match inbound.buffer.first() {
        Some(5) => return serve_socks::serve(client, inbound, credentials.as_ref()).await,
        Some(4) => {
            client.report_refusal(&Refusal::Malformed("SOCKS4 is not supported"), None);
            inbound.finish(&[0, 0x5b, 0, 0, 0, 0, 0, 0]).await;
        }
        Some(22) => {
            let refusal = Refusal::Malformed("it speaks TLS to a proxy that is reached by http://");
            return serve_http::refuse(client, inbound, &refusal, None).await;
        }
        Some(_) | None => return serve_http::serve(client, inbound, credentials.as_ref()).await,
    }
    None
}

async fn turn_away(client: &Client, stream: TcpStream, spoken: &Spoken) {
    let refusal = Refusal::TooManyConnections;
    client.report_refusal(&refusal, None);
    if matches!(spoken, Spoken::Anything) {
        return;
    }
    let mut inbound = Inbound::new(stream);
    let first = timeout(client.shared.limits.handshake / 10, inbound.fill()).await;
    if matches!(first, Ok(Ok(1..))) {
        let socks = inbound.buffer.first() == Some(&5);
        let is_head = inbound.buffer.starts_with(b"HEAD ");
        let answer = if socks { vec![5, 0xff] } else { refusal.response(is_head) };
        inbound.finish(&answer).await;
    }
}

/// A place among the connections of a sandbox; given back when dropped.
struct Place {
    shared: Arc<Shared>,
    sandbox: Arc<str>,
}

enum Taken {
    Within(Place),
    Beyond(Place),
    Nothing,
}

impl Place {
    fn take(shared: &Arc<Shared>, sandbox: &Arc<str>) -> Taken {
        let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(sandbox.to_string()).or_default();
        let most = shared.limits.connections;
        if *count >= most + TURNED_AWAY {
            return Taken::Nothing;
        }
        *count += 1;
        let within = *count <= most;
        drop(open);
        let place = Self { shared: Arc::clone(shared), sandbox: Arc::clone(sandbox) };
        if within { Taken::Within(place) } else { Taken::Beyond(place) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let left = match open.get_mut(&*self.sandbox) {
            Some(count) => {
                *count = count.saturating_sub(1);
                *count
            }
            None => return,
        };
        if left == 0 {
            open.remove(&*self.sandbox);
        }
    }
}

/// Whether accepting can never work again.
fn ends_listener(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(EBADF | EINVAL | ENOTSOCK | EOPNOTSUPP))
}

/// Whether accepting fails for want of something that may come back.
fn needs_pause(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(EMFILE | ENFILE | ENOBUFS | ENOMEM))
}

// Linux numbers, the same on every architecture that Rust calls tier one (errno(3)).
const EBADF: i32 = 9;
const ENOMEM: i32 = 12;
const EINVAL: i32 = 22;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ENOTSOCK: i32 = 88;
const EOPNOTSUPP: i32 = 95;
const ENOBUFS: i32 = 105;
