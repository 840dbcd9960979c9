//! Settings of another sandbox, `.srt-settings.json`, as settings of ours.
//!
//! What has a counterpart is carried over, what has none is named: a restriction that would be lost is
//! an error, so that nothing is loosened by moving house.

use portcullis_policy::Severity;
use serde_json::{Map, Value, json};
use std::fmt;

/// What became of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Settings for a `settings.json`.
    pub settings: Value,
    /// What is not as it was.
    pub notes: Vec<Note>,
}

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How bad that is: an error is a restriction without a counterpart.
    pub severity: Severity,
    /// The key, such as `network.mitmProxy`.
    pub key: String,
    /// What about it.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.text)
    }
}

/// Reads the text of a file. What is not JSON, or lacks what the format requires, is an error.
pub fn import(text: &str) -> Result<Imported, String> {
    let root: Value =
        serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let Value::Object(mut root) = root else { return Err("it is not an object".to_owned()) };
    let mut import = Import::default();
    // SECURITY: the format requires both. A file without them was refused there, and read as empty here
    // it would restrict nothing.
    let mut section = |name: &str| match root.remove(name) {
        Some(Value::Object(section)) => Ok(section),
        Some(_) => Err(format!("`{name}` is not an object")),
        None => Err(format!("`{name}` is missing")),
    };
    let (network, filesystem) = (section("network")?, section("filesystem")?);
    require_lists(&network, "network", &["allowedDomains", "deniedDomains"])?;
    require_lists(&filesystem, "filesystem", &["denyRead", "allowWrite", "denyWrite"])?;
    let mut sandbox = Map::new();
    sandbox.insert("enabled".to_owned(), true.into());
    // Where the other sandbox cannot work it does not run the command; ours is told to do the same.
    sandbox.insert("failIfUnavailable".to_owned(), true.into());
    sandbox.insert("network".to_owned(), import.section("network.", network, NETWORK).into());
    let filesystem = import.section("filesystem.", filesystem, FILESYSTEM);
    sandbox.insert("filesystem".to_owned(), import.paths(filesystem)?.into());
    sandbox.extend(import.section("", root, TOP));
    Ok(Imported { settings: json!({ "sandbox": sandbox }), notes: import.notes })
}

