//! The effective policy, part by part, each with the place it is written at.

use super::place;
use crate::console::Palette;
use portcullis_host::claude_code::shown;
use portcullis_model::Source;
use portcullis_policy::{
    Credentials, Filesystem, Network, Policy, Protection, Rules, Sandbox, SandboxDomain,
    SandboxPath, Setting,
};
use serde_json::{Value, json};

/// One kind of thing a policy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The settings key it stands for.
    pub key: &'static str,
    /// What it holds.
    pub entries: Vec<Entry>,
}

/// One thing a policy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What counts, as it is written.
    pub text: String,
    /// More about it, such as what a path is resolved to.
    pub note: Option<String>,
    /// Where it is written; `None` for a default.
    pub source: Option<Source>,
}

impl Entry {
    fn new(text: impl Into<String>, source: &Source) -> Self {
        Self { text: text.into(), note: None, source: Some(source.clone()) }
    }

    fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

/// Everything that counts, in the order of settings; sections without entries are left out.
pub fn sections(policy: &Policy) -> Vec<Section> {
    let mut sections = vec![
        Section { key: "broken", entries: closed(policy) },
        Section { key: "permissions.deny", entries: rules(&policy.deny) },
        Section { key: "permissions.ask", entries: rules(&policy.ask) },
        Section { key: "permissions.allow", entries: rules(&policy.allow) },
        Section {
            key: "permissions.additionalDirectories",
            entries: policy
                .directories
                .iter()
                .map(|directory| Entry::new(directory.path.as_str(), &directory.source))
                .collect(),
        },
        Section { key: "modes and locks", entries: locks(policy) },
    ];
    sections.extend(sandbox(&policy.sandbox));
    sections.push(Section { key: "portcullis", entries: native(policy) });
    sections.retain(|section| !section.entries.is_empty());
    sections
}

/// Sections as text.
pub fn text(sections: &[Section], home: &str, palette: Palette) -> String {
    let mut out = String::new();
    for (index, section) in sections.iter().enumerate() {
        let gap = if index > 0 { "\n" } else { "" };
        out.extend([format!("{gap}{}\n", palette.strong(section.key))]);
        let width = section.entries.iter().map(|entry| shown(&entry.text).chars().count()).max();
        let width = width.unwrap_or(0).min(48);
        for entry in &section.entries {
            let source = entry
                .source
                .as_ref()
                .map_or_else(|| "default".to_owned(), |source| place(source, home));
            out.extend([format!("  {:<width$}  {}\n", shown(&entry.text), palette.dim(&source))]);
            if let Some(note) = &entry.note {
                out.extend([format!("    {}\n", shown(note))]);
            }
        }
    }
    out
}

/// Sections as JSON: an object by key.
pub fn value(sections: &[Section]) -> Value {
    Value::Object(
        sections
            .iter()
            .map(|section| {
                let entries = section.entries.iter().map(entry_json).collect();
                (section.key.to_owned(), Value::Array(entries))
            })
            .collect(),
    )
}

/// A place as JSON.
pub fn source_json(source: &Source) -> Value {
    json!({
        "scope": source.scope.word(),
        "file": source.file,
        "line": source.line,
        "column": source.column,
    })
}

fn entry_json(entry: &Entry) -> Value {
    json!({
        "text": entry.text,
        "note": entry.note,
        "source": entry.source.as_ref().map(source_json),
    })
}

fn rules(rules: &Rules) -> Vec<Entry> {
    rules.list.iter().map(|rule| Entry::new(&rule.reference.text, &rule.reference.source)).collect()
}

fn closed(policy: &Policy) -> Vec<Entry> {
    let covers = |closed: &portcullis_policy::Closed| match closed.tool {
        None => "every call asks",
        Some(_) => "every call of the tools it names asks",
    };
    policy
        .closed
        .iter()
        .map(|closed| Entry::new(&closed.text, &closed.source).note(covers(closed)))
        .collect()
}

fn locks(policy: &Policy) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Some((mode, source)) = &policy.default_mode {
        entries.push(Entry::new(format!("defaultMode: {}", mode.word()), source));
    }
    for (text, lock) in [
        ("disableBypassPermissionsMode", &policy.bypass_disabled),
        ("disableAutoMode", &policy.auto_disabled),
        ("allowManagedPermissionRulesOnly", &policy.rules_locked),
    ] {
        entries.extend(lock.iter().map(|source| Entry::new(text, source)));
    }
    entries
}

fn native(policy: &Policy) -> Vec<Entry> {
    let native = &policy.native;
    let mut entries = Vec::new();
    switch("managedExcludedCommandsOnly", &native.managed_excluded_commands_only, &mut entries);
    switch("managedSandboxEscapeOnly", &native.managed_sandbox_escape_only, &mut entries);
    switch("scrubEnv", &native.scrub_env, &mut entries);
    switch("allowNested", &native.allow_nested, &mut entries);
    if !policy.preapproved_hosts {
        let text = "preapprovedHosts: false".to_owned();
        entries.push(Entry { text, note: None, source: None });
    }
    if let (Some(log), source) = (&native.log.value, &native.log.source) {
        entries.push(Entry { text: format!("log: {log}"), note: None, source: source.clone() });
    }
    entries
}

