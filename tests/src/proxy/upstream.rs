//! Servers on loopback that stand for the whole outside.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How a server behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Sends every byte back, and its end after the client's.
    Echo,
    /// Sends this first, then echoes.
    Banner(Vec<u8>),
    /// Answers HTTP requests.
    Http,
    /// Answers a CONNECT with this, then echoes.
    Proxy(Vec<u8>),
    /// Accepts every SOCKS5 request, then echoes.
    SocksProxy,
    /// Writes so many bytes.
    Source(u64),
    /// Reads everything and says nothing.
    Sink,
    /// Sends these bytes after the request and closes.
    Answer(Vec<u8>),
    /// Resets every connection at once.
    Reset,
    /// Reads up to the end and keeps its own side open, whatever the client does.
    Deaf,
}

/// What servers saw.
#[derive(Debug, Default)]
pub struct Seen {
    connections: Mutex<Vec<Arc<Connection>>>,
    forgets: AtomicBool,
}

/// One connection of a server.
#[derive(Debug, Default)]
pub struct Connection {
    received: Mutex<Vec<u8>>,
    /// Bytes read, also those that are not kept.
    pub count: AtomicU64,
    /// Bytes written.
    pub sent: AtomicU64,
    /// Whether it is over.
    pub over: AtomicBool,
}

impl Connection {
    /// What was received, the first MiB of it.
    pub fn received(&self) -> Vec<u8> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, bytes: &[u8]) {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        if received.len() < 1 << 20 {
            received.extend_from_slice(bytes);
        }
        self.count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
}

impl Seen {
    /// Every connection.
    pub fn connections(&self) -> Vec<Arc<Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything that was received, connection after connection.
    pub fn received(&self) -> Vec<u8> {
        self.connections().iter().flat_map(|connection| connection.received()).collect()
    }

    /// Whether connections are forgotten.
    pub fn forget(&self, forgets: bool) {
        self.forgets.store(forgets, Ordering::Relaxed);
    }

    fn add(&self) -> Arc<Connection> {
        let connection = Arc::new(Connection::default());
        if self.forgets.load(Ordering::Relaxed) {
            return connection;
        }
        let mut all = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&connection));
        connection
    }
}

/// Starts a server; it lives as long as the process.
pub fn start(behaviour: Behaviour) -> io::Result<(SocketAddr, Arc<Seen>)> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    // A short queue would make thousands of clients wait for a second.
    socket.listen(4096)?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr()?;
    let seen = Arc::new(Seen::default());
    let record = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else {
                thread::sleep(Duration::from_millis(20));
                continue;
            };
            let connection = record.add();
            let behaviour = behaviour.clone();
            let serve = move || {
                // How a connection ends is what tests look at, not an error of the server.
                drop(serve(&behaviour, stream, &connection));
                connection.over.store(true, Ordering::Release);
            };
            if thread::Builder::new().stack_size(64 << 10).spawn(serve).is_err() {
                thread::sleep(Duration::from_millis(20));
            }
        }
    });
    Ok((address, seen))
}

