//! The search of one realm: every combination of rules of both policies that a text can meet, and the
//! verdicts those combinations mean.

use super::universe::Texts;
use super::{Cell, Doubt, Search};
use crate::Question;
use portcullis_model::Decision;
use portcullis_rules::automaton::{Bundle, Explorer, explore};
use std::collections::{BTreeMap, BTreeSet};

/// Which marks take part in one kind of call. The marks of the old policy stand in the lower half, those
/// of the new one in the same places of the upper half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) deny: u64,
    pub(super) ask: u64,
    pub(super) allow: u64,
    /// Commands that are taken out of the sandbox, which counts where no rule speaks about them.
    pub(super) excluded: u64,
}

/// What the strictest rule that matches means in one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meanings {
    pub(super) deny: Decision,
    pub(super) ask: Decision,
    pub(super) allow: Decision,
    /// Where no rule matches a command that is taken out of the sandbox.
    pub(super) excluded: Decision,
    /// Where nothing matches, by the kind of text.
    pub(super) none: [Decision; 2],
}

/// One kind of call: which rules speak about it, what they mean, and how to ask about a text.
pub(super) struct View<'a> {
    pub(super) name: &'static str,
    pub(super) sides: Sides,
    /// In the old and in the new policy.
    pub(super) meanings: [Meanings; 2],
    /// The calls that a text stands for, the plainest first.
    pub(super) questions: &'a dyn Fn(&str) -> Vec<Question>,
}

/// The strictest class of rules that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Deny,
    Ask,
    Allow,
    Excluded,
    None,
}

impl Sides {
    fn of(self, half: usize) -> Self {
        if half == 0 {
            return self;
        }
        Self {
            deny: self.deny << 32,
            ask: self.ask << 32,
            allow: self.allow << 32,
            excluded: self.excluded << 32,
        }
    }

    fn class(self, marks: u64) -> Class {
        if marks & self.deny != 0 {
            Class::Deny
        } else if marks & self.ask != 0 {
            Class::Ask
        } else if marks & self.allow != 0 {
            Class::Allow
        } else if marks & self.excluded != 0 {
            Class::Excluded
        } else {
            Class::None
        }
    }

    /// The marks that can still change the class once some are certain.
    fn relevant(self, sure: u64) -> u64 {
        match self.class(sure) {
            Class::Deny => 0,
            Class::Ask => self.deny,
            Class::Allow => self.deny | self.ask,
            Class::Excluded => self.deny | self.ask | self.allow,
            Class::None => self.deny | self.ask | self.allow | self.excluded,
        }
    }
}

impl Meanings {
    fn decision(self, class: Class, kind: u8) -> Decision {
        match class {
            Class::Deny => self.deny,
            Class::Ask => self.ask,
            Class::Allow => self.allow,
            Class::Excluded => self.excluded,
            Class::None => self.none.get(usize::from(kind)).copied().unwrap_or(Decision::Ask),
        }
    }

    /// Every decision that may come of these marks, as bits.
    fn possible(self, sides: Sides, sure: u64, live: u64) -> u8 {
        let bit = |decision: Decision| match decision {
            Decision::Allow => 1_u8,
            Decision::Ask => 2,
            Decision::Deny => 4,
        };
        let mut bits = 0;
        let least = sides.class(sure);
        for class in [Class::Deny, Class::Ask, Class::Allow, Class::Excluded, Class::None] {
            let marks = match class {
                Class::Deny => sides.deny,
                Class::Ask => sides.ask,
                Class::Allow => sides.allow,
                Class::Excluded => sides.excluded,
                Class::None => 0,
            };
            if class == least || (class < least && live & marks != 0) {
                bits |= bit(self.decision(class, 0)) | bit(self.decision(class, 1));
            }
        }
        bits
    }
}

/// What became of a change that the rules predict.
#[derive(Default)]
struct Prediction {
    /// Texts that were asked about in vain.
    asked: usize,
    /// The first of them.
    example: String,
}

struct Hunt<'s, 'a, 'v> {
    views: &'v [View<'v>],
    search: &'s mut Search<'a>,
    found: &'s mut BTreeSet<(&'static str, Cell)>,
    predicted: BTreeMap<(usize, Cell), Prediction>,
    relevant: BTreeMap<u64, u64>,
    worth: BTreeMap<(u64, u64), bool>,
}

