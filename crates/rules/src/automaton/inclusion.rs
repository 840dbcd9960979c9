//! Whether one language lies inside a union of others, with a shortest text that does not.

use super::{Automaton, Budget, ByteSet, State, spell};
use std::collections::BTreeMap;

/// The answer to an inclusion question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inclusion {
    /// Every text is covered.
    Holds,
    /// This text, one of the shortest, is not.
    Fails(Vec<u8>),
}

/// Whether every text of `inner` is in one of `outers`; `None` past the budget.
///
/// Breadth-first over pairs of an inner state and the set of outer states it may be in, so the first
/// uncovered text found is a shortest one. Three cuts keep the sets small without changing the
/// answer: a state that accepts everything covers all that follows, a state behind an any-loop makes
/// the states before that loop superfluous, and a pair is dropped where the same inner state was
/// already reached with fewer outer states.
pub fn included(
    inner: &Automaton,
    outers: &[&Automaton],
    budget: &mut Budget,
) -> Option<Inclusion> {
    let outer = Automaton::union(outers.iter().copied());
    let cover = Cover::new(&outer, budget)?;
    let mut trail: Vec<Pair> = Vec::new();
    let mut reached: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
    for &start in &inner.starts {
        if let Some(set) = cover.reduce(outer.starts.clone()) {
            enter(Pair { inner: start, set, from: None }, &mut trail, &mut reached, budget)?;
        }
    }
    let mut next = 0;
    while let Some(Pair { inner: number, set, .. }) = trail.get(next).cloned() {
        let state = inner.states.get(number)?;
        if state.accepting && !set.iter().any(|at| accepting(&outer, *at)) {
            return Some(Inclusion::Fails(spell(&trail, next, |pair| pair.from)));
        }
        let outer_moves: Vec<(ByteSet, usize)> = set
            .iter()
            .filter_map(|at| outer.states.get(*at))
            .flat_map(|state| state.moves.iter().copied())
            .collect();
        for (bytes, target) in &state.moves {
            for block in blocks(*bytes, &outer_moves) {
                budget.spend(1 + outer_moves.len())?;
                let Some(byte) = block.likeliest() else { continue };
                let mut following: Vec<usize> = outer_moves
                    .iter()
                    .filter(|(bytes, _)| bytes.contains(byte))
                    .map(|(_, to)| *to)
                    .collect();
                following.sort_unstable();
                following.dedup();
                if let Some(set) = cover.reduce(following) {
                    let pair = Pair { inner: *target, set, from: Some((next, byte)) };
                    enter(pair, &mut trail, &mut reached, budget)?;
                }
            }
        }
        next += 1;
    }
    Some(Inclusion::Holds)
}

/// An inner state with the outer states the same text may lead to.
#[derive(Clone, Debug)]
struct Pair {
    inner: usize,
    set: Vec<usize>,
    from: Option<(usize, u8)>,
}

/// What is known about the outer states before the search.
struct Cover {
    /// States from which every text is accepted.
    universal: Vec<bool>,
    /// For each state with an any-loop: the states all of whose texts it accepts, too.
    behind: BTreeMap<usize, Vec<bool>>,
}

impl Cover {
    fn new(outer: &Automaton, budget: &mut Budget) -> Option<Self> {
        let mut universal = vec![false; outer.states.len()];
        let mut behind = BTreeMap::new();
        let before = reversed(outer);
        for (number, state) in outer.states.iter().enumerate() {
            if !state.loops(number) {
                continue;
            }
            if let Some(universal) = universal.get_mut(number) {
                *universal = state.accepting;
            }
            if !state.accepting {
                budget.spend(outer.states.len())?;
                behind.insert(number, avoidable(outer, &before, number));
            }
        }
        Some(Self { universal, behind })
    }

    /// The set without superfluous states; `None` where it covers everything that may follow.
    fn reduce(&self, mut set: Vec<usize>) -> Option<Vec<usize>> {
        if set.iter().any(|at| self.universal.get(*at) == Some(&true)) {
            return None;
        }
        let loops: Vec<&usize> = set.iter().filter(|at| self.behind.contains_key(at)).collect();
        if !loops.is_empty() {
            // Of two loops that make each other superfluous one has to stay: the later number.
            let superfluous = |at: usize| {
                loops.iter().any(|other| {
                    let dominated = |of: usize, by: usize| {
                        self.behind.get(&by).and_then(|b| b.get(of)) == Some(&true)
                    };
                    **other != at
                        && dominated(at, **other)
                        && (**other > at || !dominated(**other, at))
                })
            };
            let kept = set.iter().copied().filter(|at| !superfluous(*at)).collect();
            set = kept;
        }
        Some(set)
    }
}

/// The states that lead to each state.
fn reversed(automaton: &Automaton) -> Vec<Vec<usize>> {
    let mut before = vec![Vec::new(); automaton.states.len()];
    for (number, state) in automaton.states.iter().enumerate() {
        for (_, to) in &state.moves {
            if let Some(before) = before.get_mut(*to) {
                before.push(number);
            }
        }
    }
    before
}

/// The states that cannot reach acceptance without passing `through`: since `through` loops on every
/// byte, it accepts whatever they accept.
fn avoidable(automaton: &Automaton, before: &[Vec<usize>], through: usize) -> Vec<bool> {
    let mut dominated = vec![true; automaton.states.len()];
    let mut open: Vec<usize> = (0..automaton.states.len())
        .filter(|number| *number != through && accepting(automaton, *number))
        .collect();
    while let Some(number) = open.pop() {
        match dominated.get_mut(number) {
            Some(dominated) if *dominated => *dominated = false,
            _ => continue,
        }
        let earlier = before.get(number).into_iter().flatten();
        open.extend(earlier.filter(|at| **at != through));
    }
    dominated
}

/// Enters a pair unless one at least as hard to cover was entered before.
fn enter(
    pair: Pair,
    trail: &mut Vec<Pair>,
    reached: &mut BTreeMap<usize, Vec<Vec<usize>>>,
    budget: &mut Budget,
) -> Option<()> {
    let earlier = reached.entry(pair.inner).or_default();
    budget.spend(1 + earlier.len())?;
    if !earlier.iter().any(|set| is_subset(set, &pair.set)) {
        earlier.push(pair.set.clone());
        trail.push(pair);
    }
    Some(())
}

/// Whether one ascending list lies inside another.
fn is_subset(small: &[usize], large: &[usize]) -> bool {
    let mut large = large.iter();
    small.iter().all(|member| large.by_ref().any(|other| other == member))
}

/// Splits a set of bytes so that all bytes of a block make the same moves.
pub(super) fn blocks<T>(bytes: ByteSet, moves: &[(ByteSet, T)]) -> Vec<ByteSet> {
    let mut blocks = vec![bytes];
    for (cut, _) in moves {
        if *cut == ByteSet::ANY {
            continue;
        }
        let mut pieces = Vec::with_capacity(blocks.len() + 1);
        for block in blocks {
            pieces.extend(
                [block.intersection(*cut), block.without(*cut)]
                    .into_iter()
                    .filter(|b| !b.is_empty()),
            );
        }
        blocks = pieces;
    }
    blocks
}

fn accepting(automaton: &Automaton, number: usize) -> bool {
    automaton.states.get(number).is_some_and(|state: &State| state.accepting)
}
