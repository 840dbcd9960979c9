//! Keys that are true or false.

use crate::Setting;
use portcullis_model::Source;
use std::collections::BTreeMap;

/// A key that is true or false.
#[derive(Debug)]
pub(crate) struct Switch {
    /// The key with all keys above it.
    pub(crate) path: &'static str,
    /// What holds where no layer says anything.
    pub(crate) default: bool,
    /// The stricter value: what a value that is neither true nor false counts as, and all that a
    /// layer without trust can set.
    pub(crate) safe: bool,
}

/// What one layer says about one switch.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) value: bool,
    pub(crate) source: Source,
    /// It is written as true or false, in a layer that may grant.
    pub(crate) sure: bool,
}

/// What the layers say about all switches, highest layer first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switches(BTreeMap<&'static str, Vec<Said>>);

impl Switches {
    /// Adds what the next lower layer says.
    pub(crate) fn say(&mut self, path: &'static str, said: Said) {
        self.0.entry(path).or_default().push(said);
    }

    /// Adds everything that the next lower layer says.
    pub(crate) fn extend(&mut self, lower: Self) {
        for (path, said) in lower.0 {
            self.0.entry(path).or_default().extend(said);
        }
    }

    /// What the highest layer says.
    pub(crate) fn highest(&self, path: &str) -> Option<&Said> {
        self.0.get(path)?.first()
    }

    /// The value that counts: the highest layer's.
    pub(crate) fn decide(&self, switch: &Switch) -> Setting<bool> {
        match self.highest(switch.path) {
            Some(said) => Setting { value: said.value, source: Some(said.source.clone()) },
            None => Setting::default_to(switch.default),
        }
    }

    /// On as soon as one layer says so: for locks that no other layer can open.
    pub(crate) fn any(&self, switch: &Switch) -> Setting<bool> {
        let said = self.0.get(switch.path).into_iter().flatten().find(|said| said.value);
        said.map_or_else(
            || self.decide(switch),
            |said| Setting { value: true, source: Some(said.source.clone()) },
        )
    }
}

// On is the stricter side of `enabled` only together with `autoAllowBashIfSandboxed: false`, which
// then goes along with it.
pub(crate) const ENABLED: Switch = Switch { path: "sandbox.enabled", default: false, safe: true };
pub(crate) const FAIL_IF_UNAVAILABLE: Switch =
    Switch { path: "sandbox.failIfUnavailable", default: false, safe: true };
pub(crate) const AUTO_ALLOW: Switch =
    Switch { path: "sandbox.autoAllowBashIfSandboxed", default: true, safe: false };
pub(crate) const ALLOW_UNSANDBOXED: Switch =
    Switch { path: "sandbox.allowUnsandboxedCommands", default: true, safe: false };
pub(crate) const WEAKER_NESTED: Switch =
    Switch { path: "sandbox.enableWeakerNestedSandbox", default: false, safe: false };
pub(crate) const FILES_DISABLED: Switch =
    Switch { path: "sandbox.filesystem.disabled", default: false, safe: false };
pub(crate) const MANAGED_READ_ONLY: Switch =
    Switch { path: "sandbox.filesystem.allowManagedReadPathsOnly", default: false, safe: true };
pub(crate) const STRICT_ALLOWLIST: Switch =
    Switch { path: "sandbox.network.strictAllowlist", default: false, safe: true };
pub(crate) const MANAGED_DOMAINS_ONLY: Switch =
    Switch { path: "sandbox.network.allowManagedDomainsOnly", default: false, safe: true };
pub(crate) const ALL_UNIX_SOCKETS: Switch =
    Switch { path: "sandbox.network.allowAllUnixSockets", default: false, safe: false };
pub(crate) const LOCAL_BINDING: Switch =
    Switch { path: "sandbox.network.allowLocalBinding", default: false, safe: false };
pub(crate) const PLAINTEXT_INJECT: Switch =
    Switch { path: "sandbox.credentials.allowPlaintextInject", default: false, safe: false };
pub(crate) const MANAGED_RULES_ONLY: Switch =
    Switch { path: "allowManagedPermissionRulesOnly", default: false, safe: true };
pub(crate) const MANAGED_EXCLUDED_ONLY: Switch =
    Switch { path: "portcullis.managedExcludedCommandsOnly", default: false, safe: true };
pub(crate) const MANAGED_ESCAPE_ONLY: Switch =
    Switch { path: "portcullis.managedSandboxEscapeOnly", default: false, safe: true };
pub(crate) const SCRUB_ENV: Switch =
    Switch { path: "portcullis.scrubEnv", default: false, safe: true };
pub(crate) const ALLOW_NESTED: Switch =
    Switch { path: "portcullis.allowNested", default: false, safe: false };
pub(crate) const PREAPPROVED_HOSTS: Switch =
    Switch { path: "portcullis.preapprovedHosts", default: true, safe: false };
