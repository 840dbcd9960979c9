//! A boundary as `run --explain` shows it: every part with where it is written, what holds it, and what
//! nothing holds.

use super::place;
use crate::console::Palette;
use portcullis_host::claude_code::shown;
use portcullis_profile::{
    Access, Effect, FileRule, Hidden, NetworkAccess, Origin, Place, Reach, SandboxProfile, Standing,
};
use portcullis_sandbox::{Backend, Enforcement, Guarantee, Holding, Plan};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is shown.
#[derive(Debug)]
pub struct Shown<'s> {
    /// The boundary.
    pub profile: &'s SandboxProfile,
    /// Where the command is to run.
    pub place: &'s Place,
    /// How it is built here, or why it cannot be.
    pub plan: Result<&'s Plan, String>,
    /// What it cannot hold.
    pub limits: Vec<String>,
}

/// As text.
pub fn text(shown_boundary: &Shown<'_>, home: &str, palette: Palette) -> String {
    let profile = shown_boundary.profile;
    let mut out = Lines { text: String::new(), palette };
    out.heading("files");
    if let Some(origin) = &profile.files.disabled {
        out.line(&format!("not isolated ({})", of(origin, home)));
    } else {
        out.line(
            "read: everything but what is denied; the deepest rule counts, a deny at equal depth",
        );
        out.rules(profile, Access::Read, home);
        out.line("write: nothing but what is allowed; a deny counts at any depth");
        out.rules(profile, Access::Write, home);
        for (below, names) in protected(profile) {
            out.line(&format!("protected below {below}: {}", names.join(" ")));
        }
    }
    out.heading("network");
    network(profile, home, &mut out);
    out.heading("unix sockets");
    match &profile.sockets.all {
        Some(origin) => out.line(&format!("all ({})", of(origin, home))),
        None => out.line("those made inside"),
    }
    for rule in &profile.sockets.allowed {
        out.entry("allow", &rule.reach.to_string(), &of(&rule.origin, home));
    }
    out.heading("variables");
    let mut built_in: BTreeMap<&str, usize> = BTreeMap::new();
    for rule in &profile.environment.rules {
        let word = hidden_word(rule.hidden);
        if let Origin::BuiltIn(_) = rule.origin {
            *built_in.entry(word).or_default() += 1;
        } else {
            out.entry(word, &rule.name, &of(&rule.origin, home));
        }
    }
    for (word, count) in built_in {
        out.entry(word, &format!("{count} of the built-in tables"), "`--json` lists them");
    }
    for (name, value) in &profile.environment.set {
        out.entry("set", &format!("{name}={value}"), "");
    }
    limits(profile, &mut out);
    enforcement(shown_boundary, &mut out);
    out.text
}

/// As JSON.
pub fn json(shown_boundary: &Shown<'_>) -> Value {
    let profile = shown_boundary.profile;
    let rules: Vec<Value> = profile.files.rules.iter().map(rule_json).collect();
    let network = match &profile.network {
        NetworkAccess::None => json!({ "access": "none" }),
        NetworkAccess::Host => json!({ "access": "host" }),
        NetworkAccess::Domains { allowed, denied, strict } => {
            let list = |domains: &[portcullis_policy::SandboxDomain]| -> Vec<Value> {
                let one = |domain: &portcullis_policy::SandboxDomain| json!({ "host": domain.host, "port": domain.port, "source": domain.source.to_string() });
                domains.iter().map(one).collect()
            };
            json!({
                "access": "domains",
                "allowed": list(allowed),
                "denied": list(denied),
                "strict": strict.as_ref().map(ToString::to_string),
            })
        }
    };
    let variables: Vec<Value> = profile
        .environment
        .rules
        .iter()
        .map(|rule| {
            json!({
                "name": rule.name,
                "effect": hidden_word(rule.hidden),
                "origin": rule.origin.to_string(),
            })
        })
        .collect();
    let set: Vec<Value> = profile
        .environment
        .set
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let enforcement = match &shown_boundary.plan {
        Ok(plan) => {
            let mut value = enforcement_json(plan.enforcement());
            if let Some(fields) = value.as_object_mut() {
                fields.insert("steps".to_owned(), json!(plan.explain()));
            }
            value
        }
        Err(why) => json!({ "error": why }),
    };
    let sockets: Vec<Value> = profile.sockets.allowed.iter().map(rule_json).collect();
    let limits = profile.limits;
    json!({
        "cwd": shown_boundary.place.cwd.as_str(),
        "project_root": shown_boundary.place.project_root.as_str(),
        "files": {
            "disabled": profile.files.disabled.as_ref().map(ToString::to_string),
            "rules": rules,
        },
        "network": network,
        "sockets": {
            "all": profile.sockets.all.as_ref().map(ToString::to_string),
            "allowed": sockets,
        },
        "variables": { "hidden": variables, "set": set },
        "limits": {
            "memory": limits.memory,
            "processes": limits.processes,
            "cpu_seconds": limits.cpu_seconds,
            "file_size": limits.file_size,
            "wall_seconds": limits.wall_seconds,
        },
        "nested": profile.nested.as_ref().map(ToString::to_string),
        "shared_proc": profile.shared_proc.as_ref().map(ToString::to_string),
        "enforcement": enforcement,
        "not_held": shown_boundary.limits,
    })
}

