//! HTTP clients: CONNECT, and plain requests one by one.

use crate::authority::{TargetProblem, Via, parse_authority, parse_target};
use crate::forward;
use crate::head::{HeadProblem, RequestHead};
use crate::inbound::{Inbound, Overflow};
use crate::reach::{Client, Permit, Purpose};
use crate::tunnel::Tunnel;
use crate::{Credentials, Destination, Framing, Refusal};
use tokio::io::AsyncWriteExt as _;

/// Serves a client that speaks HTTP until it or we are done.
pub(crate) async fn serve(
    client: &mut Client,
    mut inbound: Inbound,
    credentials: Option<&Credentials>,
) -> Option<Tunnel> {
    let mut is_first = true;
    loop {
        let head = match inbound.read_head(&client.shared.limits, is_first).await {
            Ok(Some(head)) => head,
            Ok(None) => return None,
            Err(refusal) => {
                client.is_head = inbound.buffer.starts_with(b"HEAD ");
                return refuse(client, inbound, &refusal, None).await;
            }
        };
        is_first = false;
        client.is_head = head.method == "HEAD";
        client.started = tokio::time::Instant::now();
        client.via = if head.method == "CONNECT" { Via::Connect } else { Via::Http };
        if let Some(credentials) = credentials
            && !head
                .headers
                .every("proxy-authorization")
                .any(|value| credentials.accepts_basic(value))
        {
            return refuse(client, inbound, &Refusal::Credentials, None).await;
        }
        if head.method == "CONNECT" {
            return connect(client, inbound, &head).await;
        }
        let (target, framing) = match plan(&head) {
            Ok(plan) => plan,
            Err(refusal) => return refuse(client, inbound, &refusal, None).await,
        };
        let to = target.destination.clone();
        let exchange = forward::Exchange { head: &head, target: &target, framing };
        match exchange.run(client, inbound).await {
            forward::After::Next(again) => inbound = again,
            forward::After::Done => return None,
            forward::After::Tunnel(tunnel) => return Some(*tunnel),
            forward::After::Refused(inbound, refusal) => {
                return refuse(client, inbound, &refusal, Some(&to)).await;
            }
        }
    }
}

/// What a plain request asks for.
fn plan(head: &RequestHead) -> Result<(crate::authority::Target, Framing), Refusal> {
    let target =
        parse_target(head.method.as_bytes(), &head.target).map_err(|problem| match problem {
            TargetProblem::Malformed(why) => Refusal::Malformed(why),
            TargetProblem::Https => Refusal::UseConnect,
        })?;
    // The echo of a request would show what the proxy or others added to it.
    if matches!(head.method.as_str(), "TRACE" | "TRACK") {
        return Err(Refusal::Method);
    }
    let framing = head.framing().map_err(|problem| match problem {
        HeadProblem::Malformed(why) => Refusal::Malformed(why),
        HeadProblem::TooLarge => Refusal::HeadTooLarge,
    })?;
    Ok((target, framing))
}

async fn connect(client: &Client, mut inbound: Inbound, head: &RequestHead) -> Option<Tunnel> {
    let to = match tunnel_target(head) {
        Ok(to) => to,
        Err(refusal) => return refuse(client, inbound, &refusal, None).await,
    };
    let permit = match decide(client, &mut inbound, &to, Overflow::Close).await {
        Ok(permit) => permit,
        Err(refusal) => return refuse(client, inbound, &refusal, Some(&to)).await,
    };
    let early = client.shared.limits.early_data;
    let reached = client.reach(&permit, Purpose::Tunnel);
    let reached = match inbound.hold(early, Overflow::Wait, reached).await {
        Ok(Ok(reached)) => reached,
        Ok(Err(refusal)) | Err(refusal) => {
            return refuse(client, inbound, &refusal, Some(&permit.to)).await;
        }
    };
    client.report_allowed(&permit);
    // Only now: a client that hears 200 believes that it talks to the destination.
    let answered = inbound.stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    answered.is_ok().then(|| inbound.into_tunnel(reached, permit.to))
}

fn tunnel_target(head: &RequestHead) -> Result<Destination, Refusal> {
    let to = parse_authority(&head.target).map_err(Refusal::Malformed)?;
    // SECURITY: what is a body to one reader is the start of the tunnel to another.
    match head.framing() {
        Ok(Framing::Empty) => Ok(to),
        Ok(Framing::Length(_) | Framing::Chunked | Framing::UntilClose) => {
            Err(Refusal::Malformed("a CONNECT request has no body"))
        }
        Err(HeadProblem::Malformed(why)) => Err(Refusal::Malformed(why)),
        Err(HeadProblem::TooLarge) => Err(Refusal::HeadTooLarge),
    }
}

/// Judges a destination, holding what the client sends meanwhile.
pub(crate) async fn decide(
    client: &Client,
    inbound: &mut Inbound,
    to: &Destination,
    overflow: Overflow,
) -> Result<Permit, Refusal> {
    inbound.hold(client.shared.limits.early_data, overflow, client.decide(to)).await?
}

/// Reports a refusal and tells the client. There will be no tunnel.
pub(crate) async fn refuse(
    client: &Client,
    inbound: Inbound,
    refusal: &Refusal,
    to: Option<&Destination>,
) -> Option<Tunnel> {
    client.report_refusal(refusal, to);
    let answer = refusal.response(client.is_head);
    if !answer.is_empty() {
        inbound.finish(&answer).await;
    }
    None
}
