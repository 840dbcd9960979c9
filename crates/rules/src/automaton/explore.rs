//! Every combination of languages a text can be in, with a shortest text of each.

use super::inclusion::blocks;
use super::{Bundle, ByteSet, spell};

/// Which texts there are at all: a deterministic automaton that says what kind of text it has read.
pub trait Universe {
    /// The state before the first byte.
    fn start(&self) -> u32;
    /// The state after one more byte; `None` where no text goes on like that.
    fn step(&self, state: u32, byte: u8) -> Option<u32>;
    /// The kind of text that ends here; `None` where none does.
    fn kind(&self, state: u32) -> Option<u8>;
    /// Bytes that this state tells apart beside those that rules ask for.
    fn special(&self, state: u32) -> ByteSet;
    /// Bytes that stand for whatever no rule asks for, the most readable first.
    fn plain(&self, state: u32) -> &[u8];
}

/// Who looks at what is found.
pub trait Explorer {
    /// The marks that can still change anything once `sure` are certain.
    fn relevant(&mut self, sure: u64) -> u64;
    /// Whether to go on where these marks are certain and those may come. `even` says that every
    /// language that is left has the same marks in both halves.
    fn worth(&mut self, sure: u64, live: u64, even: bool) -> bool;
    /// A combination of marks that texts of this kind have; asked only for the text it looks at.
    fn visit(&mut self, marks: u64, kind: u8, text: &dyn Fn() -> Vec<u8>);
}

/// How much work an exploration may be.
///
/// The number of combinations is exponential in the worst case, and rule texts come from cloned
/// repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Combinations looked at.
    pub states: usize,
    /// Places in patterns stepped through.
    pub steps: usize,
}

/// Explores a bundle breadth-first, so that the first text of a combination is a shortest one. Answers
/// how many combinations it looked at; `None` where the effort was not enough.
///
/// Four cuts keep it small without changing what is found: a language that takes whatever follows is
/// only a certain mark; marks that cannot change anything any more are dropped with their languages; of
/// one pattern only the places from its last star on are kept; and the explorer says where nothing new
/// can follow.
pub fn explore(
    bundle: &Bundle,
    universe: &dyn Universe,
    sure: u64,
    explorer: &mut dyn Explorer,
    effort: &mut Effort,
) -> Option<usize> {
    if bundle.is_overfull() {
        return None;
    }
    let mut product = Product { bundle, trail: Vec::new(), places: Vec::new(), seen: Seen::new() };
    let mut next_places = bundle.starts().to_vec();
    product.enter(&mut next_places, universe.start(), sure, None, explorer);
    let mut next = 0;
    let mut moves = Moves::default();
    while let Some(&state) = product.trail.get(next) {
        let places = product.places_of(&state);
        effort.states = effort.states.checked_sub(1)?;
        effort.steps = effort.steps.checked_sub(1 + places.len())?;
        let live = moves.read(bundle, places);
        if let Some(kind) = universe.kind(state.universe) {
            let trail = &product.trail;
            explorer.visit(state.sure | live.accepted, kind, &|| {
                spell(trail, next, |state| state.from)
            });
        }
        let even = live.even && is_even(state.sure);
        if explorer.worth(state.sure, live.marks, even) {
            moves.choose(universe, state.universe);
            for at in 0..moves.bytes.len() {
                let Some(&byte) = moves.bytes.get(at) else { continue };
                let Some(after) = universe.step(state.universe, byte) else { continue };
                moves.follow(byte, &mut next_places);
                effort.steps = effort.steps.checked_sub(next_places.len())?;
                product.enter(&mut next_places, after, state.sure, Some((next, byte)), explorer);
            }
        }
        next += 1;
    }
    Some(next)
}

/// Whether marks are the same in both halves.
fn is_even(marks: u64) -> bool {
    marks & HALF == marks >> 32
}

const HALF: u64 = 0xffff_ffff;

#[derive(Clone, Copy)]
struct State {
    universe: u32,
    sure: u64,
    from: Option<(usize, u8)>,
    places: (usize, usize),
}

struct Product<'b> {
    bundle: &'b Bundle,
    trail: Vec<State>,
    places: Vec<u32>,
    seen: Seen,
}

