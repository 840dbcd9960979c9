//! Whether rules cover a rule: everything it matches, they match.
//!
//! Patterns whose only wildcard is a star have a hardest text each: stars filled with a character that
//! stands in no other pattern. Only a star can read that, so whichever pattern matches the hardest text
//! matches all texts. That finds the candidates without a search; the claim itself is then proved by
//! inclusion of automata.

use crate::realm::{Realm, same_tool};
use portcullis_model::TextSet;
use portcullis_policy::{PolicyRule, Rules};
use portcullis_rules::automaton::{Automaton, Budget, Inclusion, included};
use portcullis_rules::{PathMatcher, Specifier, ToolPattern};

/// A private-use character: no pattern that people write holds it, and where one does the proof fails
/// and nothing is claimed.
pub(crate) const FRESH: &str = "\u{f8f0}";

/// Whether rules cover a rule.
#[derive(Debug)]
pub(crate) enum Cover<'p> {
    /// These do, and none of them is superfluous.
    By(Vec<&'p PolicyRule>),
    /// They do not.
    Open,
    /// The budget ran out.
    Unknown,
}

/// What may cover a rule.
#[derive(Clone, Copy)]
pub(crate) struct Covering<'q, 'p> {
    /// The rules, by list.
    pub(crate) lists: &'q [&'p Rules],
    /// Which of them count.
    pub(crate) counts: &'q dyn Fn(&PolicyRule) -> bool,
    /// Steps one proof may take.
    pub(crate) steps: usize,
}

