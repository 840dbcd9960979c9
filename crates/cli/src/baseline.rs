//! The baseline: findings that somebody accepts, with a reason and an end.

use crate::failure::Failure;
use portcullis_audit::Finding;
use serde::Deserialize;
use toml::Spanned;

/// Accepted findings.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    accept: Vec<Spanned<Entry>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    rule: Option<String>,
    fingerprint: Option<String>,
    reason: String,
    expires: Option<String>,
}

impl Baseline {
    /// Reads a baseline file.
    pub fn read(name: &str, text: &str) -> Result<Self, Failure> {
        let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let raw: Raw = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            Failure::input(format!("`{name}:{}`: {message}", line(at)))
        })?;
        let mut entries = Vec::new();
        for entry in raw.accept {
            let at = line(entry.span().start);
            let entry = entry.into_inner();
            if entry.reason.trim().is_empty() {
                return Err(Failure::input(format!(
                    "`{name}:{at}`: an accepted finding has a reason"
                ))
                .hint("say in `reason` why it is acceptable"));
            }
            if entry.rule.is_none() && entry.fingerprint.is_none() {
                return Err(Failure::input(format!(
                    "`{name}:{at}`: an accepted finding names its `rule` or its `fingerprint`"
                )));
            }
            if let Some(date) = entry.expires.as_deref().filter(|date| !is_date(date)) {
                return Err(Failure::input(format!("`{name}:{at}`: `{date}` is no date"))
                    .hint("write it as `2027-01-31`"));
            }
            entries.push(entry);
        }
        Ok(Self { entries })
    }

    /// The reason a finding is accepted for on a day (`2027-01-31`).
    pub fn accepts(&self, finding: &Finding, today: &str) -> Option<&str> {
        self.matching(finding)
            .find(|entry| entry.expires.as_deref().is_none_or(|end| today <= end))
            .map(|entry| entry.reason.as_str())
    }

    /// When the acceptance of a finding ended, where it did.
    pub fn expired(&self, finding: &Finding, today: &str) -> Option<&str> {
        if self.accepts(finding, today).is_some() {
            return None;
        }
        self.matching(finding).find_map(|entry| entry.expires.as_deref())
    }

    /// Entries that no finding needs any more.
    pub fn unused(&self, findings: &[Finding]) -> Vec<String> {
        self.entries
            .iter()
            .filter(|entry| !findings.iter().any(|finding| entry.covers(finding)))
            .map(|entry| {
                let what = entry.rule.as_deref().or(entry.fingerprint.as_deref()).unwrap_or("");
                format!("{} {what}", entry.id)
            })
            .collect()
    }

    fn matching(&self, finding: &Finding) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.covers(finding))
    }
}

impl Entry {
    fn covers(&self, finding: &Finding) -> bool {
        let rule = finding.rule.as_ref().map(|rule| rule.text.as_str());
        self.id == finding.kind.id
            && self.rule.as_deref().is_none_or(|own| rule == Some(own))
            && self.fingerprint.as_deref().is_none_or(|own| own == finding.fingerprint())
    }
}

/// A baseline that accepts findings, to be filled with reasons.
pub fn written(findings: &[&Finding], expires: &str) -> String {
    let mut out = "# Findings of `portcullis audit` that are accepted, each with the reason why.\n"
        .to_owned();
    for finding in findings {
        let which = match &finding.rule {
            Some(rule) => format!("rule = {}", quoted(&rule.text)),
            None => format!("fingerprint = \"{}\"", finding.fingerprint()),
        };
        out.extend([format!(
            "\n# {}\n[[accept]]\nid = \"{}\"\n{which}\nreason = \"accepted when the baseline was written\"\nexpires = \"{expires}\"\n",
            finding.message.replace(char::is_control, " "),
            finding.kind.id,
        )]);
    }
    out
}

/// A TOML basic string. JSON's escapes are a part of TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn is_date(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00"
}
