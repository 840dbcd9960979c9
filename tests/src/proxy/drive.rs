//! Plays the client of a proxy case.

use crate::proxy::cases::{Outcome, ProxyCase, strings, text};
use crate::proxy::client::{Client, Response};
use crate::proxy::expect::header;
use crate::proxy::hello::Hello;
use crate::proxy::placeholders;
use crate::proxy::world::World;
use portcullis_proxy::Verdict;
use serde_json::Value;
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

/// A connection that has been answered.
pub(super) struct Opened {
    pub(super) outcome: Outcome,
    /// The tunnel, and what was sent into it ahead.
    pub(super) tunnel: Option<(Client, Vec<u8>)>,
}

impl From<Outcome> for Opened {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, tunnel: None }
    }
}

impl ProxyCase {
    pub(super) fn drive(&self, world: &World) -> Result<Outcome, String> {
        if let Some(targets) = self.at_once()? {
            return self.drive_many(world, &targets);
        }
        if let Some(targets) = self.request.get("sequence") {
            let mut outcome = Outcome::default();
            let mut each = Vec::new();
            for target in strings(Some(targets)) {
                outcome = self.play_one(world, Some(&target))?;
                each.push(outcome.as_each());
            }
            return Ok(Outcome { each, ..outcome });
        }
        if self.request.contains_key("keepalive") {
            return self.keep_alive(world);
        }
        self.play_one(world, None)
    }

    fn play_one(&self, world: &World, target: Option<&str>) -> Result<Outcome, String> {
        let opened = self.open(world, target)?;
        self.finish(world, opened)
    }

    /// Asks for one target, that of the request where none is given.
    pub(super) fn open(&self, world: &World, target: Option<&str>) -> Result<Opened, String> {
        match text("via", &self.request) {
            Some("connect") => {
                let named = target.or_else(|| text("target", &self.request));
                let mut target = named.ok_or("a request without a target")?.to_owned();
                if text("proxy_listen", &self.policy) == Some(&target) {
                    target = world.address.to_string();
                }
                self.connect(world, &target)
            }
            Some("http") => {
                let url = target.or_else(|| text("url", &self.request));
                Ok(self.http(world, url.ok_or("a request without a URL")?)?.into())
            }
            Some("socks5") => self.socks(world, target),
            Some("socks4") => Ok(self.socks4(world)?.into()),
            Some("raw") => Ok(self.raw(world)?.into()),
            other => Err(format!("no way to drive {other:?}")),
        }
    }

    /// Uses the tunnel, if there is one.
    pub(super) fn finish(&self, world: &World, opened: Opened) -> Result<Outcome, String> {
        let Opened { mut outcome, tunnel } = opened;
        if let Some((client, early)) = tunnel {
            self.in_tunnel(world, client, &early, &mut outcome)?;
        }
        Ok(outcome)
    }

    fn connect(&self, world: &World, target: &str) -> Result<Opened, String> {
        let mut client = connect(world)?;
        let mut head = format!("CONNECT {target} HTTP/{}\r\n", self.version());
        match self.request.get("raw_headers") {
            Some(lines) => push_lines(&mut head, lines),
            None => write!(head, "Host: {target}\r\n").map_err(|error| error.to_string())?,
        }
        self.push_credentials(&mut head);
        head.push_str("\r\n");
        let early = self.early();
        let mut bytes = head.into_bytes();
        bytes.extend(&early);
        client.send(&bytes);
        let Some(response) = client.response() else {
            return Ok(Outcome { decision: "closed", ..Outcome::default() }.into());
        };
        let outcome = refused(world, &response);
        let tunnel = (response.status == 200).then_some((client, early));
        Ok(Opened { outcome, tunnel })
    }

    /// What is sent before the answer is there.
    pub(super) fn early(&self) -> Vec<u8> {
        if let Some(text) = text("early", &self.request) {
            // What starts like a TLS handshake has to be one.
            return if text.starts_with('\u{16}') {
                Hello::to("api.example.com").bytes()
            } else {
                text.as_bytes().to_vec()
            };
        }
        let length = self.request.get("early_bytes").and_then(Value::as_u64).unwrap_or(0);
        vec![b'e'; usize::try_from(length).unwrap_or(0)]
    }

    fn in_tunnel(
        &self,
        world: &World,
        mut client: Client,
        early: &[u8],
        outcome: &mut Outcome,
    ) -> Result<(), String> {
        let started = Instant::now();
        if let Some(banner) = text("server_first", &self.request) {
            let works = client.exactly(banner.len()) == banner.as_bytes();
            outcome.server_first = works.then(|| started.elapsed());
        }
        if self.does("slow_reader") {
            read_slowly(world, outcome);
            return Ok(());
        }
        if self.does("client_rst") {
            client.send(b"x");
            client.exactly(1);
            client.reset();
            outcome.upstream_closed = closed_within(world, Duration::from_secs(3));
            outcome.decision = "allow";
            return Ok(());
        }
        let idle = self.request.get("idle_ms").and_then(Value::as_u64).unwrap_or(0);
        thread::sleep(Duration::from_millis(idle));
        let first = self.first_bytes(early)?;
        for part in &first {
            client.send(part);
            if first.len() > 1 {
                thread::sleep(Duration::from_micros(500));
            }
        }
        let half_close = self.does("client_half_close");
        if half_close {
            client.finish();
        }
        let mut wanted = early.to_vec();
        wanted.extend(first.concat());
        let echoed = client.exactly(wanted.len());
        outcome.early = early.len();
        outcome.sent = wanted.len();
        outcome.echoed = echoed.len();
        outcome.decision = if echoed == wanted { "allow" } else { "closed" };
        if half_close && !client.ends_within(Duration::from_secs(2)) {
            outcome.decision = "hangs";
        }
        Ok(())
    }

