//! Rules to automaton.

use super::{CompiledFiles, Ends, GlobEdge, Node, Stays};
use crate::{Component, FileRule, Files, PathGlob, Reach, Standing};
use portcullis_model::AbsPath;
use portcullis_rules::{NameGlob, fold_name};
use std::borrow::Cow;
use std::collections::BTreeMap;

pub(super) fn compile(files: Files) -> CompiledFiles {
    let mut builder = Builder { nodes: vec![Draft::default()] };
    let mut groups: BTreeMap<Group<'_>, Vec<usize>> = BTreeMap::new();
    for (index, rule) in files.rules.iter().enumerate() {
        match &rule.reach {
            Reach::Path(path) => {
                let at = builder.path(0, path, false, index);
                builder.end(at, ends(rule));
            }
            Reach::Pattern(glob) | Reach::Leaf(glob) => {
                let protected = rule.standing == Standing::Protected;
                let group = Group { below: &glob.below, any_case: glob.any_case, protected };
                groups.entry(group).or_default().push(index);
            }
        }
    }
    // The same patterns below two roots are the same nodes: a directory that moves from one root to the
    // other keeps its protection, and the automaton says so.
    let mut tails: Vec<(Vec<usize>, u32)> = Vec::new();
    for (group, members) in groups {
        let first = members.first().copied().unwrap_or_default();
        let at = builder.path(0, group.below, group.any_case, first);
        let known = tails.iter().find(|(others, _)| same_tails(&files.rules, others, &members));
        let tail = if let Some((_, tail)) = known {
            *tail
        } else {
            let tail = builder.node(first);
            for index in &members {
                if let Some(rule) = files.rules.get(*index)
                    && let Some(glob) = glob_of(rule)
                {
                    let end = builder.components(tail, glob, *index);
                    builder.end(end, ends(rule));
                }
            }
            tails.push((members, tail));
            tail
        };
        builder.free(at, tail);
    }
    let nodes = builder.finish();
    let start = nodes.first().map(|node| node.closure.clone()).unwrap_or_default();
    CompiledFiles { files, nodes, start }
}

/// Patterns that start at one place and are compared in one way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group<'f> {
    below: &'f AbsPath,
    any_case: bool,
    protected: bool,
}

fn glob_of(rule: &FileRule) -> Option<&PathGlob> {
    match &rule.reach {
        Reach::Path(_) => None,
        Reach::Pattern(glob) | Reach::Leaf(glob) => Some(glob),
    }
}

fn ends(rule: &FileRule) -> Ends {
    let ends = Ends::of(rule.access, rule.effect, rule.standing);
    match &rule.reach {
        Reach::Path(_) | Reach::Pattern(_) => ends,
        Reach::Leaf(_) => ends.as_leaf(),
    }
}

fn same_tails(rules: &[FileRule], a: &[usize], b: &[usize]) -> bool {
    let tail = |index: &usize| {
        let rule = rules.get(*index)?;
        let glob = glob_of(rule)?;
        Some((ends(rule).0, glob.any_case, &glob.components))
    };
    a.len() == b.len() && a.iter().map(tail).eq(b.iter().map(tail))
}

struct Builder {
    nodes: Vec<Draft>,
}

#[derive(Default)]
struct Draft {
    stays: Stays,
    exact: BTreeMap<Box<str>, u32>,
    folded: BTreeMap<Box<str>, u32>,
    globs: Vec<(NameGlob, bool, u32)>,
    but: Vec<(&'static str, u32)>,
    free: Vec<u32>,
    ends: Ends,
    rule: usize,
}

impl Builder {
    fn node(&mut self, rule: usize) -> u32 {
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Draft { rule, ..Draft::default() });
        id
    }

    fn draft(&mut self, id: u32) -> Option<&mut Draft> {
        self.nodes.get_mut(usize::try_from(id).ok()?)
    }

    fn path(&mut self, from: u32, path: &AbsPath, any_case: bool, rule: usize) -> u32 {
        path.components().fold(from, |at, name| self.name(at, name, any_case, rule))
    }

    fn components(&mut self, from: u32, glob: &PathGlob, rule: usize) -> u32 {
        glob.components.iter().fold(from, |at, component| match component {
            Component::AnyDepth => self.floating(at, Stays::Always, rule),
            Component::AnyDepthBut(but) => self.floating(at, Stays::But(but), rule),
            Component::Name(name) => self.name(at, name, glob.any_case, rule),
            Component::Glob(own) => self.glob(at, own, glob.any_case, rule),
            Component::AnyBut(but) => self.but(at, but, rule),
        })
    }

