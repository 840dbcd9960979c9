//! Every rule about files as one automaton over the components of a path.
//!
//! Beginnings that rules share are shared nodes, and so are the patterns that hold below several roots:
//! a path is judged by one walk over a handful of live nodes, whatever the number of rules.

mod build;
mod rename;

use crate::{Access, Effect, FileRule, Files, Judgement, Kind, Reach, Standing};
use portcullis_model::AbsPath;
use portcullis_rules::{NameGlob, fold_name};
use std::borrow::Cow;

/// The rules about files, ready to judge many paths.
#[derive(Clone, Debug)]
pub struct CompiledFiles {
    files: Files,
    nodes: Vec<Node>,
    start: Vec<u32>,
}

/// Where a walk along a path has come to. Equal sets judge everything below alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSet {
    /// Live nodes, ascending.
    live: Vec<u32>,
    /// What the deepest match says about reads.
    read: Effect,
    /// What has matched on the way.
    passed: Ends,
    /// What matches here.
    here: Ends,
}

/// A path with rules of its own, as mounts are made of. [`CompiledFiles::judge_as`] says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    /// The path.
    pub path: AbsPath,
    /// What holds for reading it.
    pub read: Effect,
    /// What holds for writing it.
    pub write: Effect,
}

/// What a path may be that matched: bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ends(u16);

#[derive(Clone, Debug, Default)]
struct Node {
    /// Components that keep the node live.
    stays: Stays,
    exact: Vec<(Box<str>, u32)>,
    folded: Vec<(Box<str>, u32)>,
    globs: Vec<GlobEdge>,
    but: Vec<(&'static str, u32)>,
    /// The node and every node that is live with it.
    closure: Vec<u32>,
    /// What matches here.
    ends: Ends,
    /// What can match here or further on.
    ahead: Ends,
    /// A rule that leads through here.
    rule: usize,
}

#[derive(Clone, Debug)]
struct GlobEdge {
    glob: NameGlob,
    any_case: bool,
    to: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stays {
    #[default]
    No,
    Always,
    But(&'static str),
}

/// A path on the way to others.
struct Around<'f> {
    names: Vec<&'f str>,
    states: StateSet,
    held: (Effect, Effect),
}

impl CompiledFiles {
    /// Makes the rules ready.
    pub fn new(files: Files) -> Self {
        build::compile(files)
    }

    /// The rules.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// What holds for a path that is, or is to become, a file.
    pub fn judge(&self, path: &AbsPath, access: Access) -> Judgement<'_> {
        self.judge_as(path, access, Kind::File)
    }

    /// What holds for a path where something of a kind stands, or is to stand.
    pub fn judge_as(&self, path: &AbsPath, access: Access, kind: Kind) -> Judgement<'_> {
        match self.effect(path, access, kind) {
            Effect::Allow => Judgement { effect: Effect::Allow, rule: None },
            // Refusals are rare, and whoever is refused wants to know why: that may take its time.
            Effect::Deny => self.files.judge_as(path, access, kind),
        }
    }

    /// Whether an access is possible, without the reason.
    pub fn effect(&self, path: &AbsPath, access: Access, kind: Kind) -> Effect {
        if self.files.disabled.is_some() {
            return Effect::Allow;
        }
        self.states(path).effect(access, kind)
    }

    /// Whether a rule that denies writing covers everything below a path, so that no allow counts there.
    pub fn is_closed(&self, path: &AbsPath) -> bool {
        self.states(path).passed.has(Ends::WRITE_DENY)
    }

    /// What holds for reading a path, whatever stands there: an allow only if it is one for every kind.
    pub fn effect_of_any_kind(&self, path: &AbsPath) -> Effect {
        if self.files.disabled.is_some() {
            return Effect::Allow;
        }
        let states = self.states(path);
        let kinds = [Kind::Directory, Kind::File, Kind::Other];
        let denied = kinds.iter().any(|kind| states.effect(Access::Read, *kind) == Effect::Deny);
        if denied { Effect::Deny } else { Effect::Allow }
    }

    /// Where a path leads.
    pub fn states(&self, path: &AbsPath) -> StateSet {
        let (mut states, mut spare) = (self.root(), Vec::new());
        for name in path.components() {
            self.advance(&mut states, name, &mut spare);
        }
        states
    }

