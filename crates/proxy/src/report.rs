//! What happened, for the launcher and the log. Hosts, never paths, queries, headers or contents.

use crate::Refusal;
use serde_json::{Map, Value, json};

/// Who is told what happened. Called from the proxy's thread, so it must not block.
pub trait Reports: Send + Sync {
    /// Takes one event.
    fn report(&self, event: &Event);
}

/// How a wish ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The connection was made.
    Allowed,
    /// The policy or a person refused it.
    Denied,
    /// It was malformed or over a limit.
    Rejected,
    /// It was allowed, and failed.
    Failed,
    /// Something worth knowing about a connection that goes on.
    Noted,
    /// The connection is over.
    Closed,
}

impl Verdict {
    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allow",
            Self::Denied => "deny",
            Self::Rejected => "reject",
            Self::Failed => "error",
            Self::Noted => "note",
            Self::Closed => "closed",
        }
    }
}

impl From<&Refusal> for Verdict {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Denied(_)
            | Refusal::NotListed(_)
            | Refusal::NotListedAddress(_)
            | Refusal::Address(..)
            | Refusal::DeniedByUser(_)
            | Refusal::AskTimeout(_)
            | Refusal::Hello(_) => Self::Denied,
            Refusal::Malformed(_)
            | Refusal::TooManyAsks(_)
            | Refusal::TooManyConnections
            | Refusal::UseConnect
            | Refusal::Method
            | Refusal::HeadTooLarge
            | Refusal::Credentials
            | Refusal::EarlyData => Self::Rejected,
            Refusal::LookupFailed(_)
            | Refusal::LookupTimeout(_)
            | Refusal::UpstreamRefused(_)
            | Refusal::UpstreamTimeout(_)
            | Refusal::UpstreamAnswer(..)
            | Refusal::UpstreamCredentials(_)
            | Refusal::UpstreamProxy(_)
            | Refusal::Gone => Self::Failed,
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// How it ended.
    pub verdict: Verdict,
    /// The way the client asked.
    pub via: &'static str,
    /// The sandbox.
    pub sandbox: String,
    /// The command within, where the launcher said.
    pub command: Option<String>,
    /// Host and port, where the request got that far.
    pub destination: Option<(String, u16)>,
    /// A stable code, where it is not plainly allowed.
    pub code: Option<&'static str>,
    /// The entry that decided.
    pub rule: Option<String>,
    /// One sentence.
    pub message: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Bytes to and from the destination, once it is over.
    pub bytes: Option<(u64, u64)>,
    /// How long it took.
    pub millis: Option<u64>,
}

impl Event {
    /// The event as one JSON object.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| {
            if !value.is_null() {
                object.insert(key.to_owned(), value);
            }
        };
        put("verdict", json!(self.verdict.word()));
        put("via", json!(self.via));
        put("sandbox", json!(self.sandbox));
        put("command", json!(self.command));
        put("host", json!(self.destination.as_ref().map(|(host, _)| host)));
        put("port", json!(self.destination.as_ref().map(|(_, port)| port)));
        put("code", json!(self.code));
        put("rule", json!(self.rule));
        put("message", json!(self.message));
        put("hint", json!(self.hint));
        put("sent", json!(self.bytes.map(|(sent, _)| sent)));
        put("received", json!(self.bytes.map(|(_, received)| received)));
        put("ms", json!(self.millis));
        Value::Object(object)
    }
}