    /// What a client sends into its tunnel, in segments.
    fn first_bytes(&self, early: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        if let Some(text) = text("first_bytes", &self.request) {
            return Ok(vec![text.as_bytes().to_vec()]);
        }
        let named = text("tls_sni", &self.request);
        let shape = text("client_hello", &self.request);
        if !self.request.contains_key("tls_sni") && shape.is_none() {
            return Ok(if early.is_empty() { vec![b"hello".to_vec()] } else { Vec::new() });
        }
        let own = if shape.is_some() { Some(named.unwrap_or("api.example.com")) } else { named };
        let mut hello = own.map(Hello::to).unwrap_or_default();
        match shape {
            None | Some("split-1-byte-tcp-segments") => {}
            Some("two server_name extensions") => hello.names.push(b"evil.test".to_vec()),
            Some("ech-grease" | "ech-real") => hello.encrypted = true,
            Some(shape) if shape.contains("record") => hello.record = 40,
            Some(shape) => {
                let padding = shape.strip_prefix("pq-").and_then(|it| it.strip_suffix("-bytes"));
                hello.padding = padding
                    .and_then(|length| length.parse().ok())
                    .ok_or_else(|| format!("the runner knows no hello that is `{shape}`"))?;
            }
        }
        let bytes = hello.bytes();
        Ok(match shape {
            Some("split-1-byte-tcp-segments") => bytes.chunks(1).map(<[u8]>::to_vec).collect(),
            Some(_) | None => vec![bytes],
        })
    }

    /// Asks for one URL after the other on a connection, and on a new one where that was closed.
    fn keep_alive(&self, world: &World) -> Result<Outcome, String> {
        let mut client = connect(world)?;
        let mut outcome = Outcome::default();
        let mut each = Vec::new();
        for url in strings(self.request.get("keepalive")) {
            let mut head = format!("GET {url} HTTP/1.1\r\nHost: {}\r\n", host_of(&url));
            self.push_credentials(&mut head);
            head.push_str("\r\n");
            client.send(head.as_bytes());
            outcome = match client.response() {
                Some(response) => refused(world, &response),
                None => Outcome { decision: "closed", ..Outcome::default() },
            };
            each.push(outcome.as_each());
            let closes = header(&outcome.head, "Connection")
                .is_none_or(|value| value.eq_ignore_ascii_case("close"));
            if outcome.status != 200 && closes {
                client = connect(world)?;
            }
        }
        Ok(Outcome { each, ..outcome })
    }

