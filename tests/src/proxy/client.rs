//! Clients that write raw bytes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a client waits for what should come at once.
pub const SOON: Duration = Duration::from_secs(8);

/// A client of the proxy.
#[derive(Debug)]
pub struct Client {
    /// The connection.
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

/// A response as a client reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Everything up to the empty line.
    pub head: String,
    /// The body, if its length was announced.
    pub body: String,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Client {
    /// Connects.
    pub fn connect(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SOON))?;
        stream.set_write_timeout(Some(SOON))?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Writes; a proxy that closed already makes no difference here.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Ends the sending side.
    pub fn finish(&self) {
        self.stream.shutdown(Shutdown::Write).ok();
    }

    /// Waits at most so long from now on.
    pub fn patience(&self, time: Duration) {
        self.stream.set_read_timeout(Some(time)).ok();
    }

    /// Reads some bytes; nothing at the end, on a reset, or when the patience is over.
    pub fn some(&mut self) -> Vec<u8> {
        if !self.buffer.is_empty() {
            return std::mem::take(&mut self.buffer);
        }
        let mut block = vec![0; 64 << 10];
        let length = self.stream.read(&mut block).unwrap_or(0);
        block.truncate(length);
        block
    }

    /// Reads exactly so many bytes, or what there is.
    pub fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let more = self.some();
            if more.is_empty() {
                break;
            }
            bytes.extend(more);
        }
        self.buffer = bytes.split_off(length.min(bytes.len()));
        bytes
    }

    /// Reads up to the end.
    pub fn rest(&mut self) -> Vec<u8> {
        self.exactly(usize::MAX >> 1)
    }

    /// Whether the connection ends, without a byte more, within a time.
    pub fn ends_within(&mut self, time: Duration) -> bool {
        self.patience(time);
        let started = Instant::now();
        let nothing = self.some().is_empty();
        nothing && started.elapsed() < time
    }

    /// Reads a response; `None` where the connection ends first.
    pub fn response(&mut self) -> Option<Response> {
        let mut response = self.response_head()?;
        let length = response.header("Content-Length").and_then(|length| length.parse().ok());
        if let Some(length) = length {
            response.body = String::from_utf8_lossy(&self.exactly(length)).into_owned();
        }
        Some(response)
    }

    /// Reads the response to a HEAD request, which must have no body; what comes all the same is kept.
    pub fn response_to_head(&mut self) -> Option<Response> {
        let mut response = self.response_head()?;
        self.patience(Duration::from_millis(100));
        response.body = String::from_utf8_lossy(&self.some()).into_owned();
        self.patience(SOON);
        Some(response)
    }

    fn response_head(&mut self) -> Option<Response> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
                break end + 4;
            }
            let more = self.some();
            if more.is_empty() {
                self.buffer = bytes;
                return None;
            }
            bytes.extend(more);
        };
        self.buffer = bytes.split_off(end);
        let head = String::from_utf8_lossy(&bytes).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        Some(Response { status, head, body: String::new() })
    }

    /// Ends with a reset.
    pub fn reset(self) {
        let linger = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        drop(linger);
        drop(self.stream);
    }
}
