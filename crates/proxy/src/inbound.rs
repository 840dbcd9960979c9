//! A client's connection and the bytes it sent ahead.

use crate::head::{HeadProblem, RequestHead};
use crate::limits::{DRAIN, DRAIN_TIME, Limits};
use crate::reach::Reached;
use crate::tunnel::Tunnel;
use crate::{Destination, Refusal};
use std::future::Future;
use std::io;
use std::pin::pin;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// A connection that has been accepted.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// The connection.
    pub(crate) stream: TcpStream,
    /// What was read and not yet used.
    pub(crate) buffer: Vec<u8>,
}

/// What happens when a client sends more than may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// The rest waits in the kernel.
    Wait,
    /// The connection ends.
    Close,
}

impl Inbound {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// The tunnel it becomes.
    pub(crate) fn into_tunnel(mut self, reached: Reached, to: Destination) -> Tunnel {
        // A tunnel may stand idle for hours; room that was made for a read that brought nothing is given back.
        self.buffer.shrink_to_fit();
        Tunnel { stream: self.stream, first: self.buffer, reached, to }
    }

    /// Reads more; 0 at the end.
    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        loop {
            self.stream.readable().await?;
            match self.try_fill() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }

    /// Takes the first bytes out.
    pub(crate) fn consume(&mut self, length: usize) {
        self.buffer.drain(..length.min(self.buffer.len()));
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
        }
    }

    /// Reads the head of the next request; `None` where there is no further one. The time counts from
    /// its first byte, and from now for the first request.
    pub(crate) async fn read_head(
        &mut self,
        limits: &Limits,
        is_first: bool,
    ) -> Result<Option<RequestHead>, Refusal> {
        let mut deadline = Instant::now() + limits.handshake;
        if !is_first && self.buffer.is_empty() {
            match timeout(limits.idle_request, self.fill()).await {
                Ok(Ok(1..)) => deadline = Instant::now() + limits.handshake,
                Ok(Ok(0) | Err(_)) | Err(_) => return Ok(None),
            }
        }
        let mut seen = 0;
        loop {
            // Only a line end or too much can change the answer; a head that drips in byte by byte
            // must not be read again for each.
            let worth = self.buffer.get(seen..).is_none_or(|new| new.contains(&b'\n'))
                || self.buffer.len() > crate::limits::HEAD;
            seen = self.buffer.len();
            let read = if worth { RequestHead::read(&self.buffer) } else { Ok(None) };
            match read {
                Ok(Some((head, length))) => {
                    self.consume(length);
                    return Ok(Some(head));
                }
                Ok(None) => {}
                Err(HeadProblem::TooLarge) => return Err(Refusal::HeadTooLarge),
                Err(HeadProblem::Malformed(why)) => return Err(Refusal::Malformed(why)),
            }
            match timeout_at(deadline, self.fill()).await {
                Ok(Ok(1..)) => {}
                Ok(Ok(0)) if self.buffer.is_empty() => return Ok(None),
                Ok(Ok(0) | Err(_)) | Err(_) => return Err(Refusal::Gone),
            }
        }
    }

    /// Waits for a decision or a connection while watching the client: what it sends meanwhile is
    /// kept, up to a limit, and a reset ends the wait. A client that only closed its sending side waits
    /// for its answer.
    pub(crate) async fn hold<T>(
        &mut self,
        limit: usize,
        overflow: Overflow,
        work: impl Future<Output = T>,
    ) -> Result<T, Refusal> {
        let mut work = pin!(work);
        let mut watching = true;
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                ready = self.stream.readable(), if watching => {
                    match ready.and_then(|()| self.try_fill()) {
                        Ok(0) => watching = false,
                        Ok(_) if self.buffer.len() > limit => match overflow {
                            Overflow::Wait => watching = false,
                            Overflow::Close => return Err(Refusal::EarlyData),
                        },
                        Ok(_) => {}
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(_) => return Err(Refusal::Gone),
                    }
                }
            }
        }
    }

    /// Writes a last answer and closes so that the client can read it: closing with unread bytes would
    /// reset the connection and destroy what is on its way.
    pub(crate) async fn finish(mut self, answer: &[u8]) {
        let write = async {
            self.stream.write_all(answer).await?;
            self.stream.shutdown().await
        };
        if !matches!(timeout(DRAIN_TIME, write).await, Ok(Ok(()))) {
            return;
        }
        self.buffer.clear();
        let mut dropped = 0;
        let drain = async {
            while dropped < DRAIN {
                match self.fill().await {
                    Ok(0) | Err(_) => return,
                    Ok(length) => dropped += length,
                }
                self.buffer.clear();
            }
        };
        // Neither the end nor the time-out of this courtesy matters.
        drop(timeout(DRAIN_TIME, drain).await);
    }

    fn try_fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ);
        self.stream.try_read_buf(&mut self.buffer)
    }
}

/// Heads and hellos are small; bodies and tunnels have buffers of their own.
const READ: usize = 4 << 10;
