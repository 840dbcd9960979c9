//! Sets of bytes.

/// A set of bytes: what one move of an automaton reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSet {
    low: u128,
    high: u128,
}

impl ByteSet {
    /// All bytes.
    pub const ANY: Self = Self { low: u128::MAX, high: u128::MAX };
    /// No byte.
    pub const NONE: Self = Self { low: 0, high: 0 };

    /// Just one byte.
    pub fn single(byte: u8) -> Self {
        if byte < 128 {
            Self { low: 1 << byte, high: 0 }
        } else {
            Self { low: 0, high: 1 << (byte - 128) }
        }
    }

    /// The bytes from one to another, both included; none where they are the wrong way round.
    pub fn range(first: u8, last: u8) -> Self {
        (first..=last).fold(Self::NONE, |set, byte| set.union(Self::single(byte)))
    }

    /// Whether a byte is in the set.
    pub fn contains(self, byte: u8) -> bool {
        !self.intersection(Self::single(byte)).is_empty()
    }

    /// Bytes in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { low: self.low | other.low, high: self.high | other.high }
    }

    /// Bytes in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self { low: self.low & other.low, high: self.high & other.high }
    }

    /// Bytes in this set but not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self { low: self.low & !other.low, high: self.high & !other.high }
    }

    /// Whether it holds no byte.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// The byte, where it holds just one.
    pub fn only(self) -> Option<u8> {
        let (half, offset) = if self.high == 0 { (self.low, 0) } else { (self.high, 128) };
        let one = (self.low == 0 || self.high == 0) && half.is_power_of_two();
        u8::try_from(half.trailing_zeros() + offset).ok().filter(|_| one)
    }

    /// The byte a person would rather read in an example: a letter, a digit, anything printable.
    pub fn likeliest(self) -> Option<u8> {
        (b'a'..=b'z')
            .chain(b'0'..=b'9')
            .chain(b'A'..=b'Z')
            .chain(b" -./_".iter().copied())
            .chain(0x21..=0x7e)
            .chain(0..=u8::MAX)
            .find(|byte| self.contains(*byte))
    }
}
