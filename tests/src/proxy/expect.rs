//! Compares what came of a request with what a case wants.

use crate::proxy::cases::{Each, Outcome, strings};
use crate::proxy::world::World;
use portcullis_proxy::Question;
use serde_json::{Map, Value};
use std::time::Duration;

/// What is compared, and with what.
struct Checker<'c> {
    expect: &'c Map<String, Value>,
    request: &'c Map<String, Value>,
    outcome: &'c Outcome,
    world: &'c World,
    /// What the server outside received.
    received: String,
}

/// Compares everything; the error is the first difference.
pub(super) fn check(
    expect: &Map<String, Value>,
    request: &Map<String, Value>,
    outcome: &Outcome,
    world: &World,
) -> Result<(), String> {
    let received = String::from_utf8_lossy(&world.seen.received()).into_owned();
    let checker = Checker { expect, request, outcome, world, received };
    for (key, wanted) in expect {
        let checks = [
            Checker::of_answer,
            Checker::of_several,
            Checker::of_tunnel,
            Checker::of_records,
            Checker::of_upstream,
        ];
        let found = checks.iter().find_map(|check| check(&checker, key, wanted));
        found
            .unwrap_or_else(|| no(format!("nothing that knows `{key}`")))
            .map_err(|found| format!("{key}: wanted {wanted}, found {found}"))?;
    }
    Ok(())
}

/// Whether it is as wanted; the error is what was found. `None` where the key is another's.
type Compared = Option<Result<(), String>>;

