//! The policies of many calls: one for each project, put together again only where settings changed.

use super::{Files, Memo, Options, discover, discover_again};
use portcullis_model::AbsPath;
use portcullis_policy::{Layer, Place, Policy, assemble};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Settings and what they say together.
#[derive(Clone, Debug)]
pub struct Known {
    place: Place,
    /// The settings sources.
    pub layers: Vec<Layer>,
    /// What they say together.
    pub policy: Policy,
}

impl Known {
    fn new(layers: Vec<Layer>, place: Place) -> Arc<Self> {
        let policy = assemble(&layers, &place);
        Arc::new(Self { place, layers, policy })
    }
}

/// The policies of the calls before: putting one together takes longer than most answers.
#[derive(Debug)]
pub struct Policies {
    options: Options,
    /// Of projects, the latest first.
    projects: Vec<Arc<Known>>,
    /// Of the last settings that came with a call.
    brought: Option<Arc<Known>>,
    live: Option<Live>,
}

/// What is kept to look at settings again and again.
#[derive(Debug)]
struct Live {
    memo: Memo,
    good: Good,
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
        Self { options, projects: Vec::new(), brought: None, live: None }
    }

    /// Looks at the settings for every call, so that a change holds for the next one. What a file
    /// restricted when it was last whole holds on while it is broken.
    pub fn live(options: Options, good: Good) -> Self {
        Self { live: Some(Live { memo: Memo::default(), good }), ..Self::once(options) }
    }

    /// The policy of a project by the settings that apply there.
    pub fn of_project(&mut self, project_root: &AbsPath, home: &AbsPath) -> Arc<Known> {
        let options = self.options.elsewhere(project_root, home);
        let place = options.place();
        let before = self.projects.iter().position(|known| known.place == place);
        let before = before.map(|at| self.projects.remove(at));
        let known = match (before, &mut self.live) {
            (Some(known), None) => known,
            (None, None) => Known::new(discover(&options), place),
            (before, Some(live)) => {
                let mut layers = discover_again(&options, &mut live.memo);
                live.good.keep(&mut layers);
                match before {
                    Some(known) if known.layers == layers => known,
                    Some(_) | None => Known::new(layers, place),
                }
            }
        };
        self.projects.truncate(MAX_PROJECTS - 1);
        self.projects.insert(0, Arc::clone(&known));
        known
    }

    /// The policy of settings that a call brings along.
    pub fn of_layers(&mut self, layers: Vec<Layer>, place: Place) -> Arc<Known> {
        match &self.brought {
            Some(known) if known.place == place && known.layers == layers => Arc::clone(known),
            Some(_) | None => Arc::clone(self.brought.insert(Known::new(layers, place))),
        }
    }
}

/// The last whole text of every settings file, kept for all who ask.
#[derive(Clone, Debug, Default)]
pub struct Good(Arc<Mutex<Texts>>);

#[derive(Debug, Default)]
struct Texts {
    by_file: BTreeMap<String, String>,
    bytes: usize,
}

impl Good {
    /// Remembers every whole text, and gives it to the layer whose file is broken now.
    fn keep(&self, layers: &mut [Layer]) {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for layer in layers {
            let known = texts.by_file.get(&layer.file);
            if layer.unreadable.is_none() && known == Some(&layer.text) {
                continue;
            }
            if layer.is_whole() {
                texts.insert(&layer.file, &layer.text);
            } else {
                layer.last_good = known.cloned();
            }
        }
    }
}

impl Texts {
    /// What does not fit is not kept, nor what was there before: it is no longer what counted last.
    fn insert(&mut self, file: &str, text: &str) {
        if let Some(before) = self.by_file.remove(file) {
            self.bytes = self.bytes.saturating_sub(file.len() + before.len());
        }
        let more = file.len() + text.len();
        if self.bytes + more <= MAX_GOOD {
            self.bytes += more;
            self.by_file.insert(file.to_owned(), text.to_owned());
        }
    }
}

/// More projects than one agent works in at a time.
const MAX_PROJECTS: usize = 8;

/// Bytes of settings that are kept; a file beyond it fails closed as it does for a single call.
const MAX_GOOD: usize = 32 << 20;
