//! Putting an automaton together, with empty moves that disappear at the end.

use super::{Automaton, ByteSet, State};

/// An automaton in the making. States are known by their number.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    states: Vec<State>,
    skips: Vec<Vec<usize>>,
}

impl Builder {
    /// Starts with one state.
    pub(crate) fn new() -> (Self, usize) {
        let mut builder = Self::default();
        let start = builder.state();
        (builder, start)
    }

    /// Adds a state.
    pub(crate) fn state(&mut self) -> usize {
        self.states.push(State::default());
        self.skips.push(Vec::new());
        self.states.len() - 1
    }

    /// Adds a move between two states.
    pub(crate) fn edge(&mut self, from: usize, bytes: ByteSet, to: usize) {
        if let Some(state) = self.states.get_mut(from)
            && !bytes.is_empty()
        {
            state.moves.push((bytes, to));
        }
    }

    /// Adds a move that reads nothing.
    pub(crate) fn skip(&mut self, from: usize, to: usize) {
        if let Some(skips) = self.skips.get_mut(from) {
            skips.push(to);
        }
    }

    /// Appends one byte out of a set and answers the state after it.
    pub(crate) fn step(&mut self, from: usize, bytes: ByteSet) -> usize {
        let to = self.state();
        self.edge(from, bytes, to);
        to
    }

    /// Appends a text.
    pub(crate) fn literal(&mut self, from: usize, text: &str) -> usize {
        text.bytes().fold(from, |at, byte| self.step(at, ByteSet::single(byte)))
    }

    /// Appends any number of bytes out of a set.
    pub(crate) fn repeat(&mut self, from: usize, bytes: ByteSet) -> usize {
        let at = self.state();
        self.skip(from, at);
        self.edge(at, bytes, at);
        at
    }

    /// Removes the empty moves and the states nothing reaches.
    pub(crate) fn finish(mut self, start: usize, ends: &[usize]) -> Automaton {
        for end in ends {
            if let Some(state) = self.states.get_mut(*end) {
                state.accepting = true;
            }
        }
        let mut order = Vec::new();
        let mut numbers = vec![None; self.states.len()];
        let mut states: Vec<State> = Vec::new();
        number(start, &mut numbers, &mut order);
        let mut next = 0;
        while let Some(&old) = order.get(next) {
            next += 1;
            let mut state = State::default();
            for member in self.closure(old) {
                let Some(part) = self.states.get(member) else { continue };
                state.accepting |= part.accepting;
                for (bytes, to) in &part.moves {
                    let to = number(*to, &mut numbers, &mut order);
                    if !state.moves.contains(&(*bytes, to)) {
                        state.moves.push((*bytes, to));
                    }
                }
            }
            states.push(state);
        }
        // Upholds: `number` gives out exactly the places of `order`, and each gets its state above.
        Automaton { states, starts: vec![0] }
    }

    /// The states reachable without reading, the state itself first.
    fn closure(&self, state: usize) -> Vec<usize> {
        let mut members = vec![state];
        let mut next = 0;
        while let Some(member) = members.get(next) {
            for to in self.skips.get(*member).into_iter().flatten() {
                if !members.contains(to) {
                    members.push(*to);
                }
            }
            next += 1;
        }
        members
    }
}

/// The new number of an old state, given out on first sight.
fn number(old: usize, numbers: &mut [Option<usize>], order: &mut Vec<usize>) -> usize {
    let Some(slot) = numbers.get_mut(old) else { return 0 };
    *slot.get_or_insert_with(|| {
        order.push(old);
        order.len() - 1
    })
}