    /// Where the root leads.
    pub fn root(&self) -> StateSet {
        let mut states = StateSet {
            live: self.start.clone(),
            read: Effect::Allow,
            passed: Ends::default(),
            here: Ends::default(),
        };
        states.arrive(&self.nodes);
        states
    }

    /// Where one more component leads.
    pub fn step(&self, mut states: StateSet, name: &str) -> StateSet {
        self.advance(&mut states, name, &mut Vec::new());
        states
    }

    /// Takes a step. `spare` is room that is used again, for a walk takes many steps.
    fn advance(&self, states: &mut StateSet, name: &str, spare: &mut Vec<u32>) {
        let mut folded: Option<Cow<'_, str>> = None;
        spare.clear();
        for id in &states.live {
            let Some(node) = self.node(*id) else { continue };
            let stays = match node.stays {
                Stays::No => false,
                Stays::Always => true,
                Stays::But(but) => name != but,
            };
            if stays {
                spare.push(*id);
            }
            if let Some(to) = find(&node.exact, name) {
                spare.push(to);
            }
            if !node.folded.is_empty() {
                let folded = folded.get_or_insert_with(|| fold(name));
                if let Some(to) = find(&node.folded, folded) {
                    spare.push(to);
                }
            }
            for edge in &node.globs {
                if edge.glob.matches(name, edge.any_case) {
                    spare.push(edge.to);
                }
            }
            for (but, to) in &node.but {
                if name != *but {
                    spare.push(*to);
                }
            }
        }
        states.live.clear();
        for id in spare.iter() {
            states.live.extend(self.node(*id).map_or(&[][..], |node| &node.closure));
        }
        states.live.sort_unstable();
        states.live.dedup();
        states.arrive(&self.nodes);
    }

    /// Whether opens for reading have to be judged one by one. A mount hides what a path names when the
    /// sandbox starts: a name that is made later is not covered, and a cover goes when the host puts another
    /// file in its place. So every deny needs more, also one in a directory that only root may change.
    pub fn needs_read_guard(&self) -> bool {
        let hides = |rule: &FileRule| rule.access == Access::Read && rule.effect == Effect::Deny;
        self.files.disabled.is_none() && self.files.rules.iter().any(hides)
    }

    /// The paths that rules name exactly, an outer one before an inner one, with what holds there. A path
    /// for which the same holds as for the nearest one around it is left out.
    pub fn exact(&self) -> Vec<Exact> {
        let mut paths: Vec<(Vec<&str>, &AbsPath)> = Vec::new();
        if self.files.disabled.is_none() {
            paths.extend(self.files.rules.iter().filter_map(|rule| match &rule.reach {
                Reach::Path(path) => Some((path.components().collect(), path)),
                Reach::Pattern(_) | Reach::Leaf(_) => None,
            }));
        }
        // By components an ancestor stands right before what is below it, which it does not by text:
        // `/a`, `/a-b`, `/a/c`.
        paths.sort_unstable();
        paths.dedup();
        let mut list: Vec<Exact> = Vec::new();
        // The paths around the one that is looked at, each with where it leads and what holds there. A walk
        // goes on from the innermost: all walks together are as long as what the paths have in common once
        // and the rest.
        let mut around: Vec<Around<'_>> = Vec::new();
        let mut spare = Vec::new();
        for (names, path) in paths {
            while around.last().is_some_and(|outer| !names.starts_with(&outer.names)) {
                around.pop();
            }
            let outer = around.last();
            let mut states = outer.map_or_else(|| self.root(), |outer| outer.states.clone());
            let ahead = outer.map_or(0, |outer| outer.names.len());
            for name in names.iter().skip(ahead) {
                self.advance(&mut states, name, &mut spare);
            }
            let held = (
                states.effect(Access::Read, Kind::Directory),
                states.effect(Access::Write, Kind::Directory),
            );
            if held != outer.map_or((Effect::Allow, Effect::Deny), |outer| outer.held) {
                list.push(Exact { path: path.clone(), read: held.0, write: held.1 });
            }
            around.push(Around { names, states, held });
        }
        list.sort_by_cached_key(|exact| exact.path.components().count());
        list
    }

