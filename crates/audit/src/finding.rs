//! What is found.

use crate::Question;
use crate::tables::catalogue::Entry;
use portcullis_model::{Decision, RuleRef, Source};
use portcullis_policy::Severity;

/// One thing a policy's author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing: its stable id, title and page.
    pub kind: &'static Entry,
    /// How bad it is here.
    pub severity: Severity,
    /// What is so, in one line.
    pub message: String,
    /// What to do, in one line; empty where there is nothing.
    pub hint: String,
    /// The rule it is about, where it is about one.
    pub rule: Option<RuleRef>,
    /// Where.
    pub source: Source,
    /// Other places that make it so.
    pub related: Vec<Related>,
    /// Calls that show it, each answered by the evaluator.
    pub witnesses: Vec<Witness>,
    /// What the claim rests on.
    pub evidence: Evidence,
    /// How to repair it, where that is safe.
    pub fix: Option<Fix>,
}

impl Finding {
    /// A finding about a rule.
    pub(crate) fn about(kind: &'static Entry, rule: &RuleRef, message: impl Into<String>) -> Self {
        Self { rule: Some(rule.clone()), ..Self::at(kind, rule.source.clone(), message) }
    }

    /// A finding about a place.
    pub(crate) fn at(kind: &'static Entry, source: Source, message: impl Into<String>) -> Self {
        Self {
            kind,
            severity: kind.severity,
            message: message.into(),
            hint: kind.cure.to_owned(),
            rule: None,
            source,
            related: Vec::new(),
            witnesses: Vec::new(),
            evidence: Evidence::Proved,
            fix: None,
        }
    }

    /// What stays the same while lines move: the id, the rule and where rules like it stand.
    pub fn fingerprint(&self) -> String {
        let (class, text) = self
            .rule
            .as_ref()
            .map_or(("", self.message.as_str()), |rule| (rule.class.word(), rule.text.as_str()));
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for part in [self.kind.id, class, text, self.source.scope.word()] {
            for byte in part.bytes().chain([0]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        format!("{hash:016x}")
    }
}

/// Another place that plays a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub source: Source,
    /// What it does there, in a few words.
    pub note: String,
}

impl Related {
    pub(crate) fn rule(rule: &RuleRef) -> Self {
        let note = format!("{} rule `{}`", rule.class.word(), rule.text);
        Self { source: rule.source.clone(), note }
    }
}

/// A call and what the evaluator says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The call.
    pub question: Question,
    /// The evaluator's decision.
    pub decision: Decision,
    /// The evaluator's reason, or what the call shows.
    pub note: String,
}

/// What a claim rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// It holds for every call: by the reader of rules or by automata.
    Proved,
    /// It holds for the calls shown: each was put to the evaluator.
    Replayed,
    /// The budget ran out: not proved, and not to be taken as good.
    Inconclusive,
}

impl Evidence {
    /// The lower-case word used in every output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Replayed => "replayed",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// A repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Take the rule out. No verdict changes.
    Remove,
    /// Write another rule in its place. The verdicts change to what was meant.
    Replace(String),
}
