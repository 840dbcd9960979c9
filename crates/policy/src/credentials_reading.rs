//! The key `sandbox.credentials` of one layer, and how the layers add up.

use crate::entries;
use crate::json::{Member, Node, Value};
use crate::keys;
use crate::reading::{Reading, Section, listed};
use crate::switches::{self, Switches};
use crate::{
    AwsPair, CredentialFile, CredentialVariable, Credentials, Mask, OnNoMatch, Passage, Protection,
    Setting, Severity, Sigv4,
};
use portcullis_rules::did_you_mean;

/// What one layer says about credentials.
#[derive(Debug, Default)]
pub(crate) struct LayerCredentials {
    files: Vec<CredentialFile>,
    variables: Vec<CredentialVariable>,
    aws_pairs: Vec<AwsPair>,
    sigv4: Option<Setting<Sigv4>>,
}

impl LayerCredentials {
    /// Whether a file is denied: that needs isolated files.
    pub(crate) fn denies_files(&self) -> bool {
        self.files.iter().any(|file| file.protection == Protection::Deny)
    }

    /// Adds this layer below what is there.
    pub(crate) fn add_to(self, credentials: &mut Credentials) {
        credentials.files.extend(self.files);
        credentials.variables.extend(self.variables);
        credentials.aws_pairs.extend(self.aws_pairs);
        if credentials.sigv4.source.is_none()
            && let Some(sigv4) = self.sigv4
        {
            credentials.sigv4 = sigv4;
        }
    }
}

/// Leaves out masks of what another entry denies.
pub(crate) fn settle(credentials: &mut Credentials) {
    let denied: Vec<_> = credentials
        .files
        .iter()
        .filter(|file| file.protection == Protection::Deny)
        .map(|file| file.path.path.clone())
        .collect();
    credentials
        .files
        .retain(|file| file.protection == Protection::Deny || !denied.contains(&file.path.path));
    let denied: Vec<_> = credentials
        .variables
        .iter()
        .filter(|variable| variable.protection == Protection::Deny)
        .map(|variable| variable.name.clone())
        .collect();
    credentials.variables.retain(|variable| {
        variable.protection == Protection::Deny || !denied.contains(&variable.name)
    });
}

/// Reads everything under `credentials` of the section `sandbox`.
pub(crate) fn read(
    reading: &mut Reading<'_>,
    sandbox: &Section<'_>,
    said: &mut Switches,
) -> LayerCredentials {
    let mut found = LayerCredentials::default();
    let mut tables = Vec::new();
    for member in sandbox.every("credentials") {
        if let Value::Table(table) = &member.value.value {
            tables.push(reading.check_keys(PATH, keys::CREDENTIALS, table));
        } else {
            // Dropped, not closed: an entry names what it protects, so there is nothing to guess.
            reading.wrong_type(PATH, &member.value, "an object", "it protects nothing");
        }
    }
    for table in tables {
        let section = Section::of(PATH, table);
        for member in section.every("files") {
            for (entry, node) in entries_of(reading, "files", member, keys::CREDENTIAL_FILE) {
                found.files.extend(file(reading, &entry, node));
            }
        }
        for member in section.every("envVars") {
            for (entry, node) in entries_of(reading, "envVars", member, keys::CREDENTIAL_VARIABLE) {
                found.variables.extend(variable(reading, &entry, node));
            }
        }
        if let Some(switch) = reading.switch(&section, &switches::PLAINTEXT_INJECT) {
            said.say(switches::PLAINTEXT_INJECT.path, switch);
        }
        if !reading.grants() {
            continue;
        }
        if let Some(member) = section.last("awsPairs") {
            for (entry, node) in entries_of(reading, "awsPairs", member, keys::AWS_PAIR) {
                found.aws_pairs.extend(aws_pair(reading, &entry, node));
            }
        }
        if let Some(member) = section.last("sigv4") {
            found.sigv4 = sigv4(reading, member);
        }
    }
    found
}

/// The entries of an array of objects; others are reported.
fn entries_of<'n>(
    reading: &mut Reading<'_>,
    key: &str,
    member: &'n Member,
    known: &[&str],
) -> Vec<(Section<'n>, &'n Node)> {
    let path = format!("{PATH}.{key}");
    let Value::List(nodes) = &member.value.value else {
        reading.wrong_type(&path, &member.value, "an array of objects", "it protects nothing");
        return Vec::new();
    };
    let mut entries = Vec::new();
    for node in nodes {
        if let Value::Table(table) = &node.value {
            let path = match key {
                "files" => "sandbox.credentials.files[]",
                "envVars" => "sandbox.credentials.envVars[]",
                _ => "sandbox.credentials.awsPairs[]",
            };
            entries.push((Section::of(path, reading.check_keys(path, known, table)), node));
        } else {
            let entry = format!("{path}[]");
            reading.wrong_type(&entry, node, "an object", "the entry is dropped");
        }
    }
    entries
}