    fn http(&self, world: &World, url: &str) -> Result<Outcome, String> {
        let mut client = connect(world)?;
        let method = text("method", &self.request).unwrap_or("GET");
        let mut head = format!("{method} {url} HTTP/{}\r\n", self.version());
        let mut body = text("body", &self.request).unwrap_or_default().as_bytes().to_vec();
        let headers = self.request.get("headers").and_then(Value::as_object);
        let named = headers.is_some_and(|headers| headers.contains_key("Host"));
        if let Some(lines) = self.request.get("raw_headers") {
            push_lines(&mut head, lines);
        } else if !named {
            write!(head, "Host: {}\r\n", host_of(url)).map_err(|error| error.to_string())?;
        }
        for (name, value) in headers.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            write!(head, "{name}: {value}\r\n").map_err(|error| error.to_string())?;
        }
        let streams = text("body", &self.request).is_some_and(|body| body.ends_with(" stream"));
        if streams && text("body", &self.request).and_then(placeholders::size).is_none() {
            return Err("the runner knows no such stream".to_owned());
        }
        let lower = head.to_ascii_lowercase();
        if lower.contains("transfer-encoding: chunked") && body.is_empty() {
            body = b"0\r\n\r\n".to_vec();
        } else if streams {
            head.push_str("Content-Length: 268435456\r\n");
        } else if !self.request.contains_key("raw_headers") && !body.is_empty() {
            write!(head, "Content-Length: {}\r\n", body.len())
                .map_err(|error| error.to_string())?;
        }
        self.push_credentials(&mut head);
        head.push_str("\r\n");
        client.send(head.as_bytes());
        let mut relayed_continue = false;
        if lower.contains("expect: 100-continue") {
            relayed_continue = client.response().is_some_and(|response| response.status == 100);
        }
        if streams {
            // A quarter of a GiB is far more than anything could hold.
            let block = vec![b'x'; 1 << 20];
            (0..256).all(|_| client.send(&block));
        } else {
            client.send(&body);
        }
        let response = if method == "HEAD" { client.response_to_head() } else { client.response() };
        let Some(response) = response else {
            return Ok(Outcome { decision: "closed", ..Outcome::default() });
        };
        let mut outcome = refused(world, &response);
        outcome.relayed_continue = relayed_continue;
        if response.status == 101 {
            client.send(b"frame");
            outcome.decision = if client.exactly(5) == b"frame" { "allow" } else { "closed" };
        }
        Ok(outcome)
    }

    fn raw(&self, world: &World) -> Result<Outcome, String> {
        let mut client = connect(world)?;
        let bytes = text("bytes", &self.request).unwrap_or_default();
        if let Some(pause) = placeholders::pace(bytes)? {
            let decision = drip(&mut client, b"GET http://api.example.com/", pause);
            return Ok(Outcome { decision, ..Outcome::default() });
        }
        client.send(&latin(bytes));
        let waits = match text("then", &self.request) {
            Some("silence") => true,
            Some("close" | "half-close" | "eof") => {
                client.finish();
                true
            }
            Some(word) => return Err(format!("the runner knows no `then` of `{word}`")),
            None => false,
        };
        client.patience(Duration::from_secs(12));
        let response = if bytes.trim_start().starts_with("HEAD ") {
            client.response_to_head()
        } else {
            client.response()
        };
        let Some(response) = response else {
            let decision = if waits { "closed" } else { "reject" };
            return Ok(Outcome { decision, ..Outcome::default() });
        };
        let mut outcome = refused(world, &response);
        outcome.each.push(outcome.as_each());
        if bytes.matches(" HTTP/1.").count() > 1 {
            client.patience(Duration::from_millis(300));
            while let Some(response) = client.response() {
                outcome.each.push(refused(world, &response).as_each());
            }
        }
        Ok(outcome)
    }

    fn does(&self, key: &str) -> bool {
        self.request.get(key).and_then(Value::as_bool) == Some(true)
    }

    fn version(&self) -> &str {
        text("version", &self.request).unwrap_or("1.1")
    }

    fn push_credentials(&self, head: &mut String) {
        if let Some(pair) = text("proxy_auth", &self.request) {
            head.push_str("Proxy-Authorization: Basic ");
            head.push_str(&base64(pair.as_bytes()));
            head.push_str("\r\n");
        }
    }
}

/// A client that does not read must stop the server, not fill the proxy.
fn read_slowly(world: &World, outcome: &mut Outcome) {
    let sent = || {
        let connections = world.seen.connections();
        connections
            .iter()
            .map(|seen| seen.sent.load(std::sync::atomic::Ordering::Relaxed))
            .sum::<u64>()
    };
    thread::sleep(Duration::from_millis(700));
    let before = sent();
    thread::sleep(Duration::from_millis(500));
    let after = sent();
    // What the kernel holds for two sockets on loopback, and what one read of the proxy holds.
    let bounded = before == after && after < 24 << 20;
    outcome.decision = if bounded { "allow" } else { "fills up" };
}

fn refused(world: &World, response: &Response) -> Outcome {
    let decision = match response.status {
        200..=299 => "allow",
        403 => "deny",
        400..=499 | 501 | 503 => "reject",
        500..=599 => "error",
        _ => last_verdict(world),
    };
    Outcome {
        decision,
        status: response.status,
        head: response.head.clone(),
        body: response.body.clone(),
        ..Outcome::default()
    }
}

/// What was reported last about a refusal.
pub(super) fn last_verdict(world: &World) -> &'static str {
    thread::sleep(Duration::from_millis(20));
    let events = world.record.events();
    let last = events.iter().rev().find(|event| {
        matches!(
            event.verdict,
            Verdict::Allowed | Verdict::Denied | Verdict::Rejected | Verdict::Failed
        )
    });
    last.map(|event| event.verdict.word()).unwrap_or_default()
}

fn closed_within(world: &World, time: Duration) -> Option<Duration> {
    let started = Instant::now();
    while started.elapsed() < time {
        let connections = world.seen.connections();
        let over =
            connections.iter().all(|seen| seen.over.load(std::sync::atomic::Ordering::Acquire));
        if over && world.proxy.connections() == 0 {
            return Some(started.elapsed());
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

/// Sends a byte now and then until the proxy has enough of it.
pub(super) fn drip(client: &mut Client, bytes: &[u8], pause: Duration) -> &'static str {
    for byte in bytes {
        if !client.send(&[*byte]) {
            return "closed";
        }
        if client.ends_within(pause) {
            return "closed";
        }
    }
    "open"
}

/// Characters below 256 as the bytes they name.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

pub(super) fn connect(world: &World) -> Result<Client, String> {
    let client = Client::connect(world.address).map_err(|error| error.to_string())?;
    client.patience(Duration::from_secs(35));
    Ok(client)
}

fn push_lines(head: &mut String, lines: &Value) {
    for line in strings(Some(lines)) {
        head.push_str(&line);
        head.push_str("\r\n");
    }
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = (at(0) << 16) | (at(1) << 8) | at(2);
        for index in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * index)) as usize & 63];
            text.push(if index > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}
