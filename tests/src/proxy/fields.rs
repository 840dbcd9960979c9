//! The fields a case may have. One that nobody knows is an error: without effect it would prove nothing.

use serde_json::{Map, Value};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Flag,
    Number,
    List,
    Map,
    Any,
}

use Kind::{Any, Flag, List, Map as Object, Number, Text};

/// Fields of a policy about masked credentials.
pub(super) const MASKING: &[&str] =
    &["mask", "aws", "sigv4", "allowPlaintextInject", "upstream_reply"];

/// Fields of a policy about TLS termination.
pub(super) const TERMINATION: &[&str] = &["tlsTerminate", "upstream_cert", "exclude"];

/// The first field that is unknown or holds the wrong thing.
pub(super) fn check(
    policy: &Map<String, Value>,
    request: &Map<String, Value>,
) -> Result<(), String> {
    for (name, value) in policy {
        if !MASKING.contains(&name.as_str()) && !TERMINATION.contains(&name.as_str()) {
            check_one("policy", name, value, &[POLICY])?;
        }
    }
    let via = request.get("via").and_then(Value::as_str).unwrap_or_default();
    let own: &[&[(&str, Kind)]] = match via {
        "connect" => &[CLIENT, CONNECT, TUNNEL],
        "http" => &[CLIENT, HTTP],
        "socks5" => &[CLIENT, SOCKS, TUNNEL],
        "socks4" => &[CLIENT, SOCKS],
        "raw" => &[CLIENT, RAW],
        other => return Err(format!("no way to drive `{other}`")),
    };
    request.iter().try_for_each(|(name, value)| check_one("request", name, value, own))
}

fn check_one(
    place: &str,
    name: &str,
    value: &Value,
    tables: &[&[(&str, Kind)]],
) -> Result<(), String> {
    let known = tables.iter().flat_map(|table| table.iter()).find(|(known, _)| *known == name);
    let Some((_, kind)) = known else {
        return Err(format!("the runner knows no `{name}` of such a {place}"));
    };
    let fits = match kind {
        Text => value.is_string() || value.is_null(),
        Flag => value.is_boolean(),
        Number => value.is_u64(),
        List => value.is_array(),
        Object => value.is_object(),
        Any => true,
    };
    if fits { Ok(()) } else { Err(format!("`{name}` of a {place} cannot be {value}")) }
}

const POLICY: &[(&str, Kind)] = &[
    ("allow", List),
    ("deny", List),
    ("command_grants", List),
    ("scope", Text),
    ("default", Text),
    ("mode", Text),
    ("allowManagedDomainsOnly", Flag),
    ("strictAllowlist", Flag),
    ("private", Text),
    ("dns", Object),
    ("dns_seq", Object),
    ("dns_delay_ms", Number),
    ("host_interfaces", List),
    ("proxy_listen", Text),
    ("sni", Text),
    ("ech", Text),
    ("tls_only_443", Flag),
    ("upstream", Text),
    ("upstream_proxy", Text),
    ("upstream_answer", Text),
    ("no_proxy", Text),
    ("httpProxyPort", Number),
    ("socksProxyPort", Number),
    ("ask_timeout_ms", Number),
    ("max_connections", Number),
    ("max_pending_asks", Number),
    ("auth", Flag),
    ("rule_text", Text),
    // Text within the SSH protocol was considered and is optional; the refusal is the same.
    ("ssh_refusal", Flag),
];

/// What every client may do.
const CLIENT: &[(&str, Kind)] = &[
    ("via", Text),
    ("answer", Text),
    ("answers", Any),
    ("sequence", List),
    ("targets", List),
    ("parallel", Any),
    ("parallel_n", Number),
];

const CONNECT: &[(&str, Kind)] =
    &[("target", Text), ("version", Text), ("raw_headers", List), ("proxy_auth", Text)];

/// What goes through a tunnel.
const TUNNEL: &[(&str, Kind)] = &[
    ("early", Text),
    ("early_bytes", Number),
    ("first_bytes", Text),
    ("tls_sni", Text),
    ("client_hello", Text),
    ("server_first", Text),
    ("slow_reader", Flag),
    ("upstream_sends", Text),
    ("client_rst", Flag),
    ("client_half_close", Flag),
    ("idle_ms", Number),
];

const HTTP: &[(&str, Kind)] = &[
    ("url", Text),
    ("keepalive", List),
    ("method", Text),
    ("version", Text),
    ("headers", Object),
    ("raw_headers", List),
    ("body", Text),
    ("proxy_auth", Text),
];

const SOCKS: &[(&str, Kind)] = &[
    ("host", Text),
    ("port", Number),
    ("atyp", Any),
    ("cmd", Any),
    ("methods", List),
    ("user", Text),
    ("password", Text),
    ("slow", Text),
];

const RAW: &[(&str, Kind)] = &[("bytes", Text), ("then", Text)];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn knows_its_fields() {
        let run = |policy: Value, request: Value| {
            check(policy.as_object().unwrap(), request.as_object().unwrap()).is_ok()
        };
        assert!(run(json!({"allow": [], "mask": {}}), json!({"via": "connect", "target": "a:1"})));
        assert!(!run(json!({"alow": []}), json!({"via": "connect"})));
        assert!(!run(json!({"strictAllowlist": "yes"}), json!({"via": "connect"})));
        assert!(!run(json!({}), json!({"via": "http", "early_bytes": 3})));
        assert!(!run(json!({}), json!({"via": "carrier pigeon"})));
    }
}