impl Product<'_> {
    fn places_of(&self, state: &State) -> &[u32] {
        self.places.get(state.places.0..state.places.1).unwrap_or(&[])
    }

    /// Enters a combination of places unless it was there before.
    fn enter(
        &mut self,
        places: &mut Vec<u32>,
        universe: u32,
        sure: u64,
        from: Option<(usize, u8)>,
        explorer: &mut dyn Explorer,
    ) {
        let sure = self.reduce(places, sure, explorer);
        let hash = hash(universe, sure, places);
        let known = self.seen.find(hash, |at| {
            self.trail.get(at).is_some_and(|other| {
                other.universe == universe && other.sure == sure && self.places_of(other) == places
            })
        });
        if known {
            return;
        }
        let start = self.places.len();
        self.places.extend_from_slice(places);
        self.seen.insert(hash, self.trail.len());
        self.trail.push(State { universe, sure, from, places: (start, self.places.len()) });
    }

    /// Takes out what changes nothing that may follow; answers the marks that are certain.
    fn reduce(&self, places: &mut Vec<u32>, mut sure: u64, explorer: &mut dyn Explorer) -> u64 {
        if !places.is_sorted() {
            places.sort_unstable();
        }
        places.dedup();
        let mut relevant = explorer.relevant(sure);
        let mut over = true;
        while over {
            over = false;
            let mut more = sure;
            // From the end: a looped place of a chain makes the earlier ones superfluous.
            let mut chain = None;
            let mut kept = places.len();
            for at in (0..places.len()).rev() {
                let Some(&place) = places.get(at) else { continue };
                let Some(node) = self.bundle.node(place) else { continue };
                let marks = self.bundle.marks(node);
                let superfluous = chain == Some(node.part) || marks & relevant & !sure == 0;
                if node.looped && self.bundle.is_chain(node.part) {
                    chain = Some(node.part);
                }
                if superfluous {
                    continue;
                }
                if node.looped && node.accepting {
                    more |= marks;
                    continue;
                }
                kept -= 1;
                if let Some(slot) = places.get_mut(kept) {
                    *slot = place;
                }
            }
            places.drain(..kept);
            if more != sure {
                sure = more;
                relevant = explorer.relevant(sure);
                over = true;
            }
        }
        sure
    }
}

/// What the places of one combination read.
#[derive(Default)]
struct Moves {
    /// Places that every byte leaves where they are.
    loops: Vec<u32>,
    /// The one byte that a place reads, and where that leads; by byte.
    singles: Vec<(u8, u32)>,
    /// Any other moves.
    sets: Vec<(ByteSet, u32)>,
    /// The bytes worth trying.
    bytes: Vec<u8>,
}

struct Live {
    marks: u64,
    accepted: u64,
    even: bool,
}

impl Moves {
    fn read(&mut self, bundle: &Bundle, places: &[u32]) -> Live {
        self.loops.clear();
        self.singles.clear();
        self.sets.clear();
        let mut live = Live { marks: 0, accepted: 0, even: true };
        for &place in places {
            let Some(node) = bundle.node(place) else { continue };
            let marks = bundle.marks(node);
            live.marks |= marks;
            live.even &= is_even(marks);
            if node.accepting {
                live.accepted |= marks;
            }
            if node.looped {
                self.loops.push(place);
            }
            if let Some(byte) = node.byte {
                self.singles.push((byte, place + 1));
            }
            self.sets.extend_from_slice(bundle.moves(node));
        }
        self.singles.sort_unstable();
        live
    }

    /// The bytes that lead to different combinations: each that some place asks for, and of the rest
    /// one that stands for all.
    fn choose(&mut self, universe: &dyn Universe, state: u32) {
        self.bytes.clear();
        let mut asked = universe.special(state);
        for (byte, _) in &self.singles {
            asked = asked.union(ByteSet::single(*byte));
        }
        let mut distinct: Vec<(ByteSet, ())> =
            self.sets.iter().map(|(set, _)| (*set, ())).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let mut alone = ByteSet::NONE;
        for (set, ()) in &mut distinct {
            if let Some(byte) = set.only() {
                alone = alone.union(ByteSet::single(byte));
            }
        }
        asked = asked.union(alone);
        distinct.retain(|(set, ())| set.only().is_none());
        for block in blocks(ByteSet::ANY.without(asked), &distinct) {
            let plain = universe.plain(state).iter().copied().find(|byte| block.contains(*byte));
            self.bytes.extend(plain.or_else(|| block.likeliest()));
        }
        self.bytes.extend((0..=u8::MAX).filter(|byte| asked.contains(*byte)));
        // Letters first: of several shortest texts the most readable one.
        self.bytes.sort_by_key(|byte| (!byte.is_ascii_alphanumeric(), *byte == b'\\'));
    }

