//! Which hosts may be contacted, and which of their addresses.

use crate::Destination;
use crate::address::AddressClass;
use crate::upstream::Routes;
use portcullis_model::{Mode, Scope};
use portcullis_policy::{Policy, PrivateAddresses, SandboxDomain};
use portcullis_rules::{
    Breadth, DestinationPattern, DomainEntry, DomainList, EntryDoubt, Host, HostName, Rule,
    Specifier,
};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU16;

/// What decides about destinations.
#[derive(Clone, Debug, Default)]
pub struct NetworkPolicy {
    grants: Vec<Grant>,
    prohibitions: Vec<Prohibition>,
    /// What happens to hosts on no list.
    pub unlisted: Unlisted,
    /// Whether names may lead into private networks.
    pub private: PrivateAddresses,
    /// What the first bytes of a tunnel must be.
    pub hello: HelloPolicy,
    /// Which proxies of others the way leads through.
    pub routes: Routes,
}

/// An entry that allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it covers.
    pub pattern: DestinationPattern,
    /// The entry as written.
    pub text: String,
    /// Whether it comes from a layer that no repository can bring along.
    pub trusted: bool,
}

/// An entry that denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prohibition {
    /// What it covers.
    pub pattern: DestinationPattern,
    /// The entry as written.
    pub text: String,
}

/// What happens to hosts on no list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unlisted {
    /// Somebody is asked; denied where there is nobody.
    #[default]
    Ask,
    /// Denied without asking: managed domains only, a strict list, or the mode `dontAsk`.
    Locked,
    /// Allowed: the mode `bypassPermissions`, or a proxy of the user's own that decides.
    Allow,
}

/// What the first bytes of a tunnel must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HelloPolicy {
    /// Whether the server name of a TLS hello has to be the destination or pass the same lists.
    pub server_name: ServerNameCheck,
    /// Whether an encrypted hello is refused. What browsers send to keep it usable looks the same.
    pub refuse_encrypted: bool,
    /// Whether anything but TLS is refused on port 443.
    pub only_tls_on_443: bool,
}

/// Whether server names of tunnels are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerNameCheck {
    /// They are.
    #[default]
    Enforce,
    /// They are not, which lets a tunnel to an allowed host of a shared network reach its neighbours.
    Off,
}

/// What a list says about a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a judgement that is not looked at decides nothing"]
pub enum Judgement {
    /// It is on the deny list.
    Denied {
        /// The entry.
        rule: String,
    },
    /// It may be contacted.
    Allowed(Allowance),
    /// It is on no list, and nobody is asked.
    Locked,
    /// It is on no list.
    Unlisted,
}

/// What allows a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// An entry of a list.
    Listed {
        /// The entry.
        rule: String,
        /// How much it covers.
        breadth: Breadth,
        /// Whether its layer is trusted.
        trusted: bool,
    },
    /// Somebody who was asked.
    Answered,
    /// The mode of the session.
    Mode,
}

impl Allowance {
    /// How records name it.
    pub fn rule(&self) -> &str {
        match self {
            Self::Listed { rule, .. } => rule,
            Self::Answered => "(answered)",
            Self::Mode => "(mode)",
        }
    }
}

/// Why an address may not be dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressProblem {
    /// It is on the deny list.
    Denied {
        /// The entry.
        rule: String,
    },
    /// It is of a kind that names must not lead to.
    Class(AddressClass),
    /// The name means this machine, and the address is another's.
    NotLoopback,
}

/// Something the author of a list should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whether the entry does nothing, so that the author must change it.
    pub dead: bool,
    /// One line.
    pub message: String,
}

