//! What changes between two policies beside rules.

use crate::cover::{command_of, is_whole};
use crate::{Question, Stage};
use portcullis_model::{Mode, Scope, Source};
use portcullis_policy::{
    Credentials, Policy, Sandbox, SandboxDomain, SandboxPath, Setting, TlsTermination,
};
use std::collections::BTreeSet;

/// A switch or list that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChange {
    /// The settings key.
    pub key: &'static str,
    /// Its value before.
    pub before: String,
    /// Its value after.
    pub after: String,
    /// What that does.
    pub direction: Direction,
    /// Where the new value is written.
    pub source: Option<Source>,
    /// A call that shows it, where one does.
    pub example: Option<Question>,
}

/// Whether a change gives or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Less is possible than before.
    Tighter,
    /// It depends on the call.
    Mixed,
    /// More is possible than before.
    Looser,
}

impl Direction {
    /// Whether some call may get more than before.
    pub fn may_loosen(self) -> bool {
        self != Self::Tighter
    }

    /// The lower-case word used in every output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tighter => "tighter",
            Self::Mixed => "mixed",
            Self::Looser => "looser",
        }
    }
}

/// Every setting that changed.
pub(crate) fn settings(old: &Policy, new: &Policy, stage: &Stage) -> Vec<SettingChange> {
    let mut out = Vec::new();
    let (a, b) = (&old.sandbox, &new.sandbox);
    for (key, before, after, safe) in [
        ("sandbox.enabled", &a.enabled, &b.enabled, true),
        ("sandbox.autoAllowBashIfSandboxed", &a.auto_allow, &b.auto_allow, false),
        ("sandbox.allowUnsandboxedCommands", &a.allow_unsandboxed, &b.allow_unsandboxed, false),
        ("sandbox.failIfUnavailable", &a.fail_if_unavailable, &b.fail_if_unavailable, true),
        ("sandbox.enableWeakerNestedSandbox", &a.weaker_nested, &b.weaker_nested, false),
        ("sandbox.filesystem.disabled", &a.filesystem.disabled, &b.filesystem.disabled, false),
        (
            "sandbox.filesystem.allowManagedReadPathsOnly",
            &a.filesystem.managed_read_only,
            &b.filesystem.managed_read_only,
            true,
        ),
        ("sandbox.network.strictAllowlist", &a.network.strict, &b.network.strict, true),
        (
            "sandbox.network.allowManagedDomainsOnly",
            &a.network.managed_only,
            &b.network.managed_only,
            true,
        ),
        (
            "sandbox.network.allowAllUnixSockets",
            &a.network.all_unix_sockets,
            &b.network.all_unix_sockets,
            false,
        ),
        (
            "sandbox.network.allowLocalBinding",
            &a.network.local_binding,
            &b.network.local_binding,
            false,
        ),
    ] {
        switch(&mut out, key, before, after, safe);
    }
    // The sandbox turned on lets commands run that would have asked: both directions at once.
    for change in &mut out {
        if change.key == "sandbox.enabled"
            && b.auto_allow.value
            && a.enabled.value != b.enabled.value
        {
            change.direction = Direction::Mixed;
        }
    }
    if termination(a) != termination(b)
        || credentials(a) != credentials(b)
        || a.network.http_proxy_port.value != b.network.http_proxy_port.value
        || a.network.socks_proxy_port.value != b.network.socks_proxy_port.value
    {
        out.push(SettingChange {
            key: "sandbox.credentials, tlsTerminate or proxy ports",
            before: "as before".to_owned(),
            after: "changed".to_owned(),
            direction: Direction::Mixed,
            source: None,
            example: None,
        });
    }
    let texts = |list: &[SandboxPath]| list.iter().map(|p| p.path.to_string()).collect();
    let hosts = |list: &[SandboxDomain]| list.iter().map(|d| d.text.clone()).collect();
    lists(
        &mut out,
        "sandbox.filesystem.allowWrite",
        &texts(&a.filesystem.allow_write),
        &texts(&b.filesystem.allow_write),
        true,
    );
    lists(
        &mut out,
        "sandbox.filesystem.denyWrite",
        &texts(&a.filesystem.deny_write),
        &texts(&b.filesystem.deny_write),
        false,
    );
    lists(
        &mut out,
        "sandbox.filesystem.denyRead",
        &texts(&a.filesystem.deny_read),
        &texts(&b.filesystem.deny_read),
        false,
    );
    lists(
        &mut out,
        "sandbox.filesystem.allowRead",
        &texts(&a.filesystem.allow_read),
        &texts(&b.filesystem.allow_read),
        true,
    );
    lists(
        &mut out,
        "sandbox.network.allowUnixSockets",
        &texts(&a.network.unix_sockets),
        &texts(&b.network.unix_sockets),
        true,
    );
    lists(
        &mut out,
        "sandbox.network.allowedDomains",
        &hosts(&a.network.allowed),
        &hosts(&b.network.allowed),
        true,
    );
    lists(
        &mut out,
        "sandbox.network.deniedDomains",
        &hosts(&a.network.denied),
        &hosts(&b.network.denied),
        false,
    );
    let directories =
        |policy: &Policy| policy.directories.iter().map(|d| d.path.to_string()).collect();
    lists(
        &mut out,
        "permissions.additionalDirectories",
        &directories(old),
        &directories(new),
        true,
    );
    // Everything in an added directory is never removed without a question; without the directory
    // nobody asks, where something else lets the removal run.
    if removes_unasked(new, stage) {
        for change in &mut out {
            if change.key == "permissions.additionalDirectories" {
                change.direction = Direction::Mixed;
            }
        }
    }
    let closed = |policy: &Policy| policy.closed.iter().map(|c| c.text.clone()).collect();
    lists(&mut out, "what cannot be read", &closed(old), &closed(new), false);
    mode(&mut out, old, new);
    for (key, before, after) in [
        ("permissions.disableBypassPermissionsMode", &old.bypass_disabled, &new.bypass_disabled),
        ("disableAutoMode", &old.auto_disabled, &new.auto_disabled),
        ("allowManagedPermissionRulesOnly", &old.rules_locked, &new.rules_locked),
    ] {
        if before.is_some() != after.is_some() {
            let word =
                |set: &Option<Source>| if set.is_some() { "set" } else { "not set" }.to_owned();
            out.push(SettingChange {
                key,
                before: word(before),
                after: word(after),
                direction: if after.is_some() { Direction::Tighter } else { Direction::Looser },
                source: after.clone(),
                example: None,
            });
        }
    }
    for (key, before, after, safe) in [
        ("portcullis.scrubEnv", &old.native.scrub_env, &new.native.scrub_env, true),
        ("portcullis.allowNested", &old.native.allow_nested, &new.native.allow_nested, false),
    ] {
        switch(&mut out, key, before, after, safe);
    }
    let (before, after) = (&old.native.private_addresses, &new.native.private_addresses);
    if before.value != after.value {
        out.push(SettingChange {
            key: "portcullis.privateAddresses",
            before: format!("{:?}", before.value).to_lowercase(),
            after: format!("{:?}", after.value).to_lowercase(),
            direction: if after.value > before.value {
                Direction::Tighter
            } else {
                Direction::Looser
            },
            source: after.source.clone(),
            example: None,
        });
    }
    if old.preapproved_hosts != new.preapproved_hosts {
        out.push(SettingChange {
            key: "portcullis.preapprovedHosts",
            before: old.preapproved_hosts.to_string(),
            after: new.preapproved_hosts.to_string(),
            direction: if new.preapproved_hosts { Direction::Looser } else { Direction::Tighter },
            source: None,
            example: None,
        });
    }
    out
}

