//! Small automata over bytes: what a pattern or a partly known text may be, as a language.
//!
//! Nondeterministic and without empty moves. Questions between two languages are answered exactly or,
//! past a budget, not at all: there is no approximate answer.

mod builder;
mod bundle;
mod bytes;
mod explore;
mod inclusion;

pub use bundle::Bundle;
pub use bytes::ByteSet;
pub use explore::{Effort, Explorer, Universe, explore};
pub use inclusion::{Inclusion, included};

pub(crate) use builder::Builder;

/// How much work one question may cost, in steps.
///
/// Inclusion is exponential in the worst case, and rule texts come from cloned repositories: without
/// a bound a hostile rule could stall every call.
#[derive(Clone, Copy, Debug)]
pub struct Budget(usize);

impl Budget {
    /// A budget of so many steps.
    pub fn new(steps: usize) -> Self {
        Self(steps)
    }

    /// Takes steps off; `None` once it is used up.
    pub(crate) fn spend(&mut self, steps: usize) -> Option<()> {
        self.0 = self.0.checked_sub(steps)?;
        Some(())
    }
}

/// A state: its moves and whether a text may end here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) moves: Vec<(ByteSet, usize)>,
    pub(crate) accepting: bool,
}

impl State {
    /// Whether every byte leads back here.
    fn loops(&self, own: usize) -> bool {
        self.moves.iter().any(|(bytes, target)| *target == own && *bytes == ByteSet::ANY)
    }
}

/// A regular language over bytes.
///
/// INVARIANT: every move and every start state names an existing state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Automaton {
    states: Vec<State>,
    starts: Vec<usize>,
}

impl Automaton {
    /// The language of exactly one text.
    pub fn literal(text: &str) -> Self {
        let (mut builder, start) = Builder::new();
        let end = builder.literal(start, text);
        builder.finish(start, &[end])
    }

    /// The language of texts that are in any of the given languages.
    pub fn union<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for part in parts {
            let offset = all.states.len();
            all.starts.extend(part.starts.iter().map(|start| start + offset));
            all.states.extend(part.states.iter().map(|state| State {
                moves: state.moves.iter().map(|(bytes, to)| (*bytes, to + offset)).collect(),
                accepting: state.accepting,
            }));
        }
        all
    }

    /// The language of texts that are in both; `None` past the budget.
    pub fn intersection(&self, other: &Self, budget: &mut Budget) -> Option<Self> {
        let mut numbers = std::collections::BTreeMap::new();
        let mut pairs = Vec::new();
        let mut product = Self::default();
        for &left in &self.starts {
            for &right in &other.starts {
                let number = number_of((left, right), &mut numbers, &mut pairs);
                product.starts.push(number);
            }
        }
        let mut next = 0;
        while let Some(&(left, right)) = pairs.get(next) {
            next += 1;
            let mut state = State::default();
            if let (Some(left), Some(right)) = (self.states.get(left), other.states.get(right)) {
                state.accepting = left.accepting && right.accepting;
                budget.spend(1 + left.moves.len() * right.moves.len())?;
                for (mine, left) in &left.moves {
                    for (theirs, right) in &right.moves {
                        let both = mine.intersection(*theirs);
                        if !both.is_empty() {
                            let number = number_of((*left, *right), &mut numbers, &mut pairs);
                            state.moves.push((both, number));
                        }
                    }
                }
            }
            product.states.push(state);
        }
        Some(product)
    }

    /// Whether some text is in both languages; `None` past the budget.
    pub fn intersects(&self, other: &Self, budget: &mut Budget) -> Option<bool> {
        let width = other.states.len();
        budget.spend(self.states.len().checked_mul(width)? / 64)?;
        let mut seen = vec![false; self.states.len() * width];
        let mut open: Vec<(usize, usize)> = Vec::new();
        let mut enter = |pair: (usize, usize), open: &mut Vec<(usize, usize)>| {
            if let Some(seen) = seen.get_mut(pair.0 * width + pair.1)
                && !std::mem::replace(seen, true)
            {
                open.push(pair);
            }
        };
        for &left in &self.starts {
            other.starts.iter().for_each(|right| enter((left, *right), &mut open));
        }
        while let Some((left, right)) = open.pop() {
            let (left, right) = (self.states.get(left)?, other.states.get(right)?);
            if left.accepting && right.accepting {
                return Some(true);
            }
            budget.spend(1 + left.moves.len() * right.moves.len())?;
            for (mine, left) in &left.moves {
                for (theirs, right) in &right.moves {
                    if !mine.intersection(*theirs).is_empty() {
                        enter((*left, *right), &mut open);
                    }
                }
            }
        }
        Some(false)
    }

    /// Whether no text is in the language.
    pub fn is_empty(&self) -> bool {
        self.witness().is_none()
    }

    /// A shortest text of the language, as readable as there is one of that length.
    pub fn witness(&self) -> Option<Vec<u8>> {
        let mut trail: Vec<(usize, Option<(usize, u8)>)> =
            self.starts.iter().map(|start| (*start, None)).collect();
        let mut seen = vec![false; self.states.len()];
        let mut next = 0;
        while let Some(&(number, _)) = trail.get(next) {
            let state = self.states.get(number)?;
            if state.accepting {
                return Some(spell(&trail, next, |(_, from)| *from));
            }
            for (bytes, target) in &state.moves {
                if let (Some(seen), Some(byte)) = (seen.get_mut(*target), bytes.likeliest())
                    && !std::mem::replace(seen, true)
                {
                    trail.push((*target, Some((next, byte))));
                }
            }
            next += 1;
        }
        None
    }

    /// Whether a text is in the language.
    pub fn accepts(&self, text: &[u8]) -> bool {
        let mut current = self.starts.clone();
        for byte in text {
            let mut following = Vec::new();
            for (bytes, target) in
                current.iter().filter_map(|number| self.states.get(*number)).flat_map(|s| &s.moves)
            {
                if bytes.contains(*byte) {
                    following.push(*target);
                }
            }
            following.sort_unstable();
            following.dedup();
            current = following;
        }
        current.iter().filter_map(|number| self.states.get(*number)).any(|state| state.accepting)
    }

    /// How many states it has: what the cost of questions grows with.
    pub fn size(&self) -> usize {
        self.states.len()
    }
}

/// The number of a product state, given out on first sight.
fn number_of(
    pair: (usize, usize),
    numbers: &mut std::collections::BTreeMap<(usize, usize), usize>,
    pairs: &mut Vec<(usize, usize)>,
) -> usize {
    *numbers.entry(pair).or_insert_with(|| {
        pairs.push(pair);
        pairs.len() - 1
    })
}

/// Reads a text back from a search trail whose entries know the entry and byte they came by.
fn spell<T>(trail: &[T], end: usize, from: impl Fn(&T) -> Option<(usize, u8)>) -> Vec<u8> {
    let mut text = Vec::new();
    let mut at = end;
    while let Some((previous, byte)) = trail.get(at).and_then(&from) {
        text.push(byte);
        at = previous;
    }
    text.reverse();
    text
}
