//! What may get another name.

use super::{CompiledFiles, Ends, StateSet};
use crate::{Access, Effect, FileRule, Judgement, Kind, Standing};
use portcullis_model::AbsPath;
use std::collections::BTreeSet;

impl CompiledFiles {
    /// Whether something of a kind may be renamed; what is exchanged is asked about both ways.
    ///
    /// A directory takes everything below along, unseen: so it may only go where the rules mean the same
    /// paths below. Else a prepared directory would become `.git`, or a hidden file would get a name that
    /// no rule hides. Where this says no to a directory while both names may be written, `EXDEV` makes
    /// programs copy instead, file by file, and each file is judged.
    pub fn may_rename(
        &self,
        from: &AbsPath,
        to: &AbsPath,
        source: Kind,
    ) -> Result<(), Judgement<'_>> {
        if self.files.disabled.is_some() {
            return Ok(());
        }
        self.writable(from, source)?;
        self.writable(to, source)?;
        if source != Kind::Directory {
            return Ok(());
        }
        let (old, new) = (self.states(from), self.states(to));
        let unread = self.ahead(&old, Ends::READ_DENY);
        let lost = unread.difference(&self.ahead(&new, Ends::READ_DENY)).next().copied();
        // Where nothing below the old name is hidden, nothing can be uncovered.
        let lifted = self.ahead(&new, Ends::READ_ALLOW);
        let lifted = lifted.difference(&self.ahead(&old, Ends::READ_ALLOW)).next().copied();
        let lifted = if unread.is_empty() { None } else { lifted };
        let (here, there) = (self.protected(&old), self.protected(&new));
        let protection = here.symmetric_difference(&there).next().copied();
        match lost.or(lifted).or(protection) {
            None => Ok(()),
            Some(node) => Err(Judgement { effect: Effect::Deny, rule: self.rule_through(node) }),
        }
    }

    /// Whether a file may get a second name: what may be written through the new one has to be
    /// writable, and readable, through the old one.
    pub fn may_link(&self, from: &AbsPath, to: &AbsPath) -> Result<(), Judgement<'_>> {
        self.writable(from, Kind::File)?;
        self.writable(to, Kind::File)
    }

    fn writable(&self, path: &AbsPath, kind: Kind) -> Result<(), Judgement<'_>> {
        let judgement = self.judge_as(path, Access::Write, kind);
        match judgement.effect {
            Effect::Allow => Ok(()),
            Effect::Deny => Err(judgement),
        }
    }

    /// The live nodes from which something can match.
    fn ahead(&self, states: &StateSet, wanted: Ends) -> BTreeSet<u32> {
        let wanted = wanted.with(wanted.as_leaf());
        let leads = |id: &&u32| self.node(**id).is_some_and(|node| node.ahead.has(wanted));
        states.live.iter().filter(leads).copied().collect()
    }

    fn protected(&self, states: &StateSet) -> BTreeSet<u32> {
        let mut denies = Ends::WRITE_DENY.with(Ends::EXEMPT);
        if states.passed.has(Ends::EXEMPT) {
            denies = denies.without(Ends::of(Access::Write, Effect::Deny, Standing::Protected));
        }
        self.ahead(states, denies)
    }

    fn rule_through(&self, node: u32) -> Option<&FileRule> {
        self.files.rules.get(self.node(node)?.rule)
    }
}
