//! Loads proxies and compares them: `load compare ROUNDS [NAME ADDR PID]...`, and the least that
//! any proxy does, to compare with: `load relay`.
//!
//! Everything is measured in turn, round after round, beside no proxy at all; what is printed are medians,
//! with the least and the most. Times never fail anything.

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
        ["compare", rounds, proxies @ ..] => compare(rounds, proxies),
        _ => Err(io::Error::other(USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "load: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

/// What is compared.
struct Proxy<'n> {
    name: &'n str,
    /// Where it listens, and its process; nothing for no proxy at all.
    at: Option<(SocketAddr, u32)>,
    rounds: Vec<[f64; COLUMNS.len()]>,
}

fn compare(rounds: &str, proxies: &[&str]) -> io::Result<()> {
    let rounds: usize = rounds.parse().map_err(io::Error::other)?;
    let mut all = vec![Proxy { name: "direct", at: None, rounds: Vec::new() }];
    for proxy in proxies.chunks(3) {
        let [name, address, process] = proxy else { return Err(io::Error::other(USAGE)) };
        let address = address.parse().map_err(io::Error::other)?;
        let process = process.parse().map_err(io::Error::other)?;
        all.push(Proxy { name, at: Some((address, process)), rounds: Vec::new() });
    }
    let server = server()?;
    for proxy in &mut all {
        // The first connections pay for what comes once.
        tunnels(proxy.at, server, 4, Duration::from_millis(300));
    }
    for _ in 0..rounds {
        for proxy in &mut all {
            let measured = measure(proxy.at, server)
                .map_err(|error| io::Error::other(format!("{}: {error}", proxy.name)))?;
            proxy.rounds.push(measured);
        }
    }
    table(&all)
}

/// One round of one proxy.
fn measure(
    proxy: Option<(SocketAddr, u32)>,
    server: SocketAddr,
) -> io::Result<[f64; COLUMNS.len()]> {
    let ticks = || proxy.map_or(0, |(_, process)| ticks(process));
    let before = ticks();
    let (count, median, worst) = tunnels(proxy, server, CLIENTS, SPAN);
    let per_tunnel = micros(ticks() - before) / count.max(1) as f64;
    let per_second = count as f64 / SPAN.as_secs_f64();
    let before = ticks();
    let rate = throughput(proxy, server)?;
    let per_gib = micros(ticks() - before) / 1e6 / (BULK as f64 / f64::from(1 << 30));
    let mut resident = 0.0;
    if let Some((_, process)) = proxy {
        let idle: io::Result<Vec<_>> = (0..IDLE).map(|_| open(proxy, server, b'e')).collect();
        thread::sleep(Duration::from_millis(500));
        resident = memory(process) as f64 / 1024.0;
        drop(idle?);
        thread::sleep(Duration::from_millis(500));
    }
    Ok([per_second, median, worst, per_tunnel, rate, per_gib, resident])
}

const USAGE: &str = "usage: load relay | compare ROUNDS [NAME ADDR PID]...";

/// Headings, and how many decimals.
const COLUMNS: [(&str, usize); 7] = [
    ("tunnels/s", 0),
    ("p50 ms", 2),
    ("p99 ms", 1),
    ("CPU us/tunnel", 0),
    ("MiB/s", 0),
    ("CPU s/GiB", 2),
    ("MiB, 1,000 idle", 1),
];

fn table(all: &[Proxy<'_>]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let headings: Vec<_> = COLUMNS.iter().map(|(heading, _)| *heading).collect();
    writeln!(out, "| | {} |", headings.join(" | "))?;
    writeln!(out, "|---{}|", "|---".repeat(COLUMNS.len()))?;
    for proxy in all {
        let cells = COLUMNS.iter().enumerate().map(|(column, (_, decimals))| {
            let sorted = column_of(proxy, column);
            let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
            let middle = sorted[sorted.len() / 2];
            if most == 0.0 {
                return "-".to_owned();
            }
            format!("{middle:.decimals$} [{least:.decimals$}-{most:.decimals$}]")
        });
        writeln!(out, "| {} | {} |", proxy.name, cells.collect::<Vec<_>>().join(" | "))?;
    }
    let Some(ours) = all.get(1) else { return Ok(()) };
    for other in all.iter().filter(|other| other.name != ours.name) {
        // Of each round, so that what else the machine did meanwhile counts for both.
        let ratio = |column: usize| {
            let mut ratios: Vec<f64> = ours
                .rounds
                .iter()
                .zip(&other.rounds)
                .map(|(ours, other)| ours[column] / other[column])
                .collect();
            ratios.sort_by(f64::total_cmp);
            ratios[ratios.len() / 2]
        };
        writeln!(
            out,
            "{} to {}: tunnels {:.2}, throughput {:.2}",
            ours.name,
            other.name,
            ratio(0),
            ratio(4)
        )?;
    }
    Ok(())
}

fn column_of(proxy: &Proxy<'_>, column: usize) -> Vec<f64> {
    let mut values: Vec<f64> = proxy.rounds.iter().map(|round| round[column]).collect();
    values.sort_by(f64::total_cmp);
    values
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

/// Resident memory of a process and of its children, in KiB.
fn memory(process: u32) -> u64 {
    let resident = |process: u32| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    family(process).into_iter().filter_map(resident).sum()
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
const SPAN: Duration = Duration::from_millis(1500);
const BULK: usize = 1 << 30;
const IDLE: usize = 1_000;
