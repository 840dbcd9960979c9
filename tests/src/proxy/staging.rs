//! What a case says about the world before its request: policy, names, who answers, what lies outside.

use crate::proxy::cases::{ProxyCase, strings, text};
use crate::proxy::placeholders;
use crate::proxy::upstream::Behaviour;
use crate::proxy::world::{Reach, Setup};
use portcullis_model::Scope;
use portcullis_proxy::{
    Answer, Grant, HelloPolicy, Limits, NetworkPolicy, NoProxy, Notice, PrivateAddresses,
    ServerNameCheck, Unlisted, UpstreamProxy, is_trusted,
};
use portcullis_rules::{DomainEntry, DomainList};
use serde_json::Value;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

impl ProxyCase {
    pub(super) fn network_policy(&self) -> Result<(NetworkPolicy, Vec<Notice>), String> {
        let mut policy = NetworkPolicy::default();
        let mut notices = Vec::new();
        let scope = self.scope()?;
        for entry in strings(self.policy.get("deny")) {
            notices.extend(policy.deny(&entry));
        }
        if let Some(entry) = text("rule_text", &self.policy) {
            policy.deny(entry);
        }
        // Under that switch nobody else may allow; deny entries count from everywhere.
        let counts = !self.is_on("allowManagedDomainsOnly") || scope == Scope::Managed;
        for entry in strings(self.policy.get("allow")).iter().filter(|_| counts) {
            notices.extend(policy.allow(entry, is_trusted(scope)));
        }
        policy.unlisted = self.unlisted(scope)?;
        if let Some(word) = text("private", &self.policy) {
            policy.private =
                PrivateAddresses::parse(word).ok_or("no such mode for private addresses")?;
        }
        policy.hello = HelloPolicy {
            server_name: match text("sni", &self.policy) {
                Some("enforce") | None => ServerNameCheck::Enforce,
                Some("off") => ServerNameCheck::Off,
                Some(word) => return Err(unknown("sni", word)),
            },
            refuse_encrypted: match text("ech", &self.policy) {
                Some("deny") => true,
                Some("allow") | None => false,
                Some(word) => return Err(unknown("ech", word)),
            },
            only_tls_on_443: self.is_on("tls_only_443"),
        };
        if let Some(url) = text("upstream_proxy", &self.policy) {
            match UpstreamProxy::parse(url) {
                Ok(proxy) => policy.routes.upstream = Some(proxy),
                Err(message) => notices.push(Notice { dead: true, message }),
            }
            policy.routes.no_proxy =
                NoProxy::parse(text("no_proxy", &self.policy).unwrap_or_default()).0;
        }
        policy.routes.own_http = self.port("httpProxyPort")?;
        policy.routes.own_socks = self.port("socksProxyPort")?;
        Ok((policy, notices))
    }

    /// The layer the lists stand in; an administrator's where nothing is said.
    fn scope(&self) -> Result<Scope, String> {
        match text("scope", &self.policy) {
            Some("managed") | None => Ok(Scope::Managed),
            Some("user") => Ok(Scope::User),
            Some("cli" | "command-line" | "commandLine") => Ok(Scope::CommandLine),
            Some("project") => Ok(Scope::Project),
            Some("local") => Ok(Scope::Local),
            Some(word) => Err(unknown("scope", word)),
        }
    }

    fn unlisted(&self, scope: Scope) -> Result<Unlisted, String> {
        // A repository may not say that nobody is asked.
        let strict = self.is_on("strictAllowlist") && is_trusted(scope);
        let own =
            ["httpProxyPort", "socksProxyPort"].iter().any(|key| self.policy.contains_key(*key));
        let (mut locked, mut open) = (strict || self.is_on("allowManagedDomainsOnly"), own);
        match text("mode", &self.policy) {
            Some("dontAsk") => locked = true,
            Some("bypassPermissions") => open = true,
            Some("default" | "acceptEdits" | "plan" | "auto") | None => {}
            Some(word) => return Err(unknown("mode", word)),
        }
        match text("default", &self.policy) {
            Some("ask" | "deny") | None => {}
            Some(word) => return Err(unknown("default", word)),
        }
        Ok(match (locked, open) {
            (true, _) => Unlisted::Locked,
            (false, true) => Unlisted::Allow,
            (false, false) => Unlisted::Ask,
        })
    }

