//! One plain HTTP request and its answer.
//!
//! A connection towards a server carries one request. Keeping it for the next would save a handshake
//! and let an answer that goes out of step reach another request.

use crate::authority::Target;
use crate::body::{self, Outgoing, Source};
use crate::head::{HeadProblem, RequestHead};
use crate::inbound::{Inbound, Overflow};
use crate::reach::{Client, Permit, Purpose, Reached};
use crate::serve_http::decide;
use crate::tunnel::Tunnel;
use crate::{Framing, Refusal, ResponseHead, UpstreamProxy};
use std::future::Future as _;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::net::tcp::{ReadHalf, WriteHalf};

/// A request that can be forwarded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange<'e> {
    pub(crate) head: &'e RequestHead,
    pub(crate) target: &'e Target,
    pub(crate) framing: Framing,
}

/// What comes after a request.
#[derive(Debug)]
pub(crate) enum After {
    /// The client may send another.
    Next(Inbound),
    /// Nothing; the connection is over.
    Done,
    /// What is a web socket now.
    Tunnel(Box<Tunnel>),
    /// The client has to be told why.
    Refused(Inbound, Refusal),
}

/// How the answer went.
enum Answered {
    /// It is complete, and the client may send another request.
    Kept,
    /// It is complete.
    Closing,
    /// The connection is a web socket now, with bytes read ahead.
    Switched(Vec<u8>),
    /// Nothing was sent to the client yet.
    Refused(Refusal),
    /// It broke off.
    Broken,
}

