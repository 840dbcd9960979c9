//! Proxy cases: a policy, a request over a real socket, and what must come of it.

use crate::case::{Case, Miss};
use crate::proxy::client::Client;
use crate::proxy::hello::Hello;
use crate::proxy::upstream::Behaviour;
use crate::proxy::world::{Reach, Setup, World};
use portcullis_proxy::{
    Answer, HelloPolicy, Limits, NetworkPolicy, NoProxy, Notice, PrivateAddresses, Unlisted,
    UpstreamProxy, Verdict,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

/// One case.
#[derive(Clone, Debug, Deserialize)]
pub struct ProxyCase {
    id: String,
    policy: Map<String, Value>,
    request: Map<String, Value>,
    expect: Map<String, Value>,
    #[serde(default)]
    why: String,
}

/// What came of a request.
#[derive(Clone, Debug, Default)]
struct Outcome {
    decision: String,
    status: u16,
    head: String,
    body: String,
    reply: Option<u8>,
    auth_reply: Option<u8>,
    echoed: usize,
    each: Vec<u16>,
    server_first: Option<Duration>,
    relayed_continue: bool,
    upstream_closed: Option<Duration>,
    took: Duration,
}

impl ProxyCase {
    /// Why a case cannot run: what it needs is not there.
    pub fn skipped(&self) -> Option<&'static str> {
        let on = |key: &str| self.policy.get(key).is_some_and(|value| !value.is_null());
        if on("mask") || on("aws") {
            Some("masking of credentials is not built")
        } else if on("tlsTerminate") || self.request.contains_key("inner") {
            Some("TLS termination is not built")
        } else {
            None
        }
    }

    fn run(&self) -> Result<(), String> {
        let (policy, notices) = self.network_policy()?;
        let setup = self.setup()?;
        if let Some(wanted) = self.expect.get("config_warning").and_then(Value::as_str) {
            warned(&notices, wanted)?;
        }
        if self.decision() == "config_warning" {
            return if notices.is_empty() {
                Err("nothing is said about the entry".to_owned())
            } else {
                Ok(())
            };
        }
        let world = World::start(setup, policy).map_err(|error| error.to_string())?;
        let started = Instant::now();
        let mut outcome = self.drive(&world)?;
        outcome.took = started.elapsed();
        thread::sleep(Duration::from_millis(30));
        let checked = self.check(&outcome, &world, &notices);
        world.proxy.close();
        checked.map_err(|problem| {
            format!(
                "{problem}; outcome {outcome:?}; events {:?}",
                world
                    .record
                    .events()
                    .iter()
                    .map(|event| event.to_json().to_string())
                    .collect::<Vec<_>>()
            )
        })
    }

    fn decision(&self) -> &str {
        self.expect.get("decision").and_then(Value::as_str).unwrap_or_default()
    }

    fn network_policy(&self) -> Result<(NetworkPolicy, Vec<Notice>), String> {
        let mut policy = NetworkPolicy::default();
        let mut notices = Vec::new();
        let trusted = self.text("scope", &self.policy) != Some("project");
        for entry in strings(self.policy.get("deny")) {
            notices.extend(policy.deny(&entry));
        }
        for entry in strings(self.policy.get("allow")) {
            notices.extend(policy.allow(&entry, trusted));
        }
        let on = |key: &str| self.policy.get(key).and_then(Value::as_bool) == Some(true);
        let mode = self.text("mode", &self.policy);
        policy.unlisted =
            if on("strictAllowlist") || on("allowManagedDomainsOnly") || mode == Some("dontAsk") {
                Unlisted::Locked
            } else if mode == Some("bypassPermissions") {
                Unlisted::Allow
            } else {
                Unlisted::Ask
            };
        if let Some(word) = self.text("private", &self.policy) {
            policy.private =
                PrivateAddresses::parse(word).ok_or("no such mode for private addresses")?;
        }
        policy.hello = HelloPolicy {
            refuse_encrypted: self.text("ech", &self.policy) == Some("deny"),
            only_tls_on_443: on("tls_only_443"),
            ..HelloPolicy::default()
        };
        if let Some(url) = self.text("upstream_proxy", &self.policy) {
            match UpstreamProxy::parse(url) {
                Ok(proxy) => policy.routes.upstream = Some(proxy),
                Err(message) => notices.push(Notice { dead: true, message }),
            }
            policy.routes.no_proxy =
                NoProxy::parse(self.text("no_proxy", &self.policy).unwrap_or_default()).0;
        }
        Ok((policy, notices))
    }

    fn setup(&self) -> Result<Setup, String> {
        // Cases list the names they are about; others lead somewhere harmless.
        let others = Some(IpAddr::from([93, 184, 216, 99]));
        let mut setup = Setup { others, ..Setup::default() };
        let addresses = |value: &Value| -> Vec<IpAddr> {
            strings(Some(value)).iter().filter_map(|text| text.parse().ok()).collect()
        };
        for (name, list) in self.policy.get("dns").and_then(Value::as_object).into_iter().flatten()
        {
            setup.names.insert(name.clone(), vec![addresses(list)]);
        }
        for (name, lists) in
            self.policy.get("dns_seq").and_then(Value::as_object).into_iter().flatten()
        {
            let lists = lists.as_array().map(|lists| lists.iter().map(addresses).collect());
            setup.names.insert(name.clone(), lists.unwrap_or_default());
        }
        if let Some(delay) = self.policy.get("dns_delay_ms").and_then(Value::as_u64) {
            setup.lookup_time = Duration::from_millis(delay);
        }
        setup.own = self.policy.get("host_interfaces").map(addresses).unwrap_or_default();
        let mut limits = Limits::default();
        if let Some(time) = self.policy.get("ask_timeout_ms").and_then(Value::as_u64) {
            limits.ask = Duration::from_millis(time);
        }
        if let Some(most) = self.policy.get("max_connections").and_then(Value::as_u64) {
            limits.connections = usize::try_from(most).map_err(|error| error.to_string())?;
        }
        setup.limits = limits;
        if self.policy.get("auth").and_then(Value::as_bool) == Some(true) {
            setup.token = Some("TOKEN".to_owned());
        }
        if self.text("default", &self.policy) == Some("ask") {
            let answer = match self.text("answer", &self.request) {
                Some("allow") => Some(Answer::Allow),
                Some("always") => Some(Answer::Always),
                Some("deny") => Some(Answer::Deny),
                Some(_) | None => None,
            };
            setup.answer = Some((answer, Duration::from_millis(300)));
        }
        setup.outside = self.outside();
        if let Some(proxy) =
            self.text("upstream_proxy", &self.policy).and_then(|url| UpstreamProxy::parse(url).ok())
        {
            setup.names.insert(proxy.host.to_string(), vec![vec![IpAddr::from([192, 0, 2, 200])]]);
        }
        Ok(setup)
    }

    fn outside(&self) -> Reach {
        match self.text("upstream", &self.policy) {
            Some("blackhole") => return Reach::Silence,
            Some("refused") => return Reach::Refused,
            Some(_) | None => {}
        }
        if let Some(banner) = self.text("server_first", &self.request) {
            return Reach::Server(Behaviour::Banner(banner.as_bytes().to_vec()));
        }
        if self.request.contains_key("upstream_sends") {
            return Reach::Server(Behaviour::Source(1 << 30));
        }
        if self.text("upstream_proxy", &self.policy).is_some_and(|url| url.starts_with("socks")) {
            return Reach::Server(Behaviour::SocksProxy);
        }
        if self.policy.contains_key("upstream_proxy") {
            let direct = self.expect.contains_key("dial");
            let answer = match self.text("upstream_answer", &self.policy) {
                Some("407") => b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=corp\r\n\r\n".to_vec(),
                Some(_) => format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(70 << 10)).into_bytes(),
                None => b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
            };
            return Reach::Server(if direct { Behaviour::Echo } else { Behaviour::Proxy(answer) });
        }
        match self.text("via", &self.request) {
            Some("http") => Reach::Server(Behaviour::Http),
            Some(_) | None => Reach::Server(Behaviour::Echo),
        }
    }

    fn text<'c>(&self, key: &str, of: &'c Map<String, Value>) -> Option<&'c str> {
        of.get(key).and_then(Value::as_str)
    }

    fn drive(&self, world: &World) -> Result<Outcome, String> {
        if let Some(count) = self.request.get("parallel_n").and_then(Value::as_u64) {
            return self.drive_many(world, count);
        }
        if let Some(targets) = self.request.get("sequence") {
            let mut outcome = Outcome::default();
            for target in strings(Some(targets)) {
                outcome = self.connect(world, &target)?;
            }
            return Ok(outcome);
        }
        match self.text("via", &self.request) {
            Some("connect") => {
                let mut target = self.text("target", &self.request).unwrap_or_default().to_owned();
                if self.text("proxy_listen", &self.policy) == Some(&target) {
                    target = world.address.to_string();
                }
                self.connect(world, &target)
            }
            Some("http") => self.http(world),
            Some("socks5") => self.socks(world),
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
        if let Some(text) = self.text("early", &self.request) {
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
            return Ok(Outcome { decision: "closed".to_owned(), ..Outcome::default() });
        };
        let mut outcome = refused(world, &response);
        if response.status == 200 {
            self.in_tunnel(world, client, &early, &mut outcome);
        }
        Ok(outcome)
    }

    fn in_tunnel(&self, world: &World, mut client: Client, early: &[u8], outcome: &mut Outcome) {
        let started = Instant::now();
        if let Some(banner) = self.text("server_first", &self.request) {
            let works = client.exactly(banner.len()) == banner.as_bytes();
            outcome.server_first = works.then(|| started.elapsed());
        }
        if self.request.contains_key("slow_reader") {
            self.read_slowly(world, outcome);
            return;
        }
        if self.request.contains_key("client_rst") {
            client.send(b"x");
            client.exactly(1);
            client.reset();
            outcome.upstream_closed = closed_within(world, Duration::from_secs(3));
            outcome.decision = "allow".to_owned();
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
        outcome.decision = if echoed == wanted { "allow" } else { "closed" }.to_owned();
        if half_close && !client.ends_within(Duration::from_secs(2)) {
            outcome.decision = "hangs".to_owned();
        }
    }

    /// What a client sends into its tunnel, in segments.
    fn first_bytes(&self, early: &[u8]) -> Vec<Vec<u8>> {
        if let Some(text) = self.text("first_bytes", &self.request) {
            return vec![text.as_bytes().to_vec()];
        }
        let named = self.text("tls_sni", &self.request);
        let shape = self.text("client_hello", &self.request);
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

    /// A client that does not read must stop the server, not fill the proxy.
    fn read_slowly(&self, world: &World, outcome: &mut Outcome) {
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
        outcome.decision = if bounded { "allow" } else { "fills up" }.to_owned();
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
        let method = self.text("method", &self.request).unwrap_or("GET");
        let url = self.text("url", &self.request).unwrap_or_default();
        let mut head = format!("{method} {url} HTTP/{}\r\n", self.version());
        let mut body = self
            .text("body", &self.request)
            .unwrap_or_default()
            .replace("<1MiB>", &"x".repeat(1 << 20))
            .into_bytes();
        let headers = self.request.get("headers").and_then(Value::as_object);
        match self.request.get("raw_headers") {
            Some(lines) => push_lines(&mut head, lines),
            None => {
                let named = headers.is_some_and(|headers| headers.contains_key("Host"));
                if !named {
                    write!(head, "Host: {}\r\n", host_of(url))
                        .map_err(|error| error.to_string())?;
                }
            }
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
            return Ok(Outcome { decision: "closed".to_owned(), ..Outcome::default() });
        };
        let mut outcome = refused(world, &response);
        outcome.relayed_continue = relayed_continue;
        if response.status == 101 {
            client.send(b"frame");
            outcome.decision =
                if client.exactly(5) == b"frame" { "allow" } else { "closed" }.to_owned();
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
                    let text = self.text(key, &self.request).unwrap_or_default();
                    message.push(u8::try_from(text.len()).unwrap_or(0));
                    message.extend(text.as_bytes());
                }
                client.send(&message);
                outcome.auth_reply = client.exactly(2).get(1).copied();
                if outcome.auth_reply != Some(0) {
                    outcome.decision = "reject".to_owned();
                    return Ok(outcome);
                }
            }
            _ => {
                outcome.decision = "reject".to_owned();
                return Ok(outcome);
            }
        }
        client.send(&self.socks_request());
        outcome.reply = client.exactly(10).get(1).copied();
        match outcome.reply {
            Some(0) => self.in_tunnel(world, client, &[], &mut outcome),
            Some(_) => outcome.decision = last_verdict(world),
            None => outcome.decision = "closed".to_owned(),
        }
        Ok(outcome)
    }

    fn socks_request(&self) -> Vec<u8> {
        let command = match self.text("cmd", &self.request) {
            Some("udp") => 3,
            Some("bind") => 2,
            Some(_) | None => 1,
        };
        let host = self.text("host", &self.request).unwrap_or_default();
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
                bytes.push(kind.as_u64().and_then(|kind| u8::try_from(kind).ok()).unwrap_or(9))
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
        let text = self.text("bytes", &self.request).unwrap_or_default();
        if text == "1 header byte per second" {
            let closed = drip(&mut client, b"GET http://api.example.com/", Duration::from_secs(1));
            return Ok(Outcome { decision: closed, ..Outcome::default() });
        }
        let bytes = expand(text);
        client.send(&bytes);
        client.patience(Duration::from_secs(12));
        match client.response() {
            Some(response) => Ok(refused(world, &response)),
            None => {
                let said =
                    if self.text("then", &self.request).is_some() { "closed" } else { "reject" };
                Ok(Outcome { decision: said.to_owned(), ..Outcome::default() })
            }
        }
    }

    fn drive_many(&self, world: &World, count: u64) -> Result<Outcome, String> {
        let target = self.text("target", &self.request).unwrap_or_default();
        let mut held = Vec::new();
        let mut each = Vec::new();
        for _ in 0..count {
            let mut client = connect(world)?;
            client.send(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes());
            let response = client.response().unwrap_or_default();
            each.push(response.status);
            // Those that were told to go away have gone.
            if response.status == 200 {
                held.push(client);
            } else if response.header("X-Proxy-Error") != Some("too-many-connections") {
                return Err(format!("a connection over the limit got {response:?}"));
            }
        }
        Ok(Outcome { decision: "mixed".to_owned(), each, ..Outcome::default() })
    }

    fn version(&self) -> &str {
        self.text("version", &self.request).unwrap_or("1.1")
    }

    fn push_credentials(&self, head: &mut String) {
        if let Some(pair) = self.text("proxy_auth", &self.request) {
            head.push_str("Proxy-Authorization: Basic ");
            head.push_str(&base64(pair.as_bytes()));
            head.push_str("\r\n");
        }
    }

    fn check(&self, outcome: &Outcome, world: &World, notices: &[Notice]) -> Result<(), String> {
        match self.decision() {
            "config_warning_or_allow" => {
                if notices.is_empty() && outcome.decision != "allow" {
                    return Err("neither allowed nor warned about".to_owned());
                }
                return Ok(());
            }
            "one_of" => {
                let any =
                    self.expect.get("any").and_then(Value::as_array).cloned().unwrap_or_default();
                let fits = any
                    .iter()
                    .filter_map(Value::as_object)
                    .any(|expect| check_all(expect, outcome, world).is_ok());
                return if fits { Ok(()) } else { Err("none of the allowed outcomes".to_owned()) };
            }
            _ => {}
        }
        check_all(&self.expect, outcome, world)
    }
}

