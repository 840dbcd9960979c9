//! SOCKS5 clients.

use crate::authority::Via;
use crate::inbound::{Inbound, Overflow};
use crate::reach::{Client, Purpose};
use crate::serve_http::decide;
use crate::socks::{SocksProblem, read_methods, read_password, read_socks_request};
use crate::tunnel::Tunnel;
use crate::{Credentials, Destination, Refusal};
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout_at};

/// Serves a client that speaks SOCKS5.
pub(crate) async fn serve(
    client: &mut Client,
    mut inbound: Inbound,
    credentials: Option<&Credentials>,
) -> Option<Tunnel> {
    client.via = Via::Socks;
    let deadline = Instant::now() + client.shared.limits.handshake;
    let to = match timeout_at(deadline, handshake(&mut inbound, credentials)).await {
        Ok(Ok(to)) => to,
        Ok(Err(Stop::Problem(problem))) => {
            client.report_refusal(&Refusal::Malformed(problem.meaning()), None);
            inbound.finish(&reply(problem.reply())).await;
            return None;
        }
        Ok(Err(Stop::Said(bytes))) => {
            client.report_refusal(&Refusal::Credentials, None);
            inbound.finish(&bytes).await;
            return None;
        }
        Ok(Err(Stop::Gone)) | Err(_) => {
            client.report_refusal(&Refusal::Gone, None);
            return None;
        }
    };
    match tunnel_to(client, inbound, &to).await {
        Ok(tunnel) => tunnel,
        Err((inbound, refusal)) => {
            client.report_refusal(&refusal, Some(&to));
            if refusal != Refusal::EarlyData {
                inbound.finish(&reply(refusal.socks_reply())).await;
            }
            None
        }
    }
}

async fn tunnel_to(
    client: &Client,
    mut inbound: Inbound,
    to: &Destination,
) -> Result<Option<Tunnel>, (Inbound, Refusal)> {
    let permit = match decide(client, &mut inbound, to, Overflow::Close).await {
        Ok(permit) => permit,
        Err(refusal) => return Err((inbound, refusal)),
    };
    let early = client.shared.limits.early_data;
    let reached = client.reach(&permit, Purpose::Tunnel);
    let reached = match inbound.hold(early, Overflow::Wait, reached).await {
        Ok(Ok(reached)) => reached,
        Ok(Err(refusal)) | Err(refusal) => return Err((inbound, refusal)),
    };
    client.report_allowed(&permit);
    let answered = inbound.stream.write_all(&reply(0)).await;
    Ok(answered.is_ok().then(|| inbound.into_tunnel(reached, permit.to)))
}

/// Why a handshake ended.
enum Stop {
    Problem(SocksProblem),
    /// With these last bytes.
    Said(Vec<u8>),
    Gone,
}

impl From<SocksProblem> for Stop {
    fn from(problem: SocksProblem) -> Self {
        Self::Problem(problem)
    }
}

async fn handshake(
    inbound: &mut Inbound,
    credentials: Option<&Credentials>,
) -> Result<Destination, Stop> {
    let method = loop {
        if let Some((methods, length)) = read_methods(&inbound.buffer)? {
            let method = choose(methods, credentials.is_some());
            inbound.consume(length);
            break method;
        }
        more(inbound).await?;
    };
    let Some(method) = method else { return Err(Stop::Said(vec![5, 0xff])) };
    inbound.stream.write_all(&[5, method]).await.map_err(|_gone| Stop::Gone)?;
    if method == PASSWORD {
        let accepted = loop {
            if let Some((user, password, length)) = read_password(&inbound.buffer)? {
                let accepted = credentials.is_none_or(|own| own.accepts_password(user, password));
                inbound.consume(length);
                break accepted;
            }
            more(inbound).await?;
        };
        if !accepted {
            return Err(Stop::Said(vec![1, 1]));
        }
        inbound.stream.write_all(&[1, 0]).await.map_err(|_gone| Stop::Gone)?;
    }
    loop {
        if let Some((request, length)) = read_socks_request(&inbound.buffer)? {
            inbound.consume(length);
            return Ok(request.destination);
        }
        more(inbound).await?;
    }
}

async fn more(inbound: &mut Inbound) -> Result<(), Stop> {
    match inbound.fill().await {
        Ok(1..) => Ok(()),
        Ok(0) | Err(_) => Err(Stop::Gone),
    }
}

/// The method to go on with: a password where one is needed, or where the client has nothing else.
fn choose(methods: &[u8], needs_password: bool) -> Option<u8> {
    let offered = |method: u8| methods.contains(&method).then_some(method);
    if needs_password { offered(PASSWORD) } else { offered(NONE).or_else(|| offered(PASSWORD)) }
}

fn reply(code: u8) -> Vec<u8> {
    vec![5, code, 0, 1, 0, 0, 0, 0, 0, 0]
}

const NONE: u8 = 0;
const PASSWORD: u8 = 2;
