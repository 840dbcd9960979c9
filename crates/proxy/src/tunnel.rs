//! Tunnels: bytes both ways, each direction on its own, buffers only where bytes are.

use crate::authority::Via;
use crate::hello::{HelloProblem, read_hello};
use crate::policy::{HelloPolicy, ServerNameCheck};
use crate::reach::{Client, Reached};
use crate::refusal::HelloRefusal;
use crate::report::{Event, Verdict};
use crate::{Destination, Refusal};
use std::cell::RefCell;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWriteExt as _, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::{Instant, timeout_at};

/// A tunnel that stands: the client has been told.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) stream: TcpStream,
    /// What the client sent already.
    pub(crate) first: Vec<u8>,
    pub(crate) reached: Reached,
    pub(crate) to: Destination,
}

/// Carries bytes between a client and what it reached until both directions are at their end, or one
/// of them fails.
///
/// This is where a terminated leg plugs in: in place of [`relay`], for destinations that need it.
pub(crate) async fn carry(client: &Client, tunnel: Tunnel) {
    let Tunnel { stream, first, reached, to } = tunnel;
    let to = &to;
    let progress = Progress::default();
    let end = relay(client, stream, first, reached, to, &progress).await;
    let code = match end {
        Ok(()) | Err(Stop::Broken) => None,
        Err(Stop::Refused(refusal)) => {
            let refusal = Refusal::Hello(refusal);
            client.report_refusal(&refusal, Some(to));
            Some(refusal.code())
        }
    };
    client.report_closed(to, progress.bytes(), code);
}

/// Why a direction ended early.
enum Stop {
    Broken,
    Refused(HelloRefusal),
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

/// How far the two directions are.
#[derive(Debug, Default)]
struct Progress {
    sent: Direction,
    received: Direction,
}

#[derive(Debug, Default)]
struct Direction {
    bytes: AtomicU64,
    over: AtomicBool,
}

impl Progress {
    fn bytes(&self) -> (u64, u64) {
        (self.sent.bytes.load(Ordering::Relaxed), self.received.bytes.load(Ordering::Relaxed))
    }