fn check_all(expect: &Map<String, Value>, outcome: &Outcome, world: &World) -> Result<(), String> {
    for (key, wanted) in expect {
        check_one(key, wanted, outcome, world)
            .map_err(|found| format!("{key}: wanted {wanted}, found {found}"))?;
    }
    Ok(())
}

/// Compares one expectation; the error is what was found.
fn check_one(key: &str, wanted: &Value, outcome: &Outcome, world: &World) -> Result<(), String> {
    let record = &world.record;
    let same =
        |found: &str| if wanted.as_str() == Some(found) { Ok(()) } else { Err(found.to_owned()) };
    let number =
        |found: u64| if wanted.as_u64() == Some(found) { Ok(()) } else { Err(found.to_string()) };
    let count = |list: usize| number(u64::try_from(list).unwrap_or(u64::MAX));
    let holds = |fits: bool, found: &str| if fits { Ok(()) } else { Err(found.to_owned()) };
    let said = format!("{}{}", outcome.head, outcome.body);
    let received = String::from_utf8_lossy(&world.seen.received()).into_owned();
    let requests = received.matches(" HTTP/1.").count();
    match key {
        "decision" if wanted == "per_request" || wanted == "mixed" => Ok(()),
        "decision" => same(&outcome.decision),
        "status" => number(u64::from(outcome.status)),
        "x_proxy_error" => same(header(&outcome.head, "X-Proxy-Error").unwrap_or_default()),
        "dial" => {
            let dials = record.dials();
            same(&dials.last().map(ToString::to_string).unwrap_or_default())
                .and_then(|()| holds(dials.len() == 1, &format!("{dials:?}")))
        }
        "canonical" => {
            let events = record.events();
            let host = events.iter().find_map(|event| event.destination.clone());
            same(&host.map(|(host, _)| host).unwrap_or_default())
        }
        "dns_queries" => count(record.lookups().len()),
        "local_dns_queries" => {
            let lookups = record.lookups();
            count(lookups.iter().filter(|name| !name.starts_with("proxy.")).count())
        }
        "asks" => count(record.questions().len()),
        "reason_contains" => holds(said.contains(wanted.as_str().unwrap_or("?")), &said),
        "reason_excludes" => holds(!said.contains(wanted.as_str().unwrap_or("?")), &said),
        "body_contains" => {
            let words = if wanted.is_array() {
                strings(Some(wanted))
            } else {
                strings(Some(&Value::Array(vec![wanted.clone()])))
            };
            holds(words.iter().all(|word| outcome.body.contains(word)), &outcome.body)
        }
        "body_excludes" => {
            let words = if wanted.is_array() {
                strings(Some(wanted))
            } else {
                strings(Some(&Value::Array(vec![wanted.clone()])))
            };
            holds(!words.iter().any(|word| said.contains(word)), &said)
        }
        "status_line_contains" => {
            let line = outcome.head.lines().next().unwrap_or_default();
            holds(line.contains(wanted.as_str().unwrap_or("?")), line)
        }
        "content_length" => holds(header(&outcome.head, "Content-Length").is_some(), &outcome.head),
        "connection" => same(header(&outcome.head, "Connection").unwrap_or_default()),
        "content_type" => {
            let found = header(&outcome.head, "Content-Type").unwrap_or_default();
            holds(found.starts_with(wanted.as_str().unwrap_or("?")), found)
        }
        "header" => holds(outcome.head.contains(wanted.as_str().unwrap_or("?")), &outcome.head),
        "within_ms" => {
            let most = Duration::from_millis(wanted.as_u64().unwrap_or(0));
            // The machine may be busy; what is measured is that there is a limit at all.
            holds(outcome.took <= most + most / 4, &format!("{:?}", outcome.took))
        }
        "log" => {
            let codes: Vec<_> = record.events().iter().filter_map(|event| event.code).collect();
            holds(codes.iter().any(|code| wanted == code), &format!("{codes:?}"))
        }
        "hint" => {
            let hints: Vec<_> =
                record.events().into_iter().filter_map(|event| event.hint).collect();
            holds(
                hints.iter().any(|hint| hint.contains(wanted.as_str().unwrap_or("?"))),
                &format!("{hints:?}"),
            )
        }
        "reason" => {
            let codes: Vec<_> = record.events().iter().filter_map(|event| event.code).collect();
            holds(codes.contains(&"early-data"), &format!("{codes:?}"))
        }
        "saves_rule" => same(
            &record.questions().first().map(portcullis_proxy::Question::rule).unwrap_or_default(),
        ),
        "reply" => number(u64::from(outcome.reply.unwrap_or(99))),
        "auth_reply" => number(u64::from(outcome.auth_reply.unwrap_or(99))),
        "early_bytes_delivered" => match wanted.as_u64() {
            Some(wanted) => holds(outcome.echoed as u64 == wanted, &outcome.echoed.to_string()),
            None => holds(outcome.echoed > 0, "0"),
        },
        "server_bytes_within_ms" => {
            let most = Duration::from_millis(wanted.as_u64().unwrap_or(0) + 300);
            holds(
                outcome.server_first.is_some_and(|time| time <= most),
                &format!("{:?}", outcome.server_first),
            )
        }
        "upstream_host" => same(header(&received, "Host").unwrap_or_default()),
        "upstream_lacks" => {
            let name = wanted.as_str().unwrap_or("?");
            holds(requests == 1 && header(&received, name).is_none(), &received)
        }
        "upstream_framing" => holds(
            received.to_ascii_lowercase().contains("content-length: 5")
                && received.ends_with("\r\n\r\nhello"),
            &received,
        ),
        "adds_none_of" => {
            let added = strings(Some(wanted))
                .iter()
                .any(|name| header(&received, name).is_some_and(|value| value != "1.2.3.4"));
            holds(requests == 1 && !added, &received)
        }
        "upstream_requests" => {
            holds(number(requests as u64).is_ok() && record.dials().is_empty(), &received)
        }
        "upstream_connections" => count(record.dials().len()),
        "upstream_connect" => {
            let first = received.lines().next().unwrap_or_default();
            holds(first == format!("CONNECT {} HTTP/1.1", wanted.as_str().unwrap_or("?")), first)
        }
        "relays_100" => holds(outcome.relayed_continue, "no 100"),
        "response_delivered" => holds(outcome.echoed == 5, &outcome.echoed.to_string()),
        "upstream_closed_within_ms" => {
            let most = Duration::from_millis(wanted.as_u64().unwrap_or(0));
            holds(
                outcome.upstream_closed.is_some_and(|time| time <= most),
                &format!("{:?}", outcome.upstream_closed),
            )
        }
        "fds_leaked" => count(world.proxy.connections()),
        "each" => holds(
            outcome.each.len() == 2 && outcome.each[0] == 200 && outcome.each[1] == 403,
            &format!("{:?}", outcome.each),
        ),
        "allow" => count(outcome.each.iter().filter(|status| **status == 200).count()),
        "rest" => holds(
            outcome.each.iter().all(|status| matches!(status, 200 | 503)),
            &format!("{:?}", outcome.each),
        ),
        // How it came about, or what is measured elsewhere: memory by the suite of the running proxy.
        "any" | "note" | "effective" | "config_warning" | "then" | "proxy_rss_growth_kib_max" => {
            Ok(())
        }
        other => Err(format!("nothing that knows `{other}`")),
    }
}

