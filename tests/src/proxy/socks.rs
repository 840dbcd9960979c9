//! Clients that speak SOCKS.

use crate::proxy::cases::{Outcome, ProxyCase, text};
use crate::proxy::client::Client;
use crate::proxy::drive::{Opened, connect, drip, last_verdict};
use crate::proxy::placeholders;
use crate::proxy::world::World;
use serde_json::Value;
use std::net::{Ipv4Addr, Ipv6Addr};

impl ProxyCase {
    pub(super) fn socks(&self, world: &World, target: Option<&str>) -> Result<Opened, String> {
        let mut client = connect(world)?;
        if let Some(slow) = text("slow", &self.request) {
            let pause = placeholders::pace(slow)?.ok_or("`slow` says no pace")?;
            let decision = drip(&mut client, b"\x05\x01\x00\x05\x01\x00\x03\x0fapi", pause);
            return Ok(Outcome { decision, ..Outcome::default() }.into());
        }
        let mut outcome = Outcome::default();
        if !self.greet(&mut client, &mut outcome) {
            outcome.decision = "reject";
            return Ok(outcome.into());
        }
        let early = self.early();
        client.send(&[self.socks_request(target)?, early.clone()].concat());
        outcome.reply = client.exactly(10).get(1).copied();
        match outcome.reply {
            Some(0) => {
                outcome.decision = "allow";
                return Ok(Opened { outcome, tunnel: Some((client, early)) });
            }
            Some(_) => outcome.decision = last_verdict(world),
            None => outcome.decision = "closed",
        }
        Ok(outcome.into())
    }

    /// Agrees on a method; whether the server lets the client go on.
    fn greet(&self, client: &mut Client, outcome: &mut Outcome) -> bool {
        let methods: Vec<u8> =
            self.request.get("methods").and_then(Value::as_array).map_or(vec![0], |methods| {
                methods.iter().filter_map(|method| u8::try_from(method.as_u64()?).ok()).collect()
            });
        let mut greeting = vec![5, u8::try_from(methods.len()).unwrap_or(0)];
        greeting.extend(&methods);
        client.send(&greeting);
        let chosen = client.exactly(2);
        outcome.method_reply = chosen.get(1).copied();
        match chosen.as_slice() {
            [5, 0] => true,
            [5, 2] => {
                let mut message = vec![1];
                for key in ["user", "password"] {
                    let word = text(key, &self.request).unwrap_or_default();
                    message.push(u8::try_from(word.len()).unwrap_or(0));
                    message.extend(word.as_bytes());
                }
                client.send(&message);
                outcome.auth_reply = client.exactly(2).get(1).copied();
                outcome.auth_reply == Some(0)
            }
            _ => false,
        }
    }

    fn socks_request(&self, target: Option<&str>) -> Result<Vec<u8>, String> {
        let command = match self.request.get("cmd").unwrap_or(&Value::Null) {
            Value::Null => 1,
            Value::String(word) if word == "connect" => 1,
            Value::String(word) if word == "bind" => 2,
            Value::String(word) if word == "udp" => 3,
            number => octet("cmd", number)?,
        };
        let (host, port) = match target.and_then(|target| target.rsplit_once(':')) {
            Some((host, port)) => (
                host.trim_matches(['[', ']']),
                port.parse().map_err(|_bad| format!("`{port}` is no port"))?,
            ),
            None => (
                text("host", &self.request).unwrap_or_default(),
                self.request.get("port").and_then(Value::as_u64).unwrap_or(443),
            ),
        };
        let no_address = |_| format!("`{host}` is no such address");
        let mut bytes = vec![5, command, 0];
        match self.request.get("atyp").unwrap_or(&Value::Null) {
            Value::String(kind) if kind == "ipv4" => {
                bytes.push(1);
                bytes.extend(host.parse::<Ipv4Addr>().map_err(no_address)?.octets());
            }
            Value::String(kind) if kind == "ipv6" => {
                bytes.push(4);
                bytes.extend(host.parse::<Ipv6Addr>().map_err(no_address)?.octets());
            }
            Value::Null => push_name(&mut bytes, host),
            Value::String(kind) if kind == "domain" => push_name(&mut bytes, host),
            number => bytes.push(octet("atyp", number)?),
        }
        let port = u16::try_from(port).map_err(|_wide| format!("{port} is no port"))?;
        bytes.extend(port.to_be_bytes());
        Ok(bytes)
    }

    pub(super) fn socks4(&self, world: &World) -> Result<Outcome, String> {
        let mut client = connect(world)?;
        let host = text("host", &self.request).unwrap_or("93.184.216.34");
        let port = self.request.get("port").and_then(Value::as_u64).unwrap_or(443);
        let mut bytes = vec![4, 1];
        bytes.extend(u16::try_from(port).unwrap_or(443).to_be_bytes());
        match host.parse::<Ipv4Addr>() {
            Ok(address) => bytes.extend([&address.octets()[..], &[0]].concat()),
            // SOCKS4a: an address that cannot be, and the name behind the user.
            Err(_) => bytes.extend([&[0, 0, 0, 1, 0], host.as_bytes(), &[0]].concat()),
        }
        client.send(&bytes);
        let reply = client.exactly(8).get(1).copied();
        let refused = reply.is_none_or(|reply| reply != 0x5a);
        let decision = if refused { "reject" } else { "allow" };
        Ok(Outcome { decision, reply, ..Outcome::default() })
    }
}

fn push_name(bytes: &mut Vec<u8>, name: &str) {
    bytes.push(3);
    bytes.push(u8::try_from(name.len()).unwrap_or(0));
    bytes.extend(name.as_bytes());
}

fn octet(field: &str, value: &Value) -> Result<u8, String> {
    let octet = value.as_u64().and_then(|number| u8::try_from(number).ok());
    octet.ok_or_else(|| format!("the runner knows no `{field}` of {value}"))
}
