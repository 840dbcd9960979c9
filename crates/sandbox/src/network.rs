//! The messages that build the network of a sandbox; rtnetlink(7).

/// Brings up the loopback of a fresh network namespace. With `catches`, every address becomes one of its
/// own: a listener on all addresses gets what is sent to any of them, and sees to which. Without
/// listeners no address leads anywhere, and programs are told so at once.
pub(crate) fn messages(catches: bool) -> Vec<Vec<u8>> {
    let mut messages = vec![loopback_up()];
    if catches {
        messages.push(every_address_local());
    }
    messages
}

const LOOPBACK: u32 = 1;

fn loopback_up() -> Vec<u8> {
    const RTM_NEWLINK: u16 = 16;
    const IFF_UP: u32 = 1;
    let mut body = vec![0_u8; 4];
    for word in [LOOPBACK, IFF_UP, IFF_UP] {
        body.extend(word.to_ne_bytes());
    }
    message(RTM_NEWLINK, 0, &body)
}

fn every_address_local() -> Vec<u8> {
    const RTM_NEWROUTE: u16 = 24;
    const CREATE_EXCLUSIVELY: u16 = 0x400 | 0x200;
    const NO_PREFIX: u8 = 0;
    const TABLE_LOCAL: u8 = 255;
    const PROTOCOL_STATIC: u8 = 4;
    const SCOPE_HOST: u8 = 254;
    const TYPE_LOCAL: u8 = 2;
    const OUTPUT: u16 = 4;
    let family = u8::try_from(libc::AF_INET).unwrap_or(0);
    let mut body =
        vec![family, NO_PREFIX, 0, 0, TABLE_LOCAL, PROTOCOL_STATIC, SCOPE_HOST, TYPE_LOCAL];
    body.extend(0_u32.to_ne_bytes());
    body.extend(8_u16.to_ne_bytes());
    body.extend(OUTPUT.to_ne_bytes());
    body.extend(LOOPBACK.to_ne_bytes());
    message(RTM_NEWROUTE, CREATE_EXCLUSIVELY, &body)
}

/// netlink(7): a header, and the wish for an answer.
fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    const REQUEST: u16 = 1;
    const ACKNOWLEDGE: u16 = 4;
    const HEADER: usize = 16;
    let length = u32::try_from(HEADER + body.len()).unwrap_or(0);
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend((flags | REQUEST | ACKNOWLEDGE).to_ne_bytes());
    message.extend(1_u32.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend(body);
    message
}