fn serve(behaviour: &Behaviour, mut stream: TcpStream, seen: &Connection) -> io::Result<()> {
    match behaviour {
        Behaviour::Echo => echo(stream, seen),
        Behaviour::Banner(banner) => {
            stream.write_all(banner)?;
            echo(stream, seen)
        }
        Behaviour::Http => http(stream, seen),
        Behaviour::Proxy(answer) => {
            let rest = read_head(&mut stream, seen, Vec::new())?;
            stream.write_all(answer)?;
            stream.write_all(rest.as_deref().unwrap_or_default())?;
            echo(stream, seen)
        }
        Behaviour::SocksProxy => {
            let mut greeting = [0; 3];
            stream.read_exact(&mut greeting)?;
            stream.write_all(&[5, 0])?;
            let mut request = [0; 5];
            stream.read_exact(&mut request)?;
            let mut rest = vec![0; usize::from(request[4]) + 2];
            stream.read_exact(&mut rest)?;
            seen.keep(&rest);
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
            echo(stream, seen)
        }
        Behaviour::Source(length) => {
            let block = vec![b'x'; 64 << 10];
            let mut left = *length;
            while left > 0 {
                let part = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let written = stream.write(&block[..part])?;
                left -= written as u64;
                seen.sent.fetch_add(written as u64, Ordering::Relaxed);
            }
            stream.shutdown(Shutdown::Write)?;
            drain(stream, seen)
        }
        Behaviour::Reset => {
            // Long enough for the tunnel to stand.
            thread::sleep(Duration::from_millis(50));
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))
        }
        Behaviour::Deaf => {
            drain(stream.try_clone()?, seen)?;
            // Longer than any test waits.
            thread::sleep(Duration::from_secs(60));
            drop(stream);
            Ok(())
        }
        Behaviour::Sink => drain(stream, seen),
        Behaviour::Answer(answer) => {
            read_head(&mut stream, seen, Vec::new())?;
            stream.write_all(answer)?;
            stream.shutdown(Shutdown::Write)?;
            drain(stream, seen)
        }
    }
}

fn echo(mut stream: TcpStream, seen: &Connection) -> io::Result<()> {
    let mut block = [0; 16 << 10];
    loop {
        let length = stream.read(&mut block)?;
        if length == 0 {
            return stream.shutdown(Shutdown::Write);
        }
        seen.keep(&block[..length]);
        stream.write_all(&block[..length])?;
    }
}

fn drain(mut stream: TcpStream, seen: &Connection) -> io::Result<()> {
    let mut block = vec![0; 64 << 10];
    loop {
        match stream.read(&mut block)? {
            0 => return Ok(()),
            length => seen.keep(&block[..length]),
        }
    }
}

/// Reads a head; gives what came behind it.
fn read_head(
    stream: &mut TcpStream,
    seen: &Connection,
    mut buffer: Vec<u8>,
) -> io::Result<Option<Vec<u8>>> {
    let mut block = [0; 16 << 10];
    loop {
        if let Some(end) = buffer.windows(4).position(|part| part == b"\r\n\r\n") {
            seen.keep(&buffer[..end + 4]);
            return Ok(Some(buffer.split_off(end + 4)));
        }
        let length = stream.read(&mut block)?;
        if length == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&block[..length]);
    }
}

fn http(mut stream: TcpStream, seen: &Connection) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let Some(rest) = read_head(&mut stream, seen, buffer)? else { return Ok(()) };
        let head = String::from_utf8_lossy(&seen.received()).to_ascii_lowercase();
        let head = head.rsplit("\r\n\r\n").nth(1).unwrap_or_default().to_owned();
        buffer = rest;
        if head.contains("upgrade: websocket") {
            stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")?;
            stream.write_all(&buffer)?;
            return echo(stream, seen);
        }
        if head.contains("expect: 100-continue") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut left: u64 = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        let chunked = head.contains("transfer-encoding: chunked");
        let mut block = vec![0; 64 << 10];
        let mut tail = Vec::new();
        loop {
            let taken = if chunked {
                buffer.len()
            } else {
                buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX))
            };
            seen.keep(&buffer[..taken]);
            tail.extend_from_slice(&buffer[..taken]);
            let kept = tail.len().saturating_sub(5);
            tail.drain(..kept);
            buffer.drain(..taken);
            left = left.saturating_sub(taken as u64);
            let done = if chunked { tail.ends_with(b"0\r\n\r\n") } else { left == 0 };
            if done {
                break;
            }
            match stream.read(&mut block)? {
                0 => return Ok(()),
                length => buffer.extend_from_slice(&block[..length]),
            }
        }
        if head.starts_with("head ") || head.contains("\r\n\r\nhead ") {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")?;
        } else {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Reached: yes\r\n\r\nok")?;
        }
    }
}
