//! Plays the client of a proxy case.

use crate::proxy::cases::{Outcome, ProxyCase, strings, text};
use crate::proxy::client::{Client, Response};
use crate::proxy::hello::Hello;
use crate::proxy::world::World;
use portcullis_proxy::Verdict;
use serde_json::Value;
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

impl ProxyCase {
    pub(super) fn drive(&self, world: &World) -> Result<Outcome, String> {
        let parallel = self.request.get("parallel_n").or_else(|| self.request.get("parallel"));
        if let Some(count) = parallel.and_then(Value::as_u64) {
            return self.drive_many(world, count);
        }
        if let Some(targets) = self.request.get("sequence") {
            let mut outcome = Outcome::default();
            for target in strings(Some(targets)) {
                outcome = self.connect(world, &target)?;
            }
            return Ok(outcome);
        }
        match text("via", &self.request) {
            Some("connect") => {
                let mut target = text("target", &self.request).unwrap_or_default().to_owned();
                if text("proxy_listen", &self.policy) == Some(&target) {
                    target = world.address.to_string();
                }
                self.connect(world, &target)
            }
            Some("http") => self.http(world),
            Some("socks5") => self.socks(world),
            Some("socks4") => {
                let mut client = connect(world)?;
                client.send(&[4, 1, 1, 187, 93, 184, 216, 34, 0]);
                let reply = client.exactly(8).get(1).copied();
                let refused = reply.is_none_or(|reply| reply != 0x5a);
                let decision = if refused { "reject" } else { "allow" };
                Ok(Outcome { decision, reply, ..Outcome::default() })
            }
            Some("raw") => self.raw(world),
            other => Err(format!("no way to drive {other:?}")),
        }
    }

    fn connect(&self, world: &World, target: &str) -> Result<Outcome, String> {
        let mut client = connect(world)?;
        let mut head = format!("CONNECT {target} HTTP/{}\r\n", self.version());
        match self.request.get("raw_headers") {
            Some(lines) => push_lines(&mut head, lines),
            None => write!(head, "Host: {target}\r\n").map_err(|error| error.to_string())?,
        }
        self.push_credentials(&mut head);
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        let mut early = Vec::new();
        if let Some(length) = self.request.get("early_bytes").and_then(Value::as_u64) {
            early = vec![b'e'; usize::try_from(length).unwrap_or(0)];
        }
        if let Some(text) = text("early", &self.request) {
            // What starts like a TLS handshake has to be one.
            early = if text.starts_with('\u{16}') {
                Hello::to("api.example.com").bytes()
            } else {
                text.as_bytes().to_vec()
            };
        }
        bytes.extend(&early);
        client.send(&bytes);
        let Some(response) = client.response() else {
            return Ok(Outcome { decision: "closed", ..Outcome::default() });
        };
        let mut outcome = refused(world, &response);
        if response.status == 200 {
            self.in_tunnel(world, client, &early, &mut outcome);
        }
        Ok(outcome)
    }

    fn in_tunnel(&self, world: &World, mut client: Client, early: &[u8], outcome: &mut Outcome) {
        let started = Instant::now();
        if let Some(banner) = text("server_first", &self.request) {
            let works = client.exactly(banner.len()) == banner.as_bytes();
            outcome.server_first = works.then(|| started.elapsed());
        }
        if self.request.contains_key("slow_reader") {
            read_slowly(world, outcome);
            return;
        }
        if self.request.contains_key("client_rst") {
            client.send(b"x");
            client.exactly(1);
            client.reset();
            outcome.upstream_closed = closed_within(world, Duration::from_secs(3));
            outcome.decision = "allow";
            return;
        }
        let first = self.first_bytes(early);
        for part in &first {
            client.send(part);
            if first.len() > 1 {
                thread::sleep(Duration::from_micros(500));
            }
        }
        let half_close = self.request.contains_key("client_half_close");
        if half_close {
            client.finish();
        }
        let mut wanted = early.to_vec();
        wanted.extend(first.concat());
        let echoed = client.exactly(wanted.len());
        outcome.echoed = echoed.len();
        outcome.decision = if echoed == wanted { "allow" } else { "closed" };
        if half_close && !client.ends_within(Duration::from_secs(2)) {
            outcome.decision = "hangs";
        }
    }

