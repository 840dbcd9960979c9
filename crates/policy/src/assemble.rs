//! The entry: layers to policy.

use crate::json::{Member, Node, Value};
use crate::layer::MAX_TEXT;
use crate::permissions::{self, Permissions, count, decide_mode, is_about};
use crate::reading::{Reading, Section, plain};
use crate::sandbox_reading::{self, LayerSandbox};
use crate::switches::{self, Switches};
use crate::{
    Closed, Diagnostic, HeldBack, Layer, Native, Place, Policy, PrivateAddresses, Rules, Setting,
    Severity, keys,
};
use portcullis_model::{Scope, Span};
use portcullis_rules::did_you_mean;
use std::cmp::Reverse;

/// Merges every layer into one policy. Pure and total; the order of `layers` only counts within
/// one scope, where a later layer outranks an earlier one.
pub fn assemble(layers: &[Layer], place: &Place) -> Policy {
    let mut ranked: Vec<(usize, &Layer)> = layers.iter().enumerate().collect();
    ranked.sort_by_key(|(index, layer)| Reverse((layer.scope, *index)));
    let mut found = Vec::with_capacity(layers.len());
    for (_, layer) in ranked {
        let mut said = read_layer(Reading::new(layer, place));
        let kept = layer.as_last_good().filter(|_| said.broken);
        found.push(said);
        if let Some(kept) = kept {
            let mut reading = Reading::new(&kept, place);
            reading.broken = true;
            said = read_layer(reading);
            // They were told when the file was whole; now only its breakage is news.
            said.diagnostics = Vec::new();
            found.push(said);
        }
    }
    merge(found)
}

/// What one layer says.
#[derive(Debug)]
struct Found {
    scope: Scope,
    /// It is not sound as a whole, so it only restricts.
    broken: bool,
    permissions: Permissions,
    sandbox: LayerSandbox,
    switches: Switches,
    log: Option<Setting<Option<String>>>,
    private: Option<Setting<PrivateAddresses>>,
    /// What to add where a managed lock leaves out this layer's allow rules.
    left_out: Option<Diagnostic>,
    closed: Vec<Closed>,
    diagnostics: Vec<Diagnostic>,
}

fn read_layer(mut reading: Reading<'_>) -> Found {
    let node = read_text(&mut reading);
    let members = node.value.table().unwrap_or(&[]);
    let top = open_top(&mut reading, members);
    let permissions = permissions::read(&mut reading, &top);
    let mut switches = Switches::default();
    let sandbox = sandbox_reading::read(&mut reading, &top, &mut switches);
    if let Some(said) = reading.switch(&top, &switches::MANAGED_RULES_ONLY) {
        switches.say(switches::MANAGED_RULES_ONLY.path, said);
    }
    let (log, private) = read_native(&mut reading, &top, &mut switches);
    let left_out = left_out(&reading, &permissions);
    let too_many = (reading.unreported > 0).then(|| Diagnostic {
        severity: Severity::Error,
        code: "too-many",
        message: format!("{} more things are wrong in this file", reading.unreported),
        hint: "correct what is named first".to_owned(),
        source: reading.whole(),
        span: None,
        line_text: None,
    });
    let mut diagnostics = reading.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.map_or(0, |span| span.start));
    diagnostics.extend(too_many);
    Found {
        scope: reading.layer.scope,
        broken: reading.broken,
        permissions,
        sandbox,
        switches,
        log,
        private,
        left_out,
        closed: reading.closed,
        diagnostics,
    }
}

