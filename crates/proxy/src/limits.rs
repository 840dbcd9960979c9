//! Every limit, with its reason.

use std::time::Duration;

/// What the proxy holds at most. Reaching a limit is answered with a 503 and a code of its own, or, for
/// a client that does not finish its sentence, by closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of one sandbox. Build tools open some dozens; each costs two descriptors.
    pub connections: usize,
    /// Questions that wait for an answer. A person answers one at a time.
    pub pending_asks: usize,
    /// Bytes a client may send while its question waits; a TLS handshake starts with a few KiB.
    pub early_data: usize,
    /// Until a request head or a SOCKS handshake is complete, in all and not per byte.
    pub handshake: Duration,
    /// Until the next request of a kept-alive client starts.
    pub idle_request: Duration,
    /// Until the names have been looked up.
    pub lookup: Duration,
    /// Until the connection to the destination stands, over all its addresses.
    pub connect: Duration,
    /// Before the next address is tried beside the last one (RFC 8305, section 5).
    pub connect_stagger: Duration,
    /// Until a started TLS hello is complete.
    pub hello: Duration,
    /// Until a question counts as denied.
    pub ask: Duration,
    /// How long a no holds for a command that has no name of its own.
    pub remember_no: Duration,
    /// Wait after accepting failed for want of descriptors.
    pub descriptor_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            pending_asks: 8,
            early_data: 64 << 10,
            handshake: Duration::from_secs(10),
            idle_request: Duration::from_secs(120),
            lookup: Duration::from_secs(5),
            connect: Duration::from_secs(30),
            connect_stagger: Duration::from_millis(250),
            hello: Duration::from_secs(5),
            ask: Duration::from_secs(300),
            remember_no: Duration::from_secs(60),
            descriptor_pause: Duration::from_millis(100),
        }
    }
}

/// A request or response head; the header block of no honest client comes near.
pub(crate) const HEAD: usize = 64 << 10;

/// Header lines of one head.
pub(crate) const HEADERS: usize = 200;

/// What an upstream proxy may answer a CONNECT with.
pub(crate) const CONNECT_REPLY: usize = 16 << 10;

/// A line that announces a chunk, extensions included.
pub(crate) const CHUNK_LINE: usize = 1 << 10;

/// Trailers of a chunked body, all together.
pub(crate) const TRAILERS: usize = 8 << 10;

/// A `ClientHello` over all its records; post-quantum key shares make it some KiB.
pub(crate) const HELLO: usize = 16 << 10;

/// Connections beyond the limit that are told so; further ones are closed at once.
pub(crate) const TURNED_AWAY: usize = 64;

/// What is read and dropped after a refusal, so that the client can read the refusal.
pub(crate) const DRAIN: usize = 256 << 10;

/// How long that may take.
pub(crate) const DRAIN_TIME: Duration = Duration::from_secs(1);

/// A line of the control channel.
pub(crate) const CHANNEL_LINE: usize = 64 << 10;

/// Answers that are remembered, of each kind.
pub(crate) const REMEMBERED: usize = 4096;

/// Kept-alive tunnels are probed so that a peer that vanished is noticed.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(60);