/// A switch that somebody set, or that is on.
fn switch(key: &str, setting: &Setting<bool>, entries: &mut Vec<Entry>) {
    if setting.value || setting.source.is_some() {
        entries.push(Entry {
            text: format!("{key}: {}", setting.value),
            note: None,
            source: setting.source.clone(),
        });
    }
}

fn sandbox(sandbox: &Sandbox) -> Vec<Section> {
    let mut switches = Vec::new();
    for (key, setting) in [
        ("enabled", &sandbox.enabled),
        ("autoAllowBashIfSandboxed", &sandbox.auto_allow),
        ("allowUnsandboxedCommands", &sandbox.allow_unsandboxed),
        ("failIfUnavailable", &sandbox.fail_if_unavailable),
        ("enableWeakerNestedSandbox", &sandbox.weaker_nested),
    ] {
        // The defaults of a sandbox that is off say nothing.
        if sandbox.enabled.value || setting.source.is_some() {
            switch(key, setting, &mut switches);
        }
    }
    let excluded =
        sandbox.excluded.iter().map(|entry| Entry::new(&entry.text, &entry.source)).collect();
    let ignored = sandbox
        .ignored_violations
        .iter()
        .map(|entry| Entry::new(&entry.command, &entry.source).note(entry.violations.join(", ")))
        .collect();
    let mut sections = vec![
        Section { key: "sandbox", entries: switches },
        Section { key: "sandbox.excludedCommands", entries: excluded },
        Section { key: "sandbox.ignoreViolations", entries: ignored },
    ];
    sections.extend(filesystem(&sandbox.filesystem));
    sections.extend(network(&sandbox.network));
    sections
        .push(Section { key: "sandbox.credentials", entries: credentials(&sandbox.credentials) });
    sections
}

fn filesystem(filesystem: &Filesystem) -> Vec<Section> {
    let mut switches = Vec::new();
    switch("allowManagedReadPathsOnly", &filesystem.managed_read_only, &mut switches);
    switch("disabled", &filesystem.disabled, &mut switches);
    vec![
        Section { key: "sandbox.filesystem", entries: switches },
        Section { key: "sandbox.filesystem.denyWrite", entries: paths(&filesystem.deny_write) },
        Section { key: "sandbox.filesystem.allowWrite", entries: paths(&filesystem.allow_write) },
        Section { key: "sandbox.filesystem.denyRead", entries: paths(&filesystem.deny_read) },
        Section { key: "sandbox.filesystem.allowRead", entries: paths(&filesystem.allow_read) },
    ]
}

fn paths(paths: &[SandboxPath]) -> Vec<Entry> {
    paths
        .iter()
        .map(|path| {
            let entry = Entry::new(&path.text, &path.source);
            if path.text == path.path.as_str() { entry } else { entry.note(path.path.as_str()) }
        })
        .collect()
}

fn network(network: &Network) -> Vec<Section> {
    let mut switches = Vec::new();
    switch("strictAllowlist", &network.strict, &mut switches);
    switch("allowManagedDomainsOnly", &network.managed_only, &mut switches);
    switch("allowAllUnixSockets", &network.all_unix_sockets, &mut switches);
    switch("allowLocalBinding", &network.local_binding, &mut switches);
    for (key, port) in
        [("httpProxyPort", &network.http_proxy_port), ("socksProxyPort", &network.socks_proxy_port)]
    {
        if let Some(number) = port.value {
            let text = format!("{key}: {number}");
            switches.push(Entry { text, note: None, source: port.source.clone() });
        }
    }
    if network.tls_termination.value.is_some() {
        let source = network.tls_termination.source.clone();
        switches.push(Entry { text: "tlsTerminate".to_owned(), note: None, source });
    }
    vec![
        Section { key: "sandbox.network", entries: switches },
        Section { key: "sandbox.network.deniedDomains", entries: domains(&network.denied) },
        Section { key: "sandbox.network.allowedDomains", entries: domains(&network.allowed) },
        Section { key: "sandbox.network.allowUnixSockets", entries: paths(&network.unix_sockets) },
    ]
}

fn domains(domains: &[SandboxDomain]) -> Vec<Entry> {
    domains.iter().map(|domain| Entry::new(&domain.text, &domain.source)).collect()
}

fn credentials(credentials: &Credentials) -> Vec<Entry> {
    let word = |protection: &Protection| match protection {
        Protection::Deny => "deny",
        Protection::Mask(_) => "mask",
    };
    let mut entries: Vec<Entry> = credentials
        .files
        .iter()
        .map(|file| {
            let text = format!("file {}: {}", file.path.text, word(&file.protection));
            Entry::new(text, &file.path.source)
        })
        .collect();
    entries.extend(credentials.variables.iter().map(|variable| {
        let text = format!("variable {}: {}", variable.name, word(&variable.protection));
        Entry::new(text, &variable.source)
    }));
    entries.extend(credentials.aws_pairs.iter().map(|pair| {
        Entry::new(
            format!("AWS pair {} and {}", pair.access_key_id, pair.secret_access_key),
            &pair.source,
        )
    }));
    switch("allowPlaintextInject", &credentials.plaintext_inject, &mut entries);
    if let Some(source) = &credentials.sigv4.source {
        entries.push(Entry::new("sigv4", source));
    }
    entries
}