/// Reads the text; a layer that is not readable, whole JSON closes every tool.
fn read_text(reading: &mut Reading<'_>) -> Node {
    let nothing = Node { span: Span::default(), value: Value::Broken };
    let layer = reading.layer;
    let too_large = layer.text.len() > MAX_TEXT;
    let unreadable = match &layer.unreadable {
        Some(why) => Some(why.clone()),
        None => too_large.then(|| format!("it is larger than {} MiB", MAX_TEXT >> 20)),
    };
    if let Some(why) = unreadable {
        reading.broken = true;
        let text = plain(&format!("`{}` cannot be read: {why}", layer.file));
        reading.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            code: "unreadable",
            message: format!("{text}; {CLOSED_EFFECT}"),
            hint: "make the file readable, or remove it".to_owned(),
            source: reading.whole(),
            span: None,
            line_text: None,
        });
        reading.closed.push(Closed { tool: None, text, source: reading.whole() });
        if too_large || layer.text.is_empty() {
            return nothing;
        }
    }
    let format = if layer.is_native() { "TOML" } else { "JSON" };
    let (node, flaws) = layer.read();
    for (index, flaw) in flaws.iter().enumerate() {
        let message = if index == 0 && !reading.broken {
            format!("{}; {CLOSED_EFFECT}", flaw.message)
        } else {
            flaw.message.clone()
        };
        reading.report(Severity::Error, flaw.code, flaw.span, message, flaw.hint);
    }
    if let Some(first) = flaws.first() {
        let text = format!("`{}` is not valid {format}: {}", layer.file, first.message);
        reading.close(None, first.span, text);
        reading.broken = true;
    } else if !matches!(node.value, Value::Table(_)) {
        let text = format!("the settings have to be an object, not {}", node.value.kind());
        let message = format!("{text}; {CLOSED_EFFECT}");
        reading.report(Severity::Error, "wrong-type", node.span, message, "write `{ … }`");
        reading.close(None, node.span, format!("`{}`: {text}", layer.file));
        reading.broken = true;
    }
    node
}

/// Opens the settings themselves. Unknown keys belong to the host, unless they look like ours.
fn open_top<'n>(reading: &mut Reading<'_>, members: &'n [Member]) -> Section<'n> {
    let mut counting = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let key = member.key.as_str();
        if TOP_KEYS.contains(&key) {
            if members.iter().take(index).any(|earlier| earlier.key == key) {
                let message = format!(
                    "`{key}` is written twice; what restricts counts from both, what grants only from the last"
                );
                let span = member.key_span;
                reading.report(Severity::Warning, "duplicate-key", span, message, "merge the two");
            }
            if reading.counts_here(key, member) {
                counting.push(member);
            }
        } else if keys::PERMISSIONS.contains(&key) {
            let message = format!("`{key}` has no effect here");
            let hint = format!("write it under `permissions`: `\"permissions\": {{\"{key}\": …}}`");
            reading.report(Severity::Error, "misplaced-key", member.key_span, message, hint);
            if matches!(key, "deny" | "ask") {
                let meant = format!("permissions.{key}");
                permissions::close_misspelled(reading, member, &meant);
            }
        } else if let Some(meant) = did_you_mean(key, keys::TOP) {
            let message = format!("`{key}` is not a known key and has no effect");
            let hint = format!("did you mean `{meant}`?");
            reading.report(Severity::Error, "unknown-key", member.key_span, message, hint);
            if let (Value::Table(table), "permissions") = (&member.value.value, meant.as_str()) {
                for inner in
                    table.iter().filter(|inner| matches!(inner.key.as_str(), "deny" | "ask"))
                {
                    let meant = format!("permissions.{}", inner.key);
                    permissions::close_misspelled(reading, inner, &meant);
                }
            }
        }
    }
    Section::of("", counting)
}

fn read_native(
    reading: &mut Reading<'_>,
    top: &Section<'_>,
    switches: &mut Switches,
) -> (Option<Setting<Option<String>>>, Option<Setting<PrivateAddresses>>) {
    let mut members = top.every("portcullis");
    let rest: Vec<Member>;
    if reading.layer.is_native() {
        rest = members.iter().map(|member| without_misplaced(reading, member)).collect();
        members = rest.iter().collect();
    }
    let effect = "it has no effect, and every call asks until it is fixed";
    let section = reading.open("portcullis", keys::NATIVE, &members, effect, None);
    for switch in [
        &switches::MANAGED_EXCLUDED_ONLY,
        &switches::MANAGED_ESCAPE_ONLY,
        &switches::SCRUB_ENV,
        &switches::ALLOW_NESTED,
        &switches::PREAPPROVED_HOSTS,
    ] {
        if let Some(said) = reading.switch(&section, switch) {
            switches.say(switch.path, said);
        }
    }
    (read_log(reading, &section), read_private(reading, &section))
}