    /// The paths that patterns name where `**` stands for nothing, such as `.git/hooks` at the top of a
    /// working directory: what a mount can hold in addition, if it exists when the sandbox starts.
    pub fn nearest(&self) -> impl Iterator<Item = (AbsPath, &FileRule)> {
        self.files.rules.iter().filter_map(|rule| match &rule.reach {
            Reach::Path(_) => None,
            Reach::Pattern(glob) | Reach::Leaf(glob) => Some((glob.nearest()?, rule)),
        })
    }

    fn node(&self, id: u32) -> Option<&Node> {
        self.nodes.get(usize::try_from(id).ok()?)
    }
}

impl StateSet {
    /// What holds here for something of a kind.
    pub fn effect(&self, access: Access, kind: Kind) -> Effect {
        let mut read = self.read;
        let mut passed = self.passed;
        if kind != Kind::Directory {
            let leaf = self.here.leaves();
            if !self.here.trees().has(Ends::READ_DENY) {
                read = leaf.read(read);
            }
            passed = passed.with(leaf);
        }
        if passed.has(Ends::of(Access::Read, Effect::Deny, Standing::Absolute)) {
            read = Effect::Deny;
        }
        let protection = Ends::of(Access::Write, Effect::Deny, Standing::Protected);
        let denies = if passed.has(Ends::EXEMPT) {
            Ends::WRITE_DENY.without(protection)
        } else {
            Ends::WRITE_DENY
        };
        match access {
            Access::Read => read,
            Access::Write if read == Effect::Deny || passed.has(denies) => Effect::Deny,
            Access::Write if passed.has(Ends::WRITE_ALLOW) => Effect::Allow,
            Access::Write => Effect::Deny,
        }
    }

    /// Takes in what the live nodes say.
    fn arrive(&mut self, nodes: &[Node]) {
        self.here = Ends::default();
        for id in &self.live {
            let node = usize::try_from(*id).ok().and_then(|id| nodes.get(id));
            self.here = self.here.with(node.map_or(Ends::default(), |node| node.ends));
        }
        let trees = self.here.trees();
        self.passed = self.passed.with(trees);
        self.read = trees.read(self.read);
    }
}

impl Ends {
    const NONE: Self = Self(0);
    const WRITE_DENY: Self = Self(0b111 << 5);
    const WRITE_ALLOW: Self = Self(0b11 << 3);
    const EXEMPT: Self = Self(1 << 4);
    const READ_DENY: Self = Self(0b110);
    const READ_ALLOW: Self = Self(0b001);

    /// The bit of a rule that reaches everything below; a leaf is eight bits further up.
    fn of(access: Access, effect: Effect, standing: Standing) -> Self {
        Self(
            1 << match (access, effect, standing) {
                (Access::Read, Effect::Allow, _) => 0,
                (Access::Read, Effect::Deny, Standing::Ordinary | Standing::Protected) => 1,
                (Access::Read, Effect::Deny, Standing::Absolute) => 2,
                (Access::Write, Effect::Allow, Standing::Ordinary | Standing::Protected) => 3,
                (Access::Write, Effect::Allow, Standing::Absolute) => 4,
                (Access::Write, Effect::Deny, Standing::Ordinary) => 5,
                (Access::Write, Effect::Deny, Standing::Protected) => 6,
                (Access::Write, Effect::Deny, Standing::Absolute) => 7,
            },
        )
    }

    fn as_leaf(self) -> Self {
        Self(self.0 << 8)
    }

    fn trees(self) -> Self {
        Self(self.0 & 0xff)
    }

    fn leaves(self) -> Self {
        Self(self.0 >> 8)
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    /// What reads come to where these match.
    fn read(self, before: Effect) -> Effect {
        if self.has(Self::READ_DENY) {
            Effect::Deny
        } else if self.has(Self::READ_ALLOW) {
            Effect::Allow
        } else {
            before
        }
    }
}

fn find(edges: &[(Box<str>, u32)], name: &str) -> Option<u32> {
    let at = edges.binary_search_by(|(own, _)| (**own).cmp(name)).ok()?;
    edges.get(at).map(|(_, to)| *to)
}

fn fold(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(fold_name(name))
    }
}
