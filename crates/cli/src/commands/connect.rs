//! `connect`: a tunnel through the proxy for programs that want one as a command, such as ssh.

use crate::args::ConnectArgs;
use crate::console::Reply;
use crate::environment;
use crate::failure::{Failure, Status};
use crate::session::plain;
use portcullis_proxy::authority::parse_authority;
use portcullis_proxy::{Protocol, UpstreamProxy};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;

/// Connects and carries bytes until both sides are done.
pub(crate) fn connect(args: &ConnectArgs) -> Result<Reply, Failure> {
    let bracketed = args.host.contains(':') && !args.host.starts_with('[');
    let host = if bracketed { format!("[{}]", args.host) } else { args.host.clone() };
    let to = parse_authority(format!("{host}:{}", args.port).as_bytes()).map_err(|why| {
        Failure::usage(format!("`{} {}` is no destination: {why}", args.host, args.port))
            .hint("write a host and a port, as in `portcullis connect github.com 22`")
    })?;
    let proxy = proxy(args)?;
    let address = format!("{}:{}", proxy.host, proxy.port);
    let mut stream = TcpStream::connect(&address).map_err(|error| {
        Failure::internal(format!("cannot connect to the proxy at `{address}`: {}", plain(&error)))
            .hint("check that it runs, and that the variable names the right port")
    })?;
    let authorization = proxy
        .authorization()
        .map_or(String::new(), |value| format!("Proxy-Authorization: {value}\r\n"));
    let request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{authorization}\r\n");
    let broken =
        |error: io::Error| Failure::internal(format!("the proxy broke off: {}", plain(&error)));
    stream.write_all(request.as_bytes()).map_err(broken)?;
    let head = read_head(&mut stream).map_err(broken)?;
    let line = head.lines().next().unwrap_or_default();
    let mut words = line.splitn(3, ' ').skip(1);
    let (status, reason) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if !status.starts_with('2') {
        let reason = reason.escape_debug();
        return Err(Failure {
            status: if status == "403" { Status::Deny } else { Status::Internal },
            message: format!("the proxy does not connect to `{to}` ({status}): {reason}"),
            hint: (status == "403").then(|| {
                "to allow the host, add it to `sandbox.network.allowedDomains`".to_owned()
            }),
        });
    }
    relay(stream).map_err(broken)?;
    Ok(Reply::text("", Status::Done))
}

fn proxy(args: &ConnectArgs) -> Result<UpstreamProxy, Failure> {
    let (name, url) = match &args.proxy {
        Some(url) => ("--proxy", url.clone()),
        None => environment::PROXIES
            .iter()
            .find_map(|name| Some((*name, environment::value(name)?)))
            .ok_or_else(|| {
                Failure::usage("no proxy is named")
                    .hint("set `ALL_PROXY`, or name one by `--proxy http://127.0.0.1:3128`")
            })?,
    };
    let proxy = UpstreamProxy::parse(&url).map_err(|why| {
        // The value may hold a password.
        Failure::usage(format!("`{name}` is no proxy: {why}"))
            .hint("write it as `http://127.0.0.1:3128`")
    })?;
    if proxy.protocol == Protocol::Socks {
        return Err(Failure::usage(format!(
            "`{name}` names a SOCKS proxy, and `connect` speaks HTTP"
        ))
        .hint("write it as `http://127.0.0.1:3128`; the proxy of portcullis speaks both"));
    }
    Ok(proxy)
}

/// Reads a head byte by byte: what follows it belongs to the tunnel.
fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if head.len() > HEAD || stream.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn relay(mut stream: TcpStream) -> io::Result<()> {
    let mut up = stream.try_clone()?;
    // The thread may stay in a read of the standard input; the process ends without it.
    thread::spawn(move || {
        let copied = io::copy(&mut io::stdin().lock(), &mut up);
        if copied.is_ok() {
            up.shutdown(Shutdown::Write).ok();
        }
    });
    let mut out = io::stdout().lock();
    let mut block = vec![0; BLOCK];
    loop {
        let length = stream.read(&mut block)?;
        if length == 0 {
            return Ok(());
        }
        out.write_all(block.get(..length).unwrap_or_default())?;
        out.flush()?;
    }
}

/// More than the proxy ever answers.
const HEAD: usize = 16 << 10;
const BLOCK: usize = 64 << 10;