impl NetworkPolicy {
    /// Lists and switches of settings, in a mode.
    pub fn from_settings(policy: &Policy, mode: Mode) -> (Self, Vec<Notice>) {
        let network = &policy.sandbox.network;
        let mut made = Self::default();
        let mut notices = Vec::new();
        for domain in &network.denied {
            made.deny_domain(domain);
        }
        for domain in &network.allowed {
            notices.extend(made.allow_domain(domain));
        }
        for rule in policy.deny.list.iter().filter_map(|rule| fetched_host(&rule.rule)) {
            notices.extend(made.deny(rule));
        }
        for rule in &policy.allow.list {
            if let Some(host) = fetched_host(&rule.rule) {
                notices.extend(made.allow(host, is_trusted(rule.reference.source.scope)));
            }
        }
        let locked = *network.managed_only || *network.strict || mode == Mode::DontAsk;
        let own = network.http_proxy_port.is_some() || network.socks_proxy_port.is_some();
        made.unlisted = match (locked, mode) {
            (true, _) => Unlisted::Locked,
            (false, Mode::BypassPermissions) => Unlisted::Allow,
            (false, _) if own => Unlisted::Allow,
            (false, _) => Unlisted::Ask,
        };
        made.private = policy.native.private_addresses.value;
        made.routes.own_http = *network.http_proxy_port;
        made.routes.own_socks = *network.socks_proxy_port;
        (made, notices)
    }

    /// Adds an entry of `allowedDomains`, which was read with its settings; what was doubtful about it
    /// is among their diagnostics.
    pub fn allow_domain(&mut self, domain: &SandboxDomain) -> Vec<Notice> {
        let trusted = is_trusted(domain.source.scope);
        let before = self.grants.len();
        let notices = self.allow(&plain(domain), trusted);
        for grant in self.grants.iter_mut().skip(before) {
            grant.text.clone_from(&domain.text);
        }
        notices.into_iter().filter(|notice| notice.dead).collect()
    }

    /// Adds an entry of `deniedDomains`.
    pub fn deny_domain(&mut self, domain: &SandboxDomain) {
        let before = self.prohibitions.len();
        self.deny(&plain(domain));
        for prohibition in self.prohibitions.iter_mut().skip(before) {
            prohibition.text.clone_from(&domain.text);
        }
    }

    /// Adds an entry that allows; tells what is doubtful about it.
    pub fn allow(&mut self, text: &str, trusted: bool) -> Vec<Notice> {
        let entry = DomainEntry::read(text, DomainList::Allow);
        let mut notices = notices(&entry);
        for pattern in entry.readings {
            // SECURITY: a repository that could allow every host would decide for its user.
            if pattern.breadth() == Breadth::Everything && !trusted {
                let message = format!(
                    "`{text}` allows every host and counts only from user, managed or command-line settings"
                );
                notices.push(Notice { dead: true, message });
                continue;
            }
            self.grants.push(Grant { pattern, text: text.to_owned(), trusted });
        }
        notices
    }

    /// Adds an entry that denies; tells what is doubtful about it.
    pub fn deny(&mut self, text: &str) -> Vec<Notice> {
        let entry = DomainEntry::read(text, DomainList::Deny);
        let notices = notices(&entry).into_iter();
        let text = text.to_owned();
        self.prohibitions.extend(
            entry.readings.into_iter().map(|pattern| Prohibition { pattern, text: text.clone() }),
        );
        // Denying much is no accident that needs a word.
        notices.filter(|notice| !notice.message.contains("overly broad")).collect()
    }

    /// What the lists say about a destination: denied, allowed, locked, granted to the command, mode.
    pub fn judge(&self, to: &Destination, of_command: &[Grant]) -> Judgement {
        if let Some(rule) = self.forbids(to) {
            return Judgement::Denied { rule };
        }
        if let Some(allowance) = best(&self.grants, to) {
            return Judgement::Allowed(allowance);
        }
        if self.unlisted == Unlisted::Locked {
            return Judgement::Locked;
        }
        if let Some(allowance) = best(of_command, to) {
            return Judgement::Allowed(allowance);
        }
        match self.unlisted {
            Unlisted::Locked => Judgement::Locked,
            Unlisted::Allow => Judgement::Allowed(Allowance::Mode),
            Unlisted::Ask => Judgement::Unlisted,
        }
    }

    /// Whether a host may be reached on some port: `None` where that takes an answer.
    pub fn may_reach(&self, host: &Host, of_command: &[Grant]) -> Option<bool> {
        let everywhere = self
            .prohibitions
            .iter()
            .any(|each| each.pattern.is_on_every_port() && each.pattern.matches_some_port(host));
        if everywhere {
            return Some(false);
        }
        let granted =
            |grants: &[Grant]| grants.iter().any(|grant| grant.pattern.matches_some_port(host));
        if granted(&self.grants) {
            return Some(true);
        }
        match self.unlisted {
            Unlisted::Locked => Some(false),
            Unlisted::Allow => Some(true),
            Unlisted::Ask if granted(of_command) => Some(true),
            Unlisted::Ask => None,
        }
    }