/// Whether something may let a command remove files outside the working directories.
fn removes_unasked(policy: &Policy, stage: &Stage) -> bool {
    let sandbox = &policy.sandbox;
    let free = stage.mode_under(policy) == Mode::BypassPermissions
        || (sandbox.enabled.value && sandbox.auto_allow.value);
    free || policy.allow.list.iter().any(|rule| {
        let bash = rule.rule.tool().matches("Bash");
        (bash && is_whole(rule))
            || command_of(rule).is_some_and(|pattern| {
                // A star may stand for the program; else an example says which program it is.
                let open = pattern.has_wildcard() && !pattern.literal_prefix().contains(' ');
                let removes = |text: String| {
                    let facts = stage.facts(&Question::bash(text));
                    facts.commands.iter().any(|fact| fact.removal.is_some())
                };
                open || REMOVALS.iter().flat_map(|fill| pattern.samples(fill)).any(removes)
            })
    })
}

/// What a star may stand for so that everything in a directory goes.
const REMOVALS: &[&str] = &["/x/*", "rm -r /x/*", "-c 'rm -r /x/*'"];

/// What is said of credentials, wherever it is written: a line more above is no change.
fn credentials(sandbox: &Sandbox) -> Credentials {
    let mut out = sandbox.credentials.clone();
    out.files.iter_mut().for_each(|file| file.path.source = nowhere());
    out.variables.iter_mut().for_each(|variable| variable.source = nowhere());
    out.aws_pairs.iter_mut().for_each(|pair| pair.source = nowhere());
    out.plaintext_inject.source = None;
    out.sigv4.source = None;
    out
}