fn file(reading: &mut Reading<'_>, entry: &Section<'_>, node: &Node) -> Option<CredentialFile> {
    let text = required_text(reading, entry, "path", node)?;
    let path = match entries::path(text, reading, node) {
        Ok(path) => path,
        Err(bad) => {
            let message = format!("{}; the entry is dropped", bad.message);
            reading.report(Severity::Error, bad.code, node.span, message, bad.hint);
            return None;
        }
    };
    let protection = protection(reading, entry, node, true)?;
    Some(CredentialFile { path, protection })
}

fn variable(
    reading: &mut Reading<'_>,
    entry: &Section<'_>,
    node: &Node,
) -> Option<CredentialVariable> {
    let name = required_text(reading, entry, "name", node)?;
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        let message = format!(
            "`{}` is not the name of a variable; the entry is dropped",
            name.escape_debug()
        );
        let hint = "a name is made of letters, digits and `_`, and starts with no digit";
        reading.report(Severity::Error, "wrong-value", node.span, message, hint);
        return None;
    }
    let protection = protection(reading, entry, node, false)?;
    let source = reading.source(node.span);
    Some(CredentialVariable { name: name.to_owned(), protection, source })
}

fn required_text<'n>(
    reading: &mut Reading<'_>,
    entry: &Section<'n>,
    key: &str,
    node: &Node,
) -> Option<&'n str> {
    match entry.last(key).map(|member| &member.value.value) {
        Some(Value::Text(text)) => Some(text),
        found => {
            let full = entry.full(key);
            let message = match found {
                Some(value) => format!(
                    "`{full}` has to be a string, not {}; the entry is dropped",
                    value.kind()
                ),
                None => format!("`{full}` is missing; the entry is dropped"),
            };
            let hint = format!("write `\"{key}\": \"…\"`");
            reading.report(Severity::Error, "wrong-value", node.span, message, hint);
            None
        }
    }
}

fn protection(
    reading: &mut Reading<'_>,
    entry: &Section<'_>,
    node: &Node,
    of_file: bool,
) -> Option<Protection> {
    let mode = required_text(reading, entry, "mode", node)?;
    match mode {
        "deny" => Some(Protection::Deny),
        "mask" if reading.layer.is_of_project() => {
            // SECURITY: a mask has the proxy send the secret out; a repository must not choose
            // where to.
            reading.never_from_project(&format!("{}: mask", entry.full("mode")), node.span);
            None
        }
        "mask" if !reading.grants() => {
            reading.withheld(node.span, "this mask entry hides its credential altogether");
            Some(Protection::Deny)
        }
        "mask" => match mask(entry, of_file) {
            Ok(mask) => Some(Protection::Mask(mask)),
            Err((key, why)) => {
                let message =
                    format!("`{}` {why}; the credential is hidden and not masked", entry.full(key));
                let hint = "correct the entry, or write `\"mode\": \"deny\"`";
                reading.report(Severity::Error, "bad-mask", node.span, message, hint);
                Some(Protection::Deny)
            }
        },
        other => {
            let modes = &["deny", "mask"];
            let message = format!(
                "`{}` is not a mode of a credential; the entry is dropped",
                other.escape_debug()
            );
            let hint = did_you_mean(other, modes).map_or_else(
                || format!("the modes are {}", listed(modes)),
                |name| format!("did you mean `{name}`?"),
            );
            reading.report(Severity::Error, "unknown-mode", node.span, message, hint);
            None
        }
    }
}

