//! What is built because of what stands on the disk: mounts, and Landlock's rules.
//!
//! The host goes on while a boundary is set up, and so do commands in other sandboxes. What was found may
//! be gone or be another thing when it is mounted; then the layout is made anew, and the boundary with it.

use crate::changes::Layer;
use crate::expansion::{self, Allowed};
use crate::landlock::{self, Wanted};
use crate::mounts::{self, Explained, Surroundings, View};
use crate::plan::Descriptors;
use crate::sys::{Capture, Landlock, Namespaces, Program};
use crate::{Backend, Failure, Listener, MOST_LISTENERS, Writes, identity, network};
use portcullis_model::AbsPath;
use portcullis_profile::{CompiledFiles, NetworkAccess, Reach, SandboxProfile};
use rustix::thread::UnshareFlags;

/// What a layout is made from, beside the rules and the disk.
#[derive(Debug)]
pub(crate) struct Basis {
    pub(crate) backend: Backend,
    /// The directory of the host that is made for the run, where there is one.
    pub(crate) temporary: Option<AbsPath>,
    /// The version of Landlock's interface.
    pub(crate) landlock: u32,
    pub(crate) descriptors: Descriptors,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) writes: Writes,
}

/// What is built because of what stands on the disk.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) namespaces: Option<Namespaces>,
    pub(crate) landlock: Option<Landlock>,
    /// The same for people.
    pub(crate) explanation: Vec<Explained>,
    /// What is laid over the places that may be written.
    pub(crate) layers: Vec<Layer>,
}

impl Basis {
    /// Looks at the disk and lays out what is to be built.
    pub(crate) fn lay_out(
        &self,
        files: &CompiledFiles,
        profile: &SandboxProfile,
    ) -> Result<Layout, Failure> {
        if self.backend == Backend::LandlockOnly {
            let mut allowed = expansion::expand(files);
            // It is made when everything else is ready.
            allowed.writable.extend(self.temporary.clone().map(|path| (path, true)));
            let landlock = self.landlock_rules(profile, &allowed)?;
            return Ok(Layout { landlock, ..Layout::default() });
        }
        let around = Surroundings {
            terminal: self.descriptors.terminal.clone(),
            names: network::name_files(&self.listeners),
            writes: self.writes,
        };
        let mut view = mounts::plan(files, &around)?;
        let allowed = Allowed {
            readable: vec![(AbsPath::root(), true)],
            writable: std::mem::take(&mut view.writable),
        };
        let explanation = std::mem::take(&mut view.explanation);
        let layers = std::mem::take(&mut view.layers);
        Ok(Layout {
            namespaces: Some(self.namespaces(profile, view)?),
            landlock: self.landlock_rules(profile, &allowed)?,
            explanation,
            layers,
        })
    }

    fn landlock_rules(
        &self,
        profile: &SandboxProfile,
        allowed: &Allowed,
    ) -> Result<Option<Landlock>, Failure> {
        let sockets: Vec<AbsPath> = profile
            .sockets
            .allowed
            .iter()
            .filter_map(|rule| match &rule.reach {
                Reach::Path(path) => Some(path.clone()),
                Reach::Pattern(_) | Reach::Leaf(_) => None,
            })
            .collect();
        let no_network = profile.network != NetworkAccess::Host;
        let wanted = Wanted {
            files: profile.files.disabled.is_none(),
            readable: &allowed.readable,
            writable: &allowed.writable,
            sockets: &sockets,
            no_tcp: no_network && self.backend == Backend::LandlockOnly,
            own_devices: self.backend != Backend::LandlockOnly,
            terminals: &self.descriptors.terminals,
        };
        landlock::rules(self.landlock, &wanted)
    }

    fn namespaces(&self, profile: &SandboxProfile, view: View) -> Result<Namespaces, Failure> {
        let mut flags = UnshareFlags::NEWUSER
            | UnshareFlags::NEWNS
            | UnshareFlags::NEWIPC
            | UnshareFlags::NEWUTS
            | UnshareFlags::NEWCGROUP;
        let network = match &profile.network {
            NetworkAccess::Host if !self.listeners.is_empty() => {
                return Err(Failure::new("listeners need an own network, and this run has none"));
            }
            NetworkAccess::None | NetworkAccess::Domains { .. }
                if self.listeners.len() > MOST_LISTENERS =>
            {
                return Err(Failure::new(format!(
                    "there can be {MOST_LISTENERS} listeners at most"
                )));
            }
            NetworkAccess::Host => None,
            NetworkAccess::None | NetworkAccess::Domains { .. } => {
                flags |= UnshareFlags::NEWNET;
                Some(Capture {
                    messages: network::messages(!self.listeners.is_empty()),
                    listeners: self.listeners.clone(),
                    opened: vec![-1; self.listeners.len()],
                })
            }
        };
        Ok(Namespaces {
            flags,
            identity: identity::identity(),
            network,
            slots: vec![-1; view.slots],
            view: view.steps,
            proc: (self.backend == Backend::Full).then_some(view.proc),
            nested: profile.nested.is_some(),
            handed: (self.writes == Writes::Listed).then_some(mounts::BASE),
            program: Program::look(),
        })
    }
}
