//! The policies of many calls: one for each project, put together again only where settings changed.

use super::{Files, Memo, Options, discover_again};
use portcullis_model::AbsPath;
use portcullis_policy::{Layer, Place, Policy, assemble};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Settings and what they say together.
#[derive(Debug)]
pub struct Known {
    place: Place,
    /// The settings sources.
    pub layers: Vec<Layer>,
    /// What they say together.
    pub policy: Policy,
    /// They were looked for on disk, and not handed over with a call.
    pub is_discovered: bool,
}

/// The policies of the calls before: putting one together takes longer than most answers.
#[derive(Debug)]
pub struct Policies {
    options: Options,
    is_live: bool,
    memo: Memo,
    /// The last whole text of each file.
    good: BTreeMap<String, String>,
    /// The latest first.
    known: Vec<Arc<Known>>,
}

impl Default for Policies {
    /// Nothing is looked for on disk.
    fn default() -> Self {
        let nowhere = Options::new(AbsPath::root(), AbsPath::root());
        Self::once(Options { files: Files::Nothing, ..nowhere })
    }
}

impl Policies {
    /// Reads the settings of a project the first time a call asks for them.
    pub fn once(options: Options) -> Self {
        Self {
            options,
            is_live: false,
            memo: Memo::default(),
            good: BTreeMap::new(),
            known: Vec::new(),
        }
    }

    /// Looks at the settings for every call, so that a change holds for the next one. What a file
    /// restricted when it was last whole holds on while it is broken.
    pub fn live(options: Options) -> Self {
        Self { is_live: true, ..Self::once(options) }
    }

    /// Whether settings are looked for on disk.
    pub fn discovers(&self) -> bool {
        self.options.files == Files::Discovered
    }

    /// The policy of a project by the settings that apply there.
    pub fn of_project(&mut self, project_root: &AbsPath, home: &AbsPath) -> Arc<Known> {
        let options = self.options.elsewhere(project_root, home);
        let place = options.place();
        if !self.is_live
            && let Some(known) = self.find(|known| known.is_discovered && known.place == place)
        {
            return known;
        }
        let mut layers = discover_again(&options, &mut self.memo);
        if self.is_live {
            self.keep_good(&mut layers);
        }
        self.put_together(layers, place, true)
    }

    /// The policy of settings that a call brings along.
    pub fn of_layers(&mut self, layers: Vec<Layer>, place: Place) -> Arc<Known> {
        self.put_together(layers, place, false)
    }

    fn put_together(
        &mut self,
        layers: Vec<Layer>,
        place: Place,
        is_discovered: bool,
    ) -> Arc<Known> {
        let same = |known: &Known| {
            known.is_discovered == is_discovered && known.place == place && known.layers == layers
        };
        if let Some(known) = self.find(same) {
            return known;
        }
        let policy = assemble(&layers, &place);
        if self.is_live && is_discovered {
            // What the settings of a project said before counts no more.
            self.known.retain(|known| !(known.is_discovered && known.place == place));
        }
        self.known.truncate(MAX_KNOWN - 1);
        let known = Arc::new(Known { place, layers, policy, is_discovered });
        self.known.insert(0, Arc::clone(&known));
        known
    }

    fn find(&mut self, wanted: impl Fn(&Known) -> bool) -> Option<Arc<Known>> {
        let at = self.known.iter().position(|known| wanted(known))?;
        let known = self.known.remove(at);
        self.known.insert(0, Arc::clone(&known));
        Some(known)
    }

    /// Remembers every whole text, and gives it to the layer whose file is broken now.
    fn keep_good(&mut self, layers: &mut [Layer]) {
        for layer in layers {
            let good = self.good.get(&layer.file);
            if good.is_some_and(|good| *good == layer.text) && layer.unreadable.is_none() {
                continue;
            }
            if !layer.is_whole() {
                layer.last_good = good.cloned();
                continue;
            }
            let kept: usize = self.good.values().map(String::len).sum();
            if kept + layer.text.len() <= MAX_GOOD || good.is_some() {
                self.good.insert(layer.file.clone(), layer.text.clone());
            }
        }
    }
}

/// More projects than one user works in at a time.
const MAX_KNOWN: usize = 16;

/// Bytes of settings that are kept; a file beyond it fails closed as it does for a single call.
const MAX_GOOD: usize = 32 << 20;