    pub(super) fn setup(&self) -> Result<Setup, String> {
        // Cases list the names they are about; others lead somewhere harmless.
        let others = Some(IpAddr::from([93, 184, 216, 99]));
        let mut setup = Setup { others, ..Setup::default() };
        for (name, list) in self.table("dns") {
            setup.names.insert(name.clone(), vec![addresses(list)?]);
        }
        for (name, lists) in self.table("dns_seq") {
            let lists = lists.as_array().ok_or("`dns_seq` holds lists of lists")?;
            let lists: Result<_, _> = lists.iter().map(addresses).collect();
            setup.names.insert(name.clone(), lists?);
        }
        setup.lookup_time = Duration::from_millis(self.number("dns_delay_ms").unwrap_or(0));
        setup.own = self.policy.get("host_interfaces").map_or(Ok(Vec::new()), addresses)?;
        setup.limits = self.limits()?;
        if self.is_on("auth") {
            setup.token = Some("TOKEN".to_owned());
        }
        if text("default", &self.policy) == Some("ask") {
            let told = text("answer", &self.request).map(answer);
            setup.answer = Some((told, Duration::from_millis(300)));
            match self.request.get("answers") {
                Some(Value::Array(list)) => {
                    setup.answers = list.iter().map(|each| each.as_str().map(answer)).collect();
                }
                Some(Value::Object(map)) => {
                    let each =
                        |(host, word): (&String, &Value)| (host.clone(), word.as_str().map(answer));
                    setup.answers_about = map.iter().map(each).collect();
                }
                Some(other) => return Err(unknown("answers", &other.to_string())),
                None => {}
            }
        } else if self.request.contains_key("answers") {
            return Err("there is nobody to give `answers`".to_owned());
        }
        for entry in strings(self.policy.get("command_grants")) {
            let readings = DomainEntry::read(&entry, DomainList::Allow).readings.into_iter();
            let grant = |pattern| Grant { pattern, text: entry.clone(), trusted: true };
            setup.grants.extend(readings.map(grant));
        }
        setup.outside = self.outside()?;
        if let Some(proxy) =
            text("upstream_proxy", &self.policy).and_then(|url| UpstreamProxy::parse(url).ok())
        {
            setup.names.insert(proxy.host.to_string(), vec![vec![IpAddr::from([192, 0, 2, 200])]]);
        }
        Ok(setup)
    }

    fn limits(&self) -> Result<Limits, String> {
        let mut limits = Limits::default();
        let most = |key: &str, default| {
            self.number(key).map_or(Ok(default), usize::try_from).map_err(|error| error.to_string())
        };
        limits.connections = most("max_connections", limits.connections)?;
        limits.pending_asks = most("max_pending_asks", limits.pending_asks)?;
        if let Some(time) = self.number("ask_timeout_ms") {
            limits.ask = Duration::from_millis(time);
        }
        Ok(limits)
    }

