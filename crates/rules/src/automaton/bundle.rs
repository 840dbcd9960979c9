//! Many languages side by side, each with marks: what a product is explored over.

use super::{Automaton, ByteSet};
use crate::Glob;

/// Many languages side by side. Whoever reads a text through it learns the marks of every language the
/// text is in.
///
/// Patterns whose only wildcard is a star take one node a byte: a star is a loop at the node behind it,
/// so nothing has to be determinised ahead of the search.
///
/// INVARIANT: the nodes of a part follow each other, and a node that reads one byte leads to the next.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    nodes: Vec<Node>,
    parts: Vec<Part>,
    edges: Vec<(ByteSet, u32)>,
    starts: Vec<u32>,
    overfull: bool,
}

/// One place in one language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// The byte that leads to the next node.
    pub(super) byte: Option<u8>,
    /// Whether every byte leads back here.
    pub(super) looped: bool,
    /// Whether a text may end here.
    pub(super) accepting: bool,
    /// The language it belongs to.
    pub(super) part: u32,
    /// Where its further moves stand among the edges, and how many there are.
    edges: (u32, u32),
}

#[derive(Clone, Copy, Debug)]
struct Part {
    marks: u64,
    /// Whether it is a chain: a looped node makes all before it superfluous.
    chain: bool,
}

impl Bundle {
    /// Adds the language of a pattern.
    pub fn add_glob(&mut self, glob: &Glob, marks: u64) {
        let part = self.part(marks, true);
        self.start(self.nodes.len());
        self.nodes.push(Node::new(part));
        for (index, run) in glob.runs().enumerate() {
            // A star loops at the node before the run that follows it.
            if let Some(last) = self.nodes.last_mut() {
                last.looped = index > 0;
            }
            for byte in run.bytes() {
                if let Some(last) = self.nodes.last_mut() {
                    last.byte = Some(byte);
                }
                self.nodes.push(Node::new(part));
            }
        }
        if let Some(last) = self.nodes.last_mut() {
            last.accepting = true;
        }
    }

    /// Adds any language.
    pub fn add(&mut self, automaton: &Automaton, marks: u64) {
        let part = self.part(marks, false);
        let offset = self.nodes.len();
        for start in &automaton.starts {
            self.start(offset + start);
        }
        for (own, state) in automaton.states.iter().enumerate() {
            let mut node = Node::new(part);
            node.accepting = state.accepting;
            node.looped = state.loops(own);
            let from = self.edges.len();
            for (bytes, to) in &state.moves {
                if !(*to == own && *bytes == ByteSet::ANY) {
                    let to = self.number(offset + to);
                    self.edges.push((*bytes, to));
                }
            }
            node.edges = (self.number(from), self.number(self.edges.len() - from));
            self.nodes.push(node);
        }
    }

    fn part(&mut self, marks: u64, chain: bool) -> u32 {
        let part = self.number(self.parts.len());
        self.parts.push(Part { marks, chain });
        part
    }

    fn start(&mut self, at: usize) {
        let at = self.number(at);
        self.starts.push(at);
    }

    fn number(&mut self, at: usize) -> u32 {
        u32::try_from(at).unwrap_or_else(|_| {
            self.overfull = true;
            0
        })
    }

    /// Whether it holds more than it can number, so that no answer about it is complete.
    pub(super) fn is_overfull(&self) -> bool {
        self.overfull
    }

    /// The nodes before the first byte, in order.
    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }

    pub(super) fn node(&self, at: u32) -> Option<&Node> {
        self.nodes.get(at as usize)
    }

    pub(super) fn moves(&self, node: &Node) -> &[(ByteSet, u32)] {
        let (from, count) = node.edges;
        let from = from as usize;
        self.edges.get(from..from + count as usize).unwrap_or(&[])
    }

    pub(super) fn marks(&self, node: &Node) -> u64 {
        self.parts.get(node.part as usize).map_or(0, |part| part.marks)
    }

    pub(super) fn is_chain(&self, part: u32) -> bool {
        self.parts.get(part as usize).is_some_and(|part| part.chain)
    }
}

impl Node {
    fn new(part: u32) -> Self {
        Self { byte: None, looped: false, accepting: false, part, edges: (0, 0) }
    }
}