    /// What a client sends into its tunnel, in segments.
    fn first_bytes(&self, early: &[u8]) -> Vec<Vec<u8>> {
        if let Some(text) = text("first_bytes", &self.request) {
            return vec![text.as_bytes().to_vec()];
        }
        let named = text("tls_sni", &self.request);
        let shape = text("client_hello", &self.request);
        if !self.request.contains_key("tls_sni") && shape.is_none() {
            return if early.is_empty() { vec![b"hello".to_vec()] } else { Vec::new() };
        }
        let own = if shape.is_some() { Some(named.unwrap_or("api.example.com")) } else { named };
        let mut hello = own.map(Hello::to).unwrap_or_default();
        match shape {
            Some("two server_name extensions") => hello.names.push(b"evil.test".to_vec()),
            Some("pq-1800-bytes") => hello.padding = 1800,
            Some("ech-grease" | "ech-real") => hello.encrypted = true,
            Some(shape) if shape.contains("record") => hello.record = 40,
            Some(_) | None => {}
        }
        let bytes = hello.bytes();
        match shape {
            Some("split-1-byte-tcp-segments") => bytes.chunks(1).map(<[u8]>::to_vec).collect(),
            Some(_) | None => vec![bytes],
        }
    }

    fn http(&self, world: &World) -> Result<Outcome, String> {
        let mut client = connect(world)?;
        if let Some(urls) = self.request.get("keepalive") {
            let mut outcome = Outcome::default();
            for url in strings(Some(urls)) {
                client.send(
                    format!("GET {url} HTTP/1.1\r\nHost: {}\r\n\r\n", host_of(&url)).as_bytes(),
                );
                let response = client.response().unwrap_or_default();
                outcome = refused(world, &response);
                outcome.each.push(response.status);
            }
            let mut first = Outcome { each: outcome.each.clone(), ..outcome };
            first.each = world_statuses(world, &first.each);
            return Ok(first);
        }
        let method = text("method", &self.request).unwrap_or("GET");
        let url = text("url", &self.request).unwrap_or_default();
        let mut head = format!("{method} {url} HTTP/{}\r\n", self.version());
        let mut body = text("body", &self.request)
            .unwrap_or_default()
            .replace("<1MiB>", &"x".repeat(1 << 20))
            .into_bytes();
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
        let streams = body == b"10 GiB stream";
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
        let Some(response) = client.response() else {
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

    fn socks(&self, world: &World) -> Result<Outcome, String> {
        let mut client = connect(world)?;
        if self.request.contains_key("slow") {
            let closed =
                drip(&mut client, b"\x05\x01\x00\x05\x01\x00\x03\x0fapi", Duration::from_secs(2));
            return Ok(Outcome { decision: closed, ..Outcome::default() });
        }
        let methods: Vec<u8> =
            self.request.get("methods").and_then(Value::as_array).map_or(vec![0], |methods| {
                methods.iter().filter_map(|method| u8::try_from(method.as_u64()?).ok()).collect()
            });
        let mut greeting = vec![5, u8::try_from(methods.len()).unwrap_or(0)];
        greeting.extend(&methods);
        client.send(&greeting);
        let chosen = client.exactly(2);
        let mut outcome = Outcome::default();
        match chosen.as_slice() {
            [5, 0] => {}
            [5, 2] => {
                let mut message = vec![1];
                for key in ["user", "password"] {
                    let word = text(key, &self.request).unwrap_or_default();
                    message.push(u8::try_from(word.len()).unwrap_or(0));
                    message.extend(word.as_bytes());
                }
                client.send(&message);
                outcome.auth_reply = client.exactly(2).get(1).copied();
                if outcome.auth_reply != Some(0) {
                    outcome.decision = "reject";
                    return Ok(outcome);
                }
            }
            _ => {
                outcome.decision = "reject";
                return Ok(outcome);
            }
        }
        client.send(&self.socks_request());
        outcome.reply = client.exactly(10).get(1).copied();
        match outcome.reply {
            Some(0) => self.in_tunnel(world, client, &[], &mut outcome),
            Some(_) => outcome.decision = last_verdict(world),
            None => outcome.decision = "closed",
        }
        Ok(outcome)
    }

    fn socks_request(&self) -> Vec<u8> {
        let command = match text("cmd", &self.request) {
            Some("udp") => 3,
            Some("bind") => 2,
            Some(_) | None => 1,
        };
        let host = text("host", &self.request).unwrap_or_default();
        let mut bytes = vec![5, command, 0];
        match self.request.get("atyp").unwrap_or(&Value::Null) {
            Value::String(kind) if kind == "ipv4" => {
                bytes.push(1);
                bytes.extend(
                    host.parse::<std::net::Ipv4Addr>()
                        .map(|address| address.octets())
                        .unwrap_or_default(),
                );
            }
            Value::String(kind) if kind == "ipv6" => {
                bytes.push(4);
                bytes.extend(
                    host.parse::<std::net::Ipv6Addr>()
                        .map(|address| address.octets())
                        .unwrap_or_default(),
                );
            }
            Value::Number(kind) => {
                bytes.push(kind.as_u64().and_then(|kind| u8::try_from(kind).ok()).unwrap_or(9));
            }
            _ => {
                bytes.push(3);
                bytes.push(u8::try_from(host.len()).unwrap_or(0));
                bytes.extend(host.as_bytes());
            }
        }
        let port = self.request.get("port").and_then(Value::as_u64).unwrap_or(443);
        bytes.extend(u16::try_from(port).unwrap_or(0).to_be_bytes());
        bytes
    }

    fn raw(&self, world: &World) -> Result<Outcome, String> {
        let mut client = connect(world)?;
        let bytes = text("bytes", &self.request).unwrap_or_default();
        if bytes == "1 header byte per second" {
            let closed = drip(&mut client, b"GET http://api.example.com/", Duration::from_secs(1));
            return Ok(Outcome { decision: closed, ..Outcome::default() });
        }
        let bytes = expand(bytes);
        client.send(&bytes);
        client.patience(Duration::from_secs(12));
        if let Some(response) = client.response() {
            return Ok(refused(world, &response));
        }
        let waits = text("then", &self.request).is_some();
        let decision = if waits { "closed" } else { "reject" };
        Ok(Outcome { decision, ..Outcome::default() })
    }

    fn drive_many(&self, world: &World, count: u64) -> Result<Outcome, String> {
        let target = text("target", &self.request).unwrap_or_default();
        let open = || -> Result<(Client, Response), String> {
            let mut client = connect(world)?;
            client.send(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes());
            let response = client.response().unwrap_or_default();
            Ok((client, response))
        };
        // A few come at the same time; many come one after the other and stay.
        let opened: Vec<_> = if count <= 64 {
            thread::scope(|scope| {
                let all: Vec<_> = (0..count).map(|_| scope.spawn(open)).collect();
                all.into_iter()
                    .map(|one| one.join().unwrap_or(Err("a client broke".into())))
                    .collect()
            })
        } else {
            let mut all = Vec::new();
            for _ in 0..count {
                all.push(open().map(|(client, response)| {
                    // Those that were told to go away have gone.
                    let kept = response.status == 200;
                    (kept.then_some(client), response)
                }));
            }
            return Self::tally(all);
        };
        Self::tally(
            opened
                .into_iter()
                .map(|one| one.map(|(client, response)| (Some(client), response)))
                .collect(),
        )
    }

    fn tally(opened: Vec<Result<(Option<Client>, Response), String>>) -> Result<Outcome, String> {
        let mut outcome = Outcome::default();
        for one in opened {
            let (_, response) = one?;
            let full = response.header("X-Proxy-Error") == Some("too-many-connections");
            if response.status == 503 && !full {
                return Err(format!("a connection over the limit got {response:?}"));
            }
            outcome.each.push(response.status);
            outcome.status = response.status;
            outcome.head = response.head;
            outcome.body = response.body;
        }
        let all = |status: u16| outcome.each.iter().all(|each| *each == status);
        let decision = if all(200) {
            "allow"
        } else if all(403) {
            "deny"
        } else {
            "mixed"
        };
        outcome.decision = decision;
        Ok(outcome)
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
fn last_verdict(world: &World) -> &'static str {
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

/// The statuses of requests on one connection: what is reported about each, in order.
fn world_statuses(world: &World, last: &[u16]) -> Vec<u16> {
    thread::sleep(Duration::from_millis(20));
    let events = world.record.events();
    let statuses: Vec<u16> = events
        .iter()
        .filter_map(|event| match event.verdict {
            Verdict::Allowed => Some(200),
            Verdict::Denied => Some(403),
            Verdict::Rejected | Verdict::Failed | Verdict::Noted | Verdict::Closed => None,
        })
        .collect();
    if statuses.is_empty() { last.to_vec() } else { statuses }
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
fn drip(client: &mut Client, bytes: &[u8], pause: Duration) -> &'static str {
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

/// Replaces `<70000 a>` by as many letters.
fn expand(text: &str) -> Vec<u8> {
    let Some((before, rest)) = text.split_once('<') else { return latin(text) };
    let Some((count, after)) = rest.split_once(" a>") else { return latin(text) };
    let count = count.parse().unwrap_or(0);
    [latin(before), vec![b'a'; count], latin(after)].concat()
}

/// Characters below 256 as the bytes they name.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

fn connect(world: &World) -> Result<Client, String> {
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
