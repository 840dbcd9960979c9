//! The key `sandbox` of one layer, and how the layers add up.

use crate::credentials_reading::{self, LayerCredentials};
use crate::entries::{self, Entry};
use crate::json::{Node, Value};
use crate::keys;
use crate::reading::{Reading, Section, StringList};
use crate::switches::{self, Switches};
use crate::{
    Credentials, ExcludedCommand, Filesystem, IgnoredViolations, Native, Network, Sandbox,
    SandboxDomain, SandboxPath, Setting, Severity, TlsTermination,
};
use portcullis_model::{RuleClass, Scope};
use portcullis_rules::{CommandPattern, DomainList, EntryDoubt};

/// What one layer says about the sandbox, beside its switches.
#[derive(Debug, Default)]
pub(crate) struct LayerSandbox {
    excluded: Vec<ExcludedCommand>,
    ignored_violations: Vec<IgnoredViolations>,
    allow_write: Vec<SandboxPath>,
    deny_write: Vec<SandboxPath>,
    deny_read: Vec<SandboxPath>,
    allow_read: Vec<SandboxPath>,
    sets_filesystem: bool,
    allowed: Vec<SandboxDomain>,
    denied: Vec<SandboxDomain>,
    unix_sockets: Vec<SandboxPath>,
    http_proxy_port: Option<Setting<Option<u16>>>,
    socks_proxy_port: Option<Setting<Option<u16>>>,
    tls_termination: Option<Setting<Option<TlsTermination>>>,
    credentials: LayerCredentials,
}

/// Reads everything under `sandbox`.
pub(crate) fn read(
    reading: &mut Reading<'_>,
    top: &Section<'_>,
    said: &mut Switches,
) -> LayerSandbox {
    let members = top.every("sandbox");
    let section = reading.open("sandbox", keys::SANDBOX, &members, BASH_ASKS, Some("Bash"));
    let mut found = LayerSandbox::default();
    let files = section.every("filesystem");
    found.sets_filesystem = !files.is_empty();
    let files =
        reading.open("sandbox.filesystem", keys::FILESYSTEM, &files, BASH_ASKS, Some("Bash"));
    let network = section.every("network");
    let network = reading.open("sandbox.network", keys::NETWORK, &network, BASH_ASKS, Some("Bash"));
    read_switches(
        reading,
        said,
        &section,
        &[
            &switches::ENABLED,
            &switches::FAIL_IF_UNAVAILABLE,
            &switches::AUTO_ALLOW,
            &switches::ALLOW_UNSANDBOXED,
            &switches::WEAKER_NESTED,
        ],
    );
    read_switches(
        reading,
        said,
        &files,
        &[&switches::FILES_DISABLED, &switches::MANAGED_READ_ONLY],
    );
    read_switches(
        reading,
        said,
        &network,
        &[
            &switches::STRICT_ALLOWLIST,
            &switches::MANAGED_DOMAINS_ONLY,
            &switches::ALL_UNIX_SOCKETS,
            &switches::LOCAL_BINDING,
        ],
    );
    found.deny_write = paths(reading, &files, "denyWrite", true);
    found.deny_read = paths(reading, &files, "denyRead", true);
    found.allow_write = paths(reading, &files, "allowWrite", false);
    found.allow_read = paths(reading, &files, "allowRead", false);
    found.denied = domains(reading, &network, "deniedDomains", true);
    found.allowed = domains(reading, &network, "allowedDomains", false);
    found.unix_sockets = paths(reading, &network, "allowUnixSockets", false);
    found.excluded = excluded(reading, &section);
    found.ignored_violations = ignored_violations(reading, &section);
    found.http_proxy_port = port(reading, &network, "httpProxyPort");
    found.socks_proxy_port = port(reading, &network, "socksProxyPort");
    found.tls_termination = tls_termination(reading, &network);
    found.credentials = credentials_reading::read(reading, &section, said);
    found
}

