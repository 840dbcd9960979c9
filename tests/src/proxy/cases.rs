//! Proxy cases: a policy, a request over a real socket, and what must come of it.

use crate::case::{Case, Miss};
use crate::proxy::upstream::Behaviour;
use crate::proxy::world::{Reach, Setup, World};
use portcullis_proxy::{
    Answer, HelloPolicy, Limits, NetworkPolicy, NoProxy, Notice, PrivateAddresses, Unlisted,
    UpstreamProxy,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

/// One case.
#[derive(Clone, Debug, Deserialize)]
pub struct ProxyCase {
    id: String,
    pub(super) policy: Map<String, Value>,
    pub(super) request: Map<String, Value>,
    expect: Map<String, Value>,
    #[serde(default)]
    why: String,
}

/// What came of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) decision: &'static str,
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    pub(super) reply: Option<u8>,
    pub(super) auth_reply: Option<u8>,
    pub(super) echoed: usize,
    pub(super) each: Vec<u16>,
    pub(super) server_first: Option<Duration>,
    pub(super) relayed_continue: bool,
    pub(super) upstream_closed: Option<Duration>,
    pub(super) took: Duration,
}

impl ProxyCase {
    /// Why a case cannot run: what it needs is not there.
    pub fn skipped(&self) -> Option<&'static str> {
        let on = |key: &str| self.policy.get(key).is_some_and(|value| !value.is_null());
        // Plain HTTP is left as it is, with or without masking, unless a switch says otherwise.
        let untouched = text("via", &self.request) == Some("http") && !on("allowPlaintextInject");
        if untouched {
            None
        } else if on("mask") || on("aws") {
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
        let trusted = text("scope", &self.policy) != Some("project");
        for entry in strings(self.policy.get("deny")) {
            notices.extend(policy.deny(&entry));
        }
        for entry in strings(self.policy.get("allow")) {
            notices.extend(policy.allow(&entry, trusted));
        }
        let on = |key: &str| self.policy.get(key).and_then(Value::as_bool) == Some(true);
        let mode = text("mode", &self.policy);
        policy.unlisted =
            if on("strictAllowlist") || on("allowManagedDomainsOnly") || mode == Some("dontAsk") {
                Unlisted::Locked
            } else if mode == Some("bypassPermissions") {
                Unlisted::Allow
            } else {
                Unlisted::Ask
            };
        if let Some(word) = text("private", &self.policy) {
            policy.private =
                PrivateAddresses::parse(word).ok_or("no such mode for private addresses")?;
        }
        policy.hello = HelloPolicy {
            refuse_encrypted: text("ech", &self.policy) == Some("deny"),
            only_tls_on_443: on("tls_only_443"),
            ..HelloPolicy::default()
        };
        if let Some(url) = text("upstream_proxy", &self.policy) {
            match UpstreamProxy::parse(url) {
                Ok(proxy) => policy.routes.upstream = Some(proxy),
                Err(message) => notices.push(Notice { dead: true, message }),
            }
            policy.routes.no_proxy =
                NoProxy::parse(text("no_proxy", &self.policy).unwrap_or_default()).0;
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
        if text("default", &self.policy) == Some("ask") {
            let answer = match text("answer", &self.request) {
                Some("allow") => Some(Answer::Allow),
                Some("always") => Some(Answer::Always),
                Some("deny") => Some(Answer::Deny),
                // Whoever answers breaks down, or says something else.
                Some(_) => Some(Answer::Unclear),
                None => None,
            };
            setup.answer = Some((answer, Duration::from_millis(300)));
        }
        setup.outside = self.outside();
        if let Some(proxy) =
            text("upstream_proxy", &self.policy).and_then(|url| UpstreamProxy::parse(url).ok())
        {
            setup.names.insert(proxy.host.to_string(), vec![vec![IpAddr::from([192, 0, 2, 200])]]);
        }
        Ok(setup)
    }

    fn outside(&self) -> Reach {
        match text("upstream", &self.policy) {
            Some("blackhole") => return Reach::Silence,
            Some("refused") => return Reach::Refused,
            Some(_) | None => {}
        }
        if let Some(banner) = text("server_first", &self.request) {
            return Reach::Server(Behaviour::Banner(banner.as_bytes().to_vec()));
        }
        if self.request.contains_key("upstream_sends") {
            return Reach::Server(Behaviour::Source(1 << 30));
        }
        if text("upstream_proxy", &self.policy).is_some_and(|url| url.starts_with("socks")) {
            return Reach::Server(Behaviour::SocksProxy);
        }
        if self.policy.contains_key("upstream_proxy") {
            let direct = self.expect.contains_key("dial");
            let answer = match text("upstream_answer", &self.policy) {
                Some("407") => b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=corp\r\n\r\n".to_vec(),
                Some(_) => format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(70 << 10)).into_bytes(),
                None => b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
            };
            return Reach::Server(if direct { Behaviour::Echo } else { Behaviour::Proxy(answer) });
        }
        match text("via", &self.request) {
            Some("http") => Reach::Server(Behaviour::Http),
            Some(_) | None => Reach::Server(Behaviour::Echo),
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
        "decision" => same(outcome.decision),
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
        "upstream_has" => {
            let name = wanted.as_str().unwrap_or("?");
            holds(requests == 1 && header(&received, name).is_some(), &received)
        }
        "upstream_header" => {
            let mut wanted = wanted.as_object().into_iter().flatten();
            let fits = wanted.all(|(name, value)| header(&received, name) == value.as_str());
            holds(requests == 1 && fits, &received)
        }
        "upstream_body" => holds(received.ends_with(wanted.as_str().unwrap_or("?")), &received),
        "upstream_path" => {
            let path = received.split(' ').nth(1).unwrap_or_default();
            same(path)
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

pub(super) fn text<'c>(key: &str, of: &'c Map<String, Value>) -> Option<&'c str> {
    of.get(key).and_then(Value::as_str)
}

fn header<'t>(head: &'t str, name: &str) -> Option<&'t str> {
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

pub(super) fn strings(value: Option<&Value>) -> Vec<String> {
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