/// What a backend enforces, as JSON.
pub fn enforcement_json(enforcement: &Enforcement) -> Value {
    let guarantees: Vec<Value> = enforcement
        .guarantees
        .iter()
        .map(|(guarantee, holding)| {
            let (state, why) = holding_words(holding);
            json!({ "guarantee": guarantee_word(*guarantee), "state": state, "why": why })
        })
        .collect();
    json!({ "backend": enforcement.backend.word(), "guarantees": guarantees })
}

/// How far a guarantee holds, in a word, and why not further.
pub fn holding_words(holding: &Holding) -> (&'static str, Option<&'static str>) {
    match holding {
        Holding::Held => ("held", None),
        Holding::Weaker(why) => ("weaker", Some(why)),
        Holding::Missing(why) => ("missing", Some(why)),
    }
}

/// A guarantee in a word.
pub fn guarantee_word(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::Reads => "reads",
        Guarantee::Writes => "writes",
        Guarantee::Metadata => "metadata",
        Guarantee::Names => "names",
        Guarantee::Sockets => "sockets",
        Guarantee::Network => "network",
        Guarantee::Processes => "processes",
        Guarantee::Lifetime => "lifetime",
        Guarantee::SystemCalls => "system-calls",
        Guarantee::Ipc => "ipc",
        Guarantee::Devices => "devices",
    }
}

/// A backend for a person.
pub fn backend_meaning(backend: Backend) -> &'static str {
    match backend {
        Backend::Full => "namespaces, own view of files and processes, Landlock, supervised calls",
        Backend::SharedProc => "the same with the `/proc` of the container around",
        Backend::LandlockOnly => "Landlock, supervised calls, system call filters",
    }
}

struct Lines {
    text: String,
    palette: Palette,
}

impl Lines {
    fn heading(&mut self, text: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        self.text.extend([format!("{gap}{}\n", self.palette.strong(text))]);
    }

    fn line(&mut self, text: &str) {
        self.text.extend([format!("  {}\n", shown(text))]);
    }