impl<'p> Covering<'_, 'p> {
    fn rules(&self) -> impl Iterator<Item = &'p PolicyRule> {
        self.lists.iter().flat_map(|rules| rules.list.iter()).filter(|rule| (self.counts)(rule))
    }

    /// The first rule for tools as a whole that all of these tools match. Whether it counts is asked
    /// last: that may cost a question.
    fn whole_of(&self, names: &[&str]) -> Option<&'p PolicyRule> {
        let (first, others) = names.split_first()?;
        self.lists.iter().flat_map(|rules| rules.about_calls(first)).find(|other| {
            is_whole(other)
                && others.iter().all(|name| other.rule.tool().matches(name))
                && (self.counts)(other)
        })
    }

    /// The least rules that cover `rule` together.
    pub(crate) fn of(&self, rule: &PolicyRule) -> Cover<'p> {
        if let Some(whole) = self.whole(rule) {
            return Cover::By(vec![whole]);
        }
        match Realm::of(rule) {
            Realm::Whole => self.tools(rule),
            Realm::Command(pattern) => {
                if pattern.holds_separators() {
                    return self.same_text(rule);
                }
                let samples = pattern.samples(FRESH);
                let mut found: Vec<&PolicyRule> = Vec::new();
                // One rule for all comes before one rule each.
                let shared = samples.first().and_then(|first| {
                    self.commands(first).find(|other| {
                        command_of(other).is_some_and(|other| {
                            samples.iter().all(|sample| other.matches_text(sample))
                        })
                    })
                });
                match shared {
                    Some(shared) => found.push(shared),
                    None => {
                        for sample in &samples {
                            let known = found.iter().any(|rule| {
                                command_of(rule).is_some_and(|rule| rule.matches_text(sample))
                            });
                            if known {
                                continue;
                            }
                            let Some(other) = self.commands(sample).next() else {
                                return Cover::Open;
                            };
                            found.push(other);
                        }
                    }
                }
                self.proved(&pattern.automaton(), found)
            }
            Realm::Read(paths) => self.paths(paths, Realm::read),
            Realm::Edit(paths) => self.paths(paths, Realm::edit),
            Realm::Directory(paths) => self.paths(paths, Realm::directory),
            Realm::Host(pattern) => {
                let inner = pattern.automaton();
                let others = self
                    .rules()
                    .filter_map(|other| Some((other, Realm::of(other).host()?.automaton())));
                self.search(&inner, others)
            }
            Realm::Name(pattern) => {
                let inner = pattern.automaton();
                let same = self.rules().filter(|other| same_tool(rule, other));
                let others =
                    same.filter_map(|other| Some((other, Realm::of(other).name()?.automaton())));
                self.search(&inner, others)
            }
            Realm::Parameter(name, value) => {
                let inner = value.automaton();
                let same = self.rules().filter(|other| same_tool(rule, other));
                let others = same.filter_map(|other| {
                    let (field, value) = Realm::of(other).parameter()?;
                    (field == name).then(|| (other, value.automaton()))
                });
                self.search(&inner, others)
            }
            Realm::Nothing => Cover::Open,
        }
    }

    /// A rule for every call of all tools that `rule` speaks about.
    fn whole(&self, rule: &PolicyRule) -> Option<&'p PolicyRule> {
        let names: &[&str] = match Realm::of(rule) {
            Realm::Command(_) => &["Bash"],
            Realm::Host(_) => &["WebFetch"],
            Realm::Read(_) | Realm::Edit(_) => FILE_TOOLS,
            Realm::Whole | Realm::Nothing => return None,
            Realm::Name(_) | Realm::Parameter(..) | Realm::Directory(_) => {
                return self.whole_of(&[rule.rule.tool().exact()?]);
            }
        };
        self.whole_of(names)
    }

    /// Rules for whole tools against each other.
    fn tools(&self, rule: &PolicyRule) -> Cover<'p> {
        let mut found: Vec<&PolicyRule> = Vec::new();
        for name in tool_samples(rule.rule.tool()) {
            if found.iter().any(|other| other.rule.tool().matches(&name)) {
                continue;
            }
            let Some(other) = self.whole_of(&[&name]) else { return Cover::Open };
            found.push(other);
        }
        Cover::By(found)
    }

    /// Rules whose text is one whole command line cover nothing but themselves.
    fn same_text(&self, rule: &PolicyRule) -> Cover<'p> {
        let same = self.rules().find(|other| other.rule.text() == rule.rule.text());
        same.map_or(Cover::Open, |other| Cover::By(vec![other]))
    }

    /// The command rules that match one text.
    fn commands(&self, text: &str) -> impl Iterator<Item = &'p PolicyRule> {
        let texts = TextSet::literal(text);
        let text = text.to_owned();
        self.lists.iter().flat_map(move |rules| rules.command_candidates(&texts)).filter(
            move |other| {
                command_of(other).is_some_and(|other| other.matches_text(&text))
                    && (self.counts)(other)
            },
        )
    }

    fn paths(
        &self,
        own: &PathMatcher,
        speaks: impl Fn(Realm<'p>) -> Option<&'p PathMatcher>,
    ) -> Cover<'p> {
        let inner = own.automaton();
        let near = self.rules().filter_map(|other| {
            let paths = speaks(Realm::of(other))?;
            let touch =
                paths.anchor().is_within(own.anchor()) || own.anchor().is_within(paths.anchor());
            touch.then(|| (other, paths.automaton()))
        });
        self.search(&inner, near)
    }

    /// The least of some rules that cover a language.
    fn search(
        &self,
        inner: &Automaton,
        others: impl Iterator<Item = (&'p PolicyRule, Automaton)>,
    ) -> Cover<'p> {
        let Some(text) = inner.witness() else { return Cover::Open };
        let others: Vec<(&PolicyRule, Automaton)> = others.collect();
        // Most rules are settled by one text that nothing else matches.
        if !others.iter().any(|(_, other)| other.accepts(&text)) {
            return Cover::Open;
        }
        for (rule, other) in others.iter().filter(|(_, other)| other.accepts(&text)) {
            match included(inner, &[other], &mut Budget::new(self.steps)) {
                Some(Inclusion::Holds) => return Cover::By(vec![rule]),
                Some(Inclusion::Fails(_)) => {}
                None => return Cover::Unknown,
            }
        }
        let all: Vec<&Automaton> = others.iter().map(|(_, other)| other).collect();
        match included(inner, &all, &mut Budget::new(self.steps)) {
            Some(Inclusion::Holds) => {}
            Some(Inclusion::Fails(_)) => return Cover::Open,
            None => return Cover::Unknown,
        }
        // Take out one after the other what the rest does not need.
        let mut kept: Vec<usize> = (0..others.len()).collect();
        for index in 0..others.len() {
            let without: Vec<&Automaton> = kept
                .iter()
                .filter(|at| **at != index)
                .filter_map(|at| others.get(*at).map(|(_, other)| other))
                .collect();
            let holds = included(inner, &without, &mut Budget::new(self.steps));
            if holds == Some(Inclusion::Holds) {
                kept.retain(|at| *at != index);
            }
        }
        Cover::By(kept.into_iter().filter_map(|at| others.get(at).map(|(rule, _)| *rule)).collect())
    }

    /// A set found by samples, proved.
    fn proved(&self, inner: &Automaton, found: Vec<&'p PolicyRule>) -> Cover<'p> {
        let outers: Vec<Automaton> = found
            .iter()
            .filter_map(|rule| command_of(rule))
            .map(portcullis_rules::CommandPattern::automaton)
            .collect();
        let outers: Vec<&Automaton> = outers.iter().collect();
        match included(inner, &outers, &mut Budget::new(self.steps)) {
            Some(Inclusion::Holds) => Cover::By(found),
            Some(Inclusion::Fails(_)) => Cover::Open,
            None => Cover::Unknown,
        }
    }
}

/// Whether a rule speaks about every call of its tools.
pub(crate) fn is_whole(rule: &PolicyRule) -> bool {
    matches!(rule.rule.specifier(), Specifier::Whole)
}

/// The command pattern of a Bash rule.
pub(crate) fn command_of(rule: &PolicyRule) -> Option<&portcullis_rules::CommandPattern> {
    if let Realm::Command(pattern) = Realm::of(rule) { Some(pattern) } else { None }
}

/// Names of tools that a tool part means, the hardest to match by others.
pub(crate) fn tool_samples(pattern: &ToolPattern) -> Vec<String> {
    match pattern {
        ToolPattern::Exact(name) => {
            let server =
                name.strip_prefix("mcp__").is_some_and(|s| !s.is_empty() && !s.contains("__"));
            let mut names = vec![name.clone()];
            if server {
                names.push(format!("{name}__{FRESH}"));
            }
            names
        }
        ToolPattern::Glob(glob) => vec![glob.sample(FRESH)],
    }
}

/// The tools whose calls Read and Edit rules with a path decide.
const FILE_TOOLS: &[&str] =
    &["Read", "Grep", "Glob", "LS", "Edit", "MultiEdit", "Write", "NotebookEdit", "Bash"];