fn require_lists(section: &Map<String, Value>, name: &str, keys: &[&str]) -> Result<(), String> {
    match keys.iter().find(|key| !section.get(**key).is_some_and(Value::is_array)) {
        Some(key) => Err(format!("`{name}.{key}` is not a list")),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Import {
    notes: Vec<Note>,
}

impl Import {
    /// Keeps the keys that mean the same, and notes the rest.
    fn section(
        &mut self,
        prefix: &str,
        section: Map<String, Value>,
        known: &[(&str, Fate)],
    ) -> Map<String, Value> {
        let mut kept = Map::new();
        for (key, value) in section {
            let path = format!("{prefix}{key}");
            match known.iter().find(|(name, _)| *name == key).map(|(_, fate)| *fate) {
                Some(Fate::Same) => {
                    kept.insert(key, value);
                }
                Some(Fate::Needless(why)) => self.note(Severity::Note, path, why.to_owned()),
                Some(Fate::Loosens(why)) => self.note(Severity::Warning, path, why.to_owned()),
                Some(Fate::Restricts(_)) if is_empty(&value) => {}
                Some(Fate::Restricts(why)) => self.note(Severity::Error, path, why.to_owned()),
                None => {
                    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                    let meant = portcullis_rules::did_you_mean(&key, &names)
                        .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
                    self.note(
                        Severity::Error,
                        path,
                        format!("an unknown key, not carried over{meant}"),
                    );
                }
            }
        }
        kept
    }

    /// Entries may be objects `{path, literal}`; ours are texts in which wildcards can be bracketed.
    fn paths(&mut self, mut section: Map<String, Value>) -> Result<Map<String, Value>, String> {
        for (key, value) in &mut section {
            let Value::Array(entries) = value else { continue };
            for entry in entries {
                if let Value::Object(object) = entry {
                    let Some(Value::String(path)) = object.get("path") else {
                        return Err(format!("an entry of `filesystem.{key}` has no `path`"));
                    };
                    let literal = object.get("literal") == Some(&Value::Bool(true));
                    *entry = if literal { bracketed(path) } else { path.clone() }.into();
                }
                let is_relative = entry
                    .as_str()
                    .is_some_and(|path| !path.starts_with('/') && !path.starts_with('~'));
                if is_relative {
                    let text = format!(
                        "{entry} is relative: it was meant from the directory of the run, and is now meant from the project (in its settings) or `~/.claude` (in yours)"
                    );
                    self.note(Severity::Warning, format!("filesystem.{key}"), text);
                }
            }
        }
        Ok(section)
    }

    fn note(&mut self, severity: Severity, key: String, text: String) {
        self.notes.push(Note { severity, key, text });
    }
}

/// Whether a value restricts nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A path whose wildcards stand for themselves.
fn bracketed(path: &str) -> String {
    path.chars().fold(String::new(), |mut text, character| {
        match character {
            '*' | '?' | '[' => text.extend(['[', character, ']']),
            other => text.push(other),
        }
        text
    })
}

/// What becomes of a key.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It means the same here.
    Same,
    /// It is not needed here; why.
    Needless(&'static str),
    /// It granted something that is not granted here; what.
    Loosens(&'static str),
    /// It restricted something that nothing here restricts; what.
    Restricts(&'static str),
}

const NETWORK: &[(&str, Fate)] = &[
    ("allowedDomains", Fate::Same),
    ("deniedDomains", Fate::Same),
    ("strictAllowlist", Fate::Same),
    ("allowUnixSockets", Fate::Same),
    ("allowAllUnixSockets", Fate::Same),
    ("allowLocalBinding", Fate::Same),
    ("httpProxyPort", Fate::Same),
    ("socksProxyPort", Fate::Same),
    ("tlsTerminate", Fate::Same),
    ("allowMachLookup", Fate::Needless("it is about macOS")),
    ("deniedDomainReasons", Fate::Needless("a denial names the entry and its place by itself")),
    (
        "deniedResolvedAddresses",
        Fate::Restricts(
            "no key denies addresses that an allowed name resolves to; private ranges are denied by themselves unless the host is allowed by its exact name",
        ),
    ),
    (
        "mitmProxy",
        Fate::Loosens(
            "traffic is not handed to a socket; name a proxy of your own by `httpProxyPort`",
        ),
    ),
    ("filterRequest", Fate::Restricts("requests are not filtered by a function")),
    ("allowPlaintextHeaderSet", Fate::Loosens("headers are not set in plain requests")),
    ("stripResponseHeaders", Fate::Restricts("headers of answers are not taken out")),
    ("refuseOpaqueTunnels", Fate::Restricts("tunnels whose content is not read are not refused")),
    (
        "requireHostMatch",
        Fate::Needless("the name a tunnel asks for has to be the one that was allowed"),
    ),
    ("ambiguousRequestTarget", Fate::Needless("ambiguous requests are refused")),
    ("parentProxy", Fate::Loosens("the proxy above is the one the environment names")),
];

const FILESYSTEM: &[(&str, Fate)] = &[
    ("disabled", Fate::Same),
    ("denyRead", Fate::Same),
    ("allowRead", Fate::Same),
    ("allowWrite", Fate::Same),
    ("denyWrite", Fate::Same),
    ("allowGitConfig", Fate::Loosens("the configuration of repositories stays protected")),
];

const TOP: &[(&str, Fate)] = &[
    ("credentials", Fate::Same),
    ("ignoreViolations", Fate::Same),
    ("enableWeakerNestedSandbox", Fate::Same),
    ("allowNestedUserNamespaces", Fate::Loosens("user namespaces stay closed inside")),
    ("enableWeakerNetworkIsolation", Fate::Needless("it is about macOS")),
    ("allowAppleEvents", Fate::Needless("it is about macOS")),
    ("allowPty", Fate::Needless("terminals work as they are")),
    ("windows", Fate::Needless("it is about Windows")),
    ("ripgrep", Fate::Needless("no search tool is needed")),
    ("mandatoryDenySearchDepth", Fate::Needless("protected names hold at any depth")),
    ("seccomp", Fate::Needless("no extra program is needed")),
    ("bwrapPath", Fate::Needless("no extra program is needed")),
    ("socatPath", Fate::Needless("no extra program is needed")),
    ("javaAgentJarPath", Fate::Needless("no extra program is needed")),
    ("git", Fate::Loosens("directories that belong to somebody else are not declared safe")),
];

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"{"network": {"allowedDomains": ["a.test"], "deniedDomains": []},
        "filesystem": {"denyRead": ["~/.ssh"], "allowWrite": [], "denyWrite": []}}"#;

    #[test]
    fn what_means_the_same_is_carried_over() {
        let imported = import(MINIMAL).unwrap();
        assert_eq!(imported.notes, []);
        assert_eq!(
            imported.settings,
            json!({"sandbox": {
                "enabled": true,
                "failIfUnavailable": true,
                "network": {"allowedDomains": ["a.test"], "deniedDomains": []},
                "filesystem": {"denyRead": ["~/.ssh"], "allowWrite": [], "denyWrite": []},
            }})
        );
    }

    #[test]
    fn literal_paths_keep_their_wildcards_as_characters() {
        let text = MINIMAL.replace(
            "\"~/.ssh\"",
            r#"{"path": "/p/[id]/*.ts", "literal": true}, {"path": "/q/*"}"#,
        );
        let imported = import(&text).unwrap();
        let paths = imported.settings.pointer("/sandbox/filesystem/denyRead").unwrap();
        assert_eq!(paths, &json!(["/p/[[]id]/[*].ts", "/q/*"]));
    }

    #[test]
    fn what_has_no_counterpart_is_named() {
        let text = MINIMAL
            .replace("\"deniedDomains\"", "\"deniedResolvedAddresses\": [\"192.0.2.0/24\"], \"allowedDomain\": [], \"deniedDomains\"")
            .replace("\"~/.ssh\"", "\"secrets\"");
        let notes: Vec<String> =
            import(&text).unwrap().notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "network.deniedResolvedAddresses: no key denies addresses that an allowed name resolves to; private ranges are denied by themselves unless the host is allowed by its exact name",
                "network.allowedDomain: an unknown key, not carried over; did you mean `allowedDomains`?",
                "filesystem.denyRead: \"secrets\" is relative: it was meant from the directory of the run, and is now meant from the project (in its settings) or `~/.claude` (in yours)",
            ]
        );
    }

    #[test]
    fn a_file_that_was_refused_there_is_refused_here() {
        for (text, why) in [
            ("", "it is not JSON: EOF while parsing a value at line 1 column 0"),
            ("[]", "it is not an object"),
            ("{}", "`network` is missing"),
            (r#"{"network": [], "filesystem": {}}"#, "`network` is not an object"),
            (r#"{"network": {}, "filesystem": {}}"#, "`network.allowedDomains` is not a list"),
        ] {
            assert_eq!(import(text).unwrap_err(), why, "{text}");
        }
    }
}
