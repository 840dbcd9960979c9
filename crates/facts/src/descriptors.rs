//! Names of descriptors: `/dev/fd/3` is no file of its own, opening it opens the file that the descriptor
//! has once more, and to write it empties it.
//!
//! Which descriptor has which file when is not followed: of the whole text, every file that some redirect
//! puts at the number counts.

use crate::facts::AccessFact;
use crate::walk::Walker;
use crate::{Access, Place};
use portcullis_shell::{Descriptor, Redirect, RedirectOp};
use std::collections::BTreeSet;

/// A descriptor: a number, or one above nine that bash picks.
type Number = Option<u32>;

/// What redirects do to descriptors.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    /// Those that got a file, with the access of it.
    pub(crate) opened: Vec<(Number, usize)>,
    /// Those that became the same as another one.
    copied: Vec<(Number, Number)>,
}

impl Walker<'_> {
    /// Notes a redirect whose file is the access with this index.
    pub(crate) fn opens(&mut self, redirect: &Redirect, access: usize) {
        for number in numbers(redirect) {
            self.out.descriptors.opened.push((number, access));
        }
    }

    /// Notes `3>&1`.
    pub(crate) fn copies(&mut self, redirect: &Redirect, text: &str) {
        let Ok(source) = text.trim_end_matches('-').parse() else { return };
        for number in numbers(redirect) {
            self.out.descriptors.copied.push((number, Some(source)));
        }
    }

    /// Whoever opens the name of a descriptor touches its file.
    pub(crate) fn through_descriptors(&mut self) {
        let mut found = Vec::new();
        for access in &self.out.accesses {
            for number in named(access) {
                let numbers = self.out.descriptors.same(Some(number));
                for (opened, index) in &self.out.descriptors.opened {
                    let Some(file) = self.out.accesses.get(*index) else { continue };
                    let same = numbers.iter().any(|number| may_be_same(*number, *opened));
                    if same && file.place != Place::Free && file.access != access.access {
                        found.push(AccessFact {
                            access: access.access,
                            by: access.by,
                            span: access.span,
                            carried: access.carried,
                            ..file.clone()
                        });
                    }
                }
            }
        }
        found.dedup();
        self.out.accesses.extend(found);
    }
}

impl Descriptors {
    /// The descriptors that one may be a copy of, itself among them.
    fn same(&self, number: Number) -> BTreeSet<Number> {
        let mut all = BTreeSet::from([number]);
        loop {
            let more: Vec<Number> = self
                .copied
                .iter()
                .filter(|(to, from)| {
                    !all.contains(from) && all.iter().any(|known| may_be_same(*known, *to))
                })
                .map(|(_, from)| *from)
                .collect();
            if more.is_empty() {
                return all;
            }
            all.extend(more);
        }
    }
}

fn may_be_same(a: Number, b: Number) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b,
        (Some(known), None) | (None, Some(known)) => known > 9,
        (None, None) => true,
    }
}

/// The descriptors a redirect sets.
fn numbers(redirect: &Redirect) -> Vec<Number> {
    match &redirect.descriptor {
        Descriptor::Number(text) => vec![text.parse().ok()],
        Descriptor::Variable(_) => vec![None],
        Descriptor::Default => match redirect.op {
            RedirectOp::Read
            | RedirectOp::ReadWrite
            | RedirectOp::DupRead
            | RedirectOp::HereDoc
            | RedirectOp::HereDocTabs
            | RedirectOp::HereString => vec![Some(0)],
            RedirectOp::Write | RedirectOp::Append | RedirectOp::Clobber => vec![Some(1)],
            // `>& file` is both.
            RedirectOp::WriteBoth | RedirectOp::AppendBoth | RedirectOp::DupWrite => {
                vec![Some(1), Some(2)]
            }
        },
    }
}

/// The descriptors whose names an access opens.
fn named(access: &AccessFact) -> Vec<u32> {
    if access.access == Access::Remove {
        return Vec::new();
    }
    match &access.place {
        Place::Free => number_of(&access.text).into_iter().collect(),
        Place::Known(paths) => paths.iter().filter_map(|path| number_of(path.as_str())).collect(),
        Place::Glob(_) | Place::Unknown(_) => Vec::new(),
    }
}

/// `/dev/stdin`, `/dev/fd/3`, `/proc/self/fd/3` and the same of a process or thread that may be this one.
fn number_of(path: &str) -> Option<u32> {
    match path {
        "/dev/stdin" => Some(0),
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        _ => {
            let (directory, number) = path.rsplit_once('/')?;
            let descriptors = directory == "/dev/fd"
                || directory.starts_with("/proc/") && directory.ends_with("/fd");
            descriptors.then(|| number.parse().ok()).flatten()
        }
    }
}