/// Looks for every change of verdict among the texts of one realm. `found` keeps what was seen before,
/// by view; `sure` are marks that every text has.
pub(super) fn hunt<'v>(
    search: &mut Search<'_>,
    found: &mut BTreeSet<(&'static str, Cell)>,
    views: &'v [View<'v>],
    bundle: &Bundle,
    texts: &Texts,
    sure: u64,
) {
    let mut effort = search.effort;
    let mut hunt = Hunt {
        views,
        search,
        found,
        predicted: BTreeMap::new(),
        relevant: BTreeMap::new(),
        worth: BTreeMap::new(),
    };
    let explored = explore(bundle, texts, sure, &mut hunt, &mut effort);
    let Hunt { predicted, found, search, .. } = hunt;
    search.effort = effort;
    search.states += explored.unwrap_or(0);
    for ((view, cell), prediction) in predicted {
        let name = views.get(view).map_or("", |view| view.name);
        // What was found elsewhere leaves no doubt that calls change like that.
        if !found.contains(&(name, cell)) && !search.knows(cell) {
            search.doubts.push(Doubt {
                text: format!(
                    "rules for {name} differ from {} to {} as for `{}`, but no call was found whose verdict differs",
                    cell.from.word(),
                    cell.to.word(),
                    prediction.example
                ),
                loosens: cell.to < cell.from,
            });
        }
    }
    if explored.is_none() {
        let names: Vec<&str> = views.iter().map(|view| view.name).collect();
        search.doubts.push(Doubt {
            text: format!("comparing rules for {} took more than the budget", names.join(", ")),
            loosens: true,
        });
    }
}

impl Explorer for Hunt<'_, '_, '_> {
    fn relevant(&mut self, sure: u64) -> u64 {
        let views = self.views;
        *self.relevant.entry(sure).or_insert_with(|| {
            let both =
                |view: &View<'_>| view.sides.of(0).relevant(sure) | view.sides.of(1).relevant(sure);
            views.iter().map(both).fold(0, |all, own| all | own)
        })
    }

    fn worth(&mut self, sure: u64, live: u64, even: bool) -> bool {
        if even {
            return false;
        }
        let (views, found) = (self.views, &*self.found);
        *self.worth.entry((sure, live)).or_insert_with(|| {
            views.iter().any(|view| {
                let [old, new] = [0, 1].map(|half| {
                    view.meanings
                        .get(half)
                        .map_or(7, |means| means.possible(view.sides.of(half), sure, live))
                });
                cells(old, new).any(|cell| !found.contains(&(view.name, cell)))
            })
        })
    }

    fn visit(&mut self, marks: u64, kind: u8, text: &dyn Fn() -> Vec<u8>) {
        for (index, view) in self.views.iter().enumerate() {
            let [from, to] = [0, 1].map(|half| {
                view.meanings.get(half).map_or(Decision::Ask, |means| {
                    means.decision(view.sides.of(half).class(marks), kind)
                })
            });
            let cell = Cell { from, to };
            if from == to || self.found.contains(&(view.name, cell)) {
                continue;
            }
            let Ok(text) = String::from_utf8(text()) else { continue };
            let questions = (view.questions)(&text);
            if questions.is_empty() {
                // Another realm looks into these calls.
                continue;
            }
            let prediction = self.predicted.entry((index, cell)).or_default();
            if prediction.asked == 0 {
                prediction.example.clone_from(&text);
            }
            if prediction.asked >= MOST {
                continue;
            }
            prediction.asked += 1;
            for question in questions {
                if self.search.ask(&question) == Some(cell) {
                    self.found.insert((view.name, cell));
                    self.worth.clear();
                    break;
                }
            }
        }
    }
}

/// The changes between two sets of decisions.
fn cells(old: u8, new: u8) -> impl Iterator<Item = Cell> {
    let all = [(Decision::Allow, 1), (Decision::Ask, 2), (Decision::Deny, 4)];
    all.into_iter().filter(move |(_, bit)| old & bit != 0).flat_map(move |(from, _)| {
        let others = all.into_iter().filter(move |(to, bit)| new & bit != 0 && *to != from);
        others.map(move |(to, _)| Cell { from, to })
    })
}

/// How many texts are asked about before a predicted change is left open.
const MOST: usize = 200;