/// The keys of a `portcullis.toml` that may stand there. What belongs into a `settings.json` closes
/// every tool.
///
/// SECURITY: a deny rule that has no effect there must not go unnoticed, so every call asks.
fn without_misplaced(reading: &mut Reading<'_>, whole: &Member) -> Member {
    let mut whole = whole.clone();
    let Value::Table(members) = &mut whole.value.value else { return whole };
    members.retain(|member| {
        let key = member.key.as_str();
        let hint = if keys::PERMISSIONS.contains(&key) {
            "write it under `permissions` in the `settings.json` beside this file"
        } else if key == "portcullis" {
            "write its keys at the top of this file"
        } else if TOP_KEYS.contains(&key) {
            "write it in the `settings.json` beside this file"
        } else {
            return true;
        };
        let text = format!("`{key}` has no effect in a `portcullis.toml`");
        let message = format!("{text}, and every call asks until it is moved");
        reading.report(Severity::Error, "misplaced-key", member.key_span, message, hint);
        reading.close(None, member.key_span, format!("`{}`: {text}", reading.layer.file));
        false
    });
    whole
}

fn read_log(reading: &mut Reading<'_>, section: &Section<'_>) -> Option<Setting<Option<String>>> {
    let member = section.last("log").filter(|_| reading.grants())?;
    if let Value::Text(path) = &member.value.value {
        let source = Some(reading.source(member.value.span));
        return Some(Setting { value: Some(path.clone()), source });
    }
    reading.wrong_type("portcullis.log", &member.value, "the path of a file", "nothing is logged");
    None
}

fn read_private(
    reading: &mut Reading<'_>,
    section: &Section<'_>,
) -> Option<Setting<PrivateAddresses>> {
    let member = section.last("privateAddresses")?;
    let node = &member.value;
    let path = "portcullis.privateAddresses";
    let Value::Text(word) = &node.value else {
        reading.wrong_type(path, node, "`exact`, `allow` or `deny`", "it does not count");
        return None;
    };
    let Some(value) = PrivateAddresses::parse(word) else {
        let message = format!("`{path}` cannot be `{}`; it does not count", word.escape_debug());
        let hint = "write `exact`, `allow` or `deny`";
        reading.report(Severity::Error, "wrong-value", node.span, message, hint);
        return None;
    };
    let grants = value == PrivateAddresses::Allow;
    if grants && !reading.grants() {
        reading.withheld(member.key_span, format!("`{path}` does not count"));
        return None;
    }
    Some(Setting { value, source: Some(reading.source(node.span)) })
}

/// The word of the highest layer; a layer that comes with a repository can only narrow it, and without
/// such a word it narrows the default.
fn stricter(
    so_far: Option<Setting<PrivateAddresses>>,
    said: Option<Setting<PrivateAddresses>>,
    scope: Scope,
) -> Option<Setting<PrivateAddresses>> {
    let Some(said) = said else { return so_far };
    match scope {
        Scope::Project | Scope::Local => match so_far {
            Some(before) if before.value >= said.value => Some(before),
            None if said.value == PrivateAddresses::Allow => None,
            Some(_) | None => Some(said),
        },
        // A repository's word was heard before a user's.
        Scope::User => match so_far {
            Some(before) if before.value >= said.value => Some(before),
            Some(before) if !is_of_repository(&before) => Some(before),
            Some(_) | None => Some(said),
        },
        Scope::CommandLine | Scope::Managed => so_far.or(Some(said)),
    }
}

fn is_of_repository<T>(setting: &Setting<T>) -> bool {
    let scope = setting.source.as_ref().map(|source| source.scope);
    matches!(scope, Some(Scope::Project | Scope::Local))
}