    fn name(&mut self, from: u32, name: &str, any_case: bool, rule: usize) -> u32 {
        let key: Cow<'_, str> =
            if any_case { Cow::Owned(fold_name(name)) } else { Cow::Borrowed(name) };
        let known = self.draft(from).and_then(|draft| {
            let edges = if any_case { &draft.folded } else { &draft.exact };
            edges.get(&*key).copied()
        });
        known.unwrap_or_else(|| {
            let to = self.node(rule);
            if let Some(draft) = self.draft(from) {
                let edges = if any_case { &mut draft.folded } else { &mut draft.exact };
                edges.insert(key.into_owned().into_boxed_str(), to);
            }
            to
        })
    }

    fn glob(&mut self, from: u32, glob: &NameGlob, any_case: bool, rule: usize) -> u32 {
        let known = self.draft(from).and_then(|draft| {
            draft.globs.iter().find(|(own, case, _)| own == glob && *case == any_case)
        });
        if let Some((_, _, to)) = known {
            return *to;
        }
        let to = self.node(rule);
        if let Some(draft) = self.draft(from) {
            draft.globs.push((glob.clone(), any_case, to));
        }
        to
    }

    fn but(&mut self, from: u32, but: &'static str, rule: usize) -> u32 {
        let known =
            self.draft(from).and_then(|draft| draft.but.iter().find(|(own, _)| *own == but));
        if let Some((_, to)) = known {
            return *to;
        }
        let to = self.node(rule);
        if let Some(draft) = self.draft(from) {
            draft.but.push((but, to));
        }
        to
    }

    /// A node that is live with another one and then stays.
    fn floating(&mut self, from: u32, stays: Stays, rule: usize) -> u32 {
        let free = self.draft(from).map(|draft| draft.free.clone()).unwrap_or_default();
        let known = free.into_iter().find(|id| self.draft(*id).is_some_and(|d| d.stays == stays));
        known.unwrap_or_else(|| {
            let to = self.node(rule);
            if let Some(draft) = self.draft(to) {
                draft.stays = stays;
            }
            self.free(from, to);
            to
        })
    }

    fn free(&mut self, from: u32, to: u32) {
        if let Some(draft) = self.draft(from) {
            draft.free.push(to);
        }
    }

    fn end(&mut self, at: u32, ends: Ends) {
        if let Some(draft) = self.draft(at) {
            draft.ends = draft.ends.with(ends);
        }
    }

    fn finish(self) -> Vec<Node> {
        let mut closures = Vec::with_capacity(self.nodes.len());
        for (id, _) in (0_u32..).zip(&self.nodes) {
            let mut closure = vec![id];
            let mut at = 0;
            while let Some(next) = closure.get(at).copied() {
                let node = usize::try_from(next).ok().and_then(|next| self.nodes.get(next));
                for free in node.map_or(&[][..], |node| &node.free) {
                    if !closure.contains(free) {
                        closure.push(*free);
                    }
                }
                at += 1;
            }
            closures.push(closure);
        }
        let mut nodes: Vec<Node> = self
            .nodes
            .into_iter()
            .zip(closures)
            .map(|(draft, closure)| Node {
                stays: draft.stays,
                exact: draft.exact.into_iter().collect(),
                folded: draft.folded.into_iter().collect(),
                globs: draft
                    .globs
                    .into_iter()
                    .map(|(glob, any_case, to)| GlobEdge { glob, any_case, to })
                    .collect(),
                but: draft.but,
                closure,
                ends: draft.ends,
                ahead: draft.ends,
                rule: draft.rule,
            })
            .collect();
        look_ahead(&mut nodes);
        nodes
    }
}

/// Fills in what can match further on. Edges lead to nodes made later, but for shared tails, so going
/// backwards settles almost everything at once.
fn look_ahead(nodes: &mut [Node]) {
    loop {
        let mut changed = false;
        for id in (0..nodes.len()).rev() {
            let Some(node) = nodes.get(id) else { continue };
            let targets = node
                .exact
                .iter()
                .chain(&node.folded)
                .map(|(_, to)| *to)
                .chain(node.globs.iter().map(|edge| edge.to))
                .chain(node.but.iter().map(|(_, to)| *to))
                .chain(node.closure.iter().copied());
            let ahead = targets.fold(node.ahead, |ahead, to| {
                let to = usize::try_from(to).ok().and_then(|to| nodes.get(to));
                ahead.with(to.map_or(Ends::NONE, |to| to.ahead))
            });
            if let Some(node) = nodes.get_mut(id)
                && node.ahead != ahead
            {
                node.ahead = ahead;
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}
