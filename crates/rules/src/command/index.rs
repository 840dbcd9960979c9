//! An index over command patterns, so that a decision looks at few of them.

use super::CommandPattern;
use portcullis_model::TextSet;

/// An index over many command patterns by the literal text they start with.
///
/// Prefixes are kept sorted, each knowing the longest other prefix it starts with. All prefixes of a
/// text then lie on the one chain that starts at the text's place in the order.
#[derive(Clone, Debug, Default)]
pub struct CommandSet {
    prefixes: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    prefix: String,
    ids: Vec<usize>,
    /// The place of the longest proper prefix of this one.
    shorter: Option<usize>,
}

impl CommandSet {
    /// Indexes patterns, each with the number its owner knows it by.
    pub fn new(patterns: impl IntoIterator<Item = (usize, CommandPattern)>) -> Self {
        let mut pairs: Vec<(String, usize)> = Vec::new();
        for (id, pattern) in patterns {
            pairs.extend(pattern.globs().iter().map(|glob| (glob.prefix().to_owned(), id)));
        }
        pairs.sort();
        pairs.dedup();
        let mut prefixes: Vec<Entry> = Vec::new();
        for (prefix, id) in pairs {
            if let Some(last) = prefixes.last_mut().filter(|last| last.prefix == prefix) {
                last.ids.push(id);
                continue;
            }
            let mut shorter = prefixes.len().checked_sub(1);
            while let Some(entry) = shorter.and_then(|at| prefixes.get(at)) {
                if prefix.starts_with(&entry.prefix) {
                    break;
                }
                shorter = entry.shorter;
            }
            prefixes.push(Entry { prefix, ids: vec![id], shorter });
        }
        Self { prefixes }
    }

    /// The numbers of all patterns that match the texts at least possibly, and maybe some more; in
    /// ascending order.
    pub fn candidates(&self, texts: &TextSet) -> Vec<usize> {
        let start = texts.prefix();
        let mut ids = Vec::new();
        let place = self.prefixes.partition_point(|entry| entry.prefix.as_str() < start);
        // Prefixes that go on where the known start of the texts ends, the start itself included.
        let mut upper = place;
        while let Some(entry) = self.prefixes.get(upper).filter(|e| e.prefix.starts_with(start)) {
            if texts.known().is_none() || entry.prefix == start {
                ids.extend_from_slice(&entry.ids);
            }
            upper += 1;
            if texts.known().is_some() {
                break;
            }
        }
        let mut shorter = place.checked_sub(1);
        while let Some(entry) = shorter.and_then(|at| self.prefixes.get(at)) {
            if start.starts_with(&entry.prefix) {
                ids.extend_from_slice(&entry.ids);
            }
            shorter = entry.shorter;
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_model::{RuleClass, TextPiece};

    #[test]
    fn finds_what_may_match() {
        let rules = ["git *", "git push *", "git push origin", "gitk", "* x", "npm *", "n*", "z"];
        let set = CommandSet::new(
            rules.iter().map(|rule| CommandPattern::parse(rule, RuleClass::Deny)).enumerate(),
        );
        let known = |text: &str| set.candidates(&TextSet::literal(text));
        assert_eq!(known("git push origin"), [0, 1, 2, 4]);
        assert_eq!(known("gitk"), [0, 3, 4]);
        assert_eq!(known("zz"), [4, 7]);
        assert_eq!(known(""), [4]);
        assert_eq!(set.candidates(&TextSet::anything()), [0, 1, 2, 3, 4, 5, 6, 7]);
        let mut texts = TextSet::literal("git pu");
        texts.push(TextPiece::Anything);
        assert_eq!(set.candidates(&texts), [0, 1, 2, 4]);
    }
}