/// Adds the layers up, highest first.
pub(crate) fn merge(
    layers: Vec<(Scope, LayerSandbox)>,
    said: &Switches,
    native: &Native,
) -> Sandbox {
    let mut sandbox = Sandbox {
        enabled: said.decide(&switches::ENABLED),
        auto_allow: said.decide(&switches::AUTO_ALLOW),
        allow_unsandboxed: allow_unsandboxed(said, native),
        fail_if_unavailable: said.decide(&switches::FAIL_IF_UNAVAILABLE),
        weaker_nested: said.decide(&switches::WEAKER_NESTED),
        filesystem: Filesystem {
            managed_read_only: said.decide(&switches::MANAGED_READ_ONLY),
            disabled: said.decide(&switches::FILES_DISABLED),
            ..Filesystem::default()
        },
        network: Network {
            strict: said.any(&switches::STRICT_ALLOWLIST),
            managed_only: said.decide(&switches::MANAGED_DOMAINS_ONLY),
            all_unix_sockets: said.decide(&switches::ALL_UNIX_SOCKETS),
            local_binding: said.decide(&switches::LOCAL_BINDING),
            ..Network::default()
        },
        credentials: Credentials {
            plaintext_inject: said.decide(&switches::PLAINTEXT_INJECT),
            ..Credentials::default()
        },
        ..Sandbox::default()
    };
    // SECURITY: commands in the sandbox need no rule, so whoever turns it on grants something. A
    // layer without trust, or a value that cannot be read, gets the boundary without the grant.
    if let Some(enabled) = said.highest(switches::ENABLED.path)
        && !enabled.sure
    {
        sandbox.auto_allow = Setting { value: false, source: Some(enabled.source.clone()) };
    }
    let mut files_pinned = false;
    for (scope, layer) in layers {
        let managed = scope == Scope::Managed;
        if managed || !*native.managed_excluded_commands_only {
            sandbox.excluded.extend(layer.excluded);
        }
        sandbox.ignored_violations.extend(layer.ignored_violations);
        files_pinned |= managed && (layer.sets_filesystem || layer.credentials.denies_files());
        let files = &mut sandbox.filesystem;
        files.allow_write.extend(layer.allow_write);
        files.deny_write.extend(layer.deny_write);
        files.deny_read.extend(layer.deny_read);
        if managed || !*files.managed_read_only {
            files.allow_read.extend(layer.allow_read);
        }
        let network = &mut sandbox.network;
        network.denied.extend(layer.denied);
        if managed || !*network.managed_only {
            network.allowed.extend(layer.allowed);
        }
        network.unix_sockets.extend(layer.unix_sockets);
        fill(&mut network.http_proxy_port, layer.http_proxy_port);
        fill(&mut network.socks_proxy_port, layer.socks_proxy_port);
        fill(&mut network.tls_termination, layer.tls_termination);
        layer.credentials.add_to(&mut sandbox.credentials);
    }
    // Managed settings that isolate files at all are not undone by a user's `disabled`.
    let disabled_by = sandbox.filesystem.disabled.source.as_ref().map(|source| source.scope);
    if files_pinned && disabled_by != Some(Scope::Managed) {
        sandbox.filesystem.disabled = Setting::default();
    }
    credentials_reading::settle(&mut sandbox.credentials);
    sandbox
}

fn allow_unsandboxed(said: &Switches, native: &Native) -> Setting<bool> {
    let decided = said.decide(&switches::ALLOW_UNSANDBOXED);
    let lock = &native.managed_sandbox_escape_only;
    let managed = decided.source.as_ref().is_some_and(|source| source.scope == Scope::Managed);
    if **lock && !managed {
        return Setting { value: false, source: lock.source.clone() };
    }
    decided
}

fn fill<T>(setting: &mut Setting<Option<T>>, lower: Option<Setting<Option<T>>>) {
    if setting.source.is_none()
        && let Some(lower) = lower
    {
        *setting = lower;
    }
}