fn refused(world: &World, response: &crate::proxy::client::Response) -> Outcome {
    let decision = match response.status {
        200..=299 => "allow".to_owned(),
        403 => "deny".to_owned(),
        400..=499 | 501 | 503 => "reject".to_owned(),
        500..=599 => "error".to_owned(),
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
fn last_verdict(world: &World) -> String {
    thread::sleep(Duration::from_millis(20));
    let events = world.record.events();
    let last = events.iter().rev().find(|event| {
        matches!(
            event.verdict,
            Verdict::Allowed | Verdict::Denied | Verdict::Rejected | Verdict::Failed
        )
    });
    last.map(|event| event.verdict.word().to_owned()).unwrap_or_default()
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
fn drip(client: &mut Client, bytes: &[u8], pause: Duration) -> String {
    for byte in bytes {
        if !client.send(&[*byte]) {
            return "closed".to_owned();
        }
        if client.ends_within(pause) {
            return "closed".to_owned();
        }
    }
    "open".to_owned()
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

fn header<'t>(head: &'t str, name: &str) -> Option<&'t str> {
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|each| each.as_str().map(str::to_owned)).collect()
}

fn warned(notices: &[Notice], wanted: &str) -> Result<(), String> {
    let said: String =
        notices.iter().map(|notice| notice.message.replace('`', "") + "\n").collect();
    if said.contains(wanted) {
        Ok(())
    } else {
        Err(format!("wanted a warning `{wanted}`, got {said:?}"))
    }
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

impl Case for ProxyCase {
    /// Most of a case is waiting for limits to pass.
    const AT_A_TIME: Option<usize> = Some(12);

    fn id(&self) -> &str {
        &self.id
    }

    fn suite(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    fn judge(&self) -> Result<(), Miss> {
        self.run().map_err(|detail| Miss {
            expected: format!("{} ({})", Value::Object(self.expect.clone()), self.why),
            ours: "other".to_owned(),
            detail,
            call: format!(
                "{} under {}",
                Value::Object(self.request.clone()),
                Value::Object(self.policy.clone())
            ),
        })
    }
}
