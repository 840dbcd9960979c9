//! Loads a proxy and measures it: `proxy-load measure NAME [ADDR PID]`, and the least that any proxy
//! does, to compare with: `proxy-load relay`.
//!
//! Without an address the server is contacted directly. Times never fail anything; they are printed.

#![forbid(unsafe_code)]
#![expect(clippy::cast_precision_loss, reason = "measurements are rounded anyway")]
#![expect(clippy::indexing_slicing, reason = "a program that only measures")]

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["relay"] => relay(),
        ["measure", name] => measure(name, None),
        ["measure", name, address, process] => match (address.parse(), process.parse()) {
            (Ok(address), Ok(process)) => measure(name, Some((address, process))),
            _ => Err(io::Error::other("the address or the process is no number")),
        },
        _ => Err(io::Error::other("usage: proxy-load relay | measure NAME [ADDR PID]")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "proxy-load: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

/// One row of the table.
fn measure(name: &str, proxy: Option<(SocketAddr, u32)>) -> io::Result<()> {
    let server = server()?;
    let ticks = || proxy.map_or(0, |(_, process)| ticks(process));
    // The first connections pay for what comes once.
    tunnels(proxy, server, 4, Duration::from_millis(200));
    let before = ticks();
    let (count, median, worst) = tunnels(proxy, server, CLIENTS, SPAN);
    let per_tunnel = micros(ticks() - before) / count.max(1) as f64;
    let per_second = count as f64 / SPAN.as_secs_f64();
    let before = ticks();
    let rate = throughput(proxy, server)?;
    let per_gib = micros(ticks() - before) / 1e6 / (BULK as f64 / f64::from(1 << 30));
    let memory = match proxy {
        Some((_, process)) => {
            let idle: Vec<_> = (0..IDLE).filter_map(|_| open(proxy, server, b'e').ok()).collect();
            thread::sleep(Duration::from_millis(500));
            let memory = memory(process);
            format!("{:.1} MiB with {}", memory as f64 / 1024.0, idle.len())
        }
        None => "-".to_owned(),
    };
    writeln!(
        io::stdout(),
        "{name:<12} {per_second:>8.0} {median:>8.2} {worst:>8.2} {per_tunnel:>8.0} {rate:>8.0} {per_gib:>8.2}   {memory}"
    )
}

/// Tunnels made, used for one byte and closed: how many, and the median and 99th percentile in ms.
fn tunnels(
    proxy: Option<(SocketAddr, u32)>,
    server: SocketAddr,
    clients: usize,
    span: Duration,
) -> (usize, f64, f64) {
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..clients)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                let mut times = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let started = Instant::now();
                    if open(proxy, server, b'e').is_ok() {
                        times.push(started.elapsed());
                    }
                }
                times
            })
        })
        .collect();
    thread::sleep(span);
    stop.store(true, Ordering::Relaxed);
    let mut times: Vec<Duration> =
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect();
    times.sort();
    let at = |part: usize| {
        times.get(times.len() * part / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    (times.len(), at(50), at(99))
}

/// Opens a tunnel, says what it is for, and waits for the first byte.
fn open(
    proxy: Option<(SocketAddr, u32)>,
    server: SocketAddr,
    purpose: u8,
) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(proxy.map_or(server, |(address, _)| address))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    if proxy.is_some() {
        write!(stream, "CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n\r\n")?;
        let mut head = Vec::new();
        let mut block = [0; 1024];
        while !head.ends_with(b"\r\n\r\n") {
            let length = stream.read(&mut block)?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            head.extend_from_slice(&block[..length]);
        }
        if !head.starts_with(b"HTTP/1.1 200") && !head.starts_with(b"HTTP/1.0 200") {
            return Err(io::Error::other(String::from_utf8_lossy(&head).into_owned()));
        }
    }
    stream.write_all(&[purpose, b'x'])?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    Ok(stream)
}

/// MiB a second of one long answer.
fn throughput(proxy: Option<(SocketAddr, u32)>, server: SocketAddr) -> io::Result<f64> {
    let mut stream = open(proxy, server, b'b')?;
    let mut block = vec![0; 1 << 20];
    let started = Instant::now();
    let mut left = BULK;
    while left > 0 {
        let length = stream.read(&mut block)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        left = left.saturating_sub(length);
    }
    Ok(BULK as f64 / f64::from(1 << 20) / started.elapsed().as_secs_f64())
}

/// A server that echoes one byte, or sends much.
fn server() -> io::Result<SocketAddr> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(4096)?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || runtime.block_on(answer_all(listener)));
    Ok(address)
}

async fn answer_all(listener: TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: tokio::net::TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut purpose = [0; 2];
    stream.read_exact(&mut purpose).await?;
    stream.write_all(b"y").await?;
    if purpose[0] == b'b' {
        let block = vec![0; 256 << 10];
        for _ in 0..BULK / block.len() {
            stream.write_all(&block).await?;
        }
    }
    // Until the client is done.
    stream.read(&mut purpose).await.map(drop)
}

/// What every proxy does at least: reads a head, connects, copies.
fn relay() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        writeln!(io::stdout(), "{}", listener.local_addr()?)?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(carry(stream));
        }
    })
}

async fn carry(mut client: tokio::net::TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let target = text.split(' ').nth(1).unwrap_or_default();
    let mut server = tokio::net::TcpStream::connect(target).await?;
    server.set_nodelay(true)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// CPU time of a process and of the children it has now, in clock ticks.
fn ticks(process: u32) -> u64 {
    family(process).into_iter().filter_map(own_ticks).sum()
}

fn own_ticks(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Proportional memory of a process and of its children, in KiB.
fn memory(process: u32) -> u64 {
    let pss = |process: u32| {
        let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
        let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    family(process).into_iter().filter_map(pss).sum()
}

fn family(process: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let mut all = vec![process];
    for child in
        children.unwrap_or_default().split_whitespace().filter_map(|word| word.parse().ok())
    {
        all.extend(family(child));
    }
    all
}

/// Clock ticks are hundredths of a second on Linux as user space sees it (`sysconf(_SC_CLK_TCK)`).
fn micros(ticks: u64) -> f64 {
    ticks as f64 * 10_000.0
}

const CLIENTS: usize = 16;
const SPAN: Duration = Duration::from_secs(2);
const BULK: usize = 1 << 30;
const IDLE: usize = 1_000;