    fn outside(&self) -> Result<Reach, String> {
        match text("upstream", &self.policy) {
            Some("blackhole") => return Ok(Reach::Silence),
            Some("refused") => return Ok(Reach::Refused),
            Some("reset") => return Ok(Reach::Fails(io::ErrorKind::ConnectionReset)),
            Some("unreachable") => return Ok(Reach::Fails(io::ErrorKind::HostUnreachable)),
            Some(word) => return Err(unknown("upstream", word)),
            None => {}
        }
        if let Some(banner) = text("server_first", &self.request) {
            return Ok(Reach::Server(Behaviour::Banner(banner.as_bytes().to_vec())));
        }
        if let Some(amount) = text("upstream_sends", &self.request) {
            let amount =
                placeholders::size(amount).ok_or_else(|| unknown("upstream_sends", amount))?;
            return Ok(Reach::Server(Behaviour::Source(amount)));
        }
        let direct = self.expect.contains_key("dial");
        let plain = match text("via", &self.request) {
            Some("http") => true,
            Some("raw") => self.sends_plain_request(),
            Some(_) | None => false,
        };
        let server = if plain { Behaviour::Http } else { Behaviour::Echo };
        Ok(Reach::Server(match (self.proxy_on_the_way(), self.proxy_answer()?) {
            (None, Some(_)) => {
                return Err("`upstream_answer` is that of an upstream proxy".to_owned());
            }
            (None, None) => server,
            (Some(_), None) if direct => server,
            (Some(Chained::Socks), None) => Behaviour::SocksProxy,
            (Some(Chained::Socks), Some(_)) => {
                return Err("`upstream_answer` is HTTP, and the upstream proxy is not".to_owned());
            }
            (Some(Chained::Http), Some(answer)) => Behaviour::Proxy(answer),
            (Some(Chained::Http), None) if plain => Behaviour::Http,
            (Some(Chained::Http), None) => Behaviour::Proxy(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        }))
    }

    fn proxy_on_the_way(&self) -> Option<Chained> {
        let via_socks = text("via", &self.request) == Some("socks5");
        let own = |key: &str| self.policy.contains_key(key);
        match (own("httpProxyPort"), own("socksProxyPort")) {
            (true, true) if via_socks => return Some(Chained::Socks),
            (true, _) => return Some(Chained::Http),
            (false, true) => return Some(Chained::Socks),
            (false, false) => {}
        }
        let url = text("upstream_proxy", &self.policy)?;
        Some(if url.starts_with("socks") { Chained::Socks } else { Chained::Http })
    }

    /// What an upstream proxy answers: a status with a reason, a line of its own for the usual ones.
    fn proxy_answer(&self) -> Result<Option<Vec<u8>>, String> {
        let Some(said) = text("upstream_answer", &self.policy) else { return Ok(None) };
        let (status, reason) = said.split_once(' ').unwrap_or((said, "Answer"));
        if status.len() != 3 || status.parse::<u16>().is_err() {
            return Err(unknown("upstream_answer", said));
        }
        let headers = match (status, reason.strip_prefix("with ")) {
            ("407", _) => "Proxy-Authenticate: Basic realm=corp\r\n".to_owned(),
            (_, Some(amount)) => {
                let amount = amount.trim_end_matches("headers").trim_end_matches("header");
                let amount = placeholders::size(amount.trim())
                    .and_then(|amount| usize::try_from(amount).ok())
                    .ok_or_else(|| unknown("upstream_answer", said))?;
                format!("X: {}\r\n", "a".repeat(amount))
            }
            (_, None) => String::new(),
        };
        let reason = if reason.starts_with("with ") { "OK" } else { reason };
        Ok(Some(format!("HTTP/1.1 {status} {reason}\r\n{headers}\r\n").into_bytes()))
    }

    /// Whether raw bytes are a plain request, which an HTTP server answers.
    fn sends_plain_request(&self) -> bool {
        let bytes = text("bytes", &self.request).unwrap_or_default().trim_start();
        bytes.starts_with(|c: char| c.is_ascii_alphabetic()) && !bytes.starts_with("CONNECT")
    }

    fn is_on(&self, key: &str) -> bool {
        self.policy.get(key).and_then(Value::as_bool) == Some(true)
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.policy.get(key).and_then(Value::as_u64)
    }

    fn port(&self, key: &str) -> Result<Option<u16>, String> {
        let port = self.number(key).map(u16::try_from).transpose();
        port.map_err(|_wide| unknown(key, "a number beyond every port"))
    }

    fn table(&self, key: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.policy.get(key).and_then(Value::as_object).into_iter().flatten()
    }
}

/// What an upstream proxy speaks.
enum Chained {
    Http,
    Socks,
}

fn addresses(list: &Value) -> Result<Vec<IpAddr>, String> {
    let list = list.as_array().map_or(&[] as &[Value], Vec::as_slice);
    let address = |each: &Value| {
        let address = each.as_str().and_then(|text| text.parse().ok());
        address.ok_or_else(|| format!("{each} is no address"))
    };
    list.iter().map(address).collect()
}

/// An answer as a launcher would write it. Whoever breaks down, or says something else, is unclear.
fn answer(word: &str) -> Answer {
    match word {
        "allow" => Answer::Allow,
        "always" => Answer::Always,
        "deny" => Answer::Deny,
        _ => Answer::Unclear,
    }
}

fn unknown(field: &str, value: &str) -> String {
    format!("the runner knows no `{field}` of `{value}`")
}
