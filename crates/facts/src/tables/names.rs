//! Finds the rows of a table by the name of a program, without walking the table.
//!
//! Every simple command is looked up in the long tables several times, and most programs stand in none
//! of them. The compiler sorts the names into buckets; order within a bucket is the order of the table.

/// The rows that list each name.
#[derive(Debug)]
pub(crate) struct Names<const COUNT: usize> {
    /// Where each bucket starts among the entries; the last is their number.
    starts: [usize; BUCKETS + 1],
    /// The name and the place of its row in the table.
    entries: [(&'static str, usize); COUNT],
}

impl<const COUNT: usize> Names<COUNT> {
    /// Indexes the names of all rows, in the order of the table.
    #[expect(
        clippy::indexing_slicing,
        reason = "only the compiler runs it, so an index out of bounds is an error of the build"
    )]
    pub(crate) const fn new(names: [(&'static str, usize); COUNT]) -> Self {
        let mut starts = [0; BUCKETS + 1];
        let mut at = 0;
        while at < COUNT {
            starts[bucket(names[at].0) + 1] += 1;
            at += 1;
        }
        at = 0;
        while at < BUCKETS {
            starts[at + 1] += starts[at];
            at += 1;
        }
        let mut next = starts;
        let mut entries = [("", 0); COUNT];
        at = 0;
        while at < COUNT {
            let slot = bucket(names[at].0);
            entries[next[slot]] = names[at];
            next[slot] += 1;
            at += 1;
        }
        Self { starts, entries }
    }

    /// The places of the rows that list a name, each with the name as the table holds it.
    pub(crate) fn rows(&self, name: &str) -> impl Iterator<Item = (&'static str, usize)> {
        let slot = bucket(name);
        let place = |at: usize| self.starts.get(at).copied().unwrap_or(COUNT);
        let entries = self.entries.get(place(slot)..place(slot + 1)).unwrap_or(&[]);
        entries.iter().copied().filter(move |(listed, _)| *listed == name)
    }
}

/// How many names the rows list, for [`Names`]; a macro since tables have rows of their own type.
macro_rules! names_of {
    ($rows:expr) => {{
        const COUNT: usize = {
            let (mut count, mut rows): (usize, &[_]) = (0, $rows);
            while let Some((row, after)) = rows.split_first() {
                count += row.names.len();
                rows = after;
            }
            count
        };
        const LISTED: [(&str, usize); COUNT] = {
            let mut listed = [("", 0); COUNT];
            let mut room: &mut [(&str, usize)] = &mut listed;
            let (mut place, mut rows): (usize, &[_]) = (0, $rows);
            while let Some((row, after)) = rows.split_first() {
                let mut names = row.names;
                while let Some((name, more)) = names.split_first() {
                    match { room }.split_first_mut() {
                        Some((first, rest)) => {
                            *first = (*name, place);
                            room = rest;
                        }
                        // There is room for every name: it was counted.
                        None => room = &mut [],
                    }
                    names = more;
                }
                place += 1;
                rows = after;
            }
            listed
        };
        &const { $crate::tables::names::Names::new(LISTED) }
    }};
}
pub(crate) use names_of;

const fn bucket(name: &str) -> usize {
    match name.as_bytes() {
        [] => 0,
        [only] => *only as usize % BUCKETS,
        [first, .., last] => {
            (*first as usize * 7 + *last as usize * 13 + name.len() * 31) % BUCKETS
        }
    }
}

/// Some names a bucket for the longest table.
const BUCKETS: usize = 256;

#[cfg(test)]
mod tests {

    #[test]
    fn finds_what_a_walk_finds() {
        struct Row {
            names: &'static [&'static str],
        }
        const ROWS: &[Row] = &[
            Row { names: &["git", "hg"] },
            Row { names: &["a", ""] },
            Row { names: &["git"] },
            Row { names: &[] },
            Row { names: &["gnt", "a"] },
        ];
        let names = names_of!(ROWS);
        for name in ["git", "hg", "a", "", "gnt", "b", "grt", "gi"] {
            let walked = ROWS
                .iter()
                .enumerate()
                .filter_map(|(at, row)| row.names.contains(&name).then_some((name, at)));
            assert!(names.rows(name).eq(walked), "{name}");
        }
    }
}
