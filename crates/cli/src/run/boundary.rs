//! Policy and machine to profile.

use crate::args::{AllowNetwork, RunArgs};
use crate::failure::Failure;
use crate::session::Session;
use portcullis_host::place::{Whereabouts, gather};
use portcullis_model::AbsPath;
use portcullis_policy::{Closed, Policy};
use portcullis_profile::{
    Access, Effect, Kind, Limits, NetworkAccess, Place, Reach, SandboxProfile,
};
use portcullis_sandbox::{Backend, Capabilities, TEMPORARY};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// A boundary for one run.
#[derive(Debug)]
pub(super) struct Boundary {
    /// What holds.
    pub(super) profile: SandboxProfile,
    /// Where.
    pub(super) place: Place,
}

impl Boundary {
    /// Draws the boundary that the policy of a session and the flags ask for.
    pub(super) fn draw(session: &Session, args: &RunArgs) -> Result<Self, Failure> {
        let policy = &session.policy;
        if let Some(closed) = policy.closed.iter().find(|closed| concerns_the_boundary(closed)) {
            return Err(Failure::input(format!("the policy is broken: {}", closed.text))
                .hint(format!("correct {}", closed.source)));
        }
        // Where there is no view of files of its own, the sandbox takes a directory of the host instead.
        let temporary = AbsPath::parse(TEMPORARY).unwrap_or_else(|_| AbsPath::root());
        let mut own_files: Vec<AbsPath> = program_path().into_iter().collect();
        let log = crate::commands::logged(None, session)?;
        own_files.extend(log.and_then(|log| AbsPath::parse(log.path().to_str()?).ok()));
        let whereabouts = Whereabouts {
            cwd: session.surroundings.cwd.clone(),
            temporary,
            additional: Vec::new(),
            own_files,
            scrub_environment: super::scrubbing(),
        };
        let place = gather(policy, &session.options, &session.layers, whereabouts);
        let mut profile = SandboxProfile::derive(policy, &place);
        profile.limits = limits_of(args);
        if args.allow_network == Some(AllowNetwork::Host) {
            open_network(policy, &mut profile)?;
        }
        Ok(Self { profile, place })
    }

    /// Refuses what cannot go well, before anything is started.
    pub(super) fn check_start(&self, session: &Session) -> Result<(), Failure> {
        let cwd = &session.surroundings.cwd;
        match fs::metadata(cwd.as_str()) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                return Err(Failure::input(format!("`{cwd}` is not a directory"))
                    .hint("name the directory to start in by `--cwd`"));
            }
            Err(error) => {
                let why = crate::session::plain(&error);
                return Err(Failure::input(format!("cannot start in `{cwd}`: {why}"))
                    .hint("name the directory to start in by `--cwd`"));
            }
        }
        let judged = self.profile.files.judge_as(cwd, Access::Read, Kind::Directory);
        if judged.effect == Effect::Deny {
            let rule = judged.rule.map(|rule| format!(" ({})", rule.origin)).unwrap_or_default();
            return Err(Failure::input(format!(
                "the command would start in `{cwd}`, which may not be read{rule}"
            ))
            .hint("start it elsewhere, or allow the directory in `sandbox.filesystem.allowRead`"));
        }
        Ok(())
    }
}

/// The strongest backend that can be used and will do.
pub(crate) fn available(capabilities: &Capabilities, weakest: Backend) -> Option<Backend> {
    let usable = capabilities.backends.iter().filter(|(_, obstacle)| obstacle.is_none());
    usable.map(|(backend, _)| *backend).filter(|backend| *backend <= weakest).min()
}

/// The weakest backend that the settings name.
pub(crate) fn weakest_of(policy: &Policy) -> Backend {
    if *policy.sandbox.weaker_nested { Backend::SharedProc } else { Backend::Full }
}

/// The running program.
pub(crate) fn program_path() -> Option<AbsPath> {
    let path = std::env::current_exe().ok()?;
    AbsPath::parse(path.to_str()?).ok()
}

/// The files that a rule denies by one of several names, in lines. A rule means names: by another one such a
/// file may be read or changed, wherever that lies.
///
/// What exists when the run starts is meant. Later ones are no way around: a link needs a file that may be
/// written itself.
pub(super) fn second_names(profile: &SandboxProfile) -> Vec<String> {
    let mut found = Vec::new();
    if profile.files.disabled.is_some() {
        return found;
    }
    // SECURITY: a running program cannot be written by any name (ETXTBSY), so ours needs no look.
    let program = program_path();
    let mut seen = BTreeSet::new();
    for rule in profile.files.rules.iter().filter(|rule| rule.effect == Effect::Deny) {
        let path = match &rule.reach {
            Reach::Path(path) => path,
            // One name in any case of letters.
            Reach::Pattern(glob) | Reach::Leaf(glob) if glob.components.is_empty() => &glob.below,
            Reach::Pattern(_) | Reach::Leaf(_) => continue,
        };
        if program.as_ref() == Some(path) || !seen.insert(path) {
            continue;
        }
        if let Ok(file) = fs::symlink_metadata(path.as_str())
            && file.is_file()
            && file.nlink() > 1
        {
            found.push(format!(
                "`{path}` has {} names, and only this one is held (rule {})",
                file.nlink(),
                rule.origin
            ));
        }
    }
    found
}

/// What the boundary cannot hold, as far as the disk shows it now.
pub(super) fn limits(profile: &SandboxProfile) -> Vec<String> {
    let mut found = second_names(profile);
    if profile.files.disabled.is_some() {
        return found;
    }
    let hides = |rule: &portcullis_profile::FileRule| {
        rule.access == Access::Read && rule.effect == Effect::Deny
    };
    if profile.files.rules.iter().any(hides) {
        found.push(
            "what was committed to a repository before can be read from its `.git`; deny that too where it matters"
                .to_owned(),
        );
        found.push(
            "a copy under another name that is not denied can be read: rules mean names, not contents"
                .to_owned(),
        );
    }
    found
}

/// Whether a broken part of the policy leaves open what the boundary would have to hold.
fn concerns_the_boundary(closed: &Closed) -> bool {
    closed.covers_writes() || closed.covers_tool("Bash") || closed.covers_tool("WebFetch")
}

fn limits_of(args: &RunArgs) -> Limits {
    Limits {
        memory: args.limits.max_memory,
        processes: args.limits.max_processes,
        cpu_seconds: args.limits.max_cpu,
        file_size: args.limits.max_file_size,
        wall_seconds: args.limits.timeout,
    }
}

/// Lifts the restriction of the network, where no one above the user has made it.
fn open_network(policy: &Policy, profile: &mut SandboxProfile) -> Result<(), Failure> {
    let network = &policy.sandbox.network;
    for (lock, key) in [
        (&network.managed_only, "sandbox.network.allowManagedDomainsOnly"),
        (&network.strict, "sandbox.network.strictAllowlist"),
    ] {
        if **lock {
            let at = lock.source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default();
            return Err(Failure::input(format!("`{key}` keeps the network restricted{at}"))
                .hint("leave `--allow-network` out"));
        }
    }
    profile.network = NetworkAccess::Host;
    Ok(())
}
