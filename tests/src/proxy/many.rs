//! Clients that come together.

use crate::proxy::cases::{Outcome, ProxyCase, strings, text};
use crate::proxy::drive::Opened;
use crate::proxy::world::World;
use serde_json::Value;
use std::thread;

/// Each is a thread; beyond so many they come one after the other and stay.
const TOGETHER: usize = 64;

impl ProxyCase {
    /// The targets of clients that come at once: a list of them, or a number of clients, each of which
    /// has its own number for `{n}`. `None` where there is one client.
    pub(super) fn at_once(&self) -> Result<Option<Vec<String>>, String> {
        let told = ["parallel", "targets", "parallel_n"].map(|key| self.request.get(key));
        let mut told = told.into_iter().flatten();
        let Some(many) = told.next() else { return Ok(None) };
        if told.next().is_some() {
            return Err("how many clients come is said twice".to_owned());
        }
        match many {
            Value::Array(_) => Ok(Some(strings(Some(many)))),
            many => {
                let count = many.as_u64().ok_or_else(|| format!("{many} clients cannot come"))?;
                let target = self.own_target()?;
                let targets = (0..count).map(|n| target.replace("{n}", &n.to_string()));
                Ok(Some(targets.collect()))
            }
        }
    }

    fn own_target(&self) -> Result<String, String> {
        let target = match text("via", &self.request) {
            Some("connect") => text("target", &self.request).map(str::to_owned),
            Some("http") => text("url", &self.request).map(str::to_owned),
            Some("socks5") => text("host", &self.request).map(|host| {
                let port = self.request.get("port").and_then(Value::as_u64).unwrap_or(443);
                format!("{host}:{port}")
            }),
            Some(_) | None => None,
        };
        target.ok_or_else(|| "many clients without a target".to_owned())
    }

    /// All are connected before the first of them uses its tunnel.
    pub(super) fn drive_many(&self, world: &World, targets: &[String]) -> Result<Outcome, String> {
        let open = |target: &String| self.open(world, Some(target));
        let opened: Vec<Result<Opened, String>> = if targets.len() <= TOGETHER {
            thread::scope(|scope| {
                let all: Vec<_> =
                    targets.iter().map(|target| scope.spawn(move || open(target))).collect();
                all.into_iter()
                    .map(|one| one.join().unwrap_or(Err("a client broke".into())))
                    .collect()
            })
        } else {
            targets.iter().map(open).collect()
        };
        let mut last = Outcome::default();
        let mut each = Vec::new();
        for one in opened {
            last = self.finish(world, one?)?;
            each.push(last.as_each());
        }
        if each.iter().any(|one| one.decision != last.decision) {
            last.decision = "mixed";
        }
        Ok(Outcome { each, ..last })
    }
}