    /// Where one byte leads.
    fn follow(&self, byte: u8, places: &mut Vec<u32>) {
        places.clear();
        places.extend_from_slice(&self.loops);
        let first = self.singles.partition_point(|(other, _)| *other < byte);
        let own = self.singles.iter().skip(first).take_while(|(other, _)| *other == byte);
        places.extend(own.map(|(_, to)| *to));
        places.extend(self.sets.iter().filter(|(set, _)| set.contains(byte)).map(|(_, to)| *to));
    }
}

/// Numbers by hash, in open addressing: never iterated, so equal input gives equal output.
struct Seen {
    slots: Vec<Option<(u64, usize)>>,
    used: usize,
}

impl Seen {
    fn new() -> Self {
        Self { slots: vec![None; 1_024], used: 0 }
    }

    fn find(&self, hash: u64, same: impl Fn(usize) -> bool) -> bool {
        let mut at = self.place(hash);
        while let Some(Some((other, number))) = self.slots.get(at) {
            if *other == hash && same(*number) {
                return true;
            }
            at = (at + 1) % self.slots.len();
        }
        false
    }

    fn insert(&mut self, hash: u64, number: usize) {
        self.used += 1;
        if self.used * 2 > self.slots.len() {
            let old = std::mem::take(&mut self.slots);
            self.slots = vec![None; old.len() * 2];
            for (hash, number) in old.into_iter().flatten() {
                self.put(hash, number);
            }
        }
        self.put(hash, number);
    }

    fn put(&mut self, hash: u64, number: usize) {
        let mut at = self.place(hash);
        while let Some(Some(_)) = self.slots.get(at) {
            at = (at + 1) % self.slots.len();
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some((hash, number));
        }
    }

    /// Where to look first. There are always empty slots.
    fn place(&self, hash: u64) -> usize {
        let mask = u64::try_from(self.slots.len() - 1).unwrap_or(u64::MAX);
        usize::try_from(hash & mask).unwrap_or(0)
    }
}

/// Mixes what makes a combination what it is.
fn hash(universe: u32, sure: u64, places: &[u32]) -> u64 {
    let mut hash = (sure ^ u64::from(universe)).wrapping_mul(MIX);
    for place in places {
        hash = (hash.rotate_left(5) ^ u64::from(*place)).wrapping_mul(MIX);
    }
    hash ^ (hash >> 32)
}

const MIX: u64 = 0x517c_c1b7_2722_0a95;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Glob;

    struct Letters;

    impl Universe for Letters {
        fn start(&self) -> u32 {
            0
        }
        fn step(&self, _: u32, byte: u8) -> Option<u32> {
            byte.is_ascii_lowercase().then_some(0)
        }
        fn kind(&self, _: u32) -> Option<u8> {
            Some(0)
        }
        fn special(&self, _: u32) -> ByteSet {
            ByteSet::NONE
        }
        fn plain(&self, _: u32) -> &[u8] {
            b"xyz"
        }
    }

    #[derive(Default)]
    struct All(std::collections::BTreeMap<u64, String>);

    impl Explorer for All {
        fn relevant(&mut self, _: u64) -> u64 {
            u64::MAX
        }
        fn worth(&mut self, _: u64, live: u64, _: bool) -> bool {
            live != 0
        }
        fn visit(&mut self, marks: u64, _: u8, text: &dyn Fn() -> Vec<u8>) {
            self.0.entry(marks).or_insert_with(|| String::from_utf8(text()).unwrap());
        }
    }

    #[test]
    fn finds_every_combination_with_a_shortest_text() {
        let mut bundle = Bundle::default();
        bundle.add_glob(&Glob::new("a*"), 1);
        bundle.add_glob(&Glob::new("*b"), 2);
        bundle.add(&Glob::new("*ab*").automaton(), 4);
        bundle.add_glob(&Glob::new("abc"), 8);
        let mut all = All::default();
        let mut effort = Effort { states: 1_000, steps: 10_000 };
        assert!(explore(&bundle, &Letters, 0, &mut all, &mut effort).is_some());
        let found: Vec<(u64, &str)> = all.0.iter().map(|(m, t)| (*m, t.as_str())).collect();
        let want = [
            (0, ""),
            (1, "a"),
            (2, "b"),
            (3, "axb"),
            (4, "xabx"),
            (5, "abx"),
            (6, "xab"),
            (7, "ab"),
            (13, "abc"),
        ];
        assert_eq!(found, want);
        let mut little = Effort { states: 3, steps: 10_000 };
        assert!(explore(&bundle, &Letters, 0, &mut All::default(), &mut little).is_none());
    }
}