/// The note that is due where only managed rules count.
fn left_out(reading: &Reading<'_>, permissions: &Permissions) -> Option<Diagnostic> {
    if permissions.allow.is_empty() || reading.layer.scope == Scope::Managed {
        return None;
    }
    let rules = count(permissions.allow.len(), "rule");
    let message = format!("`permissions.allow` ({rules}) does not count: only managed rules allow");
    let hint = "managed settings turn `allowManagedPermissionRulesOnly` on";
    let (severity, code) = (Severity::Note, "managed-rules-only");
    Some(reading.diagnostic(severity, code, permissions.allow_span, &message, hint))
}

fn merge(found: Vec<Found>) -> Policy {
    let mut all = Switches::default();
    for layer in &found {
        all.extend(layer.switches.clone());
    }
    let locked = all.decide(&switches::MANAGED_RULES_ONLY);
    let managed_domains = all.decide(&switches::MANAGED_DOMAINS_ONLY);
    let (mut deny, mut ask, mut allow) = (Vec::new(), Vec::new(), Vec::new());
    let mut held_back = Vec::new();
    let (mut directories, mut closed, mut diagnostics) = (Vec::new(), Vec::new(), Vec::new());
    let (mut modes, mut sandboxes) = (Vec::new(), Vec::new());
    let (mut bypass_disabled, mut auto_disabled, mut log) = (None, None, None);
    let mut private: Option<Setting<PrivateAddresses>> = None;
    for layer in found {
        let managed = layer.scope == Scope::Managed;
        let said = layer.permissions;
        // A lower deny or ask holds even under the managed lock: it cannot loosen what the lock is
        // there to keep.
        deny.extend(said.deny);
        ask.extend(said.ask);
        diagnostics.extend(layer.diagnostics);
        let waits = |rule| HeldBack { rule, why: UNTRUSTED };
        held_back.extend(said.waiting.into_iter().map(waits));
        if !managed && *locked {
            diagnostics.extend(layer.left_out);
        }
        for rule in said.allow {
            if managed || !(*locked || (*managed_domains && is_about(&rule, "WebFetch"))) {
                allow.push(rule);
            } else {
                held_back.push(HeldBack { rule, why: "only managed settings allow" });
            }
        }
        directories.extend(said.directories);
        modes.extend(said.mode);
        bypass_disabled = bypass_disabled.or(said.bypass_disabled);
        auto_disabled = auto_disabled.or(said.auto_disabled);
        log = log.or(layer.log);
        private = stricter(private, layer.private, layer.scope);
        closed.extend(layer.closed);
        sandboxes.push((layer.scope, layer.sandbox));
    }
    let native = Native {
        managed_excluded_commands_only: all.decide(&switches::MANAGED_EXCLUDED_ONLY),
        managed_sandbox_escape_only: all.decide(&switches::MANAGED_ESCAPE_ONLY),
        scrub_env: all.any(&switches::SCRUB_ENV),
        allow_nested: all.decide(&switches::ALLOW_NESTED),
        log: log.unwrap_or_default(),
        private_addresses: private.unwrap_or_default(),
    };
    let sandbox = sandbox_reading::merge(sandboxes, &all, &native);
    Policy {
        deny: Rules::new(deny),
        ask: Rules::new(ask),
        allow: Rules::new(allow),
        held_back,
        sandbox,
        directories,
        default_mode: decide_mode(&modes),
        bypass_disabled,
        auto_disabled,
        rules_locked: locked.source.filter(|_| locked.value),
        closed,
        preapproved_hosts: all.decide(&switches::PREAPPROVED_HOSTS).value,
        native,
        diagnostics,
    }
}

const UNTRUSTED: &str =
    "the workspace is not trusted; accept the agent's trust dialog once the file has been reviewed";

const CLOSED_EFFECT: &str = "nothing in it is allowed and every call asks until it is fixed";

/// The top-level keys that are read.
const TOP_KEYS: &[&str] =
    &["permissions", "sandbox", "portcullis", "allowManagedPermissionRulesOnly", "disableAutoMode"];
