//! Connections of programs that ignore proxy settings, caught on their way.
//!
//! Inside the sandbox every address is local, so the address a connection was accepted at is where its
//! program meant to go: one the DNS stub made up, or one the program knew by itself.

use crate::authority::Via;
use crate::fake_address::is_fake;
use crate::inbound::{Inbound, Overflow};
use crate::reach::{Client, Purpose};
use crate::serve_http::decide;
use crate::tunnel::Tunnel;
use crate::{Destination, Refusal};
use portcullis_rules::Host;
use std::num::NonZeroU16;

/// Serves a connection that was caught. There is nobody to explain a refusal to but the report.
pub(crate) async fn serve(client: &mut Client, mut inbound: Inbound) -> Option<Tunnel> {
    client.via = Via::Transparent;
    let meant = inbound.stream.local_addr().ok()?;
    let port = NonZeroU16::new(meant.port())?;
    let to = Destination { host: Host::from(meant.ip()), port };
    if let Host::V4(address) = to.host
        && is_fake(address)
        && client.name_of(address).is_none()
    {
        let refusal = Refusal::Malformed("the address stands for no name");
        client.report_refusal(&refusal, Some(&to));
        return None;
    }
    let permit = match decide(client, &mut inbound, &to, Overflow::Close).await {
        Ok(permit) => permit,
        Err(refusal) => {
            client.report_refusal(&refusal, Some(&to));
            return None;
        }
    };
    let early = client.shared.limits.early_data;
    let reached = client.reach(&permit, Purpose::Tunnel);
    match inbound.hold(early, Overflow::Wait, reached).await {
        Ok(Ok(reached)) => {
            client.report_allowed(&permit);
            Some(inbound.into_tunnel(reached, permit.to))
        }
        Ok(Err(refusal)) | Err(refusal) => {
            client.report_refusal(&refusal, Some(&permit.to));
            None
        }
    }
}
