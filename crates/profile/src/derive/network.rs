//! Hosts and sockets.

use crate::{Access, Effect, FileRule, NetworkAccess, Origin, Place, Sockets, Standing};
use portcullis_model::Scope;
use portcullis_policy::{Policy, PolicyRule, Rules, SandboxDomain};
use portcullis_rules::Specifier;

/// The hosts that may be contacted.
pub(super) fn access(policy: &Policy) -> NetworkAccess {
    let network = &policy.sandbox.network;
    let managed_only = *network.managed_only;
    let mut allowed = network.allowed.clone();
    allowed.extend(rule_domains(&policy.allow).filter_map(|(rule, domain)| {
        let counts = !managed_only || rule.reference.source.scope == Scope::Managed;
        counts.then_some(domain)
    }));
    if allowed.is_empty() {
        return NetworkAccess::None;
    }
    let mut denied = network.denied.clone();
    denied.extend(rule_domains(&policy.deny).map(|(_, domain)| domain));
    let strict = super::switch("sandbox.network.strictAllowlist", &network.strict).or_else(|| {
        super::switch("sandbox.network.allowManagedDomainsOnly", &network.managed_only)
    });
    NetworkAccess::Domains { allowed, denied, strict }
}

/// The hosts that `WebFetch` rules name.
fn rule_domains(rules: &Rules) -> impl Iterator<Item = (&PolicyRule, SandboxDomain)> {
    rules.list.iter().filter(|rule| rule.rule.tool().matches("WebFetch")).filter_map(|rule| {
        match rule.rule.specifier() {
            Specifier::Domain(_) => {}
            Specifier::Whole
            | Specifier::Nothing
            | Specifier::Inert
            | Specifier::Command(_)
            | Specifier::Path(_)
            | Specifier::Parameter { .. }
            | Specifier::Name(_)
            | Specifier::Directory(_) => return None,
        }
        let text = rule.rule.text();
        let (_, inner) = text.split_once('(')?;
        let (_, host) = inner.strip_suffix(')')?.split_once(':')?;
        let host = host.trim();
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let source = rule.reference.source.clone();
        Some((rule, SandboxDomain { text: text.to_owned(), host, port: None, source }))
    })
}

/// The sockets outside that may be connected to.
pub(super) fn sockets(policy: &Policy, place: &Place) -> Sockets {
    let network = &policy.sandbox.network;
    let key = "sandbox.network.allowUnixSockets";
    let mut allowed = Vec::new();
    for (entry, reach) in super::files::reaches_of_grants(&network.unix_sockets, policy, place) {
        let (text, source) = (entry.text.clone(), entry.source.clone());
        allowed.push(FileRule {
            access: Access::Write,
            effect: Effect::Allow,
            reach,
            standing: Standing::Ordinary,
            origin: Origin::Setting { key, text, source },
        });
    }
    let all = super::switch("sandbox.network.allowAllUnixSockets", &network.all_unix_sockets);
    Sockets { all, allowed }
}
