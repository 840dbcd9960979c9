//! Where generators take their choices from: a number, or bytes somebody else chose.
//!
//! A failure repeats, because everything follows from the number or the bytes. Bytes let a property
//! tester shrink what failed and a fuzzer steer what comes next.

/// A source of choices.
#[derive(Clone, Debug)]
pub enum Choices<'a> {
    /// Everything follows from the number (the generator called `SplitMix64`).
    Seeded(u64),
    /// A byte or two a choice; every choice after the last byte is the first one.
    Bytes(&'a [u8]),
}

impl Choices<'_> {
    /// A number below `limit`, or 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let drawn = match self {
            Self::Seeded(state) => draw(state),
            Self::Bytes(bytes) => {
                let length = if limit <= 256 { 1 } else { 2 };
                let (head, tail) = bytes.split_at(length.min(bytes.len()));
                *bytes = tail;
                head.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
            }
        };
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(drawn % limit).unwrap_or(0)
    }

    /// True once in `times`; not when the choices have run out.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of the texts.
    pub fn text<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }

    /// Some of the items, at most `most`, possibly one twice.
    pub fn some<T: Clone>(&mut self, items: &[T], most: usize) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| self.pick(items).clone()).collect()
    }
}

fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