impl Exchange<'_> {
    /// Judges, forwards and answers.
    pub(crate) async fn run(self, client: &Client, mut inbound: Inbound) -> After {
        let to = &self.target.destination;
        let permit = match decide(client, &mut inbound, to, Overflow::Wait).await {
            Ok(permit) => permit,
            Err(refusal) => return After::Refused(inbound, refusal),
        };
        let framing = match self.peek_body(client, &mut inbound).await {
            Ok(framing) => framing,
            Err(refusal) => return After::Refused(inbound, refusal),
        };
        let early = client.shared.limits.early_data;
        let reached = client.reach(&permit, Purpose::Request);
        let reached = match inbound.hold(early, Overflow::Wait, reached).await {
            Ok(Ok(reached)) => reached,
            Ok(Err(refusal)) | Err(refusal) => return After::Refused(inbound, refusal),
        };
        client.report_allowed(&permit);
        self.exchange(client, inbound, reached, &permit, framing).await
    }

    /// Looks at the first chunk before anything is dialled, so that a malformed body reaches nobody
    /// and an empty one needs no transfer coding.
    async fn peek_body(self, client: &Client, inbound: &mut Inbound) -> Result<Framing, Refusal> {
        let waits = self.head.headers.lists("expect", "100-continue");
        if self.framing != Framing::Chunked || waits {
            return Ok(self.framing);
        }
        let limit = client.shared.limits.handshake;
        let (mut from, _) = inbound.stream.split();
        let mut source = Source { buffer: &mut inbound.buffer, from: &mut from };
        match tokio::time::timeout(limit, source.peek_chunk()).await {
            // A coding without content is a hop's own affair.
            Ok(Ok(0)) => match tokio::time::timeout(limit, source.skip_empty()).await {
                Ok(Ok(())) => Ok(Framing::Length(0)),
                Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    Err(Refusal::Malformed("its chunked body cannot be read"))
                }
                Ok(Err(_)) | Err(_) => Err(Refusal::Gone),
            },
            Ok(Ok(_)) => Ok(self.framing),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Err(Refusal::Malformed("its chunked body cannot be read"))
            }
            Ok(Err(_)) | Err(_) => Err(Refusal::Gone),
        }
    }

    async fn exchange(
        self,
        client: &Client,
        mut inbound: Inbound,
        mut reached: Reached,
        permit: &Permit,
        framing: Framing,
    ) -> After {
        let mut received = std::mem::take(&mut reached.early);
        let (mut sent_count, mut received_count) = (0, 0);
        let upload_over = AtomicBool::new(false);
        let answered = {
            let (mut from_client, mut to_client) = inbound.stream.split();
            let (mut from_server, mut to_server) = reached.stream.split();
            let mut source = Source { buffer: &mut inbound.buffer, from: &mut from_client };
            let outgoing = match framing {
                Framing::Chunked => Outgoing::Chunked,
                Framing::Empty | Framing::Length(_) | Framing::UntilClose => Outgoing::Plain,
            };
            let request = self.request(reached.relay.as_ref(), framing);
            let upload = async {
                let sent = async {
                    to_server.write_all(&request).await?;
                    body::copy(&mut source, framing, &mut to_server, outgoing, &mut sent_count)
                        .await
                };
                match sent.await {
                    Ok(()) => upload_over.store(true, Ordering::Relaxed),
                    Err(error) if is_of_client(&error) => return,
                    // What the server refuses to read does not keep it from answering.
                    Err(_) => {}
                }
                // A client that fails is not waiting for the answer any more; one that only ended its
                // side is.
                drop(source.from.ready(Interest::ERROR).await);
            };
            let answer = self.answer(
                reached.relay.is_some(),
                &mut received,
                &mut from_server,
                &mut to_client,
                &mut received_count,
            );
            let (mut upload, mut answer) = (pin!(upload), pin!(answer));
            // The answer may come before the request is complete; a broken request ends both.
            std::future::poll_fn(|context| match upload.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Answered::Broken),
                Poll::Pending => answer.as_mut().poll(context),
            })
            .await
        };
        let next = match answered {
            Answered::Kept if upload_over.into_inner() => After::Next(inbound),
            Answered::Kept | Answered::Closing | Answered::Broken => {
                if matches!(answered, Answered::Closing) || matches!(answered, Answered::Kept) {
                    inbound.finish(b"").await;
                }
                After::Done
            }
            Answered::Refused(refusal) => After::Refused(inbound, refusal),
            Answered::Switched(early) => {
                let reached = Reached { stream: reached.stream, early, relay: None };
                return After::Tunnel(Box::new(inbound.into_tunnel(reached, permit.to.clone())));
            }
        };
        client.report_closed(&permit.to, (sent_count, received_count), None);
        next
    }

    /// The request as it leaves: target and Host rebuilt, hop-by-hop headers left out, framed by us.
    fn request(self, relay: Option<&UpstreamProxy>, framing: Framing) -> Vec<u8> {
        let to = &self.target.destination;
        let host = if to.port.get() == 80 { to.host.to_string() } else { to.to_string() };
        let path = &self.target.path;
        let target = match relay {
            Some(_) if path == "*" => format!("http://{host}"),
            Some(_) => format!("http://{host}{path}"),
            None => path.clone(),
        };
        let mut out =
            format!("{} {target} HTTP/1.1\r\nHost: {host}\r\n", self.head.method).into_bytes();
        for (name, value) in self.head.headers.end_to_end() {
            push_header(&mut out, name, value);
        }
        match framing {
            Framing::Chunked => push_header(&mut out, "Transfer-Encoding", b"chunked"),
            Framing::Length(0) if !matches!(self.head.method.as_str(), "GET" | "HEAD") => {
                push_header(&mut out, "Content-Length", b"0");
            }
            Framing::Empty | Framing::Length(_) | Framing::UntilClose => {}
        }
        if self.head.wants_web_socket() {
            push_header(&mut out, "Connection", b"Upgrade");
            push_header(&mut out, "Upgrade", b"websocket");
        }
        if let Some(authorization) = relay.and_then(UpstreamProxy::authorization) {
            push_header(&mut out, "Proxy-Authorization", authorization.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    /// Passes the answer on.
    async fn answer(
        self,
        through_proxy: bool,
        received: &mut Vec<u8>,
        from_server: &mut ReadHalf<'_>,
        to_client: &mut WriteHalf<'_>,
        count: &mut u64,
    ) -> Answered {
        let to = &self.target.destination;
        let mut source = Source { buffer: received, from: from_server };
        let mut nothing_sent = true;
        loop {
            let head = match read_answer(&mut source).await {
                Ok(head) => head,
                Err(why) if nothing_sent => {
                    return Answered::Refused(Refusal::UpstreamAnswer(to.clone(), why));
                }
                Err(_) => return Answered::Broken,
            };
            match head.status {
                101 if self.head.wants_web_socket() => {
                    let mut out = status_line(&head);
                    push_header(&mut out, "Connection", b"Upgrade");
                    push_header(&mut out, "Upgrade", b"websocket");
                    push_end_to_end(&mut out, &head);
                    let early = std::mem::take(source.buffer);
                    return match to_client.write_all(&out).await {
                        Ok(()) => Answered::Switched(early),
                        Err(_) => Answered::Broken,
                    };
                }
                101 => return refuse_or_break(nothing_sent, to, "it switches protocols unasked"),
                // Interim answers, such as leave to send the body.
                100..=199 => {
                    if self.head.is_http10 {
                        continue;
                    }
                    let mut out = status_line(&head);
                    push_end_to_end(&mut out, &head);
                    if to_client.write_all(&out).await.is_err() {
                        return Answered::Broken;
                    }
                    nothing_sent = false;
                }
                // SECURITY: a challenge for this proxy's credentials must not come from outside.
                407 if through_proxy => {
                    return Answered::Refused(Refusal::UpstreamCredentials(to.clone()));
                }
                407 => return refuse_or_break(nothing_sent, to, "it asks for proxy credentials"),
                _ => return self.pass(&head, &mut source, to_client, count).await,
            }
        }
    }

    async fn pass(
        self,
        head: &ResponseHead,
        source: &mut Source<'_, '_>,
        to_client: &mut WriteHalf<'_>,
        count: &mut u64,
    ) -> Answered {
        let to = &self.target.destination;
        let framing = match head.framing(&self.head.method) {
            Ok(framing) => framing,
            Err(HeadProblem::Malformed(why)) => {
                return Answered::Refused(Refusal::UpstreamAnswer(to.clone(), why));
            }
            Err(HeadProblem::TooLarge) => {
                return Answered::Refused(Refusal::UpstreamAnswer(
                    to.clone(),
                    "its head is too large",
                ));
            }
        };
        let chunked = framing == Framing::Chunked && !self.head.is_http10;
        let ends_by_close =
            framing == Framing::UntilClose || framing == Framing::Chunked && self.head.is_http10;
        let keeps = self.head.keeps_connection() && !ends_by_close;
        let mut out = status_line(head);
        if chunked {
            push_header(&mut out, "Transfer-Encoding", b"chunked");
        }
        if !keeps {
            push_header(&mut out, "Connection", b"close");
        }
        push_end_to_end(&mut out, head);
        let outgoing = if chunked { Outgoing::Chunked } else { Outgoing::Plain };
        let passed = async {
            to_client.write_all(&out).await?;
            body::copy(source, framing, to_client, outgoing, count).await
        };
        match passed.await {
            Ok(()) if keeps => Answered::Kept,
            Ok(()) => Answered::Closing,
            Err(_) => Answered::Broken,
        }
    }
}

fn refuse_or_break(nothing_sent: bool, to: &crate::Destination, why: &'static str) -> Answered {
    if nothing_sent {
        Answered::Refused(Refusal::UpstreamAnswer(to.clone(), why))
    } else {
        Answered::Broken
    }
}

async fn read_answer(source: &mut Source<'_, '_>) -> Result<ResponseHead, &'static str> {
    loop {
        match ResponseHead::read(source.buffer) {
            Ok(Some((head, length))) => {
                source.buffer.drain(..length);
                return Ok(head);
            }
            Ok(None) => {}
            Err(HeadProblem::TooLarge) => return Err("its head is too large"),
            Err(HeadProblem::Malformed(why)) => return Err(why),
        }
        match source.fill().await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Err("it ended before its head was complete"),
        }
    }
}

/// Whether an error of the upload is the client's: its bytes were wrong, or it left.
fn is_of_client(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

fn status_line(head: &ResponseHead) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {} ", head.status).into_bytes();
    out.extend_from_slice(&head.reason);
    out.extend_from_slice(b"\r\n");
    out
}

fn push_end_to_end(out: &mut Vec<u8>, head: &ResponseHead) {
    for (name, value) in head.headers.end_to_end() {
        push_header(out, name, value);
    }
    out.extend_from_slice(b"\r\n");
}

fn push_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