    /// The ports that entries which allow something name.
    pub fn named_ports(&self) -> BTreeSet<u16> {
        self.grants.iter().filter_map(|grant| grant.pattern.port()).map(NonZeroU16::get).collect()
    }

    /// Whether an address of an allowed destination may be dialled. `is_own` tells whether it is an
    /// address of this machine, where that matters.
    pub fn admit(
        &self,
        to: &Destination,
        allowance: &Allowance,
        address: IpAddr,
        is_own: impl Fn() -> bool,
    ) -> Result<(), AddressProblem> {
        let at = Destination { host: Host::from(address), port: to.port };
        if let Some(rule) = self.forbids(&at) {
            return Err(AddressProblem::Denied { rule });
        }
        let itself_listed = self.grants.iter().any(|grant| {
            grant.trusted
                && grant.pattern.breadth() == Breadth::Exact
                && grant.pattern.matches(&at.host, at.port)
        });
        if itself_listed {
            return Ok(());
        }
        let class = AddressClass::of(address);
        if to.host.name().is_some_and(HostName::is_localhost) {
            return match (class, allowance) {
                (
                    Some(AddressClass::Loopback),
                    Allowance::Listed { breadth, trusted: true, .. },
                ) if *breadth != Breadth::Everything => Ok(()),
                (Some(class), _) => Err(AddressProblem::Class(class)),
                (None, _) => Err(AddressProblem::NotLoopback),
            };
        }
        match class {
            None | Some(AddressClass::Private) if is_own() => {
                Err(AddressProblem::Class(AddressClass::Own))
            }
            None => Ok(()),
            Some(AddressClass::Private) => match (self.private, allowance) {
                (PrivateAddresses::Allow, _)
                | (
                    PrivateAddresses::Exact,
                    Allowance::Listed { breadth: Breadth::Exact, trusted: true, .. },
                ) => Ok(()),
                (PrivateAddresses::Exact | PrivateAddresses::Deny, _) => {
                    Err(AddressProblem::Class(AddressClass::Private))
                }
            },
            Some(class) => Err(AddressProblem::Class(class)),
        }
    }

    /// The deny entry that holds a destination.
    fn forbids(&self, to: &Destination) -> Option<String> {
        let found = self.prohibitions.iter().find(|each| each.pattern.forbids(&to.host, to.port));
        found.map(|each| each.text.clone())
    }
}

/// One reading of an entry, as an entry that has no other.
fn plain(domain: &SandboxDomain) -> String {
    let bracketed = domain.host.contains(':');
    let host = if bracketed { format!("[{}]", domain.host) } else { domain.host.clone() };
    domain.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
}

/// The narrowest grant of a destination, the trusted ones first.
fn best(grants: &[Grant], to: &Destination) -> Option<Allowance> {
    let matching = grants.iter().filter(|grant| grant.pattern.matches(&to.host, to.port));
    let grant = matching.min_by_key(|grant| (grant.pattern.breadth(), !grant.trusted))?;
    Some(Allowance::Listed {
        rule: grant.text.clone(),
        breadth: grant.pattern.breadth(),
        trusted: grant.trusted,
    })
}

fn notices(entry: &DomainEntry) -> Vec<Notice> {
    let notice = |note: &portcullis_rules::EntryNote| Notice {
        dead: note.kind == EntryDoubt::Dead,
        message: note.message.clone(),
    };
    entry.notes.iter().map(notice).collect()
}

/// The host of a `WebFetch(domain:…)` rule, as written.
fn fetched_host(rule: &Rule) -> Option<&str> {
    if !matches!(rule.specifier(), Specifier::Domain(_)) {
        return None;
    }
    let (_, inner) = rule.text().split_once('(')?;
    inner.trim_end().strip_suffix(')')?.trim().strip_prefix("domain:").map(str::trim)
}

/// Whether settings of a scope are the user's or an administrator's, and come with no repository.
pub fn is_trusted(scope: Scope) -> bool {
    match scope {
        Scope::User | Scope::CommandLine | Scope::Managed => true,
        Scope::Project | Scope::Local => false,
    }
}