    fn is_over(&self) -> bool {
        self.sent.over.load(Ordering::Relaxed) && self.received.over.load(Ordering::Relaxed)
    }
}

impl Direction {
    fn add(&self, length: usize) {
        self.bytes.fetch_add(u64::try_from(length).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

async fn relay(
    client: &Client,
    mut stream: TcpStream,
    mut first: Vec<u8>,
    mut reached: Reached,
    to: &Destination,
    progress: &Progress,
) -> Result<(), Stop> {
    let (mut from_client, mut to_client) = stream.split();
    let (mut from_server, mut to_server) = reached.stream.split();
    let early = std::mem::take(&mut reached.early);
    let (sent, received) = (&progress.sent, &progress.received);
    let up = async {
        check_hello(client, to, &mut from_client, &mut first).await?;
        write(&mut to_server, first, sent).await?;
        pump(&mut from_client, &mut to_server, sent).await?;
        Err(failure(&from_client).await)
    };
    // SECURITY: only the client's bytes wait for the check; a server that speaks first is heard.
    let down = async {
        write(&mut to_client, early, received).await?;
        pump(&mut from_server, &mut to_client, received).await?;
        Err(failure(&from_server).await)
    };
    let (mut up, mut down) = (pin!(up), pin!(down));
    // An error of one direction ends the other: a reset client must not leave its server waiting.
    std::future::poll_fn(|context| {
        if let Poll::Ready(stopped) = up.as_mut().poll(context) {
            return Poll::Ready(stopped);
        }
        if let Poll::Ready(stopped) = down.as_mut().poll(context) {
            return Poll::Ready(stopped);
        }
        if progress.is_over() { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await
}

/// Waits for a peer that has ended its side to fail: the other direction may have nothing to say for
/// hours, and only a write to it would tell that nobody is there any more.
async fn failure(of: &ReadHalf<'_>) -> Stop {
    // Whatever comes of it, the connection is of no more use.
    drop(of.ready(Interest::ERROR).await);
    Stop::Broken
}

async fn write(to: &mut WriteHalf<'_>, bytes: Vec<u8>, direction: &Direction) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    to.write_all(&bytes).await?;
    direction.add(bytes.len());
    Ok(())
}

/// Copies until the end and passes the end on.
async fn pump(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    direction: &Direction,
) -> io::Result<()> {
    let mut size = Size::Usual;
    loop {
        let (buffer, length) = read(from, size).await?;
        let full = length == buffer.len();
        if length > 0 {
            to.write_all(buffer.get(..length).unwrap_or_default()).await?;
            direction.add(length);
        }
        give_back(buffer);
        if length == 0 {
            to.shutdown().await?;
            direction.over.store(true, Ordering::Relaxed);
            return Ok(());
        }
        size = if full { Size::Large } else { Size::Usual };
    }
}

/// Reads into a buffer of the pool, which is held only while there is something to read.
async fn read(from: &mut ReadHalf<'_>, size: Size) -> io::Result<(Vec<u8>, usize)> {
    std::future::poll_fn(|context| {
        let mut buffer = take(size);
        let mut space = ReadBuf::new(&mut buffer);
        match Pin::new(&mut *from).poll_read(context, &mut space) {
            Poll::Ready(Ok(())) => {
                let length = space.filled().len();
                Poll::Ready(Ok((buffer, length)))
            }
            Poll::Ready(Err(error)) => {
                give_back(buffer);
                Poll::Ready(Err(error))
            }
            Poll::Pending => {
                give_back(buffer);
                Poll::Pending
            }
        }
    })
    .await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Usual,
    Large,
}

const USUAL: usize = 64 << 10;
const LARGE: usize = 256 << 10;
/// Buffers that are kept for the next read, of each size.
const SPARE: usize = 4;

thread_local! {
    static USUAL_BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    static LARGE_BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

fn take(size: Size) -> Vec<u8> {
    let (pool, length) = match size {
        Size::Usual => (&USUAL_BUFFERS, USUAL),
        Size::Large => (&LARGE_BUFFERS, LARGE),
    };
    pool.with_borrow_mut(Vec::pop).unwrap_or_else(|| vec![0; length])
}

fn give_back(buffer: Vec<u8>) {
    let pool = if buffer.len() == LARGE { &LARGE_BUFFERS } else { &USUAL_BUFFERS };
    pool.with_borrow_mut(|pool| {
        if pool.len() < SPARE {
            pool.push(buffer);
        }
    });
}

/// Holds the client's first bytes until they are found to be what the destination promises.
async fn check_hello(
    client: &Client,
    to: &Destination,
    from_client: &mut ReadHalf<'_>,
    first: &mut Vec<u8>,
) -> Result<(), Stop> {
    let policy = client.shared.policy.hello;
    if !policy.looks() {
        return Ok(());
    }
    let mut deadline = None;
    loop {
        match read_hello(first) {
            Ok(Some(hello)) => {
                if policy.refuse_encrypted && hello.is_encrypted {
                    return Err(Stop::Refused(HelloRefusal::Encrypted));
                }
                return check_name(client, to, hello.server_name).map_err(Stop::Refused);
            }
            Err(HelloProblem::NotTls) if policy.only_tls_on_443 && to.port.get() == 443 => {
                return Err(Stop::Refused(HelloRefusal::NotTls));
            }
            Err(HelloProblem::NotTls) => return Ok(()),
            Err(HelloProblem::Malformed) => return Err(Stop::Refused(HelloRefusal::Malformed)),
            Ok(None) => {}
        }
        let read = if first.is_empty() {
            // A client may wait for as long as it likes, as with a server that speaks first.
            read_some(from_client, first).await?
        } else {
            let deadline =
                *deadline.get_or_insert_with(|| Instant::now() + client.shared.limits.hello);
            match timeout_at(deadline, read_some(from_client, first)).await {
                Ok(read) => read?,
                Err(_) => return Err(Stop::Refused(HelloRefusal::Malformed)),
            }
        };
        if read == 0 {
            // SECURITY: the start of a hello must not go out unread because the rest never came.
            return if first.is_empty() {
                Ok(())
            } else {
                Err(Stop::Refused(HelloRefusal::Malformed))
            };
        }
    }
}

async fn read_some(from: &mut ReadHalf<'_>, into: &mut Vec<u8>) -> io::Result<usize> {
    let (buffer, length) = read(from, Size::Usual).await?;
    into.extend_from_slice(buffer.get(..length).unwrap_or_default());
    give_back(buffer);
    Ok(length)
}

impl HelloPolicy {
    fn looks(self) -> bool {
        self.server_name == ServerNameCheck::Enforce
            || self.refuse_encrypted
            || self.only_tls_on_443
    }
}

/// The server name must be the destination, or be allowed itself.
fn check_name(
    client: &Client,
    to: &Destination,
    name: Option<portcullis_rules::Host>,
) -> Result<(), HelloRefusal> {
    if client.shared.policy.hello.server_name == ServerNameCheck::Off {
        return Ok(());
    }
    let note = |code| {
        let event = client.event(Verdict::Noted, Some(to));
        client.report(&Event { code: Some(code), ..event });
    };
    let Some(name) = name else {
        note("no-sni");
        return Ok(());
    };
    if name == to.host {
        return Ok(());
    }
    let named = Destination { host: name, port: to.port };
    let inside = Client { via: Via::ServerName, ..client.clone() };
    match inside.judge(&named) {
        Ok(Some(_)) => {
            note("sni-differs");
            Ok(())
        }
        Ok(None) | Err(_) => Err(HelloRefusal::Mismatch(named.host)),
    }
}
