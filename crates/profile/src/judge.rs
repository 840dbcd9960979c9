//! One path judged by going through every rule: the meaning of a profile, and the slow way.

use crate::{
    Access, Component, Effect, FileRule, Files, Judgement, Kind, PathGlob, Reach, Standing,
};
use portcullis_model::AbsPath;
use portcullis_rules::fold_name;
use std::cmp::Reverse;

impl Files {
    /// What holds for a path that is, or is to become, a file.
    pub fn judge(&self, path: &AbsPath, access: Access) -> Judgement<'_> {
        self.judge_as(path, access, Kind::File)
    }

    /// What holds for a path where something of a kind stands, or is to stand.
    ///
    /// [`CompiledFiles`](crate::CompiledFiles) answers the same and faster.
    pub fn judge_as(&self, path: &AbsPath, access: Access, kind: Kind) -> Judgement<'_> {
        if self.disabled.is_some() {
            return Judgement { effect: Effect::Allow, rule: None };
        }
        match access {
            Access::Read => self.judge_read(path, kind),
            Access::Write => self.judge_write(path, kind),
        }
    }

    fn judge_read(&self, path: &AbsPath, kind: Kind) -> Judgement<'_> {
        let matching = self.matching(path, Access::Read, kind);
        let deepest = matching.max_by_key(|(depth, index, rule)| {
            let denies = rule.effect == Effect::Deny;
            (denies && rule.standing == Standing::Absolute, *depth, denies, Reverse(*index))
        });
        match deepest {
            Some((_, _, rule)) => Judgement { effect: rule.effect, rule: Some(rule) },
            None => Judgement { effect: Effect::Allow, rule: None },
        }
    }

    fn judge_write(&self, path: &AbsPath, kind: Kind) -> Judgement<'_> {
        let matching: Vec<_> = self.matching(path, Access::Write, kind).collect();
        let exempt = matching.iter().any(|(_, _, rule)| {
            rule.effect == Effect::Allow && rule.standing == Standing::Absolute
        });
        let counts = |rule: &FileRule| {
            rule.effect == Effect::Allow || !(exempt && rule.standing == Standing::Protected)
        };
        let decisive = matching.into_iter().filter(|(_, _, rule)| counts(rule));
        let decisive = decisive
            .max_by_key(|(depth, index, rule)| (rule.effect, *depth, Reverse(*index)))
            .map(|(_, _, rule)| rule);
        match decisive {
            Some(rule) if rule.effect == Effect::Deny => {
                Judgement { effect: Effect::Deny, rule: Some(rule) }
            }
            allowed => {
                let read = self.judge_read(path, kind);
                match (read.effect, allowed) {
                    (Effect::Deny, _) => read,
                    (Effect::Allow, Some(_)) => Judgement { effect: Effect::Allow, rule: allowed },
                    (Effect::Allow, None) => Judgement { effect: Effect::Deny, rule: None },
                }
            }
        }
    }

    /// The rules about a kind of access that match a path, each with how deep and its place in the list.
    fn matching(
        &self,
        path: &AbsPath,
        access: Access,
        kind: Kind,
    ) -> impl Iterator<Item = (usize, usize, &FileRule)> {
        let names: Vec<&str> = path.components().collect();
        self.rules.iter().enumerate().filter(move |(_, rule)| rule.access == access).filter_map(
            move |(index, rule)| {
                let depth = deepest(&rule.reach, &names, kind)?;
                Some((depth, index, rule))
            },
        )
    }
}

/// The length of the longest beginning of a path that a rule matches.
fn deepest(reach: &Reach, names: &[&str], kind: Kind) -> Option<usize> {
    match reach {
        Reach::Path(path) => {
            let own: Vec<&str> = path.components().collect();
            names.starts_with(&own).then_some(own.len())
        }
        Reach::Pattern(glob) => (0..=names.len())
            .rev()
            .find(|depth| names.get(..*depth).is_some_and(|n| whole(glob, n))),
        Reach::Leaf(glob) => (kind != Kind::Directory && whole(glob, names)).then_some(names.len()),
    }
}

/// Whether a pattern matches exactly these components.
fn whole(glob: &PathGlob, names: &[&str]) -> bool {
    let mut rest = names;
    for own in glob.below.components() {
        match rest.split_first() {
            Some((name, after)) if same(own, name, glob.any_case) => rest = after,
            Some(_) | None => return false,
        }
    }
    // The components still to come, for each number of names taken.
    let mut live = vec![false; rest.len() + 1];
    if let Some(first) = live.first_mut() {
        *first = true;
    }
    for component in glob.components.iter() {
        let before = std::mem::replace(&mut live, vec![false; rest.len() + 1]);
        let mut carried = false;
        for (at, reached) in before.iter().enumerate() {
            let last = at.checked_sub(1).and_then(|last| rest.get(last));
            let stepped = at.checked_sub(1).is_some_and(|last| before.get(last) == Some(&true));
            let here = match component {
                Component::AnyDepth => {
                    carried |= reached;
                    carried
                }
                Component::AnyDepthBut(but) => {
                    carried = *reached || (carried && last.is_some_and(|name| name != but));
                    carried
                }
                Component::Name(own) => {
                    stepped && last.is_some_and(|name| same(own, name, glob.any_case))
                }
                Component::Glob(own) => {
                    stepped && last.is_some_and(|name| own.matches(name, glob.any_case))
                }
                Component::AnyBut(but) => stepped && last.is_some_and(|name| name != but),
            };
            if let Some(slot) = live.get_mut(at) {
                *slot = here;
            }
        }
    }
    live.last() == Some(&true)
}

fn same(own: &str, name: &str, any_case: bool) -> bool {
    own == name || (any_case && fold_name(own) == fold_name(name))
}