/// Reads how an entry masks; the error is the key and what is wrong with it.
fn mask(entry: &Section<'_>, of_file: bool) -> Result<Mask, (&'static str, String)> {
    let mut mask = Mask::default();
    if let Some(member) = entry.last("extract") {
        mask.extract = Some(extract(&member.value.value).map_err(|why| ("extract", why))?);
    }
    if let Some(member) = entry.last("decode") {
        if member.value.value.text() != Some("jwt") {
            return Err(("decode", "has to be `\"jwt\"`".to_owned()));
        }
        mask.jwt = true;
    }
    if let Some(member) = entry.last("maskClaims") {
        mask.claims = texts(&member.value.value).map_err(|why| ("maskClaims", why))?;
        if mask.claims.is_empty() {
            return Err(("maskClaims", "names no claim".to_owned()));
        }
        if !mask.jwt {
            return Err(("maskClaims", "needs `\"decode\": \"jwt\"`".to_owned()));
        }
    }
    if let Some(member) = entry.last("maskDuplicates") {
        let Value::Bool(value) = member.value.value else {
            return Err(("maskDuplicates", "has to be `true` or `false`".to_owned()));
        };
        mask.duplicates = value;
    }
    if let Some(member) = entry.last("injectHosts") {
        mask.inject_hosts = Some(texts(&member.value.value).map_err(|why| ("injectHosts", why))?);
    }
    if let Some(member) = entry.last("onExtractNoMatch") {
        let value = member.value.value.text().and_then(on_no_match);
        mask.on_no_match = value.ok_or_else(|| {
            ("onExtractNoMatch", "has to be `\"warn\"`, `\"deny\"` or `\"error\"`".to_owned())
        })?;
    }
    if !of_file && mask.jwt && mask.extract.is_some() {
        return Err(("decode", "cannot stand beside `extract`".to_owned()));
    }
    if !of_file && mask.jwt && mask.on_no_match != OnNoMatch::Warn {
        return Err(("onExtractNoMatch", "has to be `\"warn\"` beside `decode`".to_owned()));
    }
    Ok(mask)
}

fn on_no_match(word: &str) -> Option<OnNoMatch> {
    match word {
        "warn" => Some(OnNoMatch::Warn),
        "deny" => Some(OnNoMatch::Deny),
        "error" => Some(OnNoMatch::Error),
        _ => None,
    }
}

/// A regular expression with a group. It is compiled where it is used; that it has a group is told
/// by a parenthesis that is not escaped, in no class, and not followed by `?` (but for a name).
fn extract(value: &Value) -> Result<String, String> {
    let Value::Text(text) = value else {
        return Err(format!("has to be a string, not {}", value.kind()));
    };
    let mut rest = text.chars();
    let mut in_class = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                rest.next();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let after = rest.as_str();
                let named = ["?<", "?P<"].iter().any(|open| {
                    after.strip_prefix(open).is_some_and(|name| !name.starts_with(['=', '!']))
                });
                if named || !after.starts_with('?') {
                    return Ok(text.clone());
                }
            }
            _ => {}
        }
    }
    Err("has no group in parentheses".to_owned())
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let Value::List(nodes) = value else {
        return Err(format!("has to be an array of strings, not {}", value.kind()));
    };
    let text = |node: &Node| {
        let not_text = || format!("has to hold only strings, not {}", node.value.kind());
        node.value.text().map(str::to_owned).ok_or_else(not_text)
    };
    nodes.iter().map(text).collect()
}

fn aws_pair(reading: &mut Reading<'_>, entry: &Section<'_>, node: &Node) -> Option<AwsPair> {
    let access_key_id = required_text(reading, entry, "accessKeyIdVar", node)?.to_owned();
    let secret_access_key = required_text(reading, entry, "secretAccessKeyVar", node)?.to_owned();
    let session_token = match entry.last("sessionTokenVar") {
        Some(_) => Some(required_text(reading, entry, "sessionTokenVar", node)?.to_owned()),
        None => None,
    };
    let source = reading.source(node.span);
    Some(AwsPair { access_key_id, secret_access_key, session_token, source })
}

fn sigv4(reading: &mut Reading<'_>, member: &Member) -> Option<Setting<Sigv4>> {
    let path = "sandbox.credentials.sigv4";
    let Value::Table(table) = &member.value.value else {
        reading.wrong_type(path, &member.value, "an object", "such requests fail");
        return None;
    };
    let section = Section::of(path, reading.check_keys(path, keys::SIGV4, table));
    let mut sigv4 = Sigv4::default();
    for (key, slot) in [
        ("streaming", &mut sigv4.streaming),
        ("presigned", &mut sigv4.presigned),
        ("sigv4a", &mut sigv4.sigv4a),
    ] {
        let Some(member) = section.last(key) else { continue };
        *slot = match member.value.value.text() {
            Some("passthrough") => Passage::Passthrough,
            Some("deny") => Passage::Deny,
            Some(_) | None => {
                let message = format!(
                    "`{path}.{key}` has to be `\"deny\"` or `\"passthrough\"`; it counts as `\"deny\"`"
                );
                let hint = "write one of the two";
                reading.report(Severity::Error, "wrong-value", member.value.span, message, hint);
                Passage::Deny
            }
        };
    }
    let source = Some(reading.source(member.key_span));
    Some(Setting { value: sigv4, source })
}

const PATH: &str = "sandbox.credentials";