    fn entry(&mut self, word: &str, text: &str, source: &str) {
        let source = self.palette.dim(&shown(source));
        let line = format!("    {word:<6} {:<44} {source}", shown(text));
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn rules(&mut self, profile: &SandboxProfile, access: Access, home: &str) {
        let rules = profile.files.rules.iter().filter(|rule| rule.access == access);
        for rule in rules.filter(|rule| rule.standing != Standing::Protected) {
            let mut source = of(&rule.origin, home);
            if rule.effect == Effect::Deny {
                source.push_str(match holder(rule) {
                    "mount" => "; by a mount and by name",
                    _ => "; by name",
                });
            }
            self.entry(effect_word(rule.effect), &rule.reach.to_string(), &source);
        }
    }
}

fn network(profile: &SandboxProfile, home: &str, out: &mut Lines) {
    match &profile.network {
        NetworkAccess::None => out.line("none but an own loopback: no host is allowed"),
        NetworkAccess::Host => out.line("the host's own, unrestricted"),
        NetworkAccess::Domains { allowed, denied, strict } => {
            let port = |port: Option<u16>| port.map(|port| format!(":{port}")).unwrap_or_default();
            for (word, list) in [("allow", allowed), ("deny", denied)] {
                for domain in list {
                    let text = format!("{}{}", domain.host, port(domain.port));
                    out.entry(word, &text, &place(&domain.source, home));
                }
            }
            if let Some(origin) = strict {
                out.line(&format!("others are refused and not asked about ({})", of(origin, home)));
            }
        }
    }
}

fn limits(profile: &SandboxProfile, out: &mut Lines) {
    let limits = profile.limits;
    let set = [
        ("address space of one process", limits.memory, "bytes"),
        ("processes", limits.processes, ""),
        ("processor time of one process", limits.cpu_seconds, "seconds"),
        ("size of one written file", limits.file_size, "bytes"),
        ("time of the whole run", limits.wall_seconds, "seconds"),
    ];
    if set.iter().all(|(_, value, _)| value.is_none()) {
        return;
    }
    out.heading("limits");
    for (what, value, unit) in set {
        if let Some(value) = value {
            out.line(format!("{what}: {value} {unit}").trim_end());
        }
    }
}

fn enforcement(shown_boundary: &Shown<'_>, out: &mut Lines) {
    out.heading("here");
    match &shown_boundary.plan {
        Ok(plan) => {
            let enforcement = plan.enforcement();
            let backend = enforcement.backend;
            out.line(&format!("{}: {}", backend.word(), backend_meaning(backend)));
            for (guarantee, holding) in &enforcement.guarantees {
                let (state, why) = holding_words(holding);
                out.entry(state, guarantee_word(*guarantee), why.unwrap_or_default());
            }
            for step in plan.explain() {
                out.line(&step);
            }
        }
        Err(why) => out.line(&format!("cannot be built: {why}")),
    }
    if !shown_boundary.limits.is_empty() {
        out.heading("what nothing here holds");
        for limit in &shown_boundary.limits {
            out.line(limit);
        }
    }
}

/// Protected names by the directory they are protected below: long lists, the same for each.
fn protected(profile: &SandboxProfile) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for rule in profile.files.rules.iter().filter(|rule| rule.standing == Standing::Protected) {
        let (Reach::Pattern(glob) | Reach::Leaf(glob)) = &rule.reach else {
            groups.push((rule.reach.to_string(), Vec::new()));
            continue;
        };
        let whole = glob.to_string();
        let below = glob.below.as_str();
        let name = whole.strip_prefix(below).unwrap_or(&whole).trim_start_matches('/');
        let name = name.strip_prefix("**/").unwrap_or(name).to_owned();
        let name =
            if matches!(rule.reach, Reach::Leaf(_)) { format!("{name} (file)") } else { name };
        match groups.iter_mut().find(|(known, _)| known == below) {
            Some((_, names)) => names.push(name),
            None => groups.push((below.to_owned(), vec![name])),
        }
    }
    // The list of a later root is the first one's: it is not said again.
    let first = groups.first().map(|(_, names)| names.clone()).unwrap_or_default();
    for (_, names) in groups.iter_mut().skip(1) {
        if *names == first {
            *names = vec!["the same".to_owned()];
        }
    }
    groups
}

fn rule_json(rule: &FileRule) -> Value {
    json!({
        "access": match rule.access { Access::Read => "read", Access::Write => "write" },
        "effect": effect_word(rule.effect),
        "path": rule.reach.to_string(),
        "kind": match &rule.reach {
            Reach::Path(_) => "path",
            Reach::Pattern(_) => "pattern",
            Reach::Leaf(_) => "leaf",
        },
        "standing": match rule.standing {
            Standing::Ordinary => "ordinary",
            Standing::Protected => "protected",
            Standing::Absolute => "absolute",
        },
        "held_by": holder(rule),
        "origin": rule.origin.to_string(),
    })
}

/// What holds a rule where the whole boundary can be built: a path that exists is also mounted over; a
/// name that may come to exist is judged when it is used.
fn holder(rule: &FileRule) -> &'static str {
    match &rule.reach {
        Reach::Path(_) => "mount",
        Reach::Pattern(_) | Reach::Leaf(_) => "name",
    }
}

fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    }
}

fn hidden_word(hidden: Hidden) -> &'static str {
    match hidden {
        Hidden::Unset => "unset",
        Hidden::Sentinel => "masked",
    }
}

fn of(origin: &Origin, home: &str) -> String {
    match origin {
        Origin::Setting { key, text, source } => {
            format!("{key} \"{text}\", {}", place(source, home))
        }
        Origin::Rule(rule) => {
            format!("{} rule {}, {}", rule.class.word(), rule.text, place(&rule.source, home))
        }
        Origin::BuiltIn(text) => (*text).to_owned(),
    }
}