impl Checker<'_> {
    /// What the client was told.
    fn of_answer(&self, key: &str, wanted: &Value) -> Compared {
        let Outcome { head, body, .. } = self.outcome;
        let said = format!("{head}{body}");
        Some(match key {
            "decision" => self.decision(wanted),
            "status" => number(wanted, u64::from(self.outcome.status)),
            "x_proxy_error" => same(wanted, header(head, "X-Proxy-Error").unwrap_or_default()),
            // Whether a class of addresses starts with a capital is no matter.
            "reason_contains" => holds(words(wanted).iter().all(|it| within(&said, it)), &said),
            "reason_excludes" => holds(!words(wanted).iter().any(|it| within(&said, it)), &said),
            "body" => same(wanted, body),
            "body_contains" => holds(words(wanted).iter().all(|it| body.contains(it)), body),
            "body_excludes" => holds(!words(wanted).iter().any(|it| said.contains(it)), &said),
            "status_line_contains" => {
                let line = head.lines().next().unwrap_or_default();
                holds(words(wanted).iter().all(|it| line.contains(it)), line)
            }
            "content_length" => {
                let length = header(head, "Content-Length");
                let fits = match wanted.as_str() {
                    Some("present") => length.is_some(),
                    Some("correct") => length == Some(body.len().to_string().as_str()),
                    Some(_) => false,
                    None => length == Some(wanted.to_string().as_str()),
                };
                holds(fits, &said)
            }
            "connection" => same(wanted, header(head, "Connection").unwrap_or_default()),
            "content_type" => {
                let found = header(head, "Content-Type").unwrap_or_default();
                holds(wanted.as_str().is_some_and(|kind| found.starts_with(kind)), found)
            }
            "header" => match wanted.as_object() {
                Some(headers) => holds(has_headers(head, headers), head),
                None => holds(words(wanted).iter().all(|it| head.contains(it)), head),
            },
            "within_ms" => {
                let most = Duration::from_millis(wanted.as_u64().unwrap_or(0));
                // The machine may be busy; what is measured is that there is a limit at all.
                let took = self.outcome.took;
                holds(took <= most + most / 4, &format!("{took:?}"))
            }
            "method_reply" => octet(wanted, self.outcome.method_reply),
            "reply" => octet(wanted, self.outcome.reply),
            "auth_reply" => octet(wanted, self.outcome.auth_reply),
            "relays_100" => {
                let found = self.outcome.relayed_continue;
                holds(wanted.as_bool() == Some(found), &found.to_string())
            }
            // How it came about, or what is measured elsewhere: memory by the suite of the running
            // proxy; warnings before anything runs.
            "any"
            | "note"
            | "effective"
            | "config_warning"
            | "then"
            | "proxy_rss_growth_kib_max" => Ok(()),
            _ => return None,
        })
    }

    fn decision(&self, wanted: &Value) -> Result<(), String> {
        let Outcome { decision, each, .. } = self.outcome;
        match wanted.as_str() {
            Some("per_request") => holds(!each.is_empty(), decision),
            Some("mixed") => {
                let differs =
                    each.iter().any(|one| each.iter().any(|other| one.decision != other.decision));
                holds(differs, &format!("{each:?}"))
            }
            Some(_) | None => same(wanted, decision),
        }
    }

    /// What came of each of several requests.
    fn of_several(&self, key: &str, wanted: &Value) -> Compared {
        let each = &self.outcome.each;
        let found = format!("{each:?}");
        Some(match key {
            "each" => {
                let list = wanted.as_array().map_or(&[] as &[Value], Vec::as_slice);
                let fits = list.len() == each.len()
                    && list.iter().zip(each).all(|(wanted, one)| fits(one, wanted));
                holds(fits, &found)
            }
            "allow" | "deny" | "reject" | "error" => {
                let alike = each.iter().filter(|one| one.decision == key).count();
                count(wanted, alike)
            }
            "rest" => {
                // Those beyond the allowed ones; where some are refused for another reason besides,
                // those of that status.
                let all = self.expect.contains_key("allow");
                let status = wanted.as_str().and_then(|text| text.split(' ').next()?.parse().ok());
                let counts = |one: &&Each| {
                    if all { one.decision != "allow" } else { Some(one.status) == status }
                };
                let mut rest = each.iter().filter(counts).peekable();
                holds(rest.peek().is_some() && rest.all(|one| fits(one, wanted)), &found)
            }
            _ => return None,
        })
    }

    /// What went through a tunnel.
    fn of_tunnel(&self, key: &str, wanted: &Value) -> Compared {
        let Outcome { early, sent, echoed, .. } = *self.outcome;
        Some(match key {
            "early_bytes_delivered" => match wanted.as_str() {
                Some("all") => holds(early > 0 && echoed >= early, &format!("{echoed} of {early}")),
                Some(_) | None => count(wanted, echoed),
            },
            "server_bytes_within_ms" => {
                let most = Duration::from_millis(wanted.as_u64().unwrap_or(0) + 300);
                let first = self.outcome.server_first;
                holds(first.is_some_and(|time| time <= most), &format!("{first:?}"))
            }
            "response_delivered" => {
                let delivered = sent > 0 && echoed == sent;
                holds(wanted.as_bool() == Some(delivered), &format!("{echoed} of {sent}"))
            }
            "upstream_closed_within_ms" => {
                let most = Duration::from_millis(wanted.as_u64().unwrap_or(0));
                let closed = self.outcome.upstream_closed;
                holds(closed.is_some_and(|time| time <= most), &format!("{closed:?}"))
            }
            "fds_leaked" => count(wanted, self.world.proxy.connections()),
            _ => return None,
        })
    }

    /// What was looked up, dialled, asked and reported.
    fn of_records(&self, key: &str, wanted: &Value) -> Compared {
        let record = &self.world.record;
        let lines = || record.events().into_iter().map(|event| event.to_json()).collect::<Vec<_>>();
        Some(match key {
            "dial" => {
                let dials: Vec<_> = record.dials().iter().map(ToString::to_string).collect();
                let list = match wanted {
                    Value::Null => Vec::new(),
                    wanted => words(wanted),
                };
                holds(dials == list, &format!("{dials:?}"))
            }
            "canonical" => {
                let host = record.events().into_iter().find_map(|event| event.destination);
                same(wanted, &host.map(|(host, _)| host).unwrap_or_default())
            }
            "dns_queries" => count(wanted, record.lookups().len()),
            "local_dns_queries" => {
                let lookups = record.lookups();
                count(wanted, lookups.iter().filter(|name| !name.starts_with("proxy.")).count())
            }
            "asks" => count(wanted, record.questions().len()),
            "saves_rule" => {
                same(wanted, &record.questions().first().map(Question::rule).unwrap_or_default())
            }
            "log" => {
                let codes: Vec<_> = record.events().iter().filter_map(|it| it.code).collect();
                let all = words(wanted).iter().all(|it| codes.contains(&it.as_str()));
                holds(all, &format!("{codes:?}"))
            }
            "hint" => {
                let hints: Vec<_> =
                    record.events().into_iter().filter_map(|event| event.hint).collect();
                let fits = |it: &String| hints.iter().any(|hint| hint.contains(it));
                holds(words(wanted).iter().all(fits), &format!("{hints:?}"))
            }
            "reason" => holds(self.is_reason(wanted), &format!("{:?}", lines())),
            "report" => {
                holds(lines().iter().any(|line| is_report(line, wanted)), &format!("{:?}", lines()))
            }
            "upstream_connections" => count(wanted, record.dials().len()),
            _ => return None,
        })
    }

    /// A reason is a code or words of a message; some are told in words of their own.
    fn is_reason(&self, wanted: &Value) -> bool {
        let Some(wanted) = wanted.as_str() else { return false };
        let code = if wanted.starts_with("capture cap") { "early-data" } else { wanted };
        self.world.record.events().iter().any(|event| {
            event.code == Some(code)
                || event.message.as_ref().is_some_and(|message| within(message, wanted))
        })
    }

    /// What arrived outside.
    fn of_upstream(&self, key: &str, wanted: &Value) -> Compared {
        let received = self.received.as_str();
        let requests = received.matches(" HTTP/1.").count();
        let one = |fits: bool| holds(requests == 1 && fits, received);
        let (head, body) = received.split_once("\r\n\r\n").unwrap_or((received, ""));
        Some(match key {
            "upstream_host" => same(wanted, header(received, "Host").unwrap_or_default()),
            "upstream_lacks" => one(words(wanted).iter().all(|it| header(head, it).is_none())),
            "upstream_has" => one(words(wanted).iter().all(|it| header(head, it).is_some())),
            "upstream_header" => one(wanted.as_object().is_some_and(|it| has_headers(head, it))),
            "upstream_body" => holds(
                wanted.as_str().is_some_and(|it| !head.is_empty() && received.ends_with(it)),
                received,
            ),
            "upstream_path" => same(wanted, received.split(' ').nth(1).unwrap_or_default()),
            "upstream_framing" => match wanted.as_str().map(|it| is_framed(head, body, it)) {
                Some(Some(fits)) => holds(fits, received),
                Some(None) | None => no("nothing that knows such a framing"),
            },
            "adds_none_of" => one(!words(wanted).iter().any(|it| self.is_added(head, it))),
            "upstream_requests" => {
                let none = requests > 0 || self.world.record.dials().is_empty();
                holds(number(wanted, requests as u64).is_ok() && none, received)
            }
            "upstream_connect" => {
                let first = received.lines().next().unwrap_or_default();
                let to = first.strip_prefix("CONNECT ").and_then(|it| it.strip_suffix(" HTTP/1.1"));
                same(wanted, to.unwrap_or(first))
            }
            _ => return None,
        })
    }

    /// Whether a header outside is not as the client sent it.
    fn is_added(&self, head: &str, name: &str) -> bool {
        let Some(found) = header(head, name) else { return false };
        let headers = self.request.get("headers").and_then(Value::as_object);
        let mut sent = headers.into_iter().flatten();
        let lines = strings(self.request.get("raw_headers")).join("\r\n");
        let is_sent = sent
            .any(|(own, value)| own.eq_ignore_ascii_case(name) && value.as_str() == Some(found));
        !is_sent && header(&lines, name) != Some(found)
    }
}