fn read_switches(
    reading: &mut Reading<'_>,
    all: &mut Switches,
    section: &Section<'_>,
    switches: &[&'static switches::Switch],
) {
    for switch in switches {
        if let Some(said) = reading.switch(section, switch) {
            all.say(switch.path, said);
        }
    }
}

/// Whether a list that grants may count; says so once for the list where it may not.
fn may_grant(reading: &mut Reading<'_>, section: &Section<'_>, key: &str) -> bool {
    let Some(member) = section.last(key) else { return false };
    if !reading.grants() {
        let empty = member.value.value.list().is_some_and(<[Node]>::is_empty);
        if !empty {
            reading.withheld(member.key_span, format!("`{}` does not count", section.full(key)));
        }
        return false;
    }
    true
}

fn paths(
    reading: &mut Reading<'_>,
    section: &Section<'_>,
    key: &str,
    restricts: bool,
) -> Vec<SandboxPath> {
    if !restricts && !may_grant(reading, section, key) {
        return Vec::new();
    }
    let list = string_list("an array of paths", restricts);
    let mut paths = Vec::new();
    for (text, node) in reading.strings(section, key, &list) {
        let entry = entries::path(text, reading, node);
        paths.extend(take(reading, entry, section, key, node, restricts));
    }
    paths
}

fn domains(
    reading: &mut Reading<'_>,
    section: &Section<'_>,
    key: &str,
    restricts: bool,
) -> Vec<SandboxDomain> {
    if !restricts && !may_grant(reading, section, key) {
        return Vec::new();
    }
    let list = string_list("an array of domains", restricts);
    let kind = if restricts { DomainList::Deny } else { DomainList::Allow };
    let mut domains = Vec::new();
    for (text, node) in reading.strings(section, key, &list) {
        let entry = entries::domain(text, kind, reading, node);
        let Some((found, notes)) = take(reading, entry, section, key, node, restricts) else {
            continue;
        };
        domains.extend(found);
        for note in notes {
            let (code, hint) = match note.kind {
                EntryDoubt::Spelling => {
                    ("unreliable-domain", "write it so that it can mean one thing only")
                }
                EntryDoubt::Broad if !restricts => {
                    ("broad-domain", "name the sites that are needed")
                }
                EntryDoubt::Broad | EntryDoubt::Dead => continue,
            };
            reading.report(Severity::Warning, code, node.span, note.message, hint);
        }
    }
    domains
}

/// Takes an entry that can be read; reports one that cannot.
fn take<T>(
    reading: &mut Reading<'_>,
    entry: Entry<T>,
    section: &Section<'_>,
    key: &str,
    node: &Node,
    restricts: bool,
) -> Option<T> {
    match entry {
        Ok(value) => Some(value),
        Err(bad) => {
            let effect = if restricts { BASH_ASKS } else { NO_GRANT };
            let message = format!("{}; {effect}", bad.message);
            reading.report(Severity::Error, bad.code, node.span, message, bad.hint);
            if restricts {
                let text = format!("an entry of `{}` cannot be read", section.full(key));
                reading.close(Some(crate::reading::tool_pattern("Bash")), node.span, text);
            }
            None
        }
    }
}

fn string_list(wanted: &'static str, restricts: bool) -> StringList<'static> {
    let effect = if restricts { BASH_ASKS } else { NO_GRANT };
    StringList { wanted, effect, restricts, tool: Some("Bash") }
}

fn excluded(reading: &mut Reading<'_>, section: &Section<'_>) -> Vec<ExcludedCommand> {
    let key = "excludedCommands";
    if !may_grant(reading, section, key) {
        return Vec::new();
    }
    let list = StringList {
        wanted: "an array of command patterns",
        effect: "it excludes nothing",
        restricts: false,
        tool: None,
    };
    let mut excluded = Vec::new();
    for (text, node) in reading.strings(section, key, &list) {
        if text.trim().is_empty() {
            let message = "an empty command pattern; it excludes nothing";
            let hint = "write the content of a Bash rule, such as `docker *`";
            reading.report(Severity::Error, "empty-entry", node.span, message, hint);
            continue;
        }
        if let Some(inner) = text.strip_prefix("Bash(").and_then(|rest| rest.strip_suffix(')')) {
            let message = format!("`{text}` is a rule; an excluded command is only its content");
            let hint = format!("write `{inner}`");
            reading.report(Severity::Warning, "rule-as-command", node.span, message, hint);
        }
        let source = reading.source(node.span);
        // Read as an ask rule is: a command that is meant outside asks for its own rules, while one
        // taken to be inside needs none.
        let pattern = CommandPattern::parse(text, RuleClass::Ask);
        excluded.push(ExcludedCommand { text: text.to_owned(), pattern, source });
    }
    excluded
}

fn ignored_violations(reading: &mut Reading<'_>, section: &Section<'_>) -> Vec<IgnoredViolations> {
    let key = "ignoreViolations";
    if !may_grant(reading, section, key) {
        return Vec::new();
    }
    let Some(member) = section.last(key) else { return Vec::new() };
    let Value::Table(table) = &member.value.value else {
        let wanted = "an object of command to array of texts";
        let effect = "every violation is reported";
        reading.wrong_type("sandbox.ignoreViolations", &member.value, wanted, effect);
        return Vec::new();
    };
    let inner = Section::of("sandbox.ignoreViolations", table.iter().collect());
    let list = StringList {
        wanted: "an array of strings",
        effect: "it is not ignored",
        restricts: false,
        tool: None,
    };
    let mut ignored = Vec::new();
    for member in table {
        let strings = reading.strings(&inner, &member.key, &list);
        let violations = strings.into_iter().map(|(text, _)| text.to_owned()).collect();
        let source = reading.source(member.key_span);
        ignored.push(IgnoredViolations { command: member.key.clone(), violations, source });
    }
    ignored
}

fn port(
    reading: &mut Reading<'_>,
    section: &Section<'_>,
    key: &str,
) -> Option<Setting<Option<u16>>> {
    if !may_grant(reading, section, key) {
        return None;
    }
    let node = &section.last(key)?.value;
    let number =
        if let Value::Number(text) = &node.value { text.parse::<u16>().ok() } else { None };
    let port = number.filter(|port| *port != 0);
    if port.is_none() {
        let message =
            format!("`{}` has to be a port from 1 to 65535; it does not count", section.full(key));
        reading.report(Severity::Error, "wrong-value", node.span, message, "write a port number");
        return None;
    }
    Some(Setting { value: port, source: Some(reading.source(node.span)) })
}

fn tls_termination(
    reading: &mut Reading<'_>,
    section: &Section<'_>,
) -> Option<Setting<Option<TlsTermination>>> {
    if !may_grant(reading, section, "tlsTerminate") {
        return None;
    }
    let member = section.last("tlsTerminate")?;
    let path = "sandbox.network.tlsTerminate";
    let Value::Table(table) = &member.value.value else {
        reading.wrong_type(path, &member.value, "an object", "HTTPS is not read");
        return None;
    };
    let members = reading.check_keys(path, keys::TLS_TERMINATION, table);
    let inner = Section::of(path, members);
    let mut termination = TlsTermination::default();
    for (key, slot) in
        [("caCertPath", &mut termination.ca_cert), ("caKeyPath", &mut termination.ca_key)]
    {
        let Some(member) = inner.last(key) else { continue };
        let node = &member.value;
        if let Value::Text(text) = &node.value {
            let entry = entries::path(text, reading, node);
            *slot = take(reading, entry, &inner, key, node, false);
        } else {
            reading.wrong_type(&inner.full(key), node, "a path", NO_GRANT);
        }
        if slot.is_none() {
            // Half an authority would be replaced by a made-up one the user did not ask for.
            return None;
        }
    }
    let source = Some(reading.source(member.key_span));
    Some(Setting { value: Some(termination), source })
}

pub(crate) const BASH_ASKS: &str = "every `Bash` call asks until it is fixed";
pub(crate) const NO_GRANT: &str = "it does not count";
