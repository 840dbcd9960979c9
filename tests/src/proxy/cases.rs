//! Proxy cases: a policy, a request over a real socket, and what must come of it.

use crate::case::{Case, Miss};
use crate::proxy::world::World;
use crate::proxy::{expect, fields, placeholders};
use portcullis_proxy::Notice;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::thread;
use std::time::{Duration, Instant};

/// One case.
#[derive(Clone, Debug, Deserialize)]
pub struct ProxyCase {
    id: String,
    pub(super) policy: Map<String, Value>,
    pub(super) request: Map<String, Value>,
    pub(super) expect: Map<String, Value>,
    #[serde(default)]
    why: String,
}

/// What came of a request, or of the last of several.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) decision: &'static str,
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    /// The method that a SOCKS server chose.
    pub(super) method_reply: Option<u8>,
    pub(super) reply: Option<u8>,
    pub(super) auth_reply: Option<u8>,
    /// Bytes that were sent ahead of the answer.
    pub(super) early: usize,
    pub(super) sent: usize,
    pub(super) echoed: usize,
    /// Each of several.
    pub(super) each: Vec<Each>,
    pub(super) server_first: Option<Duration>,
    pub(super) relayed_continue: bool,
    pub(super) upstream_closed: Option<Duration>,
    pub(super) took: Duration,
}

/// What came of one request of several.
#[derive(Clone, Debug, Default)]
pub(super) struct Each {
    pub(super) decision: &'static str,
    pub(super) status: u16,
    pub(super) reply: Option<u8>,
    pub(super) code: String,
}

impl Outcome {
    pub(super) fn as_each(&self) -> Each {
        Each {
            decision: self.decision,
            status: self.status,
            reply: self.reply,
            code: expect::header(&self.head, "X-Proxy-Error").unwrap_or_default().to_owned(),
        }
    }
}

impl ProxyCase {
    /// Why a case cannot run: what it needs is not there.
    pub fn skipped(&self) -> Option<&'static str> {
        let on = |key: &str| self.policy.get(key).is_some_and(|value| !value.is_null());
        let any = |keys: &[&str]| keys.iter().any(|key| on(key));
        // Plain HTTP is left as it is, with or without masking, unless a switch says otherwise.
        let untouched = text("via", &self.request) == Some("http") && !on("allowPlaintextInject");
        if untouched {
            None
        } else if any(fields::MASKING) {
            Some("masking of credentials is not built")
        } else if any(fields::TERMINATION) || self.request.contains_key("inner") {
            Some("TLS termination is not built")
        } else {
            None
        }
    }

    fn run(&self) -> Result<(), String> {
        fields::check(&self.policy, &self.request)?;
        let request = placeholders::fill(&self.request)?;
        Self { request, ..self.clone() }.play()
    }

    fn play(&self) -> Result<(), String> {
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

    fn check(&self, outcome: &Outcome, world: &World, notices: &[Notice]) -> Result<(), String> {
        match self.decision() {
            "config_warning_or_allow" => {
                if notices.is_empty() && outcome.decision != "allow" {
                    return Err("neither allowed nor warned about".to_owned());
                }
                return Ok(());
            }
            "one_of" => {
                let any = self.expect.get("any").and_then(Value::as_array);
                let mut missed = Vec::new();
                for expect in any.into_iter().flatten().filter_map(Value::as_object) {
                    match expect::check(expect, &self.request, outcome, world) {
                        Ok(()) => return Ok(()),
                        Err(problem) => missed.push(problem),
                    }
                }
                return Err(format!("none of the allowed outcomes: {}", missed.join("; ")));
            }
            _ => {}
        }
        expect::check(&self.expect, &self.request, outcome, world)
    }
}

pub(super) fn text<'c>(key: &str, of: &'c Map<String, Value>) -> Option<&'c str> {
    of.get(key).and_then(Value::as_str)
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