/// Whether one of several came out as `allow`, `deny 403`, `503 too-many-asks`, a status or an object
/// of expectations says.
fn fits(one: &Each, wanted: &Value) -> bool {
    let is = |key: &str, wanted: &Value| match key {
        "decision" => wanted == one.decision,
        "status" => wanted == one.status,
        "x_proxy_error" => wanted == one.code.as_str(),
        "reply" => one.reply.is_some_and(|reply| wanted == reply),
        _ => false,
    };
    match wanted {
        Value::Object(all) => all.iter().all(|(key, wanted)| is(key, wanted)),
        Value::Number(_) => is("status", wanted),
        Value::String(text) => text.split_whitespace().all(|word| match word {
            "allow" | "deny" | "reject" | "error" | "closed" | "hangs" => one.decision == word,
            word if word.bytes().all(|byte| byte.is_ascii_digit()) => {
                word.parse() == Ok(one.status)
            }
            word => one.code == word,
        }),
        Value::Null | Value::Bool(_) | Value::Array(_) => false,
    }
}

/// Whether a report is as an object wants it, or holds all texts.
fn is_report(line: &Value, wanted: &Value) -> bool {
    if let Some(fields) = wanted.as_object() {
        return fields.iter().all(|(key, wanted)| line.get(key) == Some(wanted));
    }
    let line = line.to_string();
    let texts = words(wanted);
    !texts.is_empty() && texts.iter().all(|it| line.contains(it))
}