fn termination(sandbox: &Sandbox) -> Option<TlsTermination> {
    let mut out = sandbox.network.tls_termination.value.clone();
    if let Some(termination) = &mut out {
        let paths = [&mut termination.ca_cert, &mut termination.ca_key];
        paths.into_iter().flatten().for_each(|path| path.source = nowhere());
    }
    out
}

fn nowhere() -> Source {
    Source { scope: Scope::Managed, file: String::new(), line: 0, column: 0 }
}

fn switch(
    out: &mut Vec<SettingChange>,
    key: &'static str,
    before: &Setting<bool>,
    after: &Setting<bool>,
    safe: bool,
) {
    if before.value != after.value {
        out.push(SettingChange {
            key,
            before: before.value.to_string(),
            after: after.value.to_string(),
            direction: if after.value == safe { Direction::Tighter } else { Direction::Looser },
            source: after.source.clone(),
            example: None,
        });
    }
}

fn lists(
    out: &mut Vec<SettingChange>,
    key: &'static str,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
    grants: bool,
) {
    if before == after {
        return;
    }
    let (more, less) = (!after.is_subset(before), !before.is_subset(after));
    let direction = match (more, less) {
        (true, true) => Direction::Mixed,
        (true, false) if grants => Direction::Looser,
        (false, _) if !grants => Direction::Looser,
        (true | false, _) => Direction::Tighter,
    };
    let shown = |own: &BTreeSet<String>, other: &BTreeSet<String>| {
        let only: Vec<&str> = own.difference(other).map(String::as_str).collect();
        if only.is_empty() { "nothing more".to_owned() } else { only.join(", ") }
    };
    out.push(SettingChange {
        key,
        before: shown(before, after),
        after: shown(after, before),
        direction,
        source: None,
        example: None,
    });
}

fn mode(out: &mut Vec<SettingChange>, old: &Policy, new: &Policy) {
    let of =
        |policy: &Policy| policy.default_mode.as_ref().map_or(Mode::Default, |(mode, _)| *mode);
    let (before, after) = (of(old), of(new));
    if before == after {
        return;
    }
    let rank = |mode: Mode| match mode {
        Mode::BypassPermissions => 0,
        Mode::Auto => 1,
        Mode::AcceptEdits => 2,
        Mode::Default => 3,
        Mode::Plan => 4,
        Mode::DontAsk => 5,
    };
    out.push(SettingChange {
        key: "permissions.defaultMode",
        before: before.word().to_owned(),
        after: after.word().to_owned(),
        direction: match (before, after) {
            (Mode::BypassPermissions, _) => Direction::Tighter,
            // Auto mode takes allow rules away, and plan mode edits that rules allow.
            (Mode::Auto, _) | (Mode::Plan, Mode::DontAsk) => Direction::Mixed,
            _ if rank(after) > rank(before) => Direction::Tighter,
            _ => Direction::Looser,
        },
        source: new.default_mode.as_ref().map(|(_, source)| source.clone()),
        example: None,
    });
}