/// Whether a body is framed as `content-length 5`, `chunked` or `none` says.
fn is_framed(head: &str, body: &str, wanted: &str) -> Option<bool> {
    let length = header(head, "Content-Length");
    let coding = header(head, "Transfer-Encoding").map(str::to_ascii_lowercase);
    let wanted = wanted.to_ascii_lowercase().replace("content-length: ", "content-length ");
    Some(match wanted.split(' ').collect::<Vec<_>>().as_slice() {
        ["content-length", count] => {
            length == Some(*count) && coding.is_none() && body.len().to_string() == **count
        }
        ["chunked"] => {
            coding.as_deref() == Some("chunked") && length.is_none() && body.ends_with("0\r\n\r\n")
        }
        ["none"] | ["no", "body"] => length.is_none() && coding.is_none() && body.is_empty(),
        _ => return None,
    })
}

fn has_headers(head: &str, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, value)| header(head, name) == value.as_str())
}

/// The value of a header.
pub(super) fn header<'t>(head: &'t str, name: &str) -> Option<&'t str> {
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn within(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

/// One text or several. What is neither stands for itself, so that it is never as wanted.
fn words(wanted: &Value) -> Vec<String> {
    match wanted {
        Value::Array(list) => list.iter().flat_map(words).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// Where several are wanted, each will do.
fn same(wanted: &Value, found: &str) -> Result<(), String> {
    let any = wanted.as_array().is_some_and(|list| list.iter().any(|each| each == found));
    holds(any || wanted == found, found)
}

fn number(wanted: &Value, found: u64) -> Result<(), String> {
    let any = wanted.as_array().is_some_and(|list| list.iter().any(|each| *each == found));
    holds(any || *wanted == found, &found.to_string())
}

fn count(wanted: &Value, found: usize) -> Result<(), String> {
    number(wanted, u64::try_from(found).unwrap_or(u64::MAX))
}

fn octet(wanted: &Value, found: Option<u8>) -> Result<(), String> {
    found.map_or_else(|| no("none"), |found| number(wanted, u64::from(found)))
}

fn holds(fits: bool, found: &str) -> Result<(), String> {
    if fits { Ok(()) } else { no(found) }
}

fn no(found: impl Into<String>) -> Result<(), String> {
    Err(found.into())
}
